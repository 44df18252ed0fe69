-- purpose: partitioned tables whose rows go to partitions by the hash of a value that holds an oid of the database (an
--          enum, a reg type, and arrays, ranges, domains and rows of them): in another database they belong elsewhere
-- params: none
-- columns: schema, table
-- versions: 12-
WITH RECURSIVE part (root, typ) AS (
    SELECT t.partrelid, a.atttypid
      FROM pg_catalog.pg_partitioned_table t
     CROSS JOIN LATERAL pg_catalog.unnest(t.partattrs::pg_catalog.int2[]) k (attnum)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = k.attnum
     WHERE t.partstrat = 'h'
    UNION
    SELECT t.partrelid, d.refobjid
      FROM pg_catalog.pg_partitioned_table t
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.partrelid
           AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
     WHERE t.partstrat = 'h' AND t.partexprs IS NOT NULL
    UNION
    SELECT p.root, s.typ
      FROM part p
      JOIN pg_catalog.pg_type t ON t.oid = p.typ
     CROSS JOIN LATERAL (
        SELECT t.typbasetype AS typ WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE (pg_catalog.to_jsonb(r) ->> 'rngmultitypid') = t.oid::text
        UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                   WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) s
)
SELECT DISTINCT n.nspname, c.relname
  FROM part p
  JOIN pg_catalog.pg_type t ON t.oid = p.typ
  JOIN pg_catalog.pg_class c ON c.oid = p.root
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE t.typtype = 'e' OR (t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typname ~ '^reg')
 ORDER BY 1, 2
