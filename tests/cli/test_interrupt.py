"""Ctrl-C, SIGTERM and kill -9 at any moment of a fold: nothing is lost, nothing is left, and the next fold works."""
import pathlib
import signal
import time

import pytest

COUNT = "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)"
FRACTIONS = (0.02, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)


@pytest.fixture
def loaded(pair):
    """Some 60 MB: rows take a while, indexes and keys too."""
    pair.source.create().sql("""
        CREATE TABLE a (id int PRIMARY KEY, v text NOT NULL);
        CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a, v text);
        INSERT INTO a SELECT n, md5(n::text) || repeat('x', 100) FROM generate_series(1, 200000) AS n;
        INSERT INTO b SELECT n, 1 + n % 200000, md5(n::text) FROM generate_series(1, 300000) AS n;
        CREATE INDEX ON a (v); CREATE INDEX ON b (a); CREATE INDEX ON b (v);""")
    return pair.configure()


def children_of(pid):
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(pid):
            found.append(int(status.parent.name))
    return found


def await_no_connections(server):
    until = time.monotonic() + 10
    while server.connections() and time.monotonic() < until:
        time.sleep(0.02)
    assert server.connections() == 0


def interrupt_after(loaded, running, seconds, number):
    """Starts a fold, sends it a signal after some seconds, and gives (status, standard error, processes it had)."""
    process = running("fold", "--yes", "--no-backup")
    try:
        process.wait(seconds)
    except Exception:  # still running: what we want
        pass
    children = children_of(process.pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err, children


def assert_nothing_left(loaded, before, children):
    for server in (loaded.source.cluster, loaded.target.cluster):
        await_no_connections(server)
    assert loaded.target.cluster.databases() == before
    assert not [pid for pid in children if pathlib.Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)])
def test_a_signal_at_any_moment_leaves_nothing_and_the_next_fold_works(loaded, running, number, status):
    before = loaded.target.cluster.databases()
    began = time.monotonic()
    loaded.pgfold("fold", "--yes", "--no-backup", status=0)
    whole = time.monotonic() - began
    loaded.target.drop()
    for fraction in FRACTIONS:
        got, err, children = interrupt_after(loaded, running, whole * fraction, number)
        assert got in (0, status, 5), f"after {fraction} of the time: {got}\n{err}"
        # It was quicker this time: before the signal came, or while it did. Then the error says so, and it is true.
        if got == 0 or "complete in the target" in err and loaded.target.exists():
            assert loaded.target.sql(COUNT) == loaded.source.sql(COUNT)
            loaded.target.drop()
            continue
        assert "state: " in err or "nothing" in err, err
        assert_nothing_left(loaded, before, children)
    loaded.pgfold("fold", "--yes", "--no-backup", status=0)
    loaded.pgfold("verify", status=0)


@pytest.mark.long  # test_fold_kills.py kills at more moments
def test_what_a_killed_fold_leaves_is_taken_away_by_the_next(loaded, running):
    before = loaded.target.cluster.databases()
    for seconds in (0.2, 0.6, 1.2):
        got, _, children = interrupt_after(loaded, running, seconds, signal.SIGKILL)
        if got == 0:
            loaded.target.drop()
            continue
        assert got == -signal.SIGKILL
        for server in (loaded.source.cluster, loaded.target.cluster):
            await_no_connections(server)
    loaded.pgfold("fold", "--yes", "--no-backup", status=0)
    assert loaded.target.cluster.databases() == before | {loaded.name}
    loaded.pgfold("verify", status=0)
