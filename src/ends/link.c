#include "ends/link.h"

#include <string.h>

/* zlib, as ssh uses it, takes in about 50 MB/s: on a faster link it would be the slowest part. */
#define SLOW_BITS ((gint64)400000000)
/* What is smaller is over before a measurement pays. */
#define WORTH_BYTES ((gint64)16 << 20)

enum { FIRST_CHUNK = 64 << 10, LAST_CHUNK = 4 << 20, ENOUGH_US = 100000 };

/* Microseconds; -1 with an error. */
static gint64 time_chunk(PgConn *conn, LinkDirection direction, gsize bytes, GError **error)
{
    bool up = direction == LINK_TO_SERVER;
    g_autofree char *payload = up ? g_strnfill(bytes, 'x') : g_strdup_printf("%zu", bytes);
    const char *values[] = {payload};
    const char *sql = up ? "SELECT pg_catalog.octet_length($1)" : "SELECT pg_catalog.repeat('x', $1::pg_catalog.int4)";
    gint64 began = g_get_monotonic_time();
    g_autoptr(PgResult) r = pg_query_params(conn, sql, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    return r == NULL ? -1 : g_get_monotonic_time() - began;
}

gint64 link_measure(PgConn *conn, LinkDirection direction, GError **error)
{
    gint64 round_trip = time_chunk(conn, direction, 1, error);
    if (round_trip < 0)
        return 0;
    /* Each twice as large as the one before, until it takes long beside the round trips that a connection needs to get
     * up to speed. */
    for (gsize bytes = FIRST_CHUNK;; bytes *= 2) {
        gint64 took = time_chunk(conn, direction, bytes, error);
        if (took < 0)
            return 0;
        if (took >= ENOUGH_US + 2 * round_trip || bytes >= LAST_CHUNK)
            return (gint64)bytes * 8 * G_USEC_PER_SEC / MAX(took - round_trip, 1);
    }
}

bool link_is_slow(PgConn *conn, LinkDirection direction, gint64 bytes)
{
    if (bytes < WORTH_BYTES)
        return false;
    gint64 bits = link_measure(conn, direction, NULL);
    return bits > 0 && bits < SLOW_BITS;
}
