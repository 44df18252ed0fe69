"""Sources that run in containers are stopped once they are retired; their volumes go only by name."""
import json
import signal
import subprocess

import pytest

import harness
from engine import SECRET
from folding import assert_one_error, wait_until

IDENTITY = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
APP = 'import os\n\nURL = os.getenv("DATABASE_URL", "postgresql://app@localhost:5433/app")\n'


class Retiring:
    """The model case, folded: its local database and its test database run in containers side by side."""

    def __init__(self, project):
        self.project, self.folder = project, project.folder
        project.env.update(IDENTITY)
        (self.folder / ".git").rmdir()
        (self.folder / "db.py").write_text(APP, encoding="utf-8")
        for kind, port, database in (("local", project.port, "app"), ("test", project.test_port, "app_test")):
            project.up(kind)
            project.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)", port, database)
        self.configure()
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "All")
        self.run("fold", "--yes", status=0)
        self.local, self.test = project.name("local"), project.name("test")

    def configure(self, extra=""):
        self.project.configure(["compose: docker-compose.local.yml#db"])
        path = self.folder / "pgfold.yaml"
        path.write_text(path.read_text(encoding="utf-8") + "code:\n  remove: [docker-compose.local.yml]\n" + extra, encoding="utf-8")

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.folder, env=harness.clean_environment(**IDENTITY), capture_output=True,
                              text=True, timeout=60, check=True).stdout.strip()

    def run(self, *arguments, **options):
        return self.project.run(*arguments, **options)

    def retire(self, *arguments, status=0):
        return self.run("retire", "local", "--yes", *arguments, status=status)

    def volumes(self):
        return set(self.project.engine.podman("volume", "ls", "--quiet").split())


@pytest.fixture
def retiring(project):
    return Retiring(project)


def lines(document, identifier):
    return [line for line in document["checklist"] if line["id"] == identifier]


def test_the_container_of_a_retired_source_is_stopped_and_the_test_database_is_not(retiring):
    volumes = retiring.volumes()
    document = retiring.retire("--json").json()
    assert retiring.project.running() == {retiring.test} and retiring.volumes() == volumes
    assert lines(document, "container")[0]["state"] == "yes" and lines(document, "volumes")[0]["state"] == "note"
    assert not (retiring.folder / "docker-compose.local.yml").exists() and (retiring.folder / "docker-compose.test.yml").exists()
    retiring.run("retire", "--undo", "--yes", status=0)
    assert retiring.project.running() == {retiring.test, retiring.local}
    assert retiring.git("branch", "--show-current") == "main" and (retiring.folder / "docker-compose.local.yml").exists()
    assert retiring.project.sql("SELECT count(*) FROM t") == "100"


def test_once_it_is_retired_the_same_command_only_checks_again(retiring):
    retiring.retire()
    document = retiring.retire("--json").json()
    assert document["branch"] is None and "which has not run since" in lines(document, "true")[0]["evidence"]
    retiring.run("retire", "--undo", "--yes", status=0)
    assert retiring.project.running() == {retiring.test, retiring.local}


def test_a_container_that_was_started_again_is_proven_again(retiring):
    retiring.retire()
    retiring.project.engine.podman("start", retiring.local)
    retiring.project.sql("INSERT INTO t VALUES (101)")
    assert_one_error(retiring.retire(status=4), "is not what its receipt says")
    retiring.project.stop(retiring.local)
    assert_one_error(retiring.retire(status=3), "is not running", "--start")


def test_killed_while_the_container_is_stopped_the_same_command_goes_on(retiring):
    process = retiring.project.pgfold.start("retire", "local", "--yes", env=retiring.project.env)
    for line in process.stderr:
        if "Stopping" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    wait_until(lambda: retiring.local not in retiring.project.running() or retiring.project.sql("SELECT 1") == "1", "podman")
    retiring.retire()
    assert retiring.project.running() == {retiring.test}
    retiring.run("retire", "--undo", "--yes", status=0)
    assert retiring.project.running() == {retiring.test, retiring.local}


def test_a_container_that_does_not_run_is_started_to_prove_it_and_not_by_undo(retiring):
    retiring.project.stop(retiring.local)
    assert "--start" in retiring.retire(status=3).err
    retiring.retire("--start")
    assert retiring.project.running() == {retiring.test}
    retiring.run("retire", "--undo", "--yes", status=0)
    assert retiring.project.running() == {retiring.test}


def test_volumes_go_only_with_the_name_of_the_source(retiring):
    before = retiring.volumes()
    for confirm in ([], ["--confirm", "other"]):
        assert_one_error(retiring.retire("--volumes", *confirm, status=4), "not confirmed by its name", "--confirm local")
        assert retiring.volumes() == before and retiring.project.running() == {retiring.test, retiring.local}
        assert retiring.git("branch", "--show-current") == "main"
    document = retiring.retire("--volumes", "--confirm", "local", "--json").json()
    gone = before - retiring.volumes()
    assert len(gone) == 1 and gone == set(document["sources"][0]["volumes"])
    assert lines(document, "volumes")[0]["state"] == "yes" and "is removed" in lines(document, "container")[0]["evidence"]
    assert retiring.project.sql("SELECT count(*) FROM t", retiring.project.test_port, "app_test") == "100"
    result = retiring.run("retire", "--undo", "--yes", status=0)
    assert "cannot come back" in result.err and retiring.git("branch", "--show-current") == "main"


def test_volumes_that_hold_another_database_stay(retiring):
    """Its rows are in no receipt, and in no backup."""
    retiring.project.sql("CREATE DATABASE analytics")
    before = retiring.volumes()
    assert_one_error(retiring.retire("--volumes", "--confirm", "local", status=4), "analytics", "--volumes")
    retiring.project.sql("DROP DATABASE analytics")
    retiring.project.sql("CREATE TABLE notes (id int)", database="postgres")
    assert_one_error(retiring.retire("--volumes", "--confirm", "local", status=4), "database postgres", "--volumes")
    assert retiring.volumes() == before and retiring.local in retiring.project.running()


def test_volumes_of_a_source_that_was_folded_in_part_stay(retiring):
    retiring.project.sql("CREATE SCHEMA old; CREATE TABLE old.kept (id int); INSERT INTO old.kept VALUES (1)")
    path = retiring.folder / "pgfold.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("compose: docker-compose.local.yml#db", "compose: docker-compose.local.yml#db\n    exclude: { schemas: old }"), encoding="utf-8")
    retiring.git("commit", "-qam", "Without the schema old")
    retiring.run("fold", "--yes", status=0)
    before = retiring.volumes()
    assert_one_error(retiring.retire("--volumes", "--confirm", "local", status=4), "folded in part (exclude.schemas: old)", "--volumes")
    assert retiring.volumes() == before and retiring.local in retiring.project.running()


def test_a_server_of_several_databases_is_retired_as_one(retiring):
    retiring.project.sql("CREATE DATABASE analytics")
    retiring.project.sql("CREATE TABLE seen (id int); INSERT INTO seen VALUES (1)", database="analytics")
    path = retiring.folder / "pgfold.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("compose: docker-compose.local.yml#db", "compose: docker-compose.local.yml#db\n    databases: all"), encoding="utf-8")
    retiring.git("commit", "-qam", "All databases")
    retiring.run("fold", "local/app", "--yes", status=0)
    before = retiring.volumes()
    assert_one_error(retiring.retire("--volumes", "--confirm", "local", status=4), "local/analytics has no receipt", "pgfold fold")
    retiring.run("fold", "--yes", status=0)
    retiring.run("backup", "local", status=0)
    document = retiring.retire("--json").json()
    assert [source["name"] for source in document["sources"]] == ["local/analytics", "local/app"] and document["branch"] == "pgfold/retire-local"
    assert retiring.project.running() == {retiring.test}
    retiring.run("retire", "--undo", "local", "--yes", status=0)
    assert retiring.project.running() == {retiring.test, retiring.local}
    retiring.retire("--volumes", "--confirm", "local")
    assert len(before - retiring.volumes()) == 1


def test_volumes_of_a_source_that_was_stopped_go_only_when_it_is_proven_again(retiring):
    """Something may have been protected since, or the target be gone."""
    before = retiring.volumes()
    retiring.retire()
    assert_one_error(retiring.retire("--volumes", "--confirm", "local", status=3), "is not running", "--start")
    assert retiring.volumes() == before
    retiring.retire("--volumes", "--confirm", "local", "--start")
    assert len(before - retiring.volumes()) == 1


def test_a_protected_container_is_not_stopped(retiring):
    retiring.configure(f"protect:\n  containers: [{retiring.local}]\n")
    retiring.git("commit", "-q", "-a", "-m", "Protect")
    assert_one_error(retiring.retire(status=4), retiring.local, "protected")
    assert retiring.local in retiring.project.running()


def test_a_protected_database_in_the_same_container_keeps_it_running(retiring):
    retiring.project.sql("CREATE DATABASE archon")
    retiring.configure("protect:\n  databases: [archon]\n")
    retiring.git("commit", "-q", "-a", "-m", "Protect")
    assert_one_error(retiring.retire(status=4), "archon", retiring.local)
    assert retiring.local in retiring.project.running()


def test_what_a_dry_run_says_of_a_container(retiring):
    retiring.project.pgfold.secrets.discard(SECRET)  # a patch that removes a file has what stands in it
    result = retiring.retire("--dry-run")
    assert f"container {retiring.local}" in result.out
    assert retiring.project.running() == {retiring.test, retiring.local}
    assert json.loads(retiring.retire("--dry-run", "--json").out)["sources"][0]["container"]["name"] == retiring.local
