/* Messages on their way: counted and posted by who publishes, handed over by the owners of the
 * subscribers; see pubsub.h. */
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/pubsub_internal.h"
#include "exec/session.h"

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
    struct office *office = topic_office(topic, mailbox);
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
    pubsub_lock_to_read(pubsub);
    struct topic *topic = topic_find(pubsub, message->kind, forms.channel);
    if (topic != NULL) {
        deliver(topic, executor->mailbox, message->number, &forms);
    }
    topic = message->kind == TOPIC_CHANNEL ? pubsub->patterns : NULL;
    for (; topic != NULL; topic = topic->next_pattern) {
        if (bytes_match_glob(topic_name(topic), forms.channel, false)) {
            forms.kind = LIT("pmessage");
            forms.pattern = topic_name(topic);
            deliver(topic, executor->mailbox, message->number, &forms);
        }
    }
    pubsub_unlock_read(pubsub);
    mem_free(message);
}

static void discard_message(struct letter *letter)
{
    mem_free(letter);
}

/* A message to the subscribers of this office is lost. */
static void lose(struct office *office)
{
    atomic_store_explicit(&office->lost, true, memory_order_release);
    mailbox_lose(office->mailbox);
}

/* Closes the sessions of an office that has missed a message. */
static void overrun(struct office *office)
{
    if (office != NULL && atomic_exchange_explicit(&office->lost, false, memory_order_acq_rel)) {
        for (struct subscription *at = office->first; at != NULL; at = at->next) {
            at->session->carrier->overrun(at->session);
        }
    }
}

void pubsub_tell_lost(struct executor *executor)
{
    struct pubsub *pubsub = &executor->engine->pubsub;
    pubsub_lock_to_read(pubsub);
    for (uint32_t i = 0; i < pubsub->topic_buckets; i++) {
        for (struct topic *topic = pubsub->topics[i]; topic != NULL; topic = topic->next) {
            overrun(topic_office(topic, executor->mailbox));
        }
    }
    pubsub_unlock_read(pubsub);
}

/* Sends a letter to every mailbox that has a subscriber of the topic, but one to each. */
static int64_t post(const struct topic *topic, uint64_t number, enum topic_kind kind,
                    struct bytes channel, struct bytes text, uint64_t *served)
{
    for (struct office *office = topic->offices; office != NULL; office = office->next) {
        struct mailbox *mailbox = office->mailbox;
        unsigned box = mailbox->number;
        if ((served[box / 64] >> (box % 64) & 1) != 0) {
            continue;
        }
        size_t size = sizeof(struct message_letter) + channel.len + text.len;
        struct message_letter *letter = mem_try_alloc(size);
        if (letter == NULL) {
            lose(office);
            continue;
        }
        served[box / 64] |= UINT64_C(1) << (box % 64);
        *letter = (struct message_letter){
            .letter = { .size = size, .open = open_message, .discard = discard_message },
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
        if (!mailbox_send(mailbox, &letter->letter)) {
            /* Those who listen by other topics, too, are found by their own office. */
            served[box / 64] &= ~(UINT64_C(1) << (box % 64));
            lose(office);
        }
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
    pubsub_lock_to_read(pubsub);
    uint64_t number = atomic_fetch_add_explicit(&pubsub->messages, 1, memory_order_relaxed) + 1;
    struct topic *topic = topic_find(pubsub, kind, channel);
    if (topic != NULL) {
        receivers += post(topic, number, kind, channel, message, served);
    }
    topic = kind == TOPIC_CHANNEL ? pubsub->patterns : NULL;
    for (; topic != NULL; topic = topic->next_pattern) {
        if (bytes_match_glob(topic_name(topic), channel, false)) {
            receivers += post(topic, number, kind, channel, message, served);
        }
    }
    pubsub_unlock_read(pubsub);
    return receivers;
}
