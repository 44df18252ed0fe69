"""A password appears nowhere: not in any output, command line, ledger, receipt, backup manifest or server log line of ours."""
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import threading

import pytest

import harness

# Of this process alone: /proc shows the command lines of the tests beside this one too.
SECRET = f"s3cret-Passw0rd-{os.getpid()}"


class CommandLines(threading.Thread):
    """Reads /proc/*/cmdline all the time, until stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = set()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.002):
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def secured(cluster, name):
    """A server whose superuser has to give a password."""
    server = cluster()
    server.require_password("admin", SECRET)
    server.sql("postgres", "ALTER ROLE admin SUPERUSER")
    return server


@pytest.mark.slow
def test_a_password_appears_nowhere(cluster, pgfold, tmp_path):
    laptop, vps = secured(cluster, "laptop"), secured(cluster, "vps")
    laptop.create("app").load("model-app")
    (tmp_path / "pgfold.yaml").write_text("version: 1\ntarget:\n  url: ${TARGET}\nsources:\n  - name: laptop\n    url: ${SOURCE}\n")
    environment = {"SOURCE": laptop.url("app", user="admin", password=SECRET),
                   "TARGET": f"host={vps.folder} dbname=app user=admin password={SECRET}"}
    pgfold.secrets.add(SECRET)
    with CommandLines() as lines:
        pgfold("audit", "--verbose", env=environment, status=1)
        pgfold("plan", "--json", env=environment, status=0)
        pgfold("fold", "--yes", "--verbose", env=environment, status=0)
        pgfold("verify", "--json", env=environment, status=0)
        pgfold("status", env=environment, status=0)
        pgfold("report", env=environment, status=0)
        pgfold("backup", "--verbose", env=environment, status=0)
        # Errors show where they tried to connect, without the password.
        pgfold("audit", env={**environment, "TARGET": environment["TARGET"].replace(str(vps.folder), "/nowhere")}, status=3)
    assert any("pg_dump" in line for line in lines.seen), "no pg_dump was seen: the test looks at nothing"
    assert not [line for line in lines.seen if SECRET in line]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.db" for path in files)
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("way", ["environment", "password file", "service file"])
def test_a_password_that_libpq_finds_itself_appears_nowhere(cluster, pgfold, tmp_path, way):
    laptop, vps = secured(cluster, "laptop"), secured(cluster, "vps")
    laptop.create("app").load("northwind")
    environment = {}
    urls = [server.url("app", user="admin") for server in (laptop, vps)]
    private = tmp_path / "private"
    private.mkdir()
    if way == "environment":
        environment["PGPASSWORD"] = SECRET
    elif way == "password file":
        (private / "pgpass").write_text(f"*:*:*:admin:{SECRET}\n")
        (private / "pgpass").chmod(0o600)
        environment["PGPASSFILE"] = str(private / "pgpass")
    else:
        (private / "services").write_text("".join(f"[{name}]\nhost={server.folder}\nuser=admin\ndbname=app\npassword={SECRET}\n"
                                                  for name, server in (("laptop", laptop), ("vps", vps))))
        environment["PGSERVICEFILE"] = str(private / "services")
        urls = ["service=laptop", "service=vps"]
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "pgfold.yaml").write_text(f"version: 1\ntarget:\n  url: \"{urls[1]}\"\nsources:\n  - name: laptop\n    url: \"{urls[0]}\"\n")
    pgfold.secrets.add(SECRET)
    with CommandLines() as lines:
        pgfold("fold", "--yes", "--verbose", env=environment, cwd=folder, status=0)
        pgfold("verify", "--verbose", env=environment, cwd=folder, status=0)
    assert any("pg_dump" in line for line in lines.seen), "no pg_dump was seen: the test looks at nothing"
    assert not [line for line in lines.seen if SECRET in line]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".json" for path in files)
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("url", [
    "postgresql://admin:{secret}@localhost:notaport/app", "postgresql://admin:{secret}@[::1/app", "host=/tmp password={secret} nonsense",
    "postgresql://admin@/app?host=/nowhere&password={secret}&bogus=1", "host=/tmp password='{secret}", "{secret}",
])
def test_a_connection_string_that_cannot_be_read_is_not_shown_with_its_password(pgfold, tmp_path, url):
    pgfold.secrets.add(SECRET)
    result = pgfold("fold", "--yes", "--source", url.format(secret=SECRET), "--target", "postgresql:///app", cwd=tmp_path)
    assert result.status in (2, 3), result
    assert "source" in result.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_failing_fold_says_and_records_no_password(cluster, pgfold, tmp_path):
    laptop, vps = secured(cluster, "laptop"), secured(cluster, "vps")
    laptop.create("app").sql("CREATE TABLE t (id int CHECK (current_setting('test.fails', true) IS DISTINCT FROM 'yes')); INSERT INTO t VALUES (1)")
    vps.sql("postgres", "ALTER ROLE admin SET test.fails = 'yes'")
    pgfold.secrets.add(SECRET)
    arguments = [server.url("app", user="admin", password=SECRET) for server in (laptop, vps)]
    environment = {"SOURCE": arguments[0], "TARGET": arguments[1]}
    (tmp_path / "pgfold.yaml").write_text("version: 1\ntarget: { url: \"${TARGET}\" }\nsources: [{ name: laptop, url: \"${SOURCE}\" }]\n")
    pgfold("fold", "--yes", "--no-backup", "--verbose", env=environment, status=5)
    assert "failed" in pgfold("status", "--verbose", env=environment).out
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_password_given_as_an_argument_is_covered_in_the_command_line(running, pgfold):
    """Against a server that never answers, so that there is time to look."""
    pgfold.secrets.add(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = running("audit", "--source", f"postgresql://admin:{SECRET}@127.0.0.1:{port}/app",
                          f"--target=host=127.0.0.1 port={port} user=admin password='{SECRET}' dbname=app")
        silent.accept()
        line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        process.terminate()
        process.communicate(timeout=30)
    assert "postgresql://admin:***" in line and f"@127.0.0.1:{port}/app" in line and "user=admin password=" in line, line
    assert SECRET not in line


def test_what_is_written_to_the_state_folder_is_private_and_ignored_by_git(pair):
    """Whatever the umask: folders 0700, files 0600. Audit, backup, fold, merge with rows that lose, fence, receipts."""
    for database, value in ((pair.source, "a"), (pair.target, "b")):
        database.create().sql(f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, '{value}')")
    pair.source.sql("CREATE TABLE fresh AS SELECT 1 AS id")
    pair.configure("fold:\n  on_conflict: take-source\n")
    for arguments, status in ((["audit"], 1), (["backup"], 0), (["fold", "--yes"], 0), (["fence", "laptop", "--yes"], 0),
                              (["fence", "laptop", "--lift", "--yes"], 0), (["doctor"], 0)):
        process = pair.pgfold.start(*arguments, umask=0)
        _, err = process.communicate(timeout=120)
        assert process.returncode == status, err
    state = pair.folder / ".pgfold"
    found = {path: stat.S_IMODE(path.lstat().st_mode) for path in [state, *state.rglob("*")]}
    assert {"ledger.db", "lock", "receipts", "backups", "dump"} <= {path.name for path in found}
    assert not {str(path): oct(mode) for path, mode in found.items() if mode != (0o700 if path.is_dir() else 0o600)}
    subprocess.run(["git", "init", "-q"], cwd=pair.folder, check=True)
    listed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=all"], cwd=pair.folder, check=True, capture_output=True, text=True)
    assert listed.stdout == "?? pgfold.yaml\n"


def test_a_state_folder_that_others_may_read_is_closed_and_doctor_tells(pair):
    pair.source.create().sql("CREATE TABLE t (id int)")
    pair.target.create()
    pair.configure()
    state = pair.folder / ".pgfold"
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    results = pair.pgfold("doctor", "--json", status=0).json()["results"]
    assert next(result for result in results if result["check"] == "state-folder")["verdict"] == "warning"
    pair.pgfold("audit", status=1)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_nobody_looks_into_the_memory_of_a_run(machine, tmp_path):
    """Not dumpable: its files in /proc are root's, whoever runs it."""
    binary = machine.folder / "pgfold"
    shutil.copy(os.environ.get("PGFOLD", str(harness.ROOT / "build" / "pgfold")), binary)
    binary.chmod(0o755)
    user = harness.server_user()
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen([binary, "audit", "--source", f"postgresql://a@127.0.0.1:{silent.getsockname()[1]}/a"], cwd="/",
                                   env=harness.clean_environment(), stderr=subprocess.PIPE, **identity)
        silent.accept()
        owner = pathlib.Path(f"/proc/{process.pid}/environ").stat().st_uid
        process.terminate()
        process.communicate(timeout=30)
    binary.unlink()
    assert owner == 0
