-- purpose: what a database needs so that its definitions can be made elsewhere
-- params: $1 text schema, $2 text its new name
-- columns: encoding, collate, ctype text; roles, extensions text[]; has_schema, has_new bool
-- versions: 12-
SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate::text, d.datctype::text,
       (SELECT pg_catalog.array_agg(r.rolname::text) FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_'),
       (SELECT pg_catalog.array_agg(e.extname::text) FROM pg_catalog.pg_extension e),
       EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text),
       EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $2::text)
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
