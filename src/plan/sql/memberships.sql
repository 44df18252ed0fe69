-- purpose: which of these roles is a member of which other, or of a role that every server has. to_jsonb() because older
--          servers know fewer options. Several who granted the same count as one
-- params: $1 text[] names of roles
-- columns: role, member, options of GRANT, whether the role gives power over the server's machine
-- versions: 12-
SELECT g.rolname, m.rolname,
       CASE WHEN pg_catalog.bool_or(o.j ? 'inherit_option')
            THEN pg_catalog.format(' WITH ADMIN %s, INHERIT %s, SET %s', pg_catalog.bool_or(a.admin_option)::text,
                     pg_catalog.bool_or((o.j ->> 'inherit_option')::bool)::text, pg_catalog.bool_or((o.j ->> 'set_option')::bool)::text)
            WHEN pg_catalog.bool_or(a.admin_option) THEN ' WITH ADMIN OPTION' ELSE '' END,
       g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
  FROM pg_catalog.pg_auth_members a
  JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles m ON m.oid = a.member
 CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(a) AS j) o
 WHERE (g.rolname = ANY ($1::text[]) OR g.rolname ~ '^pg_') AND m.rolname = ANY ($1::text[])
 GROUP BY g.rolname, m.rolname
 ORDER BY g.rolname COLLATE "C", m.rolname COLLATE "C"
