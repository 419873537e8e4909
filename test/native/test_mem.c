/* The allocator's wrapper: sizes, alignment, counting and failing on purpose. */
#include "base/mem.h"
#include "check.h"

static void nothing_is_a_size_too(void)
{
    void *a = mem_try_alloc(0);
    void *b = mem_alloc(0);
    CHECK(a != NULL && b != NULL && a != b);
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
    CHECK_INT(mem_size(NULL), 0);
    char *copy = mem_strndup(NULL, 0);
    CHECK_TEXT(copy, "");
    mem_free(copy);
}

static void contents_survive_growing(void)
{
    char *at = mem_strndup("hello, world", 5);
    CHECK_TEXT(at, "hello");
    at = mem_realloc(at, 100000);
    CHECK_TEXT(at, "hello");
    CHECK(mem_size(at) >= 100000);
    mem_free(at);
    unsigned char *zeroed = mem_zalloc(4096);
    for (int i = 0; i < 4096; i++) {
        CHECK_INT(zeroed[i], 0);
    }
    mem_free(zeroed);
}

static void alignment_is_as_asked(void)
{
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *at = mem_try_aligned(align, 4096);
        CHECK(at != NULL && (uintptr_t)at % align == 0);
        mem_free(at);
    }
}

static void a_huge_request_fails_softly(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(mem_try_alloc(SIZE_MAX / 2) == NULL);
    void *at = mem_alloc(10);
    CHECK(mem_try_realloc(at, SIZE_MAX / 2) == NULL);
    mem_free(at); /* A failed growth leaves it. */

    size_t before = mem_used();
    at = mem_alloc(10 << 20);
    CHECK(mem_used() >= before + (10 << 20));
    mem_free(at);
    CHECK(mem_used() < before + (10 << 20));
#endif
}

#ifdef RLN_TEST
static void the_nth_call_fails_on_purpose(void)
{
    mem_fail_after(2);
    void *a = mem_try_alloc(1);
    void *b = mem_try_alloc(1);
    void *c = mem_try_aligned(64, 64);
    CHECK(a != NULL && b == NULL && c != NULL);
    mem_fail_after(1);
    mem_fail_after(0);
    void *d = mem_try_realloc(a, 50);
    CHECK(d != NULL);
    mem_free(c);
    mem_free(d);
}
#endif

int main(void)
{
    RUN_TEST(nothing_is_a_size_too);
    RUN_TEST(contents_survive_growing);
    RUN_TEST(alignment_is_as_asked);
    RUN_TEST(a_huge_request_fails_softly);
#ifdef RLN_TEST
    RUN_TEST(the_nth_call_fails_on_purpose);
#endif
    return check_done();
}
