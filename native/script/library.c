/* One library: its first line, its text in a machine, and what it registers; see functions.h. */
#include "script/functions.h"

#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/api.h"
#include "script/declared.h"
#include "script/fault.h"
#include "script/load.h"
#include "script/run.h"
#include "script/sandbox.h"
#include "script/source.h"

/* Its address is the key of the machine's functions, by name. */
static const char functions_key;

#define NAME_RULE                                                                                  \
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one " \
    "character long"

/* ---- Life ----------------------------------------------------------------------------------- */

void library_unref(struct library *library)
{
    if (library == NULL ||
        atomic_fetch_sub_explicit(&library->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < library->count; i++) {
        mem_free(library->functions[i].name);
        mem_free(library->functions[i].description);
    }
    mem_free(library->functions);
    mem_free(library->name);
    buf_release(&library->code);
    buf_release(&library->text);
    mem_free(library);
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_')) {
            return false;
        }
    }
    return name.len > 0;
}

/* ---- The first line -------------------------------------------------------------------------- */

static struct bytes take_word(struct bytes *line)
{
    while (line->len > 0 && line->at[0] == ' ') {
        line->at++;
        line->len--;
    }
    const char *space = line->len > 0 ? memchr(line->at, ' ', line->len) : NULL;
    struct bytes word = { line->at, space != NULL ? (size_t)(space - line->at) : line->len };
    line->at += word.len;
    line->len -= word.len;
    return word;
}

static bool fail(struct buf *error, const char *format, struct bytes text)
{
    enum { TOLD = 128 };
    buf_printf(error, format, (int)(text.len < TOLD ? text.len : TOLD), text.at);
    return false;
}

/* Points 'name' and 'rest', what follows the line, into 'code'. */
static bool read_first_line(struct bytes code, struct bytes *name, struct bytes *rest,
                            struct buf *error)
{
    if (code.len < 2 || memcmp(code.at, "#!", 2) != 0) {
        return fail(error, "%.*sMissing library metadata", LIT(""));
    }
    const char *end = memchr(code.at, '\n', code.len);
    if (end == NULL) {
        return fail(error, "%.*sInvalid library metadata", LIT(""));
    }
    struct bytes line = { code.at + 2, (size_t)(end - code.at) - 2 };
    struct bytes engine = take_word(&line);
    *name = LIT("");
    for (struct bytes word = take_word(&line); word.len > 0; word = take_word(&line)) {
        if (word.len < 5 || strncasecmp(word.at, "name=", 5) != 0) {
            return fail(error, "Invalid metadata value given: %.*s", word);
        }
        if (name->at != NULL && name->len > 0) {
            return fail(error, "%.*sInvalid metadata value, name argument was given multiple times",
                        LIT(""));
        }
        *name = (struct bytes){ word.at + 5, word.len - 5 };
    }
    *rest = (struct bytes){ end, code.len - (size_t)(end - code.at) };
    if (name->len == 0) {
        return fail(error, "%.*sLibrary name was not given", LIT(""));
    }
    if (!is_name(*name)) {
        return fail(error, "%.*s" NAME_RULE, LIT(""));
    }
    return bytes_equal_nocase(engine, LIT("lua")) || fail(error, "Engine '%.*s' not found", engine);
}

/* ---- register_function ----------------------------------------------------------------------- */

/* A copy of the string at 'index', or NULL. */
static char *copy_string(lua_State *lua, int index)
{
    struct bytes text = vm_bytes(lua, index);
    return mem_strndup(text.at, text.len);
}

static bool read_flags(lua_State *lua, int table, uint32_t *flags)
{
    for (lua_Integer i = 1; lua_geti(lua, table, i) != LUA_TNIL; i++) {
        uint32_t flag = lua_isstring(lua, -1) ? script_flag_of(vm_bytes(lua, -1)) : 0;
        if (flag == 0) {
            return false;
        }
        *flags |= flag;
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return true;
}

/* Reads { function_name = ..., ... } into stack places 2 (name), 3 (callback) and 4 (description)
 * and 'flags'; NULL, or what is wrong. */
static const char *read_named(lua_State *lua, uint32_t *flags)
{
    if (!lua_istable(lua, 1)) {
        return "calling redis.register_function with a single argument is only applicable to Lua "
               "table (representing named arguments).";
    }
    lua_settop(lua, 4);
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        if (lua_type(lua, -2) != LUA_TSTRING) {
            return lua_type(lua, -2) == LUA_TNUMBER
                       ? "unknown argument given to redis.register_function"
                       : "named argument key given to redis.register_function is not a string";
        }
        const char *key = lua_tostring(lua, -2);
        if (strcasecmp(key, "function_name") == 0) {
            if (!lua_isstring(lua, -1)) {
                return "function_name argument given to redis.register_function must be a string";
            }
            lua_pushvalue(lua, -1);
            lua_replace(lua, 2);
        } else if (strcasecmp(key, "description") == 0) {
            if (!lua_isstring(lua, -1)) {
                return "description argument given to redis.register_function must be a string";
            }
            lua_pushvalue(lua, -1);
            lua_replace(lua, 4);
        } else if (strcasecmp(key, "callback") == 0) {
            if (!lua_isfunction(lua, -1)) {
                return "callback argument given to redis.register_function must be a function";
            }
            lua_pushvalue(lua, -1);
            lua_replace(lua, 3);
        } else if (strcasecmp(key, "flags") == 0) {
            if (!lua_istable(lua, -1)) {
                return "flags argument to redis.register_function must be a table representing "
                       "function flags";
            }
            if (!read_flags(lua, lua_gettop(lua), flags)) {
                return "unknown flag given";
            }
        } else {
            return "unknown argument given to redis.register_function";
        }
        lua_pop(lua, 1);
    }
    return lua_isnil(lua, 2)   ? "redis.register_function must get a function name argument"
           : lua_isnil(lua, 3) ? "redis.register_function must get a callback argument"
                               : NULL;
}

static const char *read_positional(lua_State *lua)
{
    if (!lua_isstring(lua, 1)) {
        return "first argument to redis.register_function must be a string";
    }
    if (!lua_isfunction(lua, 2)) {
        return "second argument to redis.register_function must be a function";
    }
    lua_pushnil(lua);
    lua_insert(lua, 1);
    lua_settop(lua, 4); /* nothing, name, callback, no description */
    return NULL;
}

/* Adds what stands at places 2 to 4 to the library that is being made. */
static const char *add_function(lua_State *lua, struct library *library, uint32_t flags)
{
    struct bytes name = vm_bytes(lua, 2);
    if (!is_name(name)) {
        return NAME_RULE;
    }
    for (uint32_t i = 0; i < library->count; i++) {
        if (bytes_equal(bytes_of(library->functions[i].name), name)) {
            return "Function already exists in the library";
        }
    }
    if (library->count == library->room) {
        uint32_t room = library->room > 0 ? library->room * 2 : 4;
        struct function *functions = mem_try_realloc(library->functions, room * sizeof *functions);
        if (functions == NULL) {
            return "out of memory";
        }
        library->functions = functions;
        library->room = room;
    }
    library->functions[library->count++] = (struct function){
        .name = copy_string(lua, 2),
        .description = lua_isnil(lua, 4) ? NULL : copy_string(lua, 4),
        .flags = flags,
    };
    return NULL;
}

int library_register(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    const char *wrong;
    uint32_t flags = 0;
    int count = lua_gettop(lua);
    if (machine->loading == NULL && !machine->knowing) {
        return fault_raise(lua,
                           "redis.register_function can only be called on FUNCTION LOAD command");
    }
    if (count < 1 || count > 2) {
        return fault_raise(lua, "wrong number of arguments to redis.register_function");
    }
    wrong = count == 1 ? read_named(lua, &flags) : read_positional(lua);
    if (wrong == NULL && machine->loading != NULL) {
        wrong = add_function(lua, machine->loading, flags);
    }
    if (wrong != NULL) {
        return fault_raise(lua, wrong);
    }
    if (machine->knowing) {
        lua_rawgetp(lua, LUA_REGISTRYINDEX, &functions_key);
        lua_pushvalue(lua, 2);
        lua_pushvalue(lua, 3);
        lua_rawset(lua, -3);
    }
    return 0;
}

/* ---- In a machine ---------------------------------------------------------------------------- */

void functions_open(lua_State *lua, int globals)
{
    static const char *const not_theirs[] = { "breakpoint", "debug", "replicate_commands" };
    static const char *const of_loading[] = {
        "log",         "LOG_DEBUG",     "LOG_VERBOSE",      "LOG_NOTICE",
        "LOG_WARNING", "REDIS_VERSION", "REDIS_VERSION_NUM"
    };
    sandbox_push_globals(lua);
    int own = lua_gettop(lua);
    lua_pushnil(lua);
    while (lua_next(lua, globals) != 0) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, own);
    }
    lua_pushnil(lua);
    lua_setfield(lua, own, "__redis__err__handler");
    api_open(lua);
    sandbox_push_globals(lua); /* of loading */
    sandbox_push_globals(lua); /* its "redis" */
    for (size_t i = 0; i < sizeof of_loading / sizeof of_loading[0]; i++) {
        lua_getfield(lua, own + 1, of_loading[i]);
        lua_setfield(lua, -2, of_loading[i]);
    }
    lua_pushcfunction(lua, library_register);
    lua_setfield(lua, -2, "register_function");
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "redis");
    lua_setfield(lua, -2, "server");
    lua_insert(lua, own + 1); /* own, loading, api */
    for (size_t i = 0; i < sizeof not_theirs / sizeof not_theirs[0]; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, not_theirs[i]);
    }
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, own, "redis");
    lua_setfield(lua, own, "server");
    lua_pushvalue(lua, own);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, own, "_G");
    lua_insert(lua, own); /* read-only, own, loading */
}

/* Readers of the read-only globals find 'from' (a stack place of the machine) in them. */
static void lead_readers(lua_State *lua, int globals, int from)
{
    (void)lua_getmetatable(lua, globals);
    lua_pushvalue(lua, from);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

/* Given a library, the read-only globals and those of loading: runs its text. */
static int run_library(lua_State *lua)
{
    const struct library *library = lua_touserdata(lua, 1);
    if (!load_rewritten(lua, buf_bytes(&library->text), "@user_function")) {
        lua_pushliteral(lua, "Error compiling function: ");
        lua_insert(lua, -2);
        lua_concat(lua, 2);
        return 1;
    }
    lua_pushvalue(lua, 2);
    (void)lua_setupvalue(lua, -2, 1);
    lead_readers(lua, 2, 4);
    lua_call(lua, 0, 0);
    return 0;
}

/* Runs the text of a library with the globals of loading.  False with the message. */
static bool run_text(struct machine *machine, const struct library *library, struct buf *error)
{
    lua_State *lua = machine->lua;
    int top = lua_gettop(lua);
    lua_pushcfunction(lua, run_library);
    lua_pushlightuserdata(lua, (void *)(uintptr_t)library);
    lua_pushvalue(lua, MACHINE_FUNCTION_GLOBALS);
    lua_pushvalue(lua, MACHINE_FUNCTION_GLOBALS + 1);
    lua_pushvalue(lua, MACHINE_FUNCTION_GLOBALS + 2);
    run_begin_watch(machine, ticks_now());
    bool failed = lua_pcall(lua, 4, 1, 0) != LUA_OK;
    run_end_watch(machine);
    bool fine = !failed && lua_isnil(lua, -1);
    if (failed) {
        buf_append(error, LIT("Error registering functions: "));
        if (lua_istable(lua, -1)) {
            /* No allocation, and so no error: the field's name is there already. */
            lua_getfield(lua, -1, "err");
        } else {
            buf_append(error, LIT("ERR "));
        }
    }
    if (!fine && lua_type(lua, -1) == LUA_TSTRING) {
        if (failed) {
            fault_reword(lua);
        }
        buf_append(error, vm_bytes(lua, -1));
    }
    lua_settop(lua, top);
    lead_readers(lua, MACHINE_FUNCTION_GLOBALS, MACHINE_FUNCTION_GLOBALS + 1);
    machine_publish_memory(machine);
    return fine;
}

struct library *library_create(struct machine *machine, struct bytes code, struct buf *error)
{
    struct bytes name, rest;
    struct library *library = NULL;
    if (!read_first_line(code, &name, &rest, error)) {
        return NULL;
    }
    library = mem_zalloc(sizeof *library);
    atomic_init(&library->references, 1);
    library->name = mem_strndup(name.at, name.len);
    enum source_result result = buf_reserve(&library->code, code.len)
                                    ? source_rewrite(rest, LIT("user_function"), &library->text)
                                    : SOURCE_NO_MEMORY;
    bool fine = result == SOURCE_FINE;
    if (result == SOURCE_BROKEN) {
        buf_append(error, LIT("Error compiling function: "));
        buf_append(error, buf_bytes(&library->text));
    } else if (result == SOURCE_NO_MEMORY) {
        buf_append(error, LIT("out of memory"));
    }
    if (fine) {
        buf_append(&library->code, code);
        machine->loading = library;
        fine = run_text(machine, library, error);
        machine->loading = NULL;
    }
    if (fine && library->count == 0) {
        buf_append(error, LIT("No functions registered"));
        fine = false;
    }
    if (!fine) {
        library_unref(library);
        return NULL;
    }
    for (uint32_t i = 0; i < library->count; i++) {
        struct function *function = &library->functions[i];
        function->needs =
            declared_function_needs(machine->executor->engine->registry, buf_bytes(&library->text),
                                    bytes_of(function->name));
    }
    return library;
}

static int make_table(lua_State *lua)
{
    lua_newtable(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &functions_key);
    return 0;
}

bool functions_prepare(struct machine *machine)
{
    struct scripting *scripting = machine->scripting;
    uint64_t era = atomic_load_explicit(&scripting->functions_era, memory_order_acquire);
    if (machine->functions_era == era + 1) {
        return true;
    }
    lua_pushcfunction(machine->lua, make_table);
    if (lua_pcall(machine->lua, 0, 0, 0) != LUA_OK) {
        lua_pop(machine->lua, 1);
        return false;
    }
    /* The list does not change meanwhile: who changes it has the exclusive section. */
    machine->knowing = true;
    for (struct library *at = scripting->libraries.first; at != NULL; at = at->next) {
        struct buf error = { 0 };
        if (!run_text(machine, at, &error)) {
            log_warning(machine->executor->engine->log, "library %s: %.*s", at->name,
                        (int)error.len, error.at);
        }
        buf_release(&error);
    }
    machine->knowing = false;
    machine->functions_era = era + 1;
    return true;
}

void functions_push(lua_State *lua, const char *name)
{
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &functions_key);
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
    if (!lua_isfunction(lua, -1)) {
        luaL_error(lua, "Function not found"); /* Its library failed to load here. */
    }
}
