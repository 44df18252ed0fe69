/* Two databases of one ephemeral server, "a" and "b", for the tests of reconcile. */
#pragma once

#include "reconcile/reconcile.h"

/* The main() of a test program: starts the server, adds the tests, runs them, stops the server. */
int fixture_main(int argc, char **argv, void (*add_tests)(void));

/* Runs SQL with search_path = public; a failure fails the test. */
void in_a(const char *sql);
void in_b(const char *sql);
void in_both(const char *sql);
/* Both databases without a table of a user. */
void fixture_clean(void);
/* Connects anew, so that settings of the databases take effect. encoding_b: NULL, or b becomes a database of that. */
void fixture_reconnect(const char *encoding_b);

/* Whether public.<table> has one digest in both databases; reads the catalogs anew. */
bool same_digest(const char *table);
/* Goes down to the rows; the caller clears the result. */
void reconcile_table(const char *table, guint max_details, Reconciled *ret_result);
/* Both sides of public.<table>; with ANALYZE, so that the estimates are right. */
void sides_of(const char *table, ReconcileSide *ret_source, ReconcileSide *ret_target);
/* The catalog entry of public.<table>, until the next change of a table. */
const CatalogRelation *relation_in_a(const char *table);
const CatalogRelation *relation_in_b(const char *table);

/* The description of all rows of a result, sorted: "different id=5 name: 'x' -> 'y'", joined by newlines. Transfer
 * full. */
char *describe(const Reconciled *result);
