"""Bad days of a fold: disks that fill up, targets that vanish, timeouts, privileges that are missing. Each time one error, with what
to do; nothing is lost, nothing stays behind, and the next fold ends well."""
import os
import signal
import subprocess

import pytest

from folding import assert_one_error, assert_same, wait_until, whole
from test_fold_faults import CONNECTED, ROWS_COMING, make_held

ROWS = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b');"


@pytest.fixture
def held(pair, running, machine, laptop, vps, request):
    yield from make_held(pair, running, machine, laptop, vps, request)


@pytest.fixture
def role(vps, pair, request):
    """A role of the target that may log in and nothing else. A name that needs quotes."""
    name = "Bad days"
    vps.sql("postgres", f'CREATE ROLE "{name}" LOGIN')

    def drop():
        pair.target.drop()
        vps.sql("postgres", f'DROP ROLE "{name}"')
    request.addfinalizer(drop)
    return name


# --- disks ----------------------------------------------------------------------------------------------------------------

class Disk:
    """A small file system."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "pgfold-test", str(folder)], capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")

    def grow(self, megabytes):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(self.folder)], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system")
@pytest.mark.parametrize("what", ["rows", pytest.param("index", marks=pytest.mark.long)])
def test_a_disk_that_fills_up_under_the_target_is_named_and_nothing_is_left(pair, machine, vps, what, request):
    folder = machine._own_folder(f"full-{what}")
    owner = folder.stat()
    disk = Disk(folder, 20)
    os.chown(folder, owner.st_uid, owner.st_gid)

    def drop():
        pair.target.drop()
        vps.sql("postgres", "DROP TABLESPACE IF EXISTS full_disk")
        disk.remove()
    request.addfinalizer(drop)
    vps.sql("postgres", f"CREATE TABLESPACE full_disk LOCATION '{folder}'")
    vps.sql("postgres", f'CREATE DATABASE "{pair.name}" TABLESPACE full_disk')
    pair.target.sql("CREATE TABLE mine (id int PRIMARY KEY); INSERT INTO mine VALUES (1)")
    before = whole(pair.target)
    rows = 17000 if what == "index" else 35000
    pair.source.create().sql(f"""
        CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE big (id int PRIMARY KEY, v text);
        INSERT INTO big SELECT g, (SELECT string_agg(md5((g * 31 + k)::text), '') FROM generate_series(1, 15) k) FROM generate_series(1, {rows}) g;
        CREATE INDEX big_v ON big (v)""")
    result = pair.configure().pgfold("fold", "--yes", "--no-backup", status=5)
    assert_one_error(result, "target", "index" if what == "index" else "copying public.big", "No space left on device", "Make room", state="taken away again")
    assert_same(whole(pair.target), before)
    disk.grow(200)
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("verify", status=0)
    assert pair.target.sql("SELECT (SELECT count(*) FROM mine), (SELECT count(*) FROM big)") == f"1|{rows}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system")
def test_a_full_disk_under_the_state_folder_stops_before_anything_is_changed(pair, request):
    pair.source.create().sql(ROWS)
    pair.configure()
    state = pair.folder / ".pgfold"
    disk = Disk(state, 1)
    request.addfinalizer(disk.remove)
    state.chmod(0o700)
    (state / "filler").write_bytes(b"x" * ((1 << 20) - 8192))
    result = pair.pgfold("fold", "--yes", "--no-backup")
    assert result.status not in (0, 70), result
    assert_one_error(result)
    assert not pair.target.exists() and not [name for name in pair.target.cluster.databases() if name.startswith("pgfold")]
    (state / "filler").unlink()
    disk.grow(64)
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(pair.target), whole(pair.source))


# --- targets that vanish --------------------------------------------------------------------------------------------------

def go(held):
    held.let_go()
    for name in ROWS_COMING:
        (held.folder / f"target.{name}.go").touch()


def end(held):
    """The standard error of the fold, which has failed midway."""
    out, err = held.process.communicate(timeout=60)
    assert held.process.returncode == 5, f"{out}\n{err}"
    assert len([line for line in err.splitlines() if line.startswith("pgfold: error: ")]) == 1 and "  hint: " in err, err
    return err


@pytest.mark.parametrize("there", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_target_that_is_dropped_midway(held, there):
    """Its own new database, or the one that was there: whoever drops it had a reason."""
    if there:
        held.pair.target.create().sql("CREATE TABLE mine (id int)")
    held.start("indexes")
    dropped = held.stage()
    held.vps.database(dropped).drop()
    go(held)
    err = end(held)
    assert "state: " in err and "target" in err
    wait_until(lambda: held.vps.sql("postgres", CONNECTED) == "0", "the end of its connections")
    assert not [name for name in held.vps.databases() if name.startswith("pgfold") or name == held.pair.name]
    held.let_go()
    held.fold_well()


@pytest.mark.parametrize("held", ["own"], indirect=True)
@pytest.mark.parametrize("how, there", [("restart", True), ("kill -9 of a session", False),
                                        *(pytest.param(how, there, marks=pytest.mark.long) for how, there in (("restart", False), ("kill -9 of a session", True)))])
def test_a_target_that_is_back_at_once(held, how, there):
    if there:
        held.pair.target.create().sql("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)")
    held.start("indexes")
    if how == "restart":
        held.vps.stop(signal.SIGINT)
        held.vps.start()
    else:  # the server ends all sessions then, and recovers
        pid = int(held.vps.sql("postgres", "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND wait_event = 'PgSleep' LIMIT 1"))
        os.kill(pid, signal.SIGKILL)
    err = end(held)
    assert "state: " in err and "target" in err
    go(held)
    wait_until(lambda: answers(held.vps), "the server")
    held.fold_well()
    if there:
        assert held.pair.target.sql("SELECT count(*) FROM mine") == "1"


def answers(server):
    try:
        return server.sql("postgres", "SELECT 1") == "1"
    except AssertionError:
        return False


# --- timeouts -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", ["server", pytest.param("database", marks=pytest.mark.long)])
def test_timeouts_of_server_and_database_do_not_matter(pair, laptop, vps, place, request):
    """While an index takes its time on the target, the sessions to the source are idle, and one is idle in its transaction."""
    pair.source.create().sql("""
        CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN n; END $$;
        CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (slow(id));""")
    pair.target.create().sql("CREATE TABLE t2 (id int PRIMARY KEY, v text)")
    pair.source.sql("CREATE TABLE t2 (id int PRIMARY KEY, v text); INSERT INTO t2 VALUES (1, 'x')")
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout")

    def reset():
        for server in (laptop, vps):
            for name in names:
                server.psql("postgres", "-c", "SET statement_timeout = 0", "-c", f"ALTER SYSTEM RESET {name}")
            server.sql("postgres", "SELECT pg_reload_conf()")
            wait_until(lambda server=server: server.sql("postgres", "SHOW statement_timeout") == "0", "the old settings")
    if place == "server":
        request.addfinalizer(reset)
    for server in (laptop, vps):
        for name in names:
            what = "SYSTEM" if place == "server" else f'DATABASE "{pair.name}"'
            server.sql("postgres", f"ALTER {what} SET {name} = '250ms'")
        server.sql("postgres", "SELECT pg_reload_conf()")
    for server in (laptop, vps) if place == "server" else ():
        wait_until(lambda server=server: server.sql("postgres", "SHOW statement_timeout") == "250ms", "the settings")
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("verify", status=0)
    assert pair.target.sql("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t2)") == "1|1"


# --- privileges -----------------------------------------------------------------------------------------------------------

def test_the_exact_grants_that_a_merge_lacks_are_named_one_and_all(pair, vps, role):
    name = pair.name
    pair.source.create().sql(ROWS)
    pair.target.create().sql(f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (2, 'other'); GRANT SELECT ON t TO \"{role}\";"
                             f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    pair.configure("fold: { on_conflict: take-source }\n", target_url=vps.url(name, user=role))
    arguments = ("fold", "--yes", "--no-backup", "--no-owner", "--no-privileges")
    given = []
    while True:  # some can only be known when others are given
        result = pair.pgfold(*arguments)
        if result.status == 0:
            break
        assert result.status == 4, result
        assert_one_error(result, state="nothing was changed")
        grants = [line[line.index("GRANT "):].rstrip() for line in result.err.splitlines() if "GRANT " in line]
        assert grants and not set(grants) & set(given), result
        pair.target.sql(";".join(grants))
        given += grants
    wanted = [f"CREATE ON DATABASE {name}", "INSERT ON public.t", f"TEMPORARY ON DATABASE {name}", "UPDATE ON public.t"]
    assert sorted(grant.replace('"', "") for grant in set(given)) == [f"GRANT {what} TO {role}" for what in wanted]
    assert pair.target.sql("SELECT string_agg(v, ',' ORDER BY id) FROM t") == "a,b"


def test_row_security_that_hides_rows_of_the_target_is_refused(pair, vps, role):
    pair.source.create().sql(ROWS)
    pair.target.create().sql(f"{ROWS} ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 2); GRANT ALL ON t TO \"{role}\"")
    before = whole(pair.target)
    pair.configure(target_url=vps.url(pair.name, user=role))
    for command in (("plan",), ("verify",), ("fold", "--yes", "--no-backup")):
        assert_one_error(pair.pgfold(*command, status=4), "target", "row security hides rows", "public.t", "BYPASSRLS")
    assert_same(whole(pair.target), before)


# --- pgfold.yaml ----------------------------------------------------------------------------------------------------------

GOOD = "version: 1\ntarget: { url: 'TARGET' }\nsources: [{ name: laptop, url: 'SOURCE' }]\n"
MISTAKES = {
    "empty": ("", "version"),
    "no mapping": ("- a\n", "pgfold.yaml:1"),
    "not YAML": ("version: [1\n", "pgfold.yaml:"),
    "tab": ("version: 1\n\ttarget: x\n", "pgfold.yaml:2"),
    "no version": (GOOD.replace("version: 1\n", ""), "version"),
    "other version": (GOOD.replace("version: 1", "version: 2"), "version"),
    "no target": ("version: 1\nsources: [{ name: a, url: 'SOURCE' }]\n", "target"),
    "no sources": ("version: 1\ntarget: { url: 'TARGET' }\n", "sources"),
    "unknown key": (GOOD + "fould: {}\n", "fold"),
    "unknown inner key": (GOOD + "fold: { job: 4 }\n", "jobs"),
    "twice": (GOOD + "version: 1\n", "pgfold.yaml:4:1"),
    "wrong type": (GOOD + "fold: { jobs: many }\n", "pgfold.yaml:4"),
    "out of range": (GOOD + "fold: { jobs: 0 }\n", "jobs"),
    "two of a name": (GOOD.replace("sources: [", "sources: [{ name: laptop, url: 'SOURCE' }, "), "laptop"),
    "no name": (GOOD.replace("name: laptop, ", ""), "name"),
    "bad name": (GOOD.replace("name: laptop", "name: '../x'"), "../x"),
    "unset variable": (GOOD.replace("TARGET", "${PGFOLD_TEST_UNSET}"), "PGFOLD_TEST_UNSET"),
    "default": (GOOD.replace("TARGET", "${DATABASE_URL:-postgresql:///app}"), "default"),
    "no url": (GOOD.replace("url: 'TARGET'", "url: []"), "pgfold.yaml:2"),
    "identity is a number": (GOOD.replace("'TARGET' }", "'TARGET', identity: 0x10 }"), "identity"),
    "unknown rule": (GOOD + "fold: { on_conflict: newest }\n", "on_conflict"),
    "table without schema": (GOOD + "fold: { tables: { t: { skip: true } } }\n", "pgfold.yaml:4"),
    "rule and skip": (GOOD + "fold: { tables: { public.t: { skip: maybe } } }\n", "skip"),
    "size": (GOOD + "fold: { split_above: 3 apples }\n", "split_above"),
    "anchor": ("version: &a 1\ntarget: { url: *b }\n", "pgfold.yaml:"),
}


def test_every_kind_of_mistake_in_pgfold_yaml_is_one_error_with_its_place(pair):
    pair.source.create().sql(ROWS)
    for name, (text, words) in MISTAKES.items():
        pair.config.write_text(text.replace("SOURCE", pair.source.url).replace("TARGET", pair.target.url))
        for command in (("fold", "--yes"), ("plan",)):
            result = pair.pgfold(*command)
            assert result.status == 2, f"{name}: {result}"
            assert_one_error(result, words, "pgfold.yaml")
    assert not pair.target.exists() and not (pair.folder / ".pgfold").exists()
