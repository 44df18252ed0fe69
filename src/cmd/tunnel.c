/* pgfold tunnel: the way to the target, or to a source, held open for other programs. */
#include "tunnel/tunnel.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "cmd/command.h"
#include "cmd/program.h"
#include "cmd/tunnel_end.h"
#include "pg/probe.h"
#include "tunnel/routes.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 15000, PROBE_MS = 2000, PORT_MAX = 65535 };

static const CommandOption options[] = {
    {"port", 'p', OPTION_INT, "N", "listen on 127.0.0.1:N too, for programs that cannot use a unix socket"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold tunnel", "Hold it open until Ctrl-C; prints the DATABASE_URL to use"},
    {"pgfold tunnel -- psql", "A psql on the target"},
    {"pgfold tunnel --port 6432 -- npm run migrate", "For a program that cannot use a unix socket"},
    {"pgfold tunnel old-vps -- pg_dump --schema-only", "Through a source's ssh host"},
    {NULL},
};

/* Who listens on a port of this machine would be taken for the target, or the other way round. */
static bool port_is_free(int port, GError **error)
{
    /* "localhost" may mean either. */
    PgAnswer answer = pg_probe_port(port, false, deadline_in_ms(PROBE_MS), error);
    if (answer == PG_ANSWER_NOBODY)
        answer = pg_probe_port(port, true, deadline_in_ms(PROBE_MS), error);
    if (answer == PG_ANSWER_FAILED && cancel_requested())
        return false;
    if (error != NULL)
        g_clear_error(error);
    if (answer == PG_ANSWER_NOBODY)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Choose another port, or leave --port out: the unix socket collides with nothing.",
                  "port %d of this machine is taken: %s there", port,
                  answer == PG_ANSWER_SERVER ? "a PostgreSQL answers" : "something listens");
    return false;
}

static bool read_port(const CommandArgs *args, int *ret_port, GError **error)
{
    *ret_port = 0;
    if (!args_int(args, "port", ret_port))
        return true;
    if (*ret_port >= 1 && *ret_port <= PORT_MAX)
        return port_is_free(*ret_port, error);
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--port is from 1 to %d, not %d", PORT_MAX, *ret_port);
    return false;
}

static void print(const TunnelEnd *end, Out *out)
{
    const PgIdentity *id = &end->identity;
    if (out->json) {
        json_t *document = out_json_new("tunnel");
        json_object_set_new(document, "end", out_json_string(end->label));
        json_object_set_new(document, "url", out_json_string(end->shown_url));
        json_object_set_new(document, "folder", out_json_string(tunnel_socket_folder(end->tunnel)));
        json_object_set_new(document, "port", end->port == 0 ? json_null() : json_integer(end->port));
        json_object_set_new(document, "server", out_json_string(tunnel_server(end->tunnel)));
        json_object_set_new(document, "database", out_json_string(id->database));
        json_object_set_new(document, "server_version", out_json_string(id->version_text));
        json_object_set_new(document, "system_identifier", out_json_string(id->system_identifier));
        json_object_set_new(document, "pinned", json_boolean(end->pinned));
        out_json(out, document);
    }
    out_line(out, "%s", end->shown_url);
    (void)out_flush(out);
}

static void tell(const TunnelEnd *end, Out *out)
{
    const PgIdentity *id = &end->identity;
    out_notice(out, "%s: database %s, PostgreSQL %s, %s, cluster %s%s", end->label, id->database, id->version_text,
               tunnel_server(end->tunnel), id->system_identifier,
               end->pinned                         ? " (as pinned)"
               : g_str_equal(end->label, "target") ? " (target.identity pins none)"
                                                   : "");
}

/* Ctrl-C is how a tunnel that nobody else uses is ended. Whatever a program of the user's gets goes on to it. False
 * when it is over. */
static bool go_on(Child *child)
{
    if (!cancel_requested())
        return child == NULL || child_running(child);
    if (child == NULL)
        return false;
    program_pass_signal(child);
    return child_running(child);
}

/* Until something happens to either, or the deadline passes. */
static void await(const TunnelEnd *end, Child *child, Deadline deadline)
{
    struct pollfd fds[2] = {{.fd = deadline == DEADLINE_NONE ? tunnel_exit_fd(end->tunnel) : -1, .events = POLLIN},
                            {.fd = child == NULL ? -1 : child_exit_fd(child), .events = POLLIN}};
    (void)wait_fds(fds, 2, deadline, NULL);
}

/* False with an error only when the way leads elsewhere now. */
static bool reopen(TunnelEnd *end, Child *child, Out *out, GError **error)
{
    g_autofree char *why = tunnel_why(end->tunnel);
    out_warning(out, "%s; opening it again", why);
    int pause = RETRY_FIRST_MS;
    while (go_on(child)) {
        g_autoptr(GError) cause = NULL;
        bool other = false;
        if (tunnel_start(end->tunnel, &cause) && tunnel_end_check_again(end, &other, &cause)) {
            out_notice(out, "The tunnel is open again.");
            return true;
        }
        tunnel_stop(end->tunnel); /* what nobody has looked at serves nobody */
        if (other) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (cancel_requested())
            continue;
        out_warning(out, "%s", cause->message);
        await(end, child, deadline_in_ms(pause));
        pause = MIN(pause * 2, RETRY_MAX_MS);
    }
    return true;
}

static bool hold(TunnelEnd *end, Child *child, Out *out, GError **error)
{
    while (go_on(child)) {
        if (!tunnel_is_up(end->tunnel) && !reopen(end, child, out, error))
            return false;
        if (go_on(child))
            await(end, child, DEADLINE_NONE);
    }
    return true;
}

static int run_program(TunnelEnd *end, const char *const *words, Out *out, GError **error)
{
    g_auto(GStrv) environment = tunnel_end_environment(end);
    g_autoptr(Child) child = program_start(words, (const char *const *)environment, error);
    if (child == NULL)
        return PGF_ERROR_USAGE;
    if (!hold(end, child, out, error))
        return PGF_ERROR_CONNECT;
    return program_wait(child);
}

static bool check_usage(const CommandArgs *args, const char *const *words, const Out *out, GError **error)
{
    const char *const *program = args_after_dashes(args);
    if (words[0] != NULL && words != program && words[1] != NULL && words + 1 != program) {
        pgf_error_set(error, PGF_ERROR_USAGE, "As in `pgfold tunnel laptop -- psql`: a program stands after --.",
                      "tunnel takes the name of one source");
        return false;
    }
    if (program != NULL && program[0] == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "As in `pgfold tunnel -- psql`.", "no program to run after --");
        return false;
    }
    if (program != NULL && out->json) {
        pgf_error_set(error, PGF_ERROR_USAGE, "The output is the program's own.", "--json does not go with a program");
        return false;
    }
    return program == NULL || program_exists(program[0], error);
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *const *words = args_words(args), *const *program = args_after_dashes(args);
    int port = 0;
    if (!check_usage(args, words, out, error))
        return PGF_ERROR_USAGE;
    const char *name = words == program ? NULL : words[0];
    g_autoptr(Config) config = config_open(args_config(args), CONFIG_CONNECTS, error);
    if (config == NULL || !read_port(args, &port, error))
        return PGF_ERROR_USAGE;
    for (guint i = 0; i < config->warnings->len; i++)
        out_warning(out, "%s", (const char *)config->warnings->pdata[i]);
    g_auto(TunnelEnd) end = {0};
    if (!tunnel_end_open(config, name, port, &end, error))
        return PGF_ERROR_CONNECT;
    if (program != NULL) {
        if (out->verbose)
            tell(&end, out);
        return run_program(&end, program, out, error);
    }
    print(&end, out);
    tell(&end, out);
    if (!hold(&end, NULL, out, error))
        return PGF_ERROR_CONNECT;
    out_notice(out, "The tunnel is closed.");
    return 0;
}

const Command command_tunnel = {
    .name = "tunnel",
    .summary = "hold the ssh tunnel to the target open for other programs",
    .synopsis = "[SOURCE] [-- COMMAND [ARG...]]",
    .description =
        "Opens the tunnel that `ssh:` of pgfold.yaml describes, checks that it leads to the pinned cluster, says what "
        "it leads to, and prints the DATABASE_URL to use, without a password. It is held open until Ctrl-C, and opened "
        "again when it drops.\n\n"
        "With COMMAND it is held open while that runs. COMMAND gets DATABASE_URL and the PG* variables, with the "
        "password that pgfold.yaml, PGPASSWORD, ~/.pgpass or a service file give.\n\n"
        "The tunnel ends in a unix socket in a folder that only its user may enter. With --port it also listens on a "
        "port of 127.0.0.1, which every user of this machine can reach; a port on which anything answers already is "
        "refused.",
    .options = options,
    .examples = examples,
    .exit_codes = "With COMMAND its own status, 128 and the number of the signal where one ended it. Without, 0 after "
                  "Ctrl-C, SIGTERM or SIGHUP.",
    .run = run,
};
