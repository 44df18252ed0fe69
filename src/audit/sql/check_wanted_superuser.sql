-- purpose: what only a superuser can create
-- params: none
-- columns: object
-- versions: 12-
SELECT s.object
  FROM (SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AS class, e.oid, pg_catalog.concat('event trigger ', e.evtname) AS object
          FROM pg_catalog.pg_event_trigger e
        UNION ALL
        SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, p.oid, pg_catalog.concat('publication ', p.pubname, ' (of all tables)')
          FROM pg_catalog.pg_publication p WHERE p.puballtables
        UNION ALL
        SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, f.oid, pg_catalog.concat('function ', n.nspname, '.', f.proname, ' (language ', l.lanname, ')')
          FROM pg_catalog.pg_proc f
          JOIN pg_catalog.pg_language l ON l.oid = f.prolang
          JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
         WHERE NOT l.lanpltrusted AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)') s
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = s.class AND d.objid = s.oid AND d.deptype = 'e')
 ORDER BY s.object COLLATE "C"
