#include "scan/judge.h"

#include <string.h>

#include "scan/classify.h"
#include "scan/connection.h"
#include "scan/evidence.h"
#include "scan/language.h"
#include "scan/names.h"
#include "scan/spoken.h"

#define OTHERS_MAX 2000 /* groups that are looked through for parts of one connection */

/* Settings that together make a connection. */
typedef struct Group {
    guint container, scope;
    char *prefix;
    const Setting *roles[ROLE_DATABASE + 1]; /* by role: the host is local; of ROLE_NONE: a host that is not */
    bool closed;
} Group;

typedef struct Judge {
    const ScanContext *context;
    const Source *source;
    ScanClass class;
    guint test_start, test_end; /* of a module of tests within the file */
    Evidence *evidence;
    GPtrArray *findings;
    GArray *groups;       /* of Group */
    GHashTable *newest;   /* "container scope prefix" -> index of the newest such group + 1 */
    GHashTable *hostless; /* prefix -> GArray of indexes of groups without a host */
    GHashTable *judged;   /* start of a value -> kind + 1: judged already */
} Judge;

static bool is_service(const Judge *judge, const char *host)
{
    for (guint i = 0; i < judge->context->services->len; i++) {
        const ScanService *service = judge->context->services->pdata[i];
        if (strcmp(service->name, host) == 0)
            return true;
    }
    return false;
}

static bool leads_here(const Judge *judge, const char *host)
{
    return host != NULL && (host_is_local(host) || is_service(judge, host));
}

/* The ephemeral database of testdb, or of a compose file of tests. */
static bool is_ephemeral(const Judge *judge, const char *host, const char *port, const char *database)
{
    const Config *config = judge->context->options->config;
    if (config != NULL && config->testdb.port != 0 && port != NULL && atoi(port) == config->testdb.port)
        return true;
    if (config != NULL && config->testdb.database != NULL && database != NULL &&
        strcmp(database, config->testdb.database) == 0 && (port == NULL || config->testdb.port == 0))
        return true;
    for (guint i = 0; i < judge->context->services->len; i++) {
        const ScanService *service = judge->context->services->pdata[i];
        if (service->test && ((port != NULL && g_strv_contains((const char *const *)service->ports, port)) ||
                              (host != NULL && !host_is_local(host) && strcmp(host, service->name) == 0)))
            return true;
    }
    return false;
}

static ScanClass class_at(const Judge *judge, guint at)
{
    return judge->class == SCAN_PRODUCTION && at >= judge->test_start && at < judge->test_end ? SCAN_TEST
                                                                                              : judge->class;
}

static ScanFinding *add(Judge *judge, const char *rule, const Setting *setting, guint start, guint end)
{
    ScanClass class = class_at(judge, start);
    bool test = class == SCAN_TEST && g_str_has_prefix(rule, "local-s") == false &&
                strcmp(rule, "local-reference") != 0 && strcmp(rule, "no-host") != 0;
    ScanFinding *finding = scan_finding_new(scan_rule(test ? "test-fallback" : rule), judge->source, class, start, end);
    finding->whole_start = setting->whole_start;
    finding->whole_end = setting->whole_end;
    g_ptr_array_add(judge->findings, finding);
    return finding;
}

static const char *setting_label(const Setting *setting)
{
    return setting->variable != NULL ? setting->variable : setting->name != NULL ? setting->name : NULL;
}

static char *connection_label(const Connection *connection)
{
    GString *label = g_string_new(NULL);
    g_string_append(label, connection->host == NULL ? "a local socket" : connection->host);
    if (connection->port != NULL && strchr(connection->port, CONNECTION_HOLE) == NULL)
        g_string_append_printf(label, ":%s", connection->port);
    for (char *at = label->str; *at != '\0'; at++)
        if (*at == CONNECTION_HOLE)
            *at = '*';
    return g_string_free(label, FALSE);
}

static void say(ScanFinding *finding, const Setting *setting, const Connection *connection)
{
    g_autofree char *where = connection_label(connection);
    const char *label = setting_label(setting);
    finding->variable = g_strdup(setting->variable);
    if (setting->kind == SETTING_DEFAULT && label != NULL)
        finding->message = g_strdup_printf("%s falls back to a database at %s", label, where);
    else if (label != NULL)
        finding->message = g_strdup_printf("%s is a connection string to %s", label, where);
    else
        finding->message = g_strdup_printf("a connection string to %s", where);
}

/* Not a constant that is defined elsewhere. */
static bool value_is_inside(const Setting *setting)
{
    return setting->start >= setting->whole_start && setting->end <= setting->whole_end;
}

static bool host_is_unknown(const char *host)
{
    return strchr(host, CONNECTION_HOLE) != NULL || strpbrk(host, "${}<>%*()") != NULL || *host == '\0';
}

/* One connection string in a setting; offset: of its text in the file, where the value is written as it stands. */
/* The call around says that it is a default: a flag's, an option's. */
static bool owner_is_default(const Setting *setting)
{
    static const char *const WORDS[] = {"flag.",     "Flag",      "option(",     "Option(",  "add_argument",
                                        "getOrElse", "get_env",   "Keyword.get", "getattr",  "cmp.Or",
                                        "unwrap_or", "OrDefault", "Argument(",   "setting ", "setting(",
                                        "default",   NULL};
    for (guint i = 0; setting->owner != NULL && WORDS[i] != NULL; i++)
        if (strstr(setting->owner, WORDS[i]) != NULL)
            return true;
    return false;
}

static void judge_connection(Judge *judge, const Setting *setting, const Connection *connection)
{
    const char *host = connection->host;
    if (!connection->sure && !judge->evidence->file_postgres)
        return;
    if (is_ephemeral(judge, host, connection->port, connection->database))
        return;
    guint start = setting->start, end = setting->end;
    if (setting->words) {
        start = setting->start + connection->start;
        end = setting->start + connection->end;
    } else if (!value_is_inside(setting) && setting->kind == SETTING_DEFAULT) {
        start = setting->whole_start;
        end = setting->whole_end;
    }
    if (leads_here(judge, host)) {
        ScanFinding *finding =
            add(judge, setting->kind == SETTING_DEFAULT || owner_is_default(setting) ? "env-default" : "local-url",
                setting, start, end);
        say(finding, setting, connection);
        if (connection->has_password)
            finding->severity = SCAN_SECRET;
    } else if (host == NULL) {
        if ((connection->form == CONNECTION_ADO) || (connection->database == NULL && connection->user == NULL) ||
            (connection->database != NULL && strchr(connection->database, CONNECTION_HOLE) == connection->database))
            return;
        ScanFinding *finding = add(judge, "no-host", setting, start, end);
        say(finding, setting, connection);
    } else if (connection->has_password && !host_is_unknown(host) && judge->class != SCAN_DOCS &&
               class_at(judge, start) != SCAN_TEST && strlen(host) > 2) {
        ScanFinding *finding = add(judge, "password", setting, start, end);
        say(finding, setting, connection);
        finding->severity = SCAN_SECRET;
    }
}

/* Within "${NAME:?...}", the message of a variable that must be set. */
static bool is_in_message(const char *text, gsize at)
{
    while (at > 0 && text[at] != '}' && text[at] != '\n') {
        if (text[at] == '?' && (text[at - 1] == ':' || g_ascii_isalnum(text[at - 1])))
            return memchr(text, '{', at) != NULL;
        at--;
    }
    return false;
}

static bool judge_words(Judge *judge, const Setting *setting)
{
    gsize length = strlen(setting->value);
    bool found = false;
    for (gsize from = 0; from < length;) {
        g_auto(Connection) connection = connection_find(setting->value, length, from);
        if (connection.form == CONNECTION_NONE)
            break;
        found = true;
        if (!is_in_message(setting->value, connection.start))
            judge_connection(judge, setting, &connection);
        from = connection.end;
    }
    return found;
}

/* "localhost:5432", "localhost/app" as the value of a URL: the host of it. */
static bool is_local_place(const Judge *judge, const char *value)
{
    gsize length = strcspn(value, ":/,");
    if (length == 0 || (value[length] == ':' && value[length + 1] == '/'))
        return leads_here(judge, value);
    g_autofree char *host = g_strndup(value, length);
    return leads_here(judge, value) ||
           (leads_here(judge, host) && (value[length] == '\0' || value[length] == ',' ||
                                        g_str_has_prefix(value + length, ":54") || value[length] == '/'));
}

static NameMeaning setting_meaning(const Setting *setting)
{
    NameMeaning meaning = name_meaning(setting->variable != NULL ? setting->variable : setting->name);
    if (meaning.role == ROLE_NONE && setting->variable != NULL && setting->name != NULL) {
        bool database = meaning.database;
        meaning = name_meaning(setting->name);
        meaning.database |= database;
    }
    return meaning;
}

static Group *group_of(Judge *judge, const Setting *setting, NameRole role)
{
    const char *label = setting_label(setting);
    g_autofree char *prefix = setting->variable != NULL ? name_prefix(setting->variable)
                                                        : name_prefix(setting->path != NULL ? setting->path : label);
    guint container = setting->container;
    guint scope = *prefix == '\0' ? setting->scope : 0;
    /* The newest of its kind, unless it has one of this role already. */
    char *key = g_strdup_printf("%u %u %s", container, scope, prefix);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(judge->newest, key));
    if (known != 0 && g_array_index(judge->groups, Group, known - 1).roles[role] == NULL) {
        g_free(key);
        return &g_array_index(judge->groups, Group, known - 1);
    }
    g_hash_table_replace(judge->newest, key, GUINT_TO_POINTER(judge->groups->len + 1));
    Group group = {.container = container, .scope = scope, .prefix = g_steal_pointer(&prefix)};
    g_array_append_val(judge->groups, group);
    return &g_array_index(judge->groups, Group, judge->groups->len - 1);
}

static void judge_part(Judge *judge, const Setting *setting)
{
    NameMeaning meaning = setting_meaning(setting);
    NameRole role = meaning.role;
    if (role == ROLE_NONE || setting->words || strchr(setting->value, ' ') != NULL)
        return;
    if (role == ROLE_URL && !is_local_place(judge, setting->value))
        return;
    if (role == ROLE_URL)
        role = ROLE_HOST;
    if (setting->variable == NULL && setting->name == NULL)
        return;
    if (!evidence_is_database(judge->evidence, judge->source, setting, meaning))
        return;
    if (role == ROLE_HOST && !is_local_place(judge, setting->value)) {
        if (!host_is_unknown(setting->value) && strchr(setting->value, '.') != NULL &&
            (setting->container != 0 || setting->kind == SETTING_DEFAULT))
            group_of(judge, setting, ROLE_NONE)->roles[ROLE_NONE] = setting;
        return;
    }
    group_of(judge, setting, role)->roles[role] = setting;
}

static void add_part(const Judge *judge, ScanFinding *finding, NameRole role, const Setting *setting)
{
    ScanPart *part = g_new0(ScanPart, 1);
    part->role = role_word(role);
    part->name = g_strdup(setting_label(setting));
    part->value = g_strdup(role == ROLE_PASSWORD && *setting->value != '\0' ? "***" : setting->value);
    part->place = scan_place(judge->source, setting->whole_start, setting->whole_end);
    g_ptr_array_add(finding->parts, part);
}

static void find_hostless(Judge *judge)
{
    judge->hostless = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < judge->groups->len; i++) {
        const Group *group = &g_array_index(judge->groups, Group, i);
        if (group->roles[ROLE_HOST] != NULL)
            continue;
        GArray *same = g_hash_table_lookup(judge->hostless, group->prefix);
        if (same == NULL) {
            same = g_array_new(FALSE, FALSE, sizeof(guint));
            g_hash_table_insert(judge->hostless, group->prefix, same);
        }
        g_array_append_val(same, i);
    }
}

/* Parts of the same connection may stand in several containers, or beside the one that has the host. */
static bool belongs(const Group *group, const Group *other)
{
    return group->scope == other->scope &&
           (group->container == other->container || group->container == 0 || other->container == 0);
}

/* Of a host that is not local. */
static void judge_password(Judge *judge, const Group *group)
{
    const Setting *password = group->roles[ROLE_PASSWORD];
    if (group->roles[ROLE_NONE] == NULL || password == NULL || judge->class == SCAN_DOCS || judge->class == SCAN_TEST ||
        !password_is_literal(password->value, strlen(password->value)))
        return;
    ScanFinding *finding = add(judge, "password", password, password->start, password->end);
    scan_finding_hide(finding);
    finding->message =
        g_strdup_printf("%s is a password for %s", setting_label(password), group->roles[ROLE_NONE]->value);
    finding->severity = SCAN_SECRET;
}

static void judge_group(Judge *judge, guint index)
{
    Group *group = &g_array_index(judge->groups, Group, index);
    const Setting *host = group->roles[ROLE_HOST];
    if (host == NULL) {
        judge_password(judge, group);
        return;
    }
    const Setting *roles[ROLE_DATABASE + 1];
    memcpy(roles, group->roles, sizeof roles);
    const GArray *others = g_hash_table_lookup(judge->hostless, group->prefix);
    for (guint i = 0; others != NULL && i < MIN(others->len, OTHERS_MAX); i++) {
        const Group *other = &g_array_index(judge->groups, Group, g_array_index(others, guint, i));
        for (int role = ROLE_PORT; belongs(group, other) && role <= ROLE_DATABASE; role++)
            if (roles[role] == NULL)
                roles[role] = other->roles[role];
    }
    if (is_ephemeral(judge, host->value, roles[ROLE_PORT] == NULL ? NULL : roles[ROLE_PORT]->value,
                     roles[ROLE_DATABASE] == NULL ? NULL : roles[ROLE_DATABASE]->value))
        return;
    guint defaults = 0;
    for (int role = ROLE_HOST; role <= ROLE_DATABASE; role++)
        defaults += roles[role] != NULL && roles[role]->kind == SETTING_DEFAULT;
    const char *rule = host->kind != SETTING_DEFAULT ? "local-host" : defaults >= 2 ? "parts-default" : "env-default";
    ScanFinding *finding = value_is_inside(host) ? add(judge, rule, host, host->start, host->end)
                                                 : add(judge, rule, host, host->whole_start, host->whole_end);
    finding->variable = g_strdup(host->variable);
    finding->message = host->kind == SETTING_DEFAULT
                           ? g_strdup_printf("%s falls back to the host %s", setting_label(host), host->value)
                           : g_strdup_printf("%s is the host %s", setting_label(host), host->value);
    for (int role = ROLE_HOST; role <= ROLE_DATABASE; role++)
        if (roles[role] != NULL)
            add_part(judge, finding, (NameRole)role, roles[role]);
    if (roles[ROLE_PASSWORD] != NULL && *roles[ROLE_PASSWORD]->value != '\0')
        finding->severity = SCAN_SECRET;
}

/* The strongest word on a literal counts: that it is a default, then that it has a name, then that it stands there. */
static int by_strength(gconstpointer a, gconstpointer b)
{
    const Setting *const *left = a, *const *right = b;
    if ((*left)->kind != (*right)->kind)
        return (int)(*right)->kind - (int)(*left)->kind;
    if ((*left)->whole_start != (*right)->whole_start)
        return (*left)->whole_start < (*right)->whole_start ? -1 : 1;
    return ((*left)->whole_end > (*right)->whole_end) - ((*left)->whole_end < (*right)->whole_end);
}

/* A constant may be the default of several reads. */
static gpointer judged_key(const Setting *setting)
{
    return GUINT_TO_POINTER((value_is_inside(setting) ? setting->start : setting->whole_start) + 1);
}

static void judge_setting(Judge *judge, const Setting *setting)
{
    if (setting->prose || setting->several ||
        (class_at(judge, setting->start) == SCAN_TEST && spoken_of_only(judge->source, setting)))
        return;
    if (g_hash_table_contains(judge->judged, judged_key(setting)))
        return;
    if (setting->words) {
        judge_words(judge, setting);
        return;
    }
    g_auto(Connection) connection = connection_parse(setting->value, strlen(setting->value));
    if (connection.form != CONNECTION_NONE) {
        /* A constant that is only handed on is judged where it stands. */
        if (setting->kind == SETTING_DEFAULT || value_is_inside(setting))
            judge_connection(judge, setting, &connection);
        g_hash_table_add(judge->judged, judged_key(setting));
        return;
    }
    if (setting->kind == SETTING_TEXT)
        return;
    guint before = judge->groups->len;
    judge_part(judge, setting);
    if (judge->groups->len != before)
        g_hash_table_add(judge->judged, judged_key(setting));
}

static int by_place(gconstpointer a, gconstpointer b)
{
    const ScanFinding *const *left = a, *const *right = b;
    if ((*left)->place.start != (*right)->place.start)
        return (*left)->place.start < (*right)->place.start ? -1 : 1;
    return ((*left)->place.end > (*right)->place.end) - ((*left)->place.end < (*right)->place.end);
}

/* One place, one finding: the outer one, which was added first. */
static void drop_inner(GPtrArray *findings)
{
    guint kept = 0;
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        const ScanFinding *last = kept == 0 ? NULL : findings->pdata[kept - 1];
        findings->pdata[i] = NULL;
        if (last != NULL && finding->place.start < last->place.end && last->place.start < finding->place.end)
            scan_finding_free(finding);
        else
            findings->pdata[kept++] = finding;
    }
    g_ptr_array_set_size(findings, (gint)kept);
}

GPtrArray *judge(const ScanContext *context, const Source *source, ScanClass class)
{
    Judge judge = {.context = context, .source = source, .class = class};
    if (source->language->id != NULL && strcmp(source->language->id, "rust") == 0)
        find_test_module(source->text, &judge.test_start, &judge.test_end);
    judge.evidence = evidence_read(source);
    judge.findings = g_ptr_array_new_with_free_func(scan_finding_free);
    judge.groups = g_array_new(FALSE, FALSE, sizeof(Group));
    judge.newest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    judge.judged = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = 0; i < source->settings->len; i++)
        g_ptr_array_add(order, source->settings->pdata[i]);
    g_ptr_array_sort(order, by_strength);
    for (guint i = 0; i < order->len && !source_is_late(source); i++)
        judge_setting(&judge, order->pdata[i]);
    find_hostless(&judge);
    for (guint i = 0; i < judge.groups->len && !source_is_late(source); i++)
        judge_group(&judge, i);
    g_ptr_array_sort(judge.findings, by_place);
    drop_inner(judge.findings);
    for (guint i = 0; i < judge.groups->len; i++)
        g_free(g_array_index(judge.groups, Group, i).prefix);
    g_array_unref(judge.groups);
    g_hash_table_unref(judge.hostless);
    g_hash_table_unref(judge.newest);
    g_hash_table_unref(judge.judged);
    evidence_free(judge.evidence);
    return judge.findings;
}
