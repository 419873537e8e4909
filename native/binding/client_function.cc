/* An in-process client as one JavaScript function.
 *
 * Plain Node-API throughout: the client hangs on the function itself as its data pointer,
 * which costs a fraction of what a method of a wrapped object costs. */
#include "binding/client_function.h"

#include <cstring>
#include <utility>
#include <vector>

#include "binding/reply_value.h"

namespace {

struct Client {
    explicit Client(std::shared_ptr<Core> owner) : core(std::move(owner)) {}
    ~Client() { rln_client_destroy(handle); }

    std::shared_ptr<Core> core; /* outlives 'handle' */
    rln_client *handle = nullptr;
    ReplyMakers makers;
    bool busy = false;           /* a call is on the stack: replies are borrowed until it ends */
    std::vector<rln_bytes> argv; /* scratch of a call, kept for the next one */
    std::vector<size_t> text_starts; /* argument -> offset in 'texts', or kNotText */
    std::vector<char> texts;
};

constexpr size_t kNotText = static_cast<size_t>(-1);
constexpr size_t kTextGuess = 256;
constexpr size_t kScratchKept = 64 * 1024;

/* Appends the UTF-8 of 'value' to 'texts'.  One copy when it fits the room there is,
 * which is so for nearly all keys. */
bool AppendText(napi_env env, napi_value value, std::vector<char> *texts, size_t *used, size_t *len)
{
    if (texts->size() < *used + kTextGuess) {
        texts->resize(*used + 2 * kTextGuess);
    }
    size_t room = texts->size() - *used;
    if (napi_get_value_string_utf8(env, value, texts->data() + *used, room, len) != napi_ok) {
        return false;
    }
    if (*len + 4 >= room) { /* It may have been cut, at most within one character. */
        if (napi_get_value_string_utf8(env, value, nullptr, 0, len) != napi_ok) {
            return false;
        }
        texts->resize(*used + *len + 1 + kTextGuess);
        if (napi_get_value_string_utf8(env, value, texts->data() + *used, *len + 1, len) !=
            napi_ok) {
            return false;
        }
    }
    *used += *len;
    return true;
}

bool ReadBytes(napi_env env, napi_value value, rln_bytes *out)
{
    bool is_view = false;
    if (napi_is_typedarray(env, value, &is_view) != napi_ok || !is_view) {
        return false;
    }
    napi_typedarray_type type;
    size_t len = 0;
    void *data = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &len, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
        return false;
    }
    *out = rln_bytes{ len > 0 ? static_cast<const char *>(data) : "", len };
    return true;
}

/* Fills client->argv from the array 'args'. */
bool ReadArguments(napi_env env, Client *client, napi_value args)
{
    uint32_t count = 0;
    bool is_array = false;
    if (napi_is_array(env, args, &is_array) != napi_ok || !is_array ||
        napi_get_array_length(env, args, &count) != napi_ok || count == 0) {
        return false;
    }
    size_t used = 0;
    client->argv.assign(count, rln_bytes{});
    client->text_starts.assign(count, kNotText);
    for (uint32_t i = 0; i < count; i++) {
        napi_value value = nullptr;
        napi_valuetype type;
        if (napi_get_element(env, args, i, &value) != napi_ok ||
            napi_typeof(env, value, &type) != napi_ok) {
            return false;
        }
        if (type == napi_string) {
            client->text_starts[i] = used;
            if (!AppendText(env, value, &client->texts, &used, &client->argv[i].len)) {
                return false;
            }
        } else if (!ReadBytes(env, value, &client->argv[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) { /* 'texts' has moved for the last time. */
        if (client->text_starts[i] != kNotText) {
            client->argv[i].at = client->texts.data() + client->text_starts[i];
        }
    }
    return true;
}

/* Gives back what one very large command made the scratch grow to. */
void TrimScratch(Client *client)
{
    if (client->texts.size() > kScratchKept) {
        client->texts.resize(kScratchKept);
        client->texts.shrink_to_fit();
    }
}

napi_value Call(napi_env env, napi_callback_info info)
{
    size_t argc = 2;
    napi_value argv[2] = {};
    void *data = nullptr;
    napi_value result = nullptr;
    if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) {
        return nullptr;
    }
    Client *client = static_cast<Client *>(data);
    if (client->busy) {
        napi_throw_error(env, nullptr, "the client is in the middle of another call");
        return nullptr;
    }
    if (argc < 1 || !ReadArguments(env, client, argv[0])) {
        napi_throw_type_error(env, nullptr,
                              "expected a non-empty array of strings and byte arrays");
        return nullptr;
    }
    bool buffers = false;
    if (argc > 1) {
        napi_get_value_bool(env, argv[1], &buffers);
    }
    client->busy = true;
    rln_bytes reply = rln_client_call(client->handle, client->argv.data(), client->argv.size());
    bool decoded = ReplyValue(env, client->makers, reply, buffers, &result);
    client->busy = false;
    TrimScratch(client);
    if (!decoded) {
        bool pending = false;
        napi_is_exception_pending(env, &pending);
        if (!pending) {
            napi_throw_error(env, nullptr, "the reply could not be read");
        }
        return nullptr;
    }
    return result;
}

void FreeClient(napi_env env, void *data, void * /* hint */)
{
    Client *client = static_cast<Client *>(data);
    ReleaseReplyMakers(env, &client->makers);
    delete client;
}

} // namespace

napi_value ClientFunction(napi_env env, std::shared_ptr<Core> core, napi_value makers)
{
    napi_value function = nullptr;
    std::unique_ptr<Client> client(new Client(std::move(core)));
    client->handle = rln_client_create(client->core->server());
    if (client->handle == nullptr) {
        napi_throw_error(env, nullptr, "out of memory");
        return nullptr;
    }
    if (!TakeReplyMakers(env, makers, &client->makers) ||
        napi_create_function(env, "call", NAPI_AUTO_LENGTH, Call, client.get(), &function) !=
            napi_ok ||
        napi_add_finalizer(env, function, client.get(), FreeClient, nullptr, nullptr) != napi_ok) {
        ReleaseReplyMakers(env, &client->makers);
        napi_throw_error(env, nullptr, "cannot create the client");
        return nullptr;
    }
    client.release(); /* FreeClient() frees it with the function. */
    return function;
}
