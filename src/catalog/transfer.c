#include "catalog/catalog.h"

/* Built-in types whose binary form names objects by oid, depends on the session, or does not exist. */
static const char *const TEXT_ONLY[] = {"regproc",   "regprocedure",  "regoper",      "regoperator",
                                        "regclass",  "regtype",       "regrole",      "regnamespace",
                                        "regconfig", "regdictionary", "regcollation", "xml",
                                        "aclitem",   "pg_node_tree",  "gtsvector",    "refcursor",
                                        NULL};

/* Binary where the form is the same on every server: built-in types and enums (sent as labels). Types of extensions and
 * composite types may differ in version or hold oids: text. */
bool catalog_travels_binary(const CatalogRelation *relation, bool with_generated)
{
    for (guint i = 0; i < relation->columns->len; i++) {
        const CatalogColumn *column = relation->columns->pdata[i];
        if ((column->generated && (column->is_virtual || !with_generated)) || column->base_kind == 'e')
            continue;
        const char *type = column->elem_name != NULL ? column->elem_name : column->base_name;
        if (!column->from_initdb || column->base_kind == 'c' || g_strv_contains(TEXT_ONLY, type))
            return false;
        if (column->is_array && column->elem_name == NULL)
            return false;
    }
    return true;
}
