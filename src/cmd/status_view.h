/* What `pgfold status` shows, gathered from configuration and ledger. */
#pragma once

#include "config/config.h"
#include "ledger/memory.h"
#include "out/out.h"

typedef struct StatusSource {
    char *name;
    bool configured;                        /* in pgfold.yaml; otherwise only in the ledger */
    const LedgerMark *marks[LEDGER_STAGES]; /* latest of each stage, or NULL */
    const LedgerRun *last_run;              /* or NULL */
    const LedgerFence *fence;               /* the first of those that stand, or NULL */
    const LedgerMerge *undoable;            /* the newest fold that can be taken back, or NULL */
    bool undone;                            /* the newest fold was taken back */
    const char *state; /* one word for programs: "new", "audited", "backed-up", "contained", "differs", "undone",
                        * "running", "unfinished", "failed" */
    char *state_text;  /* for people */
    OutStyle style;
    char *next; /* what to type, or NULL */
} StatusSource;

typedef struct StatusUnfinished { /* a dead run that left something in a target */
    const LedgerRun *run;
    GPtrArray *objects; /* of LedgerObject* */
} StatusUnfinished;

typedef struct StatusView {
    const Config *config;
    gint64 now;
    GPtrArray *sources;    /* of StatusSource*: as in the file, then others that the ledger knows */
    GPtrArray *unfinished; /* of StatusUnfinished* */
    bool busy;             /* another pgfold is writing at this moment */
    LedgerHolder holder;
    guint receipts;
    char *newest_receipt;                             /* or NULL */
    char *receipts_problem;                           /* or NULL */
    GPtrArray *containers;                            /* of char*: lines about those that were left running */
    GPtrArray *marks, *runs, *dead, *fences, *merges; /* own what the rest points to */
} StatusView;

/* names: only these sources (NULL-terminated); empty for all. A name that is known nowhere is an error. */
StatusView *status_view_read(const Config *config, const char *const *names, GError **error);
void status_view_free(StatusView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusView, status_view_free)

json_t *status_view_json(const StatusView *view);

/* "3 min ago"; "just now". Transfer full. */
char *status_age(gint64 at, gint64 now);
/* Of a stage: "-", "3 min ago", "differed 3 min ago". Transfer full. */
char *status_mark_text(const StatusSource *source, LedgerStage stage, gint64 now);
