-- purpose: the relations of this database whose rows (or, of sequences, values) the role may not read, or not all of them
-- params: none
-- columns: schema, name, what is missing
-- versions: 12-
SELECT n.nspname, c.relname,
       CASE WHEN c.relkind <> 'S' AND pg_catalog.row_security_active(c.oid) THEN 'row-level security hides rows'
            ELSE 'permission denied' END
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT (pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
            AND CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                     ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid) END)
