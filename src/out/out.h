/*
 * Where a command's output goes, and how: made by main from the common options, handed to Command.run.
 * Only src/cmd prints, through this. Results go to stdout; progress, notices and errors to stderr.
 *
 * Belongs to the main thread. What is printed here cannot drive the terminal: control characters in it are escaped
 * (out/text.h). Tables are in out/table.h, live progress in out/progress.h.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum OutColor { OUT_COLOR_AUTO, OUT_COLOR_ALWAYS, OUT_COLOR_NEVER } OutColor;

typedef enum OutStyle { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_GOOD, OUT_WARN, OUT_BAD, OUT_NAME } OutStyle;

#define OUT_LIVE_MAX 64 /* most lines that a live display may have */

/* The lines of a live display that stand on the terminal at this moment (progress.h draws them). */
typedef struct OutLive {
    int lines;
    int widths[OUT_LIVE_MAX]; /* columns of each, to know how many rows they fill after a resize */
} OutLive;

typedef struct Out {
    FILE *results; /* stdout */
    FILE *notices; /* stderr */
    bool json;     /* one JSON document on results, and nothing else there */
    bool quiet;    /* no notices, no progress */
    bool verbose;
    bool color_results, color_notices;
    bool results_tty; /* tables are cut to the width of the terminal only here */
    bool notices_tty; /* live progress only here */
    int width;        /* columns of the terminal, 80 elsewhere */
    bool json_done;   /* the one document has been printed */
    OutLive live;
} Out;

/* Colour: --color, else NO_COLOR (any value but empty), else colours on a terminal that can show them. */
void out_init(Out *out, bool json, bool quiet, bool verbose, OutColor color);

/* A line (or more) of the result; nothing with --json. May hold text made by out_styled(). */
void out_line(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A remark for a person, on stderr; nothing with --quiet. */
void out_notice(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* As out_notice(), marked as a warning, and shown with --quiet too. */
void out_warning(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* text, escaped, and wrapped in the escape codes of style where results are coloured. Transfer full. */
char *out_styled(const Out *out, OutStyle style, const char *text);
/* As out_styled(), for any stream: color says whether there are colours. Transfer full. */
char *out_paint(bool color, OutStyle style, const char *text);
/* The escape code that starts a style, "" for OUT_PLAIN; OUT_STYLE_END ends any. Only for text that is measured before
 * it is painted (tables, progress). */
const char *out_style_start(OutStyle style);
#define OUT_STYLE_END "\033[0m"
/* Generated text (a man page, a completion script, Markdown, a receipt) as it is, also with --json. */
void out_raw(Out *out, const char *text);
/* Takes a live display off the terminal. Everything above does so by itself. */
void out_live_erase(Out *out);

/* Prints document with a newline; takes the reference. The envelope is made by out_json_new(). */
void out_json(Out *out, json_t *document);
/* {"schema": "pgfold.<name>", "version": 1, "pgfold": VERSION}. New reference. */
json_t *out_json_new(const char *name);
/* A JSON string of any bytes (those that are not UTF-8 are replaced); null for NULL. New reference. */
json_t *out_json_string(const char *text);

/* "pgfold: error: what", "  state: ...", "  hint: ..." on stderr; with --json also a {"schema":"pgfold.error",...}
 * document on results, unless the one document was already printed. docs/errors.md describes both. */
void out_error(Out *out, const GError *error);
/* The text alone, also with --json: for an error after which others go on. */
void out_error_text(Out *out, const GError *error);
/* Asks on the terminal; false without one, or when the answer is not yes, or on Ctrl-C (ask cancel_check()).
 * assume_yes (--yes) answers true. format: the question, without "[y/N]". */
bool out_confirm(Out *out, bool assume_yes, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Asks for one line of text on the terminal. NULL without one, at its end, or on Ctrl-C (ask cancel_check()). format:
 * the question with its colon. Transfer full. */
char *out_ask(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Could out_confirm() and out_ask() ask? Where it could not, a command says which option answers instead. */
bool out_can_ask(const Out *out);
/* Flushes both streams. False, with errno set, when results could not be written (a full disk). */
bool out_flush(Out *out);

/* Human units: "1.4 MB" (powers of 1000), "1,234,567", "3.2 s". Transfer full. */
char *out_bytes(guint64 bytes);
char *out_count(guint64 count);
char *out_duration(double seconds);
