/* ZSCAN. */
#include "commands/collection_scan.h"
#include "commands/families.h"
#include "commands/zset_commands.h"

struct listing {
    struct collection_scan *scan;
    const struct zset *zset;
    uint64_t visited;
};

static void list_element(void *user, const struct zset_element *element)
{
    struct listing *listing = user;
    char room[ZSET_SCORE_ROOM];
    listing->visited++;
    if (collection_scan_wants(listing->scan, element->member)) {
        collection_scan_put(listing->scan, element->member);
        collection_scan_put(listing->scan, zset_score_text(listing->zset, element->score, room));
    }
}

static enum err zscan(struct call *call) REQUIRES(*call->keys)
{
    struct collection_scan scan;
    struct entry *entry;
    enum err err = collection_scan_begin(call, VALUE_SORTED_SET, &scan, &entry);
    if (err != OK || entry == NULL) {
        return err;
    }
    struct zset zset = zset_of(entry);
    struct listing listing = { .scan = &scan, .zset = &zset };
    uint64_t cursor = scan.cursor;
    do {
        cursor = zset_scan(&zset, cursor, list_element, &listing);
    } while (cursor != 0 && listing.visited < scan.count && !scan.elements.failed);
    return collection_scan_end(call, &scan, cursor);
}

static const char *const scan_tips[] = { "nondeterministic_output", NULL };

static const struct command rows[] = {
    {
        .name = "zscan",
        .handler = zscan,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.0",
        .complexity = "O(1) a call, O(N) for all calls until the cursor is 0 again, where N is "
                      "the number of members.",
        .summary = "Goes on with a walk over the members of a sorted set.",
        .syntax = "key:key cursor:int [MATCH pattern:pattern] [COUNT count:int]",
        .tips = scan_tips,
    },
};

const struct command_family cmd_zset_scan_family = { rows, sizeof rows / sizeof rows[0] };
