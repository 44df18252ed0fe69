-- purpose: the databases of this server
-- params: none
-- columns: name, whether anybody may connect to it
-- versions: 12-
SELECT datname, datallowconn FROM pg_catalog.pg_database ORDER BY datname COLLATE "C"
