#include "rename/internal.h"

#include <string.h>

#include "base/error.h"

void rename_block(Renamed *renamed, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(renamed->blocks, g_strdup_vprintf(format, args));
    va_end(args);
}

void renamed_free(Renamed *renamed)
{
    if (renamed == NULL)
        return;
    dump_free(renamed->dump);
    catalog_free(renamed->catalog);
    g_ptr_array_unref(renamed->blocks);
    g_free(renamed);
}

/* One source fills one schema of the target: what lies beside it would go where another source's may be. */
static void check_others(const RenameSpec *spec, const Dump *dump, Renamed *renamed)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        bool about = g_str_equal(entry->type, "ACL") || g_str_equal(entry->type, "COMMENT") ||
                     g_str_equal(entry->type, "DEFAULT ACL") || g_str_has_prefix(entry->type, "PUBLICATION");
        if (entry->schema == NULL || about || g_str_equal(entry->schema, spec->from) ||
            !g_hash_table_add(seen, entry->schema))
            continue;
        rename_block(renamed,
                     "schema %s of the source holds objects too (%s %s), and %s takes one schema, %s: name the other "
                     "with into.from, or move its objects in the source",
                     entry->schema, entry->type, entry->name, spec->label, spec->from);
    }
}

/* pg_dump's entries about the schema `from` itself, which only holds extensions there. */
static bool is_old_schema(const RenameSpec *spec, const DumpEntry *entry)
{
    g_autofree char *tag = g_strconcat("SCHEMA ", spec->from, NULL);
    return (g_str_equal(entry->type, "SCHEMA") && g_str_equal(entry->name, spec->from)) ||
           (entry->schema == NULL && g_str_equal(entry->name, tag));
}

/* public is there in every database, and its privileges are the target's own. Any other is made for the extensions. */
static void drop_public(const RenameSpec *spec, Dump *dump)
{
    for (guint i = dump->entries->len; i > 0 && g_str_equal(spec->from, "public"); i--)
        if (is_old_schema(spec, dump->entries->pdata[i - 1]))
            g_ptr_array_remove_index(dump->entries, i - 1);
}

/* Where the source's owner is a role that initdb made, the schema here is the superuser's: in the target, whose who
 * makes it. */
static void drop_owner(const RenameSpec *spec, const char *superuser, Dump *dump)
{
    for (guint i = 0; i < dump->entries->len && g_str_equal(spec->from, "public"); i++) {
        DumpEntry *entry = dump->entries->pdata[i];
        if (!g_str_equal(entry->type, "SCHEMA") || !g_str_equal(entry->name, spec->to) ||
            g_strcmp0(entry->owner, superuser) != 0)
            continue;
        char *sql = dump_entry_sql(entry, true);
        g_free(entry->sql);
        entry->sql = sql;
        g_clear_pointer(&entry->owner, g_free);
    }
}

static Dump *read_source(const RenameSpec *spec, GError **error)
{
    g_auto(DumpTools) tools = {0};
    if (!dump_tools_find(pg_conn_identity(spec->source)->version, &tools, error))
        return NULL;
    return dump_read(&tools, spec->source, spec->snapshot, spec->scratch, error);
}

static Dump *read_renamed(const RenameSpec *spec, PgConn *conn, GError **error)
{
    g_auto(DumpTools) tools = {0};
    if (!dump_tools_find(pg_conn_identity(conn)->version, &tools, error))
        return NULL;
    return dump_read(&tools, conn, NULL, spec->scratch, error);
}

Renamed *rename_make(const RenameSpec *spec, const Catalog *source, GError **error)
{
    g_autoptr(Renamed) renamed = g_new0(Renamed, 1);
    renamed->blocks = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Dump) dump = read_source(spec, error);
    if (dump == NULL || !rows_check(spec, source, renamed, error))
        return NULL;
    check_others(spec, dump, renamed);
    g_auto(Scratch) scratch = {0};
    if (!scratch_make(spec, dump, renamed, &scratch, error)) {
        g_prefix_error(error, "giving schema %s the name %s in an ephemeral server: ", spec->from, spec->to);
        return NULL;
    }
    renamed->version = testdb_version(scratch.db);
    renamed->catalog = catalog_read(scratch.conn, NULL, error);
    renamed->dump = renamed->catalog == NULL ? NULL : read_renamed(spec, scratch.conn, error);
    if (renamed->dump == NULL)
        return NULL;
    g_ptr_array_extend_and_steal(renamed->dump->warnings, g_steal_pointer(&dump->warnings));
    drop_public(spec, renamed->dump);
    drop_owner(spec, pg_conn_identity(scratch.conn)->role, renamed->dump);
    texts_check(spec, renamed);
    return g_steal_pointer(&renamed);
}
