"""pgfold fence: nothing is written to a source behind the proof, and --lift puts everything back as it was."""
import json
import os
import pty
import select
import signal
import subprocess
import threading
import time

import pytest

import documents
import harness
from folding import Lock, assert_one_error, wait_until

MAIN_VERSIONS = (12, 15, 18)
APP, OTHER = "fence_app", "fence_other"
SETTINGS = "SELECT d.datname, r.rolname, s.setconfig FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase " \
           "LEFT JOIN pg_roles r ON r.oid = s.setrole ORDER BY 1, 2"


class Fenced:
    """A database of a role of its own on a server, as pgfold's source."""

    def __init__(self, pair, owner=None):
        self.pair, self.server, self.name = pair, pair.source.cluster, pair.name
        self.admin("DROP ROLE IF EXISTS fence_boss; CREATE ROLE fence_boss LOGIN")
        for role in (APP, OTHER):
            self.admin(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")
        self.admin(f'CREATE DATABASE "{self.name}" OWNER {owner or APP}')
        self.sql(f"CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (0); ALTER TABLE t OWNER TO {owner or APP};"
                 f"GRANT ALL ON t TO {APP}, {OTHER}; GRANT ALL ON SCHEMA public TO {APP}, {OTHER}")
        pair.configure(source_url=self.server.url(self.name, owner or "postgres"))
        self.psqls = []

    def admin(self, text):
        return "\n".join(self.server.sql("postgres", statement) for statement in text.split(";") if statement.strip())

    def sql(self, text):
        return self.server.sql(self.name, text)

    def acl(self):
        return self.admin(f"SELECT datacl IS NULL, datacl FROM pg_database WHERE datname = '{self.name}'")

    def state(self):
        return self.acl(), self.admin(SETTINGS)

    def dependencies(self):
        """What pg_shdepend knows about the privileges of the database."""
        return self.admin("SELECT refobjid, deptype FROM pg_shdepend WHERE classid = 'pg_database'::regclass AND objid = "
                          f"(SELECT oid FROM pg_database WHERE datname = '{self.name}') ORDER BY 1, 2")

    def as_role(self, role, text):
        """(exit status, output) of one session."""
        environment = harness.clean_environment(**{**self.server.environment(self.name), "PGUSER": role})
        result = subprocess.run([harness.client("psql"), "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-c", text],
                                env=environment, capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout + result.stderr

    def session(self, role):
        """A psql that stays; say() sends it a line and gives the answer."""
        self.psqls.append(Psql(self.server, self.name, role))
        return self.psqls[-1]

    def fence(self, *arguments, status=0):
        return self.pair.pgfold("fence", "laptop", "--yes", *arguments, status=status)

    def close(self):
        for psql in self.psqls:
            psql.close()
        self.pair.source.drop()
        self.pair.target.drop()
        for server in (self.server, self.pair.target.cluster):
            for role in (APP, OTHER, "fence_boss"):
                server.sql("postgres", f"DROP ROLE IF EXISTS {role}")


class Psql:
    def __init__(self, server, database, role):
        environment = harness.clean_environment(**{**server.environment(database), "PGUSER": role, "PGAPPNAME": "the writer"})
        self.process = subprocess.Popen([harness.client("psql"), "-X", "-q", "-A", "-t"], env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=1)

    def say(self, text):
        """The answer, or None when the session has ended."""
        try:
            self.process.stdin.write(text + "\n\\echo END\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return None
        lines = []
        for line in self.process.stdout:
            if line == "END\n":
                return "".join(lines)
            lines.append(line)
        return None

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def fenced(pair):
    made = Fenced(pair)
    yield made
    made.close()


@pytest.fixture
def on_version(cluster, pgfold, request):
    """on_version(12): as fenced, on servers of that version."""
    made = []

    def make(version, owner=None, **settings):
        from conftest import Pair
        made.append(Fenced(Pair(cluster(version, **settings), cluster(version), "shop", pgfold), owner))
        return made[-1]
    yield make
    for one in made:
        one.close()


# --- closed -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version_", MAIN_VERSIONS)
def test_a_fence_shuts_others_out_ends_their_sessions_and_refuses_writes(on_version, version_):
    fenced = on_version(version_)
    before = fenced.state()
    writer = fenced.session(APP)
    assert writer.say("INSERT INTO t VALUES (1) RETURNING id;") == "1\n"
    result = fenced.fence()
    assert "the writer" in result.out and "fenced" in result.out
    assert "INSERT" not in (writer.say("INSERT INTO t VALUES (2) RETURNING id;") or "")
    status, said = fenced.as_role(APP, "SELECT 1")
    assert status != 0 and "CONNECT" in said
    status, said = fenced.as_role("postgres", "INSERT INTO t VALUES (3)")
    assert status != 0 and "25006" in said
    assert fenced.sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM t") == "0,1"
    assert "fenced" in fenced.pair.pgfold("status", status=0).out
    fenced.fence("--lift")
    assert fenced.state() == before
    assert fenced.as_role(APP, "INSERT INTO t VALUES (4)")[0] == 0
    assert fenced.pair.pgfold("status", "--json", status=0).json()["sources"][0]["fence"] is None


@pytest.mark.parametrize("version_", MAIN_VERSIONS)
def test_the_owner_of_the_database_may_fence_it_without_being_superuser(on_version, version_):
    fenced = on_version(version_, owner="fence_boss")
    fenced.admin(f"GRANT pg_signal_backend TO fence_boss; GRANT CONNECT ON DATABASE shop TO {APP}")
    acl = fenced.acl()
    settings = fenced.admin(SETTINGS)
    writer = fenced.session(APP)
    writer.say("SELECT 1;")
    fenced.fence()
    assert not writer.say("SELECT 1;")
    status, said = fenced.as_role("fence_boss", "INSERT INTO t VALUES (3)")
    assert status != 0 and "25006" in said
    assert fenced.as_role(OTHER, "SELECT 1")[0] != 0
    fenced.fence("--lift")
    assert fenced.admin(SETTINGS) == settings
    assert fenced.admin("SELECT x.* FROM pg_database, aclexplode(datacl) x WHERE datname = 'shop' ORDER BY 1, 2, 3") == \
        fenced.admin(f"SELECT x.* FROM aclexplode('{acl.partition('|')[2]}') x ORDER BY 1, 2, 3")


def test_an_owner_whose_connect_comes_from_public_does_not_shut_himself_out(on_version):
    fenced = on_version(15, owner="fence_boss")
    fenced.admin("REVOKE CONNECT ON DATABASE shop FROM fence_boss")
    before = fenced.acl()
    fenced.fence()
    assert fenced.as_role("fence_boss", "SELECT 1")[0] == 0
    fenced.fence("--lift")
    assert sorted(fenced.acl()) == sorted(before)


ACLS = {
    "default": "",
    "nobody": f"REVOKE ALL ON DATABASE {{d}} FROM PUBLIC; REVOKE ALL ON DATABASE {{d}} FROM {APP}",
    "named": f"REVOKE ALL ON DATABASE {{d}} FROM PUBLIC; GRANT CONNECT ON DATABASE {{d}} TO {OTHER}; GRANT TEMP ON DATABASE {{d}} TO fence_boss; "
             f"GRANT CONNECT ON DATABASE {{d}} TO fence_boss",
    "order": f"GRANT CONNECT ON DATABASE {{d}} TO {OTHER}; GRANT CREATE, CONNECT ON DATABASE {{d}} TO fence_boss",
    "chain": f"GRANT CONNECT ON DATABASE {{d}} TO {OTHER} WITH GRANT OPTION; SET ROLE {OTHER}; GRANT CONNECT ON DATABASE {{d}} TO fence_boss",
    "ours": "GRANT CONNECT ON DATABASE {d} TO postgres WITH GRANT OPTION",
}


@pytest.mark.parametrize("acl", ACLS)
def test_privileges_come_back_exactly_as_they_were_stored(fenced, acl):
    statements = ACLS[acl].format(d=fenced.name)
    fenced.server.psql("postgres", text=statements)
    before, dependencies = fenced.acl(), fenced.dependencies()
    assert before.startswith("t" if acl == "default" else "f")
    fenced.fence()
    assert "c" not in fenced.admin("SELECT coalesce(string_agg(a.grantee::regrole::text, ','), '') FROM pg_database d, aclexplode(d.datacl) a "
                                   f"WHERE datname = '{fenced.name}' AND privilege_type = 'CONNECT' AND grantee <> 'postgres'::regrole")
    fenced.fence("--lift")
    assert fenced.acl() == before
    assert fenced.dependencies() == dependencies


@pytest.mark.parametrize("setting", [
    "ALTER DATABASE {d} SET default_transaction_read_only = on",
    "ALTER DATABASE {d} SET default_transaction_read_only = off; ALTER DATABASE {d} SET work_mem = '5MB'",
    "ALTER DATABASE {d} SET work_mem = '5MB'; ALTER ROLE postgres IN DATABASE {d} SET default_transaction_read_only = 'false'; "
    "ALTER ROLE postgres IN DATABASE {d} SET search_path = public, other",
    "ALTER ROLE fence_other SET default_transaction_read_only = off; ALTER ROLE fence_boss SET default_transaction_read_only = on",
    "ALTER ROLE fence_other SET default_transaction_read_only = off; ALTER ROLE fence_other IN DATABASE {d} SET default_transaction_read_only = on",
])
def test_settings_that_were_there_come_back_and_none_gets_around_the_fence(fenced, setting):
    fenced.admin(setting.format(d=fenced.name))
    before = fenced.state()
    fenced.fence()
    fenced.admin(f"GRANT CONNECT ON DATABASE {fenced.name} TO {OTHER}")
    for role in ("postgres", OTHER):
        status, said = fenced.as_role(role, "INSERT INTO t VALUES (3)")
        assert status != 0 and "25006" in said, role
    fenced.admin(f"REVOKE CONNECT ON DATABASE {fenced.name} FROM {OTHER}")
    fenced.fence("--lift")
    assert fenced.state() == before


def test_a_role_that_is_dropped_while_the_fence_stands_is_named_by_lift(fenced):
    fenced.admin(f"GRANT CONNECT ON DATABASE {fenced.name} TO fence_boss")
    fenced.fence()
    fenced.admin("DROP ROLE fence_boss")
    result = fenced.fence("--lift")
    assert "does not exist any more" in result.err
    assert fenced.as_role(APP, "INSERT INTO t VALUES (4)")[0] == 0


# --- refused: nothing is changed ----------------------------------------------------------------------------------------

def refused(fenced, *words):
    before = fenced.state()
    result = fenced.fence(status=4)
    assert_one_error(result, *words, state="nothing was changed")
    assert fenced.state() == before
    return result


def test_who_does_not_own_the_database_gets_the_statement_that_is_needed(fenced):
    fenced.pair.configure(source_url=fenced.server.url(fenced.name, OTHER))
    refused(fenced, f'GRANT "{APP}" TO "{OTHER}";', f'ALTER DATABASE "{fenced.name}" OWNER TO "{OTHER}";')
    fenced.admin(f"GRANT {APP} TO {OTHER}")
    fenced.fence()
    assert fenced.as_role(OTHER, "SELECT 1")[0] == 0
    fenced.admin(f"REVOKE {APP} FROM {OTHER}")
    assert_one_error(fenced.fence("--lift", status=4), f'GRANT "{APP}" TO "{OTHER}";', state="the fence stands as before")
    fenced.admin(f"GRANT {APP} TO {OTHER}")
    fenced.fence("--lift")


def test_sessions_that_may_not_be_ended_are_a_reason_to_refuse(fenced):
    fenced.pair.configure(source_url=fenced.server.url(fenced.name, APP))
    one, two = fenced.session(OTHER), fenced.session("postgres")
    one.say("SELECT 1;")
    refused(fenced, f'GRANT pg_signal_backend TO "{APP}";')
    one.close()
    two.say("SELECT 1;")
    wait_until(lambda: fenced.admin(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{fenced.name}'") == "1", "one session")
    refused(fenced, "only a superuser may end it")


def test_a_prepared_transaction_could_still_be_committed(on_version):
    fenced = on_version(15, max_prepared_transactions="2")
    fenced.sql("BEGIN; INSERT INTO t VALUES (9); PREPARE TRANSACTION 'it''s late'")
    refused(fenced, "COMMIT PREPARED 'it''s late'; or ROLLBACK PREPARED 'it''s late';")
    fenced.sql("ROLLBACK PREPARED 'it''s late'")
    fenced.fence()


@pytest.mark.parametrize("version_", [pytest.param(v, marks=[] if v == max(MAIN_VERSIONS) else pytest.mark.long) for v in MAIN_VERSIONS])
def test_an_enabled_subscription_writes_behind_any_fence(on_version, cluster, version_):
    """Its worker does not ask whether its transaction is read-only: seen here, and the reason why fence refuses."""
    fenced = on_version(version_)
    publisher = cluster(version_, wal_level="logical")
    publisher.create("pub")
    publisher.sql("pub", "CREATE TABLE t (id bigint PRIMARY KEY)")
    publisher.sql("pub", "CREATE PUBLICATION p FOR TABLE t")
    fenced.sql(f"CREATE SUBSCRIPTION feed CONNECTION 'host={publisher.folder} dbname=pub user=postgres' PUBLICATION p WITH (copy_data = false)")
    refused(fenced, "ALTER SUBSCRIPTION feed DISABLE;")
    fenced.admin("ALTER DATABASE shop SET default_transaction_read_only = on")
    fenced.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%worker'")
    publisher.sql("pub", "INSERT INTO t VALUES (77)")
    wait_until(lambda: fenced.sql("SELECT count(*) FROM t WHERE id = 77") == "1", "a row written by the worker")
    fenced.server.psql("shop", text="SET default_transaction_read_only = off; ALTER SUBSCRIPTION feed DISABLE;")
    fenced.fence()
    fenced.fence("--lift")
    fenced.server.psql("shop", text="SET default_transaction_read_only = off; DROP SUBSCRIPTION feed;")


def test_a_protected_database_and_the_target_itself_are_not_fenced(fenced):
    fenced.pair.configure(f"protect:\n  databases: [{fenced.name}]\n")
    assert_one_error(fenced.fence(status=4), "protected")
    fenced.pair.configure(target_url=fenced.server.url(fenced.name))
    assert_one_error(fenced.fence(status=3), "the same database")
    assert fenced.acl().startswith("t")


def test_a_standby_is_not_fenced(on_version):
    fenced = on_version(15)
    server = fenced.server
    server.stop()
    (server.data / "standby.signal").touch()
    server.start()
    assert_one_error(fenced.fence(status=4), "fence the primary")
    (server.data / "standby.signal").unlink()
    server.stop()
    server.start()


def test_without_a_name_or_without_a_yes_nothing_is_fenced(fenced):
    assert_one_error(fenced.pair.pgfold("fence", "--yes", status=2), "wants the name of a source")
    assert_one_error(fenced.pair.pgfold("fence", "laptop", status=4), "nothing was changed")
    assert fenced.acl().startswith("t")


def test_a_dry_run_shows_everything_and_changes_nothing(fenced):
    before = fenced.state()
    fenced.session(APP).say("SELECT 1;")
    result = fenced.fence("--dry-run", "--json")
    document = documents.check(result.json(), "fence")
    source = document["sources"][0]
    assert (document["dry_run"], source["outcome"]) == (True, "ready")
    assert any("REVOKE" in text for text in source["statements"])
    assert [session["application"] for session in source["sessions"]] == ["the writer"]
    assert fenced.state() == before
    assert "the writer" in fenced.fence("--dry-run").out


# --- again and again ----------------------------------------------------------------------------------------------------

def test_a_second_fence_changes_nothing_and_one_lift_undoes_both(fenced):
    before = fenced.state()
    fenced.fence()
    standing = fenced.state()
    document = documents.check(fenced.fence("--json").json(), "fence")
    assert (document["sources"][0]["outcome"], document["sources"][0]["statements"]) == ("fenced", [])
    assert fenced.state() == standing
    documents.check(fenced.fence("--lift", "--dry-run", "--json").json(), "fence")
    assert fenced.state() == standing
    document = documents.check(fenced.fence("--lift", "--json").json(), "fence")
    assert document["sources"][0]["outcome"] == "lifted"
    assert fenced.state() == before
    document = documents.check(fenced.fence("--lift", "--json").json(), "fence")
    assert document["sources"][0]["outcome"] == "open"
    assert fenced.state() == before


def test_sessions_that_began_behind_the_fence_are_left_alone_by_a_second(fenced):
    fenced.fence()
    reader = fenced.session("postgres")
    reader.say("SELECT 1;")
    fenced.fence()
    assert reader.say("SELECT 1;") == "1\n"


def test_a_hole_that_somebody_made_is_closed_again_and_lift_still_gives_back_the_first_state(fenced):
    fenced.admin(f"GRANT CONNECT ON DATABASE {fenced.name} TO {OTHER} WITH GRANT OPTION; "
                 f"ALTER ROLE {APP} IN DATABASE {fenced.name} SET default_transaction_read_only = off")
    before = fenced.state()
    fenced.fence()
    fenced.admin(f"ALTER DATABASE {fenced.name} SET default_transaction_read_only = off; GRANT CONNECT ON DATABASE {fenced.name} TO {APP}, {OTHER}")
    writer = fenced.session(APP)
    writer.say("SELECT 1;")
    fenced.fence()
    assert not writer.say("SELECT 1;")
    assert fenced.as_role(APP, "SELECT 1")[0] != 0
    fenced.fence("--lift")
    assert fenced.state() == before


def test_a_fence_made_by_hand_is_recorded_and_lifted_to_the_same(fenced):
    fenced.admin(f"ALTER DATABASE {fenced.name} SET default_transaction_read_only = on; REVOKE CONNECT ON DATABASE {fenced.name} FROM PUBLIC, {APP}")
    before = fenced.state()
    assert "not by a fence that this ledger knows" in fenced.fence("--lift").err
    fenced.fence()
    fenced.fence("--lift")
    assert fenced.state() == before


class Terminal:
    """pgfold on a terminal of its own."""

    def __init__(self, pair, *arguments):
        self.master, terminal = pty.openpty()
        self.process = pair.pgfold.start(*arguments, stdin=terminal, stderr=terminal)
        os.close(terminal)

    def wait_for(self, text):
        seen = b""
        until = time.monotonic() + 30
        while text.encode() not in seen:
            assert time.monotonic() < until, seen
            if select.select([self.master], [], [], 0.1)[0]:
                seen += os.read(self.master, 4096)
        return seen.decode()

    def answer(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """(status, what was said after the last wait_for)"""
        said = b""
        while True:
            try:
                piece = os.read(self.master, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        self.process.communicate(timeout=60)
        os.close(self.master)
        return self.process.returncode, said.decode()


def test_both_questions_can_be_answered_with_no(fenced):
    before = fenced.state()
    writer = fenced.session(APP)
    writer.say("SELECT 1;")
    terminal = Terminal(fenced.pair, "fence", "laptop")
    terminal.wait_for("[y/N]")
    terminal.answer("n\n")
    assert terminal.end()[0] == 4
    assert fenced.state() == before
    terminal = Terminal(fenced.pair, "fence", "laptop")
    terminal.wait_for("[y/N]")
    terminal.answer("y\n")
    terminal.wait_for("End this session? [y/N]")
    terminal.answer("n\n")
    status, said = terminal.end()
    assert status == 5 and "the fence stands for new sessions" in said and "fence laptop --lift" in said
    assert writer.say("INSERT INTO t VALUES (1) RETURNING id;") == "1\n"
    fenced.fence()
    assert not writer.say("SELECT 1;")
    fenced.fence("--lift")
    assert fenced.state() == before


@pytest.mark.parametrize("question, status", [(1, 130), (2, 5)])
def test_ctrl_c_at_a_question_says_what_stands(fenced, question, status):
    before = fenced.state()
    fenced.session(APP).say("SELECT 1;")
    terminal = Terminal(fenced.pair, "fence", "laptop")
    terminal.wait_for("[y/N]")
    if question == 2:
        terminal.answer("y\n")
        terminal.wait_for("End this session? [y/N]")
    terminal.process.send_signal(signal.SIGINT)
    got, said = terminal.end()
    assert got == status, said
    assert (fenced.state() == before) == (question == 1)
    fenced.fence("--lift")
    assert fenced.state() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("after", [True, False])
def test_a_fence_that_is_stopped_in_its_transaction_can_be_lifted_or_repeated(fenced, running, number, after):
    """It waits for a lock: with before-images in the ledger, and nothing committed."""
    before = fenced.state()
    lock = Lock(fenced.server, "postgres", "LOCK TABLE pg_db_role_setting IN SHARE MODE")
    process = running("fence", "laptop", "--yes")
    wait_until(lambda: fenced.admin("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgfold' AND wait_event_type = 'Lock'") == "1",
               "a fence that waits")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130), err
    lock.release()
    wait_until(lambda: fenced.server.connections() == 0, "the end of its connection")
    assert fenced.state() == before
    if after:
        fenced.fence()
        assert fenced.as_role(APP, "SELECT 1")[0] != 0
    result = fenced.fence("--lift")
    assert ("open again" in result.out) == after
    assert fenced.state() == before


def test_a_fence_that_is_killed_after_its_commit_is_lifted_to_the_first_state(fenced):
    """Killed at the second question: committed, sessions not ended. And once more with the ledger not knowing of the commit."""
    fenced.admin(f"ALTER DATABASE {fenced.name} SET default_transaction_read_only = off; GRANT CONNECT ON DATABASE {fenced.name} TO {OTHER}")
    before = fenced.state()
    for forget in (False, True):
        writer = fenced.session(APP)
        writer.say("SELECT 1;")
        terminal = Terminal(fenced.pair, "fence", "laptop")
        terminal.wait_for("[y/N]")
        terminal.answer("y\n")
        terminal.wait_for("End this session? [y/N]")
        terminal.process.send_signal(signal.SIGKILL)
        terminal.end()
        assert fenced.as_role(APP, "SELECT 1")[0] != 0
        if forget:
            ledger_sql(fenced, "UPDATE fence SET state = 'started', server_time = 0 WHERE state = 'standing'")
            fenced.fence()
            assert not writer.say("SELECT 1;")
        assert fenced.pair.pgfold("status", "--json", status=0).json()["sources"][0]["fence"]
        fenced.fence("--lift")
        writer.close()
        assert fenced.state() == before


def ledger_sql(fenced, text):
    import sqlite3
    with sqlite3.connect(fenced.pair.folder / ".pgfold" / "ledger.db") as db:
        return db.execute(text).fetchall()


@pytest.mark.slow
def test_kill_9_at_any_moment_leaves_what_lift_can_undo(fenced, running):
    fenced.admin(f"ALTER DATABASE {fenced.name} SET default_transaction_read_only = off; GRANT CONNECT ON DATABASE {fenced.name} TO {OTHER}")
    before = fenced.state()
    began = time.monotonic()
    fenced.fence()
    whole = time.monotonic() - began
    fenced.fence("--lift")
    for step in range(12):
        for arguments in (("fence", "laptop", "--yes"), ("fence", "laptop", "--lift", "--yes")):
            process = running(*arguments)
            try:
                process.wait(whole * step / 11)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
            wait_until(lambda: fenced.server.connections() == 0, "the end of its connection")
        fenced.fence("--lift")
        assert fenced.state() == before, step


# --- the source behind a fence can be read --------------------------------------------------------------------------------

class Writer(threading.Thread):
    """Inserts rows, each in a transaction of its own, in sessions that it opens again and again; remembers what was committed."""

    def __init__(self, fenced, role, first):
        super().__init__(daemon=True)
        self.fenced, self.role, self.next = fenced, role, first
        self.committed, self.refused, self.ending = [], 0, threading.Event()

    def run(self):
        said = ""
        while not self.ending.is_set():
            psql = Psql(self.fenced.server, self.fenced.name, self.role)
            while not self.ending.is_set():
                said = psql.say(f"INSERT INTO t VALUES ({self.next}) RETURNING id;")
                if said is None:
                    break
                if said == f"{self.next}\n":
                    self.committed.append(self.next)
                else:
                    self.refused += 1
                    time.sleep(0.01)
                self.next += 1
            psql.close()
            if said is None:
                self.refused += 1
                time.sleep(0.01)

    def end(self):
        self.ending.set()
        self.join(30)


@pytest.fixture
def writers():
    started = []

    def start(fenced, *roles):
        for n, role in enumerate(roles):
            started.append(Writer(fenced, role, (len(started) + n + 1) * 10_000_000))
            started[-1].start()
        for one in started:
            wait_until(lambda one=one: len(one.committed) > 20, "a writer at work")
        return started
    yield start
    for one in started:
        one.end()


def assert_all_there(fenced, writers):
    ids = set(map(int, fenced.pair.target.sql("SELECT id FROM t").split()))
    for writer in writers:
        missing = set(writer.committed) - ids
        assert len(writer.committed) > 20 and not missing, f"{len(missing)} committed rows of {writer.role} are not in the target: {sorted(missing)[:5]}"


@pytest.mark.parametrize("version_", MAIN_VERSIONS)
def test_no_writer_commits_a_row_after_the_fence_is_proven(on_version, writers, version_):
    fenced = on_version(version_)
    at_work = writers(fenced, APP, OTHER, "postgres")
    fenced.fence()
    committed = [list(writer.committed) for writer in at_work]
    count = fenced.sql("SELECT count(*) FROM t")
    wait_until(lambda: all(writer.refused > 20 for writer in at_work), "writers that are refused")
    for writer in at_work:
        writer.end()
    assert fenced.sql("SELECT count(*) FROM t") == count
    # A writer may hear of its last commit a moment after that.
    assert all(len(writer.committed) - len(before) <= 1 for writer, before in zip(at_work, committed))


@pytest.mark.parametrize("version_", [12, 15])  # there is no pg_dump for newer ones here
def test_fence_fold_verify_with_writers_at_work_all_the_time(on_version, writers, version_):
    fenced = on_version(version_)
    at_work = writers(fenced, APP, OTHER, "postgres")
    fenced.fence()
    fenced.pair.pgfold("fold", "--yes", status=0)
    fenced.pair.pgfold("verify", status=0)
    wait_until(lambda: all(writer.refused > 5 for writer in at_work), "writers that are refused")
    assert_all_there(fenced, at_work)
    for writer in at_work:
        writer.end()
    assert_all_there(fenced, at_work)
    assert fenced.sql("SELECT count(*) FROM t") == fenced.pair.target.sql("SELECT count(*) FROM t")


def test_fold_fence_fold_verify_with_writers_at_work_all_the_time(fenced, writers):
    at_work = writers(fenced, APP, OTHER, "postgres")
    fenced.pair.pgfold("fold", "--yes", status=0)
    fenced.fence()
    fenced.pair.pgfold("fold", "--yes", status=0)
    fenced.pair.pgfold("verify", status=0)
    wait_until(lambda: all(writer.refused > 5 for writer in at_work), "writers that are refused")
    for writer in at_work:
        writer.end()
    assert_all_there(fenced, at_work)


def test_a_target_that_is_made_from_a_fenced_source_is_not_fenced(fenced):
    fenced.admin(f"GRANT CONNECT ON DATABASE {fenced.name} TO {OTHER}; ALTER DATABASE {fenced.name} SET work_mem = '5MB'; "
                 f"ALTER ROLE {APP} IN DATABASE {fenced.name} SET default_transaction_read_only = off")
    fenced.fence()
    result = fenced.pair.pgfold("fold", "--yes", status=0)
    target = fenced.pair.target
    assert target.cluster.sql("postgres", "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0") == "{work_mem=5MB}"
    assert target.cluster.sql("postgres", f"SELECT has_database_privilege('{OTHER}', '{target.name}', 'CONNECT'), "
                              f"has_database_privilege('public', '{target.name}', 'CONNECT')") == "t|t"
    target.sql("CREATE TABLE written (id int)")
    assert "default_transaction_read_only" not in result.err
    assert "default_transaction_read_only" not in fenced.pair.pgfold("fold", "--yes", status=0).err
    fenced.pair.pgfold("plan", status=0)


def test_every_command_that_reads_works_behind_a_fence(fenced):
    fenced.fence()
    fenced.pair.pgfold("backup", status=0)
    fenced.pair.pgfold("fold", "--yes", status=0)
    for command in ("audit", "plan", "verify"):
        fenced.pair.pgfold(command)
    fenced.pair.pgfold("verify", status=0)
    assert fenced.as_role("postgres", "INSERT INTO t VALUES (3)")[0] != 0
    state = fenced.pair.pgfold("status", "--json", status=0).json()["sources"][0]
    assert state["state"] == "contained" and state["fence"]["run"] == 1


def test_a_source_on_the_command_line_is_fenced_too(fenced):
    before = fenced.state()
    pgfold = fenced.pair.pgfold
    fenced.pair.config.unlink()
    pgfold("fence", "--yes", "--source", fenced.pair.source.url, status=0)
    assert fenced.as_role(APP, "SELECT 1")[0] != 0
    pgfold("fence", "--lift", "--yes", "--source", fenced.pair.source.url, status=0)
    assert fenced.state() == before


def test_no_password_is_in_ledger_or_output(fenced):
    fenced.server.require_password("fence_secret", "hush-hush")
    try:
        fenced.admin(f"GRANT {APP} TO fence_secret")
        fenced.pair.pgfold.secrets.add("hush-hush")
        fenced.pair.configure(source_url=fenced.server.url(fenced.name, "fence_secret", password="hush-hush"))
        result = fenced.fence("--json")
        assert "hush-hush" not in json.dumps(result.json())
        fenced.fence("--lift")
        assert b"hush-hush" not in (fenced.pair.folder / ".pgfold" / "ledger.db").read_bytes()
    finally:
        fenced.admin("DROP OWNED BY fence_secret; DROP ROLE fence_secret")
