-- purpose: statements that create the roles of this list that the server does not have, without any rights
-- params: $1 text[] names
-- columns: sql text
-- versions: 12-
SELECT pg_catalog.format('CREATE ROLE %I', wanted.name)
  FROM pg_catalog.unnest($1::text[]) AS wanted(name)
 WHERE wanted.name NOT IN (SELECT r.rolname FROM pg_catalog.pg_roles r)
 ORDER BY 1
