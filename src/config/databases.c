/* The databases of a server, each a source of its own (docs/databases.md). */
#include <string.h>

#include "base/error.h"
#include "config/read.h"

void config_derived_free(gpointer data)
{
    ConfigSource *source = data; /* all else is its base's */
    g_free(source->name);
    g_free(source->database);
    config_filter_clear(&source->include);
    config_filter_clear(&source->exclude);
    g_free(source);
}

char *config_file_name(const char *source_name)
{
    return g_strcanon(g_strdup(source_name), G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
}

bool config_is_database_of(const char *name, const char *source_name)
{
    gsize length = strlen(source_name);
    return strncmp(name, source_name, length) == 0 && name[length] == '/';
}

const ConfigSource *config_base(const ConfigSource *source)
{
    return source->base != NULL ? source->base : source;
}

const ConfigSource *config_database_source(const Config *config, const ConfigSource *base, const char *database)
{
    for (guint i = 0; i < config->derived->len; i++) {
        const ConfigSource *made = config->derived->pdata[i];
        if (made->base == base && strcmp(made->database, database) == 0)
            return made;
    }
    ConfigSource *source = g_memdup2(base, sizeof *base);
    source->base = base;
    source->name = g_strconcat(base->name, "/", database, NULL);
    source->database = g_strdup(database);
    source->into_database = source->database;
    source->databases = NULL;
    config_filter_copy(&base->include, &source->include);
    config_filter_copy(&base->exclude, &source->exclude);
    g_ptr_array_add(config->derived, source);
    return source;
}

const ConfigSource *config_named_source(const Config *config, const char *name, GError **error)
{
    const char *slash = strchr(name, '/');
    if (slash == NULL || slash[1] == '\0')
        return config_source(config, name, error);
    g_autofree char *first = g_strndup(name, (gsize)(slash - name));
    const ConfigSource *base = config_source(config, first, error);
    if (base == NULL)
        return NULL;
    if (base->databases != NULL)
        return config_database_source(config, base, slash + 1);
    pgf_error_set(error, PGF_ERROR_USAGE, "Name the source alone, or give it databases: all in pgfold.yaml.",
                  "source %s is one database: there is no %s", base->name, name);
    return NULL;
}
