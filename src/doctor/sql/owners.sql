-- purpose: roles that would own what a fold makes, and to which the connected role may not give it
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement (none where it would give the power of a superuser), verdict
-- versions: 12-
SELECT pg_catalog.format('role %s may not give objects to role %s', CURRENT_USER, r.rolname),
       CASE WHEN NOT r.rolsuper THEN pg_catalog.format('GRANT %I TO %I', r.rolname, CURRENT_USER) END, NULL::text
  FROM pg_catalog.pg_roles r
 WHERE NOT pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'MEMBER')
   AND EXISTS (
       SELECT FROM pg_catalog.unnest($1::text[]) u (wanted)
        CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o
         LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = o.j ->> 'schema'
        WHERE o.j ->> 'owner' = r.rolname
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE o.j ->> 'kind' IN ('table', 'sequence', 'relation')
                             AND c.relnamespace = n.oid AND c.relname = o.j ->> 'name')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE o.j ->> 'kind' = 'function' AND p.pronamespace = n.oid AND p.proname = o.j ->> 'name')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE o.j ->> 'kind' = 'type' AND t.typnamespace = n.oid AND t.typname = o.j ->> 'name'))
 ORDER BY r.rolname COLLATE "C"
