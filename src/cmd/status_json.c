/* `pgfold status --json` (docs/json.md). */
#include "cmd/status_view.h"

static json_t *time_json(gint64 at)
{
    if (at == 0)
        return json_null();
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return json_string(text);
}

static json_t *mark_json(const LedgerMark *mark)
{
    if (mark == NULL)
        return json_null();
    return json_pack("{s:o, s:b, s:o, s:o, s:I, s:o, s:o}", "at", time_json(mark->at), "good", mark->good, "outcome",
                     out_json_string(mark->outcome), "file", out_json_string(mark->file), "run", (json_int_t)mark->run,
                     "target_system_identifier", out_json_string(mark->target.system_identifier), "target_database",
                     out_json_string(mark->target.database));
}

static json_t *fence_json(const LedgerFence *fence)
{
    if (fence == NULL)
        return json_null();
    return json_pack("{s:o, s:I, s:b, s:o, s:o}", "since", time_json(fence->since), "run", (json_int_t)fence->run,
                     "standing", (int)fence->standing, "system_identifier", out_json_string(fence->system_identifier),
                     "database", out_json_string(fence->database));
}

static json_t *undoable_json(const LedgerMerge *merge)
{
    if (merge == NULL)
        return json_null();
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "run", (json_int_t)merge->run, "at", time_json(merge->at),
                     "target_system_identifier", out_json_string(merge->target.system_identifier), "target_database",
                     out_json_string(merge->target.database), "schema",
                     *merge->undo_schema == '\0' ? json_null() : out_json_string(merge->undo_schema));
}

static json_t *source_json(const StatusSource *source)
{
    static const char *const names[LEDGER_STAGES] = {"audit", "backup", "fold", "verify", "retire"};
    json_t *object = json_pack("{s:o, s:b, s:s, s:o, s:o}", "name", out_json_string(source->name), "configured",
                               source->configured, "state", source->state, "detail",
                               out_json_string(source->state_text), "next", out_json_string(source->next));
    for (int stage = 0; stage < LEDGER_STAGES; stage++)
        json_object_set_new(object, names[stage], mark_json(source->marks[stage]));
    json_object_set_new(object, "fence", fence_json(source->fence));
    json_object_set_new(object, "undo", undoable_json(source->undoable));
    return object;
}

static json_t *unfinished_json(const StatusUnfinished *left)
{
    json_t *objects = json_array();
    for (guint i = 0; i < left->objects->len; i++) {
        const LedgerObject *object = left->objects->pdata[i];
        json_array_append_new(objects, json_pack("{s:o, s:o, s:o}", "kind", out_json_string(object->kind), "name",
                                                 out_json_string(object->name), "system_identifier",
                                                 out_json_string(object->system_identifier)));
    }
    const LedgerRun *run = left->run;
    return json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "run", (json_int_t)run->id, "command",
                     out_json_string(run->command), "source", out_json_string(run->source_name), "state",
                     run->state == LEDGER_FAILED ? "failed" : "interrupted", "started", time_json(run->started),
                     "finished", time_json(run->finished), "error", out_json_string(run->error), "left", objects);
}

static json_t *running_json(const StatusView *view)
{
    if (!view->busy)
        return json_null();
    return json_pack("{s:o, s:I, s:o, s:o}", "command", out_json_string(view->holder.command), "pid",
                     (json_int_t)view->holder.pid, "host", out_json_string(view->holder.host), "since",
                     time_json(view->holder.since));
}

json_t *status_view_json(const StatusView *view)
{
    json_t *document = out_json_new("status");
    json_t *sources = json_array(), *unfinished = json_array();
    for (guint i = 0; i < view->sources->len; i++)
        json_array_append_new(sources, source_json(view->sources->pdata[i]));
    for (guint i = 0; i < view->unfinished->len; i++)
        json_array_append_new(unfinished, unfinished_json(view->unfinished->pdata[i]));
    json_object_set_new(document, "config", out_json_string(view->config->path));
    json_object_set_new(document, "state_folder", out_json_string(view->config->state));
    json_object_set_new(document, "sources", sources);
    json_object_set_new(document, "unfinished", unfinished);
    json_t *containers = json_array();
    for (guint i = 0; i < view->containers->len; i++)
        json_array_append_new(containers, out_json_string(view->containers->pdata[i]));
    json_object_set_new(document, "containers", containers);
    json_object_set_new(document, "running", running_json(view));
    json_object_set_new(document, "receipts",
                        json_pack("{s:i, s:o, s:o}", "count", (int)view->receipts, "newest",
                                  out_json_string(view->newest_receipt), "problem",
                                  out_json_string(view->receipts_problem)));
    return document;
}
