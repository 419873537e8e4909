/* The words of commands at random: what an argument may be, by its name and type; see
 * at_random.h. */
#ifndef TEST_AT_RANDOM_WORDS_H
#define TEST_AT_RANDOM_WORDS_H

#include "base/num.h"
#include "check.h"
#include "exec/command.h"
#include "exec/syntax_parse.h"

enum { AT_RANDOM_IDS = 16, AT_RANDOM_ID_LEN = 44, AT_RANDOM_TEXT = 4096, AT_RANDOM_LONG = 5000 };

struct at_random_id {
    char at[AT_RANDOM_ID_LEN];
    uint8_t len;
};

struct at_random_words {
    uint64_t dice;
    int64_t now_ms;
    struct at_random_id ids[AT_RANDOM_IDS]; /* of stream entries that replies have named */
    uint32_t learnt;
    char text[AT_RANDOM_TEXT]; /* of the command's words that are no literals */
    size_t used;
};

/* Choices of words, divided by a space; "''" is the empty one. */
#define AT_RANDOM_KEYS_ANY "any:1 any:2 {tag}3 ''"
#define AT_RANDOM_VALUES                                                                           \
    "'' x hello 0 1 -1 42 007 3.25 1e3 -0 9223372036854775806 -9223372036854775808 a b c d e "     \
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz "  \
    "LONG LONG2"
#define AT_RANDOM_MEMBERS                                                                          \
    "1 2 3 4 5 -5 70000 -70000 5000000000 a b c d e f m:1 m:2 '' "                                 \
    "a-member-longer-than-sixty-four-bytes-so-that-no-small-encoding-holds-it"
#define AT_RANDOM_FIELDS "f g h i j 1 2 -70000 '' " AT_RANDOM_LONG_FIELD
#define AT_RANDOM_LONG_FIELD                                                                       \
    "a-field-longer-than-sixty-four-bytes-so-that-no-small-encoding-holds-it-any-more"
#define AT_RANDOM_DOUBLES "0 1 2 3 1.5 -2.25 1e3 0.1 10 -5 100 (1 (3 inf -inf +inf 3.0 -0.0"
#define AT_RANDOM_NASTY                                                                            \
    "nan inf -inf 1e400 9223372036854775807 -9223372036854775808 9223372036854775808 '' x "        \
    "18446744073709551615 4294967296 1.5 0x10 -1 -0 +1 NOPE"
#define AT_RANDOM_COUNTS "1 1 2 2 3 5 10 10 100 0 -1"

static inline bool at_random_begins(struct bytes text, struct bytes with)
{
    return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

static inline uint64_t at_random_below(struct at_random_words *words, uint64_t bound)
{
    return check_random_below(&words->dice, bound);
}

static inline void at_random_words_begin(struct at_random_words *words, int64_t now_ms)
{
    words->now_ms = now_ms;
    words->used = 0;
}

/* One of the words of 'choices'. */
static inline struct bytes at_random_pick(struct at_random_words *words, const char *choices)
{
    static const char filler[AT_RANDOM_LONG] = { 'l', 'o', 'n', 'g' };
    uint64_t count = 1;
    for (const char *at = choices; *at != '\0'; at++) {
        count += *at == ' ';
    }
    const char *word = choices;
    for (uint64_t left = at_random_below(words, count); left > 0; left--) {
        word = strchr(word, ' ') + 1;
    }
    struct bytes picked = { word, strcspn(word, " ") };
    if (bytes_equal(picked, LIT("''"))) {
        return LIT("");
    }
    if (at_random_begins(picked, LIT("LONG"))) {
        return (struct bytes){ filler, AT_RANDOM_LONG - (picked.len > 4 ? 4000 : 0) };
    }
    return picked;
}

static inline struct bytes at_random_junk(struct at_random_words *words)
{
    return at_random_pick(words, AT_RANDOM_NASTY);
}

/* A number as a word of this command. */
static inline struct bytes at_random_number(struct at_random_words *words, int64_t number)
{
    CHECK(words->used + NUM_INT_ROOM <= AT_RANDOM_TEXT);
    char *at = words->text + words->used;
    size_t len = num_format_i64(at, number);
    words->used += len;
    return (struct bytes){ at, len };
}

/* A key, for the most part one that holds what the command is about. */
static inline struct bytes at_random_key(struct at_random_words *words, enum command_group group)
{
    static const char *const keys[] = {
        [GROUP_STRING] = "s:1 s:2 s:3",      [GROUP_BITMAP] = "s:1 s:2 s:3",
        [GROUP_LIST] = "l:1 l:2 l:3",        [GROUP_SET] = "set:1 set:2 set:3",
        [GROUP_SORTED_SET] = "z:1 z:2 z:3",  [GROUP_GEO] = "z:1 geo:1 geo:2",
        [GROUP_HASH] = "h:1 h:2 h:3",        [GROUP_STREAM] = "x:1 x:2",
        [GROUP_HYPERLOGLOG] = "p:1 p:2 p:3",
    };
    bool known = (size_t)group < sizeof keys / sizeof *keys && keys[group] != NULL;
    if (known && at_random_below(words, 8) != 0) {
        return at_random_pick(words, keys[group]);
    }
    return at_random_pick(words, "s:1 s:2 l:1 l:2 set:1 set:2 z:1 z:2 geo:1 h:1 h:2 x:1 x:2 p:1 "
                                 "p:2 " AT_RANDOM_KEYS_ANY);
}

/* A stream entry's id: one that there is, or a place near it. */
static inline struct bytes at_random_stream_id(struct at_random_words *words,
                                               const struct command *row)
{
    if (strcmp(row->name, "xreadgroup") == 0 && at_random_below(words, 3) != 0) {
        return LIT(">");
    }
    if (strcmp(row->name, "xadd") == 0 && at_random_below(words, 2) == 0) {
        return LIT("*");
    }
    uint32_t known = words->learnt < AT_RANDOM_IDS ? words->learnt : AT_RANDOM_IDS;
    if (known > 0 && at_random_below(words, 3) != 0) {
        const struct at_random_id *id = &words->ids[at_random_below(words, known)];
        CHECK(words->used + id->len <= AT_RANDOM_TEXT);
        char *at = memcpy(words->text + words->used, id->at, id->len);
        words->used += id->len;
        return (struct bytes){ at, id->len };
    }
    return at_random_pick(words, "0 0-1 1-1 2-1 3-1 4-1 5-* 6 7-7 9-* 20-1 30 > > > $ - + * (1-1 "
                                 "18446744073709551615-18446744073709551615 0-0 1-2-3 -1-1");
}

/* Is the argument's name one of these, divided by spaces? */
static inline bool at_random_is(const struct syntax_node *node, const char *names)
{
    for (const char *at = names; *at != '\0';) {
        size_t len = strcspn(at, " ");
        if (bytes_equal_nocase(node->name, (struct bytes){ at, len })) {
            return true;
        }
        at += at[len] == ' ' ? len + 1 : len;
    }
    return false;
}

/* A time of the present, mostly of the future. */
static inline struct bytes at_random_time(struct at_random_words *words, bool seconds)
{
    int64_t unit = seconds ? 1000 : 1;
    if (at_random_below(words, 20) == 0) {
        return at_random_pick(words, "0 -1 1 9223372036854775807 9223372036854775 x");
    }
    int64_t from_now = (int64_t)at_random_below(words, 40000) - 2000;
    return at_random_number(words, (words->now_ms + from_now) / unit);
}

/* What the words mean that several kinds of values have: places in them. */
static inline struct bytes at_random_place(struct at_random_words *words, const struct command *row,
                                           const struct syntax_node *node)
{
    if (row->group == GROUP_STREAM) {
        return at_random_stream_id(words, row);
    }
    if (strstr(row->name, "bylex") != NULL || strstr(row->name, "lexcount") != NULL) {
        return at_random_pick(words, "- - + + [a (a [b (d [m (m [ ( x");
    }
    if (strstr(row->name, "byscore") != NULL) {
        return at_random_pick(words, "-inf -inf +inf +inf 0 1 (1 2 (3 100 -5 x");
    }
    if (node->type == SYNTAX_INTEGER) {
        return at_random_pick(words, "0 0 1 2 3 5 -1 -1 -2 -3 -5 100 -100 20000");
    }
    return at_random_pick(words, "0 1 2 -1 -2 - + [a [b (b (d [m (1 (2 -inf +inf inf 1 3 [ (");
}

/* By the argument's name; an empty answer with no place: there is no such name here. */
static inline struct bytes at_random_by_name(struct at_random_words *words,
                                             const struct command *row,
                                             const struct syntax_node *node)
{
    static const struct {
        const char *names, *choices;
    } pools[] = {
        { "field", AT_RANDOM_FIELDS },
        { "member member1 member2", AT_RANDOM_MEMBERS },
        { "element pivot value", AT_RANDOM_VALUES },
        { "group groupname", "g1 g1 g2 g3" },
        { "consumer consumername", "c1 c1 c2 c3 c4" },
        { "seconds", "1 2 5 10 100 1000 0 -1 9223372036854775807 x" },
        { "milliseconds", "1 20 500 5000 100000 0 -1 9223372036854775807 x" },
        { "min-idle-time ms", "0 0 0 1 500 5000 -1" },
        { "count num-matches limit rank", AT_RANDOM_COUNTS },
        { "timeout", "0.01 0.5 0 1 2 x -1" },
        { "encoding", "u1 u8 i8 i5 u16 u63 i64 u64 x" },
        { "destination-db db index1 index2", "0 0 1 2 3 16" },
        { "increment decrement",
          "1 2 -1 10 1.5 -2.25 1e3 9223372036854775807 -9223372036854775808" },
        { "radius width height", "1 100 1000 20000 0 -1" },
        { "longitude latitude", "13.361389 38.115556 15.087269 37.502669 0 1.5 -80 181" },
        { "section", "all default keyspace" },
        { "retrycount entries-read entries-added", "0 1 2 5 100" },
        { "subcommand", "ENCODING DECODE TODENSE GETREG SELFTEST" },
        { "type", "string list set zset hash stream" },
    };
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (at_random_is(node, pools[i].names)) {
            return at_random_pick(words, pools[i].choices);
        }
    }
    if (at_random_is(node, "id last-id lastid max-deleted-id")) {
        return at_random_stream_id(words, row);
    }
    if (at_random_is(node, "threshold")) { /* of MAXLEN, or of MINID */
        return at_random_below(words, 2) == 0 ? at_random_stream_id(words, row)
                                              : at_random_pick(words, AT_RANDOM_COUNTS);
    }
    if (at_random_is(node, "start end stop min max")) {
        return at_random_place(words, row, node);
    }
    if (at_random_is(node, "offset") && row->group == GROUP_BITMAP) {
        return at_random_pick(words, "0 1 7 8 30 #1 #3 1000 9000 -1 4294967296");
    }
    return (struct bytes){ NULL, 0 };
}

/* A word for an argument that is no token. */
static inline struct bytes at_random_word(struct at_random_words *words, const struct command *row,
                                          const struct syntax_node *node)
{
    if (at_random_below(words, 60) == 0) {
        return at_random_junk(words);
    }
    if (node->type == SYNTAX_KEY) {
        return at_random_key(words, (enum command_group)row->group);
    }
    if (node->type == SYNTAX_UNIX_TIME) {
        bool seconds = !at_random_is(node, "unix-time-milliseconds");
        return at_random_time(words, seconds);
    }
    struct bytes word = at_random_by_name(words, row, node);
    if (word.at != NULL) {
        return word;
    }
    switch (node->type) {
    case SYNTAX_INTEGER:
        return at_random_pick(words, "0 1 1 2 3 5 7 10 -1 100");
    case SYNTAX_DOUBLE:
        return at_random_pick(words, AT_RANDOM_DOUBLES);
    case SYNTAX_PATTERN:
        return at_random_pick(words, "* a* ? [a-c] *1 nothing \\a");
    default:
        return at_random_pick(words, AT_RANDOM_VALUES);
    }
}

#endif
