-- purpose: tablespaces of the source that the target does not have
-- params: $1 text[] names
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace t WHERE t.spcname = w.wanted)
