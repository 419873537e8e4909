/* Intersections, unions and differences of sets. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/set_commands.h"

/* The sets that a command names; a missing one has a pointer of NULL. */
struct operands {
    struct set *sets;
    uint32_t count, missing;
};

/* Where the members of the result go. */
struct result {
    struct call *call;
    struct set set; /* while its pointer is not NULL: those found go there, each once */
    bool replies;   /* they are replied as they are found */
    uint64_t count, limit;
    enum err err;
};

static MUST_CHECK enum err find_operands(struct call *call, uint32_t first, uint32_t count,
                                         struct operands *operands) REQUIRES(*call->keys)
{
    *operands = (struct operands){ mem_try_alloc(count * sizeof *operands->sets), count, 0 };
    if (operands->sets == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry;
        enum err err = lookup_value(call, call_argument(call, first + i), VALUE_SET, &entry);
        if (err != OK) {
            mem_free(operands->sets);
            return err;
        }
        operands->sets[i] = entry != NULL ? set_of(entry) : (struct set){ NULL, ENCODING_LISTPACK };
        operands->missing += entry == NULL;
    }
    return OK;
}

/* Takes a member of the result; false when that was the last one wanted. */
static bool take(struct result *result, const struct listpack_value *member)
{
    bool added = true;
    if (result->set.pointer != NULL) {
        result->err = set_add_value(result->call->thread, &result->set, member, &added);
        if (result->err != OK) {
            return false;
        }
    }
    if (added) {
        result->count++;
        if (result->replies) {
            set_reply(result->call, member);
        }
    }
    return result->count != result->limit && !result->call->reply->failed;
}

/* ---- The operations --------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
    uint64_t one = set_count(a), other = set_count(b);
    return (one > other) - (one < other);
}

static bool is_in_all(struct store_thread *thread, const struct operands *operands,
                      const struct listpack_value *member)
{
    const struct set *first = &operands->sets[0];
    for (uint32_t i = 1; i < operands->count; i++) {
        const struct set *set = &operands->sets[i];
        if (set->pointer != first->pointer && !set_contains_value(thread, set, member)) {
            return false;
        }
    }
    return true;
}

static bool is_in_any_other(struct store_thread *thread, const struct operands *operands,
                            const struct listpack_value *member)
{
    for (uint32_t i = 1; i < operands->count; i++) {
        const struct set *set = &operands->sets[i];
        if (set->pointer != NULL && set_contains_value(thread, set, member)) {
            return true;
        }
    }
    return false;
}

static void intersect(struct result *result, const struct operands *operands)
{
    struct set_walk walk;
    struct listpack_value member;
    if (operands->missing > 0) {
        return;
    }
    /* All members of the smallest set are looked up in the others. */
    qsort(operands->sets, operands->count, sizeof *operands->sets, by_count);
    set_walk_begin(&walk, &operands->sets[0]);
    while (set_walk_next(&walk, &member)) {
        if (is_in_all(result->call->thread, operands, &member) && !take(result, &member)) {
            return;
        }
    }
}

static void unite(struct result *result, const struct operands *operands)
{
    for (uint32_t i = 0; i < operands->count; i++) {
        struct set_walk walk;
        struct listpack_value member;
        if (operands->sets[i].pointer == NULL) {
            continue;
        }
        set_walk_begin(&walk, &operands->sets[i]);
        while (set_walk_next(&walk, &member)) {
            if (!take(result, &member)) {
                return;
            }
        }
    }
}

/* Looks each member of the first set up in the others. */
static void subtract_by_lookup(struct result *result, const struct operands *operands)
{
    struct set_walk walk;
    struct listpack_value member;
    set_walk_begin(&walk, &operands->sets[0]);
    while (set_walk_next(&walk, &member)) {
        if (!is_in_any_other(result->call->thread, operands, &member) && !take(result, &member)) {
            return;
        }
    }
}

/* Takes the members of the others from a copy of the first set: better when they are small. */
static void subtract_by_removal(struct result *result, const struct operands *operands)
{
    struct store_thread *thread = result->call->thread;
    struct set left = operands->sets[0];
    struct set_walk walk;
    struct listpack_value member;
    left.pointer = set_copy(thread, left.encoding, left.pointer);
    if (left.pointer == NULL) {
        result->err = ERR_OUT_OF_MEMORY;
        return;
    }
    for (uint32_t i = 1; i < operands->count && set_count(&left) > 0; i++) {
        if (operands->sets[i].pointer == NULL) {
            continue;
        }
        set_walk_begin(&walk, &operands->sets[i]);
        while (set_walk_next(&walk, &member)) {
            (void)set_remove_value(thread, &left, &member);
        }
    }
    set_walk_begin(&walk, &left);
    while (set_walk_next(&walk, &member) && take(result, &member)) {}
    set_release(thread, &left);
}

static void subtract(struct result *result, const struct operands *operands)
{
    const struct set *first = &operands->sets[0];
    if (first->pointer == NULL) {
        return;
    }
    /* A lookup that finds something ends early, a removal does not: hence the half.  A copy
     * costs about as much as removing all of it. */
    uint64_t lookups = 0, removals = 2 * set_count(first);
    for (uint32_t i = 1; i < operands->count; i++) {
        if (operands->sets[i].pointer == first->pointer) {
            return;
        }
        if (operands->sets[i].pointer != NULL) {
            lookups += set_count(first);
            removals += set_count(&operands->sets[i]);
        }
    }
    if (lookups / 2 <= removals) {
        subtract_by_lookup(result, operands);
    } else {
        subtract_by_removal(result, operands);
    }
}

/* ---- SINTER, SUNION, SDIFF ---------------------------------------------------------------------- */

typedef void operation(struct result *result, const struct operands *operands);

static MUST_CHECK enum err begin_result(struct result *result)
{
    return set_create(result->call->thread, LIT("0"), 0, &result->set);
}

/* 'doubles': the operation may find a member more than once. */
static enum err reply_operation(struct call *call, operation *operate, bool doubles)
    REQUIRES(*call->keys)
{
    struct operands operands;
    struct result result = { .call = call, .replies = true, .limit = UINT64_MAX };
    enum err err = find_operands(call, 1, call->args.argc - 1, &operands);
    if (err != OK) {
        return err;
    }
    if (doubles && operands.count - operands.missing > 1) {
        result.err = begin_result(&result);
    }
    struct reply_mark mark = reply_mark(call->reply);
    struct reply_mark begin = reply_begin_deferred(call->reply);
    if (result.err == OK) {
        operate(&result, &operands);
    }
    reply_end_set(call->reply, begin, result.count);
    if (result.err != OK) {
        reply_rewind(call->reply, mark);
    }
    set_release(call->thread, &result.set);
    mem_free(operands.sets);
    return result.err;
}

/* Makes the result the value of the destination, whatever it held; an empty one deletes it. */
static MUST_CHECK enum err store_result(struct call *call, struct result *result, const char *event)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    bool lazily = call->engine->settings.lazy_server_del;
    if (result->count == 0) {
        set_release(call->thread, &result->set);
        if (keyspace_delete(call->keyspace, call->keys, key, lazily)) {
            call_changed(call, key, "del");
        }
        reply_integer(call->reply, 0);
        return OK;
    }
    enum err err = keyspace_replace(call->keyspace, call->keys, key, VALUE_SET,
                                    result->set.encoding, result->set.pointer, lazily);
    if (err != OK) {
        set_release(call->thread, &result->set);
        return err;
    }
    call_changed(call, key, event);
    reply_integer(call->reply, (int64_t)result->count);
    return OK;
}

static enum err store_operation(struct call *call, operation *operate, const char *event)
    REQUIRES(*call->keys)
{
    struct operands operands;
    struct result result = { .call = call, .limit = UINT64_MAX };
    enum err err = find_operands(call, 2, call->args.argc - 2, &operands);
    if (err != OK) {
        return err;
    }
    result.err = begin_result(&result);
    if (result.err == OK) {
        operate(&result, &operands);
    }
    mem_free(operands.sets);
    if (result.err != OK) {
        set_release(call->thread, &result.set);
        return result.err;
    }
    return store_result(call, &result, event);
}

static enum err sinter(struct call *call) REQUIRES(*call->keys)
{
    return reply_operation(call, intersect, false);
}

static enum err sunion(struct call *call) REQUIRES(*call->keys)
{
    return reply_operation(call, unite, true);
}

static enum err sdiff(struct call *call) REQUIRES(*call->keys)
{
    return reply_operation(call, subtract, false);
}

static enum err sinterstore(struct call *call) REQUIRES(*call->keys)
{
    return store_operation(call, intersect, "sinterstore");
}

static enum err sunionstore(struct call *call) REQUIRES(*call->keys)
{
    return store_operation(call, unite, "sunionstore");
}

static enum err sdiffstore(struct call *call) REQUIRES(*call->keys)
{
    return store_operation(call, subtract, "sdiffstore");
}

/* ---- SINTERCARD ----------------------------------------------------------------------------------- */

static enum err fail(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

static MUST_CHECK enum err read_intercard(struct call *call, uint32_t *keys, int64_t *limit)
{
    int64_t count;
    if (!num_parse_i64(call_argument(call, 1), &count) || count < 1) {
        return fail(call, LIT("ERR numkeys should be greater than 0"));
    }
    if (count > (int64_t)call->args.argc - 2) {
        return fail(call, LIT("ERR Number of keys can't be greater than number of args"));
    }
    *keys = (uint32_t)count;
    *limit = 0;
    struct args *args = &call->args;
    args->next = 2 + *keys;
    while (args_left(args) > 0) {
        if (!args_option_with(args, LIT("LIMIT"), 1)) {
            return ERR_SYNTAX;
        }
        if (!num_parse_i64(args_next(args), limit) || *limit < 0) {
            return fail(call, LIT("ERR LIMIT can't be negative"));
        }
    }
    return OK;
}

static enum err sintercard(struct call *call) REQUIRES(*call->keys)
{
    uint32_t keys;
    int64_t limit;
    struct operands operands;
    enum err err = read_intercard(call, &keys, &limit);
    if (err == OK) {
        err = find_operands(call, 2, keys, &operands);
    }
    if (err != OK) {
        return err;
    }
    struct result result = { .call = call, .limit = limit > 0 ? (uint64_t)limit : UINT64_MAX };
    intersect(&result, &operands);
    mem_free(operands.sets);
    reply_integer(call->reply, (int64_t)result.count);
    return OK;
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static const char *const any_order[] = { "nondeterministic_output_order", NULL };
static const char by_smallest[] = "O(N*M) at worst, where N is the number of members of the "
                                  "smallest set and M the number of sets.";
static const char by_all[] = "O(N) where N is the number of members of all sets together.";

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "sinter", .handler = sinter, .arity = -2, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEYS_FROM(1, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_smallest,
        .summary = "Returns the members that all of several sets have.",
        .syntax = "key:key ...", .tips = any_order,
    },
    {
        .name = "sinterstore", .handler = sinterstore, .arity = -3, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE), KEYS_FROM(2, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_smallest,
        .summary = "Stores the members that all of several sets have.",
        .syntax = "destination:key key:key ...",
    },
    {
        .name = "sintercard", .handler = sintercard, .arity = -3, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEYS_COUNTED(1, KEY_RO | KEY_ACCESS) },
        .since = "7.0.0", .complexity = by_smallest,
        .summary = "Returns the number of members that all of several sets have.",
        .syntax = "numkeys:int key:key ... [LIMIT limit:int]",
    },
    {
        .name = "sunion", .handler = sunion, .arity = -2, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEYS_FROM(1, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_all,
        .summary = "Returns the members that any of several sets has.",
        .syntax = "key:key ...", .tips = any_order,
    },
    {
        .name = "sunionstore", .handler = sunionstore, .arity = -3, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEYS_FROM(2, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_all,
        .summary = "Stores the members that any of several sets has.",
        .syntax = "destination:key key:key ...",
    },
    {
        .name = "sdiff", .handler = sdiff, .arity = -2, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEYS_FROM(1, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_all,
        .summary = "Returns the members of a set that others do not have.",
        .syntax = "key:key ...", .tips = any_order,
    },
    {
        .name = "sdiffstore", .handler = sdiffstore, .arity = -3, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEYS_FROM(2, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = by_all,
        .summary = "Stores the members of a set that others do not have.",
        .syntax = "destination:key key:key ...",
    },
};
/* clang-format on */

const struct command_family cmd_set_algebra_family = { rows, sizeof rows / sizeof rows[0] };
