/* Passwords in connection strings: found, warned about, taken out of texts; and never shown by a mistake. */
#include <string.h>

#include "config/secret.h"
#include "support.h"

typedef struct SecretCase {
    const char *url, *secrets; /* joined with "|" */
} SecretCase;

static const SecretCase SECRETS[] = {
    {"postgresql://app@localhost/app", ""},
    {"postgresql://app:@localhost/app", ""},
    {"postgresql://app:s3cret@localhost/app", "s3cret"},
    {"postgres://app:p%40ss@localhost:5432/app?sslmode=require", "p@ss|p%40ss"},
    {"postgresql://app:p@ss@localhost/app", "p@ss"},
    {"postgresql://app:p/ss@localhost/app", "p/ss"},
    {"postgresql://app:p?ss@localhost/app", "p?ss"},
    {"postgresql://localhost/app?user=app&password=s3cret", "s3cret"},
    {"postgresql://localhost/app?sslpassword=k%20y&password=", "k y|k%20y"},
    {"postgresql:///app?host=/tmp:1@2", ""},
    {"host=localhost password=s3cret dbname=app", "s3cret"},
    {"host=localhost password = 's3 c\\'ret' dbname=app", "s3 c'ret|'s3 c\\'ret'"},
    {"password=a\\ b", "a b|a\\ b"},
    {"passfile=/home/me/.pgpass", ""},
    {"service=old_vps", ""},
    {"sslpassword=key", "key"},
    {"password", ""},
    {"password='unclosed", "unclosed|'unclosed"},
    {"", ""},
};

static void test_secrets(gconstpointer data)
{
    const SecretCase *one = data;
    char **secrets = config_secrets(one->url);
    g_autofree char *joined = g_strjoinv("|", secrets);
    g_assert_cmpstr(joined, ==, one->secrets);
    config_secrets_free(secrets);
}

/* joined here: what is left */
static const SecretCase WITHOUT[] = {
    {"${DATABASE_URL}", "${DATABASE_URL}"},
    {"postgresql://app@vps/app?sslmode=require", "postgresql://app@vps/app?sslmode=require"},
    {"postgresql://app:${PW}@vps:6432/app", "postgresql://app@vps:6432/app"},
    {"postgresql://${USER}:s3?cr@et@${HOST}/app", "postgresql://${USER}@${HOST}/app"},
    {"postgresql://vps/app?password=s3cret", "postgresql://vps/app"},
    {"postgresql://vps/app?user=a&password=s3cret&sslmode=require", "postgresql://vps/app?user=a&sslmode=require"},
    {"host=vps password = 's3 cret' dbname = app", "host=vps dbname = app"},
    {" password=s3cret", ""},
    {"service=app", "service=app"},
};

static void test_without_secrets(gconstpointer data)
{
    const SecretCase *one = data;
    g_autofree char *text = config_without_secrets(one->url);
    g_assert_cmpstr(text, ==, one->secrets);
}

static void test_redact(void)
{
    g_autoptr(Config) config =
        config_new_adhoc("host=old password=hunter2 dbname=app", "postgresql://app:p%40ssw@vps/app");
    g_autofree char *text = config_redact(config, "cannot reach postgresql://app:p%40ssw@vps/app; p@ssw and hunter2");
    g_assert_cmpstr(text, ==, "cannot reach ****; **** and ****");
}

static void test_redact_leaves_other_text(void)
{
    g_autoptr(Config) config = config_new_adhoc("service=a", NULL);
    g_autofree char *text = config_redact(config, "nothing to hide");
    g_assert_cmpstr(text, ==, "nothing to hide");
}

static void test_literal_password_warns(void)
{
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target:\n"
                                          "  url: postgresql://app:s3cret@vps/app\n"
                                          "sources:\n"
                                          "  - name: a\n"
                                          "    url: \"password='hunter2'\"\n");
    g_assert_cmpuint(config->warnings->len, ==, 2);
    const char *first = g_ptr_array_index(config->warnings, 0);
    const char *second = g_ptr_array_index(config->warnings, 1);
    g_assert_true(g_str_has_prefix(first, "pgfold.yaml:3:8: the password in target.url stands in the file; write "));
    g_assert_true(g_str_has_prefix(second, "pgfold.yaml:6:10: the password in sources[0].url stands in the file; "));
    g_assert_null(strstr(first, "s3cret"));
    g_assert_null(strstr(second, "hunter2"));
}

static void test_password_from_variable_does_not_warn(void)
{
    g_setenv("PGFOLD_TEST_PW", "s3cret", TRUE);
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target: { url: 'postgresql://app:${PGFOLD_TEST_PW}@vps/app' }\n"
                                          "sources:\n"
                                          "  - { name: a, url: \"password='${PGFOLD_TEST_PW}'\" }\n"
                                          "  - { name: b, url: \"host=x password=${PGFOLD_TEST_PW} port=1\" }\n");
    g_assert_cmpuint(config->warnings->len, ==, 0);
    g_assert_cmpstr(config->target.url, ==, "postgresql://app:s3cret@vps/app");
}

static void test_mistakes_hide_connection_strings(void)
{
    static const char *const FILES[] = {
        "version: 1\npostgresql://app:s3cret@vps/app: x\n",
        BASE "fold: { on_conflict: 'postgresql://app:s3cret@vps/app' }\n",
        BASE "fold: { jobs: postgresql://app:s3cret@vps/app }\n",
        BASE "fold: { tables: { 'password=s3cret': {} } }\n",
        "version: 1\ntarget: postgresql://app:s3cret@vps/app\n",
        "version: 1\ntarget: { url: x }\nsources: [ 'postgresql://app:s3cret@vps/app' ]\n",
        "version: 1\ntarget: { url: x }\nsources: [ { name: 'password=s3cret', url: x } ]\n",
        "version: 1\ntarget: { url: 'postgresql://app:s3cret@vps/$x' }\n",
        "version: 1\ntarget: { url: 'postgresql://app:${PGFOLD_TEST_UNSET:-s3cret}@vps/x' }\n",
        BASE "testdb: { settings: { 'password=s3cret': 1 } }\n",
        "version: 1\ntarget: { url: \"postgresql://app:s3cret@vps/a\\nb\" }\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *message = parse_bad(FILES[i]);
        g_assert_null(strstr(message, "s3cret"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(SECRETS); i++) {
        g_autofree char *name = g_strdup_printf("/config/secret/is-found-in-a-connection-string/%zu", i + 1);
        g_test_add_data_func(name, &SECRETS[i], test_secrets);
    }
    for (guint i = 0; i < G_N_ELEMENTS(WITHOUT); i++) {
        g_autofree char *name = g_strdup_printf("/config/secret/is-left-out-%u", i);
        g_test_add_data_func(name, &WITHOUT[i], test_without_secrets);
    }
    g_test_add_func("/config/redact/takes-urls-and-passwords-out-of-a-text", test_redact);
    g_test_add_func("/config/redact/leaves-other-text-alone", test_redact_leaves_other_text);
    g_test_add_func("/config/secret/in-the-file-is-warned-about", test_literal_password_warns);
    g_test_add_func("/config/secret/from-a-variable-is-not-warned-about", test_password_from_variable_does_not_warn);
    g_test_add_func("/config/mistake/never-shows-a-connection-string", test_mistakes_hide_connection_strings);
    return g_test_run();
}
