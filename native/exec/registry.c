/* The command table: copies of all families' rows, found by name; registry_internal.h tells
 * how. */
#include "exec/registry.h"

#include "base/mem.h"
#include "exec/registry_internal.h"

enum { FULL_NAME_ROOM = 64, WORD_SLOTS_MIN = 64 };

const struct command *registry_find_name(const struct registry *registry, struct bytes name)
{
    uint32_t place = (uint32_t)hash_bytes_nocase(&registry->key, name) & registry->name_mask;
    for (;; place = (place + 1) & registry->name_mask) {
        if (registry->names[place] == 0) {
            return NULL;
        }
        const struct command *command = &registry->rows[registry->names[place] - 1];
        if (bytes_equal_nocase(bytes_of(command->name), name)) {
            return command;
        }
    }
}

static const struct command *find_subcommand(const struct registry *registry,
                                             const struct command *parent, struct bytes name)
{
    char full[FULL_NAME_ROOM];
    size_t parent_len = strlen(parent->name);
    if (parent_len + 1 + name.len > sizeof full) {
        return NULL;
    }
    memcpy(full, parent->name, parent_len);
    full[parent_len] = '|';
    memcpy(full + parent_len + 1, name.at, name.len);
    return registry_find_name(registry, (struct bytes){ full, parent_len + 1 + name.len });
}

const struct command *registry_find(const struct registry *registry, const struct bytes *argv,
                                    uint32_t argc, const struct command **container)
{
    const struct command *command = NULL;
    *container = NULL;
    if (argv[0].len - 1 < sizeof(uint64_t)) {
        command = registry_find_word(registry, argv[0]);
    }
    if (__builtin_expect(command == NULL, 0)) {
        command = registry_find_name(registry, argv[0]);
        if (command == NULL || command->derived.parent != 0) {
            return NULL; /* "config|get" in one word names nothing. */
        }
    }
    if (__builtin_expect(!command->derived.container, 1) ||
        (argc == 1 && command->handler != NULL)) {
        return command;
    }
    const struct command *found = argc > 1 ? find_subcommand(registry, command, argv[1]) : NULL;
    if (found == NULL) {
        *container = command;
    }
    return found;
}

const struct command *registry_find_slow(const struct registry *registry, const struct bytes *argv,
                                         uint32_t argc)
{
    const struct command *container;
    return registry_find(registry, argv, argc, &container);
}

uint32_t registry_count(const struct registry *registry)
{
    return registry->count;
}

const struct command *registry_at(const struct registry *registry, uint32_t index)
{
    return &registry->rows[index];
}

uint32_t registry_index(const struct registry *registry, const struct command *command)
{
    (void)registry;
    return command->derived.index;
}

const struct command *registry_parent(const struct registry *registry,
                                      const struct command *command)
{
    return command->derived.parent != 0 ? &registry->rows[command->derived.parent - 1] : NULL;
}

uint32_t registry_flags(const struct registry *registry, const struct command *command)
{
    (void)registry;
    return command->flags;
}

uint32_t registry_categories(const struct registry *registry, const struct command *command)
{
    (void)registry;
    return command->derived.categories;
}

/* ---- Building ------------------------------------------------------------------- */

static bool is_word(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < 'a' || name.at[i] > 'z') {
            return false;
        }
    }
    return name.len >= 1 && name.len <= sizeof(uint64_t);
}

static void add_word(struct registry *registry, const struct command *command)
{
    struct bytes name = bytes_of(command->name);
    uint64_t word = registry_fold_word(registry_load_word(name.at, name.len), name.len);
    uint32_t place = registry_word_place(registry, word);
    while (registry->words[place].word != 0) {
        place = (place + 1) & registry->word_mask;
    }
    registry->words[place] = (struct word_slot){ word, command };
}

/* False when there is one of this name already. */
static bool add_name(struct registry *registry, uint32_t index)
{
    struct bytes name = bytes_of(registry->rows[index].name);
    if (registry_find_name(registry, name) != NULL) {
        return false;
    }
    uint32_t place = (uint32_t)hash_bytes_nocase(&registry->key, name) & registry->name_mask;
    while (registry->names[place] != 0) {
        place = (place + 1) & registry->name_mask;
    }
    registry->names[place] = index + 1;
    return true;
}

/* Joins subcommands to their containers; false when one has none. */
static bool add_parents(struct registry *registry)
{
    for (uint32_t i = 0; i < registry->count; i++) {
        struct command *command = &registry->rows[i];
        const char *bar = strchr(command->name, '|');
        if (bar == NULL) {
            continue;
        }
        struct bytes parent = { command->name, (size_t)(bar - command->name) };
        const struct command *found = registry_find_name(registry, parent);
        if (found == NULL) {
            return false;
        }
        registry->rows[found->derived.index].derived.container = true;
        command->derived.parent = (uint16_t)(found->derived.index + 1);
    }
    return true;
}

static bool fill(struct registry *registry, const struct command_family *const *families,
                 uint32_t count)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < families[i]->count; j++, index++) {
            struct command *command = &registry->rows[index];
            *command = families[i]->rows[j];
            derive_command(command);
            command->derived.index = (uint16_t)index;
            if (!add_name(registry, index)) {
                return false;
            }
            if (is_word(bytes_of(command->name))) {
                add_word(registry, command);
            }
        }
    }
    return add_parents(registry);
}

struct registry *registry_create(const struct command_family *const *families, uint32_t count)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows += families[i]->count;
    }
    uint32_t slots = WORD_SLOTS_MIN;
    unsigned bits = 6;
    for (; slots < rows * 4; slots *= 2) {
        bits++;
    }
    struct registry *registry = mem_try_alloc(sizeof *registry);
    if (registry == NULL) {
        return NULL;
    }
    *registry = (struct registry){
        .words = mem_try_alloc(slots * sizeof(struct word_slot)),
        .word_shift = 64 - bits,
        .word_mask = slots - 1,
        .rows = mem_try_alloc((rows + 1) * sizeof(struct command)),
        .count = rows,
        .names = mem_try_alloc(slots * sizeof(uint32_t)),
        .name_mask = slots - 1,
        .key = { 0x636f6d6d616e6473, 0x6e616d65 },
    };
    if (registry->words == NULL || registry->rows == NULL || registry->names == NULL ||
        rows > UINT16_MAX - 1) {
        registry_destroy(registry);
        return NULL;
    }
    memset(registry->words, 0, slots * sizeof(struct word_slot));
    memset(registry->names, 0, slots * sizeof(uint32_t));
    if (!fill(registry, families, count)) {
        registry_destroy(registry);
        return NULL;
    }
    return registry;
}

void registry_destroy(struct registry *registry)
{
    if (registry == NULL) {
        return;
    }
    mem_free(registry->words);
    mem_free(registry->rows);
    mem_free(registry->names);
    mem_free(registry);
}
