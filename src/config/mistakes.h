/* What is wrong in a file: collected while it is read, then told all at once, in the order of the lines. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct ConfigPlace {
    int line, column; /* from 1; columns are characters */
} ConfigPlace;

typedef struct ConfigMistakes {
    const char *file; /* as messages show it; not owned */
    GPtrArray *items;
} ConfigMistakes;

void config_mistakes_init(ConfigMistakes *mistakes, const char *file);
void config_mistakes_clear(ConfigMistakes *mistakes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigMistakes, config_mistakes_clear)

/* advice: what to write instead, or NULL. Two mistakes with one place and text count once. */
void config_mistakes_add(ConfigMistakes *mistakes, ConfigPlace place, const char *advice, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* True when there are none; otherwise false with the error that lists them (PGF_ERROR_USAGE). */
bool config_mistakes_settle(ConfigMistakes *mistakes, GError **error);

/* text in quotation marks for a message: shortened, control characters escaped, and hidden altogether where it looks
 * like a connection string, which can hold a password. Transfer full. */
char *config_quote(const char *text);

/* The candidate (NULL-terminated list) that text was probably meant to be, or NULL. Owned by candidates. */
const char *config_suggest(const char *text, const char *const *candidates);
