/* Who listens to what; see pubsub.h. */
#include "exec/pubsub.h"

#include "base/mem.h"
#include "exec/executor.h"
#include "exec/mail.h"
#include "exec/engine.h"
#include "exec/session.h"

enum { FIRST_BUCKETS = 64 };

/* A session's subscription to a topic. */
struct subscription {
    struct subscription *next_member;             /* of the bucket */
    struct subscription *next, *previous;         /* of the office: others of the same owner */
    struct subscription *next_own, *previous_own; /* of the session, of the same kind */
    struct session *session;
    struct topic *topic;
    struct office *office;
    uint64_t since; /* later messages are for it */
    uint64_t hash;
};

/* The subscribers of a topic that one thread owns. */
struct office {
    struct office *next;
    struct mailbox *mailbox;
    struct subscription *first;
    uint32_t count;
};

struct topic {
    struct topic *next; /* of the bucket */
    struct topic *next_pattern, *previous_pattern;
    struct office *offices;
    uint64_t hash;
    enum topic_kind kind;
    uint32_t subscribers;
    size_t name_len;
    char name[];
};

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

static void lock_to_read(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    lock_order_take(RANK_PUBSUB);
    rwlock_read(&pubsub->lock);
}

static void unlock_read(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    rwlock_read_unlock(&pubsub->lock);
    lock_order_give(RANK_PUBSUB);
}

static void lock_to_write(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    lock_order_take(RANK_PUBSUB);
    rwlock_write(&pubsub->lock);
}

static void unlock_write(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    rwlock_write_unlock(&pubsub->lock);
    lock_order_give(RANK_PUBSUB);
}

/* ---- Topics; under the lock ------------------------------------------------------------------ */

static struct bytes name_of(const struct topic *topic)
{
    return (struct bytes){ topic->name, topic->name_len };
}

static struct topic **topic_bucket(const struct pubsub *pubsub, uint64_t hash)
{
    return &pubsub->topics[hash & (pubsub->topic_buckets - 1)];
}

static struct topic *find_topic(const struct pubsub *pubsub, enum topic_kind kind,
                                struct bytes name)
{
    uint64_t hash = hash_bytes(&pubsub->hash_key, name, kind);
    struct topic *topic = *topic_bucket(pubsub, hash);
    while (topic != NULL &&
           (topic->hash != hash || topic->kind != kind || !bytes_equal(name_of(topic), name))) {
        topic = topic->next;
    }
    return topic;
}

/* Chains only grow longer when memory is short. */
static void grow_topics(struct pubsub *pubsub)
{
    uint32_t old_count = pubsub->topic_buckets;
    struct topic **old = pubsub->topics;
    struct topic **grown = mem_try_alloc(2 * old_count * sizeof *grown);
    if (grown == NULL) {
        return;
    }
    memset(grown, 0, 2 * old_count * sizeof *grown);
    pubsub->topics = grown;
    pubsub->topic_buckets = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++) {
        struct topic *next;
        for (struct topic *topic = old[i]; topic != NULL; topic = next) {
            next = topic->next;
            topic->next = *topic_bucket(pubsub, topic->hash);
            *topic_bucket(pubsub, topic->hash) = topic;
        }
    }
    mem_free(old);
}

static struct topic *add_topic(struct pubsub *pubsub, enum topic_kind kind, struct bytes name)
{
    struct topic *topic = mem_try_alloc(sizeof *topic + name.len);
    if (topic == NULL) {
        return NULL;
    }
    uint32_t all = 0;
    for (int i = 0; i < TOPIC_KINDS; i++) {
        all += pubsub->topic_counts[i];
    }
    if (all >= pubsub->topic_buckets) {
        grow_topics(pubsub);
    }
    *topic = (struct topic){ .hash = hash_bytes(&pubsub->hash_key, name, kind),
                             .kind = kind,
                             .name_len = name.len };
    if (name.len > 0) {
        memcpy(topic->name, name.at, name.len);
    }
    topic->next = *topic_bucket(pubsub, topic->hash);
    *topic_bucket(pubsub, topic->hash) = topic;
    pubsub->topic_counts[kind]++;
    if (kind == TOPIC_PATTERN) {
        topic->next_pattern = pubsub->patterns;
        if (topic->next_pattern != NULL) {
            topic->next_pattern->previous_pattern = topic;
        }
        pubsub->patterns = topic;
    }
    return topic;
}

static void drop_topic_if_silent(struct pubsub *pubsub, struct topic *topic)
{
    if (topic->subscribers > 0) {
        return;
    }
    struct topic **link = topic_bucket(pubsub, topic->hash);
    while (*link != topic) {
        link = &(*link)->next;
    }
    *link = topic->next;
    pubsub->topic_counts[topic->kind]--;
    if (topic->kind == TOPIC_PATTERN) {
        if (topic->previous_pattern != NULL) {
            topic->previous_pattern->next_pattern = topic->next_pattern;
        } else {
            pubsub->patterns = topic->next_pattern;
        }
        if (topic->next_pattern != NULL) {
            topic->next_pattern->previous_pattern = topic->previous_pattern;
        }
    }
    mem_free(topic);
}

static struct office *find_office(const struct topic *topic, const struct mailbox *mailbox)
{
    struct office *office = topic->offices;
    while (office != NULL && office->mailbox != mailbox) {
        office = office->next;
    }
    return office;
}

static struct office *find_or_add_office(struct topic *topic, struct mailbox *mailbox)
{
    struct office *office = find_office(topic, mailbox);
    if (office == NULL) {
        office = mem_try_alloc(sizeof *office);
        if (office != NULL) {
            *office = (struct office){ .next = topic->offices, .mailbox = mailbox };
            topic->offices = office;
        }
    }
    return office;
}

static void drop_office_if_empty(struct topic *topic, struct office *office)
{
    if (office->count > 0) {
        return;
    }
    struct office **link = &topic->offices;
    while (*link != office) {
        link = &(*link)->next;
    }
    *link = office->next;
    mem_free(office);
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
    drop_office_if_empty(topic, office);
    drop_topic_if_silent(pubsub, topic);
}

/* ---- Sessions -------------------------------------------------------------------------------- */

uint32_t pubsub_count(const struct session *session, enum topic_kind kind)
{
    return session->listening != NULL ? session->listening->counts[kind] : 0;
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
    struct topic *topic = find_topic(pubsub, kind, name);
    if (topic == NULL) {
        topic = add_topic(pubsub, kind, name);
    } else if (find_member(pubsub, topic, session) != NULL) {
        return OK;
    }
    if (topic == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    struct office *office = find_or_add_office(topic, mailbox);
    struct subscription *member = mem_try_alloc(sizeof *member);
    if (office == NULL || member == NULL) {
        mem_free(member);
        if (office != NULL) {
            drop_office_if_empty(topic, office);
        }
        drop_topic_if_silent(pubsub, topic);
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
    lock_to_write(pubsub);
    enum err err = join_topic(pubsub, session, mailbox, kind, name);
    unlock_write(pubsub);
    settle_session(session);
    return err;
}

bool pubsub_unsubscribe(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                        struct bytes name)
{
    if (session->listening == NULL) {
        return false;
    }
    lock_to_write(pubsub);
    struct topic *topic = find_topic(pubsub, kind, name);
    struct subscription *member = topic != NULL ? find_member(pubsub, topic, session) : NULL;
    if (member != NULL) {
        remove_member(pubsub, member);
    }
    unlock_write(pubsub);
    settle_session(session);
    return member != NULL;
}

bool pubsub_unsubscribe_one(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                            void (*tell)(void *user, struct bytes name), void *user)
{
    if (pubsub_count(session, kind) == 0) {
        return false;
    }
    lock_to_write(pubsub);
    struct subscription *member = session->listening->first[kind];
    tell(user, name_of(member->topic));
    remove_member(pubsub, member);
    unlock_write(pubsub);
    settle_session(session);
    return true;
}

void pubsub_leave(struct pubsub *pubsub, struct session *session)
{
    struct listening *listening = session->listening;
    if (listening == NULL) {
        return;
    }
    lock_to_write(pubsub);
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        while (listening->first[kind] != NULL) {
            remove_member(pubsub, listening->first[kind]);
        }
    }
    unlock_write(pubsub);
    settle_session(session);
}

/* ---- Messages -------------------------------------------------------------------------------- */

struct message_letter {
    struct letter letter;
    uint64_t number;
    enum topic_kind kind;
    size_t channel_len, message_len;
    char text[]; /* the channel, then the message */
};

/* A message in the forms in which clients want it, made when first needed. */
struct message_forms {
    struct bytes kind, pattern, channel, message; /* the pattern's .at is NULL: none */
    struct reply forms[3];
};

static const struct reply *form_for(struct message_forms *forms, const struct session *session)
{
    int which = session->dialect != DIALECT_RESP ? 0 : session->protocol >= 3 ? 2 : 1;
    struct reply *reply = &forms->forms[which];
    if (reply->out.len == 0) {
        reply->protocol = session->protocol;
        reply->dialect = session->dialect;
        reply_push(reply, forms->pattern.at != NULL ? 4 : 3);
        reply_bytes(reply, forms->kind);
        if (forms->pattern.at != NULL) {
            reply_bytes(reply, forms->pattern);
        }
        reply_bytes(reply, forms->channel);
        reply_bytes(reply, forms->message);
    }
    return reply;
}

/* Hands a message to the subscribers of a topic that this thread owns; under the lock. */
static void deliver(const struct topic *topic, const struct mailbox *mailbox, uint64_t number,
                    struct message_forms *forms)
{
    struct office *office = find_office(topic, mailbox);
    if (office == NULL) {
        return;
    }
    for (struct subscription *at = office->first; at != NULL; at = at->next) {
        if (at->since < number) {
            const struct reply *form = form_for(forms, at->session);
            at->session->carrier->push(at->session, buf_bytes(&form->out));
        }
    }
    for (int i = 0; i < 3; i++) {
        reply_release(&forms->forms[i]);
    }
}

static void open_message(struct letter *letter, struct executor *executor)
{
    struct message_letter *message = (struct message_letter *)letter;
    struct pubsub *pubsub = &executor->engine->pubsub;
    struct message_forms forms = {
        .kind = message->kind == TOPIC_SHARD ? LIT("smessage") : LIT("message"),
        .channel = { message->text, message->channel_len },
        .message = { message->text + message->channel_len, message->message_len },
    };
    lock_to_read(pubsub);
    struct topic *topic = find_topic(pubsub, message->kind, forms.channel);
    if (topic != NULL) {
        deliver(topic, executor->mailbox, message->number, &forms);
    }
    topic = message->kind == TOPIC_CHANNEL ? pubsub->patterns : NULL;
    for (; topic != NULL; topic = topic->next_pattern) {
        if (bytes_match_glob(name_of(topic), forms.channel, false)) {
            forms.kind = LIT("pmessage");
            forms.pattern = name_of(topic);
            deliver(topic, executor->mailbox, message->number, &forms);
        }
    }
    unlock_read(pubsub);
    mem_free(message);
}

static void discard_message(struct letter *letter)
{
    mem_free(letter);
}

/* Sends a letter to every mailbox that has a subscriber of the topic, but one to each. */
static int64_t post(const struct topic *topic, uint64_t number, enum topic_kind kind,
                    struct bytes channel, struct bytes text, uint64_t *served)
{
    for (struct office *office = topic->offices; office != NULL; office = office->next) {
        unsigned box = office->mailbox->number;
        if ((served[box / 64] >> (box % 64) & 1) != 0) {
            continue;
        }
        struct message_letter *letter = mem_try_alloc(sizeof *letter + channel.len + text.len);
        if (letter == NULL) {
            continue; /* Messages are sent at most once; this one not at all. */
        }
        served[box / 64] |= UINT64_C(1) << (box % 64);
        *letter = (struct message_letter){
            .letter = { .open = open_message, .discard = discard_message },
            .number = number,
            .kind = kind,
            .channel_len = channel.len,
            .message_len = text.len,
        };
        if (channel.len > 0) {
            memcpy(letter->text, channel.at, channel.len);
        }
        if (text.len > 0) {
            memcpy(letter->text + channel.len, text.at, text.len);
        }
        mailbox_send(office->mailbox, &letter->letter);
    }
    return topic->subscribers;
}

int64_t pubsub_publish(struct pubsub *pubsub, enum topic_kind kind, struct bytes channel,
                       struct bytes message)
{
    uint64_t served[MAILBOXES_MAX / 64] = { 0 };
    int64_t receivers = 0;
    if (!pubsub_anybody(pubsub)) {
        return 0;
    }
    lock_to_read(pubsub);
    uint64_t number = atomic_fetch_add_explicit(&pubsub->messages, 1, memory_order_relaxed) + 1;
    struct topic *topic = find_topic(pubsub, kind, channel);
    if (topic != NULL) {
        receivers += post(topic, number, kind, channel, message, served);
    }
    topic = kind == TOPIC_CHANNEL ? pubsub->patterns : NULL;
    for (; topic != NULL; topic = topic->next_pattern) {
        if (bytes_match_glob(name_of(topic), channel, false)) {
            receivers += post(topic, number, kind, channel, message, served);
        }
    }
    unlock_read(pubsub);
    return receivers;
}

/* ---- For PUBSUB -------------------------------------------------------------------------------- */

uint32_t pubsub_topics(struct pubsub *pubsub, enum topic_kind kind)
{
    lock_to_read(pubsub);
    uint32_t count = pubsub->topic_counts[kind];
    unlock_read(pubsub);
    return count;
}

uint32_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind, struct bytes name)
{
    lock_to_read(pubsub);
    const struct topic *topic = find_topic(pubsub, kind, name);
    uint32_t count = topic != NULL ? topic->subscribers : 0;
    unlock_read(pubsub);
    return count;
}

void pubsub_each_topic(struct pubsub *pubsub, enum topic_kind kind, struct bytes pattern,
                       void (*visit)(void *user, struct bytes name), void *user)
{
    lock_to_read(pubsub);
    for (uint32_t i = 0; i < pubsub->topic_buckets; i++) {
        for (struct topic *topic = pubsub->topics[i]; topic != NULL; topic = topic->next) {
            if (topic->kind == kind &&
                (pattern.at == NULL || bytes_match_glob(pattern, name_of(topic), false))) {
                visit(user, name_of(topic));
            }
        }
    }
    unlock_read(pubsub);
}
