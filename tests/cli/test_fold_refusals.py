"""What a fold refuses: with the reason, the state and the next step, before anything is changed."""
import os
import pty
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from folding import Lock, assert_one_error, assert_same, wait_until, whole

TABLES = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL);"


@pytest.fixture
def small(pair):
    pair.source.create().sql(TABLES)
    return pair.configure()


@pytest.fixture
def role(laptop, vps, pair, request):
    """role("name", "LOGIN", at=vps): a role that goes with the test."""
    def make(name, options="LOGIN", at=laptop):
        at.sql("postgres", f"CREATE ROLE {name} {options}")

        def drop():
            pair.source.drop()
            pair.target.drop()
            for server in (laptop, vps):
                server.sql("postgres", f"DROP ROLE IF EXISTS {name}")
        request.addfinalizer(drop)
        return name
    return make


def refused(pair, *words, status=4, arguments=(), **options):
    result = pair.pgfold("fold", "--yes", "--no-backup", *arguments, status=status, **options)
    assert_one_error(result, *words)
    assert not [name for name in pair.target.cluster.databases() if name.startswith("pgfold")]
    return result


# --- who and where ----------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_a_port_that_accepts_and_says_nothing_is_given_up(small, running, tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://app@127.0.0.1:{listener.getsockname()[1]}/app"
        began = time.monotonic()
        runs = {"source": running("fold", "--yes", "--source", url, "--target", small.target.url, cwd=tmp_path_factory.mktemp("one")),
                "target": running("fold", "--yes", "--source", small.source.url, "--target", url, cwd=tmp_path_factory.mktemp("other"))}
        for end, process in runs.items():
            out, err = process.communicate(timeout=30)
            assert process.returncode == 3, err
            assert_one_error(harness.Result(["fold"], 3, out, err), end, "127.0.0.1", "timed out")
    assert 10 < time.monotonic() - began < 20


def test_a_host_name_that_does_not_exist_is_named(small):
    small.configure(target_url="postgresql://app@no-such-host.invalid/app")
    refused(small, "target", "no-such-host.invalid", status=3)


def test_nobody_listening_on_a_port_is_said(small):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    small.configure(source_url=f"postgresql://app@127.0.0.1:{port}/app")
    refused(small, "source laptop", "refused", "running", status=3)


def test_a_wrong_password_over_tcp_is_an_error_and_is_not_shown(small, cluster):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = cluster(listen_addresses="127.0.0.1", port=port)
    hba = server.data / "pg_hba.conf"
    server.sql("postgres", "CREATE ROLE app LOGIN CREATEDB PASSWORD 'right-one'")
    hba.write_text("host all app 127.0.0.1/32 scram-sha-256\nlocal all postgres trust\n")
    server.stop()
    server.start()
    small.pgfold.secrets |= {"right-one", "wrong-one"}
    small.configure(target_url=f"postgresql://app:wrong-one@127.0.0.1:{port}/{small.name}")
    refused(small, "target", "password authentication failed", status=3)
    small.configure(target_url=f"postgresql://app@127.0.0.1:{port}/{small.name}")
    refused(small, "target", "no password supplied", ".pgpass", status=3)
    small.configure(target_url=f"postgresql://app:right-one@127.0.0.1:{port}/{small.name}")
    small.pgfold("fold", "--yes", "--no-owner", status=0)
    assert server.sql(small.name, "SELECT count(*) FROM t") == "3"


def test_one_database_under_any_two_urls_is_seen_to_be_one(small, cluster):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = cluster(listen_addresses="127.0.0.1", port=port)
    server.create("app").sql(TABLES)
    urls = [server.url("app"), f"postgresql://postgres@localhost:{port}/app", f"host=127.0.0.1 port={port} dbname=app user=postgres"]
    for source, target in ((urls[0], urls[1]), (urls[1], urls[2]), (urls[2], urls[0])):
        small.configure(source_url=source, target_url=target)
        refused(small, "same database", status=3)
    assert server.sql("app", "SELECT count(*) FROM t") == "3"


def test_a_real_standby_as_target_is_refused_and_as_source_is_read(small, cluster, machine, tmp_path):
    primary = cluster(wal_level="replica", max_wal_senders="4")
    primary.create(small.name).sql(TABLES)
    standby = cluster(hot_standby="on")
    standby.stop()
    harness._run_as_server_user(["rm", "-rf", str(standby.data)])
    harness._run_as_server_user([harness.client("pg_basebackup"), "-D", str(standby.data), "-h", str(primary.folder), "-U", "postgres", "-R", "-X", "stream",
                                 "-c", "fast"])
    standby.start()
    small.configure(target_url=standby.url(small.name))
    refused(small, "standby", "primary", status=3)
    small.configure(source_url=standby.url(small.name))
    small.pgfold("fold", "--yes", "--no-backup", status=0)
    assert small.target.sql("SELECT count(*) FROM t") == "3"


# --- privileges -------------------------------------------------------------------------------------------------------

def test_a_table_that_the_role_may_not_read_is_named_with_its_grant(small, laptop, role):
    reader = role("fold_reader")
    small.source.sql(f"CREATE TABLE hidden (id int); INSERT INTO hidden VALUES (1); GRANT SELECT ON t TO {reader}")
    small.configure(source_url=laptop.url(small.name, user=reader))
    refused(small, f"GRANT SELECT ON public.hidden TO {reader}")


def test_a_reader_of_everything_is_enough_on_the_source(small, laptop, role):
    reader = role("fold_reader_all")
    small.source.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
    small.configure(source_url=laptop.url(small.name, user=reader))
    small.pgfold("fold", "--yes", status=0)
    assert small.target.sql("SELECT count(*) FROM t") == "3"


def test_rows_that_row_security_hides_from_the_role_are_not_lost(small, laptop, role):
    reader = role("fold_filtered")
    small.source.sql(f"ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY a_few ON t USING (id < 2); GRANT SELECT ON t TO {reader}")
    small.configure(source_url=laptop.url(small.name, user=reader))
    refused(small, "row security", "public.t")
    assert not small.target.exists()


def test_a_role_that_may_not_create_databases_is_told_how(small, vps, role):
    writer = role("fold_no_createdb", at=vps)
    small.configure(target_url=vps.url(small.name, user=writer))
    refused(small, f'ALTER ROLE "{writer}" CREATEDB')
    assert not small.target.exists()


def test_a_role_that_may_not_create_in_the_database_is_told_how(small, vps, role):
    writer = role("fold_no_create", at=vps)
    small.target.create()
    small.configure(target_url=vps.url(small.name, user=writer))
    refused(small, f'GRANT CREATE ON DATABASE "{small.name}" TO "{writer}"', arguments=("--no-owner", "--no-privileges"))


def test_a_role_that_may_not_create_in_the_schema_public_is_told_before_anything_is_made(small, vps, role):
    writer = role("fold_no_public", at=vps)
    small.target.create().sql(f'GRANT CREATE ON DATABASE "{small.name}" TO {writer}')
    small.configure(target_url=vps.url(small.name, user=writer))
    refused(small, f'GRANT CREATE ON SCHEMA "public" TO "{writer}"', arguments=("--no-owner", "--no-privileges"))


def test_an_owner_that_the_role_may_not_act_for_is_named(small, laptop, vps, role):
    owner = role("fold_owner")
    role("fold_owner", at=vps)
    writer = role("fold_not_a_member", at=vps)
    small.source.sql(f"ALTER TABLE t OWNER TO {owner}")
    small.target.create().sql(f'GRANT CREATE ON DATABASE "{small.name}" TO {writer}; GRANT CREATE ON SCHEMA public TO {writer}')
    small.configure(target_url=vps.url(small.name, user=writer))
    refused(small, f'GRANT "{owner}" TO "{writer}"')


def test_a_missing_role_that_cannot_be_created_is_named_with_its_statement(small, vps, role):
    role("fold_missing_owner")
    writer = role("fold_no_createrole", "LOGIN CREATEDB", at=vps)
    small.source.sql("ALTER TABLE t OWNER TO fold_missing_owner")
    small.configure(target_url=vps.url(small.name, user=writer))
    refused(small, "CREATE ROLE fold_missing_owner", "--no-owner")


def test_a_plain_role_with_createdb_can_fold(small, vps, role):
    writer = role("fold_plain", "LOGIN CREATEDB", at=vps)
    small.source.sql("CREATE TABLE u (id serial PRIMARY KEY, t int REFERENCES t); INSERT INTO u (t) VALUES (1), (3); CREATE VIEW w AS SELECT * FROM u")
    small.configure(target_url=vps.url(small.name, user=writer))
    small.pgfold("fold", "--yes", "--no-owner", "--no-privileges", status=0)
    assert small.target.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == writer
    assert small.target.sql("SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'") == writer
    small.pgfold("verify", status=0)


# --- protected, confirmed, alone ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("protect", ["schemas: [keep]", "tables: [keep.inside]"])
def test_nothing_is_made_in_what_is_protected(small, protect):
    small.source.sql("CREATE SCHEMA keep; CREATE TABLE keep.inside (id int); INSERT INTO keep.inside VALUES (1)")
    small.configure(f"protect:\n  {protect}\n")
    refused(small, "protected", "keep")
    assert not small.target.exists()


def test_who_answers_no_changes_nothing(small):
    master, slave = pty.openpty()
    process = subprocess.Popen([small.pgfold.binary, "fold", "--no-backup"], cwd=small.folder, env=small.pgfold.environment(), stdin=slave,
                               stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    said = b""
    while b"?" not in said:
        said += os.read(master, 4096)
    os.write(master, b"n\n")
    try:
        while True:
            said += os.read(master, 4096)
    except OSError:  # the other side has closed
        pass
    assert process.wait(20) == 4, said.decode()
    os.close(master)
    assert b"not confirmed" in said
    assert not small.target.exists()


def test_the_lock_of_a_session_that_is_about_to_end_is_waited_for(small):
    """Of a pgfold that was killed a moment ago: its server has not noticed yet."""
    lock = Lock(small.target.cluster, "postgres", "DO $$ BEGIN PERFORM pg_advisory_lock(123580474354788); END $$")
    timer = threading.Timer(0.7, lock.release)
    timer.start()
    small.pgfold("fold", "--yes", "--no-backup", status=0)
    timer.join()
    assert_same(whole(small.target), whole(small.source))


def test_a_second_fold_waits_for_nothing_and_says_who_is_folding(small, running, tmp_path_factory, machine):
    """One with the same state folder (the lock of the ledger), and one of another machine (the lock in the target)."""
    vps = small.target.cluster
    lock = Lock(small.source.cluster, small.name, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    try:
        process = running("fold", "--yes", "--no-backup")
        wait_until(lambda: vps.sql("postgres", "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), "the first fold")
        result = refused(small, "is working in", str(process.pid))
        assert result.seconds < 5
        elsewhere = harness.Pgfold(machine, tmp_path_factory.mktemp("elsewhere"))
        (elsewhere.cwd / "pgfold.yaml").write_text(small.config.read_text())
        assert_one_error(elsewhere("fold", "--yes", "--no-backup", status=4), "another pgfold is folding")
    finally:
        lock.release()
    assert process.wait(30) == 0
    assert_same(whole(small.target), whole(small.source))


def test_timeouts_of_role_and_database_do_not_matter(pair, vps, laptop):
    pair.source.create().sql("""
        CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN n; END $$;
        CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (slow(id));""")
    for setting in ("statement_timeout = '100ms'", "lock_timeout = '100ms'", "idle_in_transaction_session_timeout = '200ms'"):
        for server in (laptop, vps):
            server.sql("postgres", f"ALTER ROLE postgres SET {setting}")
    try:
        pair.configure()
        pair.pgfold("fold", "--yes", status=0)
    finally:
        for server in (laptop, vps):
            server.sql("postgres", "SET statement_timeout = 0; ALTER ROLE postgres RESET ALL")
    assert pair.target.sql("SELECT count(*) FROM t") == "1"


# --- the machine --------------------------------------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system")
def test_a_full_disk_under_the_backup_stops_before_the_target_is_touched(small, tmp_path):
    small.source.sql("CREATE TABLE big AS SELECT g, md5(g::text) || md5((g + 1)::text) AS v FROM generate_series(1, 100000) g")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "pgfold-test", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        result = small.pgfold("fold", "--yes", "--backup-dir", disk)
        assert_one_error(result, "No space left", state="nothing was changed in the target")
        assert result.status != 0
        assert not small.target.exists()
        assert not [path for path in disk.rglob("*") if path.is_file()], "half a backup is no backup"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_backup_folder_that_cannot_be_written_is_said(small):
    (small.folder / "file").write_text("")
    result = small.pgfold("fold", "--yes", "--backup-dir", small.folder / "file" / "inside")
    assert result.status != 0
    assert_one_error(result, "inside", state="nothing was changed in the target")
    assert not small.target.exists()


def test_an_interrupt_at_the_question_changes_nothing(small):
    master, slave = pty.openpty()
    process = subprocess.Popen([small.pgfold.binary, "fold", "--no-backup"], cwd=small.folder, env=small.pgfold.environment(), stdin=slave,
                               stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    said = b""
    while b"?" not in said:
        said += os.read(master, 4096)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (4, 130)
    os.close(master)
    assert not small.target.exists()
