/* Files and folders: SHA-256 and mode of each. Links are not followed: their text is what they are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "protect/internal.h"

enum { BUFFER_BYTES = 65536 };

typedef struct Walk {
    const Config *config;
    const char *entry;
    const char *root;
    ProtectItem *item;
} Walk;

static bool walk(const Walk *walk_of, const char *path, GError **error);

static const char *shown(const Walk *of, const char *path)
{
    gsize length = strlen(of->config->folder);
    bool below = length > 1 && strncmp(path, of->config->folder, length) == 0 && path[length] == '/';
    return below ? path + length + 1 : path;
}

/* NULL with *error unset where it cannot be read: *ret_problem says why. */
static char *hash_file(const char *path, const char **ret_problem, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guint8 *buffer = g_malloc(BUFFER_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    ssize_t n = -1;
    while (fd >= 0 && (n = read(fd, buffer, BUFFER_BYTES)) > 0) {
        g_checksum_update(sum, buffer, n);
        if (!cancel_check(error))
            break;
    }
    if (n < 0)
        *ret_problem = g_strerror(errno);
    if (fd >= 0)
        close(fd);
    return n == 0 ? g_strdup(g_checksum_get_string(sum)) : NULL;
}

static bool add_file(const Walk *of, const char *path, const struct stat *status, GError **error)
{
    const char *problem = NULL;
    g_autofree char *content = NULL;
    if (S_ISREG(status->st_mode)) {
        content = hash_file(path, &problem, error);
    } else if (S_ISLNK(status->st_mode)) {
        content = g_file_read_link(path, NULL);
        problem = content == NULL ? "the link cannot be read" : NULL;
    } else {
        content = g_strdup(""); /* a socket, a pipe, a device: there is nothing to read */
    }
    if (content == NULL && problem == NULL)
        return false; /* cancelled */
    if (problem != NULL) {
        item_unreadable(of->item, shown(of, path), problem);
        return true;
    }
    g_autofree char *value =
        g_strdup_printf("%o %u %u %s", (guint)status->st_mode, status->st_uid, status->st_gid, content);
    item_part(of->item, shown(of, path), value);
    return true;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool walk_folder(const Walk *of, const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(path, 0, &failure);
    const char *name;
    if (folder == NULL) {
        item_unreadable(of->item, shown(of, path), failure->message);
        return true;
    }
    while ((name = g_dir_read_name(folder)) != NULL)
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        if (!walk(of, names->pdata[i], error))
            return false;
    }
    return true;
}

/* A folder is walked whether or not the pattern means it: files below it may be meant. */
static bool walk(const Walk *of, const char *path, GError **error)
{
    struct stat status;
    if (!cancel_check(error))
        return false;
    if (lstat(path, &status) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            item_unreadable(of->item, shown(of, path), g_strerror(errno));
        return true;
    }
    bool meant = config_path_matches(of->config, of->entry, path);
    if (S_ISDIR(status.st_mode)) {
        g_autofree char *value = g_strdup_printf("%o %u %u", (guint)status.st_mode, status.st_uid, status.st_gid);
        g_autofree char *name = g_strconcat("folder ", shown(of, path), NULL);
        if (meant)
            item_part(of->item, name, value);
        return walk_folder(of, path, error);
    }
    return !meant || add_file(of, path, &status, error);
}

bool protect_paths(GPtrArray *items, const Config *config, GError **error)
{
    char *const *entries = config->protect[CONFIG_PROTECT_PATHS];
    for (guint i = 0; entries[i] != NULL; i++) {
        g_autofree char *root = config_path_root(config, entries[i]);
        ProtectItem *item = items_add(items, item_new("path", entries[i], NULL, "content, mode and owner"));
        Walk of = {.config = config, .entry = entries[i], .root = root, .item = item};
        item->counts = "file";
        if (!walk(&of, root, error))
            return false;
    }
    return true;
}
