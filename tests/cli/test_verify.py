"""`pgfold verify`: contained or not, and which rows. Never a false "contained"."""
import json
import re
import subprocess
import threading

import pytest

import documents
import harness


@pytest.fixture
def chinook(pair):
    """Chinook on both sides."""
    pair.source.create().load("chinook")
    pair.target.create().load("chinook")
    return pair.configure()


@pytest.fixture
def table(pair):
    """A table t on both sides."""
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 3000) i")
    return pair.configure()


def verify(pair, *arguments, status=None):
    document = documents.check(pair.pgfold("verify", "--json", *arguments, status=status).json(), "verify")
    assert document["contained"] == document["sources"][0]["contained"]
    assert status is None or document["contained"] == (status == 0)
    return document["sources"][0]


def relation(report, name="public.t"):
    return next(r for r in report["relations"] if f"{r['schema']}.{r['name']}" == name)


def test_equal_databases_are_contained(chinook):
    assert {r["result"] for r in verify(chinook, status=0)["relations"]} == {"same"}
    result = chinook.pgfold("verify", status=0)
    assert "contained: 11 tables, 15,607 rows" in result.out


def test_a_changed_value_is_named_with_its_row_and_column(chinook):
    chinook.target.sql("UPDATE track SET name = 'by hand' WHERE track_id = 5")
    result = chinook.pgfold("verify", status=1)
    line = next(line for line in result.out.splitlines() if "track_id=5" in line)
    assert "different" in line and "name" in line and "'Princess of the Dawn'" in line and "'by hand'" in line
    assert "not contained: 1 table different" in result.out


def test_missing_different_and_extra_rows_are_told_apart(table):
    table.target.sql("DELETE FROM t WHERE id = 17; UPDATE t SET v = NULL WHERE id = 2999; INSERT INTO t VALUES (5000, 'new')")
    found = relation(verify(table, status=1))
    assert (found["missing"], found["different"], found["extra"]) == (1, 1, 1)
    assert sorted((d["result"], d["key"]) for d in found["differences"]) == [
        ("different", "id=2999"), ("extra", "id=5000"), ("missing", "id=17")]
    different = next(d for d in found["differences"] if d["result"] == "different")
    assert different["columns"] == [{"name": "v", "source": "v2999", "target": None}]


def test_more_rows_in_the_target_are_no_harm(table):
    table.target.sql("INSERT INTO t VALUES (5000, 'new'); CREATE TABLE other (id int)")
    assert relation(verify(table, status=0))["result"] == "contained"


def test_as_many_rows_are_described_as_asked_for(table):
    table.target.sql("UPDATE t SET v = ''")
    assert len(relation(verify(table, status=1))["differences"]) == 20
    found = relation(verify(table, "--rows", "3", status=1))
    assert found["different"] == 3000 and len(found["differences"]) == 3
    assert relation(verify(table, "--rows", "0", status=1))["differences"] == []


def test_equal_counts_are_not_taken_for_equal_rows(table):
    table.target.sql("UPDATE t SET v = CASE id WHEN 1 THEN 'v2' ELSE 'v1' END WHERE id IN (1, 2)")
    assert relation(verify(table, status=1))["different"] == 2


def test_the_first_difference_of_long_values_is_shown(table):
    long = "x" * 500
    table.source.sql(f"UPDATE t SET v = '{long}a' WHERE id = 1")
    table.target.sql(f"UPDATE t SET v = '{long}b' WHERE id = 1")
    out = table.pgfold("verify", status=1).out
    line = next(line for line in out.splitlines() if "id=1 " in line)
    assert "xxxa'" in line and "xxxb'" in line and len(line) < 160


def test_a_missing_table_is_missing(table):
    table.source.sql("CREATE TABLE u (id int)")
    assert relation(verify(table, status=1), "public.u")["result"] == "missing"


def test_a_column_of_another_type_is_never_contained(table):
    table.target.sql("ALTER TABLE t ALTER v TYPE varchar(50)")
    found = relation(verify(table, status=1))
    assert found["result"] == "incomparable" and "character varying(50)" in found["obstacle"]


@pytest.mark.parametrize("sql", [
    "SELECT setval('numbers', 7)", "DROP SEQUENCE numbers", "DROP VIEW w", "DROP FUNCTION f()", "DROP INDEX t_v", "ALTER TABLE t DROP CONSTRAINT c",
    "SELECT lo_unlink(4711)", "DROP TRIGGER g ON t", "DROP POLICY p ON t", "DROP TYPE mood", "DROP DOMAIN small",
    "DROP MATERIALIZED VIEW mv", "REFRESH MATERIALIZED VIEW mv WITH NO DATA"])
def test_anything_less_in_the_target_is_a_shortfall(table, sql):
    for side in (table.source, table.target):
        side.sql("""CREATE SEQUENCE numbers; SELECT setval('numbers', 100); CREATE VIEW w AS SELECT 1; CREATE INDEX t_v ON t (v);
                    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);
                    SELECT lo_from_bytea(4711, 'abc');
                    CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
                    CREATE POLICY p ON t; CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN small AS int;
                    CREATE MATERIALIZED VIEW mv AS SELECT 1 AS x""")
    verify(table, status=0)
    table.target.sql(sql)
    report = verify(table, status=1)
    assert report["shortfalls"], report


def test_a_sequence_beyond_the_source_is_reached(table):
    for side, value in ((table.source, 5), (table.target, 6)):
        side.sql(f"CREATE SEQUENCE up; SELECT setval('up', {value}); CREATE SEQUENCE down INCREMENT -1; SELECT setval('down', -{value})")
    verify(table, status=0)


def test_skipped_tables_are_said_to_be_left_out(table):
    table.configure("fold:\n  tables:\n    public.t: { skip: true }\n")
    table.target.sql("DELETE FROM t")
    result = table.pgfold("verify", status=0)
    assert "1 left out by the configuration" in result.out and "skipped" in result.out


def test_a_target_database_that_is_missing_holds_nothing(pair):
    pair.source.create().sql("CREATE TABLE t (id int)")
    result = pair.configure().pgfold("verify", status=1)
    assert f'no database "{pair.name}"' in result.err and "pgfold fold" in result.err


def test_rows_without_a_key_are_a_multiset(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (v int); INSERT INTO t VALUES (1), (1), (2)")
    pair.configure()
    pair.target.sql("DELETE FROM t WHERE ctid = '(0,1)'; INSERT INTO t VALUES (3)")
    found = relation(verify(pair, status=1))
    assert (found["missing"], found["extra"], found["different"]) == (1, 1, 0)


def test_a_key_twice_in_the_target_does_not_hide_another_value(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)")
    pair.target.create().sql("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 2), (1, 3)")
    assert relation(verify(pair.configure(), status=1))["missing"] == 1


def test_writes_during_the_run_are_not_half_seen(table):
    """A transfer between two tables of the target goes on while it is verified: each run sees one moment of it."""
    for side in (table.source, table.target):
        side.sql("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE z (id int PRIMARY KEY, v int); "
                 "INSERT INTO a VALUES (1, 0); INSERT INTO z VALUES (1, 0)")
    stop = threading.Event()

    def write():
        while not stop.is_set():
            table.target.cluster.psql(table.name, text="BEGIN; UPDATE a SET v = v + 1; UPDATE z SET v = v - 1; COMMIT;\n" * 20)
    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        for _ in range(5):
            report = verify(table)
            values = {}
            for name in ("a", "z"):
                for row in relation(report, f"public.{name}")["differences"]:
                    values[name] = int(row["columns"][0]["target"])
            assert values.get("a", 0) == -values.get("z", 0), values
            seen.add(values.get("a", 0))
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 1, "nothing was written meanwhile"


def test_the_ledger_knows_of_it(table):
    table.pgfold("verify", status=0)
    assert table.pgfold("status", "--json").json()["sources"][0]["verify"]["good"] is True
    table.target.sql("DELETE FROM t WHERE id = 1")
    table.pgfold("verify", status=1)
    assert table.pgfold("status", "--json").json()["sources"][0]["verify"]["good"] is False


def test_several_sources_each_have_their_verdict(table, laptop):
    other = laptop.create(table.name + "2")
    try:
        other.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (9999, 'x')")
        table.config.write_text(table.config.read_text() + f"  - name: second\n    url: \"{other.url}\"\n")
        document = documents.check(table.pgfold("verify", "--json", status=1).json(), "verify")
        assert [(s["name"], s["contained"]) for s in document["sources"]] == [("laptop", True), ("second", False)]
        table.pgfold("verify", "laptop", status=0)
        table.pgfold("verify", "second", status=1)
    finally:
        other.drop()


@pytest.mark.parametrize("arguments, message", [
    (["--rows", "-1"], "--rows is from 0"), (["--receipt", "x", "laptop"], "--receipt checks a file"),
    (["--source", "postgresql:///x"], "there is no target"), (["--receipt", "nowhere.json"], "nowhere.json")])
def test_wrong_arguments_are_usage_errors(pair, arguments, message):
    pair.configure()
    assert message in pair.pgfold("verify", *arguments, status=2).err


@pytest.fixture
def receipt(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    pair.configure()
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    return next((pair.folder / ".pgfold" / "receipts").glob("*.json"))


def test_a_receipt_is_checked_without_connecting(pair, receipt):
    pair.config.unlink()
    result = pair.pgfold("verify", "--receipt", receipt, status=0)
    assert "unchanged" in result.out and "contained" in result.out
    document = pair.pgfold("verify", "--receipt", receipt, "--json", status=0).json()
    assert document["schema"] == "pgfold.verify-receipt" and document["contained"] and document["chain"] == 1
    assert document["receipt"]["relations"][0]["rows"] == 2


def test_a_changed_receipt_is_found(pair, receipt):
    text = receipt.read_text()
    document = json.loads(text)
    document["relations"][0]["rows"] = 3
    receipt.write_text(json.dumps(document))
    assert receipt.name in pair.pgfold("verify", "--receipt", receipt, status=1).err


def test_rows_of_another_key_in_the_target_are_not_taken_for_the_sources(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    pair.target.create().sql("CREATE TABLE t (id int, v text, PRIMARY KEY (id, v)); INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, 'b')")
    found = relation(verify(pair.configure(), status=1))
    assert (found["result"], found["missing"], found["extra"]) == ("different", 1, 2)
    missing = next(d for d in found["differences"] if d["result"] == "missing")
    assert {c["name"]: c["source"] for c in missing["columns"]} == {"id": "1", "v": "a"}


def test_a_materialized_view_that_was_never_filled_is_less(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE MATERIALIZED VIEW m AS SELECT 1 AS n; CREATE MATERIALIZED VIEW bare AS SELECT 1 AS n WITH NO DATA")
    verify(pair.configure(), status=0)
    pair.pgfold("audit", status=0)
    pair.target.sql("REFRESH MATERIALIZED VIEW m WITH NO DATA; REFRESH MATERIALIZED VIEW bare")
    assert "materialized view public.m is not populated in the target" in verify(pair, status=1)["shortfalls"]
    assert "public.m: it is not populated in the target" in pair.pgfold("audit", status=1).out


def test_somebody_elses_exclusive_lock_is_refused_not_waited_for(table):
    holder = subprocess.Popen([harness.client("psql"), "-X", "-q", "-A", "-t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, env=harness.clean_environment(**table.source.cluster.environment(table.name)))
    try:
        holder.stdin.write("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "locked\n"
        result = table.pgfold("verify", status=4)
        assert "source laptop" in result.err and "exclusive lock" in result.err
    finally:
        holder.stdin.close()
        holder.wait(10)
    verify(table, status=0)


def test_a_column_of_the_target_may_be_generated(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, twice int); INSERT INTO t VALUES (1, 2)")
    pair.target.create().sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t VALUES (1)")
    assert relation(verify(pair.configure(), status=0))["result"] == "same"


def test_rows_that_a_rule_settled_are_counted(pair):
    for side, name in ((pair.source, "mine"), (pair.target, "theirs")):
        side.create().sql(f"CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, '{name}'), (2, 'both')")
    pair.source.sql("INSERT INTO t VALUES (3, 'new')")
    pair.configure("fold: { on_conflict: keep-target }\n")
    text = pair.pgfold("fold", "--yes", "--no-backup", status=0).out
    assert re.search(r"^public\.t +merge +3 +3 +contained +1 inserted, 1 left as in the target$", text, re.M)
    assert "contained: 1 table, 3 rows, of which 1 settled by an earlier fold" in pair.pgfold("verify", status=0).out
    document = documents.check(pair.pgfold("verify", "--json", status=0).json(), "verify")
    relation = document["sources"][0]["relations"][0]
    assert [relation[key] for key in ("result", "missing", "different", "settled")] == ["contained", 0, 0, 1]
    assert "| public.t | 1 | 0 | 1 | 0 | 0 | 0 |" in pair.pgfold("report", status=0).out


@pytest.fixture
def keyless(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (a int, b text, v int); INSERT INTO t SELECT i / 2, 'b' || i, i FROM generate_series(1, 3000) i")
    pair.configure("fold:\n  tables:\n    public.t:\n      key: [a, b]\n")
    return pair


def test_a_key_of_the_configuration_tells_rows_apart(keyless):
    keyless.target.sql("UPDATE t SET v = 0 WHERE b = 'b7'")
    found = relation(verify(keyless, status=1))
    assert (found["missing"], found["different"], found["extra"]) == (0, 1, 0)
    assert found["differences"][0]["key"] == "a=3, b=b7"


@pytest.mark.parametrize("side, sql, obstacle", [
    ("source", "INSERT INTO t VALUES (0, 'b1', 5)", "key (a, b) is not unique in the source"),
    ("target", "INSERT INTO t VALUES (0, 'b1', 5)", "key (a, b) is not unique in the target"),
    ("source", "INSERT INTO t VALUES (0, NULL, 5)", "key (a, b) is NULL in a row in the source")])
def test_a_key_that_is_none_is_an_obstacle(keyless, side, sql, obstacle):
    getattr(keyless, side).sql(sql)
    found = relation(verify(keyless, status=1))
    assert (found["result"], found["obstacle"]) == ("incomparable", obstacle)
    keyless.pgfold("plan", status=1)


def test_a_key_without_its_column_is_a_mistake_in_the_file(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (a int)")
    pair.configure("fold:\n  tables:\n    public.t: { key: [a, nowhere] }\n")
    error = pair.pgfold("verify", status=2).err
    assert "pgfold.yaml:" in error and 'table public.t has no column "nowhere"' in error


@pytest.mark.long
def test_long_values_that_differ_are_named_and_cut_on_the_server(pair):
    for side in (pair.source, pair.target):
        side.create().sql("""
            CREATE TABLE t (id int PRIMARY KEY, i int, k0 text, b bytea, s text, j json, a bytea[]);
            INSERT INTO t SELECT 1, 2, 'same', pg_catalog.decode(repeat('00', 300000), 'hex') || string_agg(x, ''), repeat('é', 10000), '{}', ARRAY['x'::bytea]
              FROM (SELECT convert_to(repeat('y', 1000000), 'UTF8') AS x FROM generate_series(1, 600)) g""")
    pair.configure()
    verify(pair, status=0)
    pair.target.sql("UPDATE t SET b = set_byte(b, 400000000, 1), s = s || 'e', a = a || 'z'::bytea, j = ('{\"v\":\"' || repeat('w', 9000) || '\"}')::json")
    row, = relation(verify(pair, status=1))["differences"]
    assert row["key"] == "id=1" and [column["name"] for column in row["columns"]] == ["a", "b", "j", "s"]
    shown = {column["name"]: column for column in row["columns"]}
    assert shown["b"]["source"].endswith(" ... (600300000 bytes)") and shown["b"]["source"].startswith("\\x0000")
    assert shown["s"]["source"].endswith("é ... (20000 bytes)") and shown["s"]["target"].endswith("é ... (20001 bytes)")
    assert shown["j"]["source"] == "{}" and shown["j"]["target"].endswith(" ... (9008 bytes)") and len(shown["j"]["target"]) < 5000
    assert shown["a"] == {"name": "a", "source": '{"\\\\x78"}', "target": '{"\\\\x78","\\\\x7a"}'}
    result = pair.pgfold("verify", status=1)
    assert "id=1" in result.out and "600300000 bytes" in result.out
    # Without a key, and with a row that is there on one side only.
    pair.source.sql("ALTER TABLE t DROP CONSTRAINT t_pkey")
    pair.target.sql("ALTER TABLE t DROP CONSTRAINT t_pkey")
    assert {row["result"] for row in relation(verify(pair, status=1))["differences"]} == {"missing", "extra"}


def test_a_long_value_is_shown_in_a_database_that_knows_no_ellipsis(pair):
    for side in (pair.source, pair.target):
        side.cluster.sql("postgres", f"CREATE DATABASE {pair.name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
        side.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, repeat(chr(233), 9000))")
    pair.configure()
    pair.target.sql("UPDATE t SET v = v || 'x'")
    (column,), = [row["columns"] for row in relation(verify(pair, status=1))["differences"]]
    assert column["source"].endswith("é ... (9000 bytes)") and column["target"].endswith("é ... (9001 bytes)")
