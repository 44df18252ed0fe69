/* Shared by the files of src/docs only. */
#pragma once

#include "docs/docs.h"

/* --- text.c: a file as lines ------------------------------------------------------------------------------------- */

/* Lines keep their own ends; what is put in gets those of the file. A mark at the start (BOM) is no part of a line. */
typedef struct DocsText {
    bool bom;
    const char *eol;  /* "\n" or "\r\n", as most lines have it */
    GPtrArray *lines; /* of char*, with their ends; the last may lack one */
} DocsText;

DocsText *docs_text_new(const char *content); /* NULL: no line */
void docs_text_free(DocsText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DocsText, docs_text_free)
const char *docs_text_line(const DocsText *text, guint at); /* "" behind the end */
bool docs_text_is_blank(const DocsText *text, guint at);    /* also before the start and behind the end */
/* added: lines, each with "\n". Transfer none. Returns how many they are. */
guint docs_text_insert(DocsText *text, guint at, const char *added);
void docs_text_remove(DocsText *text, guint at, guint count);
char *docs_text_join(const DocsText *text);
/* A line without its end. Transfer full. */
char *docs_line_content(const char *line);
bool docs_is_blank(const char *line);

/* Where the marks <!-- pgfold:NAME --> and <!-- /pgfold:NAME --> stand. True with *ret_count 0 where there are none;
 * with both marks counted otherwise. PGF_ERROR_REFUSED where they do not match; file: for the message. */
bool docs_block_find(const DocsText *text, const char *file, const char *name, guint *ret_at, guint *ret_count,
                     GError **error);

/* --- file.c ------------------------------------------------------------------------------------------------------- */

typedef struct DocsFile {
    char *path;    /* relative; what a link leads to */
    char *content; /* or NULL: there is none */
    mode_t mode;
    bool outside;    /* behind a link out of the project */
    const char *odd; /* why it is left alone ("is not text"), or NULL */
} DocsFile;

bool docs_file_read(const Config *config, const char *path, DocsFile *ret_file, GError **error);
void docs_file_clear(DocsFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DocsFile, docs_file_clear)
/* Relative to the folder of pgfold.yaml, whether such a file is there. */
bool docs_file_exists(const Config *config, const char *path);

/* --- facts.c ------------------------------------------------------------------------------------------------------ */

typedef struct DocsFacts {
    const Config *config;
    char *url;                         /* as pgfold.yaml has it, without secrets */
    char *host, *database;             /* where they are known, else NULL */
    char *identity;                    /* or NULL */
    bool pinned;                       /* by pgfold.yaml; else as the newest receipt has it */
    const char *ssh_host, *ssh_config; /* or NULL */
    const char *tests;                 /* the command that runs the tests */
    GPtrArray *sources;                /* of DocsSource* */
} DocsFacts;

bool docs_facts_read(const DocsInput *input, DocsFacts *ret_facts, GError **error);
void docs_facts_clear(DocsFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DocsFacts, docs_facts_clear)

/* sources.c: of DocsSource*. ret_identity, ret_database: of the target, as the newest receipt has them, or NULL. */
GPtrArray *docs_sources_read(const DocsInput *input, char **ret_identity, char **ret_database, GError **error);

/* --- what is made ------------------------------------------------------------------------------------------------- */

/* page.c: the page's block, with its marks. notes: passwords that were taken out. */
char *docs_page_block(const DocsFacts *facts, GPtrArray *notes);
/* Puts it into the page, or makes one. */
bool docs_page_write(DocsText *text, const char *file, const char *block, GError **error);

/* env.c */
void docs_env_write(DocsText *text, const DocsFacts *facts);
bool docs_env_is_ours(const char *line);

/* entry.c: puts the entry into a file that has one, or else speaks of a local database. */
bool docs_entry_write(DocsText *text, const char *file, const DocsFacts *facts, GError **error);

/* local.c: a value that leads to a PostgreSQL of this machine: a connection string in any program's form. */
bool docs_value_is_local(const Config *config, const char *value);
bool docs_host_is_local(const Config *config, const char *host);
bool docs_value_is_postgres(const char *value);

typedef enum MentionKinds {
    MENTION_FILES_AND_URLS, /* for files of variables */
    MENTION_ALL             /* and words */
} MentionKinds;

/* mention.c: what a line speaks of, or NULL. Transfer full. */
typedef struct Mentions Mentions;
Mentions *mentions_new(const Config *config);
void mentions_free(Mentions *mentions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mentions, mentions_free)
char *mentions_about(const Mentions *mentions, const char *line, MentionKinds kinds);

/* markdown.c */
char *docs_escape(const char *text); /* as words */
char *docs_code(const char *text);   /* as a span of code; not for several lines */
char *docs_cell(const char *text);   /* a span of code in a table */
/* A block of code, every line behind indent. */
void docs_append_code(GString *to, const char *indent, const char *text);
char *docs_date(gint64 at); /* "2026-01-31" */
/* template with each {name} replaced; pairs: name, value, ..., NULL. */
char *docs_fill(const char *template, const char *const *pairs);
#define DOCS_FILL(template, ...) docs_fill(template, (const char *const[]){__VA_ARGS__, NULL})

/* texts.c */
extern const char docs_text_page_title[], docs_text_page_start[], docs_text_page_end[], docs_text_intro[],
    docs_text_reach_ssh[], docs_text_reach[], docs_text_other_variable[], docs_text_tests[], docs_text_tests_port[],
    docs_text_deploy[], docs_text_no_deploy[], docs_text_sources[], docs_text_undo[], docs_text_lift[],
    docs_text_unretire[], docs_text_back[], docs_text_nothing_back[], docs_text_protect[], docs_text_entry[],
    docs_text_env[], docs_text_env_ssh[], docs_text_env_plain[];
