/* Random histories on several databases against a plain model: whatever happens, every key
 * reads as the model says.  In builds that inject faults, memory runs out at random, and
 * then nothing may have changed. */
#include "base/mem.h"
#include "keyspace_fixture.h"

enum { MODEL_KEYS = 220, STEPS = 30000, VALUE_MAX = 70000 };

struct model_value {
    bool there;
    unsigned char fill; /* every byte of the value, or zero from 'filled' on */
    size_t len, filled;
    int64_t expires_at_ms;
};

struct model {
    struct fixture fixture;
    uint64_t dice;
    struct model_value values[FIXTURE_DATABASES][MODEL_KEYS];
    char names[MODEL_KEYS][400];
    size_t name_lens[MODEL_KEYS];
    char *scratch;
};

static struct bytes name_of(const struct model *model, unsigned key)
{
    return (struct bytes){ model->names[key], model->name_lens[key] };
}

static bool is_live(const struct model *model, const struct model_value *value)
{
    return value->there && (value->expires_at_ms == KEYSPACE_NO_EXPIRY ||
                            value->expires_at_ms > fixture_now_ms(&model->fixture));
}

static struct model_value *pick(struct model *model, uint32_t *db, unsigned *key)
{
    *db = (uint32_t)check_random_below(&model->dice, FIXTURE_DATABASES);
    *key = (unsigned)check_random_below(&model->dice, MODEL_KEYS);
    return &model->values[*db][*key];
}

static size_t random_len(struct model *model)
{
    switch (check_random_below(&model->dice, 12)) {
    case 0:
        return check_random_below(&model->dice, VALUE_MAX);
    case 1:
        return ENTRY_INLINE_MAX - 2 + check_random_below(&model->dice, 5);
    case 2:
        return check_random_below(&model->dice, 6000);
    default:
        return check_random_below(&model->dice, 70);
    }
}

static int64_t random_expiry(struct model *model)
{
    return check_random_below(&model->dice, 2) == 0
               ? KEYSPACE_NO_EXPIRY
               : fixture_now_ms(&model->fixture) + 1 +
                     (int64_t)check_random_below(&model->dice, 3000);
}

static void fail_sometimes(struct model *model)
{
#ifdef RLN_TEST
    if (check_random_below(&model->dice, 4) == 0) {
        mem_fail_after(1 + (long)check_random_below(&model->dice, 4));
    }
#else
    (void)model;
#endif
}

static void fail_no_more(void)
{
#ifdef RLN_TEST
    mem_fail_after(0);
#endif
}

static void expect(struct model *model, uint32_t db, unsigned key)
{
    const struct model_value *value = &model->values[db][key];
    struct bytes expected = NO_VALUE;
    if (is_live(model, value)) {
        memset(model->scratch, value->fill, value->filled);
        memset(model->scratch + value->filled, 0, value->len - value->filled);
        expected = (struct bytes){ model->scratch, value->len };
    }
    fixture_expect(&model->fixture, db, name_of(model, key), expected, value->expires_at_ms);
}

static void set_step(struct model *model)
{
    uint32_t db;
    unsigned key;
    struct model_value *value = pick(model, &db, &key);
    struct fixture *fixture = &model->fixture;
    struct model_value next = {
        .there = true,
        .fill = (unsigned char)('0' + check_random_below(&model->dice, 60)),
        .len = random_len(model),
        .expires_at_ms = random_expiry(model),
    };
    next.filled = next.len;
    enum keep_expiry keep = check_random_below(&model->dice, 3) == 0 ? EXPIRY_KEEP : EXPIRY_REPLACE;
    memset(model->scratch, next.fill, next.len);
    fixture_lock(fixture, db, name_of(model, key), KEYLOCK_WRITE);
    fail_sometimes(model);
    enum err err =
        keyspace_set_string(fixture->ks, &fixture->lock, name_of(model, key),
                            (struct bytes){ model->scratch, next.len }, keep, next.expires_at_ms);
    fail_no_more();
    fixture_unlock(fixture);
    if (keep == EXPIRY_KEEP) {
        next.expires_at_ms = is_live(model, value) ? value->expires_at_ms : KEYSPACE_NO_EXPIRY;
    }
    if (err == OK) {
        *value = next;
    } else {
        CHECK_INT(err, ERR_OUT_OF_MEMORY);
    }
    expect(model, db, key);
}

static void resize_step(struct model *model)
{
    uint32_t db;
    unsigned key;
    struct model_value *value = pick(model, &db, &key);
    struct fixture *fixture = &model->fixture;
    char *at = NULL;
    size_t before = is_live(model, value) ? value->len : 0;
    size_t len = check_random_below(&model->dice, 2) == 0 ? random_len(model) : before + 3;
    len = len < VALUE_MAX ? len : VALUE_MAX;
    fixture_lock(fixture, db, name_of(model, key), KEYLOCK_WRITE);
    fail_sometimes(model);
    enum err err =
        keyspace_resize_string(fixture->ks, &fixture->lock, name_of(model, key), len, &at);
    fail_no_more();
    if (err == OK) {
        if (!is_live(model, value)) {
            *value = (struct model_value){ .there = true, .expires_at_ms = KEYSPACE_NO_EXPIRY };
        }
        value->len = len;
        value->filled = value->filled < len ? value->filled : len;
        value->fill = (unsigned char)('a' + check_random_below(&model->dice, 20));
        memset(at, value->fill, value->filled);
    } else {
        CHECK_INT(err, ERR_OUT_OF_MEMORY);
    }
    fixture_unlock(fixture);
    expect(model, db, key);
}

static void expire_step(struct model *model)
{
    uint32_t db;
    unsigned key;
    struct model_value *value = pick(model, &db, &key);
    struct fixture *fixture = &model->fixture;
    int64_t at = random_expiry(model);
    fixture_lock(fixture, db, name_of(model, key), KEYLOCK_WRITE);
    struct entry *entry = keyspace_peek(fixture->ks, &fixture->lock, name_of(model, key));
    CHECK_INT(entry != NULL, is_live(model, value));
    if (entry != NULL) {
        fail_sometimes(model);
        enum err err = keyspace_expire_at(fixture->ks, &fixture->lock, &entry, at);
        fail_no_more();
        if (err == OK) {
            value->expires_at_ms = at;
        } else {
            CHECK_INT(err, ERR_OUT_OF_MEMORY);
        }
        CHECK_INT(entry_expires_at(entry), value->expires_at_ms);
    }
    fixture_unlock(fixture);
    expect(model, db, key);
}

static void delete_step(struct model *model)
{
    uint32_t db;
    unsigned key;
    struct model_value *value = pick(model, &db, &key);
    CHECK_INT(fixture_delete(&model->fixture, db, name_of(model, key)), is_live(model, value));
    value->there = false;
    expect(model, db, key);
}

static void move_or_copy_step(struct model *model, bool copy)
{
    uint32_t from_db, to_db;
    unsigned from, to;
    struct model_value *source = pick(model, &from_db, &from);
    struct model_value *target = pick(model, &to_db, &to);
    struct fixture *fixture = &model->fixture;
    if (!is_live(model, source)) {
        return;
    }
    struct bytes a = name_of(model, from), b = name_of(model, to);
    fixture_lock2(fixture, from_db, a, to_db, b, KEYLOCK_WRITE);
    fail_sometimes(model);
    enum err err = copy ? keyspace_copy(fixture->ks, &fixture->lock, from_db, a, to_db, b)
                        : keyspace_move(fixture->ks, &fixture->lock, from_db, a, to_db, b);
    fail_no_more();
    fixture_unlock(fixture);
    if (err == OK && source != target) {
        *target = *source;
        source->there = copy;
    } else if (err != OK) {
        CHECK_INT(err, ERR_OUT_OF_MEMORY);
    }
    expect(model, from_db, from);
    expect(model, to_db, to);
}

static void flush_step(struct model *model)
{
    uint32_t db = (uint32_t)check_random_below(&model->dice, FIXTURE_DATABASES + 1);
    db = db == FIXTURE_DATABASES ? UINT32_MAX : db;
    fixture_flush(&model->fixture, db, check_random_below(&model->dice, 2) == 0);
    for (uint32_t i = 0; i < FIXTURE_DATABASES; i++) {
        if (db == UINT32_MAX || db == i) {
            memset(model->values[i], 0, sizeof(model->values[i]));
            CHECK_INT(keyspace_size(model->fixture.ks, i), 0);
            CHECK_INT(keyspace_expires(model->fixture.ks, i), 0);
        }
    }
}

static void swap_step(struct model *model)
{
    static struct model_value kept[MODEL_KEYS];
    uint32_t a = (uint32_t)check_random_below(&model->dice, FIXTURE_DATABASES);
    uint32_t b = (uint32_t)check_random_below(&model->dice, FIXTURE_DATABASES);
    fixture_swap(&model->fixture, a, b);
    memcpy(kept, model->values[a], sizeof(kept));
    memmove(model->values[a], model->values[b], sizeof(kept));
    memcpy(model->values[b], kept, sizeof(kept));
}

/* Removes what is due; then the counts are exact. */
static void expire_due_step(struct model *model)
{
    while (keyspace_expire_due(&model->fixture.thread, 1) == 0) {
        /* The clock stands still, so that the budget is never spent. */
    }
    for (uint32_t db = 0; db < FIXTURE_DATABASES; db++) {
        int64_t live = 0, expiring = 0;
        for (unsigned key = 0; key < MODEL_KEYS; key++) {
            const struct model_value *value = &model->values[db][key];
            live += is_live(model, value);
            expiring += is_live(model, value) && value->expires_at_ms != KEYSPACE_NO_EXPIRY;
        }
        CHECK_INT(keyspace_size(model->fixture.ks, db), live);
        CHECK_INT(keyspace_expires(model->fixture.ks, db), expiring);
    }
}

struct seen {
    struct model *model;
    uint32_t db;
    int counts[MODEL_KEYS];
};

static bool see(void *user, struct entry *entry)
{
    struct seen *seen = user;
    unsigned key = (unsigned)atoi(entry_key(entry).at);
    CHECK_BYTES(entry_key(entry), name_of(seen->model, key));
    CHECK(is_live(seen->model, &seen->model->values[seen->db][key]));
    seen->counts[key]++;
    return true;
}

static void scan_step(struct model *model)
{
    struct seen seen = { .model = model };
    uint64_t cursor = 0;
    seen.db = (uint32_t)check_random_below(&model->dice, FIXTURE_DATABASES);
    do {
        keyspace_enter(&model->fixture.thread);
        cursor = keyspace_scan(&model->fixture.thread, seen.db, cursor,
                               1 + check_random_below(&model->dice, 30), see, &seen);
        keyspace_leave(&model->fixture.thread);
    } while (cursor != 0);
    int live = 0;
    for (unsigned key = 0; key < MODEL_KEYS; key++) {
        CHECK_INT(seen.counts[key], is_live(model, &model->values[seen.db][key]));
        live += seen.counts[key];
    }
    keyspace_enter(&model->fixture.thread);
    CHECK_INT(keyspace_random(&model->fixture.thread, seen.db, see, &seen), live > 0);
    keyspace_leave(&model->fixture.thread);
}

static void run_step(struct model *model)
{
    switch (check_random_below(&model->dice, 40)) {
    case 0:
        fixture_pass(&model->fixture, (int64_t)check_random_below(&model->dice, 900));
        break;
    case 1:
        expire_due_step(model);
        break;
    case 2:
        scan_step(model);
        break;
    case 3:
        (void)keyspace_background(&model->fixture.thread, 1);
        break;
    case 4:
        swap_step(model);
        break;
    case 5:
        if (check_random_below(&model->dice, 4) == 0) {
            flush_step(model);
        }
        break;
    case 6:
    case 7:
    case 8:
        move_or_copy_step(model, true);
        break;
    case 9:
    case 10:
    case 11:
        move_or_copy_step(model, false);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
        expire_step(model);
        break;
    case 17:
    case 18:
    case 19:
    case 20:
    case 21:
        resize_step(model);
        break;
    case 22:
    case 23:
    case 24:
    case 25:
        delete_step(model);
        break;
    default:
        set_step(model);
        break;
    }
}

static void run_history(unsigned stripe_bits)
{
    struct model *model = mem_zalloc(sizeof(*model));
    model->dice = check_seed() + stripe_bits;
    model->scratch = mem_alloc(VALUE_MAX + 10);
    fixture_open(&model->fixture, stripe_bits);
    for (unsigned key = 0; key < MODEL_KEYS; key++) {
        int len = snprintf(model->names[key], sizeof(model->names[key]), "%u:name", key);
        model->name_lens[key] = (size_t)len;
        if (key % 17 == 0) {
            memset(model->names[key] + len, 'n', sizeof(model->names[key]) - (size_t)len);
            model->name_lens[key] = sizeof(model->names[key]) - key % 3;
        }
    }
    for (unsigned step = 0; step < STEPS; step++) {
        run_step(model);
    }
    for (uint32_t db = 0; db < FIXTURE_DATABASES; db++) {
        for (unsigned key = 0; key < MODEL_KEYS; key++) {
            expect(model, db, key);
        }
    }
    fixture_flush(&model->fixture, UINT32_MAX, true);
    while (keyspace_background(&model->fixture.thread, INT64_MAX / 2)) {}
    CHECK_INT(keyspace_pending_frees(model->fixture.ks), 0);
    fixture_close(&model->fixture);
    mem_free(model->scratch);
    mem_free(model);
}

static void a_random_history_on_two_stripes_reads_as_the_model(void)
{
    run_history(1);
}

static void a_random_history_on_many_stripes_reads_as_the_model(void)
{
    run_history(8);
}

int main(void)
{
    RUN_TEST(a_random_history_on_two_stripes_reads_as_the_model);
    RUN_TEST(a_random_history_on_many_stripes_reads_as_the_model);
    return check_done();
}
