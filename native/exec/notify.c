/* Events of keys as messages; see notify.h. */
#include "exec/notify.h"

#include "exec/engine.h"

enum {
    ALL = NOTIFY_GENERIC | NOTIFY_STRING | NOTIFY_LIST | NOTIFY_SET | NOTIFY_HASH | NOTIFY_ZSET |
          NOTIFY_EXPIRED | NOTIFY_EVICTED | NOTIFY_STREAM | NOTIFY_MODULE
};

/* In the order in which they are written. */
static const struct {
    char letter;
    uint32_t classes;
} letters[] = {
    { 'A', ALL },
    { 'g', NOTIFY_GENERIC },
    { '$', NOTIFY_STRING },
    { 'l', NOTIFY_LIST },
    { 's', NOTIFY_SET },
    { 'h', NOTIFY_HASH },
    { 'z', NOTIFY_ZSET },
    { 'x', NOTIFY_EXPIRED },
    { 'e', NOTIFY_EVICTED },
    { 't', NOTIFY_STREAM },
    { 'd', NOTIFY_MODULE },
    { 'n', NOTIFY_NEW },
    { 'K', NOTIFY_KEYSPACE },
    { 'E', NOTIFY_KEYEVENT },
    { 'm', NOTIFY_MISS },
};
enum { LETTERS = sizeof letters / sizeof letters[0] };

bool notify_parse(struct bytes text, uint32_t *classes)
{
    *classes = 0;
    for (size_t i = 0; i < text.len; i++) {
        size_t at = 0;
        while (at < LETTERS && letters[at].letter != text.at[i]) {
            at++;
        }
        if (at == LETTERS) {
            return false;
        }
        *classes |= letters[at].classes;
    }
    return true;
}

void notify_format(uint32_t classes, struct buf *out)
{
    uint32_t told = 0;
    for (size_t i = 0; i < LETTERS; i++) {
        uint32_t these = letters[i].classes;
        if ((classes & these) == these && (told & these) != these) {
            buf_append_char(out, letters[i].letter);
            told |= these;
        }
    }
}

/* The events whose class their first letter does not tell. */
static const struct {
    const char *name;
    uint32_t class;
} events[] = {
    { "del", NOTIFY_GENERIC },
    { "expire", NOTIFY_GENERIC },
    { "persist", NOTIFY_GENERIC },
    { "rename_from", NOTIFY_GENERIC },
    { "rename_to", NOTIFY_GENERIC },
    { "move_from", NOTIFY_GENERIC },
    { "move_to", NOTIFY_GENERIC },
    { "copy_to", NOTIFY_GENERIC },
    { "restore", NOTIFY_GENERIC },
    { "set", NOTIFY_STRING },
    { "setrange", NOTIFY_STRING },
    { "setbit", NOTIFY_STRING },
    { "append", NOTIFY_STRING },
    { "incrby", NOTIFY_STRING },
    { "incrbyfloat", NOTIFY_STRING },
    { "pfadd", NOTIFY_STRING },
    { "rpush", NOTIFY_LIST },
    { "rpop", NOTIFY_LIST },
    { "sortstore", NOTIFY_LIST },
    { "expired", NOTIFY_EXPIRED },
    { "evicted", NOTIFY_EVICTED },
    { "keymiss", NOTIFY_MISS },
    { "new", NOTIFY_NEW },
    { "geosearchstore", NOTIFY_ZSET },
    { "georadiusstore", NOTIFY_ZSET },
};

static uint32_t class_of(struct bytes event)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (bytes_equal(event, bytes_of(events[i].name))) {
            return events[i].class;
        }
    }
    switch (event.at[0]) {
    case 'l':
        return NOTIFY_LIST;
    case 's':
        return NOTIFY_SET;
    case 'h':
        return NOTIFY_HASH;
    case 'z':
        return NOTIFY_ZSET;
    case 'x':
        return NOTIFY_STREAM;
    default:
        return NOTIFY_GENERIC;
    }
}

static void tell(struct engine *engine, const char *channel, uint32_t db, struct bytes name,
                 struct bytes message)
{
    struct buf text = { 0 };
    if (buf_reserve(&text, name.len + 64)) {
        buf_printf(&text, "%s@%u__:", channel, db);
        buf_append(&text, name);
        (void)pubsub_publish(&engine->pubsub, TOPIC_CHANNEL, buf_bytes(&text), message);
    }
    buf_release(&text);
}

void notify_event(struct engine *engine, uint32_t db, struct bytes key, struct bytes event)
{
    uint32_t classes = atomic_load_explicit(&engine->settings.notify_classes, memory_order_relaxed);
    if (!notify_any(engine) || (classes & class_of(event)) == 0) {
        return;
    }
    if ((classes & NOTIFY_KEYSPACE) != 0) {
        tell(engine, "__keyspace", db, key, event);
    }
    if ((classes & NOTIFY_KEYEVENT) != 0) {
        tell(engine, "__keyevent", db, event, key);
    }
}
