/* What `pgfold init` found, for people and as JSON. */
#include <string.h>

#include "cmd/init.h"
#include "out/table.h"

static const TableColumn COLUMNS[] = {{"#", TABLE_RIGHT, false},
                                      {"DATABASE", TABLE_LEFT, false},
                                      {"SIZE", TABLE_RIGHT, false},
                                      {"VERSION", TABLE_LEFT, false},
                                      {"SYSTEM IDENTIFIER", TABLE_LEFT, false},
                                      {"FOUND AS", TABLE_LEFT, true},
                                      {NULL}};

static char *join_origins(const Candidate *candidate)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < candidate->origins->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (const char *)candidate->origins->pdata[i]);
    if (candidate->server == NULL)
        g_string_append_printf(text, ": %s", candidate->place->reason);
    return g_string_free(text, FALSE);
}

static void add_candidate(Table *table, const Candidate *candidate)
{
    const Server *server = candidate->server;
    OutStyle style = server == NULL ? OUT_DIM : OUT_PLAIN;
    g_autofree char *found_as = join_origins(candidate);
    if (candidate->number > 0)
        table_addf(table, style, "%u", candidate->number);
    else
        table_add(table, style, "-");
    table_add(table, server == NULL ? OUT_DIM : OUT_NAME, *candidate->name == '\0' ? "-" : candidate->name);
    if (candidate->bytes >= 0)
        table_add_bytes(table, style, (guint64)candidate->bytes);
    else
        table_add(table, style, "-");
    table_addf(table, style, "%s%s", server == NULL ? "-" : server->version,
               server != NULL && server->in_recovery ? " (standby)" : "");
    table_add(table, style, server == NULL ? "-" : server->system_identifier);
    table_add(table, style, found_as);
}

/* Of a server that is there, and of whose databases nobody knows. */
static bool any_closed(const Discovery *discovery)
{
    for (guint i = 0; i < discovery->candidates->len; i++)
        if (((const Candidate *)discovery->candidates->pdata[i])->number == 0)
            return true;
    return false;
}

void init_view_print(Out *out, const Discovery *discovery, bool as_remarks)
{
    g_autoptr(Table) table = table_new(COLUMNS);
    for (guint i = 0; i < discovery->candidates->len; i++)
        add_candidate(table, discovery->candidates->pdata[i]);
    g_autofree char *text = table_text(table, out->notices_tty ? out->width : 0, false);
    if (table_rows(table) == 0)
        out_notice(out,
                   "No database was found: no server answers on this machine, and no file of this folder names one.");
    else if (as_remarks)
        out_notice(out, "What was found:\n%s", g_strchomp(text));
    else
        table_print(table, out);
    if (any_closed(discovery))
        out_notice(out,
                   "A server without a number did not let pgfold in: set PGUSER, PGPASSWORD or ~/.pgpass, or run init "
                   "as a user whom it knows.");
    for (guint i = 0; i < discovery->remarks->len; i++)
        out_notice(out, "%s", (const char *)discovery->remarks->pdata[i]);
}

static const char *state_name(const Candidate *candidate)
{
    if (candidate->server != NULL)
        return "reached";
    return candidate->place->state == PLACE_STOPPED ? "stopped" : "silent";
}

static json_t *server_json(const Server *server)
{
    if (server == NULL)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "system_identifier", out_json_string(server->system_identifier));
    json_object_set_new(object, "version", out_json_string(server->version));
    json_object_set_new(object, "standby", json_boolean(server->in_recovery));
    return object;
}

static json_t *candidate_json(const Candidate *candidate)
{
    const Place *compose = candidate_compose(candidate);
    const Place *container = candidate_container(candidate);
    g_autofree char *url = candidate_url(candidate);
    json_t *origins = json_array();
    for (guint i = 0; i < candidate->origins->len; i++)
        json_array_append_new(origins, out_json_string(candidate->origins->pdata[i]));
    json_t *object = json_object();
    json_object_set_new(object, "number", candidate->number == 0 ? json_null() : json_integer(candidate->number));
    json_object_set_new(object, "database", out_json_string(*candidate->name == '\0' ? NULL : candidate->name));
    json_object_set_new(object, "bytes", candidate->bytes < 0 ? json_null() : json_integer(candidate->bytes));
    json_object_set_new(object, "state", json_string(state_name(candidate)));
    json_object_set_new(object, "reason", out_json_string(candidate->server == NULL ? candidate->place->reason : NULL));
    json_object_set_new(object, "server", server_json(candidate->server));
    json_object_set_new(object, "url", out_json_string(url));
    json_object_set_new(object, "variable", out_json_string(candidate_variable(candidate)));
    json_object_set_new(object, "compose", out_json_string(compose == NULL ? NULL : compose->compose));
    json_object_set_new(object, "container", out_json_string(container == NULL ? NULL : container->container));
    json_object_set_new(object, "engine", out_json_string(container == NULL ? NULL : container->engine));
    json_object_set_new(object, "test", json_boolean(candidate->is_test));
    json_object_set_new(object, "found_as", origins);
    return object;
}

json_t *init_view_json(const Discovery *discovery)
{
    json_t *list = json_array();
    for (guint i = 0; i < discovery->candidates->len; i++)
        json_array_append_new(list, candidate_json(discovery->candidates->pdata[i]));
    return list;
}
