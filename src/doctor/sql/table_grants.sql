-- purpose: what the connected role lacks on tables and sequences that are on both sides: a merge inserts, and updates where a rule
--          says so or to lock the table; undo deletes
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
WITH there AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind
      FROM pg_catalog.unnest($1::text[]) u (wanted)
     CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) o
      JOIN pg_catalog.pg_namespace n ON n.nspname = o.j ->> 'schema'
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = o.j ->> 'name'
     WHERE (o.j ->> 'kind' = 'table' AND c.relkind = 'r') OR (o.j ->> 'kind' = 'sequence' AND c.relkind = 'S'))
SELECT pg_catalog.format('role %s lacks %s on %s.%s', CURRENT_USER, m.list, t.nspname, t.relname),
       pg_catalog.format('GRANT %s ON %I.%I TO %I', m.list, t.nspname, t.relname, CURRENT_USER),
       CASE WHEN m.list = 'DELETE' THEN 'warning' END
  FROM there t
 CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(p.name, ', ' ORDER BY p.n) AS list
                       FROM (VALUES (1, 'INSERT'), (2, 'UPDATE'), (3, 'DELETE')) p (n, name)
                      WHERE NOT pg_catalog.has_table_privilege(t.oid, p.name)) m
 WHERE t.relkind = 'r' AND m.list IS NOT NULL
UNION ALL
SELECT pg_catalog.format('role %s may not set sequence %s.%s', CURRENT_USER, t.nspname, t.relname),
       pg_catalog.format('GRANT UPDATE ON SEQUENCE %I.%I TO %I', t.nspname, t.relname, CURRENT_USER), NULL
  FROM there t
 WHERE CASE t.relkind WHEN 'S' THEN NOT pg_catalog.has_sequence_privilege(t.oid, 'UPDATE') ELSE false END
