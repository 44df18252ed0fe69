#include "out/table.h"

#include <string.h>

#include "out/text.h"

enum { GAP = 2, NARROWEST = 8, USUAL_SHOWN = 40 };

typedef struct Cell {
    char *text; /* escaped */
    int width;
    OutStyle style;
} Cell;

struct Table {
    guint n_columns;
    TableColumn *columns; /* headings are in the first row of cells */
    GArray *cells;        /* of Cell, row by row, headings first */
    GArray *rules;        /* of guint: a rule stands before this row */
    GArray *usual;        /* of guint: rows that may be left out, ascending */
};

static void cell_clear(gpointer data)
{
    g_free(((Cell *)data)->text);
}

static void append_cell(Table *table, OutStyle style, const char *text)
{
    Cell cell = {.text = text_escape(text == NULL ? "" : text), .style = style};
    cell.width = text_width(cell.text);
    g_array_append_val(table->cells, cell);
}

Table *table_new(const TableColumn *columns)
{
    Table *table = g_new0(Table, 1);
    while (columns[table->n_columns].heading != NULL)
        table->n_columns++;
    g_assert(table->n_columns > 0);
    table->columns = g_new(TableColumn, table->n_columns);
    memcpy(table->columns, columns, table->n_columns * sizeof *columns);
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(table->cells, cell_clear);
    table->rules = g_array_new(FALSE, FALSE, sizeof(guint));
    table->usual = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < table->n_columns; i++)
        append_cell(table, OUT_BOLD, columns[i].heading);
    return table;
}

void table_free(Table *table)
{
    if (table == NULL)
        return;
    g_array_unref(table->cells);
    g_array_unref(table->rules);
    g_array_unref(table->usual);
    g_free(table->columns);
    g_free(table);
}

void table_add(Table *table, OutStyle style, const char *text)
{
    append_cell(table, style, text);
}

void table_addf(Table *table, OutStyle style, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    append_cell(table, style, text);
}

void table_add_count(Table *table, OutStyle style, guint64 count)
{
    g_autofree char *text = out_count(count);
    append_cell(table, style, text);
}

void table_add_bytes(Table *table, OutStyle style, guint64 bytes)
{
    g_autofree char *text = out_bytes(bytes);
    append_cell(table, style, text);
}

/* Rows with the headings; a row that is not complete is a bug of the caller. */
static guint all_rows(const Table *table)
{
    g_assert(table->cells->len % table->n_columns == 0);
    return table->cells->len / table->n_columns;
}

void table_rule(Table *table)
{
    guint row = all_rows(table);
    g_array_append_val(table->rules, row);
}

static gint compare_rows(gconstpointer a, gconstpointer b)
{
    guint left = *(const guint *)a;
    guint right = *(const guint *)b;
    return left < right ? -1 : left > right;
}

void table_usual(Table *table)
{
    guint row = all_rows(table) - 1;
    g_array_append_val(table->usual, row);
}

/* How many rows are not shown where at most so many usual ones are (0: all). One more line would be no gain. */
static guint hidden_rows(const Table *table, guint most_usual)
{
    return most_usual == 0 || table->usual->len <= most_usual + 1 ? 0 : table->usual->len - most_usual;
}

static bool is_hidden(const Table *table, guint row, guint most_usual)
{
    guint at = 0;
    return hidden_rows(table, most_usual) > 0 && g_array_binary_search(table->usual, &row, compare_rows, &at) &&
           at >= most_usual;
}

guint table_rows(const Table *table)
{
    return table->cells->len / table->n_columns - 1;
}

static const Cell *cell_at(const Table *table, guint row, guint column)
{
    return &g_array_index(table->cells, Cell, row * table->n_columns + column);
}

static bool rule_before(const Table *table, guint row)
{
    if (row == 1) /* under the headings */
        return true;
    for (guint i = 0; i < table->rules->len; i++)
        if (g_array_index(table->rules, guint, i) == row)
            return true;
    return false;
}

/* Width of every column; the flexible one gives up what the line lacks. Transfer full. */
static int *column_widths(const Table *table, int width, guint most_usual)
{
    int *widths = g_new0(int, table->n_columns);
    int total = GAP * (int)(table->n_columns - 1);
    guint flexible = table->n_columns;
    for (guint column = 0; column < table->n_columns; column++) {
        for (guint row = 0; row < all_rows(table); row++)
            if (!is_hidden(table, row, most_usual))
                widths[column] = MAX(widths[column], cell_at(table, row, column)->width);
        total += widths[column];
        if (table->columns[column].flexible)
            flexible = column;
    }
    if (width > 0 && total > width && flexible < table->n_columns) {
        int least = MIN(widths[flexible], MAX(NARROWEST, cell_at(table, 0, flexible)->width));
        widths[flexible] = MAX(least, widths[flexible] - (total - width));
    }
    return widths;
}

static void append_padded(GString *to, const Cell *cell, TableAlign align, int width, bool color)
{
    g_autofree char *text = text_cut(cell->text, width);
    int padding = MAX(0, width - text_width(text));
    bool painted = color && cell->style != OUT_PLAIN && *text != '\0';
    if (align == TABLE_RIGHT)
        g_string_append_printf(to, "%*s", padding, "");
    g_string_append_printf(to, "%s%s%s", painted ? out_style_start(cell->style) : "", text,
                           painted ? OUT_STYLE_END : "");
    if (align == TABLE_LEFT)
        g_string_append_printf(to, "%*s", padding, "");
}

static void strip_trailing_blanks(GString *text)
{
    gsize length = text->len;
    while (length > 0 && text->str[length - 1] == ' ')
        length--;
    g_string_truncate(text, length);
}

static void append_rule(GString *to, const Table *table, const int *widths)
{
    for (guint column = 0; column < table->n_columns; column++) {
        g_string_append_printf(to, "%*s", column == 0 ? 0 : GAP, "");
        for (int i = 0; i < widths[column]; i++)
            g_string_append_c(to, '-');
    }
    g_string_append_c(to, '\n');
}

static void append_row(GString *to, const Table *table, guint row, const int *widths, bool color)
{
    for (guint column = 0; column < table->n_columns; column++) {
        g_string_append_printf(to, "%*s", column == 0 ? 0 : GAP, "");
        append_padded(to, cell_at(table, row, column), table->columns[column].align, widths[column], color);
    }
    strip_trailing_blanks(to);
    g_string_append_c(to, '\n');
}

char *table_text_short(const Table *table, int width, bool color, guint most_usual)
{
    GString *text = g_string_new(NULL);
    g_autofree int *widths = column_widths(table, width, most_usual);
    for (guint row = 0; row < all_rows(table); row++) {
        if (is_hidden(table, row, most_usual))
            continue;
        if (rule_before(table, row))
            append_rule(text, table, widths);
        append_row(text, table, row, widths, color);
    }
    return g_string_free(text, FALSE);
}

char *table_text(const Table *table, int width, bool color)
{
    return table_text_short(table, width, color, 0);
}

/* Characters that Markdown or the HTML in it would take for markup. */
static void append_markdown_escaped(GString *to, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '<')
            g_string_append(to, "&lt;");
        else if (*at == '&')
            g_string_append(to, "&amp;");
        else {
            if (strchr("\\`*_[]|~", *at) != NULL)
                g_string_append_c(to, '\\');
            g_string_append_c(to, *at);
        }
    }
}

static void append_markdown_row(GString *to, const Table *table, guint row)
{
    for (guint column = 0; column < table->n_columns; column++) {
        const Cell *cell = cell_at(table, row, column);
        g_string_append(to, column == 0 ? "| " : " | ");
        append_markdown_escaped(to, cell->text);
    }
    g_string_append(to, " |\n");
}

char *table_markdown(const Table *table)
{
    GString *text = g_string_new(NULL);
    for (guint row = 0; row < all_rows(table); row++) {
        append_markdown_row(text, table, row);
        if (row > 0)
            continue;
        for (guint column = 0; column < table->n_columns; column++)
            g_string_append(text, table->columns[column].align == TABLE_RIGHT ? "| ---: " : "| --- ");
        g_string_append(text, "|\n");
    }
    return g_string_free(text, FALSE);
}

void table_print(const Table *table, Out *out)
{
    if (out->json)
        return;
    guint most_usual = out->results_tty && !out->verbose ? USUAL_SHOWN : 0;
    guint hidden = hidden_rows(table, most_usual);
    g_autofree char *text = table_text_short(table, out->results_tty ? out->width : 0, out->color_results, most_usual);
    out_raw(out, text);
    if (hidden > 0) {
        g_autofree char *count = out_count(hidden);
        out_line(out, "… and %s more without anything unusual (--verbose shows them)", count);
    }
}

void table_print_markdown(const Table *table, Out *out)
{
    if (out->json)
        return;
    g_autofree char *text = table_markdown(table);
    out_raw(out, text);
}
