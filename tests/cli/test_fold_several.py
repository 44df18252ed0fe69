"""Several sources, of which a later one fails; backups that cannot be proven; receipts whose backup was touched; a full disk."""
import json
import pathlib

import pytest

import documents
from folding import assert_one_error


@pytest.fixture
def two(pair, laptop, vps):
    """Source one can be folded; source two has a foreign key with an orphan."""
    other = laptop.database(pair.name + "_2")
    pair.source.create().sql("CREATE TABLE one (id int); INSERT INTO one VALUES (1)")
    other.create().sql("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p); ALTER TABLE c DISABLE TRIGGER ALL; INSERT INTO c VALUES (7)")
    pair.configure(f"  - name: desktop\n    url: \"{other.url}\"\n  - name: tablet\n    url: \"{pair.source.url}\"\n")
    yield pair
    other.drop()


def test_the_second_source_is_refused_and_the_first_is_told_of(two):
    result = two.pgfold("fold", "--yes", "--no-backup", "--json", status=4)
    document = documents.check(result.json(), "fold")
    assert [(source["name"], source["outcome"]) for source in document["sources"]] == [("laptop", "contained"), ("desktop", "refused")]
    assert document["sources"][0]["contents"]["verdict"] == "contained"
    assert document["failed"]["name"] == "desktop" and "c_id_fkey" in document["failed"]["message"] and document["failed"]["exit_status"] == 4
    assert_one_error(result, state="laptop: complete; desktop: nothing was changed; tablet: not begun")


def test_the_first_source_is_refused_and_the_others_are_not_begun(two):
    result = two.pgfold("fold", "desktop", "tablet", "--yes", "--no-backup", status=4)
    assert_one_error(result, state="desktop: nothing was changed; tablet: not begun")


@pytest.mark.parametrize("command", ["audit", "plan", "verify"])
def test_json_of_the_sources_before_a_failed_one_is_printed(two, laptop, command):
    two.pgfold("fold", "laptop", "--yes", "--no-backup", status=0)
    two.config.write_text(two.config.read_text().replace(two.name + "_2", two.name + "_3"))
    result = two.pgfold(command, "--json", status=3)
    document = documents.check(result.json(), command)
    assert [source["name"] for source in document["sources"]] == ["laptop"]
    assert document["failed"]["name"] == "desktop" and document["failed"]["outcome"] == "failed"
    assert_one_error(result)
    # Where the first one fails there is nothing else to say.
    assert two.pgfold(command, "desktop", "--json", status=3).json()["schema"] == "pgfold.error"


FORBID = ("CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more'; END $$; "
          "CREATE EVENT TRIGGER forbid ON ddl_command_end EXECUTE FUNCTION no()")


@pytest.mark.parametrize("view", ["count(*) AS n", "current_database() AS n"])
def test_a_backup_with_a_forbidding_event_trigger_is_proven_and_folded(pair, view):
    pair.source.create().sql(f"CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW m AS SELECT {view} FROM t; "
                             "CREATE MATERIALIZED VIEW n AS SELECT n FROM m")
    pair.source.sql(FORBID)
    pair.configure()
    pair.pgfold("fold", "--yes", status=0)
    pair.pgfold("verify", status=0)


def test_a_backup_that_cannot_be_proven_is_a_gate(pair, machine):
    pair.source.create().sql(f"""
        CREATE FUNCTION here(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
            RETURN current_setting('unix_socket_directories') LIKE '{machine.folder}/%'; END $$;
        CREATE TABLE t (n int CHECK (here(n))); INSERT INTO t VALUES (1)""")
    pair.configure()
    assert_one_error(pair.pgfold("fold", "--yes", status=4), "is not proven", state="nothing was changed in the target")
    assert not pair.target.exists()


def test_a_receipt_answers_for_the_backup_that_it_names(pair):
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    pair.configure()
    document = json.loads(pair.pgfold("fold", "--yes", "--json", status=0).out)
    receipt = document["sources"][0]["receipt"]
    backup = pathlib.Path(document["sources"][0]["contents"]["backup"]["path"])
    assert f"backup {backup}: unchanged" in pair.pgfold("verify", "--receipt", receipt, status=0).out
    file = next(path for path in backup.rglob("*.dat*") if path.name != "toc.dat")
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    result = pair.pgfold("verify", "--receipt", receipt, status=1)
    assert "has another SHA-256" in result.err and file.name in result.err
    file.write_bytes(content)
    backup.rename(backup.with_name("elsewhere"))
    result = pair.pgfold("verify", "--receipt", receipt, "--json", status=1)
    assert "moved or deleted" in result.json()["backup_problem"] and result.json()["intact"]


def test_a_fold_whose_results_cannot_be_written_says_that_it_is_complete(pair):
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    pair.configure()
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = pair.pgfold.start("fold", "--yes", "--no-backup", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 70 and "state: the command itself has ended well" in err, err
    pair.pgfold("verify", status=0)
