/* Which key comes next: the distributions of rln_bench.h.  The chooser is shared by all
 * threads and constant but for the number of keys, which grows; dice and place in the
 * sequence belong to a thread. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/random.h"
#include "rln_bench.h"

struct key_chooser {
    enum rln_load_keys kind;
    uint64_t count;                       /* keys at the start */
    double theta, zeta, eta, alpha, half; /* Zipf's law over 'count' ranks */
    _Atomic uint64_t newest;              /* ids below this exist */
};

/* A thread's own part. */
struct key_walk {
    struct random dice;
    uint64_t next, step; /* the next place in the sequence, and the way from thread to thread */
};

/* 'count' is not 0.  Zipf's law takes one pass over the ranks. */
void key_chooser_init(struct key_chooser *chooser, enum rln_load_keys kind, uint64_t count,
                      double theta);

/* Thread 'index' of 'threads'. */
void key_walk_init(struct key_walk *walk, uint64_t seed, unsigned index, unsigned threads);

/* The next id in the order that was chosen; the walk is the caller's lane's own. */
uint64_t key_choose(struct key_chooser *chooser, struct key_walk *walk);
/* An id that no call has given before. */
uint64_t key_create(struct key_chooser *chooser);

#endif
