/* Shared by the files of src/fence only. */
#pragma once

#include "fence/fence.h"

#define FENCE_SETTING "default_transaction_read_only"

static inline Deadline fence_soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

/* --- database.c: what a fence is about, as it is now ---------------------------------------------------------------
 */

typedef struct FenceSetting {
    bool here;    /* in this database; false: of a role everywhere */
    guint32 role; /* 0: of the database itself */
    char *role_name, *value;
    bool on, may_set;
} FenceSetting;

typedef struct FenceGrant {   /* of CONNECT */
    guint32 grantee, grantor; /* grantee 0: PUBLIC */
    char *grantee_name;       /* NULL: PUBLIC */
    bool grantable;
} FenceGrant;

typedef struct FenceDatabase {
    char *quoted; /* its name */
    guint32 owner, role;
    char *owner_name, *role_name;
    char *acl; /* as stored; NULL: the default */
    bool superuser, may_alter;
    GPtrArray *settings, *grants;
} FenceDatabase;

FenceDatabase *fence_database_read(PgConn *conn, GError **error);
void fence_database_free(FenceDatabase *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FenceDatabase, fence_database_free)

/* --- change.c: what is missing to a fence ---------------------------------------------------------------------------
 */

typedef struct FenceChange {
    GPtrArray *statements; /* of char* */
    GPtrArray *warnings;   /* of char* */
    json_t *before;        /* what the statements take away */
} FenceChange;

FenceChange *fence_change_make(const FenceDatabase *database);
void fence_change_free(FenceChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FenceChange, fence_change_free)

/* role: quoted, or NULL for the database itself; value: NULL to reset. Transfer full. */
char *fence_setting_sql(const char *database, const char *role, const char *value);

/* Obstacles that stand now. FenceObstacle*. Transfer full. */
GPtrArray *fence_obstacles(PgConn *conn, GError **error);
