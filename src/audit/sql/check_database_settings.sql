-- purpose: settings of this database, or of roles in it. Names only: a value may be a secret
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(pg_catalog.split_part(c.setting, '=', 1), CASE WHEN r.oid IS NOT NULL THEN ' for role ' || r.rolname END)
  FROM pg_catalog.pg_db_role_setting s
  JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c (setting)
 WHERE d.datname = pg_catalog.current_database()
 ORDER BY 1
