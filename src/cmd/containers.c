#include "cmd/containers.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "config/protect.h"
#include "engine/engine.h"
#include "pg/conn.h"

enum { ANSWER_MS = 60000, PAUSE_MS = 100, ATTEMPT_MS = 5000 };

struct Containers {
    Out *out;
    const Config *config;
    Ledger *ledger;
    GPtrArray *started; /* of Started* */
};

typedef struct Started {
    LedgerContainer *container;
    const ConfigSource *source;
} Started;

EngineRef containers_ref(const Config *config, const ConfigSource *source)
{
    bool any = source->engine == NULL || g_str_equal(source->engine, "auto");
    return (EngineRef){.engine = any ? NULL : source->engine,
                       .folder = config->folder,
                       .compose = source->compose,
                       .container = source->container};
}

static const char *name_of(const ConfigSource *source)
{
    return source->compose != NULL ? source->compose : source->container;
}

static void free_started(gpointer data)
{
    Started *started = data;
    ledger_container_free(started->container);
    g_free(started);
}

static void remember(Containers *containers, const ConfigSource *source, LedgerContainer *container_taken)
{
    Started *started = g_new0(Started, 1);
    started->container = container_taken;
    started->source = source;
    g_ptr_array_add(containers->started, started);
}

static void set_stopped_error(const EngineRef *ref, const ConfigSource *source, const Container *found, GError **error)
{
    g_autofree char *line = engine_start_line(ref, found);
    pgf_error_take_hint(error, PGF_ERROR_CONNECT,
                        g_strdup_printf("start it: %s\nor let pgfold start it, and stop it again: --start", line),
                        "source %s: container %s (%s) is not running", source->name, found->name, name_of(source));
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
}

/* A server that answers with an error of its own, and is not just starting, is up. */
static bool has_answered(const GError *cause)
{
    return strstr(cause->message, "FATAL:") != NULL && strstr(cause->message, "starting up") == NULL &&
           strstr(cause->message, "not yet accepting") == NULL && strstr(cause->message, "shutting down") == NULL;
}

static bool pause_a_moment(GError **error)
{
    (void)wait_fds(NULL, 0, deadline_in_ms(PAUSE_MS), NULL);
    return cancel_check(error);
}

static bool await_answer(const ConfigSource *source, const Container *container, GError **error)
{
    Deadline deadline = deadline_in_ms(ANSWER_MS);
    g_autofree char *label = g_strconcat("source ", source->name, NULL);
    for (;;) {
        g_autoptr(GError) cause = NULL;
        g_autoptr(PgConn) conn =
            pg_conn_open(label, source->url, NULL, MIN(deadline, deadline_in_ms(ATTEMPT_MS)), &cause);
        if (conn != NULL || has_answered(cause))
            return true;
        if (!pause_a_moment(error))
            return false;
        if (g_get_monotonic_time() < deadline)
            continue;
        pgf_error_take_hint(error, PGF_ERROR_CONNECT,
                            g_strdup_printf("See what it says: %s logs %s", container->engine, container->name),
                            "source %s: container %s was started, and its server did not answer within %d s: %s",
                            source->name, container->name, ANSWER_MS / 1000, cause->message);
        return false;
    }
}

/* By each name that it goes by: its own, the one in pgfold.yaml, the service of its compose file. */
static bool check_unprotected(const Config *config, const ConfigSource *source, const Container *found, GError **error)
{
    const char *mark = source->compose == NULL ? NULL : strrchr(source->compose, '#');
    const char *const names[] = {found == NULL ? NULL : found->name, source->container, mark == NULL ? NULL : mark + 1};
    g_autofree char *label = g_strconcat("source ", source->name, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i] != NULL && !config_check_protected_container(config, label, names[i], error))
            return false;
    }
    return true;
}

/* Whether a pgfold that was killed had started this container; then it is ours to stop, unless it is protected by now.
 */
static bool adopt(Containers *containers, const ConfigSource *source, const Container *found, GError **error)
{
    g_autoptr(GError) is_protected = NULL;
    if (!check_unprotected(containers->config, source, found, &is_protected))
        return true;
    g_autoptr(GPtrArray) left = ledger_containers(containers->ledger, error);
    if (left == NULL)
        return false;
    for (guint i = 0; i < left->len; i++) {
        const LedgerContainer *one = left->pdata[i];
        if (one->alive || !g_str_equal(one->source_name, source->name) ||
            (one->id != NULL && !g_str_equal(one->id, found->id)))
            continue;
        LedgerContainer *ours = NULL;
        if (!ledger_container_begin(containers->ledger, source->name, found->engine, found->id, found->name, &ours,
                                    error))
            return false;
        remember(containers, source, ours);
        if (!ledger_container_ended(containers->ledger, one, error))
            return false;
        out_notice(containers->out, "%s was started by an earlier run that was killed: it is stopped in the end.",
                   found->name);
        return true;
    }
    return true;
}

static bool start(Containers *containers, const EngineRef *ref, const ConfigSource *source, Container **found,
                  GError **error)
{
    const Container *there = *found;
    LedgerContainer *ours = NULL;
    if (!check_unprotected(containers->config, source, there, error))
        return false;
    out_notice(containers->out, "Starting %s.", there != NULL ? there->name : name_of(source));
    if (!ledger_container_begin(containers->ledger, source->name, there == NULL ? NULL : there->engine,
                                there == NULL ? NULL : there->id, there == NULL ? NULL : there->name, &ours, error))
        return false;
    remember(containers, source, ours);
    if (!engine_start(ref, there, deadline_in_ms(ENGINE_START_MS), error)) {
        g_prefix_error(error, "source %s: ", source->name);
        return false;
    }
    if (there == NULL) {
        bool known = false;
        if (!engine_find(ref, found, &known, error))
            return false;
        if (*found == NULL) {
            pgf_error_set(error, PGF_ERROR_CONNECT, "Start it yourself, and leave --start out.",
                          "source %s: %s was started, and no container of it is found", source->name, name_of(source));
            return false;
        }
        out_notice(containers->out, "Compose made %s anew: it holds what its volumes hold.", (*found)->name);
        if (!ledger_container_made(containers->ledger, ours, (*found)->engine, (*found)->id, (*found)->name, error))
            return false;
    }
    return await_answer(source, *found, error);
}

static bool prepare(Containers *containers, const Config *config, const ConfigSource *source, bool may_start,
                    GError **error)
{
    EngineRef ref = containers_ref(config, source);
    Container *found = NULL;
    bool known = false, ok = true;
    if (!engine_find(&ref, &found, &known, error))
        return false;
    if (found != NULL && found->running)
        ok = !may_start || adopt(containers, source, found, error);
    else if (may_start && (known || found != NULL))
        ok = start(containers, &ref, source, &found, error);
    else if (found != NULL) {
        set_stopped_error(&ref, source, found, error);
        ok = false;
    }
    if (may_start && !known && found == NULL)
        out_warning(containers->out, "no container engine answers: %s of source %s is left as it is", name_of(source),
                    source->name);
    container_free(found);
    return ok;
}

bool containers_begin(Out *out, const Config *config, const GPtrArray *sources, bool may_start,
                      Containers **ret_containers, GError **error)
{
    *ret_containers = NULL;
    if (may_start && config->path == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Write the source into pgfold.yaml, with compose: or container:.",
                      "--start needs a pgfold.yaml that names the container");
        return false;
    }
    for (guint i = 0; config->path != NULL && i < sources->len; i++) {
        const ConfigSource *source = sources->pdata[i];
        if (source->compose == NULL && source->container == NULL)
            continue;
        if (*ret_containers == NULL) {
            *ret_containers = g_new0(Containers, 1);
            (*ret_containers)->out = out;
            (*ret_containers)->config = config;
            (*ret_containers)->started = g_ptr_array_new_with_free_func(free_started);
            (*ret_containers)->ledger = ledger_open(config->state, error);
        }
        if ((*ret_containers)->ledger == NULL || !prepare(*ret_containers, config, source, may_start, error))
            return false;
    }
    if (may_start && *ret_containers == NULL)
        out_warning(out, "--start: none of these sources names a container (compose: or container: in pgfold.yaml)");
    return true;
}

/* Compose failed or was interrupted: did it start one? */
static bool find_made(const Containers *containers, Started *started, GError **error)
{
    EngineRef ref = containers_ref(containers->config, started->source);
    g_autoptr(Container) found = NULL;
    bool known = false;
    if (!engine_find(&ref, &found, &known, error))
        return false;
    return found == NULL || !found->running ||
           ledger_container_made(containers->ledger, started->container, found->engine, found->id, found->name, error);
}

static bool stop(const Containers *containers, Started *started, GError **error)
{
    const LedgerContainer *container = started->container;
    if (container->id == NULL && !find_made(containers, started, error))
        return false;
    if (container->id != NULL) {
        out_notice(containers->out, "Stopping %s.", container->name);
        if (!engine_stop(container->engine, container->id, deadline_in_ms(ENGINE_STOP_MS), error))
            return false;
    }
    return ledger_container_ended(containers->ledger, container, error);
}

void containers_end(Containers *containers)
{
    if (containers == NULL)
        return;
    bool cancelled = cancel_requested();
    if (cancelled)
        cancel_reset(); /* or nothing could be waited for */
    for (guint i = containers->started->len; i > 0; i--) {
        g_autoptr(GError) cause = NULL;
        Started *started = containers->started->pdata[i - 1];
        if (!stop(containers, started, &cause))
            out_warning(containers->out, "the container of source %s was started and could not be stopped: %s",
                        started->source->name, cause->message);
    }
    if (cancelled)
        cancel_request();
    g_ptr_array_unref(containers->started);
    ledger_close(containers->ledger);
    g_free(containers);
}

GPtrArray *containers_left(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) left = ledger_containers(ledger, error);
    if (left == NULL)
        return NULL;
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < left->len; i++) {
        const LedgerContainer *one = left->pdata[i];
        if (one->alive)
            continue;
        if (one->id == NULL)
            g_ptr_array_add(lines,
                            g_strdup_printf("A run that was killed may have started the container of %s: stop it, "
                                            "or run a command with --start, which stops it in the end.",
                                            one->source_name));
        else
            g_ptr_array_add(lines,
                            g_strdup_printf("Container %s of %s was started by a run that was killed: `%s stop %s`, "
                                            "or any command with --start, which stops it in the end.",
                                            one->name, one->source_name, one->engine, one->name));
    }
    return lines;
}
