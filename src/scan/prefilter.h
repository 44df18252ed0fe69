/*
 * The bytes without which no file can have a finding: a file that has none of them is not parsed.
 *
 * One pass over the file. bench/scan gives the same to ripgrep, as a pattern.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* As a regular expression (no case): what every finding has at least one of. */
extern const char prefilter_pattern[];

/* words: further ones (names of services, of files that are to be removed), or NULL. */
typedef struct Prefilter Prefilter;
Prefilter *prefilter_new(const GPtrArray *words);
void prefilter_free(Prefilter *prefilter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prefilter, prefilter_free)
bool prefilter_passes(const Prefilter *prefilter, const char *text, gsize length);
