-- purpose: for each table the columns by which its rows can be told apart: primary key, else the replica identity, else the
--          shortest unique index over not-null columns
-- params: none
-- columns: relation oid, index name, column name (in key order), whether it is the primary key
-- versions: 12-
WITH candidate AS (
    SELECT DISTINCT ON (i.indrelid) i.indrelid, i.indexrelid, i.indkey, i.indnkeyatts, i.indisprimary
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
       AND c.relkind IN ('r', 'p', 'm')
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) k
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k]
                        WHERE NOT a.attnotnull)
     ORDER BY i.indrelid, i.indisprimary DESC, i.indisreplident DESC, i.indnkeyatts, i.indexrelid
)
SELECT k.indrelid::text, ic.relname, a.attname, k.indisprimary
  FROM candidate k
  JOIN pg_catalog.pg_class ic ON ic.oid = k.indexrelid
 CROSS JOIN pg_catalog.generate_series(0, k.indnkeyatts - 1) pos
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = k.indkey[pos]
 ORDER BY k.indrelid, pos
