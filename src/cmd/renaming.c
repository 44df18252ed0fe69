/* The source's schema under the name that the configuration gives it in the target. */
#include <errno.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "cmd/analysis.h"

static bool make_folder(Comparison *comparison, GError **error)
{
    g_autofree char *template = g_build_filename(g_get_tmp_dir(), ANALYSIS_SCRATCH "XXXXXX", NULL);
    if (g_mkdtemp(template) == NULL) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Is the disk full, or the folder read-only?",
                      "cannot make the folder %s: %s", template, g_strerror(errno));
        return false;
    }
    comparison->rename_folder = g_steal_pointer(&template);
    return true;
}

/* "sources[1].into.schema (pgfold.yaml:9:13)" */
static char *label_of(const Ends *ends)
{
    guint index = 0;
    (void)g_ptr_array_find(ends->config->sources, ends->source_config, &index);
    g_autofree char *key = g_strdup_printf("sources[%u].into.schema", index);
    g_autofree char *where = config_where(ends->config, key);
    return g_strdup_printf("%s (%s)", key, where);
}

static bool make(Comparison *comparison, const Catalog *source, GError **error)
{
    const Ends *ends = comparison->ends;
    g_autofree char *label = label_of(ends);
    RenameSpec spec = {.source = ends->source,
                       .snapshot = ends->snapshot->id,
                       .label = label,
                       .from = ends->source_config->from_schema,
                       .to = ends->source_config->into_schema,
                       .skip = ends_skips,
                       .skip_data = comparison->ends};
    if (!make_folder(comparison, error))
        return false;
    spec.scratch = comparison->rename_folder;
    comparison->renamed = rename_make(&spec, source, error);
    return comparison->renamed != NULL;
}

bool comparison_rename(Catalog *source, gpointer data, GError **error)
{
    Comparison *comparison = data;
    const ConfigSource *config = comparison->ends->source_config;
    if (comparison->renamed == NULL && !make(comparison, source, error))
        return false;
    return catalog_rename(source, comparison->renamed->catalog, config->from_schema, config->into_schema, error);
}

void comparison_forget_names(Comparison *comparison)
{
    g_clear_pointer(&comparison->renamed, renamed_free);
    if (comparison->rename_folder != NULL)
        (void)g_rmdir(comparison->rename_folder);
    g_clear_pointer(&comparison->rename_folder, g_free);
}
