/* The table of checks is complete and consistent; what the checks find is tested in tests/cli/test_audit.py. */
#include "audit/checks.h"

#include <string.h>

#include "base/error.h"

static void test_table(void)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (const AuditCheck *check = checks_table; check->id != NULL; check++) {
        g_test_message("%s", check->id);
        g_assert_true(g_hash_table_add(ids, (gpointer)(guintptr)check->id));
        g_assert_cmpuint(strspn(check->id, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen(check->id));
        g_assert_nonnull(check->sql);
        g_assert_false(g_str_has_suffix(check->description, "."));
        g_assert_true(g_str_has_suffix(check->remedy, "."));
        g_assert_true(check->severity == CHECK_ERROR || !check->forbids_reading);
        g_assert_true(check->side == CHECK_TARGET || (check->wants_sql == NULL && !check->needs_database));
        g_assert_false(check->takes_jobs && check->wants_sql != NULL);
        /* A query has a parameter exactly when the table says where its value comes from. */
        g_assert_cmpint(strstr(check->sql, "-- params: none") == NULL, ==,
                        check->takes_jobs || check->wants_sql != NULL);
    }
    g_assert_cmpuint(g_hash_table_size(ids), >=, 30);
}

static void test_manual(void)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(DOCS_DIR "/audit.md", &text, NULL, &error);
    g_assert_no_error(error);
    for (const AuditCheck *check = checks_table; check->id != NULL; check++) {
        g_autofree char *row = g_strdup_printf("| `%s` |", check->id);
        g_test_message("%s", check->id);
        g_assert_nonnull(strstr(text, row));
    }
}

static AuditFinding *finding_new(const AuditCheck *check, const char *item)
{
    AuditFinding *finding = g_new0(AuditFinding, 1);
    finding->check = check;
    finding->items = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(finding->items, g_strdup(item));
    return finding;
}

static void finding_free(gpointer data)
{
    AuditFinding *finding = data;
    g_ptr_array_unref(finding->items);
    g_free(finding);
}

static void test_merge(void)
{
    static const AuditCheck NOTICE = {.id = "n", .severity = CHECK_NOTICE},
                            WARNING = {.id = "w", .severity = CHECK_WARNING},
                            FATAL = {.id = "e", .severity = CHECK_ERROR};
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(finding_free);
    GPtrArray *more = g_ptr_array_new_with_free_func(finding_free);
    g_ptr_array_add(findings, finding_new(&NOTICE, "1"));
    g_ptr_array_add(findings, finding_new(&WARNING, "2"));
    g_ptr_array_add(more, finding_new(&FATAL, "3"));
    g_ptr_array_add(more, finding_new(&WARNING, "4"));
    checks_merge(findings, more);
    static const char *const ORDER[] = {"3", "2", "4", "1"};
    for (guint i = 0; i < G_N_ELEMENTS(ORDER); i++)
        g_assert_cmpstr(((AuditFinding *)findings->pdata[i])->items->pdata[0], ==, ORDER[i]);
}

static void test_blocks(void)
{
    static const AuditCheck FATAL = {
        .id = "e", .severity = CHECK_ERROR, .description = "bad things", .remedy = "Mend them."};
    static const AuditCheck UNREADABLE = {.id = "u",
                                          .side = CHECK_TARGET,
                                          .severity = CHECK_ERROR,
                                          .forbids_reading = true,
                                          .description = "secrets",
                                          .remedy = "Ask."};
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(finding_free);
    g_autoptr(GError) error = NULL;
    AuditFinding *many = finding_new(&FATAL, "0");
    for (int i = 1; i <= 12; i++)
        g_ptr_array_add(many->items, g_strdup_printf("%d", i));
    g_ptr_array_add(findings, many);
    g_assert_true(checks_allow_reading(findings, &error));
    g_ptr_array_add(findings, finding_new(&UNREADABLE, "x"));
    g_autoptr(GPtrArray) blocks = checks_blocks(findings);
    g_assert_cmpstr(blocks->pdata[0], ==, "source: bad things: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 3 more");
    g_assert_false(checks_allow_reading(findings, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_cmpstr(error->message, ==, "target: secrets: x");
    g_assert_cmpstr(pgf_error_hint(error), ==, "Ask.");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checks/have what each of them needs", test_table);
    g_test_add_func("/checks/stand in the manual", test_manual);
    g_test_add_func("/checks/are merged with errors first", test_merge);
    g_test_add_func("/checks/say why a fold or an audit is refused", test_blocks);
    return g_test_run();
}
