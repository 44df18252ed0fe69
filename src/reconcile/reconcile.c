#include "reconcile/reconcile.h"

#include "base/error.h"
#include "reconcile/internal.h"

DigestText reconcile_text_mode(const PgIdentity *a, const PgIdentity *b)
{
    return g_str_equal(a->encoding, b->encoding) ? DIGEST_TEXT_NATIVE : DIGEST_TEXT_UTF8;
}

char *reconcile_obstacle(const CatalogRelation *source, const CatalogRelation *target)
{
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *column = source->columns->pdata[i];
        const CatalogColumn *other = catalog_column(target, column->name);
        if (column->is_virtual)
            continue;
        if (other == NULL)
            return g_strdup_printf("the target has no column %s (%s)", column->name, column->type);
        if (!g_str_equal(column->type, other->type))
            return g_strdup_printf("column %s is %s in the source and %s in the target", column->name, column->type,
                                   other->type);
        if (other->is_virtual)
            return g_strdup_printf("column %s is stored in the source and virtual in the target", column->name);
    }
    return NULL;
}

bool reconcile_digests(const ReconcileSide *source, const ReconcileSide *target, const char *const *columns,
                       DigestText text, Digest *ret_source, Digest *ret_target, GError **error)
{
    g_autofree char *source_sql = digest_relation_sql(source->relation, columns, text);
    g_autofree char *target_sql = digest_relation_sql(target->relation, columns, text);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    if (!reconcile_query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error)) {
        g_prefix_error(error, "%s: ", source->relation->label);
        return false;
    }
    return digest_from_row(s, 0, 0, ret_source, error) && digest_from_row(t, 0, 0, ret_target, error);
}

bool reconcile_rows(const ReconcileSide *source, const ReconcileSide *target, DigestText text, guint max_details,
                    Reconciled *ret_result, GError **error)
{
    *ret_result = (Reconciled){0};
    g_autofree char *obstacle = NULL;
    g_autoptr(ReconcileScan) scan = reconcile_scan(source, target, text, error);
    if (scan == NULL || !reconcile_prove_key(scan, source, target, &obstacle, error))
        return false;
    if (obstacle != NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Name other columns as the key of this table in pgfold.yaml.",
                      "%s: rows cannot be compared: %s", source->relation->label, obstacle);
        return false;
    }
    return reconcile_descend(scan, source, target, max_details, NULL, ret_result, error);
}
