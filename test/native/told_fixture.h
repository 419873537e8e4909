/* As client_fixture.h, and what the commands tell is heard (see tell.h). */
#ifndef TEST_TOLD_FIXTURE_H
#define TEST_TOLD_FIXTURE_H

#include "tell.h"

static struct run_server server;
static struct run_client client;
static struct told told;

static inline void begin(void)
{
    run_server_init(&server);
    run_client_init(&client, &server);
    told_listen(&told, &server);
}

static inline void end(void)
{
    told_release(&told, &server);
    run_client_release(&client);
    run_server_release(&server);
}

/* OBJECT ENCODING of a key is 'name'; both are literals. */
#define CHECK_ENCODING(key, name)                                                                  \
    CHECK(strstr(RUN_LINE(&client, "OBJECT ENCODING " key).at, name) != NULL)

#endif
