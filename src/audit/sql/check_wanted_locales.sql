-- purpose: operating system locales of collations that users of the source made
-- params: none
-- columns: locale
-- versions: 12-
SELECT DISTINCT k.collcollate::text
  FROM pg_catalog.pg_collation k
  JOIN pg_catalog.pg_namespace n ON n.oid = k.collnamespace
 WHERE k.collprovider = 'c' AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
   AND k.collcollate NOT IN ('C', 'POSIX')
