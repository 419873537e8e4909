/* gsub and gmatch of Lua 5.1: an empty match right behind a match counts, and in a replacement
 * '%' may stand before any character; see compat.h.
 *
 * The two differ from 5.3's only for patterns that can match nothing at all.  For those the loops
 * are here and find() looks; all others go to 5.3's own functions. */
#include <ctype.h>

#include "script/compat.h"

/* ---- Patterns ----------------------------------------------------------------------------- */

/* The end of a set "[...]" that begins at 'at'. */
static size_t skip_set(struct bytes pattern, size_t at)
{
    at++;
    if (at < pattern.len && pattern.at[at] == '^') {
        at++;
    }
    do {
        if (at < pattern.len && pattern.at[at] == '%') {
            at++;
        }
        at++;
    } while (at < pattern.len && pattern.at[at] != ']');
    return at + 1;
}

/* False when every match takes a character at least.  Broken patterns may go either way: the
 * same functions find out. */
static bool can_match_nothing(struct bytes pattern)
{
    size_t at = pattern.len > 0 && pattern.at[0] == '^' ? 1 : 0;
    while (at < pattern.len) {
        char c = pattern.at[at];
        char next = at + 1 < pattern.len ? pattern.at[at + 1] : '\0';
        if (c == '(' || c == ')' || (c == '$' && at + 1 == pattern.len)) {
            at++;
            continue;
        }
        if (c == '%' && next == 'b') {
            return false;
        }
        if (c == '%' && next == 'f') {
            at = at + 2 < pattern.len ? skip_set(pattern, at + 2) : pattern.len;
            continue;
        }
        if (c == '%' && isdigit((unsigned char)next)) {
            at += 2;
            continue;
        }
        at = c == '[' ? skip_set(pattern, at) : at + (c == '%' ? 2 : 1);
        if (at >= pattern.len || strchr("*-?", pattern.at[at]) == NULL) {
            return false;
        }
        at++;
    }
    return true;
}

/* ---- Replacements ------------------------------------------------------------------------- */

/* "%x" is "x", unless x is a digit or '%': for 5.3, which raises an error at it. */
static void tame_replacement(lua_State *lua, int index)
{
    size_t len;
    const char *text = lua_tolstring(lua, index, &len);
    bool wild = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            i++;
            wild = wild || i == len || (text[i] != '%' && !isdigit((unsigned char)text[i]));
        }
    }
    if (!wild) {
        return;
    }
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            i++;
            if (i < len && (text[i] == '%' || isdigit((unsigned char)text[i]))) {
                luaL_addchar(&buffer, '%');
            }
        }
        luaL_addchar(&buffer, i < len ? text[i] : '\0');
    }
    luaL_pushresult(&buffer);
    lua_replace(lua, index);
}

/* ---- One match by find() ------------------------------------------------------------------- */

/* Looks for the pattern (argument 2) in the text (argument 1) from 'from', counted from 0, with
 * find(), an upvalue.  Leaves its results from stack place 'base' on; false: there is none. */
static bool find(lua_State *lua, size_t from, size_t *begin, size_t *end)
{
    int base = lua_gettop(lua);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushvalue(lua, 1);
    lua_pushvalue(lua, 2);
    lua_pushinteger(lua, (lua_Integer)from + 1);
    lua_call(lua, 3, LUA_MULTRET);
    if (lua_isnil(lua, base + 1)) {
        lua_settop(lua, base);
        return false;
    }
    *begin = (size_t)lua_tointeger(lua, base + 1) - 1;
    *end = (size_t)lua_tointeger(lua, base + 2);
    return true;
}

/* Pushes capture 'i' (from 1; 0: the whole match) of the results at 'base'; the first is the
 * match when the pattern has none. */
static void push_capture(lua_State *lua, int base, int captures, int i, struct bytes match)
{
    if (i == 0 || (i == 1 && captures == 0)) {
        vm_push_bytes(lua, match);
    } else if (i > captures) {
        luaL_error(lua, "invalid capture index");
    } else {
        lua_pushvalue(lua, base + 2 + i);
    }
}

/* ---- gsub ---------------------------------------------------------------------------------- */

static void add_replacement(lua_State *lua, luaL_Buffer *buffer, int base, int captures,
                            struct bytes match)
{
    struct bytes text = vm_bytes(lua, 3);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '%') {
            luaL_addchar(buffer, text.at[i]);
        } else if (++i < text.len && isdigit((unsigned char)text.at[i])) {
            push_capture(lua, base, captures, text.at[i] - '0', match);
            luaL_addvalue(buffer);
        } else {
            luaL_addchar(buffer, i < text.len ? text.at[i] : '\0');
        }
    }
}

/* What a match becomes, with its captures at 'base' + 3 .... */
static void add_value(lua_State *lua, luaL_Buffer *buffer, int base, int captures,
                      struct bytes match)
{
    int kind = lua_type(lua, 3);
    if (kind == LUA_TSTRING || kind == LUA_TNUMBER) {
        add_replacement(lua, buffer, base, captures, match);
        return;
    }
    if (kind == LUA_TTABLE) {
        push_capture(lua, base, captures, 1, match);
        lua_gettable(lua, 3);
    } else {
        int count = captures > 0 ? captures : 1;
        lua_pushvalue(lua, 3);
        for (int i = 1; i <= count; i++) {
            push_capture(lua, base, captures, i, match);
        }
        lua_call(lua, count, 1);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        vm_push_bytes(lua, match);
    } else if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    }
    luaL_addvalue(buffer);
}

/* The loop of 5.1.  The pieces stand on the stack of their own: a buffer may not share it with
 * what find() leaves there, so each piece is joined to the text so far (place 5). */
static int gsub_here(lua_State *lua, lua_Integer limit)
{
    struct bytes text = vm_bytes(lua, 1);
    struct bytes pattern = vm_bytes(lua, 2);
    bool anchored = pattern.len > 0 && pattern.at[0] == '^';
    lua_Integer count = 0;
    size_t at = 0;
    lua_newtable(lua); /* place 5: the pieces */
    lua_Integer pieces = 0;
    while (count < limit) {
        size_t begin, end;
        int base = lua_gettop(lua);
        if (!find(lua, at, &begin, &end)) {
            break;
        }
        count++;
        int captures = lua_gettop(lua) - base - 2;
        luaL_Buffer buffer;
        luaL_buffinit(lua, &buffer);
        luaL_addlstring(&buffer, text.at + at, begin - at);
        add_value(lua, &buffer, base, captures, (struct bytes){ text.at + begin, end - begin });
        at = end;
        if (end == begin && end < text.len) {
            luaL_addchar(&buffer, text.at[at++]);
        }
        luaL_pushresult(&buffer);
        lua_rawseti(lua, 5, ++pieces);
        lua_settop(lua, base);
        if (anchored || (end == begin && end == text.len)) {
            break;
        }
    }
    luaL_Buffer whole;
    luaL_buffinit(lua, &whole);
    for (lua_Integer i = 1; i <= pieces; i++) {
        lua_rawgeti(lua, 5, i);
        luaL_addvalue(&whole);
    }
    luaL_addlstring(&whole, text.at + at, text.len - at);
    luaL_pushresult(&whole);
    lua_pushinteger(lua, count);
    return 2;
}

int compat_gsub(lua_State *lua)
{
    struct bytes text, pattern;
    text.at = luaL_checklstring(lua, 1, &text.len);
    pattern.at = luaL_checklstring(lua, 2, &pattern.len);
    int kind = lua_type(lua, 3);
    luaL_argcheck(lua,
                  kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION ||
                      kind == LUA_TTABLE,
                  3, "string/function/table expected");
    lua_settop(lua, 4);
    compat_cut_argument(lua, 4);
    lua_Integer limit = luaL_optinteger(lua, 4, (lua_Integer)text.len + 1);
    if (can_match_nothing(pattern)) {
        return gsub_here(lua, limit);
    }
    if (kind == LUA_TSTRING) {
        tame_replacement(lua, 3);
    }
    if (lua_isnil(lua, 4)) {
        lua_settop(lua, 3);
    }
    return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
}

/* ---- gmatch -------------------------------------------------------------------------------- */

/* Upvalues: find, text, pattern, the place to go on from. */
static int gmatch_next(lua_State *lua)
{
    size_t begin, end, from = (size_t)lua_tointeger(lua, lua_upvalueindex(4));
    size_t len;
    lua_settop(lua, 0);
    lua_pushvalue(lua, lua_upvalueindex(2));
    lua_pushvalue(lua, lua_upvalueindex(3));
    const char *text = lua_tolstring(lua, 1, &len);
    if (from > len || !find(lua, from, &begin, &end)) {
        return 0;
    }
    int captures = lua_gettop(lua) - 4;
    lua_pushinteger(lua, (lua_Integer)(end == begin ? end + 1 : end));
    lua_replace(lua, lua_upvalueindex(4));
    if (captures == 0) {
        lua_pushlstring(lua, text + begin, end - begin);
        return 1;
    }
    return captures;
}

int compat_gmatch(lua_State *lua)
{
    struct bytes pattern;
    (void)luaL_checkstring(lua, 1);
    pattern.at = luaL_checklstring(lua, 2, &pattern.len);
    lua_settop(lua, 2);
    /* A '^' is no anchor for gmatch, but for find() it would be one. */
    if (!can_match_nothing(pattern) || (pattern.len > 0 && pattern.at[0] == '^')) {
        return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, gmatch_next, 4);
    return 1;
}
