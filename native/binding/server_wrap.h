/* NativeServer: the class that lib/binding.ts sees.  It converts and forwards. */
#ifndef BINDING_SERVER_WRAP_H
#define BINDING_SERVER_WRAP_H

#include <napi.h>

#include <memory>

#include "binding/core.h"

class ServerWrap : public Napi::ObjectWrap<ServerWrap> {
public:
    /* Adds the class to the module's exports. */
    static void Register(Napi::Env env, Napi::Object exports);

    /* new NativeServer({ installSignalHandlers, eventCapacity, randomSeed }) */
    explicit ServerWrap(const Napi::CallbackInfo &info);
    ~ServerWrap() override;

private:
    Napi::Value Configure(const Napi::CallbackInfo &info);
    Napi::Value SetConfigFile(const Napi::CallbackInfo &info);
    Napi::Value Directive(const Napi::CallbackInfo &info);
    Napi::Value Start(const Napi::CallbackInfo &info);
    Napi::Value Stop(const Napi::CallbackInfo &info);
    void StopSync(const Napi::CallbackInfo &info);
    void RequestStop(const Napi::CallbackInfo &info);
    Napi::Value Port(const Napi::CallbackInfo &info);
    Napi::Value Running(const Napi::CallbackInfo &info);
    Napi::Value NextEvents(const Napi::CallbackInfo &info);
    void MuteEvents(const Napi::CallbackInfo &info);
    Napi::Value CreateClient(const Napi::CallbackInfo &info);
    void KeepAlive(const Napi::CallbackInfo &info);

    static void StopAtTeardown(void *core);

    std::shared_ptr<Core> core_;
};

#endif
