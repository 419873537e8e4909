/* Set values: integers in order (INTSET), a listpack (LISTPACK) or a member table
 * (HASHTABLE), as many and as long members as the limits of value.h allow for each.
 *
 * Functions that may change what an entry points at take a struct set, which is taken from
 * the entry before and written back after:
 *
 *     struct set set = set_of(entry);
 *     err = set_add(thread, &set, member, &added);
 *     set_keep(entry, &set);
 *
 * A result that has no entry yet is a struct set too. */
#ifndef STORE_SET_H
#define STORE_SET_H

#include "store/listpack.h"
#include "store/members.h"
#include "store/value.h"

struct set {
    void *pointer;
    enum encoding encoding;
};

/* A member is text, or an integer (then .string.at is NULL), as it is stored. */
enum { SET_TEXT_ROOM = LISTPACK_TEXT_ROOM };

/* The set of an entry; what changes it may move it: set_keep() stores it back. */
static inline struct set set_of(const struct entry *entry)
{
    return (struct set){ entry_pointer(entry), (enum encoding)entry->encoding };
}

static inline void set_keep(struct entry *entry, const struct set *set)
{
    entry_set_pointer(entry, set->pointer);
    entry_set_encoding(entry, set->encoding);
}

/* An empty set for about 'count' members like 'first'. */
MUST_CHECK enum err set_create(struct store_thread *thread, struct bytes first, uint64_t count,
                               struct set *set);
/* Frees the structure at once; a set without one is fine. */
void set_release(struct store_thread *thread, struct set *set);
/* Before 'more' members are added: turns a compact set that could not take so many into a
 * table. */
MUST_CHECK enum err set_prepare(struct store_thread *thread, struct set *set, uint64_t more);

/* How many members; whether one is there, as text or as an element of a listpack. */
uint64_t set_count(const struct set *set);
bool set_contains(struct store_thread *thread, const struct set *set, struct bytes member);
bool set_contains_value(struct store_thread *thread, const struct set *set,
                        const struct listpack_value *member);

/* Adds a member unless it is there.  ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err set_add(struct store_thread *thread, struct set *set, struct bytes member,
                            bool *added);
MUST_CHECK enum err set_add_value(struct store_thread *thread, struct set *set,
                                  const struct listpack_value *member, bool *added);
/* False when it was not there. */
bool set_remove(struct store_thread *thread, struct set *set, struct bytes member);
bool set_remove_value(struct store_thread *thread, struct set *set,
                      const struct listpack_value *member);

/* The member as text: borrowed, or written to 'room'. */
struct bytes set_text(const struct listpack_value *member, char room[SET_TEXT_ROOM]);

/* Where a member was found; good until the set changes. */
struct set_place {
    uint32_t at; /* in a listpack or intset */
    struct member_place member;
};

/* A member by chance, of a set that has some; borrowed until the set changes. */
struct listpack_value set_random(struct store_thread *thread, const struct set *set,
                                 struct set_place *place);
void set_remove_at(struct store_thread *thread, struct set *set, const struct set_place *place);

/* All members, one after the other; the set does not change meanwhile. */
struct set_walk {
    struct set set;
    uint32_t at, left;
    struct members_walk walk;
};
void set_walk_begin(struct set_walk *walk, const struct set *set);
/* False at the end. */
bool set_walk_next(struct set_walk *walk, struct listpack_value *member);

/* ---- For value.c, which says what each does ------------------------------------------- */

/* What value.h asks of every type; see there. */
void set_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool set_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                      int64_t until_us);
MUST_CHECK void *set_copy(struct store_thread *thread, enum encoding encoding, const void *pointer);
size_t set_elements(enum encoding encoding, const void *pointer);
size_t set_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
