-- purpose: schemas that a pattern matches
-- params: $1 text regular expression
-- columns: oid
-- versions: 12-
SELECT n.oid::text FROM pg_catalog.pg_namespace n
 WHERE n.nspname OPERATOR(pg_catalog.~) $1::text COLLATE pg_catalog."default"
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
