/*
 * How far a long step is. On a terminal: live lines on stderr (one overall, one for each running item), redrawn at
 * most ten times a second and taken away at the end. Elsewhere: a plain line for each finished item, and one for the
 * whole every half minute. With --quiet: nothing.
 *
 * Main thread only: workers report to it, it fills a ProgressState and shows it as often as it likes.
 *
 *     g_autoptr(Progress) progress = progress_new(out);
 *     while (...) {
 *         progress_show(progress, &(ProgressState){.title = "copying", .items_total = 12, ...});
 *         ... for every item that ended: progress_finished(progress, "copied", &item, seconds);
 *     }
 */
#pragma once

#include <glib.h>

#include "out/out.h"

typedef struct ProgressItem {
    const char *name;                /* "public.orders"; escaped here */
    guint64 rows, bytes;             /* so far */
    guint64 rows_total, bytes_total; /* 0: not known; may be an estimate */
} ProgressItem;

typedef struct ProgressState {
    const char *title; /* "copying" */
    guint items_done, items_total;
    const char *items_name; /* "tables" */
    guint64 rows, rows_total, bytes, bytes_total;
    const ProgressItem *running;
    guint n_running;
} ProgressState;

typedef struct Progress Progress;

/* The clock for rate and time left starts here. out must outlive it. */
Progress *progress_new(Out *out);
/* Takes the live lines away. */
void progress_free(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)

/* Cheap when the last drawing is less than a tenth of a second old. Nothing of state is kept. */
void progress_show(Progress *progress, const ProgressState *state);

/* "copied public.orders 1,234 rows 1.2 MB in 0.3 s" where nothing is live, or with --verbose. */
void progress_finished(Progress *progress, const char *verb, const ProgressItem *item, double seconds);

/* The lines of a live display as they would be drawn in width columns, without colours. For tests. Transfer full. */
char **progress_lines(const ProgressState *state, double rate, double elapsed, int width, int height);
