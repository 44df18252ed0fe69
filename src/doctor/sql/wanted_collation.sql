-- purpose: how this database sorts text. to_jsonb() because older servers know fewer columns
-- params: none
-- columns: {"provider", "locale", "version"} as JSON
-- versions: 12-
SELECT pg_catalog.jsonb_build_object(
           'provider', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c'),
           'locale', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale', d.datcollate),
           'version', (SELECT pg_catalog.max(pg_catalog.pg_collation_actual_version(c.oid)) FROM pg_catalog.pg_collation c
                        WHERE c.collprovider = coalesce((pg_catalog.to_jsonb(d) ->> 'datlocprovider')::"char", 'c')
                          AND c.collcollate = d.datcollate))::text
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
