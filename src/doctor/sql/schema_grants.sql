-- purpose: schemas of the target in which a fold would make something and the connected role may not
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('role %s may not create %s %s in schema %s%s', CURRENT_USER, pg_catalog.min(w.kind), pg_catalog.min(w.name COLLATE "C"),
                         n.nspname, CASE WHEN count(*) > 1 THEN pg_catalog.format(' (and %s more)', count(*) - 1) ELSE '' END),
       pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', n.nspname, CURRENT_USER), NULL::text
  FROM (SELECT j ->> 'kind' AS kind, j ->> 'schema' AS schema, j ->> 'name' AS name
          FROM pg_catalog.unnest($1::text[]) u (wanted) CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o) w
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
 WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE w.kind IN ('table', 'sequence', 'relation') AND c.relnamespace = n.oid AND c.relname = w.name)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE w.kind = 'function' AND p.pronamespace = n.oid AND p.proname = w.name)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE w.kind = 'type' AND t.typnamespace = n.oid AND t.typname = w.name)
 GROUP BY n.nspname
 ORDER BY n.nspname COLLATE "C"
