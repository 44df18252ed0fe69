"""The main job, end to end: what was folded is what pg_dump and plain SQL see, not only what pgfold says."""
import json
import subprocess

import pytest

import harness

DATASETS = ("chinook", "northwind", "model-app")
TABLES = """SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1"""


def dump(database):
    """Everything that pg_dump knows, in an order of its own making."""
    result = subprocess.run([harness.client("pg_dump"), "-d", database.url], capture_output=True, text=True, check=True,
                            env=harness.clean_environment())
    # Since 2025 a dump has a random key in \restrict lines.
    return sorted(line for line in result.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "-- Dumped")))


def rows(database):
    """Table -> its rows as sorted text; for servers that the installed pg_dump is too old for."""
    return {table: sorted(database.sql(f"SET extra_float_digits = 3; SET bytea_output = hex; SET TimeZone = 'UTC'; "
                                       f"COPY (SELECT * FROM {table}) TO STDOUT").splitlines())
            for table in database.sql(TABLES).splitlines()}


@pytest.fixture
def folded(pair):
    """The model application, folded."""
    pair.source.create().load("model-app")
    pair.configure()
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    return pair


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_database_arrives_whole(pair, dataset):
    pair.source.create().load(dataset)
    pair.configure()
    before = dump(pair.source)
    pair.pgfold("audit", status=1)
    pair.pgfold("plan", status=0)
    assert not pair.target.exists(), "audit and plan change nothing"
    pair.pgfold("fold", "--yes", status=0)
    pair.pgfold("verify", status=0)
    pair.pgfold("audit", status=0)
    assert dump(pair.target) == before
    assert dump(pair.source) == before, "the source is only read"


@pytest.mark.slow
def test_pgbench_scale_10_arrives_whole(pair):
    pair.source.create()
    subprocess.run([harness.client("pgbench"), "-i", "-q", "-s", "10", "--foreign-keys"], check=True, capture_output=True,
                   env=harness.clean_environment(**pair.source.cluster.environment(pair.name)))
    pair.configure("fold:\n  split_above: 16MB\n")
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("verify", status=0)
    assert pair.target.sql("SELECT count(*), count(DISTINCT aid), sum(abalance) FROM pgbench_accounts") == "1000000|1000000|0"
    assert pair.target.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated") == \
        pair.source.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")


@pytest.mark.parametrize("old, new", [(12, 18), (13, 16), (14, 17), *(pytest.param(*both, marks=pytest.mark.long) for both in [(12, 15), (15, 18)])])
def test_versions_fold_upwards(pair, cluster, old, new):
    source = cluster(old).create("app").load("model-app")
    target = cluster(new).database("app")
    pair.configure(source_url=source.url, target_url=target.url)
    pair.pgfold("fold", "--yes", status=0)
    pair.pgfold("verify", status=0)
    assert rows(target) == rows(source)


@pytest.mark.parametrize("change, words", [
    ("UPDATE app.memories SET content = 'by hand' WHERE id = 4711", ["app.memories", "4711", "content", "by hand"]),
    ("UPDATE app.users SET name = '' WHERE id = 7", ["app.users", "7", "name"]),  # NULL is not ''
    ("UPDATE app.journeys SET budget = 1.0 WHERE id = (SELECT min(id) FROM app.journeys WHERE budget::text = '1.00')",
     ["app.journeys", "budget", "1.00"]),
    ("UPDATE app.memories SET weight = 0 WHERE id = 50", ["app.memories", "50", "weight", "-0"]),
    ("DELETE FROM app.empty_table; DELETE FROM app.attachments WHERE memory_id = 100", ["app.attachments", "100"]),
    ("DELETE FROM app.events WHERE ctid = (SELECT min(ctid) FROM app.events)", ["app.events"]),
    ("UPDATE \"Archive 2024\".\"Old \"\"Sessions\"\"\" SET \"Text\" = 'else' WHERE \"Id\" = 5", ["Archive 2024", "Text", "else"]),
])
def test_one_change_by_hand_is_found_and_named(folded, change, words):
    folded.target.sql(f"SET session_replication_role = replica; {change}")
    result = folded.pgfold("verify", status=1)
    for word in words:
        assert word in result.out, f"{word!r} is not in: {result}"


@pytest.mark.parametrize("change", [
    "SELECT setval('app.invoice_number', 20250001)",
    "SELECT lo_put(900007, 0, 'x')",
    "SELECT lo_unlink(900007)",
    "DROP INDEX app.memories_heavy",
    "DROP VIEW app.open_sessions",
    "DROP TRIGGER journeys_touch ON app.journeys",
])
def test_what_is_less_beside_the_rows_is_found(folded, change):
    folded.target.sql(change)
    folded.pgfold("verify", status=1)


def test_rows_that_were_added_on_the_target_do_not_break_containment(folded):
    folded.target.sql("INSERT INTO app.empty_table VALUES (1, 'new life')")
    assert folded.pgfold("verify", "--json", status=0).json()


def test_folding_again_changes_nothing(folded):
    before = dump(folded.target)
    transactions = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    counted = folded.target.sql(transactions)
    folded.pgfold("fold", "--yes", "--no-backup", status=0)
    assert dump(folded.target) == before
    assert folded.target.sql(transactions) == counted


def test_a_dry_run_changes_nothing(pair):
    pair.source.create().load("chinook")
    pair.configure()
    pair.pgfold("fold", "--dry-run", status=0)
    assert not pair.target.exists()


def test_without_a_terminal_a_fold_without_yes_is_refused(pair):
    pair.source.create().load("chinook")
    pair.configure()
    result = pair.pgfold("fold", status=4)
    assert "--yes" in result.err
    assert not pair.target.exists()


def test_a_fold_writes_a_receipt_that_can_be_checked_and_not_forged(folded):
    receipts = sorted((folded.folder / ".pgfold" / "receipts").glob("*.json"))
    assert len(receipts) == 1
    receipt = json.loads(receipts[0].read_text())
    assert receipt["schema"] == "pgfold.receipt"
    folded.pgfold("verify", "--receipt", receipts[0], status=0)
    receipts[0].write_text(receipts[0].read_text().replace('"rows": 6000', '"rows": 6001'))
    folded.pgfold("verify", "--receipt", receipts[0], status=1)


def test_rows_that_break_a_foreign_key_are_found_before_anything_is_made(pair):
    pair.source.create().sql("""
        CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
        SET session_replication_role = replica; INSERT INTO b VALUES (1, 77)""")
    pair.configure()
    result = pair.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "public.b: b_a_fkey: 1 row" in result.err + result.out
    assert not pair.target.exists()


def test_rows_written_after_the_snapshot_are_missed_by_verify(folded):
    folded.source.sql("INSERT INTO app.empty_table VALUES (42, 'late')")
    result = folded.pgfold("verify", status=1)
    assert "app.empty_table" in result.out and "42" in result.out
