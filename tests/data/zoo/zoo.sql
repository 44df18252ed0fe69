-- One of everything that a database may hold: what a fold has to bring over without a loss. PostgreSQL 15 with its contrib
-- modules. Needs a superuser (event trigger, publication of all tables), and the roles below are made where missing.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zoo keeper') THEN CREATE ROLE "zoo keeper" LOGIN CONNECTION LIMIT 7; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zoo_visitor') THEN CREATE ROLE zoo_visitor NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zoo_guide') THEN CREATE ROLE zoo_guide NOLOGIN NOINHERIT; END IF;
END $$;
GRANT zoo_visitor TO zoo_guide;

-- --- schemas, extensions -----------------------------------------------------------------------------------------------
CREATE SCHEMA zoo;
COMMENT ON SCHEMA zoo IS 'animals; it''s "quoted" \ and more';
CREATE SCHEMA "Ünï ""cödé"" schéma" AUTHORIZATION "zoo keeper";
CREATE SCHEMA empty_schema;
CREATE SCHEMA ext;
CREATE EXTENSION citext WITH SCHEMA ext;
CREATE EXTENSION hstore WITH SCHEMA public;
CREATE EXTENSION ltree WITH SCHEMA ext;
CREATE EXTENSION btree_gist WITH SCHEMA public;
CREATE EXTENSION pg_trgm WITH SCHEMA public;
COMMENT ON EXTENSION hstore IS 'a comment of our own';

-- --- types ---------------------------------------------------------------------------------------------------------------
CREATE TYPE zoo.mood AS ENUM ('happy', 'it''s complicated', 'sad');
ALTER TYPE zoo.mood ADD VALUE 'asleep' BEFORE 'sad';
CREATE DOMAIN zoo.positive AS int CHECK (VALUE > 0) NOT NULL;
CREATE DOMAIN zoo.small AS zoo.positive DEFAULT 1 CONSTRAINT below_hundred CHECK (VALUE < 100);
CREATE DOMAIN zoo.name AS ext.citext COLLATE "C" CHECK (VALUE <> '');
CREATE TYPE zoo.point3 AS (x float8, y float8, "the Z" numeric(10, 3));
CREATE TYPE zoo.nested AS (p zoo.point3, m zoo.mood, tags text[]);
CREATE TYPE zoo.floatspan AS RANGE (subtype = float8, subtype_diff = float8mi);
COMMENT ON TYPE zoo.mood IS 'how it feels';
COMMENT ON DOMAIN zoo.positive IS 'above zero';
COMMENT ON CONSTRAINT below_hundred ON DOMAIN zoo.small IS 'two digits';
CREATE COLLATION zoo.plain FROM "C";
CREATE COLLATION zoo.numbers (provider = icu, locale = 'en-u-kn-true');

-- --- functions, operators, casts -------------------------------------------------------------------------------------------
CREATE FUNCTION zoo.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN a + b;
SET check_function_bodies = off;
CREATE FUNCTION zoo.late(id int) RETURNS text LANGUAGE sql STABLE AS 'SELECT label FROM zoo.made_later WHERE made_later.id = late.id';
RESET check_function_bodies;
CREATE FUNCTION zoo.looks_like_a_dump() RETURNS text LANGUAGE plpgsql AS $fn$
BEGIN
    RETURN '
--
-- Name: fake; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.fake (id int);

ALTER TABLE public.fake OWNER TO postgres;
--
-- TOC entry 1 (class 1259 OID 2)
-- Data for Name: fake; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.fake (id) FROM stdin;
1
\.

--
-- PostgreSQL database dump complete
--
';
END $fn$;
CREATE FUNCTION zoo.ends_with_an_owner_line() RETURNS text LANGUAGE sql AS $$SELECT '
ALTER TABLE public.fake OWNER TO postgres;'$$;
CREATE PROCEDURE zoo.do_nothing(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n; END $$;
CREATE FUNCTION zoo.secret() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = zoo, pg_temp SET work_mem = '5MB' AS 'SELECT 42';
REVOKE ALL ON FUNCTION zoo.secret() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION zoo.secret() TO zoo_visitor WITH GRANT OPTION;
CREATE FUNCTION zoo.rows_of(n int) RETURNS TABLE (i int, sq int) LANGUAGE sql AS 'SELECT g, g * g FROM generate_series(1, n) g';
CREATE AGGREGATE zoo.product (float8) (SFUNC = float8mul, STYPE = float8, INITCOND = '1');
CREATE FUNCTION zoo.same_text(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT lower($1) = lower($2)';
CREATE OPERATOR zoo.=~= (LEFTARG = text, RIGHTARG = text, FUNCTION = zoo.same_text, COMMUTATOR = OPERATOR(zoo.=~=));
CREATE FUNCTION zoo.to_point3(float8) RETURNS zoo.point3 LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, $1, 0)::zoo.point3';
CREATE CAST (float8 AS zoo.point3) WITH FUNCTION zoo.to_point3(float8) AS ASSIGNMENT;
COMMENT ON FUNCTION zoo.add(int, int) IS 'adds';
COMMENT ON AGGREGATE zoo.product (float8) IS 'multiplies';
COMMENT ON OPERATOR zoo.=~= (text, text) IS 'looks alike';
COMMENT ON CAST (float8 AS zoo.point3) IS 'a diagonal';
CREATE TEXT SEARCH CONFIGURATION zoo.plain_english (COPY = english);
ALTER TEXT SEARCH CONFIGURATION zoo.plain_english DROP MAPPING FOR url;
CREATE TEXT SEARCH DICTIONARY zoo.nostop (TEMPLATE = simple, stopwords = english);

CREATE TEXT SEARCH PARSER zoo.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE zoo.as_it_is (INIT = dsimple_init, LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH PARSER zoo.words IS 'as the standard one';
CREATE FUNCTION zoo.length_of(text) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'textlen';
CREATE FUNCTION zoo.in_a_library(public.hstore, text) RETURNS text LANGUAGE c IMMUTABLE STRICT AS '$libdir/hstore', 'hstore_fetchval';
CREATE FUNCTION zoo.by_length(a text, b text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length(a) - length(b)';
CREATE FUNCTION zoo.shorter(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT length($1) < length($2)';
CREATE FUNCTION zoo.as_long(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT length($1) = length($2)';
CREATE OPERATOR zoo.<# (LEFTARG = text, RIGHTARG = text, FUNCTION = zoo.shorter);
CREATE OPERATOR zoo.=# (LEFTARG = text, RIGHTARG = text, FUNCTION = zoo.as_long);
CREATE OPERATOR FAMILY zoo.lengths USING btree;
CREATE OPERATOR CLASS zoo.length_ops FOR TYPE text USING btree FAMILY zoo.lengths AS
    OPERATOR 1 zoo.<# (text, text), OPERATOR 3 zoo.=# (text, text), FUNCTION 1 zoo.by_length(text, text);
COMMENT ON OPERATOR CLASS zoo.length_ops USING btree IS 'by length alone';
CREATE CONVERSION zoo.to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE ACCESS METHOD zoo_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TYPE zoo.base;
CREATE FUNCTION zoo.base_in(cstring) RETURNS zoo.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION zoo.base_out(zoo.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE zoo.base (INPUT = zoo.base_in, OUTPUT = zoo.base_out, LIKE = int4, CATEGORY = 'N');
CREATE FOREIGN DATA WRAPPER zoo_wrapper OPTIONS (debug 'true');
CREATE SERVER zoo_server TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER zoo_wrapper OPTIONS (host 'nowhere');
CREATE USER MAPPING FOR PUBLIC SERVER zoo_server OPTIONS ("user" 'visitor');
CREATE FOREIGN TABLE zoo.far_away (id int OPTIONS (column_name 'ID') NOT NULL, v text) SERVER zoo_server OPTIONS (table_name 'x');
GRANT USAGE ON FOREIGN SERVER zoo_server TO zoo_visitor;

-- --- tables: every kind of value -------------------------------------------------------------------------------------------
CREATE TABLE zoo.values_of_all_kinds (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY,
    i2 smallint, i4 int, i8 bigint, n numeric, nn numeric(12, 4), f4 real, f8 double precision, b bool,
    t text, vc varchar(20), c char(8), "char" "char", nm name, tc text COLLATE "C", cs text COLLATE zoo.numbers,
    d date, tm time(3), ttz timetz, ts timestamp, tstz timestamptz, iv interval, ivd interval day to second,
    by bytea, bt bit(5), vb varbit, m money, u uuid, j json, jb jsonb, jp jsonpath, x xml,
    i inet, ci cidr, ma macaddr, m8 macaddr8,
    pt point, ln line, ls lseg, bx box, pa path, po polygon, ce circle,
    tv tsvector, tq tsquery, rc regclass, rt regtype, rp regprocedure, o oid, ti tid, xi xid, ls2 pg_lsn,
    r4 int4range, rn numrange, rts tsrange, rtz tstzrange, rd daterange, mr int4multirange, fs zoo.floatspan,
    a int[], at text[][], aj jsonb[], ad zoo.small[], e zoo.mood, ea zoo.mood[], dm zoo.small, dn zoo.name,
    p3 zoo.point3, ne zoo.nested, p3a zoo.point3[], ct ext.citext, hs public.hstore, lt ext.ltree, hsa public.hstore[]
);
INSERT INTO zoo.values_of_all_kinds VALUES (DEFAULT,
    -32768, -2147483648, -9223372036854775808, 1.50, 12345678.9000, 'NaN', '-0', true,
    E'tab\there\nline \\ back', 'ümläut', 'pad', 'x', 'a_name', 'c', 'file10',
    '0044-03-15 BC', '23:59:59.999', '12:00:00+05:30', '1999-12-31 23:59:59.999999', '2024-02-29 12:00:00+02', '1 mon 30 days -00:00:01', '3 days 04:05:06.789',
    '\xdeadbeef00', B'10101', B'1', '$1,234.56', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"b":  1, "a": [1,2], "b": 2}', '{"b":1.0,"a":[null,"\u00e9"]}', '$.a[*] ? (@ > 1)', '<a b="1">text &amp; <c/></a>',
    '192.168.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
    '(1,2.5)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),5>',
    'a:1A fat:2B,4C cat:5', '''fat'' & (''rat'':* | ''cat'')', 'zoo.values_of_all_kinds', 'zoo.mood[]', 'zoo.add(int, int)', 4294967295, '(7,3)', '123', '16/B374D848',
    '[1,10)', '(,5.50]', '[2024-01-01,2024-02-01)', '[2024-01-01 00:00+00,)', '[2024-01-01,2024-01-05)', '{[1,3),[5,8)}', '[0.5,1.5]',
    '{1,NULL,3}', '{{a,"b c"},{"NULL",NULL}}', array['{"k":1}'::jsonb, null], '{1,99}', 'it''s complicated', '{happy,sad,"it''s complicated"}', 99, 'Leo',
    ROW(1.5, -0.0, 2.500), ROW(ROW(1, 2, 3.123), 'asleep', '{a,"b,c"}'), ARRAY[ROW(1, 2, 3)::zoo.point3, NULL], 'CamelCase', 'a=>1, "b c"=>NULL', 'Top.Science.Astronomy', ARRAY['x=>y'::public.hstore]);
INSERT INTO zoo.values_of_all_kinds (i2, n, f4, f8, t, bt, iv, ts, d, r4, mr, a, jb, m, by, x, dm) VALUES
    (1, 'NaN', 'Infinity', '1e-300', '', NULL, '-1 year', 'infinity', '-infinity', 'empty', '{}', '{}', 'null', '-$0.05', '', '', 1),
    (NULL, '1.500', '1.17549435e-38', 'NaN', '\N', NULL, '00:00:00', NULL, NULL, NULL, NULL, '[3:4]={7,8}', '"\\u0041"', NULL, NULL, 'only text', 1),
    (2, 1e300, 0.1, 0.1, '\.', B'00000', '178000000 years', '4713-01-01 00:00:00 BC', '5874897-12-31', NULL, NULL, NULL, '{}', NULL, '\x5c', NULL, 1);
INSERT INTO zoo.values_of_all_kinds (t, dm) SELECT repeat('long ' || g || ' ', 40000), 1 FROM generate_series(1, 3) g;
UPDATE zoo.values_of_all_kinds SET m = m WHERE i2 = 1;

-- --- tables: every shape ---------------------------------------------------------------------------------------------------
CREATE TABLE zoo.made_later (id int PRIMARY KEY, label text NOT NULL DEFAULT 'none');
INSERT INTO zoo.made_later VALUES (1, 'one'), (2, 'two');
CREATE TABLE zoo.no_columns ();
INSERT INTO zoo.no_columns SELECT FROM generate_series(1, 7);
CREATE TABLE zoo.no_key (a int, b text);
INSERT INTO zoo.no_key VALUES (1, 'x'), (1, 'x'), (1, NULL), (1, NULL), (NULL, NULL), (2, 'y');
CREATE TABLE zoo.never_filled (id serial PRIMARY KEY, v text);
CREATE UNLOGGED TABLE zoo.cache (k text PRIMARY KEY, v bytea);
INSERT INTO zoo.cache VALUES ('k', '\x00ff');
CREATE TABLE zoo.generated (id int GENERATED BY DEFAULT AS IDENTITY, a int NOT NULL, twice int GENERATED ALWAYS AS (a * 2) STORED, up text GENERATED ALWAYS AS (upper('v' || a)) STORED);
INSERT INTO zoo.generated (a) SELECT g FROM generate_series(1, 10) g;
CREATE TABLE zoo.dropped (a int, gone text, b text, gone_too int DEFAULT 5, c int);
INSERT INTO zoo.dropped VALUES (1, 'x', 'b1', 1, 3), (2, 'y', 'b2', 2, 4);
ALTER TABLE zoo.dropped DROP COLUMN gone, DROP COLUMN gone_too;
ALTER TABLE zoo.dropped ADD COLUMN fast int DEFAULT 9;
INSERT INTO zoo.dropped VALUES (3, NULL, NULL, 10);
CREATE TABLE zoo.parted (id int, region text NOT NULL, at date NOT NULL DEFAULT '2024-01-01', PRIMARY KEY (region, id, at)) PARTITION BY LIST (region);
CREATE TABLE zoo.parted_eu PARTITION OF zoo.parted FOR VALUES IN ('eu', 'ch') PARTITION BY RANGE (at);
CREATE TABLE zoo.parted_eu_24 PARTITION OF zoo.parted_eu FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE zoo.parted_eu_old PARTITION OF zoo.parted_eu DEFAULT;
CREATE TABLE zoo.other_order (at date NOT NULL, extra_dropped int, region text NOT NULL, id int NOT NULL);
ALTER TABLE zoo.other_order DROP COLUMN extra_dropped;
ALTER TABLE zoo.parted ATTACH PARTITION zoo.other_order FOR VALUES IN ('us');
CREATE TABLE zoo.parted_rest PARTITION OF zoo.parted DEFAULT;
INSERT INTO zoo.parted SELECT g, (ARRAY['eu', 'ch', 'us', 'jp'])[1 + g % 4], date '2023-06-01' + g FROM generate_series(1, 400) g;
CREATE INDEX parted_at ON zoo.parted (at);
CREATE INDEX only_here ON zoo.parted_rest (id) WHERE id > 10;
CREATE TABLE zoo.hashed (id bigint, v text) PARTITION BY HASH (id);
CREATE TABLE zoo.hashed_0 PARTITION OF zoo.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE zoo.hashed_1 PARTITION OF zoo.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO zoo.hashed SELECT g, 'v' || g FROM generate_series(1, 100) g;
CREATE TABLE zoo.animal (id int PRIMARY KEY, name text CHECK (name <> 'nobody'), legs int DEFAULT 4);
CREATE TABLE zoo.bird (wingspan numeric NOT NULL, PRIMARY KEY (id), CHECK (legs = 2) NO INHERIT) INHERITS (zoo.animal);
ALTER TABLE zoo.bird ALTER legs SET DEFAULT 2;
CREATE TABLE zoo.penguin (swims bool) INHERITS (zoo.bird);
INSERT INTO zoo.animal VALUES (1, 'cat'), (2, 'dog');
INSERT INTO zoo.bird (id, name, wingspan) VALUES (1, 'eagle', 2.30), (3, 'owl', 1.0);
INSERT INTO zoo.penguin (id, name, wingspan, swims) VALUES (4, 'tux', 0.5, true);
CREATE TABLE "Ünï ""cödé"" schéma"."Tà ""ble"" with $1 \ and 'quotes'" ("Id é" int PRIMARY KEY, "sélect" text, "a""b" text, "from" int);
INSERT INTO "Ünï ""cödé"" schéma"."Tà ""ble"" with $1 \ and 'quotes'" VALUES (1, 'ß', '日本', 2), (2, E'\u00e9', '🙂', NULL);
ALTER TABLE "Ünï ""cödé"" schéma"."Tà ""ble"" with $1 \ and 'quotes'" OWNER TO "zoo keeper";
CREATE INDEX "Ïndex ""x""" ON "Ünï ""cödé"" schéma"."Tà ""ble"" with $1 \ and 'quotes'" ("sélect", "a""b" DESC NULLS LAST);
CREATE TABLE zoo.of_type OF zoo.point3 (PRIMARY KEY (x));
INSERT INTO zoo.of_type VALUES (1, 2, 3.5);
CREATE TABLE zoo.wide AS SELECT 1 AS c0;
DO $$ BEGIN EXECUTE 'ALTER TABLE zoo.wide ' || (SELECT string_agg(format('ADD c%s int DEFAULT %s', g, g), ', ') FROM generate_series(1, 300) g); END $$;
CREATE TABLE zoo.stored (id int PRIMARY KEY, big text) WITH (fillfactor = 70, autovacuum_enabled = false);
ALTER TABLE zoo.stored ALTER big SET STORAGE EXTERNAL, ALTER big SET STATISTICS 500, ALTER id SET (n_distinct = -1), ALTER big SET COMPRESSION pglz;
INSERT INTO zoo.stored SELECT g, repeat('z', 5000) FROM generate_series(1, 3) g;
ALTER TABLE zoo.stored REPLICA IDENTITY FULL;
CREATE TABLE zoo.clustered (id int PRIMARY KEY, v int NOT NULL);
INSERT INTO zoo.clustered SELECT g, 100 - g FROM generate_series(1, 50) g;
CREATE UNIQUE INDEX clustered_v ON zoo.clustered (v) INCLUDE (id);
ALTER TABLE zoo.clustered CLUSTER ON clustered_v;
ALTER TABLE zoo.clustered REPLICA IDENTITY USING INDEX clustered_v;

-- --- constraints, indexes ----------------------------------------------------------------------------------------------------
CREATE TABLE zoo.hen (id int PRIMARY KEY, egg int, UNIQUE (egg) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE zoo.egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES zoo.hen ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE zoo.hen ADD CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES zoo.egg MATCH FULL DEFERRABLE;
COMMENT ON CONSTRAINT hen_egg ON zoo.hen IS 'which was first?';
BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO zoo.hen VALUES (1, 1), (2, 2), (3, NULL); INSERT INTO zoo.egg VALUES (1, 1), (2, 2); COMMIT;
CREATE TABLE zoo.staff (id int PRIMARY KEY, boss int REFERENCES zoo.staff);
INSERT INTO zoo.staff VALUES (1, NULL), (2, 1), (3, 1), (4, 2);
CREATE TABLE zoo.visit (region text, id int, at date, note text, FOREIGN KEY (region, id, at) REFERENCES zoo.parted);
INSERT INTO zoo.visit SELECT region, id, at, 'n' FROM zoo.parted WHERE id % 40 = 0;
CREATE TABLE zoo.visit_parted (id int, who int REFERENCES zoo.staff) PARTITION BY RANGE (id);
CREATE TABLE zoo.visit_parted_1 PARTITION OF zoo.visit_parted FOR VALUES FROM (0) TO (100);
INSERT INTO zoo.visit_parted VALUES (1, 1), (2, 4), (3, NULL);
CREATE TABLE zoo.orphans (id int PRIMARY KEY, staff int);
INSERT INTO zoo.orphans VALUES (1, 1), (2, 999), (-3, NULL);
ALTER TABLE zoo.orphans ADD CONSTRAINT orphans_staff FOREIGN KEY (staff) REFERENCES zoo.staff NOT VALID;
ALTER TABLE zoo.orphans ADD CONSTRAINT orphans_positive CHECK (id > 0) NOT VALID;
CREATE TABLE zoo.booking (room int, during tsrange, note text, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (note IS DISTINCT FROM 'cancelled'));
INSERT INTO zoo.booking VALUES (1, '[2024-01-01,2024-01-02)', 'a'), (1, '[2024-01-02,2024-01-03)', 'b'), (1, '[2024-01-01,2024-01-03)', 'cancelled');
CREATE TABLE zoo.found (id int PRIMARY KEY, body text, doc jsonb, tags text[], path ext.ltree, attrs public.hstore);
INSERT INTO zoo.found SELECT g, 'body of ' || g, jsonb_build_object('n', g), ARRAY['t' || g % 3], ('a.b' || g)::ext.ltree, public.hstore('k', g::text) FROM generate_series(1, 200) g;
CREATE INDEX found_lower ON zoo.found (lower(body) text_pattern_ops, (id % 7)) WHERE id > 5;
CREATE INDEX found_length ON zoo.found (body zoo.length_ops);
CREATE TABLE zoo.bases (b zoo.base, n zoo.base[]) USING zoo_heap;
INSERT INTO zoo.bases VALUES ('5', '{1,NULL,-7}'), (NULL, NULL);
CREATE INDEX found_trgm ON zoo.found USING gin (body public.gin_trgm_ops);
CREATE INDEX found_doc ON zoo.found USING gin (doc jsonb_path_ops);
CREATE INDEX found_brin ON zoo.found USING brin (id) WITH (pages_per_range = 16);
CREATE INDEX found_hash ON zoo.found USING hash (body);
CREATE INDEX found_path ON zoo.found USING gist (path);
CREATE INDEX found_collate ON zoo.found (body COLLATE "C" DESC, id NULLS FIRST);
CREATE UNIQUE INDEX found_nulls ON zoo.found (nullif(body, 'x')) NULLS NOT DISTINCT;
ALTER INDEX zoo.found_lower ALTER COLUMN 2 SET STATISTICS 400;
COMMENT ON INDEX zoo.found_lower IS 'searched by';
CREATE STATISTICS zoo.found_stats (dependencies, ndistinct, mcv) ON id, body FROM zoo.found;
CREATE STATISTICS zoo.found_expr ON (lower(body)), (id % 3) FROM zoo.found;
ALTER STATISTICS zoo.found_stats SET STATISTICS 50;
COMMENT ON STATISTICS zoo.found_stats IS 'they go together';

-- --- sequences -----------------------------------------------------------------------------------------------------------------
CREATE SEQUENCE zoo.never_used START 50;
CREATE SEQUENCE zoo.down INCREMENT -3 MINVALUE -1000 MAXVALUE 10 START 10;
SELECT nextval('zoo.down') FROM generate_series(1, 4);
CREATE SEQUENCE zoo.set_not_called AS smallint;
SELECT setval('zoo.set_not_called', 77, false);
CREATE SEQUENCE zoo.around MAXVALUE 5 CYCLE CACHE 3;
SELECT nextval('zoo.around');
CREATE SEQUENCE zoo.huge MAXVALUE 9223372036854775807;
SELECT setval('zoo.huge', 9223372036854775807);
CREATE SEQUENCE zoo.owned OWNED BY zoo.no_key.a;
SELECT nextval('zoo.owned');
COMMENT ON SEQUENCE zoo.down IS 'counts down';
GRANT USAGE ON SEQUENCE zoo.down TO zoo_visitor;

-- --- views, rules, triggers, policies ------------------------------------------------------------------------------------------
CREATE VIEW zoo.first_view AS SELECT id, label FROM zoo.made_later WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW zoo.second_view WITH (security_barrier) AS SELECT f.*, zoo.add(id) AS next FROM zoo.first_view f;
ALTER VIEW zoo.first_view ALTER label SET DEFAULT 'from the view';
CREATE RECURSIVE VIEW zoo.chain (id, boss) AS SELECT id, boss FROM zoo.staff WHERE boss IS NULL UNION ALL SELECT s.id, s.boss FROM zoo.staff s JOIN chain c ON s.boss = c.id;
CREATE MATERIALIZED VIEW zoo.zz_first AS SELECT region, count(*) AS n FROM zoo.parted GROUP BY region;
CREATE MATERIALIZED VIEW zoo.aa_second AS SELECT sum(n) AS total FROM zoo.zz_first;
CREATE MATERIALIZED VIEW zoo.mm_third AS SELECT total, (SELECT count(*) FROM zoo.second_view) AS views FROM zoo.aa_second;
CREATE MATERIALIZED VIEW zoo.not_filled AS SELECT 1 AS one WITH NO DATA;
CREATE UNIQUE INDEX zz_first_region ON zoo.zz_first (region);
COMMENT ON MATERIALIZED VIEW zoo.zz_first IS 'by region';
COMMENT ON VIEW zoo.first_view IS 'a view';
COMMENT ON COLUMN zoo.first_view.label IS 'of the view';
CREATE RULE ignore_deletes AS ON DELETE TO zoo.made_later WHERE old.id = 1 DO INSTEAD NOTHING;
COMMENT ON RULE ignore_deletes ON zoo.made_later IS 'one stays';
CREATE TABLE zoo.log (at timestamptz DEFAULT now(), what text);
CREATE FUNCTION zoo.write_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO zoo.log (what) VALUES (TG_OP); RETURN NEW; END $$;
CREATE TRIGGER log_it AFTER INSERT OR UPDATE OF label ON zoo.made_later FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION zoo.write_log();
CREATE TRIGGER switched_off BEFORE INSERT ON zoo.made_later FOR EACH ROW EXECUTE FUNCTION zoo.write_log();
ALTER TABLE zoo.made_later DISABLE TRIGGER switched_off;
CREATE TRIGGER always BEFORE UPDATE ON zoo.staff FOR EACH STATEMENT EXECUTE FUNCTION zoo.write_log();
ALTER TABLE zoo.staff ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER on_parted AFTER INSERT ON zoo.hashed FOR EACH ROW EXECUTE FUNCTION zoo.write_log();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON zoo.hen DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION zoo.write_log();
COMMENT ON TRIGGER log_it ON zoo.made_later IS 'logs';
CREATE TABLE zoo.private (id int PRIMARY KEY, owner name DEFAULT CURRENT_USER, v text);
INSERT INTO zoo.private VALUES (1, 'zoo keeper', 'mine'), (2, 'other', 'not mine');
ALTER TABLE zoo.private ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON zoo.private AS PERMISSIVE FOR ALL TO "zoo keeper", zoo_visitor USING (owner = CURRENT_USER) WITH CHECK (v <> '');
CREATE POLICY fewer ON zoo.private AS RESTRICTIVE FOR SELECT USING (id < 100);
COMMENT ON POLICY own_rows ON zoo.private IS 'one''s own';
CREATE FUNCTION zoo.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE EVENT TRIGGER zoo_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION zoo.on_ddl();
COMMENT ON EVENT TRIGGER zoo_ddl IS 'watches';
CREATE PUBLICATION zoo_some FOR TABLE zoo.made_later (id) WHERE (id > 1), zoo.staff WITH (publish = 'insert');
CREATE PUBLICATION zoo_schema FOR TABLES IN SCHEMA empty_schema;
CREATE PUBLICATION zoo_all FOR ALL TABLES;
COMMENT ON PUBLICATION zoo_some IS 'some';

-- --- owners, privileges, comments --------------------------------------------------------------------------------------------------
ALTER TABLE zoo.staff OWNER TO "zoo keeper";
ALTER TYPE zoo.mood OWNER TO "zoo keeper";
ALTER FUNCTION zoo.add(int, int) OWNER TO "zoo keeper";
GRANT USAGE ON SCHEMA zoo TO zoo_visitor, PUBLIC;
GRANT SELECT, INSERT ON zoo.made_later TO zoo_visitor;
GRANT SELECT (id, label), UPDATE (label) ON zoo.made_later TO "zoo keeper" WITH GRANT OPTION;
GRANT ALL ON zoo.first_view TO PUBLIC;
REVOKE ALL ON zoo.log FROM postgres;
GRANT SELECT ON zoo.log TO "zoo keeper";
GRANT USAGE ON TYPE zoo.nested TO zoo_guide;
REVOKE USAGE ON TYPE zoo.nested FROM PUBLIC;
REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO zoo_visitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA zoo GRANT SELECT ON TABLES TO zoo_visitor;
ALTER DEFAULT PRIVILEGES FOR ROLE "zoo keeper" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO zoo_guide;
COMMENT ON TABLE zoo.made_later IS E'made later\nthan its function';
COMMENT ON COLUMN zoo.made_later.label IS 'what it says; DROP TABLE x;';
COMMENT ON COLUMN "Ünï ""cödé"" schéma"."Tà ""ble"" with $1 \ and 'quotes'"."a""b" IS 'ünï';
CREATE TABLE zoo.names (id int PRIMARY KEY, of_a_table text, reg regclass);
INSERT INTO zoo.names VALUES (1, 'zoo.staff', 'zoo.staff'), (2, 'pg_class', 'pg_class'), (3, NULL, NULL);

-- --- large objects -----------------------------------------------------------------------------------------------------------------
SELECT lo_create(70001);
SELECT lo_from_bytea(70002, '\x00010203ff');
SELECT lo_from_bytea(70003, decode(repeat('0123456789abcdef', 393216), 'hex') || '\x99');
SELECT lo_from_bytea(70004, decode(repeat('ab', 16384), 'hex'));
ALTER LARGE OBJECT 70002 OWNER TO "zoo keeper";
GRANT SELECT ON LARGE OBJECT 70003 TO zoo_visitor;
COMMENT ON LARGE OBJECT 70002 IS 'five bytes';

-- --- the database itself -----------------------------------------------------------------------------------------------------------
DO $$ BEGIN
    EXECUTE format('COMMENT ON DATABASE %I IS ''the zoo''', current_database());
    EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = zoo, "Ünï ""cödé"" schéma", public', current_database());
    EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''200ms''', current_database());
    EXECUTE format('ALTER ROLE "zoo keeper" IN DATABASE %I SET default_transaction_read_only = on', current_database());
    EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMP ON DATABASE %I TO zoo_visitor', current_database());
END $$;
