/* What a name in code speaks of: "DB_HOST", "databaseUrl", "spring.datasource.url", "--pg-port". */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum NameRole { ROLE_NONE, ROLE_URL, ROLE_HOST, ROLE_PORT, ROLE_USER, ROLE_PASSWORD, ROLE_DATABASE } NameRole;

typedef struct NameMeaning {
    NameRole role;
    bool database; /* a word says that it is a database's ("DB_HOST"; not "host") */
    bool postgres; /* a word says that it is PostgreSQL's ("PGHOST", "POSTGRES_USER") */
    bool foreign;  /* a word says that it is another service's ("REDIS_HOST") */
    bool test;     /* a word says that it is for tests ("TEST_DATABASE_URL") */
    bool secret;   /* the value is a password */
} NameMeaning;

NameMeaning name_meaning(const char *name);
/* What is left of a name without its last word: "DB_" of "DB_HOST"; parts with the same prefix belong together.
 * Transfer full. */
char *name_prefix(const char *name);
const char *role_word(NameRole role); /* "host" */
/* Written as environment variables are: capitals, digits and "_", two letters at least. */
bool name_is_variable(const char *name);
