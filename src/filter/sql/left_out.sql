-- purpose: what goes with schemas, relations and extensions that are left out: all that is in these schemas, and all
--          that PostgreSQL itself would drop together with these things (indexes, constraints, triggers, partitions,
--          sequences that a column owns...). A sequence that a column owns follows its table, whatever its name
-- params: $1 oid[] schemas, $2 oid[] relations, $3 oid[] extensions
-- columns: catalog of the object, its oid
-- versions: 12-
WITH RECURSIVE in_schema (classid, objid, nsp) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relnamespace FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprnamespace FROM pg_catalog.pg_operator
    UNION ALL SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid, opcnamespace FROM pg_catalog.pg_opclass
    UNION ALL SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid, opfnamespace FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid, collnamespace FROM pg_catalog.pg_collation
    UNION ALL SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid, connamespace FROM pg_catalog.pg_conversion
    UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid, cfgnamespace FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid, dictnamespace FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, oid, prsnamespace FROM pg_catalog.pg_ts_parser
    UNION ALL SELECT 'pg_catalog.pg_ts_template'::pg_catalog.regclass, oid, tmplnamespace FROM pg_catalog.pg_ts_template
    UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid, stxnamespace FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass, oid, extnamespace FROM pg_catalog.pg_extension
),
owned AS (
    SELECT d.objid FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
),
left_out (classid, objid) AS (
    SELECT i.classid::oid, i.objid FROM in_schema i
     WHERE i.nsp = ANY ($1::oid[]) AND i.objid >= 16384
       AND NOT (i.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.objid IN (SELECT objid FROM owned))
    UNION SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, s.oid FROM pg_catalog.unnest($1::oid[]) s (oid)
    UNION SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid FROM pg_catalog.unnest($2::oid[]) r (oid)
           WHERE r.oid NOT IN (SELECT objid FROM owned)
    UNION SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, x.oid FROM pg_catalog.unnest($3::oid[]) x (oid)
           WHERE x.oid >= 16384
    UNION
    SELECT d.classid, d.objid
      FROM left_out o
      JOIN pg_catalog.pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype IN ('a', 'i', 'I', 'P', 'S')
)
SELECT classid::text, objid::text FROM left_out
