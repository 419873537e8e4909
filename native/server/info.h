/* The text of INFO, section by section, from the engine's statistics, the configuration
 * and a few facts of the server around them.  info.c chooses and writes the sections that
 * are about this server; info_sections.c those that are lists. */
#ifndef SERVER_INFO_H
#define SERVER_INFO_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "exec/stats.h"

struct config;
struct engine;
struct executor;

/* Rates of INFO stats, and the highest memory so far: the cron thread samples, any thread
 * reads. */
enum { INFO_SAMPLES = 16 };
struct info_rate {
    uint64_t last; /* the counter at the last sample */
    uint64_t per_second[INFO_SAMPLES];
    _Atomic uint64_t mean; /* of the samples */
};
struct info_meter {
    int64_t sampled_us; /* monotonic, of the last sample; 0: none yet */
    unsigned next;
    struct info_rate commands, net_in, net_out;
    _Atomic uint64_t peak_memory;
};

/* Takes a sample; the cron thread, about every 100 ms. */
void info_meter_sample(struct info_meter *meter, struct engine *engine);

/* What only the server knows, as plain values of this moment. */
struct info_facts {
    int port;             /* 0: no TCP listener */
    const char *io_model; /* "events", "blocking" */
    const char *poller;   /* "epoll", "kqueue", "poll", "none" */
    unsigned workers;
    size_t job_queue_depth, job_queue_capacity; /* of all workers together */
    uint64_t jobs;                              /* that have passed through the queues */
    uint64_t accepted, refused; /* sockets; refused by maxclients or protected mode */
    uint64_t accept_pauses;     /* times that the acceptor waited for descriptors */
    uint64_t client_errors;     /* connections that ended by an error */
    size_t largest_query_buffer, largest_output_buffer; /* of recent clients */
    uint64_t client_memory;                             /* of all clients of the network */
    size_t startup_memory;  /* engine_memory() when the server began to listen */
    int64_t shutdown_in_ms; /* of a running SHUTDOWN's patience; negative: none */
    bool supervised;
};

/* The most memory so far; 'memory' is that of now. */
uint64_t info_meter_peak(struct info_meter *meter, uint64_t memory);

struct info_source {
    struct engine *engine;
    struct config *config;
    struct info_meter *meter;
    /* Fills the facts, which come zeroed. */
    void (*facts)(void *server, struct info_facts *facts);
    void *server;
};

/* The sections ("default", "all", "everything" or names, in either case; none: default), each
 * at most once and in Redis's order.  'executor' is the asking thread's, in a batch. */
void info_write(const struct info_source *source, struct executor *executor,
                const struct bytes *sections, uint32_t count, struct buf *out);

#endif
