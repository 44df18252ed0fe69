-- purpose: extensions of the source that are not installed on the target's machine
-- params: $1 text[] "name version"
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = pg_catalog.split_part(w.wanted, ' ', 1))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = pg_catalog.split_part(w.wanted, ' ', 1))
