"""Columns that `pgfold fold --add-columns` has made: they go with a fold that fails, and stay with one that is committed, however its
process ends; those of somebody else are never touched."""
import subprocess

import pytest

import harness
from folding import wait_until
from test_merge_kills import FOLD, OURS, Blocker, Case


COLUMNS = "CREATE TABLE people (id int PRIMARY KEY, name text{mine}); INSERT INTO people (id, name) SELECT g, '{who}' FROM generate_series({range}) g;"


@pytest.fixture
def columns(pair, running):
    """A case whose source has a column that the target lacks."""
    made = Case.__new__(Case)
    made.pair, made.running, made.server = pair.configure(), running, pair.target.cluster
    made.locks, made.process, made.crashed = [], None, False
    pair.source.create().sql(COLUMNS.format(who="mine", range="1, 5", mine=", points int DEFAULT 7"))
    pair.target.create().sql(COLUMNS.format(who="mine", range="3, 9", mine=""))
    yield made
    made.calm()


POINTS = "SELECT count(*), sum(points) FROM people"


def test_columns_that_came_with_a_committed_fold_are_not_taken_away_though_it_was_killed(columns):
    columns.door("CREATE SCHEMA .?pgfold_undo")
    columns.start(*FOLD, "--add-columns")
    columns.stands("wait_event = 'advisory'")
    lock = subprocess.Popen([harness.client("psql"), "-X", "-q", "-c", "SET application_name = 'blocker'", "-c", "BEGIN; LOCK TABLE people; SELECT pg_sleep(600)"],
                            env=harness.clean_environment(**columns.server.environment(columns.pair.name)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: columns.server.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE application_name = 'blocker' AND wait_event_type = 'Lock'"), "a blocker")
    columns.release()
    columns.stands("wait_event_type = 'Lock' AND wait_event = 'relation'")
    columns.process.kill()
    columns.end()
    Blocker(columns.server, lock).release()
    columns.pair.target.sql("UPDATE people SET points = 100 WHERE id = 9")
    assert columns.pair.target.sql(POINTS) == "9|156"
    columns.pair.pgfold(*FOLD, "--add-columns", status=0)
    assert columns.pair.target.sql(POINTS) == "9|156", "nothing is taken away, and nothing made up"
    columns.nothing_left()


def test_columns_of_a_committed_fold_stay_where_somebody_changes_rows_before_the_proof(columns):
    """Exit status 1: the merge is committed, and a row is not as it came. What came with it stays."""
    columns.door("CREATE SCHEMA .?pgfold_undo")
    columns.start(*FOLD, "--add-columns")
    columns.stands("wait_event = 'advisory'")
    change = subprocess.Popen([harness.client("psql"), "-X", "-q", "-c", "SET application_name = 'blocker'", "-c", "BEGIN; LOCK TABLE people; UPDATE people SET name = 'changed' WHERE id = 4; COMMIT"],
                              env=harness.clean_environment(**columns.server.environment(columns.pair.name)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: columns.server.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE application_name = 'blocker' AND wait_event_type = 'Lock'"), "a blocker")
    for held in columns.locks:
        held.release()
    status, out, err = columns.end()
    change.communicate(timeout=30)
    assert status == 1 and "the merge is committed" in err, f"exit {status}\n{out}{err}"
    assert columns.pair.target.sql(POINTS) == "9|63"
    columns.nothing_left()


def test_a_column_that_the_user_adds_after_a_killed_run_is_the_users(columns):
    columns.door("^BEGIN; .*ADD COLUMN")
    columns.start(*FOLD, "--add-columns")
    columns.stands("wait_event = 'advisory'")
    columns.process.kill()
    columns.end()
    columns.server.sql("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")
    wait_until(lambda: columns.server.sql("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE {OURS}") == "0", "the end of its sessions")
    columns.release()
    columns.pair.target.sql("ALTER TABLE people ADD COLUMN points int DEFAULT 7; UPDATE people SET points = 100 WHERE id = 9")
    columns.pair.pgfold(*FOLD, status=0)
    assert columns.pair.target.sql(POINTS) == "9|156"
