/* A user and what it may do, as the files of acl.h see it: acl_user.c makes, copies and describes
 * users, acl_rules.c changes them by rules, acl_check.c holds commands against them, acl.c keeps
 * the table of them. */
#ifndef EXEC_ACL_USER_H
#define EXEC_ACL_USER_H

#include "base/buf.h"
#include "base/sha256.h"
#include "exec/registry.h"

enum acl_access { ACL_READ = 1 << 0, ACL_WRITE = 1 << 1 };

/* A glob of keys, with what may be done to them; or of channels. */
struct acl_pattern {
    char *text;
    size_t len;
    uint8_t access; /* enum acl_access; of keys */
};

struct acl_patterns {
    struct acl_pattern *at;
    uint32_t count;
};

/* A command that is allowed with this first argument only: "+select|0". */
struct acl_first_argument {
    char *text;
    size_t len;
    uint32_t command; /* its index */
};

enum acl_selector_flags {
    ACL_ALL_KEYS = 1 << 0,
    ACL_ALL_CHANNELS = 1 << 1,
    ACL_ALL_COMMANDS = 1 << 2,    /* nothing was taken away since "+@all" */
    ACL_FUTURE_COMMANDS = 1 << 3, /* began with "+@all" */
};

/* One set of permissions: a command is allowed when some selector allows all of it. */
struct acl_selector {
    uint32_t flags;
    uint64_t *commands; /* a bit for each row of the registry */
    struct acl_patterns keys, channels;
    struct acl_first_argument *first_arguments;
    uint32_t first_argument_count;
    struct buf rules; /* of commands, since "+@all" or "-@all": "+@read -get" */
};

enum acl_user_flags {
    ACL_USER_ON = 1 << 0,
    ACL_USER_NO_PASSWORD = 1 << 1, /* any password is right */
    ACL_USER_UNCHECKED_PAYLOADS = 1 << 2,
    ACL_USER_CHECKED_PAYLOADS = 1 << 3, /* as without it, but told */
};

struct acl_digest {
    char hex[SHA256_HEX_LEN];
};

struct acl_user {
    char *name;
    size_t name_len;
    uint32_t flags;    /* enum acl_user_flags */
    bool unrestricted; /* some selector allows everything */
    struct acl_digest *passwords;
    uint32_t password_count;
    struct acl_selector *selectors; /* the first is the user's own, without parentheses */
    uint32_t selector_count;
};

/* The name, borrowed as long as the user is there. */
static inline struct bytes acl_user_name(const struct acl_user *user)
{
    return (struct bytes){ user->name, user->name_len };
}

/* ---- acl_user.c: these abort when memory is short --------------------------------------------- */

/* One that may do nothing, but hear all channels if so asked. */
struct acl_user *acl_user_create(const struct registry *registry, struct bytes name,
                                 bool all_channels);
void acl_user_destroy(struct acl_user *user);
/* Gives 'to' what 'from' has, but not its name; 'from' is left with what 'to' had. */
void acl_user_swap(struct acl_user *to, struct acl_user *from);
/* Everything but the name is another's. */
struct acl_user *acl_user_copy(const struct registry *registry, const struct acl_user *user);

/* Adds a selector that allows nothing, but to hear all channels if so asked; the user owns it.
 * Dropping keeps the first 'kept' of them. */
struct acl_selector *acl_user_add_selector(const struct registry *registry, struct acl_user *user,
                                           bool all_channels);
void acl_user_drop_selectors(struct acl_user *user, uint32_t kept);

/* No pattern is left. */
void acl_patterns_clear(struct acl_patterns *patterns);
/* The pattern of this text, added if need be; one that is there gets the access as well. */
void acl_patterns_add(struct acl_patterns *patterns, struct bytes text, uint8_t access);

/* The first arguments with which a command is allowed though it is not as a whole: none of them,
 * and one more.  'command' is the row's index in the registry; UINT32_MAX forgets
 * those of all commands. */
void acl_selector_forget_arguments(struct acl_selector *selector, uint32_t command);
void acl_selector_add_argument(struct acl_selector *selector, uint32_t command, struct bytes text);

/* As rules that make it again: "on nopass ~* &* +@all". */
void acl_user_describe(const struct acl_user *user, struct buf *out);
/* Parts of it: "-@all +get", "~a %R~b", "&c". */
void acl_selector_describe_commands(const struct acl_selector *selector, struct buf *out);
void acl_selector_describe_keys(const struct acl_selector *selector, struct buf *out);
void acl_selector_describe_channels(const struct acl_selector *selector, struct buf *out);

/* ---- acl_rules.c ------------------------------------------------------------------------------ */

/* Why a rule is refused. */
enum acl_fault {
    ACL_FINE,
    ACL_UNKNOWN_COMMAND,
    ACL_BAD_SYNTAX,
    ACL_KEYS_ALREADY_ALL,
    ACL_CHANNELS_ALREADY_ALL,
    ACL_NO_SUCH_PASSWORD,
    ACL_BAD_DIGEST,
    ACL_NOT_OF_SUBCOMMAND,
};

/* Changes a user by one rule.  A rule that is refused has changed nothing. */
struct acl_rules {
    const struct registry *registry;
    bool all_channels; /* acl-pubsub-default */
};
MUST_CHECK enum acl_fault acl_user_apply(const struct acl_rules *rules, struct acl_user *user,
                                         struct bytes rule);
const char *acl_fault_text(enum acl_fault fault);

/* A name with a blank or a NUL could not be written to a file. */
bool acl_has_blanks(struct bytes text);

/* Rules with those of a selector, which may be several words "(+get", "~a)", joined into one. */
struct acl_words {
    struct bytes *at;
    uint32_t count;
    char *joined; /* what the joined ones point to */
};
/* False when a parenthesis is not closed: '*unclosed' is where it began. */
MUST_CHECK bool acl_words_join(const struct bytes *words, uint32_t count, struct acl_words *out,
                               uint32_t *unclosed);
void acl_words_release(struct acl_words *words);

#endif
