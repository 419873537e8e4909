/* EVAL, EVALSHA, EVAL_RO, EVALSHA_RO. */
#include "script/families.h"
#include "script/start.h"

/* The script of 'digest', compiled; made of 'body' if need be, when there is one.  NULL: there is
 * none, or the message is in 'error'. */
static const struct compiled *prepare(struct machine *machine, const char *digest,
                                      const struct bytes *body, struct buf *error)
{
    const struct compiled *compiled = machine_find(machine, digest);
    if (compiled != NULL) {
        return compiled;
    }
    struct script *script = scripts_find(machine->scripting, digest);
    bool known = script != NULL;
    if (!known && body != NULL) {
        script = scripts_create(*body, error);
    }
    if (script != NULL) {
        compiled = machine_compile(machine, script, error);
    }
    if (compiled != NULL && !known) {
        scripts_add(machine->scripting, script, false);
    }
    script_unref(script); /* The machine has one, too. */
    return compiled;
}

/* The same, with a reply when there is none. */
static const struct compiled *find_script(struct call *call, struct machine *machine,
                                          const char *digest, const struct bytes *body)
{
    struct buf error = { 0 };
    const struct compiled *compiled = prepare(machine, digest, body, &error);
    if (compiled == NULL && body == NULL && error.len == 0) {
        reply_err(call->reply, ERR_NO_SCRIPT, call->command->name);
    } else if (compiled == NULL) {
        reply_errorf(call->reply, "ERR %.*s", (int)error.len, error.at);
    }
    buf_release(&error);
    return compiled;
}

static void digest_of(struct bytes given, bool by_digest, char digest[SHA1_HEX_LEN])
{
    if (by_digest) {
        script_fold_digest(given.at, digest);
    } else {
        sha1_hex(given, digest);
    }
}

/* What the script needs.  It is compiled here, before anything is held, if this thread does not know
 * it yet; what is wrong with it, the handler will find again and tell. */
static enum key_needs look_ahead(struct executor *executor, const struct bytes *argv, uint32_t argc,
                                 bool by_digest)
{
    struct bytes given = argv[1];
    struct machine *machine = start_counts_keys(argv, argc) ? machine_open(executor) : NULL;
    if (machine == NULL || (by_digest && given.len != SHA1_HEX_LEN)) {
        return NEEDS_EVERYTHING;
    }
    struct buf error = { 0 };
    struct script_ahead *ahead = &machine->ahead;
    digest_of(given, by_digest, ahead->digest);
    ahead->text = given.at;
    ahead->compiled = prepare(machine, ahead->digest, by_digest ? NULL : &given, &error);
    buf_release(&error);
    return ahead->compiled != NULL ? ahead->compiled->needs : NEEDS_EVERYTHING;
}

static enum key_needs eval_needs(struct executor *executor, const struct bytes *argv, uint32_t argc)
{
    return look_ahead(executor, argv, argc, false);
}

static enum key_needs evalsha_needs(struct executor *executor, const struct bytes *argv,
                                    uint32_t argc)
{
    return look_ahead(executor, argv, argc, true);
}

static enum err evaluate(struct call *call, bool by_digest, bool read_only)
{
    struct bytes given = call_argument(call, 1);
    char digest[SHA1_HEX_LEN];
    struct run run = { 0 };
    start_tell(call);
    if (by_digest && given.len != SHA1_HEX_LEN) {
        return ERR_NO_SCRIPT;
    }
    enum err err = start_read_keys(call, err_text(ERR_NOT_INT), &run);
    if (err != OK) {
        return err;
    }
    struct machine *machine = machine_open(call->executor);
    if (machine == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    const struct compiled *compiled = NULL;
    const struct script_ahead *ahead = &machine->ahead;
    /* In a transaction nobody has looked ahead. */
    if (ahead->text == given.at && (call->session->flags & SESSION_EXECUTING) == 0) {
        memcpy(digest, ahead->digest, sizeof digest);
        compiled = ahead->compiled;
    } else {
        digest_of(given, by_digest, digest);
    }
    machine->ahead.text = NULL;
    if (compiled == NULL || atomic_load_explicit(&compiled->script->gone, memory_order_acquire)) {
        compiled = find_script(call, machine, digest, by_digest ? NULL : &given);
    }
    if (compiled == NULL) {
        return ERR_REPLIED;
    }
    struct script *script = compiled->script;
    if (!atomic_load_explicit(&script->loaded, memory_order_relaxed)) {
        atomic_store_explicit(
            &script->used,
            atomic_fetch_add_explicit(&machine->scripting->clock, 1, memory_order_relaxed),
            memory_order_relaxed);
    }
    run.name = script->digest;
    return start_run(call, machine, script->flags, read_only, compiled->place, &run);
}

static enum err eval(struct call *call)
{
    return evaluate(call, false, false);
}

static enum err evalsha(struct call *call)
{
    return evaluate(call, true, false);
}

static enum err eval_ro(struct call *call)
{
    return evaluate(call, false, true);
}

static enum err evalsha_ro(struct call *call)
{
    return evaluate(call, true, true);
}

enum { SCRIPT_FLAGS = CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_NO_MANDATORY_KEYS };

#define ANY_KEYS(use, text)                                                                        \
    { .begin = KEYS_BEGIN_INDEX,                                                                   \
      .find = KEYS_FIND_COUNTED,                                                                   \
      .flags = (use),                                                                              \
      .index = 2,                                                                                  \
      .first_key = 1,                                                                              \
      .step = 1,                                                                                   \
      .notes = (text) }

#define WORST_WRITE "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
#define WORST_READ  "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"

static const struct command rows[] = {
    {
        .name = "eval",
        .handler = eval,
        .needs = eval_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = SCRIPT_FLAGS | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RW | KEY_ACCESS | KEY_UPDATE, WORST_WRITE) },
        .since = "2.6.0",
        .complexity = "Depends on the script that is executed.",
        .summary = "Runs a Lua script.",
        .syntax = "script:string numkeys:integer [key:key ...] [arg:string ...]",
    },
    {
        .name = "evalsha",
        .handler = evalsha,
        .needs = evalsha_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = SCRIPT_FLAGS | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RW | KEY_ACCESS | KEY_UPDATE, NULL) },
        .since = "2.6.0",
        .complexity = "Depends on the script that is executed.",
        .summary = "Runs a Lua script that the server has seen before.",
        .syntax = "sha1:string numkeys:integer [key:key ...] [arg:string ...]",
    },
    {
        .name = "eval_ro",
        .handler = eval_ro,
        .needs = eval_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = SCRIPT_FLAGS | CMD_READONLY | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RO | KEY_ACCESS, WORST_READ) },
        .since = "7.0.0",
        .complexity = "Depends on the script that is executed.",
        .summary = "Runs a Lua script that may not write.",
        .syntax = "script:string numkeys:integer [key:key ...] [arg:string ...]",
    },
    {
        .name = "evalsha_ro",
        .handler = evalsha_ro,
        .needs = evalsha_needs,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = SCRIPT_FLAGS | CMD_READONLY | CMD_KEYS_ALL,
        .keys = { ANY_KEYS(KEY_RO | KEY_ACCESS, NULL) },
        .since = "7.0.0",
        .complexity = "Depends on the script that is executed.",
        .summary = "Runs a Lua script that the server has seen before, and that may not write.",
        .syntax = "sha1:string numkeys:integer [key:key ...] [arg:string ...]",
    },
};

const struct command_family cmd_eval_family = { rows, sizeof rows / sizeof rows[0] };
