"""pgfold retire: what leads back to a folded source goes, gated by its receipt; and everything back with --undo."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

import documents
import harness
from folding import Lock, assert_one_error, wait_until

APP = '''"""Sessions."""
import os

URL = os.getenv("DATABASE_URL", "postgresql://app:app@localhost:5433/app")
'''
LOCAL = '''services:
  db:
    image: postgres:15
    ports: ["5433:5432"]
'''
TEST = '''services:
  testdb:
    image: postgres:15
    ports: ["5434:5432"]
'''
MANAGE = "#!/bin/sh\ndocker compose -f docker-compose.local.yml up -d db\n"
README = "# Service\n\nStart the database with ./db-manage.sh first.\n"
MAKE = "db:\n\t./db-manage.sh\n"
REMOVE = "code:\n  remove: [docker-compose.local.yml, db-manage.sh]\n"
BRANCH = "pgfold/retire-laptop"
IDENTITY = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


class Project:
    """A git repository beside pgfold.yaml, whose source is folded."""

    def __init__(self, pair):
        self.pair, self.folder = pair, pair.folder
        pair.source.create().sql("CREATE TABLE item (id int PRIMARY KEY, name text);"
                                 "INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 50) i;"
                                 "CREATE TABLE empty_table (id int PRIMARY KEY)")
        pair.target.create()
        self.write({"api/db.py": APP, "docker-compose.local.yml": LOCAL, "docker-compose.test.yml": TEST, "db-manage.sh": MANAGE,
                    "README.md": README, "Makefile": MAKE, ".gitignore": "*.pyc\n/db-manage.sh.log\n", ".dockerignore": "docs\ndb-manage.sh\n"})
        (self.folder / "db-manage.sh").chmod(0o755)
        self.configure()
        self.git("init", "-q", "-b", "main")
        self.commit("All")

    def configure(self, extra=REMOVE):
        self.pair.configure(extra)
        return self

    def configure_source(self, line):
        """One more key of the only source."""
        path = self.folder / "pgfold.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("- name: laptop\n", f"- name: laptop\n    {line}\n"), encoding="utf-8")
        assert line in path.read_text(encoding="utf-8")
        self.commit("Another configuration")

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def git(self, *arguments, check=True):
        result = subprocess.run(["git", *arguments], cwd=self.folder, env=harness.clean_environment(**IDENTITY), capture_output=True,
                                text=True, timeout=60, check=False)
        assert not check or result.returncode == 0, result.stderr
        return result.stdout.strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def run(self, *arguments, **options):
        env = {**IDENTITY, **options.pop("env", {})}
        return self.pair.pgfold(*arguments, env=env, **options)

    def fold(self, *arguments):
        return self.run("fold", "laptop", "--yes", *arguments, status=0)

    def retire(self, *arguments, status=0, **options):
        return self.run("retire", "laptop", "--yes", *arguments, status=status, **options)

    def refused(self, *words, arguments=(), status=4):
        """It is refused for that reason, and nothing is changed."""
        before = self.state()
        result = self.retire(*arguments, status=status)
        assert_one_error(result, *words)
        assert self.state() == before
        return result

    def state(self):
        """Everything that a refused retire leaves alone."""
        files = {path: path.read_bytes() for path in sorted(self.folder.rglob("*"))
                 if path.is_file() and ".git" not in path.parts and ".pgfold" not in path.parts}
        return (self.git("for-each-ref"), self.git("symbolic-ref", "-q", "HEAD", check=False), self.git("status", "--porcelain"),
                files, self.pair.source.sql("SHOW default_transaction_read_only"))

    def receipt(self):
        return sorted((self.folder / ".pgfold" / "receipts").glob("*.json"))[-1]

    def backup(self):
        return pathlib.Path(json.loads(self.receipt().read_text(encoding="utf-8"))["backup"]["path"])

    def subjects(self):
        return self.git("log", "--reverse", "--format=%s", f"main..{BRANCH}").splitlines()

    def lines(self, document, identifier):
        return [line for line in document["checklist"] if line["id"] == identifier]


@pytest.fixture
def project(pair):
    made = Project(pair)
    yield made
    if pair.source.exists():
        pair.source.cluster.sql("postgres", f'ALTER DATABASE "{pair.name}" RESET default_transaction_read_only')


@pytest.fixture
def folded(project):
    project.fold()
    return project


# --- the gates --------------------------------------------------------------------------------------------------------

def test_without_a_receipt_nothing_is_retired(project):
    project.refused("no receipt", "pgfold fold laptop")


def test_a_receipt_that_was_changed_is_refused(folded):
    receipt = folded.receipt()
    receipt.write_text(receipt.read_text(encoding="utf-8").replace('"rows": 50', '"rows": 51'), encoding="utf-8")
    folded.refused("receipt", "cannot be relied on")


def test_a_receipt_whose_backup_is_gone_or_was_changed_is_refused(folded):
    manifest = folded.backup() / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text + " ", encoding="utf-8")
    folded.refused("backup is not what it was", "pgfold backup laptop")
    shutil.rmtree(folded.backup())
    folded.refused("backup is not at", "pgfold backup laptop")


def test_a_fold_without_a_backup_is_refused_until_one_is_made(project):
    project.fold("--no-backup")
    project.refused("no proven backup", "--no-backup", "pgfold backup laptop")
    project.run("backup", "laptop", status=0)
    project.retire()


def test_a_backup_of_other_rows_does_not_stand_for_the_receipt(project):
    project.run("backup", "laptop", status=0)
    project.pair.source.sql("INSERT INTO item VALUES (51, 'later')")
    project.fold("--no-backup")
    project.refused("no proven backup")


def test_the_last_fold_that_moved_nothing_is_backed_by_the_one_before(folded):
    folded.run("fence", "laptop", "--yes", status=0)
    folded.fold()
    document = folded.retire("--json").json()
    [line] = folded.lines(document, "true")
    assert line["state"] == "yes" and "a fence stood before" in line["evidence"]


def test_rows_that_were_written_to_the_source_since_are_a_reason_to_refuse(folded):
    folded.pair.source.sql("INSERT INTO item VALUES (51, 'later')")
    folded.refused("is not what its receipt says", "pgfold fold laptop")


@pytest.mark.parametrize("words, more", [("exclude: { tables: item }", ()), ("tables: { public.item: { skip: true } }", ("--moved-on",))])
def test_what_is_left_out_since_the_fold_was_not_looked_at(folded, words, more):
    """The receipt proves it; nobody knows whether it is still true."""
    folded.pair.source.sql("INSERT INTO item VALUES (51, 'later')")
    folded.configure_source(words)
    folded.refused("is left out by pgfold.yaml now, and was not when it was folded", "pgfold.yaml", arguments=more)


def test_a_receipt_of_a_part_says_so_in_the_checklist(project):
    project.pair.source.sql("CREATE TABLE log (id int PRIMARY KEY); INSERT INTO log VALUES (1)")
    project.configure_source("exclude: { tables: log }")
    project.fold()
    document = project.retire("--json").json()
    assert [line["state"] for line in project.lines(document, "receipt")] == ["yes", "note"]


def test_rows_that_the_application_changed_in_the_target_are_a_reason_to_ask(folded):
    folded.pair.target.sql("UPDATE item SET name = 'renamed' WHERE id = 7")
    folded.refused("the target is not any more", "--moved-on")
    folded.retire("--moved-on")


def test_a_table_emptied_in_the_target_is_found_behind_a_fence_too(folded):
    folded.run("fence", "laptop", "--yes", status=0)
    folded.fold()
    folded.pair.target.sql("TRUNCATE item")
    result = folded.retire(status=4)
    assert "gone or empty in the target" in result.err


def test_a_fold_that_was_taken_back_is_refused(folded):
    run = json.loads(folded.receipt().read_text(encoding="utf-8"))["run"]
    folded.run("undo", str(run), "--yes", status=0)
    folded.refused("taken back", "pgfold fold laptop")


def test_something_protected_that_changed_since_the_fold_is_refused(project):
    project.configure(REMOVE + "protect:\n  paths: [docker-compose.test.yml]\n")
    project.commit("Protect")
    project.fold()
    project.write({"docker-compose.test.yml": TEST + "# changed\n"})
    project.commit("Change")
    project.refused("protected", "docker-compose.test.yml", "--protected-changed")
    project.retire("--protected-changed")


def test_another_database_behind_the_url_is_refused(folded, vps):
    other = folded.pair.source
    other.drop()
    other.create().sql("CREATE TABLE item (id int PRIMARY KEY, name text)")
    folded.refused("another database")


@pytest.mark.parametrize("how, word", [("dirty", "not clean"), ("staged", "not clean"), ("merge", "a merge"), ("rebase", "a rebase"),
                                       ("cherry-pick", "a cherry-pick"), ("bisect", "a bisect")])
def test_a_git_tree_that_is_not_clean_or_busy_is_refused(folded, how, word):
    folded.git("checkout", "-q", "-b", "other")
    folded.write({"README.md": "# Other\n"})
    folded.commit("Other")
    folded.git("checkout", "-q", "main")
    folded.write({"README.md": "# Main\n"})
    folded.commit("Main")
    if how in ("dirty", "staged"):
        folded.write({"README.md": "# Dirty\n"})
    if how == "staged":
        folded.git("add", "README.md")
    if how in ("merge", "cherry-pick", "rebase"):
        folded.git(how, "other", check=False)
    if how == "bisect":
        folded.git("bisect", "start")
    folded.refused(word)


def test_a_folder_without_git_or_without_a_commit_is_refused(folded):
    shutil.rmtree(folded.folder / ".git")
    assert_one_error(folded.retire(status=4), "no work tree of git", "git init")
    folded.git("init", "-q", "-b", "main")
    assert_one_error(folded.retire(status=4), "no commit yet")


def test_without_a_name_for_the_commits_it_is_refused(folded):
    nobody = {key: "" for key in IDENTITY if "AUTHOR" in key or "COMMITTER" in key}
    result = folded.run("retire", "laptop", "--yes", env={**nobody, "EMAIL": "", "GIT_CONFIG_COUNT": "1",
                                                         "GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"}, status=4)
    assert_one_error(result, "who commits", "git config")


def test_a_protected_file_is_not_removed(project):
    project.configure("code:\n  remove: [db-manage.sh]\nprotect:\n  paths: [db-manage.sh]\n")
    project.commit("Protect")
    project.fold()
    project.refused("is protected")


def test_a_preserved_file_that_needs_what_is_removed_is_a_reason_to_refuse(project):
    project.write({"docker-compose.test.yml": TEST + "    env_file: ./test.env\n", "test.env": "A=b\n"})
    project.configure("code:\n  remove: [test.env]\n")
    project.commit("Env")
    project.fold()
    project.refused("docker-compose.test.yml", "line 5", "test.env")


def test_the_compose_file_of_another_source_is_not_removed_under_it(folded):
    text = folded.pair.config.read_text(encoding="utf-8")
    folded.pair.config.write_text(text.replace("sources:\n", "sources:\n  - name: other\n    skip: true\n    url: postgresql://nowhere.invalid/x\n"
                                               "    compose: docker-compose.local.yml#db\n"), encoding="utf-8")
    folded.commit("Another source")
    folded.refused("docker-compose.local.yml", "source other")


def test_it_is_not_done_without_a_yes(folded):
    before = folded.state()
    assert_one_error(folded.run("retire", "laptop", status=4), "not confirmed", "--yes")
    assert folded.state() == before


# --- the work ---------------------------------------------------------------------------------------------------------

def test_fixes_and_removals_come_on_a_branch_with_the_receipt_in_each_message(folded):
    document = folded.retire("--json").json()
    assert folded.git("branch", "--show-current") == BRANCH and folded.git("status", "--porcelain") == ""
    assert folded.subjects() == ["Read DATABASE_URL without a local default", "Remove what only served the local database",
                                 "Drop names of files that are gone", "Say where the database is, and how to reach it"]
    assert "laptop" in (folded.folder / "docs" / "database.md").read_text(encoding="utf-8")
    sha256 = json.loads(folded.receipt().read_text(encoding="utf-8"))["sha256"]
    for commit in folded.git("rev-list", f"main..{BRANCH}").splitlines():
        assert f"Pgfold-Receipt: {folded.receipt().name} sha256:{sha256}" in folded.git("log", "-1", "--format=%B", commit)
    assert not (folded.folder / "db-manage.sh").exists() and not (folded.folder / "docker-compose.local.yml").exists()
    assert (folded.folder / "docker-compose.test.yml").read_text(encoding="utf-8") == TEST
    assert "localhost" not in (folded.folder / "api" / "db.py").read_text(encoding="utf-8")
    assert (folded.folder / ".dockerignore").read_text(encoding="utf-8") == "docs\n"
    assert document["outcome"] == "retired" and document["branch"] == BRANCH
    assert [(place["file"], place["line"]) for place in document["dangling"]] == [("Makefile", 2)], "no line of a recipe is certain"
    assert (folded.folder / "Makefile").read_text(encoding="utf-8") == MAKE


def test_the_files_that_it_writes_have_the_modes_of_the_user(folded):
    folded.write({"run.py": "#!/usr/bin/python3\n" + APP})
    (folded.folder / "run.py").chmod(0o755)
    folded.commit("Run")
    folded.retire()
    assert "localhost" not in (folded.folder / "run.py").read_text(encoding="utf-8")
    assert (folded.folder / "run.py").stat().st_mode & 0o777 == 0o755
    assert (folded.folder / "api" / "db.py").stat().st_mode & 0o777 == 0o644


def test_a_plain_cluster_is_fenced_and_not_deleted(folded):
    document = folded.retire("--json").json()
    assert folded.pair.source.sql("SHOW default_transaction_read_only") == "on"
    assert folded.pair.source.sql("SELECT count(*) FROM item") == "50"
    [line] = folded.lines(document, "fenced")
    assert line["state"] == "yes" and "refused" in line["evidence"]


def test_the_checklist_has_evidence_and_goes_into_a_pull_request(folded):
    document = folded.retire("--json", "--markdown", "checklist.md").json()
    documents.check(document, "retire")
    assert {line["state"] for line in document["checklist"]} <= {"yes", "note"}
    ids = {line["id"] for line in document["checklist"]}
    assert {"receipt", "backup", "true", "commits", "fallbacks", "removed", "preserved", "fenced"} <= ids
    text = (folded.folder / "checklist.md").read_text(encoding="utf-8")
    assert text == pathlib.Path(document["markdown"]).read_text(encoding="utf-8")
    assert folded.receipt().name.replace("_", "\\_") in text and "- [x] " in text and "- [ ] " not in text
    assert pathlib.Path(document["markdown"]).parent == folded.folder / ".pgfold" / "retire"


def test_a_fallback_that_no_certain_fix_mends_is_listed_and_the_exit_status_is_1(folded):
    folded.write({"api/odd.py": 'import asyncpg\n\n\nasync def connect():\n    return await asyncpg.connect("postgresql://app@localhost:5433/app")\n'})
    folded.commit("Odd")
    document = folded.retire("--json", status=1).json()
    [line] = folded.lines(document, "fallbacks")
    assert line["state"] == "no" and line["items"][0].startswith("api/odd.py:5")
    assert document["outcome"] == "open"
    assert "are open" in folded.run("status").out or "is open" in folded.run("status").out
    # Mended by hand, committed there, and run again: now it is retired.
    folded.write({"api/odd.py": "import os\n\nimport asyncpg\n\n\nasync def connect():\n    return await asyncpg.connect(os.environ[\"DATABASE_URL\"])\n"})
    folded.commit("By hand")
    folded.retire()
    assert folded.git("branch", "--show-current") == BRANCH
    assert "retired" in folded.run("status").out


def test_files_that_git_does_not_know_of_are_left_alone(folded):
    folded.git("rm", "-q", "--cached", "db-manage.sh")
    folded.write({".git/info/exclude": "db-manage.sh\nnotes.txt\n", "notes.txt": "mine\n"})
    folded.git("commit", "-q", "-m", "Forget")
    document = folded.retire("--json", status=1).json()
    [line] = folded.lines(document, "removed")
    assert line["state"] == "no" and "git does not know" in line["items"][0]
    assert (folded.folder / "db-manage.sh").exists() and (folded.folder / "notes.txt").read_text(encoding="utf-8") == "mine\n"


def test_a_project_in_a_folder_of_its_repository(folded):
    top = folded.folder.parent
    shutil.rmtree(folded.folder / ".git")
    (top / "other").mkdir()
    (top / "other" / "db.py").write_text(APP, encoding="utf-8")
    subprocess.run(["git", "init", "-q", "-b", "main", str(top)], check=True)
    try:
        folded.git("add", "-A", str(folded.folder), str(top / "other"))
        folded.git("commit", "-q", "-m", "All")
        patch = documents.check(folded.retire("--dry-run", "--json").json(), "retire")["patch"]
        folded.retire()
        assert folded.git("diff", "--no-renames", "main", BRANCH) == patch.strip()
        assert (top / "other" / "db.py").read_text(encoding="utf-8") == APP
        assert not (folded.folder / "db-manage.sh").exists()
    finally:
        shutil.rmtree(top / ".git")


def test_line_ends_and_filters_of_git_are_kept(folded):
    folded.write({".gitattributes": "*.py text eol=crlf\n"})
    (folded.folder / "api" / "db.py").write_bytes(APP.replace("\n", "\r\n").encode())
    folded.commit("CRLF")
    folded.retire()
    assert b"\r\n" in (folded.folder / "api" / "db.py").read_bytes()
    assert "\r" not in folded.git("cat-file", "-p", f"{BRANCH}:api/db.py")
    assert folded.git("status", "--porcelain") == ""


def test_hooks_do_not_run(folded):
    for hook in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        path = folded.folder / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {folded.folder}/ran-{hook}\nexit 1\n", encoding="utf-8")
        path.chmod(0o755)
    folded.retire()
    assert not list(folded.folder.glob("ran-*"))


def test_a_detached_head_gets_a_branch_and_is_put_back(folded):
    head = folded.git("rev-parse", "HEAD")
    folded.git("checkout", "-q", "--detach")
    folded.retire()
    assert folded.git("branch", "--show-current") == BRANCH
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.git("rev-parse", "HEAD") == head and folded.git("branch", "--show-current") == ""


def test_run_again_it_only_checks_again(folded):
    folded.retire()
    before = folded.state()
    at = folded.run("status", "--json", status=0).json()["sources"][0]["retire"]["at"]
    document = documents.check(folded.retire("--json").json(), "retire")
    assert document["branch"] is None and document["commit"] is None and document["outcome"] == "retired"
    assert folded.state() == before
    assert folded.run("docs", "--check", status=0), "the page that retire wrote is what docs writes"
    assert folded.run("status", "--json", status=0).json()["sources"][0]["retire"]["at"] == at
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.pair.source.sql("SHOW default_transaction_read_only") == "off"
    assert folded.git("branch", "--show-current") == "main"


# --- --dry-run --------------------------------------------------------------------------------------------------------

def objects(folder):
    return {path for path in (folder / ".git").rglob("*") if path.is_file() and path.name != "index"}


def test_a_dry_run_shows_a_patch_that_git_apply_takes_and_changes_nothing(folded, tmp_path_factory):
    before, known = folded.state(), objects(folded.folder)
    result = folded.retire("--dry-run")
    assert folded.state() == before and objects(folded.folder) == known
    copy = tmp_path_factory.mktemp("copy")
    folded.git("clone", "-q", str(folded.folder), str(copy))
    subprocess.run(["git", "apply", "--index", "-"], cwd=copy, input=result.out, text=True, check=True,
                   env=harness.clean_environment(**IDENTITY))
    folded.retire()
    tree = subprocess.run(["git", "write-tree"], cwd=copy, capture_output=True, text=True, check=True).stdout.strip()
    assert tree == folded.git("rev-parse", f"{BRANCH}^{{tree}}")


# --- back -------------------------------------------------------------------------------------------------------------

def test_undo_deletes_the_branch_and_lifts_the_fence(folded):
    before = folded.state()
    folded.retire()
    assert folded.state() != before
    result = folded.run("retire", "--undo", "laptop", "--yes", "--json", status=0).json()
    documents.check(result, "retire-undo")
    assert folded.state() == before and result["outcome"] == "undone"
    assert "retired" not in folded.run("status", "laptop").out
    assert "put back already" in folded.run("retire", "--undo", "laptop", "--yes", status=2).err
    folded.retire()


def test_a_fence_that_retire_did_not_set_is_left(folded):
    folded.run("fence", "laptop", "--yes", status=0)
    folded.retire()
    folded.run("retire", "--undo", "laptop", "--yes", status=0)
    assert folded.pair.source.sql("SHOW default_transaction_read_only") == "on"


def test_undo_does_not_throw_commits_of_others_away(folded):
    folded.retire()
    folded.write({"README.md": "# Mine\n"})
    folded.commit("Mine")
    before = folded.state()
    assert_one_error(folded.run("retire", "--undo", "--yes", status=4), "commits that pgfold did not make")
    assert folded.state() == before


def test_undo_does_not_touch_a_tree_that_is_not_clean(folded):
    folded.retire()
    folded.write({"README.md": "# Mine\n"})
    before = folded.state()
    assert_one_error(folded.run("retire", "--undo", "--yes", status=4), "not clean")
    assert folded.state() == before


def test_undo_says_when_the_commits_were_merged(folded):
    folded.retire()
    folded.git("checkout", "-q", "main")
    folded.git("merge", "-q", "--no-ff", "-m", "Merge", BRANCH)
    result = folded.run("retire", "--undo", "--yes", status=0)
    assert "in main as well" in result.err and folded.git("branch", "--list", BRANCH) == ""


def test_undo_without_anything_retired_says_so(folded):
    assert "Nothing was retired" in folded.run("retire", "--undo", "--yes", status=0).out


# --- interruptions ----------------------------------------------------------------------------------------------------

def test_a_branch_of_the_name_that_is_not_ours_is_refused(folded):
    folded.git("branch", BRANCH)
    folded.refused("there is a branch", "--branch")
    folded.retire("--branch", "without-local")
    assert folded.git("branch", "--show-current") == "without-local"


def test_two_at_once_are_kept_apart(folded):
    held = Lock(folded.pair.target.cluster, folded.pair.target.name, "LOCK TABLE public.item IN ACCESS EXCLUSIVE MODE")
    process = folded.pair.pgfold.start("retire", "laptop", "--yes", env=IDENTITY)
    try:
        wait_until(lambda: folded.pair.target.sql("SELECT count(*) FROM pg_catalog.pg_locks WHERE relation = 'public.item'::regclass "
                                                  "AND NOT granted") != "0", "the first retire")
        assert_one_error(folded.retire(status=4), "retire")
    finally:
        held.release()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err


def wrap_git(project, action):
    """A git in front of the real one; action: shell, with the words of the call in $@ and ours in $real."""
    folder = project.folder.parent / f"{project.folder.name}-bin"
    folder.mkdir()
    (folder / "git").write_text(f"""#!/bin/bash
real={shutil.which("git")}
{action}
exec $real "$@"
""", encoding="utf-8")
    (folder / "git").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("word", [*(pytest.param(word, marks=pytest.mark.long) for word in ("read-tree", "hash-object", "commit-tree")),
                                  "update-ref", "checkout"])
def test_killed_at_any_moment_the_tree_is_before_or_after_and_the_same_command_goes_on(folded, word, moment):
    before = folded.state()
    first, last = ("kill -9 $PPID", "") if moment == "before" else ("", '$real "$@"; status=$?; kill -9 $PPID; exit $status')
    env = wrap_git(folded, f'case " $* " in *" {word} "*) {first}\n{last};; esac')
    process = folded.pair.pgfold.start("retire", "laptop", "--yes", env={**IDENTITY, **env})
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not (folded.folder / ".git" / "index.lock").exists() and
               folded.git("branch", "--show-current") == (BRANCH if word == "checkout" else "main"), "git")
    assert folded.git("status", "--porcelain") == ""
    folded.retire()
    assert folded.git("branch", "--show-current") == BRANCH and len(folded.subjects()) == 4
    assert folded.pair.source.sql("SHOW default_transaction_read_only") == "on"
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.state() == before
    assert not list((folded.folder / ".pgfold").glob(".draft-*"))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("word", ["checkout", "update-ref"])
def test_an_undo_that_was_killed_goes_on(folded, word, moment):
    before = folded.state()
    folded.retire()
    first, last = ("kill -9 $PPID", "") if moment == "before" else ("", '$real "$@"; status=$?; kill -9 $PPID; exit $status')
    env = wrap_git(folded, f'case " $* " in *" {word} "*) {first}\n{last};; esac')
    process = folded.pair.pgfold.start("retire", "--undo", "--yes", env={**IDENTITY, **env})
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not (folded.folder / ".git" / "index.lock").exists() and folded.git("branch", "--show-current") == "main", "git")
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.state() == before


def test_rows_written_between_the_proof_and_the_fence_are_found(folded):
    psql = f"{harness.client('psql')} -q '{folded.pair.source.url}' -c \"INSERT INTO item VALUES (99, 'late')\""
    env = wrap_git(folded, f'case " $* " in *" checkout "*) {psql} >&2;; esac')
    result = folded.retire(status=5, env=env)
    assert "is not what its receipt says" in result.err and "pgfold fold laptop" in result.err and "goes on" in result.err
    folded.fold()
    folded.retire()


def test_transactions_of_others_only_mean_a_second_look(folded):
    psql = f"{harness.client('psql')} -q '{folded.pair.source.cluster.url()}' -c \"SELECT txid_current()\""
    env = wrap_git(folded, f'case " $* " in *" checkout "*) {psql} >&2;; esac')
    result = folded.retire(env=env)
    assert "meanwhile" in result.err and result.out.count("the receipt is still true") == 1


def test_status_shows_what_is_retired(folded):
    folded.retire()
    status = folded.run("status", "--json", status=0).json()["sources"][0]
    assert status["state"] == "retired" and status["retire"]["good"]
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.run("status", "--json", status=0).json()["sources"][0]["state"] == "contained"


def test_an_undo_does_not_write_over_a_file_that_git_ignores(project):
    """One that retire removed, and that somebody has made anew: git would not bring it back."""
    project.write({".gitignore": "*.local\n", "env.local": "A=1\n"})
    project.git("add", "-f", "env.local")
    project.configure("code:\n  remove: [env.local]\n")
    project.commit("Local")
    project.fold()
    project.retire()
    assert not (project.folder / "env.local").exists()
    project.write({"env.local": "MINE=1\n"})
    result = project.run("retire", "--undo", "--yes")
    assert result.status not in (0, None)
    assert (project.folder / "env.local").read_text(encoding="utf-8") == "MINE=1\n"
    (project.folder / "env.local").unlink()
    project.run("retire", "--undo", "--yes", status=0)
    assert (project.folder / "env.local").read_text(encoding="utf-8") == "A=1\n"


def test_a_branch_that_another_work_tree_has_checked_out_stays(folded, tmp_path):
    folded.retire()
    folded.git("checkout", "-q", "main")
    folded.git("worktree", "add", "-q", str(tmp_path / "review"), BRANCH)
    result = folded.run("retire", "--undo", "--yes")
    assert result.status not in (0, None) and "review" in result.err
    assert BRANCH in folded.git("branch", "--list", BRANCH)
    folded.git("worktree", "remove", str(tmp_path / "review"))
    folded.run("retire", "--undo", "--yes", status=0)
    assert folded.git("branch", "--list", BRANCH) == ""


def test_a_checklist_that_could_not_be_written_is_said_before_anything_is_done(folded):
    folded.refused("no folder", arguments=("--markdown", "no/such/list.md"), status=2)
