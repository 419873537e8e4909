/* An in-process client as one JavaScript function: the shortest way into the store. */
#ifndef BINDING_CLIENT_FUNCTION_H
#define BINDING_CLIENT_FUNCTION_H

#include <node_api.h>

#include <memory>

#include "binding/core.h"

/* Gives a function (args, buffers) => reply that owns a client of 'core', or null with an
 * exception pending.  'makers' holds the functions that build what plain Node-API cannot
 * build in the caller's own realm: { error, map, set, bigNumber }. */
napi_value ClientFunction(napi_env env, std::shared_ptr<Core> core, napi_value makers);

#endif
