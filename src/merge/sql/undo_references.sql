-- purpose: foreign keys that lead to a table, with what joins a child (c) to its parent (p); of a partitioned child, each leaf
-- params: $1 text quoted parent table
-- columns: name, child (quoted), child for people, join condition, deferrable, owned by this role, oid of the child,
--          table of the constraint (quoted), may be altered
-- versions: 12-
SELECT k.conname, pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname || '.' || c.relname,
       (SELECT pg_catalog.string_agg(pg_catalog.format('c.%I = p.%I', ca.attname, pa.attname), ' AND ' ORDER BY pos)
          FROM pg_catalog.generate_subscripts(k.conkey, 1) pos
          JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = k.conkey[pos]
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = k.confkey[pos]),
       k.condeferrable, pg_catalog.pg_has_role(r.relowner, 'USAGE'), c.oid,
       k.conrelid::pg_catalog.regclass, k.conparentid = 0
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class r ON r.oid = k.conrelid
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
 CROSS JOIN LATERAL (SELECT r.oid AS relid WHERE r.relkind <> 'p'
                      UNION ALL
                     SELECT t.relid FROM pg_catalog.pg_partition_tree(r.oid) t WHERE r.relkind = 'p' AND t.isleaf) leaf
  JOIN pg_catalog.pg_class c ON c.oid = leaf.relid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND (k.conparentid = 0 OR p.relispartition) AND k.confrelid = pg_catalog.to_regclass($1::text)
 ORDER BY 2, 1
