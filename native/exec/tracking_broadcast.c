/* Broadcasts: sessions that track prefixes hear of all keys that begin so; see tracking.h.  What a
 * batch of commands changes is noted, and told at its end in one message a prefix. */
#include <stdlib.h>

#include "base/mem.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/tracking_internal.h"

enum {
    NOTES_FIRST = 16,        /* room for keys at first */
    NOTES_MAX = 1024 * 1024, /* bytes noted for a broadcast, then it is told at once */
    NOTES_KEPT = 64 * 1024,  /* what stays of the room after it */
};

/* ---- Notes: what a batch has changed --------------------------------------------------------- */

void tracking_notes_release(struct tracking_notes *notes)
{
    mem_free(notes->bytes);
    mem_free(notes->notes);
    *notes = (struct tracking_notes){ 0 };
}

/* False when memory is short. */
static bool note(struct tracking_notes *notes, uint64_t by, struct bytes key)
{
    if (notes->count == notes->room) {
        uint32_t room = notes->room > 0 ? 2 * notes->room : NOTES_FIRST;
        struct tracking_note *grown = mem_try_realloc(notes->notes, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        notes->notes = grown;
        notes->room = room;
    }
    if (key.len > notes->cap - notes->len) {
        size_t cap = 2 * (notes->len + key.len);
        char *bytes = mem_try_realloc(notes->bytes, cap);
        if (bytes == NULL) {
            return false;
        }
        notes->bytes = bytes;
        notes->cap = cap;
    }
    if (key.len > 0) {
        memcpy(notes->bytes + notes->len, key.at, key.len);
    }
    notes->notes[notes->count++] = (struct tracking_note){ notes->len, key.len, by };
    notes->len += key.len;
    return true;
}

/* By name, and of the same ones the newest last: it stands behind the others in memory. */
static int compare_told(const void *a, const void *b)
{
    const struct tracking_told *one = a, *other = b;
    int order = bytes_compare(one->name, other->name);
    if (order != 0) {
        return order;
    }
    return (one->name.at > other->name.at) - (one->name.at < other->name.at);
}

/* Sorts the keys, and of those that are the same keeps the newest; returns how many are left. */
static uint32_t settle_keys(struct tracking_told *keys, uint32_t count)
{
    uint32_t kept = 0;
    qsort(keys, count, sizeof *keys, compare_told);
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && bytes_equal(keys[kept - 1].name, keys[i].name)) {
            kept--;
        }
        keys[kept++] = keys[i];
    }
    return kept;
}

/* ---- Telling ------------------------------------------------------------------------------------ */

static bool begins_with(struct bytes name, struct bytes prefix)
{
    return name.len >= prefix.len &&
           (prefix.len == 0 || memcmp(name.at, prefix.at, prefix.len) == 0);
}

/* Under the lock: the targets of a prefix, one for each holder; NULL when there is none. */
static struct tracking_target *find_holders(const struct tracking *tracking,
                                            const struct tracking_prefix *prefix, uint32_t *count)
{
    uint32_t holders = 0;
    for (const struct tracking_hold *hold = prefix->first; hold != NULL; hold = hold->next_same) {
        holders++;
    }
    struct tracking_target *targets = mem_alloc((holders + 1) * sizeof *targets);
    *count = 0;
    for (const struct tracking_hold *hold = prefix->first; hold != NULL; hold = hold->next_same) {
        if (tracking_find_target(tracking, hold->member, &targets[*count])) {
            targets[*count].skip = hold->member->no_loop ? hold->member->id : 0;
            (*count)++;
        }
    }
    return targets;
}

static void tell_prefix(const struct tracking *tracking, const struct tracking_prefix *prefix,
                        const struct tracking_news *news)
{
    uint32_t count;
    struct tracking_target *targets = find_holders(tracking, prefix, &count);
    /* Who has changed all of the keys, and does not want to hear of those, hears nothing. */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (news->count == 0 || tracking_count_told(news, targets[i].skip) > 0) {
            targets[kept++] = targets[i];
        }
    }
    tracking_post(tracking, targets, kept, news);
    mem_free(targets);
}

/* To each prefix those of the sorted keys that begin with it; they stand together. */
static void tell_prefixes(struct engine *engine, const struct tracking_told *keys, uint32_t count)
{
    struct tracking *tracking = &engine->tracking;
    tracking_lock_to_read(tracking);
    const struct tracking_prefix *prefix = tracking->first_prefix;
    for (; prefix != NULL; prefix = prefix->next) {
        uint32_t first = 0, end;
        while (first < count && !begins_with(keys[first].name, prefix_name(prefix))) {
            first++;
        }
        for (end = first; end < count && begins_with(keys[end].name, prefix_name(prefix));) {
            end++;
        }
        struct tracking_news news = { keys + first, end - first };
        if (end > first || count == 0) {
            tell_prefix(tracking, prefix, &news);
        }
    }
    tracking_unlock_read(tracking);
}

void tracking_broadcast(struct executor *executor)
{
    struct tracking_notes *notes = &executor->notes;
    if (notes->count == 0) {
        return;
    }
    struct tracking_told *keys = mem_try_alloc(notes->count * sizeof *keys);
    if (keys == NULL) {
        tell_prefixes(executor->engine, NULL, 0);
    } else {
        for (uint32_t i = 0; i < notes->count; i++) {
            const struct tracking_note *noted = &notes->notes[i];
            keys[i] = (struct tracking_told){ { notes->bytes + noted->at, noted->len }, noted->by };
        }
        tell_prefixes(executor->engine, keys, settle_keys(keys, notes->count));
        mem_free(keys);
    }
    notes->len = 0;
    notes->count = 0;
    if (notes->cap > NOTES_KEPT) {
        tracking_notes_release(notes);
    }
}

void tracking_note_changed(struct engine *engine, struct executor *executor,
                           const struct session *by, struct bytes key)
{
    uint64_t id = by != NULL ? by->id : 0;
    if (executor == NULL) {
        struct tracking_told told = { key, id };
        tell_prefixes(engine, &told, 1);
        return;
    }
    struct tracking_notes *notes = &executor->notes;
    if (!note(notes, id, key)) {
        tell_prefixes(engine, NULL, 0);
    } else if (notes->len > NOTES_MAX) {
        tracking_broadcast(executor);
    }
}
