/* ssh: of the target and of sources. */
#include <string.h>

#include "base/route.h"
#include "config/read.h"
#include "config/secret.h"

void config_read_ssh_host(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    g_autofree char *text = config_take_text(reader, key, node);
    if (text == NULL)
        return;
    if (*text == '-' || strpbrk(text, " \t'\"") != NULL) {
        config_tell_value(reader, node, "options of ssh belong into ~/.ssh/config, or a file that ssh.config names",
                          "what ssh takes as a destination, such as deploy@vps.example.org");
        return;
    }
    g_free(*member);
    *member = g_steal_pointer(&text);
}

void config_read_choice(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    g_autofree char *text = config_take_text(reader, key, node);
    if (text == NULL)
        return;
    if (!g_strv_contains(key->words, text)) {
        g_autofree char *list = g_strjoinv(", ", (char **)(guintptr)key->words);
        g_autofree char *expected = g_strdup_printf("one of %s", list);
        config_tell_value(reader, node, NULL, expected);
        return;
    }
    g_free(*member);
    *member = g_steal_pointer(&text);
}

static void settle(const Config *config, ConfigSsh *ssh, char **url)
{
    if (ssh->host == NULL)
        return;
    if (ssh->compression == NULL)
        ssh->compression = g_strdup("auto");
    if (ssh->config != NULL) {
        bool at_home = g_str_has_prefix(ssh->config, "~/");
        char *path = g_canonicalize_filename(at_home ? ssh->config + 2 : ssh->config,
                                             at_home ? g_get_home_dir() : config->folder);
        g_free(ssh->config);
        ssh->config = path;
    }
    if (*url == NULL)
        return;
    char *route = route_wrap(ssh->host, ssh->config, ssh->compression, *url);
    config_wipe(*url);
    *url = route;
}

void config_settle_ssh(Config *config)
{
    settle(config, &config->target.ssh, &config->target.url);
    for (guint i = 0; i < config->sources->len; i++) {
        ConfigSource *source = g_ptr_array_index(config->sources, i);
        settle(config, &source->ssh, &source->url);
    }
}
