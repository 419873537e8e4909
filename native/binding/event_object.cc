/* Events of the core as plain JavaScript objects: see event_object.h. */
#include "binding/event_object.h"

namespace {

Napi::String BytesText(Napi::Env env, rln_bytes bytes)
{
    return Napi::String::New(env, bytes.at != nullptr ? bytes.at : "", bytes.len);
}

Napi::Number Integer(Napi::Env env, int64_t value)
{
    return Napi::Number::New(env, static_cast<double>(value));
}

} // namespace

Napi::Object EventObject(Napi::Env env, const rln_event &event)
{
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", Integer(env, event.type));
    object.Set("at", Integer(env, event.at_ms));
    object.Set("clientId", Integer(env, event.client_id));
    object.Set("count", Integer(env, event.count));
    object.Set("value", Integer(env, event.value));
    object.Set("reason", Integer(env, event.reason));
    object.Set("level", Integer(env, event.level));
    object.Set("name", BytesText(env, event.name));
    object.Set("text", BytesText(env, event.text));
    return object;
}
