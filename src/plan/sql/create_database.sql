-- purpose: the statement that makes a database with the encoding and locale of this one; {database} is the place of its
--          name. to_jsonb() because the columns of pg_database differ between versions
-- params: none
-- columns: statement, provider (c libc, i icu, b builtin), collate
-- versions: 12-
SELECT pg_catalog.format('CREATE DATABASE {database} TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L%s',
           pg_catalog.pg_encoding_to_char(d.encoding), s.j ->> 'datcollate', s.j ->> 'datctype',
           CASE s.j ->> 'datlocprovider'
                WHEN 'i' THEN pg_catalog.format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(s.j ->> 'datlocale', s.j ->> 'daticulocale'))
                         || CASE WHEN s.j ->> 'daticurules' IS NULL THEN '' ELSE pg_catalog.format(' ICU_RULES %L', s.j ->> 'daticurules') END
                WHEN 'b' THEN pg_catalog.format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', s.j ->> 'datlocale')
                ELSE '' END),
       coalesce(s.j ->> 'datlocprovider', 'c'), s.j ->> 'datcollate'
  FROM pg_catalog.pg_database d
 CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d) AS j) s
 WHERE d.datname = pg_catalog.current_database()
