#include "reconcile/key.h"

#include "base/error.h"

/* Types whose btree order is the same on every server. */
static const struct {
    const char *type, *bound;
    KeyOrder order;
} SAME_ORDER[] = {
    {"int2", "int8", ORDER_INT},
    {"int4", "int8", ORDER_INT},
    {"int8", "int8", ORDER_INT},
    {"oid", "oid", ORDER_OID},
    {"uuid", "uuid", ORDER_UUID},
    {"date", "date", ORDER_DATE},
    {"time", "time", ORDER_TIME},
    {"timestamp", "timestamp", ORDER_TIMESTAMP},
    {"timestamptz", "timestamptz", ORDER_TIMESTAMP},
};

/* Columns that are not unique on both sides tell no rows apart: there the rows are a multiset. */
const char *const *reconcile_key(const CatalogRelation *source, const CatalogRelation *target)
{
    if (source->key == NULL || target->key == NULL || g_strv_length(source->key) != g_strv_length(target->key))
        return NULL;
    for (char **column = source->key; *column != NULL; column++)
        if (!g_strv_contains((const char *const *)target->key, *column))
            return NULL;
    return (const char *const *)source->key;
}

static void set_order(KeyPlan *plan, const CatalogColumn *first, DigestText text)
{
    g_autofree char *quoted = pg_quote_ident(first->name);
    for (gsize i = 0; i < G_N_ELEMENTS(SAME_ORDER); i++) {
        if (!g_str_equal(first->base_schema, "pg_catalog") || !g_str_equal(first->base_name, SAME_ORDER[i].type))
            continue;
        plan->order = SAME_ORDER[i].order;
        plan->bound_type = g_strconcat("pg_catalog.", SAME_ORDER[i].bound, NULL);
        plan->order_sql = g_strdup_printf("%s::pg_catalog.%s", quoted, SAME_ORDER[i].type);
        return;
    }
    /* Bytes of another encoding may stand in another order. */
    if (text == DIGEST_TEXT_UTF8)
        return;
    plan->order = ORDER_TEXT;
    plan->bound_type = g_strdup("pg_catalog.text");
    plan->order_sql = g_strdup_printf("(pg_catalog.concat(%s) COLLATE \"C\")", quoted);
}

static bool index_begins_with(const CatalogRelation *relation, const char *column)
{
    return relation->key_name != NULL && g_str_equal(relation->key[0], column);
}

static bool is_number(const CatalogColumn *column)
{
    static const char *const NUMBERS[] = {"int2", "int4", "int8", "oid", NULL};
    return g_str_equal(column->base_schema, "pg_catalog") && g_strv_contains(NUMBERS, column->base_name);
}

/* Numbers as they are, each other column's text after its length: ("1","23") and ("12","3") differ. */
static void pack_key(KeyPlan *plan, const CatalogRelation *source)
{
    GString *sql = g_string_new(NULL);
    plan->numbers = g_new0(bool, g_strv_length((char **)plan->key));
    g_string_append_printf(sql, "pg_catalog.int8send(%s)", plan->row_sql);
    for (guint i = 0; plan->key[i] != NULL; i++) {
        g_autofree char *quoted = pg_quote_ident(plan->key[i]);
        g_autofree char *bytes = g_strdup_printf("pg_catalog.textsend(pg_catalog.concat(%s))", quoted);
        plan->numbers[i] = is_number(catalog_column(source, plan->key[i]));
        if (plan->numbers[i])
            g_string_append_printf(sql, " || pg_catalog.int8send(%s::pg_catalog.int8)", quoted);
        else
            g_string_append_printf(sql, " || pg_catalog.int4send(pg_catalog.octet_length(%s)) || %s", bytes, bytes);
    }
    plan->pack_sql = g_string_free(sql, FALSE);
}

void key_plan_init(KeyPlan *plan, const CatalogRelation *source, const CatalogRelation *target,
                   const char *const *columns, DigestText text)
{
    const char *const *key = reconcile_key(source, target);
    *plan = (KeyPlan){.key = key, .order = ORDER_NONE};
    plan->row_sql = digest_row_sql(source, columns, text, 0);
    if (key == NULL) {
        plan->second_sql = digest_row_sql(source, columns, text, 1);
        plan->hash_sql = g_strdup(plan->row_sql);
        plan->pack_sql =
            g_strdup_printf("pg_catalog.int8send(%s) || pg_catalog.int8send(%s)", plan->row_sql, plan->second_sql);
        return;
    }
    set_order(plan, catalog_column(source, key[0]), text);
    plan->indexed = plan->order > ORDER_TEXT && index_begins_with(source, key[0]) && index_begins_with(target, key[0]);
    plan->hash_sql = digest_row_sql(source, key, text, 2);
    pack_key(plan, source);
}

void key_plan_clear(KeyPlan *plan)
{
    g_clear_pointer(&plan->order_sql, g_free);
    g_clear_pointer(&plan->bound_type, g_free);
    g_clear_pointer(&plan->second_sql, g_free);
    g_clear_pointer(&plan->hash_sql, g_free);
    g_clear_pointer(&plan->pack_sql, g_free);
    g_clear_pointer(&plan->numbers, g_free);
    g_clear_pointer(&plan->row_sql, g_free);
}
