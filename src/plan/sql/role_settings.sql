-- purpose: settings that roles have in every database
-- params: $1 text[] names of roles
-- columns: role, statement, what may be shown of it (the value of a setting may be a secret)
-- versions: 12-
SELECT r.rolname,
       pg_catalog.format('ALTER ROLE %I SET %I TO %s', r.rolname, pg_catalog.split_part(c.c, '=', 1),
           CASE WHEN pg_catalog.split_part(c.c, '=', 1) IN ('local_preload_libraries', 'search_path', 'session_preload_libraries',
                                                            'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories')
                     AND pg_catalog.strpos(c.c, '=') < pg_catalog.length(c.c)
                THEN pg_catalog.substr(c.c, pg_catalog.strpos(c.c, '=') + 1)
                ELSE pg_catalog.quote_literal(pg_catalog.substr(c.c, pg_catalog.strpos(c.c, '=') + 1)) END),
       pg_catalog.format('ALTER ROLE %I SET %I', r.rolname, pg_catalog.split_part(c.c, '=', 1))
  FROM pg_catalog.pg_db_role_setting g
  JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(g.setconfig) c (c)
 WHERE g.setdatabase = 0 AND r.rolname = ANY ($1::text[])
 ORDER BY r.rolname COLLATE "C", c.c COLLATE "C"
