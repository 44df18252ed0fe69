-- purpose: every foreign key, with the query that counts its orphans: rows whose parent is missing (under MATCH FULL
--          also rows that are null in part; under PERIOD, since 18, rows whose period several parents together do not
--          cover). The equality operator is the constraint's own, and where the two columns have different collations,
--          that of the parent decides, as it does for the constraint. to_jsonb() because older servers have no conperiod
-- params: none
-- columns: oid, name, child schema, child, parent schema, parent, validated, partitioned, inherited, orphans query
-- versions: 12-
SELECT k.oid::text, k.conname, cn.nspname, c.relname, pn.nspname, p.relname, k.convalidated, 'p' IN (c.relkind, p.relkind), k.conparentid <> 0,
       pg_catalog.format('SELECT count(*) FROM %s%I.%I c WHERE %s ',
           CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, cn.nspname, c.relname,
           CASE k.confmatchtype WHEN 'f' THEN pg_catalog.format('(%s) AND', pg_catalog.string_agg(pg_catalog.format('c.%I IS NOT NULL', ca.attname), ' OR '))
                ELSE pg_catalog.string_agg(pg_catalog.format('c.%I IS NOT NULL AND', ca.attname), ' ') END)
       || CASE WHEN period.used
               THEN pg_catalog.format('NOT coalesce(c.%I OPERATOR(pg_catalog.<@) (SELECT pg_catalog.range_agg(p.%I) FROM %s%I.%I p WHERE %s), false)',
                        (pg_catalog.array_agg(ca.attname ORDER BY pos DESC))[1], (pg_catalog.array_agg(pa.attname ORDER BY pos DESC))[1],
                        CASE p.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, pn.nspname, p.relname,
                        pg_catalog.string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) c.%I%s', pa.attname, opn.nspname, o.oprname, ca.attname, named.sql), ' AND ')
                            FILTER (WHERE pos < pg_catalog.array_upper(k.conkey, 1)))
               ELSE pg_catalog.format('NOT EXISTS (SELECT FROM %s%I.%I p WHERE %s)',
                        CASE p.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, pn.nspname, p.relname,
                        pg_catalog.string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) c.%I%s', pa.attname, opn.nspname, o.oprname, ca.attname, named.sql), ' AND ')) END
  FROM pg_catalog.pg_constraint k
 CROSS JOIN LATERAL (SELECT coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::bool, false) AS used) period
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
 CROSS JOIN LATERAL pg_catalog.generate_subscripts(k.conkey, 1) pos
  JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = k.conkey[pos]
  JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = k.confkey[pos]
  JOIN pg_catalog.pg_operator o ON o.oid = k.conpfeqop[pos]
  JOIN pg_catalog.pg_namespace opn ON opn.oid = o.oprnamespace
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = pa.attcollation AND ca.attcollation NOT IN (0, pa.attcollation)
  LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
 CROSS JOIN LATERAL (SELECT CASE WHEN l.oid IS NULL THEN '' ELSE pg_catalog.format(' COLLATE %I.%I', ln.nspname, l.collname) END AS sql) named
 WHERE k.contype = 'f'
   AND cn.nspname <> 'information_schema' AND cn.nspname !~ '^(pg_|pgfold_undo_)'
 GROUP BY k.oid, k.conname, cn.nspname, c.relname, pn.nspname, p.relname, k.convalidated, c.relkind, p.relkind,
          k.conparentid, k.confmatchtype, k.conkey, period.used
 ORDER BY cn.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"
