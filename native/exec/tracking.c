/* The sessions that track, or that hear for others, and the prefixes that are broadcast; see
 * tracking.h. */
#include "exec/tracking.h"

#include "base/mem.h"
#include "exec/engine.h"
#include "exec/perform.h"
#include "exec/tracking_internal.h"

enum {
    FIRST_BUCKETS = 16,
    KEYS_AT_ONCE = 64, /* of a command, without memory of their own */
    MODES = SESSION_TRACKS | SESSION_TRACKS_PREFIXES | SESSION_REDIRECT_BROKEN | SESSION_OPT_IN |
            SESSION_OPT_OUT | SESSION_NO_LOOP,
};

bool tracking_init(struct tracking *tracking, const struct hash_key *key)
{
    *tracking = (struct tracking){ .hash_key = *key };
    tracking->members = mem_try_alloc(FIRST_BUCKETS * sizeof *tracking->members);
    if (!tracking_table_init(tracking) || tracking->members == NULL) {
        return false;
    }
    memset(tracking->members, 0, FIRST_BUCKETS * sizeof *tracking->members);
    tracking->member_buckets = FIRST_BUCKETS;
    return true;
}

void tracking_release(struct tracking *tracking)
{
    tracking_table_clear(tracking);
    mem_free(tracking->shards);
    mem_free(tracking->members);
    tracking->shards = NULL;
    tracking->members = NULL;
}

/* ---- Members; under the lock ----------------------------------------------------------------- */

static struct tracking_member **bucket_of(const struct tracking *tracking, uint64_t id)
{
    return &tracking->members[id & (tracking->member_buckets - 1)];
}

struct tracking_member *tracking_member(const struct tracking *tracking, uint64_t id)
{
    struct tracking_member *member = *bucket_of(tracking, id);
    while (member != NULL && member->id != id) {
        member = member->next;
    }
    return member;
}

/* Chains only grow longer when memory is short. */
static void grow_members(struct tracking *tracking)
{
    uint32_t old_count = tracking->member_buckets;
    struct tracking_member **old = tracking->members;
    struct tracking_member **grown =
        mem_try_alloc(2 * old_count * sizeof(struct tracking_member *));
    if (grown == NULL) {
        return;
    }
    memset(grown, 0, 2 * old_count * sizeof(struct tracking_member *));
    tracking->members = grown;
    tracking->member_buckets = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++) {
        struct tracking_member *next;
        for (struct tracking_member *member = old[i]; member != NULL; member = next) {
            next = member->next;
            member->next = *bucket_of(tracking, member->id);
            *bucket_of(tracking, member->id) = member;
        }
    }
    mem_free(old);
}

static struct tracking_member *find_or_add(struct tracking *tracking, struct session *session,
                                           struct mailbox *mailbox)
{
    struct tracking_member *member = tracking_member(tracking, session->id);
    if (member != NULL) {
        return member;
    }
    member = mem_try_alloc(sizeof *member);
    if (member == NULL) {
        return NULL;
    }
    if (tracking->member_count >= tracking->member_buckets) {
        grow_members(tracking);
    }
    *member = (struct tracking_member){ .session = session, .mailbox = mailbox, .id = session->id };
    member->next = *bucket_of(tracking, member->id);
    *bucket_of(tracking, member->id) = member;
    tracking->member_count++;
    return member;
}

static void remove_member(struct tracking *tracking, struct tracking_member *member)
{
    struct tracking_member **link = bucket_of(tracking, member->id);
    while (*link != member) {
        link = &(*link)->next;
    }
    *link = member->next;
    tracking->member_count--;
    buf_release(&member->pending);
    mem_free(member);
}

/* ---- Prefixes; under the lock ---------------------------------------------------------------- */

static struct tracking_prefix *find_or_add_prefix(struct tracking *tracking, struct bytes name)
{
    struct tracking_prefix **link = &tracking->first_prefix;
    int order = 1;
    while (*link != NULL && (order = bytes_compare(prefix_name(*link), name)) < 0) {
        link = &(*link)->next;
    }
    if (*link != NULL && order == 0) {
        return *link;
    }
    struct tracking_prefix *prefix = mem_try_alloc(sizeof *prefix + name.len);
    if (prefix == NULL) {
        return NULL;
    }
    *prefix = (struct tracking_prefix){ .next = *link, .len = name.len };
    if (name.len > 0) {
        memcpy(prefix->name, name.at, name.len);
    }
    *link = prefix;
    atomic_fetch_add_explicit(&tracking->prefixes, 1, memory_order_relaxed);
    return prefix;
}

static void drop_if_unused(struct tracking *tracking, struct tracking_prefix *prefix)
{
    if (prefix->first != NULL) {
        return;
    }
    struct tracking_prefix **link = &tracking->first_prefix;
    while (*link != prefix) {
        link = &(*link)->next;
    }
    *link = prefix->next;
    atomic_fetch_sub_explicit(&tracking->prefixes, 1, memory_order_relaxed);
    mem_free(prefix);
}

/* Nothing when the member has it already. */
static bool hold_prefix(struct tracking *tracking, struct tracking_member *member,
                        struct bytes name)
{
    struct tracking_hold **link = &member->first;
    while (*link != NULL && bytes_compare(prefix_name((*link)->prefix), name) < 0) {
        link = &(*link)->next;
    }
    if (*link != NULL && bytes_equal(prefix_name((*link)->prefix), name)) {
        return true;
    }
    struct tracking_prefix *prefix = find_or_add_prefix(tracking, name);
    struct tracking_hold *hold = prefix != NULL ? mem_try_alloc(sizeof *hold) : NULL;
    if (hold == NULL) {
        if (prefix != NULL) {
            drop_if_unused(tracking, prefix);
        }
        return false;
    }
    *hold = (struct tracking_hold){ prefix, member, *link, prefix->first, NULL };
    if (hold->next_same != NULL) {
        hold->next_same->previous_same = hold;
    }
    prefix->first = hold;
    *link = hold;
    return true;
}

static void release_prefixes(struct tracking *tracking, struct tracking_member *member)
{
    while (member->first != NULL) {
        struct tracking_hold *hold = member->first;
        struct tracking_prefix *prefix = hold->prefix;
        member->first = hold->next;
        if (hold->previous_same != NULL) {
            hold->previous_same->next_same = hold->next_same;
        } else {
            prefix->first = hold->next_same;
        }
        if (hold->next_same != NULL) {
            hold->next_same->previous_same = hold->previous_same;
        }
        mem_free(hold);
        drop_if_unused(tracking, prefix);
    }
}

/* ---- On and off ------------------------------------------------------------------------------ */

/* Under the lock. */
static void stop(struct tracking *tracking, struct tracking_member *member)
{
    if (member->tracks &&
        atomic_fetch_sub_explicit(&tracking->clients, 1, memory_order_relaxed) == 1) {
        tracking_table_clear(tracking); /* Nobody is left to be told of these keys. */
    }
    release_prefixes(tracking, member);
    member->tracks = member->broadcast = member->no_loop = false;
    member->redirect = 0;
    buf_release(&member->pending);
}

/* Under the lock: prefixes are added to those that are there. */
static bool start(struct tracking *tracking, struct tracking_member *member,
                  const struct tracking_options *options)
{
    for (uint32_t i = 0; options->broadcast && i < options->prefix_count; i++) {
        if (!hold_prefix(tracking, member, options->prefixes[i])) {
            return false;
        }
    }
    if (options->broadcast && options->prefix_count == 0 &&
        !hold_prefix(tracking, member, LIT(""))) {
        return false;
    }
    if (!member->tracks) {
        atomic_fetch_add_explicit(&tracking->clients, 1, memory_order_relaxed);
    }
    member->tracks = true;
    member->broadcast = options->broadcast;
    member->no_loop = options->no_loop;
    member->redirect = options->redirect;
    return true;
}

/* Makes a member of the session with this number, which may be anybody's; false when there is
 * none that can be told anything. */
static enum err admit(struct engine *engine, uint64_t id)
{
    enum err err = ERR_NO_REDIRECT;
    mutex_lock(&engine->sessions_lock);
    struct session *session = engine->sessions;
    while (session != NULL && session->id != id) {
        session = session->next;
    }
    if (session != NULL && session->carrier->mailbox != NULL) {
        tracking_lock_to_write(&engine->tracking);
        struct mailbox *mailbox = session->carrier->mailbox(session);
        err = find_or_add(&engine->tracking, session, mailbox) != NULL ? OK : ERR_OUT_OF_MEMORY;
        tracking_unlock_write(&engine->tracking);
    }
    mutex_unlock(&engine->sessions_lock);
    return err;
}

enum err tracking_begin(struct engine *engine, struct session *session, struct mailbox *mailbox,
                        const struct tracking_options *options)
{
    struct tracking *tracking = &engine->tracking;
    if (options->redirect != 0) {
        enum err err = admit(engine, options->redirect);
        if (err != OK) {
            return err;
        }
    }
    tracking_lock_to_write(tracking);
    struct tracking_member *member = find_or_add(tracking, session, mailbox);
    bool started = member != NULL && start(tracking, member, options);
    tracking_unlock_write(tracking);
    if (!started) {
        return ERR_OUT_OF_MEMORY;
    }
    session->tracking = member;
    session->flags &= ~(uint32_t)MODES;
    session->flags |= SESSION_TRACKS | (options->broadcast ? SESSION_TRACKS_PREFIXES : 0) |
                      (options->opt_in ? SESSION_OPT_IN : 0) |
                      (options->opt_out ? SESSION_OPT_OUT : 0) |
                      (options->no_loop ? SESSION_NO_LOOP : 0);
    return OK;
}

void tracking_end(struct engine *engine, struct session *session)
{
    struct tracking *tracking = &engine->tracking;
    if (session->tracking == NULL) {
        return;
    }
    tracking_lock_to_write(tracking);
    stop(tracking, session->tracking); /* Others may redirect to it: it stays a member. */
    tracking_unlock_write(tracking);
    session->tracking = NULL;
    session->flags &= ~(uint32_t)(MODES | SESSION_CACHING);
}

void tracking_leave(struct engine *engine, struct session *session)
{
    struct tracking *tracking = &engine->tracking;
    tracking_lock_to_write(tracking);
    struct tracking_member *member = tracking_member(tracking, session->id);
    if (member != NULL) {
        stop(tracking, member);
        remove_member(tracking, member);
    }
    tracking_unlock_write(tracking);
    session->tracking = NULL;
    session->flags &= ~(uint32_t)(MODES | SESSION_CACHING);
}

/* ---- What CLIENT tells ------------------------------------------------------------------------- */

int64_t tracking_redirection(const struct session *session)
{
    return session->tracking != NULL ? (int64_t)session->tracking->redirect : -1;
}

struct bytes tracking_overlap(const struct session *session, struct bytes prefix)
{
    const struct tracking_hold *hold = session->tracking != NULL ? session->tracking->first : NULL;
    for (; hold != NULL; hold = hold->next) {
        struct bytes own = prefix_name(hold->prefix);
        size_t len = own.len < prefix.len ? own.len : prefix.len;
        if (len == 0 || memcmp(own.at, prefix.at, len) == 0) {
            return own;
        }
    }
    return (struct bytes){ NULL, 0 };
}

uint32_t tracking_prefix_count(const struct session *session)
{
    const struct tracking_hold *hold = session->tracking != NULL ? session->tracking->first : NULL;
    uint32_t count = 0;
    for (; hold != NULL; hold = hold->next) {
        count++;
    }
    return count;
}

size_t tracking_memory(const struct session *session)
{
    const struct tracking_member *member = session->tracking;
    return member == NULL ? 0
                          : sizeof *member + member->pending.cap +
                                tracking_prefix_count(session) * sizeof(struct tracking_hold);
}

void tracking_each_prefix(const struct session *session,
                          void (*visit)(void *user, struct bytes prefix), void *user)
{
    const struct tracking_hold *hold = session->tracking != NULL ? session->tracking->first : NULL;
    for (; hold != NULL; hold = hold->next) {
        visit(user, prefix_name(hold->prefix));
    }
}

/* ---- What is read ------------------------------------------------------------------------------ */

static bool is_remembered(const struct task *task)
{
    uint32_t flags = task->session->flags;
    if ((flags & SESSION_TRACKS_PREFIXES) != 0 ||
        (task->command->flags & (CMD_READONLY | CMD_PUBSUB)) != CMD_READONLY ||
        task->command->group == GROUP_SCRIPTING) { /* What a script reads is, one by one. */
        return false;
    }
    bool caching = (flags & SESSION_CACHING) != 0;
    return (flags & SESSION_OPT_IN) != 0 ? caching : (flags & SESSION_OPT_OUT) == 0 || !caching;
}

/* A key for which there is no memory counts as changed at once. */
static void remember_key(const struct task *task, struct bytes key)
{
    struct tracking *tracking = &task->executor->engine->tracking;
    if (!tracking_table_add(tracking, key, task->session->id)) {
        tracking_put_off(task->session, key);
    }
}

void tracking_remember(const struct task *task)
{
    struct engine *engine = task->executor->engine;
    if (!is_remembered(task)) {
        return;
    }
    if (task->command->derived.plan == PLAN_ONE_KEY) {
        remember_key(task, task->argv[task->command->derived.key_at]);
    } else {
        struct found_key few[KEYS_AT_ONCE], *found = few;
        if (task->argc > KEYS_AT_ONCE) {
            found = mem_try_alloc(task->argc * sizeof *found);
        }
        if (found == NULL) {
            tracking_put_off(task->session, (struct bytes){ NULL, 0 });
            return;
        }
        int count = command_keys(task->command, task->argv, task->argc, found);
        for (int i = 0; i < count; i++) {
            remember_key(task, task->argv[found[i].at]);
        }
        if (found != few) {
            mem_free(found);
        }
    }
    uint64_t limit =
        atomic_load_explicit(&engine->settings.tracking_max_keys, memory_order_relaxed);
    if (limit != 0 && atomic_load_explicit(&engine->tracking.keys, memory_order_relaxed) > limit) {
        task->session->tracking->session->flags |= SESSION_PUSHES; /* To make room, then. */
    }
}
