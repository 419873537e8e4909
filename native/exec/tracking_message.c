/* What tracking sessions are told: which keys have changed; see tracking.h.  Whoever changes a
 * key posts letters to the owners of those who are to hear of it, and they write the messages.
 * Those who track prefixes hear by tracking_broadcast.c. */
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/tracking_internal.h"

enum { FEW = 16 }; /* targets without memory of their own */

/* In pending: all keys have changed. */
static const size_t ALL_KEYS = SIZE_MAX;

/* ---- Letters --------------------------------------------------------------------------------- */

/* Targets, keys and then their names follow in the same memory. */
struct news_letter {
    struct letter letter;
    uint32_t target_count, key_count;
    struct tracking_target targets[];
};

/* The messages of one letter, written when first needed. */
struct forms {
    struct tracking_news news;
    struct reply written[3]; /* a push, a message, and one for a single target */
};

static void write_keys(struct reply *reply, const struct tracking_news *news, uint64_t skip,
                       uint32_t count)
{
    if (news->count == 0) {
        reply_null(reply);
        return;
    }
    reply_array(reply, count);
    for (uint32_t i = 0; i < news->count; i++) {
        if (skip == 0 || news->keys[i].by != skip) {
            reply_bytes(reply, news->keys[i].name);
        }
    }
}

uint32_t tracking_count_told(const struct tracking_news *news, uint64_t skip)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < news->count; i++) {
        count += skip == 0 || news->keys[i].by != skip;
    }
    return count;
}

/* Nothing where a session can't be told: it speaks RESP2, and is not one that another redirects
 * to and that listens already. */
static void write_message(struct reply *reply, const struct session *session,
                          const struct tracking_target *target, const struct tracking_news *news)
{
    uint32_t count = tracking_count_told(news, target->skip);
    if (news->count > 0 && count == 0) {
        return;
    }
    reply->protocol = session->protocol;
    reply->dialect = session->dialect;
    if (session->protocol >= 3) {
        reply_push(reply, 2);
        reply_bytes(reply, LIT("invalidate"));
    } else if (target->redirected && (session->flags & SESSION_SUBSCRIBED) != 0) {
        reply_push(reply, 3);
        reply_bytes(reply, LIT("message"));
        reply_bytes(reply, LIT("__redis__:invalidate"));
    } else {
        return;
    }
    write_keys(reply, news, target->skip, count);
}

/* A session of this thread. */
static void tell_session(struct session *session, const struct tracking_target *target,
                         struct forms *forms)
{
    bool plain = target->skip == 0 && session->dialect == DIALECT_RESP;
    bool listens = target->redirected && (session->flags & SESSION_SUBSCRIBED) != 0;
    if (session->protocol < 3 && !listens) {
        return;
    }
    struct reply *reply = &forms->written[!plain ? 2 : session->protocol >= 3 ? 0 : 1];
    if (!plain) {
        reply_clear(reply);
    }
    if (reply->out.len == 0) {
        write_message(reply, session, target, &forms->news);
    }
    if (reply->out.len > 0) {
        session->carrier->push(session, buf_bytes(&reply->out));
    }
}

static void open_news(struct letter *letter, struct executor *executor)
{
    struct news_letter *news = (struct news_letter *)letter;
    struct tracking *tracking = &executor->engine->tracking;
    struct forms forms = {
        .news = { (const struct tracking_told *)(const void *)&news->targets[news->target_count],
                  news->key_count },
    };
    tracking_lock_to_read(tracking);
    for (uint32_t i = 0; i < news->target_count; i++) {
        struct tracking_member *member = tracking_member(tracking, news->targets[i].to);
        /* Who has ended tracking meanwhile is told no more. */
        if (member != NULL && (member->tracks || news->targets[i].redirected)) {
            tell_session(member->session, &news->targets[i], &forms);
        }
    }
    tracking_unlock_read(tracking);
    for (int i = 0; i < 3; i++) {
        reply_release(&forms.written[i]);
    }
    mem_free(news);
}

static void discard(struct letter *letter)
{
    mem_free(letter);
}

/* The letter for one mailbox, out of 'count' targets of which some are there; NULL when memory
 * is short. */
static struct news_letter *write_letter(const struct mailbox *mailbox,
                                        const struct tracking_target *targets, uint32_t count,
                                        const struct tracking_news *news)
{
    uint32_t here = 0;
    size_t size = sizeof(struct news_letter) + news->count * sizeof(struct tracking_told);
    for (uint32_t i = 0; i < count; i++) {
        here += targets[i].mailbox == mailbox;
    }
    size += here * sizeof *targets;
    for (uint32_t i = 0; i < news->count; i++) {
        size += news->keys[i].name.len;
    }
    struct news_letter *letter = mem_try_alloc(size);
    if (letter == NULL) {
        return NULL;
    }
    letter->letter = (struct letter){ .size = size, .open = open_news, .discard = discard };
    letter->target_count = 0;
    letter->key_count = news->count;
    for (uint32_t i = 0; i < count; i++) {
        if (targets[i].mailbox == mailbox) {
            letter->targets[letter->target_count++] = targets[i];
        }
    }
    struct tracking_told *keys = (struct tracking_told *)(void *)&letter->targets[here];
    char *at = (char *)&keys[news->count];
    for (uint32_t i = 0; i < news->count; i++) {
        struct bytes name = news->keys[i].name;
        keys[i] = (struct tracking_told){ { at, name.len }, news->keys[i].by };
        if (name.len > 0) {
            memcpy(at, name.at, name.len);
        }
        at += name.len;
    }
    return letter;
}

/* Under the lock: all keys of those of the targets who are at this mailbox have changed. */
static void note_loss(const struct tracking *tracking, const struct mailbox *mailbox,
                      const struct tracking_target *targets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tracking_member *member =
            targets[i].mailbox == mailbox ? tracking_member(tracking, targets[i].to) : NULL;
        if (member != NULL) {
            atomic_store_explicit(&member->lost, true, memory_order_release);
        }
    }
}

void tracking_post(const struct tracking *tracking, struct tracking_target *targets, uint32_t count,
                   const struct tracking_news *news)
{
    for (uint32_t i = 0; i < count; i++) {
        struct mailbox *mailbox = targets[i].mailbox;
        if (mailbox == NULL) {
            continue;
        }
        struct news_letter *letter = write_letter(mailbox, targets + i, count - i, news);
        if (letter == NULL || !mailbox_send(mailbox, &letter->letter)) {
            note_loss(tracking, mailbox, targets + i, count - i);
            mailbox_lose(mailbox);
        }
        for (uint32_t at = i; at < count; at++) {
            targets[at].mailbox = targets[at].mailbox == mailbox ? NULL : targets[at].mailbox;
        }
    }
}

/* ---- Who redirects to nobody ------------------------------------------------------------------ */

struct broken_letter {
    struct letter letter;
    uint64_t id, redirect;
};

static void tell_broken(struct session *session, uint64_t redirect, struct reply *reply)
{
    session->flags |= SESSION_REDIRECT_BROKEN;
    if (session->protocol >= 3) {
        reply_push(reply, 2);
        reply_bytes(reply, LIT("tracking-redir-broken"));
        reply_integer(reply, (int64_t)redirect);
    }
}

static void open_broken(struct letter *letter, struct executor *executor)
{
    struct broken_letter *broken = (struct broken_letter *)letter;
    struct tracking *tracking = &executor->engine->tracking;
    tracking_lock_to_read(tracking);
    struct tracking_member *member = tracking_member(tracking, broken->id);
    if (member != NULL && member->redirect == broken->redirect) {
        struct reply reply = { .protocol = member->session->protocol,
                               .dialect = member->session->dialect };
        tell_broken(member->session, broken->redirect, &reply);
        if (reply.out.len > 0) {
            member->session->carrier->push(member->session, buf_bytes(&reply.out));
        }
        reply_release(&reply);
    }
    tracking_unlock_read(tracking);
    mem_free(broken);
}

/* ---- Whom to tell; under the lock ------------------------------------------------------------- */

static void post_broken(struct tracking_member *member)
{
    struct broken_letter *letter = mem_try_alloc(sizeof *letter);
    if (letter != NULL) {
        *letter = (struct broken_letter){
            .letter = { .size = sizeof *letter, .open = open_broken, .discard = discard },
            .id = member->id,
            .redirect = member->redirect,
        };
    }
    if (letter == NULL || !mailbox_send(member->mailbox, &letter->letter)) {
        atomic_store_explicit(&member->lost, true, memory_order_release);
        mailbox_lose(member->mailbox);
    }
}

bool tracking_find_target(const struct tracking *tracking, struct tracking_member *member,
                          struct tracking_target *target)
{
    const struct tracking_member *hears =
        member->redirect != 0 ? tracking_member(tracking, member->redirect) : member;
    if (hears == NULL && member->mailbox != NULL) {
        post_broken(member);
    }
    if (hears == NULL || hears->mailbox == NULL) {
        return false;
    }
    *target = (struct tracking_target){ hears->mailbox, hears->id, 0, member->redirect != 0 };
    return true;
}

void tracking_put_off(struct session *session, struct bytes key)
{
    struct buf *pending = &session->tracking->pending;
    session = session->tracking->session; /* A script's commands are its caller's. */
    size_t len = key.at == NULL ? ALL_KEYS : key.len;
    size_t more = sizeof len + (key.at == NULL ? 0 : key.len);
    if (!buf_reserve(pending, more)) {
        pending->len = 0; /* What was to be told is less than all. */
        len = ALL_KEYS;
        if (!buf_reserve(pending, sizeof len)) {
            session->flags |= SESSION_CLOSE_NOW;
            return;
        }
    }
    memcpy(pending->at + pending->len, &len, sizeof len);
    pending->len += sizeof len;
    if (len != ALL_KEYS && len > 0) {
        memcpy(pending->at + pending->len, key.at, len);
        pending->len += len;
    }
    session->flags |= SESSION_PUSHES;
}

/* The session's own command runs now, on this thread, and its reply is not finished. */
static bool is_running(const struct session *by, uint64_t id)
{
    return by != NULL && by->id == id && (by->flags & SESSION_TRYING_AGAIN) == 0;
}

void tracking_tell(struct engine *engine, struct session *by, const struct tracked_key *key)
{
    struct tracking *tracking = &engine->tracking;
    const uint64_t *readers = tracked_readers(key);
    struct tracking_target few[FEW], *targets = few;
    uint32_t count = 0;
    if (key->count > FEW) {
        targets = mem_alloc(key->count * sizeof *targets);
    }
    tracking_lock_to_read(tracking);
    for (uint32_t i = 0; i < key->count; i++) {
        struct tracking_member *member = tracking_member(tracking, readers[i]);
        if (member == NULL || !member->tracks || member->broadcast ||
            (member->no_loop && by != NULL && by->id == member->id)) {
            continue;
        }
        if (is_running(by, member->id)) {
            tracking_put_off(by, tracked_name(key));
        } else if (tracking_find_target(tracking, member, &targets[count])) {
            count++;
        }
    }
    struct tracking_told told = { tracked_name(key), by != NULL ? by->id : 0 };
    struct tracking_news news = { &told, 1 };
    tracking_post(tracking, targets, count, &news);
    tracking_unlock_read(tracking);
    if (targets != few) {
        mem_free(targets);
    }
}

void tracking_all_changed(struct engine *engine, struct session *by)
{
    struct tracking *tracking = &engine->tracking;
    const struct tracking_news news = { NULL, 0 };
    uint32_t count = 0;
    tracking_lock_to_read(tracking);
    struct tracking_target *targets = mem_alloc((tracking->member_count + 1) * sizeof *targets);
    for (uint32_t i = 0; i < tracking->member_buckets; i++) {
        struct tracking_member *member = tracking->members[i];
        for (; member != NULL; member = member->next) {
            if (member->tracks && is_running(by, member->id)) {
                tracking_put_off(by, (struct bytes){ NULL, 0 });
            } else if (member->tracks && tracking_find_target(tracking, member, &targets[count])) {
                count++;
            }
        }
    }
    tracking_post(tracking, targets, count, &news);
    tracking_unlock_read(tracking);
    mem_free(targets);
    tracking_table_clear(tracking);
}

/* One message behind the reply, or to whom the session redirects. */
static void tell_put_off(struct executor *executor, struct session *session,
                         const struct tracking_told *key, struct reply *reply)
{
    struct tracking *tracking = &executor->engine->tracking;
    struct tracking_member *member = session->tracking;
    const struct tracking_news news = { key, key->name.at == NULL ? 0 : 1 };
    struct tracking_target target = { executor->mailbox, session->id, 0, false };
    if (member->redirect == 0) {
        if (session->protocol >= 3 && executor->mailbox != NULL) {
            write_message(reply, session, &target, &news);
        }
        return;
    }
    tracking_lock_to_read(tracking);
    if (tracking_member(tracking, member->redirect) == NULL) {
        reply->protocol = session->protocol;
        tell_broken(session, member->redirect, reply);
    } else if (tracking_find_target(tracking, member, &target)) {
        tracking_post(tracking, &target, 1, &news);
    }
    tracking_unlock_read(tracking);
}

void tracking_settle(struct executor *executor, struct session *session, struct reply *reply)
{
    session->flags &= ~(uint32_t)SESSION_PUSHES;
    if (session->tracking != NULL) {
        struct buf pending = session->tracking->pending;
        session->tracking->pending = (struct buf){ 0 };
        for (size_t at = 0; at < pending.len;) {
            size_t len;
            memcpy(&len, pending.at + at, sizeof len);
            at += sizeof len;
            struct tracking_told key = { { NULL, 0 }, session->id };
            if (len != ALL_KEYS) {
                key.name = (struct bytes){ pending.at + at, len };
                at += len;
            }
            tell_put_off(executor, session, &key, reply);
        }
        buf_release(&pending);
    }
    enum { EFFORT = 100 };
    (void)tracking_trim(executor, EFFORT);
}

bool tracking_trim(struct executor *executor, uint32_t effort)
{
    struct engine *engine = executor->engine;
    struct tracking *tracking = &engine->tracking;
    uint64_t limit =
        atomic_load_explicit(&engine->settings.tracking_max_keys, memory_order_relaxed);
    while (limit != 0 && atomic_load_explicit(&tracking->keys, memory_order_relaxed) > limit) {
        if (effort-- == 0) {
            return true;
        }
        struct tracked_key *key =
            tracking_table_take_any(tracking, random_next(&executor->thread.dice));
        if (key == NULL) {
            return false;
        }
        tracking_tell(engine, NULL, key);
        tracked_key_destroy(key);
    }
    return false;
}

void tracking_tell_lost(struct executor *executor)
{
    struct tracking *tracking = &executor->engine->tracking;
    struct forms forms = { .news = { NULL, 0 } };
    tracking_lock_to_read(tracking);
    for (uint32_t i = 0; i < tracking->member_buckets; i++) {
        struct tracking_member *member = tracking->members[i];
        for (; member != NULL; member = member->next) {
            if (member->mailbox == executor->mailbox &&
                atomic_exchange_explicit(&member->lost, false, memory_order_acq_rel)) {
                struct tracking_target target = { NULL, member->id, 0, !member->tracks };
                tell_session(member->session, &target, &forms);
            }
        }
    }
    tracking_unlock_read(tracking);
    for (int i = 0; i < 3; i++) {
        reply_release(&forms.written[i]);
    }
}

void tracking_key_changed(struct engine *engine, struct executor *executor, struct session *by,
                          struct bytes key)
{
    struct tracking *tracking = &engine->tracking;
    if (atomic_load_explicit(&tracking->prefixes, memory_order_relaxed) != 0) {
        tracking_note_changed(engine, executor, by, key);
    }
    struct tracked_key *tracked = tracking_table_take(tracking, key);
    if (tracked != NULL) {
        tracking_tell(engine, by, tracked);
        tracked_key_destroy(tracked);
    }
}
