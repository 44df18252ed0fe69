/* What of a source is folded: lists of patterns. */
#include "config/read.h"

static char **no_patterns(void)
{
    return g_new0(char *, 1);
}

void config_filter_init(ConfigFilter *filter)
{
    filter->schemas = no_patterns();
    filter->tables = no_patterns();
    filter->extensions = no_patterns();
    filter->databases = no_patterns();
}

void config_filter_copy(const ConfigFilter *from, ConfigFilter *ret_to)
{
    ret_to->schemas = g_strdupv(from->schemas);
    ret_to->tables = g_strdupv(from->tables);
    ret_to->extensions = g_strdupv(from->extensions);
    ret_to->databases = g_strdupv(from->databases);
}

void config_filter_clear(ConfigFilter *filter)
{
    g_strfreev(filter->schemas);
    g_strfreev(filter->tables);
    g_strfreev(filter->extensions);
    g_strfreev(filter->databases);
}

static bool has_any(const ConfigFilter *filter)
{
    return filter->schemas[0] != NULL || filter->tables[0] != NULL || filter->extensions[0] != NULL;
}

bool config_is_filtered(const ConfigSource *source)
{
    return has_any(&source->include) || has_any(&source->exclude);
}

void config_set_patterns(char ***list, const char *const *patterns)
{
    if (patterns[0] == NULL)
        return;
    g_strfreev(*list);
    *list = g_strdupv((char **)(guintptr)patterns);
}

void config_add_patterns(char ***list, const char *const *patterns)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_addv(builder, (const char **)*list);
    g_strv_builder_addv(builder, (const char **)(guintptr)patterns);
    g_strfreev(*list);
    *list = g_strv_builder_end(builder);
}
