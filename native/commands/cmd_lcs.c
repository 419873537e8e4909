/* LCS: the longest common subsequence of two strings. */
#include "base/mem.h"
#include "commands/families.h"
#include "commands/lookup.h"

struct lcs_options {
    bool length, indexes, match_lengths;
    int64_t min_match;
};

/* The two strings and, for every pair of their beginnings, the length of the longest common
 * subsequence of the two: cell (i, j) is about the first i bytes of a and j bytes of b. */
struct lcs_table {
    struct bytes a, b;
    uint32_t *cells;
};

static inline uint32_t *cell(const struct lcs_table *table, size_t i, size_t j)
{
    return &table->cells[i * (table->b.len + 1) + j];
}

static enum err fail(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

static MUST_CHECK enum err read_options(struct call *call, struct lcs_options *options)
{
    struct args *args = &call->args;
    *options = (struct lcs_options){ 0 };
    while (args->err == OK && args_left(args) > 0) {
        if (args_option(args, LIT("IDX"))) {
            options->indexes = true;
        } else if (args_option(args, LIT("LEN"))) {
            options->length = true;
        } else if (args_option(args, LIT("WITHMATCHLEN"))) {
            options->match_lengths = true;
        } else if (args_option_with(args, LIT("MINMATCHLEN"), 1)) {
            options->min_match = args_int(args);
        } else {
            args_unknown(args);
        }
    }
    enum err err = args_end(args);
    if (err == OK && options->indexes && options->length) {
        return fail(call, LIT("ERR If you want both the length and indexes, please just use IDX."));
    }
    return err;
}

static MUST_CHECK enum err read_strings(struct call *call, struct lcs_table *table)
    REQUIRES(*call->keys)
{
    struct bytes *strings[] = { &table->a, &table->b };
    bool all_strings = true;
    for (uint32_t i = 0; i < 2; i++) {
        struct entry *entry;
        enum err err =
            keyspace_find(call->keyspace, call->keys, args_next(&call->args), VALUE_ANY, &entry);
        if (err != OK) {
            return err;
        }
        lookup_count(call, entry != NULL);
        if (entry != NULL && entry->type != VALUE_STRING) {
            all_strings = false;
        } else {
            *strings[i] = entry != NULL ? entry_string(entry) : LIT("");
        }
    }
    if (!all_strings) {
        return fail(call, LIT("ERR The specified keys must contain string values"));
    }
    return OK;
}

/* Allocates and fills the table; a successful caller frees its cells. */
static MUST_CHECK enum err fill(struct call *call, struct lcs_table *table)
{
    if (table->a.len >= UINT32_MAX - 1 || table->b.len >= UINT32_MAX - 1) {
        return fail(call, LIT("ERR String too long for LCS"));
    }
    size_t size;
    if (__builtin_mul_overflow((table->a.len + 1) * sizeof *table->cells, table->b.len + 1,
                               &size) ||
        size > call->engine->settings.max_bulk_len) {
        return fail(call, LIT("ERR Insufficient memory, transient memory for LCS exceeds "
                              "proto-max-bulk-len"));
    }
    table->cells = mem_try_alloc(size);
    if (table->cells == NULL) {
        return fail(call, LIT("ERR Insufficient memory, failed allocating transient memory for "
                              "LCS"));
    }
    for (size_t j = 0; j <= table->b.len; j++) {
        *cell(table, 0, j) = 0;
    }
    for (size_t i = 1; i <= table->a.len; i++) {
        const uint32_t *above = cell(table, i - 1, 0);
        uint32_t *row = cell(table, i, 0);
        char c = table->a.at[i - 1];
        row[0] = 0;
        for (size_t j = 1; j <= table->b.len; j++) {
            uint32_t longest = above[j] > row[j - 1] ? above[j] : row[j - 1];
            row[j] = c == table->b.at[j - 1] ? above[j - 1] + 1 : longest;
        }
    }
    return OK;
}

/* Goes from the pair ('*i', '*j') towards the beginnings to the next pair of equal bytes;
 * false when there is none. */
static bool seek_match(const struct lcs_table *table, size_t *i, size_t *j)
{
    while (*i > 0 && *j > 0) {
        if (table->a.at[*i - 1] == table->b.at[*j - 1]) {
            return true;
        }
        if (*cell(table, *i - 1, *j) > *cell(table, *i, *j - 1)) {
            --*i;
        } else {
            --*j;
        }
    }
    return false;
}

/* Replies the runs of equal bytes, the last one of the strings first. */
static void reply_matches(struct reply *reply, const struct lcs_table *table,
                          const struct lcs_options *options)
{
    size_t i = table->a.len, j = table->b.len, count = 0;
    reply_map(reply, 2);
    reply_bytes(reply, LIT("matches"));
    struct reply_mark begin = reply_begin_deferred(reply);
    while (seek_match(table, &i, &j)) {
        size_t a_end = i, b_end = j;
        while (i > 0 && j > 0 && table->a.at[i - 1] == table->b.at[j - 1]) {
            i--;
            j--;
        }
        int64_t len = (int64_t)(a_end - i);
        if (len < options->min_match) {
            continue;
        }
        reply_array(reply, options->match_lengths ? 3 : 2);
        reply_array(reply, 2);
        reply_integer(reply, (int64_t)i);
        reply_integer(reply, (int64_t)a_end - 1);
        reply_array(reply, 2);
        reply_integer(reply, (int64_t)j);
        reply_integer(reply, (int64_t)b_end - 1);
        if (options->match_lengths) {
            reply_integer(reply, len);
        }
        count++;
    }
    reply_end_array(reply, begin, count);
    reply_bytes(reply, LIT("len"));
    reply_integer(reply, *cell(table, table->a.len, table->b.len));
}

/* Replies the subsequence itself, which is put together from its end. */
static MUST_CHECK enum err reply_subsequence(struct reply *reply, const struct lcs_table *table)
{
    size_t i = table->a.len, j = table->b.len, len = *cell(table, i, j), at = len;
    char *text = mem_try_alloc(len + 1);
    if (text == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    while (seek_match(table, &i, &j)) {
        text[--at] = table->a.at[i - 1];
        i--;
        j--;
    }
    reply_bytes(reply, (struct bytes){ text, len });
    mem_free(text);
    return OK;
}

static enum err lcs(struct call *call) REQUIRES(*call->keys)
{
    struct lcs_table table = { 0 };
    struct lcs_options options;
    enum err err = read_strings(call, &table);
    if (err == OK) {
        err = read_options(call, &options);
    }
    if (err == OK) {
        err = fill(call, &table);
    }
    if (err != OK) {
        return err;
    }
    if (options.indexes) {
        reply_matches(call->reply, &table, &options);
    } else if (options.length) {
        reply_integer(call->reply, *cell(&table, table.a.len, table.b.len));
    } else {
        err = reply_subsequence(call->reply, &table);
    }
    mem_free(table.cells);
    return err;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "lcs", .handler = lcs, .arity = -3, .group = GROUP_STRING,
        .flags = CMD_READONLY,
        .keys = { KEYS_FROM(1, 1, 1, KEY_RO | KEY_ACCESS) },
        .since = "7.0.0", .complexity = "O(N*M) where N and M are the lengths of the two strings.",
        .summary = "Finds the longest common subsequence of two strings.",
        .syntax = "key1:key key2:key [LEN] [IDX] [MINMATCHLEN len:int] [WITHMATCHLEN]",
    },
};
/* clang-format on */

const struct command_family cmd_lcs_family = { rows, sizeof rows / sizeof rows[0] };
