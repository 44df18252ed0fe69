#include "cmd/databases.h"

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/show.h"
#include "ends/databases.h"
#include "out/table.h"

bool databases_find(Out *out, const Config *config, GPtrArray *sources, GError **error)
{
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    if (!ends_find_databases(config, sources, notices, error))
        return false;
    for (guint i = 0; i < notices->len; i++)
        out_notice(out, "%s", (const char *)notices->pdata[i]);
    return true;
}

/* Databases of one name from two servers go into one database: that is what several sources are for, but may not be
 * meant of `databases: all`. */
void databases_tell_shared(Out *out, const Choice *choice)
{
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < choice->sources->len; i++) {
        const ConfigSource *source = choice->sources->pdata[i];
        if (source->base == NULL)
            continue;
        const ConfigSource *other = g_hash_table_lookup(first, source->database);
        if (other == NULL)
            g_hash_table_insert(first, source->database, (gpointer)(guintptr)source);
        else
            out_notice(out, "%s and %s go into the same database of the target: %s", other->name, source->name,
                       source->database);
    }
}

void database_failures_init(DatabaseFailures *failures)
{
    *failures = (DatabaseFailures){.names = g_ptr_array_new_with_free_func(g_free)};
}

void database_failures_clear(DatabaseFailures *failures)
{
    g_clear_pointer(&failures->names, g_ptr_array_unref);
    g_clear_error(&failures->worst);
}

static const ConfigSource *source_at(const Choice *choice, guint index)
{
    return choice->sources->pdata[index];
}

bool databases_go_on(Out *out, const Choice *choice, guint index, DatabaseFailures *failures, GError *failure)
{
    const ConfigSource *source = source_at(choice, index);
    bool alone =
        failure->code == PGF_ERROR_DIFFERS || failure->code == PGF_ERROR_REFUSED || failure->code == PGF_ERROR_MIDWAY;
    /* Whoever cleaned up after Ctrl-C has lowered the flag; that there was a signal stays known. */
    bool interrupted = cancel_requested() || cancel_signal() != 0;
    if (source->base == NULL || failure->domain != PGF_ERROR || !alone || interrupted) {
        if (failures->worst != NULL && failures->worst->code > failure->code)
            pgf_error_set_code(failure, (PgfErrorCode)failures->worst->code);
        return false;
    }
    out_error_text(out, failure);
    g_ptr_array_add(failures->names, g_strdup(source->name));
    if (failures->worst != NULL && failures->worst->code >= failure->code) {
        g_error_free(failure);
        return true;
    }
    g_clear_error(&failures->worst);
    failures->worst = failure;
    failures->index = index;
    return true;
}

bool databases_failed(const DatabaseFailures *failures, const char *name)
{
    return g_ptr_array_find_with_equal_func(failures->names, name, g_str_equal, NULL);
}

bool databases_settle(const Choice *choice, guint begun, DatabaseFailures *failures, GError **error)
{
    if (failures->names->len == 0)
        return true;
    g_autoptr(GString) names = g_string_new(NULL), left = g_string_new(NULL);
    for (guint i = 0; i < failures->names->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", (const char *)failures->names->pdata[i]);
    for (guint i = begun; i < choice->sources->len; i++)
        g_string_append_printf(left, "%s%s", i > begun ? ", " : "", source_at(choice, i)->name);
    pgf_error_set(error, (PgfErrorCode)failures->worst->code, "What stands against each of them is above.",
                  "%u of %u sources failed: %s", failures->names->len, choice->sources->len, names->str);
    if (error != NULL)
        pgf_error_set_state(*error, "the others are complete%s%s", left->len > 0 ? ", but not begun: " : "", left->str);
    return false;
}

static gint64 rows_of(const json_t *contents)
{
    const json_t *relation;
    size_t i;
    gint64 rows = 0;
    json_array_foreach(json_object_get(contents, "relations"), i, relation) rows +=
        json_integer_value(json_object_get(relation, "rows"));
    return rows;
}

static OutStyle style_of(const char *outcome)
{
    if (g_str_equal(outcome, "refused") || g_str_equal(outcome, "failed") || g_str_equal(outcome, "conflicts"))
        return OUT_BAD;
    return g_str_equal(outcome, "contained") ? OUT_GOOD : OUT_DIM;
}

static void add_fold(Table *table, const json_t *one)
{
    const char *outcome = json_string_value(json_object_get(one, "outcome"));
    const char *receipt = json_string_value(json_object_get(one, "receipt"));
    g_autofree char *file = receipt == NULL ? g_strdup("") : g_path_get_basename(receipt);
    table_add(table, OUT_NAME, json_string_value(json_object_get(one, "name")));
    table_add(table, style_of(outcome), outcome);
    if (receipt == NULL)
        table_add(table, OUT_PLAIN, "");
    else
        table_add_count(table, OUT_PLAIN, (guint64)rows_of(json_object_get(one, "contents")));
    table_add(table, OUT_PLAIN, file);
}

void databases_show_folds(Out *out, const Choice *choice, const json_t *sources)
{
    static const TableColumn COLUMNS[] = {{"DATABASE", TABLE_LEFT, true},
                                          {"OUTCOME", TABLE_LEFT, false},
                                          {"ROWS", TABLE_RIGHT, false},
                                          {"RECEIPT", TABLE_LEFT, false},
                                          {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(COLUMNS);
    for (guint i = 0; i < choice->sources->len; i++) {
        const json_t *one = json_array_get(sources, i);
        if (one != NULL && source_at(choice, i)->base != NULL)
            add_fold(table, one);
    }
    if (table_rows(table) < 2)
        return;
    out_line(out, "%s", "");
    table_print(table, out);
}
