/* The reading half of cjson.  Containers are not read by recursion: those that are open are a
 * stack of levels, and their tables are on the stack of Lua, so that no text can exhaust the
 * stack of C, whatever a script sets decode_max_depth to.
 *
 * A text ends at its first zero byte, which Lua keeps behind every string: so there is always
 * one more byte to look at. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/lib_buffer.h"
#include "script/lib_cjson.h"

/* What stays at the bottom of the stack: the text, and the places of two buffers. */
enum { TEXT_SLOT = 1, SCRATCH_SLOT, LEVELS_SLOT };

enum token {
    TOKEN_OBJECT,
    TOKEN_OBJECT_END,
    TOKEN_ARRAY,
    TOKEN_ARRAY_END,
    TOKEN_STRING, /* pushed */
    TOKEN_NUMBER,
    TOKEN_BOOLEAN,
    TOKEN_NULL,
    TOKEN_COLON,
    TOKEN_COMMA,
    TOKEN_END,
    TOKEN_BAD, /* 'fault' says why */
};

/* What errors call them. */
static const char *const TOKEN_NAMES[] = {
    [TOKEN_OBJECT] = "T_OBJ_BEGIN", [TOKEN_OBJECT_END] = "T_OBJ_END",
    [TOKEN_ARRAY] = "T_ARR_BEGIN",  [TOKEN_ARRAY_END] = "T_ARR_END",
    [TOKEN_STRING] = "T_STRING",    [TOKEN_NUMBER] = "T_NUMBER",
    [TOKEN_BOOLEAN] = "T_BOOLEAN",  [TOKEN_NULL] = "T_NULL",
    [TOKEN_COLON] = "T_COLON",      [TOKEN_COMMA] = "T_COMMA",
    [TOKEN_END] = "T_END",
};

/* An open container. */
struct level {
    bool is_object; /* then the key of the value that is next is on the stack */
    int count;      /* elements of an array */
};

struct decoder {
    lua_State *lua;
    const struct cjson_settings *settings;
    const char *text, *at; /* all of it, and what is next */
    const char *token_at;  /* where the newest token, or what is wrong with it, begins */
    const char *fault;
    double number;
    bool boolean;
    struct lib_buffer scratch, levels;
    int depth;
};

/* ---- tokens ------------------------------------------------------------------------ */

static enum token bad_token(struct decoder *decoder, const char *at, const char *fault)
{
    decoder->token_at = at;
    decoder->fault = fault;
    return TOKEN_BAD;
}

/* Four hexadecimal digits, or -1. */
static int read_code_unit(const char *at)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i], lower = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                   : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static void put_utf8(struct lib_buffer *out, uint32_t code)
{
    unsigned len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
    char *at = lib_buffer_reserve(out, 4);
    for (unsigned i = len - 1; i > 0; i--) {
        at[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    at[0] = (char)(heads[len] | code);
    out->len += len;
}

/* Reads "\uXXXX", or two of them that are a surrogate pair. */
static bool read_unicode(struct decoder *decoder)
{
    int unit = read_code_unit(decoder->at + 2);
    if (unit < 0) {
        return false;
    }
    uint32_t code = (uint32_t)unit;
    decoder->at += 6;
    if ((code & 0xf800) == 0xd800) {
        int low = (code & 0x400) == 0 && decoder->at[0] == '\\' && decoder->at[1] == 'u'
                      ? read_code_unit(decoder->at + 2)
                      : -1;
        if (low < 0 || (low & 0xfc00) != 0xdc00) {
            return false;
        }
        code = 0x10000 + ((code & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
        decoder->at += 6;
    }
    put_utf8(&decoder->scratch, code);
    return true;
}

/* The byte that an escape of one letter says, or 0. */
static char escaped_byte(char letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* The length of what stands for itself in a string. */
static size_t plain_prefix(const char *at)
{
    size_t len = 0;
    while (at[len] != '"' && at[len] != '\\' && at[len] != '\0') {
        len++;
    }
    return len;
}

static enum token read_escaped_string(struct decoder *decoder)
{
    while (*decoder->at != '"') {
        size_t plain = plain_prefix(decoder->at);
        lib_buffer_append(&decoder->scratch, (struct bytes){ decoder->at, plain });
        decoder->at += plain;
        const char *escape = decoder->at;
        if (*escape == '\0') {
            return bad_token(decoder, escape, "unexpected end of string");
        }
        if (*escape == '"') {
            break;
        }
        if (escape[1] == 'u') {
            if (!read_unicode(decoder)) {
                return bad_token(decoder, escape, "invalid unicode escape code");
            }
            continue;
        }
        char byte = escaped_byte(escape[1]);
        if (byte == 0) {
            return bad_token(decoder, escape, "invalid escape code");
        }
        lib_buffer_append_char(&decoder->scratch, byte);
        decoder->at += 2;
    }
    decoder->at++;
    lib_buffer_push(&decoder->scratch);
    return TOKEN_STRING;
}

static enum token read_string(struct decoder *decoder)
{
    const char *start = ++decoder->at;
    size_t plain = plain_prefix(start);
    if (start[plain] != '"') {
        decoder->scratch.len = 0;
        return read_escaped_string(decoder);
    }
    lua_pushlstring(decoder->lua, start, plain);
    decoder->at += plain + 1;
    return TOKEN_STRING;
}

/* What strtod() takes for a number, and JSON does not. */
static bool is_invalid_number(const char *at)
{
    if (*at == '+') {
        return true;
    }
    at += *at == '-' ? 1 : 0;
    if (*at == '0') {
        return (at[1] | 0x20) == 'x' || (at[1] >= '0' && at[1] <= '9');
    }
    return strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0;
}

/* Short whole numbers are read by hand. */
static enum token read_number(struct decoder *decoder)
{
    enum { SHORT = 15 };
    const char *at = decoder->at;
    bool negative = *at == '-';
    at += negative ? 1 : 0;
    const char *digits = at;
    int64_t whole = 0;
    while (*at >= '0' && *at <= '9' && at - digits < SHORT) {
        whole = whole * 10 + (*at++ - '0');
    }
    char next = (char)(*at | 0x20);
    if (at > digits && *at != '.' && !(*at >= '0' && *at <= '9') && next != 'e' && next != 'x') {
        decoder->number = negative ? -(double)whole : (double)whole;
        decoder->at = at;
        return TOKEN_NUMBER;
    }
    char *end;
    decoder->number = strtod(decoder->at, &end);
    if (end == decoder->at) {
        return bad_token(decoder, decoder->at, "invalid number");
    }
    decoder->at = end;
    return TOKEN_NUMBER;
}

/* Passes the word if it is next. */
static bool read_word(struct decoder *decoder, struct bytes word)
{
    if (strncmp(decoder->at, word.at, word.len) != 0) {
        return false;
    }
    decoder->at += word.len;
    return true;
}

static enum token read_other(struct decoder *decoder, char c)
{
    bool lenient = decoder->settings->decode_invalid_numbers != CJSON_INVALID_REFUSED;
    if (c == '-' || (c >= '0' && c <= '9')) {
        return lenient || !is_invalid_number(decoder->at)
                   ? read_number(decoder)
                   : bad_token(decoder, decoder->at, "invalid number");
    }
    if (read_word(decoder, LIT("null"))) {
        return TOKEN_NULL;
    }
    decoder->boolean = c == 't';
    if (read_word(decoder, LIT("true")) || read_word(decoder, LIT("false"))) {
        return TOKEN_BOOLEAN;
    }
    return lenient && is_invalid_number(decoder->at)
               ? read_number(decoder)
               : bad_token(decoder, decoder->at, "invalid token");
}

static enum token next_token(struct decoder *decoder)
{
    while (*decoder->at == ' ' || *decoder->at == '\n' || *decoder->at == '\t' ||
           *decoder->at == '\r') {
        decoder->at++;
    }
    decoder->token_at = decoder->at;
    switch (*decoder->at) {
    case '\0':
        return TOKEN_END;
    case '"':
        return read_string(decoder);
    case '{':
        decoder->at++;
        return TOKEN_OBJECT;
    case '}':
        decoder->at++;
        return TOKEN_OBJECT_END;
    case '[':
        decoder->at++;
        return TOKEN_ARRAY;
    case ']':
        decoder->at++;
        return TOKEN_ARRAY_END;
    case ':':
        decoder->at++;
        return TOKEN_COLON;
    case ',':
        decoder->at++;
        return TOKEN_COMMA;
    default:
        return read_other(decoder, *decoder->at);
    }
}

/* Returns if the token is the wanted one, else raises the error that it is not. */
static void require_token(struct decoder *decoder, enum token token, enum token wanted,
                          const char *wanted_name)
{
    if (token != wanted) {
        luaL_error(decoder->lua, "Expected %s but found %s at character %d", wanted_name,
                   token == TOKEN_BAD ? decoder->fault : TOKEN_NAMES[token],
                   (int)(decoder->token_at - decoder->text) + 1);
    }
}

/* ---- values ------------------------------------------------------------------------ */

static struct level *top_level(struct decoder *decoder)
{
    return (struct level *)(void *)(decoder->levels.at + decoder->levels.len) - 1;
}

static void close_level(struct decoder *decoder)
{
    decoder->levels.len -= sizeof(struct level);
    decoder->depth--;
}

/* Reads a key, which stays on the stack, and the colon. */
static void read_key(struct decoder *decoder, enum token token)
{
    require_token(decoder, token, TOKEN_STRING, "object key string");
    require_token(decoder, next_token(decoder), TOKEN_COLON, "colon");
}

/* Begins a container.  True when it is empty, and so a complete value already; else the token of
 * its first value is in '*token'. */
static bool open_level(struct decoder *decoder, bool is_object, enum token *token)
{
    lua_State *lua = decoder->lua;
    int used = lua_gettop(lua) - LEVELS_SLOT + 1; /* by Redis's library */
    decoder->depth++;
    if (decoder->depth > decoder->settings->decode_max_depth ||
        used + (is_object ? 3 : 2) > LIB_STACK_MAX) {
        luaL_error(lua, "Found too many nested data structures (%d) at character %d",
                   decoder->depth, (int)(decoder->at - decoder->text));
    }
    luaL_checkstack(lua, 5, "in function open_level");
    lua_newtable(lua);
    lib_buffer_reserve(&decoder->levels, sizeof(struct level));
    decoder->levels.len += sizeof(struct level);
    *top_level(decoder) = (struct level){ .is_object = is_object };
    *token = next_token(decoder);
    if (*token == (is_object ? TOKEN_OBJECT_END : TOKEN_ARRAY_END)) {
        close_level(decoder);
        return true;
    }
    if (is_object) {
        read_key(decoder, *token);
        *token = next_token(decoder);
    }
    return false;
}

/* Pushes the value that begins with '*token' if it is a complete one then; else it is a
 * container, and the token of its first value is in '*token'. */
static bool begin_value(struct decoder *decoder, enum token *token)
{
    lua_State *lua = decoder->lua;
    switch (*token) {
    case TOKEN_OBJECT:
    case TOKEN_ARRAY:
        return open_level(decoder, *token == TOKEN_OBJECT, token);
    case TOKEN_STRING:
        break;
    case TOKEN_NUMBER:
        lua_pushnumber(lua, decoder->number);
        break;
    case TOKEN_BOOLEAN:
        lua_pushboolean(lua, decoder->boolean);
        break;
    case TOKEN_NULL:
        lua_pushlightuserdata(lua, NULL);
        break;
    default:
        require_token(decoder, *token, TOKEN_STRING, "value");
    }
    return true;
}

/* Puts the complete value on top into the innermost container.  True when that ends, and so is
 * a complete value itself; else the token of its next value is in '*token'. */
static bool store_value(struct decoder *decoder, enum token *token)
{
    struct level *level = top_level(decoder);
    bool is_object = level->is_object;
    if (is_object) {
        lua_rawset(decoder->lua, -3);
    } else {
        lua_rawseti(decoder->lua, -2, ++level->count);
    }
    *token = next_token(decoder);
    if (*token == (is_object ? TOKEN_OBJECT_END : TOKEN_ARRAY_END)) {
        close_level(decoder);
        return true;
    }
    require_token(decoder, *token, TOKEN_COMMA,
                  is_object ? "comma or object end" : "comma or array end");
    *token = next_token(decoder);
    if (is_object) {
        read_key(decoder, *token);
        *token = next_token(decoder);
    }
    return false;
}

int lib_cjson_decode(lua_State *lua)
{
    luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
    struct bytes text = lib_arg_string(lua, TEXT_SLOT);
    struct decoder decoder = {
        .lua = lua, .settings = cjson_settings(lua), .text = text.at, .at = text.at
    };
    if (text.len >= 2 && (text.at[0] == '\0' || text.at[1] == '\0')) {
        return luaL_error(lua, "JSON parser does not support UTF-16 or UTF-32");
    }
    lua_settop(lua, LEVELS_SLOT);
    lib_buffer_init(&decoder.scratch, lua, SCRATCH_SLOT);
    lib_buffer_init(&decoder.levels, lua, LEVELS_SLOT);
    enum token token = next_token(&decoder);
    bool complete = begin_value(&decoder, &token);
    while (decoder.depth > 0) {
        complete = complete ? store_value(&decoder, &token) : begin_value(&decoder, &token);
    }
    require_token(&decoder, next_token(&decoder), TOKEN_END, "the end");
    return 1;
}
