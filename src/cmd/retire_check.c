/* What is so at the end of a run: the lines of its checklist that are about code, files and what was closed. */
#include "cmd/retire_job.h"
#include "cmd/show.h"

static void add_places(RetireLine *line, const GPtrArray *places)
{
    for (guint i = 0; i < places->len; i++) {
        const RetirePlace *place = places->pdata[i];
        g_ptr_array_add(line->items, place->line == 0
                                         ? g_strdup_printf("%s: %s", place->file, place->what)
                                         : g_strdup_printf("%s:%u: %s", place->file, place->line, place->what));
    }
}

static void check_places(Retirement *r, const char *id, RetireState found, const char *none, const char *some,
                         const GPtrArray *places)
{
    if (places->len == 0 && none == NULL)
        return;
    add_places(checklist_add(r->lines, id, places->len == 0 ? RETIRE_YES : found, NULL, places->len == 0 ? none : some,
                             places->len == 0 ? NULL : show_count(places->len, "place")),
               places);
}

static void check_removed(Retirement *r)
{
    GPtrArray *there = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < r->code->removed->len; i++) {
        g_autofree char *path = g_build_filename(r->config->folder, r->code->removed->pdata[i], NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            g_ptr_array_add(there, g_strdup(r->code->removed->pdata[i]));
    }
    for (guint i = 0; i < r->code->missed->len; i++)
        g_ptr_array_add(there, g_strdup(r->code->missed->pdata[i]));
    if (r->config->code.remove[0] != NULL) {
        RetireLine *line = checklist_add(r->lines, "removed", there->len == 0 ? RETIRE_YES : RETIRE_NO, NULL,
                                         "what code.remove names is gone",
                                         r->code->removed->len == 0 ? NULL : show_count(r->code->removed->len, "file"));
        const GPtrArray *names = there->len == 0 ? r->code->removed : there;
        for (guint i = 0; i < names->len; i++)
            g_ptr_array_add(line->items, g_strdup(names->pdata[i]));
    }
    g_ptr_array_unref(there);
}

static void check_preserved(Retirement *r, const RetireCode *now)
{
    guint broken = 0;
    for (guint i = 0; i < now->preserved->len; i++)
        broken += ((const RetirePreserved *)now->preserved->pdata[i])->whole ? 0 : 1;
    if (now->preserved->len == 0)
        return;
    RetireLine *line = checklist_add(r->lines, "preserved", broken == 0 ? RETIRE_YES : RETIRE_NO, NULL,
                                     "preserved files are whole", show_count(now->preserved->len, "file"));
    for (guint i = 0; i < now->preserved->len; i++) {
        const RetirePreserved *one = now->preserved->pdata[i];
        if (broken == 0 || !one->whole)
            g_ptr_array_add(line->items, g_strdup_printf("%s: %s", one->file, one->how));
    }
}

bool retire_check_code(Retirement *r, GError **error)
{
    g_autoptr(RetireCode) now = retire_code_left(r->config, r->git, r->code->removed, error);
    if (now == NULL)
        return false;
    if (r->draft->commits > 0)
        checklist_add(r->lines, "commits", RETIRE_YES, NULL, "the changes are on a branch of their own",
                      g_strdup_printf("%s, %u commit%s, %.12s..%.12s", r->branch, r->draft->commits,
                                      r->draft->commits == 1 ? "" : "s", r->draft->base, r->draft->tip));
    g_autofree char *none = g_strdup_printf(
        "no fallback to a local database is left in production code (%u files looked at)", now->scanned);
    check_places(r, "fallbacks", RETIRE_NO, none, "fallbacks to a local database are left in production code",
                 now->left);
    check_removed(r);
    check_places(r, "references", RETIRE_NOTE, NULL, "references to what is gone, to be mended by hand", now->dangling);
    check_preserved(r, now);
    check_places(r, "elsewhere", RETIRE_NOTE, NULL, "local databases in tests, documents and infrastructure",
                 now->elsewhere);
    check_places(r, "mentions", RETIRE_NOTE, NULL, "documents speak of a local database", r->code->mentions);
    check_places(r, "suspects", RETIRE_NOTE, NULL, "seem to serve only a local database, and are not in code.remove",
                 now->suspects);
    return true;
}

bool retire_check_closed(Retirement *r, RetireJob *job, GError **error)
{
    const ConfigSource *source = job->source;
    bool in_container = source->compose != NULL || source->container != NULL;
    if (job->container == NULL && in_container && job->closed != 0)
        checklist_add(r->lines, "container", RETIRE_YES, source->name, "no container of it runs",
                      g_strdup_printf("run %" G_GINT64_FORMAT " removed it, and there is none now", job->closed));
    else if (job->container == NULL)
        checklist_add(r->lines, "fenced", RETIRE_YES, source->name, "it is fenced",
                      g_strdup(job->fence ? "closed by this run, and a write was refused" : "it was closed before"));
    return retire_check_container(r, job, error);
}
