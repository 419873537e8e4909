/* The commands on members of one set; chance is in cmd_set_random.c, several sets are in
 * cmd_set_algebra.c. */
#include "commands/collection_scan.h"
#include "commands/families.h"
#include "commands/set_commands.h"

/* ---- Writing ------------------------------------------------------------------------------ */

enum err set_adopt(struct call *call, struct bytes key, struct set *set)
{
    struct entry *entry;
    enum err err = keyspace_add(call->keyspace, call->keys, key, VALUE_SET, set->encoding,
                                set->pointer, &entry);
    if (err != OK) {
        set_release(call->thread, set);
    }
    return err;
}

void set_removed_from(struct call *call, struct bytes key, const struct set *set)
{
    if (set_count(set) == 0) {
        keyspace_delete(call->keyspace, call->keys, key, false);
        call_changed(call, key, "del");
    }
}

/* Adds the arguments from the third on.  When memory ends in between, those before are
 * added; '*done' is the index of the argument after the last one. */
static MUST_CHECK enum err add_arguments(struct call *call, struct set *set, int64_t *count,
                                         uint32_t *done)
{
    uint32_t at = 2;
    for (; at < call->args.argc; at++) {
        bool added;
        enum err err = set_add(call->thread, set, call_argument(call, at), &added);
        if (err != OK) {
            *done = at;
            return err;
        }
        *count += added;
    }
    *done = at;
    return OK;
}

static enum err sadd(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    int64_t count = 0;
    uint32_t done = 2, wanted = call->args.argc - 2;
    struct set set;
    if (entry != NULL) {
        set = set_of(entry);
        err = set_prepare(call->thread, &set, wanted);
    } else {
        err = set_create(call->thread, call_argument(call, 2), wanted, &set);
        if (err != OK) {
            return err;
        }
    }
    if (err == OK) {
        err = add_arguments(call, &set, &count, &done);
    }
    if (entry != NULL) {
        set_keep(entry, &set);
    } else if (count == 0) {
        set_release(call->thread, &set);
    } else {
        enum err adopted = set_adopt(call, key, &set);
        if (adopted != OK) {
            return adopted;
        }
    }
    if (count > 0) {
        call_changed(call, key, "sadd");
    }
    if (err != OK) {
        if (count > 0) {
            call_propagate_as(call, call->args.argv, done);
        }
        return err;
    }
    reply_integer(call->reply, count);
    return OK;
}

static enum err srem(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    int64_t removed = 0;
    if (entry != NULL) {
        struct set set = set_of(entry);
        for (uint32_t i = 2; i < call->args.argc; i++) {
            removed += set_remove(call->thread, &set, call_argument(call, i));
        }
        set_keep(entry, &set);
        if (removed > 0) {
            call_changed(call, key, "srem");
            set_removed_from(call, key, &set);
        }
    }
    reply_integer(call->reply, removed);
    return OK;
}

/* Adds a member to the set of a key, which may be missing. */
static MUST_CHECK enum err add_to(struct call *call, struct bytes key, struct bytes member,
                                  bool *added) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    if (entry != NULL) {
        struct set set = set_of(entry);
        err = set_add(call->thread, &set, member, added);
        set_keep(entry, &set);
        return err;
    }
    struct set set;
    err = set_create(call->thread, member, 1, &set);
    if (err == OK) {
        err = set_add(call->thread, &set, member, added);
        if (err != OK) {
            set_release(call->thread, &set);
            return err;
        }
        err = set_adopt(call, key, &set);
    }
    return err;
}

static enum err smove(struct call *call) REQUIRES(*call->keys)
{
    struct bytes from = call_argument(call, 1), to = call_argument(call, 2);
    struct bytes member = call_argument(call, 3);
    struct entry *source, *target;
    enum err err = keyspace_find(call->keyspace, call->keys, from, VALUE_ANY, &source);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, to, VALUE_ANY, &target);
    }
    if (err != OK) {
        return err;
    }
    if (source == NULL) {
        reply_integer(call->reply, 0);
        return OK;
    }
    if (source->type != VALUE_SET || (target != NULL && target->type != VALUE_SET)) {
        return ERR_WRONG_TYPE;
    }
    struct set set = set_of(source);
    if (!set_contains(call->thread, &set, member) || source == target) {
        reply_integer(call->reply, set_contains(call->thread, &set, member));
        return OK;
    }
    bool added;
    err = add_to(call, to, member, &added);
    if (err != OK) {
        return err;
    }
    /* The other key may have moved this one's place in their table, not the entry. */
    (void)set_remove(call->thread, &set, member);
    set_keep(source, &set);
    call_changed(call, from, "srem");
    set_removed_from(call, from, &set);
    if (added) {
        call_changed(call, to, "sadd");
    }
    reply_integer(call->reply, 1);
    return OK;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static enum err sismember(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    bool present = false;
    if (entry != NULL) {
        struct set set = set_of(entry);
        present = set_contains(call->thread, &set, call_argument(call, 2));
    }
    reply_integer(call->reply, present);
    return OK;
}

static enum err smismember(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    struct set set = entry != NULL ? set_of(entry) : (struct set){ NULL, ENCODING_LISTPACK };
    reply_array(call->reply, call->args.argc - 2);
    for (uint32_t i = 2; i < call->args.argc; i++) {
        bool present = entry != NULL && set_contains(call->thread, &set, call_argument(call, i));
        reply_integer(call->reply, present);
    }
    return OK;
}

static enum err scard(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    int64_t count = 0;
    if (entry != NULL) {
        struct set set = set_of(entry);
        count = (int64_t)set_count(&set);
    }
    reply_integer(call->reply, count);
    return OK;
}

struct set_scan {
    struct collection_scan scan;
    const struct members *members;
};

static void put_member(void *user, const struct member *member)
{
    struct set_scan *scan = user;
    struct bytes name = member_name(scan->members, member);
    if (collection_scan_wants(&scan->scan, name)) {
        collection_scan_put(&scan->scan, name);
    }
}

static enum err sscan(struct call *call) REQUIRES(*call->keys)
{
    struct set_scan scan = { .members = NULL };
    struct entry *entry;
    enum err err = collection_scan_begin(call, VALUE_SET, &scan.scan, &entry);
    if (err != OK || entry == NULL) {
        return err;
    }
    struct set set = set_of(entry);
    uint64_t next = 0;
    if (set.encoding == ENCODING_HASHTABLE) {
        scan.members = set.pointer;
        next = members_scan(call->thread, scan.members, scan.scan.cursor, scan.scan.count,
                            put_member, &scan);
    } else {
        struct set_walk walk;
        struct listpack_value member;
        set_walk_begin(&walk, &set);
        while (set_walk_next(&walk, &member)) {
            char room[SET_TEXT_ROOM];
            struct bytes text = set_text(&member, room);
            if (collection_scan_wants(&scan.scan, text)) {
                collection_scan_put(&scan.scan, text);
            }
        }
    }
    return collection_scan_end(call, &scan.scan, next);
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static const struct command_history many_members[] = {
    { "2.4.0", "Several `member` arguments can be given." },
    { NULL, NULL },
};

static const char *const any_output[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "sadd", .handler = sadd, .arity = -3, .member_at = 2, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of members given.",
        .summary = "Adds members to a set, and creates the set when there is none.",
        .syntax = "key:key member:string ...",
        .history = many_members,
    },
    {
        .name = "srem", .handler = srem, .arity = -3, .member_at = 2, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of members given.",
        .summary = "Removes members of a set, and the set itself when none is left.",
        .syntax = "key:key member:string ...",
        .history = many_members,
    },
    {
        .name = "smove", .handler = smove, .arity = 4, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Moves a member from one set to another.",
        .syntax = "source:key destination:key member:string",
    },
    {
        .name = "sismember", .handler = sismember, .arity = 3, .member_at = 2, .group = GROUP_SET,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Tells whether a set has a member.",
        .syntax = "key:key member:string",
    },
    {
        .name = "smismember", .handler = smismember, .arity = -3, .member_at = 2, .group = GROUP_SET,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0", .complexity = "O(N) where N is the number of members given.",
        .summary = "Tells of several members whether a set has them.",
        .syntax = "key:key member:string ...",
    },
    {
        .name = "scard", .handler = scard, .arity = 2, .group = GROUP_SET,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Returns the number of members of a set.",
        .syntax = "key:key",
    },
    {
        .name = "sscan", .handler = sscan, .arity = -3, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.0",
        .complexity = "O(1) a call, O(N) for all calls until the cursor is 0 again, where N is "
                      "the number of members.",
        .summary = "Goes on with a walk over the members of a set.",
        .syntax = "key:key cursor:int [MATCH pattern:pattern] [COUNT count:int]",
        .tips = any_output,
    },
};
/* clang-format on */

const struct command_family cmd_set_family = { rows, sizeof rows / sizeof rows[0] };
