/* What a run makes is in the ledger before it is made, with the SQL that takes it away again. */
#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

/* The object is the run's own only if this statement makes it: one that somebody else made meanwhile is not. */
static bool own_and_make(Fold *fold, const char *kind, const char *name, const char *becomes, const char *cleanup,
                         const char *sql, GError **error)
{
    const FoldSpec *spec = fold->spec;
    PgConn *conn = spec->ends->target;
    gint64 object = 0;
    if (!ledger_object_own(spec->ledger, spec->run, kind, name, NULL, cleanup, &object, error) ||
        (becomes != NULL && !ledger_object_becomes(spec->ledger, object, becomes, error)))
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
    g_autofree char *name = pg_quote_literal(role->name);
    g_autofree char *marker = pg_quote_literal(fold->marker);
    g_autofree char *comment = role->comment == NULL ? g_strdup("NULL") : pg_quote_literal(role->comment);
    /* Only a role that carries the run's comment is the run's; one that is in use stays, under its own comment: the run
     * may have been killed after its last step, when all of it is the user's. */
    g_autofree char *body =
        g_strdup_printf("BEGIN IF (SELECT pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles "
                        "WHERE rolname = %s) = %s "
                        "THEN BEGIN DROP ROLE %s; EXCEPTION WHEN dependent_objects_still_exist THEN "
                        "COMMENT ON ROLE %s IS %s; END; END IF; END",
                        name, marker, quoted, quoted, comment);
    g_autofree char *literal = pg_quote_literal(body);
    g_autofree char *cleanup = g_strconcat("DO ", literal, NULL);
    /* One query is one transaction: there is no moment at which the role is there without its comment. */
    g_autofree char *sql = g_strdup_printf("%s; COMMENT ON ROLE %s IS %s", role->create_sql, quoted, marker);
    return own_and_make(fold, "role", role->name, NULL, cleanup, sql, error);
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

char *fold_fill_in(const char *sql, const char *quoted_database)
{
    static const char PLACE[] = "DATABASE {database}";
    const char *at = strstr(sql, PLACE);
    /* The first one only: a comment or a value of the user's may hold the same word. */
    return at == NULL ? g_strdup(sql)
                      : g_strdup_printf("%.*sDATABASE %s%s", (int)(at - sql), sql, quoted_database, at + strlen(PLACE));
}

bool fold_create_database(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    g_autofree char *quoted = pg_quote_ident(fold->stage);
    g_autofree char *sql = fold_fill_in(spec->plan->create_database_sql, quoted);
    g_autofree char *cleanup = g_strdup_printf("DROP DATABASE IF EXISTS %s", quoted);
    if (own_and_make(fold, "database", fold->stage, spec->ends->target_database, cleanup, sql, error))
        return true;
    g_prefix_error(error, "creating the database: ");
    return false;
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
            const DumpEntry *index =
                g_hash_table_lookup(by_id, GINT_TO_POINTER(g_array_index(attach->depends, int, k)));
            if (index != NULL && is_index_called(index, attach))
                g_hash_table_remove(ours, index);
        }
    }
}

/* Whatever of it is there already. */
static bool is_ours(const PlanEntry *p)
{
    return p->action == PLAN_NEW && *p->entry->sql != '\0' && !fold_is_final(p->entry);
}

static bool has_line_break(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

/* pg_dump writes them as blanks, so that a table may look like one of another name. */
static bool names_are_lines(const Catalog *source)
{
    for (guint i = 0; i < source->relations->len; i++) {
        const CatalogRelation *r = source->relations->pdata[i];
        if (has_line_break(r->schema) || has_line_break(r->name))
            return false;
    }
    return true;
}

/* By what a later run knows the objects of this one. NULL where there are none, or names do not tell them apart from
 * others (operators that differ in their operands share one): then nobody goes on from them. Transfer full. */
static Hidden *list_names(const Fold *fold)
{
    const Plan *plan = fold->spec->plan;
    g_autoptr(Hidden) ours = hidden_new(fold->marker);
    if (!names_are_lines(plan->verification->audit->source))
        return NULL;
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (is_ours(p) && !hidden_add(ours, p->entry->type, p->entry->schema, p->entry->name))
            return NULL;
    }
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (!is_ours(p) && hidden_has(ours, p->entry->type, p->entry->schema, p->entry->name))
            return NULL;
    }
    return g_hash_table_size(ours->names) == 0 ? NULL : g_steal_pointer(&ours);
}

/* Also where it goes on from an earlier run, whose statements are those of another moment. */
static bool record(Fold *fold, const char *cleanup, GError **error)
{
    const FoldSpec *spec = fold->spec;
    gint64 object = fold->taken_over;
    g_autofree char *name = g_strdup_printf("new objects in database %s", fold->stage);
    g_autoptr(Hidden) names = list_names(fold);
    g_autofree char *made = names == NULL ? NULL : hidden_to_text(names);
    bool ok = fold->there != NULL
                  ? ledger_object_set_cleanup(spec->ledger, object, cleanup, error)
                  : ledger_object_own(spec->ledger, spec->run, "objects", name, fold->stage, cleanup, &object, error);
    return ok && ledger_object_made(spec->ledger, object, made != NULL && g_utf8_validate(made, -1, NULL) ? made : NULL,
                                    error);
}

/* In a database that exists: what takes the run's objects away again, known before the first of them is made. The
 * schema fold->marker is made in one transaction with the first of them, so where it is missing, whatever has their
 * names is not ours. What stands for itself (publications, event triggers) is made in the transaction that drops the
 * marker, and never has to be taken away. */
bool fold_own_objects(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    g_autoptr(GHashTable) ours = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < spec->plan->entries->len; i++) {
        const PlanEntry *p = spec->plan->entries->pdata[i];
        if (is_ours(p))
            g_hash_table_add(ours, (gpointer)p->entry);
    }
    leave_attached(spec->plan->dump, ours);
    g_autofree char *drops = dump_drop_script(spec->plan->dump, spec->tools, belongs, ours, error);
    if (drops == NULL)
        return false;
    g_autoptr(GString) script = g_string_new(drops);
    g_autofree char *quoted = pg_quote_ident(fold->marker);
    g_string_append_printf(script, "DROP SCHEMA %s;", quoted);
    g_free(fold->drop_sql);
    fold->drop_sql = g_strdup(drops);
    g_autofree char *literal = pg_quote_literal(script->str);
    g_autofree char *marker = pg_quote_literal(fold->marker);
    g_autofree char *body = g_strdup_printf(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s) THEN EXECUTE %s; END IF; END", marker,
        literal);
    g_autofree char *quoted_body = pg_quote_literal(body);
    g_autofree char *cleanup = g_strconcat("DO ", quoted_body, NULL);
    return record(fold, cleanup, error);
}
