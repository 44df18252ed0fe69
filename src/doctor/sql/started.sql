-- purpose: when the server was started: two servers of one system identifier (a standby, a copied folder) are told apart by it
-- params: none
-- columns: time, as text
-- versions: 12-
SELECT pg_catalog.pg_postmaster_start_time()::text
