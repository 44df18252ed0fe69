/* Whatever is changed in the receipts folder is found by checking the newest receipt. */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "fixture.h"
#include "ledger/receipt_internal.h"

static json_t *load(const char *path)
{
    json_t *root = json_load_file(path, 0, NULL);
    g_assert_nonnull(root);
    return root;
}

static void save(const char *path, json_t *root)
{
    g_assert_cmpint(json_dump_file(root, path, JSON_INDENT(2)), ==, 0);
}

/* The liar's way: the change, and the hash that fits it. */
static void save_with_hash(const char *path, json_t *root)
{
    g_autofree char *hash = receipt_hash(root);
    json_object_set_new(root, "sha256", json_string(hash));
    save(path, root);
}

static json_t *changed(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_sprintf("%s0", json_string_value(value));
    case JSON_INTEGER:
        return json_integer(json_integer_value(value) + 1);
    case JSON_TRUE:
        return json_false();
    case JSON_FALSE:
    case JSON_NULL:
        return json_true();
    default:
        return json_null();
    }
}

typedef struct Tamper {
    const char *path;
    json_t *root;
    int changes;
} Tamper;

static void assert_found(Tamper *tamper, const char *where)
{
    g_autoptr(GError) error = NULL;
    save(tamper->path, tamper->root);
    if (receipt_check(tamper->path, NULL, &error))
        g_error("a change of %s was not found", where);
    bool still_a_receipt = strcmp(where, "receipt.schema") != 0 && strcmp(where, "receipt.version") != 0;
    assert_error(error, still_a_receipt ? PGF_ERROR_DIFFERS : PGF_ERROR_USAGE, tamper->path);
    tamper->changes++;
}

static void tamper_value(Tamper *tamper, json_t *value, const char *where);

static void tamper_member(Tamper *tamper, json_t *object, const char *key, const char *where)
{
    g_autofree char *inside = g_strdup_printf("%s.%s", where, key);
    json_t *kept = json_incref(json_object_get(object, key));
    tamper_value(tamper, kept, inside);
    json_object_set_new(object, key, changed(kept));
    assert_found(tamper, inside);
    json_object_del(object, key);
    assert_found(tamper, inside);
    json_object_set_new(object, key, kept);
}

static void tamper_object(Tamper *tamper, json_t *object, const char *where)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) g_ptr_array_add(keys, g_strdup(key));
    for (guint i = 0; i < keys->len; i++)
        tamper_member(tamper, object, keys->pdata[i], where);
    json_object_set_new(object, "added", json_true());
    assert_found(tamper, where);
    json_object_del(object, "added");
}

static void tamper_array(Tamper *tamper, json_t *array, const char *where)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        g_autofree char *inside = g_strdup_printf("%s[%zu]", where, i);
        json_t *kept = json_incref(json_array_get(array, i));
        tamper_value(tamper, kept, inside);
        json_array_remove(array, i);
        assert_found(tamper, inside);
        json_array_insert(array, i, kept);
        json_array_append(array, kept);
        assert_found(tamper, inside);
        json_array_remove(array, json_array_size(array) - 1);
        json_decref(kept);
    }
}

static void tamper_value(Tamper *tamper, json_t *value, const char *where)
{
    if (json_is_object(value))
        tamper_object(tamper, value, where);
    else if (json_is_array(value))
        tamper_array(tamper, value, where);
}

static void test_each_field(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_free(fixture_write_receipt(ledger, "laptop", 1, 0));
    g_autofree char *path = fixture_write_receipt(ledger, "laptop", 2, 1);
    Tamper tamper = {.path = path, .root = load(path)};
    tamper_value(&tamper, tamper.root, "receipt");
    g_test_message("%d changes found", tamper.changes);
    g_assert_cmpint(tamper.changes, >, 200);
    /* And undone, it is sound again: the changes were what was found. */
    g_autoptr(GError) error = NULL;
    save(path, tamper.root);
    receipt_check(path, NULL, &error);
    g_assert_no_error(error);
    json_decref(tamper.root);
}

typedef struct Chain {
    Ledger *ledger;
    char *paths[3];
} Chain;

static Chain make_chain(Fixture *fixture)
{
    Chain chain = {.ledger = fixture_open(fixture)};
    for (int i = 0; i < 3; i++)
        chain.paths[i] = fixture_write_receipt(chain.ledger, i == 1 ? "attic" : "laptop", i + 1, i);
    return chain;
}

static void chain_clear(Chain *chain)
{
    ledger_close(chain->ledger);
    for (int i = 0; i < 3; i++)
        g_free(chain->paths[i]);
}

static void assert_chain_broken(Chain *chain, const char *file, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(receipt_check(chain->paths[2], NULL, &error));
    assert_error(error, PGF_ERROR_DIFFERS, text);
    assert_error(error, PGF_ERROR_DIFFERS, file);
    g_clear_error(&error);
    g_assert_false(receipt_check_all(chain->ledger, NULL, &error));
    assert_error(error, PGF_ERROR_DIFFERS, file);
}

static void test_missing_link(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    g_unlink(chain.paths[1]);
    assert_chain_broken(&chain, chain.paths[1], "is missing, but");
    chain_clear(&chain);
}

static void test_missing_newest(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    g_autoptr(GError) error = NULL;
    g_unlink(chain.paths[2]);
    g_assert_false(receipt_check_all(chain.ledger, NULL, &error));
    assert_error(error, PGF_ERROR_DIFFERS, "the ledger lists it");
    g_clear_error(&error);
    /* The next receipt still follows it, so that its absence stays visible without the ledger. */
    g_autofree char *next = fixture_write_receipt(chain.ledger, "laptop", 9, 9);
    g_assert_false(receipt_check(next, NULL, &error));
    assert_error(error, PGF_ERROR_DIFFERS, chain.paths[2]);
    chain_clear(&chain);
}

static void test_rewritten_link(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    json_t *root = load(chain.paths[0]);
    json_object_set_new(root, "client_tools", json_string("pg_dump (PostgreSQL) 17.0"));
    save_with_hash(chain.paths[0], root);
    json_decref(root);
    assert_chain_broken(&chain, chain.paths[0], "has SHA-256");
    chain_clear(&chain);
}

static void test_lying_verdict(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    json_t *root = load(chain.paths[2]);
    json_t *orders = json_array_get(json_object_get(root, "relations"), 0);
    json_object_set_new(orders, "target_rows", json_integer(1));
    save_with_hash(chain.paths[2], root);
    json_decref(root);
    assert_chain_broken(&chain, chain.paths[2],
                        "table public.orders is called contained, but the target has fewer rows");
    chain_clear(&chain);
}

static void test_destroyed_link(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    g_assert_true(g_file_set_contents(chain.paths[1], "gone", -1, NULL));
    assert_chain_broken(&chain, chain.paths[1], "not JSON");
    chain_clear(&chain);
}

static void test_exchanged(Fixture *fixture, gconstpointer data)
{
    Chain chain = make_chain(fixture);
    g_autofree char *text = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(chain.paths[0], &text, &length, NULL));
    g_assert_true(g_file_set_contents(chain.paths[2], text, (gssize)length, NULL));
    assert_chain_broken(&chain, chain.paths[2], "");
    chain_clear(&chain);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tamper/a change, removal or addition of any field is found", test_each_field);
    fixture_test("/tamper/a receipt removed from the middle is found", test_missing_link);
    fixture_test("/tamper/a newest receipt that was removed is found", test_missing_newest);
    fixture_test("/tamper/a receipt rewritten with a fitting hash is found by the next one", test_rewritten_link);
    fixture_test("/tamper/a verdict that its contents do not support is found", test_lying_verdict);
    fixture_test("/tamper/a receipt overwritten with something else is found", test_destroyed_link);
    fixture_test("/tamper/a receipt put under another's name is found", test_exchanged);
    return g_test_run();
}
