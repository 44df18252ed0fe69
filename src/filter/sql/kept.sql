-- purpose: what is folded where only some schemas, relations and extensions are: these, all that is in these schemas,
--          the parts of all that (as in left_out.sql), and what they need that is no relation: types, functions,
--          sequences, schemas, extensions, languages...
-- params: $1 oid[] schemas, $2 oid[] relations, $3 oid[] extensions
-- columns: catalog of the object, its oid
-- versions: 12-
WITH RECURSIVE in_schema (classid, objid, nsp) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relnamespace FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
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
),
/* What may come along because something else needs it: none of it is a table, nor part of one. */
needable (classid) AS (VALUES
    ('pg_catalog.pg_type'::pg_catalog.regclass), ('pg_catalog.pg_proc'), ('pg_catalog.pg_operator'), ('pg_catalog.pg_opclass'),
    ('pg_catalog.pg_opfamily'), ('pg_catalog.pg_collation'), ('pg_catalog.pg_ts_config'), ('pg_catalog.pg_ts_dict'),
    ('pg_catalog.pg_ts_parser'), ('pg_catalog.pg_ts_template'), ('pg_catalog.pg_language'), ('pg_catalog.pg_namespace'),
    ('pg_catalog.pg_extension'), ('pg_catalog.pg_foreign_server'), ('pg_catalog.pg_foreign_data_wrapper'), ('pg_catalog.pg_am')
),
kept (classid, objid) AS (
    SELECT i.classid::oid, i.objid FROM in_schema i WHERE i.nsp = ANY ($1::oid[])
    UNION SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, s.oid FROM pg_catalog.unnest($1::oid[]) s (oid)
    UNION SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid FROM pg_catalog.unnest($2::oid[]) r (oid)
    UNION SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, x.oid FROM pg_catalog.pg_extension x
           WHERE x.oid = ANY ($3::oid[]) OR x.oid < 16384
    UNION
    SELECT n.classid, n.objid
      FROM kept k
     CROSS JOIN LATERAL (
        SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
         WHERE d.refclassid = k.classid AND d.refobjid = k.objid AND d.deptype IN ('a', 'i', 'I', 'P', 'S')
        UNION ALL
        SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend d
         WHERE d.classid = k.classid AND d.objid = k.objid
           AND (d.refclassid IN (SELECT a.classid::oid FROM needable a)
                OR (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = d.refobjid AND c.relkind IN ('S', 'c'))))
     ) n (classid, objid)
)
SELECT classid::text, objid::text FROM kept
