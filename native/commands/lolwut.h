/* The picture of LOLWUT. */
#ifndef COMMANDS_LOLWUT_H
#define COMMANDS_LOLWUT_H

#include "base/buf.h"
#include "base/random.h"

/* Appends a picture, another one each time, and the line with the version. */
void lolwut_draw(struct random *dice, struct buf *out);

#endif
