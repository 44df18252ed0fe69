/* Where the other end of a connection is. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/route.h"
#include "pg/conn.h"
#include "pg/internal.h"

bool pg_conn_is_local(const PgConn *conn)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    if (getsockopt(PQsocket(conn->pg), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0)
        return false;
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)peer.pid);
    g_autofree char *name = NULL;
    if (!g_file_get_contents(path, &name, NULL, NULL))
        return false;
    return strcmp(g_strchomp(name), "postgres") == 0 || strcmp(name, "postmaster") == 0;
}

bool pg_url_has_several_hosts(const char *url)
{
    PGconn *settled = pg_settle(url, NULL, NULL);
    PQconninfoOption *options = PQconninfo(settled);
    bool several = false;
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        bool is_host = strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0;
        several = several || (is_host && o->val != NULL && strchr(o->val, ',') != NULL);
    }
    PQconninfoFree(options);
    PQfinish(settled);
    return several;
}

char *pg_url_database(const char *url)
{
    PQconninfoOption *options = PQconninfoParse(route_url(url), NULL);
    char *database = NULL;
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL && *o->val != '\0')
            database = g_strdup(o->val);
    PQconninfoFree(options);
    return database;
}

char *pg_url_without_driver(const char *url)
{
    static const char *const SCHEMES[] = {"postgresql+", "postgres+"};
    for (gsize i = 0; i < G_N_ELEMENTS(SCHEMES); i++) {
        const char *rest = g_str_has_prefix(url, SCHEMES[i]) ? strstr(url, "://") : NULL;
        if (rest != NULL)
            return g_strconcat("postgresql", rest, NULL);
    }
    return g_strdup(url);
}
