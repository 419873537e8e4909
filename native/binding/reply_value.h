/* A RESP3 reply as a JavaScript value. */
#ifndef BINDING_REPLY_VALUE_H
#define BINDING_REPLY_VALUE_H

#include <node_api.h>

#include "rln.h"

/* Functions of the caller that build values in its own realm, where 'instanceof' and
 * deep equality work. */
struct ReplyMakers {
    napi_ref error = nullptr;      /* (text) => error value */
    napi_ref map = nullptr;        /* ([key, value, ...]) => Map */
    napi_ref set = nullptr;        /* ([member, ...]) => Set */
    napi_ref big_number = nullptr; /* (digits) => bigint */
};

/* Takes strong references to the functions in 'object'; false when one is missing.
 * ReleaseReplyMakers() gives back whatever was taken. */
bool TakeReplyMakers(napi_env env, napi_value object, ReplyMakers *makers);
void ReleaseReplyMakers(napi_env env, ReplyMakers *makers);

/* Reads 'reply' whole.  With 'buffers', bulk strings become Buffers.  False when the
 * reply is malformed or a JavaScript exception is pending. */
bool ReplyValue(napi_env env, const ReplyMakers &makers, rln_bytes reply, bool buffers,
                napi_value *out);

#endif
