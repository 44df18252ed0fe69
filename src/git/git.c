#include "git/git.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "git/internal.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

const char *const GIT_ENVIRONMENT[] = {"LC_ALL=C",
                                       "GIT_TERMINAL_PROMPT=0",
                                       "GIT_OPTIONAL_LOCKS=0",
                                       "GIT_DIR",
                                       "GIT_WORK_TREE",
                                       "GIT_INDEX_FILE",
                                       "GIT_COMMON_DIR",
                                       "GIT_PREFIX",
                                       "GIT_OBJECT_DIRECTORY",
                                       "GIT_NAMESPACE",
                                       "GIT_LITERAL_PATHSPECS",
                                       "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                       NULL};

/* Settings of a user that would change what we read, and hooks. */
static const char *const ALWAYS[] = {"git",
                                     "-c",
                                     "core.hooksPath=/dev/null",
                                     "-c",
                                     "core.quotePath=false",
                                     "-c",
                                     "core.fsmonitor=false",
                                     "-c",
                                     "core.safecrlf=false"};

static void set_git_error(const char *const *words, const SpawnResult *result, GError **error)
{
    g_autofree char *said = spawn_tail(result->err, 4);
    const char *hint = strstr(said, "dubious ownership") != NULL
                           ? "Run pgfold as the owner of the repository, or say that you trust it: git config --global "
                             "--add safe.directory PATH"
                           : NULL;
    pgf_error_set(error, PGF_ERROR_REFUSED, hint, "git %s failed: %s", words[0], said);
}

/* Transfer container. */
static GPtrArray *argv_of(const char *const *words)
{
    GPtrArray *argv = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(ALWAYS); i++)
        g_ptr_array_add(argv, (gpointer)ALWAYS[i]);
    for (gsize i = 0; words[i] != NULL; i++)
        g_ptr_array_add(argv, (gpointer)words[i]);
    g_ptr_array_add(argv, NULL);
    return argv;
}

bool git_ask(const char *folder, const char *const *words, const char *input, SpawnResult *ret_result, GError **error)
{
    g_autoptr(GPtrArray) argv = argv_of(words);
    SpawnSpec spec = {.argv = (const char *const *)argv->pdata, .cwd = folder, .input = input};
    return spawn_run(&spec, deadline_in_ms(GIT_MS), ret_result, error);
}

bool git_run(const Git *git, const char *const *words, const char *const *env, const char *input, int *ret_status,
             char **ret_out, gsize *ret_length, GError **error)
{
    g_autoptr(GPtrArray) argv = argv_of(words);
    SpawnSpec spec = {.argv = (const char *const *)argv->pdata,
                      .setenv = env == NULL ? GIT_ENVIRONMENT : env,
                      .cwd = git->top != NULL ? git->top : git->folder,
                      .input = input,
                      .out = SPAWN_CAPTURE,
                      .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    mode_t ours = umask(git->file_mask);
    bool ok = spawn_run(&spec, deadline_in_ms(GIT_MS), &result, error);
    umask(ours);
    if (!ok)
        return false;
    if (ret_status != NULL) {
        *ret_status = result.status;
    } else if (result.status != 0) {
        set_git_error(words, &result, error);
        return false;
    }
    if (ret_out != NULL)
        *ret_out = g_steal_pointer(&result.out);
    if (ret_length != NULL)
        *ret_length = result.out_len;
    return true;
}

char *git_line(const Git *git, const char *const *words, const char *const *env, GError **error)
{
    char *text = NULL;
    if (!git_run(git, words, env, NULL, NULL, &text, NULL, error))
        return NULL;
    gsize length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    return text;
}

/* As git_line(), NULL with *error unset where git says no. */
static bool ask(const Git *git, const char *const *words, char **ret_line, GError **error)
{
    int status = 0;
    g_autofree char *text = NULL;
    *ret_line = NULL;
    if (!git_run(git, words, NULL, NULL, &status, &text, NULL, error))
        return false;
    if (status == 0)
        *ret_line = g_strdup(g_strchomp(text));
    return true;
}

void git_free(Git *git)
{
    if (git == NULL)
        return;
    g_free(git->folder);
    g_free(git->top);
    g_free(git->prefix);
    g_free(git->own);
    g_free(git->head);
    g_free(git->branch);
    g_free(git);
}

Git *git_open(const char *folder, mode_t file_mask, GError **error)
{
    g_autofree char *program = g_find_program_in_path("git");
    if (program == NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Install git.", "git is not installed");
        return NULL;
    }
    g_autoptr(Git) git = g_new0(Git, 1);
    g_autoptr(GError) cause = NULL;
    git->folder = g_strdup(folder);
    git->file_mask = file_mask;
    g_autofree char *top = git_line(git, WORDS("rev-parse", "--show-toplevel"), NULL, &cause);
    if (top == NULL || *top == '\0') {
        if (cause != NULL && strstr(cause->message, "not a git repository") == NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      "Put the project under git first (git init, git add, git commit): what is changed can then be "
                      "seen and taken back.",
                      "%s is in no work tree of git", folder);
        return NULL;
    }
    git->prefix = git_line(git, WORDS("rev-parse", "--show-prefix"), NULL, error);
    git->own = git->prefix == NULL ? NULL : git_line(git, WORDS("rev-parse", "--absolute-git-dir"), NULL, error);
    git->top = g_steal_pointer(&top); /* from here on it is where git runs */
    if (git->own == NULL || !ask(git, WORDS("rev-parse", "--quiet", "--verify", "HEAD^{commit}"), &git->head, error) ||
        !ask(git, WORDS("symbolic-ref", "--quiet", "--short", "HEAD"), &git->branch, error))
        return NULL;
    return g_steal_pointer(&git);
}

GPtrArray *git_changed(const Git *git, GError **error)
{
    char *text = NULL;
    gsize length = 0;
    if (!git_run(git, WORDS("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames"), NULL, NULL, NULL,
                 &text, &length, error))
        return NULL;
    GPtrArray *changed = g_ptr_array_new_with_free_func(g_free);
    for (const char *at = text; at < text + length; at += strlen(at) + 1)
        if (strlen(at) > 3)
            g_ptr_array_add(changed, g_strdup(at + 3));
    g_free(text);
    return changed;
}

static bool refuse_busy(const Git *git, GError **error)
{
    static const struct {
        const char *file, *what, *hint;
    } marks[] = {
        {"MERGE_HEAD", "a merge", "End it: git merge --continue, or git merge --abort."},
        {"rebase-merge", "a rebase", "End it: git rebase --continue, or git rebase --abort."},
        {"rebase-apply", "a rebase (or git am)", "End it: git rebase --continue, or git rebase --abort (git am ...)."},
        {"CHERRY_PICK_HEAD", "a cherry-pick", "End it: git cherry-pick --continue, or git cherry-pick --abort."},
        {"REVERT_HEAD", "a revert", "End it: git revert --continue, or git revert --abort."},
        {"sequencer", "a cherry-pick or revert", "End it: git cherry-pick --continue, or git cherry-pick --abort."},
        {"BISECT_LOG", "a bisect", "End it: git bisect reset."},
        {"index.lock", "another git", "Wait for it; where none runs: rm .git/index.lock"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *path = g_build_filename(git->own, marks[i].file, NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        pgf_error_set(error, PGF_ERROR_REFUSED, marks[i].hint, "%s is under way in %s", marks[i].what, git->top);
        return true;
    }
    return false;
}

enum { CHANGED_SHOWN = 5 };

static bool refuse_changed(const Git *git, GError **error)
{
    g_autoptr(GPtrArray) changed = git_changed(git, error);
    if (changed == NULL)
        return true;
    if (changed->len == 0)
        return false;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < MIN(changed->len, CHANGED_SHOWN); i++)
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", (const char *)changed->pdata[i]);
    if (changed->len > CHANGED_SHOWN)
        g_string_append_printf(names, " and %u more", changed->len - CHANGED_SHOWN);
    pgf_error_set(error, PGF_ERROR_REFUSED, "Commit it (git commit -a), or put it aside (git stash).",
                  "the git tree is not clean: %s", names->str);
    return true;
}

static bool refuse_nobody(const Git *git, GError **error)
{
    static const char *const who[] = {"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"};
    for (gsize i = 0; i < G_N_ELEMENTS(who); i++) {
        g_autofree char *line = NULL;
        if (!ask(git, WORDS("var", who[i]), &line, error))
            return true;
        if (line != NULL)
            continue;
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      "Say who commits: git config user.name \"...\"; git config user.email \"...\"",
                      "git does not know who commits here");
        return true;
    }
    return false;
}

bool git_gate(const Git *git, GError **error)
{
    if (git->head == NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Commit what there is: git add, git commit.",
                      "the repository %s has no commit yet", git->top);
        return false;
    }
    return !refuse_busy(git, error) && !refuse_changed(git, error) && !refuse_nobody(git, error);
}

GHashTable *git_files(const Git *git, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!git_run(git, WORDS("ls-files", "--stage", "-z"), NULL, NULL, NULL, &text, &length, error))
        return NULL;
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (const char *at = text; at < text + length; at += strlen(at) + 1) {
        const char *tab = strchr(at, '\t');
        if (tab != NULL)
            g_hash_table_replace(files, g_strdup(tab + 1), g_strndup(at, strcspn(at, " ")));
    }
    return files;
}

bool git_branch_commit(const Git *git, const char *branch, char **ret_commit, GError **error)
{
    g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
    return ask(git, WORDS("rev-parse", "--quiet", "--verify", ref), ret_commit, error);
}

bool git_check_branch_name(const Git *git, const char *branch, GError **error)
{
    g_autofree char *line = NULL;
    if (!ask(git, WORDS("check-ref-format", "--branch", branch), &line, error))
        return false;
    if (line != NULL && strcmp(line, branch) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "git takes no branch of the name \"%s\"", branch);
    return false;
}

GPtrArray *git_branches_with(const Git *git, const char *commit, const char *but, GError **error)
{
    g_autofree char *text = NULL;
    if (!git_run(git,
                 WORDS("for-each-ref", "--format=%(refname:short)", "--contains", commit, "refs/heads", "refs/remotes"),
                 NULL, NULL, NULL, &text, NULL, error))
        return NULL;
    GPtrArray *branches = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        if (*lines[i] != '\0' && strcmp(lines[i], but) != 0)
            g_ptr_array_add(branches, g_strdup(lines[i]));
    return branches;
}
