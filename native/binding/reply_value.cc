/* A RESP3 reply as a JavaScript value: see reply_value.h.
 *
 * The core wrote the reply, so it is well formed; the checks here keep a mistake there
 * from becoming a read past the end. */
#include "binding/reply_value.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kDepthMax = 512;
constexpr int64_t kSafeInteger = 9007199254740991;

struct Reader {
    napi_env env;
    const ReplyMakers &makers;
    const char *at;
    const char *end;
    bool buffers;
};

bool ReadValue(Reader *reader, int depth, napi_value *out);

/* The rest of the line, without its CR LF. */
bool ReadLine(Reader *reader, rln_bytes *line)
{
    size_t left = static_cast<size_t>(reader->end - reader->at);
    const char *cr = static_cast<const char *>(memchr(reader->at, '\r', left));
    if (cr == nullptr || reader->end - cr < 2) {
        return false;
    }
    *line = rln_bytes{ reader->at, static_cast<size_t>(cr - reader->at) };
    reader->at = cr + 2;
    return true;
}

bool ReadInteger(Reader *reader, int64_t *value)
{
    rln_bytes line;
    if (!ReadLine(reader, &line) || line.len == 0 || line.len > 20) {
        return false;
    }
    size_t i = line.at[0] == '-' ? 1 : 0;
    uint64_t magnitude = 0;
    for (; i < line.len; i++) {
        if (line.at[i] < '0' || line.at[i] > '9') {
            return false;
        }
        magnitude = magnitude * 10 + static_cast<uint64_t>(line.at[i] - '0');
    }
    *value = static_cast<int64_t>(line.at[0] == '-' ? 0 - magnitude : magnitude);
    return true;
}

/* A length and that many bytes with their CR LF; '*present' is false for length -1. */
bool ReadBulk(Reader *reader, rln_bytes *bulk, bool *present)
{
    int64_t len = 0;
    if (!ReadInteger(reader, &len)) {
        return false;
    }
    *present = len >= 0;
    if (len < 0) {
        return true;
    }
    if (reader->end - reader->at < len + 2) {
        return false;
    }
    *bulk = rln_bytes{ reader->at, static_cast<size_t>(len) };
    reader->at += len + 2;
    return true;
}

bool IsAscii(rln_bytes bytes)
{
    size_t i = 0;
    for (; i + 8 <= bytes.len; i += 8) {
        uint64_t word;
        memcpy(&word, bytes.at + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            return false;
        }
    }
    for (; i < bytes.len; i++) {
        if ((static_cast<unsigned char>(bytes.at[i]) & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

bool MakeText(napi_env env, rln_bytes bytes, napi_value *out)
{
    napi_status status = IsAscii(bytes) ? napi_create_string_latin1(env, bytes.at, bytes.len, out)
                                        : napi_create_string_utf8(env, bytes.at, bytes.len, out);
    return status == napi_ok;
}

bool MakeBulk(Reader *reader, rln_bytes bytes, napi_value *out)
{
    if (reader->buffers) {
        return napi_create_buffer_copy(reader->env, bytes.len, bytes.at, nullptr, out) == napi_ok;
    }
    return MakeText(reader->env, bytes, out);
}

bool MakeInteger(napi_env env, int64_t value, napi_value *out)
{
    if (value > kSafeInteger || value < -kSafeInteger) {
        return napi_create_bigint_int64(env, value, out) == napi_ok;
    }
    return napi_create_int64(env, value, out) == napi_ok;
}

bool MakeBy(napi_env env, napi_ref maker, napi_value argument, napi_value *out)
{
    napi_value function = nullptr;
    napi_value receiver = nullptr;
    return napi_get_reference_value(env, maker, &function) == napi_ok && function != nullptr &&
           napi_get_undefined(env, &receiver) == napi_ok &&
           napi_call_function(env, receiver, function, 1, &argument, out) == napi_ok;
}

bool ReadDouble(Reader *reader, napi_value *out)
{
    rln_bytes line;
    if (!ReadLine(reader, &line)) {
        return false;
    }
    std::string text(line.at, line.len);
    return napi_create_double(reader->env, strtod(text.c_str(), nullptr), out) == napi_ok;
}

/* 'count' values into a new array. */
bool ReadItems(Reader *reader, int64_t count, int depth, napi_value *out)
{
    if (count > reader->end - reader->at ||
        napi_create_array_with_length(reader->env, static_cast<size_t>(count), out) != napi_ok) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        napi_handle_scope scope = nullptr;
        napi_value item = nullptr;
        if (napi_open_handle_scope(reader->env, &scope) != napi_ok) {
            return false;
        }
        bool read = ReadValue(reader, depth + 1, &item) &&
                    napi_set_element(reader->env, *out, static_cast<uint32_t>(i), item) == napi_ok;
        napi_close_handle_scope(reader->env, scope);
        if (!read) {
            return false;
        }
    }
    return true;
}

bool ReadAggregate(Reader *reader, char type, int depth, napi_value *out)
{
    int64_t count = 0;
    napi_value items = nullptr;
    if (!ReadInteger(reader, &count)) {
        return false;
    }
    if (count < 0) {
        return napi_get_null(reader->env, out) == napi_ok;
    }
    bool pairs = type == '%' || type == '|';
    if ((pairs && count > INT32_MAX / 2) ||
        !ReadItems(reader, pairs ? 2 * count : count, depth, &items)) {
        return false;
    }
    switch (type) {
    case '%':
        return MakeBy(reader->env, reader->makers.map, items, out);
    case '~':
        return MakeBy(reader->env, reader->makers.set, items, out);
    case '|': /* Attributes say something about the value that follows; it is what counts. */
        return ReadValue(reader, depth + 1, out);
    default:
        *out = items;
        return true;
    }
}

/* '+', '-', '!', '$', '=', '(': values that are one run of bytes. */
bool ReadText(Reader *reader, char type, napi_value *out)
{
    rln_bytes bytes = {};
    bool present = true;
    bool counted = type == '$' || type == '=' || type == '!';
    if (!(counted ? ReadBulk(reader, &bytes, &present) : ReadLine(reader, &bytes))) {
        return false;
    }
    if (!present) {
        return napi_get_null(reader->env, out) == napi_ok;
    }
    if (type == '$') {
        return MakeBulk(reader, bytes, out);
    }
    if (type == '=') { /* "txt:" comes before the text. */
        size_t prefix = bytes.len >= 4 ? 4 : 0;
        return MakeBulk(reader, rln_bytes{ bytes.at + prefix, bytes.len - prefix }, out);
    }
    napi_value text = nullptr;
    if (!MakeText(reader->env, bytes, &text)) {
        return false;
    }
    if (type == '+') {
        *out = text;
        return true;
    }
    return MakeBy(reader->env, type == '(' ? reader->makers.big_number : reader->makers.error, text,
                  out);
}

bool ReadValue(Reader *reader, int depth, napi_value *out)
{
    if (depth > kDepthMax || reader->at >= reader->end) {
        return false;
    }
    char type = *reader->at++;
    int64_t integer = 0;
    rln_bytes line;
    switch (type) {
    case '$':
    case '+':
    case '-':
    case '!':
    case '=':
    case '(':
        return ReadText(reader, type, out);
    case ':':
        return ReadInteger(reader, &integer) && MakeInteger(reader->env, integer, out);
    case '_':
        return ReadLine(reader, &line) && napi_get_null(reader->env, out) == napi_ok;
    case '#':
        return ReadLine(reader, &line) && line.len == 1 &&
               napi_get_boolean(reader->env, line.at[0] == 't', out) == napi_ok;
    case ',':
        return ReadDouble(reader, out);
    case '*':
    case '>':
    case '%':
    case '~':
    case '|':
        return ReadAggregate(reader, type, depth, out);
    default:
        return false;
    }
}

bool TakeMaker(napi_env env, napi_value object, const char *name, napi_ref *out)
{
    napi_value function = nullptr;
    napi_valuetype type;
    return napi_get_named_property(env, object, name, &function) == napi_ok &&
           napi_typeof(env, function, &type) == napi_ok && type == napi_function &&
           napi_create_reference(env, function, 1, out) == napi_ok;
}

void ReleaseMaker(napi_env env, napi_ref *maker)
{
    if (*maker != nullptr) {
        napi_delete_reference(env, *maker);
        *maker = nullptr;
    }
}

} // namespace

bool TakeReplyMakers(napi_env env, napi_value object, ReplyMakers *makers)
{
    return TakeMaker(env, object, "error", &makers->error) &&
           TakeMaker(env, object, "map", &makers->map) &&
           TakeMaker(env, object, "set", &makers->set) &&
           TakeMaker(env, object, "bigNumber", &makers->big_number);
}

void ReleaseReplyMakers(napi_env env, ReplyMakers *makers)
{
    ReleaseMaker(env, &makers->error);
    ReleaseMaker(env, &makers->map);
    ReleaseMaker(env, &makers->set);
    ReleaseMaker(env, &makers->big_number);
}

bool ReplyValue(napi_env env, const ReplyMakers &makers, rln_bytes reply, bool buffers,
                napi_value *out)
{
    Reader reader = { env, makers, reply.at, reply.at + reply.len, buffers };
    return ReadValue(&reader, 0, out);
}
