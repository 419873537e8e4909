/* Makes, copies and describes users; see acl_user.h. */
#include "exec/acl_user.h"

#include "base/mem.h"

static size_t command_words(const struct registry *registry)
{
    return registry_count(registry) / 64 + 1;
}

/* ---- Patterns ------------------------------------------------------------------------------ */

void acl_patterns_clear(struct acl_patterns *patterns)
{
    for (uint32_t i = 0; i < patterns->count; i++) {
        mem_free(patterns->at[i].text);
    }
    mem_free(patterns->at);
    *patterns = (struct acl_patterns){ 0 };
}

void acl_patterns_add(struct acl_patterns *patterns, struct bytes text, uint8_t access)
{
    for (uint32_t i = 0; i < patterns->count; i++) {
        struct acl_pattern *pattern = &patterns->at[i];
        if (bytes_equal((struct bytes){ pattern->text, pattern->len }, text)) {
            pattern->access |= access;
            return;
        }
    }
    patterns->at = mem_realloc(patterns->at, (patterns->count + 1) * sizeof *patterns->at);
    patterns->at[patterns->count++] =
        (struct acl_pattern){ mem_strndup(text.at, text.len), text.len, access };
}

static void copy_patterns(struct acl_patterns *to, const struct acl_patterns *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        const struct acl_pattern *pattern = &from->at[i];
        acl_patterns_add(to, (struct bytes){ pattern->text, pattern->len }, pattern->access);
    }
}

/* ---- Selectors ----------------------------------------------------------------------------- */

/* The arguments of one command, or of all (UINT32_MAX). */
void acl_selector_forget_arguments(struct acl_selector *selector, uint32_t command)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < selector->first_argument_count; i++) {
        if (command == UINT32_MAX || selector->first_arguments[i].command == command) {
            mem_free(selector->first_arguments[i].text);
        } else {
            selector->first_arguments[kept++] = selector->first_arguments[i];
        }
    }
    selector->first_argument_count = kept;
    if (kept == 0) {
        mem_free(selector->first_arguments);
        selector->first_arguments = NULL;
    }
}

void acl_selector_add_argument(struct acl_selector *selector, uint32_t command, struct bytes text)
{
    uint32_t count = selector->first_argument_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct acl_first_argument *argument = &selector->first_arguments[i];
        if (argument->command == command &&
            bytes_equal_nocase((struct bytes){ argument->text, argument->len }, text)) {
            return;
        }
    }
    selector->first_arguments =
        mem_realloc(selector->first_arguments, (count + 1) * sizeof *selector->first_arguments);
    selector->first_arguments[selector->first_argument_count++] =
        (struct acl_first_argument){ mem_strndup(text.at, text.len), text.len, command };
}

static void release_selector(struct acl_selector *selector)
{
    acl_patterns_clear(&selector->keys);
    acl_patterns_clear(&selector->channels);
    acl_selector_forget_arguments(selector, UINT32_MAX);
    mem_free(selector->commands);
    buf_release(&selector->rules);
}

static void copy_selector(const struct registry *registry, struct acl_selector *to,
                          const struct acl_selector *from)
{
    to->flags = from->flags;
    memcpy(to->commands, from->commands, command_words(registry) * sizeof *to->commands);
    copy_patterns(&to->keys, &from->keys);
    copy_patterns(&to->channels, &from->channels);
    for (uint32_t i = 0; i < from->first_argument_count; i++) {
        const struct acl_first_argument *argument = &from->first_arguments[i];
        acl_selector_add_argument(to, argument->command,
                                  (struct bytes){ argument->text, argument->len });
    }
    buf_append(&to->rules, buf_bytes(&from->rules));
}

struct acl_selector *acl_user_add_selector(const struct registry *registry, struct acl_user *user,
                                           bool all_channels)
{
    user->selectors =
        mem_realloc(user->selectors, (user->selector_count + 1) * sizeof *user->selectors);
    struct acl_selector *selector = &user->selectors[user->selector_count++];
    *selector = (struct acl_selector){ .flags = all_channels ? ACL_ALL_CHANNELS : 0 };
    selector->commands = mem_zalloc(command_words(registry) * sizeof *selector->commands);
    return selector;
}

void acl_user_drop_selectors(struct acl_user *user, uint32_t kept)
{
    while (user->selector_count > kept) {
        release_selector(&user->selectors[--user->selector_count]);
    }
}

/* ---- Users --------------------------------------------------------------------------------- */

struct acl_user *acl_user_create(const struct registry *registry, struct bytes name,
                                 bool all_channels)
{
    struct acl_user *user = mem_zalloc(sizeof *user);
    user->name = mem_strndup(name.at, name.len);
    user->name_len = name.len;
    (void)acl_user_add_selector(registry, user, all_channels);
    return user;
}

void acl_user_destroy(struct acl_user *user)
{
    if (user == NULL) {
        return;
    }
    acl_user_drop_selectors(user, 0);
    mem_free(user->selectors);
    mem_free(user->passwords);
    mem_free(user->name);
    mem_free(user);
}

void acl_user_swap(struct acl_user *to, struct acl_user *from)
{
    struct acl_user other = *to;
    *to = *from;
    *from = other;
    from->name = to->name;
    from->name_len = to->name_len;
    to->name = other.name;
    to->name_len = other.name_len;
}

struct acl_user *acl_user_copy(const struct registry *registry, const struct acl_user *user)
{
    struct acl_user *copy = acl_user_create(registry, acl_user_name(user), false);
    copy->flags = user->flags;
    copy->unrestricted = user->unrestricted;
    for (uint32_t i = 0; i < user->selector_count; i++) {
        struct acl_selector *selector =
            i == 0 ? copy->selectors : acl_user_add_selector(registry, copy, false);
        copy_selector(registry, selector, &user->selectors[i]);
    }
    if (user->password_count > 0) {
        size_t size = user->password_count * sizeof *user->passwords;
        copy->passwords = mem_alloc(size);
        memcpy(copy->passwords, user->passwords, size);
        copy->password_count = user->password_count;
    }
    return copy;
}

/* ---- Descriptions -------------------------------------------------------------------------- */

void acl_selector_describe_commands(const struct acl_selector *selector, struct buf *out)
{
    buf_append(out, (selector->flags & ACL_FUTURE_COMMANDS) != 0 ? LIT("+@all") : LIT("-@all"));
    if (selector->rules.len > 0) {
        buf_append_char(out, ' ');
        buf_append(out, buf_bytes(&selector->rules));
    }
}

static struct bytes prefix_of(uint8_t access)
{
    return access == ACL_READ ? LIT("%R~") : access == ACL_WRITE ? LIT("%W~") : LIT("~");
}

void acl_selector_describe_keys(const struct acl_selector *selector, struct buf *out)
{
    if ((selector->flags & ACL_ALL_KEYS) != 0) {
        buf_append(out, LIT("~*"));
    }
    for (uint32_t i = 0; i < selector->keys.count; i++) {
        const struct acl_pattern *pattern = &selector->keys.at[i];
        buf_append(out, i > 0 ? LIT(" ") : LIT(""));
        buf_append(out, prefix_of(pattern->access));
        buf_append(out, (struct bytes){ pattern->text, pattern->len });
    }
}

void acl_selector_describe_channels(const struct acl_selector *selector, struct buf *out)
{
    if ((selector->flags & ACL_ALL_CHANNELS) != 0) {
        buf_append(out, LIT("&*"));
    }
    for (uint32_t i = 0; i < selector->channels.count; i++) {
        const struct acl_pattern *pattern = &selector->channels.at[i];
        buf_append(out, i > 0 ? LIT(" &") : LIT("&"));
        buf_append(out, (struct bytes){ pattern->text, pattern->len });
    }
}

static void describe_selector(const struct acl_selector *selector, struct buf *out)
{
    size_t begin = out->len;
    acl_selector_describe_keys(selector, out);
    buf_append(out, out->len > begin ? LIT(" ") : LIT(""));
    if ((selector->flags & ACL_ALL_CHANNELS) == 0) {
        buf_append(out, LIT("resetchannels "));
    }
    begin = out->len;
    acl_selector_describe_channels(selector, out);
    buf_append(out, out->len > begin ? LIT(" ") : LIT(""));
    acl_selector_describe_commands(selector, out);
}

void acl_user_describe(const struct acl_user *user, struct buf *out)
{
    buf_append(out, (user->flags & ACL_USER_ON) != 0 ? LIT("on ") : LIT("off "));
    if ((user->flags & ACL_USER_NO_PASSWORD) != 0) {
        buf_append(out, LIT("nopass "));
    }
    if ((user->flags & ACL_USER_UNCHECKED_PAYLOADS) != 0) {
        buf_append(out, LIT("skip-sanitize-payload "));
    }
    if ((user->flags & ACL_USER_CHECKED_PAYLOADS) != 0) {
        buf_append(out, LIT("sanitize-payload "));
    }
    for (uint32_t i = 0; i < user->password_count; i++) {
        buf_append_char(out, '#');
        buf_append(out, (struct bytes){ user->passwords[i].hex, SHA256_HEX_LEN });
        buf_append_char(out, ' ');
    }
    for (uint32_t i = 0; i < user->selector_count; i++) {
        buf_append(out, i > 0 ? LIT(" (") : LIT(""));
        describe_selector(&user->selectors[i], out);
        buf_append(out, i > 0 ? LIT(")") : LIT(""));
    }
}
