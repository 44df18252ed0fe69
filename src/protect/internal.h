/* Shared by the files of src/protect only. */
#pragma once

#include "catalog/catalog.h"
#include "config/protect.h"
#include "protect/protect.h"

/* item.c */
GPtrArray *items_new(void);
/* server may be NULL. */
ProtectItem *item_new(const char *kind, const char *name, const char *server, const char *method);
ProtectItem *items_add(GPtrArray *items, ProtectItem *item);
/* value: of any length, hashed here. */
void item_part(ProtectItem *item, const char *name, const char *value);
void item_rows(ProtectItem *item, const char *name, gint64 rows, const char *digest);
void item_unreadable(ProtectItem *item, const char *name, const char *problem);
/* Likewise, and nothing more is known of it. */
void item_blind(ProtectItem *item, const char *name, const char *problem);
/* The lists of pgfold.yaml hold names that nothing here has: one item each, without parts. */
void items_add_absent(GPtrArray *items, const Config *config, ConfigProtectKind kind, const char *kind_name,
                      const char *method);

/* database.c: one protected database. Only a cancel is an error. */
bool protect_database(ProtectItem *item, const char *url, bool rows, GError **error);
/* Begins a read-only transaction that sees one moment and waits for no lock long. */
bool protect_begin(PgConn *conn, GError **error);

/* rows.c: tables and sequences of the connection's database, each added to the items that pick() gives for it. Only a
 * cancel, a lost connection and an unreadable catalog are errors. */
typedef void (*ProtectPick)(const char *schema, const char *name, GPtrArray *ret_items, gpointer data);
bool protect_rows(PgConn *conn, ProtectPick pick, gpointer data, GError **error);

/* target.c: protected schemas and tables of the target database. */
bool protect_target(GPtrArray *items, const Ends *ends, bool rows, GError **error);

/* paths.c, containers.c: of this machine. */
bool protect_paths(GPtrArray *items, const Config *config, GError **error);
bool protect_containers(GPtrArray *items, const Config *config, GError **error);

extern const char PROTECT_DEFINITIONS_AND_ROWS[], PROTECT_DEFINITIONS[];
