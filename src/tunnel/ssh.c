#include <string.h>

#include "tunnel/internal.h"

/* How long ssh waits for the host and its key, and after how many unanswered questions, three seconds apart, it takes
 * the link for dead. Together with the database's answer: less than 15 seconds to any error. */
#define CONNECT_TIMEOUT "-oConnectTimeout=8"
#define ALIVE_INTERVAL "-oServerAliveInterval=3"
#define ALIVE_COUNT "-oServerAliveCountMax=2"

static const char *const FIXED[] = {
    "ssh",
    "-N", /* no command, no terminal, no input */
    "-T",
    "-n",
    "-a", /* no agent and no X11 for the other side */
    "-x",
    "-oControlMaster=no", /* a connection of our own, which ends with us */
    "-oControlPath=none",
    "-oExitOnForwardFailure=yes",
    "-oStreamLocalBindMask=0177",
    ALIVE_INTERVAL,
    ALIVE_COUNT,
    CONNECT_TIMEOUT,
    "-oConnectionAttempts=1",
    "-oLogLevel=INFO",
    "-oPermitLocalCommand=no",
    "-oRemoteCommand=none",
};

char *tunnel_describe(const TunnelSpec *spec)
{
    return g_strdup_printf("%s%s port %s through ssh %s", *spec->host == '/' ? "socket " : "", spec->host, spec->port,
                           spec->ssh_host);
}

static void add(GPtrArray *argv, const char *word)
{
    g_ptr_array_add(argv, g_strdup(word));
}

static char *destination(const TunnelSpec *spec)
{
    if (*spec->host != '/')
        return g_strdup_printf(strchr(spec->host, ':') != NULL ? "[%s]:%s" : "%s:%s", spec->host, spec->port);
    /* ssh expands tokens in paths. */
    g_autoptr(GString) folder = g_string_new(spec->host);
    g_string_replace(folder, "%", "%%", 0);
    return g_strdup_printf("%s/.s.PGSQL.%s", folder->str, spec->port);
}

static void add_forward(GPtrArray *argv, const char *here, const char *there)
{
    add(argv, "-L");
    g_ptr_array_add(argv, g_strconcat(here, ":", there, NULL));
}

char **tunnel_ssh_argv(const TunnelSpec *spec, const char *socket, const char *ready, int port, bool may_ask)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(FIXED); i++)
        add(argv, FIXED[i]);
    add(argv, may_ask ? "-oBatchMode=no" : "-oBatchMode=yes");
    add(argv, spec->compress ? "-oCompression=yes" : "-oCompression=no");
    if (spec->config != NULL) {
        add(argv, "-F");
        add(argv, spec->config);
    }
    g_autofree char *there = destination(spec);
    if (port > 0) {
        g_autofree char *here = g_strdup_printf("127.0.0.1:%d", port);
        add_forward(argv, here, there);
    }
    add_forward(argv, socket, there);
    add_forward(argv, ready, there); /* ssh makes them in this order */
    add(argv, "--");
    add(argv, spec->ssh_host);
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}
