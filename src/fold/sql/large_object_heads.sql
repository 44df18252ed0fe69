-- purpose: the next large objects in the order of their numbers, each with its first bytes
-- params: $1 oid after which to start, $2 int bytes of each
-- columns: oid, data, longer than that
-- versions: 12-
SELECT m.oid::text, pg_catalog.lo_get(m.oid, 0, $2::int4), pg_catalog.length(pg_catalog.lo_get(m.oid, 0, $2::int4 + 1)) > $2::int4
  FROM pg_catalog.pg_largeobject_metadata m
 WHERE m.oid > $1::pg_catalog.oid
 ORDER BY m.oid
 LIMIT 500
