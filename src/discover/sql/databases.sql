-- purpose: which databases a server has, and which server it is: copies of a cluster share its system identifier, but
--          not the moment of their start
-- params: none
-- columns: name, bytes (NULL where they may not be known), moment of the server's start
-- versions: 12-
SELECT d.datname,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                 OR pg_catalog.pg_has_role(CURRENT_USER, 'pg_read_all_stats', 'MEMBER')
            THEN pg_catalog.pg_database_size(d.oid)
       END,
       pg_catalog.pg_postmaster_start_time()::text
  FROM pg_catalog.pg_database d
 WHERE NOT d.datistemplate
   AND d.datallowconn
 ORDER BY d.datname = 'postgres', d.datname COLLATE "C"
