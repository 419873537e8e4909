/* What most tests of commands begin with: a server and one client.  Included behind the other
 * headers of tests, for which these names are those of parameters.
 *
 *     static void append_creates_a_missing_key(void)
 *     {
 *         begin();
 *         CHECK_REPLY(RUN_LINE(&client, "APPEND k v"), ":1\r\n");
 *         end();
 *     }
 */
#ifndef TEST_CLIENT_FIXTURE_H
#define TEST_CLIENT_FIXTURE_H

#include "run.h"

static struct run_server server;
static struct run_client client;

static inline void begin(void)
{
    run_server_init(&server);
    run_client_init(&client, &server);
}

static inline void end(void)
{
    run_client_release(&client);
    run_server_release(&server);
}

#endif
