/* What entries own outside of themselves: structures come to a key here, and they and blobs
 * are freed here.  What a structure is, value.c knows; what is freed later, reclaim.c. */
#include "store/keyspace_internal.h"

#include "store/access.h"

/* A blob of this size or more is worth the background's time; so are structures of so many
 * elements, when that is asked for and when it is not. */
enum { LAZY_BLOB_MIN = 64 * 1024, LAZY_ELEMENTS_MIN = 64, EAGER_ELEMENTS_MAX = 1024 };

static void structure_free(struct store_thread *thread, struct entry *entry, bool lazily)
{
    enum value_type type = (enum value_type)entry->type;
    enum encoding encoding = (enum encoding)entry->encoding;
    void *pointer = entry_pointer(entry);
    size_t elements = value_elements(entry);
    if (elements <= (lazily ? (size_t)LAZY_ELEMENTS_MIN : (size_t)EAGER_ELEMENTS_MAX) ||
        !doom_value(thread->keyspace, type, encoding, pointer)) {
        value_destroy(thread, type, encoding, pointer);
    }
}

void value_free(struct store_thread *thread, struct entry *entry, bool lazily)
{
    if (UNLIKELY(entry->type != VALUE_STRING)) {
        structure_free(thread, entry, lazily);
        return;
    }
    struct blob *blob = entry_blob(entry);
    if (blob == NULL) {
        return;
    }
    note_outside(thread, -blob_memory(blob), -1);
    if (lazily && blob->cap >= LAZY_BLOB_MIN && blob_is_mine(blob)) {
        doom_blob(thread->keyspace, blob);
    } else {
        blob_unref(blob);
    }
}

/* An entry with a structure for its value; NULL when memory is short. */
static struct entry *make_entry(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                enum value_type type, enum encoding encoding, void *pointer,
                                int64_t expires_at_ms)
{
    struct store_thread *thread = lock->thread;
    struct entry_parts parts = {
        .id = database_id(ks, lock->db),
        .key = key,
        .expires_at_ms = expires_at_ms,
        .type = type,
        .encoding = encoding,
        .value_len = sizeof pointer,
        .access = access_initial(ks, thread),
    };
    struct entry *made = entry_make(thread, &parts);
    if (made != NULL) {
        entry_set_pointer(made, pointer);
    }
    return made;
}

enum err keyspace_add(struct keyspace *ks, struct keylock *lock, struct bytes key,
                      enum value_type type, enum encoding encoding, void *pointer,
                      struct entry **entry)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, lock->db, key, true);
    struct stripe *stripe = stripe_of(ks, hash);
    struct entry *made = make_entry(ks, lock, key, type, encoding, pointer, KEYSPACE_NO_EXPIRY);
    if (made == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!stripe_reserve(thread, stripe)) {
        entry_free(thread, made);
        return ERR_OUT_OF_MEMORY;
    }
    stripe_insert(thread, stripe, hash, made);
    *entry = made;
    return OK;
}

enum err keyspace_put(struct keyspace *ks, struct keylock *lock, struct bytes key,
                      enum value_type type, enum encoding encoding, void *pointer,
                      int64_t expires_at_ms, bool lazily)
{
    struct store_thread *thread = lock->thread;
    uint64_t hash = held_hash(ks, lock, lock->db, key, true);
    struct stripe *stripe = stripe_of(ks, hash);
    struct table_place place;
    struct entry *former =
        find_for_write(thread, stripe, hash, database_id(ks, lock->db), key, &place);
    int64_t before = former != NULL ? entry_expires_at(former) : KEYSPACE_NO_EXPIRY;
    struct entry *made = make_entry(ks, lock, key, type, encoding, pointer, expires_at_ms);
    if (made == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if ((expiry_needs_item(before, expires_at_ms) && !expiry_reserve(&stripe->expiry)) ||
        (former == NULL && !stripe_reserve(thread, stripe))) {
        entry_free(thread, made);
        return ERR_OUT_OF_MEMORY;
    }
    if (former == NULL) {
        stripe_insert(thread, stripe, hash, made);
        return OK;
    }
    stripe_replace(thread, stripe, hash, place, former, made);
    value_free(thread, former, lazily);
    entry_free(thread, former);
    return OK;
}

enum err keyspace_replace(struct keyspace *ks, struct keylock *lock, struct bytes key,
                          enum value_type type, enum encoding encoding, void *pointer, bool lazily)
{
    return keyspace_put(ks, lock, key, type, encoding, pointer, KEYSPACE_NO_EXPIRY, lazily);
}
