/* Hashes with fields that end by themselves: which of a stripe's is next, and the removal of
 * such fields by the background.
 *
 * An item of the stripe's second index (keyspace.field_ends) is the next end of a hash's
 * fields, by the hash of its key.  It counts while the hash's own note (members_noted())
 * says the same; others are left behind by hashes that went, moved or got an earlier end, and
 * are dropped when they come up or have become many. */
#include "store/keyspace_internal.h"
#include "store/members.h"

enum { FIELDS = 16, ITEMS_ALLOWED = 64 };

static struct expiry_index *index_of(const struct keyspace *ks, const struct stripe *stripe)
{
    return &ks->field_ends[stripe - ks->stripes];
}

int64_t field_ends_first(const struct keyspace *ks, const struct stripe *stripe)
{
    return expiry_first(index_of(ks, stripe));
}

void field_ends_release(struct keyspace *ks)
{
    for (uint32_t at = 0; at < ks->stripe_count; at++) {
        expiry_release(&ks->field_ends[at]);
    }
}

/* The entry that an item belongs to, or NULL. */
static struct entry *find_owner(const struct keyspace *ks, const struct stripe *stripe,
                                const struct expiry_item *item, struct table_place *place)
{
    struct table_array array = table_array(&stripe->table);
    uint32_t at = array.size > 0 ? table_home(item->hash, array.size) : 0;
    for (uint32_t left = array.size; left > 0; left--) {
        struct bucket *bucket = &array.buckets[at];
        uint64_t match = bucket_match(bucket, hash_tag(item->hash));
        for (; match != 0; match = match_next(match)) {
            struct entry *entry = bucket_entry(bucket, match_slot(match));
            if (entry->type != VALUE_HASH || entry->encoding != ENCODING_HASHTABLE ||
                !members_may_end(entry_pointer(entry)) ||
                entry_hash(&ks->hash_key, entry) != item->hash) {
                continue;
            }
            const struct members_noted *noted = members_noted(entry_pointer(entry));
            if (noted->when == item->when && noted->key_hash == item->hash) {
                *place = (struct table_place){ bucket, match_slot(match) };
                return entry;
            }
        }
        if (!bucket_overflows(bucket)) {
            break;
        }
        at = bucket_after(at, array.size);
    }
    return NULL;
}

/* Drops items without an owner when there are twice as many items as owners at the last look,
 * which 'live' remembers. */
static void tidy(const struct keyspace *ks, const struct stripe *stripe, struct expiry_index *index)
{
    if (index->len < 2 * index->live + ITEMS_ALLOWED) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t at = 0; at < index->len; at++) {
        struct table_place place;
        if (find_owner(ks, stripe, &index->items[at], &place) != NULL) {
            index->items[kept++] = index->items[at];
        }
    }
    index->len = index->live = kept;
    expiry_tidied(index);
}

void field_ends_note(struct store_thread *thread, struct stripe *stripe, uint64_t key_hash,
                     struct entry *entry)
{
    if (entry->type != VALUE_HASH || entry->encoding != ENCODING_HASHTABLE ||
        !members_may_end(entry_pointer(entry))) {
        return;
    }
    entry->flags |= ENTRY_FIELDS_END;
    struct keyspace *ks = thread->keyspace;
    struct expiry_index *index = index_of(ks, stripe);
    struct members_noted *noted = members_noted(entry_pointer(entry));
    int64_t next = members_next_end(entry_pointer(entry));
    if (next == INT64_MAX || (noted->key_hash == key_hash && noted->when <= next)) {
        return;
    }
    tidy(ks, stripe, index);
    if (!expiry_reserve(index)) {
        noted->when = INT64_MAX; /* The fields are seen as gone in time, but stay there. */
        return;
    }
    *noted = (struct members_noted){ next, key_hash };
    uint32_t live = index->live;
    expiry_changed(index, key_hash, KEYSPACE_NO_EXPIRY, next);
    index->live = live;
    stripe_publish_expiry(ks, stripe);
}

/* ---- The background ------------------------------------------------------------------------- */

struct telling {
    struct store_thread *thread;
    uint32_t db;
    struct bytes key;
};

static void tell_field(void *user, struct bytes name)
{
    struct telling *telling = user;
    const struct keyspace *ks = telling->thread->keyspace;
    if (telling->db != INDEX_NONE && ks->hooks.field_expired != NULL) {
        ks->hooks.field_expired(ks->hooks.user, telling->db, telling->key, name);
    }
}

/* Removes up to 'most' due fields of a hash, and the hash when none is left: false. */
static bool expire_fields(struct store_thread *thread, struct stripe *stripe, uint64_t key_hash,
                          struct table_place place, struct entry *entry, uint64_t most)
{
    struct keyspace *ks = thread->keyspace;
    struct members *members = entry_pointer(entry);
    struct telling telling = { thread, ks->index_of[entry_database(entry)], entry_key(entry) };
    bool any = false;
    for (; most > 0; most--) {
        if (!members_remove_due(thread, members, thread->now_ms, tell_field, &telling)) {
            break;
        }
        any = true;
    }
    if (any) {
        stripe_touch(stripe, key_hash, entry_database(entry), telling.key);
    }
    if (members_count(members) > 0) {
        members_noted(members)->when = INT64_MAX;
        field_ends_note(thread, stripe, key_hash, entry);
        return true;
    }
    if (telling.db != INDEX_NONE && ks->hooks.fields_gone != NULL) {
        ks->hooks.fields_gone(ks->hooks.user, telling.db, telling.key);
    }
    stripe_remove(thread, stripe, key_hash, place, entry);
    value_free(thread, entry, true);
    entry_free(thread, entry);
    return false;
}

bool field_ends_drop(struct store_thread *thread, struct stripe *stripe, uint64_t key_hash,
                     struct table_place place, struct entry *entry)
{
    const struct members *members = entry_pointer(entry);
    return !members_may_end(members) || members_next_end(members) > thread->now_ms ||
           expire_fields(thread, stripe, key_hash, place, entry, UINT64_MAX);
}

void field_ends_expire(struct store_thread *thread, struct stripe *stripe)
{
    enum { ITEMS = 16 };
    struct keyspace *ks = thread->keyspace;
    struct expiry_index *index = index_of(ks, stripe);
    for (int left = ITEMS; left > 0 && expiry_first(index) <= thread->now_ms; left--) {
        struct expiry_item item = expiry_pop(index);
        struct table_place place;
        struct entry *entry = find_owner(ks, stripe, &item, &place);
        if (entry != NULL) {
            (void)expire_fields(thread, stripe, item.hash, place, entry, FIELDS);
        }
    }
}

void keyspace_note_field_ends(struct keyspace *ks, struct keylock *lock, struct bytes key,
                              struct entry *entry)
{
    uint64_t hash = held_hash(ks, lock, lock->db, key, true);
    field_ends_note(lock->thread, stripe_of(ks, hash), hash, entry);
}
