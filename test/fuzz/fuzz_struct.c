/* struct.  Two properties: values that fit a format which the input's dice made come back from
 * their bytes as they were, and the bytes are as many as size() says; and any format with any
 * data gives values or an error, with memory bounded by the input's size. */
#include "lua_values.h"

enum { OPTIONS_MAX = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A whole number that 'size' bytes can say, and a double. */
static double whole_number(struct dice *dice, int size, bool is_signed)
{
    int bits = size * 8 < 53 ? size * 8 : 53;
    int64_t number = (int64_t)(roll_bits(dice, 8) & (UINT64_MAX >> (64 - bits)));
    return (double)(is_signed ? number - ((int64_t)1 << (bits - 1)) : number);
}

/* Adds an option to the format, and pushes a value that fits it if it takes one. */
static void choose_option(lua_State *lua, struct dice *dice, luaL_Buffer *format)
{
    static const char integers[] = "bBhHlLTiI";
    static const int sizes[] = { 1, 1, 2, 2, 8, 8, 8, 4, 4 };
    uint8_t kind = roll(dice) % 16;
    char text[16];
    if (kind < 9) {
        bool is_signed = integers[kind] >= 'a';
        lua_pushnumber(lua, whole_number(dice, sizes[kind], is_signed));
        luaL_addchar(format, integers[kind]);
    } else if (kind == 9) {
        int size = roll(dice) % 8 + 1;
        snprintf(text, sizeof text, "i%d", size);
        lua_pushnumber(lua, whole_number(dice, size, true));
        luaL_addstring(format, text);
    } else if (kind == 10) {
        push_number(lua, dice, NUMBERS_ALL);
        luaL_addchar(format, 'd');
    } else if (kind == 11) {
        lua_pushnumber(lua, (double)(float)whole_number(dice, 3, true));
        luaL_addchar(format, 'f');
    } else if (kind == 12) {
        push_string(lua, dice);
        snprintf(text, sizeof text, "c%d", (int)lua_rawlen(lua, -1));
        luaL_addstring(format, lua_rawlen(lua, -1) > 0 ? text : "c1");
        if (lua_rawlen(lua, -1) == 0) {
            lua_pop(lua, 1);
            lua_pushliteral(lua, "x");
        }
    } else {
        static const char *const others[] = { "x", "<", ">", "!", "!2", "!4", " ", "!1" };
        luaL_addstring(format, others[roll(dice) % 8]);
    }
}

static void check_values(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    struct dice dice = { data, size };
    struct lua_State *lua = bounded_state(&memory, size);
    char format[OPTIONS_MAX * 8] = "";
    int count = 0;
    for (int i = 0; i < OPTIONS_MAX; i++) {
        luaL_Buffer option; /* Short, so that it keeps nothing on the stack. */
        int before = lua_gettop(lua);
        luaL_buffinit(lua, &option);
        choose_option(lua, &dice, &option);
        count += lua_gettop(lua) - before;
        luaL_pushresult(&option);
        strcat(format, lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
    luaL_checkstack(lua, 4 * OPTIONS_MAX, "check_values");
    lua_pushstring(lua, format);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(lua, i);
    }
    MUST(call_library(lua, "struct", "pack", count + 1, 1));
    int packed = lua_gettop(lua);
    lua_pushstring(lua, format);
    MUST(call_library(lua, "struct", "size", 1, 1));
    MUST(lua_tonumber(lua, -1) == (double)lua_rawlen(lua, packed));
    lua_pop(lua, 1);
    lua_pushstring(lua, format);
    lua_pushvalue(lua, packed);
    MUST(call_library(lua, "struct", "unpack", 2, LUA_MULTRET));
    MUST(lua_gettop(lua) == packed + count + 1);
    for (int i = 1; i <= count; i++) {
        MUST(same_values(lua, i, packed + i));
    }
    MUST(lua_tonumber(lua, -1) == (double)lua_rawlen(lua, packed) + 1);
    lua_close(lua);
    MUST(memory.used == 0);
}

/* The first byte says how much of the rest is the format. */
static void check_anything(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    if (size == 0) {
        return;
    }
    size_t len = data[0] % size;
    const char *format = (const char *)data + 1, *rest = format + len;
    lua_State *lua = bounded_state(&memory, size);
    lua_pushlstring(lua, format, len);
    call_library(lua, "struct", "size", 1, 1);
    lua_settop(lua, 0);
    lua_pushlstring(lua, format, len);
    lua_pushlstring(lua, rest, size - 1 - len);
    call_library(lua, "struct", "unpack", 2, LUA_MULTRET);
    lua_settop(lua, 0);
    lua_pushlstring(lua, format, len);
    for (int i = 0; i < 8; i++) {
        i % 2 == 0 ? lua_pushnumber(lua, -i) : (void)lua_pushlstring(lua, rest, size - 1 - len);
    }
    call_library(lua, "struct", "pack", 9, 1);
    lua_close(lua);
    MUST(memory.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_values(data, size);
    check_anything(data, size);
    return 0;
}
