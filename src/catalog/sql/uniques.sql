-- purpose: every unique index over plain columns of all rows: what two rows of a table cannot share. Partial ones and
--          those over expressions are left out
-- params: none
-- columns: relation oid, index name, column (in the order of the index)
-- versions: 12-
SELECT i.indrelid::text, ic.relname, a.attname
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) pos
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[pos]
 WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   AND c.relkind IN ('r', 'p')
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY i.indrelid, ic.relname COLLATE "C", pos
