/*
 * The questions to the servers. All ends at once, each in its own thread: connect, then one round trip for everything
 * that an end is asked for itself; then one more to each target, about what the sources want there.
 */
#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "doctor/doctor_sql.h"
#include "doctor/internal.h"
#include "doctor/query.h"
#include "pg/batch.h"
#include "pool/pool.h"
#include "tunnel/routes.h"

enum { ASK_MS = 15000, MOST_THREADS = 32 };

/* One question of a batch. */
typedef struct Question {
    const DoctorQuery *query;   /* NULL: facts, or what a source wants */
    const ConfigSource *source; /* whose wants $1 holds, or whose own check it is */
    const char *wants_sql;      /* the question is this one */
    bool wants_names;           /* $1, $2 are the schema that the source's `into` gives another name, and that name */
    char *value;                /* $1, or NULL */
    const char *values[2];
    bool asked;
    PgResult *result; /* NULL where it failed, for this reason: */
    GError *error;
} Question;

/* What one end is asked in one round trip. */
typedef struct Round {
    Doctor *doctor;
    DoctorEnd *end;
    GArray *questions; /* of Question */
} Round;

static void question_clear(gpointer data)
{
    Question *question = data;
    g_free(question->value);
    pg_result_free(question->result);
    g_clear_error(&question->error);
}

static Round *round_new(Doctor *doctor, DoctorEnd *end)
{
    Round *round = g_new0(Round, 1);
    round->doctor = doctor;
    round->end = end;
    round->questions = g_array_new(FALSE, TRUE, sizeof(Question));
    g_array_set_clear_func(round->questions, question_clear);
    return round;
}

static void round_free(gpointer data)
{
    Round *round = data;
    g_array_unref(round->questions);
    g_free(round);
}

static const char *sql_of(const Question *question)
{
    if (question->wants_sql != NULL)
        return question->wants_sql;
    return question->query == NULL ? DOCTOR_FACTS_SQL : question->query->check.sql;
}

/* An end that does not answer is a finding, not a failure. False on cancel. */
static bool lose(DoctorEnd *end, GError *cause, GError **error)
{
    if (g_error_matches(cause, PGF_ERROR, PGF_ERROR_CANCELLED)) {
        g_propagate_error(error, cause);
        return false;
    }
    g_clear_pointer(&end->conn, pg_conn_close);
    g_clear_error(&end->error);
    end->error = cause;
    return true;
}

static bool ask(Round *round, GError **error)
{
    GError *cause = NULL;
    guint n = round->questions->len;
    g_autofree PgStatement *statements = g_new0(PgStatement, n + 1);
    g_autofree PgResult **results = g_new0(PgResult *, n + 1);
    for (guint i = 0; i < n; i++) {
        Question *question = &g_array_index(round->questions, Question, i);
        question->values[0] = question->wants_names ? question->source->from_schema : question->value;
        question->values[1] = question->wants_names ? question->source->into_schema : NULL;
        question->asked = true;
        statements[i] = (PgStatement){.sql = sql_of(question),
                                      .n = question->wants_names     ? 2
                                           : question->value == NULL ? 0
                                                                     : 1,
                                      .values = question->values,
                                      .ret_error = &question->error};
    }
    if (!pg_batch(round->end->conn, statements, n, results, NULL, deadline_in_ms(ASK_MS), &cause))
        return lose(round->end, cause, error);
    for (guint i = 0; i < n; i++)
        g_array_index(round->questions, Question, i).result = results[i];
    return true;
}

static bool run_ask(PoolWorker *worker, gpointer data, GError **error)
{
    (void)worker;
    return ask(data, error);
}

static bool connect_end(const Doctor *doctor, DoctorEnd *end, GError **error)
{
    const Config *config = doctor->config;
    Deadline deadline = deadline_in_ms(PG_CONNECT_MS);
    GError *cause = NULL;
    if (end->error != NULL) /* there is no way to it */
        return true;
    if (end->source != NULL)
        end->conn = pg_conn_open(end->place, end->source->url, end->source->database, deadline, &cause);
    else
        end->conn = pg_conn_open_or_maintenance(end->place, config->target.url,
                                                end->into != NULL ? end->into : config->target.database, deadline,
                                                &end->missing, &cause);
    return end->conn != NULL || lose(end, cause, error);
}

static void add_question(Round *round, Question question)
{
    g_array_append_val(round->questions, question);
}

/* Each query of wants once, however many checks share it. */
static void add_wants(Round *round, const GArray *queries)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < queries->len; i++) {
        const DoctorCheck *check = &g_array_index(queries, DoctorQuery, i).check;
        const char *sql = check->wants_sql;
        if (sql != NULL && g_hash_table_add(seen, (gpointer)(guintptr)sql))
            add_question(round,
                         (Question){.source = round->end->source, .wants_sql = sql, .wants_names = check->wants_names});
    }
}

static void add_own(Round *round, const GArray *queries)
{
    add_question(round, (Question){.source = round->end->source});
    for (guint i = 0; i < queries->len; i++) {
        const DoctorQuery *query = &g_array_index(queries, DoctorQuery, i);
        if (query->check.wants_sql != NULL || !doctor_query_applies(query, round->doctor, round->end))
            continue;
        char *jobs = query->takes_jobs ? g_strdup_printf("%d", round->doctor->config->fold.jobs) : NULL;
        add_question(round, (Question){.query = query, .source = round->end->source, .value = jobs});
    }
    if (round->end->source != NULL)
        add_wants(round, queries);
}

/* Connects and asks; the questions depend on the version, so they are made in between. */
typedef struct First {
    Round *round;
    const GArray *queries;
} First;

static bool run_first(PoolWorker *worker, gpointer data, GError **error)
{
    (void)worker;
    First *first = data;
    if (!connect_end(first->round->doctor, first->round->end, error))
        return false;
    if (first->round->end->conn == NULL)
        return true;
    add_own(first->round, first->queries);
    return ask(first->round, error);
}

static bool run_rounds(const GPtrArray *rounds, const GArray *queries, GError **error)
{
    g_autofree First *firsts = g_new0(First, MAX(rounds->len, 1));
    g_autoptr(Pool) pool = pool_new(CLAMP(rounds->len, 1, MOST_THREADS), NULL, NULL);
    for (guint i = 0; i < rounds->len; i++) {
        Round *round = rounds->pdata[i];
        firsts[i] = (First){.round = round, .queries = queries};
        if (queries != NULL)
            pool_add(pool, "connect", round->end->place, 0, run_first, &firsts[i]);
        else
            pool_add(pool, "ask", round->end->place, 0, run_ask, round);
    }
    return pool_run(pool, NULL, NULL, error);
}

/* The first question of a first round. */
static void read_facts(const Round *round)
{
    DoctorEnd *end = round->end;
    if (end->conn == NULL)
        return;
    const PgResult *facts = g_array_index(round->questions, Question, 0).result;
    if (facts == NULL) {
        end->has_objects = end->has_rows = true; /* not known */
        return;
    }
    end->bytes = (guint64)pg_result_int(facts, 0, 0);
    end->has_objects = pg_result_bool(facts, 0, 1);
    end->has_rows = pg_result_bool(facts, 0, 2);
}

static DoctorResult *result_of(Doctor *doctor, const char *place, const DoctorCheck *check)
{
    for (guint i = 0; i < doctor->results->len; i++) {
        DoctorResult *result = doctor->results->pdata[i];
        if (strcmp(result->id, check->id) == 0 && strcmp(result->place, place) == 0)
            return result;
    }
    return doctor_add(doctor, place, check->id, check->description);
}

static void read_round(const Round *round)
{
    for (guint i = 0; round->end->conn != NULL && !round->end->wrong && i < round->questions->len; i++) {
        const Question *question = &g_array_index(round->questions, Question, i);
        if (question->query == NULL || !question->asked)
            continue;
        DoctorResult *result = result_of(round->doctor, round->end->place, &question->query->check);
        if (question->result != NULL)
            doctor_query_read(question->query, question->result, round->doctor->config, question->source, result);
        else
            doctor_findf(result, DOCTOR_WARNING, pgf_error_hint(question->error), "this could not be checked: %s",
                         question->error == NULL ? "no answer" : question->error->message);
    }
}

/* {"a","b"} of the first column, without what stands for tables that the configuration leaves out. Transfer full. */
static char *wanted_array(const PgResult *rows, const Config *config, const ConfigSource *source)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    for (int row = 0; row < pg_result_rows(rows); row++) {
        ConfigTableRule rule = {0};
        if (pg_result_columns(rows) >= 3 && pg_result_get(rows, row, 2) != NULL)
            config_table_rule(config, source, pg_result_get(rows, row, 1), pg_result_get(rows, row, 2), &rule);
        if (!rule.skip)
            g_ptr_array_add(texts, (gpointer)(guintptr)pg_result_get(rows, row, 0));
    }
    return pg_array_literal(texts);
}

/* What the source of a first round wants, asked of its target. */
static void add_second(Round *second, const Round *first, const GArray *queries)
{
    for (guint i = 0; i < queries->len; i++) {
        const DoctorQuery *query = &g_array_index(queries, DoctorQuery, i);
        if (query->check.wants_sql == NULL || !doctor_query_applies(query, second->doctor, second->end))
            continue;
        for (guint q = 0; q < first->questions->len; q++) {
            const Question *wanted = &g_array_index(first->questions, Question, q);
            if (wanted->wants_sql == NULL || strcmp(wanted->wants_sql, query->check.wants_sql) != 0 ||
                wanted->result == NULL)
                continue;
            char *value = wanted_array(wanted->result, second->doctor->config, wanted->source);
            add_question(second, (Question){.query = query, .source = wanted->source, .value = value});
        }
    }
}

static GPtrArray *second_rounds(Doctor *doctor, const GPtrArray *firsts, const GArray *queries)
{
    GPtrArray *seconds = g_ptr_array_new_with_free_func(round_free);
    for (guint t = 0; t < doctor->ends->len; t++) {
        DoctorEnd *target = doctor->ends->pdata[t];
        if (target->source != NULL || target->conn == NULL)
            continue;
        Round *second = round_new(doctor, target);
        g_ptr_array_add(seconds, second);
        for (guint i = 0; i < firsts->len; i++) {
            const Round *first = firsts->pdata[i];
            if (first->end->source != NULL && first->end->conn != NULL &&
                doctor_target_of(doctor, first->end->source) == target)
                add_second(second, first, queries);
        }
    }
    return seconds;
}

static void report_reach(Doctor *doctor, const DoctorEnd *end)
{
    DoctorResult *result = doctor_add(doctor, end->place, "reached", "cannot be reached");
    if (end->conn != NULL) {
        const PgIdentity *id = pg_conn_identity(end->conn);
        g_autofree char *text =
            g_strdup_printf("%s, PostgreSQL %s, %s, role %s", end->missing != NULL ? end->missing : id->database,
                            id->version_text, id->address, id->role);
        doctor_find(result, DOCTOR_GOOD, text, NULL, NULL);
        return;
    }
    result->status = PGF_ERROR_CONNECT;
    g_autofree char *message = config_redact(doctor->config, end->error->message);
    doctor_find(result, DOCTOR_FAILED, message, NULL, pgf_error_hint(end->error));
}

/* Tunnels are opened by the main thread. */
static bool open_ways(const Doctor *doctor, GError **error)
{
    for (guint i = 0; i < doctor->ends->len; i++) {
        DoctorEnd *end = doctor->ends->pdata[i];
        const char *url = end->source != NULL ? end->source->url : doctor->config->target.url;
        GError *cause = NULL;
        if (route_is(url) && !tunnel_route_open(end->place, url, 0, &cause) && !lose(end, cause, error))
            return false;
    }
    return true;
}

bool doctor_ask(Doctor *doctor, GError **error)
{
    g_autoptr(GArray) queries = doctor_queries();
    g_autoptr(GPtrArray) firsts = g_ptr_array_new_with_free_func(round_free);
    for (guint i = 0; i < doctor->ends->len; i++)
        g_ptr_array_add(firsts, round_new(doctor, doctor->ends->pdata[i]));
    if (!open_ways(doctor, error) || !run_rounds(firsts, queries, error))
        return false;
    g_autoptr(GPtrArray) seconds = second_rounds(doctor, firsts, queries);
    if (!run_rounds(seconds, NULL, error))
        return false;
    for (guint i = 0; i < doctor->ends->len; i++) {
        read_facts(firsts->pdata[i]);
        report_reach(doctor, doctor->ends->pdata[i]);
    }
    doctor_check_identities(doctor);
    for (guint i = 0; i < firsts->len; i++)
        read_round(firsts->pdata[i]);
    for (guint i = 0; i < seconds->len; i++)
        read_round(seconds->pdata[i]);
    return true;
}
