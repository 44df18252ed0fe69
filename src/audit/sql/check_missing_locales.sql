-- purpose: locales that no collation of the target's server has
-- params: $1 text[] locales
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_collation k
                    WHERE pg_catalog.replace(pg_catalog.lower(k.collcollate), '-', '')
                          = pg_catalog.replace(pg_catalog.lower(w.wanted), '-', ''))
