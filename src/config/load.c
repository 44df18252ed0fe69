/* Reading the file, and what is made of it as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait.h"
#include "config/protect.h"
#include "config/read.h"

#define READ_MS 15000 /* a pipe whose writer says nothing */

#define HOW_TO_WRITE                                                                                                   \
    "`pgfold init` finds databases and writes one. Or write these four lines, or give --source URL --target URL:\n"    \
    "  version: 1\n"                                                                                                   \
    "  target: { url: \"${DATABASE_URL}\" }\n"                                                                         \
    "  sources:\n"                                                                                                     \
    "    - { name: laptop, url: \"postgresql://app@localhost:5433/app\" }"

/* All that fd has, up to one byte more than a file may have. */
static bool read_all(int fd, const char *path, GByteArray *ret_text, GError **error)
{
    Deadline deadline = deadline_in_ms(READ_MS);
    while (ret_text->len <= CONFIG_FILE_MAX) {
        guint8 buffer[8192];
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (!wait_fds(&wait, 1, deadline, error)) {
            g_prefix_error(error, "reading %s: ", path);
            return false;
        }
        ssize_t count = read(fd, buffer, sizeof buffer);
        if (count == 0)
            return true;
        if (count > 0) {
            g_byte_array_append(ret_text, buffer, (guint)count);
        } else if (errno != EINTR && errno != EAGAIN) {
            pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot read %s: %s", path, g_strerror(errno));
            return false;
        }
    }
    return true;
}

/* *ret_regular: a file with a place of its own, not a pipe such as <(sops -d ...). */
static int open_file(const char *path, bool *ret_regular, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        const char *hint = errno == ENOENT ? HOW_TO_WRITE : "pgfold must be allowed to read it";
        pgf_error_set(error, PGF_ERROR_USAGE, hint, "cannot read %s: %s", path, g_strerror(errno));
        return -1;
    }
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) {
        *ret_regular = S_ISREG(status.st_mode);
        return fd;
    }
    pgf_error_set(error, PGF_ERROR_USAGE, "give the file in it", "%s is a folder", path);
    close(fd);
    return -1;
}

/* path NULL: the current folder takes the place of the file's. */
static void settle_paths(Config *config, const char *path)
{
    g_autofree char *folder = path == NULL ? g_strdup(".") : g_path_get_dirname(path);
    config->folder = g_canonicalize_filename(folder, NULL);
    char *state = g_canonicalize_filename(config->state, config->folder);
    g_free(config->state);
    config->state = state;
    config_settle_ssh(config);
}

static Config *parse(const char *text, gsize length, const char *shown, const char *path, ConfigUse use, GError **error)
{
    g_auto(ConfigMistakes) mistakes;
    config_mistakes_init(&mistakes, shown);
    g_autoptr(Config) config = config_new();
    config->path = g_strdup(shown);
    g_autoptr(ConfigNode) root = config_node_parse(text, length, &mistakes);
    if (root != NULL)
        config_read(root, use, &mistakes, config);
    if (!config_mistakes_settle(&mistakes, error))
        return NULL;
    settle_paths(config, path);
    if (!config_check_protected_path(config, "the state folder", config->state, error))
        return NULL;
    return g_steal_pointer(&config);
}

Config *config_parse(const char *text, gsize length, const char *path, ConfigUse use, GError **error)
{
    return parse(text, length, path, path, use, error);
}

Config *config_load(const char *path, ConfigUse use, GError **error)
{
    bool regular = false;
    int fd = open_file(path, &regular, error);
    if (fd < 0)
        return NULL;
    g_autoptr(GByteArray) text = g_byte_array_new();
    bool read = read_all(fd, path, text, error);
    close(fd);
    if (!read)
        return NULL;
    Config *config =
        parse(text->len == 0 ? "" : (const char *)text->data, text->len, path, regular ? path : NULL, use, error);
    if (text->len > 0)
        explicit_bzero(text->data, text->len);
    return config;
}

Config *config_open(const char *given, ConfigUse use, GError **error)
{
    g_autofree char *path = NULL;
    if (!config_find(given, &path, error))
        return NULL;
    if (path != NULL)
        return config_load(path, use, error);
    pgf_error_set(error, PGF_ERROR_USAGE, HOW_TO_WRITE, "there is no pgfold.yaml in this folder or above it");
    return NULL;
}
