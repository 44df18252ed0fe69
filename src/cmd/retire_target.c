#include "cmd/retire_target.h"

enum { AT_ONCE = 200, NAMED = 10 };

/* Names, quoted, of the tables in the target that must hold rows. Transfer full. */
static GPtrArray *tables_with_rows(const RetireJob *job)
{
    GPtrArray *tables = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < job->receipt->relations->len; i++) {
        const ReceiptRelation *one = job->receipt->relations->pdata[i];
        if (one->verdict == RECEIPT_CONTAINED && one->rows > 0)
            g_ptr_array_add(tables, pg_quote_qualified(config_target_schema(job->source, one->schema), one->name));
    }
    return tables;
}

/* One row for each of them that is not as the condition wants. column: with one %s for the name. */
static bool ask(PgConn *conn, const GPtrArray *tables, guint from, bool exist, GPtrArray *lost, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = from; i < MIN(from + AT_ONCE, tables->len); i++) {
        const char *table = tables->pdata[i];
        g_autofree char *literal = pg_quote_literal(table);
        g_string_append(sql, i == from ? "" : " UNION ALL ");
        if (exist)
            g_string_append_printf(sql, "SELECT %s WHERE pg_catalog.to_regclass(%s) IS NULL", literal, literal);
        else
            g_string_append_printf(sql, "SELECT %s WHERE NOT EXISTS (SELECT FROM %s)", literal, table);
    }
    g_autoptr(PgResult) rows = pg_query(conn, sql->str, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; rows != NULL && i < pg_result_rows(rows); i++)
        g_ptr_array_add(lost, g_strdup(pg_result_get(rows, i, 0)));
    return rows != NULL;
}

static bool ask_all(PgConn *conn, const GPtrArray *tables, bool exist, GPtrArray *lost, GError **error)
{
    for (guint i = 0; i < tables->len; i += AT_ONCE)
        if (!ask(conn, tables, i, exist, lost, error))
            return false;
    return true;
}

bool retire_target_holds(const RetireJob *job, const Ends *ends, GError **error)
{
    g_autoptr(GPtrArray) tables = tables_with_rows(job);
    g_autoptr(GPtrArray) lost = g_ptr_array_new_with_free_func(g_free);
    if (!ask_all(ends->target, tables, true, lost, error) ||
        (lost->len == 0 && !ask_all(ends->target, tables, false, lost, error)))
        return false;
    if (lost->len == 0)
        return true;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < MIN(lost->len, NAMED); i++)
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", (const char *)lost->pdata[i]);
    return retire_refuse(error, g_strdup_printf("pgfold verify %s shows what is missing.", job->source->name),
                         "of source %s, %u table%s that had rows %s gone or empty in the target: %s", job->source->name,
                         lost->len, lost->len == 1 ? "" : "s", lost->len == 1 ? "is" : "are", names->str);
}
