/* Libraries of functions from server to server; see functions_payload.h. */
#include "script/functions_payload.h"

#include "rdb/payload.h"

enum err functions_dump(struct scripting *scripting, struct buf *out)
{
    struct rdb_writer writer = { .version = RDB_VERSION_7_0, .compress = true };
    mutex_lock(&scripting->mutex);
    for (const struct library *at = scripting->libraries.first; at != NULL; at = at->next) {
        rdb_write_byte(&writer, RDB_FUNCTIONS);
        rdb_write_string(&writer, buf_bytes(&at->code));
    }
    mutex_unlock(&scripting->mutex);
    rdb_payload_seal(&writer, writer.version);
    if (writer.err == OK) {
        buf_append(out, buf_bytes(&writer.out));
    }
    buf_release(&writer.out);
    return writer.err;
}

/* Reads one library to the end of 'list'. */
static bool read_library(struct machine *machine, struct rdb_reader *reader,
                         struct library_list *list, struct buf *error)
{
    unsigned mark = rdb_read_byte(reader);
    if (mark == RDB_FUNCTIONS_EARLY) {
        buf_append(error, LIT("Pre-GA function format not supported"));
        return false;
    }
    if (mark != RDB_FUNCTIONS) {
        buf_append(error, LIT("given type is not a function"));
        return false;
    }
    struct rdb_text code = { 0 };
    rdb_read_string(reader, &code);
    struct library *library = NULL;
    if (reader->err == OK) {
        library = library_create(machine, code.bytes, error);
    } else {
        buf_append(error, LIT("Failed loading library code"));
    }
    rdb_text_release(&code);
    if (library == NULL) {
        return false;
    }
    if (!library_list_add(list, library, error)) {
        library_unref(library);
        return false;
    }
    return true;
}

bool functions_restore(struct machine *machine, struct bytes payload, bool skip_checksum,
                       enum functions_collision collision, struct buf *error)
{
    if (!rdb_payload_check(payload, skip_checksum)) {
        buf_append(error, LIT("DUMP payload version or checksum are wrong"));
        return false;
    }
    struct rdb_reader reader = { .in = rdb_payload_content(payload) };
    struct library_list list = { 0 };
    bool whole = true;
    while (whole && rdb_left(&reader) > 0) {
        whole = read_library(machine, &reader, &list, error);
    }
    whole = whole && functions_join(machine->scripting, &list, collision, error);
    library_list_release(&list);
    return whole;
}
