-- purpose: whether the server has fewer connections left for this role and database than the workers need
-- params: $1 text workers
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(s.free, ' left by ', s.what, ', ', $1::text, ' needed')
  FROM (SELECT 'max_connections' AS what,
               pg_catalog.current_setting('max_connections')::int4
               - CASE WHEN r.rolsuper THEN 0
                      ELSE pg_catalog.current_setting('superuser_reserved_connections')::int4
                           + coalesce(pg_catalog.current_setting('reserved_connections', true)::int4, 0) END
               - (SELECT coalesce(sum(numbackends), 0)::int4 FROM pg_catalog.pg_stat_database) AS free
          FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER
        UNION ALL
        SELECT pg_catalog.concat('the limit of database ', d.datname), d.datconnlimit - b.numbackends
          FROM pg_catalog.pg_database d
          JOIN pg_catalog.pg_stat_database b ON b.datid = d.oid
          JOIN pg_catalog.pg_roles r ON r.rolname = CURRENT_USER
         WHERE d.datname = pg_catalog.current_database() AND d.datconnlimit >= 0 AND NOT r.rolsuper
        UNION ALL
        SELECT pg_catalog.concat('the limit of role ', r.rolname),
               r.rolconnlimit - (SELECT count(*)::int4 FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid)
          FROM pg_catalog.pg_roles r
         WHERE r.rolname = CURRENT_USER AND r.rolconnlimit >= 0 AND NOT r.rolsuper) s
 WHERE s.free < $1::int4
