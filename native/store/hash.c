/* Hash values in their two encodings; see hash.h. */
#include "store/hash.h"

#include "base/num.h"
#include "store/keyspace_internal.h"
#include "store/listpack_element.h"

static uint64_t limit_of(const _Atomic uint64_t *limit)
{
    return atomic_load_explicit(limit, memory_order_relaxed);
}

struct bytes hash_text(const struct listpack_value *value, char room[HASH_TEXT_ROOM])
{
    if (value->string.at != NULL) {
        return value->string;
    }
    return (struct bytes){ room, num_format_i64(room, value->integer) };
}

/* ---- Life ----------------------------------------------------------------------------- */

enum err hash_create(struct store_thread *thread, struct hash *hash)
{
    enum { FIRST_ROOM = 64 };
    hash->encoding = ENCODING_LISTPACK;
    hash->pointer = listpack_create(thread, FIRST_ROOM);
    return hash->pointer != NULL ? OK : ERR_OUT_OF_MEMORY;
}

void hash_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    (void)hash_destroy_step(thread, encoding, pointer, INT64_MAX);
}

bool hash_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us)
{
    if (encoding == ENCODING_LISTPACK) {
        listpack_destroy(thread, pointer);
        return false;
    }
    return members_destroy_step(thread, pointer, until_us);
}

void *hash_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    if (encoding == ENCODING_LISTPACK) {
        return listpack_load(thread, listpack_bytes(pointer));
    }
    return members_copy(thread, pointer);
}

size_t hash_elements(enum encoding encoding, const void *pointer)
{
    return encoding == ENCODING_LISTPACK ? listpack_count(pointer) / 2
                                         : (size_t)members_count(pointer);
}

size_t hash_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    return encoding == ENCODING_LISTPACK ? listpack_memory(pointer)
                                         : members_memory(pointer, samples);
}

/* ---- Looking ------------------------------------------------------------------------------ */

uint64_t hash_count(const struct hash *hash)
{
    return hash_elements(hash->encoding, hash->pointer);
}

/* The offset of a field's value in a listpack; 0: there is no such field. */
static uint32_t find_in_listpack(const struct listpack *lp, struct bytes name)
{
    uint32_t at = listpack_find(lp, listpack_first(lp), name, 2);
    return at != 0 ? listpack_next(lp, at) : 0;
}

static bool has_ended(int64_t expires_at_ms, int64_t now_ms)
{
    return UNLIKELY(expires_at_ms != HASH_FIELD_STAYS) && expires_at_ms <= now_ms;
}

/* Fills 'field' from a member; false when its end has passed. */
static bool read_member(const struct members *members, const struct member *member, int64_t now_ms,
                        struct hash_field *field)
{
    struct member_parts parts;
    member_read(members, member, &parts);
    field->name = (struct listpack_value){ parts.name, 0 };
    field->value = (struct listpack_value){ parts.value, 0 };
    field->expires_at_ms = parts.expires_at_ms;
    return !has_ended(parts.expires_at_ms, now_ms);
}

bool hash_find(struct store_thread *thread, const struct hash *hash, struct bytes name,
               struct hash_field *found)
{
    if (hash->encoding == ENCODING_LISTPACK) {
        uint32_t at = find_in_listpack(hash->pointer, name);
        if (at == 0) {
            return false;
        }
        found->name = (struct listpack_value){ name, 0 };
        found->value = listpack_get(hash->pointer, at);
        found->expires_at_ms = HASH_FIELD_STAYS;
        return true;
    }
    const struct member *member = members_find(thread, hash->pointer, name, NULL);
    return member != NULL && read_member(hash->pointer, member, thread->now_ms, found);
}

void hash_walk_begin(struct hash_walk *walk, const struct store_thread *thread,
                     const struct hash *hash)
{
    walk->hash = *hash;
    walk->at = 0;
    walk->now_ms = thread->now_ms;
    if (hash->encoding == ENCODING_LISTPACK) {
        walk->at = listpack_first(hash->pointer);
    } else {
        members_walk_begin(&walk->walk, hash->pointer);
    }
}

bool hash_walk_next(struct hash_walk *walk, struct hash_field *field)
{
    void *pointer = walk->hash.pointer;
    if (walk->hash.encoding == ENCODING_LISTPACK) {
        if (walk->at == 0) {
            return false;
        }
        uint32_t value = listpack_next(pointer, walk->at);
        field->name = listpack_get(pointer, walk->at);
        field->value = listpack_get(pointer, value);
        field->expires_at_ms = HASH_FIELD_STAYS;
        walk->at = listpack_next(pointer, value);
        return true;
    }
    const struct member *member;
    while ((member = members_walk_next(&walk->walk)) != NULL) {
        if (read_member(pointer, member, walk->now_ms, field)) {
            return true;
        }
    }
    return false;
}

/* One of the fields that have not ended, each with the same chance. */
static bool random_of_all(struct store_thread *thread, const struct hash *hash,
                          struct hash_field *found)
{
    struct hash_walk walk;
    struct hash_field field;
    uint64_t seen = 0;
    hash_walk_begin(&walk, thread, hash);
    while (hash_walk_next(&walk, &field)) {
        if (random_below(&thread->dice, ++seen) == 0) {
            *found = field;
        }
    }
    return seen > 0;
}

bool hash_random(struct store_thread *thread, const struct hash *hash, struct hash_field *found)
{
    enum { TRIES = 32 };
    uint64_t count = hash_count(hash);
    if (count == 0) {
        return false;
    }
    if (hash->encoding == ENCODING_LISTPACK) {
        uint32_t at =
            listpack_seek(hash->pointer, (int64_t)(2 * random_below(&thread->dice, count)));
        found->name = listpack_get(hash->pointer, at);
        found->value = listpack_get(hash->pointer, listpack_next(hash->pointer, at));
        found->expires_at_ms = HASH_FIELD_STAYS;
        return true;
    }
    for (int i = 0; i < TRIES; i++) {
        struct member_place place;
        const struct member *member = members_random(thread, hash->pointer, &place);
        if (read_member(hash->pointer, member, thread->now_ms, found)) {
            return true;
        }
    }
    return random_of_all(thread, hash, found);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static enum err make_table(struct store_thread *thread, struct hash *hash)
{
    struct hash table = { members_create(thread, true), ENCODING_HASHTABLE };
    struct hash_walk walk;
    struct hash_field field;
    if (table.pointer == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    hash_walk_begin(&walk, thread, hash);
    while (hash_walk_next(&walk, &field)) {
        char name[HASH_TEXT_ROOM], value[HASH_TEXT_ROOM];
        if (members_set(thread, table.pointer, hash_text(&field.name, name),
                        hash_text(&field.value, value), MEMBER_NO_EXPIRY) == MEMBERS_NO_MEMORY) {
            members_destroy(thread, table.pointer);
            return ERR_OUT_OF_MEMORY;
        }
    }
    listpack_destroy(thread, hash->pointer);
    *hash = table;
    return OK;
}

/* Whether a listpack may have this as a field or a value. */
static bool is_short(const struct store_thread *thread, struct bytes text)
{
    return text.len <= limit_of(&thread->keyspace->limits.hash_max_listpack_value) &&
           text.len < LISTPACK_MAX / 4;
}

enum err hash_prepare(struct store_thread *thread, struct hash *hash, const struct bytes *pairs,
                      uint32_t count)
{
    if (hash->encoding != ENCODING_LISTPACK) {
        return OK;
    }
    bool compact = count / 2 <= limit_of(&thread->keyspace->limits.hash_max_listpack_entries);
    for (uint32_t i = 0; i < count && compact; i++) {
        compact = is_short(thread, pairs[i]);
    }
    return compact ? OK : make_table(thread, hash);
}

enum err hash_expect(struct store_thread *thread, struct hash *hash, uint64_t count)
{
    uint64_t limit = limit_of(&thread->keyspace->limits.hash_max_listpack_entries);
    return hash->encoding == ENCODING_LISTPACK && count > limit ? make_table(thread, hash) : OK;
}

/* Sets a field in a listpack that has room for it; 'at' is its value's offset, or 0. */
static enum err set_in_listpack(struct store_thread *thread, struct hash *hash, uint32_t at,
                                struct bytes name, struct bytes value)
{
    struct listpack *lp = hash->pointer;
    bool done;
    if (at != 0) {
        done = listpack_replace(thread, &lp, &at, value);
    } else {
        done = listpack_append(thread, &lp, name);
        if (done && !listpack_append(thread, &lp, value)) {
            done = false;
            (void)listpack_delete(thread, &lp, listpack_last(lp), 1);
        }
    }
    hash->pointer = lp;
    return done ? OK : ERR_OUT_OF_MEMORY;
}

static enum err set_in_table(struct store_thread *thread, struct hash *hash, struct bytes name,
                             struct bytes value, int64_t expires_at_ms, bool *created)
{
    bool ended = false;
    if (UNLIKELY(members_may_end(hash->pointer))) {
        const struct member *member = members_find(thread, hash->pointer, name, NULL);
        struct hash_field before;
        ended = member != NULL && !read_member(hash->pointer, member, thread->now_ms, &before);
        if (expires_at_ms == HASH_FIELD_SAME && member != NULL && !ended) {
            expires_at_ms = before.expires_at_ms;
        }
    }
    if (expires_at_ms == HASH_FIELD_SAME) {
        expires_at_ms = HASH_FIELD_STAYS;
    }
    enum members_put put = members_set(thread, hash->pointer, name, value, expires_at_ms);
    *created = put == MEMBERS_ADDED || ended;
    return put != MEMBERS_NO_MEMORY ? OK : ERR_OUT_OF_MEMORY;
}

enum err hash_set(struct store_thread *thread, struct hash *hash, struct bytes name,
                  struct bytes value, int64_t expires_at_ms, bool *created)
{
    if (hash->encoding == ENCODING_LISTPACK) {
        uint32_t at = find_in_listpack(hash->pointer, name);
        bool fits = is_short(thread, name) && is_short(thread, value) && expires_at_ms < 0;
        if (fits && at == 0) {
            fits = listpack_count(hash->pointer) / 2 <
                   limit_of(&thread->keyspace->limits.hash_max_listpack_entries);
        }
        if (fits) {
            *created = at == 0;
            return set_in_listpack(thread, hash, at, name, value);
        }
        enum err err = make_table(thread, hash);
        if (err != OK) {
            return err;
        }
    }
    return set_in_table(thread, hash, name, value, expires_at_ms, created);
}

bool hash_remove(struct store_thread *thread, struct hash *hash, struct bytes name)
{
    if (hash->encoding == ENCODING_LISTPACK) {
        struct listpack *lp = hash->pointer;
        uint32_t at = listpack_find(lp, listpack_first(lp), name, 2);
        if (at != 0) {
            (void)listpack_delete(thread, &lp, at, 2);
            hash->pointer = lp;
        }
        return at != 0;
    }
    struct member_place place;
    struct hash_field field;
    const struct member *member = members_find(thread, hash->pointer, name, &place);
    if (member == NULL) {
        return false;
    }
    if (!read_member(hash->pointer, member, thread->now_ms, &field)) {
        return false; /* The background takes it away and tells that. */
    }
    members_remove_at(thread, hash->pointer, place);
    return true;
}

enum err hash_expire_at(struct store_thread *thread, struct hash *hash, struct bytes name,
                        int64_t expires_at_ms)
{
    if (hash->encoding == ENCODING_LISTPACK) {
        enum err err = expires_at_ms != HASH_FIELD_STAYS ? make_table(thread, hash) : OK;
        if (err != OK || expires_at_ms == HASH_FIELD_STAYS) {
            return err;
        }
    }
    struct member_place place;
    if (members_find(thread, hash->pointer, name, &place) == NULL) {
        return OK;
    }
    return members_expire_at(thread, hash->pointer, place, expires_at_ms) ? OK : ERR_OUT_OF_MEMORY;
}
