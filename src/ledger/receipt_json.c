/* The document: which struct member is which JSON member. docs/schema/receipt.json says the same; a test compares. */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "ledger/receipt_internal.h"

static const Field head_fields[] = {
    {"pgfold", FIELD_TEXT, offsetof(Receipt, pgfold_version)},
    {"client_tools", FIELD_TEXT_NULL, offsetof(Receipt, client_tools)},
    {"run", FIELD_INT, offsetof(Receipt, run)},
    {"started", FIELD_TIME, offsetof(Receipt, started)},
    {"finished", FIELD_TIME, offsetof(Receipt, finished)},
    {"snapshot", FIELD_TEXT, offsetof(Receipt, snapshot)},
    {"lsn", FIELD_TEXT_NULL, offsetof(Receipt, lsn)},
    {"filter", FIELD_TEXT_NULL, offsetof(Receipt, filter)},
    {"archive", FIELD_TEXT_NULL, offsetof(Receipt, archive)},
    {"fingerprint", FIELD_TEXT_NULL, offsetof(Receipt, fingerprint)},
    {NULL, FIELD_TEXT, 0},
};

static const Field end_fields[] = {
    {"name", FIELD_TEXT, offsetof(ReceiptEnd, name)},
    {"system_identifier", FIELD_TEXT, offsetof(ReceiptEnd, system_identifier)},
    {"database", FIELD_TEXT, offsetof(ReceiptEnd, database)},
    {"database_oid", FIELD_INT, offsetof(ReceiptEnd, database_oid)},
    {"server_version", FIELD_INT, offsetof(ReceiptEnd, version)},
    {"server_version_text", FIELD_TEXT, offsetof(ReceiptEnd, version_text)},
    {"role", FIELD_TEXT, offsetof(ReceiptEnd, role)},
    {"address", FIELD_TEXT, offsetof(ReceiptEnd, address)},
    {NULL, FIELD_TEXT, 0},
};

static const Field relation_fields[] = {
    {"schema", FIELD_TEXT, offsetof(ReceiptRelation, schema)},
    {"name", FIELD_TEXT, offsetof(ReceiptRelation, name)},
    {"kind", FIELD_TEXT, offsetof(ReceiptRelation, kind)},
    {"action", FIELD_ACTION, offsetof(ReceiptRelation, action)},
    {"rows", FIELD_COUNT, offsetof(ReceiptRelation, rows)},
    {"bytes", FIELD_COUNT, offsetof(ReceiptRelation, bytes)},
    {"digest", FIELD_TEXT_NULL, offsetof(ReceiptRelation, digest)},
    {"target_rows", FIELD_COUNT, offsetof(ReceiptRelation, target_rows)},
    {"target_digest", FIELD_TEXT_NULL, offsetof(ReceiptRelation, target_digest)},
    {"inserted", FIELD_COUNT, offsetof(ReceiptRelation, inserted)},
    {"overwritten", FIELD_COUNT, offsetof(ReceiptRelation, overwritten)},
    {"kept", FIELD_COUNT, offsetof(ReceiptRelation, kept)},
    {"settled", FIELD_COUNT, offsetof(ReceiptRelation, settled)},
    {"rekeyed", FIELD_COUNT, offsetof(ReceiptRelation, rekeyed)},
    {"matched", FIELD_COUNT, offsetof(ReceiptRelation, matched)},
    {"verdict", FIELD_VERDICT, offsetof(ReceiptRelation, verdict)},
    {"reason", FIELD_TEXT_NULL, offsetof(ReceiptRelation, reason)},
    {NULL, FIELD_TEXT, 0},
};

static const Field sequence_fields[] = {
    {"schema", FIELD_TEXT, offsetof(ReceiptSequence, schema)},
    {"name", FIELD_TEXT, offsetof(ReceiptSequence, name)},
    {"increment", FIELD_INT, offsetof(ReceiptSequence, increment)},
    {"source_value", FIELD_VALUE, offsetof(ReceiptSequence, source)},
    {"target_value", FIELD_VALUE, offsetof(ReceiptSequence, target)},
    {"verdict", FIELD_VERDICT, offsetof(ReceiptSequence, verdict)},
    {"reason", FIELD_TEXT_NULL, offsetof(ReceiptSequence, reason)},
    {NULL, FIELD_TEXT, 0},
};

static const Field objects_fields[] = {
    {"kind", FIELD_TEXT, offsetof(ReceiptObjects, kind)},
    {"source", FIELD_COUNT, offsetof(ReceiptObjects, source)},
    {"target", FIELD_COUNT, offsetof(ReceiptObjects, target)},
    {"verdict", FIELD_VERDICT, offsetof(ReceiptObjects, verdict)},
    {"reason", FIELD_TEXT_NULL, offsetof(ReceiptObjects, reason)},
    {NULL, FIELD_TEXT, 0},
};

static const Field large_objects_fields[] = {
    {"count", FIELD_COUNT, offsetof(ReceiptLargeObjects, count)},
    {"target_count", FIELD_COUNT, offsetof(ReceiptLargeObjects, target_count)},
    {"digest", FIELD_TEXT_NULL, offsetof(ReceiptLargeObjects, digest)},
    {"target_digest", FIELD_TEXT_NULL, offsetof(ReceiptLargeObjects, target_digest)},
    {"verdict", FIELD_VERDICT, offsetof(ReceiptLargeObjects, verdict)},
    {"reason", FIELD_TEXT_NULL, offsetof(ReceiptLargeObjects, reason)},
    {NULL, FIELD_TEXT, 0},
};

static const Field protected_fields[] = {
    {"kind", FIELD_TEXT, offsetof(ReceiptProtected, kind)},
    {"name", FIELD_TEXT, offsetof(ReceiptProtected, name)},
    {"server", FIELD_TEXT_NULL, offsetof(ReceiptProtected, server)},
    {"method", FIELD_TEXT, offsetof(ReceiptProtected, method)},
    {"count", FIELD_COUNT, offsetof(ReceiptProtected, count)},
    {"rows", FIELD_COUNT, offsetof(ReceiptProtected, rows)},
    {"before", FIELD_SHA256_NULL, offsetof(ReceiptProtected, before)},
    {"after", FIELD_SHA256_NULL, offsetof(ReceiptProtected, after)},
    {"verdict", FIELD_TEXT, offsetof(ReceiptProtected, verdict)},
    {"reason", FIELD_TEXT_NULL, offsetof(ReceiptProtected, reason)},
    {NULL, FIELD_TEXT, 0},
};

static const Field backup_fields[] = {
    {"path", FIELD_TEXT, offsetof(ReceiptBackup, path)},     {"sha256", FIELD_SHA256, offsetof(ReceiptBackup, sha256)},
    {"proven", FIELD_BOOL, offsetof(ReceiptBackup, proven)}, {"how", FIELD_TEXT_NULL, offsetof(ReceiptBackup, how)},
    {"at", FIELD_TIME, offsetof(ReceiptBackup, at)},         {NULL, FIELD_TEXT, 0},
};

static const Field no_backup_fields[] = {
    {"reason", FIELD_TEXT, offsetof(ReceiptBackup, reason)},
    {"by", FIELD_TEXT_NULL, offsetof(ReceiptBackup, by)},
    {"at", FIELD_TIME, offsetof(ReceiptBackup, at)},
    {NULL, FIELD_TEXT, 0},
};

static const Field previous_fields[] = {
    {"file", FIELD_TEXT, offsetof(Receipt, previous_file)},
    {"sha256", FIELD_SHA256, offsetof(Receipt, previous_sha256)},
    {NULL, FIELD_TEXT, 0},
};

static json_t *list_to_json(const Field *fields, const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; i < list->len; i++)
        json_array_append_new(array, fields_to_json(fields, list->pdata[i]));
    return array;
}

static json_t *notes_to_json(const GPtrArray *notes)
{
    json_t *array = json_array();
    for (guint i = 0; i < notes->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(notes->pdata[i], -1);
        json_array_append_new(array, json_string(valid));
    }
    return array;
}

/* What version 2 added to a relation; in version 1 nothing was merged. */
static const char *const MERGE_FIELDS[] = {"inserted", "overwritten", "kept", "settled", "rekeyed", "matched", NULL};

/* An old document stays what it was: its hash goes over what it holds. */
static void as_older(json_t *root, gint64 version)
{
    json_t *relation;
    size_t i;
    if (version < 4)
        json_object_del(root, "filter");
    if (version < 3) {
        json_object_del(root, "fingerprint");
        json_object_del(root, "protected");
    }
    if (version > 1)
        return;
    json_object_del(root, "archive");
    json_array_foreach(json_object_get(root, "relations"), i, relation)
    {
        for (gsize k = 0; MERGE_FIELDS[k] != NULL; k++)
            json_object_del(relation, MERGE_FIELDS[k]);
    }
}

json_t *receipt_to_json(const Receipt *receipt)
{
    json_t *root = json_object();
    json_object_set_new(root, "schema", json_string("pgfold.receipt"));
    json_object_set_new(root, "version", json_integer(receipt->format));
    json_object_set_new(root, "verdict", json_string(receipt->contained ? "contained" : "not contained"));
    json_t *head = fields_to_json(head_fields, receipt);
    json_object_update(root, head);
    json_decref(head);
    json_object_set_new(root, "source", fields_to_json(end_fields, &receipt->source));
    json_object_set_new(root, "target", fields_to_json(end_fields, &receipt->target));
    const ReceiptBackup *backup = &receipt->backup;
    json_object_set_new(root, "backup", backup->made ? fields_to_json(backup_fields, backup) : json_null());
    json_object_set_new(root, "no_backup", backup->made ? json_null() : fields_to_json(no_backup_fields, backup));
    json_object_set_new(root, "relations", list_to_json(relation_fields, receipt->relations));
    json_object_set_new(root, "sequences", list_to_json(sequence_fields, receipt->sequences));
    json_object_set_new(root, "large_objects", fields_to_json(large_objects_fields, &receipt->large_objects));
    json_object_set_new(root, "objects", list_to_json(objects_fields, receipt->objects));
    json_object_set_new(root, "protected", list_to_json(protected_fields, receipt->protected));
    json_object_set_new(root, "notes", notes_to_json(receipt->notes));
    json_object_set_new(root, "previous",
                        receipt->previous_file == NULL ? json_null() : fields_to_json(previous_fields, receipt));
    if (receipt->sha256 != NULL)
        json_object_set_new(root, "sha256", json_string(receipt->sha256));
    as_older(root, receipt->format);
    return root;
}

char *receipt_hash(json_t *document)
{
    json_t *copy = json_copy(document);
    json_object_del(copy, "sha256");
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    free(text);
    json_decref(copy);
    return hash;
}

/* Elements are made by the functions that callers use too, so that they are freed in one way. */
static void *new_element(Receipt *receipt, const Field *fields)
{
    if (fields == relation_fields)
        return receipt_add_relation(receipt, NULL, NULL, NULL);
    if (fields == sequence_fields)
        return receipt_add_sequence(receipt, NULL, NULL);
    if (fields == protected_fields)
        return receipt_add_protected(receipt, NULL, NULL);
    return receipt_add_objects(receipt, NULL, 0, 0);
}

static bool read_list(Receipt *receipt, const Field *fields, json_t *root, const char *name, GError **error)
{
    json_t *array = json_object_get(root, name);
    if (!json_is_array(array))
        return fields_bad(error, name, "is missing, or not a list");
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        g_autofree char *where = g_strdup_printf("%s[%zu]", name, i);
        if (!fields_from_json(fields, new_element(receipt, fields), item, where, error))
            return false;
    }
    return true;
}

static bool read_notes(Receipt *receipt, json_t *root, GError **error)
{
    json_t *array = json_object_get(root, "notes");
    if (!json_is_array(array))
        return fields_bad(error, "notes", "is missing, or not a list");
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return fields_bad(error, "notes", "holds something other than texts");
        receipt_add_note(receipt, "%s", json_string_value(item));
    }
    return true;
}

static bool read_backup(Receipt *receipt, json_t *root, GError **error)
{
    json_t *backup = json_object_get(root, "backup");
    json_t *none = json_object_get(root, "no_backup");
    if (backup == NULL || none == NULL || json_is_null(backup) == json_is_null(none))
        return fields_bad(error, "backup and no_backup", "must be there both, and one of them null");
    receipt->backup.made = json_is_null(none);
    return receipt->backup.made ? fields_from_json(backup_fields, &receipt->backup, backup, "backup", error)
                                : fields_from_json(no_backup_fields, &receipt->backup, none, "no_backup", error);
}

static bool read_previous(Receipt *receipt, json_t *root, GError **error)
{
    json_t *previous = json_object_get(root, "previous");
    if (json_is_null(previous))
        return true;
    if (!fields_from_json(previous_fields, receipt, previous, "previous", error))
        return false;
    /* A name, never a path: the chain does not leave its folder. */
    return strchr(receipt->previous_file, '/') == NULL || fields_bad(error, "previous.file", "is not a file name");
}

/* The head fields lie beside other members: they are taken out into an object of their own. */
static bool read_head(Receipt *receipt, json_t *root, GError **error)
{
    static const char *const others[] = {"schema",  "version",   "verdict",   "source",    "target",
                                         "backup",  "no_backup", "relations", "sequences", "large_objects",
                                         "objects", "protected", "notes",     "previous",  "sha256"};
    json_t *head = json_copy(root);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        json_object_del(head, others[i]);
    bool ok = fields_from_json(head_fields, receipt, head, "receipt", error);
    json_decref(head);
    return ok;
}

bool receipt_version_known(const json_t *version)
{
    return json_is_integer(version) && json_integer_value(version) >= 1 &&
           json_integer_value(version) <= RECEIPT_VERSION;
}

static bool read_marks(Receipt *receipt, json_t *root, GError **error)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const char *verdict = json_string_value(json_object_get(root, "verdict"));
    const char *sha256 = json_string_value(json_object_get(root, "sha256"));
    if (g_strcmp0(schema, "pgfold.receipt") != 0)
        return fields_bad(error, "schema", "is not \"pgfold.receipt\"");
    if (!receipt_version_known(json_object_get(root, "version")))
        return fields_bad(error, "version", "is another");
    receipt->format = json_integer_value(json_object_get(root, "version"));
    receipt->contained = g_strcmp0(verdict, "contained") == 0;
    if (!receipt->contained && g_strcmp0(verdict, "not contained") != 0)
        return fields_bad(error, "verdict", "is neither \"contained\" nor \"not contained\"");
    receipt_text(&receipt->sha256, sha256);
    return sha256 != NULL || fields_bad(error, "sha256", "is missing");
}

/* What was added since is unknown in an older document. */
static json_t *as_newest(json_t *document)
{
    json_t *root = json_deep_copy(document);
    json_t *relation;
    size_t i;
    json_int_t version = json_integer_value(json_object_get(root, "version"));
    if (version < 4)
        json_object_set_new(root, "filter", json_null());
    if (version < 3) {
        json_object_set_new(root, "fingerprint", json_null());
        json_object_set_new(root, "protected", json_array());
    }
    if (version > 1)
        return root;
    json_object_set_new(root, "archive", json_null());
    json_array_foreach(json_object_get(root, "relations"), i, relation)
    {
        for (gsize k = 0; json_is_object(relation) && MERGE_FIELDS[k] != NULL; k++)
            json_object_set_new(relation, MERGE_FIELDS[k], json_null());
    }
    return root;
}

Receipt *receipt_from_json(json_t *document, GError **error)
{
    json_t *root = as_newest(document);
    g_autoptr(Receipt) receipt = receipt_new();
    bool ok = read_marks(receipt, root, error) && read_head(receipt, root, error) &&
              fields_from_json(end_fields, &receipt->source, json_object_get(root, "source"), "source", error) &&
              fields_from_json(end_fields, &receipt->target, json_object_get(root, "target"), "target", error) &&
              read_backup(receipt, root, error) && read_list(receipt, relation_fields, root, "relations", error) &&
              read_list(receipt, sequence_fields, root, "sequences", error) &&
              fields_from_json(large_objects_fields, &receipt->large_objects, json_object_get(root, "large_objects"),
                               "large_objects", error) &&
              read_list(receipt, objects_fields, root, "objects", error) &&
              read_list(receipt, protected_fields, root, "protected", error) && read_notes(receipt, root, error) &&
              read_previous(receipt, root, error);
    json_decref(root);
    return ok ? g_steal_pointer(&receipt) : NULL;
}
