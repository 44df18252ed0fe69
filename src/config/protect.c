#include "config/protect.h"

#include <fnmatch.h>
#include <string.h>

#include "base/error.h"
#include "config/mistakes.h"
#include "config/path.h"

static const char *const KEYS[] = {
    [CONFIG_PROTECT_DATABASES] = "databases",   [CONFIG_PROTECT_SCHEMAS] = "schemas",
    [CONFIG_PROTECT_TABLES] = "tables",         [CONFIG_PROTECT_ROLES] = "roles",
    [CONFIG_PROTECT_CONTAINERS] = "containers", [CONFIG_PROTECT_PATHS] = "paths",
};

bool config_is_pattern(const char *entry)
{
    return strpbrk(entry, "*?[") != NULL;
}

/* An entry with a bracket in it is also taken as it is written. */
static bool is_matched(const char *entry, const char *name)
{
    return strcmp(entry, name) == 0 || fnmatch(entry, name, 0) == 0;
}

static int index_of(const Config *config, ConfigProtectKind kind, const char *name)
{
    char *const *entries = config->protect[kind];
    for (int i = 0; entries[i] != NULL; i++) {
        if (is_matched(entries[i], name))
            return i;
    }
    return -1;
}

const char *config_protected(const Config *config, ConfigProtectKind kind, const char *name)
{
    int index = index_of(config, kind, name);
    return index < 0 ? NULL : config->protect[kind][index];
}

const char *config_protects_table(const Config *config, const char *schema, const char *table)
{
    g_autofree char *label = g_strconcat(schema, ".", table, NULL);
    const char *entry = config_protected(config, CONFIG_PROTECT_SCHEMAS, schema);
    return entry != NULL ? entry : config_protected(config, CONFIG_PROTECT_TABLES, label);
}

const char *config_protects_container(const Config *config, const char *name)
{
    return config_protected(config, CONFIG_PROTECT_CONTAINERS, name);
}

/* advice: "choose another database". what: "target: the database \"archon\"". */
static bool refuse(const Config *config, ConfigProtectKind kind, int index, const char *what, const char *advice,
                   GError **error)
{
    g_autofree char *key = g_strdup_printf("protect.%s[%d]", KEYS[kind], index);
    g_autofree char *where = config_where(config, key);
    g_autofree char *entry = config_quote(config->protect[kind][index]);
    char *hint = g_strdup_printf("%s, or take %s out of protect.%s", advice, entry, KEYS[kind]);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint, "%s is protected (%s)", what, where);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

bool config_check_protected(const Config *config, const char *label, const char *database, GError **error)
{
    int index = index_of(config, CONFIG_PROTECT_DATABASES, database);
    g_autofree char *what = g_strdup_printf("%s: the database \"%s\"", label, database);
    return index < 0 || refuse(config, CONFIG_PROTECT_DATABASES, index, what, "choose another database", error);
}

bool config_check_protected_role(const Config *config, const char *label, const char *role, GError **error)
{
    int index = index_of(config, CONFIG_PROTECT_ROLES, role);
    g_autofree char *what = g_strdup_printf("%s: the role \"%s\", which would write or be changed,", label, role);
    return index < 0 || refuse(config, CONFIG_PROTECT_ROLES, index, what, "connect as another role", error);
}

bool config_check_protected_container(const Config *config, const char *label, const char *container, GError **error)
{
    int index = index_of(config, CONFIG_PROTECT_CONTAINERS, container);
    g_autofree char *what = g_strdup_printf("%s: the container %s", label, container);
    return index < 0 || refuse(config, CONFIG_PROTECT_CONTAINERS, index, what, "start and stop it yourself", error);
}

bool config_check_protected_path(const Config *config, const char *what, const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *resolved = path_resolve(absolute);
    char *const *entries = config->protect[CONFIG_PROTECT_PATHS];
    for (int i = 0; entries[i] != NULL; i++) {
        if (!config_path_matches(config, entries[i], absolute) && !config_path_matches(config, entries[i], resolved))
            continue;
        g_autofree char *subject = g_strdup_printf("%s %s", what, path);
        return refuse(config, CONFIG_PROTECT_PATHS, i, subject, "choose another place", error);
    }
    return true;
}

/* Where the first component with a pattern starts. */
static const char *first_pattern(const char *entry)
{
    const char *special = strpbrk(entry, "*?[");
    if (special == NULL)
        return entry + strlen(entry);
    while (special > entry && special[-1] != '/')
        special--;
    return special;
}

char *config_path_root(const Config *config, const char *entry)
{
    g_autofree char *head = g_strndup(entry, (gsize)(first_pattern(entry) - entry));
    return g_canonicalize_filename(*head == '\0' ? "." : head, config->folder);
}

/* What of path lies below folder; NULL: it does not. */
static const char *below(const char *path, const char *folder)
{
    gsize length = strlen(folder);
    if (length == 1)
        return path + 1;
    return g_str_has_prefix(path, folder) && (path[length] == '/' || path[length] == '\0') ? path + length : NULL;
}

static bool matches_below(const char *path, const char *folder, const char *pattern)
{
    const char *relative = below(path, folder);
    return relative != NULL && path_matches(pattern, relative);
}

bool config_path_matches(const Config *config, const char *entry, const char *absolute)
{
    const char *pattern = first_pattern(entry);
    g_autofree char *root = config_path_root(config, entry);
    g_autofree char *resolved = path_resolve(root);
    return matches_below(absolute, root, pattern) || matches_below(absolute, resolved, pattern);
}

bool config_path_listed(const Config *config, char *const *entries, const char *folder, const char *file)
{
    g_autofree char *absolute = g_build_filename(folder, file, NULL);
    for (guint i = 0; entries[i] != NULL; i++)
        if (config_path_matches(config, entries[i], absolute))
            return true;
    return false;
}
