#include "fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

void fixture_setup(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    fixture->folder = g_dir_make_tmp("pgfold-ledger-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->state = g_build_filename(fixture->folder, ".pgfold", NULL);
}

void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        if (g_file_test(inside, G_FILE_TEST_IS_DIR))
            remove_tree(inside);
        else
            unlink(inside);
    }
    rmdir(path);
}

void fixture_teardown(Fixture *fixture, gconstpointer data)
{
    remove_tree(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->state);
}

Ledger *fixture_open(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(fixture->state, &error);
    g_assert_no_error(error);
    return ledger;
}

PgIdentity fixture_identity(const char *system_identifier, const char *database)
{
    return (PgIdentity){.system_identifier = (char *)system_identifier,
                        .database_oid = 16384,
                        .database = (char *)database,
                        .version = 150004,
                        .version_text = (char *)"15.4",
                        .role = (char *)"app",
                        .superuser = true,
                        .encoding = (char *)"UTF8",
                        .address = (char *)"127.0.0.1 port 5432"};
}

static void add_relations(Receipt *receipt)
{
    ReceiptRelation *orders = receipt_add_relation(receipt, "public", "orders", "table");
    orders->rows = orders->target_rows = 12345;
    orders->bytes = 1 << 20;
    receipt_text(&orders->digest, "00ff-1234");
    receipt_text(&orders->target_digest, "00ff-1234");
    orders->verdict = RECEIPT_CONTAINED;
    ReceiptRelation *scratch = receipt_add_relation(receipt, "public", "scratch \"x\" \303\244", "table");
    scratch->action = RECEIPT_SKIP;
    scratch->verdict = RECEIPT_SKIPPED;
    receipt_text(&scratch->reason, "fold.tables.public.scratch.skip");
}

Receipt *fixture_receipt(const char *source, gint64 run, int second)
{
    PgIdentity from = fixture_identity("7391234567890123456", "app");
    PgIdentity to = fixture_identity("7399999999999999999", "app");
    Receipt *receipt = receipt_new();
    receipt_set_end(&receipt->source, source, &from);
    receipt_set_end(&receipt->target, "target", &to);
    receipt->run = run;
    receipt->started = G_GINT64_CONSTANT(1769851800) * G_USEC_PER_SEC;
    receipt->finished = receipt->started + (gint64)second * G_USEC_PER_SEC + 123456;
    receipt_text(&receipt->client_tools, "pg_dump (PostgreSQL) 15.4");
    receipt_text(&receipt->snapshot, "00000003-0000001B-1");
    receipt_text(&receipt->lsn, "0/3000148");
    add_relations(receipt);
    ReceiptSequence *sequence = receipt_add_sequence(receipt, "public", "orders_id_seq");
    sequence->source = sequence->target = (ReceiptValue){.used = true, .value = 12345};
    sequence->verdict = RECEIPT_CONTAINED;
    ReceiptSequence *unused = receipt_add_sequence(receipt, "public", "unused_seq");
    unused->verdict = RECEIPT_CONTAINED;
    receipt_add_objects(receipt, "index", 7, 7);
    receipt->large_objects.count = receipt->large_objects.target_count = 2;
    receipt_text(&receipt->large_objects.digest, "beef");
    receipt_text(&receipt->large_objects.target_digest, "beef");
    receipt->large_objects.verdict = RECEIPT_CONTAINED;
    receipt->backup.made = true;
    receipt_text(&receipt->backup.path, "/backups/laptop-20260131T093000Z");
    receipt_text(&receipt->backup.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    receipt->backup.proven = true;
    receipt_text(&receipt->backup.how, "restored into PostgreSQL 15.4 and compared");
    receipt->backup.at = receipt->started;
    receipt_text(&receipt->fingerprint, "full");
    ReceiptProtected *archon = receipt_add_protected(receipt, "database", "archon");
    receipt_text(&archon->server, "target");
    receipt_text(&archon->method, "definitions and rows");
    receipt_text(&archon->before, receipt->backup.sha256);
    receipt_text(&archon->after, receipt->backup.sha256);
    receipt_text(&archon->verdict, "same");
    archon->count = 12;
    archon->rows = 3021;
    receipt_add_note(receipt, "%d table was skipped", 1);
    receipt_judge(receipt);
    return receipt;
}

char *fixture_write_receipt(Ledger *ledger, const char *source, gint64 run, int second)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Receipt) receipt = fixture_receipt(source, run, second);
    char *path = NULL;
    ledger_lock(ledger, "fold", &error);
    g_assert_no_error(error);
    receipt_write(receipt, ledger, &path, &error);
    g_assert_no_error(error);
    return path;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **list_folder(const char *path)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

void assert_error(const GError *error, int code, const char *text)
{
    g_assert_nonnull(error);
    if (error->domain != PGF_ERROR || error->code != code || strstr(error->message, text) == NULL)
        g_error("expected error %d with \"%s\", got %d: %s", code, text, error->code, error->message);
}
