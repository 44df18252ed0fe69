#include <string.h>

#include "base/error.h"
#include "retire/internal.h"

/* --- plain data --------------------------------------------------------------------------------------------------- */

static void change_free(gpointer data)
{
    RetireChange *change = data;
    g_free(change->file);
    g_free(change->text);
    g_free(change);
}

static void step_free(gpointer data)
{
    RetireStep *step = data;
    g_free(step->title);
    g_ptr_array_unref(step->changes);
    g_free(step);
}

static void place_free(gpointer data)
{
    RetirePlace *place = data;
    g_free(place->file);
    g_free(place->what);
    g_free(place);
}

static void preserved_free(gpointer data)
{
    RetirePreserved *preserved = data;
    g_free(preserved->file);
    g_free(preserved->how);
    g_free(preserved);
}

static RetireCode *code_new(void)
{
    RetireCode *code = g_new0(RetireCode, 1);
    code->steps = g_ptr_array_new_with_free_func(step_free);
    code->removed = g_ptr_array_new_with_free_func(g_free);
    code->missed = g_ptr_array_new_with_free_func(g_free);
    code->left = g_ptr_array_new_with_free_func(place_free);
    code->elsewhere = g_ptr_array_new_with_free_func(place_free);
    code->dangling = g_ptr_array_new_with_free_func(place_free);
    code->suspects = g_ptr_array_new_with_free_func(place_free);
    code->mentions = g_ptr_array_new_with_free_func(place_free);
    code->preserved = g_ptr_array_new_with_free_func(preserved_free);
    return code;
}

void retire_code_free(RetireCode *code)
{
    if (code == NULL)
        return;
    g_ptr_array_unref(code->steps);
    g_ptr_array_unref(code->removed);
    g_ptr_array_unref(code->missed);
    g_ptr_array_unref(code->left);
    g_ptr_array_unref(code->elsewhere);
    g_ptr_array_unref(code->dangling);
    g_ptr_array_unref(code->suspects);
    g_ptr_array_unref(code->mentions);
    g_ptr_array_unref(code->preserved);
    g_free(code);
}

void retire_place_add(GPtrArray *places, const char *file, guint line, const char *rule, ScanClass class,
                      const char *what)
{
    RetirePlace *place = g_new0(RetirePlace, 1);
    place->file = g_strdup(file);
    place->line = line;
    place->rule = rule;
    place->class = class;
    place->what = g_strdup(what);
    g_ptr_array_add(places, place);
}

/* --- the work ----------------------------------------------------------------------------------------------------- */

static void work_clear(Work *work)
{
    g_clear_pointer(&work->tracked, g_hash_table_unref);
    g_clear_pointer(&work->texts, g_hash_table_unref);
    g_clear_pointer(&work->removed, g_hash_table_unref);
    g_clear_pointer(&work->code, retire_code_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

GHashTable *work_tracked(const Git *git, GError **error)
{
    g_autoptr(GHashTable) all = git_files(git, error);
    if (all == NULL)
        return NULL;
    GHashTable *tracked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer path = NULL, mode = NULL;
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &path, &mode))
        if (g_str_has_prefix(path, git->prefix))
            g_hash_table_replace(tracked, g_strdup((char *)path + strlen(git->prefix)), g_strdup(mode));
    return tracked;
}

static bool work_begin(Work *work, const Config *config, const Git *git, GError **error)
{
    work->config = config;
    work->git = git;
    work->tracked = work_tracked(git, error);
    work->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    work->removed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    work->code = code_new();
    return work->tracked != NULL;
}

GBytes *work_text(const Work *work, const char *file)
{
    GBytes *known = g_hash_table_lookup(work->texts, file);
    if (known != NULL)
        return g_bytes_ref(known);
    g_autofree char *path = g_build_filename(work->config->folder, file, NULL);
    char *text = NULL;
    gsize length = 0;
    if (g_file_test(path, G_FILE_TEST_IS_SYMLINK) || !g_file_get_contents(path, &text, &length, NULL))
        return NULL;
    return g_bytes_new_take(text, length);
}

RetireStep *work_step(const char *name, const char *title)
{
    RetireStep *step = g_new0(RetireStep, 1);
    step->name = name;
    step->title = g_strdup(title);
    step->changes = g_ptr_array_new_with_free_func(change_free);
    return step;
}

void work_change(Work *work, RetireStep *step, const char *file, char *text, gsize length)
{
    RetireChange *change = g_new0(RetireChange, 1);
    change->file = g_strdup(file);
    change->text = text;
    change->length = length;
    g_ptr_array_add(step->changes, change);
    if (text != NULL)
        g_hash_table_replace(work->texts, g_strdup(file), g_bytes_new(text, length));
}

void work_add(Work *work, RetireStep *step)
{
    if (step->changes->len > 0)
        g_ptr_array_add(work->code->steps, step);
    else
        step_free(step);
}

/* --- findings ----------------------------------------------------------------------------------------------------- */

static bool is_rule(const ScanFinding *finding, const char *id)
{
    return strcmp(finding->rule->id, id) == 0;
}

/* pgfold.yaml itself names sources and what is to be removed. */
static bool counts(const Work *work, const ScanFinding *finding)
{
    g_autofree char *own = work->config->path == NULL ? NULL : g_path_get_basename(work->config->path);
    return finding->suppressed == NULL && finding->severity > SCAN_INFO && finding->class != SCAN_PROTECTED &&
           g_strcmp0(finding->file, own) != 0 && !g_hash_table_contains(work->removed, finding->file);
}

static bool is_editable(const Work *work, const ScanFinding *finding)
{
    const char *mode = g_hash_table_lookup(work->tracked, finding->file);
    return finding->edits != NULL && mode != NULL && g_str_has_prefix(mode, "100");
}

/* The findings of one file that a step mends: not owned. */
static GPtrArray *pick(const Work *work, const GPtrArray *findings, const char *file, bool references)
{
    GPtrArray *picked = g_ptr_array_new();
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        if (strcmp(finding->file, file) == 0 && counts(work, finding) && is_editable(work, finding) &&
            is_rule(finding, "local-reference") == references)
            g_ptr_array_add(picked, finding);
    }
    return picked;
}

/* True where the file was changed. */
static bool fix_file(Work *work, RetireStep *step, const GPtrArray *findings, const char *file, bool references)
{
    g_autoptr(GPtrArray) picked = pick(work, findings, file, references);
    g_autoptr(GBytes) bytes = picked->len == 0 ? NULL : work_text(work, file);
    if (bytes == NULL)
        return false;
    gsize length = 0, new_length = 0;
    const char *text = g_bytes_get_data(bytes, &length);
    char *fixed = scan_fixed(file, text, length, picked, &new_length);
    if (fixed == NULL)
        return false;
    work_change(work, step, file, fixed, new_length);
    return true;
}

static bool is_next(const GPtrArray *findings, guint i)
{
    return i == 0 ||
           strcmp(((ScanFinding *)findings->pdata[i])->file, ((ScanFinding *)findings->pdata[i - 1])->file) != 0;
}

static void fixes_plan(Work *work, const Docs *docs, const GPtrArray *findings)
{
    g_autofree char *title = g_strdup_printf("Read %s without a local default", work->config->code.variable);
    RetireStep *step = work_step("fixes", title);
    for (guint i = 0; i < findings->len; i++) {
        const char *file = ((ScanFinding *)findings->pdata[i])->file;
        if (is_next(findings, i) && !documents_take(work, docs, file))
            (void)fix_file(work, step, findings, file, false);
    }
    work_add(work, step);
}

/* As the file stands now: an earlier step may have moved its places. Transfer full. */
static GPtrArray *findings_now(const Work *work, const ScanOptions *options, const char *file)
{
    g_autoptr(GBytes) bytes = work_text(work, file);
    gsize length = 0;
    const char *text = bytes == NULL ? NULL : g_bytes_get_data(bytes, &length);
    return text == NULL ? NULL : scan_text(options, file, text, length);
}

static void references_plan(Work *work, const ScanOptions *options, const Docs *docs, const GPtrArray *findings)
{
    RetireStep *step = work_step("references", "Mend references to what is gone");
    for (guint i = 0; i < findings->len; i++) {
        const ScanFinding *finding = findings->pdata[i];
        if (!is_next(findings, i) || documents_take(work, docs, finding->file))
            continue;
        g_autoptr(GPtrArray) before = pick(work, findings, finding->file, true);
        g_autoptr(GPtrArray) now = before->len == 0 ? NULL : findings_now(work, options, finding->file);
        if (now != NULL)
            (void)fix_file(work, step, now, finding->file, true);
    }
    work_add(work, step);
}

/* Whether a reference leads to a file that is gone by then: scan also tells of those to scripts that are suspected. */
static bool is_dangling(const Work *work, const ScanFinding *finding)
{
    return finding->reference == NULL || g_hash_table_contains(work->removed, finding->reference) ||
           !g_hash_table_contains(work->tracked, finding->reference);
}

/* What is left of the findings, sorted by what to do about it. */
static void sort_finding(Work *work, const ScanFinding *finding)
{
    RetireCode *code = work->code;
    GPtrArray *list = finding->class == SCAN_PRODUCTION ? code->left : code->elsewhere;
    if (!counts(work, finding))
        return;
    if (is_rule(finding, "local-reference"))
        list = is_dangling(work, finding) ? code->dangling : code->suspects;
    else if (is_rule(finding, "local-script") || is_rule(finding, "local-service"))
        list = code->suspects;
    retire_place_add(list, finding->file, finding->place.line, finding->rule->id, finding->class,
                     finding->no_fix != NULL ? finding->no_fix : finding->message);
}

/* By file: those of changed files from their new text. */
static void sort_findings(Work *work, const ScanOptions *options, const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        const ScanFinding *finding = findings->pdata[i];
        if (g_hash_table_contains(work->texts, finding->file)) {
            g_autoptr(GPtrArray) now = is_next(findings, i) ? findings_now(work, options, finding->file) : NULL;
            for (guint k = 0; now != NULL && k < now->len; k++)
                sort_finding(work, now->pdata[k]);
            continue;
        }
        sort_finding(work, finding);
    }
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static bool check_preserved(const Work *work, GError **error)
{
    for (guint i = 0; i < work->code->preserved->len; i++) {
        const RetirePreserved *one = work->code->preserved->pdata[i];
        if (one->whole)
            continue;
        pgf_error_set(error, PGF_ERROR_REFUSED, "Mend that first, or take what it needs out of code.remove.",
                      "%s must go on working, and would not: %s", one->file, one->how);
        return false;
    }
    return true;
}

RetireCode *retire_code(const Config *config, const Git *git, Ledger *ledger, const GPtrArray *sources, GError **error)
{
    g_auto(Work) work = {0};
    if (!work_begin(&work, config, git, error))
        return NULL;
    ScanOptions options = {.folder = config->folder, .config = config, .want_fixes = true};
    g_autoptr(ScanReport) report = scan_folder(&options, error);
    if (report == NULL)
        return NULL;
    work.code->scanned = report->files->len;
    /* The removals first, for they decide which findings count; their commit is the second. */
    if (!remove_plan(&work, sources, error))
        return NULL;
    g_autoptr(Docs) docs = documents_read(&work, ledger, sources, error);
    if (docs == NULL)
        return NULL;
    RetireStep *removal = work.code->steps->len == 0 ? NULL : g_ptr_array_steal_index(work.code->steps, 0);
    fixes_plan(&work, docs, report->findings);
    if (removal != NULL)
        g_ptr_array_add(work.code->steps, removal);
    references_plan(&work, &options, docs, report->findings);
    ignores_plan(&work);
    documents_plan(&work, docs);
    documents_mention(&work, docs);
    sort_findings(&work, &options, report->findings);
    preserve_look(&work);
    return check_preserved(&work, error) ? g_steal_pointer(&work.code) : NULL;
}

RetireCode *retire_code_left(const Config *config, const Git *git, const GPtrArray *removed, GError **error)
{
    g_auto(Work) work = {0};
    if (!work_begin(&work, config, git, error))
        return NULL;
    ScanOptions options = {.folder = config->folder, .config = config};
    g_autoptr(ScanReport) report = scan_folder(&options, error);
    if (report == NULL)
        return NULL;
    for (guint i = 0; i < removed->len; i++)
        g_hash_table_add(work.removed, g_strdup(removed->pdata[i]));
    work.code->scanned = report->files->len;
    sort_findings(&work, &options, report->findings);
    preserve_look(&work);
    return g_steal_pointer(&work.code);
}
