#include "cmd/fold_columns.h"

#include "base/error.h"
#include "config/protect.h"

typedef struct Change {
    GString *add, *drop;
    GPtrArray *shown; /* of char* */
} Change;

static void add_table(Change *change, const AuditRelation *audit)
{
    g_autoptr(GPtrArray) statements = merge_missing_columns(audit->source, audit->target);
    for (guint i = 0; i < statements->len; i++) {
        g_string_append_printf(change->add, "%s; ", (const char *)statements->pdata[i]);
        g_ptr_array_add(change->shown, g_strdup(statements->pdata[i]));
    }
    for (guint i = 0; i < audit->source->columns->len; i++) {
        const CatalogColumn *column = audit->source->columns->pdata[i];
        g_autofree char *name = pg_quote_ident(column->name);
        if (!column->is_virtual && catalog_column(audit->target, column->name) == NULL)
            g_string_append_printf(change->drop, "ALTER TABLE IF EXISTS %s DROP COLUMN IF EXISTS %s; ",
                                   audit->target->quoted, name);
    }
}

static bool check_unprotected(const Config *config, const AuditRelation *audit, GError **error)
{
    const char *entry = config_protects_table(config, audit->target->schema, audit->target->name);
    if (entry == NULL)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Leave it out (skip: true in fold.tables), or fold without --add-columns.",
                  "%s is protected (%s): it is given no columns", audit->target->label, entry);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

/* Our own reading of the target must not stand in the way. */
static bool leave_target(Comparison *comparison, GError **error)
{
    g_clear_pointer(&comparison->targets, g_ptr_array_unref);
    return pg_snapshot_leave(comparison->ends->target, error);
}

/* Columns of these names may be somebody else's: they were made before the run came to it, or it was killed and they
 * were made since. And once the fold is committed, rows are in them. */
static char *cleanup_sql(const Change *change, const char *marker)
{
    g_autofree char *name = pg_quote_literal(marker);
    g_autofree char *quoted = pg_quote_ident(marker);
    g_autofree char *script = g_strdup_printf("%sDROP SCHEMA %s;", change->drop->str, quoted);
    g_autofree char *literal = pg_quote_literal(script);
    g_autofree char *body = g_strdup_printf(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s) THEN EXECUTE %s; END IF; END", name,
        literal);
    g_autofree char *quoted_body = pg_quote_literal(body);
    return g_strconcat("DO ", quoted_body, NULL);
}

static bool execute(const Change *change, const Ends *ends, Ledger *ledger, gint64 run, const char *marker,
                    GError **error)
{
    gint64 object = 0;
    g_autofree char *cleanup = cleanup_sql(change, marker);
    g_autofree char *quoted = pg_quote_ident(marker);
    g_autofree char *name = pg_quote_literal(marker);
    g_autoptr(GPtrArray) conns = ends_target_connections(ends, NULL, 1, error);
    return conns != NULL &&
           pg_execf(conns->pdata[0], deadline_in_ms(PG_CATALOG_MS), error, "SET application_name = %s", name) &&
           ledger_object_own(ledger, run, "columns", "new columns", ends->target_database, cleanup, &object, error) &&
           pg_execf(conns->pdata[0], DEADLINE_NONE, error,
                    "BEGIN; SET LOCAL lock_timeout = '%ds'; CREATE SCHEMA %s; %sCOMMIT",
                    ends->config->fold.lock_timeout, quoted, change->add->str);
}

bool fold_add_columns(const Analysis *analysis, Ledger *ledger, gint64 run, Out *out, char **ret_marker, GError **error)
{
    const GPtrArray *relations = analysis->verification->relations;
    g_autoptr(GString) add = g_string_new(NULL), drop = g_string_new(NULL);
    g_autoptr(GPtrArray) shown = g_ptr_array_new_with_free_func(g_free);
    Change change = {.add = add, .drop = drop, .shown = shown};
    for (guint i = 0; i < relations->len; i++) {
        const VerifyRelation *r = relations->pdata[i];
        if (r->verdict != VERIFY_INCOMPARABLE || r->audit->target == NULL)
            continue;
        if (!check_unprotected(analysis->comparison->ends->config, r->audit, error))
            return false;
        add_table(&change, r->audit);
    }
    for (guint i = 0; i < shown->len; i++)
        out_notice(out, "%s", (const char *)shown->pdata[i]);
    if (shown->len == 0)
        return true;
    g_autofree char *marker = g_strdup_printf("pgfold_%" G_GINT64_FORMAT "_%08x_columns", run, g_random_int());
    if (leave_target(analysis->comparison, error) &&
        execute(&change, analysis->comparison->ends, ledger, run, marker, error)) {
        *ret_marker = g_steal_pointer(&marker);
        return true;
    }
    g_prefix_error(error, "adding columns: ");
    return false;
}
