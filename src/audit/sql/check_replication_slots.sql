-- purpose: logical replication slots: somebody follows the changes of this database, and will not find them in another
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(slot_name, ' (', plugin, CASE WHEN active THEN ', in use' END, ')')
  FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'logical' AND database = pg_catalog.current_database()
 ORDER BY slot_name COLLATE "C"
