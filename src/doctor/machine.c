/* What this machine must have: programs that are not too old, and a state folder that nobody else reads. */
#include <sys/stat.h>

#include "base/error.h"
#include "base/route.h"
#include "doctor/internal.h"
#include "dump/dump.h"
#include "testdb/testdb.h"

/* False on cancel; any other failure is a finding. */
static bool is_finding(DoctorResult *result, GError *cause, GError **error)
{
    if (g_error_matches(cause, PGF_ERROR, PGF_ERROR_CANCELLED)) {
        g_propagate_error(error, cause);
        return false;
    }
    doctor_find(result, DOCTOR_FAILED, cause->message, NULL, pgf_error_hint(cause));
    g_error_free(cause);
    return true;
}

/* The newest server of either side that a fold reads with pg_dump; 0: none could be reached. */
static int newest_version(const Doctor *doctor, bool sources_only)
{
    int newest = 0;
    for (guint i = 0; i < doctor->ends->len; i++) {
        const DoctorEnd *end = doctor->ends->pdata[i];
        if (end->conn != NULL && (end->source != NULL || !sources_only))
            newest = MAX(newest, pg_conn_identity(end->conn)->version);
    }
    return newest;
}

static bool check_clients(Doctor *doctor, GError **error)
{
    DoctorResult *result =
        doctor_add(doctor, DOCTOR_MACHINE, "client-programs", "pg_dump and pg_restore are missing or too old");
    g_auto(DumpTools) tools = {0};
    GError *cause = NULL;
    if (!dump_tools_find(newest_version(doctor, false), &tools, &cause))
        return is_finding(result, cause, error);
    doctor_findf(result, DOCTOR_GOOD, NULL, "%s (%s)", tools.pg_dump, tools.version_text);
    return true;
}

static bool check_servers(Doctor *doctor, GError **error)
{
    DoctorResult *result =
        doctor_add(doctor, DOCTOR_MACHINE, "server-programs", "no server programs with which a backup could be proven");
    int wanted = newest_version(doctor, true) / 10000, version = 0;
    TestDbOptions options = {.min_version = wanted};
    g_autofree char *bindir = NULL;
    GError *cause = NULL;
    if (!doctor->config->fold.backup)
        return true;
    if (!testdb_server_find(&options, &version, &bindir, &cause))
        return is_finding(result, cause, error);
    doctor_findf(result, DOCTOR_GOOD, NULL, "%s (PostgreSQL %d)", bindir, version);
    return true;
}

static bool wants_ssh(const Config *config)
{
    bool wants = config->target.url != NULL && route_is(config->target.url);
    for (guint i = 0; i < config->sources->len; i++)
        wants = wants || route_is(((const ConfigSource *)config->sources->pdata[i])->url);
    return wants;
}

static void check_ssh(Doctor *doctor)
{
    if (!wants_ssh(doctor->config))
        return;
    DoctorResult *result =
        doctor_add(doctor, DOCTOR_MACHINE, "ssh", "ssh is not installed, and pgfold.yaml asks for it");
    g_autofree char *path = g_find_program_in_path("ssh");
    if (path != NULL)
        doctor_find(result, DOCTOR_GOOD, path, NULL, NULL);
    else
        doctor_find(result, DOCTOR_FAILED, "ssh is in no folder of PATH", NULL,
                    "Install OpenSSH's client (Debian: openssh-client).");
}

static void check_state_folder(Doctor *doctor)
{
    DoctorResult *result = doctor_add(doctor, DOCTOR_MACHINE, "state-folder", "others may read what pgfold keeps");
    struct stat info;
    if (stat(doctor->config->state, &info) == 0 && (info.st_mode & 077) != 0) {
        g_autofree char *remedy = g_strdup_printf("chmod -R go= %s", doctor->config->state);
        doctor_findf(result, DOCTOR_WARNING, remedy, "%s has mode %04o", doctor->config->state,
                     (unsigned)info.st_mode & 07777);
    }
}

bool doctor_check_machine(Doctor *doctor, GError **error)
{
    check_state_folder(doctor);
    check_ssh(doctor);
    return check_clients(doctor, error) && check_servers(doctor, error);
}
