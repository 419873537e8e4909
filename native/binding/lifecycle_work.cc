/* Start and stop as asynchronous work.
 *
 * The completions run while the environment may be going away.  Calls then fail, and
 * node-addon-api would turn the failure into a fatal error; so this file uses plain
 * Node-API and lets a failed call be. */
#include "binding/lifecycle_work.h"

#include <cstring>
#include <utility>

namespace {

enum class Verb { kStart, kStop };

struct Work {
    std::shared_ptr<Core> core;
    Verb verb;
    napi_deferred deferred = nullptr;
    napi_async_work handle = nullptr;
    bool failed = false;
    rln_error error = {};
};

void Execute(napi_env /* env */, void *data)
{
    Work *work = static_cast<Work *>(data);
    if (work->verb == Verb::kStart) {
        work->failed = !work->core->Start(&work->error);
    } else {
        work->core->Stop();
    }
}

void Complete(napi_env env, napi_status /* status */, void *data)
{
    std::unique_ptr<Work> work(static_cast<Work *>(data));
    if (work->verb == Verb::kStop || work->failed) {
        work->core->Disconnect(napi_tsfn_release);
    }
    napi_value result = work->failed ? ErrorObject(env, work->error) : nullptr;
    if (result == nullptr && napi_get_null(env, &result) != napi_ok) {
        return;
    }
    napi_resolve_deferred(env, work->deferred, result);
    napi_delete_async_work(env, work->handle);
}

napi_value Later(napi_env env, std::shared_ptr<Core> core, Verb verb, const char *label)
{
    std::unique_ptr<Work> work(new Work{ std::move(core), verb });
    napi_value promise = nullptr;
    napi_value name = nullptr;
    if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
        napi_create_string_utf8(env, label, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_async_work(env, nullptr, name, Execute, Complete, work.get(), &work->handle) !=
            napi_ok ||
        napi_queue_async_work(env, work->handle) != napi_ok) {
        return nullptr;
    }
    work.release(); /* Complete() frees it. */
    return promise;
}

} // namespace

napi_value StartLater(napi_env env, std::shared_ptr<Core> core)
{
    return Later(env, std::move(core), Verb::kStart, "redis-lite-native:start");
}

napi_value StopLater(napi_env env, std::shared_ptr<Core> core)
{
    return Later(env, std::move(core), Verb::kStop, "redis-lite-native:stop");
}

napi_value ErrorObject(napi_env env, const rln_error &error)
{
    napi_value object = nullptr;
    napi_value code = nullptr;
    napi_value os_error = nullptr;
    napi_value text = nullptr;
    if (napi_create_object(env, &object) != napi_ok ||
        napi_create_string_utf8(env, error.code, strnlen(error.code, sizeof error.code), &code) !=
            napi_ok ||
        napi_create_int32(env, error.os_error, &os_error) != napi_ok ||
        napi_create_string_utf8(env, error.text, strnlen(error.text, sizeof error.text), &text) !=
            napi_ok ||
        napi_set_named_property(env, object, "code", code) != napi_ok ||
        napi_set_named_property(env, object, "osError", os_error) != napi_ok ||
        napi_set_named_property(env, object, "text", text) != napi_ok) {
        return nullptr;
    }
    return object;
}
