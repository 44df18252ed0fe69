/*
 * Where a command's output goes, and how: made by main from the common options, handed to Command.run.
 * Only src/cmd prints, through this. Results go to stdout; progress, notices and errors to stderr.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum OutColor { OUT_COLOR_AUTO, OUT_COLOR_ALWAYS, OUT_COLOR_NEVER } OutColor;

typedef enum OutStyle { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_GOOD, OUT_WARN, OUT_BAD, OUT_NAME } OutStyle;

typedef struct Out {
    FILE *results;  /* stdout */
    FILE *notices;  /* stderr */
    bool json;      /* one JSON document on results, and nothing else there */
    bool quiet;     /* no notices, no progress */
    bool verbose;
    bool color_results, color_notices;
    bool notices_tty; /* live progress only here */
    int width;      /* columns of the terminal, 80 elsewhere */
} Out;

void out_init(Out *out, bool json, bool quiet, bool verbose, OutColor color);

/* A line (or more) of the result; nothing with --json. */
void out_line(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A remark for a person, on stderr; nothing with --quiet. */
void out_notice(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* As out_notice(), marked as a warning, and shown with --quiet too. */
void out_warning(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* text wrapped in the escape codes of style where results are coloured. Transfer full. */
char *out_styled(const Out *out, OutStyle style, const char *text);
/* Prints document with a newline; takes the reference. The envelope is made by out_json_new(). */
void out_json(Out *out, json_t *document);
/* {"schema": "pgfold.<name>", "version": 1, "pgfold": VERSION}. New reference. */
json_t *out_json_new(const char *name);
/* "error: what", "state: ...", "hint: ..." on stderr; with --json a {"schema":"pgfold.error",...} document on results. */
void out_error(Out *out, const GError *error);
/* Asks on the terminal; false without one, or when the answer is not yes. assume_yes (--yes) answers true. */
bool out_confirm(Out *out, bool assume_yes, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Human units: "1.4 MB", "1,234,567", "3.2 s". Transfer full. */
char *out_bytes(guint64 bytes);
char *out_count(guint64 count);
char *out_duration(double seconds);
