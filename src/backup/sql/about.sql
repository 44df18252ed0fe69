-- What a database needs to be restored elsewhere, and how large its data is without indexes.
-- params: none
-- columns: encoding, collate, ctype text; data_bytes bigint; roles, extensions text (JSON arrays of names)
-- versions: 12-
SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate::pg_catalog.text AS collate,
       d.datctype::pg_catalog.text AS ctype,
       (SELECT coalesce(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)::pg_catalog.int8
          FROM pg_catalog.pg_class c
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
           AND (c.oid >= 16384 OR c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)) AS data_bytes,
       (SELECT coalesce(pg_catalog.json_agg(r.rolname ORDER BY r.rolname), '[]')
          FROM pg_catalog.pg_roles r
         WHERE r.rolname !~ '^pg_') AS roles,
       (SELECT coalesce(pg_catalog.json_agg(e.extname ORDER BY e.extname), '[]')
          FROM pg_catalog.pg_extension e) AS extensions
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database();
