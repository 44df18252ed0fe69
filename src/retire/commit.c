#include "retire/retire.h"

static bool apply(const RetireStep *step, GitDraft *draft, GError **error)
{
    for (guint i = 0; i < step->changes->len; i++) {
        const RetireChange *change = step->changes->pdata[i];
        g_autofree char *path = g_strconcat(draft->git->prefix, change->file, NULL);
        bool ok = change->text == NULL ? git_draft_remove(draft, path, error)
                                       : git_draft_write(draft, path, change->text, change->length, error);
        if (!ok) {
            g_prefix_error(error, "%s: ", change->file);
            return false;
        }
    }
    return true;
}

bool retire_commit(const RetireCode *code, GitDraft *draft, const char *evidence, GError **error)
{
    for (guint i = 0; i < code->steps->len; i++) {
        const RetireStep *step = code->steps->pdata[i];
        g_autofree char *message = g_strdup_printf("%s\n\n%s", step->title, evidence);
        bool made = false;
        if (!apply(step, draft, error) || !git_draft_commit(draft, message, &made, error))
            return false;
    }
    return true;
}
