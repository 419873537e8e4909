/* Spans of bytes: equality, order, and the glob against a plain recursive model. */
#include "base/bytes.h"
#include "check.h"

static void equality_compares_length_and_content(void)
{
    CHECK(bytes_equal(LIT("abc"), LIT("abc")));
    CHECK(!bytes_equal(LIT("abc"), LIT("abd")));
    CHECK(!bytes_equal(LIT("abc"), LIT("abcd")));
    CHECK(bytes_equal((struct bytes){ NULL, 0 }, LIT("")));
    CHECK(bytes_equal_nocase(LIT("GeT@[`{"), LIT("gEt@[`{")));
    CHECK(!bytes_equal_nocase(LIT("@"), LIT("`")));
    CHECK(!bytes_equal_nocase(LIT("["), LIT("{")));
    CHECK(bytes_equal_nocase(LIT("a\0B"), LIT("A\0b")));
}

static void order_is_that_of_unsigned_bytes_and_then_of_length(void)
{
    CHECK(bytes_compare(LIT("a"), LIT("b")) < 0);
    CHECK(bytes_compare(LIT("ab"), LIT("a")) > 0);
    CHECK(bytes_compare(LIT("a"), LIT("\xff")) < 0);
    CHECK_INT(bytes_compare((struct bytes){ NULL, 0 }, LIT("")), 0);
    CHECK_INT(bytes_compare(LIT("a\0b"), LIT("a\0b")), 0);
}

static void glob_matches_as_redis_documents_and_behaves(void)
{
    static const struct {
        const char *pattern, *text;
        bool nocase, matches;
    } table[] = {
        { "*", "anything", false, true },
        { "", "", false, true },
        { "", "a", false, false },
        { "*", "", false, false }, /* Redis's loop does not begin on an empty text. */
        { "h?llo", "hello", false, true },
        { "h?llo", "hllo", false, false },
        { "h*llo", "heeeello", false, true },
        { "h[ae]llo", "hallo", false, true },
        { "h[ae]llo", "hillo", false, false },
        { "h[^e]llo", "hello", false, false },
        { "h[^e]llo", "hbllo", false, true },
        { "h[a-b]llo", "hbllo", false, true },
        { "h[b-a]llo", "hallo", false, true },
        { "h[a-b]llo", "hcllo", false, false },
        { "h\\*llo", "h*llo", false, true },
        { "h\\*llo", "hello", false, false },
        { "[\\]]", "]", false, true },
        { "[a-", "a", false, true },
        { "[a-", "-", false, true },
        { "[abc", "c", false, true },
        { "[abc", "d", false, false },
        { "[^abc", "d", false, true },
        { "[", "a", false, false },
        { "[^", "a", false, true },
        { "[]", "]", false, false },
        { "a\\", "a\\", false, true },
        { "a**b*", "aXXb", false, true },
        { "a*", "a", false, true },
        { "*a", "a", false, true },
        { "*a?", "a", false, false },
        { "HELLO", "hello", true, true },
        { "[A-C]", "b", true, true },
        { "[\\A]", "a", true, false },
        { "a*b*c", "abcbd", false, false },
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool got =
            bytes_match_glob(bytes_of(table[i].pattern), bytes_of(table[i].text), table[i].nocase);
        if (got != table[i].matches) {
            fprintf(stderr, "pattern %s text %s\n", table[i].pattern, table[i].text);
        }
        CHECK_INT(got, table[i].matches);
    }
}

/* The meaning of stars, '?' and letters, in the most direct form; text not empty at
 * first. */
static bool model(struct bytes pattern, struct bytes text)
{
    if (pattern.len == 0) {
        return text.len == 0;
    }
    struct bytes pattern_rest = { pattern.at + 1, pattern.len - 1 };
    if (pattern.at[0] == '*') {
        for (size_t skip = 0; skip <= text.len; skip++) {
            if (model(pattern_rest, (struct bytes){ text.at + skip, text.len - skip })) {
                return true;
            }
        }
        return false;
    }
    return text.len > 0 && (pattern.at[0] == '?' || pattern.at[0] == text.at[0]) &&
           model(pattern_rest, (struct bytes){ text.at + 1, text.len - 1 });
}

static void glob_agrees_with_a_recursive_model(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 50000; round++) {
        char pattern[8];
        char text[10];
        size_t pattern_len = check_random_below(&dice, sizeof(pattern) + 1);
        size_t text_len = 1 + check_random_below(&dice, sizeof(text));
        for (size_t i = 0; i < pattern_len; i++) {
            pattern[i] = "ab*?"[check_random_below(&dice, 4)];
        }
        for (size_t i = 0; i < text_len; i++) {
            text[i] = "ab"[check_random_below(&dice, 2)];
        }
        struct bytes p = { pattern, pattern_len };
        struct bytes t = { text, text_len };
        CHECK_INT(bytes_match_glob(p, t, false), model(p, t));
    }
}

static void glob_never_reads_outside_and_never_hangs(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 50000; round++) {
        size_t pattern_len = check_random_below(&dice, 12);
        size_t text_len = check_random_below(&dice, 12);
        char *pattern = malloc(pattern_len + 1); /* so that a sanitizer sees the ends */
        char *text = malloc(text_len + 1);
        CHECK(pattern != NULL && text != NULL);
        for (size_t i = 0; i < pattern_len; i++) {
            pattern[1 + i] = "a-]^[\\*?b\xff"[check_random_below(&dice, 10)];
        }
        for (size_t i = 0; i < text_len; i++) {
            text[1 + i] = "a-]^[\\*?b\xff"[check_random_below(&dice, 10)];
        }
        (void)bytes_match_glob((struct bytes){ pattern + 1, pattern_len },
                               (struct bytes){ text + 1, text_len }, round % 2 == 0);
        free(pattern);
        free(text);
    }
    enum { STARS = 200, TEXT = 20000 };
    char *pattern = malloc(STARS * 2 + 1);
    char *text = malloc(TEXT);
    CHECK(pattern != NULL && text != NULL);
    for (size_t i = 0; i < STARS; i++) {
        memcpy(pattern + i * 2, "a*", 2);
    }
    pattern[STARS * 2] = 'b';
    memset(text, 'a', TEXT);
    CHECK(!bytes_match_glob((struct bytes){ pattern, STARS * 2 + 1 }, (struct bytes){ text, TEXT },
                            false));
    free(pattern);
    free(text);
}

static struct bytes place_as_name(const void *list, uint32_t place)
{
    return ((const struct bytes *)list)[place];
}

static void search_finds_a_name_or_the_place_where_it_belongs(void)
{
    const struct bytes names[] = { LIT("a"), LIT("b"), LIT("ba"), LIT("d") };
    const struct {
        struct bytes name;
        uint32_t place;
        bool found;
    } cases[] = { { LIT(""), 0, false }, { LIT("a"), 0, true },  { LIT("aa"), 1, false },
                  { LIT("b"), 1, true }, { LIT("ba"), 2, true }, { LIT("c"), 3, false },
                  { LIT("d"), 3, true }, { LIT("da"), 4, false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool found;
        CHECK_INT(bytes_search(names, 4, place_as_name, cases[i].name, &found), cases[i].place);
        CHECK_INT(found, cases[i].found);
        CHECK_INT(bytes_search(names, 0, place_as_name, cases[i].name, &found), 0);
        CHECK(!found);
    }
}

int main(void)
{
    RUN_TEST(equality_compares_length_and_content);
    RUN_TEST(order_is_that_of_unsigned_bytes_and_then_of_length);
    RUN_TEST(search_finds_a_name_or_the_place_where_it_belongs);
    RUN_TEST(glob_matches_as_redis_documents_and_behaves);
    RUN_TEST(glob_agrees_with_a_recursive_model);
    RUN_TEST(glob_never_reads_outside_and_never_hangs);
    return check_done();
}
