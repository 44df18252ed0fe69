"""pgfold backup: against real servers, restored with the stock pg_restore."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import pytest

import harness


def only_backup(folder):
    entries = sorted(folder.iterdir())
    assert len(entries) == 1, entries
    return entries[0]


@pytest.fixture
def source(pair):
    pair.source.create()
    pair.configure()
    return pair


def test_a_backup_is_proven_and_its_line_restores_it(source, cluster):
    source.source.load("chinook")
    result = source.pgfold("backup", status=0)
    assert "proven" in result.out and "15,607 rows" in result.out
    line, = [line.split(None, 1)[1] for line in result.out.splitlines() if line.split()[0] == "restore"]
    elsewhere = cluster()
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60,
                          env=harness.clean_environment(**elsewhere.environment()))
    assert done.returncode == 0, done.stderr
    query = "SELECT count(*), sum(total) FROM invoice"
    assert elsewhere.sql(source.name, query) == source.source.sql(query)


def test_the_model_application_with_its_roles_and_large_objects_is_proven(source):
    source.source.load("model-app")
    backup = source.pgfold("backup", "--json", "--jobs", "2", status=0).json()["backups"][0]
    assert backup["proven"] is True
    assert backup["proof"]["rows"] > 1000


def test_the_json_document_and_the_files_agree(source):
    source.source.load("northwind")
    result = source.pgfold("backup", "--json", status=0)
    document = result.json()
    assert (document["schema"], document["version"]) == ("pgfold.backup", 1)
    backup, = document["backups"]
    path = pathlib.Path(backup["path"])
    assert path == only_backup(source.folder / ".pgfold" / "backups")
    assert path.name.startswith("laptop-2")
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema"] == "pgfold.backup-manifest"
    assert manifest["source"]["database"] == source.name
    assert sum(file["size"] for file in manifest["files"]) == backup["bytes"]
    assert len(manifest["files"]) == backup["files"] == len(list((path / "dump").iterdir()))
    assert sum(relation["rows"] for relation in manifest["contents"]["relations"]) == backup["proof"]["rows"]
    for entry in [path, *path.rglob("*")]:
        assert stat.S_IMODE(entry.stat().st_mode) == (0o700 if entry.is_dir() else 0o600), entry
    assert (source.folder / ".pgfold" / ".gitignore").read_text() == "*\n"


def test_a_backup_without_a_proof_says_so(source):
    source.source.sql("CREATE TABLE t (a int)")
    result = source.pgfold("backup", "--no-prove", "--output", source.folder / "kept", status=0)
    assert "not proven" in result.out
    only_backup(source.folder / "kept")
    mark, = [line for line in source.pgfold("status").out.splitlines() if line.startswith("laptop")]
    assert "unproven" in mark


def test_a_source_without_a_row_is_said_to_be_so(source):
    source.source.sql("CREATE TABLE t (a int)")
    result = source.pgfold("backup", status=0)
    assert "not hold a single row" in result.err


def test_a_database_is_backed_up_without_a_configuration(source):
    source.config.unlink()
    source.source.sql("CREATE TABLE t AS SELECT 1 AS a")
    result = source.pgfold("backup", "--source", source.source.url, status=0)
    assert "1 row " in result.out
    assert (source.folder / ".pgfold" / ".gitignore").exists()


def test_check_finds_a_changed_file(source):
    source.source.sql("CREATE TABLE t AS SELECT generate_series(1, 100) AS a")
    path = pathlib.Path(source.pgfold("backup", "--json", "--no-prove", status=0).json()["backups"][0]["path"])
    assert "unchanged" in source.pgfold("backup", "--check", path, status=0).out
    data, = path.glob("dump/*.dat.gz")
    data.write_bytes(data.read_bytes()[:-1])
    result = source.pgfold("backup", "--check", path, status=1)
    assert data.name in result.err


def test_check_of_something_else_is_a_usage_error(source):
    assert "not a backup" in source.pgfold("backup", "--check", source.folder, status=2).err


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--jobs", "65"], ["nobody"], ["--check", "x", "laptop"]])
def test_wrong_arguments_are_usage_errors_and_make_nothing(source, arguments):
    source.pgfold("backup", *arguments, status=2)
    assert not (source.folder / ".pgfold" / "backups").exists()


def test_a_source_that_is_not_there_is_an_error_of_connection(pair):
    pair.configure()
    pair.pgfold("backup", status=3)


def backup_folder(source):
    return source.folder / ".pgfold" / "backups"


def waiting_backup(source, running):
    """A backup whose pg_dump waits for a lock, and what holds it."""
    source.source.sql("CREATE TABLE t AS SELECT 1 AS a")
    locker = subprocess.Popen([harness.client("psql"), "-X", "-q"], stdin=subprocess.PIPE, text=True,
                              env=harness.clean_environment(**source.source.cluster.environment(source.name)))
    locker.stdin.write("BEGIN; LOCK TABLE t;\n")
    locker.stdin.flush()
    wait_for(source, "l.granted AND l.mode = 'AccessExclusiveLock'")
    process = running("backup", "--no-prove")
    wait_for(source, "NOT l.granted AND l.mode = 'AccessShareLock'")
    return process, locker


def wait_for(source, condition):
    query = ("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
             f"JOIN pg_database d ON d.oid = l.database WHERE c.relname = 't' AND d.datname = current_database() AND {condition}")
    until = time.monotonic() + 30
    while source.source.sql(query) == "0":
        assert time.monotonic() < until, f"never came: {condition}"
        time.sleep(0.02)


def pg_dumps(source):
    """Connections of pg_dump to the source."""
    return int(source.source.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgfold' "
                                 "AND datname = current_database()"))


def end(locker):
    locker.stdin.close()
    locker.wait(30)


def test_ctrl_c_leaves_nothing(source, running):
    process, locker = waiting_backup(source, running)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    end(locker)
    assert process.returncode == 130, err
    assert "no unfinished backup is left" in err
    assert list(backup_folder(source).iterdir()) == []
    assert pg_dumps(source) == 0


def test_the_next_backup_removes_what_a_killed_one_left(source, running):
    process, locker = waiting_backup(source, running)
    process.kill()
    process.wait(30)
    partial = only_backup(backup_folder(source))
    assert partial.name.startswith(".") and partial.name.endswith(".partial")
    end(locker)
    until = time.monotonic() + 30
    while pg_dumps(source):
        assert time.monotonic() < until, "pg_dump outlived pgfold"
        time.sleep(0.02)
    source.pgfold("backup", "--no-prove", status=0)
    assert not partial.exists()
    assert not only_backup(backup_folder(source)).name.startswith(".")


@pytest.mark.parametrize("change, difference", [
    ("UPDATE t SET b = 7 WHERE a = 2", "public.t: other values in its 2 rows"),
    ("DELETE FROM t WHERE a = 2", "public.t: 2 rows in the source, 1 restored"),
    ("SELECT setval('s', 4)", "public.s: the sequence is missing or behind"),
    ("SELECT lo_unlink(4242)", "large objects: 1 in the source, 0 restored"),
    ("SELECT lo_put(4242, 0, 'L')", "large objects: 1 in the source, 1 restored, with other contents"),
    ("DROP INDEX i", "objects of kind index: 1 in the source, 0 restored"),
])
def test_a_backup_that_restores_something_else_is_found(source, change, difference):
    source.source.sql("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL); CREATE INDEX i ON t (b);"
                      "CREATE SEQUENCE s; SELECT setval('s', 5); SELECT lo_from_bytea(4242, 'large')")
    # Client programs like the real ones, but the restored database is not what was in the archive.
    tools = source.folder / "tools"
    tools.mkdir()
    real = pathlib.Path(f"/usr/lib/postgresql/{source.source.cluster.version}/bin")
    (tools / "pg_dump").symlink_to(real / "pg_dump")
    (tools / "pg_restore").write_text(
        f'#!/bin/sh\n"{real}/pg_restore" "$@" || exit\n'
        f'[ "$1" = --version ] || exec "{real}/psql" -X -q -d restored -c "{change}"\n')
    (tools / "pg_restore").chmod(0o755)
    result = source.pgfold("backup", env={"PATH": f"{tools}:{os.environ['PATH']}"}, status=1)
    assert difference in result.err
    assert "complete but not proven" in result.err


def test_every_server_version_is_backed_up_or_the_package_is_named(version, cluster, pgfold):
    server = cluster(version)
    server.create("app").load("model-app" if version >= 13 else "northwind")
    newest = max(int(folder.parent.name) for folder in pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    result = pgfold("backup", "--source", server.url("app"), "--output", "kept",
                    status=0 if version <= newest else 2)
    if version > newest:
        assert f"postgresql-client-{version}" in result.err
        assert not (pgfold.cwd / "kept").exists()
    else:
        assert "proven" in result.out


def test_a_full_disk_is_told_and_leaves_nothing(source):
    source.source.sql("CREATE TABLE t AS SELECT string_agg(md5(n::text || m), '') AS a "
                      "FROM generate_series(1, 200) n, generate_series(1, 2000) m GROUP BY m")
    disk = source.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        result = source.pgfold("backup", "--no-prove", "--output", disk, status=5)
        assert "No space left on device" in result.err and "--output" in result.err
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_variables_of_the_caller_lead_nowhere_else(source):
    """Neither pg_dump nor the proof follows PGHOSTADDR and its like away from what the URL says."""
    source.source.sql("CREATE TABLE t AS SELECT 1 AS a")
    elsewhere = {"PGHOSTADDR": "127.0.0.9", "PGPORT": "1", "PGSSLMODE": "verify-full", "PGTARGETSESSIONATTRS": "standby"}
    url = source.source.url + "&hostaddr=&port=5432&sslmode=disable&target_session_attrs=any"
    result = source.pgfold("backup", "--source", url, env=elsewhere, status=0)
    assert "1 row " in result.out
