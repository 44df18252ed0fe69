-- purpose: every default_transaction_read_only that decides in this database: of the database itself, of roles in it, and
--          of roles everywhere (which goes before that of the database)
-- params: none
-- columns: in this database, role oid (0: the database itself), role, value, it is on, we may set it for that role
-- versions: 12-
SELECT g.setdatabase = d.oid, g.setrole::text, r.rolname, s.value, s.value::boolean,
       CASE WHEN g.setrole = 0 THEN true
            ELSE me.rolsuper OR r.oid = me.oid
                 OR (me.rolcreaterole AND NOT r.rolsuper
                     AND (pg_catalog.current_setting('server_version_num')::int4 < 160000
                          OR pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION'))) END
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_db_role_setting g ON g.setdatabase = d.oid OR (g.setdatabase = 0 AND g.setrole <> 0)
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(g.setconfig) c (setting)
 CROSS JOIN LATERAL (SELECT pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1) AS value) s
 WHERE d.datname = pg_catalog.current_database()
   AND pg_catalog.split_part(c.setting, '=', 1) = 'default_transaction_read_only'
   AND (g.setrole = 0 OR r.oid IS NOT NULL)
 ORDER BY g.setrole, 1 DESC
