#include "cmd/scan_fix.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "cmd/scan_view.h"
#include "git/git.h"
#include "out/diff.h"
#include "out/text.h"

/* A file with the text that it will have. */
typedef struct Change {
    const char *file; /* relative to the folder */
    char *old, *new;
    gsize old_length, new_length;
    GHashTable *gone; /* fingerprints of findings that it will not have */
    guint fixed;      /* findings */
} Change;

static void change_free(gpointer data)
{
    Change *change = data;
    g_clear_pointer(&change->gone, g_hash_table_unref);
    g_free(change->old);
    g_free(change->new);
    g_free(change);
}

static GHashTable *fingerprints(const char *folder, const char *file, const char *text, gsize length)
{
    const ScanOptions options = {.folder = folder};
    g_autoptr(GPtrArray) findings = scan_text(&options, file, text, length);
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < findings->len; i++)
        g_hash_table_add(found, g_strdup(((const ScanFinding *)findings->pdata[i])->fingerprint));
    return found;
}

/* Findings of the old text that the new one no longer has: those that were mended, and what went with them. */
static void find_gone(const char *folder, Change *change, const GPtrArray *picked)
{
    change->gone = fingerprints(folder, change->file, change->old, change->old_length);
    g_autoptr(GHashTable) left = fingerprints(folder, change->file, change->new, change->new_length);
    for (guint i = 0; i < picked->len; i++)
        g_hash_table_add(change->gone, g_strdup(((const ScanFinding *)picked->pdata[i])->fingerprint));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, left);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_remove(change->gone, key);
    for (guint i = 0; i < picked->len; i++)
        if (g_hash_table_contains(change->gone, ((const ScanFinding *)picked->pdata[i])->fingerprint))
            change->fixed++;
}

static Change *change_of(const char *folder, const char *file, const GPtrArray *picked)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    Change *change = g_new0(Change, 1);
    change->file = file;
    if (g_file_get_contents(path, &change->old, &change->old_length, NULL))
        change->new = scan_fixed(file, change->old, change->old_length, picked, &change->new_length);
    if (change->new == NULL) {
        change_free(change);
        return NULL;
    }
    find_gone(folder, change, picked);
    return change;
}

/* One for each file that a fix changes. Findings are sorted by file. */
static GPtrArray *make_changes(const ScanReport *report, const char *folder)
{
    GPtrArray *changes = g_ptr_array_new_with_free_func(change_free);
    g_autoptr(GPtrArray) picked = g_ptr_array_new();
    for (guint i = 0; i < report->findings->len; i++) {
        ScanFinding *finding = report->findings->pdata[i];
        g_assert(finding != NULL);
        if (scan_counts(finding) && finding->edits != NULL)
            g_ptr_array_add(picked, finding);
        const ScanFinding *next = i + 1 < report->findings->len ? report->findings->pdata[i + 1] : NULL;
        if (next != NULL && strcmp(next->file, finding->file) == 0)
            continue;
        Change *change = picked->len == 0 ? NULL : change_of(folder, finding->file, picked);
        if (change != NULL)
            g_ptr_array_add(changes, change);
        g_ptr_array_set_size(picked, 0);
    }
    return changes;
}

/* Files that git could not bring back as they are now, one a line; NULL where there is no git. */
static bool find_unsaved(const char *folder, const GPtrArray *changes, char **ret_files, bool *ret_git, GError **error)
{
    *ret_files = NULL;
    const char *top[] = {"rev-parse", "--is-inside-work-tree", NULL};
    g_auto(SpawnResult) inside = {0};
    *ret_git = git_ask(folder, top, NULL, &inside, NULL) && inside.status == 0;
    if (!*ret_git)
        return cancel_check(error);
    static const char *const STATUS[] = {"--literal-pathspecs", "status", "--porcelain", "-uall", "--ignored", "--"};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(STATUS); i++)
        g_ptr_array_add(words, (gpointer)STATUS[i]);
    for (guint i = 0; i < changes->len; i++)
        g_ptr_array_add(words, (gpointer)((const Change *)changes->pdata[i])->file);
    g_ptr_array_add(words, NULL);
    g_auto(SpawnResult) status = {0};
    if (!git_ask(folder, (const char *const *)words->pdata, NULL, &status, error))
        return false;
    if (status.status != 0) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Run `git status`, or give --yes.", "git status failed: %s",
                      status.err == NULL ? "" : g_strchomp(status.err));
        return false;
    }
    if (status.out_len > 0)
        *ret_files = g_strdup(g_strchomp(status.out));
    return true;
}

static bool is_allowed(const ScanFixOptions *options, const GPtrArray *changes, Out *out, GError **error)
{
    if (options->yes)
        return true;
    g_autofree char *unsaved = NULL;
    bool git;
    if (!find_unsaved(options->folder, changes, &unsaved, &git, error))
        return false;
    if (unsaved != NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Commit or stash them first; or --yes, to have the fixes on top.",
                      "files that would be fixed have changes that are not committed: nothing was changed\n%s",
                      unsaved);
        return false;
    }
    guint fixed = 0;
    for (guint i = 0; i < changes->len; i++)
        fixed += ((const Change *)changes->pdata[i])->fixed;
    if (out_confirm(out, false, "Fix %u finding%s in %u file%s%s?", fixed, fixed == 1 ? "" : "s", changes->len,
                    changes->len == 1 ? "" : "s", git ? "" : " (there is no git to take it back)"))
        return true;
    if (cancel_check(error))
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      out_can_ask(out) ? NULL : "Give --yes; `pgfold scan --fix --dry-run` shows what it would do.",
                      "not confirmed: nothing was changed");
    return false;
}

/* What was looked at is what is there: a question may stand for hours. */
static bool is_unchanged(const char *path, const Change *change, struct stat *ret_about)
{
    g_autofree char *now = NULL;
    gsize length = 0;
    return lstat(path, ret_about) == 0 && S_ISREG(ret_about->st_mode) &&
           g_file_get_contents(path, &now, &length, NULL) && length == change->old_length &&
           memcmp(now, change->old, length) == 0;
}

/* In one step, with the mode and owner of the file that it takes the place of. */
static bool write_change(const char *folder, const Change *change, GError **error)
{
    g_autofree char *path = g_build_filename(folder, change->file, NULL);
    g_autofree char *parent = g_path_get_dirname(path), *temp = g_build_filename(parent, ".pgfold-fix-XXXXXX", NULL);
    struct stat about;
    if (!is_unchanged(path, change, &about)) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Run the command again.", "%s was changed by somebody else meanwhile",
                      change->file);
        return false;
    }
    int fd = g_mkstemp_full(temp, O_RDWR | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && io_write_all(fd, change->new, change->new_length) && fsync(fd) == 0;
    if (ok && (about.st_uid != geteuid() || about.st_gid != getegid()))
        ok = fchown(fd, about.st_uid, about.st_gid) == 0;
    ok = ok && fchmod(fd, about.st_mode & 07777) == 0 && rename(temp, path) == 0;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    if (!ok && fd >= 0)
        unlink(temp);
    if (!ok)
        pgf_error_set(error, PGF_ERROR_MIDWAY,
                      "Run it again as the owner of the file, where its folder may be written to.",
                      "%s could not be written: %s", change->file, g_strerror(problem));
    return ok;
}

static void show_diff(const GPtrArray *changes, Out *out)
{
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];
        g_autoptr(GString) diff = out_unified_diff(change->file, change->old, change->new);
        out_raw(out, diff->str);
    }
}

static bool is_gone(const GPtrArray *changes, const ScanFinding *finding)
{
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];
        if (strcmp(change->file, finding->file) == 0)
            return g_hash_table_contains(change->gone, finding->fingerprint);
    }
    return false;
}

/* Is it for people: neither mended, nor gone with what was? */
static bool is_left(const GPtrArray *changes, const ScanFinding *finding)
{
    return scan_counts(finding) && finding->severity != SCAN_INFO && !is_gone(changes, finding);
}

static const char *why_left(const ScanFinding *finding)
{
    return finding->edits != NULL    ? "another fix changes the same lines: run it again"
           : finding->no_fix != NULL ? finding->no_fix
                                     : finding->remedy;
}

static void show_left(const ScanReport *report, const GPtrArray *changes, Out *out)
{
    bool first = true;
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (!is_left(changes, finding))
            continue;
        if (first)
            out_notice(out, "To be done by hand:");
        first = false;
        g_autofree char *reason = text_escape(why_left(finding));
        out_notice(out, "  %s:%u  %s: %s", finding->file, finding->place.line, finding->rule->id, reason);
    }
}

static void print_json(const ScanReport *report, const GPtrArray *changes, bool written, Out *out)
{
    json_t *document = out_json_new("fixes"), *files = json_array(), *left = json_array();
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];
        json_array_append_new(
            files, json_pack("{s:o, s:i}", "file", out_json_string(change->file), "fixed", (int)change->fixed));
    }
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (is_left(changes, finding))
            json_array_append_new(left, json_pack("{s:o, s:i, s:s, s:o}", "file", out_json_string(finding->file),
                                                  "line", (int)finding->place.line, "rule", finding->rule->id, "reason",
                                                  out_json_string(why_left(finding))));
    }
    json_object_set_new(document, "written", json_boolean(written));
    json_object_set_new(document, "files", files);
    json_object_set_new(document, "left", left);
    out_json(out, document);
}

static void show_changes(const GPtrArray *changes, Out *out)
{
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];
        out_line(out, "%s: %u fixed", change->file, change->fixed);
    }
    if (changes->len == 0)
        out_notice(out, "No finding has a fix that is certain.");
}

bool scan_fix(const ScanReport *report, const ScanFixOptions *options, Out *out, GError **error)
{
    g_autoptr(GPtrArray) changes = make_changes(report, options->folder);
    if (!cancel_check(error))
        return false;
    if (options->dry_run) {
        if (out->json)
            print_json(report, changes, false, out);
        else
            show_diff(changes, out);
        show_left(report, changes, out);
        return true;
    }
    if (changes->len > 0 && !is_allowed(options, changes, out, error))
        return false;
    for (guint i = 0; i < changes->len; i++) {
        if (!write_change(options->folder, changes->pdata[i], error)) {
            pgf_error_set_state(error == NULL ? NULL : *error, "%u of %u files were fixed, the others are as before", i,
                                changes->len);
            return false;
        }
    }
    if (out->json)
        print_json(report, changes, changes->len > 0, out);
    show_changes(changes, out);
    show_left(report, changes, out);
    return true;
}
