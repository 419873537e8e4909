/* What the start finds wanting; see warnings.h. */
#include "server/warnings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"
#include "server/server.h"

/* Descriptors besides those of clients: listeners, pollers, wake-ups, files, and Node's own. */
enum { OTHER_FILES = 64 };

__attribute__((format(printf, 3, 4))) static void warn(struct rln_server *server, const char *code,
                                                       const char *format, ...)
{
    char text[256];
    va_list values;
    va_start(values, format);
    int len = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    log_warning(&server->log, "WARNING: %s", text);
    server_tell(server, (struct rln_event){
                            .type = RLN_EVENT_WARNING,
                            .name = { code, strlen(code) },
                            .text = { text, len > 0 ? (size_t)len : 0 },
                        });
}

void warnings_tell(struct rln_server *server)
{
    int64_t backlog = config_number(&server->config, "tcp-backlog");
    int64_t backlog_limit = os_backlog_limit();
    if (backlog > backlog_limit) {
        warn(server, "BACKLOG_LIMIT",
             "The system cuts the backlog of %" PRId64 " connections to %" PRId64 ".", backlog,
             backlog_limit);
    }
    int64_t clients = config_number(&server->config, "maxclients");
    int64_t files = os_open_files_limit();
    if (clients > files - OTHER_FILES) {
        warn(server, "OPEN_FILES_LIMIT",
             "This process may open %" PRId64 " files, too few for maxclients %" PRId64 ".", files,
             clients);
    }
}
