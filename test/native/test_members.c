/* The member table against a plain model, its scans, its dice, and no memory. */
#include "base/mem.h"
#include "keyspace_fixture.h"
#include "store/members.h"

enum { NAMES = 30000 };

static struct fixture fixture;
static struct random dice;

static void begin(void)
{
    fixture_open(&fixture, 2);
    random_init(&dice, check_seed());
}

static struct bytes name_of(uint32_t number, char room[64])
{
    /* Some are long, one is empty. */
    int len = number == 0 ? 0
                          : snprintf(room, 64, "%s%u",
                                     number % 7 == 0 ? "a-rather-long-name-" : "m", number);
    return (struct bytes){ room, (size_t)len };
}

static uint32_t number_of(struct bytes name)
{
    char text[64];
    CHECK(name.len < sizeof text);
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    return name.len == 0 ? 0 : (uint32_t)strtoul(text + strcspn(text, "0123456789"), NULL, 10);
}

static void check_same(const struct members *members, const bool *model, uint64_t count)
{
    struct members_walk walk;
    bool *seen = mem_zalloc(NAMES);
    uint64_t walked = 0;
    members_walk_begin(&walk, members);
    for (const struct member *member; (member = members_walk_next(&walk)) != NULL; walked++) {
        uint32_t number = number_of(member_name(members, member));
        CHECK(number < NAMES && model[number] && !seen[number]);
        seen[number] = true;
    }
    CHECK_INT(walked, count);
    CHECK_INT(members_count(members), count);
    mem_free(seen);
}

static void names_come_and_go_as_in_a_plain_model(void)
{
    begin();
    bool *model = mem_zalloc(NAMES);
    struct members *members = members_create(&fixture.thread, false);
    uint64_t count = 0;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 40000; i++) {
            char room[64];
            uint32_t number = (uint32_t)random_below(&dice, NAMES);
            struct bytes name = name_of(number, room);
            /* The table grows in even rounds and shrinks in odd ones. */
            if (random_below(&dice, 10) < (round % 2 == 0 ? 9 : 1)) {
                CHECK_INT(members_add(&fixture.thread, members, name),
                          model[number] ? MEMBERS_PRESENT : MEMBERS_ADDED);
                count += !model[number];
                model[number] = true;
            } else {
                CHECK_INT(members_remove(&fixture.thread, members, name), model[number]);
                count -= model[number];
                model[number] = false;
            }
        }
        check_same(members, model, count);
        struct members *copy = members_copy(&fixture.thread, members);
        check_same(copy, model, count);
        members_destroy(&fixture.thread, copy);
    }
    for (uint32_t number = 0; number < NAMES; number++) {
        char room[64];
        CHECK_INT(members_remove(&fixture.thread, members, name_of(number, room)), model[number]);
    }
    CHECK_INT(members_count(members), 0);
    CHECK(members_memory(members, 0) < 1024);
    members_destroy(&fixture.thread, members);
    mem_free(model);
    fixture_close(&fixture);
}

static void values_and_ends_are_replaced(void)
{
    begin();
    struct members *members = members_create(&fixture.thread, true);
    static const size_t sizes[] = { 0, 1, 5, 63, 64, 127, 128, 200, 9000, 20000, 3 };
    char *text = mem_alloc(20000);
    memset(text, 'v', 20000);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t number = 0; number < 300; number++) {
            char room[64];
            struct bytes name = name_of(number, room), value = { text, sizes[i] };
            int64_t ends =
                (number + i) % 3 == 0 ? (int64_t)(1800000000000 + number) : MEMBER_NO_EXPIRY;
            struct member_parts parts;
            CHECK_INT(members_set(&fixture.thread, members, name, value, ends),
                      i == 0 ? MEMBERS_ADDED : MEMBERS_PRESENT);
            const struct member *member = members_find(&fixture.thread, members, name, NULL);
            member_read(members, member, &parts);
            CHECK_BYTES(parts.name, name);
            CHECK_BYTES(parts.value, value);
            CHECK_INT(parts.expires_at_ms, ends);
        }
    }
    CHECK_INT(members_count(members), 300);
    members_destroy(&fixture.thread, members);
    mem_free(text);
    fixture_close(&fixture);
}

static void visit(void *user, const struct member *member)
{
    struct bytes name = member_name(((void **)user)[0], member);
    ((uint8_t *)((void **)user)[1])[number_of(name)] = 1;
}

static void a_scan_visits_all_that_stay_while_others_come_and_go(void)
{
    enum { STAY = 3000 };
    begin();
    for (int direction = 0; direction < 2; direction++) {
        struct members *members = members_create(&fixture.thread, false);
        uint8_t *seen = mem_zalloc(NAMES);
        char room[64];
        void *user[2] = { members, seen };
        uint32_t others = direction == 0 ? STAY : NAMES;
        for (uint32_t number = 0; number < others; number++) {
            CHECK(members_add(&fixture.thread, members, name_of(number, room)) == MEMBERS_ADDED);
        }
        uint64_t cursor = 0, steps = 0;
        do {
            cursor = members_scan(&fixture.thread, members, cursor, 10, visit, user);
            for (int i = 0; i < 60; i++) {
                if (direction == 0 && others < NAMES) {
                    name_of(others++, room);
                    CHECK(members_add(&fixture.thread, members, bytes_of(room)) == MEMBERS_ADDED);
                } else if (direction == 1 && others > STAY) {
                    name_of(--others, room);
                    CHECK(members_remove(&fixture.thread, members, bytes_of(room)));
                }
            }
            steps++;
        } while (cursor != 0);
        CHECK(steps > 100);
        for (uint32_t number = 0; number < STAY; number++) {
            CHECK(seen[number]);
        }
        members_destroy(&fixture.thread, members);
        mem_free(seen);
    }
    fixture_close(&fixture);
}

static void each_member_has_the_same_chance(void)
{
    begin();
    static const uint32_t counts[] = { 1, 2, 9, 100, 5000 };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct members *members = members_create(&fixture.thread, false);
        uint32_t *hits = mem_zalloc(counts[i] * sizeof *hits);
        char room[64];
        for (uint32_t number = 0; number < counts[i]; number++) {
            CHECK(members_add(&fixture.thread, members, name_of(number, room)) == MEMBERS_ADDED);
        }
        for (uint32_t draw = 0; draw < counts[i] * 100; draw++) {
            struct member_place place;
            const struct member *member = members_random(&fixture.thread, members, &place);
            hits[number_of(member_name(members, member))]++;
        }
        double sum = 0;
        for (uint32_t number = 0; number < counts[i]; number++) {
            sum += ((double)hits[number] - 100) * ((double)hits[number] - 100) / 100;
        }
        /* Chi-squared: its mean is the count, its variance twice that. */
        CHECK(sum < counts[i] + 8 * (double)counts[i] + 20);
        CHECK(counts[i] < 1000 || sum < 1.2 * counts[i]);
        members_destroy(&fixture.thread, members);
        mem_free(hits);
    }
    fixture_close(&fixture);
}

static void taking_members_by_chance_empties_the_table(void)
{
    begin();
    struct members *members = members_create(&fixture.thread, false);
    bool *seen = mem_zalloc(NAMES);
    char room[64];
    for (uint32_t number = 0; number < NAMES; number++) {
        CHECK(members_add(&fixture.thread, members, name_of(number, room)) == MEMBERS_ADDED);
    }
    for (uint32_t left = NAMES; left > 0; left--) {
        struct member_place place;
        const struct member *member = members_random(&fixture.thread, members, &place);
        uint32_t number = number_of(member_name(members, member));
        CHECK(!seen[number]);
        seen[number] = true;
        members_remove_at(&fixture.thread, members, place);
        CHECK_INT(members_count(members), left - 1);
    }
    members_destroy(&fixture.thread, members);
    mem_free(seen);
    fixture_close(&fixture);
}

static void without_memory_nothing_has_changed(void)
{
    begin();
    struct members *members = members_create(&fixture.thread, true);
    bool *model = mem_zalloc(NAMES);
    uint64_t count = 0;
    for (uint32_t i = 0; i < 60000; i++) {
        char room[64];
        uint32_t number = (uint32_t)random_below(&dice, NAMES);
        struct bytes name = name_of(number, room);
        mem_fail_after((long)random_below(&dice, 4));
        enum members_put put =
            members_set(&fixture.thread, members, name, LIT("some value"), MEMBER_NO_EXPIRY);
        mem_fail_after((long)random_below(&dice, 3));
        if (put == MEMBERS_NO_MEMORY) {
            CHECK((members_find(&fixture.thread, members, name, NULL) != NULL) == model[number]);
        } else {
            CHECK_INT(put, model[number] ? MEMBERS_PRESENT : MEMBERS_ADDED);
            count += !model[number];
            model[number] = true;
        }
        if (i % 3 == 0) {
            number = (uint32_t)random_below(&dice, NAMES);
            CHECK_INT(members_remove(&fixture.thread, members, name_of(number, room)),
                      model[number]);
            count -= model[number];
            model[number] = false;
        }
        mem_fail_after(0);
    }
    check_same(members, model, count);
    for (long n = 1; n < 3000; n = n * 3 / 2 + 1) {
        mem_fail_after(n);
        struct members *copy = members_copy(&fixture.thread, members);
        mem_fail_after(0);
        CHECK(copy == NULL);
    }
    members_destroy(&fixture.thread, members);
    mem_free(model);
    fixture_close(&fixture);
}

int main(void)
{
    RUN_TEST(names_come_and_go_as_in_a_plain_model);
    RUN_TEST(values_and_ends_are_replaced);
    RUN_TEST(a_scan_visits_all_that_stay_while_others_come_and_go);
    RUN_TEST(each_member_has_the_same_chance);
    RUN_TEST(taking_members_by_chance_empties_the_table);
    RUN_TEST(without_memory_nothing_has_changed);
    return check_done();
}
