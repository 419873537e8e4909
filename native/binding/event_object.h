/* Events of the core as plain JavaScript objects; lib/native-events.ts gives them types. */
#ifndef BINDING_EVENT_OBJECT_H
#define BINDING_EVENT_OBJECT_H

#include <napi.h>

#include "rln.h"

/* A plain object with the fields of 'event'; enumerators stay numbers. */
Napi::Object EventObject(Napi::Env env, const rln_event &event);

#endif
