#include "testdb/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"

/* pg_control (src/include/catalog/pg_control.h of PostgreSQL) starts with the identifier and ends with the CRC-32C of
 * what is before it. Where it ends depends on the version: there where the sum so far is what is written. All of it
 * fits into one sector. The first page of a WAL file (xlog_internal.h, XLogLongPageHeaderData) has the identifier too.
 */
enum { CONTROL_MIN = 128, CONTROL_MAX = 512, WAL_IDENTIFIER_AT = 24, WAL_NAME_LENGTH = 24 };

#define CRC32C_POLYNOMIAL 0x82F63B78u

static guint32 crc_step(guint32 crc, guchar byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
    return crc;
}

guint32 identity_crc(const void *data, gsize len)
{
    guint32 crc = 0xFFFFFFFFu;
    for (gsize i = 0; i < len; i++)
        crc = crc_step(crc, ((const guchar *)data)[i]);
    return ~crc;
}

/* The length of what the checksum covers, 0 when there is no such place. */
static gsize find_end(const guchar *control)
{
    guint32 crc = 0xFFFFFFFFu;
    for (gsize n = 0; n + sizeof crc <= CONTROL_MAX; n++) {
        guint32 written;
        memcpy(&written, control + n, sizeof written);
        if (n >= CONTROL_MIN && written == ~crc)
            return n;
        crc = crc_step(crc, control[n]);
    }
    return 0;
}

static bool fail(GError **error, const char *path, const char *why)
{
    pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot give %s its own system identifier: %s", path, why);
    return false;
}

static bool patch_control(const char *path, guint64 identifier, GError **error)
{
    guchar control[CONTROL_MAX];
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || read(fd, control, sizeof control) != (ssize_t)sizeof control) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return fail(error, path, g_strerror(saved));
    }
    gsize end = find_end(control);
    memcpy(control, &identifier, sizeof identifier);
    guint32 crc = identity_crc(control, end);
    memcpy(control + end, &crc, sizeof crc);
    bool written = end > 0 && pwrite(fd, control, sizeof control, 0) == (ssize_t)sizeof control;
    int saved = errno;
    close(fd);
    return written || fail(error, path, end == 0 ? "its checksum was not found" : g_strerror(saved));
}

static bool patch_wal(const char *path, guint64 identifier, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0 && pwrite(fd, &identifier, sizeof identifier, WAL_IDENTIFIER_AT) == (ssize_t)sizeof identifier;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    return ok || fail(error, path, g_strerror(saved));
}

static bool patch_all_wal(const char *folder, guint64 identifier, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (strlen(name) != WAL_NAME_LENGTH || strspn(name, "0123456789ABCDEF") != WAL_NAME_LENGTH)
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!patch_wal(path, identifier, error))
            return false;
    }
    return true;
}

bool identity_renew(const char *data, GError **error)
{
    guint32 random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return fail(error, data, g_strerror(errno));
    /* As initdb makes it: the second of birth above, anything below. */
    guint64 identifier = ((guint64)(g_get_real_time() / G_USEC_PER_SEC) << 32) | random;
    g_autofree char *control = g_build_filename(data, "global", "pg_control", NULL);
    g_autofree char *wal = g_build_filename(data, "pg_wal", NULL);
    return patch_control(control, identifier, error) && patch_all_wal(wal, identifier, error);
}
