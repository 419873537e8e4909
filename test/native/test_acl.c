/* Users without sockets: rules and their descriptions, permission, sessions of users that change,
 * the log, and texts of users with all their faults. */
#include <pthread.h>

#include "exec/acl_user.h"
#include "run.h"

static struct run_server server;
static struct run_client owner, guest;

static void begin(void)
{
    run_server_init(&server);
    run_client_init(&owner, &server);
    run_client_init(&guest, &server);
}

static void end(void)
{
    run_client_release(&guest);
    run_client_release(&owner);
    run_server_release(&server);
}

/* What the rules make of a new user. */
static void check_rules(const char *rules, const char *expected)
{
    char line[1024];
    struct buf text = { 0 };
    begin();
    snprintf(line, sizeof line, "ACL SETUSER u %s", rules);
    CHECK_REPLY(RUN_LINE(&owner, line), "+OK\r\n");
    acl_user_describe(acl_find(&server.engine.acl, LIT("u")), &text);
    CHECK_BYTES(buf_bytes(&text), bytes_of(expected));
    /* The description makes the same user again. */
    snprintf(line, sizeof line, "ACL SETUSER copy %s", expected);
    CHECK_REPLY(RUN_LINE(&owner, line), "+OK\r\n");
    struct buf copy = { 0 };
    acl_user_describe(acl_find(&server.engine.acl, LIT("copy")), &copy);
    CHECK_BYTES(buf_bytes(&copy), buf_bytes(&text));
    buf_release(&copy);
    buf_release(&text);
    end();
}

static void rules_are_told_in_the_shortest_form_that_makes_them_again(void)
{
    check_rules("", "off resetchannels -@all");
    check_rules("on nopass allkeys allchannels allcommands", "on nopass ~* &* +@all");
    check_rules("+get +set -get", "off resetchannels -@all +set -get");
    check_rules("+GET +@READ +get", "off resetchannels -@all +@read +get");
    check_rules("+config|get +config|set +config", "off resetchannels -@all +config");
    check_rules("+@all -@dangerous +keys -keys", "off resetchannels +@all -@dangerous -keys");
    check_rules("+select|0 +SELECT|1", "off resetchannels -@all +select|0 +select|1");
    check_rules("+select|0 +select", "off resetchannels -@all +select");
    check_rules("~a %R~b %W~b %rw~c &x &y", "off ~a ~b ~c resetchannels &x &y -@all");
    check_rules("(+get ~a) ( +set %W~b &c )",
                "off resetchannels -@all (~a resetchannels -@all +get) "
                "(%W~b resetchannels &c -@all +set)");
}

static void a_rule_that_is_refused_changes_nothing(void)
{
    static const char *const bad[] = {
        "+nope", "-nope", "+@nope", "+config|nope", "+config|get|x", "+get|", "~*  ~a", "#12",
        "<x",    "!zz",   "(+get",  "(+nope)",      "(on)",          "%RR~a", "%",      "word",
    };
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on >one ~a +get"), "+OK\r\n");
    struct buf before = { 0 }, after = { 0 };
    acl_describe(&server.engine.acl, &before);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "ACL SETUSER u >two -get resetkeys %s", bad[i]);
        struct bytes reply = RUN_LINE(&owner, line);
        CHECK(reply.len > 4 && memcmp(reply.at, "-ERR", 4) == 0);
        after.len = 0;
        acl_describe(&server.engine.acl, &after);
        CHECK_BYTES(buf_bytes(&after), buf_bytes(&before));
    }
    buf_release(&before);
    buf_release(&after);
    end();
}

static void a_session_is_held_against_its_user_at_once(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on >p ~* +@all &*"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&guest, "AUTH u p"), "+OK\r\n");
    CHECK_INT(session_checks(&guest.session), 0);
    CHECK_REPLY(RUN_LINE(&guest, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u -set"), "+OK\r\n");
    CHECK_INT(session_checks(&guest.session), SESSION_CHECK_USER);
    CHECK_REPLY(RUN_LINE(&guest, "SET k v"),
                "-NOPERM this user has no permissions to run the 'set' command\r\n");
    CHECK_REPLY(RUN_LINE(&guest, "GET k"), "$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u +@all"), "+OK\r\n");
    CHECK_INT(session_checks(&guest.session), 0);
    CHECK_REPLY(RUN_LINE(&guest, "SET k v"), "+OK\r\n");
    end();
}

static void a_session_whose_user_is_gone_may_do_nothing(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on >p ~* +@all"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&guest, "AUTH u p"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "ACL DELUSER u"), ":1\r\n");
    CHECK(guest.session.user == server.engine.acl.nobody);
    CHECK((session_checks(&guest.session) & SESSION_CHECK_USER) != 0);
    end();
}

static void a_client_of_the_same_process_is_nobodys_until_it_logs_in(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER default off resetpass resetkeys -@all"), "+OK\r\n");
    CHECK(server.engine.settings.password_needed);
    CHECK_REPLY(RUN_LINE(&owner, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on nopass +get ~k"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "AUTH u x"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "GET k"), "$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "SET k v"),
                "-NOPERM this user has no permissions to run the 'set' command\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "RESET"), "+RESET\r\n");
    CHECK_REPLY(RUN_LINE(&owner, "SET k v"), "+OK\r\n");
    end();
}

static void many_arguments_are_all_looked_at(void)
{
    struct bytes argv[RUN_ARGUMENTS_MAX + 40];
    enum { COUNT = sizeof argv / sizeof argv[0] };
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on nopass +mget ~a*"), "+OK\r\n");
    const struct acl_user *user = acl_find(&server.engine.acl, LIT("u"));
    const struct command *mget = registry_find_name(server.engine.registry, LIT("mget"));
    argv[0] = LIT("mget");
    for (size_t i = 1; i < COUNT; i++) {
        argv[i] = LIT("abc");
    }
    CHECK_INT(acl_check(user, mget, argv, COUNT).denial, ACL_ALLOWED);
    argv[COUNT - 1] = LIT("b");
    struct acl_verdict verdict = acl_check(user, mget, argv, COUNT);
    CHECK_INT(verdict.denial, ACL_DENIED_KEY);
    CHECK_INT(verdict.at, COUNT - 1);
    end();
}

static void the_log_groups_what_is_alike_and_has_an_end(void)
{
    struct acl *acl = &server.engine.acl;
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER u on nopass +get ~a"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&guest, "AUTH u x"), "+OK\r\n");
    for (int i = 0; i < 3; i++) {
        (void)RUN_LINE(&guest, "GET b");
        (void)RUN_LINE(&guest, "SET a 1");
    }
    CHECK_INT(acl->entry_count, 2);
    CHECK_INT(acl->entries->count, 3);
    CHECK_INT(acl->entries->reason, ACL_DENIED_COMMAND);
    CHECK_INT(acl->entries->next->reason, ACL_DENIED_KEY);
    run_advance_ms(&server, 61000);
    (void)RUN_LINE(&guest, "GET b");
    CHECK_INT(acl->entry_count, 3);
    acl->log_max_len = 2;
    (void)RUN_LINE(&guest, "GET c");
    CHECK_INT(acl->entry_count, 2);
    acl->log_max_len = 0;
    (void)RUN_LINE(&guest, "GET d");
    CHECK_INT(acl->entry_count, 0);
    CHECK_INT(stat_read(&server.executor.stats.acl_denied_key), 6);
    CHECK_INT(stat_read(&server.executor.stats.acl_denied_command), 3);
    end();
}

static bool load(const char *text, struct buf *errors)
{
    executor_enter(&server.executor);
    CHECK(executor_begin_exclusive(&server.executor));
    errors->len = 0;
    bool fine = acl_load(&server.engine, NULL, bytes_of(text), "users.acl", errors);
    executor_end_exclusive(&server.executor);
    executor_leave(&server.executor);
    return fine;
}

static void a_text_of_users_replaces_them_all(void)
{
    struct buf errors = { 0 }, told = { 0 };
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER old on nopass"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&guest, "AUTH old x"), "+OK\r\n");
    CHECK(load("\n user bob on nopass ~b +get (~c +set) \r\n\nuser amy off\n", &errors));
    acl_describe(&server.engine.acl, &told);
    CHECK_BYTES(buf_bytes(&told),
                LIT("user amy off resetchannels -@all\n"
                    "user bob on nopass ~b resetchannels -@all +get (~c resetchannels -@all +set)\n"
                    "user default on nopass ~* &* +@all\n"));
    CHECK(guest.session.user == server.engine.acl.nobody);
    CHECK(load(told.at == NULL ? "" : "user default on >x ~* +@all\n", &errors));
    CHECK(server.engine.settings.password_needed);
    buf_release(&told);
    buf_release(&errors);
    end();
}

static void a_text_with_faults_tells_each_and_changes_nothing(void)
{
    struct buf errors = { 0 }, before = { 0 }, after = { 0 };
    begin();
    CHECK_REPLY(RUN_LINE(&owner, "ACL SETUSER old on nopass"), "+OK\r\n");
    acl_describe(&server.engine.acl, &before);
    CHECK(!load("user a on\nnonsense\nuser a off\nuser b +nope +get -nada\nuser c word (on)\n"
                "user d (+get\n# comment\nuser\n",
                &errors));
    CHECK_BYTES(
        buf_bytes(&errors),
        LIT("users.acl:2 should start with user keyword followed by the username. "
            "WARNING: Duplicate user 'a' found on line 3. "
            "users.acl:4: Error in applying operation '+nope': Unknown command or category name in "
            "ACL. users.acl:4: Error in applying operation '-nada': Unknown command or category "
            "name in ACL. users.acl:5: Syntax error. "
            "users.acl:6: Unmatched parenthesis in selector definition."
            "users.acl:7 should start with user keyword followed by the username. "
            "users.acl:8 should start with user keyword followed by the username. "
            "WARNING: ACL errors detected, no change to the previously active ACL rules was "
            "performed"));
    acl_describe(&server.engine.acl, &after);
    CHECK_BYTES(buf_bytes(&after), buf_bytes(&before));
    buf_release(&before);
    buf_release(&after);
    buf_release(&errors);
    end();
}

/* ---- Threads ---------------------------------------------------------------------------------- */

enum { THREADS = 3, CHANGES = 150 };

struct worker {
    pthread_t thread;
    struct executor executor;
    struct session session;
    struct reply reply;
    uint64_t allowed, refused;
};

static _Atomic bool changing;

static struct bytes call_words(struct worker *worker, const char *const *words)
{
    struct bytes argv[6];
    uint32_t argc = 0;
    for (; words[argc] != NULL; argc++) {
        argv[argc] = bytes_of(words[argc]);
    }
    reply_clear(&worker->reply);
    executor_call(&worker->executor, &worker->session, argv, argc, &worker->reply);
    return buf_bytes(&worker->reply.out);
}

#define CALL(worker, ...) call_words(worker, (const char *const[]){ __VA_ARGS__, NULL })

/* Logs in again and again, for the user comes and goes; what it may do is allowed or not. */
static void *use(void *argument)
{
    struct worker *worker = argument;
    while (atomic_load(&changing)) {
        (void)CALL(worker, "AUTH", "u", "p");
        for (int i = 0; i < 8; i++) {
            struct bytes reply = CALL(worker, "SET", "key", "value");
            bool fine = bytes_equal(reply, LIT("+OK\r\n"));
            bool closed = (worker->session.flags & SESSION_CLOSE_NOW) != 0;
            CHECK(fine || closed || memcmp(reply.at, "-NOPERM ", 8) == 0);
            if (closed) { /* Its user went.  Go on as the next client would. */
                executor_enter(&worker->executor);
                session_set_check(&worker->session, SESSION_KILLED, false);
                worker->session.flags &= ~(uint32_t)SESSION_CLOSE_NOW;
                executor_leave(&worker->executor);
            }
            worker->allowed += fine;
            worker->refused += !fine;
            (void)CALL(worker, "MULTI");
            (void)CALL(worker, "GET", "key");
            (void)CALL(worker, "EXEC");
            (void)CALL(worker, "ACL", "WHOAMI");
        }
        (void)CALL(worker, "RESET");
    }
    return NULL;
}

static void users_change_while_commands_run(void)
{
    static struct worker workers[THREADS];
    begin();
    atomic_store(&changing, true);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .allowed = 0 };
        CHECK(executor_init(&workers[i].executor, &server.engine));
        executor_enter(&workers[i].executor);
        session_init(&workers[i].session, &server.engine, NULL, 0);
        executor_leave(&workers[i].executor);
        CHECK_INT(thread_start(&workers[i].thread, "worker", use, &workers[i]), 0);
    }
    for (int i = 0; i < CHANGES; i++) {
        (void)RUN_LINE(&owner, "ACL SETUSER u reset on >p +@all -set ~key");
        (void)RUN_LINE(&owner, "ACL SETUSER u +set (+get ~a*) ~b");
        (void)RUN_LINE(&owner, "ACL GETUSER u");
        (void)RUN_LINE(&owner, "ACL LOG");
        acl_set_password(&server.engine, i % 2 == 0 ? LIT("secret") : LIT(""));
        (void)RUN_LINE(&owner, "CLIENT LIST");
        (void)RUN_LINE(&owner, i % 3 == 0 ? "ACL DELUSER u" : "ACL LIST");
    }
    atomic_store(&changing, false);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        executor_enter(&workers[i].executor);
        session_release(&workers[i].session, &server.engine, &workers[i].executor);
        executor_leave(&workers[i].executor);
        executor_release(&workers[i].executor);
        reply_release(&workers[i].reply);
    }
    end();
}

int main(void)
{
    RUN_TEST(rules_are_told_in_the_shortest_form_that_makes_them_again);
    RUN_TEST(a_rule_that_is_refused_changes_nothing);
    RUN_TEST(a_session_is_held_against_its_user_at_once);
    RUN_TEST(a_session_whose_user_is_gone_may_do_nothing);
    RUN_TEST(a_client_of_the_same_process_is_nobodys_until_it_logs_in);
    RUN_TEST(many_arguments_are_all_looked_at);
    RUN_TEST(the_log_groups_what_is_alike_and_has_an_end);
    RUN_TEST(a_text_of_users_replaces_them_all);
    RUN_TEST(a_text_with_faults_tells_each_and_changes_nothing);
    RUN_TEST(users_change_while_commands_run);
    return check_done();
}
