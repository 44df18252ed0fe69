#include "support.h"

#include <string.h>

#include "base/error.h"

Config *parse_good(const char *text)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text, strlen(text), "pgfold.yaml", CONFIG_CONNECTS, &error);
    g_assert_no_error(error);
    g_assert_nonnull(config);
    return config;
}

char *parse_bad(const char *text)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text, strlen(text), "pgfold.yaml", CONFIG_CONNECTS, &error);
    g_assert_null(config);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    return g_strdup(error->message);
}
