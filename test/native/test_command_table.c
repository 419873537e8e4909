/* Every row of every family holds what others derive from it. */
#include "exec/syntax.h"
#include "run.h"

static struct run_server server;

/* Checks each row of the table; a failed check names the row. */
static void check_rows(const char *what, void (*check)(const struct registry *registry,
                                                       const struct command *command))
{
    const struct registry *registry = server.engine.registry;
    check_begin(what);
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *command = registry_at(registry, i);
        check_state.test = command->name;
        check(registry, command);
    }
}

static uint32_t spec_count(const struct command *command)
{
    uint32_t count = 0;
    while (count < COMMAND_KEY_SPECS && command->keys[count].begin != KEYS_NONE) {
        count++;
    }
    return count;
}

static void check_names(const struct registry *registry, const struct command *command)
{
    for (const char *at = command->name; *at != '\0'; at++) {
        CHECK((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '|' ||
              *at == '-' || *at == '_' || *at == '.');
    }
    CHECK(registry_find_name(registry, bytes_of(command->name)) == command);
    CHECK((strchr(command->name, '|') != NULL) == (registry_parent(registry, command) != NULL));
    CHECK((command->handler != NULL) || command->derived.container);
}

static void check_documents(const struct registry *registry, const struct command *command)
{
    (void)registry;
    CHECK(command->since != NULL && command->since[0] != '\0');
    CHECK(command->summary != NULL && command->summary[0] != '\0');
    CHECK((command->deprecated_since == NULL) == (command->replaced_by == NULL));
    CHECK(command->group <= GROUP_BITMAP);
}

/* Commands whose arity is not that of their arguments in Redis either: those that take more
 * than is documented, or whose documented arguments are all optional. */
static bool has_odd_arity(const struct command *command)
{
    static const char *const odd[] = { "quit", "client|kill" };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        if (strcmp(command->name, odd[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_arity(const struct registry *registry, const struct command *command)
{
    (void)registry;
    CHECK(command->arity != 0);
    if (command->handler != NULL && !command->derived.container && !has_odd_arity(command)) {
        CHECK_INT(syntax_arity(command), command->arity);
    }
}

static void check_docs(const struct registry *registry, const struct command *command)
{
    struct reply reply = { .protocol = 3 };
    (void)registry;
    CHECK(syntax_reply(command, &reply));
    CHECK_INT(reply.errors, 0);
    reply_release(&reply);
}

/* A key that is changed makes a write, but for those that Redis excepts. */
static void check_flags(const struct registry *registry, const struct command *command)
{
    static const char *const excepted[] = { "eval", "evalsha", "fcall", "pfcount" };
    uint32_t changing = KEY_RW | KEY_OW | KEY_RM;
    bool changes = false, is_excepted = false;
    (void)registry;
    for (uint32_t i = 0; i < spec_count(command); i++) {
        uint32_t flags = command->keys[i].flags;
        uint32_t uses = flags & (KEY_RO | changing);
        changes = changes || (flags & changing) != 0;
        CHECK((flags & KEY_NOT_KEY) != 0 || (uses != 0 && (uses & (uses - 1)) == 0));
    }
    for (size_t i = 0; i < sizeof excepted / sizeof excepted[0]; i++) {
        is_excepted = is_excepted || strcmp(command->name, excepted[i]) == 0;
    }
    CHECK(!changes || is_excepted || (command->flags & CMD_WRITE) != 0);
    CHECK((command->flags & (CMD_WRITE | CMD_READONLY)) != (CMD_WRITE | CMD_READONLY));
    CHECK((command->flags & CMD_DENYOOM) == 0 || (command->flags & CMD_WRITE) != 0 || is_excepted);
}

/* A command that changes everything must run alone, one that walks may not hold keys; but a
 * script finds out by itself what it needs. */
static void check_locks(const struct registry *registry, const struct command *command)
{
    (void)registry;
    bool has_keys = spec_count(command) > 0 || command->find_keys != NULL;
    uint32_t own = command->flags & (CMD_KEYS_ALL | CMD_WALKS);
    CHECK(own != (CMD_KEYS_ALL | CMD_WALKS));
    CHECK(own == 0 || !has_keys || command->group == GROUP_SCRIPTING);
    CHECK((command->flags & CMD_WRITE) == 0 || has_keys || own != 0);
    CHECK(command->derived.plan != PLAN_UNKNOWN);
    if (command->derived.plan == PLAN_ONE_KEY) {
        uint32_t least = (uint32_t)(command->arity < 0 ? -command->arity : command->arity);
        CHECK(least > command->derived.key_at);
    }
}

static void check_history(const struct registry *registry, const struct command *command)
{
    (void)registry;
    for (const struct command_history *at = command->history; at != NULL && at->since != NULL;
         at++) {
        CHECK(at->change != NULL && at->change[0] != '\0');
    }
}

/* What runs at once inside MULTI, what changes the database. */
static void the_commands_of_transactions_are_marked(void)
{
    static const char *const immediate[] = { "exec", "discard", "multi", "watch", "quit", "reset" };
    uint32_t marked = 0;
    for (uint32_t i = 0; i < registry_count(server.engine.registry); i++) {
        marked += (registry_at(server.engine.registry, i)->flags & CMD_IMMEDIATE_IN_MULTI) != 0;
    }
    CHECK_INT(marked, sizeof immediate / sizeof immediate[0]);
    for (size_t i = 0; i < sizeof immediate / sizeof immediate[0]; i++) {
        const struct command *command =
            registry_find_name(server.engine.registry, bytes_of(immediate[i]));
        CHECK(command != NULL && (command->flags & CMD_IMMEDIATE_IN_MULTI) != 0);
    }
    CHECK((registry_find_name(server.engine.registry, LIT("select"))->flags & CMD_SELECTS) != 0);
}

int main(void)
{
    run_server_init(&server);
    check_rows("names are found and subcommands have containers", check_names);
    check_rows("rows are documented", check_documents);
    check_rows("the arity is that of the syntax", check_arity);
    check_rows("the syntax can be told", check_docs);
    check_rows("flags agree with the uses of keys", check_flags);
    check_rows("what is locked covers what is touched", check_locks);
    check_rows("changes say what they were", check_history);
    RUN_TEST(the_commands_of_transactions_are_marked);
    run_server_release(&server);
    return check_done();
}
