/* Lua values as replies, and as arguments of commands; see convert.h. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "lua/stack.h"
#include "script/convert.h"
#include "script/lib_arg.h"
#include "script/machine.h"

/* Where a conversion stands within a table: those around it are on Lua's stack and in a list of
 * these, so that no depth of tables needs a deep C stack. */
enum nest_kind { NEST_ARRAY, NEST_MAP_KEY, NEST_MAP_VALUE, NEST_SET };

struct writer {
    lua_State *lua;
    struct machine *machine; /* has the list: Lua may leave by an error at any time */
    struct reply *reply;
    struct reply_mark begin;
    uint8_t protocol;
    uint64_t limit;
    uint32_t depth;
    int base; /* the stack's height below the value */
};

/* ---- Texts ---------------------------------------------------------------------------------- */

/* Up to the first NUL, as C prints it; line ends at both ends are cut when 'trim', those that are
 * left become spaces. */
static void push_line(lua_State *lua, int index, bool trim)
{
    const char *text = lua_tostring(lua, index);
    size_t len = strlen(text);
    while (trim && len > 0 && (text[0] == '\r' || text[0] == '\n')) {
        text++;
        len--;
    }
    while (trim && len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n')) {
        len--;
    }
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (size_t i = 0; i < len; i++) {
        luaL_addchar(&buffer, text[i] == '\r' || text[i] == '\n' ? ' ' : text[i]);
    }
    luaL_pushresult(&buffer);
}

/* Pushes a field of the table at 'index', past its metatable; true when it is of the kind. */
static bool get_field(lua_State *lua, int index, const char *name, int kind)
{
    lua_pushstring(lua, name);
    if (lua_rawget(lua, index) == kind) {
        return true;
    }
    lua_pop(lua, 1);
    return false;
}

/* ---- Scalars -------------------------------------------------------------------------------- */

static void write_error(struct writer *writer, int index)
{
    lua_State *lua = writer->lua;
    push_line(lua, -1, true);
    reply_error(writer->reply, vm_bytes(lua, -1));
    if (get_field(lua, index, "ignore_error_stats_update", LUA_TBOOLEAN) &&
        lua_toboolean(lua, -1)) {
        writer->machine->executor->noted_errors = writer->reply->errors;
    }
}

static bool write_verbatim(struct writer *writer)
{
    lua_State *lua = writer->lua;
    int index = lua_gettop(lua);
    char format[4] = { 0 };
    if (!get_field(lua, index, "format", LUA_TSTRING)) {
        return false;
    }
    strncpy(format, lua_tostring(lua, -1), sizeof format - 1);
    if (!get_field(lua, index, "string", LUA_TSTRING)) {
        return false;
    }
    reply_verbatim(writer->reply, format, vm_bytes(lua, -1));
    return true;
}

/* Tables that stand for one value of a protocol; true when the one at 'index' was. */
static bool write_special(struct writer *writer, int index)
{
    lua_State *lua = writer->lua;
    struct reply *reply = writer->reply;
    bool done = true;
    if (get_field(lua, index, "err", LUA_TSTRING)) {
        write_error(writer, index);
    } else if (get_field(lua, index, "ok", LUA_TSTRING)) {
        push_line(lua, -1, false);
        reply_simple(reply, vm_bytes(lua, -1));
    } else if (get_field(lua, index, "double", LUA_TNUMBER)) {
        reply_double(reply, lua_tonumber(lua, -1));
    } else if (get_field(lua, index, "big_number", LUA_TSTRING)) {
        push_line(lua, -1, false);
        reply_big_number(reply, vm_bytes(lua, -1));
    } else {
        done = get_field(lua, index, "verbatim_string", LUA_TTABLE) && write_verbatim(writer);
    }
    lua_settop(lua, done ? index - 1 : index);
    return done;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static bool begin_nest(struct writer *writer, enum nest_kind kind, int below)
{
    struct machine *machine = writer->machine;
    if (writer->depth == machine->nest_room) {
        uint32_t room = machine->nest_room > 0 ? machine->nest_room * 2 : 16;
        struct nest *nests = mem_try_realloc(machine->nests, room * sizeof *nests);
        if (nests == NULL) {
            return false;
        }
        machine->nests = nests;
        machine->nest_room = room;
    }
    machine->nests[writer->depth++] = (struct nest){ (int)kind, below, 1 };
    return true;
}

static size_t count_pairs(lua_State *lua)
{
    size_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        lua_pop(lua, 1);
        count++;
    }
    return count;
}

static size_t count_elements(lua_State *lua)
{
    lua_Integer i = 1;
    while (lua_rawgeti(lua, -1, i) != LUA_TNIL) {
        lua_pop(lua, 1);
        i++;
    }
    lua_pop(lua, 1);
    return (size_t)(i - 1);
}

static bool begin_array(struct writer *writer, int index)
{
    reply_array(writer->reply, count_elements(writer->lua));
    return begin_nest(writer, NEST_ARRAY, index - 1);
}

/* The table on the top: written, or begun, and then its members follow. */
static bool write_table(struct writer *writer)
{
    lua_State *lua = writer->lua;
    int index = lua_gettop(lua);
    luaL_checkstack(lua, 8, "reply");
    if (lua_is_array(lua, index)) {
        return begin_array(writer, index);
    }
    if (write_special(writer, index)) {
        return true;
    }
    if (get_field(lua, index, "map", LUA_TTABLE)) {
        reply_map(writer->reply, count_pairs(lua));
        lua_pushnil(lua);
        return begin_nest(writer, NEST_MAP_KEY, index - 1);
    }
    if (get_field(lua, index, "set", LUA_TTABLE)) {
        reply_set(writer->reply, count_pairs(lua));
        lua_pushnil(lua);
        return begin_nest(writer, NEST_SET, index - 1);
    }
    return begin_array(writer, index);
}

/* Writes, or begins, the value on the top and pops it, or leaves it as the table around what
 * follows.  False when memory is short, or too much is written. */
static bool write_value(struct writer *writer)
{
    lua_State *lua = writer->lua;
    struct reply *reply = writer->reply;
    /* Here Redis ends, whose stack is full then. */
    if (lua_gettop(lua) - writer->base + 5 > LIB_STACK_MAX) {
        reply_error(reply, LIT("ERR reached lua stack limit"));
        lua_pop(lua, 1);
        return true;
    }
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        reply_bytes(reply, vm_bytes(lua, -1));
        break;
    case LUA_TNUMBER:
        reply_integer(reply, lib_integer_of(lua_tonumber(lua, -1)));
        break;
    case LUA_TBOOLEAN:
        if (writer->protocol >= 3) {
            reply_bool(reply, lua_toboolean(lua, -1));
        } else if (lua_toboolean(lua, -1)) {
            reply_integer(reply, 1);
        } else {
            reply_null(reply);
        }
        break;
    case LUA_TTABLE:
        return write_table(writer) && !reply->failed;
    default:
        reply_null(reply);
    }
    lua_pop(lua, 1);
    return !reply->failed && reply->out.len - writer->begin.len <= writer->limit;
}

/* Pushes the next member of the innermost table; false when it has ended, and is popped. */
static bool next_member(struct writer *writer)
{
    lua_State *lua = writer->lua;
    struct nest *nest = &writer->machine->nests[writer->depth - 1];
    switch ((enum nest_kind)nest->kind) {
    case NEST_ARRAY:
        if (lua_rawgeti(lua, -1, nest->next++) != LUA_TNIL) {
            return true;
        }
        break;
    case NEST_MAP_KEY:
        if (lua_next(lua, -2) != 0) {
            lua_pushvalue(lua, -2); /* key, value, and the key to be written */
            nest->kind = NEST_MAP_VALUE;
            return true;
        }
        break;
    case NEST_MAP_VALUE:
        nest->kind = NEST_MAP_KEY;
        return true; /* It is on the top already. */
    case NEST_SET:
        if (lua_next(lua, -2) != 0) {
            lua_pop(lua, 1);
            lua_pushvalue(lua, -1);
            return true;
        }
        break;
    }
    lua_settop(lua, nest->below);
    writer->depth--;
    return false;
}

static bool write_all(struct writer *writer)
{
    if (!write_value(writer)) {
        return false;
    }
    while (writer->depth > 0) {
        if (next_member(writer) && !write_value(writer)) {
            return false;
        }
    }
    return true;
}

enum err convert_to_reply(struct machine *machine, uint8_t protocol, struct reply *reply)
{
    struct writer writer = {
        .lua = machine->lua,
        .machine = machine,
        .reply = reply,
        .begin = reply_mark(reply),
        .protocol = protocol,
        .limit = machine->reply_limit,
        .base = lua_gettop(machine->lua) - 1,
    };
    if (!write_all(&writer)) {
        lua_settop(machine->lua, writer.base);
        reply_rewind(reply, writer.begin);
        reply->failed = false;
        return ERR_SCRIPT_REPLY;
    }
    return OK;
}

/* ---- Arguments ------------------------------------------------------------------------------ */

void convert_push_argument(lua_State *lua, lua_Number number)
{
    char text[64];
    int len;
    if (convert_is_exact(number)) {
        len = (int)num_format_i64(text, (int64_t)number);
    } else {
        len = snprintf(text, sizeof text, "%.17g", number);
    }
    lua_pushlstring(lua, text, (size_t)len);
}
