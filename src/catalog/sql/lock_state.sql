-- purpose: whether each plain table is still the one that the transaction's snapshot shows. The columns of pg_class are
--          as the snapshot has them; to_regclass(), pg_relation_filenode() and privileges are looked up as they are now.
--          TRUNCATE and a rewriting ALTER TABLE give a table another file
-- params: none
-- columns: oid, may be locked by this role (a table that is gone counts), was changed
-- versions: 12-
SELECT c.oid::text,
       pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') IS NOT FALSE
       AND pg_catalog.has_table_privilege(c.oid, 'SELECT') IS NOT FALSE,
       CASE WHEN pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') IS NOT FALSE
            THEN pg_catalog.pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode
                 OR pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.nspname, c.relname))::pg_catalog.oid IS DISTINCT FROM c.oid
            ELSE false END
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
