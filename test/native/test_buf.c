/* Buffers against a plain array that does the same. */
#include "base/buf.h"
#include "base/mem.h"
#include "check.h"

static void an_empty_buffer_owns_nothing(void)
{
    struct buf buf = { 0 };
    buf_append(&buf, (struct bytes){ NULL, 0 });
    buf_consume(&buf, 0);
    buf_trim(&buf, 0);
    CHECK(buf.at == NULL);
    buf_release(&buf);
}

static void printing_grows_as_needed(void)
{
    struct buf buf = { 0 };
    buf_printf(&buf, "%d,", 1);
    buf_printf(&buf, "%0200d", 7);
    CHECK_INT(buf.len, 202);
    CHECK(buf.at[201] == '7');
    CHECK_BYTES(((struct bytes){ buf.at, 3 }), LIT("1,0"));
    buf_release(&buf);
}

static void appending_and_consuming_keep_the_order(void)
{
    enum { ROOM = 1 << 16 };
    static char model[ROOM];
    uint64_t dice = check_seed();
    struct buf buf = { 0 };
    size_t len = 0;
    for (int round = 0; round < 20000; round++) {
        char piece[300];
        size_t count = check_random_below(&dice, sizeof(piece));
        if (check_random_below(&dice, 3) != 0 && len + count <= ROOM) {
            memset(piece, (int)(check_random(&dice) & 127), sizeof(piece));
            buf_append(&buf, (struct bytes){ piece, count });
            memcpy(model + len, piece, count);
            len += count;
        } else {
            size_t drop = count * 2;
            buf_consume(&buf, drop);
            drop = drop < len ? drop : len;
            memmove(model, model + drop, len - drop);
            len -= drop;
        }
        if (check_random_below(&dice, 50) == 0) {
            buf_trim(&buf, 64);
            CHECK(buf.cap - buf.len <= 64);
        }
        if (check_random_below(&dice, 20) == 0 && len < ROOM) {
            buf_append_char(&buf, 'x');
            model[len++] = 'x';
        }
        CHECK_BYTES(buf_bytes(&buf), ((struct bytes){ model, len }));
    }
    buf_release(&buf);
}

static void a_failed_reservation_changes_nothing(void)
{
    struct buf buf = { 0 };
    buf_append(&buf, LIT("kept"));
    CHECK(!buf_reserve(&buf, SIZE_MAX - 2));
    CHECK(!buf_reserve(&buf, SIZE_MAX / 2));
#ifdef RLN_TEST
    mem_fail_after(1);
    CHECK(buf_reserve(&buf, 100)); /* doubling fails, the bare need is there */
    size_t cap = buf.cap;
    mem_fail_after(1);
    CHECK(!buf_reserve(&buf, cap * 8));
    mem_fail_after(0);
    CHECK_INT(buf.cap, cap);
#endif
    CHECK_BYTES(buf_bytes(&buf), LIT("kept"));
    buf_release(&buf);
}

int main(void)
{
    RUN_TEST(an_empty_buffer_owns_nothing);
    RUN_TEST(printing_grows_as_needed);
    RUN_TEST(appending_and_consuming_keep_the_order);
    RUN_TEST(a_failed_reservation_changes_nothing);
    return check_done();
}
