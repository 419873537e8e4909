/* Errors of scripts; see fault.h. */
#include "script/fault.h"

#include <string.h>

#include "script/sandbox.h"

/* ---- 5.3's words into 5.1's --------------------------------------------------------------- */

/* What 5.1 says in other words, anywhere in a message. */
static const struct {
    const char *from, *to;
} phrases[] = {
    { "near <eof>", "near '<eof>'" },
    { "<name> expected near", "'<name>' expected near" },
    { "<eof> expected near", "'<eof>' expected near" },
    { ": syntax error near '='", ": unexpected symbol near '='" },
    { ": syntax error near", ": '=' expected near" },
    { "attempt to yield from outside a coroutine",
      "attempt to yield across metamethod/C-call boundary" },
    { "attempt to yield across a C-call boundary",
      "attempt to yield across metamethod/C-call boundary" },
    { "decimal escape too large near", "escape sequence too large near" },
    { "'__index' chain too long; possible loop", "loop in gettable" },
    { "'__newindex' chain too long; possible loop", "loop in settable" },
    { "malformed pattern (missing arguments to '%b')", "unbalanced pattern" },
    { "got light userdata)", "got userdata)" },
};

static void replace(lua_State *lua, const char *from, const char *to)
{
    if (strstr(lua_tostring(lua, -1), from) != NULL) {
        luaL_gsub(lua, lua_tostring(lua, -1), from, to);
        lua_remove(lua, -2);
    }
}

/* "unfinished long string (starting at line 2) near": 5.1 does not tell where it began. */
static void drop_beginning(lua_State *lua)
{
    const char *text = lua_tostring(lua, -1);
    const char *from = strstr(text, " (starting at line ");
    const char *to = from != NULL ? strchr(from, ')') : NULL;
    if (to != NULL) {
        lua_pushlstring(lua, text, (size_t)(from - text));
        lua_pushstring(lua, to + 1);
        lua_concat(lua, 2);
        lua_remove(lua, -2);
    }
}

/* "invalid capture index %2 in replacement string": 5.1 does not tell which. */
static void drop_capture(lua_State *lua)
{
    static const char phrase[] = "invalid capture index";
    const char *text = lua_tostring(lua, -1);
    const char *from = strstr(text, "invalid capture index %");
    if (from != NULL) {
        lua_pushlstring(lua, text, (size_t)(from - text) + sizeof phrase - 1);
        lua_remove(lua, -2);
    }
}

/* "attempt to index a nil value (local 't')" is "attempt to index local 't' (a nil value)". */
static void turn_subject(lua_State *lua)
{
    static const char *const kinds[] = { "local '", "global '", "field '", "upvalue '",
                                         "method '" };
    static const char value[] = " value (";
    const char *text = lua_tostring(lua, -1);
    const char *attempt = strstr(text, "attempt to ");
    const char *name = attempt != NULL ? strstr(attempt, value) : NULL;
    const char *article = attempt;
    size_t len = strlen(text);
    if (name == NULL || text[len - 1] != ')') {
        return;
    }
    for (const char *at = attempt; (at = strstr(at, " a ")) != NULL && at < name; at++) {
        article = at;
    }
    if (article == attempt) {
        return;
    }
    const char *subject = name + sizeof value - 1;
    bool named = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        named = named || strncmp(subject, kinds[i], strlen(kinds[i])) == 0;
    }
    lua_pushlstring(lua, text, (size_t)(article + 1 - text));
    if (named) {
        lua_pushlstring(lua, subject, (size_t)(text + len - 1 - subject));
        lua_pushliteral(lua, " (");
        lua_pushlstring(lua, article + 1, (size_t)(name - article - 1));
        lua_pushliteral(lua, " value)");
        lua_concat(lua, 5);
    } else {
        lua_pushlstring(lua, article + 1, (size_t)(name - article - 1));
        lua_pushliteral(lua, " value");
        lua_concat(lua, 3);
    }
    lua_remove(lua, -2);
}

void fault_reword(lua_State *lua)
{
    if (lua_type(lua, -1) != LUA_TSTRING) {
        return;
    }
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        replace(lua, phrases[i].from, phrases[i].to);
    }
    drop_beginning(lua);
    drop_capture(lua);
    turn_subject(lua);
}

/* ---- Error tables ------------------------------------------------------------------------- */

static struct bytes trim_line_ends(struct bytes text)
{
    while (text.len > 0 && (text.at[0] == '\r' || text.at[0] == '\n')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == '\r' || text.at[text.len - 1] == '\n')) {
        text.len--;
    }
    return text;
}

void fault_push(lua_State *lua, struct bytes text)
{
    struct bytes code = LIT("ERR");
    if (text.len > 0 && text.at[0] == '-') {
        const char *space = memchr(text.at, ' ', text.len);
        text.at++;
        text.len--;
        if (space != NULL) {
            code = (struct bytes){ text.at, (size_t)(space - text.at) };
            text.at += code.len + 1;
            text.len -= code.len + 1;
        }
    }
    lua_createtable(lua, 0, 1);
    vm_push_bytes(lua, code);
    lua_pushliteral(lua, " ");
    vm_push_bytes(lua, trim_line_ends(text));
    lua_concat(lua, 3);
    lua_setfield(lua, -2, "err");
}

void fault_push_refusal(lua_State *lua, enum err err)
{
    lua_createtable(lua, 0, 2);
    lua_pushstring(lua, err_text(err));
    lua_setfield(lua, -2, "err");
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -2, "ignore_error_stats_update");
}

int fault_raise(lua_State *lua, const char *text)
{
    fault_push(lua, bytes_of(text));
    return lua_error(lua);
}

/* The first function that is not C's, from the one that raised the error on; as Redis looks for
 * it, at most one level further out. */
static bool find_place(lua_State *lua, lua_Debug *place)
{
    int level = 1;
    if (lua_getstack(lua, level, place) == 0) {
        return false;
    }
    (void)lua_getinfo(lua, "fSl", place);
    bool refused = lua_tocfunction(lua, -1) == sandbox_refuse_assignment;
    lua_pop(lua, 1);
    /* Where Redis raises it, no function is called. */
    int last = refused ? 3 : 2;
    while (strcmp(place->what, "C") == 0 && level++ < last) {
        if (lua_getstack(lua, level, place) == 0) {
            return false;
        }
        (void)lua_getinfo(lua, "Sl", place);
    }
    return true;
}

int fault_handler(lua_State *lua)
{
    lua_Debug place;
    lua_settop(lua, 1);
    if (lua_type(lua, 1) != LUA_TTABLE) {
        lua_createtable(lua, 0, 3);
        lua_pushliteral(lua, "ERR ");
        (void)luaL_tolstring(lua, 1, NULL);
        fault_reword(lua);
        lua_concat(lua, 2);
        lua_setfield(lua, 2, "err");
        lua_replace(lua, 1);
    }
    if (find_place(lua, &place)) {
        lua_pushstring(lua, place.source);
        lua_setfield(lua, 1, "source");
        lua_pushnumber(lua, place.currentline);
        lua_setfield(lua, 1, "line");
    }
    return 1;
}
