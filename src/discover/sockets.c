/* Unix sockets in the folders where servers put them. */
#include <string.h>
#include <sys/stat.h>

#include "discover/internal.h"
#include "pg/url.h"

#define PREFIX ".s.PGSQL."

static bool is_number(const char *text)
{
    return *text != '\0' && strlen(text) <= 5 && strspn(text, "0123456789") == strlen(text);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void find_in(GPtrArray *places, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_has_prefix(name, PREFIX) && is_number(name + strlen(PREFIX)))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *port = (const char *)names->pdata[i] + strlen(PREFIX);
        Place *place = place_add(places, PLACE_SOCKET, g_strdup_printf("%s port %s", folder, port));
        pg_url_set(place->url, "host", folder);
        pg_url_set(place->url, "port", port);
    }
}

void find_sockets(GPtrArray *places)
{
    const char *given = g_getenv("PGHOST");
    const char *const folders[] = {given != NULL && *given == '/' ? given : NULL, "/run/postgresql",
                                   "/var/run/postgresql", "/tmp"};
    struct stat seen[G_N_ELEMENTS(folders)];
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        bool is_new = folders[i] != NULL && stat(folders[i], &seen[n]) == 0;
        for (guint k = 0; is_new && k < n; k++) /* /var/run is /run on most systems */
            is_new = seen[k].st_dev != seen[n].st_dev || seen[k].st_ino != seen[n].st_ino;
        if (!is_new)
            continue;
        n++;
        find_in(places, folders[i]);
    }
}
