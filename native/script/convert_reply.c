/* Replies of commands as Lua values; see convert.h. */
#include <stdlib.h>

#include "base/blob.h"
#include "base/num.h"
#include "script/convert.h"

/* A reply being read: its bytes, with what it refers to between them. */
struct source {
    lua_State *lua;
    const struct reply *reply;
    const char *at, *end; /* up to the next part, or the end */
    uint32_t part;        /* the next one */
    bool is_error;        /* the outermost value */
};

static void push(struct source *source);

/* The bytes up to the end of the line, which is passed. */
static struct bytes take_line(struct source *source)
{
    const char *found = memchr(source->at, '\r', (size_t)(source->end - source->at));
    struct bytes line = { source->at, (size_t)(found - source->at) };
    source->at = found + 2;
    return line;
}

/* A whole number, of few digits mostly, up to the end of the line, which is passed. */
static int64_t take_count(struct source *source)
{
    const char *at = source->at;
    bool negative = *at == '-';
    uint64_t count = 0;
    for (at += negative; *at != '\r'; at++) {
        count = count * 10 + (uint64_t)(*at - '0');
    }
    source->at = at + 2;
    return (int64_t)(negative ? 0 - count : count);
}

/* 'len' bytes and a line end; they stand there, or in the part that comes next. */
static struct bytes take_bulk(struct source *source, int64_t len)
{
    struct bytes bulk = { source->at, (size_t)len };
    const struct reply *reply = source->reply;
    if (source->at == source->end && source->part < reply->part_count) {
        const struct reply_part *part = &reply->parts[source->part++];
        bulk.at = blob_bytes(part->value).at + part->from;
        source->end =
            reply->out.at +
            (source->part < reply->part_count ? reply->parts[source->part].offset : reply->out.len);
    } else {
        source->at += len;
    }
    source->at += 2;
    return bulk;
}

/* Makes a table of one field of the value on the top. */
static void wrap(lua_State *lua, const char *field)
{
    lua_createtable(lua, 0, 1);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, field);
}

static void push_error(struct source *source)
{
    lua_State *lua = source->lua;
    struct bytes line = take_line(source);
    const char *space = line.len > 0 ? memchr(line.at, ' ', line.len) : NULL;
    lua_createtable(lua, 0, 2);
    if (space == NULL) {
        lua_pushliteral(lua, "ERR ");
        vm_push_bytes(lua, line);
        lua_concat(lua, 2);
    } else {
        vm_push_bytes(lua, line);
    }
    lua_setfield(lua, -2, "err");
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -2, "ignore_error_stats_update");
}

static void push_array(struct source *source, int64_t count)
{
    lua_State *lua = source->lua;
    luaL_checkstack(lua, 8, "reply of a command");
    lua_createtable(lua, count < INT32_MAX ? (int)count : 0, 0);
    for (int64_t i = 1; i <= count; i++) {
        push(source);
        lua_rawseti(lua, -2, i);
    }
}

/* Pairs of a map, or members of a set, which are keys whose value is true. */
static void push_table(struct source *source, int64_t count, bool pairs)
{
    lua_State *lua = source->lua;
    luaL_checkstack(lua, 8, "reply of a command");
    lua_createtable(lua, 0, count < INT32_MAX ? (int)count : 0);
    for (int64_t i = 0; i < count; i++) {
        push(source);
        if (pairs) {
            push(source);
        } else {
            lua_pushboolean(lua, 1);
        }
        lua_rawset(lua, -3);
    }
    wrap(lua, pairs ? "map" : "set");
}

static void push_verbatim(struct source *source)
{
    lua_State *lua = source->lua;
    enum { FORMAT = 3 };
    struct bytes text = take_bulk(source, take_count(source));
    lua_createtable(lua, 0, 2);
    vm_push_bytes(lua, (struct bytes){ text.at, FORMAT });
    lua_setfield(lua, -2, "format");
    vm_push_bytes(lua, (struct bytes){ text.at + FORMAT + 1, text.len - FORMAT - 1 });
    lua_setfield(lua, -2, "string");
    wrap(lua, "verbatim_string");
}

static void push_double(struct source *source)
{
    char text[NUM_FLOAT_ROOM];
    struct bytes line = take_line(source);
    size_t len = line.len < sizeof text ? line.len : sizeof text - 1;
    memcpy(text, line.at, len);
    text[len] = '\0';
    lua_pushnumber(source->lua, strtod(text, NULL));
    wrap(source->lua, "double");
}

/* What RESP2 has for nothing: false. */
static void push_bulk(struct source *source)
{
    int64_t len = take_count(source);
    if (len < 0) {
        lua_pushboolean(source->lua, 0);
    } else {
        vm_push_bytes(source->lua, take_bulk(source, len));
    }
}

static void push(struct source *source)
{
    lua_State *lua = source->lua;
    switch (*source->at++) {
    case '$':
        push_bulk(source);
        break;
    case ':':
        lua_pushnumber(lua, (lua_Number)take_count(source));
        break;
    case '+':
        vm_push_bytes(lua, take_line(source));
        wrap(lua, "ok");
        break;
    case '-':
        push_error(source);
        break;
    case '*': {
        int64_t count = take_count(source);
        if (count < 0) {
            lua_pushboolean(lua, 0);
        } else {
            push_array(source, count);
        }
        break;
    }
    case '%':
        push_table(source, take_count(source), true);
        break;
    case '~':
        push_table(source, take_count(source), false);
        break;
    case '_':
        (void)take_line(source);
        lua_pushnil(lua);
        break;
    case '#':
        lua_pushboolean(lua, *take_line(source).at == 't');
        break;
    case ',':
        push_double(source);
        break;
    case '(':
        vm_push_bytes(lua, take_line(source));
        wrap(lua, "big_number");
        break;
    case '=':
        push_verbatim(source);
        break;
    default: /* A push, which no command within a script sends. */
        (void)take_line(source);
        lua_pushnil(lua);
    }
}

bool convert_from_reply(lua_State *lua, const struct reply *from)
{
    const struct buf *out = &from->out;
    if (out->len == 0 || from->failed) {
        lua_pushboolean(lua, 0);
        return false;
    }
    struct source source = {
        .lua = lua,
        .reply = from,
        .at = out->at,
        .end = out->at + (from->part_count > 0 ? from->parts[0].offset : out->len),
    };
    bool is_error = *out->at == '-';
    push(&source);
    return is_error;
}
