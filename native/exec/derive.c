/* What follows from a command's row: ACL categories, the lock plan, the old key range.
 * registry.c calls this once for each of its copies. */
#include <limits.h>

#include "exec/registry_internal.h"

static uint32_t key_spec_count(const struct command *command)
{
    uint32_t count = 0;
    while (count < COMMAND_KEY_SPECS && command->keys[count].begin != KEYS_NONE) {
        count++;
    }
    return count;
}

static bool is_plain_range(const struct key_spec *spec)
{
    return spec->begin == KEYS_BEGIN_INDEX && spec->find == KEYS_FIND_RANGE;
}

/* First, last and step as the range of one specification, or of consecutive ones, tells them.
 * True when there are keys that it does not tell. */
static bool find_legacy_range(const struct command *command, int *first, int *last, int *step)
{
    uint32_t count = key_spec_count(command);
    const struct key_spec *specs = command->keys;
    *first = *last = *step = 0;
    if (count == 1 && is_plain_range(&specs[0])) {
        *first = specs[0].index;
        *last = specs[0].last >= 0 ? specs[0].index + specs[0].last : specs[0].last;
        *step = specs[0].step;
        return (specs[0].flags & KEY_INCOMPLETE) != 0;
    }
    bool movable = false;
    int previous = 0, lowest = INT_MAX;
    unsigned highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_plain_range(&specs[i]) || specs[i].step != 1 ||
            (previous != 0 && previous != specs[i].index - 1)) {
            movable = true;
            continue;
        }
        movable = movable || (specs[i].flags & KEY_INCOMPLETE) != 0;
        int end = specs[i].last >= 0 ? specs[i].index + specs[i].last : specs[i].last;
        lowest = specs[i].index < lowest ? specs[i].index : lowest;
        /* Counted from the end is further than any place counted from the beginning. */
        highest = (unsigned)end > highest ? (unsigned)end : highest;
        previous = (int)highest;
    }
    if (lowest != INT_MAX) {
        *first = lowest;
        *last = (int)highest;
        *step = 1;
    }
    return movable;
}

void command_legacy_range(const struct command *command, int *first, int *last, int *step)
{
    (void)find_legacy_range(command, first, last, step);
}

static uint32_t group_category(enum command_group group)
{
    switch (group) {
    case GROUP_GENERIC:
        return CATEGORY_KEYSPACE;
    case GROUP_STRING:
        return CATEGORY_STRING;
    case GROUP_LIST:
        return CATEGORY_LIST;
    case GROUP_SET:
        return CATEGORY_SET;
    case GROUP_SORTED_SET:
        return CATEGORY_SORTED_SET;
    case GROUP_HASH:
        return CATEGORY_HASH;
    case GROUP_TRANSACTIONS:
        return CATEGORY_TRANSACTION;
    case GROUP_CONNECTION:
        return CATEGORY_CONNECTION;
    case GROUP_SCRIPTING:
        return CATEGORY_SCRIPTING;
    case GROUP_HYPERLOGLOG:
        return CATEGORY_HYPERLOGLOG;
    case GROUP_GEO:
        return CATEGORY_GEO;
    case GROUP_STREAM:
        return CATEGORY_STREAM;
    case GROUP_BITMAP:
        return CATEGORY_BITMAP;
    case GROUP_PUBSUB: /* by CMD_PUBSUB: PUBSUB HELP is not in it */
    case GROUP_SERVER:
    case GROUP_CLUSTER:
    case GROUP_SENTINEL:
        break;
    }
    return 0;
}

static uint32_t derive_categories(const struct command *command)
{
    uint32_t flags = command->flags;
    uint32_t categories = command->categories;
    bool of_connection = command->group == GROUP_GENERIC && (categories & CATEGORY_CONNECTION) != 0;
    bool of_no_group = (categories & CATEGORY_NOT_OF_GROUP) != 0;
    categories &= ~(uint32_t)CATEGORY_NOT_OF_GROUP;
    /* A bare container belongs to no group. */
    if (command->handler != NULL && !of_connection && !of_no_group) {
        categories |= group_category((enum command_group)command->group);
    }
    if ((flags & CMD_WRITE) != 0) {
        categories |= CATEGORY_WRITE;
    }
    if ((flags & CMD_READONLY) != 0 && (categories & CATEGORY_SCRIPTING) == 0) {
        categories |= CATEGORY_READ;
    }
    if ((flags & CMD_ADMIN) != 0) {
        categories |= CATEGORY_ADMIN | CATEGORY_DANGEROUS;
    }
    if ((flags & CMD_PUBSUB) != 0) {
        categories |= CATEGORY_PUBSUB;
    }
    if ((flags & CMD_BLOCKING) != 0) {
        categories |= CATEGORY_BLOCKING;
    }
    return categories | ((flags & CMD_FAST) != 0 ? CATEGORY_FAST : CATEGORY_SLOW);
}

bool command_locks_for_writing(const struct command *command)
{
    if ((command->flags & (CMD_WRITE | CMD_LOCKS_TO_WRITE)) != 0) {
        return true;
    }
    for (uint32_t i = 0; i < key_spec_count(command); i++) {
        const struct key_spec *spec = &command->keys[i];
        if ((spec->flags & (KEY_RW | KEY_OW | KEY_RM)) != 0 && (spec->flags & KEY_NOT_KEY) == 0) {
            return true;
        }
    }
    return false;
}

/* Commands that only read or take away never do; those with keys of their own kind may. */
static bool may_feed(const struct command *command)
{
    enum { GIVES = KEY_OW | KEY_INSERT | KEY_UPDATE | KEY_INCOMPLETE | KEY_VARIABLE_FLAGS };
    bool gives = command->find_keys != NULL;
    for (uint32_t i = 0; i < key_spec_count(command); i++) {
        gives = gives || (command->keys[i].flags & GIVES) != 0;
    }
    return gives && command_locks_for_writing(command);
}

static enum command_plan derive_plan(const struct command *command)
{
    uint32_t count = key_spec_count(command);
    const struct key_spec *spec = &command->keys[0];
    if ((command->flags & CMD_KEYS_ALL) != 0) {
        return command->needs != NULL ? PLAN_DECLARED : PLAN_EVERYTHING;
    }
    if ((command->flags & CMD_WALKS) != 0 || command->handler == NULL ||
        (count == 0 && command->find_keys == NULL)) {
        return PLAN_NO_KEYS;
    }
    bool reliable = command->find_keys == NULL || (spec->flags & KEY_VARIABLE_FLAGS) != 0;
    bool one = count == 1 && reliable && command->needs_everything == NULL &&
               is_plain_range(spec) && spec->last == 0 && spec->index > 0 &&
               spec->index < UINT8_MAX && (spec->flags & (KEY_NOT_KEY | KEY_INCOMPLETE)) == 0;
    return one ? PLAN_ONE_KEY : PLAN_KEYS;
}

void derive_command(struct command *command)
{
    int first, last, step;
    if (find_legacy_range(command, &first, &last, &step)) {
        command->flags |= CMD_MOVABLE_KEYS;
    }
    command->derived = (struct command_derived){
        .plan = (uint8_t)derive_plan(command),
        .writes = command_locks_for_writing(command),
        .feeds = may_feed(command),
        .categories = derive_categories(command),
    };
    if (command->derived.plan == PLAN_ONE_KEY) {
        command->derived.key_at = (uint8_t)command->keys[0].index;
    }
}
