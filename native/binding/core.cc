/* The shared core: see core.h. */
#include "binding/core.h"

#include <new>

std::shared_ptr<Core> Core::Create(rln_options options)
{
    std::shared_ptr<Core> core(new (std::nothrow) Core());
    if (core == nullptr) {
        return nullptr;
    }
    options.on_events = OnEventsReady;
    options.user = core.get();
    core->server_ = rln_server_create(&options);
    return core->server_ != nullptr ? core : nullptr;
}

Core::~Core()
{
    rln_server_destroy(server_);
}

bool Core::Start(rln_error *error)
{
    std::lock_guard<std::mutex> lock(lifecycle_);
    return rln_server_start(server_, error) == 0;
}

void Core::Stop()
{
    std::lock_guard<std::mutex> lock(lifecycle_);
    rln_server_stop(server_);
}

void Core::Connect(napi_threadsafe_function wake)
{
    std::lock_guard<std::mutex> lock(wake_lock_);
    wake_ = wake;
}

void Core::Disconnect(napi_threadsafe_function_release_mode mode)
{
    std::lock_guard<std::mutex> lock(wake_lock_);
    if (wake_ != nullptr) {
        napi_release_threadsafe_function(wake_, mode);
        wake_ = nullptr;
    }
}

void Core::KeepAlive(napi_env env, bool keep)
{
    std::lock_guard<std::mutex> lock(wake_lock_);
    if (wake_ != nullptr && keep) {
        napi_ref_threadsafe_function(env, wake_);
    } else if (wake_ != nullptr) {
        napi_unref_threadsafe_function(env, wake_);
    }
}

/* A server thread.  The core signals only when its queue turns from empty to not
 * empty, so at most one call waits here however many events there are. */
void Core::OnEventsReady(void *user)
{
    Core *core = static_cast<Core *>(user);
    std::lock_guard<std::mutex> lock(core->wake_lock_);
    if (core->wake_ == nullptr) {
        return;
    }
    if (napi_call_threadsafe_function(core->wake_, nullptr, napi_tsfn_nonblocking) ==
        napi_closing) {
        core->wake_ = nullptr; /* The environment ends; Node took back our share of it. */
    }
}
