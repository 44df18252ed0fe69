#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

enum { ENTRIES_PER_QUERY = 100 };

bool fold_makes(const PlanEntry *entry)
{
    return entry->action == PLAN_NEW && *entry->entry->sql != '\0';
}

static void append_sql(const Fold *fold, GString *to, const DumpEntry *entry)
{
    g_autofree char *sql = dump_entry_sql(entry, fold->spec->no_owner);
    g_string_append(to, sql);
    g_string_append_c(to, '\n');
}

/* The object is the run's own only if this statement makes it: one that somebody else made meanwhile is not. */
static bool own_and_make(Fold *fold, const char *kind, const char *name, const char *cleanup, const char *sql,
                         GError **error)
{
    const FoldSpec *spec = fold->spec;
    PgConn *conn = spec->ends->target;
    gint64 object = 0;
    if (!ledger_object_own(spec->ledger, spec->run, kind, name, NULL, cleanup, &object, error))
        return false;
    if (pg_exec(conn, sql, DEADLINE_NONE, error))
        return true;
    const char *state = pg_conn_sqlstate(conn);
    bool exists = g_str_equal(state, "42710") || g_str_equal(state, "42P04"); /* duplicate_object, duplicate_database */
    if (exists)
        (void)ledger_object_released(spec->ledger, object, NULL);
    return false;
}

static bool create_role(Fold *fold, const PlanRole *role, GError **error)
{
    g_autofree char *quoted = pg_quote_ident(role->name);
    /* A role that is in use stays: the run may have been killed after its last step, when all of it is the user's. */
    g_autofree char *body = g_strdup_printf(
        "BEGIN DROP ROLE IF EXISTS %s; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END", quoted);
    g_autofree char *literal = pg_quote_literal(body);
    g_autofree char *cleanup = g_strconcat("DO ", literal, NULL);
    return own_and_make(fold, "role", role->name, cleanup, role->create_sql, error);
}

bool fold_create_roles(Fold *fold, GError **error)
{
    const GPtrArray *roles = fold->spec->plan->roles;
    for (guint i = 0; i < roles->len; i++) {
        const PlanRole *role = roles->pdata[i];
        if (role->create_sql != NULL && !create_role(fold, role, error)) {
            g_prefix_error(error, "creating role %s: ", role->name);
            return false;
        }
    }
    return true;
}

static char *fill_in(const char *sql, const char *quoted_database)
{
    GString *text = g_string_new(sql);
    g_string_replace(text, "{database}", quoted_database, 0);
    return g_string_free(text, FALSE);
}

static bool set_up_database(Fold *fold, const char *quoted, GError **error)
{
    const Plan *plan = fold->spec->plan;
    PgConn *conn = fold->spec->ends->target;
    const char *owner = catalog_property(plan->verification->audit->source, "owner");
    for (guint i = 0; i < plan->database_sql->len; i++) {
        g_autofree char *sql = fill_in(plan->database_sql->pdata[i], quoted);
        if (!pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), error))
            return false;
    }
    if (fold->spec->no_owner || owner == NULL || g_str_equal(owner, pg_conn_identity(conn)->role))
        return true;
    g_autofree char *quoted_owner = pg_quote_ident(owner);
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "ALTER DATABASE %s OWNER TO %s", quoted, quoted_owner);
}

bool fold_create_database(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    g_autofree char *quoted = pg_quote_ident(fold->stage);
    g_autofree char *sql = fill_in(spec->plan->create_database_sql, quoted);
    g_autofree char *cleanup = g_strdup_printf("DROP DATABASE IF EXISTS %s", quoted);
    if (!own_and_make(fold, "database", fold->stage, cleanup, sql, error) || !set_up_database(fold, quoted, error)) {
        g_prefix_error(error, "creating the database: ");
        return false;
    }
    return true;
}

static bool belongs(const DumpEntry *entry, gpointer data)
{
    return g_hash_table_contains(data, entry);
}

/* "orders_id_key", or of a constraint "orders orders_id_key". */
static bool is_index_called(const DumpEntry *entry, const DumpEntry *attach)
{
    g_autofree char *constraint = g_strconcat(" ", attach->name, NULL);
    return g_strcmp0(entry->schema, attach->schema) == 0 &&
           (g_str_equal(entry->name, attach->name) || g_str_has_suffix(entry->name, constraint));
}

/* A partition's index goes with the index of the whole table, and cannot be dropped on its own. */
static void leave_attached(const Dump *dump, GHashTable *ours)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        g_hash_table_insert(by_id, GINT_TO_POINTER(entry->id), (gpointer)entry);
    }
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *attach = dump->entries->pdata[i];
        for (guint k = 0; g_str_equal(attach->type, "INDEX ATTACH") && k < attach->depends->len; k++) {
            const DumpEntry *index = g_hash_table_lookup(by_id, GINT_TO_POINTER(g_array_index(attach->depends, int, k)));
            if (index != NULL && is_index_called(index, attach))
                g_hash_table_remove(ours, index);
        }
    }
}

/* Large objects are not among pg_dump's entries; they go by number. */
static void append_large_objects(GString *script, const PgResult *oids)
{
    if (pg_result_rows(oids) == 0)
        return;
    g_string_append(script, "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN (");
    for (int i = 0; i < pg_result_rows(oids); i++)
        g_string_append_printf(script, "%s%s", i > 0 ? "," : "", pg_result_get(oids, i, 0));
    g_string_append(script, ");\n");
}

/* In a database that exists: what takes the run's objects away again, known before the first of them is made. The
 * schema fold->marker is made in one transaction with them, so where it is missing, whatever has their names is not
 * ours. */
static bool own_objects(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    g_autoptr(GHashTable) ours = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < spec->plan->entries->len; i++) {
        const PlanEntry *p = spec->plan->entries->pdata[i];
        if (fold_makes(p))
            g_hash_table_add(ours, (gpointer)p->entry);
    }
    leave_attached(spec->plan->dump, ours);
    g_autofree char *drops = dump_drop_script(spec->plan->dump, spec->tools, belongs, ours, error);
    if (drops == NULL)
        return false;
    g_autoptr(GString) script = g_string_new(drops);
    const Audit *audit = spec->plan->verification->audit;
    if (audit->source->large_objects > 0 && audit->target != NULL && audit->target->large_objects == 0) {
        g_autoptr(PgResult) oids =
            pg_query(spec->ends->source, "SELECT oid::text FROM pg_catalog.pg_largeobject_metadata",
                     deadline_in_ms(PG_CATALOG_MS), error);
        if (oids == NULL)
            return false;
        append_large_objects(script, oids);
    }
    g_autofree char *quoted = pg_quote_ident(fold->marker);
    g_string_append_printf(script, "DROP SCHEMA %s;", quoted);
    g_autofree char *literal = pg_quote_literal(script->str);
    g_autofree char *marker = pg_quote_literal(fold->marker);
    g_autofree char *body = g_strdup_printf(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s) THEN EXECUTE %s; END IF; END", marker,
        literal);
    g_autofree char *quoted_body = pg_quote_literal(body);
    g_autofree char *cleanup = g_strconcat("DO ", quoted_body, NULL);
    g_autofree char *name = g_strdup_printf("new objects in database %s", fold->stage);
    gint64 object = 0;
    return ledger_object_own(spec->ledger, spec->run, "objects", name, fold->stage, cleanup, &object, error);
}

static bool make_one_by_one(Fold *fold, const GPtrArray *entries, GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const DumpEntry *entry = entries->pdata[i];
        g_autoptr(GString) sql = g_string_new(NULL);
        append_sql(fold, sql, entry);
        if (!pg_exec(fold->main, sql->str, DEADLINE_NONE, error)) {
            g_prefix_error(error, "creating %s %s%s%s: ", entry->type, entry->schema == NULL ? "" : entry->schema,
                           entry->schema == NULL ? "" : ".", entry->name);
            return false;
        }
    }
    return true;
}

/* Many entries in one round trip. When one of them fails none is done, and they are made one by one to learn which it
 * is. */
static bool make_batch(Fold *fold, GPtrArray *entries, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SAVEPOINT batch;\n");
    for (guint i = 0; i < entries->len; i++)
        append_sql(fold, sql, entries->pdata[i]);
    g_string_append(sql, ";RELEASE SAVEPOINT batch");
    g_autoptr(GError) cause = NULL;
    bool ok = pg_exec(fold->main, sql->str, DEADLINE_NONE, &cause);
    if (!ok && (cause->code == PGF_ERROR_CANCELLED || cause->code == PGF_ERROR_CONNECT))
        g_propagate_error(error, g_steal_pointer(&cause));
    else if (!ok)
        ok = pg_exec(fold->main, "ROLLBACK TO SAVEPOINT batch", deadline_in_ms(PG_CATALOG_MS), error) &&
             make_one_by_one(fold, entries, error);
    g_ptr_array_set_size(entries, 0);
    return ok;
}

static bool make_all(Fold *fold, GError **error)
{
    g_autoptr(GPtrArray) batch = g_ptr_array_new();
    for (guint i = 0; i < fold->spec->plan->entries->len; i++) {
        const PlanEntry *p = fold->spec->plan->entries->pdata[i];
        if (p->entry->section != DUMP_PRE_DATA || !fold_makes(p))
            continue;
        g_ptr_array_add(batch, (gpointer)p->entry);
        /* In a database of our own a transaction per batch keeps the server's lock table small. */
        if (batch->len == ENTRIES_PER_QUERY &&
            (!make_batch(fold, batch, error) ||
             (fold->own_database && !pg_exec(fold->main, "COMMIT; BEGIN", deadline_in_ms(PG_CATALOG_MS), error))))
            return false;
    }
    return batch->len == 0 || make_batch(fold, batch, error);
}

bool fold_create_pre_data(Fold *fold, GError **error)
{
    if (!fold->own_database && !own_objects(fold, error))
        return false;
    if (!pg_exec(fold->main, "BEGIN", deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    if (!fold->own_database) {
        g_autofree char *quoted = pg_quote_ident(fold->marker);
        if (!pg_execf(fold->main, deadline_in_ms(PG_CATALOG_MS), error, "CREATE SCHEMA %s", quoted))
            return false;
    }
    return make_all(fold, error) && pg_exec(fold->main, "COMMIT", DEADLINE_NONE, error);
}
