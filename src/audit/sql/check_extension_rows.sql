-- purpose: tables in which an extension keeps what its users configured (pg_dump dumps their rows), with the query that
--          counts those rows
-- params: none
-- columns: finding, query, extension
-- versions: 12-
SELECT pg_catalog.concat('extension ', x.extname, ': ', n.nspname, '.', c.relname),
       pg_catalog.format('SELECT count(*) FROM %I.%I %s', n.nspname, c.relname, x.extcondition[pos]), x.extname
  FROM pg_catalog.pg_extension x
 CROSS JOIN LATERAL pg_catalog.generate_subscripts(x.extconfig, 1) pos
  JOIN pg_catalog.pg_class c ON c.oid = x.extconfig[pos]
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
 ORDER BY 1
