/*
 * Retire: what would lead back to a source that was folded, taken out of the code (docs/retire.md).
 *
 *     RetireCode *code = retire_code(config, git, ...);         what is to be done, in memory; refuses what must not be
 *     retire_commit(code, draft, evidence, &error)              one commit for each step
 *     RetireCode *after = retire_code_left(config, git, ...)    once the tree has them: what is left
 *
 * Files are named relative to the folder of pgfold.yaml. Nothing is written here but into a draft (git/git.h).
 */
#pragma once

#include "config/config.h"
#include "git/git.h"
#include "ledger/ledger.h"
#include "scan/scan.h"

typedef struct RetireChange {
    char *file;
    char *text; /* its new text; NULL: it is removed */
    gsize length;
} RetireChange;

/* One commit. */
typedef struct RetireStep {
    const char *name;   /* for programs: "fixes", "removals", "references", "documents" */
    char *title;        /* first line of its message */
    GPtrArray *changes; /* of RetireChange*; never empty */
} RetireStep;

/* Somewhere in a file, for people. line 0: all of it. */
typedef struct RetirePlace {
    char *file;
    guint line;
    const char *rule; /* of scan; NULL: none of its */
    ScanClass class;
    char *what;
} RetirePlace;

/* A file that must go on working. */
typedef struct RetirePreserved {
    char *file;
    bool whole;
    char *how; /* why it is, or what is wrong */
} RetirePreserved;

typedef struct RetireCode {
    GPtrArray *steps;     /* of RetireStep* */
    GPtrArray *removed;   /* of char*: files that are removed */
    GPtrArray *missed;    /* of char*: sentences about entries of code.remove that cannot be removed */
    GPtrArray *left;      /* of RetirePlace*: fallbacks in production code that no certain fix mends */
    GPtrArray *elsewhere; /* of RetirePlace*: such in tests, documents, infrastructure */
    GPtrArray *dangling;  /* of RetirePlace*: references to what is removed, to be mended by hand */
    GPtrArray *suspects;  /* of RetirePlace*: files that seem to serve only the local database, and are not listed */
    GPtrArray *mentions;  /* of RetirePlace*: lines of documents that speak of a local database */
    GPtrArray *preserved; /* of RetirePreserved* */
    guint scanned;        /* files */
} RetireCode;

/* Scans the folder with its fixes. Errors: those of scan_folder() and docs_make(); PGF_ERROR_REFUSED where something
 * protected would be removed, a preserved file would break, or a file would be removed that another source runs in;
 * sources: those that are retired (const ConfigSource*). */
RetireCode *retire_code(const Config *config, const Git *git, Ledger *ledger, const GPtrArray *sources, GError **error);
/* After the work: what a scan still finds, and whether preserved files are whole. removed: of the plan. */
RetireCode *retire_code_left(const Config *config, const Git *git, const GPtrArray *removed, GError **error);
void retire_code_free(RetireCode *code);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RetireCode, retire_code_free)

/* evidence: the last lines of each message. */
bool retire_commit(const RetireCode *code, GitDraft *draft, const char *evidence, GError **error);
