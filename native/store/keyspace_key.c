/* One key of the keyspace: finding, deleting, expiring, moving and copying it, and the
 * memory of entries.  Writing strings is in keyspace_string.c. */
#include "store/keyspace_internal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/access.h"

/* ---- The key in hand ---------------------------------------------------------------- */

uint64_t held_hash_slow(const struct keyspace *ks, struct keylock *lock, uint32_t db,
                        struct bytes key)
{
    /* Handlers take keys mostly in order, so it is near the last one. */
    enum { LOOKS = 16 };
    uint32_t at = lock->hint;
    for (uint32_t left = lock->key_count < LOOKS ? lock->key_count : LOOKS; left > 0; left--) {
        at = at + 1 < lock->key_count ? at + 1 : 0;
        const struct locked_key *held = &lock->keys[at];
        if (held->name.at == key.at && held->name.len == key.len && held->db == db) {
            lock->hint = at;
            return held->hash;
        }
    }
    return keyspace_hash(ks, db, key);
}

void check_held(const struct keyspace *ks, const struct keylock *lock, uint64_t hash,
                bool for_write)
{
    bool held = lock->exclusive;
    for (uint32_t i = 0; i < lock->stripe_count && !held; i++) {
        held = lock->stripes[i] == stripe_index(ks, hash);
    }
    if (!held || (for_write && lock->mode != KEYLOCK_WRITE)) {
        abort();
    }
}

/* The hash of a key given by its entry: that of the last key in hand if it is the same. */
static uint64_t held_entry_hash(const struct keyspace *ks, const struct keylock *lock,
                                const struct entry *entry)
{
    if (lock->hint < lock->key_count) {
        const struct locked_key *held = &lock->keys[lock->hint];
        if (entry_is(entry, database_id(ks, held->db), held->name)) {
            return held->hash;
        }
    }
    return entry_hash(&ks->hash_key, entry);
}

/* ---- The memory of entries ---------------------------------------------------------- */

struct entry *entry_make(struct store_thread *thread, const struct entry_parts *parts)
{
    bool wide = parts->id != 0 || parts->key.len > ENTRY_SHORT_KEY_MAX;
    bool expires = parts->expires_at_ms != KEYSPACE_NO_EXPIRY;
    size_t value_len = parts->blob != NULL ? sizeof parts->blob : parts->value_len;
    size_t size = sizeof(struct entry) + (wide ? sizeof(struct entry_wide) : 0) +
                  (expires ? sizeof(int64_t) : 0) + parts->key.len + value_len;
    struct entry *entry;
    if (LIKELY(size <= SLAB_MAX)) {
#ifdef SLAB_PASSTHROUGH
        /* Strings are overwritten up to the end of their class. */
        entry = slab_alloc(thread->heap, slab_class_size(size));
#else
        entry = slab_alloc(thread->heap, size);
#endif
    } else {
        entry = mem_try_alloc(size);
    }
    if (entry == NULL) {
        return NULL;
    }
    if (UNLIKELY(size > SLAB_MAX)) {
        note_outside(thread, (int64_t)size, 1);
    }
    entry->type = parts->type & 15;
    entry->encoding = parts->encoding & 15;
    entry->flags = (uint8_t)((expires ? ENTRY_EXPIRES : 0) | (wide ? ENTRY_WIDE : 0) |
                             (parts->blob != NULL ? ENTRY_BLOB : 0));
    entry->short_key_len = wide ? ENTRY_SHORT_KEY_MAX + 1 : (uint8_t)parts->key.len;
    entry->value_len = (uint16_t)value_len;
    entry_set_access(entry, parts->access);
    char *at = entry->tail;
    if (wide) {
        struct entry_wide part = { parts->id, (uint32_t)parts->key.len };
        memcpy(at, &part, sizeof part);
        at += sizeof part;
    }
    if (expires) {
        memcpy(at, &parts->expires_at_ms, sizeof parts->expires_at_ms);
        at += sizeof parts->expires_at_ms;
    }
    memcpy(at, parts->key.at, parts->key.len);
    if (parts->blob != NULL) {
        memcpy(at + parts->key.len, &parts->blob, sizeof parts->blob);
    }
    return entry;
}

void entry_free(struct store_thread *thread, struct entry *entry)
{
    size_t size = entry_size(entry);
    if (LIKELY(size <= SLAB_MAX)) {
        slab_free(thread->heap, entry, size);
    } else {
        note_outside(thread, -(int64_t)size, -1);
        mem_free(entry);
    }
}

/* ---- Entries in their stripe -------------------------------------------------------- */

void stripe_publish_expiry(struct keyspace *ks, struct stripe *stripe)
{
    _Atomic int64_t *next = &ks->next_expiry[stripe - ks->stripes];
    int64_t first = expiry_first(&stripe->expiry), field = field_ends_first(ks, stripe);
    first = field < first ? field : first;
    if (atomic_load_explicit(next, memory_order_relaxed) != first) {
        atomic_store_explicit(next, first, memory_order_relaxed);
    }
}

void stripe_expiry_changed(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                           uint32_t id, int64_t before, int64_t after)
{
    if (LIKELY(before == after)) {
        return;
    }
    struct keyspace *ks = thread->keyspace;
    counter_add(&thread->expiry_counts[id], (after >= 0) - (before >= 0));
    expiry_changed(&stripe->expiry, hash, before, after);
    expiry_tidy(&stripe->expiry, &stripe->table, &ks->hash_key);
    stripe_publish_expiry(ks, stripe);
}

bool stripe_reserve(struct store_thread *thread, struct stripe *stripe)
{
    struct table_array old;
    bool room = table_reserve(&stripe->table, &thread->keyspace->hash_key, thread->heap, &old);
    if (UNLIKELY(old.buckets != NULL)) {
        note_outside(thread, (int64_t)table_array_outside(table_array(&stripe->table)), 0);
        retire_array(thread, old);
    }
    return room;
}

void stripe_insert(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct entry *entry)
{
    uint32_t id = entry_database(entry);
    table_insert(&stripe->table, hash, entry);
    counter_add(&thread->key_counts[id], 1);
    stripe_expiry_changed(thread, stripe, hash, id, KEYSPACE_NO_EXPIRY, entry_expires_at(entry));
    if (UNLIKELY(entry->type == VALUE_HASH)) {
        field_ends_note(thread, stripe, hash, entry);
    }
    const struct keyspace *ks = thread->keyspace;
    if (UNLIKELY(atomic_load_explicit(&ks->tell_created, memory_order_relaxed)) &&
        ks->hooks.created != NULL && ks->index_of[id] != INDEX_NONE) {
        ks->hooks.created(ks->hooks.user, ks->index_of[id], entry_key(entry));
    }
}

void keyspace_tell_created(struct keyspace *ks, bool on)
{
    atomic_store_explicit(&ks->tell_created, on, memory_order_relaxed);
}

void stripe_replace(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                    struct table_place place, struct entry *former, struct entry *entry)
{
    bucket_point(place.bucket, place.slot, entry);
    stripe_expiry_changed(thread, stripe, hash, entry_database(entry), entry_expires_at(former),
                          entry_expires_at(entry));
    if (UNLIKELY(entry->type == VALUE_HASH)) {
        field_ends_note(thread, stripe, hash, entry);
    }
}

void stripe_settle(struct store_thread *thread, struct stripe *stripe)
{
    struct table_array old;
    table_shrink(&stripe->table, &thread->keyspace->hash_key, thread->heap, &old);
    if (UNLIKELY(old.buckets != NULL)) {
        note_outside(thread, (int64_t)table_array_outside(table_array(&stripe->table)), 0);
        retire_array(thread, old);
    }
}

void stripe_unlink(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry)
{
    uint32_t id = entry_database(entry);
    table_remove(&stripe->table, hash, place);
    counter_add(&thread->key_counts[id], -1);
    stripe_expiry_changed(thread, stripe, hash, id, entry_expires_at(entry), KEYSPACE_NO_EXPIRY);
}

void stripe_remove(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry)
{
    stripe_unlink(thread, stripe, hash, place, entry);
    stripe_settle(thread, stripe);
}

/* ---- Finding and deleting ----------------------------------------------------------- */

static struct entry *peek(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, db, key, false);
    struct stripe *stripe = stripe_of(ks, hash);
    struct table_place place;
    struct entry *entry = table_find(&stripe->table, hash, database_id(ks, db), key, &place);
    if (entry == NULL || (entry->flags & (ENTRY_EXPIRES | ENTRY_FIELDS_END)) == 0) {
        return entry;
    }
    if (lock->mode == KEYLOCK_WRITE) {
        return stripe_drop_ended(thread, stripe, hash, place, entry);
    }
    lock->met_expired = lock->met_expired || entry_is_due(entry, thread->now_ms);
    return entry_is_due(entry, thread->now_ms) ? NULL : entry;
}

static __attribute__((noinline)) enum err find_any(struct keyspace *ks, struct keylock *lock,
                                                   struct bytes key, enum value_type type,
                                                   struct entry **found)
{
    struct entry *entry = peek(ks, lock, lock->db, key);
    *found = entry;
    if (entry == NULL) {
        lock->missed = key;
        return OK;
    }
    if (UNLIKELY(entry->type != type && type != VALUE_ANY)) {
        return ERR_WRONG_TYPE;
    }
    access_note(ks, lock->thread, entry);
    return OK;
}

/* The common case is all inline here and calls nothing; the others start anew. */
enum err keyspace_find(struct keyspace *ks, struct keylock *lock, struct bytes key,
                       enum value_type type, struct entry **found)
{
    if (UNLIKELY(!key_is_next(lock, lock->db, key) ||
                 !key_is_short(database_id(ks, lock->db), key) ||
                 atomic_load_explicit(&ks->lfu, memory_order_relaxed))) {
        return find_any(ks, lock, key, type, found);
    }
    uint64_t hash = lock->keys[lock->hint].hash;
    const struct bucket *bucket = table_home_bucket(&stripe_of(ks, hash)->table, hash);
    struct entry *entry = bucket != NULL ? bucket_find_short(bucket, hash, key) : NULL;
    if (entry == NULL) {
        if (bucket != NULL && bucket_overflows(bucket)) {
            return find_any(ks, lock, key, type, found);
        }
        *found = NULL;
        lock->missed = key;
        return OK;
    }
    if (UNLIKELY((entry->flags & (ENTRY_EXPIRES | ENTRY_FIELDS_END)) != 0 || entry->type != type)) {
        return find_any(ks, lock, key, type, found);
    }
    *found = entry;
    if (UNLIKELY(entry_access(entry) != lock->thread->access_now)) {
        access_set_now(lock->thread, entry);
    }
    return OK;
}

struct entry *keyspace_peek(struct keyspace *ks, struct keylock *lock, struct bytes key)
{
    struct entry *entry = peek(ks, lock, lock->db, key);
    if (entry == NULL) {
        lock->missed = key;
    }
    return entry;
}

struct entry *keyspace_peek_in(struct keyspace *ks, struct keylock *lock, uint32_t db,
                               struct bytes key)
{
    return peek(ks, lock, db, key);
}

static bool delete_key(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key,
                       bool lazily)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, db, key, true);
    struct stripe *stripe = stripe_of(ks, hash);
    struct table_place place;
    struct entry *entry = find_for_write(thread, stripe, hash, database_id(ks, db), key, &place);
    if (entry == NULL) {
        return false;
    }
    stripe_remove(thread, stripe, hash, place, entry);
    value_free(thread, entry, lazily);
    entry_free(thread, entry);
    return true;
}

bool keyspace_delete(struct keyspace *ks, struct keylock *lock, struct bytes key, bool lazily)
{
    return delete_key(ks, lock, lock->db, key, lazily);
}

bool keyspace_delete_in(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key)
{
    return delete_key(ks, lock, db, key, false);
}

/* ---- Another layout of the same value ----------------------------------------------- */

/* What the entry is made of; the blob is the same one. */
static struct entry_parts parts_of(const struct entry *entry)
{
    return (struct entry_parts){
        .id = entry_database(entry),
        .key = entry_key(entry),
        .expires_at_ms = entry_expires_at(entry),
        .type = entry->type,
        .encoding = entry->encoding,
        .value_len = entry->value_len,
        .blob = entry_blob(entry),
        .access = entry_access(entry),
    };
}

static void copy_inline_value(struct entry *to, const struct entry *from)
{
    if ((from->flags & ENTRY_BLOB) == 0) {
        struct bytes value = entry_string(from);
        memcpy(entry_value_at(to), value.at, value.len);
    }
}

enum err keyspace_expire_at(struct keyspace *ks, struct keylock *lock, struct entry **entry,
                            int64_t expires_at_ms)
{
    struct store_thread *thread = lock->thread;
    struct entry *former = *entry;
    int64_t before = entry_expires_at(former);
    uint64_t hash = held_entry_hash(ks, lock, former);
    struct stripe *stripe = stripe_of(ks, hash);
#ifdef RLN_DEBUG
    check_held(ks, lock, hash, true);
#endif
    if (before == expires_at_ms) {
        return OK;
    }
    if (expiry_needs_item(before, expires_at_ms) && !expiry_reserve(&stripe->expiry)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (before != KEYSPACE_NO_EXPIRY && expires_at_ms != KEYSPACE_NO_EXPIRY) {
        entry_write_expiry(former, expires_at_ms);
        stripe_expiry_changed(thread, stripe, hash, entry_database(former), before, expires_at_ms);
        return OK;
    }
    struct entry_parts parts = parts_of(former);
    parts.expires_at_ms = expires_at_ms;
    struct entry *moved = entry_make(thread, &parts);
    if (moved == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    copy_inline_value(moved, former);
    struct table_place place;
    table_find(&stripe->table, hash, parts.id, parts.key, &place);
    stripe_replace(thread, stripe, hash, place, former, moved);
    entry_free(thread, former);
    *entry = moved;
    return OK;
}

/* ---- Moving and copying ------------------------------------------------------------- */

/* Puts 'entry', a new one, under its key: in the place of what is there, or as one more.
 * False when memory is short; then nothing has changed and the entry is the caller's. */
static bool put_entry(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                      struct entry *entry)
{
    struct table_place place;
    struct entry *former =
        find_for_write(thread, stripe, hash, entry_database(entry), entry_key(entry), &place);
    int64_t before = former != NULL ? entry_expires_at(former) : KEYSPACE_NO_EXPIRY;
    if (expiry_needs_item(before, entry_expires_at(entry)) && !expiry_reserve(&stripe->expiry)) {
        return false;
    }
    if (former != NULL) {
        stripe_replace(thread, stripe, hash, place, former, entry);
        value_free(thread, former, false);
        entry_free(thread, former);
        return true;
    }
    if (!stripe_reserve(thread, stripe)) {
        return false;
    }
    stripe_insert(thread, stripe, hash, entry);
    return true;
}

/* A new entry with the value of 'from' under another key; the blob is not yet referred to
 * once more. */
static struct entry *remake_under(struct keyspace *ks, struct store_thread *thread,
                                  const struct entry *from, uint32_t db, struct bytes key)
{
    struct entry_parts parts = parts_of(from);
    parts.id = database_id(ks, db);
    parts.key = key;
    struct entry *entry = entry_make(thread, &parts);
    if (entry != NULL) {
        copy_inline_value(entry, from);
    }
    return entry;
}

enum err keyspace_move(struct keyspace *ks, struct keylock *lock, uint32_t from_db,
                       struct bytes from, uint32_t to_db, struct bytes to)
{
    struct store_thread *thread = lock->thread;
    uint64_t from_hash = held_hash(ks, lock, from_db, from, true);
    uint64_t to_hash = held_hash(ks, lock, to_db, to, true);
    struct stripe *stripe = stripe_of(ks, from_hash);
    uint32_t from_id = database_id(ks, from_db);
    struct table_place place;
    struct entry *former = find_for_write(thread, stripe, from_hash, from_id, from, &place);
    if (former == NULL) {
        return ERR_NO_KEY;
    }
    if (from_db == to_db && bytes_equal(from, to)) {
        return OK;
    }
    struct entry *entry = remake_under(ks, thread, former, to_db, to);
    if (entry == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!put_entry(thread, stripe_of(ks, to_hash), to_hash, entry)) {
        entry_free(thread, entry);
        return ERR_OUT_OF_MEMORY;
    }
    /* Its table may have grown for the other key. */
    former = table_find(&stripe->table, from_hash, from_id, from, &place);
    stripe_remove(thread, stripe, from_hash, place, former);
    entry_free(thread, former);
    return OK;
}

enum err keyspace_copy(struct keyspace *ks, struct keylock *lock, uint32_t from_db,
                       struct bytes from, uint32_t to_db, struct bytes to)
{
    struct store_thread *thread = lock->thread;
    uint64_t from_hash = held_hash(ks, lock, from_db, from, true);
    uint64_t to_hash = held_hash(ks, lock, to_db, to, true);
    struct table_place place;
    struct entry *source = find_for_write(thread, stripe_of(ks, from_hash), from_hash,
                                          database_id(ks, from_db), from, &place);
    if (source == NULL) {
        return ERR_NO_KEY;
    }
    if (from_db == to_db && bytes_equal(from, to)) {
        return OK;
    }
    struct entry *entry = remake_under(ks, thread, source, to_db, to);
    if (entry == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    entry_set_access(entry, access_initial(ks, thread));
    struct blob *blob = entry_blob(entry);
    bool structured = entry->type != VALUE_STRING;
    if (structured) {
        void *copy = value_copy(thread, source);
        if (copy == NULL) {
            entry_free(thread, entry);
            return ERR_OUT_OF_MEMORY;
        }
        entry_set_pointer(entry, copy);
    }
    if (!put_entry(thread, stripe_of(ks, to_hash), to_hash, entry)) {
        if (structured) {
            value_free(thread, entry, false);
        }
        entry_free(thread, entry);
        return ERR_OUT_OF_MEMORY;
    }
    if (blob != NULL) {
        blob_ref(blob);
        note_outside(thread, blob_memory(blob), 1);
    }
    return OK;
}
