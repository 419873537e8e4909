/* Listpack: a compact run of strings and integers in one block of bytes, in exactly the
 * format that Redis's RDB files carry (antirez/listpack, listpack.md), so that loading and
 * DUMP are a copy.  A listpack ends up in one allocation whose owner passes it in and takes
 * it back, for every change may move it.
 *
 * Functions that read are safe on a listpack that listpack_check() accepted. */
#ifndef STORE_LISTPACK_H
#define STORE_LISTPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct store_thread;

/* The bytes of a listpack as they stand in memory and in RDB files. */
struct listpack;

enum { LISTPACK_MAX = 1024 * 1024 * 1024 }; /* 1 GiB, Redis's safety limit */

/* An element, as stored: a string (borrowed) or an integer. */
struct listpack_value {
    struct bytes string; /* .at is NULL for an integer */
    int64_t integer;
};
/* Room for listpack_text(). */
enum { LISTPACK_TEXT_ROOM = 21 };

/* Empty, with room for 'room' bytes.  NULL when memory is short. */
MUST_CHECK struct listpack *listpack_create(struct store_thread *thread, size_t room);
void listpack_destroy(struct store_thread *thread, struct listpack *lp);
/* A copy of 'len' valid bytes (listpack_check() accepted them), or NULL. */
MUST_CHECK struct listpack *listpack_load(struct store_thread *thread, struct bytes bytes);

/* The whole block, borrowed; its bytes with what the allocator adds. */
struct bytes listpack_bytes(const struct listpack *lp);
size_t listpack_memory(const struct listpack *lp);
uint32_t listpack_count(const struct listpack *lp); /* counts when the header does not know */

/* True when the bytes are a whole, sound listpack; never reads outside.  'deep' looks at every
 * element too. */
bool listpack_check(struct bytes bytes, bool deep);

/* Elements are named by their offset in the listpack; 0 stands for none. */
uint32_t listpack_first(const struct listpack *lp);
uint32_t listpack_last(const struct listpack *lp);
uint32_t listpack_next(const struct listpack *lp, uint32_t at);
uint32_t listpack_previous(const struct listpack *lp, uint32_t at);
/* The element with a number; negative ones count from the end.  From the nearer end. */
uint32_t listpack_seek(const struct listpack *lp, int64_t index);

struct listpack_value listpack_get(const struct listpack *lp, uint32_t at);

/* The element at '*at' and those behind it, 'max' at most: how many.  '*at' becomes the element
 * behind them, or 0 at the end.  Borrowed, as those of listpack_get() are. */
uint32_t listpack_take(const struct listpack *lp, uint32_t *at, struct listpack_value *values,
                       uint32_t max);
/* The element as text: borrowed from the listpack, or written to 'room'. */
struct bytes listpack_text(const struct listpack *lp, uint32_t at, char room[LISTPACK_TEXT_ROOM]);
/* Whether the element is this string (integers compare as Redis stores them). */
bool listpack_is(const struct listpack *lp, uint32_t at, struct bytes text);
/* The first element from 'at' on that is 'text', looking at every 'step'-th; 0: none. */
uint32_t listpack_find(const struct listpack *lp, uint32_t at, struct bytes text, uint32_t step);

/* Changes.  '*lp' may move.  False when memory is short or it would pass LISTPACK_MAX; then
 * nothing has changed.  Text that is an integer's canonical form is stored as one. */
MUST_CHECK bool listpack_append(struct store_thread *thread, struct listpack **lp,
                                struct bytes text);
MUST_CHECK bool listpack_prepend(struct store_thread *thread, struct listpack **lp,
                                 struct bytes text);
/* Before the element at 'at' (0: at the end); the new element's offset is in '*at'. */
MUST_CHECK bool listpack_insert(struct store_thread *thread, struct listpack **lp, uint32_t *at,
                                struct bytes text);
MUST_CHECK bool listpack_replace(struct store_thread *thread, struct listpack **lp, uint32_t *at,
                                 struct bytes text);
/* Deletes 'count' elements from 'at' on; returns the offset of the one behind them, or 0. */
uint32_t listpack_delete(struct store_thread *thread, struct listpack **lp, uint32_t at,
                         uint32_t count);
/* The bytes an element of this text takes. */
size_t listpack_element_size(struct bytes text);

#endif
