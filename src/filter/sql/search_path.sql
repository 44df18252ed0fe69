-- purpose: gives the session the search path that it would have without pgfold, until its transaction ends
-- params: none
-- columns: the path
-- versions: 12-
SELECT pg_catalog.set_config('search_path', reset_val, true) FROM pg_catalog.pg_settings WHERE name = 'search_path'
