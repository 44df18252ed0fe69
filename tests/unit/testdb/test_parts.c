/* The small parts: versions, settings, checksums, messages. No server needed. */
#include <string.h>

#include "base/error.h"
#include "testdb/cluster.h"
#include "testdb/identity.h"
#include "testdb/message.h"
#include "testdb/server.h"

static void test_versions(void)
{
    g_assert_cmpint(server_parse_version("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), ==, 15);
    g_assert_cmpint(server_parse_version("postgres (PostgreSQL) 18beta1"), ==, 18);
    g_assert_cmpint(server_parse_version("bash: 15"), ==, 0);
    g_assert_cmpint(server_parse_version(""), ==, 0);
}

static void test_settings(void)
{
    static const struct {
        const char *given, *line;
    } good[] = {
        {"work_mem=64MB", "work_mem = '64MB'\n"},
        {"auto_explain.log_min_duration=0", "auto_explain.log_min_duration = '0'\n"},
        {"search_path=a, b", "search_path = 'a, b'\n"},
        {"log_line_prefix=it's \\", "log_line_prefix = 'it''s \\\\'\n"},
        {"x=", "x = ''\n"},
        {"x=a=b", "x = 'a=b'\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *line = cluster_setting_line(good[i].given, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(line, ==, good[i].line);
    }
    static const char *const bad[] = {
        "", "=1", "work_mem", "work mem=1", "1x=1", "a-b=1", "x=1\nfsync=on", "x=1\r", "port=1", "DATA_directory=/"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(cluster_setting_line(bad[i], &error));
        g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    }
}

static void test_crc(void)
{
    /* The check value of CRC-32C in the catalogue of parametrised CRC algorithms. */
    g_assert_cmphex(identity_crc("123456789", 9), ==, 0xE3069283);
}

static void test_request(void)
{
    const char *settings[] = {"a=1", "b=\"quoted\" \xc3\xa4", NULL};
    TestDbOptions options = {.bindir = "/bin",
                             .version = 15,
                             .min_version = 12,
                             .database = "a \"b\"",
                             .port = 5434,
                             .settings = settings,
                             .durable_data = true};
    Owner owner = {.uid = 4294967294u, .gid = 7, .drop = true};
    g_autofree char *line = request_write(&options, &owner);
    g_assert_null(strchr(line, '\n'));
    g_auto(Request) request = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(request_read(line, &request, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(request.options.bindir, ==, "/bin");
    g_assert_cmpstr(request.options.database, ==, "a \"b\"");
    g_assert_null(request.options.dir);
    g_assert_null(request.options.user);
    g_assert_cmpint(request.options.version, ==, 15);
    g_assert_cmpint(request.options.min_version, ==, 12);
    g_assert_cmpint(request.options.port, ==, 5434);
    g_assert_true(request.options.durable_data);
    g_assert_cmpuint(g_strv_length(request.settings), ==, 2);
    g_assert_cmpstr(request.options.settings[1], ==, settings[1]);
    g_assert_cmpuint(request.owner.uid, ==, owner.uid);
    g_assert_cmpuint(request.owner.gid, ==, 7);
    g_assert_true(request.owner.drop);
}

static void test_reply(void)
{
    g_autoptr(GError) failure = NULL, error = NULL;
    pgf_error_set(&failure, PGF_ERROR_CONNECT, "do this", "log: \xff\nline");
    g_autofree char *line = reply_write_error(failure);
    g_auto(Reply) reply = {0};
    g_assert_null(strchr(line, '\n'));
    g_assert_false(reply_read(line, &reply, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CONNECT);
    g_assert_cmpstr(pgf_error_hint(error), ==, "do this");
    g_assert_true(g_str_has_suffix(error->message, "\nline"));
    g_clear_error(&error);
    g_assert_false(reply_read("{", &reply, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_INTERNAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/the major version is read from what postgres says", test_versions);
    g_test_add_func("/settings/a setting becomes one quoted line or is refused", test_settings);
    g_test_add_func("/identity/the checksum is CRC-32C", test_crc);
    g_test_add_func("/message/a request arrives as it was sent", test_request);
    g_test_add_func("/message/an error arrives with code and hint, whatever bytes are in it", test_reply);
    return g_test_run();
}
