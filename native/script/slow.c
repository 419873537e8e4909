/* Scripts that run for long; see slow.h. */
#include "script/slow.h"

#include "base/log.h"
#include "script/scripts.h"

static void begin(struct machine *machine, int64_t passed_ms)
{
    struct scripting *scripting = machine->scripting;
    bool is_function = machine->run->is_function;
    log_warning(machine->executor->engine->log,
                "The script %s has been running for %lld ms; %s KILL may end it.",
                machine->run->name, (long long)passed_ms, is_function ? "FUNCTION" : "SCRIPT");
    machine->slow = true;
    mutex_lock(&scripting->mutex);
    machine->next_slow = scripting->slow;
    scripting->slow = machine;
    mutex_unlock(&scripting->mutex);
    busy_begin(machine->executor, is_function);
}

void slow_end(struct machine *machine)
{
    struct scripting *scripting = machine->scripting;
    mutex_lock(&scripting->mutex);
    struct machine **link = &scripting->slow;
    while (*link != machine) {
        link = &(*link)->next_slow;
    }
    *link = machine->next_slow;
    mutex_unlock(&scripting->mutex);
    busy_end(machine->executor, machine->run->is_function, inner_is_doomed(&machine->inner));
    machine->slow = false;
}

bool slow_serve_others(struct machine *machine, int64_t passed_ms)
{
    struct executor *executor = machine->executor;
    if (!executor->lock.exclusive) {
        return false; /* It holds its keys alone, and ends: see declared.h. */
    }
    if (!machine->slow) {
        if (passed_ms < atomic_load_explicit(&executor->engine->settings.busy_reply_threshold,
                                             memory_order_relaxed)) {
            return false;
        }
        begin(machine, passed_ms);
    }
    busy_lend(executor, machine->run->call->session);
    return true;
}

static enum err busy_error_of(const struct machine *machine)
{
    return machine->run->is_function ? ERR_BUSY_FUNCTION : ERR_BUSY_SCRIPT;
}

enum err slow_kill(struct call *call, bool functions)
{
    struct scripting *scripting = scripting_of(call->engine);
    enum err err = ERR_NOTHING_TO_KILL;
    bool killed = false;
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    mutex_lock(&scripting->mutex);
    for (struct machine *at = scripting->slow; at != NULL; at = at->next_slow) {
        uint8_t state = atomic_load_explicit(&at->inner.state, memory_order_relaxed);
        if (state == INNER_DOOMED) {
            continue;
        }
        if (state == INNER_WROTE) {
            err = ERR_UNKILLABLE;
        } else if (at->run->is_function != functions) {
            err = busy_error_of(at);
        } else if (inner_doom(&at->inner)) {
            busy_doom(&call->engine->busy);
            killed = true;
        } else {
            err = ERR_UNKILLABLE;
        }
    }
    mutex_unlock(&scripting->mutex);
    if (killed) {
        reply_ok(call->reply);
    }
    return killed ? OK : err;
}

static void describe(struct call *call, const struct machine *machine)
{
    const struct args *command = &machine->run->call->args;
    uint64_t ticks = ticks_now() - machine->began;
    reply_map(call->reply, 3);
    reply_bytes(call->reply, LIT("name"));
    reply_bytes(call->reply, bytes_of(machine->run->name));
    reply_bytes(call->reply, LIT("command"));
    reply_array(call->reply, command->argc);
    for (uint32_t i = 0; i < command->argc; i++) {
        reply_bytes(call->reply, command->argv[i]);
    }
    reply_bytes(call->reply, LIT("duration_ms"));
    reply_integer(call->reply, ticks_to_us(&call->engine->ticks, ticks) / 1000);
}

enum err slow_describe(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    const struct machine *found = NULL;
    enum err err = OK;
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    mutex_lock(&scripting->mutex);
    for (const struct machine *at = scripting->slow; at != NULL; at = at->next_slow) {
        if (inner_is_doomed(&at->inner)) {
            continue;
        }
        if (at->run->is_function) {
            found = at;
        } else {
            err = ERR_BUSY_SCRIPT;
        }
    }
    if (found != NULL) {
        describe(call, found);
        err = OK;
    } else if (err == OK) {
        reply_null(call->reply);
    }
    mutex_unlock(&scripting->mutex);
    return err;
}
