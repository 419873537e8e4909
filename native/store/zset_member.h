/* One member of a large sorted set: its score and its text in one allocation, pointed at by
 * the tree that orders members (btree.h) and the table that finds them (zset_index.h).
 *
 *   score 8 | length 1 | text            or, from MEMBER_LONG bytes on,
 *   score 8 | MEMBER_LONG 1 | length 4 | text */
#ifndef STORE_ZSET_MEMBER_H
#define STORE_ZSET_MEMBER_H

#include "store/heap.h"

enum { MEMBER_LONG = 255 };

struct zset_member {
    double score;
    char tail[];
};

/* The member's text, borrowed. */
static inline struct bytes member_text(const struct zset_member *member)
{
    unsigned len = (unsigned char)member->tail[0];
    if (__builtin_expect(len < MEMBER_LONG, 1)) {
        return (struct bytes){ member->tail + 1, len };
    }
    uint32_t long_len;
    memcpy(&long_len, member->tail + 1, sizeof long_len);
    return (struct bytes){ member->tail + 1 + sizeof long_len, long_len };
}

/* The size of the allocation for a text of so many bytes. */
static inline size_t member_size(size_t len)
{
    return sizeof(struct zset_member) + 1 + (len < MEMBER_LONG ? 0 : sizeof(uint32_t)) + len;
}

/* A copy of 'text' with a score; NULL when memory is short. */
MUST_CHECK static inline struct zset_member *member_create(struct store_thread *thread,
                                                           struct bytes text, double score)
{
    if (text.len > UINT32_MAX) {
        return NULL;
    }
    struct zset_member *member = heap_alloc(thread, member_size(text.len));
    if (member == NULL) {
        return NULL;
    }
    char *at = member->tail + 1;
    member->score = score;
    member->tail[0] = (char)(text.len < MEMBER_LONG ? text.len : MEMBER_LONG);
    if (text.len >= MEMBER_LONG) {
        uint32_t len = (uint32_t)text.len;
        memcpy(at, &len, sizeof len);
        at += sizeof len;
    }
    if (text.len > 0) {
        memcpy(at, text.at, text.len);
    }
    return member;
}

/* Frees a member that is in no tree and no index any more. */
static inline void member_destroy(struct store_thread *thread, struct zset_member *member)
{
    heap_free(thread, member, member_size(member_text(member).len));
}

#endif
