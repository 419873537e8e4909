/* Bit offsets as SETBIT, GETBIT and BITFIELD read them; see bit_offset.c. */
#ifndef COMMANDS_BIT_OFFSET_H
#define COMMANDS_BIT_OFFSET_H

#include "exec/call.h"

/* 'width' is that of the integers which an offset of the form "#n" counts; 0: that form is none.
 * ERR_REPLIED: it is no offset, or lies beyond the longest string. */
MUST_CHECK enum err bit_offset_read(struct call *call, struct bytes text, unsigned width,
                                    uint64_t *offset);

#endif
