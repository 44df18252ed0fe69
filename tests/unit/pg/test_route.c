/* Where a connection string leads when it is to go through an ssh host, and what becomes of it. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "pg/conn.h"
#include "pg/route.h"

typedef struct Case {
    const char *url, *host, *name, *port;
    bool tls;
} Case;

static const Case CASES[] = {
    {"postgresql:///app", "localhost", "localhost", "5432", false},
    {"postgresql://me@/app?port=6000", "localhost", "localhost", "6000", false},
    {"postgresql://db.internal:5433/app", "db.internal", "db.internal", "5433", false},
    {"host=/run/postgresql dbname=app sslmode=require", "/run/postgresql", "/run/postgresql", "5432", false},
    {"host=db.internal hostaddr=10.0.0.7 sslmode=verify-full", "10.0.0.7", "db.internal", "5432", true},
    {"postgresql://[::1]/app?sslmode=require", "::1", "::1", "5432", true},
    {"postgresql://db/app?channel_binding=require", "db", "db", "5432", true},
    {"service=far", "far.internal", "far.internal", "7000", false},
};

static void test_address(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Case *one = &CASES[i];
        g_autoptr(GError) error = NULL;
        g_auto(PgAddress) address = {0};
        g_assert_true(pg_address_find("target", one->url, &address, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(address.host, ==, one->host);
        g_assert_cmpstr(address.server_name, ==, one->name);
        g_assert_cmpstr(address.port, ==, one->port);
        g_assert_cmpint(address.demands_tls, ==, one->tls);
    }
}

static void check_refused(const char *url, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_auto(PgAddress) address = {0};
    g_assert_false(pg_address_find("target", url, &address, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_null(strstr(error->message, "s3cret"));
}

static void test_refused(void)
{
    check_refused("host=one,two dbname=app", "several servers");
    check_refused("postgresql://me:s3cret@[/app", "not a PostgreSQL connection string");
    check_refused("service=nowhere password=s3cret", "nowhere");
}

static void test_redirected(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = pg_url_redirect("target", "postgresql://me:it's%5C@db:5433/app?connect_timeout=7",
                                           "/tmp/way", NULL, "5433", &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(url, "host='/tmp/way' hostaddr='' requirepeer='' port='5433' "));
    g_assert_nonnull(strstr(url, "dbname='app'"));
    g_assert_nonnull(strstr(url, "connect_timeout='7'"));
    g_assert_nonnull(strstr(url, "password='it\\'s\\\\'"));
    g_assert_null(strstr(url, "target_session_attrs"));
}

static void test_password_is_that_of_the_real_server(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = pg_url_redirect("target", "postgresql://me@db.internal:5433/app?target_session_attrs=any",
                                           "/tmp/way", NULL, "5433", &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(url, "password='from the file'"));
    g_assert_nonnull(strstr(url, "target_session_attrs='any'"));
}

static void test_password_of_localhost(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = pg_url_redirect("target", "postgresql://me@/app", "/tmp/way", NULL, "5432", &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(url, "password='of localhost'"));
}

static void test_route_is_no_connection_string(void)
{
    g_autofree char *text = route_wrap("me@vps", NULL, "auto", "host=localhost password=s3cret");
    g_auto(Route) route = {0};
    g_assert_true(route_parse(text, &route));
    g_assert_cmpstr(route.host, ==, "me@vps");
    g_assert_null(route.config);
    g_assert_cmpstr(route.url, ==, "host=localhost password=s3cret");
    g_assert_cmpstr(route_url(text), ==, route.url);
    g_assert_cmpstr(route_url("host=x"), ==, "host=x");
    g_autofree char *shown = pg_url_display(text);
    g_assert_cmpstr(shown, ==, "host=localhost through ssh me@vps");
    g_auto(PgAddress) address = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(pg_address_find("target", text, &address, &error));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *folder = g_dir_make_tmp("pgfold-route-XXXXXX", NULL);
    g_autofree char *services = g_build_filename(folder, "services", NULL);
    g_autofree char *passwords = g_build_filename(folder, "passwords", NULL);
    g_file_set_contents(services, "[far]\nhost=far.internal\nport=7000\n", -1, NULL);
    g_file_set_contents(passwords, "db.internal:5433:app:me:from the file\nlocalhost:5432:app:me:of localhost\n", -1,
                        NULL);
    g_chmod(passwords, 0600);
    g_setenv("PGSERVICEFILE", services, TRUE);
    g_setenv("PGPASSFILE", passwords, TRUE);
    g_setenv("PGHOST", "/of/this/machine", TRUE);
    g_setenv("PGPORT", "1234", TRUE);
    g_test_add_func("/pg/route/address-is-the-one-that-the-ssh-host-sees", test_address);
    g_test_add_func("/pg/route/what-leads-nowhere-is-refused", test_refused);
    g_test_add_func("/pg/route/redirected-with-everything-else-as-it-was", test_redirected);
    g_test_add_func("/pg/route/password-is-that-of-the-real-server", test_password_is_that_of_the_real_server);
    g_test_add_func("/pg/route/without-a-host-it-is-that-of-localhost", test_password_of_localhost);
    g_test_add_func("/pg/route/is-no-connection-string", test_route_is_no_connection_string);
    int status = g_test_run();
    g_remove(services);
    g_remove(passwords);
    g_rmdir(folder);
    return status;
}
