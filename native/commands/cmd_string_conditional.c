/* Strings under conditions, beyond Redis 7.2: DELEX, DIGEST and MSETEX of Redis 8.4, DELIFEQ of
 * Valkey 9.  SET's conditions are in cmd_string.c. */
#include "base/num.h"
#include "commands/compare.h"
#include "commands/families.h"
#include "commands/lifetime.h"
#include "commands/lookup.h"

/* Deletes the key when the condition holds for its string, and replies how many were. */
static enum err delete_if(struct call *call, struct bytes key,
                          const struct string_condition *condition) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum value_type type = condition->comparison == COMPARE_NOTHING ? VALUE_ANY : VALUE_STRING;
    enum err err = keyspace_find(call->keyspace, call->keys, key, type, &entry);
    if (err != OK) {
        return err;
    }
    bool gone = entry != NULL && compare_holds(condition, entry);
    if (gone) {
        bool lazily = call->engine->settings.lazy_user_del;
        keyspace_delete(call->keyspace, call->keys, key, lazily);
        call_changed(call, key, "del");
        struct bytes argv[] = { lazily ? LIT("UNLINK") : LIT("DEL"), key };
        call_propagate_as(call, argv, 2);
    }
    reply_integer(call->reply, gone);
    return OK;
}

static enum err delex(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct string_condition condition = { .comparison = COMPARE_NOTHING };
    if (args_left(&call->args) > 0 && !compare_read(&call->args, &condition)) {
        return ERR_SYNTAX;
    }
    enum err err = args_end(&call->args);
    if (err != OK) {
        return err;
    }
    return compare_check(call, &condition) ? delete_if(call, key, &condition) : ERR_REPLIED;
}

static enum err delifeq(struct call *call) REQUIRES(*call->keys)
{
    struct string_condition condition = { COMPARE_EQUAL, call_argument(call, 2) };
    return delete_if(call, call_argument(call, 1), &condition);
}

static enum err digest(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    char digits[COMPARE_DIGEST_LEN];
    enum err err = lookup_string(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_null(call->reply);
    } else {
        compare_digest(entry_string(entry), digits);
        reply_bytes(call->reply, (struct bytes){ digits, sizeof digits });
    }
    return OK;
}

/* ---- MSETEX ------------------------------------------------------------------------------ */

struct many {
    uint32_t first, end; /* of the pairs, as indexes of arguments */
    bool if_missing, if_present;
    enum keep_expiry keep;
    int64_t at_ms;
};

static MUST_CHECK enum err read_many(struct call *call, struct many *many)
{
    struct args *args = &call->args;
    struct lifetime lifetime = { .kind = LIFETIME_NONE };
    int64_t count;
    *many = (struct many){ .keep = EXPIRY_REPLACE, .at_ms = KEYSPACE_NO_EXPIRY };
    if (!num_parse_i64(args_next(args), &count) || count < 1 || count > INT32_MAX) {
        reply_error(call->reply, LIT("ERR invalid numkeys value or out of range"));
        return ERR_REPLIED;
    }
    if (args_left(args) / 2 < count) {
        reply_error(call->reply, LIT("ERR wrong number of key-value pairs"));
        return ERR_REPLIED;
    }
    many->first = args->next;
    many->end = args->next + 2 * (uint32_t)count;
    args->next = many->end;
    while (args->err == OK && args_left(args) > 0) {
        if (!many->if_present && args_option(args, LIT("NX"))) {
            many->if_missing = true;
        } else if (!many->if_missing && args_option(args, LIT("XX"))) {
            many->if_present = true;
        } else if (!lifetime_read_time(args, &lifetime) &&
                   !lifetime_read(args, LIFETIME_KEEP, LIT("KEEPTTL"), &lifetime)) {
            args_unknown(args);
        }
    }
    many->keep = lifetime.kind == LIFETIME_KEEP ? EXPIRY_KEEP : EXPIRY_REPLACE;
    enum err err = args_end(args);
    return err == OK && lifetime_has_time(&lifetime) ? lifetime_end(call, &lifetime, &many->at_ms)
                                                     : err;
}

/* The effect of one pair is a SET. */
static enum err set_one(struct call *call, const struct many *many, uint32_t at)
    REQUIRES(*call->keys)
{
    char digits[NUM_INT_ROOM];
    struct bytes argv[5] = { LIT("SET"), call_argument(call, at), call_argument(call, at + 1) };
    uint32_t argc = 3;
    enum err err =
        keyspace_set_string(call->keyspace, call->keys, argv[1], argv[2], many->keep, many->at_ms);
    if (err != OK) {
        return err;
    }
    call_changed(call, argv[1], "set");
    if (many->keep == EXPIRY_KEEP) {
        argv[argc++] = LIT("KEEPTTL");
    } else if (many->at_ms != KEYSPACE_NO_EXPIRY) {
        call_changed(call, argv[1], "expire");
        argv[argc++] = LIT("PXAT");
        argv[argc++] = (struct bytes){ digits, num_format_i64(digits, many->at_ms) };
    }
    call_propagate_as(call, argv, argc);
    return OK;
}

static enum err msetex(struct call *call) REQUIRES(*call->keys)
{
    struct many many;
    enum err err = read_many(call, &many);
    if (err != OK) {
        return err;
    }
    for (uint32_t at = many.first; at < many.end; at += 2) {
        bool there = keyspace_peek(call->keyspace, call->keys, call_argument(call, at)) != NULL;
        if (there ? many.if_missing : many.if_present) {
            reply_integer(call->reply, 0);
            return OK;
        }
    }
    for (uint32_t at = many.first; at < many.end && err == OK; at += 2) {
        err = set_one(call, &many, at);
    }
    if (err == OK) {
        reply_integer(call->reply, 1);
    }
    return err;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "delex", .handler = delex, .arity = -2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "8.4.0",
        .complexity = "O(1), with a digest O(N) where N is the length of the string",
        .summary = "Deletes a key, or only if its string is, or is not, the given one.",
        .syntax = "key:key [condition=<IFEQ ifeq-value:string | IFNE ifne-value:string | "
                  "IFDEQ ifdeq-digest:string | IFDNE ifdne-digest:string>]",
    },
    {
        .name = "delifeq", .handler = delifeq, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "9.0.0", .complexity = "O(1)",
        .summary = "Deletes a key if its string is the given one.",
        .syntax = "key:key value:string",
    },
    {
        .name = "digest", .handler = digest, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "8.4.0", .complexity = "O(N) where N is the length of the string",
        .summary = "Returns the XXH3 digest of a string, in 16 hexadecimal digits.",
        .syntax = "key:key",
    },
    {
        .name = "msetex", .handler = msetex, .arity = -4, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { { .begin = KEYS_BEGIN_INDEX, .find = KEYS_FIND_COUNTED, .index = 1,
                    .first_key = 1, .step = 2, .flags = KEY_OW | KEY_UPDATE } },
        .since = "8.4.0", .complexity = "O(N) where N is the number of keys",
        .summary = "Stores several strings with one lifetime, all of them or none.",
        .syntax = "numkeys:integer data=(key:key value:string)... [condition=<NX | XX>] "
                  "[expiration=<EX seconds:int | PX milliseconds:int | "
                  "EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | KEEPTTL>]",
    },
};
/* clang-format on */

const struct command_family cmd_string_conditional_family = { rows, sizeof rows / sizeof rows[0] };
