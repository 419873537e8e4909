/* The scripts of one server: their texts by digest, for SCRIPT and for the machines that compile
 * them, and the libraries of functions (functions.h).  Shared by all threads, behind a lock. */
#ifndef SCRIPT_SCRIPTS_H
#define SCRIPT_SCRIPTS_H

#include "base/buf.h"
#include "base/sha1.h"
#include "exec/engine.h"

/* Flags of a script's first line, "#!lua flags=...", or of a function. */
enum script_flags {
    SCRIPT_NO_WRITES = 1 << 0,
    SCRIPT_ALLOW_OOM = 1 << 1,
    SCRIPT_ALLOW_STALE = 1 << 2,
    SCRIPT_NO_CLUSTER = 1 << 3,
    SCRIPT_CROSS_SLOT = 1 << 4,
    SCRIPT_PLAIN = 1 << 5, /* there is no such line: what it may do is found out as it runs */
};

struct script {
    _Atomic uint32_t references;
    _Atomic bool gone;     /* flushed or evicted: digests do not find it any more */
    _Atomic bool loaded;   /* by SCRIPT LOAD: is not evicted; changes under the lock */
    _Atomic uint64_t used; /* scripting->clock when it last ran */
    uint32_t flags;        /* enum script_flags */
    struct bytes body;     /* as it was sent */
    struct bytes text;     /* rewritten, without the first line's words */
    size_t size;           /* of all this */
    char digest[SHA1_HEX_LEN + 1];
};

/* Libraries of functions, in the order of loading; see functions.h. */
struct library_list {
    struct library *first;
    uint32_t libraries, functions;
};

struct scripting {
    struct attachment attachment; /* first */
    struct mutex mutex;           /* RANK_SCRIPTS; guards the table */
    struct script **slots;        /* open addressing, by digest */
    uint32_t room, count, evictable;
    _Atomic uint64_t era;   /* moves on when all scripts are forgotten */
    _Atomic uint64_t clock; /* counts what has been run and may be evicted */
    _Atomic uint64_t evicted;
    _Atomic size_t memory;     /* of the scripts */
    _Atomic size_t lua_memory; /* of all machines */
    struct machine *slow;      /* the machines whose scripts have been running for long */
    struct library_list libraries;
    _Atomic uint64_t functions_era; /* moves on when they change */
    _Atomic uint32_t library_count, function_count;
};

/* Never NULL but when memory is short; made at the first call. */
struct scripting *scripting_of(struct engine *engine);

/* The script of a digest in lower case, with a reference for the caller; or NULL. */
struct script *scripts_find(struct scripting *scripting, const char *digest);

/* Makes a script of 'body', which no digest finds yet, with a reference for the caller.  NULL
 * with the message in 'error'. */
struct script *scripts_create(struct bytes body, struct buf *error);

/* From now on its digest finds it, unless there is one already.  'loaded': it came by SCRIPT LOAD.
 * When too many have come otherwise, the one that was not run for longest is forgotten. */
void scripts_add(struct scripting *scripting, struct script *script, bool loaded);

/* Forgets them all. */
void scripts_flush(struct scripting *scripting);

/* Of SHA1_HEX_LEN digits that a client has sent: in lower case. */
void script_fold_digest(const char *given, char digest[SHA1_HEX_LEN]);

void script_unref(struct script *script);
static inline struct script *script_ref(struct script *script)
{
    atomic_fetch_add_explicit(&script->references, 1, memory_order_relaxed);
    return script;
}

/* The flag of a name, in either case, or 0. */
uint32_t script_flag_of(struct bytes name);

/* Reads a first line "#!..." of 'text': the flags behind it, and its length without the line
 * end.  False with the message in 'error'. */
MUST_CHECK bool script_read_header(struct bytes text, uint32_t *flags, size_t *len,
                                   struct buf *error);

#endif
