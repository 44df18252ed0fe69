-- purpose: roles of the source that the target does not have, and that the connected role may not create
-- params: $1 text[] roles of the source, {"name", "login"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('role %s does not exist, and role %s may not create it', o.j ->> 'name', CURRENT_USER),
       pg_catalog.format('CREATE ROLE %I %s; GRANT %I TO %I', o.j ->> 'name', CASE WHEN (o.j ->> 'login')::bool THEN 'LOGIN' ELSE 'NOLOGIN' END,
                         o.j ->> 'name', CURRENT_USER), NULL::text
  FROM pg_catalog.unnest($1::text[]) u (wanted)
 CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER
 WHERE NOT me.rolsuper AND NOT me.rolcreaterole
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = o.j ->> 'name')
 ORDER BY (o.j ->> 'name') COLLATE "C"
