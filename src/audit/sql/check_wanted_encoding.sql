-- purpose: the encoding of the source
-- params: none
-- columns: name
-- versions: 12-
SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
