/*
 * Hidden: objects of a database that a look at it takes for absent, by the names that pg_dump has for them. They are
 * what a fold that died has made in a target, and from which another goes on: that one compares and plans as the first
 * did.
 *
 * Names alone do not tell apart what is the run's from what is not. Whoever makes the list sees to it that they do.
 */
#pragma once

#include "catalog/catalog.h"

typedef struct Hidden {
    char *owner;       /* by what the one who made them is known: the schema that marks them */
    GHashTable *names; /* a set of "TABLE\npublic\norders" */
} Hidden;

Hidden *hidden_new(const char *owner);
void hidden_free(Hidden *hidden);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hidden, hidden_free)

/* type, schema (or NULL) and name as pg_dump has them. False: there is one of that name already. */
bool hidden_add(Hidden *hidden, const char *type, const char *schema, const char *name);
/* hidden may be NULL, in these: then nothing is. */
bool hidden_has(const Hidden *hidden, const char *type, const char *schema, const char *name);
/* A table, view or sequence of that name. */
bool hidden_has_relation(const Hidden *hidden, const char *schema, const char *name);
/* A type, or a relation, which is a type as well. */
bool hidden_has_type(const Hidden *hidden, const char *schema, const char *name);

/* As one text, and back from it (NULL where it is none). Transfer full. */
char *hidden_to_text(const Hidden *hidden);
Hidden *hidden_from_text(const char *text);

/* Takes them out of a catalog, with all that hangs on them. What counts objects of a kind is emptied. */
void catalog_hide(Catalog *catalog, const Hidden *hidden);
