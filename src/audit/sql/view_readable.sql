-- purpose: whether a materialized view can be read now: by this role, and without waiting for a session that refreshes it
-- params: $1 text its qualified name, quoted
-- columns: readable
-- versions: 12-
SELECT pg_catalog.has_table_privilege(v.oid, 'SELECT')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.relation = v.oid AND l.mode = 'AccessExclusiveLock'
                          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
  FROM (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid) v
