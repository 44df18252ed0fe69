-- purpose: who provides the security labels of what is in this database
-- params: none
-- columns: provider, how many labels
-- versions: 12-
SELECT l.provider, count(*)
  FROM pg_catalog.pg_seclabel l
 GROUP BY l.provider
 ORDER BY l.provider COLLATE "C"
