#include "cmd/fold_watch.h"

#include "pg/copy.h"

struct FoldProgress {
    Out *out;
    Progress *progress; /* of the phase */
    char *phase;
    GPtrArray *running;               /* of const PoolJob* */
    guint64 bytes_total, rows, bytes; /* rows and bytes: of copies that have ended */
    guint done;
    gint64 phase_started;
};

FoldProgress *fold_progress_new(Out *out, guint64 bytes_total)
{
    FoldProgress *p = g_new0(FoldProgress, 1);
    p->out = out;
    p->bytes_total = bytes_total;
    p->running = g_ptr_array_new();
    return p;
}

static void end_phase(FoldProgress *p)
{
    g_clear_pointer(&p->progress, progress_free);
    if (p->phase == NULL)
        return;
    g_autofree char *time = out_duration((double)(g_get_monotonic_time() - p->phase_started) / G_USEC_PER_SEC);
    out_notice(p->out, "  %-28s %s", p->phase, time);
    g_clear_pointer(&p->phase, g_free);
}

void fold_progress_free(FoldProgress *p)
{
    if (p == NULL)
        return;
    end_phase(p);
    g_ptr_array_unref(p->running);
    g_free(p);
}

void fold_progress_phase(const char *name, gpointer data)
{
    FoldProgress *p = data;
    end_phase(p);
    p->phase = g_strdup(name);
    p->phase_started = g_get_monotonic_time();
    p->progress = progress_new(p->out);
    p->done = 0;
    g_ptr_array_set_size(p->running, 0);
}

static void show(FoldProgress *p)
{
    g_autofree ProgressItem *items = g_new0(ProgressItem, p->running->len + 1);
    ProgressState state = {.title = p->phase,
                           .items_done = p->done,
                           .items_name = "steps",
                           .rows = p->rows,
                           .bytes = p->bytes,
                           .running = items,
                           .n_running = p->running->len};
    bool copying = false;
    for (guint i = 0; i < p->running->len; i++) {
        const PoolJob *job = p->running->pdata[i];
        items[i].name = job->label;
        if (job->progress == NULL)
            continue;
        copying = true;
        items[i].rows = job->progress->rows;
        items[i].bytes = job->progress->bytes;
        state.rows += items[i].rows;
        state.bytes += items[i].bytes;
    }
    /* What travels is not what lies on the disk (indexes, dead rows): a total only as long as it holds. */
    if (copying && state.bytes <= p->bytes_total)
        state.bytes_total = p->bytes_total;
    if (p->progress != NULL)
        progress_show(p->progress, &state);
}

static void ended(FoldProgress *p, const PoolJob *job)
{
    g_ptr_array_remove(p->running, (gpointer)(guintptr)job);
    p->done++;
    ProgressItem item = {.name = job->label};
    if (job->progress != NULL) {
        item.rows = job->progress->rows;
        item.bytes = job->progress->bytes;
        p->rows += item.rows;
        p->bytes += item.bytes;
    }
    if (p->out->verbose && p->progress != NULL)
        progress_finished(p->progress, job->kind, &item, (double)(job->finished - job->started) / G_USEC_PER_SEC);
}

void fold_progress_observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer data)
{
    FoldProgress *p = data;
    if (event == POOL_JOB_STARTED)
        g_ptr_array_add(p->running, (gpointer)(guintptr)job);
    else if (event == POOL_JOB_DONE)
        ended(p, job);
    else if (event == POOL_JOB_FAILED)
        g_ptr_array_remove(p->running, (gpointer)(guintptr)job);
    show(p);
}
