#include "scan/project.h"

#include <string.h>

#include "discover/image.h"
#include "scan/classify.h"
#include "scan/language.h"
#include "scan/tree.h"

void scan_service_free(gpointer data)
{
    ScanService *service = data;
    g_free(service->name);
    g_free(service->file);
    g_strfreev(service->ports);
    g_free(service);
}

/* "services.NAME.KEY" of a path; the name is taken to *ret_name. */
static bool is_service_key(const char *path, const char *key, char **ret_name)
{
    if (path == NULL || !g_str_has_prefix(path, "services."))
        return false;
    const char *name = path + strlen("services."), *dot = strrchr(name, '.');
    if (dot == NULL || strcmp(dot + 1, key) != 0 || memchr(name, '.', (gsize)(dot - name)) != NULL)
        return false;
    *ret_name = g_strndup(name, (gsize)(dot - name));
    return true;
}

/* "5434:5432", "127.0.0.1:5434:5432/tcp": the port on the host. */
static void take_port(GPtrArray *ports, const char *value)
{
    g_auto(GStrv) pieces = g_strsplit(value, ":", -1);
    guint n = g_strv_length(pieces);
    if (n < 2)
        return;
    char *port = pieces[n - 2];
    const char *dash = strstr(port, ":-") != NULL ? strstr(port, ":-") + 2 : port;
    g_ptr_array_add(ports, g_strndup(dash, strspn(dash, "0123456789")));
}

static char *dockerfile_text(const ScanContext *context, const char *compose, const char *build)
{
    g_autofree char *folder = g_path_get_dirname(compose);
    g_autofree char *file = g_build_filename(context->options->folder, folder, build, "Dockerfile", NULL);
    char *text = NULL;
    g_file_get_contents(file, &text, NULL, NULL);
    return text;
}

static bool build_is_postgres(const ScanContext *context, const char *compose, const char *build)
{
    g_autofree char *text = dockerfile_text(context, compose, build);
    if (text == NULL)
        return false;
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, "FROM ")) != NULL; at++)
        if (at == text || at[-1] == '\n')
            last = at + 5;
    if (last == NULL)
        return false;
    g_autofree char *image = g_strndup(last, strcspn(last, "\r\n"));
    return image_is_postgres(image, NULL);
}

static bool runs_postgres(const ScanContext *context, const char *file, const Setting *setting, char **ret_name)
{
    if (is_service_key(setting->path, "image", ret_name)) {
        if (image_is_postgres(setting->value, NULL))
            return true;
        g_clear_pointer(ret_name, g_free);
        return false;
    }
    bool build = is_service_key(setting->path, "build", ret_name);
    const char *whole = setting->path == NULL ? "" : setting->path;
    if (!build && g_str_has_suffix(whole, ".build.context")) {
        g_autofree char *path = g_strndup(whole, strlen(whole) - strlen(".context"));
        build = is_service_key(path, "build", ret_name);
    }
    if (!build)
        return false;
    if (build_is_postgres(context, file, setting->value))
        return true;
    g_clear_pointer(ret_name, g_free);
    return false;
}

static bool has_service(const ScanContext *context, const char *name)
{
    for (guint i = 0; i < context->services->len; i++)
        if (strcmp(((const ScanService *)context->services->pdata[i])->name, name) == 0)
            return true;
    return false;
}

void project_read_compose(ScanContext *context, const char *file, const char *text, gsize length, ScanClass class)
{
    g_autoptr(Source) source = source_new(file, text, length);
    source->language = language_by_id("yaml");
    if (source->language == NULL || !tree_read(source))
        return;
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *setting = source->settings->pdata[i];
        g_autofree char *name = NULL;
        if (!runs_postgres(context, file, setting, &name) || has_service(context, name))
            continue;
        ScanService *service = g_new0(ScanService, 1);
        g_autofree char *ports_path = g_strdup_printf("services.%s.ports", name);
        GPtrArray *ports = g_ptr_array_new();
        for (guint j = 0; j < source->settings->len; j++) {
            const Setting *other = source->settings->pdata[j];
            if (other->path != NULL && g_str_has_prefix(other->path, ports_path))
                take_port(ports, other->value);
        }
        g_ptr_array_add(ports, NULL);
        service->ports = (char **)g_ptr_array_free(ports, FALSE);
        service->name = g_steal_pointer(&name);
        service->file = g_strdup(file);
        service->test = class == SCAN_TEST;
        g_ptr_array_add(context->services, service);
        g_ptr_array_add(context->hosts, service->name);
    }
}

/* The line of "NAME:" that opens the service, above at. */
static guint service_line(const Source *source, const char *name, guint at, guint *ret_end)
{
    const char *text = source->text;
    gsize length = strlen(name);
    for (guint i = at; i > 0; i--) {
        if (text[i - 1] != '\n')
            continue;
        guint start = i;
        while (text[start] == ' ' || text[start] == '"' || text[start] == '\'')
            start++;
        if (source->length - start > length && strncmp(text + start, name, length) == 0 &&
            strchr(":\"'", text[start + length]) != NULL) {
            *ret_end = start + (guint)length;
            return start;
        }
    }
    *ret_end = at;
    return at;
}

static bool inside_service(const ScanFinding *finding, guint start, guint end)
{
    return finding->place.start >= start && finding->place.start < end;
}

/* Up to the next line that is not deeper than the service's own. */
static guint service_end(const Source *source, guint start)
{
    const char *text = source->text;
    guint line = start;
    while (line > 0 && text[line - 1] != '\n')
        line--;
    guint indent = start - line;
    for (const char *at = strchr(text + start, '\n'); at != NULL; at = strchr(at + 1, '\n')) {
        gsize blanks = strspn(at + 1, " ");
        char first = at[1 + blanks];
        if (first != '\n' && first != '\r' && first != '\0' && first != '#' && blanks <= indent)
            return (guint)(at - text);
        if (first == '\0')
            break;
    }
    return (guint)source->length;
}

static bool finding_at(const GPtrArray *findings, guint start)
{
    for (guint i = 0; i < findings->len; i++)
        if (((const ScanFinding *)findings->pdata[i])->place.start == start)
            return true;
    return false;
}

/* Containers of Kubernetes. */
static void judge_pods(const Source *source, ScanClass class, GPtrArray *findings)
{
    for (guint i = 0; i < source->settings->len && class != SCAN_TEST; i++) {
        const Setting *setting = source->settings->pdata[i];
        if (setting->path == NULL || !g_str_has_suffix(setting->path, "spec.containers.image") ||
            !image_is_postgres(setting->value, NULL) || (findings->len > 0 && finding_at(findings, setting->start)))
            continue;
        ScanFinding *finding =
            scan_finding_new(scan_rule("local-service"), source, class, setting->start, setting->end);
        finding->whole_start = setting->whole_start;
        finding->whole_end = setting->whole_end;
        finding->message = g_strdup_printf("a container that runs PostgreSQL (%s)", setting->value);
        g_ptr_array_add(findings, finding);
    }
}

void project_judge_services(const ScanContext *context, const Source *source, ScanClass class, GPtrArray *findings)
{
    if (!file_is_compose(source->file)) {
        judge_pods(source, class, findings);
        return;
    }
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *setting = source->settings->pdata[i];
        g_autofree char *name = NULL;
        if (!runs_postgres(context, source->file, setting, &name))
            continue;
        guint end, start = service_line(source, name, setting->start, &end);
        guint last = service_end(source, start);
        for (guint j = findings->len; j-- > 0;) /* its own variables and health check are of the service */
            if (inside_service(findings->pdata[j], start, last))
                g_ptr_array_remove_index(findings, j);
        if (classify(NULL, context->options->folder, source->file, source->text, source->length) == SCAN_TEST ||
            class == SCAN_TEST)
            continue;
        ScanFinding *finding = scan_finding_new(scan_rule("local-service"), source, class, start, end);
        finding->whole_start = start;
        finding->whole_end = last;
        finding->message = g_strdup_printf("the service %s runs a local PostgreSQL (%s)", name, setting->value);
        g_ptr_array_add(findings, finding);
    }
}

static bool text_has(const char *text, gsize length, const char *word)
{
    return memmem(text, length, word, strlen(word)) != NULL;
}

bool project_is_script(const char *file, const char *text, gsize length)
{
    static const char *const WORK[] = {"pg_isready",    "pg_ctl",     "initdb",    "docker exec",    "docker start",
                                       "docker stop",   "docker run", "docker rm", "docker-compose", "docker compose",
                                       "brew services", "createdb",   "dropdb",    "pg_ctlcluster",  "podman",
                                       "nc -z",         "/dev/tcp",   "systemctl", "psql",           NULL};
    static const char *const OTHER[] = {
        "npm ",    "npx ",    "pnpm ",   "yarn ",    "cargo ",  "go build", "mvn ",  "gradle",    "rake",    "alembic",
        "migrate", "kubectl", "uvicorn", "gunicorn", "python ", "python3 ", "node ", "terraform", "ansible", "rsync",
        "aws ",    "gcloud",  "bundle",  "mix ",     "dotnet",  "php ",     "curl",  "pg_dump",   "ssh ",    NULL};
    if (length > 20000)
        return false;
    g_autofree char *base = g_path_get_basename(file);
    g_autofree char *name = g_ascii_strdown(base, -1);
    bool named = strstr(name, "db") != NULL || strstr(name, "postgres") != NULL || strstr(name, "database") != NULL ||
                 g_str_has_prefix(name, "pg") || strstr(name, "-pg") != NULL || strstr(name, "_pg") != NULL;
    bool postgres = text_has(text, length, "postgres") || text_has(text, length, "pg_") ||
                    text_has(text, length, "5432") || text_has(text, length, "psql") ||
                    text_has(text, length, "createdb") || text_has(text, length, "initdb");
    if (!postgres)
        return false;
    guint work = 0, other = 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_strstrip(lines[i]);
        if (*lines[i] == '#')
            continue;
        for (guint j = 0; WORK[j] != NULL; j++)
            if (strstr(lines[i], WORK[j]) != NULL) {
                work++;
                break;
            }
        for (guint j = 0; OTHER[j] != NULL; j++)
            if (strstr(lines[i], OTHER[j]) != NULL) {
                other++;
                break;
            }
    }
    return work > 0 && other == 0 &&
           (named || text_has(text, length, "pg_isready -h localhost") || text_has(text, length, "initdb") ||
            text_has(text, length, "pg_ctl"));
}

static bool is_path_char(char c)
{
    return g_ascii_isalnum(c) || strchr("_-./", c) != NULL;
}

/* A path that ends with the name of the obsolete file: the whole of it when it has folders, its last part otherwise. */
static bool names_file(const char *text, guint start, guint end, const char *obsolete, const char *from)
{
    g_autofree char *path = g_strndup(text + start, end - start);
    while (g_str_has_prefix(path, "./"))
        memmove(path, path + 2, strlen(path + 2) + 1);
    while (strlen(path) > 0 && path[strlen(path) - 1] == '.')
        path[strlen(path) - 1] = '\0';
    if (strcmp(path, obsolete) == 0)
        return true;
    g_autofree char *folder = g_path_get_dirname(from);
    g_autofree char *joined = g_build_filename("/", folder, path, NULL);
    g_autofree char *absolute = g_canonicalize_filename(joined, "/");
    if (strcmp(absolute + 1, obsolete) == 0)
        return true;
    /* "/app/wait-for-db.sh", "$ROOT/wait-for-db.sh": the same name elsewhere, as long as it is no common one. */
    const char *slash = strrchr(path, '/');
    g_autofree char *base = g_path_get_basename(obsolete);
    if (slash == NULL)
        return strcmp(path, base) == 0 && strchr(obsolete, '/') != NULL && strlen(base) > 8;
    return strcmp(slash + 1, base) == 0 && strlen(base) > 8 &&
           (*path == '/' || (start > 0 && strchr("}$\"", text[start - 1]) != NULL));
}

void project_judge_references(const ScanContext *context, const Source *source, ScanClass class, GPtrArray *findings)
{
    if (class == SCAN_PROTECTED)
        return;
    for (guint i = 0; i < context->obsolete->len; i++)
        if (strcmp(context->obsolete->pdata[i], source->file) == 0)
            return;
    g_autofree char *own = g_path_get_basename(source->file);
    if (strcmp(own, "pgfold.yaml") == 0 || strcmp(own, "pgfold.yml") == 0)
        return;
    for (guint i = 0; i < context->obsolete->len; i++) {
        const char *obsolete = context->obsolete->pdata[i];
        g_autofree char *base = g_path_get_basename(obsolete);
        gsize length = strlen(base);
        guint line_end = 0;
        for (const char *at = source->text;
             (at = memmem(at, source->length - (gsize)(at - source->text), base, length)) != NULL; at += length) {
            guint start = (guint)(at - source->text), end = start + (guint)length;
            while (start > 0 && is_path_char(source->text[start - 1]))
                start--;
            while (end < source->length && is_path_char(source->text[end]))
                end++;
            if (start < line_end || !names_file(source->text, start, end, obsolete, source->file))
                continue;
            const char *newline = memchr(at, '\n', source->length - (gsize)(at - source->text));
            line_end =
                newline == NULL ? (guint)source->length : (guint)(newline - source->text); /* one for each line */
            ScanFinding *finding = scan_finding_new(scan_rule("local-reference"), source, class, start, end);
            finding->whole_start = start;
            finding->whole_end = end;
            finding->reference = g_strdup(obsolete);
            finding->message = g_strdup_printf("refers to %s, which is to be removed", obsolete);
            g_ptr_array_add(findings, finding);
        }
    }
}
