/* A state folder for each test, and a receipt with something of everything. */
#pragma once

#include "ledger/receipt.h"

typedef struct Fixture {
    char *folder; /* temporary; the state folder is in it */
    char *state;
} Fixture;

void fixture_setup(Fixture *fixture, gconstpointer data);
void fixture_teardown(Fixture *fixture, gconstpointer data);
void remove_tree(const char *path);

/* Opens, and fails the test when that fails. */
Ledger *fixture_open(const Fixture *fixture);
/* A fold of a source by that name, contained, of a run that finished second seconds after 2026-01-31 09:30:00 UTC. */
Receipt *fixture_receipt(const char *source, gint64 run, int second);
/* Writes fixture_receipt(). Returns its path. */
char *fixture_write_receipt(Ledger *ledger, const char *source, gint64 run, int second);
PgIdentity fixture_identity(const char *system_identifier, const char *database);
/* Names in a folder, sorted. NULL-terminated. */
char **list_folder(const char *path);

/* The error has that code and its message contains text. */
void assert_error(const GError *error, int code, const char *text);

#define fixture_test(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)
