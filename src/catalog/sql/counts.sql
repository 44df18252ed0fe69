-- purpose: how many objects of each kind the users made: members of extensions and of the system are not counted,
--          nor are indexes that pg_dump leaves out because they are not valid
-- params: $1 bool whether only what is listed counts, or all but that; NULL: everything, $2 oid[] listed: catalogs,
--         $3 oid[] listed: oids
-- columns: kind, count
-- versions: 12-
WITH member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
user_schema AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^(pg_|pgfold_undo_)'),
object (kind, classid, oid) AS (
    SELECT 'populated materialized view', 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
      FROM pg_catalog.pg_class c
     WHERE c.relkind = 'm' AND c.relispopulated AND c.relnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                WHEN 'c' THEN 'composite type' ELSE 'index' END, 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
      FROM pg_catalog.pg_class c WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND c.relnamespace IN (SELECT oid FROM user_schema)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
                        WHERE i.indexrelid = c.oid AND NOT (i.indisready AND (i.indisvalid OR t.relkind = 'p')))
    UNION ALL
    SELECT 'filled materialized view', 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
      FROM pg_catalog.pg_class c WHERE c.relkind = 'm' AND c.relispopulated AND c.relnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT CASE k.contype WHEN 'c' THEN 'check constraint' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                WHEN 'u' THEN 'unique constraint' ELSE 'exclusion constraint' END, 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid
      FROM pg_catalog.pg_constraint k WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.connamespace IN (SELECT oid FROM user_schema)
       AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = k.conrelid)
    UNION ALL
    SELECT CASE p.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'window function' END,
           'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid
      FROM pg_catalog.pg_proc p WHERE p.pronamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range type' ELSE 'base type' END,
           'pg_catalog.pg_type'::pg_catalog.regclass, t.oid
      FROM pg_catalog.pg_type t WHERE t.typtype IN ('d', 'e', 'r', 'b') AND t.typelem = 0 AND t.typnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'trigger', 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid FROM pg_catalog.pg_trigger g
      JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
     WHERE NOT g.tgisinternal AND c.relnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'rule', 'pg_catalog.pg_rewrite'::pg_catalog.regclass, r.oid FROM pg_catalog.pg_rewrite r
      JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
     WHERE r.rulename <> '_RETURN' AND c.relnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'policy', 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_policy p
    UNION ALL
    SELECT 'extension', 'pg_catalog.pg_extension'::pg_catalog.regclass, oid FROM pg_catalog.pg_extension
    UNION ALL
    SELECT 'schema', 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid FROM user_schema
    UNION ALL
    SELECT 'cast', 'pg_catalog.pg_cast'::pg_catalog.regclass, oid FROM pg_catalog.pg_cast WHERE oid >= 16384
    UNION ALL
    SELECT 'operator', 'pg_catalog.pg_operator'::pg_catalog.regclass, oid FROM pg_catalog.pg_operator WHERE oprnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'operator class', 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid FROM pg_catalog.pg_opclass WHERE opcnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'operator family', 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid FROM pg_catalog.pg_opfamily WHERE opfnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'collation', 'pg_catalog.pg_collation'::pg_catalog.regclass, oid FROM pg_catalog.pg_collation WHERE collnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'conversion', 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid FROM pg_catalog.pg_conversion WHERE connamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'text search configuration', 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_config WHERE cfgnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'text search dictionary', 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_dict WHERE dictnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'text search parser', 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_parser WHERE prsnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'text search template', 'pg_catalog.pg_ts_template'::pg_catalog.regclass, oid FROM pg_catalog.pg_ts_template WHERE tmplnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'statistics object', 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid FROM pg_catalog.pg_statistic_ext WHERE stxnamespace IN (SELECT oid FROM user_schema)
    UNION ALL
    SELECT 'foreign data wrapper', 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'foreign server', 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid FROM pg_catalog.pg_foreign_server
    UNION ALL
    SELECT 'user mapping', 'pg_catalog.pg_user_mapping'::pg_catalog.regclass, umid FROM pg_catalog.pg_user_mappings
    UNION ALL
    SELECT 'event trigger', 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, oid FROM pg_catalog.pg_event_trigger
    UNION ALL
    SELECT 'publication', 'pg_catalog.pg_publication'::pg_catalog.regclass, oid FROM pg_catalog.pg_publication
    UNION ALL
    SELECT 'language', 'pg_catalog.pg_language'::pg_catalog.regclass, oid FROM pg_catalog.pg_language WHERE oid >= 16384
    UNION ALL
    SELECT 'access method', 'pg_catalog.pg_am'::pg_catalog.regclass, oid FROM pg_catalog.pg_am WHERE oid >= 16384
    UNION ALL
    SELECT 'transform', 'pg_catalog.pg_transform'::pg_catalog.regclass, oid FROM pg_catalog.pg_transform
    UNION ALL
    SELECT 'large object', 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid FROM pg_catalog.pg_largeobject_metadata
)
SELECT o.kind, count(*)
  FROM object o
 WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = o.classid AND m.objid = o.oid)
   AND ($1::bool IS NULL
        OR $1::bool = ((o.classid::oid, o.oid) IN (SELECT l.class, l.oid FROM ROWS FROM (pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::oid[])) l (class, oid))))
 GROUP BY o.kind
 ORDER BY o.kind COLLATE "C"
