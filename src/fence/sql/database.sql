-- purpose: whose this database is, who we are, and what of a fence we may do
-- params: none
-- columns: owner oid, owner, privileges as they are stored, our oid, may alter the database, may end sessions of others
-- versions: 12-
SELECT d.datdba::text, o.rolname, d.datacl::text, me.oid::text,
       me.rolsuper OR pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       me.rolsuper OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER
 WHERE d.datname = pg_catalog.current_database()
