/* COMMAND INFO and DOCS, from a command's row and what the registry derived from it; see
 * command_reply.h. */
#include "commands/command_reply.h"

#include "exec/categories.h"
#include "exec/syntax.h"

static const struct bit_name flag_names[] = {
    { CMD_WRITE, "write" },
    { CMD_READONLY, "readonly" },
    { CMD_DENYOOM, "denyoom" },
    { CMD_MODULE, "module" },
    { CMD_ADMIN, "admin" },
    { CMD_PUBSUB, "pubsub" },
    { CMD_NOSCRIPT, "noscript" },
    { CMD_BLOCKING, "blocking" },
    { CMD_LOADING, "loading" },
    { CMD_STALE, "stale" },
    { CMD_SKIP_MONITOR, "skip_monitor" },
    { CMD_SKIP_SLOWLOG, "skip_slowlog" },
    { CMD_ASKING, "asking" },
    { CMD_FAST, "fast" },
    { CMD_NO_AUTH, "no_auth" },
    { CMD_NO_MANDATORY_KEYS, "no_mandatory_keys" },
    { CMD_NO_ASYNC_LOADING, "no_async_loading" },
    { CMD_NO_MULTI, "no_multi" },
    { CMD_MOVABLE_KEYS, "movablekeys" },
    { CMD_ALLOW_BUSY, "allow_busy" },
};

static const struct bit_name key_flag_names[] = {
    { KEY_RO, "RO" },
    { KEY_RW, "RW" },
    { KEY_OW, "OW" },
    { KEY_RM, "RM" },
    { KEY_ACCESS, "access" },
    { KEY_UPDATE, "update" },
    { KEY_INSERT, "insert" },
    { KEY_DELETE, "delete" },
    { KEY_NOT_KEY, "not_key" },
    { KEY_INCOMPLETE, "incomplete" },
    { KEY_VARIABLE_FLAGS, "variable_flags" },
};

static const char *const group_names[] = {
    [GROUP_GENERIC] = "generic",
    [GROUP_STRING] = "string",
    [GROUP_LIST] = "list",
    [GROUP_SET] = "set",
    [GROUP_SORTED_SET] = "sorted-set",
    [GROUP_HASH] = "hash",
    [GROUP_PUBSUB] = "pubsub",
    [GROUP_TRANSACTIONS] = "transactions",
    [GROUP_CONNECTION] = "connection",
    [GROUP_SERVER] = "server",
    [GROUP_SCRIPTING] = "scripting",
    [GROUP_HYPERLOGLOG] = "hyperloglog",
    [GROUP_CLUSTER] = "cluster",
    [GROUP_SENTINEL] = "sentinel",
    [GROUP_GEO] = "geo",
    [GROUP_STREAM] = "stream",
    [GROUP_BITMAP] = "bitmap",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void reply_bits(uint32_t bits, const struct bit_name *names, size_t count,
                       struct reply *reply)
{
    size_t set = 0;
    for (size_t i = 0; i < count; i++) {
        set += (bits & names[i].bit) != 0;
    }
    reply_set(reply, set);
    for (size_t i = 0; i < count; i++) {
        if ((bits & names[i].bit) != 0) {
            reply_simple(reply, bytes_of(names[i].name));
        }
    }
}

void command_reply_key_flags(uint32_t flags, struct reply *reply)
{
    reply_bits(flags, key_flag_names, COUNT_OF(key_flag_names), reply);
}

void command_reply_categories(struct reply *reply)
{
    reply_array(reply, COUNT_OF(category_names));
    for (size_t i = 0; i < COUNT_OF(category_names); i++) {
        reply_bytes(reply, bytes_of(category_names[i].name + 1));
    }
}

static void reply_text(struct reply *reply, const char *text)
{
    reply_bytes(reply, bytes_of(text));
}

static void reply_field(struct reply *reply, const char *name, int64_t value)
{
    reply_text(reply, name);
    reply_integer(reply, value);
}

/* The head of a half of a key specification: its type, and the map of 'pairs' that follows. */
static void begin_half(struct reply *reply, const char *name, const char *type, size_t pairs)
{
    reply_text(reply, name);
    reply_map(reply, 2);
    reply_text(reply, "type");
    reply_text(reply, type);
    reply_text(reply, "spec");
    reply_map(reply, pairs);
}

static void reply_begin_search(const struct key_spec *spec, struct reply *reply)
{
    switch ((enum key_begin)spec->begin) {
    case KEYS_BEGIN_INDEX:
        begin_half(reply, "begin_search", "index", 1);
        reply_field(reply, "index", spec->index);
        break;
    case KEYS_BEGIN_KEYWORD:
        begin_half(reply, "begin_search", "keyword", 2);
        reply_text(reply, "keyword");
        reply_text(reply, spec->keyword);
        reply_field(reply, "startfrom", spec->index);
        break;
    case KEYS_BEGIN_UNKNOWN:
    case KEYS_NONE:
        begin_half(reply, "begin_search", "unknown", 0);
        break;
    }
}

static void reply_find_keys(const struct key_spec *spec, struct reply *reply)
{
    switch ((enum key_find)spec->find) {
    case KEYS_FIND_RANGE:
        begin_half(reply, "find_keys", "range", 3);
        reply_field(reply, "lastkey", spec->last);
        reply_field(reply, "keystep", spec->step);
        reply_field(reply, "limit", spec->limit);
        break;
    case KEYS_FIND_COUNTED:
        begin_half(reply, "find_keys", "keynum", 3);
        reply_field(reply, "keynumidx", spec->count_index);
        reply_field(reply, "firstkey", spec->first_key);
        reply_field(reply, "keystep", spec->step);
        break;
    case KEYS_FIND_UNKNOWN:
        begin_half(reply, "find_keys", "unknown", 0);
        break;
    }
}

static void reply_key_specs(const struct command *command, struct reply *reply)
{
    size_t count = 0;
    while (count < COMMAND_KEY_SPECS && command->keys[count].begin != KEYS_NONE) {
        count++;
    }
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        const struct key_spec *spec = &command->keys[i];
        reply_map(reply, spec->notes != NULL ? 4 : 3);
        if (spec->notes != NULL) {
            reply_text(reply, "notes");
            reply_text(reply, spec->notes);
        }
        reply_text(reply, "flags");
        command_reply_key_flags(spec->flags, reply);
        reply_begin_search(spec, reply);
        reply_find_keys(spec, reply);
    }
}

static void reply_tips(const struct command *command, struct reply *reply)
{
    size_t count = 0;
    while (command->tips != NULL && command->tips[count] != NULL) {
        count++;
    }
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_text(reply, command->tips[i]);
    }
}

static size_t count_subcommands(const struct registry *registry, const struct command *command)
{
    size_t count = 0;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        count += registry_parent(registry, registry_at(registry, i)) == command;
    }
    return count;
}

static void reply_subcommands(const struct registry *registry, const struct command *command,
                              struct reply *reply,
                              void (*each)(const struct registry *registry,
                                           const struct command *subcommand, struct reply *reply))
{
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *subcommand = registry_at(registry, i);
        if (registry_parent(registry, subcommand) == command) {
            each(registry, subcommand, reply);
        }
    }
}

void command_reply_info(const struct registry *registry, const struct command *command,
                        struct reply *reply)
{
    int first, last, step;
    command_legacy_range(command, &first, &last, &step);

    reply_array(reply, 10);
    reply_text(reply, command->name);
    reply_integer(reply, command->arity);
    reply_bits(registry_flags(registry, command), flag_names, COUNT_OF(flag_names), reply);
    reply_integer(reply, first);
    reply_integer(reply, last);
    reply_integer(reply, step);
    reply_bits(registry_categories(registry, command), category_names, COUNT_OF(category_names),
               reply);
    reply_tips(command, reply);
    reply_key_specs(command, reply);
    size_t subcommands = count_subcommands(registry, command);
    if (subcommands == 0) {
        reply_set(reply, 0);
        return;
    }
    reply_array(reply, subcommands);
    reply_subcommands(registry, command, reply, command_reply_info);
}

static void reply_history(const struct command_history *history, struct reply *reply)
{
    size_t count = 0;
    while (history[count].since != NULL) {
        count++;
    }
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(reply, 2);
        reply_text(reply, history[i].since);
        reply_text(reply, history[i].change);
    }
}

/* A pair, when there is a text; its share of the number of pairs. */
static size_t reply_pair(struct reply *reply, const char *name, const char *text)
{
    if (text == NULL) {
        return 0;
    }
    reply_text(reply, name);
    reply_text(reply, text);
    return 1;
}

static size_t reply_doc_flags(const struct command *command, struct reply *reply)
{
    bool deprecated = command->deprecated_since != NULL;
    bool system = (command->flags & CMD_SYSTEM) != 0;
    if (!deprecated && !system) {
        return 0;
    }
    reply_text(reply, "doc_flags");
    reply_set(reply, (size_t)deprecated + system);
    if (deprecated) {
        reply_simple(reply, LIT("deprecated"));
    }
    if (system) {
        reply_simple(reply, LIT("syscmd"));
    }
    return 1;
}

void command_reply_docs(const struct registry *registry, const struct command *command,
                        struct reply *reply)
{
    reply_text(reply, command->name);
    struct reply_mark begin = reply_begin_deferred(reply);
    size_t pairs = reply_pair(reply, "summary", command->summary);
    pairs += reply_pair(reply, "since", command->since);
    pairs += reply_pair(reply, "group", group_names[command->group]);
    pairs += reply_pair(reply, "complexity", command->complexity);
    pairs += reply_doc_flags(command, reply);
    pairs += reply_pair(reply, "deprecated_since", command->deprecated_since);
    pairs += reply_pair(reply, "replaced_by", command->replaced_by);
    if (command->history != NULL) {
        reply_text(reply, "history");
        reply_history(command->history, reply);
        pairs++;
    }
    if (command->syntax != NULL) {
        struct reply_mark before = reply_mark(reply);
        reply_text(reply, "arguments");
        if (syntax_reply(command, reply)) {
            pairs++;
        } else {
            reply_rewind(reply, before);
        }
    }
    size_t subcommands = count_subcommands(registry, command);
    if (subcommands > 0) {
        reply_text(reply, "subcommands");
        reply_map(reply, subcommands);
        reply_subcommands(registry, command, reply, command_reply_docs);
        pairs++;
    }
    reply_end_map(reply, begin, pairs);
}
