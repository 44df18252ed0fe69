-- purpose: schemas that a pattern matches. Runs under the role's own search path: every operator and type is qualified
-- params: $1 text regular expression
-- columns: oid
-- versions: 12-
SELECT n.oid::pg_catalog.text FROM pg_catalog.pg_namespace n
 WHERE n.nspname OPERATOR(pg_catalog.~) $1::pg_catalog.text COLLATE pg_catalog."default"
   AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'::pg_catalog.name
   AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|pgfold_undo_)'::pg_catalog.text
