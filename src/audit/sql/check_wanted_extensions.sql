-- purpose: the extensions of the source: they are looked for in the target
-- params: none
-- columns: name and version, separated by a blank
-- versions: 12-
SELECT pg_catalog.concat(extname, ' ', extversion) FROM pg_catalog.pg_extension ORDER BY extname COLLATE "C"
