/*
 * Connection strings of any program, as far as scan needs them: is it PostgreSQL's, where does it lead.
 * Holes, which nobody can know before the program runs, stand as CONNECTION_HOLE in the text.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define CONNECTION_HOLE '\001'

typedef enum ConnectionForm {
    CONNECTION_NONE, /* not a connection string, or of another kind of database */
    CONNECTION_URI,
    CONNECTION_KEYWORDS, /* libpq's "host=... dbname=..." */
    CONNECTION_PDO,      /* "pgsql:host=...;dbname=..." */
    CONNECTION_ADO       /* "Host=...;Database=..." */
} ConnectionForm;

typedef struct Connection {
    ConnectionForm form;
    char *host; /* NULL: none is named (libpq's socket, JDBC's localhost); of several the first */
    char *port, *user, *database;
    bool has_password; /* a literal one that is not empty */
    guint start, end;  /* the string's bytes in the text */
    guint password_start, password_end;
    bool sure; /* the form is PostgreSQL's alone ("Server=...;" may be another's) */
} Connection;

/* Parses text as a whole, blanks around it left aside. CONNECTION_NONE when it is none. Clear with
 * connection_clear(). */
Connection connection_parse(const char *text, gsize length);
/* The next URI that stands within text at or after from: for text of many words (shell, YAML, Markdown). */
Connection connection_find(const char *text, gsize length, gsize from);
void connection_clear(Connection *connection);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Connection, connection_clear)

/* Not a hole, and not what people write in place of one. */
bool password_is_literal(const char *text, gsize length);

/* This machine, by whatever name: localhost, 127.0.0.0/8, ::1, 0.0.0.0, host.docker.internal, a socket's folder. */
bool host_is_local(const char *host);
