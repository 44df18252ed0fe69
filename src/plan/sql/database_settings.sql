-- purpose: what belongs to the database itself and not to anything in it: settings, comment, privileges, connection
--          limit, as statements; {database} is the place of its name. Values of list settings are stored quoted already
-- params: none
-- columns: statement, what may be shown of it (the value of a setting may be a secret)
-- versions: 12-
WITH db AS (SELECT * FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
SELECT s.sql, CASE WHEN s.n = 1 THEN s.shown ELSE s.sql END FROM (
    SELECT 1 AS n, pg_catalog.format('ALTER %s SET %I TO %s',
               CASE WHEN r.rolname IS NULL THEN 'DATABASE {database}' ELSE pg_catalog.format('ROLE %I IN DATABASE {database}', r.rolname) END,
               pg_catalog.split_part(c.c, '=', 1),
               CASE WHEN pg_catalog.split_part(c.c, '=', 1) IN ('local_preload_libraries', 'search_path', 'session_preload_libraries',
                                                                'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories')
                    THEN CASE WHEN pg_catalog.strpos(c.c, '=') = pg_catalog.length(c.c) THEN '''''' ELSE pg_catalog.substr(c.c, pg_catalog.strpos(c.c, '=') + 1) END
                    ELSE pg_catalog.quote_literal(pg_catalog.substr(c.c, pg_catalog.strpos(c.c, '=') + 1)) END) AS sql,
           pg_catalog.format('ALTER %s SET %I', CASE WHEN r.rolname IS NULL THEN 'DATABASE {database}' ELSE pg_catalog.format('ROLE %I IN DATABASE {database}', r.rolname) END,
               pg_catalog.split_part(c.c, '=', 1)) AS shown
      FROM pg_catalog.pg_db_role_setting g JOIN db ON db.oid = g.setdatabase
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
     CROSS JOIN LATERAL pg_catalog.unnest(g.setconfig) c (c)
    UNION ALL
    SELECT 2, pg_catalog.format('COMMENT ON DATABASE {database} IS %L', pg_catalog.shobj_description(db.oid, 'pg_database')), NULL
      FROM db WHERE pg_catalog.shobj_description(db.oid, 'pg_database') IS NOT NULL
    UNION ALL
    SELECT 3, pg_catalog.format('ALTER DATABASE {database} CONNECTION LIMIT %s', db.datconnlimit), NULL FROM db WHERE db.datconnlimit <> -1
    UNION ALL
    SELECT 4, 'REVOKE ALL ON DATABASE {database} FROM PUBLIC', NULL FROM db WHERE db.datacl IS NOT NULL
    UNION ALL
    SELECT 5, pg_catalog.format('GRANT %s ON DATABASE {database} TO %s%s', a.privilege_type,
                  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), NULL
      FROM db CROSS JOIN LATERAL pg_catalog.aclexplode(db.datacl) a WHERE a.grantee <> db.datdba
    UNION ALL
    SELECT 6, 'ALTER DATABASE {database} IS_TEMPLATE true', NULL FROM db WHERE db.datistemplate
) s
 ORDER BY s.n, s.sql COLLATE "C"
