/* A whole data set as text, so that two servers can be compared: what each key holds, when it
 * ends, streams with their groups; not how it is encoded, nor when it was used. */
#ifndef TEST_DATA_SET_H
#define TEST_DATA_SET_H

#include "base/mem.h"
#include "base/num.h"
#include "run.h"

/* The elements of the newest reply, an array that is flat; borrowed as the reply is. */
struct data_set_elements {
    struct bytes *at;
    size_t count, room;
};

static inline void data_set_add(struct data_set_elements *elements, struct bytes element)
{
    if (elements->count == elements->room) {
        elements->room = elements->room * 2 + 16;
        elements->at = mem_realloc(elements->at, elements->room * sizeof *elements->at);
    }
    elements->at[elements->count++] = element;
}

static inline void data_set_free(struct data_set_elements *elements)
{
    mem_free(elements->at);
    *elements = (struct data_set_elements){ 0 };
}

static inline size_t data_set_line(struct bytes text, size_t at)
{
    const char *end = memchr(text.at + at, '\r', text.len - at);
    CHECK(end != NULL);
    return (size_t)(end - text.at) - at;
}

/* 'nested': the headers of arrays are elements, too. */
static inline void data_set_parse(struct bytes reply, bool nested,
                                  struct data_set_elements *elements)
{
    elements->count = 0;
    for (size_t at = 0; at < reply.len;) {
        char kind = reply.at[at];
        size_t len = data_set_line(reply, at);
        struct bytes line = { reply.at + at + 1, len - 1 };
        at += len + 2;
        if (kind == '*' && !nested) {
            continue;
        }
        int64_t size = -1;
        if (kind == '$' && num_parse_i64(line, &size) && size >= 0) {
            line = (struct bytes){ reply.at + at, (size_t)size };
            at += (size_t)size + 2;
        }
        data_set_add(elements, line);
    }
}

static inline int data_set_order(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* A value as text of one line; long ones are told by their hash. */
static inline void data_set_write(struct buf *out, struct bytes value)
{
    char text[200];
    check_quote(value, text, sizeof text);
    buf_printf(out, " \"%s\"", text);
    if (value.len > 40) {
        uint64_t hash = 14695981039346656037u;
        for (size_t i = 0; i < value.len; i++) {
            hash = (hash ^ (unsigned char)value.at[i]) * 1099511628211u;
        }
        buf_printf(out, "(%zu, %016" PRIx64 ")", value.len, hash);
    }
}

/* All elements, those of 'each' together, in order unless 'sorted'. */
static inline void data_set_list(struct buf *out, struct bytes reply, size_t each, bool sorted)
{
    struct data_set_elements elements = { 0 };
    data_set_parse(reply, false, &elements);
    CHECK(elements.count % each == 0);
    if (sorted && elements.count > 0) {
        qsort(elements.at, elements.count / each, each * sizeof(struct bytes), data_set_order);
    }
    for (size_t i = 0; i < elements.count; i++) {
        data_set_write(out, elements.at[i]);
    }
    data_set_free(&elements);
}

/* Members with their scores.  Small sets keep no sign of a zero, in Redis neither. */
static inline void data_set_zset(struct buf *out, struct bytes reply)
{
    struct data_set_elements elements = { 0 };
    data_set_parse(reply, false, &elements);
    for (size_t i = 0; i < elements.count; i++) {
        bool zero = i % 2 == 1 && bytes_equal(elements.at[i], LIT("-0"));
        data_set_write(out, zero ? LIT("0") : elements.at[i]);
    }
    data_set_free(&elements);
}

/* Each field with its value and its end. */
static inline void data_set_hash(struct buf *out, struct run_client *client, struct bytes key)
{
    struct buf copy = { 0 };
    struct data_set_elements elements = { 0 };
    buf_append(&copy, RUN(client, LIT("HGETALL"), key));
    data_set_parse(buf_bytes(&copy), false, &elements);
    CHECK(elements.count > 0);
    qsort(elements.at, elements.count / 2, 2 * sizeof(struct bytes), data_set_order);
    for (size_t i = 0; i < elements.count; i += 2) {
        data_set_write(out, elements.at[i]);
        data_set_write(out, elements.at[i + 1]);
        struct bytes end =
            RUN(client, LIT("HPEXPIRETIME"), key, LIT("FIELDS"), LIT("1"), elements.at[i]);
        CHECK(end.len > 5 && memcmp(end.at, "*1\r\n:", 5) == 0);
        if (end.at[5] != '-') {
            buf_printf(out, " ends %.*s", (int)(end.len - 7), end.at + 5);
        }
    }
    data_set_free(&elements);
    buf_release(&copy);
}

/* Is it the name of a field whose value is no data: a moment of use, or the shape of a tree? */
static inline bool data_set_ignores(struct bytes name)
{
    static const char *const names[] = { "seen-time", "active-time", "radix-tree-keys",
                                         "radix-tree-nodes" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (bytes_equal(name, bytes_of(names[i]))) {
            return true;
        }
    }
    return false;
}

/* All of XINFO STREAM FULL.  'times': when pending entries were delivered counts, too. */
static inline void data_set_stream(struct buf *out, struct bytes reply, bool times)
{
    struct data_set_elements elements = { 0 };
    data_set_parse(reply, true, &elements);
    for (size_t i = 0; i < elements.count; i++) {
        int64_t number;
        struct bytes word = elements.at[i];
        bool masked = (i > 0 && data_set_ignores(elements.at[i - 1])) ||
                      (!times && num_parse_i64(word, &number) && number > RUN_START_MS / 2);
        data_set_write(out, masked ? LIT("...") : word);
    }
    data_set_free(&elements);
}

static inline void data_set_key(struct buf *out, struct run_client *client, struct bytes key,
                                bool times)
{
    char kind[16] = "";
    struct bytes type = RUN(client, LIT("TYPE"), key);
    CHECK(type.len > 3 && type.len < sizeof kind);
    memcpy(kind, type.at + 1, type.len - 3);
    data_set_write(out, key);
    buf_printf(out, " %s", kind);
    struct bytes end = RUN(client, LIT("PEXPIRETIME"), key);
    if (end.at[1] != '-') {
        buf_printf(out, " ends %.*s", (int)(end.len - 3), end.at + 1);
    }
    buf_append(out, LIT(":"));
    if (strcmp(kind, "string") == 0) {
        data_set_list(out, RUN(client, LIT("GET"), key), 1, false);
    } else if (strcmp(kind, "list") == 0) {
        data_set_list(out, RUN(client, LIT("LRANGE"), key, LIT("0"), LIT("-1")), 1, false);
    } else if (strcmp(kind, "set") == 0) {
        data_set_list(out, RUN(client, LIT("SMEMBERS"), key), 1, true);
    } else if (strcmp(kind, "zset") == 0) {
        data_set_zset(out, RUN(client, LIT("ZRANGE"), key, LIT("0"), LIT("-1"), LIT("WITHSCORES")));
    } else if (strcmp(kind, "hash") == 0) {
        data_set_hash(out, client, key);
    } else {
        CHECK_TEXT(kind, "stream");
        struct bytes reply =
            RUN(client, LIT("XINFO"), LIT("STREAM"), key, LIT("FULL"), LIT("COUNT"), LIT("0"));
        data_set_stream(out, reply, times);
    }
    buf_append(out, LIT("\n"));
}

/* Appends a line for each key, in order. */
static inline void data_set_text(struct buf *out, struct run_server *server, bool times)
{
    struct run_client client;
    struct buf copy = { 0 };
    struct data_set_elements keys = { 0 };
    run_client_init(&client, server);
    for (int db = 0; db < RUN_DATABASES; db++) {
        char line[32];
        snprintf(line, sizeof line, "SELECT %d", db);
        RUN_LINE(&client, line);
        copy.len = 0;
        buf_append(&copy, RUN_LINE(&client, "KEYS *"));
        data_set_parse(buf_bytes(&copy), false, &keys);
        if (keys.count > 0) {
            qsort(keys.at, keys.count, sizeof keys.at[0], data_set_order);
        }
        for (size_t i = 0; i < keys.count; i++) {
            buf_printf(out, "%d", db);
            data_set_key(out, &client, keys.at[i], times);
        }
    }
    run_client_release(&client);
    buf_release(&copy);
    data_set_free(&keys);
}

/* Fails with the first line that differs. */
static inline void data_set_check_same(struct bytes ours, struct bytes theirs)
{
    size_t at = 0, line = 0;
    while (at < ours.len && at < theirs.len && ours.at[at] == theirs.at[at]) {
        at++;
        line = ours.at[at - 1] == '\n' ? at : line;
    }
    if (at < ours.len || at < theirs.len) {
        fprintf(stderr, "data sets differ:\n  %.*s\n  %.*s\n", (int)strcspn(ours.at + line, "\n"),
                ours.at + line, (int)strcspn(theirs.at + line, "\n"), theirs.at + line);
        check_fail(__FILE__, __LINE__, "the data sets are the same");
    }
}

/* Fails unless both servers hold the same; 'times' as for data_set_text(). */
static inline void data_set_compare(struct run_server *ours, struct run_server *theirs, bool times)
{
    struct buf our_text = { 0 }, their_text = { 0 };
    data_set_text(&our_text, ours, times);
    data_set_text(&their_text, theirs, times);
    data_set_check_same(buf_bytes(&our_text), buf_bytes(&their_text));
    buf_release(&our_text);
    buf_release(&their_text);
}

#endif
