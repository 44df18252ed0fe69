-- purpose: whether somebody made sessions of the target read-only from the start. Not the setting of this session, which
--          pgfold's own connections override
-- params: none
-- columns: finding
-- versions: 12-
SELECT 'default_transaction_read_only is on for sessions of this role and database'
  FROM pg_catalog.pg_settings s
 WHERE s.name = 'default_transaction_read_only' AND s.reset_val = 'on'
