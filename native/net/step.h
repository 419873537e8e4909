/* One step of a worker, six stages over all clients that are ready:
 *
 *     poll -> read -> parse -> prefetch -> execute -> write
 *
 * A stage runs for all of them before the next begins, so that system calls come in
 * batches, and the memory of all parsed commands' keys is on its way before the first of
 * them executes. */
#ifndef NET_STEP_H
#define NET_STEP_H

#include "exec/executor.h"
#include "net/output.h"
#include "net/poll.h"
#include "proto/reader.h"

struct conn;
struct worker;

enum {
    STEP_EVENTS = 256,               /* clients taken from the poller at once */
    STEP_REQUESTS = EXECUTOR_ROUND,  /* commands between two executions */
    STEP_WINDOW = EXECUTOR_AHEAD,    /* commands whose members are on their way at once */
    STEP_ARENA = 256 * 1024,         /* input read in one go, all clients together */
    STEP_READ = 64 * 1024,           /* of one client at most */
    STEP_REPLIES = 256 * 1024,       /* replies are sent when there are this many bytes */
    STEP_ARGUMENTS_KEPT = 16 * 1024, /* room for more is given back after the step */
    STEP_LARGE_INPUT = 32 * 1024,    /* an incomplete command this long gets a buffer of its own */
};

/* A client of the current step. */
struct step_client {
    struct conn *conn;
    const char *data;           /* what was read, in the arena or in conn->input */
    size_t len, used;           /* 'used' bytes were parsed */
    struct reply_mark from, to; /* its part of the replies */
    bool in_own_buffer;         /* 'data' is conn->input */
    bool answered;              /* 'from' is set */
    bool untouched;             /* nothing was read, and nothing waits: input stays as it is */
    bool ended;                 /* recv() gave 0 or failed: no more will come */
    bool stopped;               /* the rest of its commands is not run in this step */
    bool left;                  /* settled before the end of the step: see step_leave_others() */
    size_t resume_at;           /* 'stopped': where the first command not run begins */
};

struct step {
    struct poll_event *events;
    char *arena;
    struct step_client *clients;
    uint32_t client_count, first_unsent;
    uint32_t parsing; /* the client whose input is being cut; those before it are done with */
    uint32_t running; /* the command that is being run */
    struct poll_event *pending; /* events whose clients have not been taken yet */
    int pending_count;
    struct argument_list arguments;
    struct parsed_command *parsed; /* STEP_REQUESTS of each */
    struct request *requests;
    uint32_t *request_client;
    size_t *request_start; /* where in the client's data the command begins */
    uint32_t request_count;
    size_t request_bytes; /* as they came off the wire */
    struct reply reply;
};

/* False when memory is short: nothing is held then. */
MUST_CHECK bool step_init(struct step *step);
void step_release(struct step *step);

/* Serves the clients of 'count' poll events.  In a batch. */
void step_run(struct worker *worker, struct poll_event *events, int count);

/* In the midst of a step, whose newest command, of 'running', takes long: all other clients leave
 * the step.  Replies so far are sent, and commands of theirs that have not run yet wait in their
 * own buffers: they can be served by another step meanwhile. */
void step_leave_others(struct worker *worker, const struct conn *running);

/* A client of which the poller has told, and which is not in the step yet, is no more. */
void step_forget(struct step *step, const struct conn *conn);

#endif
