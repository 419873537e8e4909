/* Users as lines of text: "user alice on >secret ~* +@all"; see acl.h. */
#include "base/mem.h"
#include "exec/acl.h"
#include "exec/acl_user.h"
#include "exec/engine.h"

/* What is read so far. */
struct reading {
    struct acl_rules rules;
    const char *file;
    struct buf *errors;
    uint32_t line;
    struct acl_user **users;
    uint32_t count;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && is_blank(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* The text up to 'end', which is taken off '*rest' with it. */
static struct bytes next_piece(struct bytes *rest, char end)
{
    const char *found = rest->len > 0 ? memchr(rest->at, end, rest->len) : NULL;
    struct bytes piece = { rest->at, found != NULL ? (size_t)(found - rest->at) : rest->len };
    rest->at += piece.len + (found != NULL);
    rest->len -= piece.len + (found != NULL);
    return piece;
}

static bool has_user(const struct reading *reading, struct bytes name)
{
    for (uint32_t i = 0; i < reading->count; i++) {
        if (bytes_equal(acl_user_name(reading->users[i]), name)) {
            return true;
        }
    }
    return false;
}

/* All unknown names of a line are told, and of other faults the first. */
static void apply_words(struct reading *reading, struct acl_user *user,
                        const struct acl_words *words)
{
    bool told = false;
    for (uint32_t i = 0; i < words->count; i++) {
        struct bytes rule = trim(words->at[i]);
        enum acl_fault fault = acl_user_apply(&reading->rules, user, rule);
        if (fault == ACL_UNKNOWN_COMMAND) {
            buf_printf(reading->errors, "%s:%u: Error in applying operation '%.*s': %s. ",
                       reading->file, reading->line, (int)rule.len, rule.at, acl_fault_text(fault));
        } else if (fault != ACL_FINE && !told) {
            buf_printf(reading->errors, "%s:%u: %s. ", reading->file, reading->line,
                       acl_fault_text(fault));
            told = true;
        }
    }
}

static void read_user(struct reading *reading, const struct bytes *words, uint32_t count)
{
    struct acl_words joined;
    uint32_t unclosed;
    struct bytes name = words[1];
    if (acl_has_blanks(name)) {
        buf_printf(reading->errors, "'%s:%u: username '%.*s' contains invalid characters. ",
                   reading->file, reading->line, (int)name.len, name.at);
        return;
    }
    if (has_user(reading, name)) {
        buf_printf(reading->errors, "WARNING: Duplicate user '%.*s' found on line %u. ",
                   (int)name.len, name.at, reading->line);
        return;
    }
    struct acl_user *user =
        acl_user_create(reading->rules.registry, name, reading->rules.all_channels);
    reading->users = mem_realloc(reading->users, (reading->count + 1) * sizeof reading->users[0]);
    reading->users[reading->count++] = user;
    if (!acl_words_join(words + 2, count - 2, &joined, &unclosed)) {
        buf_printf(reading->errors, "%s:%u: Unmatched parenthesis in selector definition.",
                   reading->file, reading->line);
        return;
    }
    apply_words(reading, user, &joined);
    acl_words_release(&joined);
}

static void read_line(struct reading *reading, struct bytes line)
{
    uint32_t count = 0;
    struct bytes *words = mem_alloc((line.len + 2) * sizeof *words);
    struct bytes rest = trim(line);
    if (rest.len > 0) {
        for (bool more = true; more;) {
            const char *end = rest.at + rest.len;
            words[count++] = next_piece(&rest, ' ');
            more = words[count - 1].at + words[count - 1].len < end;
        }
        if (count < 2 || !bytes_equal(words[0], LIT("user"))) {
            buf_printf(reading->errors,
                       "%s:%u should start with user keyword followed by the username. ",
                       reading->file, reading->line);
        } else {
            read_user(reading, words, count);
        }
    }
    mem_free(words);
}

bool acl_load(struct engine *engine, const struct session *own, struct bytes text, const char *file,
              struct buf *errors)
{
    struct acl *acl = &engine->acl;
    size_t begin = errors->len;
    struct reading reading = {
        .rules = { acl->registry, atomic_load_explicit(&acl->all_channels, memory_order_relaxed) },
        .file = file,
        .errors = errors,
    };
    while (text.len > 0) {
        reading.line++;
        read_line(&reading, next_piece(&text, '\n'));
    }
    bool fine = errors->len == begin;
    if (fine) {
        acl_replace(engine, own, reading.users, reading.count);
    } else {
        buf_append(errors, LIT("WARNING: ACL errors detected, no change to the previously active "
                               "ACL rules was performed"));
        for (uint32_t i = 0; i < reading.count; i++) {
            acl_user_destroy(reading.users[i]);
        }
    }
    mem_free(reading.users);
    return fine;
}
