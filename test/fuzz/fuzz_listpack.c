/* Listpacks.  Three properties: whatever listpack_check() accepts can be walked from both
 * ends, meeting the same elements; it can be changed and stays sound; and elements put in
 * come back as they were. */
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/keyspace.h"
#include "store/listpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A digest of an element that does not depend on where it is. */
static uint64_t digest(const struct listpack *lp, uint32_t at, uint32_t number)
{
    char room[LISTPACK_TEXT_ROOM];
    struct bytes text = listpack_text(lp, at, room);
    uint64_t sum = number;
    for (size_t i = 0; i < text.len; i++) {
        sum = sum * 0x9e3779b97f4a7c15u + (unsigned char)text.at[i];
    }
    return sum + text.len;
}

static void walk_both_ways(const struct listpack *lp)
{
    uint32_t count = listpack_count(lp), number = 0;
    uint64_t forwards = 0, backwards = 0;
    for (uint32_t at = listpack_first(lp); at != 0; at = listpack_next(lp, at)) {
        forwards += digest(lp, at, number++);
    }
    require(number == count);
    for (uint32_t at = listpack_last(lp); at != 0; at = listpack_previous(lp, at)) {
        backwards += digest(lp, at, --number);
    }
    require(number == 0 && forwards == backwards);
    for (uint32_t i = 0; i < count && i < 8; i++) {
        require(listpack_seek(lp, i) == listpack_seek(lp, (int64_t)i - count));
    }
}

/* Inserts pieces of the input and deletes some, as it says. */
static void change(struct store_thread *thread, struct listpack **lp, struct bytes input)
{
    char room[LISTPACK_TEXT_ROOM];
    for (size_t at = 0; at + 1 < input.len; at += 2) {
        uint8_t what = (uint8_t)input.at[at], len = (uint8_t)input.at[at + 1];
        size_t left = input.len - at;
        struct bytes text = { input.at + at, len < left ? len : left };
        uint32_t place = listpack_seek(*lp, what >> 2);
        if (what % 4 == 0 && place != 0) {
            listpack_delete(thread, lp, place, len);
        } else if (what % 4 == 1 && place != 0) {
            require(listpack_replace(thread, lp, &place, text));
            require(bytes_equal(listpack_text(*lp, place, room), text));
        } else {
            require(listpack_insert(thread, lp, &place, text));
            require(bytes_equal(listpack_text(*lp, place, room), text));
        }
        require(listpack_check(listpack_bytes(*lp), true));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyspace *ks;
    static struct store_thread thread;
    if (ks == NULL) {
        static struct clock clock;
        clock_init_system(&clock);
        struct keyspace_options options = { .databases = 1, .stripe_bits = 1, .clock = &clock };
        ks = keyspace_create(&options);
        require(ks != NULL && keyspace_join(ks, &thread));
    }
    struct bytes input = { (const char *)data, size };
    struct listpack *lp =
        listpack_check(input, true) ? listpack_load(&thread, input) : listpack_create(&thread, 0);
    require(lp != NULL);
    walk_both_ways(lp);
    change(&thread, &lp, input);
    walk_both_ways(lp);
    listpack_destroy(&thread, lp);
    return 0;
}
