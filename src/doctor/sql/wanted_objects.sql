-- purpose: what users have in the source, for a look at who may make or write it in the target
-- params: $1 text a schema, $2 text its name in the target; or NULL
-- columns: {"kind", "schema", "name", "owner"} as JSON, schema, table (NULL for what is no table)
-- versions: 12-
WITH own (kind, oid, schema, name, owner, class) AS (
    SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.oid, c.relnamespace, c.relname, c.relowner,
           'pg_catalog.pg_class'::pg_catalog.regclass
      FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 'function', p.oid, p.pronamespace, p.proname, p.proowner, 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 'type', t.oid, t.typnamespace, t.typname, t.typowner, 'pg_catalog.pg_type'::pg_catalog.regclass
      FROM pg_catalog.pg_type t WHERE t.typtype IN ('d', 'e'))
SELECT pg_catalog.jsonb_build_object('kind', o.kind, 'schema', CASE WHEN n.nspname = $1::text THEN $2::text ELSE n.nspname END, 'name', o.name, 'owner', pg_catalog.pg_get_userbyid(o.owner))::text,
       n.nspname, CASE WHEN o.kind = 'table' THEN o.name END
  FROM own o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.schema
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
