-- purpose: sessions of this database that are just starting: each holds this lock from before it reads its settings until
--          pg_stat_activity shows it
-- params: $1 int4[] only these; empty: all
-- columns: pid
-- versions: 12-
SELECT DISTINCT l.pid
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_database d ON d.oid = l.objid
 WHERE l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND l.mode = 'RowExclusiveLock'
   AND d.datname = pg_catalog.current_database() AND l.pid <> pg_catalog.pg_backend_pid()
   AND (l.pid = ANY ($1::int4[]) OR pg_catalog.cardinality($1::int4[]) = 0)
