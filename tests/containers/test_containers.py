"""Sources that run in containers: found, started, stopped again."""
import shlex
import signal

import pytest

import engine as engines
from engine import SECRET


def test_a_container_that_does_not_run_is_an_error_with_the_command_that_starts_it(local):
    result = local.run("audit", status=3)
    [line] = [line.split("start it: ")[1] for line in result.err.splitlines() if "start it: " in line]
    assert "--start" in result.err and local.name("local") in line
    local.engine.run(*shlex.split(line), cwd=local.folder)
    assert local.sql("SELECT count(*) FROM t") == "100"
    assert "100 rows" in local.run("audit", status=1).out
    assert local.running() == {local.name("local")}, "what pgfold did not start it does not stop"


@pytest.mark.parametrize("command, status", [(["audit"], 1), (["plan"], 0), (["backup", "--no-prove"], 0),
                                             (["fold", "--yes", "--no-backup"], 0), (["verify"], 1)])
def test_what_is_started_is_stopped_again(local, command, status):
    result = local.run(*command, "--start", status=status)
    assert "Starting" in result.err and "Stopping" in result.err
    assert local.running() == set()
    assert "containers" in local.run("status", "--json").json() and not local.run("status", "--json").json()["containers"]


def test_compose_makes_a_container_that_is_not_there(local):
    local.engine.podman("rm", local.name("local"))
    assert "is not running" not in local.run("audit", status=3).err, "nobody can know whether compose runs it elsewhere"
    local.run("fold", "--yes", "--no-backup", "--start", status=0)
    assert local.running() == set()
    assert local.target.sql("SELECT count(*) FROM t") == "100"


def test_a_service_that_compose_cannot_start_is_an_error_and_leaves_nothing(project):
    path = project.folder / "docker-compose.local.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(engines.IMAGE, "localhost/nowhere:1"), encoding="utf-8")
    project.configure(["compose: docker-compose.local.yml#db"])
    assert "up -d" in project.run("audit", "--start", status=3).err
    assert project.running() == set() and not project.run("status", "--json").json()["containers"]


def test_it_is_stopped_on_ctrl_c_while_compose_makes_it(local):
    local.engine.podman("rm", local.name("local"))
    process = local.pgfold.start("audit", "--start", env=local.env)
    assert "Starting" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert local.running() == set() and not local.run("status", "--json").json()["containers"]


def test_it_is_stopped_when_the_command_fails(local):
    local.vps.stop()
    local.run("audit", "--start", status=3)
    assert local.running() == set()


def test_it_is_stopped_on_ctrl_c(local):
    status, said = local.start_and_signal(signal.SIGINT, "audit", "--start")
    assert status == 130 and "Stopping" in said
    assert local.running() == set()


def test_after_kill_9_status_knows_and_the_next_run_stops_it(local):
    local.start_and_signal(signal.SIGKILL, "audit", "--start")
    assert local.running() == {local.name("local")}
    assert f"stop {local.name('local')}" in local.run("status").out
    local.sql("SELECT 1")
    result = local.run("audit", "--start", status=1)
    assert "killed" in result.err
    assert local.running() == set()
    assert "killed" not in local.run("status").out


def test_another_server_at_the_port_of_a_stopped_container_is_not_taken_for_it(local, cluster):
    other = cluster(15, listen_addresses="127.0.0.1", port=local.port)
    other.create("app")
    assert local.name("local") in local.run("fold", "--yes", status=3).err


@pytest.mark.parametrize("engine_key", ["auto", "podman", "docker"])
def test_a_container_may_be_named(project, engine_key):
    name = f"plain-{engine_key}"
    project.engine.podman("run", "-d", "--name", name, "-e", f"PGPORT={project.port}", "-e", "POSTGRES_DB=app", engines.IMAGE)
    project.sql("CREATE TABLE t (id int PRIMARY KEY)")
    project.stop(name)
    project.configure([f"container: {name}", f"engine: {engine_key}"])
    assert f"start {name}" in project.run("audit", status=3).err
    project.run("audit", "--start", status=1)
    assert project.running() == set()


def test_a_container_that_is_not_there_is_named(project):
    project.configure(["container: nowhere"])
    assert "there is no container nowhere" in project.run("audit", "--start", status=3).err


def test_the_model_case_from_nothing_to_a_proven_fold(project):
    for kind, port, database in (("local", project.port, "app"), ("test", project.test_port, "app_test")):
        project.up(kind)
        project.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)", port, database)
    project.stop(project.name("local"))
    found = project.run("init", "--json", status=0).json()["databases"]
    local, test = ([one for one in found if one["compose"] == f"docker-compose.{kind}.yml#{service}"]
                   for kind, service in (("local", "db"), ("test", "testdb")))
    assert [one["state"] for one in local] == ["stopped"] and local[0]["container"] == project.name("local")
    assert {one["state"] for one in test} == {"reached"} and all(one["test"] for one in test if one["database"] == "app_test")
    project.run("init", "--target", project.target.url, "--source", "laptop=docker-compose.local.yml#db", "--test",
                "app_test", "--yes", status=0)
    text = (project.folder / "pgfold.yaml").read_text(encoding="utf-8")
    assert SECRET not in text and "docker-compose.test.yml" in text and project.name("test") in text
    project.run("fold", "--yes", "--no-backup", "--start", status=0)
    assert project.target.sql("SELECT count(*) FROM t") == "2"
    assert project.running() == {project.name("test")}
    assert project.sql("SELECT count(*) FROM t", project.test_port, "app_test") == "2"


def test_a_plain_container_is_found_by_init(project):
    project.engine.podman("run", "-d", "--name", "stray", "-e", f"PGPORT={project.port}", "-e", "POSTGRES_DB=app", "-e",
                          f"POSTGRES_PASSWORD={SECRET}", engines.IMAGE)
    project.sql("SELECT 1")
    project.run("init", "--target", project.target.url, "--source", f"postgresql://postgres@127.0.0.1:{project.port}/app",
                "--yes", status=0)
    text = (project.folder / "pgfold.yaml").read_text(encoding="utf-8")
    assert 'container: "stray"' in text and SECRET not in text
