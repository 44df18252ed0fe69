-- purpose: user mappings that hold a password: pg_dump writes it, so it stands in backups too. Never shown here
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat('server ', m.srvname, ', user ', m.usename)
  FROM pg_catalog.pg_user_mappings m
 WHERE EXISTS (SELECT FROM pg_catalog.unnest(m.umoptions) o (option) WHERE o.option ~* '^[^=]*password=')
 ORDER BY 1
