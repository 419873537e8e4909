/* The rules of ACL SETUSER, of files of users, and of the directive "user"; see acl_user.h. */
#include "base/mem.h"
#include "exec/acl_user.h"
#include "exec/categories.h"
#include "proto/reader.h"

const char *acl_fault_text(enum acl_fault fault)
{
    switch (fault) {
    case ACL_UNKNOWN_COMMAND:
        return "Unknown command or category name in ACL";
    case ACL_BAD_SYNTAX:
        return "Syntax error";
    case ACL_KEYS_ALREADY_ALL:
        return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
               "not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    case ACL_CHANNELS_ALREADY_ALL:
        return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
               "does not have any effect. Try 'resetchannels' to start with an empty list of "
               "channels";
    case ACL_NO_SUCH_PASSWORD:
        return "The password you are trying to remove from the user does not exist";
    case ACL_BAD_DIGEST:
        return "The password hash must be exactly 64 characters and contain only lowercase "
               "hexadecimal characters";
    case ACL_NOT_OF_SUBCOMMAND:
        return "Allowing first-arg of a subcommand is not supported";
    case ACL_FINE:
        break;
    }
    return "";
}

static bool is(struct bytes rule, const char *word)
{
    return bytes_equal_nocase(rule, bytes_of(word));
}

static struct bytes after(struct bytes text, size_t count)
{
    return (struct bytes){ text.at + count, text.len - count };
}

bool acl_has_blanks(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == ' ' || (c >= '\t' && c <= '\r') || c == '\0') {
            return true;
        }
    }
    return false;
}

/* ---- Rules of commands, as they are told again --------------------------------------------- */

/* A rule about the same command, or about a subcommand of it; 'rule' has its sign. */
static bool is_about(struct bytes rule, struct bytes subject)
{
    struct bytes body = after(rule, 1);
    return body.len >= subject.len &&
           bytes_equal((struct bytes){ body.at, subject.len }, subject) &&
           (body.len == subject.len || body.at[subject.len] == '|');
}

/* The newest rule about a command makes earlier ones idle: they are not told any more. */
static void note_rule(struct acl_selector *selector, struct bytes subject, bool allow)
{
    struct buf lower = { 0 }, rules = { 0 };
    for (size_t i = 0; i < subject.len; i++) {
        char c = subject.at[i];
        buf_append_char(&lower, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    struct bytes rest = buf_bytes(&selector->rules);
    while (rest.len > 0) {
        const char *end = memchr(rest.at, ' ', rest.len);
        struct bytes rule = { rest.at, end != NULL ? (size_t)(end - rest.at) : rest.len };
        if (!is_about(rule, buf_bytes(&lower))) {
            buf_append(&rules, rule);
            buf_append_char(&rules, ' ');
        }
        rest = after(rest, rule.len + (end != NULL));
    }
    buf_append_char(&rules, allow ? '+' : '-');
    buf_append(&rules, buf_bytes(&lower));
    buf_release(&selector->rules);
    buf_release(&lower);
    selector->rules = rules;
}

/* ---- Bits of commands ---------------------------------------------------------------------- */

static void set_bit(struct acl_selector *selector, const struct command *command, bool allow)
{
    uint32_t index = command->derived.index;
    uint64_t bit = UINT64_C(1) << index % 64;
    if (allow) {
        selector->commands[index / 64] |= bit;
    } else {
        selector->commands[index / 64] &= ~bit;
        selector->flags &= ~(uint32_t)ACL_ALL_COMMANDS;
    }
}

/* A command with all its subcommands. */
static void set_command(const struct registry *registry, struct acl_selector *selector,
                        const struct command *command, bool allow)
{
    set_bit(selector, command, allow);
    acl_selector_forget_arguments(selector, command->derived.index);
    for (uint32_t i = 0; command->derived.container && i < registry_count(registry); i++) {
        const struct command *other = registry_at(registry, i);
        if (registry_parent(registry, other) == command) {
            set_bit(selector, other, allow);
        }
    }
}

static void set_all(const struct registry *registry, struct acl_selector *selector, bool allow)
{
    const uint32_t both = ACL_ALL_COMMANDS | ACL_FUTURE_COMMANDS;
    memset(selector->commands, allow ? 0xff : 0,
           (registry_count(registry) / 64 + 1) * sizeof *selector->commands);
    selector->flags = allow ? selector->flags | both : selector->flags & ~both;
    selector->rules.len = 0;
    acl_selector_forget_arguments(selector, UINT32_MAX);
}

static enum acl_fault set_category(const struct registry *registry, struct acl_selector *selector,
                                   struct bytes name, bool allow)
{
    uint32_t category = category_find(after(name, 1));
    if (category == 0) {
        return ACL_UNKNOWN_COMMAND;
    }
    note_rule(selector, name, allow);
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *command = registry_at(registry, i);
        if ((registry_categories(registry, command) & category) != 0) {
            set_command(registry, selector, command, allow);
        }
    }
    return ACL_FINE;
}

static const char *last_bar(struct bytes text)
{
    for (size_t i = text.len; i > 0; i--) {
        if (text.at[i - 1] == '|') {
            return &text.at[i - 1];
        }
    }
    return NULL;
}

/* "+config|get" or, of a command without subcommands, "+select|0". */
static enum acl_fault allow_part(const struct registry *registry, struct acl_selector *selector,
                                 struct bytes name, const char *bar)
{
    struct bytes first = { name.at, (size_t)(bar - name.at) };
    struct bytes part = after(name, first.len + 1);
    const struct command *command = registry_find_name(registry, first);
    if (command == NULL) {
        return ACL_UNKNOWN_COMMAND;
    }
    if (command->derived.parent != 0) {
        return ACL_NOT_OF_SUBCOMMAND;
    }
    if (part.len == 0) {
        return ACL_BAD_SYNTAX;
    }
    if (!command->derived.container) {
        acl_selector_add_argument(selector, command->derived.index, part);
    } else {
        command = registry_find_name(registry, name);
        if (command == NULL) {
            return ACL_UNKNOWN_COMMAND;
        }
        set_command(registry, selector, command, true);
    }
    note_rule(selector, name, true);
    return ACL_FINE;
}

static enum acl_fault set_by_name(const struct registry *registry, struct acl_selector *selector,
                                  struct bytes name, bool allow)
{
    if (name.len > 0 && name.at[0] == '@') {
        return set_category(registry, selector, name, allow);
    }
    const char *bar = last_bar(name);
    if (allow && bar != NULL) {
        return allow_part(registry, selector, name, bar);
    }
    const struct command *command = registry_find_name(registry, name);
    if (command == NULL) {
        return ACL_UNKNOWN_COMMAND;
    }
    set_command(registry, selector, command, allow);
    note_rule(selector, bytes_of(command->name), allow);
    return ACL_FINE;
}

/* ---- Patterns ------------------------------------------------------------------------------ */

/* "~a", "%R~a", "%RW~a" ... */
static enum acl_fault add_keys(struct acl_selector *selector, struct bytes rule)
{
    size_t at = 1;
    uint8_t access = rule.at[0] == '~' ? ACL_READ | ACL_WRITE : 0;
    if ((selector->flags & ACL_ALL_KEYS) != 0) {
        return ACL_KEYS_ALREADY_ALL;
    }
    for (bool done = rule.at[0] == '~'; !done && at < rule.len; at++) {
        char c = rule.at[at];
        uint8_t more = c == 'R' || c == 'r' ? ACL_READ : c == 'W' || c == 'w' ? ACL_WRITE : 0;
        done = c == '~' && access != 0;
        if (!done && (more == 0 || (access & more) != 0)) {
            return ACL_BAD_SYNTAX;
        }
        access |= more;
    }
    if (access == 0 || acl_has_blanks(after(rule, at))) {
        return ACL_BAD_SYNTAX;
    }
    acl_patterns_add(&selector->keys, after(rule, at), access);
    return ACL_FINE;
}

static enum acl_fault add_channels(struct acl_selector *selector, struct bytes rule)
{
    if ((selector->flags & ACL_ALL_CHANNELS) != 0) {
        return ACL_CHANNELS_ALREADY_ALL;
    }
    if (acl_has_blanks(after(rule, 1))) {
        return ACL_BAD_SYNTAX;
    }
    acl_patterns_add(&selector->channels, after(rule, 1), 0);
    return ACL_FINE;
}

static void set_keys(struct acl_selector *selector, bool all)
{
    acl_patterns_clear(&selector->keys);
    selector->flags =
        all ? selector->flags | ACL_ALL_KEYS : selector->flags & ~(uint32_t)ACL_ALL_KEYS;
}

static void set_channels(struct acl_selector *selector, bool all)
{
    acl_patterns_clear(&selector->channels);
    selector->flags =
        all ? selector->flags | ACL_ALL_CHANNELS : selector->flags & ~(uint32_t)ACL_ALL_CHANNELS;
}

/* ---- One rule of a selector ---------------------------------------------------------------- */

static enum acl_fault apply_to_selector(const struct registry *registry,
                                        struct acl_selector *selector, struct bytes rule)
{
    if (is(rule, "allkeys") || is(rule, "~*")) {
        set_keys(selector, true);
    } else if (is(rule, "resetkeys")) {
        set_keys(selector, false);
    } else if (is(rule, "allchannels") || is(rule, "&*")) {
        set_channels(selector, true);
    } else if (is(rule, "resetchannels")) {
        set_channels(selector, false);
    } else if (is(rule, "allcommands") || is(rule, "+@all")) {
        set_all(registry, selector, true);
    } else if (is(rule, "nocommands") || is(rule, "-@all")) {
        set_all(registry, selector, false);
    } else if (rule.len > 0 && (rule.at[0] == '~' || rule.at[0] == '%')) {
        return add_keys(selector, rule);
    } else if (rule.len > 0 && rule.at[0] == '&') {
        return add_channels(selector, rule);
    } else if (rule.len > 0 && (rule.at[0] == '+' || rule.at[0] == '-')) {
        return set_by_name(registry, selector, after(rule, 1), rule.at[0] == '+');
    } else {
        return ACL_BAD_SYNTAX;
    }
    return ACL_FINE;
}

/* "(+get ~a)": a selector of its own, or nothing when a rule within is refused. */
static enum acl_fault add_selector(const struct acl_rules *rules, struct acl_user *user,
                                   struct bytes rule)
{
    struct argument_list words = { 0 };
    char *scratch = mem_alloc(rule.len + 1);
    enum acl_fault fault = ACL_FINE;
    struct acl_selector *selector =
        acl_user_add_selector(rules->registry, user, rules->all_channels);
    /* Unbalanced quotes leave no words, and so a selector that allows nothing. */
    (void)!line_split((struct bytes){ rule.at + 1, rule.len - 2 }, scratch, &words);
    for (uint32_t i = 0; i < words.count && fault == ACL_FINE; i++) {
        fault = apply_to_selector(rules->registry, selector, words.at[i]);
    }
    if (fault != ACL_FINE) {
        acl_user_drop_selectors(user, user->selector_count - 1);
    }
    argument_list_release(&words);
    mem_free(scratch);
    return fault;
}

/* ---- Passwords ----------------------------------------------------------------------------- */

static bool is_digest(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
            return false;
        }
    }
    return text.len == SHA256_HEX_LEN;
}

/* ">secret" and "#digest" add one, "<secret" and "!digest" take it away. */
static enum acl_fault change_password(struct acl_user *user, struct bytes rule)
{
    struct bytes text = after(rule, 1);
    struct acl_digest digest;
    if (rule.at[0] == '>' || rule.at[0] == '<') {
        sha256_hex(text, digest.hex);
    } else if (is_digest(text)) {
        memcpy(digest.hex, text.at, sizeof digest.hex);
    } else {
        return ACL_BAD_DIGEST;
    }
    uint32_t at = 0;
    while (at < user->password_count &&
           memcmp(user->passwords[at].hex, digest.hex, sizeof digest.hex) != 0) {
        at++;
    }
    bool there = at < user->password_count;
    if (rule.at[0] == '<' || rule.at[0] == '!') {
        if (!there) {
            return ACL_NO_SUCH_PASSWORD;
        }
        user->password_count--;
        memmove(&user->passwords[at], &user->passwords[at + 1],
                (user->password_count - at) * sizeof digest);
        return ACL_FINE;
    }
    if (!there) {
        user->passwords = mem_realloc(user->passwords, (user->password_count + 1) * sizeof digest);
        user->passwords[user->password_count++] = digest;
    }
    user->flags &= ~(uint32_t)ACL_USER_NO_PASSWORD;
    return ACL_FINE;
}

static void set_passwords(struct acl_user *user, bool any)
{
    user->password_count = 0;
    user->flags =
        any ? user->flags | ACL_USER_NO_PASSWORD : user->flags & ~(uint32_t)ACL_USER_NO_PASSWORD;
}

/* ---- One rule of a user -------------------------------------------------------------------- */

static void reset(const struct acl_rules *rules, struct acl_user *user)
{
    acl_user_drop_selectors(user, 1);
    set_passwords(user, false);
    set_keys(user->selectors, false);
    set_channels(user->selectors, rules->all_channels);
    set_all(rules->registry, user->selectors, false);
    user->flags = ACL_USER_CHECKED_PAYLOADS;
}

static enum acl_fault apply(const struct acl_rules *rules, struct acl_user *user, struct bytes rule)
{
    if (is(rule, "on")) {
        user->flags |= ACL_USER_ON;
    } else if (is(rule, "off")) {
        user->flags &= ~(uint32_t)ACL_USER_ON;
    } else if (is(rule, "skip-sanitize-payload")) {
        user->flags &= ~(uint32_t)ACL_USER_CHECKED_PAYLOADS;
        user->flags |= ACL_USER_UNCHECKED_PAYLOADS;
    } else if (is(rule, "sanitize-payload")) {
        user->flags &= ~(uint32_t)ACL_USER_UNCHECKED_PAYLOADS;
        user->flags |= ACL_USER_CHECKED_PAYLOADS;
    } else if (is(rule, "nopass") || is(rule, "resetpass")) {
        set_passwords(user, is(rule, "nopass"));
    } else if (rule.at[0] == '>' || rule.at[0] == '<' || rule.at[0] == '#' || rule.at[0] == '!') {
        return change_password(user, rule);
    } else if (rule.at[0] == '(' && rule.at[rule.len - 1] == ')') {
        return add_selector(rules, user, rule);
    } else if (is(rule, "clearselectors")) {
        acl_user_drop_selectors(user, 1);
    } else if (is(rule, "reset")) {
        reset(rules, user);
    } else {
        return apply_to_selector(rules->registry, user->selectors, rule);
    }
    return ACL_FINE;
}

enum acl_fault acl_user_apply(const struct acl_rules *rules, struct acl_user *user,
                              struct bytes rule)
{
    const uint32_t everything = ACL_ALL_KEYS | ACL_ALL_CHANNELS | ACL_ALL_COMMANDS;
    if (rule.len == 0) {
        return ACL_FINE;
    }
    enum acl_fault fault = apply(rules, user, rule);
    user->unrestricted = false;
    for (uint32_t i = 0; i < user->selector_count; i++) {
        user->unrestricted =
            user->unrestricted || (user->selectors[i].flags & everything) == everything;
    }
    return fault;
}

/* ---- Selectors of several words ------------------------------------------------------------ */

static bool begins_selector(struct bytes word)
{
    return word.len > 0 && word.at[0] == '(' && word.at[word.len - 1] != ')';
}

static size_t length_of(const struct bytes *words, uint32_t count)
{
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        length += words[i].len + 1;
    }
    return length;
}

bool acl_words_join(const struct bytes *words, uint32_t count, struct acl_words *out,
                    uint32_t *unclosed)
{
    bool open = false;
    *out = (struct acl_words){ .at = mem_alloc((count + 1) * sizeof *out->at),
                               .joined = mem_alloc(length_of(words, count) + 1) };
    char *at = out->joined;
    for (uint32_t i = 0; i < count; i++) {
        struct bytes word = words[i];
        if (!open && !begins_selector(word)) {
            out->at[out->count++] = word;
            continue;
        }
        if (!open) {
            *unclosed = i;
            out->at[out->count] = (struct bytes){ at, 0 };
        } else {
            *at++ = ' ';
        }
        if (word.len > 0) {
            memcpy(at, word.at, word.len);
        }
        at += word.len;
        out->at[out->count].len = (size_t)(at - out->at[out->count].at);
        open = !(open && word.len > 0 && word.at[word.len - 1] == ')');
        out->count += !open;
    }
    if (open) {
        acl_words_release(out);
    }
    return !open;
}

void acl_words_release(struct acl_words *words)
{
    mem_free(words->at);
    mem_free(words->joined);
    *words = (struct acl_words){ 0 };
}
