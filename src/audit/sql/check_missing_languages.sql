-- purpose: procedural languages of the source that the target's machine cannot make
-- params: $1 text[] names
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = w.wanted)
