#include <string.h>

#include "protect/internal.h"

const char PROTECT_DEFINITIONS_AND_ROWS[] = "definitions and rows";
const char PROTECT_DEFINITIONS[] = "definitions";

static void part_free(gpointer data)
{
    ProtectPart *part = data;
    g_free(part->name);
    g_free(part->value);
    g_free(part->problem);
    g_free(part);
}

static void item_free(gpointer data)
{
    ProtectItem *item = data;
    g_free(item->kind);
    g_free(item->name);
    g_free(item->server);
    g_ptr_array_unref(item->parts);
    g_free(item);
}

GPtrArray *items_new(void)
{
    return g_ptr_array_new_with_free_func(item_free);
}

ProtectItem *item_new(const char *kind, const char *name, const char *server, const char *method)
{
    ProtectItem *item = g_new0(ProtectItem, 1);
    item->kind = g_strdup(kind);
    item->name = g_strdup(name);
    item->server = g_strdup(server);
    item->method = method;
    item->parts = g_ptr_array_new_with_free_func(part_free);
    return item;
}

ProtectItem *items_add(GPtrArray *items, ProtectItem *item)
{
    g_ptr_array_add(items, item);
    return item;
}

static ProtectPart *add(ProtectItem *item, const char *name)
{
    ProtectPart *part = g_new0(ProtectPart, 1);
    part->name = g_strdup(name);
    part->rows = -1;
    g_ptr_array_add(item->parts, part);
    return part;
}

void item_part(ProtectItem *item, const char *name, const char *value)
{
    add(item, name)->value = g_compute_checksum_for_string(G_CHECKSUM_SHA256, value == NULL ? "" : value, -1);
}

void item_rows(ProtectItem *item, const char *name, gint64 rows, const char *digest)
{
    ProtectPart *part = add(item, name);
    part->rows = rows;
    part->value = g_strdup_printf("%" G_GINT64_FORMAT " %s", rows, digest);
}

void item_unreadable(ProtectItem *item, const char *name, const char *problem)
{
    add(item, name)->problem = g_strdup(problem);
}

void item_blind(ProtectItem *item, const char *name, const char *problem)
{
    item_unreadable(item, name, problem);
    item->blind = true;
}

static bool has_matching(const GPtrArray *items, const char *kind, const char *entry)
{
    for (guint i = 0; i < items->len; i++) {
        const ProtectItem *item = items->pdata[i];
        if (strcmp(item->kind, kind) == 0 && strcmp(item->name, entry) == 0)
            return true;
    }
    return false;
}

void items_add_absent(GPtrArray *items, const Config *config, ConfigProtectKind kind, const char *kind_name,
                      const char *method)
{
    char *const *entries = config->protect[kind];
    for (guint i = 0; entries[i] != NULL; i++) {
        if (!config_is_pattern(entries[i]) && !has_matching(items, kind_name, entries[i]))
            items_add(items, item_new(kind_name, entries[i], NULL, method));
    }
}
