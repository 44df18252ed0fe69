/*
 * One run of `pgfold retire`, for the files of that command only.
 *
 *     gates       retire_receipt.c, retire_backup.c, retire_proof.c, retire_server.c, retire_gate.c: whether it may
 * begin; each adds its line to the checklist, or refuses and says what to type next the work    retire.c (the branch),
 * retire_outside.c (containers, volumes, fences) the end     retire.c, retire_outside.c: what is so now
 */
#pragma once

#include "cmd/shared.h"
#include "engine/engine.h"
#include "ledger/receipt.h"
#include "retire/checklist.h"
#include "retire/record.h"
#include "retire/retire.h"

/* Where the transactions of a source's server stand: where it is the same later, nothing was written meanwhile. */
typedef struct RetireHorizon {
    gint64 oldest, next; /* oldest < next: a transaction was under way */
} RetireHorizon;

typedef struct RetireJob { /* one source */
    const ConfigSource *source;
    Receipt *receipt;
    char *receipt_file;    /* its name, without the folder */
    Container *container;  /* or NULL: a plain cluster */
    bool was_running;      /* the container, and not because --start began it */
    gint64 closed;         /* the run of an earlier retire that stopped it; 0: none */
    const json_t *halfway; /* the source in the plan of an earlier run that began to remove container and volumes */
    bool fence;            /* to be closed at the end */
    bool verified;         /* by digests, now: writes since are to be looked for */
    RetireHorizon horizon;
    GPtrArray *protected; /* of ProtectItem*: before anything was changed */
} RetireJob;

typedef struct Retirement {
    const CommandArgs *args;
    Out *out;
    Config *config;
    GPtrArray *sources; /* of const ConfigSource* */
    Ledger *ledger;
    gint64 run;
    Containers *containers;
    GPtrArray *earlier; /* of RetireRun* */
    GPtrArray *jobs;    /* of RetireJob* */
    Git *git;
    char *branch;
    bool on_branch;  /* HEAD is there already: commits are added */
    char *abandoned; /* where a killed run left the branch, before it went there; or NULL */
    RetireCode *code;
    GitDraft *draft;
    GPtrArray *lines; /* the checklist */
    char *markdown;   /* where it was written, or NULL */
    bool changed;     /* something was */
} Retirement;

/* retire_receipt.c, retire_backup.c: the receipt of a source, and the backup behind it. */
bool retire_gate_receipt(Retirement *r, RetireJob *job, GError **error);
bool retire_gate_backup(Retirement *r, RetireJob *job, GError **error);

/* retire_gate.c: git and the branch; the container. */
bool retire_gate_git(Retirement *r, GError **error);
bool retire_gate_container(Retirement *r, RetireJob *job, GError **error);
bool retire_gate_volumes(Retirement *r, GError **error);

/* retire_proof.c: that the receipt is still true, and nothing protected changed since. */
bool retire_gate_proof(Retirement *r, RetireJob *job, GError **error);
/* Closes a plain cluster, and looks once more where something was written since the proof. */
bool retire_close(Retirement *r, RetireJob *job, GError **error);
/* "protected things are what they were before this run". Only a cancel is an error. */
bool retire_check_protected(Retirement *r, RetireJob *job, GError **error);

/* retire_server.c: what else lives in its container, that would stop or go with it. */
bool retire_gate_server(const Retirement *r, const RetireJob *job, const Ends *ends, GError **error);
/* False, with an error, where the source answers though its container was stopped. */
bool retire_is_stopped(Retirement *r, const RetireJob *job, GError **error);

/* retire_check.c: what is so now. */
bool retire_check_code(Retirement *r, GError **error);
bool retire_check_closed(Retirement *r, RetireJob *job, GError **error);

/* retire_outside.c */
json_t *retire_source_plan(const Retirement *r, const RetireJob *job);
/* Stops its container; then, with --volumes, removes it, once all are stopped. */
bool retire_stop(Retirement *r, RetireJob *job, GError **error);
bool retire_remove(Retirement *r, RetireJob *job, GError **error);
bool retire_check_container(Retirement *r, RetireJob *job, GError **error);

/* retire_view.c */
void retire_show_plan(const Retirement *r);
void retire_show_checklist(const Retirement *r);
/* New reference. patch: of a rehearsal, or NULL. */
json_t *retire_json(const Retirement *r, const char *outcome, const char *patch);
/* Writes the checklist into the state folder, and to --markdown. */
bool retire_write_markdown(Retirement *r, GError **error);
/* "laptop", "laptop and old": for sentences. Transfer full. */
char *retire_names(const Retirement *r);
/* What each commit cites. Transfer full. */
char *retire_evidence(const Retirement *r);

/* retire_undo.c: `pgfold retire --undo`. */
int retire_undo(const CommandArgs *args, Out *out, GError **error);

/* Refused: nothing was changed. Takes hint. */
bool retire_refuse(GError **error, char *hint, const char *format, ...) G_GNUC_PRINTF(3, 4);
