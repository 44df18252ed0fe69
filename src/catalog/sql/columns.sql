-- purpose: the columns of every table-like relation, with the type under their domains
-- params: none
-- columns: relation oid, name, type, base schema, base name, base kind, element name, is_array, typmod, not_null,
--          generated, is_virtual, identity, default, collation, from_initdb
-- versions: 12-
WITH RECURSIVE base (oid, base) AS (
    SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
    UNION ALL
    SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN base b ON t.typbasetype = b.oid WHERE t.typtype = 'd'
)
SELECT a.attrelid::text, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       bn.nspname, bt.typname, bt.typtype,
       CASE WHEN bt.typcategory = 'A' AND bt.oid < 16384 AND et.oid < 16384 THEN et.typname END,
       bt.typcategory = 'A',
       CASE WHEN a.atttypid = bt.oid THEN a.atttypmod ELSE -1 END,
       a.attnotnull, a.attgenerated <> '', a.attgenerated = 'v', a.attidentity,
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid)
            ELSE 'generated: ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
            THEN (SELECT pg_catalog.format('%I.%I', kn.nspname, k.collname) FROM pg_catalog.pg_collation k
                    JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace WHERE k.oid = a.attcollation) END,
       bt.oid < 16384 AND (bt.typelem = 0 OR bt.typelem < 16384)
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN base b ON b.oid = a.atttypid
  JOIN pg_catalog.pg_type bt ON bt.oid = b.base
  JOIN pg_catalog.pg_namespace bn ON bn.oid = bt.typnamespace
  LEFT JOIN pg_catalog.pg_type et ON et.oid = bt.typelem
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY a.attrelid, a.attname COLLATE "C"
