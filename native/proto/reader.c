/* Which reader a command is for, and what resp_reader.c and line_reader.c have in common:
 * the list of arguments and the place inside a command that is not whole. */
#include "base/mem.h"
#include "proto/reader.h"
#include "proto/reader_state.h"

enum { FIRST_ARGUMENTS = 64 };

/* Bytes of one command of a batch, in a list of such. */
struct argument_scratch {
    struct argument_scratch *next;
    char at[];
};

static void free_scratch(struct argument_list *list)
{
    while (list->scratch != NULL) {
        struct argument_scratch *next = list->scratch->next;
        mem_free(list->scratch);
        list->scratch = next;
    }
}

void argument_list_release(struct argument_list *list)
{
    free_scratch(list);
    mem_free(list->at);
    *list = (struct argument_list){ 0 };
}

bool argument_list_grow(struct argument_list *list, size_t more)
{
    size_t needed = list->count + more;
    size_t room = list->room < FIRST_ARGUMENTS ? FIRST_ARGUMENTS : (size_t)list->room * 2;
    if (room < needed) {
        room = needed;
    }
    if (room > UINT32_MAX) {
        if (needed > UINT32_MAX) {
            return false;
        }
        room = needed;
    }
    struct bytes *at = mem_try_realloc(list->at, room * sizeof(*at));
    if (at == NULL) {
        return false;
    }
    list->at = at;
    list->room = (uint32_t)room;
    return true;
}

char *argument_list_scratch(struct argument_list *list, size_t len)
{
    if (list->count == 0) {
        free_scratch(list); /* A new batch: nobody looks at the old one's any more. */
    }
    struct argument_scratch *scratch = mem_try_alloc(sizeof(*scratch) + len);
    if (scratch == NULL) {
        return NULL;
    }
    scratch->next = list->scratch;
    list->scratch = scratch;
    return scratch->at;
}

void reader_init(struct reader *reader)
{
    reader->position = 0;
    reader->scanned = 0;
    reader->bulk_len = -1;
    reader->remaining = 0;
    reader->count = 0;
    reader->room = READER_FEW;
    reader->many = NULL;
}

void reader_release(struct reader *reader)
{
    mem_free(reader->many);
    reader->many = NULL;
}

void reader_destroy(struct reader *reader)
{
    if (reader != NULL) {
        reader_release(reader);
        mem_free(reader);
    }
}

size_t reader_memory(const struct reader *reader)
{
    if (reader == NULL) {
        return 0;
    }
    return mem_size(reader) + (reader->many != NULL ? mem_size(reader->many) : 0);
}

/* Doubles the room for spans. */
static bool grow_spans(struct reader *reader)
{
    size_t room = (size_t)reader->room * 2;
    if (room > UINT32_MAX) {
        return false;
    }
    struct reader_span *many = mem_try_realloc(reader->many, room * sizeof(*many));
    if (many == NULL) {
        return false;
    }
    if (reader->many == NULL) {
        memcpy(many, reader->few, reader->count * sizeof(*many));
    }
    reader->many = many;
    reader->room = (uint32_t)room;
    return true;
}

bool reader_add(struct reader *reader, size_t offset, size_t len)
{
    if (reader->count == reader->room && !grow_spans(reader)) {
        return false;
    }
    struct reader_span *spans = reader->many != NULL ? reader->many : reader->few;
    spans[reader->count++] = (struct reader_span){ offset, len };
    return true;
}

bool reader_keep(struct reader **reader, struct reader *local)
{
    if (*reader == local || (local->many == NULL && local->scanned < READER_SHORT_SCAN)) {
        return true;
    }
    struct reader *kept = mem_try_alloc(sizeof(*kept));
    if (kept == NULL) {
        reader_release(local);
        return false;
    }
    *kept = *local;
    *reader = kept;
    return true;
}

enum read_status reader_next(struct reader **reader, const struct reader_limits *limits,
                             struct bytes in, struct argument_list *arguments,
                             struct parsed_command *command, struct read_result *result)
{
    if (in.len > 0 && in.at[0] == '*') {
        return resp_reader_next(reader, limits, in, arguments, command, result);
    }
    return line_reader_next(reader, limits, in, arguments, command, result);
}
