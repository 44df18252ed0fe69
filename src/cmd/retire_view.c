/* How `pgfold retire` shows its plan and its checklist: for people, as JSON (docs/json.md), and as Markdown. */
#include <string.h>

#include "base/error.h"
#include "cmd/retire_job.h"
#include "cmd/show.h"
#include "config/protect.h"

enum { PLACES_SHOWN = 20 };

char *retire_names(const Retirement *r)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < r->jobs->len; i++)
        g_string_append_printf(names, "%s%s",
                               i == 0                  ? ""
                               : i + 1 == r->jobs->len ? " and "
                                                       : ", ",
                               ((const RetireJob *)r->jobs->pdata[i])->source->name);
    return g_string_free(names, FALSE);
}

char *retire_evidence(const Retirement *r)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < r->jobs->len; i++) {
        const RetireJob *job = r->jobs->pdata[i];
        g_string_append_printf(text, "All rows of %s are in the target, as its receipt proves.\n", job->source->name);
    }
    g_string_append_c(text, '\n');
    for (guint i = 0; i < r->jobs->len; i++) {
        const RetireJob *job = r->jobs->pdata[i];
        g_string_append_printf(text, "Pgfold-Receipt: %s sha256:%s\n", job->receipt_file, job->receipt->sha256);
    }
    return g_string_free(text, FALSE);
}

static char *place_text(const RetirePlace *place)
{
    g_autofree char *where =
        place->line == 0 ? g_strdup(place->file) : g_strdup_printf("%s:%u", place->file, place->line);
    return place->rule == NULL ? g_strdup_printf("%s: %s", where, place->what)
                               : g_strdup_printf("%s: %s (%s)", where, place->what, place->rule);
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static void show_places(Out *out, const char *heading, const GPtrArray *places)
{
    if (places->len == 0)
        return;
    out_line(out, "%s:", heading);
    for (guint i = 0; i < MIN(places->len, PLACES_SHOWN); i++) {
        g_autofree char *text = place_text(places->pdata[i]);
        g_autofree char *safe = out_styled(out, OUT_PLAIN, text);
        out_line(out, "  %s", safe);
    }
    if (places->len > PLACES_SHOWN)
        out_line(out, "  and %u more", places->len - PLACES_SHOWN);
}

static void show_step(Out *out, const RetireStep *step)
{
    g_autofree char *title = out_styled(out, OUT_BOLD, step->title);
    out_line(out, "  %s", title);
    for (guint i = 0; i < step->changes->len; i++) {
        const RetireChange *change = step->changes->pdata[i];
        g_autofree char *file = out_styled(out, OUT_PLAIN, change->file);
        out_line(out, "    %s %s", change->text == NULL ? "removed" : "changed", file);
    }
}

static void show_outside(const Retirement *r, const RetireJob *job)
{
    Out *out = r->out;
    const char *name = job->source->name;
    const Container *container = job->container;
    bool volumes = args_flag(r->args, "volumes");
    if (container != NULL && container->running)
        out_line(out, "%s: container %s of %s is stopped.", name, container->name, container->engine);
    else if (container != NULL)
        out_line(out, "%s: container %s of %s does not run.", name, container->name, container->engine);
    else if (job->halfway != NULL)
        out_line(out, "%s: its container is removed already.", name);
    else if (job->fence)
        out_line(out, "%s: it is fenced (read-only, closed), and not deleted.", name);
    else
        out_line(out, "%s: it is fenced already, and not deleted.", name);
    for (guint i = 0; volumes && container != NULL && i < container->volumes->len; i++)
        out_line(out, "%s: volume %s is removed for good.", name, (const char *)container->volumes->pdata[i]);
}

void retire_show_plan(const Retirement *r)
{
    Out *out = r->out;
    const RetireCode *code = r->code;
    g_autofree char *branch = out_styled(out, OUT_NAME, r->branch);
    if (code->steps->len == 0)
        out_line(out, "Nothing in the code has to change (%u files looked at).", code->scanned);
    else
        out_line(out, "%s %s, one commit each:", r->on_branch ? "On the branch" : "On a new branch", branch);
    for (guint i = 0; i < code->steps->len; i++)
        show_step(out, code->steps->pdata[i]);
    for (guint i = 0; i < code->missed->len; i++)
        out_line(out, "Not removed: %s", (const char *)code->missed->pdata[i]);
    show_places(out, "Fallbacks that are left for you, in production code", code->left);
    show_places(out, "References to mend by hand", code->dangling);
    show_places(out, "Documents that speak of a local database", code->mentions);
    show_places(out, "Seem to serve only a local database, and are not in code.remove: not touched", code->suspects);
    for (guint i = 0; i < r->jobs->len; i++)
        show_outside(r, r->jobs->pdata[i]);
}

/* --- the checklist ------------------------------------------------------------------------------------------------ */

void retire_show_checklist(const Retirement *r)
{
    static const OutStyle styles[] = {OUT_GOOD, OUT_BAD, OUT_DIM};
    Out *out = r->out;
    for (guint i = 0; i < r->lines->len; i++) {
        const RetireLine *line = r->lines->pdata[i];
        g_autofree char *state = out_styled(out, styles[line->state], checklist_state_text(line->state));
        g_autofree char *text = out_styled(out, OUT_PLAIN, line->text);
        g_autofree char *evidence = line->evidence == NULL ? NULL : out_styled(out, OUT_DIM, line->evidence);
        out_line(out, "%-*s%s%s%s%s%s", 6 + (int)strlen(state) - (int)strlen(checklist_state_text(line->state)), state,
                 line->source == NULL ? "" : line->source, line->source == NULL ? "" : ": ", text,
                 evidence == NULL ? "" : ": ", evidence == NULL ? "" : evidence);
        for (guint k = 0; k < line->items->len; k++) {
            g_autofree char *item = out_styled(out, OUT_PLAIN, line->items->pdata[k]);
            out_line(out, "        %s", item);
        }
    }
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static json_t *places_json(const GPtrArray *places)
{
    json_t *array = json_array();
    for (guint i = 0; i < places->len; i++) {
        const RetirePlace *place = places->pdata[i];
        json_array_append_new(array,
                              json_pack("{s:o, s:o, s:s?, s:s, s:o}", "file", out_json_string(place->file), "line",
                                        place->line == 0 ? json_null() : json_integer(place->line), "rule", place->rule,
                                        "class", scan_class_name(place->class), "text", out_json_string(place->what)));
    }
    return array;
}

static json_t *steps_json(const RetireCode *code)
{
    json_t *steps = json_array();
    for (guint i = 0; i < code->steps->len; i++) {
        const RetireStep *step = code->steps->pdata[i];
        json_t *files = json_array();
        for (guint k = 0; k < step->changes->len; k++) {
            const RetireChange *change = step->changes->pdata[k];
            json_array_append_new(
                files, json_pack("{s:o, s:b}", "file", out_json_string(change->file), "removed", change->text == NULL));
        }
        json_array_append_new(steps, json_pack("{s:s, s:o, s:o}", "name", step->name, "title",
                                               out_json_string(step->title), "files", files));
    }
    return steps;
}

static json_t *sources_json(const Retirement *r)
{
    json_t *sources = json_array();
    for (guint i = 0; i < r->jobs->len; i++)
        json_array_append_new(sources, retire_source_plan(r, r->jobs->pdata[i]));
    return sources;
}

json_t *retire_json(const Retirement *r, const char *outcome, const char *patch)
{
    const RetireCode *code = r->code;
    json_t *document = out_json_new("retire");
    json_object_set_new(document, "dry_run", json_boolean(patch != NULL));
    json_object_set_new(document, "outcome", json_string(outcome));
    json_object_set_new(document, "branch", code->steps->len == 0 ? json_null() : out_json_string(r->branch));
    json_object_set_new(document, "commit",
                        r->draft == NULL || patch != NULL || r->draft->commits == 0 ? json_null()
                                                                                    : json_string(r->draft->tip));
    json_object_set_new(document, "sources", sources_json(r));
    json_object_set_new(document, "steps", steps_json(code));
    json_object_set_new(document, "missed", show_texts_json(code->missed));
    json_object_set_new(document, "left", places_json(code->left));
    json_object_set_new(document, "elsewhere", places_json(code->elsewhere));
    json_object_set_new(document, "dangling", places_json(code->dangling));
    json_object_set_new(document, "mentions", places_json(code->mentions));
    json_object_set_new(document, "suspects", places_json(code->suspects));
    json_object_set_new(document, "checklist", checklist_json(r->lines));
    json_object_set_new(document, "markdown", out_json_string(r->markdown));
    json_object_set_new(document, "patch", out_json_string(patch));
    return document;
}

/* --- Markdown ----------------------------------------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text, int mode, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, &cause))
        return true;
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Everything else is done.", "the checklist cannot be written: %s",
                  cause->message);
    return false;
}

bool retire_write_markdown(Retirement *r, GError **error)
{
    g_autofree char *names = retire_names(r);
    g_autofree char *title = g_strdup_printf("%s retired", names);
    g_autofree char *text = checklist_markdown(
        r->lines, title, checklist_count(r->lines, RETIRE_NO) == 0 ? NULL : "Not everything is as it should be.");
    g_autofree char *folder = g_build_filename(r->config->state, "retire", NULL);
    g_autofree char *name = g_strdup_printf("%06" G_GINT64_FORMAT "-%s.md", r->run,
                                            config_base(((const RetireJob *)r->jobs->pdata[0])->source)->name);
    r->markdown = g_build_filename(folder, name, NULL);
    (void)g_mkdir_with_parents(folder, 0700);
    const char *asked = args_string(r->args, "markdown");
    return write_file(r->markdown, text, 0600, error) &&
           (asked == NULL || write_file(asked, text, 0666 & (int)~command_caller.umask, error));
}
