-- purpose: replication slots of the server that nobody reads: it keeps its log for them, and a fold writes much of it
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('slot %s is not read (%s)', s.slot_name, s.slot_type), NULL::text, NULL::text
  FROM pg_catalog.pg_replication_slots s
 WHERE NOT s.active AND NOT s.temporary
 ORDER BY s.slot_name COLLATE "C"
