/* What commands tell the change log and the listeners of key events, as text: effects as
 * "0 SET k v;", events as "0 k=set;". */
#ifndef TEST_TELL_H
#define TEST_TELL_H

#include "run.h"

struct told {
    struct buf effects, events;
};

static inline void told_effect(void *user, uint32_t db, const struct bytes *argv, uint32_t argc)
{
    struct buf *effects = &((struct told *)user)->effects;
    buf_printf(effects, "%u", db);
    for (uint32_t i = 0; i < argc; i++) {
        buf_append_char(effects, ' ');
        buf_append(effects, argv[i]);
    }
    buf_append_char(effects, ';');
}

static inline void told_event(void *user, uint32_t db, struct bytes key, struct bytes event)
{
    struct buf *events = &((struct told *)user)->events;
    buf_printf(events, "%u ", db);
    buf_append(events, key);
    buf_append_char(events, '=');
    buf_append(events, event);
    buf_append_char(events, ';');
}

/* From here on 'server' tells 'told'. */
static inline void told_listen(struct told *told, struct run_server *server)
{
    memset(told, 0, sizeof *told);
    server->engine.changes = (struct change_sink){ told_effect, told_event, told };
}

static inline void told_release(struct told *told, struct run_server *server)
{
    memset(&server->engine.changes, 0, sizeof server->engine.changes);
    buf_release(&told->effects);
    buf_release(&told->events);
}

static inline void told_check(const char *file, int line, struct told *told, const char *command,
                              const char *effects, const char *events)
{
    check_bytes(file, line, command, buf_bytes(&told->effects), bytes_of(effects));
    check_bytes(file, line, command, buf_bytes(&told->events), bytes_of(events));
}

/* Runs a line, whatever it replies, and checks all that is told of it. */
#define CHECK_TOLD(told, client, command, effects_text, events_text)                               \
    do {                                                                                           \
        (told)->effects.len = (told)->events.len = 0;                                              \
        RUN_LINE((client), (command));                                                             \
        told_check(__FILE__, __LINE__, (told), (command), (effects_text), (events_text));          \
    } while (0)

#endif
