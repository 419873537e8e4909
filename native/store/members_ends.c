/* Members of a table that end by themselves; see members.h.  The index is that of expiry.h, by
 * the hashes of names; it is made when the first member gets an end. */
#include "store/members_internal.h"

int64_t members_next_end(const struct members *members)
{
    return members->ends != NULL ? expiry_first(&members->ends->index) : INT64_MAX;
}

struct members_noted *members_noted(const struct members *members)
{
    return &members->ends->noted;
}

bool ends_reserve(struct members *members, int64_t before, int64_t after)
{
    if (LIKELY(!expiry_needs_item(before, after))) {
        return true;
    }
    if (members->ends == NULL) {
        members->ends = mem_try_alloc(sizeof *members->ends);
        if (members->ends == NULL) {
            return false;
        }
        *members->ends = (struct member_ends){ .noted = { INT64_MAX, 0 } };
    }
    return expiry_reserve(&members->ends->index);
}

bool ends_copy(struct members *to, const struct members *from)
{
    to->ends = NULL;
    if (from->ends == NULL) {
        return true;
    }
    const struct expiry_index *index = &from->ends->index;
    to->ends = mem_try_alloc(sizeof *to->ends);
    if (to->ends == NULL) {
        return false;
    }
    *to->ends = (struct member_ends){ .index = *index, .noted = { INT64_MAX, 0 } };
    to->ends->index.cap = index->len;
    to->ends->index.items = NULL;
    if (index->len > 0) {
        size_t bytes = index->len * sizeof *index->items;
        to->ends->index.items = mem_try_alloc(bytes);
        if (to->ends->index.items == NULL) {
            ends_release(to);
            return false;
        }
        memcpy(to->ends->index.items, index->items, bytes);
    }
    return true;
}

void ends_release(struct members *members)
{
    if (members->ends != NULL) {
        expiry_release(&members->ends->index);
        mem_free(members->ends);
        members->ends = NULL;
    }
}

/* The member with an end whose name has 'hash', or NULL. */
static struct member *find_ending(const struct store_thread *thread, const struct members *members,
                                  uint64_t hash, struct member_place *place)
{
    struct segment *segment = members->directory[directory_index(members, hash)];
    uint32_t pos = segment_pos(segment, hash);
    uint32_t at = pos_home(pos, segment->size);
    for (uint32_t left = segment->size; left > 0; left--) {
        struct bucket *bucket = &segment->buckets[at];
        uint64_t match = bucket_match(bucket, place_tag(pos_place(pos)));
        for (; match != 0; match = match_next(match)) {
            struct member *member = bucket_pointer(bucket, match_slot(match));
            if (member_end(members, member) != MEMBER_NO_EXPIRY &&
                member_hash(thread, members, member_name(members, member)) == hash) {
                *place = (struct member_place){ segment, bucket, match_slot(match) };
                return member;
            }
        }
        if (!bucket_overflows(bucket)) {
            break;
        }
        at = bucket_after(at, segment->size);
    }
    return NULL;
}

/* Takes items without a member out of the index. */
static void tidy(const struct store_thread *thread, const struct members *members,
                 struct expiry_index *index)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < index->len; at++) {
        struct member_place place;
        uint64_t hash = index->items[at].hash;
        const struct member *member = find_ending(thread, members, hash, &place);
        if (member != NULL) {
            index->items[kept++] = (struct expiry_item){ member_end(members, member), hash };
        }
    }
    index->len = kept;
    expiry_tidied(index);
}

void ends_changed(struct store_thread *thread, struct members *members, uint64_t hash,
                  int64_t before, int64_t after)
{
    if (LIKELY(before == after)) {
        return;
    }
    struct expiry_index *index = &members->ends->index;
    expiry_changed(index, hash, before, after);
    if (expiry_is_untidy(index)) {
        tidy(thread, members, index);
    }
}

bool members_remove_due(struct store_thread *thread, struct members *members, int64_t now_ms,
                        void (*tell)(void *user, struct bytes name), void *user)
{
    struct expiry_index *index = &members->ends->index;
    while (expiry_first(index) <= now_ms) {
        struct member_place place;
        const struct member *member = find_ending(thread, members, index->items[0].hash, &place);
        if (member == NULL) {
            expiry_pop(index);
            expiry_was_stale(index);
        } else if (member_end(members, member) > now_ms) {
            expiry_postpone_first(index, member_end(members, member));
        } else {
            tell(user, member_name(members, member));
            expiry_pop(index);
            members_remove_at(thread, members, place);
            expiry_was_stale(index); /* The removal took the popped item for one left behind. */
            return true;
        }
    }
    return false;
}
