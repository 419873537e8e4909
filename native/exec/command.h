/* A command stands in one place: its handler and its row, in the same cmd_*.c.  From the
 * row derive locks, arity errors, COMMAND's answers, ACL categories, propagation, refusals. */
#ifndef EXEC_COMMAND_H
#define EXEC_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct call;
struct executor;
struct request;

/* In the order in which COMMAND INFO lists them. */
enum command_flags {
    CMD_WRITE = 1 << 0,
    CMD_READONLY = 1 << 1,
    CMD_DENYOOM = 1 << 2,
    CMD_MODULE = 1 << 3,
    CMD_ADMIN = 1 << 4,
    CMD_PUBSUB = 1 << 5,
    CMD_NOSCRIPT = 1 << 6,
    CMD_BLOCKING = 1 << 7,
    CMD_LOADING = 1 << 8,
    CMD_STALE = 1 << 9,
    CMD_SKIP_MONITOR = 1 << 10,
    CMD_SKIP_SLOWLOG = 1 << 11,
    CMD_ASKING = 1 << 12,
    CMD_FAST = 1 << 13,
    CMD_NO_AUTH = 1 << 14,
    CMD_MAY_REPLICATE = 1 << 15, /* not told to clients, as in Redis */
    CMD_NO_ASYNC_LOADING = 1 << 16,
    CMD_NO_MULTI = 1 << 17,
    CMD_ALLOW_BUSY = 1 << 18,
    CMD_MOVABLE_KEYS = 1 << 19, /* derived by the registry */
    CMD_TOUCHES_ARBITRARY_KEYS = 1 << 20,
    CMD_NO_MANDATORY_KEYS = 1 << 21,
    /* Ours, not told to clients. */
    CMD_KEYS_ALL = 1 << 24,           /* runs in the exclusive section */
    CMD_WALKS = 1 << 25,              /* locks by itself, stripe by stripe: SCAN, KEYS */
    CMD_IMMEDIATE_IN_MULTI = 1 << 26, /* runs at once inside MULTI: EXEC, DISCARD, WATCH ... */
    CMD_SELECTS = 1 << 27,            /* changes the session's database: SELECT */
    CMD_LOCKS_TO_WRITE = 1 << 28,     /* its keys are locked for writing though it only reads */
    CMD_SYSTEM = 1 << 29,             /* not for users, as COMMAND DOCS says */
};

/* ACL categories beyond those that follow from flags and family. */
enum command_categories {
    CATEGORY_KEYSPACE = 1 << 0,
    CATEGORY_READ = 1 << 1,
    CATEGORY_WRITE = 1 << 2,
    CATEGORY_SET = 1 << 3,
    CATEGORY_SORTED_SET = 1 << 4,
    CATEGORY_LIST = 1 << 5,
    CATEGORY_HASH = 1 << 6,
    CATEGORY_STRING = 1 << 7,
    CATEGORY_BITMAP = 1 << 8,
    CATEGORY_HYPERLOGLOG = 1 << 9,
    CATEGORY_GEO = 1 << 10,
    CATEGORY_STREAM = 1 << 11,
    CATEGORY_PUBSUB = 1 << 12,
    CATEGORY_ADMIN = 1 << 13,
    CATEGORY_FAST = 1 << 14,
    CATEGORY_SLOW = 1 << 15,
    CATEGORY_BLOCKING = 1 << 16,
    CATEGORY_DANGEROUS = 1 << 17,
    CATEGORY_CONNECTION = 1 << 18,
    CATEGORY_TRANSACTION = 1 << 19,
    CATEGORY_SCRIPTING = 1 << 20,
    CATEGORY_NOT_OF_GROUP = 1 << 21, /* no category: that of the row's group does not apply */
};

/* How a key is used, as Redis's key specifications say. */
enum key_flags {
    KEY_RO = 1 << 0, /* reads the value */
    KEY_RW = 1 << 1, /* changes the value, using it */
    KEY_OW = 1 << 2, /* overwrites */
    KEY_RM = 1 << 3, /* removes */
    KEY_ACCESS = 1 << 4,
    KEY_UPDATE = 1 << 5,
    KEY_INSERT = 1 << 6,
    KEY_DELETE = 1 << 7,
    KEY_NOT_KEY = 1 << 8,
    KEY_INCOMPLETE = 1 << 9,
    KEY_VARIABLE_FLAGS = 1 << 10,
};

enum key_begin { KEYS_NONE, KEYS_BEGIN_INDEX, KEYS_BEGIN_KEYWORD, KEYS_BEGIN_UNKNOWN };
enum key_find { KEYS_FIND_RANGE, KEYS_FIND_COUNTED, KEYS_FIND_UNKNOWN };

struct key_spec {
    uint16_t begin;      /* enum key_begin */
    uint16_t find;       /* enum key_find */
    uint32_t flags;      /* enum key_flags */
    int16_t index;       /* BEGIN_INDEX: of the first key, or of the count; KEYWORD: start from */
    int16_t last;        /* FIND_RANGE: of the last key from the first (-1: to the end, -2 ...) */
    int16_t step;        /* between keys */
    int16_t limit;       /* FIND_RANGE with last -1: 2 is half of the rest ... */
    int16_t count_index; /* FIND_COUNTED: of numkeys from the beginning */
    int16_t first_key;   /* FIND_COUNTED: of the first key from the beginning */
    const char *keyword;
    const char *notes;
};

#define KEY_AT(at, use)                                                                            \
    { .begin = KEYS_BEGIN_INDEX, .find = KEYS_FIND_RANGE, .flags = (use), .index = (at), .step = 1 }
#define KEYS_FROM(first, until, every, use)                                                        \
    { .begin = KEYS_BEGIN_INDEX,                                                                   \
      .find = KEYS_FIND_RANGE,                                                                     \
      .flags = (use),                                                                              \
      .index = (first),                                                                            \
      .last = (until),                                                                             \
      .step = (every) }
#define KEYS_COUNTED(at, use)                                                                      \
    { .begin = KEYS_BEGIN_INDEX,                                                                   \
      .find = KEYS_FIND_COUNTED,                                                                   \
      .flags = (use),                                                                              \
      .index = (at),                                                                               \
      .first_key = 1,                                                                              \
      .step = 1 }
#define KEYS_AFTER(word, from, use)                                                                \
    { .begin = KEYS_BEGIN_KEYWORD,                                                                 \
      .find = KEYS_FIND_RANGE,                                                                     \
      .flags = (use),                                                                              \
      .index = (from),                                                                             \
      .step = 1,                                                                                   \
      .keyword = (word) }
enum { COMMAND_KEY_SPECS = 4 };

/* Which arguments of a command are channels that its client must be allowed to use. */
enum command_channels {
    CHANNELS_NONE,
    CHANNELS_FIRST,    /* the first: PUBLISH */
    CHANNELS_ALL,      /* every one: SUBSCRIBE */
    CHANNELS_PATTERNS, /* every one is a pattern of channels: PSUBSCRIBE */
};

/* Keys of a command as its arguments give them. */
struct found_key {
    uint32_t at;    /* index into argv */
    uint32_t flags; /* enum key_flags */
};

/* Which command families there are; the documentation's groups. */
enum command_group {
    GROUP_GENERIC,
    GROUP_STRING,
    GROUP_LIST,
    GROUP_SET,
    GROUP_SORTED_SET,
    GROUP_HASH,
    GROUP_PUBSUB,
    GROUP_TRANSACTIONS,
    GROUP_CONNECTION,
    GROUP_SERVER,
    GROUP_SCRIPTING,
    GROUP_HYPERLOGLOG,
    GROUP_CLUSTER,
    GROUP_SENTINEL,
    GROUP_GEO,
    GROUP_STREAM,
    GROUP_BITMAP,
};

struct command_history {
    const char *since, *change;
};

/* What the executor locks for a command. */
enum command_plan {
    PLAN_UNKNOWN,    /* a row that is not the registry's */
    PLAN_NO_KEYS,    /* nothing, or it locks by itself (CMD_WALKS) */
    PLAN_ONE_KEY,    /* the argument at 'key_at', whatever the others say */
    PLAN_KEYS,       /* what command_keys() finds */
    PLAN_EVERYTHING, /* the exclusive section (CMD_KEYS_ALL) */
    PLAN_DECLARED,   /* what the row's 'needs' says */
};

/* What a command needs that may run scripts. */
enum key_needs { NEEDS_EVERYTHING, NEEDS_KEYS_TO_READ, NEEDS_KEYS_TO_WRITE };

/* What the registry derives from a row, in its own copy of it; rows leave it zero. */
struct command_derived {
    uint16_t index;      /* registry_index() */
    uint8_t plan;        /* enum command_plan */
    uint8_t key_at;      /* PLAN_ONE_KEY */
    bool writes;         /* command_locks_for_writing() */
    bool container;      /* has subcommands */
    bool feeds;          /* may give a key what blocked clients wait for */
    uint16_t parent;     /* 1 + index of the container of a subcommand; 0: none */
    uint32_t categories; /* registry_categories() */
};

struct command {
    const char *name;                       /* "getex"; subcommands "config|get" */
    enum err (*handler)(struct call *call); /* NULL for a container of subcommands */
    int16_t arity;                          /* as Redis: with the name; negative: at least */
    uint16_t group;                         /* enum command_group */
    uint32_t flags;
    uint32_t categories;            /* extra ones */
    struct command_derived derived; /* the registry's */
    int8_t member_at;               /* the argument that names a member (a field) of the one key's
                                     value, to be prefetched; negative: from the end; 0: none */
    int8_t score_at;                /* likewise the one with its new score, where its place in the
                                     order is needed too; member_at: it gets none */
    uint8_t channels;               /* enum command_channels */
    struct key_spec keys[COMMAND_KEY_SPECS];
    /* For commands whose keys depend on their arguments in ways that no key_spec tells (SORT,
     * MIGRATE): appends to 'found' (room for argc), returns the count, or -1 for a syntax
     * that has none. */
    int (*find_keys)(const struct bytes *argv, uint32_t argc, struct found_key *found);
    /* True for arguments with which the command must run in the exclusive section (COPY
     * with DB, MOVE ...). */
    bool (*needs_everything)(const struct bytes *argv, uint32_t argc);
    /* For a CMD_KEYS_ALL command that may do with less: it is asked before each run outside of a
     * transaction, on the thread that is about to run it and holds nothing yet. */
    enum key_needs (*needs)(struct executor *executor, const struct bytes *argv, uint32_t argc);
    const char *since, *complexity, *summary;
    const char *syntax; /* of COMMAND DOCS' arguments (NULL: none); see exec/syntax.h */
    const char *deprecated_since, *replaced_by;
    const struct command_history *history; /* ends with { NULL } */
    const char *const *tips;               /* ends with NULL */
};

#endif
