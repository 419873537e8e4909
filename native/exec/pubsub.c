/* Who listens to what: subscriptions and their owners; see pubsub.h. */
#include "exec/pubsub.h"

#include "base/mem.h"
#include "exec/pubsub_internal.h"
#include "exec/session.h"

enum { FIRST_BUCKETS = 64 };

bool pubsub_init(struct pubsub *pubsub, const struct hash_key *key)
{
    *pubsub = (struct pubsub){ .hash_key = *key };
    pubsub->topics = mem_try_alloc(FIRST_BUCKETS * sizeof *pubsub->topics);
    pubsub->members = mem_try_alloc(FIRST_BUCKETS * sizeof *pubsub->members);
    if (pubsub->topics == NULL || pubsub->members == NULL) {
        return false;
    }
    memset(pubsub->topics, 0, FIRST_BUCKETS * sizeof *pubsub->topics);
    memset(pubsub->members, 0, FIRST_BUCKETS * sizeof *pubsub->members);
    pubsub->topic_buckets = pubsub->member_buckets = FIRST_BUCKETS;
    return true;
}

void pubsub_release(struct pubsub *pubsub)
{
    mem_free(pubsub->topics);
    mem_free(pubsub->members);
    pubsub->topics = NULL;
    pubsub->members = NULL;
}

/* ---- Subscriptions; under the lock ------------------------------------------------------------- */

static uint64_t member_hash(const struct pubsub *pubsub, const struct topic *topic,
                            const struct session *session)
{
    uintptr_t pair[2] = { (uintptr_t)topic, (uintptr_t)session };
    return hash_bytes(&pubsub->hash_key, (struct bytes){ (const char *)pair, sizeof pair }, 0);
}

static struct subscription **member_bucket(const struct pubsub *pubsub, uint64_t hash)
{
    return &pubsub->members[hash & (pubsub->member_buckets - 1)];
}

static struct subscription *find_member(const struct pubsub *pubsub, const struct topic *topic,
                                        const struct session *session)
{
    struct subscription *member = *member_bucket(pubsub, member_hash(pubsub, topic, session));
    while (member != NULL && (member->topic != topic || member->session != session)) {
        member = member->next_member;
    }
    return member;
}

static void grow_members(struct pubsub *pubsub)
{
    uint32_t old_count = pubsub->member_buckets;
    struct subscription **old = pubsub->members;
    struct subscription **grown = mem_try_alloc(2 * old_count * sizeof *grown);
    if (grown == NULL) {
        return;
    }
    memset(grown, 0, 2 * old_count * sizeof *grown);
    pubsub->members = grown;
    pubsub->member_buckets = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++) {
        struct subscription *next;
        for (struct subscription *member = old[i]; member != NULL; member = next) {
            next = member->next_member;
            member->next_member = *member_bucket(pubsub, member->hash);
            *member_bucket(pubsub, member->hash) = member;
        }
    }
    mem_free(old);
}

static void link_member(struct pubsub *pubsub, struct subscription *member)
{
    struct office *office = member->office;
    struct listening *listening = member->session->listening;
    enum topic_kind kind = member->topic->kind;
    if (pubsub->subscriptions >= pubsub->member_buckets) {
        grow_members(pubsub);
    }
    member->next_member = *member_bucket(pubsub, member->hash);
    *member_bucket(pubsub, member->hash) = member;
    member->next = office->first;
    if (member->next != NULL) {
        member->next->previous = member;
    }
    office->first = member;
    office->count++;
    member->next_own = listening->first[kind];
    if (member->next_own != NULL) {
        member->next_own->previous_own = member;
    }
    listening->first[kind] = member;
    listening->counts[kind]++;
    member->topic->subscribers++;
    atomic_fetch_add_explicit(&pubsub->subscriptions, 1, memory_order_relaxed);
}

/* Takes a subscription out everywhere and frees it, and what it leaves empty. */
static void remove_member(struct pubsub *pubsub, struct subscription *member)
{
    struct topic *topic = member->topic;
    struct office *office = member->office;
    struct listening *listening = member->session->listening;
    struct subscription **link = member_bucket(pubsub, member->hash);
    while (*link != member) {
        link = &(*link)->next_member;
    }
    *link = member->next_member;
    if (member->previous != NULL) {
        member->previous->next = member->next;
    } else {
        office->first = member->next;
    }
    if (member->next != NULL) {
        member->next->previous = member->previous;
    }
    if (member->previous_own != NULL) {
        member->previous_own->next_own = member->next_own;
    } else {
        listening->first[topic->kind] = member->next_own;
    }
    if (member->next_own != NULL) {
        member->next_own->previous_own = member->previous_own;
    }
    listening->counts[topic->kind]--;
    office->count--;
    topic->subscribers--;
    atomic_fetch_sub_explicit(&pubsub->subscriptions, 1, memory_order_relaxed);
    mem_free(member);
    topic_drop_office_if_empty(topic, office);
    topic_drop_if_silent(pubsub, topic);
}

/* ---- Sessions -------------------------------------------------------------------------------- */

uint32_t pubsub_count(const struct session *session, enum topic_kind kind)
{
    return session->listening != NULL ? session->listening->counts[kind] : 0;
}

size_t pubsub_memory(const struct session *session)
{
    if (session->listening == NULL) {
        return 0;
    }
    size_t count = 0;
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        count += session->listening->counts[kind];
    }
    return sizeof *session->listening + count * sizeof(struct subscription);
}

bool pubsub_all(struct pubsub *pubsub, const struct session *session,
                bool (*holds)(void *user, enum topic_kind kind, struct bytes name), void *user)
{
    bool all = true;
    if (session->listening == NULL) {
        return true;
    }
    pubsub_lock_to_read(pubsub);
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        const struct subscription *at = session->listening->first[kind];
        for (; at != NULL && all; at = at->next_own) {
            all = holds(user, (enum topic_kind)kind, topic_name(at->topic));
        }
    }
    pubsub_unlock_read(pubsub);
    return all;
}

/* The session's flag, and its part of the table, follow what it listens to. */
static void settle_session(struct session *session)
{
    struct listening *listening = session->listening;
    uint32_t all = 0;
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        all += listening->counts[kind];
    }
    if (all > 0) {
        session->flags |= SESSION_SUBSCRIBED;
        return;
    }
    session->flags &= ~(uint32_t)SESSION_SUBSCRIBED;
    mem_free(listening);
    session->listening = NULL;
}

/* Under the lock. */
static enum err join_topic(struct pubsub *pubsub, struct session *session, struct mailbox *mailbox,
                           enum topic_kind kind, struct bytes name)
{
    struct topic *topic = topic_find(pubsub, kind, name);
    if (topic == NULL) {
        topic = topic_add(pubsub, kind, name);
    } else if (find_member(pubsub, topic, session) != NULL) {
        return OK;
    }
    if (topic == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    struct office *office = topic_find_or_add_office(topic, mailbox);
    struct subscription *member = mem_try_alloc(sizeof *member);
    if (office == NULL || member == NULL) {
        mem_free(member);
        if (office != NULL) {
            topic_drop_office_if_empty(topic, office);
        }
        topic_drop_if_silent(pubsub, topic);
        return ERR_OUT_OF_MEMORY;
    }
    *member = (struct subscription){
        .session = session,
        .topic = topic,
        .office = office,
        .since = atomic_load_explicit(&pubsub->messages, memory_order_relaxed),
        .hash = member_hash(pubsub, topic, session),
    };
    link_member(pubsub, member);
    return OK;
}

enum err pubsub_subscribe(struct pubsub *pubsub, struct session *session, struct mailbox *mailbox,
                          enum topic_kind kind, struct bytes name)
{
    if (session->listening == NULL) {
        session->listening = mem_zalloc(sizeof *session->listening);
    }
    pubsub_lock_to_write(pubsub);
    enum err err = join_topic(pubsub, session, mailbox, kind, name);
    pubsub_unlock_write(pubsub);
    settle_session(session);
    return err;
}

bool pubsub_unsubscribe(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                        struct bytes name)
{
    if (session->listening == NULL) {
        return false;
    }
    pubsub_lock_to_write(pubsub);
    struct topic *topic = topic_find(pubsub, kind, name);
    struct subscription *member = topic != NULL ? find_member(pubsub, topic, session) : NULL;
    if (member != NULL) {
        remove_member(pubsub, member);
    }
    pubsub_unlock_write(pubsub);
    settle_session(session);
    return member != NULL;
}

bool pubsub_unsubscribe_one(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                            void (*tell)(void *user, struct bytes name), void *user)
{
    if (pubsub_count(session, kind) == 0) {
        return false;
    }
    pubsub_lock_to_write(pubsub);
    struct subscription *member = session->listening->first[kind];
    tell(user, topic_name(member->topic));
    remove_member(pubsub, member);
    pubsub_unlock_write(pubsub);
    settle_session(session);
    return true;
}

void pubsub_leave(struct pubsub *pubsub, struct session *session)
{
    struct listening *listening = session->listening;
    if (listening == NULL) {
        return;
    }
    pubsub_lock_to_write(pubsub);
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        while (listening->first[kind] != NULL) {
            remove_member(pubsub, listening->first[kind]);
        }
    }
    pubsub_unlock_write(pubsub);
    settle_session(session);
}
