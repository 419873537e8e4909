/* Command templates: words with placeholders, made into the bytes of requests. */
#ifndef BENCH_TEMPLATE_H
#define BENCH_TEMPLATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "bench/keys.h"
#include "rln_bench.h"

enum { TEMPLATE_ID_DIGITS = 12 };

enum template_kind {
    TEMPLATE_TEXT, /* bytes as they are */
    TEMPLATE_ID,   /* the digits of a key of the distribution */
    TEMPLATE_NEXT_ID,
    TEMPLATE_NEW_ID,
    TEMPLATE_RANDOM,
    TEMPLATE_VALUE, /* a bulk string, or the bytes alone in an inline command */
};

struct template_piece {
    enum template_kind kind;
    size_t from, len; /* TEMPLATE_TEXT: of 'text' */
};

struct template
{
    struct buf text;
    struct template_piece *pieces;
    size_t piece_count;
    size_t longest; /* no request is longer */
    double up_to;   /* of the weights, summed from the first template on, total 1 */
    bool as_line, replies_value;
};

/* All that requests are made from.  Constant once it is set up, but for the keys. */
struct workload {
    struct template *templates;
    size_t template_count;
    struct rln_load_size *sizes;
    double *size_up_to; /* weights as in a template */
    size_t size_count;
    uint32_t smallest, largest; /* value */
    char *payload;              /* values are cut from it */
    size_t payload_len;
    struct key_chooser keys;
};

/* False with '*error' when the options make no sense or memory is short; release it then too. */
MUST_CHECK bool workload_init(struct workload *workload, const struct rln_load_options *options,
                              uint64_t seed, struct rln_load_error *error);
void workload_release(struct workload *workload);

/* Chooses a template by weight; its index. */
size_t workload_choose(const struct workload *workload, struct random *dice);
/* Appends a request of template 'index'; false when memory is short. */
MUST_CHECK bool workload_write(struct workload *workload, size_t index, struct key_walk *walk,
                               struct buf *out);
/* True when some value of the workload can be 'len' bytes long. */
bool workload_has_size(const struct workload *workload, int64_t len);

#endif
