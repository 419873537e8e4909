/* From a text to a function; see load.h. */
#include "script/load.h"

#include "script/fault.h"
#include "script/source.h"

enum { SHOWN_NAME = 60 };

void load_push_name(lua_State *lua, const char *name)
{
    if (*name == '=' || *name == '@') {
        lua_pushstring(lua, name + 1);
        return;
    }
    size_t len = strcspn(name, "\r\n"), room = SHOWN_NAME - sizeof("[string \"...\"]");
    bool whole = name[len] == '\0' && len <= room;
    lua_pushliteral(lua, "[string \"");
    lua_pushlstring(lua, name, len < room ? len : room);
    lua_pushstring(lua, whole ? "\"]" : "...\"]");
    lua_concat(lua, 3);
}

bool load_rewritten(lua_State *lua, struct bytes text, const char *name)
{
    if (luaL_loadbufferx(lua, text.len > 0 ? text.at : "", text.len, name, "t") == LUA_OK) {
        return true;
    }
    fault_reword(lua);
    return false;
}

bool load_source(lua_State *lua, struct bytes source, const char *name)
{
    struct buf text = { 0 };
    load_push_name(lua, name);
    bool fine = false;
    switch (source_rewrite(source, vm_bytes(lua, -1), &text)) {
    case SOURCE_FINE:
        /* Compiling does not raise: nothing can keep the buffer from being released. */
        fine = luaL_loadbufferx(lua, text.len > 0 ? text.at : "", text.len, name, "t") == LUA_OK;
        buf_release(&text);
        break;
    case SOURCE_BROKEN:
        lua_pushlstring(lua, text.at, text.len < LUAL_BUFFERSIZE ? text.len : LUAL_BUFFERSIZE);
        buf_release(&text);
        break;
    case SOURCE_NO_MEMORY:
        buf_release(&text);
        lua_pushliteral(lua, "not enough memory");
        break;
    }
    lua_remove(lua, -2);
    if (!fine) {
        fault_reword(lua);
    }
    return fine;
}
