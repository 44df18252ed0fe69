/*
 * Patterns of psql and pg_dump: `*` is any text, `?` one character; outside of double quotes letters are lowered and
 * the characters of a regular expression (`[a-z]`, `a|b`) mean what they mean there; in double quotes everything stands
 * for itself. A dot outside of quotes divides the schema from the name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct FilterPattern {
    char *schema; /* anchored regular expression for the server's operator ~, or NULL: the pattern names no schema */
    char *name;   /* likewise; never NULL */
} FilterPattern;

/* qualified: the pattern may name a schema. PGF_ERROR_USAGE for one that has too many parts or a part without text. */
bool filter_pattern_parse(const char *text, bool qualified, FilterPattern *ret_pattern, GError **error);
void filter_pattern_clear(FilterPattern *pattern);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FilterPattern, filter_pattern_clear)
