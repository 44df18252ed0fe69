-- purpose: security labels: creating them needs their label provider in the target
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(provider, ': ', count(*), ' objects')
  FROM pg_catalog.pg_seclabel
 GROUP BY provider
 ORDER BY provider COLLATE "C"
