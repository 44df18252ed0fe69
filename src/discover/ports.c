/* Loopback ports on which something listens, and which of them is PostgreSQL: a server answers an SSLRequest with one
 * byte, S or N, before anybody logs in. All are asked at once. */
#include <stdio.h>
#include <string.h>

#include "base/cancel.h"
#include "discover/internal.h"
#include "pg/probe.h"
#include "pg/url.h"
#include "pool/at_once.h"

enum { AT_ONCE = 60, ANSWER_MS = 300, LISTENING = 0x0A };

typedef struct Port {
    int number;
    bool v6_only; /* listens on ::1 and not on 127.0.0.1 */
    bool answered;
} Port;

/* Of /proc/net/tcp: does this address take connections from the loopback interface? */
static bool is_loopback(const char *address)
{
    static const char V6_ANY[] = "00000000000000000000000000000000";
    static const char V6_LOOPBACK[] = "00000000000000000000000001000000";
    if (strlen(address) == 8)
        return g_str_equal(address, "00000000") || g_str_equal(address + 6, "7F");
    return g_str_equal(address, V6_ANY) || g_str_equal(address, V6_LOOPBACK);
}

static void add_port(GArray *ports, int number, bool v6_only)
{
    for (guint i = 0; i < ports->len; i++) {
        Port *known = &g_array_index(ports, Port, i);
        if (known->number != number)
            continue;
        known->v6_only = known->v6_only && v6_only;
        return;
    }
    Port port = {.number = number, .v6_only = v6_only};
    g_array_append_val(ports, port);
}

/* False where there is no such file (not Linux). */
static bool read_listening(GArray *ports, const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char address[33] = "";
        unsigned number = 0, state = 0;
        if (sscanf(lines[i], " %*d: %32[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X", address, &number, &state) == 3 &&
            state == LISTENING && is_loopback(address))
            add_port(ports, (int)number, strlen(address) == 32 && strspn(address, "0") != 32);
    }
    return true;
}

/* All at once; one that does not answer in time is none. */
static bool ask(guint i, gpointer data, GError **error)
{
    (void)error; /* a cancel is seen in the end */
    Port *port = &((Port *)data)[i];
    g_autoptr(GError) cause = NULL;
    port->answered = pg_probe_port(port->number, port->v6_only, deadline_in_ms(ANSWER_MS), &cause) == PG_ANSWER_SERVER;
    return true;
}

static void add_place(GPtrArray *places, const Port *port)
{
    const char *host = port->v6_only ? "::1" : "127.0.0.1";
    g_autofree char *number = g_strdup_printf("%d", port->number);
    Place *place = place_add(places, PLACE_PORT, g_strdup_printf(port->v6_only ? "[%s]:%s" : "%s:%s", host, number));
    pg_url_set(place->url, "host", host);
    pg_url_set(place->url, "port", number);
}

static int compare_ports(gconstpointer a, gconstpointer b)
{
    return ((const Port *)a)->number - ((const Port *)b)->number;
}

bool find_ports(GPtrArray *places, GError **error)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, TRUE, sizeof(Port));
    bool listed = read_listening(ports, "/proc/net/tcp");
    listed = read_listening(ports, "/proc/net/tcp6") || listed;
    for (int number = 5432; !listed && number <= 5442; number++)
        add_port(ports, number, false);
    g_array_sort(ports, compare_ports);
    for (guint i = 0; i < ports->len; i += AT_ONCE)
        (void)pool_at_once(MIN((guint)AT_ONCE, ports->len - i), ask, &g_array_index(ports, Port, i), NULL);
    for (guint i = 0; i < ports->len; i++)
        if (g_array_index(ports, Port, i).answered)
            add_place(places, &g_array_index(ports, Port, i));
    return cancel_check(error);
}
