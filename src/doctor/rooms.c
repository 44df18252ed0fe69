/* Room on disks, where it can be known: the backup's folder always, a target's data folder when it is on this machine.
 */
#include <string.h>
#include <sys/statvfs.h>

#include "doctor/doctor_sql.h"
#include "doctor/internal.h"
#include "out/out.h"

static bool free_bytes(const char *path, guint64 *ret_bytes)
{
    struct statvfs room;
    if (statvfs(path, &room) != 0)
        return false;
    *ret_bytes = (guint64)room.f_bavail * room.f_frsize;
    return true;
}

/* The folder itself may not be there yet. */
static char *existing_parent(const char *path)
{
    char *at = g_strdup(path);
    while (!g_file_test(at, G_FILE_TEST_IS_DIR) && strlen(at) > 1) {
        char *up = g_path_get_dirname(at);
        g_free(at);
        at = up;
    }
    return at;
}

static guint64 bytes_of_sources(const Doctor *doctor, const DoctorEnd *target)
{
    guint64 bytes = 0;
    for (guint i = 0; i < doctor->ends->len; i++) {
        const DoctorEnd *end = doctor->ends->pdata[i];
        if (end->source != NULL && (target == NULL || doctor_target_of(doctor, end->source) == target))
            bytes += end->bytes;
    }
    return bytes;
}

static void judge(DoctorResult *result, const char *path, guint64 room, guint64 bytes, DoctorVerdict verdict,
                  const char *remedy)
{
    g_autofree char *left = out_bytes(room), *needed = out_bytes(bytes);
    if (room < bytes)
        doctor_findf(result, verdict, remedy, "%s left in %s, and the sources have %s", left, path, needed);
    else
        doctor_findf(result, DOCTOR_GOOD, NULL, "%s left in %s for sources of %s", left, path, needed);
}

/* A tenth is what an archive usually needs; the proof restores it whole, and may use another disk. */
static void check_backup_room(Doctor *doctor)
{
    DoctorResult *result = doctor_add(doctor, DOCTOR_MACHINE, "backup-room", "little room for backups");
    g_autofree char *folder = existing_parent(doctor->config->state);
    guint64 room = 0, bytes = bytes_of_sources(doctor, NULL);
    if (!doctor->config->fold.backup || !free_bytes(folder, &room))
        return;
    judge(result, folder, room, bytes, room < bytes / 10 ? DOCTOR_FAILED : DOCTOR_WARNING,
          "Free some room, or keep backups elsewhere (`pgfold fold --backup-dir DIR`). They are compressed, and the "
          "proof restores them whole.");
}

static char *data_directory(PgConn *conn)
{
    g_autoptr(PgResult) r = pg_query(conn, DOCTOR_DATA_DIRECTORY_SQL, deadline_in_ms(PG_CONNECT_MS), NULL);
    return r == NULL ? NULL : g_strdup(pg_result_get(r, 0, 0));
}

static void check_target_room(Doctor *doctor, const DoctorEnd *target)
{
    DoctorResult *result = doctor_add(doctor, target->place, "target-room", "little room on the target's disk");
    guint64 room = 0, bytes = bytes_of_sources(doctor, target);
    g_autofree char *folder = pg_conn_is_local(target->conn) ? data_directory(target->conn) : NULL;
    if (folder != NULL && free_bytes(folder, &room)) {
        judge(result, folder, room, bytes, DOCTOR_WARNING,
              "Free some room there: a fold writes its rows, their indexes and the log of both.");
        return;
    }
    g_autofree char *needed = out_bytes(bytes);
    doctor_findf(result, DOCTOR_GOOD, NULL, "sources of %s: nobody can see the disk of the server from here", needed);
}

void doctor_check_rooms(Doctor *doctor)
{
    check_backup_room(doctor);
    for (guint i = 0; i < doctor->ends->len; i++) {
        const DoctorEnd *end = doctor->ends->pdata[i];
        if (end->source == NULL && end->conn != NULL)
            check_target_room(doctor, end);
    }
}
