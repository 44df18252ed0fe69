#include "cmd/watch.h"

typedef struct Title {
    const char *kind;  /* of a job */
    const char *title; /* while it runs */
    const char *verb;  /* when one has ended */
    const char *items;
} Title;

static const Title TITLES[] = {
    {"digest", "comparing", "compared", "tables"},
    {"rows", "looking for the rows that differ", "looked for differing rows of", "tables"},
    {"probe", "checking", "checked", "checks"},
    {"copy", "copying", "copied", "tables"},
};
static const Title OTHER = {NULL, "working", "finished", "jobs"};

struct Watch {
    Out *out;
    Progress *progress;
    const Title *title;
    GPtrArray *running; /* of const PoolJob* */
    PoolTotals totals;
    guint done;
    guint64 bytes;
};

Watch *watch_new(Out *out)
{
    Watch *watch = g_new0(Watch, 1);
    watch->out = out;
    watch->running = g_ptr_array_new();
    return watch;
}

void watch_free(Watch *watch)
{
    if (watch == NULL)
        return;
    progress_free(watch->progress);
    g_ptr_array_unref(watch->running);
    g_free(watch);
}

static const Title *title_of(const char *kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(TITLES); i++)
        if (g_str_equal(TITLES[i].kind, kind))
            return &TITLES[i];
    return &OTHER;
}

/* Another kind of job is another step: clock and counts start again. */
static void enter_step(Watch *watch, const PoolJob *job)
{
    const Title *title = title_of(job->kind);
    if (title == watch->title && watch->done < watch->totals.jobs)
        return;
    progress_free(watch->progress);
    watch->progress = progress_new(watch->out);
    watch->title = title;
    watch->totals = pool_totals(job);
    watch->done = 0;
    watch->bytes = 0;
    g_ptr_array_set_size(watch->running, 0);
}

static void show(Watch *watch)
{
    if (watch->progress == NULL)
        return;
    g_autofree ProgressItem *items = g_new0(ProgressItem, watch->running->len + 1);
    for (guint i = 0; i < watch->running->len; i++) {
        const PoolJob *job = watch->running->pdata[i];
        items[i] = (ProgressItem){.name = job->label, .bytes = job->weight};
    }
    ProgressState state = {.title = watch->title->title,
                           .items_done = watch->done,
                           .items_total = watch->totals.jobs,
                           .items_name = watch->title->items,
                           .bytes = watch->bytes,
                           .bytes_total = watch->totals.weight,
                           .running = items,
                           .n_running = watch->running->len};
    progress_show(watch->progress, &state);
}

static void ended(Watch *watch, const PoolJob *job)
{
    g_ptr_array_remove(watch->running, (gpointer)(guintptr)job);
    watch->done++;
    watch->bytes += job->weight;
    if (!watch->out->verbose)
        return;
    g_autofree char *bytes = out_bytes(job->weight);
    g_autofree char *time = out_duration((double)(job->finished - job->started) / G_USEC_PER_SEC);
    out_notice(watch->out, "%s %s (%s) in %s", watch->title->verb, job->label, bytes, time);
}

void watch_observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer user_data)
{
    Watch *watch = user_data;
    switch (event) {
    case POOL_JOB_STARTED:
        enter_step(watch, job);
        g_ptr_array_add(watch->running, (gpointer)(guintptr)job);
        break;
    case POOL_JOB_DONE:
        ended(watch, job);
        break;
    case POOL_JOB_FAILED:
        g_ptr_array_remove(watch->running, (gpointer)(guintptr)job);
        break;
    case POOL_TICK:
        break;
    }
    show(watch);
}
