#include "base/error.h"
#include "reconcile/internal.h"

static char *key_list(const char *const *key, const char *separator, const char *after)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; key[i] != NULL; i++) {
        g_autofree char *quoted = pg_quote_ident(key[i]);
        g_string_append_printf(list, "%s%s%s", i > 0 ? separator : "", quoted, after);
    }
    return g_string_free(list, FALSE);
}

/* Unique as the types compare, which is stricter than as text. */
static char *prove_sql(const KeyPlan *key, const CatalogRelation *relation)
{
    const char *only = reconcile_only(relation);
    g_autofree char *nulls = key_list(key->key, " OR ", " IS NULL");
    g_autofree char *columns = key_list(key->key, ", ", "");
    return g_strdup_printf("SELECT (EXISTS (SELECT FROM %s%s WHERE %s))::text, (EXISTS (SELECT FROM %s%s GROUP BY %s "
                           "HAVING count(*) > 1))::text",
                           only, relation->read_from, nulls, only, relation->read_from, columns);
}

static char *obstacle_of(const KeyPlan *key, const PgResult *result, const char *side)
{
    bool is_null = g_str_equal(pg_result_get(result, 0, 0), "true");
    bool is_double = g_str_equal(pg_result_get(result, 0, 1), "true");
    if (!is_null && !is_double)
        return NULL;
    g_autofree char *names = g_strjoinv(", ", (char **)key->key);
    return g_strdup_printf("key (%s) is %s in the %s", names, is_double ? "not unique" : "NULL in a row", side);
}

bool reconcile_prove_key(ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                         char **ret_obstacle, GError **error)
{
    *ret_obstacle = NULL;
    if (scan->key_proven || scan->key.key == NULL)
        return true;
    g_autofree char *source_sql = prove_sql(&scan->key, source->relation);
    g_autofree char *target_sql = prove_sql(&scan->key, target->relation);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    if (!reconcile_query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error)) {
        g_prefix_error(error, "%s: ", source->relation->label);
        return false;
    }
    *ret_obstacle = obstacle_of(&scan->key, s, "source");
    if (*ret_obstacle == NULL)
        *ret_obstacle = obstacle_of(&scan->key, t, "target");
    scan->key_proven = *ret_obstacle == NULL;
    return true;
}
