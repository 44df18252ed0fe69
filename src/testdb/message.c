#include "testdb/message.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/wait.h"

enum { LINE_MAX_BYTES = 1 << 20 };

void request_clear(Request *request)
{
    for (gsize i = 0; i < G_N_ELEMENTS(request->strings); i++)
        g_free(request->strings[i]);
    g_strfreev(request->settings);
    *request = (Request){0};
}

void reply_clear(Reply *reply)
{
    g_free(reply->url);
    g_free(reply->folder);
    g_strfreev(reply->environment);
    *reply = (Reply){0};
}

static json_t *list_json(const char *const *list)
{
    json_t *array = json_array();
    for (const char *const *item = list; item != NULL && *item != NULL; item++)
        json_array_append_new(array, json_string(*item));
    return array;
}

static char **list_of(const json_t *array)
{
    gsize n = json_array_size(array);
    char **list = g_new0(char *, n + 1);
    for (gsize i = 0; i < n; i++)
        list[i] = g_strdup(json_string_value(json_array_get(array, i)));
    return list;
}

static char *line_of(json_t *document)
{
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    char *line = g_strdup(text);
    free(text);
    json_decref(document);
    return line;
}

static json_t *parse(const char *line, GError **error)
{
    json_t *document = json_loads(line, 0, NULL);
    if (document == NULL)
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "the testdb keeper was not understood");
    return document;
}

static char *string_in(const json_t *document, const char *key)
{
    return g_strdup(json_string_value(json_object_get(document, key)));
}

static int int_in(const json_t *document, const char *key)
{
    return (int)json_integer_value(json_object_get(document, key));
}

char *request_write(const TestDbOptions *options, const Owner *owner)
{
    return line_of(json_pack("{s:s?, s:s?, s:s?, s:s?, s:i, s:i, s:i, s:b, s:o, s:i, s:i, s:b}", "bindir",
                             options->bindir, "database", options->database, "user", options->user, "dir", options->dir,
                             "version", options->version, "min_version", options->min_version, "port", options->port,
                             "durable", (int)options->durable_data, "settings", list_json(options->settings), "uid",
                             (int)owner->uid, "gid", (int)owner->gid, "drop", (int)owner->drop));
}

bool request_read(const char *line, Request *ret_request, GError **error)
{
    json_t *document = parse(line, error);
    if (document == NULL)
        return false;
    Request *r = ret_request;
    *r = (Request){0};
    r->options.bindir = r->strings[0] = string_in(document, "bindir");
    r->options.database = r->strings[1] = string_in(document, "database");
    r->options.user = r->strings[2] = string_in(document, "user");
    r->options.dir = r->strings[3] = string_in(document, "dir");
    r->settings = list_of(json_object_get(document, "settings"));
    r->options.settings = (const char *const *)r->settings;
    r->options.version = int_in(document, "version");
    r->options.min_version = int_in(document, "min_version");
    r->options.port = int_in(document, "port");
    r->options.durable_data = json_is_true(json_object_get(document, "durable"));
    r->owner.uid = (uid_t)int_in(document, "uid");
    r->owner.gid = (gid_t)int_in(document, "gid");
    r->owner.drop = json_is_true(json_object_get(document, "drop"));
    json_decref(document);
    return true;
}

char *reply_write(const Reply *reply)
{
    return line_of(json_pack("{s:s, s:s, s:i, s:i, s:o}", "url", reply->url, "folder", reply->folder, "version",
                             reply->version, "keeper", reply->keeper, "environment",
                             list_json((const char *const *)reply->environment)));
}

char *reply_write_error(const GError *failure)
{
    /* A server's log may be in any encoding. */
    g_autofree char *text = g_utf8_make_valid(failure->message, -1);
    return line_of(json_pack("{s:s, s:i, s:s?}", "error", text, "code", pgf_error_exit_status(failure), "hint",
                             pgf_error_hint(failure)));
}

bool reply_read(const char *line, Reply *ret_reply, GError **error)
{
    *ret_reply = (Reply){0};
    json_t *document = parse(line, error);
    if (document == NULL)
        return false;
    const char *failure = json_string_value(json_object_get(document, "error"));
    if (failure != NULL) {
        pgf_error_set(error, (PgfErrorCode)int_in(document, "code"),
                      json_string_value(json_object_get(document, "hint")), "%s", failure);
        json_decref(document);
        return false;
    }
    ret_reply->url = string_in(document, "url");
    ret_reply->folder = string_in(document, "folder");
    ret_reply->version = int_in(document, "version");
    ret_reply->keeper = int_in(document, "keeper");
    ret_reply->environment = list_of(json_object_get(document, "environment"));
    json_decref(document);
    return true;
}

bool message_send(int fd, const char *line, GError **error)
{
    g_autofree char *text = g_strconcat(line, "\n", NULL);
    gsize len = strlen(text), sent = 0;
    while (sent < len) {
        ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot talk to the testdb keeper: %s", g_strerror(errno));
            break;
        }
        sent += (gsize)n;
    }
    explicit_bzero(text, len);
    return sent == len;
}

char *message_receive(int fd, Deadline deadline, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len == 0 || text->str[text->len - 1] != '\n') {
        char buffer[4096];
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        if (!wait_fds(&wanted, 1, deadline, error))
            return NULL;
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || text->len > LINE_MAX_BYTES) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "the testdb keeper went without an answer");
            return NULL;
        }
        g_string_append_len(text, buffer, n);
    }
    g_string_truncate(text, text->len - 1);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
