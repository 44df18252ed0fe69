"""A merge on bad days: kill -9, Ctrl-C, sessions that are ended and servers that crash, at every step. The same command then
goes on, and ends with what an undisturbed run ends with; no row comes twice, and nothing is left.

    PGFOLD_KILLS=50 tools/run-tests --no-unit -- tests/cli/test_merge_kills.py              every step, and more random moments
    PGFOLD_KILL=17 tools/run-tests --no-unit -- tests/cli/test_merge_kills.py -k random     one of these again

No moment is guessed but those of the random kills: an event trigger of the target holds the fold before a statement, locks
hold it before a table, a standby that does not exist holds it within COMMIT.
"""
import os
import random
import signal
import sqlite3
import subprocess

import pytest

import harness
import merging
from folding import Lock, assert_same, wait_until, whole

FOLD = ("fold", "--yes", "--no-backup")
OURS = "application_name LIKE 'pgfold%'"
KEY = 77  # of the advisory lock that is the door
if "PGFOLD_KILL" in os.environ:
    SEEDS = [int(os.environ["PGFOLD_KILL"])]
else:
    SEEDS = range(int(os.environ.get("PGFOLD_KILLS", "2")))
ALL = "PGFOLD_KILLS" in os.environ


def some(steps, chosen):
    """All of them take minutes: these unless more is asked for."""
    return steps if ALL else chosen


# --- two databases that have drifted apart --------------------------------------------------------------------------------

BOTH = """
    SET client_min_messages = warning;
    CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customers, what text);
    CREATE TABLE lines (orders int REFERENCES orders, n int, what text, PRIMARY KEY (orders, n));
    CREATE TABLE items (id int PRIMARY KEY, name text, at int);
    CREATE TABLE settings (name text PRIMARY KEY, value text);
    CREATE TABLE log (v text);
    CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'meddled'; RETURN NEW; END $$;
    CREATE TRIGGER meddle BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION meddle(); ALTER TABLE items DISABLE TRIGGER meddle;
    INSERT INTO customers (name) VALUES ('both'); INSERT INTO orders (customer, what) VALUES (1, 'both');
    INSERT INTO items SELECT g, 'item ' || g, 1 FROM generate_series(1, 300) g;
    INSERT INTO settings VALUES ('a', 'b'); INSERT INTO log VALUES ('x'), ('x');
"""
SIDE = """
    INSERT INTO customers (name) SELECT '{who} ' || g FROM generate_series(1, 200) g;
    INSERT INTO orders (customer, what) SELECT id, name || ' order' FROM customers WHERE id > 1;
    INSERT INTO lines SELECT id, 1, what || ' line' FROM orders WHERE id > 1;
"""
MINE = SIDE.format(who="mine") + """
    UPDATE items SET name = 'mine ' || id, at = 2 WHERE id % 10 = 0; INSERT INTO items SELECT g, 'new', 1 FROM generate_series(401, 450) g;
    INSERT INTO settings VALUES ('k', 'mine'), ('only', 'mine'); INSERT INTO log VALUES ('x'), ('y'), ('y');
    CREATE TABLE fresh (id serial PRIMARY KEY, customer int REFERENCES customers, v text);
    INSERT INTO fresh (customer, v) SELECT id, name || ' fresh' FROM customers; CREATE INDEX fresh_v ON fresh (v);
"""
THEIRS = SIDE.format(who="theirs") + """
    ALTER TABLE items ENABLE TRIGGER meddle; ALTER TABLE items ADD COLUMN theirs text DEFAULT 'theirs';
    INSERT INTO settings VALUES ('k', 'theirs'); INSERT INTO log VALUES ('z');
"""
RULES = """fold:
  jobs: 1
  tables:
    public.customers: {on_conflict: rekey}
    public.orders: {on_conflict: rekey}
    public.lines: {on_conflict: keep-target}
    public.items: {on_conflict: take-source}
    public.settings: {on_conflict: keep-target}
"""
STORIES = """
    SELECT concat_ws('/', c.name, o.what, l.what, f.v) FROM customers c LEFT JOIN orders o ON o.customer = c.id LEFT JOIN lines l ON l.orders = o.id
        LEFT JOIN fresh f ON f.customer = c.id
    UNION ALL SELECT 'item ' || i::text FROM items i UNION ALL SELECT 'setting ' || s::text FROM settings s UNION ALL SELECT 'log ' || v FROM log
    UNION ALL SELECT 'count ' || (SELECT count(*) FROM customers) || '/' || (SELECT count(*) FROM orders) || '/' || (SELECT count(*) FROM lines) || '/' ||
        (SELECT count(*) FROM fresh)
    UNION ALL SELECT 'trigger ' || tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1
"""


def fill(pair):
    pair.source.create().sql(BOTH + MINE)
    pair.target.create().sql(BOTH + THEIRS)
    return pair.configure(RULES)


def stories(database):
    return sorted(database.sql(STORIES).splitlines())


@pytest.fixture(scope="session")
def undisturbed(machine, laptop, vps, tmp_path_factory):
    """What a run ends with that nobody disturbs."""
    from conftest import Pair
    pair = fill(Pair(laptop, vps, "undisturbed", harness.Pgfold(machine, tmp_path_factory.mktemp("undisturbed"))))
    pair.pgfold(*FOLD, status=0)
    found = stories(pair.target)
    pair.source.drop()
    pair.target.drop()
    assert len(found) > 700 and "count 401/401/400/201" in found
    return found


class Case:
    """A pair, and what holds its fold at a step."""

    def __init__(self, pair, running):
        self.pair, self.running = pair, running
        self.server = pair.target.cluster
        self.locks, self.process, self.crashed = [], None, False
        fill(pair)
        self.before = whole(pair.target)

    def hold(self, statement, side=None):
        database = side or self.pair.target
        self.locks.append(Lock(database.cluster, database.name, statement))

    def door(self, pattern):
        """Whatever statement of pgfold matches waits until the door is opened."""
        self.hold(f"DO 'BEGIN PERFORM pg_advisory_lock({KEY}); END'")
        self.pair.target.sql(f"""
            CREATE FUNCTION door() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                IF current_query() ~ '{pattern}' AND current_setting('application_name') LIKE 'pgfold%' THEN
                    PERFORM pg_advisory_lock_shared({KEY}); PERFORM pg_advisory_unlock_shared({KEY}); END IF; END $$;
            CREATE EVENT TRIGGER door ON ddl_command_start EXECUTE FUNCTION door();""")

    def start(self, *arguments):
        self.process = self.running(*(arguments or FOLD))

    def stands(self, condition, cluster=None):
        def found():
            assert self.process.poll() is None, self.process.communicate()
            return (cluster or self.server).sql("postgres", f"SELECT pid FROM pg_stat_activity WHERE {OURS} AND {condition}")
        return wait_until(found, f"a fold that stands at {condition}").splitlines()[0]

    def release(self):
        for lock in self.locks:
            if lock.process.poll() is None:
                lock.release()
        self.locks = []
        self.pair.target.sql("DROP EVENT TRIGGER IF EXISTS door; DROP FUNCTION IF EXISTS door()")

    def reach(self, step):
        """Starts a fold; returns the pid of the session that stands at that step, on the server that it is of."""
        if step == "analysis":
            self.hold("LOCK TABLE settings IN ACCESS EXCLUSIVE MODE", self.pair.source)
            self.start()
            return self.stands("wait_event_type = 'Lock'", self.pair.source.cluster)
        if step == "locked":
            self.hold("LOCK TABLE log IN ROW EXCLUSIVE MODE")
            self.start()
            return self.stands("query LIKE '%LOCK TABLE%' AND wait_event_type = 'Lock'")
        if step == "commit":
            self.server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            self.server.sql("postgres", "SELECT pg_reload_conf()")
            self.start()
            return self.stands("wait_event = 'SyncRep'")
        if step == "committed":
            self.door(DOORS["woken"])
            self.start()
            self.stands("wait_event = 'advisory'")
            blocker = subprocess.Popen([harness.client("psql"), "-X", "-q", "-c", "SET application_name = 'blocker'", "-c", "BEGIN; LOCK TABLE log; SELECT pg_sleep(600)"],
                                       env=harness.clean_environment(**self.server.environment(self.pair.name)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: self.server.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE application_name = 'blocker' AND wait_event_type = 'Lock'"), "a blocker")
            for lock in self.locks:
                lock.release()
            self.locks = [Blocker(self.server, blocker)]
            return self.stands("wait_event_type = 'Lock' AND wait_event = 'relation'")
        self.door(DOORS[step])
        self.start()
        return self.stands("wait_event = 'advisory'")

    def calm(self):
        """As after a day on which all is well again."""
        self.server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
        self.server.sql("postgres", "SELECT pg_reload_conf()")
        self.release()

    def end(self, timeout=60):
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def undo_schemas(self):
        return set(self.pair.target.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pgfold%'").split())

    def merges(self):
        """Run -> (state, undo schema), from the ledger."""
        with sqlite3.connect(self.pair.folder / ".pgfold" / "ledger.db") as db:
            return {run: (state, schema) for run, state, schema in db.execute("SELECT run_id, state, undo_schema FROM merge ORDER BY run_id")}

    def nothing_left(self):
        """Only what undo of the committed runs needs."""
        wait_until(lambda: self.server.sql("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE {OURS} AND datname = '{self.pair.name}'") == "0", "the end of its sessions")
        committed = {schema for state, schema in self.merges().values() if state == "committed" and schema} if (self.pair.folder / ".pgfold/ledger.db").exists() else set()
        assert self.undo_schemas() == committed
        if not self.crashed:  # then the server itself takes temporary tables away, when it comes to it
            assert self.pair.target.sql("SELECT count(*) FROM pg_class WHERE relname ~ '^pgfold_[smz][0-9]'") == "0"
        assert not [name for name in self.server.databases() if name.startswith("pgfold_")]

    def goes_on(self, undisturbed):
        """The same command ends as an undisturbed run does; again it changes nothing; undo takes all of it back."""
        pair = self.pair
        pair.pgfold(*FOLD, status=0)
        assert stories(pair.target) == undisturbed
        pair.pgfold("verify", status=0)
        self.nothing_left()
        after = whole(pair.target)
        pair.pgfold(*FOLD, status=0)
        assert_same(whole(pair.target), after)
        assert [state for state, schema in self.merges().values() if schema].count("committed") == 1
        self.undo()

    def undo(self):
        run = next(run for run, (state, schema) in reversed(self.merges().items()) if state == "committed" and schema)
        result = self.pair.pgfold("undo", run, "--yes")
        if result.status == 0:
            assert_same(merging.settled(whole(self.pair.target)), merging.settled(self.before))
            assert not self.undo_schemas()
            return
        assert result.status == 4 and "receipt" in result.err, result
        self.pair.pgfold("undo", "--forget", run, "--yes", status=0)
        assert not self.undo_schemas()
        self.pair.pgfold("verify", status=0)


class Blocker:
    def __init__(self, server, process):
        self.server, self.process = server, process

    def release(self):
        self.server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'blocker'")
        self.process.communicate()


DOORS = {
    "stage": "^CREATE TEMP TABLE pgfold_s1 ",
    "new stage": "^CREATE TEMP TABLE pgfold_s.*fresh",
    "pre-data": '^BEGIN; CREATE SCHEMA "?pgfold_[0-9]',
    "indexes": "CREATE INDEX fresh_v",
    "undo schema": '^CREATE SCHEMA "?pgfold_undo',
    "silenced": "DISABLE TRIGGER meddle",
    "written": "[.]before_[0-9]",
    "woken": "ENABLE TRIGGER meddle",
}
BEFORE = ("analysis", "stage")          # nothing is changed yet
MIDWAY = ("pre-data", "indexes", "new stage", "locked", "silenced", "undo schema", "written", "woken")
AFTER = ("committed",)
STEPS = (*BEFORE, *MIDWAY, "commit", *AFTER)


@pytest.fixture
def case(pair, running):
    made = Case(pair, running)
    yield made
    made.calm()


@pytest.fixture
def own(cluster, pgfold, running):
    """A case on servers of its own, which may crash."""
    from conftest import Pair
    made = Case(Pair(cluster(), cluster(), "own", pgfold), running)
    yield made
    for lock in made.locks:
        lock.process.kill()
        lock.process.communicate()


# --- kill -9 --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("step", STEPS)
def test_kill_9_at_a_step_and_the_same_command_goes_on(request, undisturbed, step):
    case = request.getfixturevalue("own" if step == "commit" else "case")
    case.reach(step)
    case.process.kill()
    case.end()
    case.calm()
    case.goes_on(undisturbed)


def test_kill_9_during_the_backup(case, undisturbed):
    case.start("fold", "--yes")
    ledger = case.pair.folder / ".pgfold" / "ledger.db"

    def backs_up():
        if not ledger.exists():
            return False
        with sqlite3.connect(ledger) as db:
            try:
                return db.execute("SELECT 1 FROM step WHERE name = 'backup' AND state = 'started'").fetchall()
            except sqlite3.OperationalError:  # it is being made
                return False
    wait_until(backs_up, "the backup")
    case.process.kill()
    case.end()
    assert_same(merging.settled(whole(case.pair.target)), merging.settled(case.before))
    case.goes_on(undisturbed)


def random_moment(case, undisturbed, seed, number):
    """Kills somewhere within the time that a whole run takes here."""
    began = case.pair.pgfold(*FOLD, "--dry-run", status=0).seconds
    moment = random.Random(seed).uniform(0, began * 2.5)
    case.start()
    try:
        case.process.wait(moment)
    except subprocess.TimeoutExpired:
        case.process.send_signal(number)
    status, out, err = case.end()
    try:
        if number != signal.SIGKILL:
            assert status in (0, 130, 5), f"exit {status}\n{out}{err}"
            assert status == 0 or "state: " in err, err
            case.nothing_left()
        case.goes_on(undisturbed)
    except AssertionError as error:
        raise AssertionError(f"killed after {moment:.4f} s; again: PGFOLD_KILL={seed}\n{out}{err}\n{error}") from error


@pytest.mark.parametrize("seed", SEEDS)
def test_kill_9_at_a_random_moment(case, undisturbed, seed):
    random_moment(case, undisturbed, seed, signal.SIGKILL)


@pytest.mark.parametrize("seed", SEEDS)
def test_ctrl_c_at_a_random_moment(case, undisturbed, seed):
    random_moment(case, undisturbed, 1000 + seed, signal.SIGINT)


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------------

def outcome(case, status, *states):
    got, out, err = case.end()
    assert got == status, f"exit {got}\n{out}{err}"
    said = [line for line in err.splitlines() if line.lstrip().startswith("state: ")]
    assert len(said) == 1 and any(state in said[0] for state in states), err
    return err


@pytest.mark.parametrize("step", some(STEPS, ["analysis", "new stage", "woken", "commit", "committed"]))
def test_ctrl_c_at_a_step(request, undisturbed, step):
    case = request.getfixturevalue("own" if step == "commit" else "case")
    case.reach(step)
    case.process.send_signal(signal.SIGINT)
    if step in BEFORE:
        outcome(case, 130, "nothing was changed")
    elif step in MIDWAY:
        outcome(case, 5, "was taken away again")
    elif step == "commit":
        outcome(case, 5, "either complete")
    else:
        outcome(case, 5, "is complete in the target")
    case.calm()
    if step not in ("commit", "committed"):
        assert_same(merging.settled(whole(case.pair.target)), merging.settled(case.before))
        assert not list((case.pair.folder / ".pgfold").glob("backups/*.merge"))
        case.nothing_left()
    case.goes_on(undisturbed)


# --- sessions that are ended, servers that crash ------------------------------------------------------------------------------

@pytest.mark.parametrize("step", some([step for step in STEPS if step != "analysis"], ["stage", "locked", "commit"]))
def test_its_session_is_ended_by_an_administrator(request, undisturbed, step):
    case = request.getfixturevalue("own" if step == "commit" else "case")
    case.server.sql("postgres", f"SELECT pg_terminate_backend({case.reach(step)})")
    if step == "stage":
        got, out, err = case.end()
        assert got in (3, 5) and "connection lost" in err, f"exit {got}\n{out}{err}"
    elif step in MIDWAY:
        outcome(case, 5, "was taken away again")
    elif step == "commit":
        outcome(case, 5, "either complete")
    else:
        outcome(case, 5, "is complete in the target")
    case.calm()
    if step not in ("commit", "committed"):
        assert_same(merging.settled(whole(case.pair.target)), merging.settled(case.before))
        case.nothing_left()
    case.goes_on(undisturbed)


CRASHES = [(step, side) for step in ("stage", "indexes", "written", "commit", "committed") for side in ("target", "source") if (step, side) != ("commit", "source")]


@pytest.mark.parametrize("step, side", some(CRASHES, [("written", "target"), ("commit", "target"), ("stage", "source"), ("written", "source")]))
def test_a_server_crashes_and_comes_back(own, undisturbed, step, side):
    own.reach(step)
    server = getattr(own.pair, side).cluster
    server.stop(signal.SIGQUIT)
    server.start()
    if side == "source":
        own.calm()
    own.crashed = side == "target"
    got, out, err = own.end()
    assert got in (3, 5), f"exit {got}\n{out}{err}"
    own.calm()
    if (step, side) == ("written", "source"):
        assert "is complete in the target" in err
    elif step in ("stage", "indexes", "written"):
        assert own.pair.target.sql("SELECT count(*) FROM customers") == "201"
        assert not [name for name in own.undo_schemas() if "undo" in name]
    own.goes_on(undisturbed)


# --- killed after COMMIT, before the ledger said so ------------------------------------------------------------------------

@pytest.mark.parametrize("command", some(["fold", "verify", "plan"], ["verify"]))
def test_a_commit_that_nobody_heard_of_is_found_and_nothing_comes_twice(case, undisturbed, command):
    """The keys and the rows that lost are remembered, whichever command looks first."""
    case.reach("committed")
    case.process.kill()
    case.end()
    with sqlite3.connect(case.pair.folder / ".pgfold" / "ledger.db") as db:
        db.execute("UPDATE merge SET state = 'pending'")
    case.release()
    case.pair.pgfold(*(FOLD if command == "fold" else (command,)), status=0)
    assert [state for state, _ in case.merges().values()][0] == "committed"
    assert stories(case.pair.target) == undisturbed
    case.goes_on(undisturbed)


def test_a_commit_that_comes_after_others_have_looked_is_found_too(own, undisturbed):
    """pgfold is dead, its session still commits; verify and plan look meanwhile and see no trace of it."""
    own.reach("commit")
    own.process.kill()
    own.end()
    own.pair.pgfold("verify", status=1)
    own.pair.pgfold("plan")
    own.calm()
    wait_until(lambda: own.server.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "", "the commit")
    assert stories(own.pair.target) == undisturbed
    own.goes_on(undisturbed)


def test_looking_while_a_fold_is_under_way_does_not_declare_it_dead(case, undisturbed):
    case.reach("woken")
    case.pair.pgfold("verify", status=1)
    case.pair.pgfold("plan")
    case.process.kill()  # as it stands; but what it sends now may still be carried out
    case.end()
    case.release()
    case.goes_on(undisturbed)


@pytest.mark.long
def test_a_ledger_that_cannot_be_written_after_the_commit_costs_nothing(case, undisturbed):
    """The archive of the rows that lost stays, and what is said is true."""
    case.reach("committed")
    with sqlite3.connect(case.pair.folder / ".pgfold" / "ledger.db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        case.release()
        err = outcome(case, 5, "is complete in the target")
        assert "ledger" in err
        db.execute("ROLLBACK")
    assert merging.archive(case.pair.folder)["public.settings"]
    case.goes_on(undisturbed)
