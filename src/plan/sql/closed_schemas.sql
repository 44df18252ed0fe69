-- purpose: schemas of the target in which the connected role may not create anything
-- params: none
-- columns: name
-- versions: 12-
SELECT n.nspname FROM pg_catalog.pg_namespace n
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)' AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
 ORDER BY n.nspname COLLATE "C"
