/* Shared by the files of src/rename only. */
#pragma once

#include "rename/rename.h"
#include "testdb/testdb.h"

void rename_block(Renamed *renamed, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* scratch.c: an ephemeral server with a database in which the definitions of dump were made, and the schema renamed.
 * *ret_conn is connected to it. */
typedef struct Scratch {
    TestDb *db;
    PgConn *conn;
} Scratch;
bool scratch_make(const RenameSpec *spec, const Dump *dump, Renamed *renamed, Scratch *ret_scratch, GError **error);
void scratch_clear(Scratch *scratch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scratch, scratch_clear)

/* rows.c: blocks for columns whose values name objects in the schema. */
bool rows_check(const RenameSpec *spec, const Catalog *source, Renamed *renamed, GError **error);

/* texts.c: blocks for every entry that names the old schema in a text, which the server did not rewrite. */
void texts_check(const RenameSpec *spec, Renamed *renamed);
