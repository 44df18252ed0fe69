/* What has to be put back, from the records of one or several fences. Internal to this room. */
#pragma once

#include "fence/internal.h"

typedef struct UndoRole {
    char *name;
    bool may_set; /* SET ROLE */
} UndoRole;

typedef struct UndoSetting {
    guint32 role;
    const char *value; /* of the record; NULL: there was none */
} UndoSetting;

typedef struct UndoGrant {
    guint32 grantee, grantor;
    bool by_owner;
    bool grantable;
    bool present; /* false: the fence gave it, and it goes */
} UndoGrant;

typedef struct Undo {
    GPtrArray *settings, *grants; /* of UndoSetting*, UndoGrant*; texts belong to the records */
    const char *acl;              /* as it was stored before the first of them; NULL: none */
    GHashTable *roles;            /* oid -> UndoRole*, of all that exist */
} Undo;

/* rows: LedgerFence*, the newest first; they must outlive it. */
Undo *undo_make(PgConn *conn, const GPtrArray *rows, GError **error);
void undo_free(Undo *undo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Undo, undo_free)

const UndoRole *undo_role(const Undo *undo, guint32 oid);
