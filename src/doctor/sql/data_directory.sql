-- purpose: where the server keeps its data, to those who may know
-- params: none
-- columns: path
-- versions: 12-
SELECT pg_catalog.current_setting('data_directory')
