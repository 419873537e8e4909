/* A change log for tests: keeps the effects that a server tells, from any thread, and does them
 * again in another server.  The effects of a transaction are kept aside by their thread until
 * its EXEC, while its keys are held, so that those of two threads do not mix. */
#ifndef TEST_EFFECT_LOG_H
#define TEST_EFFECT_LOG_H

#include "base/thread.h"
#include "data_set.h"
#include "run.h"

/* What stands before the arguments of an effect. */
struct effect_head {
    int64_t now_us;
    uint32_t db, argc;
};

struct effect_log {
    struct run_server *server;
    struct mutex mutex;
    struct buf bytes;
    uint64_t count;
};

static _Thread_local struct buf effect_frame; /* of the transaction that this thread runs */

static inline void effect_write(struct buf *out, const struct effect_head *head,
                                const struct bytes *argv)
{
    buf_append(out, (struct bytes){ (const char *)head, sizeof *head });
    for (uint32_t i = 0; i < head->argc; i++) {
        buf_append(out, (struct bytes){ (const char *)&argv[i].len, sizeof argv[i].len });
        buf_append(out, argv[i]);
    }
}

static inline void effect_told(void *user, uint32_t db, const struct bytes *argv, uint32_t argc)
{
    struct effect_log *log = user;
    struct effect_head head = { run_clock(log->server), db, argc };
    if (check_traces()) {
        fprintf(stderr, "%" PRIu64 ": %u", (uint64_t)(head.now_us - RUN_START_MS * 1000) / 1000,
                db);
        check_tell("", argv, argc);
    }
    bool begins = bytes_equal(argv[0], LIT("MULTI")), ends = bytes_equal(argv[0], LIT("EXEC"));
    if (begins || effect_frame.len > 0) {
        CHECK(begins == (effect_frame.len == 0));
        effect_write(&effect_frame, &head, argv);
        if (!ends) {
            return;
        }
    }
    mutex_lock(&log->mutex);
    if (ends) {
        buf_append(&log->bytes, buf_bytes(&effect_frame));
    } else {
        effect_write(&log->bytes, &head, argv);
    }
    log->count++;
    mutex_unlock(&log->mutex);
    if (ends) {
        buf_release(&effect_frame);
    }
}

static inline void effect_log_init(struct effect_log *log, struct run_server *server)
{
    *log = (struct effect_log){ .server = server };
    mutex_init(&log->mutex, RANK_CHANGES);
    server->engine.changes = (struct change_sink){ .effect = effect_told, .user = log };
}

static inline void effect_log_release(struct effect_log *log)
{
    CHECK_INT(effect_frame.len, 0);
    mutex_release(&log->mutex);
    buf_release(&log->bytes);
}

/* The next effect from '*at' on, borrowed; false at the end. */
static inline bool effect_read(const struct effect_log *log, size_t *at, struct effect_head *head,
                               struct bytes *argv)
{
    if (*at == log->bytes.len) {
        return false;
    }
    memcpy(head, log->bytes.at + *at, sizeof *head);
    *at += sizeof *head;
    CHECK(head->argc <= RUN_ARGUMENTS_MAX);
    for (uint32_t i = 0; i < head->argc; i++) {
        memcpy(&argv[i].len, log->bytes.at + *at, sizeof argv[i].len);
        argv[i].at = log->bytes.at + *at + sizeof argv[i].len;
        *at += sizeof argv[i].len + argv[i].len;
    }
    return true;
}

/* No effect may be refused. */
static inline void effect_check_reply(const struct bytes *argv, uint32_t argc, struct bytes reply)
{
    bool refused = reply.len == 0 || reply.at[0] == '-';
    for (size_t i = 3; i < reply.len && !refused && bytes_equal(argv[0], LIT("EXEC")); i++) {
        refused = memcmp(reply.at + i - 3, "\r\n-", 3) == 0 && (unsigned)(reply.at[i] - 'A') < 26;
    }
    if (refused) {
        check_tell("refused:", argv, argc);
        check_tell("by:", &reply, 1);
        check_fail(__FILE__, __LINE__, "an effect is done again");
    }
}

/* Does everything from '*from' on again in 'server'; 'in_time': its clock shows each effect's own
 * moment. */
static inline void effect_log_replay(const struct effect_log *log, size_t *from,
                                     struct run_server *server, bool in_time)
{
    struct run_client client;
    struct effect_head head;
    struct bytes argv[RUN_ARGUMENTS_MAX];
    run_client_init(&client, server);
    uint32_t db = 0;
    while (effect_read(log, from, &head, argv)) {
        if (in_time) {
            server->now_us = head.now_us;
        }
        if (head.db != db) {
            char line[32];
            snprintf(line, sizeof line, "SELECT %u", head.db);
            RUN_LINE(&client, line);
            db = head.db;
        }
        effect_check_reply(argv, head.argc, run_command(&client, argv, head.argc));
    }
    run_client_release(&client);
}

/* Fails unless the whole log, done again in 'again', which holds what 'server' began with, makes
 * what 'server' has, which tells no more effects from now on. */
static inline void effect_log_check(const struct effect_log *log, struct run_server *server,
                                    struct run_server *again)
{
    size_t from = 0;
    server->engine.changes = (struct change_sink){ 0 };
    effect_log_replay(log, &from, again, true);
    data_set_compare(server, again, true);
}

#endif
