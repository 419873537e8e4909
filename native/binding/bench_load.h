/* The load generator for JavaScript, as the class NativeLoad. */
#ifndef BINDING_BENCH_LOAD_H
#define BINDING_BENCH_LOAD_H

#include <napi.h>

#include <memory>

#include "rln_bench.h"

/* Owns a load.  Shared by the object and by the work that runs it. */
class Load {
public:
    explicit Load(rln_load *load) : load_(load) {}
    ~Load() { rln_load_destroy(load_); }
    Load(const Load &) = delete;
    Load &operator=(const Load &) = delete;
    rln_load *get() const { return load_; }

private:
    rln_load *load_;
};

class LoadWrap : public Napi::ObjectWrap<LoadWrap> {
public:
    static void Register(Napi::Env env, Napi::Object exports);
    explicit LoadWrap(const Napi::CallbackInfo &info);
    ~LoadWrap() override;

private:
    static void StopAtTeardown(void *load);
    Napi::Value Run(const Napi::CallbackInfo &info);
    Napi::Value Progress(const Napi::CallbackInfo &info);
    void Stop(const Napi::CallbackInfo &info);
    Napi::Value Result(const Napi::CallbackInfo &info);

    std::shared_ptr<Load> load_;
};

#endif
