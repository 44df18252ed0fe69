-- purpose: what a database needs to be restored elsewhere, and its size on the disk; waits for no lock, as
--   pg_table_size would
-- params: none
-- columns: encoding, collate, ctype text; database_bytes bigint; roles, extensions text (JSON arrays of names)
-- versions: 12-
SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate::pg_catalog.text AS collate,
       d.datctype::pg_catalog.text AS ctype,
       pg_catalog.pg_database_size(d.oid) AS database_bytes,
       (SELECT coalesce(pg_catalog.json_agg(r.rolname ORDER BY r.rolname), '[]')
          FROM pg_catalog.pg_roles r
         WHERE r.rolname !~ '^pg_') AS roles,
       (SELECT coalesce(pg_catalog.json_agg(e.extname ORDER BY e.extname), '[]')
          FROM pg_catalog.pg_extension e) AS extensions
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
