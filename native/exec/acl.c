/* The table of users, and the sessions that are theirs; see acl.h. */
#include "exec/acl.h"

#include "base/mem.h"
#include "exec/acl_user.h"
#include "exec/engine.h"
#include "exec/executor.h"

/* ---- The table ------------------------------------------------------------------------------ */

static struct bytes name_at(const void *acl, uint32_t place)
{
    return acl_user_name(((const struct acl *)acl)->users[place]);
}

static uint32_t place_of(const struct acl *acl, struct bytes name, bool *found)
{
    return bytes_search(acl, acl->count, name_at, name, found);
}

static struct acl_user *find(const struct acl *acl, struct bytes name)
{
    bool found;
    uint32_t place = place_of(acl, name, &found);
    return found ? acl->users[place] : NULL;
}

/* The table owns the user; there is none of its name. */
static void insert(struct acl *acl, struct acl_user *user)
{
    bool found;
    uint32_t place = place_of(acl, acl_user_name(user), &found);
    acl->users = mem_realloc(acl->users, (acl->count + 1) * sizeof acl->users[0]);
    memmove(&acl->users[place + 1], &acl->users[place],
            (acl->count - place) * sizeof acl->users[0]);
    acl->users[place] = user;
    acl->count++;
}

static struct acl_rules rules_of(const struct acl *acl)
{
    return (struct acl_rules){
        .registry = acl->registry,
        .all_channels = atomic_load_explicit(&acl->all_channels, memory_order_relaxed),
    };
}

static void make_standard(const struct acl *acl, struct acl_user *user)
{
    static const char *const all[] = { "+@all", "~*", "&*", "on", "nopass" };
    struct acl_rules rules = rules_of(acl);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        (void)!acl_user_apply(&rules, user, bytes_of(all[i]));
    }
}

void acl_init(struct acl *acl, const struct registry *registry)
{
    enum { DEFAULT_LOG = 128 };
    *acl = (struct acl){ .registry = registry };
    atomic_init(&acl->log_max_len, DEFAULT_LOG);
    atomic_init(&acl->open, true);
    mutex_init(&acl->mutex, RANK_ACL);
    if (registry != NULL) {
        acl->nobody = acl_user_create(registry, LIT(""), false);
        acl->standard = acl_user_create(registry, LIT("default"), false);
        make_standard(acl, acl->standard);
        insert(acl, acl->standard);
    }
}

void acl_release(struct acl *acl)
{
    for (uint32_t i = 0; i < acl->count; i++) {
        acl_user_destroy(acl->users[i]);
    }
    mem_free(acl->users);
    acl_user_destroy(acl->nobody);
    acl_log_reset(acl);
    mutex_release(&acl->mutex);
    acl->users = NULL;
    acl->nobody = acl->standard = NULL;
    acl->count = 0;
}

const struct acl_user *acl_find(struct acl *acl, struct bytes name)
{
    mutex_lock(&acl->mutex);
    const struct acl_user *user = find(acl, name);
    mutex_unlock(&acl->mutex);
    return user;
}

void acl_each(struct acl *acl, void (*each)(void *user, const struct acl_user *of), void *user)
{
    mutex_lock(&acl->mutex);
    for (uint32_t i = 0; i < acl->count; i++) {
        each(user, acl->users[i]);
    }
    mutex_unlock(&acl->mutex);
}

static void describe_line(void *out, const struct acl_user *user)
{
    buf_append(out, LIT("user "));
    buf_append(out, acl_user_name(user));
    buf_append(out, LIT(" "));
    acl_user_describe(user, out);
    buf_append(out, LIT("\n"));
}

void acl_describe(struct acl *acl, struct buf *out)
{
    acl_each(acl, describe_line, out);
}

/* ---- Passwords ------------------------------------------------------------------------------ */

/* The time does not tell where two digests differ, nor which of a user's is the one. */
static bool knows(const struct acl_user *user, struct bytes password)
{
    char digest[SHA256_HEX_LEN];
    unsigned char good = 0;
    sha256_hex(password, digest);
    for (uint32_t i = 0; i < user->password_count; i++) {
        unsigned char difference = 0;
        for (size_t j = 0; j < sizeof digest; j++) {
            difference |= (unsigned char)(digest[j] ^ user->passwords[i].hex[j]);
        }
        good |= difference == 0;
    }
    return good != 0;
}

const struct acl_user *acl_authenticate(struct acl *acl, struct bytes name, struct bytes password)
{
    mutex_lock(&acl->mutex);
    const struct acl_user *user = find(acl, name);
    bool good = user != NULL && (user->flags & ACL_USER_ON) != 0 &&
                ((user->flags & ACL_USER_NO_PASSWORD) != 0 || knows(user, password));
    mutex_unlock(&acl->mutex);
    return good ? user : NULL;
}

/* What follows from the passwords of "default"; with the mutex. */
static void publish_standard(struct engine *engine)
{
    const struct acl_user *user = engine->acl.standard;
    bool open = (user->flags & ACL_USER_NO_PASSWORD) != 0;
    atomic_store_explicit(&engine->acl.open, open, memory_order_relaxed);
    atomic_store_explicit(&engine->settings.password_needed,
                          !open || (user->flags & ACL_USER_ON) == 0, memory_order_relaxed);
}

void acl_set_password(struct engine *engine, struct bytes password)
{
    struct acl *acl = &engine->acl;
    struct acl_rules rules = rules_of(acl);
    struct buf rule = { 0 };
    buf_append(&rule, password.len > 0 ? LIT(">") : LIT("nopass"));
    buf_append(&rule, password);
    mutex_lock(&acl->mutex);
    (void)!acl_user_apply(&rules, acl->standard, LIT("resetpass"));
    (void)!acl_user_apply(&rules, acl->standard, buf_bytes(&rule));
    publish_standard(engine);
    mutex_unlock(&acl->mutex);
    buf_release(&rule);
}

/* ---- Sessions ------------------------------------------------------------------------------- */

void acl_assume(struct session *session, const struct acl_user *user)
{
    session->user = user;
    session->flags |= SESSION_AUTHENTICATED;
    session_set_check(session, SESSION_CHECK_LOGIN, false);
    session_set_check(session, SESSION_CHECK_USER, !user->unrestricted);
}

/* What an in-process client may do is no user's matter until it authenticates as one. */
static bool is_owners(const struct acl *acl, const struct session *session)
{
    return session->carrier->internal && session->user == acl->standard;
}

static void close_session(struct session *session, const struct session *own)
{
    if (session == own) {
        session->flags |= SESSION_CLOSE_AFTER_REPLY;
    } else {
        session_kill(session);
    }
}

static bool may_hear(void *user, enum topic_kind kind, struct bytes name)
{
    return acl_hears(user, name, kind == TOPIC_PATTERN);
}

/* 'user' may do other things now: its sessions are held against that from now on, and closed if
 * they hear what it may not. */
static void settle_sessions(struct engine *engine, const struct session *own, struct acl_user *user)
{
    mutex_lock(&engine->sessions_lock);
    for (struct session *at = engine->sessions; at != NULL; at = at->next) {
        if (at->user != user || is_owners(&engine->acl, at)) {
            continue;
        }
        session_set_check(at, SESSION_CHECK_USER, !user->unrestricted);
        if (!pubsub_all(&engine->pubsub, at, may_hear, user)) {
            close_session(at, own);
        }
    }
    mutex_unlock(&engine->sessions_lock);
}

/* The user goes: so do its sessions. */
static void bereave_sessions(struct engine *engine, const struct session *own,
                             const struct acl_user *user)
{
    mutex_lock(&engine->sessions_lock);
    for (struct session *at = engine->sessions; at != NULL; at = at->next) {
        if (at->user == user) {
            at->user = engine->acl.nobody;
            session_set_check(at, SESSION_CHECK_USER, true);
            close_session(at, own);
        }
    }
    mutex_unlock(&engine->sessions_lock);
}

/* ---- Changes; in the exclusive section ------------------------------------------------------- */

/* As Redis prints it. */
static struct bytes until_nul(struct bytes text)
{
    const char *end = text.len > 0 ? memchr(text.at, '\0', text.len) : NULL;
    return (struct bytes){ text.at, end != NULL ? (size_t)(end - text.at) : text.len };
}

/* A copy of the user, or a new one, with the rules applied; NULL with the error line. */
static struct acl_user *changed_user(struct acl *acl, struct bytes name, const struct bytes *rules,
                                     uint32_t count, struct buf *error)
{
    struct acl_rules how = rules_of(acl);
    struct acl_words words;
    uint32_t unclosed;
    if (!acl_words_join(rules, count, &words, &unclosed)) {
        buf_append(error, LIT("ERR Unmatched parenthesis in acl selector starting at '"));
        buf_append(error, rules[unclosed]);
        buf_append(error, LIT("'."));
        return NULL;
    }
    const struct acl_user *old = find(acl, name);
    struct acl_user *user = old != NULL ? acl_user_copy(acl->registry, old)
                                        : acl_user_create(acl->registry, name, how.all_channels);
    for (uint32_t i = 0; i < words.count; i++) {
        enum acl_fault fault = acl_user_apply(&how, user, words.at[i]);
        if (fault != ACL_FINE) {
            buf_append(error, LIT("ERR Error in ACL SETUSER modifier '"));
            buf_append(error, until_nul(words.at[i]));
            buf_printf(error, "': %s", acl_fault_text(fault));
            acl_user_destroy(user);
            user = NULL;
            break;
        }
    }
    acl_words_release(&words);
    return user;
}

/* Puts what 'made' may do in the place of its namesake's, or adds it; 'made' is the table's now. */
static void adopt(struct engine *engine, const struct session *own, struct acl_user *made)
{
    struct acl *acl = &engine->acl;
    mutex_lock(&acl->mutex);
    struct acl_user *user = find(acl, acl_user_name(made));
    if (user == NULL) {
        insert(acl, made);
    } else {
        acl_user_swap(user, made);
        acl_user_destroy(made);
    }
    publish_standard(engine);
    mutex_unlock(&acl->mutex);
    if (user != NULL) {
        settle_sessions(engine, own, user);
    }
}

bool acl_set(struct engine *engine, const struct session *own, struct bytes name,
             const struct bytes *rules, uint32_t count, struct buf *error)
{
    if (acl_has_blanks(name)) {
        buf_append(error, LIT("ERR Usernames can't contain spaces or null characters"));
        return false;
    }
    struct acl_user *made = changed_user(&engine->acl, name, rules, count, error);
    if (made != NULL) {
        adopt(engine, own, made);
    }
    return made != NULL;
}

bool acl_delete(struct engine *engine, const struct session *own, struct bytes name)
{
    struct acl *acl = &engine->acl;
    bool found;
    mutex_lock(&acl->mutex);
    uint32_t place = place_of(acl, name, &found);
    struct acl_user *user = found ? acl->users[place] : NULL;
    if (found) {
        acl->count--;
        memmove(&acl->users[place], &acl->users[place + 1],
                (acl->count - place) * sizeof acl->users[0]);
    }
    mutex_unlock(&acl->mutex);
    if (found) {
        bereave_sessions(engine, own, user);
        acl_user_destroy(user);
    }
    return found;
}

void acl_replace(struct engine *engine, const struct session *own, struct acl_user **users,
                 uint32_t count)
{
    struct acl *acl = &engine->acl;
    for (uint32_t i = acl->count; i > 0; i--) {
        struct acl_user *old = acl->users[i - 1];
        bool kept = old == acl->standard;
        for (uint32_t j = 0; j < count && !kept; j++) {
            kept = bytes_equal(acl_user_name(old), acl_user_name(users[j]));
        }
        if (!kept) {
            (void)acl_delete(engine, own, acl_user_name(old));
        }
    }
    bool has_standard = false;
    for (uint32_t i = 0; i < count; i++) {
        has_standard = has_standard || bytes_equal(acl_user_name(users[i]), LIT("default"));
        adopt(engine, own, users[i]);
    }
    if (!has_standard) {
        struct acl_user *standard = acl_user_create(acl->registry, LIT("default"), false);
        make_standard(acl, standard);
        adopt(engine, own, standard);
    }
}
