-- purpose: which databases a server has
-- params: none
-- columns: name, bytes (NULL where they may not be known)
-- versions: 12-
SELECT d.datname,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                 OR pg_catalog.pg_has_role(CURRENT_USER, 'pg_read_all_stats', 'MEMBER')
            THEN pg_catalog.pg_database_size(d.oid)
       END
  FROM pg_catalog.pg_database d
 WHERE NOT d.datistemplate
   AND d.datallowconn
 ORDER BY d.datname = 'postgres', d.datname COLLATE "C"
