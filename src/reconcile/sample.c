#include "reconcile/sample.h"

#include "base/error.h"
#include "reconcile/internal.h"

#define SIGN_BIT (1ULL << 63)
#define MICROS 1000000LL
#define DAY_SECONDS 86400LL
#define EPOCH_2000 946684800LL /* PostgreSQL's epoch, in seconds of Unix */

enum {
    MAX_BLOCKS = 8192,
    KEYS_PER_BLOCK = 4,
};

/* Rows of evenly spread blocks: in a table that follows its key, evenly spread keys. */
static char *blocks_where(const CatalogRelation *relation)
{
    guint64 step = relation->pages / MAX_BLOCKS + 1;
    return g_strdup_printf("ctid = ANY (ARRAY(SELECT pg_catalog.format('(%%s,%%s)', b, o)::pg_catalog.tid FROM "
                           "pg_catalog.generate_series(0::pg_catalog.int8, %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                           ") b, pg_catalog.generate_series(1, %d) o))",
                           relation->pages == 0 ? 0 : relation->pages - 1, step, KEYS_PER_BLOCK);
}

/* Its result: 4, 8 or 16 bytes, the first of which is the highest. */
static const char *send_function(const KeyPlan *key)
{
    switch (key->order) {
    case ORDER_UUID:
        return "uuid_send";
    case ORDER_DATE:
        return "date_send";
    case ORDER_TIME:
        return "time_send";
    case ORDER_TIMESTAMP:
        return g_str_has_suffix(key->bound_type, "timestamptz") ? "timestamptz_send" : "timestamp_send";
    case ORDER_INT:
    case ORDER_OID:
    case ORDER_NONE:
    case ORDER_TEXT:
        break;
    }
    return "int8send";
}

static gsize send_width(KeyOrder order)
{
    return order == ORDER_UUID ? 16 : order == ORDER_DATE ? 4 : 8;
}

static char *points_sql(const KeyPlan *key, const ReconcileSide *side)
{
    const CatalogRelation *r = side->relation;
    const char *only = reconcile_only(r);
    const char *cast = g_str_equal(send_function(key), "int8send") ? "::pg_catalog.int8" : "";
    g_autofree char *blocks = blocks_where(r);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(
        sql,
        "SELECT pg_catalog.string_agg(pg_catalog.%s(v%s), ''::pg_catalog.bytea) FROM (SELECT %s AS v "
        "FROM %s%s WHERE %s",
        send_function(key), cast, key->order_sql, only, r->read_from, blocks);
    for (int last = 0; key->indexed && last <= 1; last++)
        g_string_append_printf(sql, " UNION ALL (SELECT %s FROM %s%s ORDER BY %s%s LIMIT 1)", key->order_sql, only,
                               r->read_from, key->order_sql, last != 0 ? " DESC" : "");
    g_string_append(sql, ") s");
    return g_string_free(sql, FALSE);
}

/* In an order that compares as unsigned. */
static void take_points(GArray *points, KeyOrder order, const guint8 *bytes, gsize length)
{
    gsize width = send_width(order);
    for (gsize at = 0; at + width <= length; at += width) {
        guint64 point = 0;
        for (gsize i = 0; i < MIN(width, 8); i++)
            point = point << 8 | bytes[at + i];
        if (order == ORDER_DATE)
            point = (guint64)(gint64)(gint32)(guint32)point;
        if (order != ORDER_UUID)
            point ^= SIGN_BIT;
        g_array_append_val(points, point);
    }
}

static int by_value(gconstpointer a, gconstpointer b)
{
    const guint64 *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

GArray *sample_points(const KeyPlan *key, const ReconcileSide *source, const ReconcileSide *target, GError **error)
{
    g_autofree char *source_sql = points_sql(key, source);
    g_autofree char *target_sql = points_sql(key, target);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    if (!reconcile_query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error))
        return NULL;
    GArray *points = g_array_new(FALSE, FALSE, sizeof(guint64));
    const PgResult *results[] = {s, t};
    for (gsize i = 0; i < G_N_ELEMENTS(results); i++) {
        gsize length = 0;
        const guint8 *bytes = pg_result_bytes(results[i], 0, 0, &length);
        take_points(points, key->order, bytes, bytes == NULL ? 0 : length);
    }
    g_array_sort(points, by_value);
    return points;
}

GPtrArray *sample_texts(const KeyPlan *key, const ReconcileSide *source, guint n, GError **error)
{
    g_autofree char *blocks = blocks_where(source->relation);
    g_autofree char *sql = g_strdup_printf(
        "SELECT DISTINCT v COLLATE \"C\" AS bound FROM (SELECT pg_catalog.unnest(pg_catalog.percentile_disc(ARRAY("
        "SELECT i / %u.0::pg_catalog.float8 FROM pg_catalog.generate_series(1, %u) i)) WITHIN GROUP (ORDER BY %s)) AS "
        "v "
        "FROM %s%s WHERE %s) s WHERE v IS NOT NULL ORDER BY bound",
        n, n - 1, key->order_sql, reconcile_only(source->relation), source->relation->read_from, blocks);
    g_autoptr(PgResult) r = n < 2 ? NULL : pg_query(source->conn, sql, DEADLINE_NONE, error);
    if (r == NULL && n >= 2)
        return NULL;
    GPtrArray *bounds = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++)
        g_ptr_array_add(bounds, g_strdup(pg_result_get(r, i, 0)));
    return bounds;
}

gint64 sample_number(guint64 point)
{
    return (gint64)(point ^ SIGN_BIT);
}

/* Days or times beyond what a date of four digits can say are no bounds. */
static char *time_literal(gint64 seconds_since_2000, gint64 micros, const char *format)
{
    if (seconds_since_2000 > 250000000000LL || seconds_since_2000 < -250000000000LL)
        return NULL;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds_since_2000 + EPOCH_2000);
    if (time == NULL)
        return NULL;
    g_autofree char *text = g_date_time_format(time, format);
    /* %Y is not padded by every C library. */
    return g_strdup_printf("%04d%s.%06" G_GINT64_FORMAT, g_date_time_get_year(time), text, micros);
}

char *sample_literal(KeyOrder order, guint64 point)
{
    gint64 number = sample_number(point);
    gint64 seconds = number / MICROS, micros = number % MICROS;
    char *text = NULL;
    switch (order) {
    case ORDER_UUID:
        return g_strdup_printf("%016" G_GINT64_MODIFIER "x0000000000000000", point);
    case ORDER_DATE:
        text = number > 4000000 || number < -4000000 ? NULL : time_literal(number * DAY_SECONDS, 0, "-%m-%d");
        if (text != NULL)
            text[10] = '\0';
        return text;
    case ORDER_TIME:
        return g_strdup_printf("%02d:%02d:%02d.%06d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                               (int)(seconds % 60), (int)micros);
    case ORDER_TIMESTAMP:
        if (micros < 0) {
            micros += MICROS;
            seconds--;
        }
        text = time_literal(seconds, micros, "-%m-%d %H:%M:%S");
        return text;
    case ORDER_NONE:
    case ORDER_TEXT:
    case ORDER_INT:
    case ORDER_OID:
        break;
    }
    return g_strdup_printf("%" G_GINT64_FORMAT, number);
}
