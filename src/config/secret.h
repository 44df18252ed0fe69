/* Where the passwords in a connection string are. Not a parser of connection strings (that is libpq's work, in src/pg):
 * it would rather take too much for a password than too little. */
#pragma once

#include <glib.h>

/* The values of password and sslpassword as they are written in url (URI or keyword form), and, where that differs,
 * decoded. Empty ones are left out. NULL-terminated, never NULL, transfer full: free with config_secrets_free(). */
char **config_secrets(const char *url);

/* url without its passwords, and otherwise as it is; ${NAME} is text like any other. Transfer full. */
char *config_without_secrets(const char *url);

/* Overwrites text before it is freed; NULL is fine. */
void config_wipe(char *text);
void config_secrets_free(char **secrets);
