/* Values of every type, size and encoding, made by commands and dice; and whether two keys hold
 * the same.  On top of run.h. */
#ifndef TEST_VALUES_H
#define TEST_VALUES_H

#include "base/buf.h"
#include "run.h"

enum { VALUES_WORD_ROOM = 12000, VALUES_WORDS = 16 };

/* ---- Making ------------------------------------------------------------------------------------ */

/* Numbers, short and long words, words that compress well. */
static inline struct bytes values_word(uint64_t *dice, char room[VALUES_WORD_ROOM])
{
    static const int64_t edges[] = { 0,      1,         -1,        12,        127,       128,
                                     -128,   4095,      -4096,     32767,     -32768,    8388607,
                                     -65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1 << 24 };
    uint64_t kind = check_random_below(dice, 16);
    size_t len;
    if (kind < 5) {
        int64_t value = kind < 2 ? edges[check_random_below(dice, sizeof edges / sizeof edges[0])]
                                 : (int64_t)check_random(dice) >> check_random_below(dice, 64);
        return (struct bytes){ room, (size_t)snprintf(room, VALUES_WORD_ROOM, "%" PRId64, value) };
    }
    len = kind < 12 ? check_random_below(dice, 20) : check_random_below(dice, 300);
    len = check_random_below(dice, 60) == 0 ? check_random_below(dice, VALUES_WORD_ROOM) : len;
    for (size_t i = 0; i < len; i++) {
        room[i] = (kind & 1) != 0 ? (char)check_random(dice) : "abcdefgh"[i / 5 % 8];
    }
    return (struct bytes){ room, len };
}

/* Few mostly, now and then too many for a compact encoding. */
static inline uint64_t values_count(uint64_t *dice)
{
    uint64_t kind = check_random_below(dice, 12);
    return 1 + check_random_below(dice, kind < 8 ? 10 : kind < 11 ? 150 : 1000);
}

static inline struct bytes values_number(char room[32], uint64_t value)
{
    return (struct bytes){ room, (size_t)snprintf(room, 32, "%" PRIu64, value) };
}

static inline void values_make_list(struct run_client *client, uint64_t *dice, struct bytes key)
{
    char room[VALUES_WORD_ROOM];
    for (uint64_t left = values_count(dice); left > 0; left--) {
        struct bytes end = check_random_below(dice, 3) == 0 ? LIT("LPUSH") : LIT("RPUSH");
        RUN(client, end, key, values_word(dice, room));
    }
}

static inline void values_make_set(struct run_client *client, uint64_t *dice, struct bytes key)
{
    char room[VALUES_WORD_ROOM], digits[32];
    bool integers = check_random_below(dice, 2) == 0;
    for (uint64_t left = values_count(dice); left > 0; left--) {
        uint64_t number = check_random(dice) >> (1 + check_random_below(dice, 62));
        RUN(client, LIT("SADD"), key,
            integers ? values_number(digits, number) : values_word(dice, room));
    }
}

/* No field is set twice: a long value that a short one replaces would leave an encoding that a
 * reader of the fields alone does not choose. */
static inline void values_make_hash(struct run_client *client, uint64_t *dice, struct bytes key)
{
    char room[VALUES_WORD_ROOM], other[VALUES_WORD_ROOM], digits[32];
    bool some_end = check_random_below(dice, 3) == 0;
    for (uint64_t left = values_count(dice); left > 0; left--) {
        struct bytes name = values_word(dice, room);
        RUN(client, LIT("HSETNX"), key, name, values_word(dice, other));
        if (some_end && check_random_below(dice, 3) == 0) {
            struct bytes ms = values_number(digits, 1 + check_random_below(dice, 1 << 30));
            RUN(client, LIT("HPEXPIRE"), key, ms, LIT("FIELDS"), LIT("1"), name);
        }
    }
}

static inline void values_make_zset(struct run_client *client, uint64_t *dice, struct bytes key)
{
    static const char *const edges[] = { "0", "inf", "-inf", "-0.0", "1e308", "5e-324", "3.5" };
    char room[VALUES_WORD_ROOM], score[64];
    for (uint64_t left = values_count(dice); left > 0; left--) {
        uint64_t kind = check_random_below(dice, 20);
        double value = (double)((int64_t)check_random(dice) >> check_random_below(dice, 64));
        snprintf(score, sizeof score, "%.17g", kind < 10 ? value : value / 3);
        struct bytes text = kind < 7 ? bytes_of(edges[kind]) : bytes_of(score);
        RUN(client, LIT("ZADD"), key, text, values_word(dice, room));
    }
}

static inline void values_make_string(struct run_client *client, uint64_t *dice, struct bytes key)
{
    char room[VALUES_WORD_ROOM];
    RUN(client, LIT("SET"), key, values_word(dice, room));
    if (check_random_below(dice, 4) == 0) {
        RUN(client, LIT("APPEND"), key, values_word(dice, room));
    }
}

/* A few groups, whose consumers take some entries, and give some of them back. */
static inline void values_make_groups(struct run_client *client, uint64_t *dice, struct bytes key)
{
    static const char *const names[] = { "g", "h", "group 3", "" };
    static const char *const consumers[] = { "alice", "bob", "carol" };
    char count[32], id[64];
    for (uint64_t left = check_random_below(dice, 5); left > 0; left--) {
        struct bytes group = bytes_of(names[check_random_below(dice, 4)]);
        struct bytes consumer = bytes_of(consumers[check_random_below(dice, 3)]);
        RUN(client, LIT("XGROUP"), LIT("CREATE"), key, group, LIT("0"));
        RUN(client, LIT("XGROUP"), LIT("CREATECONSUMER"), key, group, consumer);
        RUN(client, LIT("XREADGROUP"), LIT("GROUP"), group,
            bytes_of(consumers[check_random_below(dice, 3)]), LIT("COUNT"),
            values_number(count, 1 + check_random_below(dice, 200)), LIT("STREAMS"), key, LIT(">"));
        for (uint64_t acks = check_random_below(dice, 10); acks > 0; acks--) {
            snprintf(id, sizeof id, "%" PRIu64 "-0", check_random_below(dice, 300));
            RUN(client, LIT("XACK"), key, group, bytes_of(id));
        }
        RUN(client, LIT("XAUTOCLAIM"), key, group, consumer, LIT("0"), LIT("0"), LIT("COUNT"),
            LIT("3"));
        run_advance_ms(client->server, 1 + (int64_t)check_random_below(dice, 1000));
    }
}

static inline void values_make_stream(struct run_client *client, uint64_t *dice, struct bytes key)
{
    char id[64], first[VALUES_WORD_ROOM], second[VALUES_WORD_ROOM];
    uint64_t count = values_count(dice), last = 0;
    for (uint64_t i = 0; i < count; i++) {
        last += 1 + check_random_below(dice, 3);
        snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, last, check_random_below(dice, 2));
        bool same = check_random_below(dice, 3) != 0;
        struct bytes name = same ? LIT("field") : values_word(dice, first);
        RUN(client, LIT("XADD"), key, bytes_of(id), name, values_word(dice, second));
    }
    for (uint64_t left = check_random_below(dice, 8); left > 0; left--) {
        snprintf(id, sizeof id, "%" PRIu64, 1 + check_random_below(dice, last));
        RUN(client, LIT("XDEL"), key, bytes_of(id));
    }
    if (check_random_below(dice, 3) == 0) {
        RUN(client, LIT("XTRIM"), key, LIT("MAXLEN"),
            values_number(id, check_random_below(dice, count + 1)));
    }
    values_make_groups(client, dice, key);
}

/* Gives a key that is not there a value. */
static inline void values_make(struct run_client *client, uint64_t *dice, struct bytes key)
{
    static void (*const make[])(struct run_client *, uint64_t *, struct bytes) = {
        values_make_string, values_make_list, values_make_set,
        values_make_hash,   values_make_zset, values_make_stream,
    };
    make[check_random_below(dice, sizeof make / sizeof make[0])](client, dice, key);
}

/* ---- Comparing --------------------------------------------------------------------------------- */

/* The next element of an array of bulks in RESP2, or the array's head; moves '*rest' on. */
static inline struct bytes values_next(struct bytes *rest)
{
    const char *end = memchr(rest->at, '\r', rest->len);
    CHECK(end != NULL);
    size_t line = (size_t)(end - rest->at) + 2, len = 0;
    struct bytes element = { rest->at + 1, line - 3 };
    if (rest->at[0] == '$' && rest->at[1] != '-') {
        len = strtoull(rest->at + 1, NULL, 10) + 2;
        element = (struct bytes){ rest->at + line, len - 2 };
    }
    CHECK(rest->len >= line + len);
    *rest = (struct bytes){ rest->at + line + len, rest->len - line - len };
    return element;
}

/* A command gives the same replies for both keys; 'more' words stand behind the key. */
static inline void values_reply_alike(struct run_client *client, struct bytes words[VALUES_WORDS],
                                      unsigned count, unsigned key_at, struct bytes a,
                                      struct bytes b)
{
    struct buf first = { 0 };
    words[key_at] = a;
    buf_append(&first, run_command(client, words, count));
    words[key_at] = b;
    struct bytes second = run_command(client, words, count);
    CHECK_BYTES(second, buf_bytes(&first));
    buf_release(&first);
}

/* The words of 'line', of which KEY is the key's place. */
static inline void values_alike(struct run_client *client, const char *line, struct bytes a,
                                struct bytes b)
{
    struct bytes words[VALUES_WORDS];
    unsigned count = 0, key_at = 0;
    for (const char *at = line; *at != '\0';) {
        size_t len = strcspn(at, " ");
        words[count] = (struct bytes){ at, len };
        key_at = bytes_equal(words[count], LIT("KEY")) ? count : key_at;
        count++;
        at += at[len] == ' ' ? len + 1 : len;
    }
    values_reply_alike(client, words, count, key_at, a, b);
}

/* Every element of 'list' (a command) of one key is found in the other one: 'probe' asks. */
static inline void values_contain_alike(struct run_client *client, struct bytes list, unsigned step,
                                        struct bytes a, struct bytes b)
{
    struct buf all = { 0 };
    buf_append(&all, RUN(client, list, a));
    struct bytes rest = buf_bytes(&all);
    (void)values_next(&rest);
    while (rest.len > 0) {
        struct bytes name = values_next(&rest);
        if (step == 2) {
            struct bytes words[VALUES_WORDS] = { LIT("HGET"), a, name };
            struct bytes ends[VALUES_WORDS] = { LIT("HPEXPIRETIME"), a, LIT("FIELDS"), LIT("1"),
                                                name };
            (void)values_next(&rest);
            values_reply_alike(client, words, 3, 1, a, b);
            values_reply_alike(client, ends, 5, 1, a, b);
        } else {
            CHECK_REPLY(RUN(client, LIT("SISMEMBER"), b, name), ":1\r\n");
        }
    }
    buf_release(&all);
}

static inline void values_streams_alike(struct run_client *client, struct bytes a, struct bytes b)
{
    values_alike(client, "XRANGE KEY - +", a, b);
    values_alike(client, "XREVRANGE KEY + -", a, b);
    values_alike(client, "XINFO STREAM KEY", a, b);
    values_alike(client, "XINFO GROUPS KEY", a, b);
    struct buf groups = { 0 };
    buf_append(&groups, RUN(client, LIT("XINFO"), LIT("GROUPS"), a));
    struct bytes rest = buf_bytes(&groups);
    while (rest.len > 0) {
        if (bytes_equal(values_next(&rest), LIT("name"))) {
            struct bytes words[VALUES_WORDS] = { LIT("XPENDING"), a,        values_next(&rest),
                                                 LIT("-"),        LIT("+"), LIT("9999") };
            values_reply_alike(client, words, 6, 1, a, b);
            values_reply_alike(client, words, 3, 1, a, b);
        }
    }
    buf_release(&groups);
}

/* Checks that two keys hold the same value, whatever its encoding. */
static inline void values_expect_equal(struct run_client *client, struct bytes a, struct bytes b)
{
    values_alike(client, "TYPE KEY", a, b);
    values_alike(client, "GET KEY", a, b);
    values_alike(client, "LRANGE KEY 0 -1", a, b);
    values_alike(client, "ZRANGE KEY 0 -1 WITHSCORES", a, b);
    values_alike(client, "SCARD KEY", a, b);
    values_alike(client, "HLEN KEY", a, b);
    struct bytes type = RUN(client, LIT("TYPE"), a);
    if (bytes_equal(type, LIT("+hash\r\n"))) {
        values_contain_alike(client, LIT("HGETALL"), 2, a, b);
    } else if (bytes_equal(type, LIT("+set\r\n"))) {
        values_contain_alike(client, LIT("SMEMBERS"), 1, a, b);
    } else if (bytes_equal(type, LIT("+stream\r\n"))) {
        values_streams_alike(client, a, b);
    }
}

/* The same, and the encodings too, but for strings, which are encoded anew when they are set as
 * a whole. */
static inline void values_expect_same(struct run_client *client, struct bytes a, struct bytes b)
{
    values_expect_equal(client, a, b);
    if (!bytes_equal(RUN(client, LIT("TYPE"), a), LIT("+string\r\n"))) {
        values_alike(client, "OBJECT ENCODING KEY", a, b);
    }
}

#endif
