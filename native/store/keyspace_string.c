/* Writing strings: the hot path of SET, and the growth of APPEND and SETRANGE. */
#include "store/keyspace_internal.h"

#include "base/num.h"
#include "store/access.h"

/* How Redis would have encoded a string that is set as a whole. */
static inline enum encoding string_encoding(struct bytes value)
{
    if (value.len > ENTRY_EMBSTR_MAX) {
        return ENCODING_RAW;
    }
    /* Most strings that are no number do not end in a digit. */
    if (value.len > 0 && value.len < NUM_INT_ROOM && value.at[value.len - 1] >= '0' &&
        value.at[value.len - 1] <= '9') {
        int64_t number;
        if (num_parse_i64(value, &number)) {
            return ENCODING_INT;
        }
    }
    return ENCODING_EMBSTR;
}

/* Whether two sizes are of one slab class; the classes up to 128 are 8 apart. */
static inline bool same_class(size_t a, size_t b)
{
    if (((a + 7) ^ (b + 7)) < 8 && a <= SLAB_MAX && b <= SLAB_MAX) {
        return true;
    }
    if (a > SLAB_MAX || b > SLAB_MAX) {
        return false; /* Outside of the slabs the exact size is accounted. */
    }
    return slab_class_size(a) == slab_class_size(b);
}

/* Overwrites an inline string that keeps its place and layout. */
static inline void overwrite(const struct keyspace *ks, struct store_thread *thread,
                             struct entry *entry, struct bytes value)
{
    memcpy(entry_value_at(entry), value.at, value.len);
    entry->value_len = (uint16_t)value.len;
    entry->encoding = string_encoding(value) & 15;
    access_renew(ks, thread, entry);
}

/* Sets the value by a new entry.  'former' is the one to replace, or NULL. */
static enum err set_anew(struct keyspace *ks, struct store_thread *thread, struct stripe *stripe,
                         uint64_t hash, struct table_place place, struct entry *former,
                         const struct entry_parts *template, struct bytes value)
{
    struct entry_parts parts = *template;
    struct entry *entry = NULL;
    if (value.len > ENTRY_INLINE_MAX) {
        parts.blob = blob_create(value.len, value.len);
        if (parts.blob == NULL) {
            goto failed;
        }
        memcpy(parts.blob->at, value.at, value.len);
    }
    entry = entry_make(thread, &parts);
    if (entry == NULL) {
        goto failed;
    }
    int64_t before = former != NULL ? entry_expires_at(former) : KEYSPACE_NO_EXPIRY;
    if ((expiry_needs_item(before, parts.expires_at_ms) && !expiry_reserve(&stripe->expiry)) ||
        (former == NULL && !stripe_reserve(thread, stripe))) {
        goto failed;
    }
    if (parts.blob != NULL) {
        note_outside(thread, blob_memory(parts.blob), 1);
    } else {
        memcpy(entry_value_at(entry), value.at, value.len);
    }
    if (former == NULL) {
        stripe_insert(thread, stripe, hash, entry);
        return OK;
    }
    if (UNLIKELY(atomic_load_explicit(&ks->lfu, memory_order_relaxed))) {
        entry_set_access(entry, entry_access(former)); /* Its counter goes on. */
        access_note(ks, thread, entry);
    }
    stripe_replace(thread, stripe, hash, place, former, entry);
    value_free(thread, former, false);
    entry_free(thread, former);
    return OK;

failed:
    if (entry != NULL) {
        entry_free(thread, entry);
    }
    blob_unref(parts.blob);
    return ERR_OUT_OF_MEMORY;
}

static __attribute__((noinline)) enum err set_any(struct keyspace *ks, struct keylock *lock,
                                                  struct bytes key, struct bytes value,
                                                  enum keep_expiry keep, int64_t expires_at_ms)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, lock->db, key, true);
    struct stripe *stripe = stripe_of(ks, hash);
    uint32_t id = database_id(ks, lock->db);
    struct table_place place = { 0 };
    struct entry *entry = find_for_write(thread, stripe, hash, id, key, &place);
    if (LIKELY(entry != NULL)) {
        int64_t before = entry_expires_at(entry);
        if (keep == EXPIRY_KEEP) {
            expires_at_ms = before;
        }
        size_t size = entry_size(entry);
        if (LIKELY(expires_at_ms == before && entry->type == VALUE_STRING &&
                   (entry->flags & ENTRY_BLOB) == 0 && value.len <= ENTRY_INLINE_MAX &&
                   same_class(size, size - entry->value_len + value.len))) {
            overwrite(ks, thread, entry, value);
            return OK;
        }
    } else if (keep == EXPIRY_KEEP) {
        expires_at_ms = KEYSPACE_NO_EXPIRY;
    }
    struct entry_parts parts = {
        .id = id,
        .key = key,
        .expires_at_ms = expires_at_ms,
        .type = VALUE_STRING,
        .encoding = string_encoding(value),
        .value_len = value.len,
        .access = access_initial(ks, thread),
    };
    return set_anew(ks, thread, stripe, hash, place, entry, &parts, value);
}

/* Overwriting a plain string by one of the same size class is all inline here and calls
 * nothing; the other cases start anew. */
enum err keyspace_set_string(struct keyspace *ks, struct keylock *lock, struct bytes key,
                             struct bytes value, enum keep_expiry keep, int64_t expires_at_ms)
{
    enum { FEW = 128 };
    if (UNLIKELY(!key_is_next(lock, lock->db, key) || lock->mode != KEYLOCK_WRITE ||
                 !key_is_short(database_id(ks, lock->db), key) || value.len > FEW ||
                 atomic_load_explicit(&ks->lfu, memory_order_relaxed))) {
        return set_any(ks, lock, key, value, keep, expires_at_ms);
    }
    uint64_t hash = lock->keys[lock->hint].hash;
    const struct bucket *bucket = table_home_bucket(&stripe_of(ks, hash)->table, hash);
    struct entry *entry = bucket != NULL ? bucket_find_short(bucket, hash, key) : NULL;
    /* Room is counted in words from the entry's start: its classes are 8 bytes apart or more. */
    size_t head = sizeof *entry + key.len + 7;
    if (UNLIKELY(entry == NULL || entry->flags != 0 || entry->type != VALUE_STRING ||
                 (keep == EXPIRY_REPLACE && expires_at_ms != KEYSPACE_NO_EXPIRY) ||
                 (head + entry->value_len) / 8 != (head + value.len) / 8)) {
        return set_any(ks, lock, key, value, keep, expires_at_ms);
    }
    bytes_copy_few(entry->tail + key.len, value);
    entry->value_len = (uint16_t)value.len;
    entry->encoding = string_encoding(value) & 15;
    if (UNLIKELY(entry_access(entry) != lock->thread->access_now)) {
        entry_set_access(entry, access_clock(lock->thread));
    }
    return OK;
}

enum err keyspace_set_counter(struct keyspace *ks, struct keylock *lock, struct bytes key,
                              struct entry *entry, int64_t value)
{
    char digits[NUM_INT_ROOM];
    struct bytes text = { digits, num_format_i64(digits, value) };
    if (LIKELY(entry != NULL && (entry->flags & ENTRY_BLOB) == 0)) {
        size_t size = entry_size(entry);
        if (LIKELY(same_class(size, size - entry->value_len + text.len))) {
            bytes_copy_few(entry_value_at(entry), text);
            entry->value_len = (uint16_t)text.len;
            entry->encoding = ENCODING_INT;
            return OK;
        }
    }
    return keyspace_set_string(ks, lock, key, text, EXPIRY_KEEP, KEYSPACE_NO_EXPIRY);
}

/* ---- Growing in place --------------------------------------------------------------- */

/* The room a growing blob gets: as much again while it is small, an eighth when large. */
static size_t generous(size_t len)
{
    size_t more = len < 1024 * 1024 ? len : len / 8;
    return len > SIZE_MAX - more ? len : len + more;
}

/* Makes the blob of an entry 'len' bytes long and its caller the only holder. */
static enum err resize_blob(struct store_thread *thread, struct entry *entry, size_t len)
{
    struct blob *blob = entry_blob(entry);
    size_t former_len = blob->len;
    int64_t memory = blob_memory(blob);
    if (!blob_is_mine(blob)) {
        struct blob *copy = blob_create(len, len > former_len ? generous(len) : len);
        if (copy == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
        memcpy(copy->at, blob->at, former_len < len ? former_len : len);
        blob_unref(blob);
        blob = copy;
    } else if (len > blob->cap && !blob_grow(&blob, generous(len))) {
        return ERR_OUT_OF_MEMORY;
    }
    if (len > former_len) {
        memset(blob->at + former_len, 0, len - former_len);
    }
    blob->len = len;
    memcpy(entry_value_at(entry), &blob, sizeof blob);
    note_outside(thread, blob_memory(blob) - memory, 0);
    return OK;
}

/* Gives the inline string of 'former' (or of a key that is not there) another length by a
 * new entry.  '*resized' is that entry. */
static enum err resize_anew(struct keyspace *ks, struct store_thread *thread, struct stripe *stripe,
                            uint64_t hash, struct table_place place, struct entry *former,
                            struct entry_parts *parts, size_t len, struct entry **resized)
{
    struct bytes value = former != NULL ? entry_string(former) : LIT("");
    size_t kept = value.len < len ? value.len : len;
    struct entry *entry = NULL;
    parts->value_len = len;
    if (len > ENTRY_INLINE_MAX) {
        parts->blob = blob_create(len, former != NULL ? generous(len) : len);
        if (parts->blob == NULL) {
            goto failed;
        }
    }
    entry = entry_make(thread, parts);
    if (entry == NULL || (former == NULL && !stripe_reserve(thread, stripe))) {
        goto failed;
    }
    char *at = parts->blob != NULL ? parts->blob->at : entry_value_at(entry);
    memcpy(at, value.at, kept);
    memset(at + kept, 0, len - kept);
    if (parts->blob != NULL) {
        note_outside(thread, blob_memory(parts->blob), 1);
    }
    if (former == NULL) {
        stripe_insert(thread, stripe, hash, entry);
    } else {
        entry_set_access(entry, entry_access(former));
        access_note(ks, thread, entry);
        stripe_replace(thread, stripe, hash, place, former, entry);
        entry_free(thread, former);
    }
    *resized = entry;
    return OK;

failed:
    if (entry != NULL) {
        entry_free(thread, entry);
    }
    blob_unref(parts->blob);
    return ERR_OUT_OF_MEMORY;
}

enum err keyspace_resize_string(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                size_t len, char **at)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, lock->db, key, true);
    struct stripe *stripe = stripe_of(ks, hash);
    uint32_t id = database_id(ks, lock->db);
    struct table_place place = { 0 };
    struct entry *entry = find_for_write(thread, stripe, hash, id, key, &place);
    enum err err = OK;
    if (entry != NULL && entry->type != VALUE_STRING) {
        return ERR_WRONG_TYPE;
    }
    if (entry != NULL && (entry->flags & ENTRY_BLOB) != 0) {
        err = resize_blob(thread, entry, len);
        access_note(ks, thread, entry);
    } else if (entry != NULL && len <= ENTRY_INLINE_MAX &&
               same_class(entry_size(entry), entry_size(entry) - entry->value_len + len)) {
        if (len > entry->value_len) {
            memset(entry_value_at(entry) + entry->value_len, 0, len - entry->value_len);
        }
        entry->value_len = (uint16_t)len;
        access_note(ks, thread, entry);
    } else {
        struct entry_parts parts = {
            .id = id,
            .key = key,
            .expires_at_ms = entry != NULL ? entry_expires_at(entry) : KEYSPACE_NO_EXPIRY,
            .type = VALUE_STRING,
            .access = access_initial(ks, thread),
        };
        err = resize_anew(ks, thread, stripe, hash, place, entry, &parts, len, &entry);
    }
    if (err != OK) {
        return err;
    }
    entry->encoding = ENCODING_RAW;
    struct blob *blob = entry_blob(entry);
    *at = blob != NULL ? blob->at : entry_value_at(entry);
    return OK;
}
