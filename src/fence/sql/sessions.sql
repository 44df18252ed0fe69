-- purpose: other sessions of this database that began before a moment. Whoever may not see when one began counts it among
--          them. Autovacuum changes no row, and parallel workers end with their leader
-- params: $1 text microseconds since 1970 by the server's clock; empty: now
-- columns: pid, role, application, kind, state, since (RFC 3339, UTC), we may end it
-- versions: 12-
SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), coalesce(a.backend_type, 'client backend'),
       coalesce(a.state, ''),
       coalesce(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
       me.rolsuper OR (a.usesysid IS NOT NULL AND NOT coalesce(r.rolsuper, true)
                       AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE') OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))
  FROM pg_catalog.pg_stat_activity a
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
 WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
   AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'parallel worker')
   AND (a.backend_start IS NULL OR a.backend_start < coalesce(
            pg_catalog.to_timestamp(nullif($1::text, '')::float8 / 1000000), pg_catalog.clock_timestamp()))
 ORDER BY a.backend_start, a.pid
