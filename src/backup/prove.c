/* Restores a backup where it can do no harm, and lets the caller compare. */
#include <string.h>
#include <sys/statvfs.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "base/spawn.h"
#include "testdb/testdb.h"

/* What the ephemeral server calls it. */
#define DATABASE "restored"

static TestDb *open_server(const Backup *backup, GError **error)
{
    static const char *const settings[] = {"autovacuum=off", "maintenance_work_mem=256MB", "max_wal_size=4GB", NULL};
    struct statvfs memory;
    TestDbOptions options = {.version = backup->server_version / 10000, .settings = settings};
    /* What is there leaves as much again to others. */
    options.durable_data =
        statvfs("/dev/shm", &memory) != 0 || (guint64)memory.f_bavail * memory.f_frsize / 2 < backup->database_bytes;
    return testdb_open_at_least(&options, error);
}

static char *json_names(char **names)
{
    json_t *array = json_array();
    for (guint i = 0; names[i] != NULL; i++)
        json_array_append_new(array, json_string(names[i]));
    char *text = json_dumps(array, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text);
    json_decref(array);
    return copy;
}

/* Debian's package of an extension: mostly the extension's own name. */
static char *package_of(const char *extension, int major)
{
    static const char *const others[][2] = {
        {"vector", "pgvector"}, {"pg_cron", "cron"}, {"pg_partman", "partman"},     {"pg_repack", "repack"},
        {"hll", "hll"},         {"age", "age"},      {"timescaledb", "timescaledb"}};
    if (g_str_has_prefix(extension, "postgis"))
        return g_strdup_printf("postgresql-%d-postgis-3", major);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(extension, others[i][0]) == 0)
            return g_strdup_printf("postgresql-%d-%s", major, others[i][1]);
    g_autofree char *name = g_strdelimit(g_strdup(extension), "_", '-');
    return g_strdup_printf("postgresql-%d-%s", major, name);
}

static bool check_extensions(PgConn *admin, const Backup *backup, int major, GError **error)
{
    g_autofree char *names = json_names(backup->extensions);
    const char *values[] = {names};
    g_autoptr(PgResult) r =
        pg_query_params(admin, BACKUP_MISSING_EXTENSIONS_SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    if (pg_result_rows(r) == 0)
        return true;
    g_autoptr(GString) missing = g_string_new(NULL);
    for (int i = 0; i < pg_result_rows(r); i++)
        g_string_append_printf(missing, "%s%s", i == 0 ? "" : ", ", pg_result_get(r, i, 0));
    g_autofree char *package = package_of(pg_result_get(r, 0, 0), major);
    char *hint = g_strdup_printf("Install it for this server (Debian: package %s, or postgresql-contrib for what comes "
                                 "with PostgreSQL), or leave the proof out with --no-prove.",
                                 package);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint,
                        "PostgreSQL %d of this machine, which the backup is restored into, lacks the extension%s %s",
                        major, pg_result_rows(r) > 1 ? "s" : "", missing->str);
    return false;
}

/* Policies and the like name roles; what those may do does not matter here. */
static bool create_roles(PgConn *admin, const Backup *backup, GError **error)
{
    g_autofree char *names = json_names(backup->roles);
    const char *values[] = {names};
    g_autoptr(PgResult) r =
        pg_query_params(admin, BACKUP_MISSING_ROLES_SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++)
        if (!pg_exec(admin, pg_result_get(r, i, 0), deadline_in_ms(PG_CATALOG_MS), error))
            return false;
    return r != NULL;
}

/* In the source's locale where this machine has it. Rows are the same in any; only definitions that depend on the
 * order of text (range partitions, checks) may not restore under another. */
static bool create_database(PgConn *admin, const Backup *backup, GError **error)
{
    const char *const locales[][2] = {{backup->collate, backup->ctype}, {"C", "C.UTF-8"}, {"C", "C"}};
    g_autofree char *encoding = pg_quote_literal(backup->encoding);
    g_autoptr(GError) cause = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(locales); i++) {
        g_autofree char *collate = pg_quote_literal(locales[i][0]);
        g_autofree char *ctype = pg_quote_literal(locales[i][1]);
        g_clear_error(&cause);
        if (pg_execf(admin, deadline_in_ms(PG_CATALOG_MS), &cause,
                     "CREATE DATABASE " DATABASE " TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s", encoding,
                     collate, ctype))
            return true;
        /* Anything but an unknown locale, or one of another encoding, will fail again. */
        if (strcmp(pg_conn_sqlstate(admin), "42809") != 0 && strcmp(pg_conn_sqlstate(admin), "22023") != 0)
            break;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* pg_restore sets parameters that only servers of its own version know, and counts that as an error. */
static bool only_unknown_parameters(const char *stderr_text)
{
    g_auto(GStrv) lines = g_strsplit(stderr_text, "\n", -1);
    guint errors = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        if (strstr(lines[i], "error: ") == NULL)
            continue;
        if (strstr(lines[i], "unrecognized configuration parameter") == NULL)
            return false;
        errors++;
    }
    return errors > 0;
}

static bool restore_failed(const SpawnResult *result, GError **error)
{
    g_autofree char *message = dump_program_message(result->err);
    bool full = strstr(message, "No space left on device") != NULL;
    pgf_error_set(
        error, PGF_ERROR_DIFFERS,
        full ? "Free some room in TMPDIR, or leave the proof out with --no-prove."
             : "The archive may still restore elsewhere: try the pg_restore line, or see what the message says.",
        "the backup does not restore: pg_restore failed (exit status %d):\n%s", result->status, message);
    return false;
}

static bool run_pg_restore(const Backup *backup, const DumpTools *tools, int jobs, const TestDb *db, GError **error)
{
    g_autofree char *archive = g_build_filename(backup->path, BACKUP_ARCHIVE, NULL);
    g_autofree char *jobs_option = g_strdup_printf("--jobs=%d", jobs);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_addv(builder, (const char **)testdb_environment(db));
    g_strv_builder_add(builder, "LC_ALL=C"); /* messages that we can read */
    /* An event trigger of the archive may forbid what is restored after it. */
    g_strv_builder_add(builder, "PGOPTIONS=-c session_replication_role=replica");
    g_auto(GStrv) env = g_strv_builder_end(builder);
    static const char database[] = "--dbname=" DATABASE;
    bool older_server = testdb_version(db) < tools->version;
    const char *argv[] = {tools->pg_restore,
                          "--no-owner",
                          "--no-acl",
                          "--no-tablespaces",
                          "--no-password",
                          "--no-subscriptions",
                          jobs_option,
                          database,
                          archive,
                          NULL,
                          NULL};
    if (!older_server) {
        argv[8] = "--exit-on-error";
        argv[9] = archive;
    }
    SpawnSpec child = {.argv = argv, .setenv = (const char *const *)env, .out = SPAWN_DISCARD, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    /* How long the data decides; a cancel ends it. */
    if (!spawn_run(&child, DEADLINE_NONE, &result, error))
        return false;
    if (result.status == 0 || (older_server && only_unknown_parameters(result.err)))
        return true;
    return testdb_alive(db, error) && restore_failed(&result, error);
}

static bool prepare(const Backup *backup, const TestDb *db, GError **error)
{
    g_autofree char *url = testdb_own_url(db, "postgres");
    g_autoptr(PgConn) admin = pg_conn_open("ephemeral server", url, NULL, deadline_in_ms(PG_CONNECT_MS), error);
    return admin != NULL && check_extensions(admin, backup, testdb_version(db), error) &&
           create_roles(admin, backup, error) && create_database(admin, backup, error);
}

static bool restore_and_compare(const Backup *backup, const DumpTools *tools, int jobs, BackupCompare compare,
                                gpointer data, BackupProof *ret_proof, GError **error)
{
    g_autoptr(TestDb) db = open_server(backup, error);
    if (db == NULL || !prepare(backup, db, error) || !run_pg_restore(backup, tools, jobs, db, error))
        return false;
    g_autofree char *url = testdb_own_url(db, DATABASE);
    g_autoptr(PgConn) restored = pg_conn_open("restored backup", url, NULL, deadline_in_ms(PG_CONNECT_MS), error);
    if (restored == NULL || !compare(restored, url, data, error))
        return false;
    ret_proof->server_version = g_strdup(pg_conn_identity(restored)->version_text);
    return true;
}

bool backup_prove(const Backup *backup, const DumpTools *tools, int jobs, BackupCompare compare, gpointer data,
                  BackupProof *ret_proof, GError **error)
{
    gint64 began = g_get_monotonic_time();
    *ret_proof = (BackupProof){0};
    if (restore_and_compare(backup, tools, jobs, compare, data, ret_proof, error)) {
        ret_proof->seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
        return true;
    }
    g_prefix_error(error, "proving the backup: ");
    if (error != NULL)
        pgf_error_set_state(*error, "the backup is in %s, complete but not proven; nothing else was changed",
                            backup->path);
    return false;
}

void backup_proof_clear(BackupProof *proof)
{
    g_clear_pointer(&proof->server_version, g_free);
}
