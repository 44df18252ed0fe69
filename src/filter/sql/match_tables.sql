-- purpose: relations that a pattern matches; without a schema, those that are visible in the search path of the session,
--          which is the role's own here: every operator and type is qualified
-- params: $1 text regular expression of the schema or NULL, $2 text of the name
-- columns: oid
-- versions: 12-
SELECT c.oid::pg_catalog.text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,S,v,m,f,p}'::pg_catalog."char"[])
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
   AND c.relname OPERATOR(pg_catalog.~) $2::pg_catalog.text COLLATE pg_catalog."default"
   AND CASE WHEN $1::pg_catalog.text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE n.nspname OPERATOR(pg_catalog.~) $1::pg_catalog.text COLLATE pg_catalog."default" END
   AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'::pg_catalog.name
   AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|pgfold_undo_)'::pg_catalog.text
