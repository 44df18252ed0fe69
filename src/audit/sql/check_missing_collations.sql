-- purpose: collations of the source that the target's server does not have
-- params: $1 text[] names
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_collation k
                     JOIN pg_catalog.pg_namespace n ON n.oid = k.collnamespace
                    WHERE n.nspname = 'pg_catalog' AND k.collname = w.wanted
                      AND k.collencoding IN (-1, (SELECT d.encoding FROM pg_catalog.pg_database d
                                                   WHERE d.datname = pg_catalog.current_database())))
