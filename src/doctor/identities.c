/* The ends beside each other: are they what they are taken for? */
#include "base/error.h"
#include "config/protect.h"
#include "doctor/internal.h"

static void check_pinned(Doctor *doctor, DoctorEnd *end)
{
    const Config *config = doctor->config;
    const PgIdentity *id = pg_conn_identity(end->conn);
    DoctorResult *result = doctor_add(doctor, end->place, "identity", "is not the cluster that it should be");
    if (config->path == NULL)
        return;
    if (config->target.identity == NULL) {
        g_autofree char *line =
            g_strdup_printf("Write identity: \"%s\" under target in %s.", id->system_identifier, config->path);
        result->description = "is not pinned: whatever its URL leads to is taken for it";
        doctor_findf(result, DOCTOR_WARNING, line, "the server is cluster %s", id->system_identifier);
    } else if (!g_str_equal(config->target.identity, id->system_identifier)) {
        g_autofree char *where = config_where(config, "target.identity");
        result->status = PGF_ERROR_CONNECT;
        end->wrong = true;
        doctor_findf(result, DOCTOR_FAILED,
                     "Check where target.url leads. If the target really was moved to another cluster, write its "
                     "identity into target.identity.",
                     "the server at %s is cluster %s, but %s pins %s", id->address, id->system_identifier, where,
                     config->target.identity);
    }
}

static void check_standby(Doctor *doctor, const DoctorEnd *end)
{
    DoctorResult *result = doctor_add(doctor, end->place, "primary", "is a standby: nothing can be written there");
    result->status = PGF_ERROR_CONNECT;
    if (pg_conn_identity(end->conn)->in_recovery)
        doctor_find(result, DOCTOR_FAILED, pg_conn_identity(end->conn)->address, NULL,
                    "Use the URL of the primary server.");
}

static void check_protected(Doctor *doctor, const DoctorEnd *end)
{
    const char *name = end->missing != NULL ? end->missing : pg_conn_identity(end->conn)->database;
    DoctorResult *result = doctor_add(doctor, end->place, "protected", "is protected: pgfold will not touch it");
    result->status = PGF_ERROR_REFUSED;
    g_autoptr(GError) error = NULL;
    if (!config_check_protected(doctor->config, end->place, name, &error))
        doctor_find(result, DOCTOR_FAILED, error->message, NULL, pgf_error_hint(error));
}

static void check_different(Doctor *doctor, const DoctorEnd *end, const DoctorEnd *target)
{
    const PgIdentity *source = pg_conn_identity(end->conn);
    DoctorResult *result = doctor_add(doctor, end->place, "different", "is the target itself, under another URL");
    result->status = PGF_ERROR_CONNECT;
    if (target->missing == NULL && pg_same_database(source, pg_conn_identity(target->conn)))
        doctor_findf(result, DOCTOR_FAILED,
                     "Two URLs may lead to one database: a tunnel, an alias, a socket. Correct one of them.",
                     "both lead to %s (oid %u) in cluster %s", source->database, source->database_oid,
                     source->system_identifier);
}

static void check_versions(Doctor *doctor, const DoctorEnd *end, const DoctorEnd *target)
{
    const PgIdentity *source = pg_conn_identity(end->conn), *other = pg_conn_identity(target->conn);
    DoctorResult *result = doctor_add(doctor, end->place, "versions", "the target is older");
    if (other->version / 10000 < source->version / 10000)
        doctor_findf(result, DOCTOR_FAILED, "Upgrade the target's server to at least the source's major version.",
                     "PostgreSQL %s here, %s in the target", source->version_text, other->version_text);
}

static void check_empty(Doctor *doctor, const DoctorEnd *end)
{
    DoctorResult *result = doctor_add(doctor, end->place, "empty", "there is nothing to fold");
    if (end->has_rows || end->missing != NULL)
        return;
    doctor_find(result, DOCTOR_NOTE, end->has_objects ? "its tables have no rows" : "the database is empty", NULL,
                "Where that is as it should be, it needs no fold: it can be retired after you have confirmed that.");
}

void doctor_check_identities(Doctor *doctor)
{
    for (guint i = 0; i < doctor->ends->len; i++) {
        DoctorEnd *end = doctor->ends->pdata[i];
        if (end->conn == NULL)
            continue;
        check_protected(doctor, end);
        if (end->source == NULL) {
            check_pinned(doctor, end);
            check_standby(doctor, end);
            continue;
        }
        check_empty(doctor, end);
        const DoctorEnd *target = doctor_target_of(doctor, end->source);
        if (target == NULL || target->conn == NULL)
            continue;
        check_different(doctor, end, target);
        check_versions(doctor, end, target);
    }
}
