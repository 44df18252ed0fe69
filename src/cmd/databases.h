/*
 * Commands and sources with databases: all: which databases there are, and how to go on where one of them fails.
 */
#pragma once

#include "cmd/shared.h"

/* Puts their databases in the place of such sources (ends/databases.h), with a notice for what is left out. Their
 * containers run. */
bool databases_find(Out *out, const Config *config, GPtrArray *sources, GError **error);

/* A notice for each two of the choice that go into one database of the target. */
void databases_tell_shared(Out *out, const Choice *choice);

/* What went wrong with some of them. */
typedef struct DatabaseFailures {
    GPtrArray *names; /* of char* */
    GError *worst;
    guint index; /* of the worst in the choice */
} DatabaseFailures;

void database_failures_init(DatabaseFailures *failures);
void database_failures_clear(DatabaseFailures *failures);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DatabaseFailures, database_failures_clear)

/* Whether the others of its server may go on after source failed: then the failure is shown, and noted (transfer
 * full). Where the server itself cannot be reached, or is another one, or the user has had enough, nothing goes on, and
 * failure gets the worst code of all. */
bool databases_go_on(Out *out, const Choice *choice, guint index, DatabaseFailures *failures, GError *failure);
/* Whether the source of that name is among them. */
bool databases_failed(const DatabaseFailures *failures, const char *name);
/* In the end: false, with an error whose code is the worst, where there were failures. begun: how many of the choice
 * were. */
bool databases_settle(const Choice *choice, guint begun, DatabaseFailures *failures, GError **error);
/* One line for each database that a fold was asked for; sources: of the JSON document. Nothing for other sources. */
void databases_show_folds(Out *out, const Choice *choice, const json_t *sources);
