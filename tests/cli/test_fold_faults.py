"""A fold that is interrupted, killed or cut off in each of its phases: nothing is lost, nothing stays behind, the next one
ends well.

No moment is guessed. The source has a function that, where a file says so, waits in the phase of the test: in COPY through a
check, in CREATE INDEX and ANALYZE through an index, in REFRESH through a materialized view. The other phases wait for a lock.
"""
import pathlib
import shutil
import signal
import time

import pytest

from folding import Lock, assert_same, descendants, wait_until, whole

SOURCE = """
    CREATE FUNCTION held(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
        place text := CASE current_setting('unix_socket_directories') WHEN '{vps}' THEN 'target' WHEN '{laptop}' THEN 'source' ELSE 'proof' END;
        phase text := CASE WHEN current_query() LIKE '%COPY %' THEN 'rows' WHEN current_query() LIKE '%CREATE INDEX%' THEN 'indexes'
                           WHEN current_query() LIKE 'ANALYZE%' THEN 'statistics' WHEN current_query() LIKE '%REFRESH%' THEN 'views' ELSE 'none' END;
        file text := '{folder}/' || place || '.' || phase;
    BEGIN
        IF (pg_stat_file(file, true)).size IS NOT NULL THEN
            WHILE (pg_stat_file(file || '.go', true)).size IS NULL LOOP PERFORM pg_sleep(0.02); END LOOP;
        END IF;
        RETURN n;
    END $$;
    CREATE TABLE one (id int PRIMARY KEY, v text, CHECK (held(id) > 0));
    CREATE TABLE two (id int PRIMARY KEY, one int REFERENCES one);
    CREATE INDEX one_held ON one (held(id));
    INSERT INTO one SELECT g, 'v' || g FROM generate_series(1, 100) g; INSERT INTO two SELECT g, g FROM generate_series(1, 100) g;
    CREATE VIEW through AS SELECT * FROM one;
    CREATE MATERIALIZED VIEW seen AS SELECT held(1) AS n, count(*) FROM one;
    SELECT lo_from_bytea(4711, 'large');
    COMMENT ON DATABASE "{name}" IS 'held';
    ALTER TABLE two OWNER TO {role};
"""
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND "
BLOCKED = OURS + "wait_event_type = 'Lock'"
SLEEPING = OURS + "wait_event = 'PgSleep'"
CONNECTED = OURS + "true"
ROWS_COMING = "rows", "indexes", "statistics", "views"


class Held:
    """A pair whose next fold stops in a phase."""

    def __init__(self, pair, running, folder, vps):
        self.pair = pair
        self.running = running
        self.folder = folder
        self.vps = vps
        self.process = None
        self.lock = None
        self.before = None

    def state(self):
        roles = self.vps.sql("postgres", "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles")
        return self.vps.databases(), roles, whole(self.pair.target) if self.pair.target.exists() else None

    def start(self, phase):
        """Starts a fold and returns when it stands in that phase."""
        self.before = self.state()
        arguments = ["fold", "--yes"] + ([] if phase == "backup" else ["--no-backup"])
        getattr(self, "hold_" + phase, lambda: self.hold(f"target.{phase}"))()
        self.process = self.running(*arguments)
        getattr(self, "reach_" + phase, self.reach_sleep)()

    def hold(self, name):
        (self.folder / name).touch()

    def let_go(self):
        """From now on nothing stops; who waits, waits on."""
        for path in self.folder.iterdir():
            path.unlink()
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    def reach_sleep(self):
        wait_until(lambda: self.vps.sql("postgres", SLEEPING) != "0", "a statement that is held")

    def reach_lock(self, server):
        wait_until(lambda: server.sql("postgres", BLOCKED) != "0", "a statement that waits for the lock")

    def hold_analysis(self):
        self.lock = Lock(self.pair.source.cluster, self.pair.name, "LOCK TABLE one IN ACCESS EXCLUSIVE MODE")

    def reach_analysis(self):
        self.reach_lock(self.pair.source.cluster)

    def hold_backup(self):
        self.hold("proof.rows")

    def reach_backup(self):
        def copying():
            for pid in descendants(self.process.pid):
                try:
                    if b" COPY" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                        return True
                except OSError:
                    continue
            return False
        wait_until(copying, "the restore that proves the backup")

    def hold_roles(self):
        self.lock = Lock(self.vps, "postgres", "LOCK TABLE pg_authid IN SHARE MODE")

    def reach_roles(self):
        self.reach_lock(self.vps)

    def hold_database(self):
        self.lock = Lock(self.vps, "postgres", "LOCK TABLE pg_database IN SHARE MODE")

    def reach_database(self):
        self.reach_lock(self.vps)

    def receipt(self):
        return sorted((self.pair.folder / ".pgfold" / "receipts").glob("*.json"))[-1].read_text(encoding="utf-8")

    def stage(self):
        """The database that things are made in."""
        made = self.vps.databases() - self.before[0]
        return made.pop() if made else self.pair.name

    def hold_proof(self):
        self.hold("target.statistics")

    def reach_proof(self):
        self.reach_sleep()
        self.lock = Lock(self.vps, self.stage(), "LOCK TABLE two IN ACCESS EXCLUSIVE MODE")
        (self.folder / "target.statistics.go").touch()
        self.reach_lock(self.vps)

    def hold_commit(self):
        self.hold("target.views")

    def reach_commit(self):
        self.reach_sleep()
        self.lock = Lock(self.vps, "postgres", "LOCK TABLE pg_shdescription IN SHARE MODE")
        (self.folder / "target.views.go").touch()
        self.reach_lock(self.vps)

    def interrupt(self, number=signal.SIGINT):
        """Seconds until it has ended; what it said."""
        children = descendants(self.process.pid)
        began = time.monotonic()
        self.process.send_signal(number)
        if self.lock is not None:  # DROP needs what the test has locked
            wait_until(lambda: self.process.poll() is not None or
                       self.pair.source.cluster.sql("postgres", BLOCKED) == "0" and
                       self.vps.sql("postgres", BLOCKED + " AND query !~ '^(DROP|DO) '") == "0", "the end of the wait for the lock")
            self.lock.release()
            self.lock = None
        _, err = self.process.communicate(timeout=60)
        seconds = time.monotonic() - began
        wait_until(lambda: not [pid for pid in children if pathlib.Path(f"/proc/{pid}").exists()], "the end of its children")
        return seconds, err

    def assert_as_before(self):
        databases, roles, content = self.state()
        assert databases == self.before[0]
        assert roles == self.before[1]
        if content is not None:
            assert_same(content, self.before[2])
        for server in (self.vps, self.pair.source.cluster):
            wait_until(lambda server=server: server.sql("postgres", CONNECTED) == "0", "the end of its connections")

    def fold_well(self):
        """Another fold, with nothing in its way: all arrives."""
        result = self.pair.pgfold("fold", "--yes", "--no-backup", status=0)
        self.pair.pgfold("verify", status=0)
        assert self.pair.target.sql("SELECT count(*) FROM two JOIN one ON one.id = two.one") == "100"
        assert not [name for name in self.vps.databases() if name.startswith("pgfold")]
        assert self.pair.target.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%'") == "0"
        return result


def make_held(pair, running, machine, laptop, vps, request):
    """For a fixture. The parameter "own": with a target server for this test alone."""
    usual = pair.target
    if getattr(request, "param", None) == "own":
        vps = request.getfixturevalue("cluster")()
        pair.target = vps.database(pair.name)
    folder = machine.folder / f"holds-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    role = "held_owner"
    laptop.sql("postgres", f"CREATE ROLE {role}")
    pair.source.create().sql(SOURCE.format(folder=folder, laptop=laptop.folder, vps=vps.folder, name=pair.name, role=role))
    pair.configure()
    made = Held(pair, running, folder, vps)
    yield made
    made.let_go()
    for phase in ROWS_COMING:
        (folder / f"target.{phase}.go").touch()
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()
    for server in (laptop, vps):
        wait_until(lambda server=server: server.sql("postgres", CONNECTED) == "0", "the end of its connections")
    for name in vps.databases():
        if name.startswith("pgfold"):
            vps.database(name).drop()
    pair.source.drop()
    pair.target.drop()
    for server in (laptop, vps):
        server.sql("postgres", f"DROP ROLE IF EXISTS {role}")
    pair.target = usual  # which goes with the pair
    shutil.rmtree(folder)


@pytest.fixture
def held(pair, running, machine, laptop, vps, request):
    yield from make_held(pair, running, machine, laptop, vps, request)


ALL = ("analysis", "backup", "roles", "database", "rows", "indexes", "statistics", "proof", "views", "commit")
EARLY = ("analysis", "backup")
IN_PLACE = ("rows", "indexes", "proof", "views")


@pytest.mark.parametrize("phase", ALL)
def test_ctrl_c_in_any_phase_ends_at_once_and_leaves_nothing(held, phase):
    held.start(phase)
    seconds, err = held.interrupt()
    assert seconds < 8
    assert held.process.returncode == (130 if phase in EARLY else 5), err
    assert "pgfold: error: " in err and "state: " in err, err
    assert ("nothing was changed" if phase in EARLY else "taken away again") in err, err
    held.assert_as_before()
    held.let_go()
    assert "left in the target" not in held.pair.pgfold("status", status=0).out
    backups = held.pair.folder / ".pgfold" / "backups"
    assert not backups.exists() or not list(backups.iterdir()), "a backup that is not proven is none"


@pytest.mark.parametrize("phase", IN_PLACE)
def test_ctrl_c_in_a_database_that_was_there_takes_away_only_its_own(held, phase):
    held.pair.target.create().sql("CREATE TABLE mine (id int PRIMARY KEY); INSERT INTO mine VALUES (1), (2); CREATE VIEW see AS SELECT * FROM mine")
    held.start(phase)
    _, err = held.interrupt(signal.SIGTERM)
    assert held.process.returncode == 5 and "taken away again" in err, err
    held.assert_as_before()
    held.let_go()
    held.fold_well()
    assert held.pair.target.sql("SELECT count(*) FROM see") == "2"


@pytest.mark.parametrize("phase", ALL)
def test_after_kill_9_in_any_phase_the_next_fold_goes_on_and_ends_well(held, phase):
    held.start(phase)
    held.process.kill()
    held.process.communicate()
    held.let_go()  # what is held already stays so: the next fold has to end it
    status = held.pair.pgfold("status", status=0).out
    left = phase not in ("analysis", "backup")
    assert ("left in the target" in status) == left, status
    assert "pgfold fold laptop" in status
    result = held.fold_well()
    assert ("an earlier run had left" in result.err) == (phase == "roles")
    assert ("this one goes on" in result.err) == (left and phase != "roles")
    assert "was made anew" not in held.receipt() or phase in ("database", "commit"), "the source has not changed"


@pytest.mark.parametrize("phase", IN_PLACE)
def test_after_kill_9_in_a_database_that_was_there_the_next_fold_cleans_up_and_ends_well(held, phase):
    held.pair.target.create().sql("CREATE TABLE mine (id int PRIMARY KEY); INSERT INTO mine VALUES (1), (2)")
    held.start(phase)
    held.process.kill()
    held.process.communicate()
    held.let_go()
    assert "left in the target" in held.pair.pgfold("status", status=0).out
    held.fold_well()
    assert held.pair.target.sql("SELECT count(*) FROM mine") == "2"


def test_what_others_make_meanwhile_under_the_name_of_a_new_table_is_not_taken_away(held):
    """The fold stands before it makes its tables; somebody makes one of that name."""
    held.pair.target.create()
    held.start("roles")
    held.pair.target.sql("CREATE TABLE one (mine text); INSERT INTO one VALUES ('not yours')")
    held.lock.release()
    held.lock = None
    _, err = held.process.communicate(timeout=60)
    assert held.process.returncode == 5, err
    assert "one" in err and "taken away again" in err
    assert held.pair.target.sql("SELECT mine FROM one") == "not yours"
    assert held.pair.target.sql("SELECT to_regclass('two'), (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%')") == "|0"


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_connection_that_is_cut_ends_the_fold_with_its_state(held, end):
    held.start("rows")
    server = held.vps if end == "target" else held.pair.source.cluster
    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%'")
    held.let_go()
    for name in ROWS_COMING:
        (held.folder / f"target.{name}.go").touch()
    _, err = held.process.communicate(timeout=60)
    assert held.process.returncode == 5, err
    assert f"{end}" in err and "taken away again" in err
    held.assert_as_before()
    held.let_go()
    held.fold_well()


@pytest.mark.parametrize("held", ["own"], indirect=True)
def test_the_next_fold_goes_on_after_a_target_server_that_died_midway(held):
    held.start("indexes")
    held.vps.stop(signal.SIGQUIT)
    _, err = held.process.communicate(timeout=60)
    assert held.process.returncode == 5, err
    assert "state: the target still holds" in err, err
    held.vps.start()
    held.let_go()
    assert "left in the target" in held.pair.pgfold("status", status=0).out
    assert "this one goes on" in held.fold_well().err


def test_ctrl_c_twice_is_enough_where_cleaning_up_hangs(held):
    held.start("roles")
    held.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    held.process.send_signal(signal.SIGINT)
    _, err = held.process.communicate(timeout=20)
    assert held.process.returncode == 5, err
    held.let_go()
    held.fold_well()
