"""A merge beside others: writers and readers of the target, a second pgfold, disks that are full; on every version, and with little
memory."""
import os
import pathlib
import resource
import signal
import subprocess
import threading
import time

import pytest

import harness
import merging
from folding import Lock, assert_one_error, assert_same, wait_until, whole
from test_merge import FOLD, fold, proven, rules, sides, wait_for_lock

UNDO = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%'"


class Session:
    """A psql that stays; say() sends it statements and gives what it prints, errors with their SQLSTATE among it."""

    def __init__(self, database):
        self.process = subprocess.Popen([harness.client("psql"), "-X", "-q", "-A", "-t", "-v", "VERBOSITY=sqlstate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1, env=harness.clean_environment(**database.cluster.environment(database.name)))

    def say(self, text):
        self.process.stdin.write(text + "\n\\echo END\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "END\n":
                break
            lines.append(line)
        return "".join(lines).strip()

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def session(pair):
    made = []

    def make():
        made.append(Session(pair.target))
        return made[-1]
    yield make
    for one in made:
        one.close()


def test_what_another_fold_has_brought_while_its_lock_was_waited_for_is_not_brought_again(pair, session, running):
    """Rows without a key cannot be told apart later: the snapshot has to come after the lock."""
    sides(pair, "CREATE TABLE log (v text);", "INSERT INTO log VALUES ('a'), ('b')", "INSERT INTO log VALUES ('z')")
    other = session()
    other.say("SELECT pg_advisory_lock(123580474354788);")
    process = running(*FOLD)
    wait_until(lambda: pair.target.cluster.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pgfold' AND query LIKE '%advisory_lock%'"),
               "a fold that asks for the lock")
    other.say("INSERT INTO log VALUES ('a'), ('b'); SELECT pg_advisory_unlock(123580474354788);")
    assert process.wait(30) == 0
    assert pair.target.sql("SELECT string_agg(v, ' ' ORDER BY v) FROM log") == "a b z"


# --- writers of the target ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("also", ["", "a", "b"])
def test_a_writer_who_takes_the_tables_in_another_order_is_not_sent_into_a_deadlock(pair, running, session, also):
    sides(pair, "".join(f"CREATE TABLE {t} (id int PRIMARY KEY, v text);" for t in "abc"), "".join(f"INSERT INTO {t} VALUES (1, 'mine');" for t in "abc"),
          "".join(f"INSERT INTO {t} VALUES (5, 'there');" for t in "abc"))
    writer = session()
    assert writer.say("BEGIN; INSERT INTO c VALUES (9, 'theirs');" + (f"LOCK TABLE {also} IN ROW EXCLUSIVE MODE;" if also else "")) == ""
    process = running(*FOLD)
    wait_for_lock(pair)
    time.sleep(0.3)
    for table in "ba":
        assert writer.say(f"INSERT INTO {table} VALUES (9, 'theirs');") == ""
        time.sleep(0.5)
    assert writer.say("COMMIT;") == ""
    assert process.wait(60) == 0, process.communicate()
    assert pair.target.sql("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c)") == "3|3|3"


def test_writers_and_readers_all_the_time_while_several_tables_are_merged(pair, running, session):
    """Nothing that a writer was told is committed is lost; no statement of theirs fails; readers see all of the merge or nothing."""
    tables = ["t0", "t1", "t2", "t3"]
    sides(pair, "".join(f"CREATE TABLE {t} (id bigserial PRIMARY KEY, who text, n int DEFAULT 0);" for t in tables) + "CREATE TABLE log (who text);",
          "".join(f"INSERT INTO {t} SELECT g, 'mine', 0 FROM generate_series(1, 1500) g; SELECT setval('{t}_id_seq', 1500);" for t in tables) + "INSERT INTO log SELECT 'mine' FROM generate_series(1, 100)",
          "".join(f"INSERT INTO {t} SELECT g, 'theirs', 0 FROM generate_series(1, 300) g; SELECT setval('{t}_id_seq', 5000);" for t in tables))
    pair.configure(rules(**{t: "rekey" for t in tables}))
    stop, failures, wrote, seen = threading.Event(), [], [0, 0], []

    def write(number):
        own, order = session(), tables if number else tables[::-1]
        while not stop.is_set():
            text = "BEGIN;" + "".join(f"INSERT INTO {t} (who) VALUES ('writer {number}'); UPDATE {t} SET n = n + 1 WHERE id = {1 + (2 * wrote[number] + number) % 300};" for t in order)
            said = own.say(text + f"INSERT INTO log VALUES ('writer {number}'); COMMIT;")
            if said:
                failures.append(said)
                return
            wrote[number] += 1

    def read():
        own = session()
        while not stop.is_set():
            seen.append(own.say("SELECT " + ", ".join(f"(SELECT count(*) FROM {t} WHERE who = 'mine')" for t in tables) + ", (SELECT count(*) FROM log WHERE who = 'mine');"))
    threads = [threading.Thread(target=write, args=(0,)), threading.Thread(target=write, args=(1,)), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: min(wrote) > 5 and seen, "writers at work")
        process = running(*FOLD)
        out, err = process.communicate(timeout=120)
        at_end = list(wrote)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures and process.returncode in (0, 4), f"{failures}\nexit {process.returncode}\n{out}{err}"
    if process.returncode == 4:  # the machine is so slow that there was no moment without them: nothing was done, and that is said
        assert "is locked by somebody else" in err and "was taken away again" in err and set(seen) == {"0|0|0|0|0"}
        fold(pair)
        seen.append("1500|1500|1500|1500|100")
    assert "deadlock detected" not in pair.target.cluster.log.read_text()
    assert min(at_end) > 10
    assert set(seen) == {"0|0|0|0|0", "1500|1500|1500|1500|100"}
    for table in tables:
        for number in (0, 1):
            assert pair.target.sql(f"SELECT count(*) FROM {table} WHERE who = 'writer {number}'") == str(wrote[number])
        assert pair.target.sql(f"SELECT count(*) FILTER (WHERE who = 'mine'), count(*) FILTER (WHERE who = 'theirs'), sum(n) FROM {table}") == f"1500|300|{sum(wrote)}"
    proven(pair)


def test_readers_of_tables_that_refer_to_each_other_are_not_sent_into_a_deadlock(pair, running, session):
    """Constraints in a circle are altered, which takes a lock against readers, too."""
    circle = "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;"
    sides(pair, circle, "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1")
    reader = session()
    assert reader.say("BEGIN; SELECT count(*) FROM b;") == "0"
    process = running(*FOLD)
    wait_for_lock(pair)
    time.sleep(1.5)
    assert reader.say("SELECT count(*) FROM a;") == "0"
    assert reader.say("COMMIT;") == ""
    assert process.wait(60) == 0, process.communicate()
    assert pair.target.sql("SELECT a.id, b.id FROM a JOIN b ON a.b = b.id AND b.a = a.id") == "1|1"


def test_a_target_that_is_serializable_by_default_is_judged_as_it_is_under_the_locks(pair, running, session):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (v text);", "INSERT INTO t VALUES (1, 'mine'), (2, 'x')", "INSERT INTO t VALUES (9, 'y')")
    pair.target.sql(f"ALTER DATABASE \"{pair.name}\" SET default_transaction_isolation = 'repeatable read'")
    writer = session()
    assert writer.say("BEGIN; INSERT INTO t VALUES (1, 'theirs');") == ""
    process = running(*FOLD)
    wait_for_lock(pair)
    assert writer.say("COMMIT;") == ""
    out, err = process.communicate(timeout=60)
    assert process.returncode == merging.CONFLICTS, f"{out}{err}"
    assert pair.target.sql("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t") == "1theirs 9y"


# --- two at once ----------------------------------------------------------------------------------------------------------

def test_two_sources_from_two_state_folders_into_one_target(pair, running, machine, laptop, tmp_path_factory):
    """The second is refused while the first is at work, and afterwards brings its own rows."""
    table = "CREATE TABLE t (id serial PRIMARY KEY, v text);"
    sides(pair, table, "INSERT INTO t (v) VALUES ('one'), ('two')", "INSERT INTO t (v) VALUES ('theirs')")
    other = laptop.create(pair.name[:50] + "_2")
    try:
        other.sql(table + "INSERT INTO t (v) VALUES ('three'), ('four')")
        pair.configure(rules(t="rekey"))
        elsewhere = harness.Pgfold(machine, tmp_path_factory.mktemp("elsewhere"))
        (elsewhere.cwd / "pgfold.yaml").write_text(pair.config.read_text().replace(pair.source.url, other.url))
        lock = Lock(pair.target.cluster, pair.name, "LOCK TABLE t IN ROW EXCLUSIVE MODE")
        process = running(*FOLD)
        wait_for_lock(pair)
        assert_one_error(elsewhere(*FOLD, status=4), "another pgfold is folding")
        lock.release()
        assert process.wait(60) == 0, process.communicate()
        elsewhere(*FOLD, status=0)
        for pgfold in (pair.pgfold, elsewhere):
            pgfold("verify", status=0)
            pgfold(*FOLD, status=0)
        assert pair.target.sql("SELECT string_agg(v, ' ' ORDER BY v) FROM t") == "four one theirs three two"
    finally:
        other.drop()


# --- disks ----------------------------------------------------------------------------------------------------------------

def nothing_came(pair, before, result):
    assert result.status == 5, result
    assert_one_error(result, "cannot write", state="was taken away again")
    assert_same(merging.settled(whole(pair.target)), merging.settled(before))
    assert pair.target.sql(UNDO) == "0"


def test_an_archive_that_cannot_be_written_lets_nothing_be_committed(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text);", "INSERT INTO t VALUES (1, 'mine'), (2, 'new')", "INSERT INTO t VALUES (1, 'theirs')")
    pair.configure(rules(t="take-source"))
    before = whole(pair.target)
    (pair.folder / ".pgfold").mkdir(mode=0o700, exist_ok=True)
    (pair.folder / ".pgfold" / "backups").write_text("in the way")
    nothing_came(pair, before, fold(pair, status=None))
    (pair.folder / ".pgfold" / "backups").unlink()
    fold(pair)
    proven(pair)


def test_a_disk_that_fills_up_under_the_archive_lets_nothing_be_committed(pair):
    """A limit on the size of a file stands for the disk."""
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text);", "INSERT INTO t SELECT g, 'mine' || repeat('x', 4000) FROM generate_series(1, 1500) g",
          "INSERT INTO t SELECT g, 'theirs' || repeat('y', 4000) FROM generate_series(1, 1500) g")
    pair.configure(rules(t="take-source"))
    before = whole(pair.target)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
    process = pair.pgfold.start(*FOLD, preexec_fn=limit)
    out, err = process.communicate(timeout=120)
    nothing_came(pair, before, harness.Result(list(FOLD), process.returncode, out, err))
    assert not list((pair.folder / ".pgfold").glob("backups/*.merge"))
    fold(pair)
    proven(pair)


# --- memory, versions -----------------------------------------------------------------------------------------------------

@pytest.mark.long
def test_a_million_rows_on_each_side_need_little_memory(pair, running):
    table = "CREATE TABLE t (id bigserial PRIMARY KEY, v int, w text); CREATE TABLE u (id bigserial PRIMARY KEY, t bigint REFERENCES t, v int);"
    fill = "INSERT INTO t SELECT g, g % 1000, 'w' FROM generate_series(1, 500000) g; INSERT INTO u SELECT g, g, g % 7 FROM generate_series(1, 500000) g;" \
           "SELECT setval('t_id_seq', 500000), setval('u_id_seq', 500000)"
    sides(pair, table, fill + "; UPDATE t SET w = 'mine' WHERE id % 100 = 0; UPDATE u SET v = 9 WHERE id % 100 = 1", fill)
    pair.configure(rules(t="rekey", u="take-source"))
    process = running(*FOLD)
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        except OSError:
            pass
        time.sleep(0.05)
    assert process.returncode == 0, process.communicate()
    assert 0 < peak < 200 * 1024, f"{peak} kB"
    assert pair.target.sql("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u), (SELECT count(*) FROM u JOIN t ON t.id = u.t WHERE t.w = 'mine')") == "505000|500000|5000"
    pair.pgfold("verify", status=0)


VERSION_TABLES = "CREATE TABLE people (id serial PRIMARY KEY, name text); CREATE TABLE pets (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int REFERENCES people, name text);" \
                 "CREATE TABLE log (v text);"
PG_DUMP = """#!/bin/sh
if [ "$1" = --version ]; then echo "{name} (PostgreSQL) 18.0"; exit 0; fi
for argument; do
    shift
    case $argument in --snapshot=*) ;; *) set -- "$@" "$argument" ;; esac
done
{environment} exec {program} "$@"
"""


@pytest.fixture
def newer_tools(laptop, request, monkeypatch):
    """There is no pg_dump for servers newer than 15 here: one that reads a database of the same definitions on a 15."""
    twin = laptop.create("twin_" + request.node.name.partition("[")[2].rstrip("]").replace("-", "_"))
    twin.sql(VERSION_TABLES)
    folder = pathlib.Path(request.getfixturevalue("tmp_path_factory").mktemp("tools"))
    environment = " ".join(f"{name}='{value}'" for name, value in {"PGPORT": "5432", **laptop.environment(twin.name)}.items())
    for name, settings in (("pg_dump", environment), ("pg_restore", "")):
        (folder / name).write_text(PG_DUMP.format(name=name, environment=settings, program=f"/usr/lib/postgresql/15/bin/{name}"))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield
    twin.drop()


@pytest.mark.parametrize("source, target", [(12, 12), (14, 14), (18, 18), (12, 18),
                                            *(pytest.param(*both, marks=pytest.mark.long) for both in [(13, 13), (16, 16), (17, 17), (15, 17)])])
def test_a_merge_and_its_undo_on_other_versions(cluster, pgfold, request, source, target):
    from conftest import Pair
    if target > 15:
        request.getfixturevalue("newer_tools")
    pair = Pair(cluster(source), cluster(target), "shop", pgfold)
    sides(pair, VERSION_TABLES,
          "INSERT INTO people (name) VALUES ('mine'), ('both'); INSERT INTO pets (owner, name) VALUES (1, 'Rex'), (2, 'Tom'); INSERT INTO log VALUES ('a'), ('a')",
          "INSERT INTO people (name) VALUES ('theirs'), ('both'); INSERT INTO pets (owner, name) VALUES (1, 'Leo'); INSERT INTO log VALUES ('a')")
    pair.configure(rules(people="rekey", pets="rekey"))
    people = "SELECT id, name FROM people ORDER BY 1; SELECT id, owner, name FROM pets ORDER BY 1; SELECT v FROM log"
    before = pair.target.cluster.psql(pair.name, "-A", "-t", text=people)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(p.name || o.name, ' ' ORDER BY p.name) FROM pets p JOIN people o ON o.id = owner") == "Leotheirs Rexmine Tomboth"
    assert pair.target.sql("SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM log)") == "3|2"
    run = merging.runs(pair.folder)[-1]
    pair.pgfold("verify", status=0)
    fold(pair)
    pair.pgfold("undo", run, "--yes", status=0)
    assert pair.target.cluster.psql(pair.name, "-A", "-t", text=people) == before
    assert pair.target.sql(UNDO) == "0"
