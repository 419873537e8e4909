/* FCALL and FCALL_RO. */
#include "base/mem.h"
#include "script/families.h"
#include "script/functions.h"
#include "script/start.h"

/* What a function needs; this thread gets to know all of them before anything is held. */
static enum key_needs fcall_needs(struct executor *executor, const struct bytes *argv,
                                  uint32_t argc)
{
    uint32_t flags;
    enum key_needs needs = NEEDS_EVERYTHING;
    struct machine *machine = start_counts_keys(argv, argc) ? machine_open(executor) : NULL;
    if (machine == NULL || !functions_prepare(machine) ||
        !functions_find(machine->scripting, argv[1], &flags, &needs)) {
        return NEEDS_EVERYTHING;
    }
    return needs;
}

static enum err call_function(struct call *call, bool read_only)
{
    struct bytes name = call_argument(call, 1);
    struct run run = { .is_function = true };
    start_tell(call);
    uint32_t flags;
    enum key_needs needs;
    struct machine *machine = machine_open(call->executor);
    if (machine == NULL || !functions_prepare(machine)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!functions_find(machine->scripting, name, &flags, &needs)) {
        reply_error(call->reply, LIT("ERR Function not found"));
        return ERR_REPLIED;
    }
    enum err err = start_read_keys(call, "ERR Bad number of keys provided", &run);
    if (err != OK) {
        return err;
    }
    char *terminated = mem_strndup(name.at, name.len); /* As short as the function's own. */
    run.name = terminated;
    err = start_run(call, machine, flags, read_only, 0, &run);
    mem_free(terminated);
    return err;
}

static enum err fcall(struct call *call)
{
    return call_function(call, false);
}

static enum err fcall_ro(struct call *call)
{
    return call_function(call, true);
}

enum { CALL_FLAGS = CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_NO_MANDATORY_KEYS };

#define ANY_KEYS(use, text)                                                                        \
    { .begin = KEYS_BEGIN_INDEX,                                                                   \
      .find = KEYS_FIND_COUNTED,                                                                   \
      .flags = (use),                                                                              \
      .index = 2,                                                                                  \
      .first_key = 1,                                                                              \
      .step = 1,                                                                                   \
      .notes = (text) }

static const struct command rows[] = {
    {
        .name = "fcall",
        .handler = fcall,
        .needs = fcall_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CALL_FLAGS | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RW | KEY_ACCESS | KEY_UPDATE,
                           "We cannot tell how the keys will be used so we assume the worst, RW "
                           "and UPDATE") },
        .since = "7.0.0",
        .complexity = "Depends on the function that is executed.",
        .summary = "Calls a function.",
        .syntax = "function:string numkeys:integer [key:key ...] [arg:string ...]",
    },
    {
        .name = "fcall_ro",
        .handler = fcall_ro,
        .needs = fcall_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CALL_FLAGS | CMD_READONLY | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RO | KEY_ACCESS,
                           "We cannot tell how the keys will be used so we assume the worst, RO "
                           "and ACCESS") },
        .since = "7.0.0",
        .complexity = "Depends on the function that is executed.",
        .summary = "Calls a function that does not write.",
        .syntax = "function:string numkeys:integer [key:key ...] [arg:string ...]",
    },
};

const struct command_family cmd_fcall_family = { rows, sizeof rows / sizeof rows[0] };
