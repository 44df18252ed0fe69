-- purpose: which of these extensions the server cannot create
-- params: $1 text[] names
-- columns: names text (NULL: it can create all of them)
-- versions: 12-
SELECT pg_catalog.string_agg(wanted.name, ', ' ORDER BY wanted.name)
  FROM pg_catalog.unnest($1::text[]) AS wanted(name)
 WHERE wanted.name NOT IN (SELECT a.name FROM pg_catalog.pg_available_extensions a)
