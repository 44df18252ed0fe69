#include "cmd/fence_view.h"

#include "cmd/show.h"
#include "out/table.h"

void fence_show_sessions(Out *out, const GPtrArray *sessions)
{
    static const TableColumn columns[] = {{"PROCESS", TABLE_RIGHT, false},   {"ROLE", TABLE_LEFT, false},
                                          {"APPLICATION", TABLE_LEFT, true}, {"KIND", TABLE_LEFT, false},
                                          {"STATE", TABLE_LEFT, false},      {"SINCE", TABLE_LEFT, false},
                                          {NULL, TABLE_LEFT, false}};
    if (sessions->len == 0)
        return;
    g_autoptr(Table) table = table_new(columns);
    for (guint i = 0; i < sessions->len; i++) {
        const FenceSession *session = sessions->pdata[i];
        table_addf(table, OUT_PLAIN, "%d", session->pid);
        table_add(table, OUT_NAME, session->role);
        table_add(table, OUT_PLAIN, session->application);
        table_add(table, OUT_DIM, session->kind);
        table_add(table, OUT_PLAIN, *session->state == '\0' ? "?" : session->state);
        table_add(table, OUT_PLAIN, *session->since == '\0' ? "?" : session->since);
    }
    table_print(table, out);
}

static void show_warnings(const FenceView *view)
{
    for (guint i = 0; i < view->survey->warnings->len; i++)
        out_warning(view->out, "%s: %s", view->name, (const char *)view->survey->warnings->pdata[i]);
    if (view->lift)
        return;
    for (guint i = 0; i < view->survey->slots->len; i++)
        out_warning(view->out,
                    "%s: whoever reads the replication slot %s is shut out too, and the server keeps its log for it",
                    view->name, (const char *)view->survey->slots->pdata[i]);
}

void fence_show_survey(const FenceView *view)
{
    show_end(view->out, view->name, view->conn);
    show_list(view->out, view->dry_run ? "Would be run" : "To be run", view->statements);
    show_warnings(view);
    if (view->lift || view->survey->sessions->len == 0)
        return;
    out_line(view->out, "\nSessions that can still write, and %s be ended:", view->dry_run ? "would" : "are to");
    fence_show_sessions(view->out, view->survey->sessions);
}

static void show_openings(const FenceView *view)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < view->survey->openings->len; i++) {
        const FenceOpening *opening = view->survey->openings->pdata[i];
        g_string_append_printf(text, "%s%s (%s)", i > 0 ? ", " : "", opening->role, opening->why);
    }
    g_autofree char *safe = out_styled(view->out, OUT_PLAIN, text->str);
    out_line(view->out, "  comes in  %s", safe);
    out_line(view->out, "  lift      pgfold fence %s --lift", view->name);
}

void fence_show_outcome(const FenceView *view)
{
    Out *out = view->out;
    for (guint i = 0; i < view->notes->len; i++)
        out_warning(out, "%s: %s", view->name, (const char *)view->notes->pdata[i]);
    g_autofree char *name = out_styled(out, OUT_BOLD, view->name);
    if (g_str_equal(view->outcome, "ready")) {
        out_line(out, "\n%s: nothing was changed (--dry-run).", name);
    } else if (g_str_equal(view->outcome, "open")) {
        out_line(out, "%s is not fenced: there is nothing to lift.", name);
    } else if (g_str_equal(view->outcome, "lifted")) {
        out_line(out, "%s is open again, as it was before the fence. Sessions that began meanwhile stay read-only.",
                 name);
    } else {
        g_autofree char *ended = show_count(view->ended->len, "session");
        g_autofree char *good = out_styled(out, OUT_GOOD, "fenced");
        out_line(out, "%s is %s: %s ended, and a new session that tried to write was refused.", name, good, ended);
        show_openings(view);
    }
}

static json_t *sessions_json(const GPtrArray *sessions)
{
    json_t *list = json_array();
    for (guint i = 0; i < sessions->len; i++) {
        const FenceSession *session = sessions->pdata[i];
        json_t *object = json_object();
        json_object_set_new(object, "pid", json_integer(session->pid));
        json_object_set_new(object, "role", *session->role == '\0' ? json_null() : out_json_string(session->role));
        json_object_set_new(object, "application", out_json_string(session->application));
        json_object_set_new(object, "kind", out_json_string(session->kind));
        json_object_set_new(object, "state", *session->state == '\0' ? json_null() : out_json_string(session->state));
        json_object_set_new(object, "since", *session->since == '\0' ? json_null() : out_json_string(session->since));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *openings_json(const GPtrArray *openings)
{
    json_t *list = json_array();
    for (guint i = 0; i < openings->len; i++) {
        const FenceOpening *opening = openings->pdata[i];
        json_array_append_new(list, json_pack("{s:o, s:o}", "role", out_json_string(opening->role), "why",
                                              out_json_string(opening->why)));
    }
    return list;
}

json_t *fence_json(const FenceView *view)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", out_json_string(view->name));
    json_object_set_new(object, "outcome", json_string(view->outcome));
    json_object_set_new(object, "source", show_end_json(view->conn));
    json_object_set_new(object, "statements", show_texts_json(view->statements));
    json_object_set_new(object, "sessions", sessions_json(view->ended));
    json_object_set_new(object, "may_connect", view->lift ? json_array() : openings_json(view->survey->openings));
    json_object_set_new(object, "slots", show_texts_json(view->survey->slots));
    json_object_set_new(object, "warnings", show_texts_json(view->survey->warnings));
    json_object_set_new(object, "notes", show_texts_json(view->notes));
    return object;
}
