/* registry.c, derive.c, command_keys.c: rows are found by name, and what follows from them. */
#include "check.h"
#include "exec/registry.h"

static enum err handle(struct call *call)
{
    (void)call;
    return OK;
}

static int find_last(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    (void)argv;
    found[0] = (struct found_key){ argc - 1, KEY_RW };
    return 1;
}

static bool always(const struct bytes *argv, uint32_t argc)
{
    (void)argv;
    return argc > 0;
}

static const struct command rows[] = {
    { .name = "get",
      .handler = handle,
      .arity = 2,
      .group = GROUP_STRING,
      .flags = CMD_READONLY | CMD_FAST,
      .keys = { KEY_AT(1, KEY_RO) } },
    { .name = "getrange",
      .handler = handle,
      .arity = 4,
      .group = GROUP_STRING,
      .flags = CMD_READONLY,
      .keys = { KEY_AT(1, KEY_RO) } },
    { .name = "incrbyfloat",
      .handler = handle,
      .arity = 3,
      .group = GROUP_STRING,
      .flags = CMD_WRITE | CMD_FAST,
      .keys = { KEY_AT(1, KEY_RW) } },
    { .name = "mset",
      .handler = handle,
      .arity = -3,
      .group = GROUP_STRING,
      .flags = CMD_WRITE,
      .keys = { KEYS_FROM(1, -1, 2, KEY_OW) } },
    { .name = "zinterstore",
      .handler = handle,
      .arity = -4,
      .group = GROUP_SORTED_SET,
      .flags = CMD_WRITE,
      .keys = { KEY_AT(1, KEY_OW), KEYS_COUNTED(2, KEY_RO) } },
    { .name = "georadius",
      .handler = handle,
      .arity = -6,
      .group = GROUP_GEO,
      .flags = CMD_WRITE,
      .keys = { KEY_AT(1, KEY_RO), KEYS_AFTER("STORE", 6, KEY_OW) } },
    { .name = "rename",
      .handler = handle,
      .arity = 3,
      .group = GROUP_GENERIC,
      .flags = CMD_WRITE,
      .keys = { KEY_AT(1, KEY_RW), KEY_AT(2, KEY_OW) } },
    { .name = "move",
      .handler = handle,
      .arity = 3,
      .group = GROUP_GENERIC,
      .flags = CMD_WRITE,
      .keys = { KEY_AT(1, KEY_RW) },
      .needs_everything = always },
    { .name = "odd",
      .handler = handle,
      .arity = -2,
      .group = GROUP_GENERIC,
      .flags = CMD_READONLY,
      .find_keys = find_last },
    { .name = "pfcount",
      .handler = handle,
      .arity = -2,
      .group = GROUP_HYPERLOGLOG,
      .flags = CMD_READONLY,
      .keys = { KEYS_FROM(1, -1, 1, KEY_RW) } },
    { .name = "config", .arity = -2, .group = GROUP_SERVER },
    { .name = "config|get",
      .handler = handle,
      .arity = -3,
      .group = GROUP_SERVER,
      .flags = CMD_ADMIN },
    { .name = "command", .handler = handle, .arity = -1, .group = GROUP_SERVER },
    { .name = "command|count", .handler = handle, .arity = 2, .group = GROUP_SERVER },
    { .name = "flushall",
      .handler = handle,
      .arity = -1,
      .group = GROUP_SERVER,
      .flags = CMD_WRITE | CMD_KEYS_ALL },
    { .name = "eval_ro",
      .handler = handle,
      .arity = -3,
      .group = GROUP_SCRIPTING,
      .flags = CMD_READONLY,
      .keys = { KEYS_COUNTED(2, KEY_RO) } },
};
static const struct command_family family = { rows, sizeof rows / sizeof rows[0] };
static const struct command_family *const families[] = { &family };

static const struct command *find(const struct registry *registry, const char *first,
                                  const char *second, const struct command **container)
{
    struct bytes argv[] = { bytes_of(first), bytes_of(second != NULL ? second : "") };
    return registry_find(registry, argv, second != NULL ? 2 : 1, container);
}

static void check_found(const struct registry *registry, const char *first, const char *second,
                        const char *name)
{
    const struct command *container;
    const struct command *found = find(registry, first, second, &container);
    CHECK(found != NULL && container == NULL);
    CHECK_TEXT(found->name, name);
    CHECK(registry_at(registry, registry_index(registry, found)) == found);
    CHECK(registry_find_name(registry, bytes_of(name)) == found);
}

static void commands_are_found_in_either_case(struct registry *registry)
{
    check_found(registry, "get", "k", "get");
    check_found(registry, "GET", NULL, "get");
    check_found(registry, "gEtRaNgE", "k", "getrange");
    check_found(registry, "INCRBYFLOAT", "k", "incrbyfloat");
    check_found(registry, "Eval_RO", "k", "eval_ro");
    check_found(registry, "Config", "GET", "config|get");
    check_found(registry, "command", NULL, "command");
    check_found(registry, "command", "COUNT", "command|count");
}

static void near_names_are_not_found(struct registry *registry)
{
    static const char *const names[] = { "",         "g",          "ge",
                                         "gett",     "get ",       "g@t",
                                         "GE\x14",   "config|get", "incrbyfloat2",
                                         "eval_rO0", "getrang",    "getrangee" };
    const struct command *container;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(find(registry, names[i], "x", &container) == NULL);
        CHECK(container == NULL);
    }
    struct bytes with_nul[] = { { "get\0", 4 }, { "k", 1 } };
    CHECK(registry_find(registry, with_nul, 2, &container) == NULL);
}

static void a_container_is_told_when_its_subcommand_is_not(struct registry *registry)
{
    const struct command *container;
    CHECK(find(registry, "CONFIG", "nothing", &container) == NULL);
    CHECK(container != NULL);
    CHECK_TEXT(container->name, "config");
    CHECK(find(registry, "CONFIG", NULL, &container) == NULL && container != NULL);
    CHECK(find(registry, "command", "nothing", &container) == NULL && container != NULL);

    const struct command *get = registry_find_name(registry, LIT("config|get"));
    CHECK(registry_parent(registry, get) == registry_find_name(registry, LIT("config")));
    CHECK(registry_parent(registry, registry_find_name(registry, LIT("get"))) == NULL);
}

static void random_names_are_found_only_when_they_are_there(struct registry *registry)
{
    uint64_t dice = check_seed();
    for (int i = 0; i < 20000; i++) {
        char text[10];
        size_t len = 1 + check_random_below(&dice, 9);
        for (size_t j = 0; j < len; j++) {
            text[j] = "gets\0GETS-|"[check_random_below(&dice, 11)];
        }
        struct bytes name = { text, len };
        const struct command *container;
        const struct command *found = registry_find(registry, &name, 1, &container);
        bool expected = bytes_equal_nocase(name, LIT("get"));
        CHECK((found != NULL) == expected);
    }
}

static void two_rows_of_one_name_are_refused(void)
{
    static const struct command_family *const twice[] = { &family, &family };
    static const struct command orphans[] = { { .name = "a|b", .handler = handle, .arity = 2 } };
    static const struct command_family orphan = { orphans, 1 };
    static const struct command_family *const alone[] = { &orphan };
    CHECK(registry_create(twice, 2) == NULL);
    CHECK(registry_create(alone, 1) == NULL);
}

static void the_lock_plan_follows_from_the_row(struct registry *registry)
{
    static const struct {
        const char *name;
        enum command_plan plan;
        bool writes;
    } expected[] = {
        { "get", PLAN_ONE_KEY, false },     { "incrbyfloat", PLAN_ONE_KEY, true },
        { "mset", PLAN_KEYS, true },        { "rename", PLAN_KEYS, true },
        { "move", PLAN_KEYS, true },        { "odd", PLAN_KEYS, false },
        { "pfcount", PLAN_KEYS, true },     { "config", PLAN_NO_KEYS, false },
        { "command", PLAN_NO_KEYS, false }, { "flushall", PLAN_EVERYTHING, true },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct command *command = registry_find_name(registry, bytes_of(expected[i].name));
        CHECK_INT(command->derived.plan, expected[i].plan);
        CHECK_INT(command->derived.writes, expected[i].writes);
    }
}

static void check_keys(const struct registry *registry, const char *name, const char *line,
                       const char *expected)
{
    const struct command *command = registry_find_name(registry, bytes_of(name));
    struct bytes argv[32];
    struct found_key found[32];
    uint32_t argc = 0;
    char seen[64] = "";
    for (const char *at = line; *at != '\0'; at += strspn(at, " ")) {
        argv[argc++] = (struct bytes){ at, strcspn(at, " ") };
        at += strcspn(at, " ");
    }
    int count = command_keys(command, argv, argc, found);
    if (count < 0) {
        strcpy(seen, "invalid");
    }
    for (int i = 0; i < count; i++) {
        size_t len = strlen(seen);
        snprintf(seen + len, sizeof seen - len, "%s%u", i > 0 ? " " : "", found[i].at);
    }
    CHECK_TEXT(seen, expected);
}

static void keys_are_found_as_the_row_says(struct registry *registry)
{
    check_keys(registry, "get", "get k", "1");
    check_keys(registry, "get", "get", "invalid");
    check_keys(registry, "mset", "mset a 1 b 2", "1 3");
    check_keys(registry, "mset", "mset a 1 b", "1 3");
    check_keys(registry, "zinterstore", "zinterstore d 2 a b", "1 3 4");
    check_keys(registry, "zinterstore", "zinterstore d 3 a b", "invalid");
    check_keys(registry, "zinterstore", "zinterstore d 0 a b", "invalid");
    check_keys(registry, "zinterstore", "zinterstore d x a b", "invalid");
    check_keys(registry, "zinterstore", "zinterstore d 9223372036854775807 a b", "invalid");
    check_keys(registry, "zinterstore", "zinterstore d", "invalid");
    check_keys(registry, "georadius", "georadius k 1 1 1 m store d", "1 7");
}

static void the_old_range_is_that_of_redis(struct registry *registry)
{
    static const struct {
        const char *name;
        int first, last, step;
        bool movable;
    } expected[] = {
        { "get", 1, 1, 1, false },      { "mset", 1, -1, 2, false },
        { "rename", 1, 2, 1, false },   { "zinterstore", 1, 1, 1, true },
        { "georadius", 1, 1, 1, true }, { "config", 0, 0, 0, false },
        { "eval_ro", 0, 0, 0, true },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct command *command = registry_find_name(registry, bytes_of(expected[i].name));
        int first, last, step;
        command_legacy_range(command, &first, &last, &step);
        CHECK_INT(first, expected[i].first);
        CHECK_INT(last, expected[i].last);
        CHECK_INT(step, expected[i].step);
        CHECK_INT((registry_flags(registry, command) & CMD_MOVABLE_KEYS) != 0, expected[i].movable);
    }
}

static void categories_follow_from_flags_and_group(struct registry *registry)
{
    static const struct {
        const char *name;
        uint32_t categories;
    } expected[] = {
        { "get", CATEGORY_STRING | CATEGORY_READ | CATEGORY_FAST },
        { "rename", CATEGORY_KEYSPACE | CATEGORY_WRITE | CATEGORY_SLOW },
        { "config", CATEGORY_SLOW },
        { "config|get", CATEGORY_ADMIN | CATEGORY_DANGEROUS | CATEGORY_SLOW },
        { "eval_ro", CATEGORY_SCRIPTING | CATEGORY_SLOW },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct command *command = registry_find_name(registry, bytes_of(expected[i].name));
        CHECK_INT(registry_categories(registry, command), expected[i].categories);
    }
}

int main(void)
{
    struct registry *registry = registry_create(families, 1);
    CHECK(registry != NULL);
    CHECK_INT(registry_count(registry), family.count);
    RUN_TEST_WITH(commands_are_found_in_either_case, registry);
    RUN_TEST_WITH(near_names_are_not_found, registry);
    RUN_TEST_WITH(a_container_is_told_when_its_subcommand_is_not, registry);
    RUN_TEST_WITH(random_names_are_found_only_when_they_are_there, registry);
    RUN_TEST(two_rows_of_one_name_are_refused);
    RUN_TEST_WITH(the_lock_plan_follows_from_the_row, registry);
    RUN_TEST_WITH(keys_are_found_as_the_row_says, registry);
    RUN_TEST_WITH(the_old_range_is_that_of_redis, registry);
    RUN_TEST_WITH(categories_follow_from_flags_and_group, registry);
    registry_destroy(registry);
    return check_done();
}
