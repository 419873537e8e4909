/* What can be listened to: channels, patterns and shard channels by name, and of each the threads
 * that own listeners.  All under the lock; see pubsub_internal.h. */
#include "base/mem.h"
#include "exec/pubsub_internal.h"

static struct topic **topic_bucket(const struct pubsub *pubsub, uint64_t hash)
{
    return &pubsub->topics[hash & (pubsub->topic_buckets - 1)];
}

struct topic *topic_find(const struct pubsub *pubsub, enum topic_kind kind, struct bytes name)
{
    uint64_t hash = hash_bytes(&pubsub->hash_key, name, kind);
    struct topic *topic = *topic_bucket(pubsub, hash);
    while (topic != NULL &&
           (topic->hash != hash || topic->kind != kind || !bytes_equal(topic_name(topic), name))) {
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

struct topic *topic_add(struct pubsub *pubsub, enum topic_kind kind, struct bytes name)
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

void topic_drop_if_silent(struct pubsub *pubsub, struct topic *topic)
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

struct office *topic_office(const struct topic *topic, const struct mailbox *mailbox)
{
    struct office *office = topic->offices;
    while (office != NULL && office->mailbox != mailbox) {
        office = office->next;
    }
    return office;
}

struct office *topic_find_or_add_office(struct topic *topic, struct mailbox *mailbox)
{
    struct office *office = topic_office(topic, mailbox);
    if (office == NULL) {
        office = mem_try_alloc(sizeof *office);
        if (office != NULL) {
            *office = (struct office){ .next = topic->offices, .mailbox = mailbox };
            topic->offices = office;
        }
    }
    return office;
}

void topic_drop_office_if_empty(struct topic *topic, struct office *office)
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

/* ---- For PUBSUB -------------------------------------------------------------------------------- */

uint32_t pubsub_topics(struct pubsub *pubsub, enum topic_kind kind)
{
    pubsub_lock_to_read(pubsub);
    uint32_t count = pubsub->topic_counts[kind];
    pubsub_unlock_read(pubsub);
    return count;
}

uint32_t pubsub_subscribers(struct pubsub *pubsub, enum topic_kind kind, struct bytes name)
{
    pubsub_lock_to_read(pubsub);
    const struct topic *topic = topic_find(pubsub, kind, name);
    uint32_t count = topic != NULL ? topic->subscribers : 0;
    pubsub_unlock_read(pubsub);
    return count;
}

void pubsub_each_topic(struct pubsub *pubsub, enum topic_kind kind, struct bytes pattern,
                       void (*visit)(void *user, struct bytes name), void *user)
{
    pubsub_lock_to_read(pubsub);
    for (uint32_t i = 0; i < pubsub->topic_buckets; i++) {
        for (struct topic *topic = pubsub->topics[i]; topic != NULL; topic = topic->next) {
            if (topic->kind == kind &&
                (pattern.at == NULL || bytes_match_glob(pattern, topic_name(topic), false))) {
                visit(user, topic_name(topic));
            }
        }
    }
    pubsub_unlock_read(pubsub);
}
