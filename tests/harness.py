"""Real PostgreSQL servers and the real program, for the tests in tests/cli.

Clusters run as an unprivileged user, with private sockets and without fsync. They are copies of one template a
version, made once a session. Each server asks the kernel to be told when the test run dies, however it dies.
"""
import ctypes
import functools
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
VERSIONS = (12, 13, 14, 15, 16, 17, 18)  # what pgfold supports
DEFAULT_VERSION = 15
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "jit": "off",
    "log_line_prefix": "%t %a %d ",
}


class HarnessError(Exception):
    """The test machine is not as the tests need it: says what to do."""


def server_user():
    """The user that servers run as: ourselves, or postgres (nobody) where we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise HarnessError("no unprivileged user to run a server as")


def clean_environment(**extra):
    """Ours, without anything that would lead a client to some other database."""
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("PG", "MESON_", "G_TEST")) and name not in ("DATABASE_URL", "NO_COLOR", "LANGUAGE")
    }
    environment.update(LC_ALL="C.UTF-8", TERM="dumb")
    environment.update({name: str(value) for name, value in extra.items()})
    return environment


def find_servers():
    """Major version -> folder with postgres and initdb."""
    found = {}
    for folder in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin")):
        if (folder / "postgres").exists():
            found[int(folder.parent.name)] = folder
    listed = subprocess.run([ROOT / "tools" / "test-servers", "--where"], capture_output=True, text=True, check=True)
    for folder in pathlib.Path(listed.stdout.strip()).glob("node_modules/pg*/native/bin"):
        found.setdefault(int(folder.parent.parent.name[2:]), folder)
    return found


@functools.lru_cache(maxsize=None)
def client(name):
    """A client program of PostgreSQL: the one in PATH, else Debian's newest.

    Debian's in PATH is a wrapper in Perl, which takes six times as long to start as what it starts.
    """
    path = shutil.which(name)
    if path and pathlib.Path(path).resolve().name != "pg_wrapper":
        return path
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    if not folders:
        raise HarnessError(f"{name} is not installed (make deps)")
    return str(folders[-1])


def _after_fork():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _as_server_user():
    user = server_user()
    arguments = {"preexec_fn": _after_fork}
    if user:
        arguments.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    return arguments


def _crc32c(data):
    """Yields the CRC-32C of data[:n] for n = 1, 2, ..."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
        yield crc ^ 0xFFFFFFFF


def set_system_identifier(data, identifier):
    """Copies of one template share their system identifier; two servers in the world never do.

    It stands in the first bytes of pg_control, whose checksum follows its last field (where, depends on the version:
    at the place where the sum so far is what is written there), and in the first page of each WAL file.
    """
    control = data / "global" / "pg_control"
    content = bytearray(control.read_bytes())
    place = next(n for n, crc in enumerate(_crc32c(content[:1024]), 1)
                 if n >= 128 and content[n:n + 4] == crc.to_bytes(4, sys.byteorder))
    content[:8] = identifier.to_bytes(8, sys.byteorder)
    *_, crc = _crc32c(content[:place])
    content[place:place + 4] = crc.to_bytes(4, sys.byteorder)
    control.write_bytes(content)
    for segment in (data / "pg_wal").glob("[0-9A-F]" * 24):
        with open(segment, "r+b") as file:
            file.seek(24)
            file.write(identifier.to_bytes(8, sys.byteorder))


class Database:
    """One database of a cluster, there or not."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    @property
    def url(self):
        return self.cluster.url(self.name)

    def create(self):
        self.cluster.sql("postgres", f'CREATE DATABASE "{self.name}"')
        return self

    def drop(self):
        if self.cluster.version >= 13:
            self.cluster.sql("postgres", f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        else:
            self.cluster.sql("postgres", "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
                                         f"WHERE datname = '{self.name}'")
            self.cluster.sql("postgres", f'DROP DATABASE IF EXISTS "{self.name}"')

    def exists(self):
        return self.cluster.sql("postgres", f"SELECT 1 FROM pg_catalog.pg_database WHERE datname = '{self.name}'") == "1"

    def sql(self, text):
        return self.cluster.sql(self.name, text)

    def load(self, dataset):
        self.cluster.load(self.name, dataset)
        return self


class Cluster:
    """A running server of our own."""

    def __init__(self, version, bindir, folder, template, settings=None):
        self.version = version
        self.bindir = bindir
        self.folder = folder
        self.settings = {**SETTINGS, **(settings or {}), "unix_socket_directories": str(folder)}
        self.process = None
        _run_as_server_user(["cp", "-a", str(template), str(self.data)])
        set_system_identifier(self.data, int.from_bytes(os.urandom(8), "little") >> 1)
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    @property
    def log(self):
        return self.folder / "log"

    def start(self):
        arguments = [str(self.bindir / "postgres"), "-D", str(self.data)]
        for name, value in self.settings.items():
            arguments += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, cwd="/", env=clean_environment(),
                                            **_as_server_user())
        self._await_ready(time.monotonic() + 60)

    def _await_ready(self, until):
        pidfile = self.data / "postmaster.pid"
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                lines = pidfile.read_text().splitlines()
            except OSError:
                lines = []
            if len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.005)
        raise HarnessError(f"server {self.version} did not start:\n{self.log.read_text()[-2000:]}")

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast; SIGQUIT: as a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        self.process = None

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database="postgres", user="postgres", **parameters):
        query = {"host": str(self.folder), **self._port("port"), **parameters}
        return f"postgresql://{urllib.parse.quote(user)}@/{urllib.parse.quote(database)}?{urllib.parse.urlencode(query)}"

    def environment(self, database="postgres"):
        return {"PGHOST": str(self.folder), "PGUSER": "postgres", "PGDATABASE": database, **self._port("PGPORT")}

    def _port(self, name):
        return {name: str(self.settings["port"])} if "port" in self.settings else {}

    def database(self, name):
        return Database(self, name)

    def create(self, name):
        return Database(self, name).create()

    def databases(self):
        """Names of all databases, templates left out."""
        return set(self.sql("postgres", "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate").splitlines())

    def connections(self, application="pgfold"):
        return int(self.sql("postgres", "SELECT count(*) FROM pg_catalog.pg_stat_activity "
                                        f"WHERE application_name = '{application}'"))

    def require_password(self, role, password):
        """Makes a login role that has to give its password."""
        self.sql("postgres", f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        hba = self.data / "pg_hba.conf"
        hba.write_text(f"local all {role} scram-sha-256\n" + hba.read_text(encoding="utf-8"), encoding="utf-8")
        self.sql("postgres", "SELECT pg_catalog.pg_reload_conf()")
        self._await_reload(role)

    def _await_reload(self, role):
        until = time.monotonic() + 10
        command = [client("psql"), "-X", "-w", "-c", "SELECT 1"]
        while time.monotonic() < until:
            environment = clean_environment(**{**self.environment(), "PGUSER": role})
            if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
                return
            time.sleep(0.01)
        raise HarnessError("the server did not read its pg_hba.conf again")

    def psql(self, database, *arguments, text=None):
        command = [client("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments]
        result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300,
                                env=clean_environment(**self.environment(database)))
        if result.returncode:
            raise AssertionError(f"psql failed on {database} of server {self.version}: {result.stderr}\n{text or arguments}")
        return result.stdout

    def sql(self, database, text):
        """Runs SQL; rows as lines, columns separated by |, without the last newline."""
        return self.psql(database, "-A", "-t", "-c", text).rstrip("\n")

    def load(self, database, dataset):
        """Fills an existing database with tests/data/<dataset>."""
        text = (DATA / dataset / f"{dataset}.sql").read_text(encoding="utf-8")
        # Chinook makes and enters a database of its own: it goes into ours instead.
        text = re.sub(r"^(\\c |CREATE DATABASE|DROP DATABASE).*$", "", text, flags=re.MULTILINE)
        self.psql(database, "-o", os.devnull, text="SET client_min_messages = warning;\n" + text)


def _run_as_server_user(arguments):
    result = subprocess.run(arguments, capture_output=True, text=True, cwd="/", env=clean_environment(),
                            timeout=120, **_as_server_user())
    if result.returncode:
        raise HarnessError(f"{arguments[0]}: {result.stderr}")


class Machine:
    """All clusters of a test session, in one folder that goes at its end."""

    def __init__(self):
        self.servers = find_servers()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgfold-test-", dir=_roomy_folder()))
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        self.folder.chmod(0o711)
        self._templates = {}
        self._count = 0
        self.clusters = []

    def bindir(self, version):
        if version not in self.servers:
            raise HarnessError(f"PostgreSQL {version} is not there: run tools/test-servers")
        return self.servers[version]

    def _own_folder(self, name):
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        user = server_user()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        return folder

    def template(self, version):
        if version not in self._templates:
            folder = self._own_folder(f"t{version}")
            _run_as_server_user([str(self.bindir(version) / "initdb"), "-D", str(folder / "data"), "-U", "postgres",
                                 "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            self._templates[version] = folder / "data"
        return self._templates[version]

    def cluster(self, version=DEFAULT_VERSION, **settings):
        self._count += 1
        template = self.template(version)
        cluster = Cluster(version, self.bindir(version), self._own_folder(f"c{self._count}"), template, settings)
        self.clusters.append(cluster)
        return cluster

    def forget(self, cluster):
        self.clusters.remove(cluster)
        cluster.remove()

    def remove(self):
        for cluster in self.clusters:
            cluster.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def _roomy_folder():
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize > 2 << 30:
            return memory
    return pathlib.Path("/tmp")


@dataclass
class Result:
    """What a run of pgfold gave."""
    arguments: list
    status: int
    out: str
    err: str
    seconds: float = field(default=0.0)

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"{' '.join(self.arguments)}\nexit {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Pgfold:
    """Runs build/pgfold (or $PGFOLD). secrets: what must never appear in any output."""

    def __init__(self, machine, cwd):
        self.binary = os.environ.get("PGFOLD", str(ROOT / "build" / "pgfold"))
        self.machine = machine
        self.cwd = pathlib.Path(cwd)
        self.secrets = set()
        if not os.access(self.binary, os.X_OK):
            raise HarnessError(f"{self.binary} is not there: make build, or set PGFOLD")

    def environment(self, **extra):
        servers = ":".join(str(folder) for _, folder in sorted(self.machine.servers.items()))
        return clean_environment(HOME=self.machine.home, PGFOLD_SERVERS=servers, **extra)

    def start(self, *arguments, env=None, cwd=None, **popen):
        """A run that goes on: a Popen. The caller ends it (fixture `running` does)."""
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True, **popen}
        return subprocess.Popen([self.binary, *map(str, arguments)], cwd=cwd or self.cwd,
                                env=self.environment(**(env or {})), **popen)

    def __call__(self, *arguments, env=None, cwd=None, input=None, status=None, timeout=180):
        """status: the exit status that is expected, or None for any."""
        began = time.monotonic()
        process = self.start(*arguments, env=env, cwd=cwd, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        result = Result(["pgfold", *map(str, arguments)], process.returncode, out, err, time.monotonic() - began)
        for secret in self.secrets:
            assert secret not in out + err, f"a secret was printed: {result}"
        assert status is None or result.status == status, f"expected exit {status}: {result}"
        return result
