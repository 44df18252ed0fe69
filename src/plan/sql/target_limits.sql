-- purpose: how many locks all transactions of the server can hold together, and default privileges that new objects of
--          the connected role would get
-- params: none
-- columns: locks, default privileges (one text, or null)
-- versions: 12-
SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8
           * (pg_catalog.current_setting('max_connections')::int8 + pg_catalog.current_setting('max_prepared_transactions')::int8),
       (SELECT pg_catalog.string_agg(coalesce('schema ' || n.nspname, 'all schemas') || ': ' || d.defaclacl::text, '; ')
          FROM pg_catalog.pg_default_acl d
          LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
         WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER))
