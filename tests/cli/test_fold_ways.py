"""Ways to fold: options, versions, encodings, and databases that the simple paths do not meet."""
import json
import pathlib
import subprocess

import pytest

import documents
import harness
from folding import assert_one_error, assert_same, wait_until, whole


def fold(pair, *more):
    return pair.pgfold("fold", "--yes", "--no-backup", *more, status=0)


def test_no_owner_and_no_privileges_leave_both_out_everywhere(machine, tmp_path):
    laptop, vps = machine.cluster(wal_level="logical"), machine.cluster(wal_level="logical")
    source, target = laptop.create("zoo").load("zoo"), vps.database("zoo")
    pgfold = harness.Pgfold(machine, tmp_path)
    arguments = ("--source", source.url, "--target", target.url)
    source.sql('ALTER ROLE "zoo keeper" IN DATABASE zoo RESET ALL')
    pgfold("fold", "--yes", "--no-backup", "--no-owner", "--no-privileges", *arguments, status=0)
    # Only the roles that policies name.
    assert vps.sql("postgres", "SELECT rolname FROM pg_roles WHERE rolname LIKE 'zoo%' ORDER BY 1") == "zoo keeper\nzoo_visitor"
    assert target.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'zoo'::regnamespace AND pg_get_userbyid(relowner) <> 'postgres'") == "0"
    assert target.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'zoo'::regnamespace AND relacl IS NOT NULL") == "0"
    assert target.sql("SELECT count(*) FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL OR pg_get_userbyid(lomowner) <> 'postgres'") == "0"
    pgfold("verify", *arguments, status=0)
    assert "0 new" in pgfold("fold", "--yes", "--no-owner", "--no-privileges", *arguments, status=0).err
    machine.forget(laptop)
    machine.forget(vps)


def test_until_the_end_the_new_database_is_not_seen_under_its_name(pair, running):
    pair.source.create().sql("""
        CREATE FUNCTION wait_for_it(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN IF current_setting('test.waits', true) = 'yes' THEN PERFORM pg_sleep(1); END IF; RETURN n; END $$;
        CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (wait_for_it(id))""")
    pair.configure()
    vps = pair.target.cluster
    vps.sql("postgres", "ALTER ROLE postgres SET test.waits = 'yes'")
    try:
        process = running("fold", "--yes", "--no-backup")
        wait_until(lambda: vps.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%CREATE INDEX%' AND pid <> pg_backend_pid() AND datname LIKE 'pgfold%'"),
                   "the index")
        assert not pair.target.exists()
        assert process.wait(30) == 0
    finally:
        vps.sql("postgres", "ALTER ROLE postgres RESET test.waits")
    assert pair.target.exists()
    assert not [name for name in vps.databases() if name.startswith("pgfold")]


def test_a_large_table_is_split_and_arrives_whole(pair):
    pair.source.create().sql("CREATE TABLE t (id int, v text); INSERT INTO t SELECT g, repeat('v', g % 300) FROM generate_series(1, 40000) g;"
                             "DELETE FROM t WHERE id % 3 = 0; INSERT INTO t SELECT 50000 + g, NULL FROM generate_series(1, 5000) g;"
                             "ALTER TABLE t ADD PRIMARY KEY (id) DEFERRABLE; ")
    pair.configure("fold:\n  split_above: 1MB\n")
    fold(pair, "--verbose")
    pair.pgfold("verify", status=0)
    ask = "SELECT count(*), sum(id), sum(length(v)), count(v) FROM t"
    assert pair.target.sql(ask) == pair.source.sql(ask)


@pytest.mark.parametrize("jobs", [1, 7])
def test_any_number_of_workers_gives_the_same(pair, jobs):
    pair.source.create().load("chinook")
    pair.configure()
    fold(pair, "--jobs", str(jobs))
    assert_same(whole(pair.target), whole(pair.source))


@pytest.mark.parametrize("old", [12, 13, 14])
def test_an_older_server_folds_into_15(pair, cluster, old):
    server = cluster(old)
    source = server.create(pair.name).load("northwind")
    source.sql("""
        CREATE TABLE kinds (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int[], j jsonb, r int4range, t text COLLATE "C",
                            g int GENERATED ALWAYS AS (1 + 1) STORED, f float8, n numeric, tz timestamptz, b bytea);
        INSERT INTO kinds (a, j, r, t, f, n, tz, b) SELECT ARRAY[g, NULL], '{"a": 1.0}', int4range(g, NULL), 'ü' || g, g / 3.0, g / 7.0, now(), '\\x00ff' FROM generate_series(1, 100) g;
        CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (50);
        CREATE TABLE p2 PARTITION OF p DEFAULT; INSERT INTO p SELECT generate_series(1, 90); CREATE INDEX ON p (id);
        CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM p; SELECT lo_from_bytea(123, 'abc');""")
    pair.configure(source_url=source.url)
    fold(pair)
    pair.pgfold("verify", status=0)
    ask = "SELECT (SELECT sum(hashtext(k::text)) FROM kinds k), (SELECT * FROM m), convert_from(lo_get(123), 'UTF8'), (SELECT count(*) FROM p2)"
    assert pair.target.sql(ask) == source.sql(ask)
    assert "0 new" in fold(pair).err



def create_with(cluster, name, encoding):
    cluster.sql("postgres", f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    if encoding == "LATIN1":
        cluster.sql("postgres", f"ALTER DATABASE \"{name}\" SET client_encoding = 'UTF8'")


WORDS = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE \"täble\" (\"cölumn\" text, x xml); "


def test_a_database_in_another_encoding_arrives_in_an_existing_one_in_utf8(pair, laptop):
    create_with(laptop, pair.name, "LATIN1")
    pair.source.sql("" + WORDS + "INSERT INTO t VALUES (1, 'Grüße'), (2, 'naïve ¿'); "
                    "INSERT INTO \"täble\" VALUES ('ß', '<ä>ö</ä>')")
    pair.target.create()
    pair.configure()
    fold(pair)
    pair.pgfold("verify", status=0)
    ask = "SELECT string_agg(v, ',' ORDER BY id), (SELECT \"cölumn\" || x::text FROM \"täble\") FROM t"
    assert pair.target.sql(ask) == "Grüße,naïve ¿|ß<ä>ö</ä>" == pair.source.sql(ask)
    assert pair.target.sql("SHOW server_encoding") == "UTF8"


def test_a_database_that_is_made_has_the_encoding_and_locale_of_the_source(pair, laptop):
    create_with(laptop, pair.name, "LATIN1")
    pair.source.sql("" + WORDS + "INSERT INTO t VALUES (1, 'Grüße')")
    pair.configure()
    fold(pair)
    assert pair.target.sql("SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()") == "LATIN1|C"
    assert pair.target.sql("SELECT octet_length(v) FROM t") == "5"


def test_sql_ascii_keeps_its_bytes(pair, laptop):
    create_with(laptop, pair.name, "SQL_ASCII")
    pair.source.sql("SET client_encoding = 'SQL_ASCII'; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'plain'), (2, 'ü')")
    pair.configure()
    fold(pair)
    pair.pgfold("verify", status=0)
    assert pair.target.sql("SELECT string_agg(encode(v::bytea, 'hex'), ',' ORDER BY id) FROM t") == "706c61696e,c3bc"


def test_bytes_that_are_no_utf8_are_refused_or_kept_but_never_changed(pair, laptop):
    create_with(laptop, pair.name, "SQL_ASCII")
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, E'\\xe4\\xff')")
    pair.target.create()
    pair.configure()
    result = pair.pgfold("fold", "--yes", "--no-backup")
    assert result.status in (4, 5), result
    assert pair.target.sql("SELECT to_regclass('public.t')") == ""


def test_a_table_that_is_skipped_is_made_without_its_rows(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE scratch (v text); INSERT INTO scratch VALUES ('x')")
    pair.configure("fold:\n  tables:\n    public.scratch: { skip: true }\n")
    fold(pair)
    assert pair.target.sql("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM scratch)") == "1|0"
    receipt = json.loads(next((pair.folder / ".pgfold" / "receipts").glob("*.json")).read_text())
    assert {r["name"]: r["verdict"] for r in receipt["relations"]} == {"t": "contained", "scratch": "skipped"}


def test_a_new_partition_of_a_table_that_is_there(pair):
    tables = "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE INDEX p_v ON p (v); " \
             "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (50); "
    pair.source.create().sql(tables + "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (50) TO (100); INSERT INTO p SELECT g, 'v' FROM generate_series(1, 90) g")
    pair.target.create().sql(tables + "INSERT INTO p SELECT g, 'v' FROM generate_series(1, 49) g")
    pair.configure()
    before = whole(pair.target)
    result = pair.pgfold("fold", "--yes", "--no-backup")
    if result.status == 0:
        assert_same(whole(pair.target), whole(pair.source))
    else:
        assert_one_error(result, "p2", state="nothing was changed")
        assert result.status == 4
        assert_same(whole(pair.target), before)


def test_subscriptions_are_left_out_and_this_is_said(machine, pair, cluster):
    server = cluster(wal_level="logical")
    source = server.create(pair.name)
    source.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); "
               "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere password=hidden-one' PUBLICATION p WITH (connect = false)")
    pair.pgfold.secrets.add("hidden-one")
    pair.configure(source_url=source.url)
    result = fold(pair)
    assert "subscription sub is left out" in result.err
    assert pair.target.sql("SELECT count(*) FROM pg_subscription") == "0"
    source.sql("ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub")


def test_foreign_tables_keep_their_definition_and_their_rows_stay_where_they_are(pair):
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE EXTENSION postgres_fdw; "
                             "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere'); "
                             "CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'u', password 'fdw-secret'); "
                             "CREATE FOREIGN TABLE far (id int, v text) SERVER elsewhere")
    pair.pgfold.secrets.add("fdw-secret")
    pair.configure()
    fold(pair)
    pair.source.sql("ALTER USER MAPPING FOR postgres SERVER elsewhere OPTIONS (DROP password)")
    assert_same(whole(pair.target), whole(pair.source))
    assert not [path for path in (pair.folder / ".pgfold").rglob("*") if path.is_file() and b"fdw-secret" in path.read_bytes()]


def test_an_empty_source_is_said_to_be_so_and_skipped(pair):
    pair.source.create().sql("CREATE TABLE t (id int)")
    pair.configure()
    assert_one_error(pair.pgfold("fold", status=4), "single row")
    result = pair.pgfold("fold", "--yes", status=0)
    assert "single row" in result.out
    document = documents.check(pair.pgfold("fold", "--yes", "--json", status=0).json(), "fold")
    assert document["sources"] == [{"name": "laptop", "outcome": "empty", "receipt": None, "contents": None}]
    assert not pair.target.exists()


def test_pgbench_arrives_whole(pair):
    pair.source.create()
    subprocess.run([harness.client("pgbench"), "-i", "-q", "-s", "1", "--foreign-keys", "--partitions", "3"], check=True, capture_output=True,
                   env=harness.clean_environment(**pair.source.cluster.environment(pair.name)))
    pair.configure()
    fold(pair)
    assert_same(whole(pair.target), whole(pair.source))


def test_fold_by_url_alone_needs_no_configuration(pair):
    pair.source.create().load("northwind")
    pair.pgfold("fold", "--yes", "--no-backup", "--source", pair.source.url, "--target", pair.target.url, status=0)
    assert_same(whole(pair.target), whole(pair.source))


def test_json_names_the_receipt_of_each_source(pair, laptop, vps, request):
    other = laptop.create(pair.name + "_2")
    request.addfinalizer(other.drop)
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    other.sql("CREATE TABLE u (id int); INSERT INTO u VALUES (2)")
    pair.configure(f"  - name: other\n    url: \"{other.url}\"\n")
    ready = documents.check(fold(pair, "--json", "--dry-run").json(), "fold")
    assert [(source["outcome"], source["receipt"]) for source in ready["sources"]] == [("ready", None)] * 2
    document = documents.check(fold(pair, "--json").json(), "fold")
    assert [source["name"] for source in document["sources"]] == ["laptop", "other"]
    for source in document["sources"]:
        assert source["outcome"] == "contained"
        documents.check(source["contents"], "receipt")
        assert json.loads(pathlib.Path(source["receipt"]).read_text()) == source["contents"]
    assert pair.target.sql("SELECT (SELECT sum(id) FROM t), (SELECT sum(id) FROM u)") == "1|2"
