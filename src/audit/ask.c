#include "audit/ask.h"

#include <string.h>

#include "pg/batch.h"
#include "pool/at_once.h"

/* "citext 1.6" */
static bool is_left_out(const Question *question, const char *wanted, const Filter *filter)
{
    if (filter == NULL || !question->check->wants_extensions)
        return false;
    g_autofree char *name = g_strndup(wanted, strcspn(wanted, " "));
    return filter_leaves_out_extension(filter, name);
}

/* An array of the first column of what is wanted. */
static char *array_of(const Question *question, const Filter *filter)
{
    const PgResult *rows = question->wanted;
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    for (int i = 0; i < pg_result_rows(rows); i++)
        if (!is_left_out(question, pg_result_get(rows, i, 0), filter))
            g_ptr_array_add(texts, (gpointer)pg_result_get(rows, i, 0));
    return pg_array_literal(texts);
}

Question *question_new(GPtrArray *questions, const AuditCheck *check, PgConn *conn)
{
    Question *question = g_new0(Question, 1);
    question->check = check;
    question->conn = conn;
    g_ptr_array_add(questions, question);
    return question;
}

void question_free(gpointer data)
{
    Question *question = data;
    g_free(question->value);
    pg_result_free(question->wanted);
    pg_result_free(question->answer);
    g_free(question);
}

/* Statements for one connection, and where their results go. */
typedef struct Asking {
    PgConn *conn;
    GArray *statements; /* of PgStatement */
    GPtrArray *checks;  /* of AuditCheck*, one for each */
    GPtrArray *to;      /* of PgResult**, likewise */
} Asking;

static void asking_init(Asking *asking, PgConn *conn)
{
    asking->conn = conn;
    asking->statements = g_array_new(FALSE, FALSE, sizeof(PgStatement));
    asking->checks = g_ptr_array_new();
    asking->to = g_ptr_array_new();
}

static void asking_clear(Asking *asking)
{
    g_array_unref(asking->statements);
    g_ptr_array_unref(asking->checks);
    g_ptr_array_unref(asking->to);
}

static void add_statement(Asking *asking, Question *question, const char *sql, PgResult **to)
{
    PgStatement statement = {.sql = sql, .n = to == &question->answer && question->value != NULL ? 1 : 0};
    statement.values = (const char *const *)&question->value;
    g_array_append_val(asking->statements, statement);
    g_ptr_array_add(asking->checks, (gpointer)question->check);
    g_ptr_array_add(asking->to, to);
}

static void add_wants(Asking *asking, Question *question, const char *const *names)
{
    add_statement(asking, question, question->check->wants_sql, &question->wanted);
    PgStatement *statement = &g_array_index(asking->statements, PgStatement, asking->statements->len - 1);
    statement->n = question->check->wants_names ? 2 : 0;
    statement->values = names;
}

static bool ask_one(guint i, gpointer data, GError **error)
{
    const Asking *asking = &((const Asking *)data)[i];
    guint n = asking->statements->len, failed = 0;
    g_autofree PgResult **results = g_new0(PgResult *, n + 1);
    if (n == 0)
        return true;
    if (!pg_batch(asking->conn, (const PgStatement *)(const void *)asking->statements->data, n, results, &failed,
                  deadline_in_ms((gint64)PG_CATALOG_MS * n), error)) {
        if (failed < n)
            g_prefix_error(error, "check %s: ", ((const AuditCheck *)asking->checks->pdata[failed])->id);
        return false;
    }
    for (guint k = 0; k < n; k++)
        *(PgResult **)asking->to->pdata[k] = results[k];
    return true;
}

bool questions_ask(const GPtrArray *questions, const ChecksSpec *spec, GError **error)
{
    enum { SOURCE, TARGET, SIDES };
    const char *const names[] = {spec->from, spec->to};
    Asking first[SIDES], second;
    asking_init(&first[SOURCE], spec->source);
    asking_init(&first[TARGET], spec->target);
    asking_init(&second, spec->target);
    for (guint i = 0; i < questions->len; i++) {
        Question *q = questions->pdata[i];
        if (q->check->wants_sql != NULL)
            add_wants(&first[SOURCE], q, names);
        else
            add_statement(&first[q->conn == spec->source ? SOURCE : TARGET], q, q->check->sql, &q->answer);
    }
    bool good = pool_at_once(SIDES, ask_one, first, error);
    for (guint i = 0; good && i < questions->len; i++) {
        Question *q = questions->pdata[i];
        if (q->wanted == NULL)
            continue;
        q->value = array_of(q, spec->filter);
        add_statement(&second, q, q->check->sql, &q->answer);
    }
    good = good && ask_one(0, &second, error);
    asking_clear(&first[SOURCE]);
    asking_clear(&first[TARGET]);
    asking_clear(&second);
    return good;
}

bool questions_ask_one(const GPtrArray *questions, PgConn *conn, GError **error)
{
    Asking asking;
    asking_init(&asking, conn);
    for (guint i = 0; i < questions->len; i++) {
        Question *q = questions->pdata[i];
        add_statement(&asking, q, q->check->sql, &q->answer);
    }
    bool good = ask_one(0, &asking, error);
    asking_clear(&asking);
    return good;
}
