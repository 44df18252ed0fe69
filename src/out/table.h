/*
 * A table with aligned columns for a terminal, and the same as Markdown.
 *
 *     static const TableColumn columns[] = {
 *         {"TABLE", TABLE_LEFT, .flexible = true}, {"ROWS", TABLE_RIGHT}, {NULL}};
 *     g_autoptr(Table) table = table_new(columns);
 *     table_add(table, OUT_NAME, "public.orders");
 *     table_add_count(table, OUT_PLAIN, 1234);
 *     table_print(table, out);
 *
 * Cells are added from left to right; a row is complete when every column has its cell. Texts are copied and escaped
 * (out/text.h). One column may be flexible: on a terminal that is too narrow it is cut, ending in "…". Where results
 * go to a file or a pipe nothing is cut.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "out/out.h"

typedef enum TableAlign { TABLE_LEFT, TABLE_RIGHT } TableAlign;

typedef struct TableColumn {
    const char *heading; /* NULL ends the list */
    TableAlign align;
    bool flexible; /* gives way on a narrow terminal; at most one column */
} TableColumn;

typedef struct Table Table;

Table *table_new(const TableColumn *columns);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* The next cell. text: NULL is shown as an empty cell. */
void table_add(Table *table, OutStyle style, const char *text);
void table_addf(Table *table, OutStyle style, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* "1,234,567" and "1.4 MB". */
void table_add_count(Table *table, OutStyle style, guint64 count);
void table_add_bytes(Table *table, OutStyle style, guint64 bytes);
/* A line across, above a row of totals. Between complete rows only. */
void table_rule(Table *table);
/* The last row, which is complete, is one of many that say the same ("contained"). On a terminal only the first forty
 * of them are shown, and a line that counts the rest, unless --verbose asks for all. */
void table_usual(Table *table);
/* Complete rows so far, rules not counted. */
guint table_rows(const Table *table);

/* Nothing with --json. A table without rows prints its headings only: say it in words instead. */
void table_print(const Table *table, Out *out);
void table_print_markdown(const Table *table, Out *out);

/* What these print. width: columns to fit in, or 0 for any width. Transfer full. */
char *table_text(const Table *table, int width, bool color);
/* most_usual: of the usual rows, only the first so many; 0: all. */
char *table_text_short(const Table *table, int width, bool color, guint most_usual);
char *table_markdown(const Table *table);
