/* Addresses as jobs carry them; see job.h. */
#include "net/job.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct peer peer_of(const struct sockaddr *address)
{
    struct peer peer = { .family = AF_UNIX };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        peer.family = AF_INET;
        peer.port = ntohs(v4.sin_port);
        memcpy(peer.ip, &v4.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        peer.family = AF_INET6;
        peer.port = ntohs(v6.sin6_port);
        memcpy(peer.ip, &v6.sin6_addr, 16);
    }
    return peer;
}

size_t peer_text(const struct peer *peer, char *out, size_t room)
{
    char ip[INET6_ADDRSTRLEN] = "";
    int len;
    switch (peer->family) {
    case AF_INET:
        inet_ntop(AF_INET, peer->ip, ip, sizeof ip);
        len = snprintf(out, room, "%s:%u", ip, (unsigned)peer->port);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, peer->ip, ip, sizeof ip);
        len = snprintf(out, room, "[%s]:%u", ip, (unsigned)peer->port);
        break;
    default:
        len = snprintf(out, room, "unix:%u", (unsigned)peer->port);
        break;
    }
    return len < 0 ? 0 : (size_t)len;
}
