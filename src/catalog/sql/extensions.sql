-- purpose: installed extensions (plpgsql comes with every database)
-- params: none
-- columns: name, version
-- versions: 12-
SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY extname COLLATE "C"
