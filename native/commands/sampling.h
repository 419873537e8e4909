/* Some of many by chance, none twice: HRANDFIELD, SRANDMEMBER and their like with a count. */
#ifndef COMMANDS_SAMPLING_H
#define COMMANDS_SAMPLING_H

#include <stdbool.h>

#include "base/err.h"
#include "base/random.h"

/* Passing by 'left' elements, of which 'wanted' are to be taken, every choice of them being
 * as likely as any other. */
struct sampling {
    uint64_t left, wanted;
};

/* Whether to take the next one. */
static inline bool sampling_takes(struct sampling *sampling, struct random *dice)
{
    bool takes = sampling->wanted > 0 && random_below(dice, sampling->left) < sampling->wanted;
    sampling->left--;
    sampling->wanted -= takes;
    return takes;
}

/* Whether so many of a collection that can be asked for one by chance had better be drawn one
 * by one, and those met again passed over. */
static inline bool sampling_draws(uint64_t wanted, uint64_t of)
{
    return wanted < of / 3;
}

/* Elements drawn so far, known by their addresses. */
struct drawn {
    const void **slots;
    uint64_t mask;
};

/* Room for 'count'; false when memory is short. */
MUST_CHECK bool drawn_init(struct drawn *drawn, uint64_t count);
void drawn_release(struct drawn *drawn);
/* False when it was there. */
bool drawn_add(struct drawn *drawn, const void *element);

#endif
