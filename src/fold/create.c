#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

enum { ENTRIES_PER_QUERY = 100 };

#define SAVE "SAVEPOINT batch"
static const char SAVE_AGAIN[] = "RELEASE SAVEPOINT batch; " SAVE;

static void append_sql(const Fold *fold, GString *to, const DumpEntry *entry)
{
    static const char LENIENT[] = "CREATE EXTENSION IF NOT EXISTS ";
    g_autofree char *sql = dump_entry_sql(entry, fold->spec->no_owner);
    const char *text = sql;
    /* An extension that somebody else made meanwhile is not the run's: then this fails instead of taking it over. */
    if (g_str_has_prefix(sql, LENIENT)) {
        g_string_append(to, "CREATE EXTENSION ");
        text = sql + strlen(LENIENT);
    }
    g_string_append_printf(to, "%s\n", text);
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
    return pg_exec(fold->main, SAVE_AGAIN, deadline_in_ms(PG_CATALOG_MS), error);
}

/* Many entries in one round trip. When one of them fails none is done, and they are made one by one to learn which it
 * is. The savepoint is there before the text is sent: one that the server cannot read is not executed at all. */
static bool make_batch(Fold *fold, GPtrArray *entries, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++)
        append_sql(fold, sql, entries->pdata[i]);
    g_string_append_printf(sql, ";%s", SAVE_AGAIN);
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
        if (p->entry->section != DUMP_PRE_DATA || !fold_makes(fold, p) || fold_is_final(p->entry))
            continue;
        g_ptr_array_add(batch, (gpointer)p->entry);
        /* In a database of our own a transaction per batch keeps the server's lock table small. */
        if (batch->len == ENTRIES_PER_QUERY &&
            (!make_batch(fold, batch, error) || (fold->own_database && !pg_exec(fold->main, "COMMIT; BEGIN; " SAVE,
                                                                                deadline_in_ms(PG_CATALOG_MS), error))))
            return false;
    }
    return batch->len == 0 || make_batch(fold, batch, error);
}

bool fold_create_pre_data(Fold *fold, GError **error)
{
    if (!fold->own_database && !fold_own_objects(fold, error))
        return false;
    g_autofree char *quoted = pg_quote_ident(fold->marker);
    bool is_marked = fold->own_database || fold->there != NULL;
    g_autofree char *mark = is_marked ? g_strdup("") : g_strdup_printf("CREATE SCHEMA %s; ", quoted);
    return pg_execf(fold->main, deadline_in_ms(PG_CATALOG_MS), error, "BEGIN; %s" SAVE, mark) &&
           make_all(fold, error) && fold_create_large_objects(fold, error) &&
           pg_exec(fold->main, "COMMIT", DEADLINE_NONE, error);
}
