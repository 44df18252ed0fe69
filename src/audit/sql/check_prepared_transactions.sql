-- purpose: transactions that were prepared and neither committed nor rolled back: no snapshot shows what they wrote
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(gid, ' of ', owner, ', prepared ', pg_catalog.date_trunc('second', prepared))
  FROM pg_catalog.pg_prepared_xacts
 WHERE database = pg_catalog.current_database()
 ORDER BY prepared
