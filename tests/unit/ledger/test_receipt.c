#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "fixture.h"
#include "ledger/internal.h"
#include "ledger/receipt_internal.h"

static void test_round_trip(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fixture_write_receipt(ledger, "old vps", 12, 4);
    g_autofree char *name = g_path_get_basename(path);
    g_assert_cmpstr(name, ==, "20260131T093004Z-000012-old_vps.json");
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_no_error(error);
    g_autoptr(Receipt) expected = fixture_receipt("old vps", 12, 4);
    receipt_text(&expected->sha256, read->sha256);
    json_t *a = receipt_to_json(expected), *b = receipt_to_json(read);
    g_assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    g_assert_true(read->contained);
    g_assert_null(read->previous_file);
    g_assert_cmpuint(read->relations->len, ==, 2);
    const ReceiptRelation *skipped = read->relations->pdata[1];
    g_assert_cmpint(skipped->rows, ==, RECEIPT_UNKNOWN);
    g_assert_cmpint(skipped->action, ==, RECEIPT_SKIP);
    const ReceiptSequence *unused = read->sequences->pdata[1];
    g_assert_false(unused->source.used);
}

static void test_chain(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    /* The clock went back between the second and the third: the chain does not care. */
    g_autofree char *first = fixture_write_receipt(ledger, "laptop", 1, 10);
    g_autofree char *second = fixture_write_receipt(ledger, "attic", 2, 20);
    g_autofree char *third = fixture_write_receipt(ledger, "laptop", 3, 5);
    g_autofree char *newest = receipt_newest(ledger, NULL, &error);
    g_autofree char *newest_attic = receipt_newest(ledger, "attic", &error);
    g_assert_cmpstr(newest, ==, third);
    g_assert_cmpstr(newest_attic, ==, second);
    g_assert_null(receipt_newest(ledger, "nobody", &error));
    g_assert_no_error(error);
    guint chain = 0, all = 0;
    g_assert_true(receipt_check(third, &chain, &error));
    g_assert_cmpuint(chain, ==, 3);
    g_assert_true(receipt_check(first, &chain, &error));
    g_assert_cmpuint(chain, ==, 1);
    g_assert_true(receipt_check_all(ledger, &all, &error));
    g_assert_cmpuint(all, ==, 3);
    g_assert_no_error(error);
}

static void test_no_backup(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    receipt->backup.made = false;
    receipt_text(&receipt->backup.reason, "--no-backup");
    receipt_text(&receipt->backup.by, "carla");
    g_autofree char *path = NULL;
    ledger_lock(ledger, "fold", &error);
    g_assert_true(receipt_write(receipt, ledger, &path, &error));
    g_assert_no_error(error);
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_false(read->backup.made);
    g_assert_cmpstr(read->backup.by, ==, "carla");
    g_assert_null(read->backup.path);
}

typedef struct Contradiction {
    const char *what;
    void (*make)(Receipt *receipt);
} Contradiction;

static ReceiptRelation *orders(Receipt *receipt)
{
    return receipt->relations->pdata[0];
}

static void fewer_rows(Receipt *receipt)
{
    orders(receipt)->target_rows--;
}

static void more_rows(Receipt *receipt)
{
    orders(receipt)->target_rows++;
}

static void other_digest(Receipt *receipt)
{
    receipt_text(&orders(receipt)->target_digest, "0000-1234");
}

static void no_digest(Receipt *receipt)
{
    receipt_text(&orders(receipt)->digest, NULL);
    receipt_text(&orders(receipt)->target_digest, NULL);
}

static void skip_without_reason(Receipt *receipt)
{
    ReceiptRelation *scratch = receipt->relations->pdata[1];
    receipt_text(&scratch->reason, NULL);
}

static void skip_called_contained(Receipt *receipt)
{
    orders(receipt)->action = RECEIPT_SKIP;
}

static void sequence_behind(Receipt *receipt)
{
    ((ReceiptSequence *)receipt->sequences->pdata[0])->target.value--;
}

static void sequence_unused(Receipt *receipt)
{
    ((ReceiptSequence *)receipt->sequences->pdata[0])->target.used = false;
}

static void descending_sequence_behind(Receipt *receipt)
{
    ReceiptSequence *sequence = receipt->sequences->pdata[0];
    sequence->increment = -1;
    sequence->target.value++;
}

static void fewer_indexes(Receipt *receipt)
{
    ((ReceiptObjects *)receipt->objects->pdata[0])->target--;
}

static void other_large_objects(Receipt *receipt)
{
    receipt_text(&receipt->large_objects.target_digest, "dead");
}

static void uncounted_large_objects(Receipt *receipt)
{
    receipt->large_objects.count = RECEIPT_UNKNOWN;
}

static ReceiptProtected *archon(Receipt *receipt)
{
    return receipt->protected->pdata[0];
}

static void changed_called_same(Receipt *receipt)
{
    receipt_text(&archon(receipt)->after, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b856");
}

static void same_called_changed(Receipt *receipt)
{
    receipt_text(&archon(receipt)->verdict, "changed");
}

static void absent_with_fingerprint(Receipt *receipt)
{
    receipt_text(&archon(receipt)->verdict, "absent");
}

static void unreadable_without_reason(Receipt *receipt)
{
    receipt_text(&archon(receipt)->verdict, "unreadable");
}

static void difference_called_contained(Receipt *receipt)
{
    orders(receipt)->verdict = RECEIPT_DIFFERENT;
}

static void same_database(Receipt *receipt)
{
    receipt_text(&receipt->target.system_identifier, receipt->source.system_identifier);
}

static void before_it_started(Receipt *receipt)
{
    receipt->finished = receipt->started - 1;
}

static void no_role(Receipt *receipt)
{
    receipt_text(&receipt->source.role, NULL);
}

static void bad_backup_hash(Receipt *receipt)
{
    receipt_text(&receipt->backup.sha256, "abc");
}

static const Contradiction contradictions[] = {
    {"the target has fewer rows", fewer_rows},
    {"no word on them", more_rows},
    {"the digests differ", other_digest},
    {"without a count and a digest", no_digest},
    {"was skipped without a reason", skip_without_reason},
    {"is skipped in one place", skip_called_contained},
    {"the target is behind", sequence_behind},
    {"never used in the target", sequence_unused},
    {"the target is behind", descending_sequence_behind},
    {"the target has fewer", fewer_indexes},
    {"large objects are called contained, but the digests differ", other_large_objects},
    {"without a count", uncounted_large_objects},
    {"database archon is called the same without two equal", changed_called_same},
    {"is called changed, with equal", same_called_changed},
    {"is called absent, with", absent_with_fingerprint},
    {"is called unreadable without", unreadable_without_reason},
    {"its parts say otherwise", difference_called_contained},
    {"are the same database", same_database},
    {"finished before it started", before_it_started},
    {"source.role", no_role},
    {"backup.sha256", bad_backup_hash},
};

static void test_contradictions(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    ledger_lock(ledger, "fold", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(contradictions); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
        contradictions[i].make(receipt);
        g_assert_false(receipt_write(receipt, ledger, NULL, &error));
        assert_error(error, PGF_ERROR_INTERNAL, contradictions[i].what);
    }
    g_auto(GStrv) files = list_folder(ledger_receipts_dir(ledger));
    g_assert_null(files[0]);
}

static void test_honest_difference(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    orders(receipt)->verdict = RECEIPT_DIFFERENT;
    other_digest(receipt);
    g_assert_false(receipt_judge(receipt));
    g_autofree char *path = NULL;
    ledger_lock(ledger, "fold", &error);
    receipt_write(receipt, ledger, &path, &error);
    g_assert_no_error(error);
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_false(read->contained);
    g_assert_true(receipt_check(path, NULL, &error));
}

static void test_more_rows(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    more_rows(receipt);
    other_digest(receipt);
    receipt_text(&orders(receipt)->reason, "compared row by row: the target has 1 row more");
    ledger_lock(ledger, "fold", &error);
    receipt_write(receipt, ledger, NULL, &error);
    g_assert_no_error(error);
}

static void test_needs_lock(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    g_assert_false(receipt_write(receipt, ledger, NULL, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "needs the lock");
}

static void merge_orders(Receipt *receipt)
{
    ReceiptRelation *r = orders(receipt);
    r->action = RECEIPT_MERGE;
    r->inserted = 40;
    r->overwritten = r->rekeyed = r->matched = 2;
    r->kept = 3;
    r->settled = 1;
    r->target_rows = r->rows - 4;
    other_digest(receipt);
}

static void test_merge(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    merge_orders(receipt);
    g_autofree char *path = NULL;
    ledger_lock(ledger, "fold", &error);
    receipt_write(receipt, ledger, &path, &error);
    g_assert_no_error(error);
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_cmpint(orders(read)->inserted, ==, 40);
    g_assert_cmpint(orders(read)->kept, ==, 3);
    g_autofree char *text = receipt_merge_text(orders(read));
    g_assert_cmpstr(text, ==,
                    "40 inserted, 2 overwritten, 3 left as in the target, 1 settled earlier, "
                    "2 with a new key, 2 found by match_on");
}

static void test_merge_with_too_few_rows(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    merge_orders(receipt);
    orders(receipt)->target_rows--;
    ledger_lock(ledger, "fold", NULL);
    g_assert_false(receipt_write(receipt, ledger, NULL, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "the target has too few rows");
}

/* As pgfold 0.1 wrote them: without what a merge adds. */
static char *write_version_1(const Fixture *fixture, const char *name, bool spoil)
{
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 4);
    receipt->format = 1;
    json_t *root = receipt_to_json(receipt);
    g_assert_null(json_object_get(root, "archive"));
    g_assert_null(json_object_get(json_array_get(json_object_get(root, "relations"), 0), "inserted"));
    g_autofree char *hash = receipt_hash(root);
    json_object_set_new(root, "sha256", json_string(hash));
    if (spoil)
        json_object_set_new(root, "run", json_integer(2));
    char *path = g_build_filename(fixture->folder, name, NULL);
    g_assert_cmpint(json_dump_file(root, path, 0), ==, 0);
    json_decref(root);
    return path;
}

static void test_version_1(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_version_1(fixture, "20260131T093004Z-000001-laptop.json", false);
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(orders(read)->inserted, ==, RECEIPT_UNKNOWN);
    g_assert_null(read->archive);
    g_assert_true(receipt_check(path, NULL, &error));
    g_assert_no_error(error);
    json_t *again = receipt_to_json(read), *file = json_load_file(path, 0, NULL);
    g_assert_true(json_equal(again, file));
    json_decref(again);
    json_decref(file);
}

static void test_version_1_changed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_version_1(fixture, "r.json", true);
    g_assert_null(receipt_read(path, &error));
    assert_error(error, PGF_ERROR_DIFFERS, "does not match its own SHA-256");
}

static void test_bytes_not_utf8(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 1, 0);
    receipt_text(&orders(receipt)->name, "caf\xe9");
    receipt_add_note(receipt, "about caf\xe9");
    g_autofree char *path = NULL;
    ledger_lock(ledger, "fold", &error);
    receipt_write(receipt, ledger, &path, &error);
    g_assert_no_error(error);
    g_assert_true(receipt_check(path, NULL, &error));
    g_autoptr(Receipt) read = receipt_read(path, &error);
    g_assert_cmpstr(orders(read)->name, ==, "caf\357\277\275");
}

static void test_not_receipts(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "not JSON"},
        {"{", "not JSON"},
        {"[]", "schema is not"},
        {"{\"schema\": \"other\"}", "schema is not"},
        {"{\"schema\": \"pgfold.receipt\", \"version\": 5}", "version is another"},
        {"{\"schema\": \"pgfold.receipt\", \"schema\": \"pgfold.receipt\"}", "not JSON: duplicate"},
    };
    g_autofree char *path = g_build_filename(fixture->folder, "r.json", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_file_set_contents(path, cases[i].text, -1, NULL);
        g_assert_null(receipt_read(path, &error));
        assert_error(error, PGF_ERROR_USAGE, cases[i].problem);
        assert_error(error, PGF_ERROR_USAGE, path);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(receipt_read(fixture->folder, &error));
    assert_error(error, PGF_ERROR_USAGE, "cannot read the receipt");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/receipt/is read back as it was written", test_round_trip);
    fixture_test("/receipt/receipts of all sources make one chain", test_chain);
    fixture_test("/receipt/a fold without a backup says why and who agreed", test_no_backup);
    fixture_test("/receipt/one that contradicts itself is never written", test_contradictions);
    fixture_test("/receipt/one that admits a difference is written", test_honest_difference);
    fixture_test("/receipt/rows that only the target has need a word on how they were told apart", test_more_rows);
    fixture_test("/receipt/is not written without the lock", test_needs_lock);
    fixture_test("/receipt/a merge says what became of its rows", test_merge);
    fixture_test("/receipt/a merge that lacks rows is not called contained", test_merge_with_too_few_rows);
    fixture_test("/receipt/one of version 1 is read, and given back as it was", test_version_1);
    fixture_test("/receipt/one of version 1 that was changed is found", test_version_1_changed);
    fixture_test("/receipt/names that are not UTF-8 do not break it", test_bytes_not_utf8);
    fixture_test("/receipt/what is no receipt is refused with the reason", test_not_receipts);
    return g_test_run();
}
