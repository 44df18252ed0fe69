/* Between the files of this room. */
#pragma once

#include "dump/dump.h"

/* What `pg_restore -l` lists: dump id -> the text after the oids, "TYPE SCHEMA NAME OWNER". */
typedef GHashTable DumpListing;

/* False with PGF_ERROR_INTERNAL for a line that is not understood. */
bool dump_listing_read(const char *text, DumpListing **ret_listing, GError **error);

/* Appends the entries of one section, as `pg_restore -v --section=...` wrote it, to entries. */
bool dump_split(const char *script, gsize length, DumpSection section, DumpListing *listing, GPtrArray *entries,
                GError **error);

/* The DROP statements in front of the first entry of what `pg_restore -v --clean` wrote. NULL with an error. */
char *dump_split_drops(const char *script, gsize length, GError **error);

DumpEntry *dump_entry_new(void);
void dump_entry_free(gpointer entry);
/* Takes the options that are passwords out of a CREATE USER MAPPING. */
void dump_entry_drop_password(DumpEntry *entry);

/* Reads `before` and a number at *at, and moves behind both. */
bool dump_take_number(const char **at, const char *before, guint32 *ret_number);
