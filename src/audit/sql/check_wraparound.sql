-- purpose: a database that is near the end of its transaction ids (from there on the server does little but vacuum)
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat('database ', datname, ': transaction ids ', pg_catalog.age(datfrozenxid),
                         ', multixact ids ', pg_catalog.mxid_age(datminmxid), ' of 2147483648 used up')
  FROM pg_catalog.pg_database
 WHERE datname = pg_catalog.current_database()
   AND (pg_catalog.age(datfrozenxid) > 1600000000 OR pg_catalog.mxid_age(datminmxid) > 1600000000)
