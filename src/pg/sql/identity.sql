-- purpose: who and where a connection is
-- params: none
-- columns: system_identifier, database oid, database, version, in recovery, role, superuser, encoding, start of the server
-- versions: 12-
SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text,
       d.oid::text,
       d.datname,
       pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
       pg_catalog.pg_is_in_recovery(),
       CURRENT_USER::text,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),
       pg_catalog.pg_encoding_to_char(d.encoding),
       pg_catalog.pg_postmaster_start_time()::text
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
