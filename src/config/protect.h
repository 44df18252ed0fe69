/*
 * What pgfold must not touch: the lists under `protect` in pgfold.yaml, asked before anything is done
 * (docs/protect.md).
 *
 * An entry is a name, or a pattern in which *, ? and [] mean what they mean in a shell; * passes over dots. Names are
 * compared as the database spells them. In paths, which start from the folder of pgfold.yaml, * and ? stay within one
 * component and a component ** stands for any number of them; what lies in a protected folder is protected too.
 */
#pragma once

#include "config/config.h"

/* The entry that a name equals or is matched by, owned by config; NULL: not protected. Tables: "schema.table". Not for
 * paths. */
const char *config_protected(const Config *config, ConfigProtectKind kind, const char *name);
/* Likewise for a table of the target: an entry of protect.schemas or protect.tables. */
const char *config_protects_table(const Config *config, const char *schema, const char *table);
/* For whoever starts, stops or removes a container: ask with each name that it has. */
const char *config_protects_container(const Config *config, const char *name);

/* False with PGF_ERROR_REFUSED when database is protected. Call for every database that a command connects to, with the
 * name that the server gave, before anything else is done there. label: "target", "source laptop". */
bool config_check_protected(const Config *config, const char *label, const char *database, GError **error);
/* Likewise for the role that a connection writes as. */
bool config_check_protected_role(const Config *config, const char *label, const char *role, GError **error);
/* Likewise for a container that is about to be started, stopped or removed. */
bool config_check_protected_container(const Config *config, const char *label, const char *container, GError **error);
/* Likewise for a file or folder that is about to be written or removed, which need not exist; a relative one starts
 * from the current folder. Symbolic links are resolved, on either side. what: "the backup folder". */
bool config_check_protected_path(const Config *config, const char *what, const char *path, GError **error);

/* Of an entry of protect.paths: the absolute path of what stands in front of its first pattern (all of it where it has
 * none); links are left as they are. Transfer full. */
char *config_path_root(const Config *config, const char *entry);
/* Whether an absolute path without links is what that entry means, or lies in it. */
bool config_path_matches(const Config *config, const char *entry, const char *absolute);
/* Whether one of entries (patterns as in protect.paths, NULL-terminated) means a file, which is relative to folder. */
bool config_path_listed(const Config *config, char *const *entries, const char *folder, const char *file);
/* Whether an entry has *, ? or [ in it. */
bool config_is_pattern(const char *entry);
