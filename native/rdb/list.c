/* Lists as they are serialised:
 *
 *   QUICKLIST_2       pieces | (container | string) ...: one large element, or a listpack
 *   QUICKLIST         pieces | string ...: ziplists
 *   LIST_ZIPLIST      string: a ziplist
 *   LIST              elements | string ... */
#include "rdb/listing.h"
#include "rdb/types.h"
#include "store/list.h"

void rdb_list_write(struct rdb_writer *writer, const struct entry *entry)
{
    if (entry->encoding == ENCODING_LISTPACK) {
        rdb_write_len(writer, 1);
        rdb_write_len(writer, RDB_PACKED);
        rdb_write_string(writer, listpack_bytes(entry_pointer(entry)));
        return;
    }
    rdb_write_len(writer, list_nodes(entry));
    for (const struct list_node *node = list_first_node(entry); node != NULL;
         node = list_next_node(node)) {
        bool is_plain;
        struct bytes content = list_node_content(node, &is_plain);
        rdb_write_len(writer, is_plain ? RDB_PLAIN : RDB_PACKED);
        rdb_write_string(writer, content);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void require_memory(struct rdb_reader *reader, bool there)
{
    if (!there) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
    }
}

/* One piece as it is; an empty one is passed over. */
static void read_piece(struct rdb_reader *reader, struct store_thread *thread, void *list,
                       struct rdb_text *text)
{
    uint64_t container = rdb_read_len(reader);
    rdb_read_string(reader, text);
    if (!rdb_require(reader, container == RDB_PLAIN || container == RDB_PACKED)) {
        return;
    }
    bool is_plain = container == RDB_PLAIN;
    if (!rdb_require(reader, is_plain || listpack_check(text->bytes, true))) {
        return;
    }
    const struct listpack *lp = (const struct listpack *)(const void *)text->bytes.at;
    if (is_plain || listpack_count(lp) > 0) {
        require_memory(reader, list_load_node(thread, list, text->bytes, is_plain));
    }
}

static void read_ziplist(struct rdb_reader *reader, struct store_thread *thread, void *list,
                         struct rdb_text *text)
{
    struct rdb_listing listing;
    rdb_read_string(reader, text);
    rdb_require(reader, rdb_listing_open(&listing, RDB_IN_ZIPLIST, text->bytes));
    while (reader->err == OK && listing.taken < listing.count) {
        char digits[NUM_INT_ROOM];
        struct bytes element = rdb_listing_next(&listing, digits);
        require_memory(reader, list_load_element(thread, list, element));
    }
}

static void read_element(struct rdb_reader *reader, struct store_thread *thread, void *list,
                         struct rdb_text *text)
{
    rdb_read_string(reader, text);
    require_memory(reader, reader->err != OK || list_load_element(thread, list, text->bytes));
}

void rdb_list_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value)
{
    struct rdb_text text = { 0 };
    void *list = list_create_long(thread);
    if (list == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return;
    }
    uint64_t count = type == RDB_LIST_ZIPLIST ? 1 : rdb_read_count(reader, 1);
    for (; count > 0 && reader->err == OK; count--) {
        if (type == RDB_LIST_QUICKLIST_2) {
            read_piece(reader, thread, list, &text);
        } else if (type == RDB_LIST) {
            read_element(reader, thread, list, &text);
        } else {
            read_ziplist(reader, thread, list, &text);
        }
    }
    rdb_text_release(&text);
    value->type = VALUE_LIST;
    value->encoding = ENCODING_QUICKLIST;
    value->pointer = list;
    if (rdb_require(reader, list_elements(value->encoding, list) > 0)) {
        list_load_done(thread, &value->pointer, &value->encoding);
    }
}
