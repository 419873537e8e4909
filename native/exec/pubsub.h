/* Publish and subscribe: who listens to which channel, and how messages come to them.
 *
 * One table for a server, under one read/write lock.  The subscribers of a topic stand in
 * lists, one for each mailbox (mail.h), that is for each thread that owns some of them.  A
 * publisher counts the subscribers and sends one letter to each mailbox concerned; the owner
 * finds its subscribers when it opens the letter.  A message has a number, and a subscription
 * the number of the newest message before it, so that nobody hears what was said before. */
#ifndef EXEC_PUBSUB_H
#define EXEC_PUBSUB_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/thread.h"

struct executor;
struct mailbox;
struct reply;
struct session;
struct subscription;
struct topic;

enum topic_kind { TOPIC_CHANNEL, TOPIC_PATTERN, TOPIC_SHARD, TOPIC_KINDS };

struct pubsub {
    _Atomic uint32_t subscriptions; /* of all kinds; the fast way out */
    _Atomic uint64_t messages;      /* the number of the newest message */
    struct hash_key hash_key;
    struct rwlock lock;            /* RANK_PUBSUB; guards what follows */
    struct topic **topics;         /* by name */
    struct subscription **members; /* by topic and session */
    uint32_t topic_buckets, member_buckets;
    uint32_t topic_counts[TOPIC_KINDS];
    struct topic *patterns; /* all of TOPIC_PATTERN */
};

/* What a session listens to; in the session, when there is something. */
struct listening {
    struct subscription *first[TOPIC_KINDS];
    uint32_t counts[TOPIC_KINDS];
};

/* No topic.  False when memory is short.  Released when all sessions are gone. */
MUST_CHECK bool pubsub_init(struct pubsub *pubsub, const struct hash_key *key);
void pubsub_release(struct pubsub *pubsub);

/* The owner of the session, whose box 'mailbox' is.  Nothing when it listens already.
 * ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err pubsub_subscribe(struct pubsub *pubsub, struct session *session,
                                     struct mailbox *mailbox, enum topic_kind kind,
                                     struct bytes name);
/* False when it did not listen. */
bool pubsub_unsubscribe(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                        struct bytes name);
/* Ends one subscription of the kind, any: its name goes to 'tell' before.  False when there
 * is none. */
bool pubsub_unsubscribe_one(struct pubsub *pubsub, struct session *session, enum topic_kind kind,
                            void (*tell)(void *user, struct bytes name), void *user);
/* Ends all, of a session that leaves. */
void pubsub_leave(struct pubsub *pubsub, struct session *session);

/* Whether 'holds' for all that a session listens to.  The owner, or in the exclusive section. */
bool pubsub_all(struct pubsub *pubsub, const struct session *session,
                bool (*holds)(void *user, enum topic_kind kind, struct bytes name), void *user);

/* What a session listens to of a kind. */
uint32_t pubsub_count(const struct session *session, enum topic_kind kind);

/* Bytes of its subscriptions; topics belong to nobody. */
size_t pubsub_memory(const struct session *session);

/* Whether anybody listens to anything.  Any thread. */
static inline bool pubsub_anybody(const struct pubsub *pubsub)
{
    return __builtin_expect(atomic_load_explicit(&pubsub->subscriptions, memory_order_relaxed) != 0,
                            0);
}

/* Sends a message to the subscribers of a channel (TOPIC_CHANNEL, and of patterns that match
 * it) or of a shard channel; returns how many there are.  Keys may be held. */
int64_t pubsub_publish(struct pubsub *pubsub, enum topic_kind kind, struct bytes channel,
                       struct bytes message);

/* The owner of sessions for which messages were lost: those who listen to their channels are
 * closed, since nobody may miss one and not know it. */
void pubsub_tell_lost(struct executor *executor);

/* For PUBSUB: topics of a kind, and the subscribers of one. */
uint32_t pubsub_topics(struct pubsub *pubsub, enum topic_kind kind);
uint32_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind, struct bytes name);
/* Those whose name matches the glob (all: .at is NULL); 'visit' gets the name, borrowed. */
void pubsub_each_topic(struct pubsub *pubsub, enum topic_kind kind, struct bytes pattern,
                       void (*visit)(void *user, struct bytes name), void *user);

#endif
