#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/spawn.h"
#include "base/wipe.h"
#include "dump/internal.h"

enum { LISTING_MS = 600000, MESSAGE_LINES_MAX = 100, MESSAGE_BYTES_MAX = 1 << 20 };

struct DumpReading {
    const DumpTools *tools; /* not owned */
    char *label;
    Dump *dump;
    Child *child;
    int messages; /* a file without a name, for pg_dump's standard error */
};

/* An empty file of ours alone, for a child to write into: its own would have the mode that our umask happens to leave.
 */
static char *new_file(const char *folder, const char *suffix, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/schema-XXXXXX%s", folder, suffix);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "cannot write in %s: %s", folder, g_strerror(errno));
        return NULL;
    }
    close(fd);
    return g_steal_pointer(&path);
}

static bool failed(const char *program, int status, const char *messages, GError **error)
{
    g_autofree char *message = dump_program_message(messages);
    PgfErrorCode code = dump_program_code(messages);
    pgf_error_set(error, code,
                  code == PGF_ERROR_REFUSED
                      ? "pg_dump must be allowed to read and lock every table: connect as the owner "
                        "of the database, or as a role that may."
                      : NULL,
                  "%s failed (exit status %d):\n%s", program, status, message);
    return false;
}

/* A server that reads backslashes in plain quotes as escapes would dump that way; ours never do. */
static bool needs_conforming_strings(PgConn *conn, bool *ret_needs, GError **error)
{
    /* reset_val: what a session of pg_dump has, too; ours is pinned. */
    g_autoptr(PgResult) r = pg_query(conn,
                                     "SELECT reset_val = 'off' FROM pg_catalog.pg_settings "
                                     "WHERE name = 'standard_conforming_strings'",
                                     deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    *ret_needs = pg_result_rows(r) == 1 && pg_result_bool(r, 0, 0);
    return true;
}

static char **dump_environment(const PgConn *conn, bool conforming_strings)
{
    g_auto(WipedStrv) env = pg_conn_child_environment(conn);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *options = "";
    for (guint i = 0; env[i] != NULL; i++) {
        if (g_str_has_prefix(env[i], "PGOPTIONS="))
            options = env[i] + strlen("PGOPTIONS=");
        else
            g_strv_builder_add(builder, env[i]);
    }
    g_autofree char *entry =
        g_strdup_printf("PGOPTIONS=%s%s", options, conforming_strings ? " -c standard_conforming_strings=on" : "");
    if (conforming_strings || *options != '\0')
        g_strv_builder_add(builder, entry);
    g_strv_builder_add(builder, "LC_ALL=C"); /* messages that we can read */
    return g_strv_builder_end(builder);
}

static void keep_warnings(Dump *dump, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL && dump->warnings->len < MESSAGE_LINES_MAX; i++)
        if (*g_strstrip(lines[i]) != '\0')
            g_ptr_array_add(dump->warnings, g_strdup(lines[i]));
}

static bool start_pg_dump(DumpReading *reading, PgConn *conn, const char *snapshot, GError **error)
{
    bool conforming_strings = false;
    if (!needs_conforming_strings(conn, &conforming_strings, error))
        return false;
    g_auto(WipedStrv) env = dump_environment(conn, conforming_strings);
    g_autofree char *file_option = g_strconcat("--file=", reading->dump->file, NULL);
    g_autofree char *snapshot_option = snapshot == NULL ? NULL : g_strconcat("--snapshot=", snapshot, NULL);
    const char *argv[] = {reading->tools->pg_dump,
                          "--section=pre-data", /* not --schema-only: that leaves REFRESH MATERIALIZED VIEW out */
                          "--section=post-data",
                          "--no-blobs",
                          "--format=custom",
                          "--compress=0",
                          "--encoding=UTF8",
                          "--no-sync",
                          "--lock-wait-timeout=60000",
                          "--no-password",
                          file_option,
                          snapshot_option,
                          NULL};
    SpawnSpec spec = {.argv = argv,
                      .setenv = (const char *const *)env,
                      .out = SPAWN_DISCARD,
                      .err = SPAWN_TO_FD,
                      .err_fd = reading->messages};
    reading->child = spawn_start(&spec, error);
    return reading->child != NULL;
}

/* Transfer full. */
static char *messages_of(const DumpReading *reading)
{
    char *text = g_malloc0(MESSAGE_BYTES_MAX + 1);
    ssize_t length = pread(reading->messages, text, MESSAGE_BYTES_MAX, 0);
    text[MAX(length, 0)] = '\0';
    return text;
}

static bool wait_for_pg_dump(DumpReading *reading, GError **error)
{
    int status = 0;
    /* How long depends on the number of objects; a cancel ends it. On a terminal that reaches pg_dump as well: what it
     * says then is no failure of its own. */
    if (!child_wait(reading->child, DEADLINE_NONE, &status, error) || (status != 0 && !cancel_check(error)))
        return false;
    g_autofree char *messages = messages_of(reading);
    if (status != 0)
        return failed("pg_dump", status, messages, error);
    keep_warnings(reading->dump, messages);
    return true;
}

/* Runs pg_restore with these options (at most 4, NULL-terminated) and maps what it wrote. */
static GMappedFile *restore_script(const Dump *dump, const DumpTools *tools, const char *const *options, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(dump->file);
    g_autofree char *script = new_file(folder, ".sql", error);
    if (script == NULL)
        return NULL;
    g_autofree char *file_option = g_strconcat("--file=", script, NULL);
    const char *argv[8] = {tools->pg_restore, file_option};
    guint n = 2;
    for (guint i = 0; options[i] != NULL; i++)
        argv[n++] = options[i];
    argv[n] = dump->file;
    const char *env[] = {"LC_ALL=C", NULL};
    SpawnSpec spec = {.argv = argv, .setenv = env, .out = SPAWN_DISCARD, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    GMappedFile *mapped = NULL;
    g_autoptr(GError) cause = NULL;
    if (spawn_run(&spec, deadline_in_ms(LISTING_MS), &result, error)) {
        if (result.status != 0)
            failed("pg_restore", result.status, result.err, error);
        else if ((mapped = g_mapped_file_new(script, FALSE, &cause)) == NULL)
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot read the list of objects: %s", cause->message);
    }
    (void)g_unlink(script);
    return mapped;
}

static DumpListing *read_listing(const Dump *dump, const DumpTools *tools, GError **error)
{
    const char *options[] = {"--list", NULL};
    g_autoptr(GMappedFile) mapped = restore_script(dump, tools, options, error);
    DumpListing *listing = NULL;
    if (mapped == NULL)
        return NULL;
    g_autofree char *text = g_strndup(g_mapped_file_get_contents(mapped), g_mapped_file_get_length(mapped));
    return dump_listing_read(text, &listing, error) ? listing : NULL;
}

static bool read_section(Dump *dump, const DumpTools *tools, DumpSection section, DumpListing *listing, GError **error)
{
    static const char *const section_options[] = {"--section=pre-data", "--section=data", "--section=post-data"};
    const char *options[] = {"--verbose", section_options[section], NULL};
    g_autoptr(GMappedFile) mapped = restore_script(dump, tools, options, error);
    if (mapped == NULL)
        return false;
    return dump_split(g_mapped_file_get_contents(mapped), g_mapped_file_get_length(mapped), section, listing,
                      dump->entries, error);
}

/* Older versions list "SCHEMA public" and its comment, and leave them out of the script: initdb made them. */
static bool may_be_missing(const char *listed)
{
    return g_str_has_prefix(listed, "SCHEMA - public ") || g_str_has_prefix(listed, "COMMENT - SCHEMA public ");
}

/* Every entry that is listed must have been seen once: an object that is overlooked here would be lost silently. */
static bool all_seen(const Dump *dump, DumpListing *listing, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (!g_hash_table_add(seen, GINT_TO_POINTER(entry->id))) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "pg_restore wrote entry %d twice", entry->id);
            return false;
        }
    }
    GHashTableIter iter;
    gpointer id, listed;
    g_hash_table_iter_init(&iter, listing);
    while (g_hash_table_iter_next(&iter, &id, &listed)) {
        if (g_hash_table_contains(seen, id) || may_be_missing(listed))
            continue;
        pgf_error_set(error, PGF_ERROR_INTERNAL, "Please report this, with the versions of server and pg_restore.",
                      "pg_restore lists \"%s\" but writes nothing for it", (const char *)listed);
        return false;
    }
    return true;
}

static bool read_entries(Dump *dump, const DumpTools *tools, GError **error)
{
    g_autoptr(GHashTable) listing = read_listing(dump, tools, error);
    if (listing == NULL)
        return false;
    for (DumpSection section = DUMP_PRE_DATA; section <= DUMP_POST_DATA; section++)
        if (!read_section(dump, tools, section, listing, error))
            return false;
    return all_seen(dump, listing, error);
}

static void prefix(const DumpReading *reading, GError **error)
{
    g_prefix_error(error, "%s: reading the definitions: ", reading->label);
}

static int open_messages(const char *scratch, GError **error)
{
    g_autofree char *path = new_file(scratch, ".err", error);
    if (path == NULL)
        return -1;
    int fd = g_open(path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "cannot open %s: %s", path, g_strerror(errno));
    (void)g_unlink(path);
    return fd;
}

DumpReading *dump_begin(const DumpTools *tools, PgConn *conn, const char *snapshot, const char *scratch, GError **error)
{
    g_autoptr(DumpReading) reading = g_new0(DumpReading, 1);
    reading->tools = tools;
    reading->label = g_strdup(pg_conn_label(conn));
    reading->dump = g_new0(Dump, 1);
    reading->dump->entries = g_ptr_array_new_with_free_func(dump_entry_free);
    reading->dump->warnings = g_ptr_array_new_with_free_func(g_free);
    reading->messages = open_messages(scratch, error);
    reading->dump->file = reading->messages < 0 ? NULL : new_file(scratch, ".dump", error);
    if (reading->dump->file != NULL && start_pg_dump(reading, conn, snapshot, error))
        return g_steal_pointer(&reading);
    prefix(reading, error);
    return NULL;
}

Dump *dump_end(DumpReading *begun, GError **error)
{
    g_autoptr(DumpReading) reading = begun;
    if (wait_for_pg_dump(reading, error) && read_entries(reading->dump, reading->tools, error))
        return g_steal_pointer(&reading->dump);
    prefix(reading, error);
    return NULL;
}

void dump_reading_free(DumpReading *reading)
{
    if (reading == NULL)
        return;
    child_free(reading->child);
    dump_free(reading->dump);
    if (reading->messages >= 0)
        close(reading->messages);
    g_free(reading->label);
    g_free(reading);
}

Dump *dump_read(const DumpTools *tools, PgConn *conn, const char *snapshot, const char *scratch, GError **error)
{
    DumpReading *reading = dump_begin(tools, conn, snapshot, scratch, error);
    return reading == NULL ? NULL : dump_end(reading, error);
}

static bool is_public_schema(const DumpEntry *entry)
{
    return strcmp(entry->type, "SCHEMA") == 0 && strcmp(entry->name, "public") == 0;
}

/* A list for `pg_restore --use-list`; only the number at the start of a line counts. NULL with an error. */
static char *write_list(const Dump *dump, DumpFilter belongs, gpointer data, guint *ret_kept, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *folder = g_path_get_dirname(dump->file);
    *ret_kept = 0;
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (is_public_schema(entry) || (belongs != NULL && !belongs(entry, data)))
            continue;
        g_string_append_printf(text, "%d;\n", entry->id);
        (*ret_kept)++;
    }
    g_autofree char *path = new_file(folder, ".list", error);
    g_autoptr(GError) cause = NULL;
    if (path == NULL)
        return NULL;
    if (!g_file_set_contents_full(path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_NONE, 0600, &cause)) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot write the list of objects: %s", cause->message);
        (void)g_unlink(path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

char *dump_drop_script(const Dump *dump, const DumpTools *tools, DumpFilter belongs, gpointer data, GError **error)
{
    guint kept = 0;
    g_autofree char *list = write_list(dump, belongs, data, &kept, error);
    if (list == NULL)
        return NULL;
    char *drops = NULL;
    if (kept == 0) {
        drops = g_strdup("");
    } else {
        g_autofree char *list_option = g_strconcat("--use-list=", list, NULL);
        const char *options[] = {"--verbose", "--clean", "--if-exists", list_option, NULL};
        g_autoptr(GMappedFile) mapped = restore_script(dump, tools, options, error);
        if (mapped != NULL)
            drops = dump_split_drops(g_mapped_file_get_contents(mapped), g_mapped_file_get_length(mapped), error);
    }
    (void)g_unlink(list);
    if (drops == NULL)
        g_prefix_error(error, "collecting the statements that take objects away: ");
    return drops;
}
