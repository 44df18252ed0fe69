/* What ssh says, and what it means. Its words have been the same for many years; where they are not known, they are
 * shown as they are. */
#include <string.h>

#include "base/error.h"
#include "base/spawn.h"
#include "tunnel/internal.h"

enum { SHOWN_LINES = 4 };

typedef struct Meaning {
    const char *words;  /* in the log */
    const char *what;   /* what happened */
    const char *remedy; /* %s: the ssh host */
} Meaning;

/* Of an ssh that ended. The first that fits counts. */
static const Meaning ENDS[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", "the host key is not the known one",
     "Somebody may sit in between. If the host really has a new key: ssh-keygen -R HOST, then `ssh %s true`."},
    {"Host key verification failed", "the host key is not known",
     "Compare and accept it once: `ssh %s true`, then run this again."},
    {"host key is known for", "the host key is not known",
     "Compare and accept it once: `ssh %s true`, then run this again."},
    {"Permission denied (", "the ssh host refuses to let this user in",
     "`ssh %s true` must work without a question: check user and key, `ssh-add -l`, ~/.ssh/config."},
    {"Too many authentication failures", "the ssh host refuses to let this user in",
     "Name the one key in ~/.ssh/config (IdentityFile, IdentitiesOnly yes), until `ssh %s true` works."},
    {"Could not resolve hostname", "the ssh host is not known",
     "Check the spelling of `%s`, or give it a Host entry in ~/.ssh/config."},
    {"Could not request local forwarding", "ssh cannot listen on this machine",
     "Is a LocalForward of ~/.ssh/config taken already? Then give pgfold a Host entry without it, instead of `%s`."},
    {"remote port forwarding failed", "a RemoteForward of ~/.ssh/config failed",
     "Give pgfold a Host entry without it, instead of `%s`."},
    {"Bad configuration option", "ssh cannot read its configuration", "`ssh -G %s` shows the line."},
    {"Can't open user config file", "ssh cannot read its configuration", "Check ssh.config of pgfold.yaml for `%s`."},
    {"Connection refused", "the ssh host does not answer", "Does sshd run there, and on this port? `ssh -v %s true`."},
    {"timed out", "the ssh host does not answer",
     "Is the host up, or a firewall between? `ssh -v %s true` shows how far it gets."},
    {"No route to host", "the ssh host does not answer", "Is the network there? `ssh -v %s true`."},
    {"Network is unreachable", "the ssh host does not answer", "Is the network there? `ssh -v %s true`."},
};

/* Of a connection through a tunnel that works. */
static const Meaning CHANNELS[] = {
    {"administratively prohibited", "the ssh host forbids forwarding to the database",
     "Allow it in sshd_config of `%s` (AllowTcpForwarding, AllowStreamLocalForwarding, PermitOpen), or in the options "
     "of the key in authorized_keys."},
    {"connect failed: open failed", "the ssh tunnel works, but the database's socket cannot be opened behind it",
     "Is the server running, and its socket in that folder of `%s`? Then sshd forbids it (AllowStreamLocalForwarding; "
     "it "
     "does not tell the two apart): use host=localhost."},
    {"open failed: connect failed", "the ssh tunnel works, but no database listens behind it",
     "Is the server running, and are host and port of the url right, as seen from `%s`?"},
    {"open failed", "the ssh tunnel works, but no connection could be made behind it",
     "Are host and port of the url right, as seen from `%s`?"},
};

static const Meaning *find(const Meaning *meanings, gsize n, const char *log)
{
    for (gsize i = 0; i < n; i++)
        if (strstr(log, meanings[i].words) != NULL)
            return &meanings[i];
    return NULL;
}

static char *remedy_for(const char *format, const char *host)
{
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    return g_strjoinv(host, parts);
}

static void set(const TunnelSpec *spec, const Meaning *meaning, const char *log, GError **error)
{
    g_autofree char *tail = spawn_tail(log, SHOWN_LINES);
    g_autofree char *server = tunnel_describe(spec);
    pgf_error_take_hint(error, PGF_ERROR_CONNECT, remedy_for(meaning->remedy, spec->ssh_host), "%s: %s (%s)%s%s",
                        spec->label, meaning->what, server, *tail == '\0' ? "" : "\n", tail);
}

void tunnel_set_ended(const TunnelSpec *spec, const char *log, GError **error)
{
    static const Meaning UNKNOWN = {"", "the ssh tunnel could not be made", "`ssh -v %s true` tells more."};
    const Meaning *meaning = find(ENDS, G_N_ELEMENTS(ENDS), log);
    set(spec, meaning == NULL ? &UNKNOWN : meaning, log, error);
}

void tunnel_set_silent(const TunnelSpec *spec, const char *log, GError **error)
{
    static const Meaning UNKNOWN = {"",
                                    "the ssh tunnel works, but the connection behind it was closed without an answer",
                                    "Is it a PostgreSQL that listens there? Host and port are as seen from `%s`."};
    const Meaning *meaning = find(CHANNELS, G_N_ELEMENTS(CHANNELS), log);
    set(spec, meaning == NULL ? &UNKNOWN : meaning, log, error);
}

bool tunnel_log_tells_port_taken(const char *log, int port)
{
    g_autofree char *words = g_strdup_printf("cannot listen to port: %d", port);
    return strstr(log, words) != NULL;
}

char *tunnel_log_failed_channel(const char *log)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    const char *found = NULL;
    for (guint i = 0; lines[i] != NULL; i++)
        if (strstr(lines[i], "open failed") != NULL)
            found = lines[i];
    return g_strdup(found);
}
