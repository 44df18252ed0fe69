/* Shared by the files of src/merge only. */
#pragma once

#include <stdio.h>

#include "merge/merge.h"

/* How one relation is staged and addressed in SQL. Names of stage columns that are pgfold's own begin with pgfold_. */
typedef struct MergeTable {
    guint index;
    char *stage;            /* pg_temp.pgfold_s<index>: rows as they came from the source */
    char *judged;           /* pg_temp.pgfold_j<index>_<n>: the same, mapped, with what becomes of each */
    guint64 rows;           /* staged */
    guint times_made;       /* the judged rows, so far */
    bool made;              /* judged rows are there, of the judgement that is going on */
    const char *there;      /* quoted name of the table in the target */
    const char *const *key; /* columns by which rows are told apart, or NULL: a multiset */
    GPtrArray *columns;     /* of const CatalogColumn* of the source: those that travel */
    char **compared;        /* names of the columns that are compared */
    GPtrArray *kept;        /* of char*: columns whose old value is kept beside the new one (whole only) */
    GPtrArray *references;  /* of MergeReference*: from this table to staged parents (whole: they are mapped) */
    char *number_column;    /* rekey: the column of the key that gets new values, or NULL */
    char *number_sql;       /* expression that makes one ("pg_catalog.nextval(...)"); NULL: max + 1 */
    char *number_sequence;  /* quoted name, or NULL */
    gint64 numbers_used;    /* where the source's sequence of that name stands, or 0 */
    FILE *changed_keys;     /* on their way into the archive, or NULL */
    guint64 changed_rows;   /* how many there are in it */
    gint64 guessed_above;   /* a preview's new numbers follow on this one; -1: there are none */
    guint component;        /* relations that refer to each other in a cycle share it */
    bool cyclic;            /* in a cycle, or refers to itself */
    bool can_alter;         /* the role owns the table */
} MergeTable;

/* A reference from a child to a parent, declared as a foreign key (of either side) or in the configuration. */
typedef struct MergeReference {
    char *name;                     /* for people: the constraint's, or "references" */
    char *child_name, *parent_name; /* quoted */
    MergeRelation *child;
    MergeRelation *parent; /* NULL: it is not merged */
    char **columns, **parent_columns;
    bool declared;  /* by a foreign key: what it leads to is unique */
    bool in_source; /* holds in the source, so keys are mapped along it */
    bool in_target; /* the target enforces it */
    bool parent_partitioned;
    bool deferrable;
    char *constraint; /* quoted name in the target, or NULL */
} MergeReference;

typedef struct MergeGraph {
    GPtrArray *references; /* of MergeReference* */
} MergeGraph;

void merge_block(Merge *merge, const char *format, ...) G_GNUC_PRINTF(2, 3);
void merge_notice(Merge *merge, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* graph.c: references among the candidates, which tables are staged whole, and the order of merge->relations. */
void graph_free(MergeGraph *graph);
MergeGraph *graph_new(const MergeSpec *spec, GHashTable *by_name);
void graph_order(Merge *merge);

/* checks.c: what stands against a merge goes to its blocks, what should be known before to its notices. First what the
 * graph alone shows, then what the columns and the target's catalogs show. */
void checks_references(Merge *merge);
bool checks_relations(Merge *merge, GError **error);

/* sql.c: pieces. All transfer full. */
char *sql_quote_alias(const char *alias, const char *column); /* s."id" */
char *sql_equal(const char *a, const char *const *a_columns, const char *b, const char *const *b_columns);
char *sql_not_null(const char *alias, const char *const *columns);
char *sql_list(const char *alias, const char *const *columns); /* s."a", s."b" */
char *sql_old(const MergeTable *table, const char *column);    /* name of the column with the old value */
char *sql_old_equal(const char *a, const MergeTable *a_table, const char *const *a_columns, const char *b,
                    const MergeTable *b_table, const char *const *b_columns);
/* The key of a staged row as it is in the source, as one text; under it a row is remembered in the ledger. */
char *sql_memory_key(const MergeRelation *relation, const char *alias);
/* The same for the present values. */
char *sql_key_array(const MergeRelation *relation, const char *alias);
/* "id=5, b=x" */
char *sql_key_for_people(const char *alias, const char *const *key);
/* Joins "su", a staged row, and "tu", another row of the target, that share what a unique index covers: "x su JOIN y tu
 * ON ..."; su has pgfold_n, tu all of the target's columns. */
char *sql_sharing(const MergeRelation *relation, const CatalogUnique *unique);
/* Whether the stage has all columns that the index covers: those of the target alone get their defaults. */
bool sql_covers(const MergeRelation *relation, const CatalogUnique *unique);
/* The hash of the columns that are compared, of a row that goes by that alias. */
char *sql_hash(const Merge *merge, const MergeRelation *relation, const char *alias);
/* Whether two rows have the same values in these columns: what sql_hash() says, at less cost. */
char *sql_same(const Merge *merge, const MergeRelation *relation, const char *a, const char *b);
/* Values of the column that are equal are also written alike: not so 1.0 and 1.00, or 'Ann' and 'ANN' of citext. */
bool sql_is_exact(const CatalogColumn *column);
/* The search path of statements on the stage; around each piece of work it is entered and left, for whoever else uses
 * the session (catalogs are read in it) has an empty one. sql_leave(): ok, what was done went well; false without an
 * error where not. */
char *sql_path(const Merge *merge);
bool sql_enter(Merge *merge, GError **error);
bool sql_leave(Merge *merge, bool ok, GError **error);
bool sql_run(Merge *merge, guint64 *ret_rows, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* keys.c: what is known of keys before anything is compared. keys_are_known(): earlier runs have changed some.
 * keys_may_match(): match_on applies, and tells rows apart on both sides; where it does not, that is a block. mapped:
 * query of the source's rows with the keys that are known. keys_are_followed(): keys are mapped along that reference.
 */
bool keys_are_known(const Merge *merge, const MergeRelation *relation);
bool keys_may_match(Merge *merge, const MergeRelation *relation, const char *mapped, bool *ret_matches, GError **error);
bool keys_are_followed(const MergeReference *reference);
bool keys_are_contested(const Merge *merge, const MergeReference *reference);
bool keys_check_references(Merge *merge, MergeRelation *relation, GError **error);

/* judged.c: makes the judged rows out of the staged ones, in one statement. Made again, they keep the keys that were
 * given, and follow those that parents have by now. number: SQL of a new key. */
typedef enum JudgedStep {
    JUDGED_KEYS,     /* keys and references are mapped; nothing is compared, all rows are to be inserted */
    JUDGED_COMPARED, /* compared with the target, rules applied */
    JUDGED_NUMBERED  /* and rows in conflict have new keys */
} JudgedStep;

/* Nothing where none was made. */
bool judged_drop(Merge *merge, MergeTable *table, GError **error);
bool judged_make(Merge *merge, MergeRelation *relation, MergeMode mode, JudgedStep step, const char *number,
                 GError **error);
/* Whether a parent's keys have changed since. */
bool judged_is_stale(Merge *merge, const MergeRelation *relation, bool *ret_stale, GError **error);

/* numbers.c: makes the judged rows, with new keys for those that are in conflict. */
bool numbers_give(Merge *merge, MergeRelation *relation, MergeMode mode, GError **error);
/* Draws for good what a preview has guessed. *ret_same: the guesses were right. */
bool numbers_draw(Merge *merge, const MergeRelation *relation, bool *ret_same, GError **error);

/* judge.c: whether the rows that the reference leads to are there, or come with this fold, whatever they are: nothing
 * has to be looked for. */
bool judge_is_certain(const Merge *merge, const MergeReference *reference);

/* standing.c: whether the result of a preview still holds. standing_note(): in the preview's snapshot.
 * standing_take(): under the locks of the commit; where it stands, new keys are drawn for good. */
bool standing_note(Merge *merge, GError **error);
bool standing_take(Merge *merge, bool *ret_stands, GError **error);

/* suggest.c: notices about references that nobody has declared. */
bool suggest_references(Merge *merge, GError **error);

/* triggers.c: silences the triggers of the users that fire on writes to a table (quoted), where the role owns it, and
 * adds the statements that wake them to restore. */
bool triggers_silence(PgConn *conn, const char *there, GPtrArray *restore, GError **error);
/* Name, statements that silence and wake it, whether the role may, of each. Transfer full. */
PgResult *triggers_read(PgConn *conn, const char *there, GError **error);

/* recall.c: what the ledger remembers of one table, as temporary tables pgfold_m<index> (old text, new text) and
 * pgfold_z<index> (key text, hash int8). */
bool recall_keys(Merge *merge, MergeRelation *relation, GError **error);
bool recall_lost(Merge *merge, MergeRelation *relation, GError **error);

/* losers.c: a query over the staged rows that are in conflict: kind, action, key for people, row of the source, row of
 * the target (both JSON objects of texts, or NULL), detail, key and hash for the ledger. actions: SQL list of the
 * actions wanted
 * ("'keep', 'overwrite'"). Transfer full. */
char *losers_sql(const MergeRelation *relation, const char *actions);
bool losers_read(Merge *merge, MergeRelation *relation, GError **error);

/* archive.c: rows that lost, and keys that changed, into files and into the ledger. Keys are fetched, and written
 * without a word to the target, which works meanwhile; archive_keys() does so once. archive_flush(): names of the
 * files, too. */
bool archive_rows(Merge *merge, const MergeCommit *commit, GError **error);
bool archive_fetch_keys(Merge *merge, const MergeCommit *commit, MergeRelation *relation, GError **error);
bool archive_keys(MergeRelation *relation, const MergeCommit *commit, GError **error);
bool archive_flush(const MergeCommit *commit, GError **error);

/* lock.c: all of the tables, or none while one is waited for, so that writers who take them in another order cannot
 * come into a deadlock. In the caller's transaction; PGF_ERROR_REFUSED, with the table named, after so many seconds. */
typedef struct MergeLock {
    const char *table, *label; /* quoted; for people */
    bool against_readers;
} MergeLock;

bool lock_tables(PgConn *conn, const MergeLock *locks, guint n, int seconds, GError **error);

/* write.c */
bool write_relations(Merge *merge, const MergeCommit *commit, GError **error);
