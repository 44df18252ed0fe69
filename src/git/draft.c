/* Commits that are made beside the tree: an index of our own, and no file of the tree is touched. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "git/internal.h"
#include "testdb/tree.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

void git_draft_free(GitDraft *draft)
{
    if (draft == NULL)
        return;
    if (draft->folder != NULL)
        (void)tree_remove(draft->folder, NULL);
    g_free(draft->folder);
    g_strfreev(draft->env);
    g_free(draft->base);
    g_free(draft->tip);
    g_free(draft);
}

static bool add_environment(GitDraft *draft, bool rehearse, GError **error)
{
    g_autoptr(GPtrArray) env = g_ptr_array_new();
    for (gsize i = 0; GIT_ENVIRONMENT[i] != NULL; i++)
        if (strcmp(GIT_ENVIRONMENT[i], "GIT_INDEX_FILE") != 0 &&
            !(rehearse && strstr(GIT_ENVIRONMENT[i], "OBJECT_DIRECTOR") != NULL))
            g_ptr_array_add(env, g_strdup(GIT_ENVIRONMENT[i]));
    g_ptr_array_add(env, g_strdup_printf("GIT_INDEX_FILE=%s/index", draft->folder));
    if (rehearse) {
        g_autofree char *objects = git_line(draft->git, WORDS("rev-parse", "--git-path", "objects"), NULL, error);
        if (objects == NULL) {
            g_ptr_array_set_free_func(env, g_free);
            return false;
        }
        g_autofree char *absolute = g_canonicalize_filename(objects, draft->git->top);
        g_ptr_array_add(env, g_strdup_printf("GIT_OBJECT_DIRECTORY=%s/objects", draft->folder));
        g_ptr_array_add(env, g_strdup_printf("GIT_ALTERNATE_OBJECT_DIRECTORIES=\"%s\"", absolute));
    }
    g_ptr_array_add(env, NULL);
    draft->env = (char **)g_ptr_array_free(g_steal_pointer(&env), FALSE);
    return true;
}

static bool run(const GitDraft *draft, const char *const *words, const char *input, GError **error)
{
    return git_run(draft->git, words, (const char *const *)draft->env, input, NULL, NULL, NULL, error);
}

GitDraft *git_draft_new(const Git *git, const char *scratch, bool rehearse, GError **error)
{
    g_autoptr(GitDraft) draft = g_new0(GitDraft, 1);
    g_autofree char *folder = g_build_filename(scratch, ".draft-XXXXXX", NULL);
    if (g_mkdtemp_full(folder, 0700) == NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, NULL, "no folder can be made in %s", scratch);
        return NULL;
    }
    draft->git = git;
    draft->folder = g_steal_pointer(&folder);
    draft->base = g_strdup(git->head);
    draft->tip = g_strdup(git->head);
    g_autofree char *objects = g_build_filename(draft->folder, "objects", NULL);
    (void)g_mkdir(objects, 0700);
    if (!add_environment(draft, rehearse, error) || !run(draft, WORDS("read-tree", draft->base), NULL, error))
        return NULL;
    return g_steal_pointer(&draft);
}

/* The mode that path has in the index; NULL where it is not there. */
static bool find_mode(const GitDraft *draft, const char *path, char **ret_mode, GError **error)
{
    g_autofree char *line = NULL;
    *ret_mode = NULL;
    g_autofree char *literal = g_strconcat(":(top,literal)", path, NULL);
    if (!git_run(draft->git, WORDS("ls-files", "--stage", "--", literal), (const char *const *)draft->env, NULL, NULL,
                 &line, NULL, error))
        return false;
    if (*line != '\0')
        *ret_mode = g_strndup(line, strcspn(line, " "));
    return true;
}

bool git_draft_write(GitDraft *draft, const char *path, const char *text, gsize length, GError **error)
{
    if (memchr(text, '\0', length) != NULL) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "%s: a text with a zero byte", path);
        return false;
    }
    g_autofree char *mode = NULL, *blob = NULL;
    g_autofree char *option = g_strconcat("--path=", path, NULL);
    if (!find_mode(draft, path, &mode, error) ||
        !git_run(draft->git, WORDS("hash-object", "-w", "--stdin", option), (const char *const *)draft->env, text, NULL,
                 &blob, NULL, error))
        return false;
    g_strchomp(blob);
    g_autofree char *entry = g_strdup_printf("%s,%s,%s", mode == NULL ? "100644" : mode, blob, path);
    return run(draft, WORDS("update-index", "--add", "--cacheinfo", entry), NULL, error);
}

bool git_draft_remove(GitDraft *draft, const char *path, GError **error)
{
    return run(draft, WORDS("update-index", "--force-remove", "--", path), NULL, error);
}

static char *tree_of(const GitDraft *draft, const char *commit, GError **error)
{
    g_autofree char *name = g_strconcat(commit, "^{tree}", NULL);
    return git_line(draft->git, WORDS("rev-parse", "--verify", name), (const char *const *)draft->env, error);
}

bool git_draft_commit(GitDraft *draft, const char *message, bool *ret_made, GError **error)
{
    const char *const *env = (const char *const *)draft->env;
    g_autofree char *tree = git_line(draft->git, WORDS("write-tree"), env, error);
    g_autofree char *before = tree == NULL ? NULL : tree_of(draft, draft->tip, error);
    if (before == NULL)
        return false;
    *ret_made = strcmp(tree, before) != 0;
    if (!*ret_made)
        return true;
    char *commit = NULL;
    if (!git_run(draft->git, WORDS("commit-tree", tree, "-p", draft->tip, "-F", "-"), env, message, NULL, &commit, NULL,
                 error))
        return false;
    g_free(draft->tip);
    draft->tip = g_strchomp(commit);
    draft->commits++;
    return true;
}

char *git_draft_patch(const GitDraft *draft, GError **error)
{
    char *text = NULL;
    if (!git_run(draft->git,
                 WORDS("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary",
                       "--src-prefix=a/", "--dst-prefix=b/", draft->base, draft->tip),
                 (const char *const *)draft->env, NULL, NULL, &text, NULL, error))
        return NULL;
    return text;
}
