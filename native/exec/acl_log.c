/* ACL LOG: what was refused, and to whom; see acl.h. */
#include "base/mem.h"
#include "exec/acl_user.h"
#include "exec/call.h"

/* A refusal like one of the newest of the last minute is counted there. */
enum { LOOKED_AT = 10, GROUPING_MS = 60000 };

static void release_entry(struct acl_entry *entry)
{
    buf_release(&entry->object);
    buf_release(&entry->user);
    buf_release(&entry->client);
    mem_free(entry);
}

static void trim(struct acl *acl, uint64_t kept)
{
    struct acl_entry **link = &acl->entries;
    for (uint64_t i = 0; i < kept && *link != NULL; i++) {
        link = &(*link)->next;
    }
    struct acl_entry *entry = *link;
    *link = NULL;
    while (entry != NULL) {
        struct acl_entry *next = entry->next;
        release_entry(entry);
        acl->entry_count--;
        entry = next;
    }
}

static bool is_same(const struct acl_entry *entry, const struct acl_entry *other)
{
    int64_t apart = other->updated_ms - entry->updated_ms;
    return entry->reason == other->reason && entry->context == other->context &&
           apart <= GROUPING_MS && apart >= -GROUPING_MS &&
           bytes_equal(buf_bytes(&entry->object), buf_bytes(&other->object)) &&
           bytes_equal(buf_bytes(&entry->user), buf_bytes(&other->user));
}

/* Takes the entry that says the same out of the list, or returns NULL. */
static struct acl_entry *take_same(struct acl *acl, const struct acl_entry *entry)
{
    struct acl_entry **link = &acl->entries;
    for (int i = 0; i < LOOKED_AT && *link != NULL; i++, link = &(*link)->next) {
        struct acl_entry *found = *link;
        if (is_same(found, entry)) {
            *link = found->next;
            return found;
        }
    }
    return NULL;
}

static void add(struct acl *acl, struct acl_entry *entry, uint64_t limit)
{
    struct acl_entry *same = take_same(acl, entry);
    if (same != NULL) {
        struct buf client = same->client;
        same->client = entry->client;
        entry->client = client;
        same->updated_ms = entry->updated_ms;
        same->count++;
        release_entry(entry);
        entry = same;
    } else {
        entry->id = acl->next_entry_id++;
        acl->entry_count++;
    }
    entry->next = acl->entries;
    acl->entries = entry;
    if (same == NULL) {
        trim(acl, limit);
    }
}

static void count(struct executor *executor, enum acl_denial reason)
{
    struct stats *stats = &executor->stats;
    stat_add(reason == ACL_DENIED_AUTH      ? &stats->acl_denied_auth
             : reason == ACL_DENIED_COMMAND ? &stats->acl_denied_command
             : reason == ACL_DENIED_KEY     ? &stats->acl_denied_key
                                            : &stats->acl_denied_channel,
             1);
}

void acl_log_add(struct executor *executor, const struct session *session, enum acl_denial reason,
                 enum acl_context context, struct bytes user, struct bytes object)
{
    struct acl *acl = &executor->engine->acl;
    uint64_t limit = atomic_load_explicit(&acl->log_max_len, memory_order_relaxed);
    count(executor, reason);
    if (limit > 0) {
        int64_t now = executor->thread.now_ms;
        struct acl_entry *entry = mem_zalloc(sizeof *entry);
        *entry = (struct acl_entry){
            .count = 1, .reason = reason, .context = context, .created_ms = now, .updated_ms = now
        };
        buf_append(&entry->object, object);
        buf_append(&entry->user, user);
        session_describe(session, now, &entry->client);
        mutex_lock(&acl->mutex);
        add(acl, entry, limit);
        mutex_unlock(&acl->mutex);
    } else {
        acl_log_reset(acl);
    }
}

void acl_log_reset(struct acl *acl)
{
    mutex_lock(&acl->mutex);
    trim(acl, 0);
    mutex_unlock(&acl->mutex);
}

uint64_t acl_log_each(struct acl *acl, uint64_t count,
                      void (*each)(void *user, const struct acl_entry *entry), void *user)
{
    uint64_t told = 0;
    mutex_lock(&acl->mutex);
    for (const struct acl_entry *entry = acl->entries; entry != NULL && told < count;
         entry = entry->next, told++) {
        each(user, entry);
    }
    mutex_unlock(&acl->mutex);
    return told;
}

enum acl_denial acl_refuses(struct executor *executor, const struct session *session,
                            const struct command *command, const struct bytes *argv, uint32_t argc,
                            enum acl_context context)
{
    if ((session_checks(session) & SESSION_CHECK_USER) == 0) {
        return ACL_ALLOWED;
    }
    struct acl_verdict verdict = acl_check(session->user, command, argv, argc);
    if (verdict.denial != ACL_ALLOWED) {
        acl_log_add(executor, session, verdict.denial, context, acl_user_name(session->user),
                    verdict.denial == ACL_DENIED_COMMAND ? bytes_of(command->name)
                                                         : argv[verdict.at]);
    }
    return verdict.denial;
}

enum err acl_error(enum acl_denial denial)
{
    switch (denial) {
    case ACL_DENIED_COMMAND:
        return ERR_NO_PERMISSION;
    case ACL_DENIED_KEY:
        return ERR_NO_KEY_PERMISSION;
    case ACL_DENIED_CHANNEL:
        return ERR_NO_CHANNEL_PERMISSION;
    case ACL_ALLOWED:
    case ACL_DENIED_AUTH:
        break;
    }
    return OK;
}
