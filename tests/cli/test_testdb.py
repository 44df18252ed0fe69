"""pgfold testdb: a server for the length of one command, and nothing left of it, however things end."""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness
import pytest

PATIENCE = 20  # seconds until something that must happen has happened


def wait_until(condition, what):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"in vain waited {PATIENCE} s until {what}")


def alive(pid):
    """Zombies, which wait for whoever started them, are not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_lines():
    """Process id -> words of its command line, of all living processes."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = entry.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
    return found


def shared_memory_segments():
    """Ids of System V segments, of which each server has one."""
    return [line.split()[1] for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]


class Seen:
    """What a command that runs under testdb wrote down about its server."""

    def __init__(self, path):
        self.environment = json.loads(path.read_text())
        host = self.environment["PGHOST"]
        self.folder = pathlib.Path(host if host.startswith("/") else self.environment["FOLDER"])
        self.command = self.environment["PID"]
        self.postmaster = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        stat = pathlib.Path(f"/proc/{self.postmaster}/stat").read_text()
        self.keeper = int(stat.rpartition(")")[2].split()[1])

    def gone(self):
        return not alive(self.postmaster) and not alive(self.keeper) and not self.folder.exists()

    def assert_gone_at_once(self):
        assert not alive(self.postmaster) and not alive(self.keeper)
        assert not self.folder.exists()


REPORT = """
import json, os, sys
environment = dict(os.environ, PID=os.getpid())
if len(sys.argv) > 2:
    import subprocess
    environment["FOLDER"] = subprocess.run(["psql", "-XAtc", "SHOW unix_socket_directories"], capture_output=True,
                                           text=True, check=True).stdout.strip()
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(environment, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


@pytest.fixture
def scripts(tmp_path):
    """scripts("time.sleep(60)"): the words that run this Python code under testdb, after it has reported its server."""
    def make(code="", *arguments):
        path = tmp_path / "command.py"
        path.write_text(REPORT + "\n" + "import signal, time\n" + code)
        return ["--", sys.executable, path, tmp_path / "report", *arguments]
    make.report = lambda: Seen(tmp_path / "report")
    make.reported = lambda: wait_until((tmp_path / "report").exists, "the command runs") and make.report()
    return make


@pytest.fixture
def named(pgfold, request):
    """A name for a server that start leaves running; it is stopped with the test."""
    name = re.sub(r"\W+", "-", request.node.name)[:40] + f"-{os.getpid()}"
    yield name
    pgfold("testdb", "stop", "--name", name)


@pytest.fixture
def base(machine):
    """A short folder, for --dir, that is the server's user's and empty."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="b", dir=machine.folder))
    user = harness.server_user()
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    yield folder
    shutil.rmtree(folder)


def assert_unused(base):
    """No file in it, and no process that works in it."""
    assert list(base.iterdir()) == []
    assert not [words for words in command_lines().values() if str(base) in " ".join(words)]


def keeper_of(process):
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait_until(lambda: children.read_text().split(), "the keeper is there")[0])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- the command


@pytest.mark.parametrize("code, status", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
def test_the_status_of_the_command_is_passed_on(pgfold, code, status):
    pgfold("testdb", "--", "sh", "-c", code, status=status)


def test_the_command_finds_its_server_through_the_environment(pgfold):
    result = pgfold("testdb", "-d", "app", "--", "sh", "-c",
                    'psql -XAtc "SELECT current_database(), current_user"; psql -XAt "$DATABASE_URL" -c "SELECT current_database()"',
                    status=0)
    assert result.out == "app|postgres\napp\n"


def test_an_environment_that_leads_elsewhere_does_not_win(pgfold, tmp_path):
    hostile = {"PGSERVICE": "nowhere", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGDATABASE": "elsewhere", "PGUSER": "nobody",
               "PGOPTIONS": "-c search_path=elsewhere", "PGSSLMODE": "verify-full", "PGDATA": "/nonexistent",
               "PGPASSFILE": "/nonexistent", "PGTARGETSESSIONATTRS": "standby", "DATABASE_URL": "postgresql://elsewhere/x"}
    result = pgfold("testdb", "-d", "app", "--", "psql", "-XAtc", "SELECT current_database(), current_setting('search_path')",
                    env=hostile, status=0)
    assert result.out == 'app|"$user", public\n'


def test_input_and_output_are_the_commands_own(pgfold):
    result = pgfold("testdb", "--", "sh", "-c", "cat; echo err >&2", input="one\ntwo\n", status=0)
    assert (result.out, result.err) == ("one\ntwo\n", "err\n")


def test_the_command_inherits_open_files(pgfold):
    script = 'exec 8<<< kept; "$0" testdb -- sh -c "cat <&8"; "$0" testdb -- cat <(echo substituted)'
    result = subprocess.run(["bash", "-c", script, pgfold.binary], env=pgfold.environment(), capture_output=True, text=True)
    assert result.stdout == "kept\nsubstituted\n"


def test_folders_may_be_relative(pgfold, base):
    bindir = os.path.relpath(pgfold.machine.bindir(harness.DEFAULT_VERSION), base)
    pgfold("testdb", "--bindir", bindir, "--dir", ".", "--", "true", cwd=base, status=0)


def test_the_command_has_the_umask_and_limits_of_the_caller(pgfold):
    script = 'umask 027; ulimit -S -c 0; "$0" testdb -- sh -c "umask; ulimit -c"'
    result = subprocess.run(["sh", "-c", script, pgfold.binary], env=pgfold.environment(), capture_output=True, text=True)
    assert result.stdout == "0027\n0\n"


def test_the_commands_options_are_its_own(pgfold):
    assert pgfold("testdb", "echo", "--port", "-x", "--json", status=0).out == "--port -x --json\n"


def test_words_that_are_actions_can_be_commands_after_two_dashes(pgfold, tmp_path):
    program = tmp_path / "stop"
    program.write_text("#!/bin/sh\necho stopped $1\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert pgfold("testdb", "--", "stop", "it", env={"PATH": path}, status=0).out == "stopped it\n"


def test_nothing_is_left_when_the_command_has_ended(pgfold, scripts):
    pgfold("testdb", *scripts(), status=0)
    environment = json.loads((pgfold.cwd / "report").read_text())
    assert environment["DATABASE_URL"].startswith("postgresql:///postgres?host=")
    assert not pathlib.Path(environment["PGHOST"]).exists()
    assert not [words for words in command_lines().values() if any(environment["PGHOST"] in word for word in words)]


def test_each_server_has_an_identity_of_its_own(pgfold):
    ask = ["psql", "-XAtc", "SELECT system_identifier FROM pg_control_system()"]
    assert pgfold("testdb", "--", *ask, status=0).out != pgfold("testdb", "--", *ask, status=0).out


def test_every_supported_server_serves(pgfold, version):
    result = pgfold("testdb", "--pg-version", version, "-d", "app", "--set", "work_mem=5MB", "--", "psql", "-XAt", "-c",
                    "SELECT current_setting('server_version_num')::int / 10000, current_setting('work_mem')", "-c",
                    "CREATE TABLE t AS SELECT 1 AS a", "-c", "CHECKPOINT", status=0)
    assert result.out.splitlines()[0] == f"{version}|5MB"


def test_a_warm_start_takes_a_fraction_of_a_second(pgfold):
    pgfold("testdb", "--", "true", status=0)
    assert min(pgfold("testdb", "--", "true", status=0).seconds for _ in range(5)) < 0.5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody to become")
def test_root_does_not_run_the_server(pgfold, running, scripts):
    process = running("testdb", *scripts("time.sleep(60)"))
    seen = scripts.reported()
    assert os.stat(f"/proc/{seen.postmaster}").st_uid == harness.server_user().pw_uid
    assert "Uid:\t0\t" not in pathlib.Path(f"/proc/{seen.keeper}/status").read_text()
    assert os.stat(f"/proc/{seen.command}").st_uid == 0
    assert seen.folder.stat().st_mode & 0o777 == 0o700
    process.terminate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has secrets from the server's user")
def test_the_server_does_not_inherit_the_callers_secrets(pgfold, running, scripts):
    process = running("testdb", *scripts("time.sleep(60)"), env={"AWS_SECRET_ACCESS_KEY": "x-sesame-x"})
    seen = scripts.reported()
    assert seen.environment["AWS_SECRET_ACCESS_KEY"] == "x-sesame-x"
    assert b"sesame" not in pathlib.Path(f"/proc/{seen.postmaster}/environ").read_bytes()
    process.terminate()


# --- ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_passed_to_the_command_and_its_answer_counts(pgfold, running, scripts, number):
    code = (f"def answer(number, frame):\n    sys.exit(40 + number)\nsignal.signal({int(number)}, answer)\n"
            "open(sys.argv[1] + '.ready', 'w').close()\ntime.sleep(60)\n")
    process = running("testdb", *scripts(code))
    seen = scripts.reported()
    wait_until((pgfold.cwd / "report.ready").exists, "the command waits for a signal")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 40 + number
    seen.assert_gone_at_once()


def test_ctrl_c_on_a_terminal_reaches_the_command_once_and_pgfold_waits_for_it(pgfold, scripts):
    code = """
count = 0
def answer(number, frame):
    global count
    count += 1
signal.signal(signal.SIGINT, answer)
open(sys.argv[1] + '.ready', 'w').close()
until = time.monotonic() + 60
while count == 0 and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.5)
sys.exit(50 + count)
"""
    words = [pgfold.binary, "testdb", *map(str, scripts(code))]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, pgfold.environment())
    try:
        seen = scripts.reported()
        wait_until((pgfold.cwd / "report.ready").exists, "the command waits for Ctrl-C")
        os.write(terminal, b"\x03")
        _, status = wait_until(lambda: (lambda got: got if got[0] else None)(os.waitpid(pid, os.WNOHANG)), "pgfold ends")
        assert os.waitstatus_to_exitcode(status) == 51
        seen.assert_gone_at_once()
    finally:
        os.close(terminal)


@pytest.mark.parametrize("delay", [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07])  # the moment is what these two are about
def test_ctrl_c_while_the_server_starts_leaves_nothing(running, base, delay):
    process = running("testdb", "--dir", base, "-d", "app", "--", "sleep", "60")
    keeper = keeper_of(process)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert not alive(keeper)
    assert_unused(base)


@pytest.mark.parametrize("delay", [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07])
def test_nothing_is_left_after_pgfold_was_killed_during_the_start(running, base, delay):
    process = running("testdb", "--dir", base, "-d", "app", "--", "sleep", "60")
    keeper = keeper_of(process)
    time.sleep(delay)
    process.kill()
    wait_until(lambda: not alive(keeper), "the keeper is gone")
    assert_unused(base)


def test_nothing_is_left_after_pgfold_was_killed(pgfold, running, scripts):
    process = running("testdb", *scripts("time.sleep(60)"))
    seen = scripts.reported()
    process.kill()
    wait_until(seen.gone, "server, keeper and folder are gone")
    wait_until(lambda: not alive(seen.command), "the command is gone")


def test_a_killed_keeper_takes_the_server_along_and_the_next_start_removes_the_folder(pgfold, running, scripts, base):
    process = running("testdb", "--dir", base, *scripts("time.sleep(60)"))
    seen = scripts.reported()
    process.kill()
    os.kill(seen.keeper, signal.SIGKILL)
    wait_until(lambda: not alive(seen.postmaster), "the server is gone")
    assert seen.folder.exists()
    pgfold("testdb", "--dir", base, "--", "true", status=0)
    assert_unused(base)


def test_a_server_that_dies_under_the_command_is_told(pgfold, scripts):
    code = """
import pathlib
os.kill(int(pathlib.Path(environment["PGHOST"], "data", "postmaster.pid").read_text().split()[0]), signal.SIGINT)
while pathlib.Path(environment["PGHOST"]).exists():
    time.sleep(0.01)
"""
    result = pgfold("testdb", *scripts(code), status=0)
    assert "ended by itself" in result.err and "database system is shut down" in result.err


# --- start, url, stop


def test_a_started_server_stays_until_it_is_stopped(pgfold, named):
    started = pgfold("testdb", "start", "--name", named, "--database", "app", status=0)
    url = started.out.strip()
    psql = ["psql", "-XAt", url, "-c"]
    subprocess.run([*psql, "CREATE TABLE kept AS SELECT 42 AS a"], check=True, env=harness.clean_environment())
    again = pgfold("testdb", "start", "--name", named, status=0)
    assert (again.out, "runs already" in again.err) == (started.out, True)
    assert pgfold("testdb", "url", "--name", named, status=0).out == started.out
    kept = subprocess.run([*psql, "SELECT a FROM kept"], capture_output=True, text=True, env=harness.clean_environment())
    assert kept.stdout == "42\n"

    described = pgfold("testdb", "url", "--name", named, "--json", status=0).json()
    assert described["schema"] == "pgfold.testdb" and described["url"] == url and described["running"] is True
    folder = pathlib.Path(described["folder"])
    postmaster = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    assert pgfold("testdb", "stop", "--name", named, "--json", status=0).json()["stopped"] is True
    assert not alive(postmaster) and not folder.exists()

    assert pgfold("testdb", "stop", "--name", named, "--json", status=0).json()["stopped"] is False
    missing = pgfold("testdb", "url", "--name", named, status=3)
    assert "does not run" in missing.err and "pgfold testdb start" in missing.err


def test_two_starts_at_once_are_one_server(pgfold, running, named):
    runs = [running("testdb", "start", "--name", named) for _ in range(4)]
    urls = {run.communicate(timeout=60)[0] for run in runs}
    assert len(urls) == 1 and urls.pop().startswith("postgresql:///")


def test_a_started_server_that_was_killed_is_started_anew(pgfold, named):
    first = pgfold("testdb", "start", "--name", named, "--json", status=0).json()
    pid_file = pathlib.Path(first["folder"]) / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    segment = lines[6].split()[1]
    assert segment in shared_memory_segments()
    os.kill(int(lines[0]), signal.SIGKILL)
    wait_until(lambda: not pathlib.Path(first["folder"]).exists(), "its keeper has cleaned up")
    assert segment not in shared_memory_segments()
    second = pgfold("testdb", "start", "--name", named, "--json", status=0).json()
    assert second["started"] is True and second["folder"] != first["folder"]


def test_a_started_server_does_not_hold_the_callers_output_open(pgfold, named):
    began = time.monotonic()
    script = '"$0" testdb start --name "$1" 2>&1 | cat'
    subprocess.run(["sh", "-c", script, pgfold.binary, named], env=pgfold.environment(), check=True, timeout=PATIENCE,
                   stdout=subprocess.DEVNULL)
    assert time.monotonic() - began < PATIENCE


# --- the port


def connects(port, password):
    command = ["psql", "-XAtw", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", "SELECT 1"]
    return subprocess.run(command, capture_output=True, env=harness.clean_environment(PGPASSWORD=password)).returncode == 0


def test_a_port_wants_the_password_and_the_password_is_nowhere_else(pgfold, running, scripts, named):
    port = free_port()
    url = pgfold("testdb", "start", "--name", named, "--port", port, "-d", "app", status=0).out.strip()
    password = re.fullmatch(rf"postgresql://postgres:([^@]+)@127\.0\.0\.1:{port}/app", url).group(1)
    assert len(password) >= 24
    assert connects(port, password) and not connects(port, "wrong")
    assert not [pid for pid, words in command_lines().items() if any(password in word for word in words)]
    folder = pathlib.Path(pgfold("testdb", "url", "--name", named, "--json").json()["folder"])
    assert password not in (folder / "log").read_text()
    assert password not in (folder / "data" / "postgresql.conf").read_text()


def test_the_command_is_led_to_the_port(pgfold):
    port = free_port()
    result = pgfold("testdb", "-p", port, "--", "sh", "-c", 'psql -XAtwc "SELECT inet_server_port()"; psql -XAt "$DATABASE_URL" '
                    '-c "SELECT inet_server_addr()"', status=0)
    assert result.out == f"{port}\n127.0.0.1\n"


def test_a_port_that_is_taken_is_said_to_be(pgfold):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = pgfold("testdb", "-p", taken.getsockname()[1], "--", "true", status=2)
    assert "Another program listens on that port" in result.err


# --- configuration and mistakes


def test_pgfold_yaml_gives_port_database_and_settings_and_options_win(pgfold):
    port = free_port()
    (pgfold.cwd / "pgfold.yaml").write_text(
        "version: 1\ntarget: {url: '${UNSET_HERE}'}\nsources: [{name: laptop, url: 'postgresql:///x'}]\n"
        f"testdb: {{ port: {port}, database: app_test, settings: {{ work_mem: 5MB, jit: 'on' }} }}\n")
    ask = ["--", "psql", "-XAtc", "SELECT current_database(), inet_server_port(), current_setting('work_mem')"]
    assert pgfold("testdb", *ask, status=0).out == f"app_test|{port}|5MB\n"
    result = pgfold("testdb", "--port", "0", "-d", "other", "--set", "work_mem=6MB", *ask, status=0)
    assert result.out == "other||6MB\n"


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "no command to run"),
    (["start", "extra"], 2, "start takes no arguments"),
    (["--", "no-such-program"], 2, "no program no-such-program"),
    (["--json", "--", "true"], 2, "--json does not go with a command"),
    (["--bindir", "/nonexistent", "--", "true"], 2, "/nonexistent: no PostgreSQL server programs"),
    (["--pg-version", "11", "--", "true"], 2, "postgresql-11"),
    (["--pg-version", "x", "--", "true"], 2, "whole number"),
    (["--port", "70000", "--", "true"], 2, "70000 is not a port"),
    (["--set", "nonsense", "--", "true"], 2, "--set name=value"),
    (["--set", "Port=1", "--", "true"], 2, "--port N"),
    (["--set", "no_such_setting=1", "--", "true"], 3, 'parameter "no_such_setting"'),
    (["--dir", "/nonexistent", "--", "true"], 2, "cannot write to /nonexistent"),
    (["--name", "a/b", "start"], 2, "not a name"),
    (["--user", "no-such-user", "--", "true"], 2, "no-such-user"),
])
def test_mistakes_are_told_with_what_to_do(pgfold, arguments, status, message):
    result = pgfold("testdb", *arguments, status=status)
    assert message in result.err and "hint:" in result.err
    assert result.out == "" or "--json" in arguments
