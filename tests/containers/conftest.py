"""Fixtures of the tests that need a container engine (make test-containers)."""
import pathlib
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import engine as engines  # noqa: E402
from engine import SECRET  # noqa: E402
from folding import wait_until  # noqa: E402

SERVICES = {"local": "db", "test": "testdb"}
COMPOSE = """
version: "3.7"
services:
  {service}:
    image: {image}
    network_mode: host
    environment:
      POSTGRES_DB: {database}
      POSTGRES_PASSWORD: {secret}
      PGPORT: "{port}"
    volumes: ["data_{database}:/data"]
volumes:
  data_{database}: {{}}
"""


@pytest.fixture(scope="session")
def engine():
    made = engines.Engine()
    yield made
    made.remove()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Project:
    """The model case: compose files for the local and the test database side by side, and a target elsewhere."""

    def __init__(self, engine, pgfold, vps, name):
        self.engine, self.pgfold, self.vps = engine, pgfold, vps
        self.folder = pgfold.cwd / f"project-{name}"
        self.folder.mkdir()
        (self.folder / ".git").mkdir()
        pgfold.cwd = self.folder
        pgfold.secrets.add(SECRET)
        self.port, self.test_port = free_port(), free_port()
        self.compose("local", "app", self.port)
        self.compose("test", "app_test", self.test_port)
        self.target = vps.database("app").create()
        self.env = {**engine.variables(), "DATABASE_URL": self.target.url}

    def compose(self, kind, database, port):
        text = COMPOSE.format(service=SERVICES[kind], image=engines.IMAGE, database=database, secret=SECRET, port=port)
        (self.folder / f"docker-compose.{kind}.yml").write_text(text, encoding="utf-8")

    def up(self, kind):
        self.engine.run("docker-compose", "-f", f"docker-compose.{kind}.yml", "up", "-d", cwd=self.folder)

    def name(self, kind):
        """The container of a compose file."""
        listed = self.engine.podman("ps", "--all", "--format", "{{.Names}}").split()
        [found] = [one for one in listed if one.startswith(f"{self.folder.name}_{SERVICES[kind]}_")]
        return found

    def stop(self, name):
        self.engine.podman("stop", name)

    def sql(self, text, port=None, database="app"):
        command = [engines.harness.client("psql"), "-X", "-A", "-t", "-q", "-h", "127.0.0.1", "-p", str(port or self.port), "-U",
                   "postgres", "-d", database, "-c", text]
        def answer():
            result = self.engine.run(*command, check=False)
            return None if result.returncode == 2 else result  # not connected: it is starting
        result = wait_until(answer, "the server of a container", 30)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def configure(self, keys):
        (self.folder / "pgfold.yaml").write_text(
            "version: 1\ntarget:\n  url: ${DATABASE_URL}\nsources:\n  - name: local\n"
            f"    url: postgresql://postgres@127.0.0.1:{self.port}/app\n" + "".join(f"    {key}\n" for key in keys),
            encoding="utf-8")

    def run(self, *arguments, **options):
        return self.pgfold(*arguments, env=self.env, **options)

    def running(self):
        """Of this project, and plain ones."""
        return self.engine.running()

    def start_and_signal(self, number, *arguments):
        """Runs pgfold until its container runs, sends the signal, and waits for the end."""
        before = self.running()
        process = self.pgfold.start(*arguments, env=self.env)
        until = time.monotonic() + 60
        while self.running() == before:
            assert time.monotonic() < until and process.poll() is None, process.communicate()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        return process.returncode, said


@pytest.fixture
def project(engine, pgfold, cluster, request):
    made = Project(engine, pgfold, cluster(15), f"{abs(hash(request.node.name)) % 10 ** 8}")
    yield made
    engine.podman("rm", "--all", "--force", "--time", "1", "--volumes")


@pytest.fixture
def local(project):
    """Its local database has rows, and its container does not run."""
    project.up("local")
    project.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)")
    project.stop(project.name("local"))
    project.configure(["compose: docker-compose.local.yml#db"])
    return project
