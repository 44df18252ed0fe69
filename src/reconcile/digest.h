/*
 * The digest: an exact, order-independent checksum of a set of rows, computed inside the server (docs/digest.md).
 *
 * A row's hash: each column is hashed on its representation (not on equality: 1.0 and 1.00 differ) with a seed made
 * from the column's name, NULL is a value of its own, the column hashes are combined with xor and mixed once more. The
 * digest of a relation is the exact sum of its row hashes beside the number of rows. Independent of physical order,
 * column order, type oids, collation, session settings and server version (12 to 18).
 */
#pragma once

#include "catalog/catalog.h"

typedef struct Digest {
    guint64 rows;
    guint64 high, low; /* the sum as a 128-bit two's complement number */
} Digest;

/* How columns are read. Both sides of a comparison must use the same. */
typedef enum DigestText {
    DIGEST_TEXT_NATIVE, /* both databases have the same encoding: bytes as they are stored */
    DIGEST_TEXT_UTF8    /* encodings differ: text is converted to UTF8 first (slower) */
} DigestText;

/* How the type of a column is digested: "native" (a hash function of the server), "send" (its binary output) or
 * "text" (its text output: enums, json, composite, extension types ...; docs/digest.md). */
const char *digest_method(const CatalogColumn *column, DigestText text);

/* SQL expression, of type bigint, of the hash of a row of `relation` (columns unqualified). columns: names to include
 * (NULL: all but virtual ones). salt: other values give independent hashes. Transfer full. */
char *digest_row_sql(const CatalogRelation *relation, const char *const *columns, DigestText text, guint64 salt);

/* SELECT that returns one row (count, sum): to be read with digest_from_row(). Transfer full. */
char *digest_relation_sql(const CatalogRelation *relation, const char *const *columns, DigestText text);

/* Reads count and sum from two adjacent columns of a result. */
bool digest_from_row(const PgResult *result, int row, int first_column, Digest *ret_digest, GError **error);

void digest_add(Digest *to, const Digest *part);
bool digest_equal(const Digest *a, const Digest *b);
/* 32 hexadecimal digits of the sum. Transfer full. */
char *digest_text(const Digest *digest);
/* The contrary; false when text is not 32 hexadecimal digits. */
bool digest_parse(const char *text, guint64 rows, Digest *ret_digest);

/* NULL-terminated names of the columns that are compared: all of source's but virtual ones. Transfer full. */
char **digest_columns(const CatalogRelation *source);
