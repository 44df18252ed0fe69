-- purpose: roles that would own what a fold makes in a schema of the target, and may not create anything there themselves: PostgreSQL
--          asks that of a new owner, unless a superuser makes it one
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT DISTINCT pg_catalog.format('role %s, to own something in schema %s, may not create anything there', w.owner, n.nspname),
       pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I', n.nspname, w.owner), NULL::text
  FROM (SELECT DISTINCT j ->> 'kind' AS kind, j ->> 'schema' AS schema, j ->> 'name' AS name, j ->> 'owner' AS owner
          FROM pg_catalog.unnest($1::text[]) u (wanted) CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o) w
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER AND NOT me.rolsuper
  LEFT JOIN pg_catalog.pg_roles r ON r.rolname = w.owner
 WHERE w.owner <> CURRENT_USER
   AND NOT CASE WHEN r.oid IS NULL THEN pg_catalog.has_schema_privilege('public', n.oid, 'CREATE')
                ELSE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE') END
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE w.kind IN ('table', 'sequence', 'relation') AND c.relnamespace = n.oid AND c.relname = w.name)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE w.kind = 'function' AND p.pronamespace = n.oid AND p.proname = w.name)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE w.kind = 'type' AND t.typnamespace = n.oid AND t.typname = w.name)
 ORDER BY 2
