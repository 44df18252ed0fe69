-- purpose: logical replication slots of this database: who reads them is shut out too, and the server keeps its log for them
-- params: none
-- columns: name
-- versions: 12-
SELECT slot_name::text FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'logical' AND database = pg_catalog.current_database()
 ORDER BY slot_name COLLATE "C"
