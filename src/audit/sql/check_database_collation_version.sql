-- purpose: the same for the database's own collation
-- params: none
-- columns: finding
-- versions: 15-
SELECT pg_catalog.concat('database ', d.datname, ': ', d.datcollversion, ' recorded, ',
                         pg_catalog.pg_database_collation_actual_version(d.oid), ' installed')
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
   AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
