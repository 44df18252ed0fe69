#include "cmd/status_view.h"

#include <string.h>

#include "base/error.h"
#include "cmd/containers.h"
#include "ledger/receipt.h"

enum { MOST_CHARACTERS = 100 /* of an error in the table */ };

#define MINUTE (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

char *status_age(gint64 at, gint64 now)
{
    gint64 age = now - at;
    if (age < MINUTE)
        return g_strdup("just now");
    if (age < HOUR)
        return g_strdup_printf("%d min ago", (int)(age / MINUTE));
    if (age < 2 * DAY)
        return g_strdup_printf("%d h ago", (int)(age / HOUR));
    return g_strdup_printf("%d days ago", (int)(age / DAY));
}

char *status_mark_text(const StatusSource *source, LedgerStage stage, gint64 now)
{
    static const char *const bad[LEDGER_STAGES] = {"differed", "unproven", "failed", "differed", "open"};
    const LedgerMark *mark = source->marks[stage], *fold = source->marks[LEDGER_FOLDED];
    /* What was proven before went with the fold. */
    if (mark == NULL || (source->undone && stage == LEDGER_VERIFIED && mark->run == fold->run))
        return g_strdup("-");
    g_autofree char *age = status_age(mark->at, now);
    if (source->undone && stage == LEDGER_FOLDED)
        return g_strdup_printf("taken back %s", age);
    return mark->good ? g_steal_pointer(&age) : g_strdup_printf("%s %s", bad[mark->stage], age);
}

static void source_free(gpointer data)
{
    StatusSource *source = data;
    g_free(source->name);
    g_free(source->state_text);
    g_free(source->next);
    g_free(source);
}

static void unfinished_free(gpointer data)
{
    StatusUnfinished *left = data;
    g_ptr_array_unref(left->objects);
    g_free(left);
}

void status_view_free(StatusView *view)
{
    if (view == NULL)
        return;
    ledger_holder_clear(&view->holder);
    g_clear_pointer(&view->sources, g_ptr_array_unref);
    g_clear_pointer(&view->unfinished, g_ptr_array_unref);
    g_clear_pointer(&view->marks, g_ptr_array_unref);
    g_clear_pointer(&view->runs, g_ptr_array_unref);
    g_clear_pointer(&view->containers, g_ptr_array_unref);
    g_clear_pointer(&view->dead, g_ptr_array_unref);
    g_clear_pointer(&view->fences, g_ptr_array_unref);
    g_clear_pointer(&view->merges, g_ptr_array_unref);
    g_free(view->newest_receipt);
    g_free(view->receipts_problem);
    g_free(view);
}

/* --- which sources ------------------------------------------------------------------------------------------------ */

static StatusSource *find_source(const StatusView *view, const char *name)
{
    for (guint i = 0; i < view->sources->len; i++) {
        StatusSource *source = view->sources->pdata[i];
        if (strcmp(source->name, name) == 0)
            return source;
    }
    return NULL;
}

static StatusSource *need_source(StatusView *view, const char *name)
{
    StatusSource *source = find_source(view, name);
    if (source == NULL) {
        source = g_new0(StatusSource, 1);
        source->name = g_strdup(name);
        g_ptr_array_add(view->sources, source);
    }
    return source;
}

static bool is_undo(const StatusView *view, const LedgerMark *mark)
{
    for (guint i = 0; mark != NULL && i < view->runs->len; i++) {
        const LedgerRun *run = view->runs->pdata[i];
        if (run->id == mark->run)
            return strcmp(run->command, "undo") == 0;
    }
    return false;
}

static void gather_folds(StatusView *view)
{
    for (guint i = 0; view->merges != NULL && i < view->merges->len; i++) {
        const LedgerMerge *merge = view->merges->pdata[i];
        StatusSource *source = find_source(view, merge->source_name);
        if (source != NULL && source->undoable == NULL && merge->state == LEDGER_MERGE_COMMITTED)
            source->undoable = merge; /* they come newest first */
    }
    for (guint i = 0; view->runs != NULL && i < view->sources->len; i++) {
        StatusSource *source = view->sources->pdata[i];
        source->undone = is_undo(view, source->marks[LEDGER_FOLDED]);
    }
}

/* An undo that failed has changed nothing, and a container that was started is no step: they say nothing about where
 * the source stands. */
static bool counts(const LedgerRun *run)
{
    if (strcmp(run->command, "start") == 0)
        return false;
    return strcmp(run->command, "undo") != 0 || run->state == LEDGER_RUNNING;
}

/* A server of several databases stands for itself only until pgfold knows one of them; those are in pgfold.yaml too. */
static void settle_databases(StatusView *view)
{
    for (guint i = 0; view->config->path != NULL && i < view->config->sources->len; i++) {
        const ConfigSource *base = view->config->sources->pdata[i];
        bool known = false;
        for (guint k = 0; base->databases != NULL && k < view->sources->len; k++) {
            StatusSource *source = view->sources->pdata[k];
            if (config_is_database_of(source->name, base->name))
                known = source->configured = true;
        }
        if (known)
            g_ptr_array_remove(view->sources, find_source(view, base->name));
    }
}

static void gather_sources(StatusView *view)
{
    for (guint i = 0; i < view->config->sources->len; i++) {
        const ConfigSource *source = view->config->sources->pdata[i];
        if (source->name != NULL && view->config->path != NULL)
            need_source(view, source->name)->configured = true;
    }
    for (guint i = 0; view->marks != NULL && i < view->marks->len; i++) {
        const LedgerMark *mark = view->marks->pdata[i];
        need_source(view, mark->source_name)->marks[mark->stage] = mark;
    }
    for (guint i = 0; view->runs != NULL && i < view->runs->len; i++) {
        const LedgerRun *run = view->runs->pdata[i];
        if (run->source_name == NULL)
            continue;
        StatusSource *source = need_source(view, run->source_name);
        if (source->last_run == NULL && counts(run))
            source->last_run = run; /* runs come newest first */
    }
    for (guint i = 0; view->fences != NULL && i < view->fences->len; i++) {
        const LedgerFence *fence = view->fences->pdata[i];
        need_source(view, fence->source_name)->fence = fence; /* the oldest comes last */
    }
    settle_databases(view);
    gather_folds(view);
}

static bool is_meant(const StatusSource *source, const char *const *names)
{
    for (guint i = 0; names[i] != NULL; i++)
        if (strcmp(source->name, names[i]) == 0 || config_is_database_of(source->name, names[i]))
            return true;
    return false;
}

static bool means_any(const StatusView *view, const char *name)
{
    const char *const one[] = {name, NULL};
    for (guint i = 0; i < view->sources->len; i++)
        if (is_meant(view->sources->pdata[i], one))
            return true;
    return false;
}

static bool keep_named(StatusView *view, const char *const *names, GError **error)
{
    for (guint i = 0; names[i] != NULL; i++) {
        if (!means_any(view, names[i])) {
            pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold status` without a name lists all",
                          "there is no source \"%s\"", names[i]);
            return false;
        }
    }
    for (guint i = view->sources->len; names[0] != NULL && i > 0; i--) {
        const StatusSource *source = view->sources->pdata[i - 1];
        if (!is_meant(source, names))
            g_ptr_array_remove_index(view->sources, i - 1);
    }
    return true;
}

/* --- what state they are in --------------------------------------------------------------------------------------- */

static bool has_left_something(const StatusView *view, const char *name)
{
    for (guint i = 0; i < view->unfinished->len; i++) {
        const StatusUnfinished *left = view->unfinished->pdata[i];
        if (g_strcmp0(left->run->source_name, name) == 0)
            return true;
    }
    return false;
}

static void set_state(StatusSource *source, const char *state, OutStyle style, const char *text, const char *next)
{
    source->state = state;
    source->style = style;
    source->state_text = g_strdup(text);
    source->next = next == NULL ? NULL : g_strdup_printf("pgfold %s %s", next, source->name);
}

/* The stage that was reached last in time, of those that compare both ends. */
static const LedgerMark *last_comparison(const StatusSource *source)
{
    const LedgerMark *last = NULL;
    static const LedgerStage stages[] = {LEDGER_AUDITED, LEDGER_FOLDED, LEDGER_VERIFIED};
    for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
        const LedgerMark *mark = source->marks[stages[i]];
        if (mark != NULL && (last == NULL || mark->at >= last->at))
            last = mark;
    }
    return last;
}

static bool failed_since(const StatusSource *source, const LedgerMark *mark)
{
    const LedgerRun *run = source->last_run;
    return run != NULL && (run->state == LEDGER_FAILED || run->state == LEDGER_INTERRUPTED) &&
           (mark == NULL || run->started >= mark->at);
}

/* An error may be a list, or long: what it is about fits into a table. */
static char *first_line(const char *error)
{
    g_autofree char *valid = g_utf8_make_valid(error == NULL ? "" : error, -1);
    char *line = valid;
    line[strcspn(line, "\n")] = '\0';
    if (g_str_has_suffix(line, ":"))
        line[strlen(line) - 1] = '\0';
    if (g_utf8_strlen(line, -1) <= MOST_CHARACTERS)
        return g_strdup(line);
    g_autofree char *start = g_utf8_substring(line, 0, MOST_CHARACTERS - 1);
    return g_strconcat(start, "…", NULL);
}

static void judge_failed(StatusSource *source)
{
    const LedgerRun *run = source->last_run;
    g_autofree char *error = first_line(run->error);
    g_autofree char *text = run->state == LEDGER_INTERRUPTED
                                ? g_strdup_printf("%s was interrupted", run->command)
                                : g_strdup_printf("%s failed%s%s", run->command, *error == '\0' ? "" : ": ", error);
    set_state(source, "failed", OUT_BAD, text, run->command);
}

/* Since its last fold. */
static bool judge_retired(StatusSource *source, gint64 now)
{
    const LedgerMark *mark = source->marks[LEDGER_RETIRED], *fold = source->marks[LEDGER_FOLDED];
    if (mark == NULL || fold == NULL || !fold->good || mark->at < fold->at)
        return false;
    g_autofree char *age = status_age(mark->at, now);
    g_autofree char *text =
        mark->good ? g_strdup_printf("retired %s", age) : g_strdup_printf("contained; retired, and %s", mark->outcome);
    if (mark->good)
        set_state(source, "retired", OUT_GOOD, text, NULL);
    else if (strcmp(mark->outcome, LEDGER_PUT_BACK) != 0)
        set_state(source, "contained", OUT_WARN, text, "retire");
    else
        return false;
    return true;
}

static void judge_compared(StatusSource *source, const LedgerMark *last, gint64 now)
{
    const LedgerMark *fold = source->marks[LEDGER_FOLDED];
    bool folded = fold != NULL && fold->good;
    if (folded && last->good && judge_retired(source, now))
        return;
    if (folded && last->good)
        set_state(source, "contained", OUT_GOOD,
                  strcmp(fold->outcome, LEDGER_IN_PART) == 0 ? LEDGER_IN_PART : "contained", NULL);
    else if (folded)
        set_state(source, "differs", OUT_BAD, last->outcome, "verify");
    else if (source->undone && fold != NULL && fold->run == last->run)
        set_state(source, "undone", OUT_WARN, last->outcome, "plan");
    else if (last->stage == LEDGER_FOLDED)
        set_state(source, "differs", OUT_BAD, last->outcome, "plan");
    else
        set_state(source, "audited", OUT_PLAIN, last->outcome, last->good ? "fold" : "plan");
}

static void judge(const StatusView *view, StatusSource *source)
{
    const LedgerMark *last = last_comparison(source);
    if (source->last_run != NULL && source->last_run->state == LEDGER_RUNNING) {
        g_autofree char *text = g_strdup_printf("%s is running", source->last_run->command);
        set_state(source, "running", OUT_WARN, text, NULL);
    } else if (has_left_something(view, source->name)) {
        set_state(source, "unfinished", OUT_BAD, "a fold was not finished", "fold");
    } else if (failed_since(source, last)) {
        judge_failed(source);
    } else if (last != NULL) {
        judge_compared(source, last, view->now);
    } else if (source->marks[LEDGER_BACKED_UP] != NULL) {
        set_state(source, "backed-up", OUT_PLAIN, "backed up", "audit");
    } else {
        set_state(source, "new", OUT_DIM, "nothing done yet", "audit");
    }
    if (!source->configured && view->config->path != NULL) {
        g_autofree char *text = g_strdup_printf("%s; not in pgfold.yaml", source->state_text);
        g_free(source->state_text);
        source->state_text = g_steal_pointer(&text);
        g_clear_pointer(&source->next, g_free);
    }
}

/* --- reading the ledger ------------------------------------------------------------------------------------------- */

static bool read_unfinished(StatusView *view, Ledger *ledger, GError **error)
{
    view->dead = ledger_unfinished_runs(ledger, error);
    for (guint i = 0; view->dead != NULL && i < view->dead->len; i++) {
        const LedgerRun *run = view->dead->pdata[i];
        GPtrArray *objects = ledger_owned_objects(ledger, run->id, NULL, error);
        if (objects == NULL)
            return false;
        StatusUnfinished *left = g_new0(StatusUnfinished, 1);
        left->run = run;
        left->objects = objects;
        g_ptr_array_add(view->unfinished, left);
    }
    return view->dead != NULL;
}

static bool read_ledger(StatusView *view, Ledger *ledger, GError **error)
{
    view->marks = ledger_marks(ledger, error);
    view->runs = view->marks == NULL ? NULL : ledger_runs(ledger, 0, error);
    view->fences = view->runs == NULL ? NULL : ledger_fences(ledger, NULL, error);
    view->merges = view->fences == NULL ? NULL : ledger_merges(ledger, error);
    if (view->merges == NULL || !read_unfinished(view, ledger, error))
        return false;
    g_ptr_array_unref(view->containers);
    view->containers = containers_left(ledger, error);
    if (view->containers == NULL)
        return false;
    view->busy = ledger_locked_by_other(ledger, &view->holder);
    g_autoptr(GError) broken = NULL;
    if (!receipt_check_all(ledger, &view->receipts, &broken))
        view->receipts_problem = g_strdup(broken->message);
    g_clear_error(&broken);
    view->newest_receipt = receipt_newest(ledger, NULL, &broken);
    return true;
}

StatusView *status_view_read(const Config *config, const char *const *names, GError **error)
{
    g_autoptr(StatusView) view = g_new0(StatusView, 1);
    g_autoptr(Ledger) ledger = NULL;
    view->config = config;
    view->now = g_get_real_time();
    view->sources = g_ptr_array_new_with_free_func(source_free);
    view->unfinished = g_ptr_array_new_with_free_func(unfinished_free);
    view->containers = g_ptr_array_new();
    if (!ledger_open_existing(config->state, &ledger, error) || (ledger != NULL && !read_ledger(view, ledger, error)))
        return NULL;
    gather_sources(view);
    if (!keep_named(view, names, error))
        return NULL;
    for (guint i = 0; i < view->sources->len; i++)
        judge(view, view->sources->pdata[i]);
    return g_steal_pointer(&view);
}
