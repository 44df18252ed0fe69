/* A receipt as a page for people: Markdown, or for the terminal. Used by `pgfold report` only. */
#pragma once

#include "ledger/receipt.h"

typedef struct ReportFacts {
    const Receipt *receipt;
    const char *path;
    guint chain;               /* receipts from this one back to the first */
    const char *chain_problem; /* what is wrong with those before it, or NULL */
    const char *undone;        /* that the fold was taken back since; or NULL */
} ReportFacts;

/* width: columns to fit in, 0 for any. color and width count on a terminal only. Transfer full. */
char *report_markdown(const ReportFacts *facts);
char *report_terminal(const ReportFacts *facts, bool color, int width);

/* "2026-01-31 09:30:04 UTC"; microseconds since 1970. Transfer full. */
char *report_time(gint64 at);
