/* Which statements close a database, and what is recorded of it. No server is needed. */
#include <string.h>

#include "fence/internal.h"

enum { OWNER = 100, US = 200, OTHER = 300 };

static FenceDatabase *database_of(bool superuser)
{
    FenceDatabase *database = g_new0(FenceDatabase, 1);
    database->quoted = g_strdup("\"app\"");
    database->owner = OWNER;
    database->owner_name = g_strdup("owner");
    database->role = US;
    database->role_name = g_strdup("us");
    database->superuser = superuser;
    database->settings = g_ptr_array_new_with_free_func(g_free);
    database->grants = g_ptr_array_new_with_free_func(g_free);
    return database;
}

/* Texts are literals: nothing frees them here. */
static void grant(FenceDatabase *database, guint32 grantee, const char *name, bool grantable)
{
    FenceGrant item = {.grantee = grantee, .grantor = OWNER, .grantee_name = (char *)name, .grantable = grantable};
    g_ptr_array_add(database->grants, g_memdup2(&item, sizeof item));
}

static void set(FenceDatabase *database, bool here, guint32 role, const char *name, bool on, bool may_set)
{
    FenceSetting item = {.here = here,
                         .role = role,
                         .role_name = (char *)name,
                         .value = (char *)(on ? "on" : "off"),
                         .on = on,
                         .may_set = may_set};
    g_ptr_array_add(database->settings, g_memdup2(&item, sizeof item));
}

static char *statements_of(const FenceDatabase *database)
{
    g_autoptr(FenceChange) change = fence_change_make(database);
    g_ptr_array_add(change->statements, NULL);
    return g_strjoinv("\n", (char **)change->statements->pdata);
}

static void test_default(void)
{
    g_autoptr(FenceDatabase) database = database_of(true);
    grant(database, 0, NULL, false);
    grant(database, OWNER, "owner", false);
    g_autofree char *text = statements_of(database);
    g_assert_cmpstr(text, ==,
                    "ALTER DATABASE \"app\" SET default_transaction_read_only = 'on'\n"
                    "REVOKE CONNECT ON DATABASE \"app\" FROM PUBLIC CASCADE\n"
                    "REVOKE CONNECT ON DATABASE \"app\" FROM \"owner\" CASCADE");
}

static void test_closed(void)
{
    g_autoptr(FenceDatabase) database = database_of(false);
    set(database, true, 0, NULL, true, true);
    grant(database, US, "us", false);
    g_autofree char *text = statements_of(database);
    g_assert_cmpstr(text, ==, "");
}

static void test_ours(void)
{
    g_autoptr(FenceDatabase) database = database_of(false);
    set(database, true, 0, NULL, true, true);
    grant(database, 0, NULL, false);
    g_autofree char *given = statements_of(database);
    g_assert_cmpstr(given, ==,
                    "REVOKE CONNECT ON DATABASE \"app\" FROM PUBLIC CASCADE\n"
                    "GRANT CONNECT ON DATABASE \"app\" TO \"us\"");
    g_ptr_array_set_size(database->grants, 0);
    grant(database, US, "us", true);
    g_autofree char *kept = statements_of(database);
    g_assert_cmpstr(kept, ==, "REVOKE GRANT OPTION FOR CONNECT ON DATABASE \"app\" FROM \"us\" CASCADE");
}

static void test_roles(void)
{
    g_autoptr(FenceDatabase) database = database_of(true);
    set(database, true, 0, NULL, true, true);
    set(database, true, OTHER, "covered", true, true);
    set(database, false, OTHER, "covered", false, true);
    set(database, false, OTHER + 1, "everywhere", false, true);
    set(database, true, OTHER + 2, "here", false, true);
    set(database, false, OTHER + 3, "not ours", false, false);
    g_autofree char *text = statements_of(database);
    g_assert_cmpstr(text, ==,
                    "ALTER ROLE \"everywhere\" IN DATABASE \"app\" SET default_transaction_read_only = 'on'\n"
                    "ALTER ROLE \"here\" IN DATABASE \"app\" SET default_transaction_read_only = 'on'");
    g_autoptr(FenceChange) change = fence_change_make(database);
    g_assert_cmpuint(change->warnings->len, ==, 1);
    g_assert_nonnull(strstr(change->warnings->pdata[0], "not ours"));
    const json_t *settings = json_object_get(change->before, "settings");
    g_assert_cmpuint(json_array_size(settings), ==, 2);
    g_assert_true(json_is_null(json_object_get(json_array_get(settings, 0), "value")));
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(settings, 1), "value")), ==, "off");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fence/the default privileges are taken from PUBLIC and the owner", test_default);
    g_test_add_func("/fence/a closed database needs nothing", test_closed);
    g_test_add_func("/fence/we keep coming in and give it on to nobody", test_ours);
    g_test_add_func("/fence/settings of roles that go before the database's are switched on too", test_roles);
    return g_test_run();
}
