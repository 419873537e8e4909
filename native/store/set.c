/* Set values in their three encodings; see set.h. */
#include "store/set.h"

#include "base/num.h"
#include "store/intset.h"
#include "store/keyspace_internal.h"
#include "store/listpack_element.h"

/* What intsets and listpacks never exceed, whatever the directives say. */
#define INTSET_ENTRIES_MAX   (UINT64_C(1) << 30)
#define LISTPACK_ENTRIES_MAX (UINT64_C(1) << 28)

static uint64_t limit_of(const _Atomic uint64_t *limit)
{
    return atomic_load_explicit(limit, memory_order_relaxed);
}

static uint64_t intset_limit(const struct store_thread *thread)
{
    uint64_t limit = limit_of(&thread->keyspace->limits.set_max_intset_entries);
    return limit < INTSET_ENTRIES_MAX ? limit : INTSET_ENTRIES_MAX;
}

static uint64_t listpack_limit(const struct store_thread *thread)
{
    uint64_t limit = limit_of(&thread->keyspace->limits.set_max_listpack_entries);
    return limit < LISTPACK_ENTRIES_MAX ? limit : LISTPACK_ENTRIES_MAX;
}

struct bytes set_text(const struct listpack_value *member, char room[SET_TEXT_ROOM])
{
    if (member->string.at != NULL) {
        return member->string;
    }
    return (struct bytes){ room, num_format_i64(room, member->integer) };
}

/* ---- Life ----------------------------------------------------------------------------- */

static void *create(struct store_thread *thread, enum encoding encoding)
{
    enum { FIRST_ROOM = 64 };
    switch (encoding) {
    case ENCODING_INTSET:
        return intset_create(thread);
    case ENCODING_LISTPACK:
        return listpack_create(thread, FIRST_ROOM);
    default:
        return members_create(thread, false);
    }
}

enum err set_create(struct store_thread *thread, struct bytes first, uint64_t count,
                    struct set *set)
{
    int64_t integer;
    set->encoding = listpack_is_integer(first, &integer) && count <= intset_limit(thread)
                        ? ENCODING_INTSET
                    : count <= listpack_limit(thread) ? ENCODING_LISTPACK
                                                      : ENCODING_HASHTABLE;
    set->pointer = create(thread, set->encoding);
    return set->pointer != NULL ? OK : ERR_OUT_OF_MEMORY;
}

void set_release(struct store_thread *thread, struct set *set)
{
    if (set->pointer != NULL) {
        set_destroy(thread, set->encoding, set->pointer);
        set->pointer = NULL;
    }
}

void set_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    (void)set_destroy_step(thread, encoding, pointer, INT64_MAX);
}

bool set_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                      int64_t until_us)
{
    switch (encoding) {
    case ENCODING_INTSET:
        intset_destroy(thread, pointer);
        return false;
    case ENCODING_LISTPACK:
        listpack_destroy(thread, pointer);
        return false;
    default:
        return members_destroy_step(thread, pointer, until_us);
    }
}

void *set_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    switch (encoding) {
    case ENCODING_INTSET:
        return intset_load(thread, intset_bytes(pointer));
    case ENCODING_LISTPACK:
        return listpack_load(thread, listpack_bytes(pointer));
    default:
        return members_copy(thread, pointer);
    }
}

size_t set_elements(enum encoding encoding, const void *pointer)
{
    switch (encoding) {
    case ENCODING_INTSET:
        return intset_count(pointer);
    case ENCODING_LISTPACK:
        return listpack_count(pointer);
    default:
        return (size_t)members_count(pointer);
    }
}

size_t set_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    switch (encoding) {
    case ENCODING_INTSET:
        return intset_memory(pointer);
    case ENCODING_LISTPACK:
        return listpack_memory(pointer);
    default:
        return members_memory(pointer, samples);
    }
}

/* ---- Looking ------------------------------------------------------------------------------ */

uint64_t set_count(const struct set *set)
{
    return set_elements(set->encoding, set->pointer);
}

bool set_contains(struct store_thread *thread, const struct set *set, struct bytes member)
{
    int64_t integer;
    uint32_t index;
    switch (set->encoding) {
    case ENCODING_INTSET:
        return listpack_is_integer(member, &integer) && intset_find(set->pointer, integer, &index);
    case ENCODING_LISTPACK:
        return listpack_find(set->pointer, listpack_first(set->pointer), member, 1) != 0;
    default:
        return members_find(thread, set->pointer, member, NULL) != NULL;
    }
}

bool set_contains_value(struct store_thread *thread, const struct set *set,
                        const struct listpack_value *member)
{
    char room[SET_TEXT_ROOM];
    uint32_t index;
    if (set->encoding == ENCODING_INTSET && member->string.at == NULL) {
        return intset_find(set->pointer, member->integer, &index);
    }
    return set_contains(thread, set, set_text(member, room));
}

void set_walk_begin(struct set_walk *walk, const struct set *set)
{
    walk->set = *set;
    walk->at = 0;
    if (set->encoding == ENCODING_INTSET) {
        walk->left = intset_count(set->pointer);
    } else if (set->encoding == ENCODING_LISTPACK) {
        walk->at = listpack_first(set->pointer);
    } else {
        members_walk_begin(&walk->walk, set->pointer);
    }
}

bool set_walk_next(struct set_walk *walk, struct listpack_value *member)
{
    if (walk->set.encoding == ENCODING_INTSET) {
        if (walk->at == walk->left) {
            return false;
        }
        *member = (struct listpack_value){ { NULL, 0 }, intset_at(walk->set.pointer, walk->at) };
        walk->at++;
        return true;
    }
    if (walk->set.encoding == ENCODING_LISTPACK) {
        if (walk->at == 0) {
            return false;
        }
        *member = listpack_get(walk->set.pointer, walk->at);
        walk->at = listpack_next(walk->set.pointer, walk->at);
        return true;
    }
    const struct member *next = members_walk_next(&walk->walk);
    if (next == NULL) {
        return false;
    }
    *member = (struct listpack_value){ member_name(walk->set.pointer, next), 0 };
    return true;
}

struct listpack_value set_random(struct store_thread *thread, const struct set *set,
                                 struct set_place *place)
{
    if (set->encoding == ENCODING_INTSET) {
        place->at = (uint32_t)random_below(&thread->dice, intset_count(set->pointer));
        return (struct listpack_value){ { NULL, 0 }, intset_at(set->pointer, place->at) };
    }
    if (set->encoding == ENCODING_LISTPACK) {
        uint64_t index = random_below(&thread->dice, listpack_count(set->pointer));
        place->at = listpack_seek(set->pointer, (int64_t)index);
        return listpack_get(set->pointer, place->at);
    }
    const struct member *member = members_random(thread, set->pointer, &place->member);
    return (struct listpack_value){ member_name(set->pointer, member), 0 };
}

/* ---- Conversions -------------------------------------------------------------------------- */

static MUST_CHECK bool append(struct store_thread *thread, struct set *set, struct bytes member)
{
    if (set->encoding == ENCODING_LISTPACK) {
        struct listpack *lp = set->pointer;
        bool done = listpack_append(thread, &lp, member);
        set->pointer = lp;
        return done;
    }
    return members_add(thread, set->pointer, member) != MEMBERS_NO_MEMORY;
}

/* Makes a listpack or a table of a compact set. */
static enum err convert(struct store_thread *thread, struct set *set, enum encoding encoding)
{
    struct set larger = { create(thread, encoding), encoding };
    struct set_walk walk;
    struct listpack_value member;
    char room[SET_TEXT_ROOM];
    if (larger.pointer == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    set_walk_begin(&walk, set);
    while (set_walk_next(&walk, &member)) {
        if (!append(thread, &larger, set_text(&member, room))) {
            set_release(thread, &larger);
            return ERR_OUT_OF_MEMORY;
        }
    }
    set_release(thread, set);
    *set = larger;
    return OK;
}

enum err set_prepare(struct store_thread *thread, struct set *set, uint64_t more)
{
    if ((set->encoding == ENCODING_INTSET && more > intset_limit(thread)) ||
        (set->encoding == ENCODING_LISTPACK && more > listpack_limit(thread))) {
        return convert(thread, set, ENCODING_HASHTABLE);
    }
    return OK;
}

static bool fits_listpack(const struct store_thread *thread, uint64_t count, struct bytes member)
{
    return count < listpack_limit(thread) &&
           member.len <= limit_of(&thread->keyspace->limits.set_max_listpack_value) &&
           member.len < LISTPACK_MAX / 2;
}

/* Whether the integers of the set are short enough for a listpack. */
static bool integers_fit_listpack(const struct store_thread *thread, const struct set *set)
{
    char room[SET_TEXT_ROOM];
    const struct intset *integers = set->pointer;
    uint32_t count = intset_count(integers);
    uint64_t limit = limit_of(&thread->keyspace->limits.set_max_listpack_value);
    return count == 0 || (num_format_i64(room, intset_at(integers, 0)) <= limit &&
                          num_format_i64(room, intset_at(integers, count - 1)) <= limit);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static enum err add_integer(struct store_thread *thread, struct set *set, int64_t integer,
                            bool *added)
{
    struct intset *integers = set->pointer;
    uint32_t index;
    *added = false;
    if (intset_find(integers, integer, &index)) {
        return OK;
    }
    if (intset_count(integers) >= intset_limit(thread)) {
        enum err err = convert(thread, set, ENCODING_HASHTABLE);
        if (err != OK) {
            return err;
        }
        char room[SET_TEXT_ROOM];
        *added = append(thread, set, (struct bytes){ room, num_format_i64(room, integer) });
        return *added ? OK : ERR_OUT_OF_MEMORY;
    }
    *added = intset_insert(thread, &integers, index, integer);
    set->pointer = integers;
    return *added ? OK : ERR_OUT_OF_MEMORY;
}

enum err set_add(struct store_thread *thread, struct set *set, struct bytes member, bool *added)
{
    int64_t integer;
    enum err err = OK;
    if (LIKELY(set->encoding == ENCODING_HASHTABLE)) {
        enum members_put put = members_add(thread, set->pointer, member);
        *added = put == MEMBERS_ADDED;
        return put != MEMBERS_NO_MEMORY ? OK : ERR_OUT_OF_MEMORY;
    }
    if (set->encoding == ENCODING_INTSET) {
        if (listpack_is_integer(member, &integer)) {
            return add_integer(thread, set, integer, added);
        }
        bool fits = fits_listpack(thread, intset_count(set->pointer), member) &&
                    integers_fit_listpack(thread, set);
        err = convert(thread, set, fits ? ENCODING_LISTPACK : ENCODING_HASHTABLE);
    } else if (set_contains(thread, set, member)) {
        *added = false;
        return OK;
    } else if (!fits_listpack(thread, listpack_count(set->pointer), member)) {
        err = convert(thread, set, ENCODING_HASHTABLE);
    }
    *added = err == OK && append(thread, set, member);
    return *added ? OK : ERR_OUT_OF_MEMORY;
}

enum err set_add_value(struct store_thread *thread, struct set *set,
                       const struct listpack_value *member, bool *added)
{
    char room[SET_TEXT_ROOM];
    if (set->encoding == ENCODING_INTSET && member->string.at == NULL) {
        return add_integer(thread, set, member->integer, added);
    }
    return set_add(thread, set, set_text(member, room), added);
}

void set_remove_at(struct store_thread *thread, struct set *set, const struct set_place *place)
{
    if (set->encoding == ENCODING_INTSET) {
        struct intset *integers = set->pointer;
        intset_remove(thread, &integers, place->at);
        set->pointer = integers;
    } else if (set->encoding == ENCODING_LISTPACK) {
        struct listpack *lp = set->pointer;
        (void)listpack_delete(thread, &lp, place->at, 1);
        set->pointer = lp;
    } else {
        members_remove_at(thread, set->pointer, place->member);
    }
}

bool set_remove(struct store_thread *thread, struct set *set, struct bytes member)
{
    struct set_place place = { 0 };
    int64_t integer;
    if (LIKELY(set->encoding == ENCODING_HASHTABLE)) {
        return members_remove(thread, set->pointer, member);
    }
    if (set->encoding == ENCODING_INTSET) {
        if (!listpack_is_integer(member, &integer) ||
            !intset_find(set->pointer, integer, &place.at)) {
            return false;
        }
    } else {
        place.at = listpack_find(set->pointer, listpack_first(set->pointer), member, 1);
        if (place.at == 0) {
            return false;
        }
    }
    set_remove_at(thread, set, &place);
    return true;
}

bool set_remove_value(struct store_thread *thread, struct set *set,
                      const struct listpack_value *member)
{
    char room[SET_TEXT_ROOM];
    return set_remove(thread, set, set_text(member, room));
}
