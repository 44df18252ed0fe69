-- purpose: publications of the target that would send on what is folded
-- params: $1 text[] objects of the source, {"kind", "schema", "name", "owner"} as JSON
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('publication %s: %s', p.pubname,
                         CASE WHEN p.puballtables THEN 'all tables'
                              ELSE (SELECT pg_catalog.string_agg(pg_catalog.concat(t.schemaname, '.', t.tablename), ', ' ORDER BY t.schemaname, t.tablename)
                                      FROM pg_catalog.pg_publication_tables t
                                      JOIN pg_catalog.unnest($1::text[]) u (wanted)
                                        ON t.schemaname = u.wanted::jsonb ->> 'schema' AND t.tablename = u.wanted::jsonb ->> 'name'
                                     WHERE t.pubname = p.pubname) END), NULL::text, NULL::text
  FROM pg_catalog.pg_publication p
 WHERE p.puballtables
    OR EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
                 JOIN pg_catalog.unnest($1::text[]) u (wanted)
                   ON t.schemaname = u.wanted::jsonb ->> 'schema' AND t.tablename = u.wanted::jsonb ->> 'name'
                WHERE t.pubname = p.pubname)
 ORDER BY p.pubname COLLATE "C"
