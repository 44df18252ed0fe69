-- purpose: whether text sorts in another way than in the source
-- params: $1 text[] the source's collation, {"provider", "locale", "version"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.concat(w.j ->> 'locale', coalesce(' (version ' || (w.j ->> 'version') || ')', ''), ' in the source, ',
                         m.j ->> 'locale', coalesce(' (version ' || (m.j ->> 'version') || ')', ''), ' in the target'),
       NULL::text, NULL::text
  FROM pg_catalog.unnest($1::text[]) u (wanted)
 CROSS JOIN LATERAL (SELECT u.wanted::jsonb AS j) w
 CROSS JOIN LATERAL (
       SELECT pg_catalog.jsonb_build_object(
                  'provider', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c'),
                  'locale', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale', d.datcollate),
                  'version', (SELECT pg_catalog.max(pg_catalog.pg_collation_actual_version(c.oid)) FROM pg_catalog.pg_collation c
                               WHERE c.collprovider = coalesce((pg_catalog.to_jsonb(d) ->> 'datlocprovider')::"char", 'c')
                                 AND c.collcollate = d.datcollate)) AS j
         FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) m
 WHERE w.j ->> 'provider' <> m.j ->> 'provider' OR w.j ->> 'locale' <> m.j ->> 'locale'
    OR w.j ->> 'version' <> m.j ->> 'version'
