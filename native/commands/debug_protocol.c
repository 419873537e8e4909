/* DEBUG PROTOCOL; see debug_protocol.h.  The values are Redis's, which clients' tests know. */
#include "commands/debug_protocol.h"

static void reply_string(struct reply *reply)
{
    reply_bytes(reply, LIT("Hello World"));
}

static void reply_an_integer(struct reply *reply)
{
    reply_integer(reply, 12345);
}

static void reply_a_double(struct reply *reply)
{
    reply_double(reply, 3.141);
}

static void reply_bignum(struct reply *reply)
{
    reply_big_number(reply, LIT("1234567999999999999999999999999999999"));
}

static void reply_numbers(struct reply *reply)
{
    for (int i = 0; i < 3; i++) {
        reply_integer(reply, i);
    }
}

static void reply_an_array(struct reply *reply)
{
    reply_array(reply, 3);
    reply_numbers(reply);
}

static void reply_a_set(struct reply *reply)
{
    reply_set(reply, 3);
    reply_numbers(reply);
}

static void reply_a_map(struct reply *reply)
{
    reply_map(reply, 3);
    for (int i = 0; i < 3; i++) {
        reply_integer(reply, i);
        reply_bool(reply, i == 1);
    }
}

static void reply_attribute(struct reply *reply)
{
    if (reply->protocol == 3) {
        buf_append(&reply->out, LIT("|1\r\n"));
        reply_bytes(reply, LIT("key-popularity"));
        reply_array(reply, 2);
        reply_bytes(reply, LIT("key:123"));
        reply_integer(reply, 90);
    }
    /* Only a real reply can follow an attribute. */
    reply_bytes(reply, LIT("Some real reply following the attribute"));
}

static void reply_a_push(struct reply *reply)
{
    if (reply->protocol == 2) {
        reply_error(reply, LIT("ERR RESP2 is not supported by this command"));
        return;
    }
    reply_push(reply, 2);
    reply_bytes(reply, LIT("server-cpu-usage"));
    reply_integer(reply, 42);
    reply_bytes(reply, LIT("Some real reply following the push reply"));
}

static void reply_a_text(struct reply *reply)
{
    reply_verbatim(reply, "txt", LIT("This is a verbatim\nstring"));
}

static void reply_true(struct reply *reply)
{
    reply_bool(reply, true);
}

static void reply_false(struct reply *reply)
{
    reply_bool(reply, false);
}

enum err debug_protocol(struct call *call)
{
    static const struct {
        const char *name;
        void (*write)(struct reply *reply);
    } types[] = {
        { "string", reply_string }, { "integer", reply_an_integer }, { "double", reply_a_double },
        { "bignum", reply_bignum }, { "null", reply_null },          { "array", reply_an_array },
        { "set", reply_a_set },     { "map", reply_a_map },          { "attrib", reply_attribute },
        { "push", reply_a_push },   { "verbatim", reply_a_text },    { "true", reply_true },
        { "false", reply_false },
    };
    struct bytes name = args_next(&call->args);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (bytes_equal_nocase(name, bytes_of(types[i].name))) {
            types[i].write(call->reply);
            return OK;
        }
    }
    reply_error(call->reply,
                LIT("ERR Wrong protocol type name. Please use one of the following: "
                    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|"
                    "false"));
    return ERR_REPLIED;
}
