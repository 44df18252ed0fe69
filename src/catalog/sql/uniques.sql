-- purpose: every unique index: what two rows of a table cannot share. Over plain columns or expressions, of all rows or of
--          those for which a condition holds
-- params: none
-- columns: relation oid, index name, condition (or null), expression, column (null where the expression is none), in the
--          order of the index
-- versions: 12-
SELECT i.indrelid::text, ic.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       pg_catalog.pg_get_indexdef(i.indexrelid, pos + 1, false), a.attname
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) pos
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[pos] AND i.indkey[pos] <> 0
 WHERE i.indisunique AND i.indisvalid
   AND c.relkind IN ('r', 'p')
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY i.indrelid, ic.relname COLLATE "C", pos
