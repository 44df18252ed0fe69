#include "base/error.h"
#include "fold/internal.h"

enum { SEQUENCES_PER_QUERY = 500 };

static const AuditSequence *sequence_at(const Fold *fold, guint i)
{
    return fold->spec->plan->verification->audit->sequences->pdata[i];
}

static void append(GString *sql, const CatalogSequence *s)
{
    g_autofree char *name = pg_quote_literal(s->quoted);
    g_string_append_printf(sql, "%spg_catalog.setval(%s::pg_catalog.regclass, %" G_GINT64_FORMAT ", %s)",
                           sql->len == 0 ? "SELECT " : ", ", name, s->last_value, s->is_called ? "true" : "false");
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
        append(sql, s->source);
        if (++n % SEQUENCES_PER_QUERY == 0 && !flush(fold, sql, error))
            return false;
    }
    return flush(fold, sql, error);
}
