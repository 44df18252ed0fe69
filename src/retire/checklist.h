/* What was to be proven, line by line, each with its evidence: for the terminal, as JSON, and as Markdown for a pull
 * request. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef enum RetireState {
    RETIRE_YES,
    RETIRE_NO,  /* it is not so: exit status 1 */
    RETIRE_NOTE /* to be looked at by a person, and proves nothing */
} RetireState;

typedef struct RetireLine {
    const char *id; /* for programs: "receipt", "backup"... */
    RetireState state;
    char *source; /* or NULL: of all */
    char *text;
    char *evidence;   /* one line, or NULL */
    GPtrArray *items; /* of char*: a line each; may be empty */
} RetireLine;

/* Array of RetireLine*. */
GPtrArray *checklist_new(void);
/* Copies source and text; takes evidence. The line belongs to the list: add its items there. */
RetireLine *checklist_add(GPtrArray *list, const char *id, RetireState state, const char *source, const char *text,
                          char *evidence);
guint checklist_count(const GPtrArray *list, RetireState state);
const char *checklist_state_text(RetireState state);
/* New reference. */
json_t *checklist_json(const GPtrArray *list);
/* title: of the whole; introduction: a paragraph, or NULL. Transfer full. */
char *checklist_markdown(const GPtrArray *list, const char *title, const char *introduction);
