/* Who is target, source, protected or test: from the options, or asked. */
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/init.h"

static void source_free(gpointer data)
{
    InitSource *source = data;
    g_free(source->name);
    g_free(source);
}

void init_answers_clear(InitAnswers *answers)
{
    g_clear_pointer(&answers->sources, g_ptr_array_unref);
    g_clear_pointer(&answers->databases, g_ptr_array_unref);
    g_clear_pointer(&answers->paths, g_ptr_array_unref);
    g_clear_pointer(&answers->containers, g_ptr_array_unref);
}

static bool is_number(const char *text)
{
    return *text != '\0' && strlen(text) <= 6 && strspn(text, "0123456789") == strlen(text);
}

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL || strchr(text, '=') != NULL;
}

/* The one whose database has this name, or that was found as this; NULL when there is none, or *ret_count of them. */
static Candidate *find_named(const Discovery *discovery, const char *text, guint *ret_count)
{
    Candidate *found = NULL;
    *ret_count = 0;
    for (guint i = 0; i < discovery->candidates->len; i++) {
        Candidate *candidate = discovery->candidates->pdata[i];
        bool same = g_str_equal(candidate->name, text);
        for (guint k = 0; !same && candidate->is_named && k < candidate->origins->len; k++)
            same = g_str_equal(candidate->origins->pdata[k], text);
        if (!same || candidate->number == 0)
            continue;
        found = candidate;
        (*ret_count)++;
    }
    return *ret_count == 1 ? found : NULL;
}

static Candidate *resolve(Discovery *discovery, const char *role, const char *text, GError **error)
{
    guint count = 0;
    Candidate *candidate =
        is_number(text) ? discovery_candidate(discovery, (guint)atoi(text)) : find_named(discovery, text, &count);
    if (candidate != NULL)
        return candidate;
    if (is_url(text))
        return discovery_add(discovery, role, text, error);
    const char *what = is_number(text) ? "there is no such number"
                       : count > 1     ? "several databases have that name"
                                       : "it is not one of those that were found";
    pgf_error_set(error, PGF_ERROR_USAGE,
                  "Give a number of the list, the name of a database that is there once, or a connection string.",
                  "%s: %s: %s", role, text, what);
    return NULL;
}

static bool check_target(const Candidate *target, GError **error)
{
    if (target->server == NULL) {
        pgf_error_set(error, PGF_ERROR_CONNECT,
                      "Its identity is to be pinned: start it or give what a login needs (PGPASSWORD, ~/.pgpass), and "
                      "run `pgfold init` again.",
                      "target %s does not answer: %s", target->name, target->place->reason);
        return false;
    }
    if (!target->server->in_recovery)
        return true;
    pgf_error_set(error, PGF_ERROR_CONNECT, "Use the URL of the primary server.",
                  "target %s is on a standby: nothing can be written there", target->name);
    return false;
}

static bool set_target(Discovery *discovery, InitAnswers *answers, const char *text, GError **error)
{
    Candidate *target = resolve(discovery, "target", text, error);
    if (target == NULL || !check_target(target, error))
        return false;
    answers->target = target;
    return true;
}

/* What stands between "docker-compose." and ".yml", the container, or the database. */
static char *derive_name(const Candidate *candidate)
{
    const Place *compose = candidate_compose(candidate);
    const Place *container = candidate_container(candidate);
    g_autofree char *base = compose == NULL ? NULL : g_path_get_basename(compose->file);
    const char *name = candidate->name;
    if (base != NULL) {
        const char *middle = strstr(base, "compose.") + strlen("compose.");
        char *dot = strchr(middle, '.');
        if (dot != NULL) {
            *dot = '\0';
            name = middle;
        }
    } else if (container != NULL) {
        name = container->container;
    }
    return g_strcanon(g_strdup(name), G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '-');
}

static bool name_is_taken(const InitAnswers *answers, const char *name)
{
    for (guint i = 0; i < answers->sources->len; i++)
        if (g_str_equal(((InitSource *)answers->sources->pdata[i])->name, name))
            return true;
    return false;
}

static char *free_name(const InitAnswers *answers, const Candidate *candidate)
{
    g_autofree char *name = derive_name(candidate);
    for (guint n = 1;; n++) {
        g_autofree char *numbered = n == 1 ? g_strdup(name) : g_strdup_printf("%s-%u", name, n);
        if (!name_is_taken(answers, numbered))
            return g_steal_pointer(&numbered);
    }
}

static bool add_source(Discovery *discovery, InitAnswers *answers, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *name = equals == NULL ? NULL : g_strndup(text, (gsize)(equals - text));
    if (name != NULL && strpbrk(name, "/:") != NULL)
        g_clear_pointer(&name, g_free); /* a URI with parameters, and without a name */
    g_autofree char *label = name == NULL ? g_strdup("source") : g_strconcat("source ", name, NULL);
    Candidate *candidate = resolve(discovery, label, name == NULL ? text : equals + 1, error);
    if (candidate == NULL)
        return false;
    if (candidate == answers->target) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Choose another database as source or as target.",
                      "%s is the target itself: database %s of cluster %s", label, candidate->name,
                      candidate->server->system_identifier);
        return false;
    }
    if (name != NULL && name_is_taken(answers, name)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "two sources are called %s", name);
        return false;
    }
    InitSource *source = g_new0(InitSource, 1);
    source->name = name != NULL ? g_steal_pointer(&name) : free_name(answers, candidate);
    source->candidate = candidate;
    g_ptr_array_add(answers->sources, source);
    return true;
}

/* "target" or "source NAME" when candidate is one of them; transfer full; else NULL. */
static char *role_of_database(const InitAnswers *answers, const char *database)
{
    if (g_str_equal(answers->target->name, database))
        return g_strdup("the target");
    for (guint i = 0; i < answers->sources->len; i++) {
        const InitSource *source = answers->sources->pdata[i];
        if (g_str_equal(source->candidate->name, database))
            return g_strconcat("source ", source->name, NULL);
    }
    return NULL;
}

static bool looks_like_path(const char *text)
{
    return strpbrk(text, "/*") != NULL || g_str_has_suffix(text, ".yml") || g_str_has_suffix(text, ".yaml") ||
           g_file_test(text, G_FILE_TEST_EXISTS);
}

static void add_once(GPtrArray *list, const char *text)
{
    for (guint i = 0; i < list->len; i++)
        if (g_str_equal(list->pdata[i], text))
            return;
    g_ptr_array_add(list, g_strdup(text));
}

/* The container of a database, unless a source or the target runs in it as well. */
static void protect_container(InitAnswers *answers, const Candidate *candidate)
{
    const Place *container = candidate_container(candidate);
    bool shared = container == NULL || container == candidate_container(answers->target);
    for (guint i = 0; !shared && i < answers->sources->len; i++)
        shared = container == candidate_container(((InitSource *)answers->sources->pdata[i])->candidate);
    if (!shared)
        add_once(answers->containers, container->container);
}

/* protect.databases goes by name, on every server. */
static bool add_protected(const Discovery *discovery, InitAnswers *answers, const char *text, GError **error)
{
    if (!is_number(text) && looks_like_path(text)) {
        add_once(answers->paths, text);
        return true;
    }
    const Candidate *candidate = is_number(text) ? discovery_candidate(discovery, (guint)atoi(text)) : NULL;
    if (is_number(text) && candidate == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Give a number of the list, a name, or a path.",
                      "protect: there is no number %s", text);
        return false;
    }
    const char *name = candidate == NULL ? text : candidate->name;
    g_autofree char *role = role_of_database(answers, name);
    if (role != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "A database is protected by its name, on every server: leave this one out, or choose another "
                      "source or target.",
                      "database %s cannot be protected: %s has that name", name, role);
        return false;
    }
    add_once(answers->databases, name);
    if (candidate != NULL)
        protect_container(answers, candidate);
    return true;
}

static bool set_test(Discovery *discovery, InitAnswers *answers, const char *text, GError **error)
{
    Candidate *test = resolve(discovery, "test", text, error);
    if (test == NULL)
        return false;
    for (guint i = 0; i < answers->sources->len; i++)
        if (test == answers->target || test == ((InitSource *)answers->sources->pdata[i])->candidate) {
            pgf_error_set(error, PGF_ERROR_USAGE, "Choose another one, or leave --test out.",
                          "the test database %s is target or source as well", test->name);
            return false;
        }
    const Place *compose = candidate_compose(test);
    for (guint i = 0; compose != NULL && i < answers->sources->len; i++)
        if (candidate_compose(((InitSource *)answers->sources->pdata[i])->candidate) == compose)
            compose = NULL; /* what one server is started with cannot be protected and retired */
    g_autofree char *role = role_of_database(answers, test->name);
    if (compose != NULL)
        add_once(answers->paths, compose->file);
    if (role == NULL)
        add_once(answers->databases, test->name);
    protect_container(answers, test);
    answers->test = answers->test == NULL ? test : answers->test;
    return true;
}

typedef bool (*Taker)(Discovery *discovery, InitAnswers *answers, const char *text, GError **error);

static bool take_protected(Discovery *discovery, InitAnswers *answers, const char *text, GError **error)
{
    return add_protected(discovery, answers, text, error);
}

static bool take_all(Discovery *discovery, InitAnswers *answers, const char *const *list, Taker take, GError **error)
{
    for (guint i = 0; list[i] != NULL; i++)
        if (*list[i] != '\0' && !take(discovery, answers, list[i], error))
            return false;
    return true;
}

/* "1, 3" of those that pass, as what is proposed. */
static char *propose(const Discovery *discovery, const InitAnswers *answers, bool tests)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < discovery->candidates->len; i++) {
        const Candidate *candidate = discovery->candidates->pdata[i];
        bool fits = candidate->is_named && candidate->is_test == tests && candidate != answers->target;
        for (guint k = 0; fits && k < answers->sources->len; k++)
            fits = ((InitSource *)answers->sources->pdata[k])->candidate != candidate;
        if (fits && candidate->number > 0)
            g_string_append_printf(text, "%s%u", text->len > 0 ? ", " : "", candidate->number);
    }
    return g_string_free(text, FALSE);
}

/* DATABASE_URL, where it leads to a server that can be a target. */
static char *propose_target(const Discovery *discovery)
{
    for (guint i = 0; i < discovery->candidates->len; i++) {
        const Candidate *candidate = discovery->candidates->pdata[i];
        if (candidate->server != NULL && !candidate->server->in_recovery &&
            g_strcmp0(candidate_variable(candidate), "DATABASE_URL") == 0)
            return g_strdup_printf("%u", candidate->number);
    }
    return g_strdup("");
}

/* Asks until the answer can be taken. Several are separated by commas; only a whole answer counts. */
static bool ask(Out *out, Discovery *discovery, InitAnswers *answers, const char *question, const char *proposal,
                bool several, Taker take, GError **error)
{
    for (;;) {
        g_autofree char *answer = out_ask(out, *proposal == '\0' ? "%s:" : "%s [%s]:", question, proposal);
        if (answer == NULL) {
            if (cancel_check(error))
                pgf_error_set(error, PGF_ERROR_USAGE, NULL, "no answer: nothing was written");
            return false;
        }
        const char *text = *answer == '\0' ? proposal : g_str_equal(answer, "-") ? "" : answer;
        const char *const whole[] = {text, NULL};
        g_auto(GStrv) parts = g_strsplit_set(text, ", ", -1);
        g_autoptr(GError) cause = NULL;
        bool split = several && strstr(text, "://") == NULL;
        const guint lengths[] = {answers->sources->len, answers->databases->len, answers->paths->len,
                                 answers->containers->len};
        if (take_all(discovery, answers, split ? (const char *const *)parts : whole, take, &cause))
            return true;
        if (!cancel_check(error))
            return false;
        g_ptr_array_set_size(answers->sources, (gint)lengths[0]);
        g_ptr_array_set_size(answers->databases, (gint)lengths[1]);
        g_ptr_array_set_size(answers->paths, (gint)lengths[2]);
        g_ptr_array_set_size(answers->containers, (gint)lengths[3]);
        out_notice(out, "%s", cause->message);
    }
}

static bool ask_target(Out *out, Discovery *discovery, InitAnswers *answers, GError **error)
{
    g_autofree char *proposal = propose_target(discovery);
    while (answers->target == NULL)
        if (!ask(out, discovery, answers, "Target, the one database that stays (number or connection string)", proposal,
                 false, set_target, error))
            return false;
    return true;
}

static bool ask_rest(Out *out, Discovery *discovery, InitAnswers *answers, GError **error)
{
    while (answers->sources->len == 0) {
        g_autofree char *proposal = propose(discovery, answers, false);
        if (!ask(out, discovery, answers, "Sources, to be folded into it (numbers, or NAME=number)", proposal, true,
                 add_source, error))
            return false;
    }
    g_autofree char *tests = propose(discovery, answers, true);
    return ask(out, discovery, answers, "Test databases (- for none)", tests, true, set_test, error) &&
           ask(out, discovery, answers, "Protected, never to be touched (numbers, names, paths; empty for none)", "",
               true, take_protected, error);
}

bool init_asks(const CommandArgs *args, const Out *out)
{
    bool complete = args_string(args, "target") != NULL && args_list(args, "source")[0] != NULL;
    return !complete && out_can_ask(out) && !out->json && !args_flag(args, "yes");
}

static bool check_complete(const CommandArgs *args, GError **error)
{
    bool target = args_string(args, "target") != NULL;
    if (target && args_list(args, "source")[0] != NULL)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE,
                  "Answer with options, by the numbers above: pgfold init --target 1 --source laptop=2 --yes",
                  "init cannot ask here, and %s is not given", target ? "--source" : "--target");
    return false;
}

bool init_answers_get(const CommandArgs *args, Out *out, Discovery *discovery, InitAnswers *ret_answers, GError **error)
{
    InitAnswers *answers = ret_answers;
    bool asks = init_asks(args, out);
    const char *target = args_string(args, "target");
    *answers = (InitAnswers){.sources = g_ptr_array_new_with_free_func(source_free),
                             .databases = g_ptr_array_new_with_free_func(g_free),
                             .paths = g_ptr_array_new_with_free_func(g_free),
                             .containers = g_ptr_array_new_with_free_func(g_free)};
    if (!asks && !check_complete(args, error))
        return false;
    if (target != NULL ? !set_target(discovery, answers, target, error) : !ask_target(out, discovery, answers, error))
        return false;
    if (!take_all(discovery, answers, args_list(args, "source"), add_source, error) ||
        !take_all(discovery, answers, args_list(args, "test"), set_test, error) ||
        !take_all(discovery, answers, args_list(args, "protect"), take_protected, error))
        return false;
    return !asks || ask_rest(out, discovery, answers, error);
}
