-- purpose: constraints and indexes of every table, as text to be compared. Not-null constraints stand in the columns
--          (since 18 they are constraints too), indexes that serve a constraint stand in the constraint
--          The text is made last, of what is asked for alone: pg_get_indexdef() waits for the lock of whoever drops the
--          index, also of a temporary table that is none of our business
-- params: none
-- columns: relation oid, kind, name, definition
-- versions: 12-
SELECT s.relid::text, s.kind, s.name,
       CASE s.kind WHEN 'constraint' THEN pg_catalog.pg_get_constraintdef(s.oid) ELSE pg_catalog.pg_get_indexdef(s.oid) END
  FROM (SELECT k.conrelid AS relid, 'constraint' AS kind, k.conname AS name, k.oid,
               k.connamespace AS nsp
          FROM pg_catalog.pg_constraint k
         WHERE k.conrelid <> 0 AND k.contype IN ('c', 'f', 'p', 'u', 'x')
        UNION ALL
        SELECT i.indrelid, 'index', c.relname, c.oid, c.relnamespace
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
                              AND k.contype IN ('p', 'u', 'x'))) s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.nsp
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY s.relid, s.kind COLLATE "C", s.name COLLATE "C"
