/* Digests of data; see debug_digest.h.  What has an order is digested in it; the digests of what
 * has none are joined by exclusive or. */
#include "commands/debug_digest.h"

#include "base/num.h"
#include "base/sha256.h"
#include "store/hash.h"
#include "store/list.h"
#include "store/set.h"
#include "store/stream.h"
#include "store/stream_group.h"
#include "store/zset.h"

struct digest {
    unsigned char at[SHA256_LEN];
};

/* The length goes before the text, so that no two sequences of texts are the same bytes. */
static void take_text(struct sha256 *sha, struct bytes text)
{
    uint64_t len = text.len;
    sha256_update(sha, (struct bytes){ (const char *)&len, sizeof len });
    sha256_update(sha, text);
}

static void take_number(struct sha256 *sha, int64_t number)
{
    sha256_update(sha, (struct bytes){ (const char *)&number, sizeof number });
}

static void take_digest(struct sha256 *sha, const struct digest *digest)
{
    sha256_update(sha, (struct bytes){ (const char *)digest->at, sizeof digest->at });
}

/* Ends 'sha' and joins its digest to the unordered sum. */
static void join(struct digest *sum, struct sha256 *sha)
{
    unsigned char one[SHA256_LEN];
    sha256_final(sha, one);
    for (size_t i = 0; i < sizeof one; i++) {
        sum->at[i] ^= one[i];
    }
}

static struct bytes text_of(const struct listpack_value *value, char *room)
{
    return value->string.at != NULL ? value->string
                                    : (struct bytes){ room, num_format_i64(room, value->integer) };
}

static void take_list(struct sha256 *sha, const struct entry *entry)
{
    struct list_cursor cursor;
    char room[LISTPACK_TEXT_ROOM];
    for (bool any = list_seek(entry, 0, &cursor); any; any = list_next(&cursor)) {
        take_text(sha, list_text(&cursor, room));
    }
}

static void take_set(struct sha256 *sha, const struct entry *entry)
{
    struct set set = set_of(entry);
    struct set_walk walk;
    struct listpack_value member;
    struct digest sum = { { 0 } };
    char room[LISTPACK_TEXT_ROOM];
    set_walk_begin(&walk, &set);
    while (set_walk_next(&walk, &member)) {
        struct sha256 one;
        sha256_init(&one);
        take_text(&one, text_of(&member, room));
        join(&sum, &one);
    }
    take_digest(sha, &sum);
}

/* From the lowest rank: equal sets are walked in the same order. */
static void take_zset(struct sha256 *sha, const struct entry *entry)
{
    struct zset zset = zset_of(entry);
    struct zset_cursor cursor;
    struct zset_element element;
    char digits[NUM_FLOAT_ROOM];
    zset_seek(&zset, 0, false, &cursor);
    while (zset_next(&cursor, &element)) {
        size_t len = num_format_double(digits, sizeof digits, element.score);
        take_text(sha, element.member);
        take_text(sha, (struct bytes){ digits, len });
    }
}

static void take_hash(struct sha256 *sha, struct store_thread *thread, const struct entry *entry)
{
    struct hash hash = hash_of(entry);
    struct hash_walk walk;
    struct hash_field field;
    struct digest sum = { { 0 } };
    char name[LISTPACK_TEXT_ROOM], value[LISTPACK_TEXT_ROOM];
    hash_walk_begin(&walk, thread, &hash);
    while (hash_walk_next(&walk, &field)) {
        struct sha256 one;
        sha256_init(&one);
        take_text(&one, text_of(&field.name, name));
        take_text(&one, text_of(&field.value, value));
        take_number(&one, field.expires_at_ms);
        join(&sum, &one);
    }
    take_digest(sha, &sum);
}

static void take_id(struct sha256 *sha, struct stream_id id)
{
    take_number(sha, (int64_t)id.ms);
    take_number(sha, (int64_t)id.seq);
}

static void take_stream(struct sha256 *sha, const struct entry *entry)
{
    static const struct stream_id least = { 0, 0 }, most = { UINT64_MAX, UINT64_MAX };
    const struct stream *stream = stream_of(entry);
    struct stream_walk walk;
    struct stream_entry item;
    struct digest sum = { { 0 } };
    struct bytes field, value;
    char field_room[LISTPACK_TEXT_ROOM], value_room[LISTPACK_TEXT_ROOM];
    stream_walk_begin(&walk, stream, least, most, false);
    while (stream_walk_next(&walk, &item)) {
        take_id(sha, item.id);
        for (uint32_t i = 0; i < item.field_count; i++) {
            stream_entry_pair(&item, &field, field_room, &value, value_room);
            take_text(sha, field);
            take_text(sha, value);
        }
    }
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        const struct stream_group *group = stream_group_at(stream, i);
        struct sha256 one;
        sha256_init(&one);
        take_text(&one, stream_group_name(group));
        take_id(&one, group->last_id);
        join(&sum, &one);
    }
    take_id(sha, stream->last_id);
    take_digest(sha, &sum);
}

static void take_value(struct sha256 *sha, struct store_thread *thread, const struct entry *entry)
{
    take_number(sha, entry->type);
    switch ((enum value_type)entry->type) {
    case VALUE_STRING:
        take_text(sha, entry_string(entry));
        break;
    case VALUE_LIST:
        take_list(sha, entry);
        break;
    case VALUE_SET:
        take_set(sha, entry);
        break;
    case VALUE_SORTED_SET:
        take_zset(sha, entry);
        break;
    case VALUE_HASH:
        take_hash(sha, thread, entry);
        break;
    case VALUE_STREAM:
        take_stream(sha, entry);
        break;
    case VALUE_TYPES:
    case VALUE_ANY:
        break;
    }
}

static void reply_digest(struct reply *reply, const struct digest *digest)
{
    char hex[DEBUG_DIGEST_HEX_LEN];
    for (size_t i = 0; i < DEBUG_DIGEST_LEN; i++) {
        hex[2 * i] = "0123456789abcdef"[digest->at[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest->at[i] & 15];
    }
    reply_simple(reply, (struct bytes){ hex, sizeof hex });
}

struct walk {
    struct store_thread *thread;
    uint32_t db;
    struct digest sum;
};

static bool join_key(void *user, struct entry *entry)
{
    struct walk *walk = user;
    struct sha256 one;
    sha256_init(&one);
    take_number(&one, walk->db);
    take_text(&one, entry_key(entry));
    take_number(&one, (entry->flags & ENTRY_EXPIRES) != 0);
    take_value(&one, walk->thread, entry);
    join(&walk->sum, &one);
    return true;
}

enum err debug_digest(struct call *call)
{
    enum { KEYS_OF_STEP = 1000 };
    struct walk walk = { .thread = call->thread };
    for (walk.db = 0; walk.db < keyspace_databases(call->keyspace); walk.db++) {
        uint64_t cursor = 0;
        do {
            cursor = keyspace_scan(call->thread, walk.db, cursor, KEYS_OF_STEP, join_key, &walk);
        } while (cursor != 0);
    }
    reply_digest(call->reply, &walk.sum);
    return OK;
}

enum err debug_digest_values(struct call *call)
{
    reply_array(call->reply, args_left(&call->args));
    while (args_left(&call->args) > 0) {
        struct digest digest = { { 0 } };
        const struct entry *entry =
            keyspace_peek(call->keyspace, call->keys, args_next(&call->args));
        if (entry != NULL) {
            struct sha256 sha;
            sha256_init(&sha);
            take_value(&sha, call->thread, entry);
            sha256_final(&sha, digest.at);
        }
        reply_digest(call->reply, &digest);
    }
    return OK;
}
