-- purpose: whether the target's host knows a libc locale: one of its collations or databases uses it
-- params: $1 text locale
-- columns: known
-- versions: 12-
SELECT $1::text IN ('C', 'POSIX')
       OR EXISTS (SELECT FROM pg_catalog.pg_collation c
                   WHERE pg_catalog.replace(pg_catalog.lower(c.collcollate), '-', '') = pg_catalog.replace(pg_catalog.lower($1::text), '-', ''))
       OR EXISTS (SELECT FROM pg_catalog.pg_database d
                   WHERE pg_catalog.replace(pg_catalog.lower(d.datcollate), '-', '') = pg_catalog.replace(pg_catalog.lower($1::text), '-', ''))
