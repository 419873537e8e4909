/* NativeServer: see server_wrap.h.  The JavaScript thread is the only one here; what
 * waits for threads is in lifecycle_work.cc. */
#include "binding/server_wrap.h"

#include <string>

#include "binding/client_function.h"
#include "binding/event_object.h"
#include "binding/lifecycle_work.h"

namespace {

/* JavaScript thread, for a wake-up from the core.  Plain Node-API: while the environment
 * goes away 'env' is null or the call fails, and neither may end the process. */
void CallEventsReady(napi_env env, napi_value callback, void * /* context */, void * /* data */)
{
    napi_value receiver = nullptr;
    if (env != nullptr && callback != nullptr && napi_get_undefined(env, &receiver) == napi_ok) {
        napi_call_function(env, receiver, callback, 0, nullptr, nullptr);
    }
}

std::string Text(const Napi::Value &value)
{
    return value.ToString().Utf8Value();
}

} // namespace

void ServerWrap::Register(Napi::Env env, Napi::Object exports)
{
    exports.Set("NativeServer",
                DefineClass(env, "NativeServer",
                            {
                                InstanceMethod<&ServerWrap::Configure>("configure"),
                                InstanceMethod<&ServerWrap::SetConfigFile>("setConfigFile"),
                                InstanceMethod<&ServerWrap::Directive>("directive"),
                                InstanceMethod<&ServerWrap::Start>("start"),
                                InstanceMethod<&ServerWrap::Stop>("stop"),
                                InstanceMethod<&ServerWrap::StopSync>("stopSync"),
                                InstanceMethod<&ServerWrap::RequestStop>("requestStop"),
                                InstanceMethod<&ServerWrap::Port>("port"),
                                InstanceMethod<&ServerWrap::Running>("running"),
                                InstanceMethod<&ServerWrap::NextEvents>("nextEvents"),
                                InstanceMethod<&ServerWrap::MuteEvents>("muteEvents"),
                                InstanceMethod<&ServerWrap::CreateClient>("createClient"),
                                InstanceMethod<&ServerWrap::KeepAlive>("keepAlive"),
                            }));
}

ServerWrap::ServerWrap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<ServerWrap>(info)
{
    Napi::Env env = info.Env();
    if (!info[0].IsObject()) {
        Napi::TypeError::New(env, "expected an options object").ThrowAsJavaScriptException();
        return;
    }
    Napi::Object given = info[0].As<Napi::Object>();
    rln_options options = {};
    options.install_signal_handlers = given.Get("installSignalHandlers").ToBoolean().Value();
    options.event_capacity =
        static_cast<size_t>(given.Get("eventCapacity").ToNumber().Int64Value());
    if (given.Get("randomSeed").IsBigInt()) {
        bool lossless = false;
        options.random_seed = given.Get("randomSeed").As<Napi::BigInt>().Uint64Value(&lossless);
    }
    core_ = Core::Create(options);
    if (core_ == nullptr) {
        Napi::Error::New(env, "out of memory").ThrowAsJavaScriptException();
        return;
    }
    napi_add_env_cleanup_hook(env, StopAtTeardown, core_.get());
}

ServerWrap::~ServerWrap()
{
    if (core_ != nullptr) {
        napi_remove_env_cleanup_hook(Env(), StopAtTeardown, core_.get());
        core_->Disconnect(napi_tsfn_release);
    }
}

/* The end of a worker thread and a drained event loop end the environment without a
 * garbage collection, and threads of ours must not outlive it. */
void ServerWrap::StopAtTeardown(void *core)
{
    static_cast<Core *>(core)->Disconnect(napi_tsfn_abort);
    static_cast<Core *>(core)->Stop();
}

/* configure(name, value): null, or { code, osError, text } */
Napi::Value ServerWrap::Configure(const Napi::CallbackInfo &info)
{
    rln_error error = {};
    if (rln_server_configure(core_->server(), Text(info[0]).c_str(), Text(info[1]).c_str(),
                             &error) == 0) {
        return info.Env().Null();
    }
    return Napi::Value(info.Env(), ErrorObject(info.Env(), error));
}

/* setConfigFile(path) */
Napi::Value ServerWrap::SetConfigFile(const Napi::CallbackInfo &info)
{
    rln_server_set_config_file(core_->server(), Text(info[0]).c_str());
    return info.Env().Undefined();
}

/* directive(name): its value as redis.conf writes it, or null */
Napi::Value ServerWrap::Directive(const Napi::CallbackInfo &info)
{
    std::string name = Text(info[0]);
    std::string value(256, '\0');
    int64_t length =
        rln_server_directive(core_->server(), name.c_str(), value.data(), value.size());
    if (length >= static_cast<int64_t>(value.size())) {
        value.resize(static_cast<size_t>(length) + 1);
        length = rln_server_directive(core_->server(), name.c_str(), value.data(), value.size());
    }
    if (length < 0) {
        return info.Env().Null();
    }
    return Napi::String::New(info.Env(), value.c_str());
}

/* start(onEventsReady): a promise of null, or of { code, osError, text }.  The function is held
 * only while the server runs: it knows the JavaScript object, which could never be collected
 * otherwise. */
Napi::Value ServerWrap::Start(const Napi::CallbackInfo &info)
{
    Napi::Env env = info.Env();
    napi_threadsafe_function wake = nullptr;
    napi_value label = Napi::String::New(env, "redis-lite-native:events");
    if (napi_create_threadsafe_function(env, info[0], nullptr, label, 0, 1, nullptr, nullptr,
                                        nullptr, CallEventsReady, &wake) != napi_ok) {
        Napi::Error::New(env, "cannot create the event function").ThrowAsJavaScriptException();
        return env.Undefined();
    }
    core_->Disconnect(napi_tsfn_release);
    core_->Connect(wake);
    return Napi::Value(env, StartLater(env, core_));
}

/* stop(): a promise that settles when all threads have been joined */
Napi::Value ServerWrap::Stop(const Napi::CallbackInfo &info)
{
    return Napi::Value(info.Env(), StopLater(info.Env(), core_));
}

/* stopSync(): the same, on this thread */
void ServerWrap::StopSync(const Napi::CallbackInfo & /* info */)
{
    core_->Stop();
    core_->Disconnect(napi_tsfn_release);
}

void ServerWrap::RequestStop(const Napi::CallbackInfo & /* info */)
{
    rln_server_request_stop(core_->server());
}

Napi::Value ServerWrap::Port(const Napi::CallbackInfo &info)
{
    return Napi::Number::New(info.Env(), rln_server_port(core_->server()));
}

Napi::Value ServerWrap::Running(const Napi::CallbackInfo &info)
{
    return Napi::Boolean::New(info.Env(), rln_server_running(core_->server()));
}

/* nextEvents(max): the oldest events, at most 'max' */
Napi::Value ServerWrap::NextEvents(const Napi::CallbackInfo &info)
{
    Napi::Env env = info.Env();
    uint32_t max = info[0].ToNumber().Uint32Value();
    Napi::Array events = Napi::Array::New(env);
    rln_event event;
    for (uint32_t i = 0; i < max && rln_server_next_event(core_->server(), &event); i++) {
        events.Set(i, EventObject(env, event));
    }
    return events;
}

/* muteEvents(types): bits of the event types that nobody listens to */
void ServerWrap::MuteEvents(const Napi::CallbackInfo &info)
{
    rln_server_mute_events(core_->server(), info[0].ToNumber().Uint32Value());
}

/* createClient({ error, map, set, bigNumber }): a function (args, buffers) => reply */
Napi::Value ServerWrap::CreateClient(const Napi::CallbackInfo &info)
{
    return Napi::Value(info.Env(), ClientFunction(info.Env(), core_, info[0]));
}

/* keepAlive(keep): whether a running server keeps the process alive */
void ServerWrap::KeepAlive(const Napi::CallbackInfo &info)
{
    core_->KeepAlive(info.Env(), info[0].ToBoolean().Value());
}
