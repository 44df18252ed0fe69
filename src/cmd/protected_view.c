#include "cmd/protected_view.h"

#include <string.h>

#include "out/out.h"

/* " (12 tables, 3,021 rows)" */
static void append_counts(GString *text, const ReceiptProtected *item)
{
    const char *of = strcmp(item->kind, "path") == 0 ? "file" : "table";
    if (item->count == RECEIPT_UNKNOWN)
        return;
    g_autofree char *count = out_count((guint64)item->count);
    g_string_append_printf(text, " (%s %s%s", count, of, item->count == 1 ? "" : "s");
    if (item->rows != RECEIPT_UNKNOWN) {
        g_autofree char *rows = out_count((guint64)item->rows);
        g_string_append_printf(text, ", %s row%s", rows, item->rows == 1 ? "" : "s");
    }
    g_string_append_c(text, ')');
}

char *protected_text(const ReceiptProtected *item)
{
    bool same = strcmp(item->verdict, "same") == 0, absent = strcmp(item->verdict, "absent") == 0;
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s ", item->kind, item->name);
    if (item->server != NULL)
        g_string_append_printf(text, "(%s) ", item->server);
    g_string_append(text, same ? "unchanged" : absent ? "does not exist, before or after" : item->verdict);
    if (same)
        append_counts(text, item);
    if (item->reason != NULL)
        g_string_append_printf(text, ": %s", item->reason);
    return g_string_free(text, FALSE);
}
