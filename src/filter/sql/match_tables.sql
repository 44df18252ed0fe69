-- purpose: relations that a pattern matches; without a schema, those that are visible in the search path of the session
-- params: $1 text regular expression of the schema or NULL, $2 text of the name
-- columns: oid
-- versions: 12-
SELECT c.oid::text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND c.relpersistence <> 't'
   AND c.relname OPERATOR(pg_catalog.~) $2::text COLLATE pg_catalog."default"
   AND CASE WHEN $1::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE n.nspname OPERATOR(pg_catalog.~) $1::text COLLATE pg_catalog."default" END
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
