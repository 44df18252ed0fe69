-- purpose: triggers of the users that fire on ordinary writes to a table, with the statements that silence and wake them
-- params: $1 text quoted table
-- columns: name, silence, wake, whether the role owns the table
-- versions: 12-
SELECT t.tgname, pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', $1::text, t.tgname),
       pg_catalog.format('ALTER TABLE %s ENABLE %sTRIGGER %I', $1::text,
                         CASE t.tgenabled WHEN 'A' THEN 'ALWAYS ' ELSE '' END, t.tgname),
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
 WHERE t.tgrelid = pg_catalog.to_regclass($1::text) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
 ORDER BY t.tgname COLLATE "C"
