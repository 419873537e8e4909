/* The key distributions.  Zipf's law is drawn by the method of Gray et al., "Quickly
 * generating billion-record synthetic databases" (SIGMOD 1994), which YCSB uses. */
#include "bench/keys.h"

#include <math.h>

#define ZIPF_THETA 0.99

/* Spreads hot ranks over the key range, as YCSB does: FNV-1a of the rank's bytes. */
static uint64_t scatter(uint64_t rank)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 0; i < 8; i++) {
        hash = (hash ^ (rank & 0xff)) * UINT64_C(0x100000001b3);
        rank >>= 8;
    }
    return hash;
}

void key_chooser_init(struct key_chooser *chooser, enum rln_load_keys kind, uint64_t count,
                      double theta)
{
    chooser->kind = kind;
    chooser->count = count;
    chooser->theta = theta > 0 ? theta : ZIPF_THETA;
    atomic_init(&chooser->newest, count);
    if (kind != RLN_LOAD_KEYS_ZIPFIAN && kind != RLN_LOAD_KEYS_LATEST) {
        return;
    }
    double zeta = 0;
    for (uint64_t rank = 1; rank <= count; rank++) {
        zeta += pow(1.0 / (double)rank, chooser->theta);
    }
    chooser->half = pow(0.5, chooser->theta);
    chooser->zeta = zeta;
    chooser->alpha = 1.0 / (1.0 - chooser->theta);
    chooser->eta = count < 3 ? 1.0
                             : (1.0 - pow(2.0 / (double)count, 1.0 - chooser->theta)) /
                                   (1.0 - (1.0 + chooser->half) / zeta);
}

void key_walk_init(struct key_walk *walk, uint64_t seed, unsigned index, unsigned threads)
{
    random_init(&walk->dice, seed + index * UINT64_C(0x9e3779b97f4a7c15));
    walk->next = index;
    walk->step = threads;
}

/* A rank from 0, the most frequent, to count - 1. */
static uint64_t zipf_rank(const struct key_chooser *chooser, struct random *dice)
{
    double u = (double)(random_next(dice) >> 11) * 0x1p-53;
    double scaled = u * chooser->zeta;
    if (scaled < 1.0) {
        return 0;
    }
    if (scaled < 1.0 + chooser->half) {
        return chooser->count > 1 ? 1 : 0;
    }
    double rank =
        (double)chooser->count * pow(chooser->eta * u - chooser->eta + 1.0, chooser->alpha);
    uint64_t whole = rank > 0 ? (uint64_t)rank : 0;
    return whole < chooser->count ? whole : chooser->count - 1;
}

uint64_t key_choose(struct key_chooser *chooser, struct key_walk *walk)
{
    uint64_t id;
    switch (chooser->kind) {
    case RLN_LOAD_KEYS_ZIPFIAN:
        return scatter(zipf_rank(chooser, &walk->dice)) % chooser->count;
    case RLN_LOAD_KEYS_LATEST:
        return atomic_load_explicit(&chooser->newest, memory_order_relaxed) - 1 -
               zipf_rank(chooser, &walk->dice);
    case RLN_LOAD_KEYS_SEQUENTIAL:
        id = walk->next % chooser->count;
        walk->next += walk->step;
        return id;
    case RLN_LOAD_KEYS_UNIFORM:
    default:
        return random_below(&walk->dice, chooser->count);
    }
}

uint64_t key_create(struct key_chooser *chooser)
{
    return atomic_fetch_add_explicit(&chooser->newest, 1, memory_order_relaxed);
}
