/* What a C test needs: checks that say what they saw, tests that are named by a
 * sentence, and dice whose seed is printed, so that a failure can be run again with
 * RLN_TEST_SEED.
 *
 *     static void append_creates_a_missing_key(void) { CHECK_INT(length, 5); }
 *
 *     int main(void)
 *     {
 *         RUN_TEST(append_creates_a_missing_key);
 *         return check_done();
 *     }
 *
 * A failed check ends the program: nothing after it can be trusted.  Checks may be
 * used on any thread; RUN_TEST only on the main one. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

struct check_state {
    const char *test; /* the running one */
    int tests;
    uint64_t seed; /* 0 until somebody asks for it */
};

/* One per program: every test is one translation unit. */
static struct check_state check_state = { "(no test)", 0, 0 };

/* The seed for this run's dice: RLN_TEST_SEED, or else one from the clock, printed. */
static inline uint64_t check_seed(void)
{
    if (check_state.seed == 0) {
        const char *asked = getenv("RLN_TEST_SEED");
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        check_state.seed = asked != NULL ? strtoull(asked, NULL, 0)
                                         : (uint64_t)now.tv_sec * 1000000007u ^
                                               (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32;
        if (check_state.seed == 0) {
            check_state.seed = 1;
        }
        printf("seed: RLN_TEST_SEED=%" PRIu64 "\n", check_state.seed);
        fflush(stdout);
    }
    return check_state.seed;
}

/* The next number of a test's own dice (splitmix64); '*state' starts at check_seed(). */
static inline uint64_t check_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number from 0 to 'bound' - 1. */
static inline uint64_t check_random_below(uint64_t *state, uint64_t bound)
{
    return check_random(state) % bound;
}

/* With RLN_TEST_TRACE set, tests with dice tell what they do. */
static inline bool check_traces(void)
{
    return getenv("RLN_TEST_TRACE") != NULL;
}

_Noreturn static inline void check_fail(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: in %s: %s\n", file, line, check_state.test, what);
    if (check_state.seed != 0) {
        fprintf(stderr, "again with RLN_TEST_SEED=%" PRIu64 "\n", check_state.seed);
    }
    fflush(stderr);
    _exit(1);
}

static inline void check_int(const char *file, int line, const char *text, int64_t got,
                             int64_t expected)
{
    if (got != expected) {
        char what[512];
        snprintf(what, sizeof(what), "%s is %" PRId64 ", expected %" PRId64, text, got, expected);
        check_fail(file, line, what);
    }
}

/* As C would write it, cut to what fits. */
static inline void check_quote(struct bytes bytes, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < bytes.len && used + 8 < room; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        bool plain = c >= ' ' && c < 127 && c != '"' && c != '\\';
        int n = plain       ? snprintf(out + used, room - used, "%c", c)
                : c == '\r' ? snprintf(out + used, room - used, "\\r")
                : c == '\n' ? snprintf(out + used, room - used, "\\n")
                            : snprintf(out + used, room - used, "\\x%02x", c);
        used += (size_t)n;
    }
    out[used] = '\0';
}

static inline void check_bytes(const char *file, int line, const char *text, struct bytes got,
                               struct bytes expected)
{
    if (!bytes_equal(got, expected)) {
        char seen[512], wanted[512], what[1400];
        check_quote(got, seen, sizeof(seen));
        check_quote(expected, wanted, sizeof(wanted));
        snprintf(what, sizeof(what), "%s\n      is \"%s\" (%zu bytes)\nexpected \"%s\" (%zu bytes)",
                 text, seen, got.len, wanted, expected.len);
        check_fail(file, line, what);
    }
}

/* Words on a line of standard error, behind 'who'. */
static inline void check_tell(const char *who, const struct bytes *words, size_t count)
{
    fprintf(stderr, "%s", who);
    for (size_t i = 0; i < count; i++) {
        char text[100];
        check_quote(words[i], text, sizeof text);
        fprintf(stderr, " %s", words[i].len > 0 ? text : "''");
    }
    fprintf(stderr, "\n");
}

/* The expression holds. */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : check_fail(__FILE__, __LINE__, "not true: " #condition))

/* Two integers (or enumerators) are the same. */
#define CHECK_INT(got, expected)                                                                   \
    check_int(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(expected))

/* Two struct bytes hold the same. */
#define CHECK_BYTES(got, expected) check_bytes(__FILE__, __LINE__, #got, (got), (expected))

/* Two terminated strings are the same. */
#define CHECK_TEXT(got, expected)                                                                  \
    check_bytes(__FILE__, __LINE__, #got, bytes_of(got), bytes_of(expected))

static inline void check_begin(const char *test)
{
    check_state.test = test;
    check_state.tests++;
    printf("  %s\n", test);
    fflush(stdout);
}

/* Runs 'static void test(void)'. */
#define RUN_TEST(test)                                                                             \
    do {                                                                                           \
        check_begin(#test);                                                                        \
        test();                                                                                    \
    } while (0)

/* Runs 'static void test(argument)'. */
#define RUN_TEST_WITH(test, argument)                                                              \
    do {                                                                                           \
        check_begin(#test);                                                                        \
        test(argument);                                                                            \
    } while (0)

/* For main() to return. */
static inline int check_done(void)
{
    printf("%d tests passed\n", check_state.tests);
    return 0;
}

#endif
