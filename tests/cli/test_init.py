"""pgfold init: what is found, who is what, and the file that is written."""
import os
import pty
import select
import socket
import stat
import threading
import time

import pytest

import documents

SECRET = "hunter2-not-in-any-file"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Project:
    """A folder as a project has it, and the servers that its files mean."""

    def __init__(self, pgfold, machine):
        self.pgfold = pgfold
        self.folder = pgfold.cwd
        self.port = free_port()
        (self.folder / ".git").mkdir()
        self.vps = machine.cluster()
        self.laptop = machine.cluster(listen_addresses="127.0.0.1", port=self.port)
        self.servers = [self.vps, self.laptop]
        self.vps.create("app")
        self.laptop.create("app_local")
        self.laptop.create("archon")
        pgfold.secrets.add(SECRET)

    @property
    def config(self):
        return self.folder / "pgfold.yaml"

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")

    def environment(self, **extra):
        return {"PGHOST": str(self.vps.folder), "PGUSER": "postgres", **extra}

    def init(self, *arguments, env=None, **options):
        return self.pgfold("init", *arguments, env=self.environment(**(env or {})), **options)

    def found(self, **env):
        """(system identifier, database) -> what --json says of it; servers of others are left out."""
        listed = documents.check(self.init("--json", env=env, status=0).json(), "init")["databases"]
        ours = {server.sql("postgres", "SELECT system_identifier FROM pg_control_system()"): server for server in self.servers}
        return {(ours[one["server"]["system_identifier"]], one["database"]): one for one in listed
                if one["server"] and one["server"]["system_identifier"] in ours}

    def unreached(self, **env):
        return [one for one in self.init("--json", env=env, status=0).json()["databases"] if not one["server"]]


@pytest.fixture
def project(pgfold, machine):
    made = Project(pgfold, machine)
    yield made
    for server in made.servers:
        machine.forget(server)


COMPOSE = """
x-common: &common
  restart: unless-stopped
services:
  db:
    <<: *common
    image: pgvector/pgvector:pg15
    environment:
      POSTGRES_USER: ${{DB_USER:-postgres}}
      POSTGRES_PASSWORD: {secret}
      POSTGRES_DB: app_local
    ports:
      - "${{DB_PORT}}:5432"
  cache:
    image: redis:7
    ports: ["6379:6379"]
  admin:
    image: dpage/pgadmin4
"""


def test_one_server_that_many_places_lead_to_is_found_once_with_all_its_names(project):
    project.write("docker-compose.local.yml", COMPOSE.format(secret=SECRET))
    project.write(".env", f"DB_PORT={project.port}\nexport DATABASE_URL='postgresql+asyncpg://postgres:{SECRET}@db:5432/app_local?pgbouncer=true'\n")
    project.write(".env.example", "DATABASE_URL=postgresql://user:change-me@127.0.0.1:1/example\n")
    project.write("node_modules/x/.env", "DATABASE_URL=postgresql://user@127.0.0.1:1/other\n")
    found = project.found(MAIN=project.vps.url("app"))
    local = found[project.laptop, "app_local"]
    assert local["found_as"] == [".env: DATABASE_URL", "docker-compose.local.yml#db", f"127.0.0.1:{project.port}"]
    assert local["compose"] == "docker-compose.local.yml#db"
    assert local["server"]["version"].startswith("15.") and local["bytes"] > 5_000_000
    target = found[project.vps, "app"]
    assert target["variable"] == "MAIN" and target["found_as"][0] == "$MAIN"
    assert (project.laptop, "archon") in found and (project.laptop, "postgres") not in found
    assert not [one for one in project.unreached() if one["database"] in ("example", "other")]


def test_a_compose_file_that_cannot_be_read_whole_is_mentioned(project):
    project.write("compose.yaml", "services: [\n")
    project.write("compose.other.yaml", "x: &x\n  image: postgres\nservices:\n  db:\n    <<: *x\n")
    remarks = " ".join(project.init("--json", status=0).json()["remarks"])
    assert "compose.yaml cannot be read" in remarks and "compose.other.yaml was read in part" in remarks


def test_a_port_that_is_not_postgresql_is_left_alone_and_holds_nobody_up(project):
    with socket.socket() as mute, socket.socket() as talker:
        for listener in (mute, talker):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        began = time.monotonic()
        result = project.init("--json", status=0)
        assert time.monotonic() - began < 2
        for listener in (mute, talker):
            assert f":{listener.getsockname()[1]}" not in result.out


def test_a_server_that_lets_nobody_in_is_shown_with_its_reason(project):
    hba = project.laptop.data / "pg_hba.conf"
    hba.write_text("local all all trust\nhost all all all reject\n", encoding="utf-8")
    project.laptop.sql("postgres", "SELECT pg_reload_conf()")
    until = time.monotonic() + 10
    while not (closed := [one for one in project.unreached() if one["found_as"] == [f"127.0.0.1:{project.port}"]]):
        assert time.monotonic() < until
    assert closed[0]["number"] is None and "pg_hba.conf" in closed[0]["reason"]
    result = project.init(status=2)
    assert "pg_hba.conf" in result.out and "PGUSER" in result.err


def ask_for_password(listener, received):
    """Serves one server that wants passwords as they are, and keeps what it gets."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.settimeout(5)
            while message := client.recv(4096):
                if message[4:6] == b"\x04\xd2":
                    client.sendall(b"N")  # no TLS, no GSSAPI
                elif message[:1] == b"p":
                    received.append(message)
                    break
                else:
                    client.sendall(b"R\0\0\0\x08\0\0\0\x03")


def test_another_machine_that_a_file_names_does_not_get_the_password_of_the_environment(project):
    received = []
    with socket.create_server(("127.0.0.2", 0)) as listener:  # not one of the names of this machine
        threading.Thread(target=ask_for_password, args=(listener, received), daemon=True).start()
        port = listener.getsockname()[1]
        project.write(".env", f"DATABASE_URL=postgresql://app@127.0.0.2:{port}/app\n")
        project.init("--json", env={"PGPASSWORD": SECRET}, status=0)
        assert not received
        project.init("--json", env={"PGPASSWORD": SECRET, "PGHOST": "127.0.0.2"}, status=0)
        assert received
        listener.shutdown(socket.SHUT_RDWR)


def test_a_host_that_has_no_address_is_named_and_holds_nobody_up(project):
    project.write(".env", f"DATABASE_URL=postgresql://app:{SECRET}@nowhere.invalid/app\n")
    began = time.monotonic()
    [one] = [one for one in project.unreached() if one["database"] == "app"]
    assert time.monotonic() - began < 2
    assert one["state"] == "silent" and "host" in one["reason"] and one["variable"] == "DATABASE_URL"


def test_the_file_works_and_holds_no_password(project):
    project.laptop.require_password("app", SECRET)
    project.laptop.sql("app_local", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); GRANT ALL ON t TO app")
    hba = project.laptop.data / "pg_hba.conf"
    hba.write_text("host all app 127.0.0.1/32 scram-sha-256\n" + hba.read_text(encoding="utf-8"), encoding="utf-8")
    project.laptop.sql("postgres", "SELECT pg_reload_conf()")
    project.write("docker-compose.local.yml", COMPOSE.format(secret=SECRET).replace("${DB_USER:-postgres}", "app"))
    project.write(".env", f"DB_PORT={project.port}\n")
    project.write("docker-compose.test.yml", "services: {}\n")
    url = project.vps.url("app")
    result = project.init("--target", url, "--source", "laptop=docker-compose.local.yml#db", "--protect", "archon",
                          "--protect", "docker-compose.test.yml", "--yes", env={"DATABASE_URL": url}, status=0)
    text = project.config.read_text(encoding="utf-8")
    assert SECRET not in text
    assert 'url: "${DATABASE_URL}"' in text and 'compose: "docker-compose.local.yml#db"' in text
    assert f"127.0.0.1:{project.port}:app_local:app:PASSWORD" in text and "POSTGRES_PASSWORD" in text
    assert "~/.pgpass" in result.err
    assert stat.S_IMODE(project.config.stat().st_mode) == 0o666 & ~current_umask()
    audit = project.pgfold("audit", "--json", env={"DATABASE_URL": url, "PGPASSWORD": SECRET})
    assert audit.json()["sources"][0]["name"] == "laptop", audit


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_another_server_behind_the_target_is_noticed_afterwards(project):
    project.init("--target", project.vps.url("app"), "--source", f"laptop={project.laptop.url('app_local')}", "--yes",
                 status=0)
    text = project.config.read_text(encoding="utf-8")
    other = project.laptop.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    own = project.vps.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    assert f'identity: "{own}"' in text
    project.config.write_text(text.replace(own, other), encoding="utf-8")
    assert "wrong identity" in project.pgfold("audit", status=3).err


def test_a_password_on_the_command_line_is_not_written(project):
    url = project.vps.url("app").replace("postgres@", f"postgres:{SECRET}@")
    result = project.init("--target", url, "--source", f"laptop={project.laptop.url('app_local')}", "--yes", status=0)
    assert SECRET not in project.config.read_text(encoding="utf-8")
    assert "--target" in result.err


def test_a_connection_string_that_a_variable_holds_is_written_as_the_variable(project):
    url = project.vps.url("app").replace("postgres@", f"postgres:{SECRET}@")
    project.init("--target", url, "--source", f"laptop={project.laptop.url('app_local')}", "--yes", env={"MAIN_URL": url},
                 status=0)
    text = project.config.read_text(encoding="utf-8")
    assert 'url: "${MAIN_URL}"' in text and SECRET not in text


def test_a_variable_is_named_without_its_value(project):
    url = project.vps.url("app").replace("postgres@", f"postgres:{SECRET}@")
    result = project.init("--target", "$MAIN_URL", "--source", f"laptop={project.laptop.url('app_local')}", "--yes",
                          env={"MAIN_URL": url}, status=0)
    assert 'url: "${MAIN_URL}"' in project.config.read_text(encoding="utf-8") and "warning" not in result.err


def test_a_file_of_a_folder_above_is_mentioned(project):
    below = project.folder / "below"
    below.mkdir()
    arguments = ["--target", project.vps.url("app"), "--source", f"laptop={project.laptop.url('app_local')}", "--yes"]
    project.init(*arguments, status=0)
    result = project.init(*arguments, cwd=below, status=0)
    assert str(project.config) in result.err
    assert (below / "pgfold.yaml").exists()


def test_an_existing_file_is_kept(project):
    arguments = ["--target", project.vps.url("app"), "--source", f"laptop={project.laptop.url('app_local')}", "--yes"]
    project.config.write_text("# mine\n", encoding="utf-8")
    assert "--force" in project.init(*arguments, status=4).err
    assert project.config.read_text(encoding="utf-8") == "# mine\n"
    project.init(*arguments, "--dry-run", status=0)
    assert project.config.read_text(encoding="utf-8") == "# mine\n"
    project.init(*arguments, "--force", status=0)
    assert project.config.read_text(encoding="utf-8").endswith("}\n")
    [kept] = project.folder.glob("pgfold.yaml.*")
    assert kept.read_text(encoding="utf-8") == "# mine\n"


def test_a_dry_run_prints_the_file_and_nothing_else(project):
    arguments = ["--target", project.vps.url("app"), "--source", f"laptop={project.laptop.url('app_local')}"]
    printed = project.init(*arguments, "--dry-run", status=0).out
    assert not project.config.exists()
    project.init(*arguments, "--yes", status=0)
    assert project.config.read_text(encoding="utf-8") == printed


def test_without_a_terminal_it_says_which_options_answer(project):
    result = project.init(status=2)
    assert "app_local" in result.out and "--target" in result.err and "--source" in result.err
    result = project.init("--target", project.vps.url("app"), "--source", f"x={project.laptop.url('archon')}", status=4)
    assert "--yes" in result.err
    assert not project.config.exists()


@pytest.mark.parametrize("arguments, status, words", [
    (["--target", "{app}", "--source", "{app}"], 2, ["target itself"]),
    (["--target", "{app}", "--source", "a={local}", "--protect", "app_local"], 2, ["cannot be protected"]),
    (["--target", "99999", "--source", "a={local}"], 2, ["target: 99999", "no such number"]),
    (["--target", "nowhere", "--source", "a={local}"], 2, ["nowhere"]),
    (["--target", "postgresql://x@127.0.0.1:1/x", "--source", "a={local}"], 3, ["target", "refused"]),
    (["--target", "{app}", "--source", "a={local}", "--source", "a={archon}"], 2, ["two sources"]),
    (["--target", "{app}", "--source", "a b={local}"], 2, ["a b"]),
])
def test_what_cannot_be_is_refused(project, arguments, status, words):
    names = {"app": project.vps.url("app"), "local": project.laptop.url("app_local"), "archon": project.laptop.url("archon")}
    result = project.init(*(one.format(**names) for one in arguments), "--yes", status=status)
    assert all(word in result.err for word in words), result
    assert not project.config.exists()


def test_a_test_database_is_kept_out(project):
    project.laptop.create("app_test")
    project.init("--target", project.vps.url("app"), "--source", f"laptop={project.laptop.url('app_local')}",
                 "--test", f"postgresql://postgres@127.0.0.1:{project.port}/app_test", "--yes", status=0)
    text = project.config.read_text(encoding="utf-8")
    assert f"  port: {project.port}\n" in text and '  database: "app_test"\n' in text
    assert '    - "app_test"\n' in text


def test_services_of_libpq_are_found_and_written_as_such(project):
    project.write("services.conf", f"[stray]\nhost=127.0.0.1\nport={project.port}\nuser=postgres\npassword={SECRET}\ndbname=archon\n")
    env = {"PGSERVICEFILE": str(project.folder / "services.conf")}
    found = project.found(**env)
    assert "service stray" in found[project.laptop, "archon"]["found_as"]
    assert "service stray" not in found[project.laptop, "app_local"]["found_as"]
    project.init("--target", project.vps.url("app"), "--source", "stray=service=stray", "--yes", env=env, status=0)
    text = project.config.read_text(encoding="utf-8")
    assert "service=stray" in text and SECRET not in text


class Terminal:
    """pgfold init on a terminal of its own."""

    def __init__(self, project, *arguments):
        self.master, terminal = pty.openpty()
        self.process = project.pgfold.start("init", *arguments, stdin=terminal, stdout=terminal, stderr=terminal,
                                            env=project.environment())
        os.close(terminal)
        self.seen = ""

    def read_until(self, text):
        until = time.monotonic() + 30
        start = len(self.seen)
        while text not in self.seen[start:]:
            assert time.monotonic() < until, self.seen
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode()

    def answer(self, question, text):
        self.read_until(question)
        os.write(self.master, text.encode() + b"\n")

    def end(self):
        try:
            while piece := os.read(self.master, 65536):
                self.seen += piece.decode()
        except OSError:
            pass
        self.process.wait(30)
        os.close(self.master)
        return self.process.returncode


def test_on_a_terminal_it_asks_and_asks_again(project):
    project.write("docker-compose.local.yml", COMPOSE.format(secret=SECRET))
    project.write(".env", f"DB_PORT={project.port}\n")
    found = project.found()
    app, local = (found[key]["number"] for key in ((project.vps, "app"), (project.laptop, "app_local")))
    terminal = Terminal(project)
    terminal.answer("Target", "99999")
    terminal.answer("no such number", str(app))
    terminal.answer(f"Sources, to be folded into it (numbers, or NAME=number) [{local}]: ", f"laptop={local}, nowhere")
    terminal.answer("nowhere: it is not one of those", f"laptop={local}")
    terminal.answer("Test databases", "-")
    terminal.answer("Protected", "archon")
    terminal.answer("Write pgfold.yaml? [y/N]", "y")
    assert terminal.end() == 0, terminal.seen
    assert "SYSTEM IDENTIFIER" in terminal.seen and SECRET not in terminal.seen
    text = project.config.read_text(encoding="utf-8")
    assert '- name: "laptop"' in text and text.count("- name:") == 1 and '- "archon"' in text and SECRET not in text
    assert project.pgfold("audit", env=project.environment()).status in (0, 1)


def test_on_a_terminal_no_means_no(project):
    terminal = Terminal(project, "--target", project.vps.url("app"), "--source", f"x={project.laptop.url('archon')}")
    terminal.answer("Write pgfold.yaml? [y/N]", "n")
    assert terminal.end() == 4
    assert not project.config.exists()


def test_three_clusters_take_less_than_two_seconds(project, cluster):
    project.servers.append(cluster())
    began = time.monotonic()
    project.init("--json", status=0)
    assert time.monotonic() - began < 2
    project.servers.pop()


def test_start_without_a_container_says_so(pair):
    pair.source.create()
    pair.target.create()
    assert "pgfold.yaml" in pair.pgfold("audit", "--source", pair.source.url, "--start", status=2).err
    pair.configure()
    assert "names a container" in pair.pgfold("audit", "--start", status=0).err
