/* pgfold scan: every place in a code base that would lead back to a local database. */
#include <string.h>

#include "base/error.h"
#include "base/guard.h"
#include "cmd/command.h"
#include "cmd/scan_fix.h"
#include "cmd/scan_view.h"
#include "git/git.h"
#include "out/text.h"
#include "scan/scan.h"

static const CommandOption options[] = {
    {"check", 0, OPTION_FLAG, NULL, "exit with 1 when a file of class production has a finding"},
    {"strict", 0, OPTION_FLAG, NULL, "with --check: a finding of any class"},
    {"diff", 0, OPTION_STRING, "REV", "only lines that changed since this revision"},
    {"staged", 0, OPTION_FLAG, NULL, "only lines that are staged for the next commit"},
    {"format", 0, OPTION_STRING, "text|json|sarif|github", "how findings are printed"},
    {"baseline", 0, OPTION_STRING, "FILE", "findings that are in this file are known, and do not count"},
    {"write-baseline", 0, OPTION_STRING, "FILE", "write the findings of now to this file"},
    {"explain", 0, OPTION_STRING, "RULE", "say what a rule means, with examples"},
    {"list-rules", 0, OPTION_FLAG, NULL, "name all rules"},
    {"list-files", 0, OPTION_FLAG, NULL, "only name the files that would be looked at"},
    {"fix", 0, OPTION_FLAG, NULL, "mend what is certain, in the files themselves"},
    {"dry-run", 0, OPTION_FLAG, NULL, "with --fix: only show the changes, as a diff that `git apply` takes"},
    {"yes", 'y', OPTION_FLAG, NULL, "with --fix: ask nothing, and change files with uncommitted changes too"},
    {"jobs", 'j', OPTION_INT, "N", "threads (one for each core)"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold scan", "Look at the whole code base"},
    {"pgfold scan --check src", "In CI: fail when the application has a way back"},
    {"pgfold scan --staged --check", "Before a commit"},
    {"pgfold scan --explain env-default", "What a finding means, and what to write instead"},
    {"pgfold scan --fix --dry-run", "What would be mended, as a diff"},
    {"pgfold scan --format sarif > scan.sarif", "For a code scanning service"},
    {NULL},
};

/* The root of the code base, and the paths in it. */
typedef struct Where {
    char *folder;
    Config *config;   /* or NULL */
    GPtrArray *paths; /* of char*, NULL-terminated */
} Where;

static void where_clear(Where *where)
{
    g_free(where->folder);
    g_clear_pointer(&where->config, config_free);
    g_clear_pointer(&where->paths, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Where, where_clear)

/* The top of git's work tree, or folder. Transfer full. */
static char *work_tree(const char *folder)
{
    const char *words[] = {"rev-parse", "--show-toplevel", NULL};
    g_auto(SpawnResult) result = {0};
    if (!git_ask(folder, words, NULL, &result, NULL) || result.status != 0)
        return g_strdup(folder);
    return g_strdup(g_strchomp(result.out));
}

/* path relative to folder, "." for itself; NULL when it is not in it. Transfer full. */
static char *relative_to(const char *folder, const char *path)
{
    gsize length = strlen(folder);
    if (strcmp(folder, path) == 0)
        return g_strdup(".");
    if (strcmp(folder, "/") == 0)
        return g_strdup(path + 1);
    return strncmp(folder, path, length) == 0 && path[length] == '/' ? g_strdup(path + length + 1) : NULL;
}

static char *real(const char *path)
{
    char *found = realpath(path, NULL);
    char *copy = g_strdup(found);
    free(found);
    return copy;
}

/* The code base of the first path: where its pgfold.yaml is, or the top of its work tree, or it itself. */
static bool find_root(const CommandArgs *args, const char *first, Where *where, GError **error)
{
    g_autofree char *folder = g_file_test(first, G_FILE_TEST_IS_DIR) ? g_strdup(first) : g_path_get_dirname(first);
    g_autofree char *top = work_tree(folder);
    g_autofree char *path = NULL;
    if (args_config(args) != NULL ? !config_find(args_config(args), &path, error)
                                  : !config_find_from(folder, &path, error))
        return false;
    if (path != NULL) {
        where->config = config_load(path, CONFIG_CODE, error);
        if (where->config == NULL)
            return false;
    }
    where->folder = where->config != NULL ? real(where->config->folder) : g_steal_pointer(&top);
    g_autofree char *inside = relative_to(where->folder, first);
    if (inside == NULL) { /* --config of another place: its rules, for this folder */
        g_free(where->folder);
        where->folder = g_steal_pointer(&folder);
    }
    return true;
}

/* Paths are looked up from the current folder. */
static bool find_where(const CommandArgs *args, Where *where, GError **error)
{
    const char *const *words = args_words(args);
    g_autofree char *first = real(words[0] == NULL ? "." : words[0]);
    where->paths = g_ptr_array_new_with_free_func(g_free);
    if (first == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s: %s", words[0] == NULL ? "." : words[0], g_strerror(errno));
        return false;
    }
    if (!find_root(args, first, where, error))
        return false;
    for (guint i = 0; i == 0 || words[i] != NULL; i++) {
        g_autofree char *path = words[0] == NULL ? g_strdup(first) : real(words[i]);
        char *relative = path == NULL ? NULL : relative_to(where->folder, path);
        if (relative == NULL) {
            pgf_error_set(error, PGF_ERROR_USAGE, "Name files and folders of one code base.", "%s: %s", words[i],
                          path == NULL ? g_strerror(errno) : "not in the same code base as the first");
            return false;
        }
        g_ptr_array_add(where->paths, relative);
        if (words[0] == NULL)
            break;
    }
    g_ptr_array_add(where->paths, NULL);
    return true;
}

static int explain(const char *id, Out *out, GError **error)
{
    const ScanRule *rule = scan_rule(id);
    if (rule == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold scan --list-rules` names them.", "there is no rule %s", id);
        return PGF_ERROR_USAGE;
    }
    if (out->json) {
        json_t *document = out_json_new("rule");
        json_object_set_new(document, "id", json_string(rule->id));
        json_object_set_new(document, "severity", json_string(scan_severity_name(rule->severity)));
        json_object_set_new(document, "title", json_string(rule->title));
        json_object_set_new(document, "explanation", json_string(rule->explain));
        out_json(out, document);
    } else {
        scan_show_rule(rule, out);
    }
    return 0;
}

static int list_rules(Out *out)
{
    if (out->json) {
        json_t *document = out_json_new("rules"), *rules = json_array();
        for (const ScanRule *rule = scan_rules; rule->id != NULL; rule++)
            json_array_append_new(rules, json_pack("{s:s, s:s, s:s}", "id", rule->id, "severity",
                                                   scan_severity_name(rule->severity), "title", rule->title));
        json_object_set_new(document, "rules", rules);
        out_json(out, document);
        return 0;
    }
    for (const ScanRule *rule = scan_rules; rule->id != NULL; rule++)
        out_line(out, "%-16s %-8s %s", rule->id, scan_severity_name(rule->severity), rule->title);
    return 0;
}

static int list_files(const ScanOptions *spec, Out *out, GError **error)
{
    g_autoptr(GPtrArray) files = scan_files(spec, error);
    if (files == NULL)
        return PGF_ERROR_USAGE;
    json_t *names = json_array();
    for (guint i = 0; i < files->len; i++) {
        json_array_append_new(names, out_json_string(files->pdata[i]));
        g_autofree char *name = text_escape(files->pdata[i]);
        out_line(out, "%s", name);
    }
    json_t *document = out_json_new("files");
    json_object_set_new(document, "files", names);
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return 0;
}

static bool write_baseline(const ScanReport *report, const char *path, Out *out, GError **error)
{
    g_autofree char *text = scan_baseline_text(report);
    g_autoptr(GError) problem = NULL;
    if (!g_file_set_contents(path, text, -1, &problem)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write the baseline: %s", problem->message);
        return false;
    }
    out_notice(out, "Wrote %s: with --baseline %s only what is new counts.", path, path);
    return true;
}

static bool show(const ScanReport *report, const ScanSummary *summary, const char *format, Out *out, GError **error)
{
    if (format != NULL && !g_strv_contains((const char *const[]){"text", "json", "sarif", "github", NULL}, format)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Choose text, json, sarif or github.", "--format %s is not known",
                      format);
        return false;
    }
    if (g_strcmp0(format, "sarif") == 0)
        out_json(out, scan_sarif(report));
    else if (out->json || g_strcmp0(format, "json") == 0)
        out_json(out, scan_json(report, summary));
    else if (g_strcmp0(format, "github") == 0)
        scan_show_github(report, out);
    else
        scan_show(report, summary, out);
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    if (args_string(args, "explain") != NULL)
        return explain(args_string(args, "explain"), out, error);
    if (args_flag(args, "list-rules"))
        return list_rules(out);
    if (args_string(args, "write-baseline") != NULL &&
        (args_flag(args, "staged") || args_string(args, "diff") != NULL)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL,
                      "--write-baseline writes all findings: without --diff and --staged");
        return PGF_ERROR_USAGE;
    }
    if (args_flag(args, "fix") && (args_flag(args, "check") || args_string(args, "format") != NULL)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Fix first, then run `pgfold scan --check`.",
                      "--fix does not go with --check or --format");
        return PGF_ERROR_USAGE;
    }
    if (args_flag(args, "fix") && args_flag(args, "staged")) { /* what is staged is not what is in the file */
        pgf_error_set(error, PGF_ERROR_USAGE, "Use --diff HEAD.", "--fix and --staged do not go together");
        return PGF_ERROR_USAGE;
    }
    if (args_flag(args, "dry-run") && !args_flag(args, "fix")) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--dry-run goes with --fix");
        return PGF_ERROR_USAGE;
    }
    g_auto(Where) where = {0};
    if (!find_where(args, &where, error))
        return PGF_ERROR_USAGE;
    int jobs = 0;
    args_int(args, "jobs", &jobs);
    ScanOptions spec = {
        .folder = where.folder,
        .config = where.config,
        .paths = (const char *const *)where.paths->pdata,
        .diff = args_string(args, "diff"),
        .staged = args_flag(args, "staged"),
        .want_fixes = true,
        .jobs = (guint)CLAMP(jobs, 0, 64),
    };
    if (args_flag(args, "list-files"))
        return list_files(&spec, out, error);
    guard_enable();
    g_autoptr(ScanReport) report = scan_folder(&spec, error);
    if (report == NULL)
        return PGF_ERROR_USAGE;
    if (args_string(args, "baseline") != NULL && !scan_apply_baseline(report, args_string(args, "baseline"), error))
        return PGF_ERROR_USAGE;
    if (args_string(args, "write-baseline") != NULL &&
        !write_baseline(report, args_string(args, "write-baseline"), out, error))
        return PGF_ERROR_USAGE;
    if (args_flag(args, "fix")) {
        ScanFixOptions fix = {where.folder, args_flag(args, "dry-run"), args_flag(args, "yes")};
        return scan_fix(report, &fix, out, error) ? 0 : PGF_ERROR_REFUSED;
    }
    ScanSummary summary = scan_summary(report, args_flag(args, "strict"));
    if (!show(report, &summary, args_string(args, "format"), out, error))
        return PGF_ERROR_USAGE;
    return args_flag(args, "check") && summary.fails ? PGF_ERROR_DIFFERS : 0;
}

const Command command_scan = {
    .name = "scan",
    .summary = "find what in the code would lead back to a local database",
    .synopsis = "[PATH...]",
    .description =
        "Looks at the files of a code base (those that git does not ignore; without git, all but vendored and built "
        "ones) for variables that fall "
        "back to a local database, literal local connection strings, passwords in them, compose services and scripts "
        "that only serve "
        "a local database, and what refers to files that are to be removed.\n\n"
        "Each finding has a rule and a class: production, test, docs, infrastructure or protected, by the path and "
        "content of its file, or "
        "as `code` in pgfold.yaml says. Other services on localhost, messages, comments and the ephemeral database of "
        "tests are no "
        "findings.\n\n"
        "With --fix, what is certain is mended: a variable is read without a default, and where it is unset or empty "
        "the "
        "program fails at start and says how to set it. The rest is listed, with the reason.\n\n"
        "A comment `pgfold: allow RULE REASON` on the line of a finding, or alone on the line above, lets it stand.",
    .options = options,
    .examples = examples,
    .exit_codes = "With --check: 1 when something was found in files of class production (with --strict, of any class; "
                  "never for severity info).",
    .run = run,
};
