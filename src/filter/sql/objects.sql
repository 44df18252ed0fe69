-- purpose: what goes with what patterns match.
--          out: schemas, relations and extensions that are left out, all that is in these schemas, and all that PostgreSQL
--          itself would drop together with these things (indexes, constraints, triggers, partitions, sequences that a
--          column owns...). A sequence that a column owns follows its table, whatever its name.
--          in: where only some schemas, relations and extensions are folded: these, all that is in these schemas, the parts
--          of all that, and what they need that is no relation: types, functions, sequences, schemas, extensions...
-- params: $1 oid[] schemas, $2 oid[] relations, $3 oid[] extensions that are left out; $4 oid[], $5 oid[], $6 oid[] the same
--         that are folded
-- columns: out or in, catalog of the object, its oid
-- versions: 12-
WITH RECURSIVE in_schema (classid, objid, nsp, relkind) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relnamespace, relkind::text FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace, NULL FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace, NULL FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprnamespace, NULL FROM pg_catalog.pg_operator
    UNION ALL SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid, opcnamespace, NULL FROM pg_catalog.pg_opclass
    UNION ALL SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid, opfnamespace, NULL FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid, collnamespace, NULL FROM pg_catalog.pg_collation
    UNION ALL SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid, connamespace, NULL FROM pg_catalog.pg_conversion
    UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid, cfgnamespace, NULL FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid, dictnamespace, NULL FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, oid, prsnamespace, NULL FROM pg_catalog.pg_ts_parser
    UNION ALL SELECT 'pg_catalog.pg_ts_template'::pg_catalog.regclass, oid, tmplnamespace, NULL FROM pg_catalog.pg_ts_template
    UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid, stxnamespace, NULL FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass, oid, extnamespace, NULL FROM pg_catalog.pg_extension
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
),
/* What may come along because something else needs it: none of it is a table, nor part of one. */
needable (classid) AS (VALUES
    ('pg_catalog.pg_type'::pg_catalog.regclass), ('pg_catalog.pg_proc'), ('pg_catalog.pg_operator'), ('pg_catalog.pg_opclass'),
    ('pg_catalog.pg_opfamily'), ('pg_catalog.pg_collation'), ('pg_catalog.pg_ts_config'), ('pg_catalog.pg_ts_dict'),
    ('pg_catalog.pg_ts_parser'), ('pg_catalog.pg_ts_template'), ('pg_catalog.pg_language'), ('pg_catalog.pg_namespace'),
    ('pg_catalog.pg_extension'), ('pg_catalog.pg_foreign_server'), ('pg_catalog.pg_foreign_data_wrapper'), ('pg_catalog.pg_am')
),
kept (classid, objid) AS (
    SELECT i.classid::oid, i.objid FROM in_schema i
     WHERE i.nsp = ANY ($4::oid[]) AND i.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
       AND (i.relkind IS NULL OR i.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c'))
    UNION SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, s.oid FROM pg_catalog.unnest($4::oid[]) s (oid)
    UNION SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid FROM pg_catalog.unnest($5::oid[]) r (oid)
    UNION SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, x.oid FROM pg_catalog.pg_extension x
           WHERE x.oid = ANY ($6::oid[]) OR x.oid < 16384
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
SELECT 'out', classid::text, objid::text FROM left_out
 UNION ALL
SELECT 'in', classid::text, objid::text FROM kept
