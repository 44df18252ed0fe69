/* Shared by the files of src/git only. */
#pragma once

#include "base/spawn.h"
#include "git/git.h"

enum { GIT_MS = 120000 };

/* What a call of git is run with: our caller may be a hook of git's. */
extern const char *const GIT_ENVIRONMENT[];

/* words: without "git", NULL-terminated. *ret_status NULL: any other than 0 is an error with what git said. *ret_out
 * may be NULL. */
bool git_run(const Git *git, const char *const *words, const char *const *env, const char *input, int *ret_status,
             char **ret_out, gsize *ret_length, GError **error);
/* One line, without its end. Transfer full. */
char *git_line(const Git *git, const char *const *words, const char *const *env, GError **error);
