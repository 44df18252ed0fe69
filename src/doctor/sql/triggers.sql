-- purpose: triggers of the users on tables of both sides that a merge cannot silence, because the connected role does not own the table
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('%s.%s: %s', n.nspname, c.relname, pg_catalog.string_agg(t.tgname, ', ' ORDER BY t.tgname COLLATE "C")),
       pg_catalog.format('GRANT %I TO %I', pg_catalog.pg_get_userbyid(c.relowner), CURRENT_USER), NULL::text
  FROM pg_catalog.unnest($1::text[]) u (wanted)
 CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o
  JOIN pg_catalog.pg_namespace n ON n.nspname = o.j ->> 'schema'
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = o.j ->> 'name' AND c.relkind = 'r'
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
 WHERE o.j ->> 'kind' = 'table' AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
 GROUP BY n.nspname, c.relname, c.relowner
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
