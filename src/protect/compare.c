#include <fnmatch.h>
#include <string.h>

#include "protect/internal.h"

enum { NAMED_MAX = 5 /* parts that a reason names */ };

static void finding_free(gpointer data)
{
    ProtectFinding *finding = data;
    g_free(finding->kind);
    g_free(finding->name);
    g_free(finding->server);
    g_free(finding->method);
    g_free(finding->before);
    g_free(finding->after);
    g_free(finding->reason);
    g_free(finding);
}

/* NULL where nothing could be read. */
static char *fingerprint(const ProtectItem *item)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    bool any = false;
    for (guint i = 0; item != NULL && i < item->parts->len; i++) {
        const ProtectPart *part = item->parts->pdata[i];
        if (part->value == NULL)
            continue;
        any = true;
        g_checksum_update(sum, (const guchar *)part->name, (gssize)strlen(part->name) + 1);
        g_checksum_update(sum, (const guchar *)part->value, (gssize)strlen(part->value) + 1);
    }
    return any ? g_strdup(g_checksum_get_string(sum)) : NULL;
}

typedef struct Reasons {
    GPtrArray *changed, *unreadable; /* of char* */
} Reasons;

/* before or after: NULL where it was not there then. */
static void compare_part(const char *name, const ProtectPart *before, const ProtectPart *after, Reasons *reasons)
{
    const ProtectPart *dark = before != NULL && before->value == NULL ? before
                              : after != NULL && after->value == NULL ? after
                                                                      : NULL;
    char *text = NULL;
    if (dark != NULL) {
        g_ptr_array_add(reasons->unreadable, g_strdup_printf("%s: %s", name, dark->problem));
        return;
    }
    if (before == NULL)
        text = g_strdup_printf("%s is new", name);
    else if (after == NULL)
        text = g_strdup_printf("%s is gone", name);
    else if (before->rows != after->rows)
        text = g_strdup_printf("%s: %" G_GINT64_FORMAT " rows before, %" G_GINT64_FORMAT " after", name, before->rows,
                               after->rows);
    else if (strcmp(before->value, after->value) != 0)
        text = g_strconcat(name, before->rows >= 0 ? ": other values" : " changed", NULL);
    if (text != NULL)
        g_ptr_array_add(reasons->changed, text);
}

static GHashTable *by_name(const ProtectItem *item)
{
    GHashTable *parts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; item != NULL && i < item->parts->len; i++)
        g_hash_table_insert(parts, ((ProtectPart *)item->parts->pdata[i])->name, item->parts->pdata[i]);
    return parts;
}

/* Either may be NULL. */
static void compare_parts(const ProtectItem *before, const ProtectItem *after, Reasons *reasons)
{
    g_autoptr(GHashTable) old = by_name(before), new = by_name(after);
    for (guint i = 0; before != NULL && i < before->parts->len; i++) {
        const ProtectPart *part = before->parts->pdata[i], *later = g_hash_table_lookup(new, part->name);
        if (later != NULL || after == NULL || !after->blind)
            compare_part(part->name, part, later, reasons);
    }
    for (guint i = 0; after != NULL && i < after->parts->len; i++) {
        const ProtectPart *part = after->parts->pdata[i];
        bool known = part->value == NULL || before == NULL || !before->blind;
        if (!g_hash_table_contains(old, part->name) && known)
            compare_part(part->name, NULL, part, reasons);
    }
}

static char *join(const GPtrArray *texts)
{
    GString *joined = g_string_new(NULL);
    for (guint i = 0; i < texts->len && i < NAMED_MAX; i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? "; " : "", (const char *)texts->pdata[i]);
    if (texts->len > NAMED_MAX)
        g_string_append_printf(joined, "; and %u more", texts->len - NAMED_MAX);
    return g_string_free(joined, FALSE);
}

static void count_parts(ProtectFinding *finding, const ProtectItem *item)
{
    finding->counts = item->counts;
    finding->count = item->counts == NULL ? -1 : 0;
    finding->rows = -1;
    for (guint i = 0; item->counts != NULL && i < item->parts->len; i++) {
        const ProtectPart *part = item->parts->pdata[i];
        bool counts =
            part->value != NULL &&
            (part->rows >= 0 || (strcmp(item->counts, "file") == 0 && !g_str_has_prefix(part->name, "folder ")));
        finding->count += counts ? 1 : 0;
        if (counts && part->rows >= 0)
            finding->rows = MAX(finding->rows, 0) + part->rows;
    }
}

/* item: one of the two. The other may be NULL: it was not there then. */
static ProtectFinding *compare(const ProtectItem *item, const ProtectItem *before, const ProtectItem *after)
{
    g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unreadable = g_ptr_array_new_with_free_func(g_free);
    Reasons reasons = {.changed = changed, .unreadable = unreadable};
    ProtectFinding *finding = g_new0(ProtectFinding, 1);
    finding->kind = g_strdup(item->kind);
    finding->name = g_strdup(item->name);
    finding->server = g_strdup(item->server);
    finding->method = g_strdup(item->method);
    finding->before = fingerprint(before);
    finding->after = fingerprint(after);
    count_parts(finding, item);
    compare_parts(before, after, &reasons);
    finding->verdict = changed->len > 0        ? PROTECT_CHANGED
                       : unreadable->len > 0   ? PROTECT_UNREADABLE
                       : item->parts->len == 0 ? PROTECT_ABSENT
                                               : PROTECT_SAME;
    if (changed->len > 0 && (before == NULL || before->parts->len == 0))
        finding->reason = g_strdup("it was not there before");
    else if (changed->len > 0 && (after == NULL || after->parts->len == 0))
        finding->reason = g_strdup("it is gone");
    else if (changed->len + unreadable->len > 0)
        finding->reason = join(changed->len > 0 ? changed : unreadable);
    return finding;
}

/* That thing; where it is not there, an entry of pgfold.yaml of which nothing could be found out, and which means it.
 */
static const ProtectItem *find(const GPtrArray *items, const ProtectItem *wanted)
{
    for (guint i = 0; i < items->len; i++) {
        const ProtectItem *item = items->pdata[i];
        if (strcmp(item->kind, wanted->kind) == 0 && strcmp(item->name, wanted->name) == 0 &&
            g_strcmp0(item->server, wanted->server) == 0)
            return item;
    }
    for (guint i = 0; i < items->len; i++) {
        const ProtectItem *item = items->pdata[i];
        if (item->blind && item->server == NULL && strcmp(item->kind, wanted->kind) == 0 &&
            fnmatch(item->name, wanted->name, 0) == 0)
            return item;
    }
    return NULL;
}

/* A name that nothing had: there is something now (or the contrary), which has an item of its own. */
static bool is_superseded(const ProtectItem *item, const GPtrArray *others)
{
    if (item->parts->len > 0 || item->server != NULL || find(others, item) != NULL)
        return false;
    for (guint i = 0; i < others->len; i++) {
        const ProtectItem *other = others->pdata[i];
        if (strcmp(item->kind, other->kind) == 0 && strcmp(item->name, other->name) == 0)
            return true;
    }
    return false;
}

GPtrArray *protect_compare(const GPtrArray *before, const GPtrArray *after)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func(finding_free);
    for (guint i = 0; i < before->len; i++) {
        const ProtectItem *item = before->pdata[i];
        if (!is_superseded(item, after))
            g_ptr_array_add(findings, compare(item, item, find(after, item)));
    }
    for (guint i = 0; i < after->len; i++) {
        if (find(before, after->pdata[i]) == NULL && !is_superseded(after->pdata[i], before))
            g_ptr_array_add(findings, compare(after->pdata[i], NULL, after->pdata[i]));
    }
    return findings;
}

GPtrArray *protect_unknown(const GPtrArray *before, const char *reason)
{
    g_autoptr(GPtrArray) after = items_new();
    for (guint i = 0; i < before->len; i++) {
        const ProtectItem *item = before->pdata[i];
        ProtectItem *unknown = items_add(after, item_new(item->kind, item->name, item->server, item->method));
        for (guint k = 0; k < item->parts->len; k++)
            item_unreadable(unknown, ((const ProtectPart *)item->parts->pdata[k])->name, reason);
    }
    return protect_compare(before, after);
}

const char *protect_verdict_text(ProtectVerdict verdict)
{
    static const char *const TEXTS[] = {"same", "changed", "unreadable", "absent"};
    return TEXTS[verdict];
}

guint protect_count(const GPtrArray *findings, ProtectVerdict verdict)
{
    guint n = 0;
    for (guint i = 0; i < findings->len; i++)
        n += ((const ProtectFinding *)findings->pdata[i])->verdict == verdict ? 1 : 0;
    return n;
}
