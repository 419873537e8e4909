/* Holds commands against the permissions of users; see acl.h. */
#include "base/mem.h"
#include "exec/acl.h"
#include "exec/acl_user.h"

enum { KEYS_ON_STACK = 64 };

/* The keys of a command, found when the first selector asks for them. */
struct keys {
    const struct command *command;
    const struct bytes *argv;
    uint32_t argc;
    int count; /* -1: not looked for yet */
    struct found_key *found;
    struct found_key room[KEYS_ON_STACK];
};

static void keys_init(struct keys *keys, const struct command *command, const struct bytes *argv,
                      uint32_t argc)
{
    keys->command = command;
    keys->argv = argv;
    keys->argc = argc;
    keys->count = -1;
    keys->found = keys->room;
}

static void keys_release(struct keys *keys)
{
    if (keys->found != keys->room) {
        mem_free(keys->found);
    }
}

/* Arguments that don't fit the command name no keys: its handler says so. */
static void keys_find(struct keys *keys)
{
    if (keys->count >= 0) {
        return;
    }
    if (keys->argc > KEYS_ON_STACK) {
        keys->found = mem_alloc(keys->argc * sizeof *keys->found);
    }
    keys->count = command_keys(keys->command, keys->argv, keys->argc, keys->found);
    if (keys->count < 0) {
        keys->count = 0;
    }
}

static uint8_t access_of(uint32_t key_flags)
{
    return (uint8_t)(((key_flags & KEY_ACCESS) != 0 ? ACL_READ : 0) |
                     ((key_flags & (KEY_INSERT | KEY_DELETE | KEY_UPDATE)) != 0 ? ACL_WRITE : 0));
}

static bool allows_command(const struct acl_selector *selector, const struct command *command,
                           const struct bytes *argv, uint32_t argc)
{
    uint32_t index = command->derived.index;
    if ((selector->flags & ACL_ALL_COMMANDS) != 0 || (command->flags & CMD_NO_AUTH) != 0 ||
        (selector->commands[index / 64] >> index % 64 & 1) != 0) {
        return true;
    }
    for (uint32_t i = 0; argc > 1 && i < selector->first_argument_count; i++) {
        const struct acl_first_argument *argument = &selector->first_arguments[i];
        if (argument->command == index &&
            bytes_equal_nocase((struct bytes){ argument->text, argument->len }, argv[1])) {
            return true;
        }
    }
    return false;
}

static bool allows_key(const struct acl_selector *selector, struct bytes key, uint8_t access)
{
    for (uint32_t i = 0; i < selector->keys.count; i++) {
        const struct acl_pattern *pattern = &selector->keys.at[i];
        if ((pattern->access & access) == access &&
            bytes_match_glob((struct bytes){ pattern->text, pattern->len }, key, false)) {
            return true;
        }
    }
    return false;
}

static bool allows_channel(const struct acl_selector *selector, struct bytes channel,
                           bool is_pattern)
{
    if ((selector->flags & ACL_ALL_CHANNELS) != 0) {
        return true;
    }
    for (uint32_t i = 0; i < selector->channels.count; i++) {
        const struct acl_pattern *pattern = &selector->channels.at[i];
        struct bytes text = { pattern->text, pattern->len };
        if (is_pattern ? bytes_equal(text, channel) : bytes_match_glob(text, channel, false)) {
            return true;
        }
    }
    return false;
}

static struct acl_verdict check_selector(const struct acl_selector *selector, struct keys *keys)
{
    const struct command *command = keys->command;
    if (!allows_command(selector, command, keys->argv, keys->argc)) {
        return (struct acl_verdict){ ACL_DENIED_COMMAND, 0 };
    }
    if ((selector->flags & ACL_ALL_KEYS) == 0) {
        keys_find(keys);
        for (int i = 0; i < keys->count; i++) {
            uint32_t at = keys->found[i].at;
            if (!allows_key(selector, keys->argv[at], access_of(keys->found[i].flags))) {
                return (struct acl_verdict){ ACL_DENIED_KEY, at };
            }
        }
    }
    if (command->channels != CHANNELS_NONE) {
        uint32_t end = command->channels == CHANNELS_FIRST ? 2 : keys->argc;
        for (uint32_t at = 1; at < end; at++) {
            if (!allows_channel(selector, keys->argv[at], command->channels == CHANNELS_PATTERNS)) {
                return (struct acl_verdict){ ACL_DENIED_CHANNEL, at };
            }
        }
    }
    return (struct acl_verdict){ ACL_ALLOWED, 0 };
}

struct acl_verdict acl_check(const struct acl_user *user, const struct command *command,
                             const struct bytes *argv, uint32_t argc)
{
    /* What is told is what came nearest to being allowed. */
    struct acl_verdict nearest = { ACL_DENIED_COMMAND, 0 };
    struct keys keys;
    keys_init(&keys, command, argv, argc);
    for (uint32_t i = 0; i < user->selector_count; i++) {
        struct acl_verdict verdict = check_selector(&user->selectors[i], &keys);
        if (verdict.denial == ACL_ALLOWED) {
            nearest = verdict;
            break;
        }
        if (verdict.denial > nearest.denial ||
            (verdict.denial == nearest.denial && verdict.at > nearest.at)) {
            nearest = verdict;
        }
    }
    keys_release(&keys);
    return nearest;
}

static bool reads_all_keys(const struct acl_selector *selector)
{
    bool all = (selector->flags & ACL_ALL_KEYS) != 0;
    for (uint32_t i = 0; i < selector->keys.count; i++) {
        const struct acl_pattern *pattern = &selector->keys.at[i];
        all = all ||
              ((pattern->access & ACL_READ) != 0 && pattern->len == 1 && pattern->text[0] == '*');
    }
    return all;
}

bool acl_reads_all_keys(const struct acl_user *user, const struct command *command,
                        const struct bytes *argv, uint32_t argc)
{
    bool all = false;
    struct keys keys;
    keys_init(&keys, command, argv, argc);
    for (uint32_t i = 0; i < user->selector_count && !all; i++) {
        const struct acl_selector *selector = &user->selectors[i];
        all = check_selector(selector, &keys).denial == ACL_ALLOWED && reads_all_keys(selector);
    }
    keys_release(&keys);
    return all;
}

bool acl_hears(const struct acl_user *user, struct bytes channel, bool is_pattern)
{
    for (uint32_t i = 0; i < user->selector_count; i++) {
        if (allows_channel(&user->selectors[i], channel, is_pattern)) {
            return true;
        }
    }
    return false;
}
