/* Walks over keys: SCAN, RANDOMKEY and samples.  They take one stripe at a time for
 * reading.
 *
 * A table keeps keys in the order of hash_pos(), up to the bucket, whatever its size: so a
 * cursor of stripe and pos means the same before and after a table grew. */
#include "store/keyspace_internal.h"

struct walk {
    struct store_thread *thread;
    uint32_t id;
    keyspace_visit *visit;
    void *user;
    size_t seen;   /* keys of the database */
    size_t looked; /* keys of any */
};

static inline void count_key(struct walk *walk, const struct entry *entry)
{
    walk->looked++;
    walk->seen += entry_database(entry) == walk->id;
}

static bool is_visible(const struct walk *walk, const struct entry *entry)
{
    return entry_database(entry) == walk->id && !entry_is_due(entry, walk->thread->now_ms);
}

/* The first pos whose home is bucket 'home' or one after it; 2^32 behind the last. */
static uint64_t first_pos(uint64_t home, uint32_t size)
{
    return ((home << 32) + size - 1) / size;
}

static uint32_t next_bucket(struct table_array array, uint32_t at)
{
    return at + 1 == array.size ? 0 : at + 1;
}

/* Visits the keys whose home is bucket 'home', from 'from_pos' on, wherever they went when
 * it was full.  False when the visitor stopped. */
static bool visit_home(struct walk *walk, struct table_array array, uint32_t home,
                       uint64_t from_pos)
{
    const struct hash_key *key = &walk->thread->keyspace->hash_key;
    bool in_the_middle = from_pos > first_pos(home, array.size);
    uint32_t at = home;
    for (uint32_t left = array.size; left > 0; left--) {
        const struct bucket *bucket = &array.buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            if (slot_home(key, bucket, match_slot(used), array.size) != home) {
                continue;
            }
            struct entry *entry = bucket_entry(bucket, match_slot(used));
            if (in_the_middle && hash_pos(entry_hash(key, entry)) < from_pos) {
                continue;
            }
            count_key(walk, entry);
            if (is_visible(walk, entry) && !walk->visit(walk->user, entry)) {
                return false;
            }
        }
        if (!bucket_overflows(bucket)) {
            return true;
        }
        at = next_bucket(array, at);
    }
    return true;
}

/* Visits every key of the array in the order of its buckets, without hashing. */
static bool visit_all(struct walk *walk, struct table_array array)
{
    for (uint32_t at = 0; at < array.size; at++) {
        const struct bucket *bucket = &array.buckets[at];
        const struct bucket *ahead = &array.buckets[at + 1 < array.size ? at + 1 : at];
        for (uint64_t used = bucket_used(ahead); used != 0; used = match_next(used)) {
            __builtin_prefetch(bucket_entry(ahead, match_slot(used)));
        }
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            struct entry *entry = bucket_entry(bucket, match_slot(used));
            count_key(walk, entry);
            if (is_visible(walk, entry) && !walk->visit(walk->user, entry)) {
                return false;
            }
        }
    }
    return true;
}

/* A step of SCAN ends when it has seen enough, or looked at very many of other databases. */
struct scan_limits {
    size_t seen, looked;
};

static bool is_enough(const struct walk *walk, const struct scan_limits *limits)
{
    return walk->seen >= limits->seen || walk->looked >= limits->looked;
}

/* Walks a stripe, held for reading, from '*pos' until it is enough.  '*pos' is then where
 * to go on: 2^32 when the stripe is done.  False when the visitor stopped. */
static bool scan_stripe(struct walk *walk, const struct stripe *stripe, uint64_t *pos,
                        const struct scan_limits *limits)
{
    const uint64_t end = UINT64_C(1) << 32;
    struct table_array array = table_array(&stripe->table);
    bool going = true;
    if (stripe->table.count == 0) {
        *pos = end;
    } else if (*pos == 0 && limits->seen - walk->seen >= stripe->table.count) {
        going = visit_all(walk, array);
        *pos = end;
    } else {
        uint64_t home = (*pos * array.size) >> 32;
        for (; home < array.size && !is_enough(walk, limits) && going; home++) {
            going = visit_home(walk, array, (uint32_t)home, *pos);
            *pos = first_pos(home + 1, array.size);
        }
    }
    return going;
}

uint64_t keyspace_scan(struct store_thread *thread, uint32_t db, uint64_t cursor, size_t count,
                       keyspace_visit *visit, void *user)
{
    enum { LOOK_AT_LEAST = 8192 };
    struct keyspace *ks = thread->keyspace;
    struct walk walk = { thread, database_id(ks, db), visit, user, 0, 0 };
    struct scan_limits limits = { count > 0 ? count : 1,
                                  count > LOOK_AT_LEAST ? count : LOOK_AT_LEAST };
    uint64_t at = cursor >> 32;
    uint64_t pos = cursor & UINT32_MAX;
    bool going = true;
    while (at < ks->stripe_count && !is_enough(&walk, &limits) && going) {
        struct stripe *stripe = &ks->stripes[at];
        /* A stripe that never had a key since the last flush is passed without its lock. */
        if (table_array(&stripe->table).size == 0) {
            at++;
            pos = 0;
            continue;
        }
        stripe_read(stripe);
        going = scan_stripe(&walk, stripe, &pos, &limits);
        stripe_read_unlock(stripe);
        if (pos > UINT32_MAX) {
            pos = 0;
            at++;
        }
    }
    return at < ks->stripe_count ? (at << 32) | pos : 0;
}

/* ---- One at random ------------------------------------------------------------------ */

/* Visits the 'chosen'-th key of a stripe if it is visible. */
static bool visit_nth(const struct walk *walk, const struct stripe *stripe, uint64_t chosen)
{
    struct table_array array = table_array(&stripe->table);
    for (uint32_t at = 0; at < array.size; at++) {
        const struct bucket *bucket = &array.buckets[at];
        uint64_t used = bucket_used(bucket);
        unsigned count = (unsigned)__builtin_popcountll(used);
        if (chosen >= count) {
            chosen -= count;
            continue;
        }
        while (chosen-- > 0) {
            used = match_next(used);
        }
        struct entry *entry = bucket_entry(bucket, match_slot(used));
        if (!is_visible(walk, entry)) {
            return false;
        }
        walk->visit(walk->user, entry);
        return true;
    }
    return false;
}

/* Visits one of the visible keys of a stripe, each with the same chance. */
static bool visit_any(const struct walk *walk, const struct stripe *stripe)
{
    struct table_array array = table_array(&stripe->table);
    struct entry *chosen = NULL;
    uint64_t visible = 0;
    for (uint32_t at = 0; at < array.size; at++) {
        const struct bucket *bucket = &array.buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            struct entry *entry = bucket_entry(bucket, match_slot(used));
            if (is_visible(walk, entry) && random_below(&walk->thread->dice, ++visible) == 0) {
                chosen = entry;
            }
        }
    }
    if (chosen != NULL) {
        walk->visit(walk->user, chosen);
    }
    return chosen != NULL;
}

bool keyspace_random(struct store_thread *thread, uint32_t db, keyspace_visit *visit, void *user)
{
    enum { TRIES = 64 };
    struct keyspace *ks = thread->keyspace;
    struct walk walk = { thread, database_id(ks, db), visit, user, 0, 0 };
    if (keyspace_size(ks, db) <= 0) {
        return false;
    }
    for (int i = 0; i < TRIES; i++) {
        struct stripe *stripe = &ks->stripes[random_below(&thread->dice, ks->stripe_count)];
        stripe_read(stripe);
        bool found = stripe->table.count > 0 &&
                     visit_nth(&walk, stripe, random_below(&thread->dice, stripe->table.count));
        stripe_read_unlock(stripe);
        if (found) {
            return true;
        }
    }
    uint64_t start = random_below(&thread->dice, ks->stripe_count);
    for (uint64_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[(start + i) & (ks->stripe_count - 1)];
        stripe_read(stripe);
        bool found = stripe->table.count > 0 && visit_any(&walk, stripe);
        stripe_read_unlock(stripe);
        if (found) {
            return true;
        }
    }
    return false;
}

/* ---- Samples ------------------------------------------------------------------------ */

int64_t keyspace_average_ttl(struct keyspace *ks, uint32_t db)
{
    enum { SAMPLES = 64, EACH_STRIPE = 4 };
    if (keyspace_expires(ks, db) <= 0) {
        return 0;
    }
    uint32_t id = database_id(ks, db);
    int64_t now = clock_wall_ms(ks->clock);
    int64_t sum = 0, count = 0;
    for (uint32_t i = 0; i < ks->stripe_count && count < SAMPLES; i++) {
        if (atomic_load_explicit(&ks->next_expiry[i], memory_order_relaxed) == INT64_MAX) {
            continue;
        }
        struct stripe *stripe = &ks->stripes[i];
        stripe_read(stripe);
        const struct expiry_index *index = &stripe->expiry;
        /* The heap's end is as good a sample as any, and less early than its beginning. */
        for (uint32_t at = index->len, taken = 0; at > 0 && taken < EACH_STRIPE; taken++) {
            struct table_place place;
            const struct entry *entry =
                table_find_expiring(&stripe->table, &ks->hash_key, index->items[--at].hash, &place);
            if (entry != NULL && entry_database(entry) == id && entry_expires_at(entry) > now) {
                sum += (entry_expires_at(entry) - now) / SAMPLES;
                count++;
            }
        }
        stripe_read_unlock(stripe);
    }
    return count > 0 ? sum / count * SAMPLES : 0;
}
