"""databases: all: every database of a server is folded, each as a source of its own; one that fails does not stop the others."""
import json
import re
import signal

import pytest

import documents
from folding import Lock, assert_one_error, wait_until


class Estate:
    """Two servers of this module; the source with several databases, the target without any."""

    def __init__(self, source, target, pgfold):
        self.source, self.target, self.pgfold = source, target, pgfold

    def configure(self, extra="", more=""):
        (self.pgfold.cwd / "pgfold.yaml").write_text(
            f"version: 1\ntarget:\n  url: \"{self.target.url('app')}\"\nsources:\n  - name: old\n    url: \"{self.source.url('postgres')}\"\n"
            f"    databases: all\n{extra}{more}", encoding="utf-8")

    def receipts(self):
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((self.pgfold.cwd / ".pgfold/receipts").iterdir())]


@pytest.fixture(scope="module")
def servers(machine):
    source, target = machine.cluster(), machine.cluster()
    yield source, target
    machine.forget(source)
    machine.forget(target)


NAMES = ["app", "crm"]


def fill(source, name, rows):
    source.create(name)
    source.sql(name, f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, '{name}' FROM generate_series(1, {rows}) g; GRANT SELECT ON t TO writer")


@pytest.fixture
def estate(servers, pgfold):
    source, target = servers
    source.sql("postgres", "CREATE ROLE writer LOGIN")
    for number, name in enumerate(NAMES, 1):
        fill(source, name, number * 10)
    source.sql("postgres", "CREATE DATABASE closed ALLOW_CONNECTIONS false")
    made = Estate(source, target, pgfold)
    made.configure()
    yield made
    source.sql("postgres", "UPDATE pg_database SET datistemplate = false WHERE datname = 'pattern'")
    for server in servers:
        for name in server.databases():
            if name != "postgres" and not name.startswith("template"):
                server.sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
        server.sql("postgres", "DROP TABLE IF EXISTS mine")
        server.sql("postgres", "DROP ROLE IF EXISTS writer")


def test_every_database_is_folded_with_a_receipt_of_its_own(estate):
    fill(estate.source, "Odd näme", 30)
    estate.source.create("nothing")
    estate.source.sql("postgres", "CREATE DATABASE pattern IS_TEMPLATE true")
    estate.pgfold("fold", "old/app", "--yes", status=0)
    assert estate.target.databases() == {"postgres", "app"}
    result = estate.pgfold("fold", "--yes", "--no-backup", status=0)
    for name, rows in (("app", 10), ("crm", 20), ("Odd näme", 30)):
        assert estate.target.sql(name, "SELECT count(*), min(v) FROM t") == f"{rows}|{name}"
    assert not set(estate.target.databases()) & {"closed", "pattern", "nothing"}
    summary = result.out[result.out.index("DATABASE "):]
    assert re.search(r"^old/app +contained +10 +\S+-old_app\.json$", summary, re.M), summary
    assert re.search(r"^old/Odd näme +contained +30 ", summary, re.M) and re.search(r"^old/nothing +empty *$", summary, re.M)
    assert {r["source"]["name"] for r in estate.receipts()} == {"old/app", "old/crm", "old/Odd näme"}
    assert all(r["verdict"] == "contained" for r in estate.receipts())
    assert [path.name[:8] for path in (estate.pgfold.cwd / ".pgfold/backups").iterdir()] == ["old_app-"]
    assert estate.target.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'writer'") == "1"
    estate.pgfold("verify", "old/Odd näme", "old/crm", status=0)
    status = estate.pgfold("status", "--json", status=0).json()
    assert {s["name"]: (s["state"], s["configured"]) for s in status["sources"]}["old/crm"] == ("contained", True)
    assert "old" not in {s["name"] for s in status["sources"]}
    assert len(estate.pgfold("status", "old", "--json", status=0).json()["sources"]) == 4
    assert "30 rows" in estate.pgfold("report", "old/Odd näme", status=0).out
    # One that appears later is seen, and a source is not retired without it.
    estate.source.create("later")
    estate.source.sql("later", "CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    assert "source old/later has no receipt" in estate.pgfold("retire", "old", status=4).err
    assert "pgfold retire old" in estate.pgfold("retire", "old/app", status=4).err
    estate.pgfold("fold", "--yes", "--no-backup", status=0)
    assert estate.target.sql("later", "SELECT count(*) FROM t") == "1"


def test_one_that_fails_does_not_stop_the_others(estate):
    estate.source.sql("app", "CREATE TABLE c (id int REFERENCES t); ALTER TABLE c DISABLE TRIGGER ALL; INSERT INTO c VALUES (99)")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "source old/app is not folded:" in result.err and "c_id_fkey" in result.err
    assert "1 of 2 sources failed: old/app" in result.err and "state: the others are complete" in result.err
    assert "crm" in estate.target.databases() and "app" not in estate.target.databases()
    document = documents.check(estate.pgfold("fold", "--yes", "--no-backup", "--json", status=4).json(), "fold")
    assert document["failed"]["name"] == "old/app" and document["failed"]["exit_status"] == 4
    assert {s["name"]: s["outcome"] for s in document["sources"]}["old/crm"] == "contained"
    verify = estate.pgfold("verify", "--json", "old/app", "old/crm", status=1)
    assert documents.check(verify.json(), "verify")["failed"]["name"] == "old/app"
    estate.pgfold("fold", "old/crm", "--yes", status=0)
    estate.source.sql("app", "DELETE FROM c")
    estate.pgfold("fold", "old/app", "--yes", "--no-backup", status=0)


def test_a_server_that_cannot_be_reached_or_is_the_target_stops_all(estate):
    config = estate.pgfold.cwd / "pgfold.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(estate.target.url("app"), estate.source.url("app")), encoding="utf-8")
    result = estate.pgfold("fold", "--yes", status=3)
    assert "are the same database" in result.err and "sources failed" not in result.err
    config.write_text(text.replace(estate.source.url("postgres"), "host=/nonexistent"), encoding="utf-8")
    assert_one_error(estate.pgfold("fold", "--yes", status=3))


def test_one_that_lets_nobody_in_fails_alone_and_stays_named_where_another_stops_all(estate):
    config = estate.pgfold.cwd / "pgfold.yaml"
    fill(estate.source, "tail", 5)
    fill(estate.source, "zoo", 6)
    estate.source.sql("postgres", "REVOKE CONNECT ON DATABASE app FROM PUBLIC")
    config.write_text(config.read_text(encoding="utf-8").replace(estate.source.url("postgres"), estate.source.url("postgres", "writer")), encoding="utf-8")
    estate.target.sql("postgres", "CREATE DATABASE tail ALLOW_CONNECTIONS false")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "state: old/crm: complete; old/app: failed; old/tail: nothing was changed in the target; old/zoo: not begun" in result.err
    assert re.search(r"^old/app +refused *$", result.out, re.M) and re.search(r"^old/crm +contained +20 ", result.out, re.M)
    estate.target.sql("postgres", "DROP DATABASE tail")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "1 of 4 sources failed: old/app" in result.err and "state: the others are complete" in result.err
    assert estate.target.sql("zoo", "SELECT count(*) FROM t") == "6"


def test_ctrl_c_in_one_of_them_stops_all(estate, running):
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND wait_event_type = 'Lock' AND query !~ '^(DROP|DO) '"
    lock = Lock(estate.target, "postgres", "LOCK TABLE pg_authid IN SHARE MODE")
    process = running("fold", "--yes", "--no-backup")
    wait_until(lambda: estate.target.sql("postgres", waits) != "0", "the fold that makes roles")
    process.send_signal(signal.SIGINT)
    wait_until(lambda: estate.target.sql("postgres", waits) == "0", "the end of its wait")
    lock.release()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5, err
    assert "Folding old/app" in err and "Folding old/crm" not in err, err
    assert estate.target.databases() == {"postgres"}


def test_databases_are_chosen_by_patterns_and_protections(estate):
    estate.source.sql("postgres", "CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)")
    estate.configure("    include: { databases: [\"?pp\", c*, postgres] }\n    exclude: { databases: crm }\n", "protect: { databases: [app] }\n")
    result = estate.pgfold("plan", "--json", status=0)
    assert [s["name"] for s in result.json()["sources"]] == ["old/postgres"]
    assert "database app is protected, and left out" in result.err
    estate.configure("    exclude: { databases: nosuch }\n")
    assert "exclude.databases: the pattern nosuch matches nothing" in estate.pgfold("plan", status=2).err
    estate.configure("    exclude: { databases: crm }\n")
    for name in ("crm", "template1", "nosuch"):
        result = estate.pgfold("fold", f"old/{name}", "--yes", status=2)
        assert f"source old: {name} is not one of the databases that are folded" in result.err
    estate.configure("    include: { databases: closed }\n")
    assert "the pattern closed matches nothing" in estate.pgfold("plan", status=2).err


def test_tables_are_chosen_in_each_of_them(estate):
    for name in NAMES:
        estate.source.sql(name, "CREATE TABLE log (id int); INSERT INTO log VALUES (1)")
    estate.configure("    exclude: { tables: log }\n")
    estate.pgfold("fold", "--yes", "--no-backup", status=0)
    assert [estate.target.sql(name, "SELECT to_regclass('log') IS NULL") for name in ("app", "crm")] == ["t", "t"]
    estate.pgfold("audit", status=0)
    assert {r["filter"] for r in estate.receipts()} == {"exclude.tables: log"}


def test_patterns_need_not_match_in_each_of_them(estate):
    estate.source.sql("crm", "CREATE TABLE log (id int); INSERT INTO log VALUES (1)")
    estate.configure("    exclude: { tables: \"*.log\" }\n")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=0)
    assert result.err.count("nothing to leave out here for exclude.tables: *.log") == 1
    assert estate.target.sql("app", "SELECT count(*) FROM t") == "10"
    assert estate.target.sql("crm", "SELECT to_regclass('log') IS NULL, count(*) FROM t") == "t|20"
    estate.configure("    include: { tables: log }\n")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "include.tables: the pattern log matches nothing" in result.err and "1 of 2 sources failed: old/app" in result.err
    assert estate.target.sql("crm", "SELECT count(*) FROM log") == "1"


def test_conflicts_are_called_so(estate):
    estate.target.create("app")
    estate.target.sql("app", "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'another')")
    result = estate.pgfold("fold", "--yes", "--no-backup", status=1)
    assert re.search(r"^old/app +conflicts *$", result.out, re.M), result.out
    document = documents.check(estate.pgfold("fold", "--yes", "--no-backup", "--json", status=1).json(), "fold")
    assert [s["outcome"] for s in document["sources"]] == ["conflicts", "contained"]


def test_two_that_go_into_one_database_are_named(estate):
    estate.configure("    include: { databases: app }\n", f"  - name: too\n    url: \"{estate.source.url('postgres')}\"\n    databases: all\n")
    result = estate.pgfold("fold", "--yes", "--dry-run", status=0)
    assert "old/app and too/app go into the same database of the target: app" in result.err and "too/crm go" not in result.err


def test_backup_and_fence_take_each_of_them(estate):
    backups = estate.pgfold("backup", "--json", status=0).json()["backups"]
    assert [b["source"] for b in backups] == ["old/app", "old/crm"] and all(b["proven"] for b in backups)
    estate.pgfold("fence", "old", "--yes", status=0)
    assert estate.source.sql("crm", "SHOW default_transaction_read_only") == "on"
    estate.pgfold("fence", "old", "--lift", "--yes", status=0)
    assert estate.source.sql("crm", "SHOW default_transaction_read_only") == "off"
    estate.pgfold("doctor", "old", "--quiet")
