/* Whose host is "localhost" here: PostgreSQL's, or another service's? What stands around a setting says so. */
#pragma once

#include "scan/names.h"
#include "scan/setting.h"

typedef struct Evidence {
    bool file_postgres;     /* the file speaks of PostgreSQL */
    bool file_foreign;      /* and of another database */
    GHashTable *containers; /* number -> EVIDENCE_* */
} Evidence;

Evidence *evidence_read(const Source *source);
void evidence_free(Evidence *evidence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Evidence, evidence_free)

/* Is the host, port... that this setting gives a PostgreSQL database's? meaning: of its name. */
bool evidence_is_database(const Evidence *evidence, const Source *source, const Setting *setting, NameMeaning meaning);
