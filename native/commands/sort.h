/* What SORT's two files share: the arguments and the elements; cmd_sort.c takes elements from a
 * key and makes the result, sort_order.c weighs and sorts them. */
#ifndef COMMANDS_SORT_H
#define COMMANDS_SORT_H

#include "commands/sort_pattern.h"

/* An element on its way. */
struct sort_item {
    struct bytes text; /* borrowed from the value, or in 'digits' of its sort */
    struct bytes by;   /* BY with ALPHA: what it is compared by; .at NULL: there is nothing */
    double weight;     /* without ALPHA */
};

struct sort {
    /* The arguments. */
    bool descending, alpha, unsorted, has_by, leads_away;
    int64_t offset, count;
    struct sort_pattern by;
    struct sort_pattern *gets;
    uint32_t get_count;
    bool kept_in;             /* the user may not read every key */
    const char *denied;       /* the option that it may not use for that; or NULL */
    struct bytes destination; /* .at NULL: a reply is wanted */
    /* The elements. */
    struct sort_item *items;
    size_t item_count;
    bool ordered;      /* they come in an order that counts where nothing else decides */
    struct buf digits; /* of integers; its size is known before the first */
    struct buf kept;   /* likewise, of values of BY that are integers */
    struct buf key;    /* scratch of patterns */
    bool stray;        /* something that should be a number is none */
};

/* Text that lives as long as the sort: what is in 'passing', a room that will be written again,
 * is copied to 'buf', which has room for it. */
static inline struct bytes sort_keep(struct buf *buf, struct bytes text, const char *passing)
{
    if (text.at != passing) {
        return text;
    }
    struct bytes kept = { buf->at + buf->len, text.len };
    buf_append(buf, text);
    return kept;
}

/* Finds out what each element is compared by; 'stray' tells of what should be a number and is
 * none.  ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err sort_weigh(struct call *call, struct sort *sort) REQUIRES(*call->keys);
/* Puts the elements in order.  ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err sort_order(struct sort *sort);

#endif
