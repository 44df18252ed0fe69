#include "reconcile/digest.h"

#include <string.h>

#include "base/error.h"

/* In the templates, $c stands for the column and $s for the seed. */
typedef struct TypeMethod {
    const char *type; /* pg_catalog name of the type under its domains */
    const char *sql;
} TypeMethod;

/* Functions of the server whose result depends on the stored representation alone, alike in 12 to 18
 * (tests/cli/test_digest.py compares them on every version). hash_array_extended() reaches hash functions that have no
 * SQL form of their own; it does not hash the element type's oid (src/backend/utils/adt/arrayfuncs.c). */
static const TypeMethod NATIVE[] = {
    {"bool", "pg_catalog.hashint4extended($c::pg_catalog.int4, $s)"},
    {"int2", "pg_catalog.hashint2extended($c, $s)"},
    {"int4", "pg_catalog.hashint4extended($c, $s)"},
    /* Not hashint8extended(): it folds the value to 32 bits first, so that 5 and 4294967300 have one hash. A seed is
     * mixed in with all of its 64 bits. */
    {"int8", "pg_catalog.hashint4extended(0, $c OPERATOR(pg_catalog.#) $s)"},
    {"oid", "pg_catalog.hashoidextended($c, $s)"},
    {"name", "pg_catalog.hashnameextended($c, $s)"},
    {"uuid", "pg_catalog.uuid_hash_extended($c, $s)"},
    {"date", "pg_catalog.hash_array_extended(ARRAY[$c], $s)"},
    {"bytea", "pg_catalog.hash_array_extended(ARRAY[$c], $s)"},
    {"inet", "pg_catalog.hashinetextended($c, $s)"},
    {"cidr", "pg_catalog.hashinetextended($c, $s)"},
    {"macaddr", "pg_catalog.hashmacaddrextended($c, $s)"},
    {"macaddr8", "pg_catalog.hashmacaddr8extended($c, $s)"},
};

/* Types whose binary output is their exact value. The server's hash functions for them are coarser: of equality (-0.0,
 * '1 mon' and '30 days', padded blanks), folded to 32 bits (times, timestamps, pg_lsn), or not alike on every machine
 * ("char"). */
static const TypeMethod SEND[] = {
    {"float4", "float4send"},
    {"float8", "float8send"},
    {"money", "cash_send"},
    {"interval", "interval_send"},
    {"timetz", "timetz_send"},
    {"bit", "bit_send"},
    {"varbit", "varbit_send"},
    {"bpchar", "bpcharsend"},
    {"point", "point_send"},
    {"lseg", "lseg_send"},
    {"path", "path_send"},
    {"box", "box_send"},
    {"polygon", "poly_send"},
    {"line", "line_send"},
    {"circle", "circle_send"},
    {"tsvector", "tsvectorsend"},
    {"time", "time_send"},
    {"timestamp", "timestamp_send"},
    {"timestamptz", "timestamptz_send"},
    {"pg_lsn", "pg_lsn_send"},
    {"char", "charsend"},
};

/* Elements whose arrays may be sent whole: array_send() adds dimensions, bounds and the element's oid, which is fixed.
 * It also adds whether there is room for NULLs (byte 7), which says how an array came to be and not what it holds. */
static const char *const ARRAY_ELEMENTS[] = {
    "bool",   "int2", "int4",    "int8",  "float4",    "float8",      "numeric",  "uuid",   "date", "time",
    "timetz", "text", "varchar", "bytea", "timestamp", "timestamptz", "interval", "bpchar", NULL};

static const char ARRAY_SEND[] = "array_send";
static const char TEXT_SQL[] = "pg_catalog.hashtextextended($c COLLATE \"C\", $s)";
static const char BPCHAR_SQL[] = "pg_catalog.hashbpcharextended($c COLLATE \"C\", $s)";

static const char *lookup(const TypeMethod *table, gsize n, const char *type)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_equal(table[i].type, type))
            return table[i].sql;
    return NULL;
}

static char *fill_in(const char *sql, const char *column, const char *seed)
{
    GString *out = g_string_new(sql);
    g_string_replace(out, "$s", seed, 0);
    g_string_replace(out, "$c", column, 0);
    return g_string_free(out, FALSE);
}

static bool is_builtin(const CatalogColumn *column)
{
    return g_str_equal(column->base_schema, "pg_catalog") && column->from_initdb;
}

static bool is_text(const CatalogColumn *column)
{
    return is_builtin(column) && (g_str_equal(column->base_name, "text") || g_str_equal(column->base_name, "varchar"));
}

/* Blanks up to the declared length are not part of a char(n); both sides declare the same n (drift is looked for
 * first). */
static bool is_fixed_char(const CatalogColumn *column)
{
    return is_builtin(column) && g_str_equal(column->base_name, "bpchar") && column->typmod > 0;
}

/* The function that sends a column's exact value, or NULL. */
static const char *send_function(const CatalogColumn *column, DigestText text)
{
    if (!is_builtin(column))
        return NULL;
    if (column->is_array)
        return column->elem_name != NULL && g_strv_contains(ARRAY_ELEMENTS, column->elem_name) &&
                       column->base_name[0] == '_'
                   ? ARRAY_SEND
                   : NULL;
    if (text == DIGEST_TEXT_UTF8 && is_text(column))
        return "textsend"; /* converts to client_encoding, which is UTF8 */
    if (text == DIGEST_TEXT_UTF8 && g_str_equal(column->base_name, "name"))
        return "namesend";
    return lookup(SEND, G_N_ELEMENTS(SEND), column->base_name);
}

static const char *native_sql(const CatalogColumn *column, DigestText text)
{
    if (!is_builtin(column) || column->is_array)
        return NULL;
    if (text == DIGEST_TEXT_NATIVE && is_text(column))
        return TEXT_SQL;
    if (text == DIGEST_TEXT_NATIVE && is_fixed_char(column))
        return BPCHAR_SQL;
    if (text == DIGEST_TEXT_UTF8 && g_str_equal(column->base_name, "name"))
        return NULL;
    return lookup(NATIVE, G_N_ELEMENTS(NATIVE), column->base_name);
}

const char *digest_method(const CatalogColumn *column, DigestText text)
{
    if (native_sql(column, text) != NULL)
        return "native";
    return send_function(column, text) != NULL ? "send" : "text";
}

static char *seed_of(const char *column_name, guint64 salt)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 bytes[32];
    gsize len = sizeof bytes;
    g_checksum_update(sum, (const guchar *)&salt, sizeof salt);
    g_checksum_update(sum, (const guchar *)column_name, (gssize)strlen(column_name));
    g_checksum_get_digest(sum, bytes, &len);
    gint64 seed = 0;
    for (int i = 0; i < 8; i++)
        seed = (gint64)(((guint64)seed << 8) | bytes[i]);
    if (seed == G_MININT64) /* has no literal */
        seed = 1;
    return g_strdup_printf("'%" G_GINT64_FORMAT "'::pg_catalog.int8", seed);
}

/* The value as the type's output function writes it. concat() calls it without looking for a cast that a user made. */
static char *text_hash(const char *column, const char *seed, DigestText text)
{
    if (text == DIGEST_TEXT_NATIVE)
        return g_strdup_printf("pg_catalog.hashtextextended(pg_catalog.concat(%s) COLLATE \"C\", %s)", column, seed);
    return g_strdup_printf("pg_catalog.hash_array_extended(ARRAY[pg_catalog.textsend(pg_catalog.concat(%s))], %s)",
                           column, seed);
}

static char *column_sql(const CatalogColumn *column, DigestText text, guint64 salt)
{
    g_autofree char *quoted = pg_quote_ident(column->name);
    g_autofree char *seed = seed_of(column->name, salt);
    g_autofree char *null_name = g_strconcat(column->name, "\n(null)", NULL);
    g_autofree char *null_seed = seed_of(null_name, salt);
    g_autofree char *hash = NULL;
    const char *native = native_sql(column, text);
    const char *send = send_function(column, text);
    if (native != NULL)
        hash = fill_in(native, quoted, seed);
    else if (send == ARRAY_SEND)
        hash = g_strdup_printf(
            "pg_catalog.hash_array_extended(ARRAY[pg_catalog.set_byte(pg_catalog.array_send(%s), 7, 0)], %s)", quoted,
            seed);
    else if (send != NULL)
        hash = g_strdup_printf("pg_catalog.hash_array_extended(ARRAY[pg_catalog.%s(%s)], %s)", send, quoted, seed);
    else
        hash = text_hash(quoted, seed, text);
    /* Not by attnotnull: the two sides may differ in that and must still use the same expression. */
    if (native != NULL && strstr(native, "ARRAY") == NULL)
        return g_strdup_printf("coalesce(%s, %s)", hash, null_seed);
    return g_strdup_printf("CASE WHEN %s IS NULL THEN %s ELSE %s END", quoted, null_seed, hash);
}

char *digest_row_sql(const CatalogRelation *relation, const char *const *columns, DigestText text, guint64 salt)
{
    g_autoptr(GString) sum = g_string_new("0::pg_catalog.int8");
    for (guint i = 0; i < relation->columns->len; i++) {
        const CatalogColumn *column = relation->columns->pdata[i];
        if (column->is_virtual || (columns != NULL && !g_strv_contains(columns, column->name)))
            continue;
        g_autofree char *hash = column_sql(column, text, salt);
        g_string_append_printf(sum, " OPERATOR(pg_catalog.#) %s", hash);
    }
    /* The last mix makes the row's hash more than the xor of its columns: without it, two rows that exchange a value
     * would often have the same sum as before. As the seed, for all 64 bits to count. */
    return g_strdup_printf("pg_catalog.hashint4extended(1640531527, %s)", sum->str);
}

char *digest_relation_sql(const CatalogRelation *relation, const char *const *columns, DigestText text)
{
    g_autofree char *row = digest_row_sql(relation, columns, text, 0);
    return g_strdup_printf("SELECT count(*)::text, coalesce(sum(%s), 0)::text FROM %s%s", row,
                           relation->kind == 'r' ? "ONLY " : "", relation->read_from);
}

/* sum(bigint) is numeric: a decimal integer of up to 38 digits. */
static bool parse_decimal(const char *text, unsigned __int128 *ret_value)
{
    bool negative = *text == '-';
    unsigned __int128 value = 0;
    const char *c = text + (negative ? 1 : 0);
    if (*c == '\0')
        return false;
    for (; *c != '\0'; c++) {
        if (!g_ascii_isdigit(*c))
            return false;
        value = value * 10 + (unsigned)(*c - '0');
    }
    *ret_value = negative ? -value : value;
    return true;
}

bool digest_from_row(const PgResult *result, int row, int first_column, Digest *ret_digest, GError **error)
{
    const char *text = pg_result_get(result, row, first_column + 1);
    unsigned __int128 sum = 0;
    if (text == NULL || !parse_decimal(text, &sum)) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "a digest is not a number: %s", text == NULL ? "NULL" : text);
        return false;
    }
    ret_digest->rows = (guint64)pg_result_int(result, row, first_column);
    ret_digest->high = (guint64)(sum >> 64);
    ret_digest->low = (guint64)sum;
    return true;
}

void digest_add(Digest *to, const Digest *part)
{
    unsigned __int128 a = ((unsigned __int128)to->high << 64) | to->low;
    unsigned __int128 b = ((unsigned __int128)part->high << 64) | part->low;
    a += b;
    to->rows += part->rows;
    to->high = (guint64)(a >> 64);
    to->low = (guint64)a;
}

bool digest_equal(const Digest *a, const Digest *b)
{
    return a->rows == b->rows && a->high == b->high && a->low == b->low;
}

char *digest_text(const Digest *digest)
{
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", digest->high, digest->low);
}

bool digest_parse(const char *text, guint64 rows, Digest *ret_digest)
{
    if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
        return false;
    g_autofree char *high = g_strndup(text, 16);
    ret_digest->rows = rows;
    ret_digest->high = g_ascii_strtoull(high, NULL, 16);
    ret_digest->low = g_ascii_strtoull(text + 16, NULL, 16);
    return true;
}

char **digest_columns(const CatalogRelation *source)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *column = source->columns->pdata[i];
        if (!column->is_virtual)
            g_ptr_array_add(names, g_strdup(column->name));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
