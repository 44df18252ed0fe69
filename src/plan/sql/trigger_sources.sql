-- purpose: triggers of the users that fire when this role writes to a table (those of its own tables are silenced), with the text
--          of their functions; rules likewise, with their actions
-- params: none
-- columns: schema and name of the table, name of the trigger or rule, text
-- versions: 12-
SELECT n.nspname, c.relname, t.tgname, p.prosrc
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
 UNION ALL
SELECT n.nspname, c.relname, r.rulename, pg_catalog.pg_get_ruledef(r.oid)
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE r.rulename <> '_RETURN' AND r.ev_enabled IN ('O', 'A') AND n.nspname <> 'pg_catalog'
 ORDER BY 1, 2, 3
