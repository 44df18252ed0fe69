/* A file of variables, read for src/docs/env.c. */
#pragma once

#include "docs/internal.h"

/* NAME=value, on one line or, in quotation marks, on several. */
typedef struct Assignment {
    guint at, count; /* lines */
    char *head;      /* up to and with the = */
    char *name, *value;
    char *comment; /* behind the value, or NULL */
} Assignment;

typedef struct Env {
    DocsText *text;
    const Config *config;
    GPtrArray *assignments; /* of Assignment* */
} Env;

/* Of env->text as it is now; what was read before is forgotten. */
void env_read(Env *env);
void env_assignment_free(gpointer data);
/* With the variables of the same file; what is not in it stays ${NAME}. Transfer full. */
char *env_expand(const Env *env, const char *value);
