#include "doctor/query.h"

#include <string.h>

#include "audit/checks.h"
#include "doctor/internal.h"

static DoctorQuery of_audit(const AuditCheck *check)
{
    static const DoctorVerdict VERDICTS[] = {
        [CHECK_NOTICE] = DOCTOR_NOTE, [CHECK_WARNING] = DOCTOR_WARNING, [CHECK_ERROR] = DOCTOR_FAILED};
    return (DoctorQuery){
        .check = {.id = check->id,
                  .side = check->side == CHECK_SOURCE ? DOCTOR_SOURCE : DOCTOR_TARGET,
                  .verdict = VERDICTS[check->severity],
                  .needs_database = check->needs_database,
                  .min_version = check->min_version,
                  .description = check->description,
                  .remedy = check->remedy,
                  .sql = check->sql,
                  .wants_sql = check->wants_sql,
                  .wants_names = check->wants_names},
        .of_audit = true,
        .is_statements = strcmp(check->id, "unreadable") == 0 || strcmp(check->id, "target-unreadable") == 0,
        .takes_jobs = check->takes_jobs,
    };
}

GArray *doctor_queries(void)
{
    GArray *queries = g_array_new(FALSE, FALSE, sizeof(DoctorQuery));
    for (const AuditCheck *check = checks_table; check->id != NULL; check++) {
        DoctorQuery query = of_audit(check);
        if (!check->counts_rows)
            g_array_append_val(queries, query);
    }
    for (const DoctorCheck *check = doctor_table; check->id != NULL; check++) {
        DoctorQuery query = {.check = *check};
        g_array_append_val(queries, query);
    }
    return queries;
}

bool doctor_query_applies(const DoctorQuery *query, const Doctor *doctor, const DoctorEnd *end)
{
    const DoctorCheck *check = &query->check;
    DoctorSide side = end->source != NULL ? DOCTOR_SOURCE : DOCTOR_TARGET;
    if ((check->side & side) == 0 || (check->needs_database && end->missing != NULL) ||
        (check->needs_missing && end->missing == NULL))
        return false;
    if ((check->needs_owners && doctor->no_owner) || (check->needs_roles && doctor->no_owner && doctor->no_privileges))
        return false;
    return pg_conn_identity(end->conn)->version / 10000 >= check->min_version;
}

static bool left_out(const PgResult *rows, int row, const Config *config, const ConfigSource *source)
{
    if (source == NULL || pg_result_columns(rows) < 3 || pg_result_get(rows, row, 2) == NULL)
        return false;
    ConfigTableRule rule;
    config_table_rule(config, source, pg_result_get(rows, row, 1), pg_result_get(rows, row, 2), &rule);
    return rule.skip;
}

static DoctorVerdict verdict_of(const char *text, DoctorVerdict otherwise)
{
    for (int verdict = DOCTOR_NOTE; text != NULL && verdict <= DOCTOR_FAILED; verdict++)
        if (strcmp(text, doctor_verdict_text((DoctorVerdict)verdict)) == 0)
            return (DoctorVerdict)verdict;
    return otherwise;
}

static bool has_finding(const DoctorResult *result, const char *finding)
{
    return g_ptr_array_find_with_equal_func(result->findings, finding, g_str_equal, NULL);
}

void doctor_query_read(const DoctorQuery *query, const PgResult *rows, const Config *config, const ConfigSource *source,
                       DoctorResult *result)
{
    const DoctorCheck *check = &query->check;
    for (int row = 0; row < pg_result_rows(rows); row++) {
        const char *finding = pg_result_get(rows, row, 0);
        if (has_finding(result, finding) || (query->of_audit && left_out(rows, row, config, source)))
            continue;
        const char *statement = query->of_audit ? NULL : pg_result_get(rows, row, 1);
        const char *verdict = query->of_audit ? NULL : pg_result_get(rows, row, 2);
        doctor_find(result, verdict_of(verdict, check->verdict), finding, query->is_statements ? finding : statement,
                    check->remedy);
    }
}
