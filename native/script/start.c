/* The beginning of a script; see start.h. */
#include "script/start.h"

#include "base/num.h"
#include "exec/memory_limit.h"
#include "exec/perform.h"

enum { NUMKEYS_AT = 2, FIRST_KEY_AT = 3 };

static enum err refuse(struct call *call, const char *text)
{
    reply_error(call->reply, bytes_of(text));
    return ERR_REPLIED;
}

void start_tell(const struct call *call)
{
    if (monitors_any(&call->engine->monitors)) {
        struct task task = { call->executor,  call->session,   call->command,
                             call->args.argv, call->args.argc, call->reply };
        monitor_tell_now(&task);
    }
}

bool start_counts_keys(const struct bytes *argv, uint32_t argc)
{
    int64_t count;
    return num_parse_i64(argv[NUMKEYS_AT], &count) && count >= 0 &&
           count <= (int64_t)argc - FIRST_KEY_AT;
}

enum err start_read_keys(struct call *call, const char *bad_count, struct run *run)
{
    const struct args *args = &call->args;
    int64_t count;
    if (!num_parse_i64(args->argv[NUMKEYS_AT], &count)) {
        return refuse(call, bad_count);
    }
    if (count > (int64_t)args->argc - FIRST_KEY_AT) {
        return refuse(call, "ERR Number of keys can't be greater than number of args");
    }
    if (count < 0) {
        return refuse(call, "ERR Number of keys can't be negative");
    }
    run->keys = args->argv + FIRST_KEY_AT;
    run->key_count = (uint32_t)count;
    run->args = run->keys + count;
    run->arg_count = args->argc - FIRST_KEY_AT - run->key_count;
    return OK;
}

/* What a script with flags says of itself, against what is so. */
static enum err check_flags(struct call *call, uint32_t flags, bool read_only, bool memory_short)
{
    if ((flags & SCRIPT_PLAIN) != 0) {
        return OK;
    }
    if ((flags & SCRIPT_NO_WRITES) == 0 && read_only) {
        return refuse(call, "ERR Can not execute a script with write flag using *_ro command.");
    }
    if (memory_short && (flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) == 0) {
        return refuse(call, "OOM allow-oom flag is not set on the script, can not run it when used "
                            "memory > 'maxmemory'");
    }
    return OK;
}

enum err start_run(struct call *call, struct machine *machine, uint32_t flags, bool read_only,
                   int place, struct run *run)
{
    struct inner *inner = &machine->inner;
    bool memory_short = memory_limit_passed(call->engine);
    enum err err = check_flags(call, flags, read_only, memory_short);
    if (err != OK) {
        return err;
    }
    run->call = call;
    run->reply = call->reply;
    inner_begin(inner, call->session);
    inner->read_only = read_only || (flags & SCRIPT_NO_WRITES) != 0;
    inner->allow_oom = (flags & SCRIPT_ALLOW_OOM) != 0;
    inner->memory_short = memory_short;
    machine_run(machine, place, run);
    inner_end(inner);
    return run->err;
}
