-- purpose: the numbers of all large objects, as lists of at most 1000
-- params: none
-- columns: array of oid
-- versions: 12-
SELECT pg_catalog.array_agg(s.oid)::text
  FROM (SELECT m.oid, (row_number() OVER (ORDER BY m.oid) - 1) / 1000 AS part FROM pg_catalog.pg_largeobject_metadata m) s
 GROUP BY s.part
 ORDER BY s.part
