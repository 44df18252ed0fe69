-- purpose: what only a superuser can create, where the connected role is none
-- params: $1 text[] objects
-- columns: finding
-- versions: 12-
SELECT w.wanted
  FROM pg_catalog.unnest($1::text[]) w (wanted)
  JOIN pg_catalog.pg_roles r ON r.rolname = CURRENT_USER
 WHERE NOT r.rolsuper
