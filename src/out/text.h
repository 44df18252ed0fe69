/*
 * Text for a terminal: making it harmless, measuring it, cutting and wrapping it. All text is UTF-8.
 *
 * Names and values that come from a database, a file or another program can hold anything, escape sequences
 * included. They pass through text_escape() before they are shown; table.h, out_notice() and out_error() do so
 * by themselves.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Control characters, bytes that are not UTF-8 and marks that reorder text become \n, \t, \x1b, \u202e... */
char *text_escape(const char *text);

/* As text_escape(), but line ends stay, and tabs by which libpq indents lines go. */
char *text_escape_lines(const char *text);

/* Does this character act on a terminal instead of being shown? */
bool text_is_control(gunichar character);

/* Columns on a terminal: wide characters count two, combining ones none. text: already escaped. */
int text_width(const char *text);

/* text, or as much of it as fits in width columns, ending in "…" where something was cut off. */
char *text_cut(const char *text, int width);

/* Appends text wrapped at width columns, each line behind indent blanks and ended by a newline. Empty lines separate
 * paragraphs; lines that start with a blank are kept as they are. Words wider than the line are not broken. */
void text_wrap(GString *to, const char *text, int indent, int width);

/* The candidate that word was probably meant to be (NULL-terminated list), or NULL. Owned by the list. */
const char *text_closest(const char *word, const char *const *candidates);
