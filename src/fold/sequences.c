#include "base/error.h"
#include "fold/internal.h"

enum { SEQUENCES_PER_QUERY = 100 };

static const AuditSequence *sequence_at(const Fold *fold, guint i)
{
    return fold->spec->plan->verification->audit->sequences->pdata[i];
}

/* One that the target had before is raised as it stands at this moment, which may be beyond what the plan saw. */
static void append(GString *sql, const AuditSequence *pair)
{
    const CatalogSequence *s = pair->source;
    const char *called = s->is_called ? "true" : "false";
    g_autofree char *name = pg_quote_literal(s->quoted);
    if (sql->len > 0)
        g_string_append(sql, " UNION ALL ");
    g_string_append_printf(sql, "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %" G_GINT64_FORMAT ", %s)", name,
                           s->last_value, called);
    if (pair->target == NULL)
        return;
    g_string_append_printf(sql,
                           " FROM %s WHERE last_value %s %" G_GINT64_FORMAT " OR (last_value = %" G_GINT64_FORMAT
                           " AND %s AND NOT is_called)",
                           s->quoted, s->increment > 0 ? "<" : ">", s->last_value, s->last_value, called);
}

static bool flush(Fold *fold, GString *sql, GError **error)
{
    bool ok = sql->len == 0 || pg_exec(fold->main, sql->str, deadline_in_ms(PG_CATALOG_MS), error);
    g_string_truncate(sql, 0);
    return ok;
}

/* New sequences get the source's value; one that the target has already is raised to it, never lowered. */
bool fold_sequences(Fold *fold, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; i < fold->spec->plan->verification->audit->sequences->len; i++) {
        const AuditSequence *s = sequence_at(fold, i);
        if (s->source == NULL || s->reached)
            continue;
        append(sql, s);
        if (++n % SEQUENCES_PER_QUERY == 0 && !flush(fold, sql, error))
            return false;
    }
    return flush(fold, sql, error);
}
