/* NativeLoad: see bench_load.h.  The load runs as asynchronous work, on threads of its own;
 * JavaScript watches it by asking for its progress. */
#include "binding/bench_load.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Work {
    std::shared_ptr<Load> load;
    napi_deferred deferred = nullptr;
    napi_async_work handle = nullptr;
    bool failed = false;
    struct rln_load_error error = {};
};

void Execute(napi_env /* env */, void *data)
{
    Work *work = static_cast<Work *>(data);
    work->failed = rln_load_run(work->load->get(), &work->error) != 0;
}

/* Plain Node-API: the environment may be going away, and then calls fail. */
void Complete(napi_env env, napi_status /* status */, void *data)
{
    std::unique_ptr<Work> work(static_cast<Work *>(data));
    napi_value result = nullptr;
    napi_status made =
        work->failed ? napi_create_string_utf8(env, work->error.text, NAPI_AUTO_LENGTH, &result)
                     : napi_get_null(env, &result);
    if (made == napi_ok) {
        napi_resolve_deferred(env, work->deferred, result);
        napi_delete_async_work(env, work->handle);
    }
}

double NumberOf(const Napi::Object &object, const char *name)
{
    return object.Get(name).ToNumber().DoubleValue();
}

unsigned CountOf(const Napi::Object &object, const char *name)
{
    return object.Get(name).ToNumber().Uint32Value();
}

/* Options with all that they point to. */
struct Options {
    rln_load_options native = {};
    std::string host, password;
    std::deque<std::string> words;
    std::deque<std::vector<const char *>> word_lists;
    std::vector<rln_load_command> commands;
    std::vector<rln_load_size> sizes;
};

void TakeCommands(const Napi::Object &given, Options *options)
{
    Napi::Array commands = given.Get("commands").As<Napi::Array>();
    for (uint32_t i = 0; i < commands.Length(); i++) {
        Napi::Object command = commands.Get(i).As<Napi::Object>();
        Napi::Array words = command.Get("words").As<Napi::Array>();
        options->word_lists.emplace_back();
        for (uint32_t n = 0; n < words.Length(); n++) {
            options->words.push_back(words.Get(n).ToString().Utf8Value());
            options->word_lists.back().push_back(options->words.back().c_str());
        }
        options->commands.push_back(rln_load_command{
            options->word_lists.back().data(), options->word_lists.back().size(),
            NumberOf(command, "weight"), command.Get("asLine").ToBoolean().Value(),
            command.Get("repliesValue").ToBoolean().Value() });
    }
    options->native.templates = options->commands.data();
    options->native.template_count = options->commands.size();
}

void TakeSizes(const Napi::Object &given, Options *options)
{
    Napi::Array sizes = given.Get("sizes").As<Napi::Array>();
    for (uint32_t i = 0; i < sizes.Length(); i++) {
        Napi::Object size = sizes.Get(i).As<Napi::Object>();
        options->sizes.push_back(
            rln_load_size{ CountOf(size, "min"), CountOf(size, "max"), NumberOf(size, "weight") });
    }
    options->native.sizes = options->sizes.data();
    options->native.size_count = options->sizes.size();
}

void TakeOptions(const Napi::Object &given, Options *options)
{
    rln_load_options &native = options->native;
    options->host = given.Get("host").ToString().Utf8Value();
    native.host = options->host.c_str();
    native.port = given.Get("port").ToNumber().Int32Value();
    if (given.Get("password").IsString()) {
        options->password = given.Get("password").ToString().Utf8Value();
        native.password = options->password.c_str();
    }
    native.threads = CountOf(given, "threads");
    native.connections = CountOf(given, "connections");
    native.pipeline = CountOf(given, "pipeline");
    native.idle_connections = CountOf(given, "idleConnections");
    native.commands = static_cast<uint64_t>(given.Get("commandCount").ToNumber().Int64Value());
    native.duration_ms = given.Get("durationMs").ToNumber().Int64Value();
    native.rate = NumberOf(given, "rate");
    native.keys = static_cast<rln_load_keys>(CountOf(given, "keys"));
    native.key_count = static_cast<uint64_t>(given.Get("keyCount").ToNumber().Int64Value());
    native.zipf_theta = NumberOf(given, "zipfTheta");
    native.interval_ms = given.Get("intervalMs").ToNumber().Int64Value();
    native.seed = static_cast<uint64_t>(given.Get("seed").ToNumber().Int64Value());
    TakeCommands(given, options);
    TakeSizes(given, options);
}

Napi::Float64Array NumbersOf(Napi::Env env, const std::vector<double> &numbers)
{
    Napi::Float64Array array = Napi::Float64Array::New(env, numbers.size());
    for (size_t i = 0; i < numbers.size(); i++) {
        array[i] = numbers[i];
    }
    return array;
}

/* Value and count of each bucket in turn. */
std::vector<double> LatenciesOf(const rln_load *load)
{
    std::vector<double> pairs;
    uint64_t values[256];
    uint64_t counts[256];
    size_t cursor = 0;
    size_t count = 0;
    while ((count = rln_load_latencies(load, &cursor, values, counts, 256)) > 0) {
        for (size_t i = 0; i < count; i++) {
            pairs.push_back(static_cast<double>(values[i]));
            pairs.push_back(static_cast<double>(counts[i]));
        }
    }
    return pairs;
}

std::vector<double> IntervalsOf(const rln_load *load, size_t count)
{
    std::vector<uint64_t> replies(count);
    rln_load_intervals(load, replies.data());
    return std::vector<double>(replies.begin(), replies.end());
}

} // namespace

void LoadWrap::Register(Napi::Env env, Napi::Object exports)
{
    exports.Set("NativeLoad", DefineClass(env, "NativeLoad",
                                          {
                                              InstanceMethod<&LoadWrap::Run>("run"),
                                              InstanceMethod<&LoadWrap::Progress>("progress"),
                                              InstanceMethod<&LoadWrap::Stop>("stop"),
                                              InstanceMethod<&LoadWrap::Result>("result"),
                                          }));
}

LoadWrap::LoadWrap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<LoadWrap>(info)
{
    Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsObject()) {
        Napi::TypeError::New(env, "expected an options object").ThrowAsJavaScriptException();
        return;
    }
    Options options;
    struct rln_load_error error = {};
    TakeOptions(info[0].As<Napi::Object>(), &options);
    rln_load *load = rln_load_create(&options.native, &error);
    if (load == nullptr) {
        Napi::Error::New(env, error.text).ThrowAsJavaScriptException();
        return;
    }
    load_ = std::make_shared<Load>(load);
    napi_add_env_cleanup_hook(env, StopAtTeardown, load);
}

LoadWrap::~LoadWrap()
{
    if (load_ != nullptr) {
        napi_remove_env_cleanup_hook(Env(), StopAtTeardown, load_->get());
    }
}

void LoadWrap::StopAtTeardown(void *load)
{
    rln_load_stop(static_cast<rln_load *>(load));
}

/* run(): a promise of null, or of why it failed */
Napi::Value LoadWrap::Run(const Napi::CallbackInfo &info)
{
    napi_env env = info.Env();
    std::unique_ptr<Work> work(new Work{ load_ });
    napi_value promise = nullptr;
    napi_value name = nullptr;
    if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
        napi_create_string_utf8(env, "redis-lite-native:load", NAPI_AUTO_LENGTH, &name) !=
            napi_ok ||
        napi_create_async_work(env, nullptr, name, Execute, Complete, work.get(), &work->handle) !=
            napi_ok ||
        napi_queue_async_work(env, work->handle) != napi_ok) {
        Napi::Error::New(env, "cannot start the load").ThrowAsJavaScriptException();
        return info.Env().Undefined();
    }
    work.release(); /* Complete() frees it. */
    return Napi::Value(env, promise);
}

/* progress(): { replies, errors, elapsedNs, running } */
Napi::Value LoadWrap::Progress(const Napi::CallbackInfo &info)
{
    struct rln_load_progress progress;
    rln_load_progress(load_->get(), &progress);
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("replies", static_cast<double>(progress.replies));
    object.Set("errors", static_cast<double>(progress.errors));
    object.Set("elapsedNs", static_cast<double>(progress.elapsed_ns));
    object.Set("running", progress.running);
    return object;
}

void LoadWrap::Stop(const Napi::CallbackInfo & /* info */)
{
    rln_load_stop(load_->get());
}

/* result(): all counts, the intervals and the latencies */
Napi::Value LoadWrap::Result(const Napi::CallbackInfo &info)
{
    Napi::Env env = info.Env();
    struct rln_load_result result;
    rln_load_result(load_->get(), &result);
    Napi::Object object = Napi::Object::New(env);
    object.Set("sent", static_cast<double>(result.sent));
    object.Set("replies", static_cast<double>(result.replies));
    object.Set("errors", static_cast<double>(result.errors));
    object.Set("misses", static_cast<double>(result.misses));
    object.Set("badValues", static_cast<double>(result.bad_values));
    object.Set("unfinished", static_cast<double>(result.unfinished));
    object.Set("lostConnections", static_cast<double>(result.lost_connections));
    object.Set("bytesOut", static_cast<double>(result.bytes_out));
    object.Set("bytesIn", static_cast<double>(result.bytes_in));
    object.Set("elapsedNs", static_cast<double>(result.elapsed_ns));
    object.Set("intervalMs", static_cast<double>(result.interval_ms));
    object.Set("firstError", result.first_error);
    object.Set("intervals", NumbersOf(env, IntervalsOf(load_->get(), result.interval_count)));
    object.Set("latencies", NumbersOf(env, LatenciesOf(load_->get())));
    return object;
}
