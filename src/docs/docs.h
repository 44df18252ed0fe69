/*
 * What `pgfold docs` writes, and `pgfold retire` commits: the project's database page, .env.example, and an entry in
 * files that speak of a local database (docs/database-page.md).
 *
 *     Docs *docs = docs_make(&input, &error);               reads files and ledger, writes nothing
 *     docs_write(config, docs->changes, umask, &error)      all of it, or nothing
 *
 * Everything comes from configuration and receipts; nothing is connected to. What is made depends on nothing else, the
 * time included: made again after it was written, no change is left.
 *
 * Errors: PGF_ERROR_REFUSED where a file lies outside of the project (a symbolic link) or its marks do not match, or
 * where the page is protected; PGF_ERROR_DIFFERS where a receipt was changed; PGF_ERROR_USAGE where something cannot be
 * read or written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "ledger/ledger.h"

typedef struct DocsInput {
    const Config *config; /* as loaded, CONFIG_OFFLINE at least */
    Ledger *ledger;       /* NULL: there is none, nothing was folded */
    /* Sources that the caller retires, and those that it fences, beside the commit that will hold these files: they get
     * today's date. NULL-terminated, or NULL. The ledger knows of others (LEDGER_RETIRED). */
    const char *const *retiring, *const *fencing;
} DocsInput;

typedef struct DocsChange {
    char *path;     /* relative to the folder of pgfold.yaml, with slashes; what a link leads to, not the link */
    char *old_text; /* NULL: there is no such file */
    char *new_text; /* the same as old_text where nothing is to be changed */
    mode_t mode;    /* of the file, permissions only; 0 where there is none */
} DocsChange;

/* A line that people have to look at: it speaks of a file that goes, or of a local database. */
typedef struct DocsMention {
    char *file;
    int line;    /* from 1, in new_text */
    char *text;  /* without its line end */
    char *about; /* "db-manage.sh"; "a local database" */
} DocsMention;

typedef struct DocsSource {
    char *name;
    const char *state; /* "not folded yet", "folded", "taken back", "retired" */
    gint64 run;        /* of the newest receipt; 0: none. The following are then empty */
    char *receipt;     /* file name */
    char *sha256;
    char *database, *into; /* names, in the source and in the target */
    gint64 rows;           /* in the source, without tables that were left out */
    gint64 at;             /* when the fold ended */
    bool undoable;
    gint64 fenced;  /* since when a fence stands; 0: none */
    gint64 retired; /* when; 0: not */
} DocsSource;

typedef struct Docs {
    GPtrArray *changes;  /* of DocsChange*: every file that is pgfold's to write, changed or not; the page is first */
    GPtrArray *mentions; /* of DocsMention* */
    GPtrArray *notes;    /* of char*: remarks for people: files that are left alone, and why */
    GPtrArray *sources;  /* of DocsSource*: as in pgfold.yaml, then others that the ledger knows */
} Docs;

Docs *docs_make(const DocsInput *input, GError **error);
void docs_free(Docs *docs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Docs, docs_free)

bool docs_change_is_needed(const DocsChange *change);

/* Writes what is needed: each file under another name beside it first, with the mode that it had (new ones: as umask
 * says), and then all renamed. PGF_ERROR_REFUSED where one is no longer what old_text says. Where one fails before the
 * renaming nothing was changed, but for folders that were made. */
bool docs_write(const Config *config, const GPtrArray *changes, mode_t umask, GError **error);
