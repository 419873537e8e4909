/* string.format of Lua 5.1; see compat.h. */
#include <ctype.h>
#include <stdio.h>

#include "script/compat.h"
#include "script/lib_arg.h"

enum {
    DIRECTIVE_ROOM = 32, /* flags, width and precision have their limits */
    ITEM_ROOM = 512,     /* of one number: %99.99f of the largest double */
    SHORT_STRING = 100,  /* longer ones go as they are, when no precision is asked for */
};

/* A string as Lua reads it back. */
static void add_quoted(lua_State *lua, luaL_Buffer *buffer, int index)
{
    size_t len;
    const char *text = luaL_checklstring(lua, index, &len);
    luaL_addchar(buffer, '"');
    for (; len > 0; len--, text++) {
        switch (*text) {
        case '"':
        case '\\':
        case '\n':
            luaL_addchar(buffer, '\\');
            luaL_addchar(buffer, *text);
            break;
        case '\r':
            luaL_addlstring(buffer, "\\r", 2);
            break;
        case '\0':
            luaL_addlstring(buffer, "\\000", 4);
            break;
        default:
            luaL_addchar(buffer, *text);
        }
    }
    luaL_addchar(buffer, '"');
}

/* Reads flags, width and precision behind '%' into 'directive'; returns what follows. */
static const char *read_directive(lua_State *lua, const char *at, char *directive)
{
    const char *from = at;
    while (*at != '\0' && strchr("-+ #0", *at) != NULL) {
        at++;
    }
    if (at - from > 5) {
        luaL_error(lua, "invalid format (repeated flags)");
    }
    for (int i = 0; i < 2 && isdigit((unsigned char)*at); i++) {
        at++;
    }
    if (*at == '.') {
        at++;
        for (int i = 0; i < 2 && isdigit((unsigned char)*at); i++) {
            at++;
        }
    }
    if (isdigit((unsigned char)*at)) {
        luaL_error(lua, "invalid format (width or precision too long)");
    }
    directive[0] = '%';
    memcpy(directive + 1, from, (size_t)(at - from));
    directive[1 + (at - from)] = '\0';
    return at;
}

/* Writes a number by the directive, whose conversion is made 'conversion'. */
static void add_number(lua_State *lua, luaL_Buffer *buffer, int index, char *directive,
                       char conversion)
{
    char *item = luaL_prepbuffsize(buffer, ITEM_ROOM);
    lua_Number number = luaL_checknumber(lua, index);
    size_t end = strlen(directive);
    int len;
    switch (conversion) {
    case 'c':
        directive[end] = 'c';
        directive[end + 1] = '\0';
        (void)snprintf(item, ITEM_ROOM, directive, (int)lib_integer_of(number));
        len = (int)strlen(item); /* 5.1 loses a zero. */
        break;
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
        memcpy(directive + end, "ll", 2);
        directive[end + 2] = conversion;
        directive[end + 3] = '\0';
        len = snprintf(item, ITEM_ROOM, directive, (long long)lib_integer_of(number));
        break;
    default:
        directive[end] = conversion;
        directive[end + 1] = '\0';
        len = snprintf(item, ITEM_ROOM, directive, number);
    }
    luaL_addsize(buffer, len > 0 ? (size_t)len : 0);
}

static void add_string(lua_State *lua, luaL_Buffer *buffer, int index, char *directive)
{
    size_t len;
    const char *text = luaL_checklstring(lua, index, &len);
    if (strchr(directive, '.') == NULL && len >= SHORT_STRING) { /* Shorter ones end at a zero. */
        lua_pushvalue(lua, index);
        luaL_addvalue(buffer);
        return;
    }
    char *item = luaL_prepbuffsize(buffer, ITEM_ROOM);
    size_t end = strlen(directive);
    directive[end] = 's';
    directive[end + 1] = '\0';
    int written = snprintf(item, ITEM_ROOM, directive, text);
    luaL_addsize(buffer, written > 0 ? (size_t)written : 0);
}

int compat_format(lua_State *lua)
{
    size_t len;
    int count = lua_gettop(lua), index = 1;
    const char *at = luaL_checklstring(lua, 1, &len);
    const char *end = at + len;
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    while (at < end) {
        if (*at != '%') {
            luaL_addchar(&buffer, *at++);
            continue;
        }
        if (*++at == '%') {
            luaL_addchar(&buffer, *at++);
            continue;
        }
        char directive[DIRECTIVE_ROOM];
        if (++index > count) {
            return luaL_argerror(lua, index, "no value");
        }
        at = read_directive(lua, at, directive);
        char conversion = *at++;
        if (conversion == 'q') {
            add_quoted(lua, &buffer, index);
        } else if (conversion == 's') {
            add_string(lua, &buffer, index, directive);
        } else if (conversion != '\0' && strchr("cdiouxXeEfgG", conversion) != NULL) {
            add_number(lua, &buffer, index, directive, conversion);
        } else {
            return luaL_error(lua, "invalid option '%%%c' to 'format'", conversion);
        }
    }
    luaL_pushresult(&buffer);
    return 1;
}
