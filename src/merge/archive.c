/* Rows that lost, whole, and keys that changed: into files of the archive folder, and into the ledger. Keys wait
 * in a file without a name until the target inserts the rows: it needs nothing from us meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "merge/internal.h"

/* One table's files. */
typedef struct Archive {
    Merge *merge;
    const MergeCommit *commit;
    MergeRelation *relation;
    FILE *csv, *json, *spool;
    guint64 rows;
    char *at;
} Archive;

static bool file_error(const char *path, GError **error)
{
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Is the disk full, or the folder read-only?", "cannot write %s: %s", path,
                  g_strerror(errno));
    return false;
}

/* "schema.table", and "schema.table~2" where another table's name comes to the same: nothing is written over. */
static char *path_of(const MergeRelation *r, const char *folder, guint attempt, const char *ending)
{
    g_autofree char *number = attempt == 1 ? g_strdup("") : g_strdup_printf("~%u", attempt);
    g_autofree char *name = g_strconcat(r->source->label, number, ending, NULL);
    g_strdelimit(name, "/", '_');
    return g_build_filename(folder, name, NULL);
}

/* below: a folder in the archive's, or "". */
static FILE *create(const MergeCommit *commit, const MergeRelation *r, const char *below, const char *ending,
                    GError **error)
{
    g_autofree char *folder = g_build_filename(commit->archive, below, NULL);
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        file_error(folder, error);
        return NULL;
    }
    for (guint attempt = 1;; attempt++) {
        g_autofree char *path = path_of(r, folder, attempt, ending);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
        if (file == NULL)
            file_error(path, error);
        return file;
    }
}

/* The names of the files, too. */
static bool flush_folder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        file_error(path, error);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool archive_flush(const MergeCommit *commit, GError **error)
{
    const char *archive = commit->archive;
    g_autofree char *conflicts = g_build_filename(archive, "conflicts", NULL);
    g_autofree char *beside = g_path_get_dirname(archive);
    if (!g_file_test(archive, G_FILE_TEST_IS_DIR))
        return true;
    return (!g_file_test(conflicts, G_FILE_TEST_IS_DIR) || flush_folder(conflicts, error)) &&
           flush_folder(archive, error) && flush_folder(beside, error);
}

/* Flushed to the disk: the target's transaction relies on it. */
static bool finish(FILE *file, const char *folder, GError **error)
{
    if (file == NULL)
        return true;
    /* A write that failed on the way is not reported again by the last one. */
    bool ok = ferror(file) == 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!ok)
        file_error(folder, error);
    if (fclose(file) != 0 && ok)
        return file_error(folder, error);
    return ok;
}

static void write_csv_field(FILE *file, const char *text, bool last)
{
    putc_unlocked('"', file);
    for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
        if (*c == '"')
            putc_unlocked('"', file);
        putc_unlocked(*c, file);
    }
    fputs(last ? "\"\r\n" : "\",", file);
}

static const char *rule_name(const MergeRelation *r)
{
    static const char *const NAMES[] = {[CONFIG_CONFLICT_UNSET] = "stop",
                                        [CONFIG_CONFLICT_STOP] = "stop",
                                        [CONFIG_CONFLICT_KEEP_TARGET] = "keep-target",
                                        [CONFIG_CONFLICT_TAKE_SOURCE] = "take-source",
                                        [CONFIG_CONFLICT_NEWEST] = "newest",
                                        [CONFIG_CONFLICT_REKEY] = "rekey"};
    return NAMES[r->rule.on_conflict->conflict];
}

static bool open_files(Archive *archive, GError **error)
{
    archive->csv = create(archive->commit, archive->relation, "conflicts", ".csv", error);
    archive->json =
        archive->csv == NULL ? NULL : create(archive->commit, archive->relation, "conflicts", ".json", error);
    if (archive->json == NULL)
        return false;
    fputs("\"at\",\"rule\",\"kind\",\"lost\",\"key\",\"detail\",\"lost_row\",\"other_row\"\r\n", archive->csv);
    fputs("[", archive->json);
    return true;
}

static json_t *row_or_null(const char *text)
{
    json_t *row = text == NULL ? NULL : json_loads(text, 0, NULL);
    return row == NULL ? json_null() : row;
}

/* Columns: kind, action, key, source row, target row, detail, key and hash for the ledger. */
static bool on_loser(const PgResult *row, gpointer data, GError **error)
{
    Archive *archive = data;
    bool source_lost = g_str_equal(pg_result_get(row, 0, 1), "keep");
    const char *lost = pg_result_get(row, 0, source_lost ? 3 : 4), *other = pg_result_get(row, 0, source_lost ? 4 : 3);
    if (archive->csv == NULL && !open_files(archive, error))
        return false;
    const char *fields[] = {archive->at,
                            rule_name(archive->relation),
                            pg_result_get(row, 0, 0),
                            source_lost ? "source" : "target",
                            pg_result_get(row, 0, 2),
                            pg_result_get(row, 0, 5),
                            lost,
                            other};
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        write_csv_field(archive->csv, fields[i], i + 1 == G_N_ELEMENTS(fields));
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "at", fields[0], "rule", fields[1], "kind",
                               fields[2], "lost", fields[3], "key", fields[4], "detail", fields[5], "lost_row",
                               row_or_null(lost), "other_row", row_or_null(other));
    fputs(archive->rows++ == 0 ? "\n" : ",\n", archive->json);
    json_dumpf(object, archive->json, JSON_COMPACT);
    json_decref(object);
    if (!source_lost)
        return true;
    const CatalogRelation *source = archive->relation->source;
    return ledger_merge_add_lost(archive->commit->ledger, archive->commit->run, source->schema, source->name,
                                 pg_result_get(row, 0, 6), pg_result_int(row, 0, 7), error);
}

static bool write_losers(Merge *merge, const MergeCommit *commit, MergeRelation *r, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *at = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    Archive archive = {.merge = merge, .commit = commit, .relation = r, .at = at};
    g_autofree char *sql = losers_sql(r, "'keep', 'overwrite'");
    bool ok = pg_query_each(merge->spec.target, sql, 0, NULL, on_loser, &archive, DEADLINE_NONE, error);
    if (archive.json != NULL)
        fputs("\n]\n", archive.json);
    ok = finish(archive.csv, commit->archive, ok ? error : NULL) && ok;
    return finish(archive.json, commit->archive, ok ? error : NULL) && ok;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

/* A file without a name, for what goes into the ledger later. */
static FILE *make_spool(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        file_error(folder, error);
        return NULL;
    }
    g_autofree char *path = g_build_filename(folder, ".keys-XXXXXX", NULL);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    FILE *file = fd < 0 || g_unlink(path) != 0 ? NULL : fdopen(fd, "w+");
    if (file == NULL)
        file_error(path, error);
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

/* The row's texts, with the zero bytes behind them. */
static bool on_changed_key(const PgResult *row, gpointer data, GError **error)
{
    Archive *archive = data;
    if (archive->spool == NULL && (archive->spool = make_spool(archive->commit->archive, error)) == NULL)
        return false;
    for (int i = 0; i < pg_result_columns(row); i++) {
        const char *text = pg_result_get(row, 0, i);
        fwrite_unlocked(text, 1, strlen(text) + 1, archive->spool);
    }
    archive->rows++;
    return true;
}

/* Also keys that changed only because those they refer to did. */
bool archive_fetch_keys(Merge *merge, const MergeCommit *commit, MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    if (!r->staged || !r->whole || table->key == NULL)
        return true;
    Archive archive = {.merge = merge, .commit = commit, .relation = r};
    g_autoptr(GString) texts = g_string_new(NULL);
    g_autoptr(GString) new_texts = g_string_new(NULL);
    g_autoptr(GString) changed = g_string_new(NULL);
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *old = sql_old(table, table->key[i]);
        g_autofree char *column = sql_quote_alias("s", table->key[i]);
        g_string_append_printf(texts, "%spg_catalog.concat(s.%s)", i > 0 ? ", " : "", old);
        g_string_append_printf(new_texts, ", pg_catalog.concat(%s)", column);
        g_string_append_printf(changed, "%spg_catalog.concat(s.%s) COLLATE \"C\" <> pg_catalog.concat(%s)",
                               i > 0 ? " OR " : "", old, column);
    }
    g_autofree char *sql =
        g_strdup_printf("SELECT %s%s FROM %s s WHERE (%s) AND s.pgfold_map IS DISTINCT FROM 'known' "
                        "AND s.pgfold_class <> 'parent' AND s.pgfold_class <> 'unique' ORDER BY s.pgfold_n",
                        texts->str, new_texts->str, table->judged, changed->str);
    bool ok = pg_query_each(merge->spec.target, sql, 0, NULL, on_changed_key, &archive, DEADLINE_NONE, error);
    r->table->changed_keys = archive.spool;
    /* Now: rewind() forgets an error, and the keys with it. */
    if (ok && archive.spool != NULL && (fflush(archive.spool) != 0 || ferror(archive.spool) != 0))
        return file_error(commit->archive, error);
    r->table->changed_rows = archive.rows;
    return ok;
}

static void write_names(FILE *csv, const char *const *key, guint n)
{
    for (guint i = 0; i < 2 * n; i++) {
        g_autofree char *name = g_strconcat(i < n ? "old_" : "new_", key[i % n], NULL);
        write_csv_field(csv, name, i + 1 == 2 * n);
    }
}

/* The texts of the next key's columns, old and new. False at the end, or with an error. */
static bool read_row(FILE *spool, char **texts, size_t *sizes, guint n)
{
    for (guint i = 0; i < n; i++) {
        ssize_t length = getdelim(&texts[i], &sizes[i], '\0', spool);
        if (length <= 0 || texts[i][length - 1] != '\0') /* the end, or in the middle of a text */
            return false;
    }
    return true;
}

static void append_json_text(GString *json, const char *text)
{
    static const char LETTERS[] = "btn?fr"; /* of the characters from 8 on */
    g_string_append_c(json, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(json, "\\%c", *c);
        else if (*c >= '\b' && *c <= '\r' && *c != '\v')
            g_string_append_printf(json, "\\%c", LETTERS[*c - '\b']);
        else if ((unsigned char)*c < ' ')
            g_string_append_printf(json, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
}

/* As the server writes sql_memory_key(), of millions of keys at less cost. */
static const char *key_json(GString *json, char *const *texts, guint n)
{
    g_string_assign(json, "[");
    for (guint i = 0; i < n; i++) {
        g_string_append(json, i > 0 ? ", " : "");
        append_json_text(json, texts[i]);
    }
    g_string_append_c(json, ']');
    return json->str;
}

static bool note_keys(const MergeRelation *r, const MergeCommit *commit, FILE *csv, GError **error)
{
    FILE *spool = r->table->changed_keys;
    guint n = g_strv_length((char **)(guintptr)r->table->key);
    g_autofree char **texts = g_new0(char *, 2 * n);
    g_autofree size_t *sizes = g_new0(size_t, 2 * n);
    g_autoptr(GString) old_key = g_string_new(NULL);
    g_autoptr(GString) new_key = g_string_new(NULL);
    bool ok = true;
    guint64 rows = 0;
    rewind(spool);
    write_names(csv, r->table->key, n);
    while (ok && read_row(spool, texts, sizes, 2 * n)) {
        rows++;
        for (guint i = 0; i < 2 * n; i++)
            write_csv_field(csv, texts[i], i + 1 == 2 * n);
        ok = ledger_merge_add_key(commit->ledger, commit->run, r->source->schema, r->source->name,
                                  key_json(old_key, texts, n), key_json(new_key, texts + n, n), error);
    }
    if (ok && ferror(spool) != 0)
        ok = file_error(commit->archive, error);
    if (ok && rows != r->table->changed_rows) { /* each of them, or the next fold would bring its row again */
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Is the disk full? The same command begins again.",
                      "%" G_GUINT64_FORMAT " changed keys of %s.%s were to be noted, %" G_GUINT64_FORMAT " were",
                      r->table->changed_rows, r->source->schema, r->source->name, rows);
        ok = false;
    }
    for (guint i = 0; i < 2 * n; i++)
        free(texts[i]);
    return ok;
}

bool archive_keys(MergeRelation *r, const MergeCommit *commit, GError **error)
{
    if (r->table->changed_keys == NULL)
        return true;
    FILE *csv = create(commit, r, "", ".keys.csv", error);
    bool ok = csv != NULL && ledger_batch_begin(commit->ledger, error);
    if (ok) {
        ok = note_keys(r, commit, csv, error);
        ok = ledger_batch_commit(commit->ledger, ok ? error : NULL) && ok;
    }
    ok = finish(csv, commit->archive, ok ? error : NULL) && ok;
    g_clear_pointer(&r->table->changed_keys, fclose);
    return ok;
}

bool archive_rows(Merge *merge, const MergeCommit *commit, GError **error)
{
    if (!ledger_batch_begin(commit->ledger, error))
        return false;
    bool ok = true;
    for (guint i = 0; ok && i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        bool lost = r->counts.kept > 0 || r->counts.overwritten > 0;
        ok = !r->staged || !lost || write_losers(merge, commit, r, error);
    }
    /* What is recorded counts only once the merge is confirmed (ledger/memory.h). */
    return ledger_batch_commit(commit->ledger, ok ? error : NULL) && ok;
}
