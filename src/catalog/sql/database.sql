-- purpose: properties of the database that a copy must share or at least declare. to_jsonb() because the columns of
--          pg_database differ between versions (daticulocale until 16, datlocale since 17)
-- params: none
-- columns: name, value
-- versions: 12-
SELECT p.name, p.value
  FROM (SELECT d.oid, pg_catalog.to_jsonb(d) AS j, d.encoding, d.datdba, d.datconnlimit
          FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) s
 CROSS JOIN LATERAL (VALUES
    ('encoding', pg_catalog.pg_encoding_to_char(s.encoding)::text),
    ('collate', s.j ->> 'datcollate'),
    ('ctype', s.j ->> 'datctype'),
    ('provider', coalesce(s.j ->> 'datlocprovider', 'c')),
    ('locale', coalesce(s.j ->> 'datlocale', s.j ->> 'daticulocale')),
    ('icu rules', s.j ->> 'daticurules'),
    ('collation version', s.j ->> 'datcollversion'),
    ('owner', pg_catalog.pg_get_userbyid(s.datdba)::text),
    ('connection limit', s.datconnlimit::text),
    ('comment', pg_catalog.shobj_description(s.oid, 'pg_database')),
    ('bytes', pg_catalog.pg_database_size(s.oid)::text),
    ('large objects', (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)::text)) p (name, value)
