"""Folding a part of a source: include, exclude, and their options; what is left out is neither made, nor missed, nor forgotten."""
import json
import re
import subprocess

import pytest

import documents
import harness
from folding import assert_one_error

ODD = """
    CREATE TABLE items (id int); CREATE TABLE items_old (id int); CREATE TABLE "Items" (id int); CREATE TABLE "a.b" (id int);
    CREATE TABLE "a*b" (id int); CREATE TABLE "say ""hi\""" (id int); CREATE TABLE cost$ (id int); CREATE TABLE "a+b" (id int);
    CREATE TABLE "größe" (id int); CREATE TABLE "new
line" (id int); CREATE TABLE axb (id int); CREATE TABLE t1 (id int); CREATE TABLE t12 (id int); CREATE TABLE "t[1]" (id int);
    CREATE SCHEMA app; CREATE TABLE app.items (id int); CREATE TABLE app.orders (id int);
    CREATE SCHEMA "App"; CREATE TABLE "App".items (id int);
    CREATE SCHEMA "x.y"; CREATE TABLE "x.y"."a.b" (id int);
    CREATE MATERIALIZED VIEW app.seen AS SELECT 1 AS one;
"""
TABLES = ["ITEMS", '"Items"', "items*", "*.items", '*."a.b"', '"a*b"', 'a"?"b', '"say ""hi"""', "cost$", "a+b", "größe", '"new\nline"', "t[0-9]", '"t[1]"',
          "(items|axb)", "*", "app.s*"]
SCHEMAS = ["APP", '"App"', "a*", '"x.y"', "?pp", "app|public"]


@pytest.fixture(scope="module")
def odd(laptop):
    database = laptop.database("filters_odd")
    database.create().sql(ODD)
    yield database
    database.drop()


def dumped(database, *options):
    """The tables that pg_dump chooses; NULL where it says that there are none."""
    archive = subprocess.run([harness.client("pg_dump"), "--format=custom", "--section=pre-data", *options, database.url],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    if archive.returncode:
        assert b"no matching" in archive.stderr, archive.stderr
        return None
    listing = subprocess.run([harness.client("pg_restore"), "--list"], input=archive.stdout, stdout=subprocess.PIPE, check=True, timeout=60)
    found = re.findall(r"^\d+; \d+ (\d+) (?:TABLE|MATERIALIZED VIEW) ", listing.stdout.decode(), re.M)
    return sorted(oid for oid in found if int(oid) >= 16384)  # * of pg_dump's takes the system's own too


@pytest.mark.parametrize("option, patterns", [("--table", TABLES), ("--schema", SCHEMAS), ("--exclude-table", TABLES[::5]), ("--exclude-schema", SCHEMAS[::3])])
def test_patterns_choose_what_pg_dump_chooses(odd, pgfold, option, patterns):
    oids = {}
    for line in odd.sql("SELECT json_build_array(relnamespace::regnamespace::text, nspname, relname, c.oid) FROM pg_class c "
                        "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'm') AND c.oid >= 16384").splitlines():
        _, schema, name, oid = json.loads(line)
        oids[schema, name] = str(oid)
    for pattern in patterns:
        # pg_dump is strict about what it includes; of what it excludes nothing is said.
        strict = () if "exclude" in option else ("--strict-names",)
        expected = dumped(odd, f"{option}={pattern}", *strict)
        result = pgfold("audit", "--json", "--source", odd.url, f"{option}={pattern}")
        if result.status == 2:
            assert expected is None or len(expected) == len(oids), f"{pattern}: {result}"
            assert "matches nothing" in result.err or "no regular expression" in result.err
            continue
        relations = result.json()["sources"][0]["relations"]
        chosen = sorted(oids[r["schema"], r["name"]] for r in relations if r["result"] != "skipped")
        assert chosen == expected, pattern


SHOP = """
    CREATE EXTENSION citext; CREATE EXTENSION hstore;
    CREATE SCHEMA app; CREATE SCHEMA audit; CREATE SCHEMA util;
    CREATE TYPE util.colour AS ENUM ('red', 'green');
    CREATE FUNCTION util.half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n / 2';
    CREATE FUNCTION util.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE app.customers (id serial PRIMARY KEY, email citext, colour util.colour);
    CREATE TABLE app.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int CONSTRAINT of_customer REFERENCES app.customers, n int DEFAULT util.half(4));
    CREATE INDEX orders_half ON app.orders (util.half(n));
    CREATE TRIGGER touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION util.touch();
    CREATE TABLE app.settings (key text PRIMARY KEY, v hstore);
    CREATE TABLE audit.log (id bigserial PRIMARY KEY, what text) PARTITION BY RANGE (id);
    CREATE TABLE audit.log_1 PARTITION OF audit.log FOR VALUES FROM (0) TO (1000);
    CREATE VIEW audit.lately AS SELECT * FROM audit.log;
    CREATE TABLE audit.noted (id int PRIMARY KEY, customer int REFERENCES app.customers);
    COMMENT ON TABLE audit.noted IS 'not this'; COMMENT ON COLUMN app.orders.n IS 'this';
    CREATE SEQUENCE audit.counter; CREATE SEQUENCE app.counter; SELECT nextval('app.counter'), nextval('audit.counter');
    INSERT INTO app.customers (email, colour) SELECT 'c' || g || '@example.org', 'red' FROM generate_series(1, 20) g;
    INSERT INTO app.orders (customer) SELECT 1 + g % 20 FROM generate_series(1, 60) g;
    INSERT INTO app.settings VALUES ('a', 'b=>c');
    INSERT INTO audit.log (what) SELECT 'x' FROM generate_series(1, 30);
    INSERT INTO audit.noted SELECT g, g FROM generate_series(1, 5) g;
    SELECT lo_from_bytea(0, 'a large one');
"""


@pytest.fixture
def shop(pair):
    pair.source.create().sql(SHOP)
    return pair.configure()


@pytest.fixture(scope="module")
def standing(laptop):
    """The same for tests that are refused: one source for all of them, to be named by its URL."""
    database = laptop.database("filters_standing")
    database.create().sql(SHOP + "CREATE TABLE app.uses (n int DEFAULT nextval('app.counter')); INSERT INTO app.uses VALUES (1);")
    yield database
    database.drop()


def tables(database):
    return database.sql("SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid::regclass::text) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
                        "AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_schema)')")


def receipt(pair):
    document = documents.check(json.loads(sorted((pair.folder / ".pgfold/receipts").iterdir())[-1].read_text(encoding="utf-8")), "receipt")
    return document


def test_an_excluded_schema_is_neither_made_nor_missed(shop):
    shop.configure("    exclude: { schemas: audit }\n")
    result = shop.pgfold("fold", "--yes", status=0)
    assert "left out (exclude.schemas: audit): view audit.lately, table audit.log, table audit.log_1, table audit.noted" in result.err
    assert "What was folded of laptop is contained in the target: 81 rows" in result.out and "The rest was left out: exclude.schemas: audit" in result.out
    assert tables(shop.target) == "app.customers app.orders app.settings"
    assert shop.target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'audit'") == ""
    assert shop.target.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'of_customer'") == "1"
    assert shop.target.sql("SELECT last_value FROM app.counter") == "1" and shop.target.sql("SELECT count(*) FROM pg_largeobject_metadata") == "1"
    document = receipt(shop)
    assert (document["verdict"], document["filter"]) == ("contained", "exclude.schemas: audit")
    assert {r["name"]: r["action"] for r in document["relations"]} == \
        {"customers": "new", "orders": "new", "settings": "new", "log_1": "skip", "noted": "skip"}
    assert any("audit.noted" in note for note in document["notes"])
    assert "left out by the configuration" in shop.pgfold("verify", status=0).out
    shop.pgfold("audit", status=0)
    again = shop.pgfold("fold", "--yes", status=0)
    assert "0 new, 3 already contained" in again.err
    assert "exclude.schemas: audit" in shop.pgfold("report", status=0).out
    assert "contained, but folded in part" in shop.pgfold("status", status=0).out
    # Whoever knows nothing of the filter finds the rest missing.
    shop.configure()
    missing = shop.pgfold("verify", status=1).out
    assert re.search(r"^audit\.noted .* missing$", missing, re.M)


def test_only_named_tables_come_with_what_they_need(shop):
    result = shop.pgfold("fold", "--yes", "--no-backup", "-t", "app.orders", "--table=app.customers", status=0)
    assert tables(shop.target) == "app.customers app.orders"
    assert shop.target.sql("SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension") == "citext plpgsql"
    assert shop.target.sql("SELECT util.half(4), 'green'::util.colour") == "2|green"
    assert shop.target.sql("SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE NOT tgisinternal") == "touch"
    assert shop.target.sql("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'app'") == \
        "customers_pkey orders_half orders_pkey"
    assert shop.target.sql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'S'") == "customers_id_seq orders_id_seq"
    assert shop.target.sql("INSERT INTO app.customers (email) VALUES ('new') RETURNING id").splitlines()[0] == "21"
    assert shop.target.sql("SELECT count(*) FROM pg_largeobject_metadata") == "0" and "left out: 1 large objects" in result.err
    shop.target.sql("DELETE FROM app.customers WHERE id = 21")
    shop.pgfold("verify", "-t", "app.orders", "-t", "app.customers", status=0)
    assert "missing" in shop.pgfold("verify", status=1).out, "verify knows nothing of what the command line of another run said"


def test_a_foreign_key_to_a_table_that_is_left_out_is_left_out_and_told(shop):
    shop.configure("    exclude:\n      tables: [app.customers, audit.*]\n")
    result = shop.pgfold("fold", "--yes", "--no-backup", status=0)
    told = "a foreign key is left out, for the table that it leads to is: app.orders: of_customer (to app.customers)"
    assert told in result.err and told in receipt(shop)["notes"]
    assert shop.target.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == "0"
    assert shop.target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'audit'") == "audit", "the schema was not excluded, its tables were"
    shop.pgfold("verify", status=0)
    assert shop.pgfold("audit", "--only-differences", status=0).out.count("of_customer") == 0


@pytest.mark.parametrize("filters, what, needed", [
    ("exclude: { schemas: util }", "table app.customers", "schema util|type util.colour"),
    ("exclude: { schemas: util }", "table app.orders", "function util.half"),
    ("exclude: { tables: audit.log }", "view audit.lately", "table audit.log"),
    ("include: { extensions: citext }", "table app.settings", "extension hstore"),
    ("include: { tables: audit.lately }", "view audit.lately", "table audit.log"),
    ("include: { tables: audit.log_1 }", "table attach audit.log_1", "table audit.log"),
    ("exclude: { tables: app.counter }", "default app.uses n|table app.uses", "sequence app.counter"),
])
def test_what_is_folded_may_not_need_what_is_left_out(pair, standing, filters, what, needed):
    pair.configure(f"    {filters}\n", source_url=standing.url)
    result = pair.pgfold("fold", "--yes", status=4)
    assert_one_error(result, state="nothing was changed")
    assert re.search(f"^ *- (?:{what}) needs (?:{needed})\\S*, which include and exclude leave out", result.err, re.M), result.err
    assert not pair.target.exists()
    assert pair.pgfold("plan", "--json", status=1).json()["may_fold"] is False


@pytest.mark.parametrize("filters, message", [
    ("include: { tables: [app.orders, app.nothing] }", "source laptop: include.tables: the pattern app.nothing matches nothing"),
    ("exclude: { schemas: Audit2 }", "source laptop: exclude.schemas: the pattern Audit2 matches nothing"),
    ("exclude: { extensions: postgis }", "exclude.extensions: the pattern postgis matches nothing"),
    ("include: { tables: a.b.c }", "the pattern a.b.c has too many parts"),
    ("include: { tables: 'app.(' }", "is no regular expression"),
    ("include: { table: x }", "unknown key \"table\""),
    ("exclude: { tables: { a: b } }", "must be a list of patterns"),
    ("exclude: { tables: x }\n    into: { schema: other }", "into.schema goes with neither include nor exclude"),
])
def test_a_pattern_that_matches_nothing_is_an_error(pair, standing, filters, message):
    pair.configure(f"    {filters}\n", source_url=standing.url)
    result = pair.pgfold("plan", status=2)
    assert_one_error(result)
    assert message in result.err


def test_options_take_the_place_of_include_and_come_on_top_of_exclude(shop):
    shop.configure("    include: { schemas: [app, util] }\n    exclude: { tables: app.settings }\n")
    chosen = {f"{r['schema']}.{r['name']}" for r in shop.pgfold("plan", "--json", status=0).json()["sources"][0]["relations"] if r["action"] != "skip"}
    assert chosen == {"app.customers", "app.orders"}
    plan = shop.pgfold("plan", "--json", "--schema", "audit", "--exclude-table", "audit.noted", status=0).json()["sources"][0]
    assert {r["name"] for r in plan["relations"] if r["action"] == "new"} == {"log", "log_1"}
    assert any("exclude.tables: app.settings; exclude.tables: audit.noted" in note for note in plan["notices"])


def test_a_part_is_merged_into_what_is_there(shop):
    shop.pgfold("fold", "--yes", "--no-backup", status=0)
    shop.source.sql("INSERT INTO app.customers (email) VALUES ('late'); INSERT INTO audit.noted VALUES (9, 9)")
    shop.pgfold("fold", "--yes", "--no-backup", "-N", "audit", status=0)
    assert shop.target.sql("SELECT (SELECT count(*) FROM app.customers), (SELECT count(*) FROM audit.noted)") == "21|5"
    assert "audit.noted" in shop.pgfold("verify", status=1).out


def test_definitions_alone_are_no_proof(shop):
    result = shop.pgfold("fold", "--yes", "--schema-only", status=0)
    assert "no rows (--schema-only): nothing is contained yet" in result.out
    assert shop.target.sql("SELECT count(*) FROM app.orders") == "0" and shop.target.sql("SELECT is_called FROM app.counter") == "f"
    assert shop.target.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'of_customer'") == "1"
    assert not list((shop.folder / ".pgfold/receipts").glob("*")) and "contained" not in shop.pgfold("status").out.replace("not contained", "")
    shop.pgfold("verify", status=1)
    shop.pgfold("retire", "laptop", status=4)
    # Now the rows, and the proof of all of it.
    rows = shop.pgfold("fold", "--yes", "--no-backup", "--data-only", status=0)
    assert "--data-only" in rows.out and receipt(shop)["filter"] == "--data-only"
    assert shop.target.sql("SELECT count(*) FROM app.orders") == "60" and shop.target.sql("SELECT last_value, is_called FROM app.counter") == "1|t"
    shop.pgfold("verify", status=0)


def test_rows_alone_need_their_tables(shop):
    shop.target.create().sql("CREATE SCHEMA app; CREATE TABLE app.settings (key text PRIMARY KEY, v text)")
    result = shop.pgfold("fold", "--yes", "--data-only", status=4)
    assert "app.orders is not in the target: --data-only makes no tables" in result.err
    assert "sequence app.counter is not in the target" in result.err
    assert tables(shop.target) == "app.settings"
    assert "do not go together" in shop.pgfold("fold", "--data-only", "--schema-only", status=2).err


def test_partitions_and_owned_sequences_come_with_their_table(shop):
    shop.pgfold("fold", "--yes", "--no-backup", "-t", "audit.log", status=0)
    assert tables(shop.target) == "audit.log audit.log_1"
    assert shop.target.sql("SELECT nextval('audit.log_id_seq')") == "31"
    assert shop.target.sql("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'audit.log_1'::regclass") == "1"


def test_roles_that_only_the_rest_needs_stay_away(shop, laptop, vps):
    laptop.sql("postgres", "CREATE ROLE filter_in; CREATE ROLE filter_out; CREATE ROLE filter_group; GRANT filter_group TO filter_in")
    try:
        shop.source.sql("ALTER TABLE app.settings OWNER TO filter_in; GRANT SELECT ON audit.noted TO filter_out")
        shop.pgfold("fold", "--yes", "--no-backup", "-N", "audit", status=0)
        assert vps.sql("postgres", "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'filter_%'") == "filter_group filter_in"
    finally:
        shop.source.drop()
        shop.target.drop()
        for server in (laptop, vps):
            server.sql("postgres", "DROP ROLE IF EXISTS filter_in, filter_out, filter_group")


def test_rules_for_tables_that_are_not_there_are_told(shop):
    shop.configure("    tables: { app.order: { skip: true } }\nfold:\n  tables: { public.x: { skip: true }, app.settings: { skip: true } }\n")
    notices = shop.pgfold("plan", "--json", status=0).json()["sources"][0]["notices"]
    assert [n for n in notices if "no such table" in n] == \
        ["tables of this source names app.order, and the source has no such table", "fold.tables names public.x, and the source has no such table"]


def test_what_is_left_out_need_not_be_readable(shop, laptop):
    laptop.sql("postgres", "CREATE ROLE filter_reader LOGIN")
    try:
        shop.source.sql("GRANT USAGE ON SCHEMA app, audit, util, public TO filter_reader; GRANT SELECT ON ALL TABLES IN SCHEMA app TO filter_reader; "
                        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO filter_reader")
        url = laptop.url(shop.name, user="filter_reader")
        told = shop.pgfold("audit", "--source", url, status=4).err
        assert "GRANT SELECT ON audit.log_1 TO filter_reader" in told and "SEQUENCE audit.counter" in told
        report = shop.pgfold("audit", "--json", "--source", url, "--schema", "app", status=0).json()["sources"][0]
        assert {r["name"] for r in report["relations"] if r["result"] != "skipped"} == {"customers", "orders", "settings"}
    finally:
        shop.source.drop()
        laptop.sql("postgres", "DROP ROLE filter_reader")


def test_operators_in_the_search_path_of_the_role_do_not_choose(pair, laptop):
    laptop.sql("postgres", "CREATE ROLE filter_path LOGIN SUPERUSER")
    try:
        pair.source.create().sql("CREATE TABLE kept (id int); CREATE TABLE other (id int); CREATE SCHEMA trap; CREATE TABLE trap.hidden (id int); "
                                 "CREATE FUNCTION trap.never(name, text) RETURNS bool LANGUAGE sql AS 'SELECT false'; "
                                 "CREATE OPERATOR trap.~ (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.never); "
                                 "CREATE OPERATOR trap.!~ (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.never)")
        pair.source.sql(f'ALTER ROLE filter_path IN DATABASE "{pair.name}" SET search_path = trap, public, pg_catalog')
        url = laptop.url(pair.name, user="filter_path")
        for pattern, names in (("kept", {"kept"}), ("hidden", {"hidden"}), ("*.*", {"kept", "other", "hidden"})):
            report = pair.pgfold("audit", "--json", "--source", url, "-t", pattern, status=0).json()["sources"][0]
            assert {r["name"] for r in report["relations"] if r["result"] != "skipped"} == names
    finally:
        pair.source.drop()
        laptop.sql("postgres", "DROP ROLE filter_path")
