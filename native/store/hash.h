/* Hash values: a listpack of fields and values in turn (LISTPACK), or a member table
 * (HASHTABLE), as many and as long ones as the limits of value.h allow for the first.  A hash
 * of which a field may end by itself is a table.
 *
 * Functions that may change what an entry points at take a struct hash, which is taken from
 * the entry before and written back after:
 *
 *     struct hash hash = hash_of(entry);
 *     err = hash_set(thread, &hash, field, value, HASH_FIELD_STAYS, &created);
 *     hash_keep(entry, &hash);
 *
 * A field whose end has passed is as good as gone for all functions but hash_count(). */
#ifndef STORE_HASH_H
#define STORE_HASH_H

#include "store/listpack.h"
#include "store/members.h"
#include "store/value.h"

struct hash {
    void *pointer;
    enum encoding encoding;
};

/* Ends of fields, beside Unix times in milliseconds. */
enum {
    HASH_FIELD_STAYS = MEMBER_NO_EXPIRY,
    HASH_FIELD_SAME = -2, /* as before; a new field stays */
};

enum { HASH_TEXT_ROOM = LISTPACK_TEXT_ROOM };

/* A field and its value, text or integers as they are stored; borrowed. */
struct hash_field {
    struct listpack_value name, value;
    int64_t expires_at_ms; /* or HASH_FIELD_STAYS */
};

/* The hash of an entry; what changes it may move it: hash_keep() stores it back. */
static inline struct hash hash_of(const struct entry *entry)
{
    return (struct hash){ entry_pointer(entry), (enum encoding)entry->encoding };
}

static inline void hash_keep(struct entry *entry, const struct hash *hash)
{
    entry_set_pointer(entry, hash->pointer);
    entry_set_encoding(entry, hash->encoding);
}

/* Empty; LISTPACK. */
MUST_CHECK enum err hash_create(struct store_thread *thread, struct hash *hash);
/* Before 'count' / 2 fields and values in turn are set: turns a listpack that could not take
 * them into a table. */
MUST_CHECK enum err hash_prepare(struct store_thread *thread, struct hash *hash,
                                 const struct bytes *pairs, uint32_t count);

/* The same before so many fields are set, whatever their length. */
MUST_CHECK enum err hash_expect(struct store_thread *thread, struct hash *hash, uint64_t count);

/* Fields, with those that have ended and are still there. */
uint64_t hash_count(const struct hash *hash);
/* False when there is no such field. */
bool hash_find(struct store_thread *thread, const struct hash *hash, struct bytes name,
               struct hash_field *found);
/* Sets a field to a value, with an end or HASH_FIELD_STAYS or HASH_FIELD_SAME; '*created' tells
 * whether it was not there.  ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err hash_set(struct store_thread *thread, struct hash *hash, struct bytes name,
                             struct bytes value, int64_t expires_at_ms, bool *created);
/* Gives a field that is there another end, or HASH_FIELD_STAYS.  ERR_OUT_OF_MEMORY: nothing has
 * changed. */
MUST_CHECK enum err hash_expire_at(struct store_thread *thread, struct hash *hash,
                                   struct bytes name, int64_t expires_at_ms);
/* False when there was no such field. */
bool hash_remove(struct store_thread *thread, struct hash *hash, struct bytes name);

/* A field by chance; false when there is none. */
bool hash_random(struct store_thread *thread, const struct hash *hash, struct hash_field *found);

/* The text of a name or a value: borrowed, or written to 'room'. */
struct bytes hash_text(const struct listpack_value *value, char room[HASH_TEXT_ROOM]);

/* All fields, one after the other; the hash does not change meanwhile. */
struct hash_walk {
    struct hash hash;
    uint32_t at;
    int64_t now_ms;
    struct members_walk walk;
};
void hash_walk_begin(struct hash_walk *walk, const struct store_thread *thread,
                     const struct hash *hash);
/* False at the end. */
bool hash_walk_next(struct hash_walk *walk, struct hash_field *field);

/* ---- For value.c, which says what each does ------------------------------------------- */

/* What value.h asks of every type; see there. */
void hash_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool hash_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *hash_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t hash_elements(enum encoding encoding, const void *pointer);
size_t hash_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
