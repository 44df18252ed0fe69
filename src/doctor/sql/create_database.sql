-- purpose: whether the connected role may create the database that is missing
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('role %s may not create the database, which does not exist yet', CURRENT_USER),
       pg_catalog.format('ALTER ROLE %I CREATEDB', CURRENT_USER), NULL::text
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = CURRENT_USER AND NOT r.rolcreatedb AND NOT r.rolsuper
