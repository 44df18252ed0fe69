#include <string.h>

#include "scan/mask.h"

static char *masked(const char *line)
{
    g_autoptr(GArray) ranges = mask_ranges(line);
    GString *text = g_string_new(NULL);
    gsize from = 0;
    for (guint i = 0; i < ranges->len; i++) {
        MaskRange range = g_array_index(ranges, MaskRange, i);
        g_assert_cmpuint(range.start, >=, from);
        g_string_append_len(text, line + from, (gssize)(range.start - from));
        g_string_append(text, "***");
        from = range.end;
    }
    g_string_append(text, line + from);
    return g_string_free(text, FALSE);
}

static void test_passwords_are_hidden_however_they_are_written(void)
{
    static const char *const LINES[] = {
        "postgres://app:S3CRET@localhost/app",
        "redis://:S3CRET@cache",
        "host=localhost password=S3CRET dbname=app",
        "\"host=localhost password='S3CRET' dbname=app\"",
        "Host=x;Password=S3CRET;Pooling=true",
        "pwd = \"S3CRET\"",
        "connect(host=\"localhost\", password=\"S3CRET\", port=1)",
        "password: S3CRET",
        "  \"password\": \"S3CRET\",",
        "os.getenv(\"DB_PASSWORD\", \"S3CRET\")",
        "os.environ.get('PGPASSWORD') or 'S3CRET'",
        "process.env.DB_PASS || 'S3CRET'",
        "ENV[\"DB_PASSWORD\"] || \"S3CRET\"",
        "${DB_PASSWORD:-S3CRET}",
        "PGPASSWORD=S3CRET psql -h localhost",
        "ENV POSTGRES_PASSWORD S3CRET",
        "pg --password S3CRET",
        "'password' => env('DB_PASSWORD', 'S3CRET'),",
        "{ POSTGRES_PASSWORD: S3CRET }",
        ".password(\"S3CRET\")",
        "var dbPassword string = \"S3CRET\"",
    };
    for (guint i = 0; i < G_N_ELEMENTS(LINES); i++) {
        g_autofree char *text = masked(LINES[i]);
        g_test_message("%s -> %s", LINES[i], text);
        g_assert_null(strstr(text, "S3CRET"));
        g_assert_nonnull(strstr(text, "***"));
    }
}

static void test_names_and_places_stay(void)
{
    static const char *const LINES[] = {
        "connect(password=os.environ[\"DB_PASSWORD\"], host=\"localhost\")",
        "postgres://app@localhost/app",
        "passenger = 'x'",
        "DB_HOST=localhost",
    };
    g_autofree char *first = masked(LINES[0]);
    g_assert_nonnull(strstr(first, "\"localhost\""));
    for (guint i = 1; i < G_N_ELEMENTS(LINES); i++) {
        g_autofree char *text = masked(LINES[i]);
        g_assert_cmpstr(text, ==, LINES[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/mask/hidden", test_passwords_are_hidden_however_they_are_written);
    g_test_add_func("/scan/mask/stay", test_names_and_places_stay);
    return g_test_run();
}
