-- purpose: what the connected role may do on the target
-- params: none
-- columns: superuser, createdb, createrole, create in the database
-- versions: 12-
SELECT r.rolsuper, r.rolcreatedb OR r.rolsuper, r.rolcreaterole OR r.rolsuper,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
  FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER
