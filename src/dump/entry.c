#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/internal.h"

DumpEntry *dump_entry_new(void)
{
    DumpEntry *entry = g_new0(DumpEntry, 1);
    entry->depends = g_array_new(FALSE, FALSE, sizeof(int));
    return entry;
}

void dump_entry_free(gpointer data)
{
    DumpEntry *entry = data;
    if (entry == NULL)
        return;
    g_free(entry->type);
    g_free(entry->schema);
    g_free(entry->name);
    g_free(entry->owner);
    g_free(entry->sql);
    g_array_unref(entry->depends);
    g_free(entry);
}

/* "ALTER ... OWNER TO ...;" lines are pg_dump's only way to say whose an object is. */
static bool is_owner_line(const char *line)
{
    return g_str_has_prefix(line, "ALTER ") && strstr(line, " OWNER TO ") != NULL && g_str_has_suffix(line, ";");
}

char *dump_entry_sql(const DumpEntry *entry, bool without_owner)
{
    char *sql = g_strdup(entry->sql);
    if (!without_owner)
        return sql;
    /* The owner statement is the last one of its entry; a line that looks like it inside a function body is not. */
    char *last = strrchr(g_strchomp(sql), '\n');
    char *line = last == NULL ? sql : last + 1;
    if (is_owner_line(line))
        *line = '\0';
    return g_strchomp(sql);
}

bool dump_take_number(const char **at, const char *before, guint32 *ret_number)
{
    char *end = NULL;
    if (!g_str_has_prefix(*at, before))
        return false;
    const char *digits = *at + strlen(before);
    guint64 number = g_ascii_strtoull(digits, &end, 10);
    if (!g_ascii_isdigit(*digits) || number > G_MAXUINT32)
        return false;
    *ret_number = (guint32)number;
    *at = end;
    return true;
}

/* "218; 1259 16731 TABLE public orders app" */
static bool read_line(const char *line, DumpListing *listing)
{
    guint32 id = 0, class_oid = 0, oid = 0;
    if (!dump_take_number(&line, "", &id) || !dump_take_number(&line, "; ", &class_oid) ||
        !dump_take_number(&line, " ", &oid) || *line != ' ')
        return false;
    return g_hash_table_insert(listing, GINT_TO_POINTER((int)id), g_strdup(line + 1));
}

bool dump_listing_read(const char *text, DumpListing **ret_listing, GError **error)
{
    g_autoptr(GHashTable) listing = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == ';' || lines[i][0] == '\0')
            continue;
        if (!read_line(lines[i], listing)) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, "Please report this, with the version of pg_restore.",
                          "cannot understand what pg_restore lists: %s", lines[i]);
            return false;
        }
    }
    *ret_listing = g_steal_pointer(&listing);
    return true;
}

void dump_free(Dump *dump)
{
    if (dump == NULL)
        return;
    if (dump->file != NULL)
        (void)g_unlink(dump->file);
    g_free(dump->file);
    g_clear_pointer(&dump->entries, g_ptr_array_unref);
    g_clear_pointer(&dump->warnings, g_ptr_array_unref);
    g_free(dump);
}

void dump_take_out(Dump *dump, bool keep, DumpFilter belongs, gpointer data)
{
    for (guint i = dump->entries->len; i-- > 0;)
        if (belongs(dump->entries->pdata[i], data) != keep)
            g_ptr_array_remove_index(dump->entries, i);
}
