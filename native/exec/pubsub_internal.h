/* The table behind pubsub.h, as its files see it: pubsub_topic.c (what can be listened to, and
 * the threads that listen), pubsub.c (subscriptions), pubsub_message.c (messages). */
#ifndef EXEC_PUBSUB_INTERNAL_H
#define EXEC_PUBSUB_INTERNAL_H

#include "exec/executor.h"
#include "exec/mail.h"
#include "exec/pubsub.h"

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
    _Atomic bool lost; /* a message to them was */
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

/* The lock of all topics, with its place in the lock order. */
static inline void pubsub_lock_to_read(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    lock_order_take(RANK_PUBSUB);
    rwlock_read(&pubsub->lock);
}

static inline void pubsub_unlock_read(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    rwlock_read_unlock(&pubsub->lock);
    lock_order_give(RANK_PUBSUB);
}

static inline void pubsub_lock_to_write(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    lock_order_take(RANK_PUBSUB);
    rwlock_write(&pubsub->lock);
}

static inline void pubsub_unlock_write(struct pubsub *pubsub) UNCHECKED_LOCKING
{
    rwlock_write_unlock(&pubsub->lock);
    lock_order_give(RANK_PUBSUB);
}

/* Borrowed as long as the topic is there. */
static inline struct bytes topic_name(const struct topic *topic)
{
    return (struct bytes){ topic->name, topic->name_len };
}

/* ---- Topics; under the lock ------------------------------------------------------------------ */

/* NULL when nobody listens to it. */
struct topic *topic_find(const struct pubsub *pubsub, enum topic_kind kind, struct bytes name);
/* One that is not there yet; NULL when memory is short. */
struct topic *topic_add(struct pubsub *pubsub, enum topic_kind kind, struct bytes name);
/* Away with it, unless somebody listens. */
void topic_drop_if_silent(struct pubsub *pubsub, struct topic *topic);

/* The office of a mailbox, or NULL. */
struct office *topic_office(const struct topic *topic, const struct mailbox *mailbox);
/* NULL when memory is short. */
struct office *topic_find_or_add_office(struct topic *topic, struct mailbox *mailbox);
void topic_drop_office_if_empty(struct topic *topic, struct office *office);

#endif
