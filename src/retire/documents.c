/* The database page, .env.example and entries in other documents (docs/docs.h), as one more commit. */
#include <string.h>
#include <sys/stat.h>

#include "docs/docs.h"
#include "retire/internal.h"

/* Names of sources; those that run in no container are fenced when they are retired. Transfer container. */
static GPtrArray *names_of(const GPtrArray *sources, bool fenced)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = sources->pdata[i];
        if (!fenced || (source->compose == NULL && source->container == NULL))
            g_ptr_array_add(names, source->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

Docs *documents_read(const Work *work, Ledger *ledger, const GPtrArray *sources, GError **error)
{
    g_autoptr(GPtrArray) retiring = names_of(sources, false), fencing = names_of(sources, true);
    DocsInput input = {.config = work->config,
                       .ledger = ledger,
                       .retiring = (const char *const *)retiring->pdata,
                       .fencing = (const char *const *)fencing->pdata};
    return docs_make(&input, error);
}

static bool is_there(const Work *work, const char *file)
{
    struct stat status;
    g_autofree char *path = g_build_filename(work->config->folder, file, NULL);
    return lstat(path, &status) == 0;
}

bool documents_take(const Work *work, const Docs *docs, const char *file)
{
    for (guint i = 0; i < docs->changes->len; i++) {
        const DocsChange *change = docs->changes->pdata[i];
        if (strcmp(change->path, file) == 0)
            return docs_change_is_needed(change) && !g_hash_table_contains(work->removed, file);
    }
    return false;
}

void documents_plan(Work *work, const Docs *docs)
{
    RetireStep *step = work_step("documents", "Say where the database is, and how to reach it");
    for (guint i = 0; i < docs->changes->len; i++) {
        const DocsChange *change = docs->changes->pdata[i];
        if (!documents_take(work, docs, change->path))
            continue;
        if (is_there(work, change->path) && !g_hash_table_contains(work->tracked, change->path))
            g_ptr_array_add(
                work->code->missed,
                g_strdup_printf("%s: not written, for git does not know of it; `pgfold docs` writes it", change->path));
        else
            work_change(work, step, change->path, g_strdup(change->new_text), strlen(change->new_text));
    }
    work_add(work, step);
}

/* What is about removed files is among the findings of the scan already. */
void documents_mention(Work *work, const Docs *docs)
{
    for (guint i = 0; i < docs->mentions->len; i++) {
        const DocsMention *mention = docs->mentions->pdata[i];
        if (strcmp(mention->about, "a local database") == 0 && !g_hash_table_contains(work->removed, mention->file))
            retire_place_add(work->code->mentions, mention->file, (guint)mention->line, NULL, SCAN_DOCS, mention->text);
    }
}
