"""kill -9 at random moments of a fold, and the same command again: it ends with what an undisturbed run ends with, and leaves no more.

    PGFOLD_KILL=17 tools/run-tests --no-unit -- tests/cli/test_fold_kills.py    one of these again; `make test-long` takes fifty

How the second run goes on (from the start, or from where the first one was) is its own business.
"""
import os
import pathlib
import random
import signal
import subprocess

import pytest

import harness
from folding import assert_same, descendants, wait_until, whole

FEW, ALL = 6, 50
NAME, ROLE = "killed", "killed_owner"
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%'"
SOURCE = f"""
    CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good', 'bad'); CREATE EXTENSION citext;
    CREATE TABLE app.parent (id serial PRIMARY KEY, name citext UNIQUE, m app.mood DEFAULT 'good');
    CREATE TABLE app.child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int NOT NULL REFERENCES app.parent, v text);
    CREATE TABLE app.log (v text, n int); CREATE TABLE app.p (id int, v text) PARTITION BY HASH (id);
    CREATE TABLE app.p0 PARTITION OF app.p FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE app.p1 PARTITION OF app.p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO app.parent (name) SELECT 'parent ' || g FROM generate_series(1, 3000) g;
    INSERT INTO app.child (parent, v) SELECT 1 + g % 3000, md5(g::text) FROM generate_series(1, 15000) g;
    INSERT INTO app.log SELECT 'twice', g % 50 FROM generate_series(1, 2000) g; INSERT INTO app.p SELECT g, 'v' || g FROM generate_series(1, 3000) g;
    CREATE INDEX ON app.child (v); CREATE INDEX ON app.child (parent); CREATE INDEX ON app.p (v);
    CREATE VIEW app.seen AS SELECT * FROM app.parent; CREATE MATERIALIZED VIEW app.counted AS SELECT m, count(*) FROM app.parent GROUP BY m;
    CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v = 'touched'; RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON app.child FOR EACH ROW EXECUTE FUNCTION app.touch();
    SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, 'larger'); COMMENT ON LARGE OBJECT 4711 IS 'said';
    CREATE PUBLICATION pub FOR TABLE app.parent; ALTER TABLE app.log OWNER TO {ROLE}; GRANT SELECT ON app.parent TO PUBLIC;
    COMMENT ON DATABASE {NAME} IS 'to be killed'; ALTER DATABASE {NAME} SET work_mem = '5MB'; SELECT setval('app.parent_id_seq', 5000);
    CREATE TABLE public.both (id int PRIMARY KEY, v text); INSERT INTO public.both SELECT g, 'mine' FROM generate_series(1, 500) g;
"""
# What the target has already, where it is there: rows of its own, and some that are to be merged.
THERE = """
    CREATE TABLE public.both (id int PRIMARY KEY, v text); INSERT INTO public.both SELECT g, 'theirs' FROM generate_series(400, 900) g;
    CREATE TABLE public.own (id int PRIMARY KEY); INSERT INTO public.own VALUES (1), (2); CREATE VIEW public.of_own AS SELECT * FROM public.own
"""
FOLD = ("fold", "--yes", "--no-backup")
BACKED_UP = ("fold", "--yes")


class Place:
    """The source, and the target's server put back to where it was."""

    def __init__(self, laptop, vps):
        self.laptop, self.vps = laptop, vps
        self.source, self.target = laptop.database(NAME), vps.database(NAME)

    def reset(self, there):
        for server in (self.laptop, self.vps):
            wait_until(lambda server=server: server.sql("postgres", CONNECTED) == "0", "the end of its connections")
        for name in self.vps.databases():
            if name.startswith("pgfold") or name == NAME:
                self.vps.database(name).drop()
        self.vps.sql("postgres", f"DROP ROLE IF EXISTS {ROLE}")
        if there:
            self.target.create().sql(THERE)

    def configure(self, folder):
        (folder / "pgfold.yaml").write_text(f"version: 1\ntarget:\n  url: \"{self.target.url}\"\nsources:\n  - name: laptop\n    url: \"{self.source.url}\"\n"
                                            "fold: { on_conflict: take-source }\n", encoding="utf-8")

    def state(self):
        """All that a fold may change on the target's server."""
        roles = self.vps.sql("postgres", "SELECT string_agg(concat_ws(' ', rolname, rolcanlogin, shobj_description(oid, 'pg_authid')), ',' ORDER BY rolname) "
                                         "FROM pg_roles WHERE rolname !~ '^pg_'")
        databases = sorted(self.vps.databases())
        assert not [name for name in databases if name.startswith("pgfold")]
        return [f"roles {roles}", f"databases {databases}", *sorted(whole(self.target, "--exclude-schema=pgfold_undo_*"))]


@pytest.fixture(scope="module")
def place(laptop, vps):
    made = Place(laptop, vps)
    laptop.sql("postgres", f"CREATE ROLE {ROLE}")
    made.source.create().sql(SOURCE)
    yield made
    made.reset(False)
    made.source.drop()
    laptop.sql("postgres", f"DROP ROLE {ROLE}")


@pytest.fixture(scope="module")
def undisturbed(place, machine, tmp_path_factory):
    """undisturbed(arguments, there): what a run ends with that nobody disturbs, and the seconds that it takes."""
    found = {}

    def run(arguments, there):
        if (arguments, there) not in found:
            pgfold = harness.Pgfold(machine, tmp_path_factory.mktemp("undisturbed"))
            place.reset(there)
            place.configure(pgfold.cwd)
            seconds = pgfold(*arguments, status=0).seconds
            found[arguments, there] = (place.state(), seconds)
            assert any(line.endswith("\tmine") for line in place.state()) and any("public.own" in line for line in place.state()) == there
        return found[arguments, there]
    return run


def receipts(folder):
    return sorted((folder / ".pgfold" / "receipts").glob("*.json"))


def assert_nothing_left(place, folder, children):
    wait_until(lambda: not [pid for pid in children if pathlib.Path(f"/proc/{pid}").exists()], "the end of its children")
    for server in (place.laptop, place.vps):
        wait_until(lambda server=server: server.sql("postgres", CONNECTED) == "0", "the end of its connections")
    left = [path.name for path in (folder / ".pgfold").iterdir() if path.name not in ("backups", "ledger.db", "lock", "receipts", ".gitignore")]
    assert not left, left
    backups = [path.name for path in (folder / ".pgfold" / "backups").glob("*")]
    assert not [name for name in backups if name.startswith(".")], backups
    assert place.target.sql("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^pgfold_[0-9]'") == "0"


def killed_at(running, arguments, moment):
    """A fold that was killed then, or had ended before; its status, and the processes that it had."""
    process = running(*arguments)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        pass
    children = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode, children


@pytest.mark.parametrize("seed", [int(os.environ["PGFOLD_KILL"])] if "PGFOLD_KILL" in os.environ else
                         [pytest.param(n, marks=[pytest.mark.long] if n >= FEW else []) for n in range(ALL)])
def test_kill_9_at_a_random_moment_and_the_same_command_again(place, undisturbed, pgfold, running, seed):
    there = seed % 2 == 1
    arguments = BACKED_UP if seed >= FEW and seed % 4 >= 2 else FOLD
    wanted, seconds = undisturbed(arguments, there)
    moment = random.Random(seed).uniform(0, seconds)
    place.reset(there)
    place.configure(pgfold.cwd)
    status, children = killed_at(running, arguments, moment)
    print(f"seed {seed}: killed after {moment:.4f} of {seconds:.4f} s: {status}")
    before = receipts(pgfold.cwd)
    try:
        pgfold(*arguments, status=0)
        assert len(receipts(pgfold.cwd)) == len(before) + 1
        assert_same(place.state(), wanted)
        assert_nothing_left(place, pgfold.cwd, children)
        pgfold("verify", status=0)
        assert "left in the target" not in pgfold("status", status=0).out
    except AssertionError as error:
        raise AssertionError(f"killed after {moment:.4f} of {seconds:.4f} s; again: PGFOLD_KILL={seed}\n{error}") from error
