/*
 * What the commands that read a source beside the target share: which sources, both ends connected and standing still,
 * progress, and the note in the ledger.
 *
 *     Choice choice;              which sources, from pgfold.yaml or from --source and --target
 *     Comparison *comparison;     one source beside the target, each side in one snapshot
 *     Record record;              the run in the ledger of `pgfold status`
 *
 * Main thread only.
 */
#pragma once

#include "audit/checks.h"
#include "cmd/command.h"
#include "cmd/containers.h"
#include "cmd/watch.h"
#include "ends/ends.h"
#include "ledger/ledger.h"
#include "rename/rename.h"

/* For a command's table of options; shared_choose() reads them. */
#define SHARED_OPTIONS                                                                                                 \
    {"source", 0, OPTION_STRING, "URL", "read this database, without a pgfold.yaml"},                                  \
        {"target", 0, OPTION_STRING, "URL", "with --source: the database to compare with"}, CONTAINERS_OPTION,         \
    {                                                                                                                  \
        "jobs", 'j', OPTION_INT, "N", "connections a side that work at once (1 to 64; 4 unless pgfold.yaml says)"      \
    }

/* For those of them that fold a source in part, or look at a part; shared_narrow() reads them. The words are those of
 * pg_dump, but -n, which several commands have for something else. */
#define FILTER_OPTIONS                                                                                                 \
    {"schema", 0, OPTION_LIST, "PATTERN", "only these schemas (docs/filters.md), instead of those under include"},     \
        {"exclude-schema", 'N', OPTION_LIST, "PATTERN", "leave these schemas out"},                                    \
        {"table", 't', OPTION_LIST, "PATTERN", "only these tables or views, instead of those under include"},          \
        {"exclude-table", 'T', OPTION_LIST, "PATTERN", "leave these tables or views out"},                             \
    {                                                                                                                  \
        "extension", 'e', OPTION_LIST, "PATTERN", "of extensions only these, instead of those under include"           \
    }

typedef struct Choice {
    Config *config;
    GPtrArray *sources;     /* of const ConfigSource*, owned by config */
    guint jobs;             /* also in config->fold.jobs */
    Containers *containers; /* that the sources run in, or NULL: what was started is stopped with the choice */
} Choice;

/* --source and --target stand for a whole pgfold.yaml; without them it is found and read, its remarks are shown, and
 * the words of the command line choose among its sources. Their containers run when this returns. */
bool shared_choose(const CommandArgs *args, Out *out, Choice *ret_choice, GError **error);
/* What the FILTER_OPTIONS say, for the chosen sources. */
bool shared_narrow(const CommandArgs *args, const Choice *choice, GError **error);
void choice_clear(Choice *choice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choice, choice_clear)

typedef struct Comparison {
    Ends *ends;
    PgSnapshot *target_snapshot; /* NULL where there is no target database */
    GPtrArray *sources;          /* of PgConn*, one a worker, in the snapshot; NULL until comparison_staff() */
    GPtrArray *targets;          /* likewise; NULL where there is no target database */
    guint jobs;
    Renamed *renamed;    /* once audited, where the configuration gives the source's schema another name; else NULL */
    char *rename_folder; /* temporary, of renamed->dump */
} Comparison;

/* Connects both ends (ends/ends.h checks them) and takes a snapshot of each. Without a target in the configuration,
 * or where its database does not exist, there is a source only: comparison_target() is NULL. */
Comparison *comparison_open(const Config *config, const ConfigSource *source, GError **error);
/* The same in two steps, for whoever has to keep others out before the snapshots are taken. */
Comparison *comparison_connect(const Config *config, const ConfigSource *source, GError **error);
bool comparison_snapshot(Comparison *comparison, GError **error);
void comparison_free(Comparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Comparison, comparison_free)

/* The connection to the target database, or NULL. */
PgConn *comparison_target(const Comparison *comparison);

/* The checks that need no rows (audit/checks.h), on both ends. Where a finding says that rows cannot be read, that is a
 * PGF_ERROR_REFUSED which names it. Array of AuditFinding*. Transfer full. */
GPtrArray *comparison_check(const Comparison *comparison, GError **error);

/* renaming.c: for AuditSpec; data: the Comparison. The definitions are made once, in an ephemeral server. */
bool comparison_rename(Catalog *source, gpointer data, GError **error);
/* What comparison_rename() made, and its temporary files. */
void comparison_forget_names(Comparison *comparison);

/* Opens the workers' connections, all in the snapshots. */
bool comparison_staff(Comparison *comparison, GError **error);

/* For audit_run() and verify_digests(), after comparison_staff(). Tables with skip: true in the configuration are left
 * out.
 */
AuditSpec comparison_spec(Comparison *comparison, Watch *watch);

/* A source failed after others were done: what is printed as JSON has them, and says of this one under "failed" what
 * happened. Takes document. Nothing is printed where index is 0: then the error is the whole answer. */
void shared_print_failed(Out *out, json_t *document, const Choice *choice, guint index, const GError *error);
/* The part of that which goes into the document. */
void shared_put_failed(json_t *document, const Choice *choice, guint index, const GError *error);
/* Adds to the error's state which sources before index are complete and which failed (failures), and that those after
 * it were not begun. */
struct DatabaseFailures; /* cmd/databases.h */
void shared_add_finished(const Choice *choice, guint index, const struct DatabaseFailures *failures, GError *error);

/* One run in the ledger. Commands that only read go on without it, with a warning, where it cannot be written; without
 * a pgfold.yaml they record nothing. All functions may be called in any case. */
typedef struct Record {
    Out *out;
    Ledger *ledger; /* NULL: nothing is recorded */
    gint64 run;
    const char *source_name; /* not owned */
} Record;

void record_begin(Record *record, Out *out, const Config *config, const char *command, const char *source_name);
void record_identify(Record *record, const Comparison *comparison);
/* Ends the run and notes its result for `pgfold status`. */
void record_done(Record *record, LedgerStage stage, bool good, const char *outcome);
/* As above, for a run that says nothing about where the source stands. */
void record_done_quietly(Record *record);
/* Ends the run, if it has not ended yet, with an error (redacted by config) or as interrupted. */
void record_failed(Record *record, const Config *config, const GError *error);
