/* Shared by the files of src/retire only. */
#pragma once

#include "docs/docs.h"
#include "retire/retire.h"

/* What the files of one plan have in common. */
typedef struct Work {
    const Config *config;
    const Git *git;
    GHashTable *tracked; /* file -> mode, below the folder of pgfold.yaml */
    GHashTable *texts;   /* file -> GBytes*: as the steps so far leave it */
    GHashTable *removed; /* file -> itself: set of those that go */
    RetireCode *code;
} Work;

/* The tracked files below the folder, by their names there. Transfer full. */
GHashTable *work_tracked(const Git *git, GError **error);
/* As the steps so far leave it, or from the disk; NULL: it cannot be read. Transfer full. */
GBytes *work_text(const Work *work, const char *file);
RetireStep *work_step(const char *name, const char *title);
/* Takes text; NULL removes the file. */
void work_change(Work *work, RetireStep *step, const char *file, char *text, gsize length);
/* Adds step to the plan where it has changes, else frees it. */
void work_add(Work *work, RetireStep *step);
void retire_place_add(GPtrArray *places, const char *file, guint line, const char *rule, ScanClass class,
                      const char *what);

/* remove.c: fills removed and missed. */
bool remove_plan(Work *work, const GPtrArray *sources, GError **error);

/* ignores.c: lines of .gitignore and its like that name nothing but a removed file. */
void ignores_plan(Work *work);

/* documents.c: what docs makes for the retired sources; whether a file is its to change (fixes then leave it alone). */
Docs *documents_read(const Work *work, Ledger *ledger, const GPtrArray *sources, GError **error);
bool documents_take(const Work *work, const Docs *docs, const char *file);
void documents_plan(Work *work, const Docs *docs);
void documents_mention(Work *work, const Docs *docs);

/* mentions.c: whether a text refers to one of the removed files: the line of the first that it does, 0: none; and which
 * (owned by removed). file: whose text it is. Comments (#) are passed over. */
guint mentions_find(const char *text, gsize length, const char *file, GHashTable *removed, GHashTable *tracked,
                    const char **ret_removed);

/* preserve.c: fills preserved. */
void preserve_look(Work *work);
