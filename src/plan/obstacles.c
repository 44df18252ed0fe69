/* What rows of the source would meet on their way and not pass: known before, it is a reason; met midway, a failure. */
#include "plan/internal.h"
#include "plan/plan_sql.h"

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

/* A database that is made has a name of the run's own until the end. */
static bool check_name_of_database(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->source, PLAN_NAMES_DATABASE_SQL, soon(), error);
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++)
        plan_block(plan,
                   "%s depends on current_database(), and a new database gets its name only at the end: create the "
                   "target database by hand first, empty, then rows arrive under its own name",
                   pg_result_get(r, i, 0));
    return true;
}

/* Any table of the source that is not made is compared leaf by leaf, and those rows lie in other leaves by right. */
static bool check_hash_partitions(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->source, PLAN_HASH_PARTITIONS_SQL, soon(), error);
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++)
        plan_block(plan,
                   "%s.%s is partitioned by the hash of an enum (or of another value that holds an oid), which is not "
                   "the same in two databases: hash partitions by enum cannot be moved yet",
                   pg_result_get(r, i, 0), pg_result_get(r, i, 1));
    return true;
}

bool plan_obstacles(Plan *plan, const PlanSpec *spec, GError **error)
{
    return check_hash_partitions(plan, spec, error) &&
           (!spec->target_missing || check_name_of_database(plan, spec, error));
}
