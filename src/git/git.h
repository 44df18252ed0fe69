/*
 * A git work tree, through the command line of git: what state it is in, commits made beside it, and the one moment in
 * which it moves to them.
 *
 *     Git *git = git_open(folder, umask, &error);              is there a work tree at all
 *     git_gate(git, &error)                                clean, nothing under way, somebody to commit as
 *     GitDraft *draft = git_draft_new(git, ...)            commits that nobody sees: a private index, no files
 *     git_draft_write(draft, path, text, ...)
 *     git_draft_commit(draft, message, &error)
 *     git_branch_set(git, branch, draft->tip, NULL, &error)  now they have a name
 *     git_switch(git, branch, false, &error)                      now the user's tree has them
 *
 * Until git_branch_set() nothing of the repository changes but objects that nothing refers to. Hooks do not run.
 * Paths are relative to the top of the work tree, with slashes. Main thread only: children are started.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/spawn.h"

typedef struct Git {
    char *folder;     /* absolute: where it was opened */
    char *top;        /* absolute: of the work tree */
    char *prefix;     /* of folder in top: "", or "services/api/" */
    char *own;        /* absolute: the folder in which git keeps what belongs to this work tree */
    char *head;       /* the commit; NULL: there is none yet */
    char *branch;     /* "main"; NULL: HEAD is detached */
    mode_t file_mask; /* umask that git's files are made with: the user's, not ours */
} Git;

/* Runs git in a folder that may be in no work tree, with settings of the user's that would change its output taken
 * back. words: without "git", NULL-terminated; input: for its standard input, or NULL. The caller looks at the status.
 * What a hook of git's has set (its index) counts. False with an error where there is no git, at the deadline or on
 * cancel. */
bool git_ask(const char *folder, const char *const *words, const char *input, SpawnResult *ret_result, GError **error);

/* PGF_ERROR_REFUSED where there is no git program, or folder is in no work tree. */
Git *git_open(const char *folder, mode_t file_mask, GError **error);
void git_free(Git *git);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Git, git_free)

/* False with PGF_ERROR_REFUSED: no commit yet, a merge or the like under way, files that were changed, another git at
 * work, nobody to commit as. Files that git does not know of do not count: nothing touches them. */
bool git_gate(const Git *git, GError **error);
/* Of tracked files, as git names them; empty: the tree is clean. char*. Transfer full. */
GPtrArray *git_changed(const Git *git, GError **error);

/* Tracked files: path -> mode ("100644"; both owned by the table). Transfer full. */
GHashTable *git_files(const Git *git, GError **error);

/* The commit that a branch is at; *ret_commit NULL: there is no such branch. Transfer full. */
bool git_branch_commit(const Git *git, const char *branch, char **ret_commit, GError **error);
/* PGF_ERROR_USAGE where git takes no such name. */
bool git_check_branch_name(const Git *git, const char *branch, GError **error);
/* Other branches that have the commit; char*. Transfer full. */
GPtrArray *git_branches_with(const Git *git, const char *commit, const char *but, GError **error);

/* Makes a branch that must not be there yet, or moves one that is at old, or (commit NULL) deletes one that is at old;
 * never one that another work tree has checked out. */
bool git_branch_set(const Git *git, const char *branch, const char *commit, const char *old, GError **error);
/* The work tree and HEAD go to a branch, or (detach) to a commit. It goes on to its end whatever happens to us. */
bool git_switch(const Git *git, const char *to, bool detach, GError **error);
/* HEAD's branch goes on to a commit that descends from it. As git_switch(). */
bool git_forward(const Git *git, const char *commit, GError **error);
/* HEAD's branch goes back to a commit, and the tree with it. As git_switch(). */
bool git_back(const Git *git, const char *commit, GError **error);

/* --- commits beside the tree -------------------------------------------------------------------------------------- */

typedef struct GitDraft {
    const Git *git;
    char *folder; /* temporary: the index, and objects of a rehearsal */
    char **env;
    char *base, *tip;
    guint commits;
} GitDraft;

/* On top of HEAD. scratch: a folder where a temporary one may be made. rehearse: objects do not get into the
 * repository; such a draft can only be shown. */
GitDraft *git_draft_new(const Git *git, const char *scratch, bool rehearse, GError **error);
void git_draft_free(GitDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitDraft, git_draft_free)

/* A file's new text, through git's filters (line ends, LFS); it keeps its mode, a new file gets 100644. */
bool git_draft_write(GitDraft *draft, const char *path, const char *text, gsize length, GError **error);
bool git_draft_remove(GitDraft *draft, const char *path, GError **error);
/* *ret_made: false where nothing differs from the tip. */
bool git_draft_commit(GitDraft *draft, const char *message, bool *ret_made, GError **error);
/* From base to tip, as `git apply` takes it. Transfer full. */
char *git_draft_patch(const GitDraft *draft, GError **error);
