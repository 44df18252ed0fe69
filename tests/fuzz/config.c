/*
 * libFuzzer harness for pgfold.yaml:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=gnu17 -Isrc tests/fuzz/config.c \
 *       src/config/[a-z]*.c src/base/[a-z]*.c $(pkg-config --cflags --libs glib-2.0 gio-2.0 yaml-0.1) -o fuzz-config
 *   mkdir corpus; cp docs/pgfold.example.yaml corpus; ./fuzz-config -max_len=4096 corpus
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse((const char *)data, size, "pgfold.yaml", CONFIG_CONNECTS, &error);
    if ((config == NULL) != (error != NULL) || (error != NULL && !g_utf8_validate(error->message, -1, NULL)))
        abort();
    if (config == NULL)
        return 0;
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(config->sources, i);
        if (source->name == NULL || source->url == NULL)
            abort(); /* what is required is there, or it is no Config */
    }
    ConfigTableRule rule;
    config_table_rule(config, g_ptr_array_index(config->sources, 0), "public", "customers", &rule);
    if (rule.on_conflict->conflict == CONFIG_CONFLICT_UNSET ||
        (rule.on_conflict->conflict == CONFIG_CONFLICT_NEWEST) != (rule.on_conflict->column != NULL))
        abort();
    g_autofree char *text = config_redact(config, "text");
    return 0;
}
