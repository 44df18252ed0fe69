/* Who answers on a socket or a port of this machine: PostgreSQL's own first question, which no server logs. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

typedef enum PgAnswer {
    PG_ANSWER_SERVER, /* a PostgreSQL */
    PG_ANSWER_OTHER,  /* answers something else */
    PG_ANSWER_CLOSED, /* closed without an answer */
    PG_ANSWER_NOBODY, /* nobody listens */
    PG_ANSWER_FAILED  /* an error is set: cancelled, or the deadline */
} PgAnswer;

/* On a unix socket. Any thread. */
PgAnswer pg_probe_socket(const char *path, Deadline deadline, GError **error);
/* On a port of 127.0.0.1, or of ::1. Any thread. */
PgAnswer pg_probe_port(int port, bool v6, Deadline deadline, GError **error);
