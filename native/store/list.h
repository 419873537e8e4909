/* List values.  A short list is one listpack; a long one (ENCODING_QUICKLIST) a chain of
 * pieces of a few kilobytes, each a listpack, where an element that is larger than a piece
 * stands alone in a blob.  Positions count from 0, negative ones from the end.
 *
 * Functions that change a list take its entry, whose pointer and encoding they may set; an
 * empty list is the caller's to delete.  list.c has the ends, and what value.c asks for;
 * list_edit.c the places between; list_node.c one piece. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "store/listpack.h"
#include "store/value.h"

struct list_node;

/* A list of no elements, as ENCODING_LISTPACK; for keyspace_add().  NULL when memory is
 * short. */
MUST_CHECK void *list_create(struct store_thread *thread);

/* How many elements. */
uint64_t list_count(const struct entry *entry);

/* ---- Ends ------------------------------------------------------------------------------ */

enum list_end { LIST_HEAD, LIST_TAIL };

/* Before elements are added (or one is replaced): turns the list into a long one if these
 * texts are too much for a short one.  False when memory is short. */
MUST_CHECK bool list_prepare(struct store_thread *thread, struct entry *entry,
                             const struct bytes *texts, uint32_t count);
/* Adds an element; after list_prepare().  'text' does not lie in the list.  False when
 * memory is short: nothing has changed. */
MUST_CHECK bool list_push(struct store_thread *thread, struct entry *entry, enum list_end end,
                          struct bytes text);
/* Removes up to 'count' elements from an end. */
void list_pop(struct store_thread *thread, struct entry *entry, enum list_end end, uint64_t count);
/* After elements were removed (or one was replaced): turns a long list into a short one if
 * it is small by now.  The list is not empty. */
void list_settle(struct store_thread *thread, struct entry *entry);

/* ---- Places ------------------------------------------------------------------------------ */

/* An element of a list.  Good until the list is changed by another way than the cursor. */
struct list_cursor {
    struct list_node *node;    /* of a long list */
    const struct listpack *lp; /* where 'at' is an offset; NULL for a large element */
    uint32_t at;
};

/* Puts the cursor on an element; false when there is none there. */
bool list_seek(const struct entry *entry, int64_t index, struct list_cursor *cursor);
/* To the neighbour; false when there is none, and then the cursor is good no more. */
bool list_next(struct list_cursor *cursor);
bool list_previous(struct list_cursor *cursor);

/* The element and those behind it within their piece, 'max' at most, borrowed: how many, 0 when the
 * element is a large one.  The cursor moves behind them; '*more': something is there. */
uint32_t list_read(struct list_cursor *cursor, struct listpack_value *values, uint32_t max,
                   bool *more);

/* The element; a large one is a string of its blob. */
struct listpack_value list_get(const struct list_cursor *cursor);
/* The same as text: borrowed, or written to 'room'. */
struct bytes list_text(const struct list_cursor *cursor, char room[LISTPACK_TEXT_ROOM]);
/* The blob of a large element, borrowed; NULL for the others. */
struct blob *list_blob(const struct list_cursor *cursor);
bool list_is(const struct list_cursor *cursor, struct bytes text);

/* Inserts before or behind the element, or puts 'text' in its place; after list_prepare() and
 * with a cursor made after that.  'text' does not lie in the list.  The cursor is good no
 * more.  False when memory is short: nothing has changed. */
MUST_CHECK bool list_insert(struct store_thread *thread, struct entry *entry,
                            struct list_cursor *cursor, bool behind, struct bytes text);
MUST_CHECK bool list_replace(struct store_thread *thread, struct entry *entry,
                             struct list_cursor *cursor, struct bytes text);
/* Deletes the element and puts the cursor on the one behind it ('backwards': before it); false
 * when there is none. */
bool list_delete(struct store_thread *thread, struct entry *entry, struct list_cursor *cursor,
                 bool backwards);
/* Deletes up to 'count' elements from a position, not negative, on. */
void list_delete_range(struct store_thread *thread, struct entry *entry, uint64_t index,
                       uint64_t count);

/* ---- Pieces: for snapshots ---------------------------------------------------------------- */

/* The first piece of a long list, and the next one; NULL for none. */
const struct list_node *list_first_node(const struct entry *entry);
const struct list_node *list_next_node(const struct list_node *node);
/* The piece's listpack, or a large element's bytes. */
struct bytes list_node_content(const struct list_node *node, bool *is_plain);
/* An empty long list, and a piece from such content added to its end.  False (NULL) when
 * memory is short; listpack_check() accepted the content, and it has elements. */
MUST_CHECK void *list_create_long(struct store_thread *thread);
MUST_CHECK bool list_load_node(struct store_thread *thread, void *list, struct bytes content,
                               bool is_plain);
/* An element added to the end of such a list, as list_push() does it. */
MUST_CHECK bool list_load_element(struct store_thread *thread, void *list, struct bytes text);
/* When all is there: makes a short list of one that is small enough, if memory allows. */
void list_load_done(struct store_thread *thread, void **list, enum encoding *encoding);
/* DEBUG LISTPACK and the like: pieces of a long list. */
uint64_t list_nodes(const struct entry *entry);

/* ---- For value.c, which says what each does ------------------------------------------- */

/* What value.h asks of every type; see there. */
void list_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool list_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *list_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t list_elements(enum encoding encoding, const void *pointer);
size_t list_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
