-- purpose: whether somebody has made anything in this database: initdb's objects have low oids
-- params: none
-- columns: used
-- versions: 12-
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relpersistence <> 't')
    OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^(pg_temp|pg_toast_temp|pgfold_)')
    OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_extension WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
