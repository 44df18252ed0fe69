-- purpose: the columns of every foreign key, and whether its check can wait for the end of the transaction
-- params: none
-- columns: oid of the key, deferrable, column of the child, column of the parent (in the order of the key)
-- versions: 12-
SELECT k.oid::text, k.condeferrable, ca.attname, pa.attname
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL pg_catalog.generate_subscripts(k.conkey, 1) pos
  JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = k.conkey[pos]
  JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = k.confkey[pos]
 WHERE k.contype = 'f'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY k.oid, pos
