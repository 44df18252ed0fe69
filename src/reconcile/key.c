#include "reconcile/key.h"

#include "base/error.h"

/* Types whose btree order is the same on every server; the others are ordered by their text under COLLATE "C". */
static const char *const SAME_ORDER[] = {"int2", "int4", "int8",      "oid",         "uuid",
                                         "date", "time", "timestamp", "timestamptz", NULL};

enum {
    ROWS_PER_RANGE = 200, /* costs 24 bytes of traffic each */
    MAX_RANGES = 65536,
    MAX_TEXT_RANGES = 256, /* width_bucket() walks an array of texts from its start for each row */
    ROWS_PER_PAGE = 60,    /* where nothing is known */
};

/* The key of the source, when the same columns (in any order) are the key of the target too. Columns that are not
 * unique on both sides tell no rows apart: there the rows are a multiset. */
static const char *const *usable_key(const CatalogRelation *source, const CatalogRelation *target)
{
    if (source->key == NULL || target->key == NULL || g_strv_length(source->key) != g_strv_length(target->key))
        return NULL;
    for (char **column = source->key; *column != NULL; column++)
        if (!g_strv_contains((const char *const *)target->key, *column))
            return NULL;
    return (const char *const *)source->key;
}

static void set_order(KeyPlan *plan, const CatalogColumn *first)
{
    g_autofree char *quoted = pg_quote_ident(first->name);
    if (g_str_equal(first->base_schema, "pg_catalog") && g_strv_contains(SAME_ORDER, first->base_name)) {
        plan->order_type = g_strconcat("pg_catalog.", first->base_name, NULL);
        plan->order_sql = g_strdup_printf("%s::%s", quoted, plan->order_type);
    } else {
        plan->order_type = g_strdup("pg_catalog.text");
        plan->order_sql = g_strdup_printf("(pg_catalog.concat(%s) COLLATE \"C\")", quoted);
    }
}

/* Texts are framed by their length: ("1","23") and ("12","3") differ. */
static char *key_text_sql(const char *const *key)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    for (; *key != NULL; key++) {
        g_autofree char *quoted = pg_quote_ident(*key);
        g_string_append_printf(sql, "%spg_catalog.length(pg_catalog.concat(%s)), ':', %s", sql->len > 0 ? ", " : "",
                               quoted, quoted);
    }
    return g_strdup_printf("pg_catalog.concat(%s)", sql->str);
}

void key_plan_init(KeyPlan *plan, const CatalogRelation *source, const CatalogRelation *target,
                   const char *const *columns, DigestText text)
{
    const char *const *key = usable_key(source, target);
    *plan = (KeyPlan){.keyed = key != NULL};
    plan->row_sql = digest_row_sql(source, columns, text, 0);
    if (key != NULL) {
        set_order(plan, catalog_column(source, key[0]));
        plan->key_sql = key_text_sql(key);
        return;
    }
    g_autofree char *second = digest_row_sql(source, columns, text, 1);
    plan->order_type = g_strdup("pg_catalog.int8");
    plan->order_sql = g_strdup(plan->row_sql);
    plan->key_sql = g_strdup_printf("pg_catalog.concat(%s, ' ', %s)", plan->row_sql, second);
}

/* The exact number; else the planner's estimate; of a table that was never analysed, a guess from its size. */
static guint64 rows_expected(const ReconcileSide *source)
{
    const CatalogRelation *relation = source->relation;
    if (source->rows > 0)
        return source->rows;
    return relation->estimate >= 0 ? (guint64)relation->estimate : relation->pages * ROWS_PER_PAGE;
}

guint64 key_plan_max_ranges(const KeyPlan *plan)
{
    return g_str_equal(plan->order_type, "pg_catalog.text") ? MAX_TEXT_RANGES : MAX_RANGES;
}

guint64 key_plan_rows_per_range(const KeyPlan *plan, const ReconcileSide *source)
{
    return MAX((guint64)ROWS_PER_RANGE, rows_expected(source) / key_plan_max_ranges(plan) + 1);
}

guint64 key_plan_ranges(const KeyPlan *plan, const ReconcileSide *source)
{
    return CLAMP(rows_expected(source) / ROWS_PER_RANGE, 1, key_plan_max_ranges(plan));
}

void key_plan_clear(KeyPlan *plan)
{
    g_clear_pointer(&plan->order_sql, g_free);
    g_clear_pointer(&plan->order_type, g_free);
    g_clear_pointer(&plan->key_sql, g_free);
    g_clear_pointer(&plan->row_sql, g_free);
}
