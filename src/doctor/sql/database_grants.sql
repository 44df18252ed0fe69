-- purpose: what the connected role lacks in the target database as a whole
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('role %s may not %s', CURRENT_USER, p.what),
       pg_catalog.format('GRANT %s ON DATABASE %I TO %I', p.name, pg_catalog.current_database(), CURRENT_USER), NULL::text
  FROM (VALUES ('CREATE', 'create schemas in the database: a fold marks what is its own with one, and undo keeps one'),
               ('TEMPORARY', 'make temporary tables: rows of a merge wait in them')) p (name, what)
 WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), p.name)
