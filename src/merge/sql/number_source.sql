-- purpose: where new values of a column come from in the target: the sequence of an identity or serial column
-- params: $1 text quoted table, $2 text column
-- columns: sequence (quoted), its last value (0: none was given yet), increment, greatest value, least value, cycles, its schema, its name
-- versions: 12-
SELECT s.name, q.last_value, s.increment, s.max, s.min, s.cycle, s.nspname, s.relname
  FROM (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, q.seqincrement AS increment, q.seqmax AS max,
               q.seqmin AS min, q.seqcycle AS cycle, n.nspname, c.relname
          FROM pg_catalog.pg_sequence q
          JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = pg_catalog.pg_get_serial_sequence($1::text, $2::text)::pg_catalog.regclass
            OR c.oid IN (SELECT d.refobjid FROM pg_catalog.pg_attrdef f
                           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                           JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                            AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          WHERE f.adrelid = pg_catalog.to_regclass($1::text) AND a.attname = $2::text)) s
 CROSS JOIN LATERAL (SELECT coalesce((SELECT v.last_value FROM pg_catalog.pg_sequences v
                                       WHERE v.schemaname = s.nspname AND v.sequencename = s.relname), 0) AS last_value) q
 LIMIT 1
