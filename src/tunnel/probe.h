/* Who answers on a socket: PostgreSQL's own first question, which no server logs. */
#pragma once

#include <glib.h>

#include "base/deadline.h"

typedef enum TunnelAnswer {
    TUNNEL_POSTGRES, /* a PostgreSQL */
    TUNNEL_OTHER,    /* answers something else */
    TUNNEL_CLOSED,   /* closed without an answer */
    TUNNEL_NOBODY,   /* nobody listens */
    TUNNEL_FAILED    /* an error is set: cancelled, or the deadline */
} TunnelAnswer;

/* On a unix socket. */
TunnelAnswer tunnel_probe(const char *socket, Deadline deadline, GError **error);
/* On a port of 127.0.0.1 or, where nobody listens there, of ::1, which "localhost" may mean just as well. */
TunnelAnswer tunnel_probe_port(int port, Deadline deadline, GError **error);
