-- purpose: whether sessions of the target are read-only from the start
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat('default_transaction_read_only is on (', s.source, ')')
  FROM pg_catalog.pg_settings s
 WHERE s.name = 'default_transaction_read_only' AND s.setting = 'on'
