/* The addon's entry: exports NativeServer, NativeLoad, directives() and version().  The files
 * of this folder convert and forward; what anything means is decided in the core and in lib/. */
#include <napi.h>

#include "binding/bench_load.h"
#include "binding/server_wrap.h"
#include "rln.h"

namespace {

Napi::Value Directives(const Napi::CallbackInfo &info)
{
    Napi::Env env = info.Env();
    size_t count = 0;
    const rln_directive *rows = rln_directives(&count);
    Napi::Array list = Napi::Array::New(env, count);
    for (size_t i = 0; i < count; i++) {
        const rln_directive &row = rows[i];
        Napi::Object object = Napi::Object::New(env);
        Napi::Array choices = Napi::Array::New(env);
        for (uint32_t n = 0; row.choices != nullptr && row.choices[n] != nullptr; n++) {
            choices.Set(n, row.choices[n]);
        }
        object.Set("name", row.name);
        object.Set("alias", row.alias != nullptr ? Napi::String::New(env, row.alias) : env.Null());
        object.Set("kind", Napi::Number::New(env, row.kind));
        object.Set("fallback", row.fallback != nullptr ? row.fallback : "");
        object.Set("min", Napi::Number::New(env, static_cast<double>(row.min)));
        object.Set("max", Napi::Number::New(env, static_cast<double>(row.max)));
        object.Set("choices", choices);
        object.Set("atStartOnly", row.at_start_only);
        object.Set("repeats", row.repeats);
        object.Set("fixed", row.fixed);
        object.Set("summary", row.summary != nullptr ? row.summary : "");
        list.Set(static_cast<uint32_t>(i), object);
    }
    return list;
}

Napi::Value Version(const Napi::CallbackInfo &info)
{
    return Napi::String::New(info.Env(), rln_version());
}

Napi::Object Init(Napi::Env env, Napi::Object exports)
{
    ServerWrap::Register(env, exports);
    LoadWrap::Register(env, exports);
    exports.Set("directives", Napi::Function::New<Directives>(env, "directives"));
    exports.Set("version", Napi::Function::New<Version>(env, "version"));
    return exports;
}

} // namespace

NODE_API_MODULE(redis_lite_native, Init)
