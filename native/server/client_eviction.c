/* Which clients are closed; see client_eviction.h. */
#include "server/client_eviction.h"

#include <string.h>

#include "base/log.h"
#include "exec/session.h"

enum { AT_ONCE = 32 };

struct candidate {
    struct session *session;
    size_t memory;
};

/* The largest clients, in falling order, and the memory of all. */
struct survey {
    struct candidate largest[AT_ONCE];
    unsigned count;
    uint64_t total;
};

static void consider(struct survey *survey, struct session *session, size_t memory)
{
    unsigned at = survey->count;
    while (at > 0 && survey->largest[at - 1].memory < memory) {
        at--;
    }
    if (at == AT_ONCE) {
        return;
    }
    unsigned behind = survey->count - at - (survey->count == AT_ONCE ? 1 : 0);
    memmove(&survey->largest[at + 1], &survey->largest[at], behind * sizeof survey->largest[0]);
    survey->largest[at] = (struct candidate){ session, memory };
    survey->count += survey->count < AT_ONCE ? 1 : 0;
}

/* Those who are on their way out already count no more. */
static void look_around(struct engine *engine, struct survey *survey)
{
    mutex_lock(&engine->sessions_lock);
    for (struct session *at = engine->sessions; at != NULL; at = at->next) {
        if ((at->flags & (SESSION_INTERNAL | SESSION_CLOSE_NOW)) != 0 ||
            (session_checks(at) & SESSION_KILLED) != 0) {
            continue;
        }
        size_t memory = session_memory(at);
        survey->total += memory;
        if ((at->flags & SESSION_NO_EVICT) == 0) {
            consider(survey, at, memory);
        }
    }
    mutex_unlock(&engine->sessions_lock);
}

static void evict(struct executor *executor, struct net *net, struct session *session)
{
    struct buf text = { 0 };
    session_describe(session, executor->thread.now_ms, &text);
    log_notice(net->log, "Evicting client: %.*s", (int)text.len, text.at);
    buf_release(&text);
    session->close_reason = RLN_CLOSE_CLIENT_MEMORY;
    session->carrier->kill(session);
    stat_add(&executor->stats.evicted_clients, 1);
}

bool client_eviction_run(struct executor *executor, struct net *net)
{
    struct survey survey = { .count = 0 };
    uint64_t limit = atomic_load_explicit(&net->settings.client_memory_limit, memory_order_relaxed);
    unsigned evicted = 0;
    executor_enter(executor);
    if (!executor_begin_exclusive(executor)) {
        executor_leave(executor);
        return false;
    }
    look_around(executor->engine, &survey);
    while (limit != 0 && survey.total >= limit && evicted < survey.count) {
        const struct candidate *largest = &survey.largest[evicted++];
        survey.total -= largest->memory;
        evict(executor, net, largest->session);
    }
    executor_end_exclusive(executor);
    executor_leave(executor);
    return evicted > 0;
}
