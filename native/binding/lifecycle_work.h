/* Start and stop off the JavaScript thread, each as a promise. */
#ifndef BINDING_LIFECYCLE_WORK_H
#define BINDING_LIFECYCLE_WORK_H

#include <node_api.h>

#include <memory>

#include "binding/core.h"

/* Resolves with null, or with { code, osError, text } when the start failed. */
napi_value StartLater(napi_env env, std::shared_ptr<Core> core);

/* Resolves with null once every thread has been joined. */
napi_value StopLater(napi_env env, std::shared_ptr<Core> core);

/* { code, osError, text } of 'error', built in JavaScript's heap; null on failure. */
napi_value ErrorObject(napi_env env, const rln_error &error);

#endif
