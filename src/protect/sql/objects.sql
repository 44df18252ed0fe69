-- purpose: how everything in this database is defined: the rows of the system catalogs themselves, as numbers of rows and sums of
--          hashes. Only to be compared with what the same database says later (they hold oids). Left out are statistics, places
--          on disk and hints that vacuum keeps, temporary objects, and what only a superuser may read
-- params: none
-- columns: schema (oid, 0: none), relation (oid, 0: none), rows, sum of their hashes
-- versions: 12-
WITH relation AS (
    SELECT c.oid, c.relnamespace AS schema FROM pg_catalog.pg_class c WHERE c.relpersistence <> 't'
), fact (schema, relation, kind, value) AS (
    SELECT n.oid, 0::oid, 'namespace', pg_catalog.to_jsonb(n) FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT c.relnamespace, c.oid, 'class',
           pg_catalog.to_jsonb(c) - ARRAY['relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid',
               'relfilenode', 'relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass', 'relispopulated']
      FROM pg_catalog.pg_class c WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT r.schema, r.oid, 'attribute',
           pg_catalog.jsonb_build_array(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
               a.attisdropped, a.attcollation, a.attstorage, a.attacl, a.attoptions, a.attfdwoptions, a.attstattarget, a.attislocal,
               a.attinhcount)
      FROM pg_catalog.pg_attribute a JOIN relation r ON r.oid = a.attrelid
    UNION ALL
    SELECT r.schema, r.oid, 'attrdef', pg_catalog.to_jsonb(d) FROM pg_catalog.pg_attrdef d JOIN relation r ON r.oid = d.adrelid
    UNION ALL
    SELECT r.schema, r.oid, 'index', pg_catalog.to_jsonb(i) - 'indcheckxmin'
      FROM pg_catalog.pg_index i JOIN relation r ON r.oid = i.indrelid
    UNION ALL
    SELECT r.schema, r.oid, 'trigger', pg_catalog.to_jsonb(t) FROM pg_catalog.pg_trigger t JOIN relation r ON r.oid = t.tgrelid
    UNION ALL
    SELECT r.schema, r.oid, 'rewrite', pg_catalog.to_jsonb(w) FROM pg_catalog.pg_rewrite w JOIN relation r ON r.oid = w.ev_class
    UNION ALL
    SELECT r.schema, r.oid, 'policy', pg_catalog.to_jsonb(p) FROM pg_catalog.pg_policy p JOIN relation r ON r.oid = p.polrelid
    UNION ALL
    SELECT r.schema, r.oid, 'inherits', pg_catalog.to_jsonb(i) FROM pg_catalog.pg_inherits i JOIN relation r ON r.oid = i.inhrelid
    UNION ALL
    SELECT r.schema, r.oid, 'partitioned', pg_catalog.to_jsonb(p)
      FROM pg_catalog.pg_partitioned_table p JOIN relation r ON r.oid = p.partrelid
    UNION ALL
    SELECT r.schema, r.oid, 'foreign table', pg_catalog.to_jsonb(f)
      FROM pg_catalog.pg_foreign_table f JOIN relation r ON r.oid = f.ftrelid
    UNION ALL
    SELECT r.schema, r.oid, 'sequence', pg_catalog.to_jsonb(s) FROM pg_catalog.pg_sequence s JOIN relation r ON r.oid = s.seqrelid
    UNION ALL
    SELECT r.schema, r.oid, 'statistics', pg_catalog.to_jsonb(s)
      FROM pg_catalog.pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid
    UNION ALL
    SELECT r.schema, r.oid, 'publication', pg_catalog.to_jsonb(p)
      FROM pg_catalog.pg_publication_rel p JOIN relation r ON r.oid = p.prrelid
    UNION ALL
    SELECT r.schema, r.oid, 'description', pg_catalog.to_jsonb(d)
      FROM pg_catalog.pg_description d JOIN relation r ON r.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
    UNION ALL
    SELECT 0, 0, 'description', pg_catalog.to_jsonb(d)
      FROM pg_catalog.pg_description d WHERE d.classoid <> 'pg_catalog.pg_class'::pg_catalog.regclass
    UNION ALL
    SELECT c.connamespace, COALESCE(r.oid, 0), 'constraint', pg_catalog.to_jsonb(c)
      FROM pg_catalog.pg_constraint c LEFT JOIN relation r ON r.oid = c.conrelid WHERE c.conrelid = 0 OR r.oid IS NOT NULL
    UNION ALL
    SELECT t.typnamespace, 0, 'type', pg_catalog.to_jsonb(t)
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT t.typnamespace, 0, 'enum', pg_catalog.to_jsonb(e)
      FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
    UNION ALL
    SELECT t.typnamespace, 0, 'range', pg_catalog.to_jsonb(r)
      FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
    UNION ALL
    SELECT p.pronamespace, 0, 'proc', pg_catalog.to_jsonb(p)
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT p.pronamespace, 0, 'aggregate', pg_catalog.to_jsonb(a)
      FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
    UNION ALL
    SELECT o.oprnamespace, 0, 'operator', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_operator o WHERE o.oid >= 16384
    UNION ALL
    SELECT o.opcnamespace, 0, 'opclass', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_opclass o WHERE o.oid >= 16384
    UNION ALL
    SELECT o.opfnamespace, 0, 'opfamily', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_opfamily o WHERE o.oid >= 16384
    UNION ALL
    SELECT 0, 0, 'amop', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_amop o WHERE o.oid >= 16384
    UNION ALL
    SELECT 0, 0, 'amproc', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_amproc o WHERE o.oid >= 16384
    UNION ALL
    SELECT 0, 0, 'access method', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_am o
    UNION ALL
    SELECT 0, 0, 'cast', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_cast o
    UNION ALL
    SELECT o.collnamespace, 0, 'collation', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_collation o WHERE o.oid >= 16384
    UNION ALL
    SELECT o.connamespace, 0, 'conversion', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_conversion o WHERE o.oid >= 16384
    UNION ALL
    SELECT o.cfgnamespace, 0, 'text search configuration', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_ts_config o
    UNION ALL
    SELECT c.cfgnamespace, 0, 'text search map', pg_catalog.to_jsonb(o)
      FROM pg_catalog.pg_ts_config_map o JOIN pg_catalog.pg_ts_config c ON c.oid = o.mapcfg
    UNION ALL
    SELECT o.dictnamespace, 0, 'dictionary', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_ts_dict o
    UNION ALL
    SELECT o.prsnamespace, 0, 'text search parser', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_ts_parser o
    UNION ALL
    SELECT o.tmplnamespace, 0, 'text search template', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_ts_template o
    UNION ALL
    SELECT 0, 0, 'language', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_language o
    UNION ALL
    SELECT 0, 0, 'transform', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_transform o
    UNION ALL
    SELECT 0, 0, 'extension', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_extension o
    UNION ALL
    SELECT 0, 0, 'event trigger', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_event_trigger o
    UNION ALL
    SELECT 0, 0, 'foreign data wrapper', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_foreign_data_wrapper o
    UNION ALL
    SELECT 0, 0, 'foreign server', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_foreign_server o
    UNION ALL
    SELECT 0, 0, 'publication', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_publication o
    UNION ALL
    SELECT o.defaclnamespace, 0, 'default acl', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_default_acl o
    UNION ALL
    SELECT 0, 0, 'large object', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_largeobject_metadata o
    UNION ALL
    SELECT 0, 0, 'security label', pg_catalog.to_jsonb(o) FROM pg_catalog.pg_seclabel o
    UNION ALL
    SELECT 0, 0, 'database', pg_catalog.to_jsonb(o) - ARRAY['datfrozenxid', 'datminmxid', 'datlastsysoid']
      FROM pg_catalog.pg_database o WHERE o.datname = pg_catalog.current_database()
    UNION ALL
    SELECT 0, 0, 'setting', pg_catalog.to_jsonb(o)
      FROM pg_catalog.pg_db_role_setting o JOIN pg_catalog.pg_database d ON d.oid = o.setdatabase
     WHERE d.datname = pg_catalog.current_database()
)
SELECT f.schema::text, f.relation::text, pg_catalog.count(*),
       pg_catalog.sum(pg_catalog.hashtextextended(f.kind || ' ' || f.value::text COLLATE "C", 0))::text
  FROM fact f
 GROUP BY f.schema, f.relation
 ORDER BY f.schema, f.relation
