/* The part of a native server that outlives its JavaScript object: the rln_server
 * itself, and the thread-safe function by which its threads wake JavaScript.
 * server_wrap.cc, client_function.cc and the work items of lifecycle_work.cc share
 * it; the last of them to let go destroys it. */
#ifndef BINDING_CORE_H
#define BINDING_CORE_H

#include <node_api.h>

#include <memory>
#include <mutex>

#include "rln.h"

class Core {
public:
    /* Gives a core whose server does not run yet, or null when memory is short. */
    static std::shared_ptr<Core> Create(rln_options options);
    ~Core();

    Core(const Core &) = delete;
    Core &operator=(const Core &) = delete;

    rln_server *server() const { return server_; }

    /* Binds and starts the threads; false with '*error' filled.  Any thread. */
    bool Start(rln_error *error);

    /* Stops and joins every thread of the server.  Idempotent, any thread; a stop that
     * meets a start or another stop waits for it. */
    void Stop();

    /* JavaScript thread: from now on 'wake' is called when events wait.  The core owns
     * 'wake' until Disconnect(). */
    void Connect(napi_threadsafe_function wake);

    /* JavaScript thread: no wake-up is sent from here on.  'mode' is napi_tsfn_abort
     * while the environment ends and napi_tsfn_release otherwise. */
    void Disconnect(napi_threadsafe_function_release_mode mode);

    /* JavaScript thread: whether waiting for events keeps the process alive. */
    void KeepAlive(napi_env env, bool keep);

private:
    Core() = default;

    static void OnEventsReady(void *user);

    rln_server *server_ = nullptr;
    std::mutex lifecycle_; /* one start or stop at a time */
    std::mutex wake_lock_; /* guards wake_ */
    napi_threadsafe_function wake_ = nullptr;
};

#endif
