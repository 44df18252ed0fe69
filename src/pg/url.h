/*
 * A connection string taken apart into libpq's keywords, and put together again with or without what is secret.
 *
 * Parts are a GHashTable of keyword -> value that holds what the string gives, and nothing else: services, files and
 * the environment are not read. Both are wiped when it is freed (g_autoptr(GHashTable)).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* NULL where libpq cannot read url. Transfer full. */
GHashTable *pg_url_parse(const char *url);
/* No parts at all, to be filled with pg_url_set(). Transfer full. */
GHashTable *pg_url_new(void);
/* value: NULL or "" takes the keyword away. */
void pg_url_set(GHashTable *parts, const char *keyword, const char *value);
/* NULL when not given. Owned by parts. */
const char *pg_url_get(GHashTable *parts, const char *keyword);
/* A keyword whose value is a password. */
bool pg_url_keyword_is_secret(const char *keyword);
/* Does libpq know this keyword? Other programs write parameters of their own into such URLs. */
bool pg_url_keyword_is_known(const char *keyword);
bool pg_url_has_secret(GHashTable *parts);
/* "postgresql://app@127.0.0.1:5433/app?sslmode=require". Transfer full; wipe it (config_wipe) with secrets in it. */
char *pg_url_format(GHashTable *parts, bool with_secrets);
