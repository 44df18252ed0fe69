#include "ends/databases.h"

#include "base/error.h"
#include "base/route.h"
#include "config/protect.h"
#include "ends/ends_sql.h"
#include "filter/pattern.h"
#include "pg/conn.h"
#include "tunnel/routes.h"

#define MAINTENANCE "postgres"

static Deadline connect_deadline(void)
{
    return deadline_in_ms(PG_CONNECT_MS);
}

/* An array of regular expressions, as the server reads it; NULL with an error. Transfer full. */
static char *expressions_of(char *const *patterns, const char *where, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; patterns[i] != NULL; i++) {
        FilterPattern pattern;
        if (!filter_pattern_parse(patterns[i], false, &pattern, error)) {
            g_prefix_error(error, "%s.databases: ", where);
            return NULL;
        }
        g_ptr_array_add(all, pattern.name);
    }
    return pg_array_literal(all);
}

/* A pattern that matches no database is misspelt, or stands for what is gone. */
static bool check_patterns(PgConn *conn, char *const *patterns, const char *where, GError **error)
{
    for (guint i = 0; patterns[i] != NULL; i++) {
        char *const one[] = {patterns[i], NULL};
        g_autofree char *expression = expressions_of(one, where, error);
        const char *values[] = {expression, "{}"};
        g_autoptr(PgResult) r = expression == NULL ? NULL
                                                   : pg_query_params(conn, ENDS_DATABASES_SQL, 2, values,
                                                                     deadline_in_ms(PG_CATALOG_MS), error);
        if (r == NULL)
            return false;
        if (pg_result_rows(r) > 0)
            continue;
        pgf_error_set(error, PGF_ERROR_USAGE, "Templates and databases that allow no connections do not count.",
                      "%s: %s.databases: the pattern %s matches nothing", pg_conn_label(conn), where, patterns[i]);
        return false;
    }
    return true;
}

static PgResult *read_databases(PgConn *conn, const ConfigSource *base, GError **error)
{
    g_autofree char *include = expressions_of(base->include.databases, "include", error);
    g_autofree char *exclude = include == NULL ? NULL : expressions_of(base->exclude.databases, "exclude", error);
    if (exclude == NULL || !check_patterns(conn, base->include.databases, "include", error) ||
        !check_patterns(conn, base->exclude.databases, "exclude", error))
        return NULL;
    const char *values[] = {include, exclude};
    return pg_query_params(conn, ENDS_DATABASES_SQL, G_N_ELEMENTS(values), values, deadline_in_ms(PG_CATALOG_MS),
                           error);
}

bool ends_is_used(const char *label, const char *url, const char *database, bool *ret_used, GError **error)
{
    g_autoptr(PgConn) conn = pg_conn_open(label, url, database, connect_deadline(), error);
    g_autoptr(PgResult) r =
        conn == NULL ? NULL : pg_query(conn, ENDS_IS_USED_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    *ret_used = pg_result_bool(r, 0, 0);
    return true;
}

/* The database `postgres`, which every server has, counts where somebody has put something into it. */
static bool is_used(const char *label, const ConfigSource *base, const char *database, bool *ret_used, GError **error)
{
    *ret_used = true;
    return !g_str_equal(database, MAINTENANCE) || ends_is_used(label, base->url, database, ret_used, error);
}

static bool add_databases(const Config *config, const ConfigSource *base, PgConn *conn, GPtrArray *to,
                          GPtrArray *notices, GError **error)
{
    g_autoptr(PgResult) r = read_databases(conn, base, error);
    guint before = to->len;
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 0);
        bool used = true;
        if (!g_utf8_validate(name, -1, NULL)) {
            pgf_error_set(error, PGF_ERROR_REFUSED, "Rename it, or write a source of its own for each database.",
                          "%s: the name of a database is not in UTF-8", pg_conn_label(conn));
            return false;
        }
        if (config_protected(config, CONFIG_PROTECT_DATABASES, name) != NULL) {
            g_ptr_array_add(notices,
                            g_strdup_printf("%s: database %s is protected, and left out", pg_conn_label(conn), name));
            continue;
        }
        if (!is_used(pg_conn_label(conn), base, name, &used, error))
            return false;
        const ConfigSource *source = used ? config_database_source(config, base, name) : NULL;
        if (source != NULL && !g_ptr_array_find(to, source, NULL))
            g_ptr_array_add(to, (gpointer)(guintptr)source);
    }
    if (to->len > before)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Templates, and `postgres` where it is empty, do not count.",
                  "%s: its server has no database to fold", pg_conn_label(conn));
    return false;
}

static PgConn *enter_server(const ConfigSource *base, GError **error)
{
    g_autofree char *label = g_strconcat("source ", base->name, NULL), *missing = NULL;
    if (route_is(base->url) && !tunnel_route_open(label, base->url, 0, error))
        return NULL;
    return pg_conn_open_or_maintenance(label, base->url, NULL, connect_deadline(), &missing, error);
}

static bool check_named(const Config *config, const ConfigSource *source, GError **error)
{
    /* A protected one is refused by that. */
    if (config_protected(config, CONFIG_PROTECT_DATABASES, source->database) != NULL)
        return true;
    g_autoptr(PgConn) conn = enter_server(source->base, error);
    g_autoptr(PgResult) r = conn == NULL ? NULL : read_databases(conn, source->base, error);
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++)
        if (g_str_equal(pg_result_get(r, i, 0), source->database))
            return true;
    pgf_error_set(error, PGF_ERROR_USAGE,
                  "Templates, databases that allow no connections, and what include.databases and exclude.databases "
                  "leave out do not count.",
                  "%s: %s is not one of the databases that are folded", pg_conn_label(conn), source->database);
    return false;
}

bool ends_check_named_databases(const Config *config, const GPtrArray *sources, GError **error)
{
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = sources->pdata[i];
        if (source->base != NULL && !check_named(config, source, error))
            return false;
    }
    return true;
}

static bool find_in_server(const Config *config, const ConfigSource *base, GPtrArray *to, GPtrArray *notices,
                           GError **error)
{
    g_autoptr(PgConn) conn = enter_server(base, error);
    return conn != NULL && add_databases(config, base, conn, to, notices, error);
}

bool ends_find_databases(const Config *config, GPtrArray *sources, GPtrArray *notices, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = sources->pdata[i];
        if (source->databases == NULL)
            g_ptr_array_add(found, (gpointer)(guintptr)source);
        else if (!find_in_server(config, source, found, notices, error))
            return false;
    }
    g_ptr_array_set_size(sources, 0);
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(sources, found->pdata[i]);
    return true;
}
