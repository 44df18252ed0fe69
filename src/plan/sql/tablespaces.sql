-- purpose: the tablespaces of the server, and whether the connected role may put something into them
-- params: none
-- columns: name, allowed
-- versions: 12-
SELECT t.spcname,
       pg_catalog.has_tablespace_privilege(t.oid, 'CREATE')
       OR EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database() AND d.dattablespace = t.oid)
  FROM pg_catalog.pg_tablespace t
