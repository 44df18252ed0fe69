/* Rows that name objects: a value of type regclass is the name of a table, and would be another table's in the target.
 */
#include "rename/internal.h"

static const char *const NAMES[] = {"regclass",     "regtype",       "regproc",   "regprocedure",
                                    "regoper",      "regoperator",   "regconfig", "regcollation",
                                    "regnamespace", "regdictionary", NULL};

static bool check_column(const RenameSpec *spec, const CatalogRelation *relation, const CatalogColumn *column,
                         Renamed *renamed, GError **error)
{
    g_autofree char *name = pg_quote_ident(column->name);
    const char *values[] = {spec->from};
    g_autofree char *sql = g_strdup_printf(
        "SELECT EXISTS (SELECT FROM ONLY %s WHERE pg_catalog.strpos(%s::text, pg_catalog.quote_ident($1::text)) > 0)",
        relation->read_from, name);
    g_autoptr(PgResult) r = pg_query_params(spec->source, sql, 1, values, DEADLINE_NONE, error);
    if (r == NULL)
        return false;
    if (pg_result_bool(r, 0, 0))
        rename_block(renamed,
                     "%s: rows name objects of schema %s in column %s (%s), which do not follow to %s: leave the table "
                     "out (skip: true), or fold into a database of its own (into: NAME)",
                     relation->label, spec->from, column->name, column->type, spec->to);
    return true;
}

bool rows_check(const RenameSpec *spec, const Catalog *source, Renamed *renamed, GError **error)
{
    for (guint i = 0; i < source->relations->len; i++) {
        const CatalogRelation *relation = source->relations->pdata[i];
        bool looked_at = catalog_has_rows(relation) && !spec->skip(relation->schema, relation->name, spec->skip_data);
        for (guint k = 0; looked_at && k < relation->columns->len; k++) {
            const CatalogColumn *column = relation->columns->pdata[k];
            const char *type = column->elem_name != NULL ? column->elem_name : column->base_name;
            if (column->from_initdb && g_strv_contains(NAMES, type) &&
                !check_column(spec, relation, column, renamed, error))
                return false;
        }
    }
    return true;
}
