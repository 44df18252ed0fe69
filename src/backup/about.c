/* What a manifest says about its source, written and read again. docs/backup.md describes the document. */
#include <string.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"

static char **strings_of(const json_t *array)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)array, i, item)
    {
        if (json_is_string(item))
            g_strv_builder_add(builder, json_string_value(item));
    }
    return g_strv_builder_end(builder);
}

char *backup_restore_line(const char *path, int jobs)
{
    g_autofree char *archive = g_build_filename(path, BACKUP_ARCHIVE, NULL);
    bool plain = strspn(archive, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-+:@") == strlen(archive);
    g_autofree char *quoted = plain ? g_strdup(archive) : g_shell_quote(archive);
    return g_strdup_printf("pg_restore --create --dbname=postgres --jobs=%d %s", jobs, quoted);
}

static json_t *source_of(const BackupSpec *spec, const PgIdentity *id, const PgResult *about)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:i, s:s, s:s, s:s, s:s, s:I}", "name", spec->source_name,
                     "system_identifier", id->system_identifier, "database", id->database, "database_oid",
                     (json_int_t)id->database_oid, "server_version", id->version, "server_version_text",
                     id->version_text, "encoding", pg_result_get(about, 0, 0), "collate", pg_result_get(about, 0, 1),
                     "ctype", pg_result_get(about, 0, 2), "database_bytes", (json_int_t)pg_result_int(about, 0, 3));
}

static json_t *document_of(const BackupSpec *spec, const PgResult *about)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *made = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    json_t *document = json_pack("{s:s, s:i, s:s, s:s, s:s?, s:s?, s:s}", "schema", "pgfold.backup-manifest", "version",
                                 1, "pgfold", PGFOLD_VERSION, "made", made, "snapshot", spec->snapshot, "lsn",
                                 spec->lsn, "pg_dump", spec->tools->version_text);
    if (document == NULL)
        return NULL;
    int bad = json_object_set_new(document, "source", source_of(spec, pg_conn_identity(spec->source), about));
    bad |= json_object_set_new(document, "roles", json_loads(pg_result_get(about, 0, 4), 0, NULL));
    bad |= json_object_set_new(document, "extensions", json_loads(pg_result_get(about, 0, 5), 0, NULL));
    bad |= json_object_set(document, "contents", spec->contents == NULL ? json_null() : spec->contents);
    if (bad == 0)
        return document;
    json_decref(document);
    return NULL;
}

bool backup_about(const BackupSpec *spec, Backup *backup, json_t **ret_document, GError **error)
{
    g_autoptr(PgResult) about = pg_query(spec->source, BACKUP_ABOUT_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (about == NULL)
        return false;
    json_t *document = document_of(spec, about);
    if (document == NULL)
        pgf_error_set(error, PGF_ERROR_REFUSED, "Rename it, or make the backup with pg_dump.",
                      "a name of the source is not UTF-8, and fits into no manifest");
    if (document == NULL || !backup_from_document(document, backup, error)) {
        json_decref(document);
        return false;
    }
    *ret_document = document;
    return true;
}

bool backup_from_document(const json_t *document, Backup *backup, GError **error)
{
    const char *schema = NULL, *database = NULL, *encoding = NULL, *collate = NULL, *ctype = NULL;
    json_int_t database_bytes = 0;
    json_t *roles = NULL, *extensions = NULL;
    json_error_t why;
    int format = 0;
    if (json_unpack_ex((json_t *)document, &why, 0, "{s:s, s:i, s:{s:s, s:i, s:s, s:s, s:s, s:I}, s:o, s:o}", "schema",
                       &schema, "version", &format, "source", "database", &database, "server_version",
                       &backup->server_version, "encoding", &encoding, "collate", &collate, "ctype", &ctype,
                       "database_bytes", &database_bytes, "roles", &roles, "extensions", &extensions) != 0 ||
        strcmp(schema, "pgfold.backup-manifest") != 0) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name a folder that `pgfold backup` made.",
                      "not the manifest of a backup: %s", schema == NULL ? why.text : schema);
        return false;
    }
    if (format != 1) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Use the pgfold that made it, or a later one.",
                      "the manifest has format %d, which this pgfold does not know", format);
        return false;
    }
    backup->database = g_strdup(database);
    backup->encoding = g_strdup(encoding);
    backup->collate = g_strdup(collate);
    backup->ctype = g_strdup(ctype);
    backup->database_bytes = (guint64)database_bytes;
    backup->roles = strings_of(roles);
    backup->extensions = strings_of(extensions);
    return true;
}
