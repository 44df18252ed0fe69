#include "ledger/receipt.h"

#include <stdarg.h>

#include "ledger/receipt_internal.h"

static void end_clear(ReceiptEnd *end)
{
    g_free(end->name);
    g_free(end->system_identifier);
    g_free(end->database);
    g_free(end->version_text);
    g_free(end->role);
    g_free(end->address);
}

static void relation_free(gpointer data)
{
    ReceiptRelation *relation = data;
    g_free(relation->schema);
    g_free(relation->name);
    g_free(relation->kind);
    g_free(relation->digest);
    g_free(relation->target_digest);
    g_free(relation->reason);
    g_free(relation);
}

static void sequence_free(gpointer data)
{
    ReceiptSequence *sequence = data;
    g_free(sequence->schema);
    g_free(sequence->name);
    g_free(sequence->reason);
    g_free(sequence);
}

static void objects_free(gpointer data)
{
    ReceiptObjects *objects = data;
    g_free(objects->kind);
    g_free(objects->reason);
    g_free(objects);
}

static void protected_free(gpointer data)
{
    ReceiptProtected *item = data;
    g_free(item->kind);
    g_free(item->name);
    g_free(item->server);
    g_free(item->method);
    g_free(item->before);
    g_free(item->after);
    g_free(item->verdict);
    g_free(item->reason);
    g_free(item);
}

Receipt *receipt_new(void)
{
    Receipt *receipt = g_new0(Receipt, 1);
    receipt->format = RECEIPT_VERSION;
    receipt->pgfold_version = g_strdup(PGFOLD_VERSION);
    receipt->relations = g_ptr_array_new_with_free_func(relation_free);
    receipt->sequences = g_ptr_array_new_with_free_func(sequence_free);
    receipt->objects = g_ptr_array_new_with_free_func(objects_free);
    receipt->protected = g_ptr_array_new_with_free_func(protected_free);
    receipt->notes = g_ptr_array_new_with_free_func(g_free);
    receipt->large_objects.count = RECEIPT_UNKNOWN;
    receipt->large_objects.target_count = RECEIPT_UNKNOWN;
    receipt->large_objects.verdict = RECEIPT_DIFFERENT;
    return receipt;
}

void receipt_free(Receipt *receipt)
{
    if (receipt == NULL)
        return;
    end_clear(&receipt->source);
    end_clear(&receipt->target);
    g_ptr_array_unref(receipt->relations);
    g_ptr_array_unref(receipt->sequences);
    g_ptr_array_unref(receipt->objects);
    g_ptr_array_unref(receipt->protected);
    g_free(receipt->fingerprint);
    g_ptr_array_unref(receipt->notes);
    g_free(receipt->large_objects.digest);
    g_free(receipt->large_objects.target_digest);
    g_free(receipt->large_objects.reason);
    g_free(receipt->backup.path);
    g_free(receipt->backup.sha256);
    g_free(receipt->backup.how);
    g_free(receipt->backup.reason);
    g_free(receipt->backup.by);
    g_free(receipt->pgfold_version);
    g_free(receipt->client_tools);
    g_free(receipt->snapshot);
    g_free(receipt->lsn);
    g_free(receipt->filter);
    g_free(receipt->archive);
    g_free(receipt->previous_file);
    g_free(receipt->previous_sha256);
    g_free(receipt->sha256);
    g_free(receipt);
}

void receipt_text(char **field, const char *value)
{
    char *copy = g_strdup(value);
    g_free(*field);
    *field = copy;
}

void receipt_set_end(ReceiptEnd *end, const char *name, const PgIdentity *identity)
{
    receipt_text(&end->name, name);
    receipt_text(&end->system_identifier, identity->system_identifier);
    receipt_text(&end->database, identity->database);
    end->database_oid = identity->database_oid;
    end->version = identity->version;
    receipt_text(&end->version_text, identity->version_text);
    receipt_text(&end->role, identity->role);
    receipt_text(&end->address, identity->address);
}

ReceiptRelation *receipt_add_relation(Receipt *receipt, const char *schema, const char *name, const char *kind)
{
    ReceiptRelation *relation = g_new0(ReceiptRelation, 1);
    relation->schema = g_strdup(schema);
    relation->name = g_strdup(name);
    relation->kind = g_strdup(kind);
    relation->rows = relation->bytes = relation->target_rows = RECEIPT_UNKNOWN;
    relation->inserted = relation->overwritten = relation->kept = RECEIPT_UNKNOWN;
    relation->settled = relation->rekeyed = relation->matched = RECEIPT_UNKNOWN;
    relation->verdict = RECEIPT_DIFFERENT;
    g_ptr_array_add(receipt->relations, relation);
    return relation;
}

ReceiptSequence *receipt_add_sequence(Receipt *receipt, const char *schema, const char *name)
{
    ReceiptSequence *sequence = g_new0(ReceiptSequence, 1);
    sequence->schema = g_strdup(schema);
    sequence->name = g_strdup(name);
    sequence->increment = 1;
    sequence->verdict = RECEIPT_DIFFERENT;
    g_ptr_array_add(receipt->sequences, sequence);
    return sequence;
}

ReceiptObjects *receipt_add_objects(Receipt *receipt, const char *kind, gint64 source, gint64 target)
{
    ReceiptObjects *objects = g_new0(ReceiptObjects, 1);
    objects->kind = g_strdup(kind);
    objects->source = source;
    objects->target = target;
    objects->verdict = target >= source ? RECEIPT_CONTAINED : RECEIPT_DIFFERENT;
    g_ptr_array_add(receipt->objects, objects);
    return objects;
}

ReceiptProtected *receipt_add_protected(Receipt *receipt, const char *kind, const char *name)
{
    ReceiptProtected *item = g_new0(ReceiptProtected, 1);
    item->kind = g_strdup(kind);
    item->name = g_strdup(name);
    item->count = item->rows = RECEIPT_UNKNOWN;
    g_ptr_array_add(receipt->protected, item);
    return item;
}

void receipt_add_note(Receipt *receipt, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(receipt->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

bool receipt_judge(Receipt *receipt)
{
    bool contained = receipt->large_objects.verdict != RECEIPT_DIFFERENT;
    for (guint i = 0; i < receipt->relations->len; i++)
        contained &= ((ReceiptRelation *)receipt->relations->pdata[i])->verdict != RECEIPT_DIFFERENT;
    for (guint i = 0; i < receipt->sequences->len; i++)
        contained &= ((ReceiptSequence *)receipt->sequences->pdata[i])->verdict != RECEIPT_DIFFERENT;
    for (guint i = 0; i < receipt->objects->len; i++)
        contained &= ((ReceiptObjects *)receipt->objects->pdata[i])->verdict != RECEIPT_DIFFERENT;
    receipt->contained = contained;
    return contained;
}

const char *receipt_action_text(ReceiptAction action)
{
    static const char *const texts[] = {"new", "same", "merge", "skip"};
    return texts[action];
}

const char *receipt_verdict_text(ReceiptVerdict verdict)
{
    static const char *const texts[] = {"contained", "skipped", "different"};
    return texts[verdict];
}

static void count_rows(GString *text, gint64 n, const char *what)
{
    if (n > 0)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : "", n, what);
}

char *receipt_merge_text(const ReceiptRelation *relation)
{
    GString *text = g_string_new(NULL);
    count_rows(text, relation->inserted, "inserted");
    count_rows(text, relation->overwritten, "overwritten");
    count_rows(text, relation->kept, "left as in the target");
    count_rows(text, relation->settled, "settled earlier");
    count_rows(text, relation->rekeyed, "with a new key");
    count_rows(text, relation->matched, "found by match_on");
    return g_string_free(text, FALSE);
}
