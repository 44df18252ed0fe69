/*
 * Every place in a code base that would lead back to a local database (docs/scan.md).
 *
 *     file       read, if its name is of a language that is known and its bytes pass the prefilter (prefilter.h)
 *     setting    a name that is given a value, or a variable that is read with a default (setting.h); the front ends
 *                (tree.h with tree-sitter, lines.h by hand) make settings of a file's text
 *     finding    a setting that leads to a local database: the judge (judge.h) decides, the same for all languages
 *
 * The only room that includes <tree_sitter/api.h>. Nothing is connected to and nothing is written here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "config/config.h"

typedef enum ScanClass {
    SCAN_PRODUCTION,
    SCAN_TEST,
    SCAN_DOCS,
    SCAN_INFRASTRUCTURE,
    SCAN_PROTECTED,
    SCAN_CLASSES
} ScanClass;

typedef enum ScanSeverity {
    SCAN_INFO,
    SCAN_WARNING,
    SCAN_ERROR,
    SCAN_SECRET /* a password stands in the file */
} ScanSeverity;

typedef struct ScanRule {
    const char *id;      /* stable: "env-default" */
    const char *title;   /* one line */
    const char *explain; /* paragraphs, and what to do instead */
    ScanSeverity severity;
} ScanRule;

/* All rules, ended by one without id; examples of each are in src/scan/rules. */
extern const ScanRule scan_rules[];
/* NULL when there is none. */
const ScanRule *scan_rule(const char *id);
const char *scan_class_name(ScanClass class);
const char *scan_severity_name(ScanSeverity severity);

/* A place in a file: bytes [start, end); lines and columns count from 1, columns in characters. */
typedef struct ScanPlace {
    guint start, end;
    guint line, column, end_line, end_column;
} ScanPlace;

/* One of several settings that together make a connection. */
typedef struct ScanPart {
    const char *role; /* "host", "port", "user", "password", "name", "url": a literal */
    char *name;       /* of the variable or key */
    char *value;      /* the default; "***" where it is a password */
    ScanPlace place;
} ScanPart;

/* Replace bytes [start, end) of the file by text. Edits of a finding do not overlap, and are sorted. */
typedef struct ScanEdit {
    guint start, end;
    char *text;
} ScanEdit;

typedef struct ScanFinding {
    const ScanRule *rule;
    ScanClass class;
    ScanSeverity severity;
    char *file;                    /* relative to the folder that was scanned */
    ScanPlace place;               /* of the local value, or of what reads it where that stands elsewhere */
    guint whole_start, whole_end;  /* bytes of the expression or line around it */
    char *message;                 /* what is wrong, in one line; without secrets */
    char *remedy;                  /* what to do, in one line */
    char *variable;                /* that is read, or NULL */
    char *reference;               /* local-reference: the file that it names, relative to the folder; else NULL */
    char *line_text;               /* the source line, passwords masked, not longer than SCAN_LINE_MAX bytes */
    guint mark_start, mark_length; /* characters of line_text that are the place */
    char *fingerprint;             /* of rule, file, and the text of the place: stays when lines move (baseline) */
    char *suppressed;              /* the reason of an inline suppression or "baseline"; NULL: it counts */
    GPtrArray *parts;              /* of ScanPart*; empty: one place only */
    GPtrArray *edits;              /* of ScanEdit*: a certain fix; NULL: none */
    char *no_fix;                  /* why there is none, or NULL */
    bool in_diff;                  /* on a changed line; true without ScanOptions.diff and .staged */
} ScanFinding;

#define SCAN_LINE_MAX 400

typedef struct ScanOptions {
    const char *folder;       /* absolute */
    const Config *config;     /* or NULL: nothing is configured */
    const char *const *paths; /* relative to folder, files or folders; NULL or empty: all of folder */
    const char *diff;         /* a revision: only lines changed since; or NULL */
    bool staged;              /* only lines that are staged */
    bool want_fixes;          /* compute edits */
    guint jobs;               /* threads; 0: one for each core */
} ScanOptions;

/* A file that was not looked into, and why: for people. */
typedef struct ScanSkipped {
    char *file;
    char *reason;
} ScanSkipped;

typedef struct ScanReport {
    GPtrArray *findings; /* of ScanFinding*, by file and place; suppressed ones too */
    GPtrArray *skipped;  /* of ScanSkipped* */
    GPtrArray *files;    /* of char*: all files that were looked at, sorted */
    guint parsed;        /* files that passed the prefilter */
    guint64 bytes;       /* of all files */
} ScanReport;

/* NULL with an error when the folder cannot be listed, git fails, or on cancel. What one file does never hides the
 * others: it becomes an entry of skipped. */
ScanReport *scan_folder(const ScanOptions *options, GError **error);
void scan_report_free(ScanReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScanReport, scan_report_free)

/* The findings of one text under the name of a file of the folder: for fixes, and tests. Transfer full. */
GPtrArray *scan_text(const ScanOptions *options, const char *file, const char *text, gsize length);

/* Files to look at, relative to folder, sorted: git's ignore rules hold, vendored and generated files are left out.
 * Transfer full (of char*). */
GPtrArray *scan_files(const ScanOptions *options, GError **error);

/* Fixed text of one file: all edits of those findings that have some. NULL when there are none, or when the result
 * does not parse as well as before. Transfer full. */
char *scan_fixed(const char *file, const char *text, gsize length, const GPtrArray *findings, gsize *ret_length);

/* Reads a baseline (fingerprints) and marks what is in it as suppressed. */
bool scan_apply_baseline(ScanReport *report, const char *path, GError **error);
/* The text of a baseline of what counts now. Transfer full. */
char *scan_baseline_text(const ScanReport *report);
