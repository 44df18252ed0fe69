/*
 * What the front ends make of a file, and the judge judges: names that are given a value.
 *
 * Holes of a value, which nobody can know before the program runs, are CONNECTION_HOLE (connection.h). All offsets are
 * bytes of the file.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum SettingKind {
    SETTING_TEXT,   /* a literal that has no name */
    SETTING_GIVEN,  /* a name that is given this value */
    SETTING_DEFAULT /* a variable of the environment, or an option, that is read with this value as its default */
} SettingKind;

typedef struct Setting {
    SettingKind kind;
    char *variable;               /* that is read; NULL unless SETTING_DEFAULT, and where an option has no variable */
    char *name;                   /* of what holds the value in the code: "DB_HOST", "host"; or NULL */
    char *path;                   /* name with those around it: "databases.default.host"; NULL where name is */
    char *owner;                  /* what the container belongs to: "asyncpg.connect"; or NULL */
    char *value;                  /* never NULL */
    guint start, end;             /* the value, as it is written */
    guint whole_start, whole_end; /* the expression or line that holds it */
    guint container;              /* settings of one dictionary, call or section share it; 0: none */
    bool default_key;             /* its key is "default" or the like: of what stands beside or around it */
    guint scope;                  /* settings of one class or function share it; 0: of the file */
    bool prose;                   /* it stands in a message, a comparison or a help text */
    bool words;                   /* of many words, as in a shell: a connection string may stand within */
    bool settings_class;          /* a field of a class that holds settings */
    bool several;                 /* value is one of several that the name may have */
} Setting;

typedef struct Language Language;
typedef struct TSTree TSTree;

typedef struct Source {
    const char *file; /* relative to the folder */
    const char *text; /* NUL-terminated, length bytes; NULs inside are possible */
    gsize length;
    const Language *language;
    const GPtrArray *hosts; /* of char*: names of compose services that run PostgreSQL; or NULL */
    TSTree *tree;           /* NULL: read line by line */
    bool broken;            /* the syntax tree has errors */
    GPtrArray *settings;    /* of Setting* */
    GPtrArray *comments;    /* of ScanSpan*: for suppressions */
    GArray *parents;        /* of guint, by number of a container: the one around it; [0] is none */
    GArray *lines;          /* of guint: where each line starts; NULL until source_line() is asked */
    gint64 deadline;        /* of all that is done with this file, by g_get_monotonic_time() */
} Source;

typedef struct ScanSpan {
    guint start, end;
} ScanSpan;

/* text must stay. Never NULL. */
Source *source_new(const char *file, const char *text, gsize length);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* A new setting at the end of source->settings, which owns it; kind TEXT, value taken over. */
Setting *source_add(Source *source, SettingKind kind, char *value_taken, guint start, guint end);
/* Numbers a new container. parent: 0 or the one around it. */
guint source_container(Source *source, guint parent);
/* Line and its start of a byte; lines count from 1. */
guint source_line(Source *source, guint at, guint *ret_start);
/* Has this file taken longer than any that a person wrote does, or is the whole run cancelled? Then nothing of it
 * counts. */
bool source_is_late(const Source *source);
bool source_in_comment(const Source *source, guint at);
char *source_slice(const Source *source, guint start, guint end); /* transfer full */
