/* The slow log: a list of copies, newest first, under one lock; see slowlog.h. */
#include "exec/slowlog.h"

#include "base/buf.h"
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/secrets.h"
#include "exec/session.h"

/* As much of a command as Redis keeps. */
enum { KEPT_ARGUMENTS = 32, KEPT_BYTES = 128 };

struct slow_entry {
    struct slow_entry *older, *newer;
    uint64_t id;
    int64_t at_s; /* Unix time */
    int64_t microseconds;
    struct buf peer, name;
    uint32_t argc;
    struct buf argv[];
};

struct slowlog {
    struct mutex mutex; /* RANK_LOG */
    struct slow_entry *newest, *oldest;
    uint64_t length, next_id;
};

static void entry_destroy(struct slow_entry *entry)
{
    for (uint32_t i = 0; i < entry->argc; i++) {
        buf_release(&entry->argv[i]);
    }
    buf_release(&entry->peer);
    buf_release(&entry->name);
    mem_free(entry);
}

static void copy_argument(struct buf *out, struct bytes argument)
{
    if (argument.len <= KEPT_BYTES) {
        buf_append(out, argument);
        return;
    }
    buf_append(out, (struct bytes){ argument.at, KEPT_BYTES });
    buf_printf(out, "... (%zu more bytes)", argument.len - KEPT_BYTES);
}

static struct slow_entry *entry_create(const struct engine *engine, const struct session *session,
                                       const struct bytes *argv, uint32_t argc,
                                       int64_t microseconds)
{
    uint32_t kept = argc > KEPT_ARGUMENTS ? KEPT_ARGUMENTS : argc;
    struct slow_entry *entry = mem_zalloc(sizeof *entry + kept * sizeof entry->argv[0]);
    struct buf ours = { 0 };
    entry->argc = kept;
    entry->at_s = clock_wall_us(engine->clock) / 1000000;
    entry->microseconds = microseconds;
    for (uint32_t i = 0; i < kept; i++) {
        if (i == kept - 1 && kept < argc) {
            buf_printf(&entry->argv[i], "... (%u more arguments)", argc - kept + 1);
        } else {
            copy_argument(&entry->argv[i], secrets_has(argv, i) ? SECRET_TEXT : argv[i]);
        }
    }
    session->carrier->addresses(session, &entry->peer, &ours);
    buf_release(&ours);
    if (session->details != NULL) {
        buf_append(&entry->name, buf_bytes(&session->details->name));
    }
    return entry;
}

struct slowlog *slowlog_create(void)
{
    struct slowlog *slowlog = mem_try_alloc(sizeof *slowlog);
    if (slowlog != NULL) {
        *slowlog = (struct slowlog){ 0 };
        mutex_init(&slowlog->mutex, RANK_LOG);
    }
    return slowlog;
}

static void drop_oldest(struct slowlog *slowlog)
{
    struct slow_entry *entry = slowlog->oldest;
    slowlog->oldest = entry->newer;
    if (slowlog->oldest != NULL) {
        slowlog->oldest->older = NULL;
    } else {
        slowlog->newest = NULL;
    }
    slowlog->length--;
    entry_destroy(entry);
}

void slowlog_destroy(struct slowlog *slowlog)
{
    if (slowlog == NULL) {
        return;
    }
    while (slowlog->oldest != NULL) {
        drop_oldest(slowlog);
    }
    mutex_release(&slowlog->mutex);
    mem_free(slowlog);
}

void slowlog_add(struct slowlog *slowlog, struct engine *engine, const struct session *session,
                 const struct bytes *argv, uint32_t argc, int64_t microseconds)
{
    uint64_t limit = atomic_load_explicit(&engine->settings.slowlog_max_len, memory_order_relaxed);
    struct slow_entry *entry = entry_create(engine, session, argv, argc, microseconds);
    mutex_lock(&slowlog->mutex);
    entry->id = slowlog->next_id++;
    entry->older = slowlog->newest;
    if (slowlog->newest != NULL) {
        slowlog->newest->newer = entry;
    } else {
        slowlog->oldest = entry;
    }
    slowlog->newest = entry;
    slowlog->length++;
    while (slowlog->length > limit) {
        drop_oldest(slowlog);
    }
    mutex_unlock(&slowlog->mutex);
}

static void reply_entry(const struct slow_entry *entry, struct reply *reply)
{
    reply_array(reply, 6);
    reply_integer(reply, (int64_t)entry->id);
    reply_integer(reply, entry->at_s);
    reply_integer(reply, entry->microseconds);
    reply_array(reply, entry->argc);
    for (uint32_t i = 0; i < entry->argc; i++) {
        reply_bytes(reply, buf_bytes(&entry->argv[i]));
    }
    reply_bytes(reply, buf_bytes(&entry->peer));
    reply_bytes(reply, buf_bytes(&entry->name));
}

void slowlog_reply(struct slowlog *slowlog, int64_t count, struct reply *reply)
{
    mutex_lock(&slowlog->mutex);
    uint64_t told =
        count < 0 || (uint64_t)count > slowlog->length ? slowlog->length : (uint64_t)count;
    const struct slow_entry *entry = slowlog->newest;
    reply_array(reply, told);
    for (uint64_t i = 0; i < told; i++, entry = entry->older) {
        reply_entry(entry, reply);
    }
    mutex_unlock(&slowlog->mutex);
}

uint64_t slowlog_length(struct slowlog *slowlog)
{
    mutex_lock(&slowlog->mutex);
    uint64_t length = slowlog->length;
    mutex_unlock(&slowlog->mutex);
    return length;
}

void slowlog_clear(struct slowlog *slowlog)
{
    mutex_lock(&slowlog->mutex);
    while (slowlog->oldest != NULL) {
        drop_oldest(slowlog);
    }
    mutex_unlock(&slowlog->mutex);
}
