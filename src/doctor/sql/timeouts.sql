-- purpose: timeouts that a new session of this role has in this database. Not those of this session, which pgfold sets to 0
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.concat(s.name, ' = ', s.reset_val, ' ', s.unit), NULL::text, NULL::text
  FROM pg_catalog.pg_settings s
 WHERE s.name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')
   AND s.reset_val <> '0'
 ORDER BY s.name COLLATE "C"
