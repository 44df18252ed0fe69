-- purpose: what is known of the server's memory
-- params: none
-- columns: maintenance_work_mem and shared_buffers in bytes; whether this role may read the server's files
-- versions: 12-
SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')),
       pg_catalog.has_function_privilege('pg_catalog.pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE')
