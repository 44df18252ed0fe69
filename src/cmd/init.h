/* What the files of `pgfold init` share: the answers, how they are got, shown and written. */
#pragma once

#include "cmd/command.h"
#include "discover/discover.h"

typedef struct InitSource {
    char *name; /* as pgfold.yaml calls it */
    Candidate *candidate;
} InitSource;

/* Candidates belong to the discovery. */
typedef struct InitAnswers {
    Candidate *target;
    GPtrArray *sources;                        /* of InitSource* */
    GPtrArray *databases, *paths, *containers; /* protected: of char* */
    Candidate *test;                           /* or NULL */
} InitAnswers;

void init_answers_clear(InitAnswers *answers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(InitAnswers, init_answers_clear)

/* Whether options say all that is needed, or nobody can be asked (init_answers_get() then says what is missing). */
bool init_asks(const CommandArgs *args, const Out *out);
/* From the options, and on a terminal from whoever sits there. */
bool init_answers_get(const CommandArgs *args, Out *out, Discovery *discovery, InitAnswers *ret_answers,
                      GError **error);

/* The text of pgfold.yaml. Transfer full. */
char *init_file_text(const InitAnswers *answers);
/* What somebody has to set before the file can be used ("export DATABASE_URL=..."), as lines for people. Array of
 * char*, transfer full. */
GPtrArray *init_file_needs(const InitAnswers *answers);

/* The table of what was found: a result, or remarks where something else is the result. */
void init_view_print(Out *out, const Discovery *discovery, bool as_remarks);
json_t *init_view_json(const Discovery *discovery);
