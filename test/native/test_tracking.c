/* Client-side caching: what sessions are told of the keys that they have read, in which order,
 * and that no cache keeps an old value, whoever changes keys on how many threads. */
#include "exec/tracking.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "run.h"

/* A thread's share: an executor with a mailbox, and one client of it. */
struct owner {
    struct executor executor;
    struct mailbox mailbox;
    struct session session; /* of the carrier below */
    struct reply reply;
    struct buf flat;
    struct buf pushed; /* what came unasked */
    bool overrun;
    _Atomic uint32_t wakes;
};

static struct run_server server;

static struct owner *owner_of(const struct session *session)
{
    return (struct owner *)(void *)((char *)(uintptr_t)session - offsetof(struct owner, session));
}

static void keep_push(struct session *session, struct bytes bytes)
{
    buf_append(&owner_of(session)->pushed, bytes);
}

static void note_overrun(struct session *session)
{
    owner_of(session)->overrun = true;
}

static struct mailbox *mailbox_of(const struct session *session)
{
    return &owner_of(session)->mailbox;
}

static const struct session_carrier carrier = {
    .addresses = session_fixed_addresses,
    .descriptor = session_no_descriptor,
    .buffers = session_no_buffers,
    .kill = session_stay,
    .push = keep_push,
    .overrun = note_overrun,
    .mailbox = mailbox_of,
    .address = "",
    .kind = 'N',
};

static void count_wake(void *user)
{
    atomic_fetch_add(&((struct owner *)user)->wakes, 1);
}

static void owner_init(struct owner *owner, unsigned number, uint8_t protocol)
{
    memset(owner, 0, sizeof *owner);
    CHECK(executor_init(&owner->executor, &server.engine));
    mailbox_init(&owner->mailbox, number, &server.engine.mail, count_wake, owner);
    owner->executor.mailbox = &owner->mailbox;
    executor_enter(&owner->executor);
    session_init(&owner->session, &server.engine, &carrier, server.now_us / 1000);
    owner->session.protocol = protocol;
    executor_leave(&owner->executor);
}

static void owner_leave(struct owner *owner)
{
    executor_enter(&owner->executor);
    session_release(&owner->session, &server.engine, &owner->executor);
    executor_leave(&owner->executor);
}

static void owner_release(struct owner *owner)
{
    mailbox_release(&owner->mailbox);
    executor_release(&owner->executor);
    reply_release(&owner->reply);
    buf_release(&owner->flat);
    buf_release(&owner->pushed);
}

static struct bytes call(struct owner *owner, const char *line)
{
    struct bytes argv[RUN_ARGUMENTS_MAX];
    size_t argc = 0;
    for (const char *at = line; *at != '\0';) {
        size_t len = strcspn(at, " ");
        argv[argc++] = len == 2 && memcmp(at, "''", 2) == 0 ? LIT("") : (struct bytes){ at, len };
        at += at[len] == ' ' ? len + 1 : len;
    }
    reply_clear(&owner->reply);
    executor_call(&owner->executor, &owner->session, argv, (uint32_t)argc, &owner->reply);
    return buf_bytes(&owner->reply.out);
}

/* What came unasked since the last time. */
static struct bytes hear(struct owner *owner)
{
    owner->pushed.len = 0;
    executor_enter(&owner->executor);
    mailbox_read(&owner->mailbox, &owner->executor);
    executor_leave(&owner->executor);
    return buf_bytes(&owner->pushed);
}

#define TOLD(key)          ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\n" key "\r\n"
#define TOLD_TWO(one, two) ">2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\n" one "\r\n$2\r\n" two "\r\n"
#define TOLD_ALL           ">2\r\n$10\r\ninvalidate\r\n_\r\n"

static struct owner alice, bob, carol;

static void begin(void)
{
    run_server_init(&server);
    owner_init(&alice, 0, 3);
    owner_init(&bob, 1, 3);
    owner_init(&carol, 2, 2);
}

static void end(void)
{
    owner_leave(&alice);
    owner_leave(&bob);
    owner_leave(&carol);
    CHECK_INT(server.engine.tracking.clients, 0);
    CHECK_INT(server.engine.tracking.prefixes, 0);
    CHECK_INT(server.engine.tracking.member_count, 0);
    owner_release(&alice);
    owner_release(&bob);
    owner_release(&carol);
    CHECK_INT(server.engine.holdups, 0);
    run_server_release(&server);
}

/* ---- What is told ---------------------------------------------------------------------------- */

static void a_reader_is_told_once_of_a_change(void)
{
    begin();
    CHECK_REPLY(call(&alice, "CLIENT TRACKING ON"), "+OK\r\n");
    CHECK_REPLY(call(&alice, "MGET a b"), "*2\r\n_\r\n_\r\n");
    CHECK_INT(server.engine.tracking.keys, 2);
    call(&bob, "SET a 1");
    call(&bob, "SET a 2");
    call(&bob, "SET c 1");
    CHECK_BYTES(hear(&alice), LIT(TOLD("a")));
    CHECK_INT(server.engine.tracking.keys, 1);
    call(&alice, "GET a");
    call(&bob, "DEL a");
    CHECK_BYTES(hear(&alice), LIT(TOLD("a")));
    CHECK_BYTES(hear(&bob), LIT(""));
    CHECK_REPLY(call(&alice, "CLIENT TRACKING OFF"), "+OK\r\n");
    call(&bob, "SET b 1");
    CHECK_BYTES(hear(&alice), LIT(""));
    CHECK_INT(server.engine.tracking.items, 0);
    CHECK_INT(server.engine.tracking.memory, 0);
    end();
}

static void own_changes_are_told_behind_the_reply(void)
{
    begin();
    call(&alice, "CLIENT TRACKING ON");
    call(&alice, "GET a");
    CHECK_REPLY(call(&alice, "SET a 1"), "+OK\r\n" TOLD("a"));
    call(&alice, "GET a");
    call(&alice, "MULTI");
    call(&alice, "SET a 2");
    call(&alice, "INCR a");
    CHECK_REPLY(call(&alice, "EXEC"), "*2\r\n+OK\r\n:3\r\n" TOLD("a"));
    call(&alice, "GET a");
    CHECK_REPLY(call(&alice, "FLUSHALL"), "+OK\r\n" TOLD_ALL);
    call(&alice, "CLIENT TRACKING ON NOLOOP");
    call(&alice, "GET a");
    CHECK_REPLY(call(&alice, "SET a 1"), "+OK\r\n");
    CHECK_BYTES(hear(&alice), LIT(""));
    call(&alice, "CLIENT REPLY OFF");
    call(&alice, "CLIENT TRACKING ON");
    call(&alice, "GET a");
    CHECK_REPLY(call(&alice, "SET a 1"), TOLD("a"));
    end();
}

static void caching_is_for_the_next_command_or_transaction(void)
{
    begin();
    call(&alice, "CLIENT TRACKING ON OPTIN");
    call(&alice, "GET a");
    CHECK_INT(server.engine.tracking.keys, 0);
    call(&alice, "CLIENT CACHING YES");
    call(&alice, "CLIENT ID");
    call(&alice, "GET a");
    call(&alice, "GET b");
    CHECK_INT(server.engine.tracking.keys, 1);
    call(&alice, "CLIENT CACHING YES");
    call(&alice, "MULTI");
    call(&alice, "GET b");
    call(&alice, "GET c");
    call(&alice, "EXEC");
    call(&alice, "GET d");
    CHECK_INT(server.engine.tracking.keys, 3);
    call(&alice, "CLIENT TRACKING OFF");
    call(&bob, "FLUSHALL");
    CHECK_BYTES(hear(&alice), LIT(""));
    call(&alice, "CLIENT TRACKING ON OPTOUT");
    call(&alice, "CLIENT CACHING NO");
    call(&alice, "GET a");
    call(&alice, "GET b");
    CHECK_INT(server.engine.tracking.keys, 1);
    end();
}

static void prefixes_hear_of_all_changes_once_a_batch(void)
{
    begin();
    call(&alice, "CLIENT TRACKING ON BCAST PREFIX a PREFIX b");
    call(&bob, "CLIENT TRACKING ON BCAST NOLOOP");
    CHECK_INT(server.engine.tracking.prefixes, 3);
    call(&bob, "MSET b1 1 a2 2 a1 3 c 4");
    CHECK_BYTES(hear(&alice),
                LIT(TOLD_TWO("a1", "a2") ">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nb1\r\n"));
    CHECK_BYTES(hear(&bob), LIT(""));
    call(&carol, "MSET a1 1 a1 2 a3 1");
    CHECK_BYTES(hear(&alice), LIT(TOLD_TWO("a1", "a3")));
    CHECK_BYTES(hear(&bob), LIT(TOLD_TWO("a1", "a3")));
    call(&carol, "FLUSHDB");
    CHECK_BYTES(hear(&alice), LIT(TOLD_ALL));
    end();
}

static void another_session_hears_for_one_until_it_leaves(void)
{
    char line[64];
    begin();
    snprintf(line, sizeof line, "CLIENT TRACKING ON REDIRECT %u", (unsigned)carol.session.id);
    CHECK_REPLY(call(&alice, line), "+OK\r\n");
    call(&alice, "GET a");
    call(&bob, "SET a 1");
    CHECK_BYTES(hear(&carol), LIT("")); /* RESP2, and it does not listen. */
    call(&carol, "SUBSCRIBE __redis__:invalidate");
    call(&alice, "GET a");
    call(&alice, "SET a 2");
    CHECK_BYTES(hear(&carol), LIT("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
                                  "*1\r\n$1\r\na\r\n"));
    call(&bob, "FLUSHALL");
    CHECK_BYTES(hear(&carol), LIT("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"));
    call(&alice, "GET a");
    owner_leave(&carol);
    call(&bob, "SET a 3");
    snprintf(line, sizeof line, ">2\r\n$21\r\ntracking-redir-broken\r\n:%u\r\n",
             (unsigned)carol.session.id);
    CHECK_BYTES(hear(&alice), bytes_of(line));
    CHECK((alice.session.flags & SESSION_REDIRECT_BROKEN) != 0);
    call(&alice, "CLIENT TRACKING ON");
    CHECK((alice.session.flags & SESSION_REDIRECT_BROKEN) == 0);
    owner_leave(&alice);
    owner_leave(&bob);
    CHECK_INT(server.engine.tracking.member_count, 0);
    owner_release(&alice);
    owner_release(&bob);
    owner_release(&carol);
    run_server_release(&server);
}

static void a_script_reads_and_writes_for_its_caller(void)
{
    begin();
    call(&alice, "CLIENT TRACKING ON");
    CHECK_REPLY(call(&alice, "EVAL return(redis.call('GET',KEYS[1])) 1 a"), "_\r\n");
    call(&bob, "EVAL redis.call('SET',KEYS[1],1) 1 a");
    CHECK_BYTES(hear(&alice), LIT(TOLD("a")));
    call(&alice, "GET a");
    CHECK_REPLY(call(&alice, "EVAL redis.call('SET',KEYS[1],2) 1 a"), "_\r\n" TOLD("a"));
    end();
}

static void keys_that_end_by_themselves_are_told_too(void)
{
    begin();
    call(&alice, "CLIENT TRACKING ON");
    call(&bob, "CLIENT TRACKING ON BCAST");
    call(&carol, "SET a 1 PX 10");
    hear(&bob);
    call(&alice, "GET a");
    run_advance_ms(&server, 20);
    call(&carol, "GET a"); /* Finds it expired, and takes it away. */
    CHECK_BYTES(hear(&alice), LIT(TOLD("a")));
    CHECK_BYTES(hear(&bob), LIT(TOLD("a")));
    call(&carol, "HSET h f v");
    call(&carol, "HPEXPIRE h 10 FIELDS 1 f");
    hear(&bob);
    call(&alice, "HGETALL h");
    run_advance_ms(&server, 20);
    call(&carol, "HSET h g v");
    CHECK_BYTES(hear(&alice), LIT(TOLD("h")));
    end();
}

static void the_table_keeps_its_limit_and_tells_what_it_forgets(void)
{
    char line[32];
    begin();
    atomic_store(&server.engine.settings.tracking_max_keys, 100);
    call(&alice, "CLIENT TRACKING ON");
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "GET key:%d", i);
        call(&alice, line);
        CHECK(server.engine.tracking.keys <= 100);
    }
    hear(&alice);
    CHECK_INT(alice.pushed.len > 900 * 30, 1);
    atomic_store(&server.engine.settings.tracking_max_keys, 10);
    CHECK(tracking_trim(&bob.executor, 50));
    CHECK(!tracking_trim(&bob.executor, 50));
    CHECK_INT(server.engine.tracking.keys, 10);
    CHECK_INT(server.engine.tracking.items, 10);
    end();
}

static void many_readers_of_a_key_are_all_told(void)
{
    enum { READERS = 100 };
    static struct owner readers[READERS];
    begin();
    for (unsigned i = 0; i < READERS; i++) {
        owner_init(&readers[i], 3 + i, 3);
        call(&readers[i], "CLIENT TRACKING ON");
    }
    for (unsigned i = READERS; i-- > 0;) {
        call(&readers[i], "GET a");
        call(&readers[i], "GET a");
    }
    CHECK_INT(server.engine.tracking.keys, 1);
    CHECK_INT(server.engine.tracking.items, READERS);
    call(&bob, "SET a 1");
    for (unsigned i = 0; i < READERS; i++) {
        CHECK_BYTES(hear(&readers[i]), LIT(TOLD("a")));
        owner_leave(&readers[i]);
        owner_release(&readers[i]);
    }
    end();
}

/* ---- Full mailboxes -------------------------------------------------------------------------- */

static void a_lost_invalidation_counts_as_a_change_of_everything(void)
{
    char line[64];
    begin();
    atomic_store(&server.engine.mail.limit, 2000);
    call(&alice, "CLIENT TRACKING ON BCAST");
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "SET key:%d v", i);
        call(&bob, line); /* Of this process' own, or it would wait. */
        bob.session.flags &= ~(uint32_t)SESSION_POSTPONED;
        bob.session.flags |= SESSION_INTERNAL;
    }
    CHECK(alice.mailbox.bytes <= MAILBOX_LOSES_AT * 2000);
    CHECK(server.engine.mail.lost > 0);
    struct bytes told = hear(&alice);
    size_t len = sizeof TOLD_ALL - 1;
    CHECK(told.len > len);
    CHECK_BYTES(((struct bytes){ told.at + told.len - len, len }), LIT(TOLD_ALL));
    CHECK_INT(alice.mailbox.bytes, 0);
    bob.session.flags &= ~(uint32_t)SESSION_INTERNAL;
    call(&bob, "SET a 1");
    CHECK_BYTES(hear(&alice), LIT(TOLD("a")));
    end();
}

static void writes_and_messages_wait_while_a_mailbox_is_full(void)
{
    begin();
    atomic_store(&server.engine.mail.limit, 1000);
    call(&alice, "SUBSCRIBE c");
    int sent = 0;
    while (sent < 1000 && (bob.session.flags & SESSION_POSTPONED) == 0) {
        call(&bob, "PUBLISH c message");
        sent++;
    }
    CHECK(sent < 1000);
    bob.session.flags &= ~(uint32_t)SESSION_POSTPONED;
    CHECK_REPLY(call(&bob, "GET k"), "_\r\n");
    CHECK_REPLY(call(&bob, "SET k v"), "");
    CHECK((bob.session.flags & SESSION_POSTPONED) != 0);
    bob.session.flags &= ~(uint32_t)SESSION_POSTPONED;
    hear(&alice);
    CHECK_INT(alice.overrun, false);
    CHECK_REPLY(call(&bob, "PUBLISH c message"), ":1\r\n");
    end();
}

static void who_misses_a_message_is_closed(void)
{
    begin();
    atomic_store(&server.engine.mail.limit, 1000);
    call(&alice, "PSUBSCRIBE c*");
    call(&carol, "SUBSCRIBE other");
    bob.session.flags |= SESSION_INTERNAL;
    for (int i = 0; i < 100; i++) {
        call(&bob, "PUBLISH c message");
    }
    hear(&alice);
    hear(&carol);
    CHECK_INT(alice.overrun, true);
    CHECK_INT(carol.overrun, false);
    end();
}

/* ---- On several threads ------------------------------------------------------------------------ */

enum { READER_THREADS = 3, WRITER_THREADS = 2, KEYS = 20, ROUNDS = 3000 };

struct reader {
    struct owner owner;
    int64_t cached[KEYS]; /* -1: nothing */
    uint64_t dice;
    pthread_t thread;
    bool broadcast;
};

static _Atomic int writers_left;

/* Forgets what the pushes name. */
static void forget(struct reader *reader)
{
    struct buf *pushed = &reader->owner.pushed;
    buf_append_char(pushed, '\0');
    for (const char *at = pushed->at; (at = strstr(at, "key:")) != NULL;) {
        int key = atoi(at += 4);
        CHECK(key >= 0 && key < KEYS);
        reader->cached[key] = -1;
    }
    if (strstr(pushed->at, "invalidate\r\n_") != NULL) {
        for (int i = 0; i < KEYS; i++) {
            reader->cached[i] = -1;
        }
    }
}

static void *read_keys(void *argument)
{
    struct reader *reader = argument;
    char line[32];
    for (bool last = false; !last;) {
        last = atomic_load(&writers_left) == 0;
        hear(&reader->owner);
        forget(reader);
        for (int i = 0; i < 5 && !last; i++) {
            unsigned key = (unsigned)check_random_below(&reader->dice, KEYS);
            snprintf(line, sizeof line, "GET key:%u", key);
            struct bytes reply = call(&reader->owner, line);
            reader->cached[key] = reply.at[0] == '_' ? 0 : atoi(memchr(reply.at, '\n', reply.len));
        }
    }
    return NULL;
}

static void *write_keys(void *argument)
{
    struct reader *writer = argument;
    char line[32];
    for (int i = 0; i < ROUNDS; i++) {
        unsigned key = (unsigned)check_random_below(&writer->dice, KEYS);
        snprintf(line, sizeof line,
                 check_random_below(&writer->dice, 500) == 0 ? "FLUSHALL" : "INCR key:%u", key);
        call(&writer->owner, line);
    }
    atomic_fetch_sub(&writers_left, 1);
    return NULL;
}

static void no_cache_keeps_an_old_value(void)
{
    static struct reader threads[READER_THREADS + WRITER_THREADS];
    uint64_t dice = check_seed();
    begin();
    atomic_store(&server.engine.settings.tracking_max_keys, KEYS / 2);
    atomic_store(&writers_left, WRITER_THREADS);
    for (unsigned i = 0; i < READER_THREADS + WRITER_THREADS; i++) {
        struct reader *reader = &threads[i];
        owner_init(&reader->owner, 3 + i, 3);
        reader->dice = dice + i;
        memset(reader->cached, -1, sizeof reader->cached);
        if (i < READER_THREADS) {
            call(&reader->owner,
                 i == 0 ? "CLIENT TRACKING ON BCAST PREFIX key:" : "CLIENT TRACKING ON");
        }
    }
    for (unsigned i = 0; i < READER_THREADS + WRITER_THREADS; i++) {
        CHECK(pthread_create(&threads[i].thread, NULL, i < READER_THREADS ? read_keys : write_keys,
                             &threads[i]) == 0);
    }
    for (unsigned i = 0; i < READER_THREADS + WRITER_THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
    }
    for (unsigned i = 0; i < READER_THREADS; i++) {
        hear(&threads[i].owner);
        forget(&threads[i]);
        for (int key = 0; key < KEYS; key++) {
            char line[32];
            snprintf(line, sizeof line, "GET key:%d", key);
            struct bytes reply = call(&bob, line);
            int value = reply.at[0] == '_' ? 0 : atoi(memchr(reply.at, '\n', reply.len));
            CHECK(threads[i].cached[key] == -1 || threads[i].cached[key] == value);
        }
    }
    for (unsigned i = 0; i < READER_THREADS + WRITER_THREADS; i++) {
        owner_leave(&threads[i].owner);
        owner_release(&threads[i].owner);
    }
    end();
}

int main(void)
{
    RUN_TEST(a_reader_is_told_once_of_a_change);
    RUN_TEST(own_changes_are_told_behind_the_reply);
    RUN_TEST(caching_is_for_the_next_command_or_transaction);
    RUN_TEST(prefixes_hear_of_all_changes_once_a_batch);
    RUN_TEST(another_session_hears_for_one_until_it_leaves);
    RUN_TEST(a_script_reads_and_writes_for_its_caller);
    RUN_TEST(keys_that_end_by_themselves_are_told_too);
    RUN_TEST(the_table_keeps_its_limit_and_tells_what_it_forgets);
    RUN_TEST(many_readers_of_a_key_are_all_told);
    RUN_TEST(a_lost_invalidation_counts_as_a_change_of_everything);
    RUN_TEST(writes_and_messages_wait_while_a_mailbox_is_full);
    RUN_TEST(who_misses_a_message_is_closed);
    RUN_TEST(no_cache_keeps_an_old_value);
    return check_done();
}
