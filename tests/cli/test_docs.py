"""pgfold docs: the project's database page, .env.example, and the entry in files that speak of a local database."""
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess

import pytest

import documents
import harness
from folding import assert_one_error

CONFIG = """version: 1
target:
  url: ${DATABASE_URL}
  identity: "7391234567890123456"
sources:
  - {name: laptop, url: "postgresql://app:hunter2-secret@localhost:5433/app", compose: "docker-compose.local.yml#db"}
code:
  remove: [docker-compose.local.yml, db-manage.sh]
protect:
  paths: [docker-compose.test.yml]
"""
README = """# Journeys

A service that remembers journeys.

## Set-up

Start the local database with `./db-manage.sh start`, then run `make serve`.

## Licence

MIT.
"""
PAGE = "docs/database.md"


class Project:
    """A git repository with a pgfold.yaml."""

    def __init__(self, pgfold):
        self.pgfold = pgfold
        self.folder = pgfold.cwd
        pgfold.secrets.add("hunter2-secret")
        self.git("init", "-q")
        self.write("pgfold.yaml", CONFIG)

    def git(self, *arguments, **options):
        return subprocess.run(["git", *arguments], cwd=self.folder, env=harness.clean_environment(HOME=self.folder), text=True,
                              capture_output=True, check=True, **options).stdout

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def read(self, name):
        return (self.folder / name).read_bytes().decode()

    def docs(self, *arguments, status=0, **options):
        return self.pgfold("docs", *arguments, status=status, **options)

    def tree(self):
        """Every file with its content and mode, git's own left out."""
        return {str(path.relative_to(self.folder)): (path.read_bytes(), path.stat().st_mode)
                for path in sorted(self.folder.rglob("*")) if path.is_file() and ".git" not in path.parts}


@pytest.fixture
def project(pgfold):
    return Project(pgfold)


# --- the page ---------------------------------------------------------------------------------------------------------

def test_the_page_is_written_without_ledger_or_receipt(project):
    project.docs()
    page = project.read(PAGE)
    assert page.startswith("# The database\n")
    assert "7391234567890123456" in page
    assert "`${DATABASE_URL}`" in page
    assert "not folded yet" in page
    assert "pgfold testdb -- " in page
    assert not (project.folder / ".pgfold").exists()


def test_running_it_twice_changes_nothing(project):
    project.write("README.md", README)
    project.write(".env.example", "# ours\nPORT=8000\nDB_HOST=localhost\n")
    assert project.docs("--check", status=1).out
    project.docs()
    before = project.tree()
    times = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}
    result = project.docs()
    assert "Nothing to change" in result.out + result.err
    assert project.tree() == before
    assert {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")} == times, "not even written"
    project.docs("--check", status=0)
    assert project.docs("--dry-run", status=0).out == ""


def test_check_and_dry_run_write_nothing(project):
    project.write("README.md", README)
    before = project.tree()
    assert "docs/database.md" in project.docs("--check", status=1).out
    project.docs("--dry-run")
    project.docs("--json", "--dry-run")
    assert project.tree() == before


@pytest.mark.parametrize("readme", [README, README.replace("\n", "\r\n"), README.rstrip("\n"), "\ufeff" + README, "\ufeff" + README.replace("\n", "\r\n")],
                         ids=["lf", "crlf", "no-newline", "bom", "bom-crlf"])
def test_git_apply_takes_the_dry_run(project, readme):
    project.write("README.md", readme)
    project.write(".env.example", "A=1\r\nDB_PASSWORD=x\r\nDB_HOST=localhost" if "\r" in readme else "A=1\nDB_HOST=127.0.0.1")
    (project.folder / ".env.example").chmod(0o755)
    diff = project.folder / "docs.diff"
    with open(diff, "wb") as file:
        process = project.pgfold.start("docs", "--dry-run", stdout=file)
        process.communicate()
    assert process.returncode == 0
    other = project.folder.parent / f"{project.folder.name}-other"
    shutil.copytree(project.folder, other)
    arguments = ["git", "apply", "--whitespace=nowarn", "docs.diff"]
    subprocess.run([*arguments, "--check"], cwd=other, check=True)
    subprocess.run(arguments, cwd=other, check=True)
    project.docs()
    for name in (PAGE, ".env.example", "README.md"):
        assert (other / name).read_bytes() == (project.folder / name).read_bytes(), name
    shutil.rmtree(other)


def test_line_ends_bom_and_mode_stay(project):
    project.write("README.md", "\ufeff" + README.replace("\n", "\r\n")).chmod(0o640)
    project.write(PAGE, "\ufeff# Our database\r\n\r\nWritten by hand.\r\n")
    project.docs()
    for name in ("README.md", PAGE):
        content = (project.folder / name).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf#") and content.count(b"\xef\xbb\xbf") == 1
        assert content.count(b"\n") == content.count(b"\r\n") > 4
    assert (project.folder / "README.md").stat().st_mode & 0o777 == 0o640
    assert "Written by hand." in project.read(PAGE), "what others wrote stays"


def test_new_files_have_the_mode_that_the_umask_says(project):
    old = os.umask(0o027)
    try:
        project.docs()
    finally:
        os.umask(old)
    assert (project.folder / PAGE).stat().st_mode & 0o777 == 0o640
    assert (project.folder / "docs").stat().st_mode & 0o777 == 0o750


def test_the_page_may_be_elsewhere(project):
    project.write("pgfold.yaml", CONFIG + "docs: { page: handbook/db/README.md }\n")
    project.write("AGENTS.md", "# Agents\n\nThe local database runs in docker.\n")
    project.docs()
    assert not (project.folder / PAGE).exists()
    assert "pgfold testdb" in project.read("handbook/db/README.md")
    assert "(handbook/db/README.md)" in project.read("AGENTS.md")


@pytest.mark.parametrize("page", ["/etc/page.md", "../page.md", "docs/../../page.md", "docs/"])
def test_a_page_outside_of_the_project_is_a_mistake(project, page):
    project.write("pgfold.yaml", CONFIG + f"docs: {{ page: {page} }}\n")
    assert "docs.page" in project.docs(status=2).err


def test_a_url_of_the_file_is_shown_without_its_secrets(project):
    project.write("pgfold.yaml", CONFIG.replace("${DATABASE_URL}", '"postgresql://app:${DB_PW}@vps.example.org:6432/journeys?sslmode=require&sslpassword=hunter2-secret"'))
    project.docs()
    page = project.read(PAGE)
    assert "hunter2" not in page
    assert "postgresql://app@vps.example.org:6432/journeys?sslmode=require" in page
    assert re.search(r"\| host \| `vps\.example\.org`", page)
    assert re.search(r"\| database \| `journeys`", page)
    assert "${DB_PW}" not in page, "a password has no place there, not even by name"


@pytest.mark.parametrize("url", ["host=vps.example.org password='hunter2-secret' dbname=journeys user=app", "postgresql://app:hunter2-secret@vps.example.org/journeys",
                                 "postgresql://vps.example.org/journeys?user=app&password=hunter2-secret"])
def test_a_password_in_pgfold_yaml_does_not_reach_the_page(project, url):
    project.write("pgfold.yaml", CONFIG.replace("${DATABASE_URL}", f'"{url}"'))
    project.docs("--json")
    assert "hunter2" not in project.read(PAGE)
    assert "| host | `vps.example.org`" in project.read(PAGE)
    assert "| database | `journeys`" in project.read(PAGE)


def test_the_way_through_ssh_is_shown_with_the_exact_command(project):
    project.write("pgfold.yaml", CONFIG.replace("${DATABASE_URL}", "postgresql://app@localhost/app\n  ssh: deploy@vps.example.org"))
    project.docs()
    page = project.read(PAGE)
    assert "pgfold tunnel -- psql" in page
    assert "deploy@vps.example.org" in page
    assert "pgfold tunnel" in project.read(".env.example")
    project.write("pgfold.yaml", CONFIG.replace("${DATABASE_URL}", "postgresql://app@localhost/app\n  ssh: { host: \"${VPS}\", config: ssh/config }"))
    project.docs()
    assert "`${VPS}`" in project.read(PAGE) and "ssh/config" in project.read(PAGE)
    project.write("pgfold.yaml", CONFIG)
    project.docs()
    assert "pgfold tunnel" not in project.read(PAGE)


def test_deploying_shows_each_command_with_its_check_after_it(project):
    project.write("pgfold.yaml", CONFIG + """deploy:
  - name: Bring the schema up to date
    run: pgfold guard -- alembic upgrade head
    check: psql "$DATABASE_URL" -c 'SELECT version_num FROM alembic_version'
  - name: Restart
    run: |
      ssh vps systemctl restart app
      sleep 1
    check: curl -fsS https://app.example.org/health | grep '"ok"'
  - {name: Tell, run: echo done}
""")
    result = project.docs()
    page = project.read(PAGE)
    words = ["Bring the schema up to date", "pgfold guard -- alembic upgrade head", "SELECT version_num", "Restart",
             "ssh vps systemctl restart app\n", "sleep 1\n", "curl -fsS", "Tell", "echo done"]
    places = [page.index(word) for word in words]
    assert places == sorted(places)
    assert '"$DATABASE_URL"' in page, "the shell's own variables are the shell's"
    assert "Tell" in result.err, "a step without a check is said"


def test_without_deploy_the_page_says_where_it_would_come_from(project):
    project.docs()
    assert "`deploy:`" in project.read(PAGE)


def test_a_password_in_a_deploy_command_does_not_reach_the_page(project):
    project.write("pgfold.yaml", CONFIG + """deploy:
  - {name: Migrate, run: "PGPASSWORD=hunter2-secret psql postgresql://app:hunter2-secret@vps.example.org/app -f up.sql", check: "true"}
""")
    result = project.docs()
    assert "hunter2" not in project.read(PAGE)
    assert "password" in result.err


def test_mistakes_in_deploy_are_told_with_their_place(project):
    project.write("pgfold.yaml", CONFIG + "deploy:\n  - {name: One}\n  - {run: two, chekc: three}\n")
    err = project.docs(status=2).err
    assert "deploy[0] has no run" in err and "deploy[1] has no name" in err and 'did you mean "check"?' in err


def test_the_tests_command_is_the_projects(project):
    project.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    project.docs()
    assert "pgfold testdb -- pytest\n" in project.read(PAGE)
    project.write("pgfold.yaml", CONFIG + "docs: { tests: make check }\n")
    project.docs()
    assert "pgfold testdb -- make check\n" in project.read(PAGE)


def test_whatever_names_hold_the_page_stays_one(project):
    project.write("pgfold.yaml", CONFIG + "deploy:\n  - {name: 'a | b ``` <!-- /pgfold:page --> *c*', run: \"echo '```'\\n<!-- /pgfold:page -->\", check: \"true\"}\n")
    project.docs()
    first = project.read(PAGE)
    project.docs("--check", status=0)
    project.docs()
    assert project.read(PAGE) == first


# --- receipts ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def folded(pair):
    """A real fold, fenced; the project around it."""
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1234)")
    pair.target.create()
    pair.configure()
    pair.pgfold("fold", "--yes", status=0)
    return pair


def test_what_was_folded_is_on_the_page_with_its_receipt(folded):
    folded.pgfold("docs", status=0)
    page = (folded.folder / PAGE).read_text()
    receipt = json.loads(next((folded.folder / ".pgfold" / "receipts").glob("*.json")).read_text())
    assert "not folded yet" not in page
    row = next(line for line in page.splitlines() if line.startswith("| laptop |"))
    assert "1,234" in row and receipt["finished"][:10] in row and receipt["sha256"][:12] in row and f"run {receipt['run']}" in row
    assert f"pgfold undo {receipt['run']}" in page
    assert "--lift" not in page
    folded.pgfold("docs", "--check", status=0)
    folded.pgfold("fence", "laptop", "--yes", status=0)
    folded.pgfold("docs", "--check", status=1)
    folded.pgfold("docs", status=0)
    page = (folded.folder / PAGE).read_text()
    assert "pgfold fence laptop --lift" in page
    folded.pgfold("fence", "laptop", "--yes", "--lift", status=0)
    folded.pgfold("undo", str(receipt["run"]), "--yes", status=0)
    folded.pgfold("docs", status=0)
    page = (folded.folder / PAGE).read_text()
    assert "taken back" in page and "pgfold undo" not in page and "--lift" not in page


def test_the_database_of_a_url_in_the_environment_is_known_from_the_receipt(folded):
    url = folded.target.url
    folded.configure(target_url="${DATABASE_URL}")
    folded.pgfold("docs", status=0)
    page = (folded.folder / PAGE).read_text()
    assert f"| database | `{folded.name}`" in page
    assert url not in page


def test_what_was_retired_is_on_the_page_until_that_is_undone(folded):
    database = sqlite3.connect(folded.folder / ".pgfold" / "ledger.db", isolation_level=None)

    database.execute("INSERT INTO run (id, command, source_name, state, started, finished, pid, host, target_system, target_database) "
                     "VALUES (99, 'retire', 'laptop', 'done', 1, 1, 1, 'box', '777', 'app')")

    def mark(outcome):
        database.execute("INSERT OR REPLACE INTO mark (source_name, stage, run_id, at, good, outcome) "
                         "VALUES ('laptop', 4, 99, 4102444800000000, 1, ?)", (outcome,))
        folded.pgfold("docs", status=0)
        return (folded.folder / PAGE).read_text()
    page = mark("retired")
    row = next(line for line in page.splitlines() if line.startswith("| laptop |"))
    assert "| retired |" in row and "2100-01-01" in row and "pgfold retire laptop --undo" in page and "git revert" in page
    assert folded.pgfold("docs", "--json").json()["sources"][0]["retired"] == "2100-01-01T00:00:00Z"
    assert "retire laptop" not in mark("put back")
    database.close()


def test_a_receipt_that_was_changed_is_no_basis(folded):
    receipt = next((folded.folder / ".pgfold" / "receipts").glob("*.json"))
    receipt.chmod(0o600)
    receipt.write_text(receipt.read_text().replace("1234", "4321"))
    result = folded.pgfold("docs", status=1)
    assert_one_error(result, receipt.name)
    assert not (folded.folder / PAGE).exists()


# --- entries ----------------------------------------------------------------------------------------------------------

def entry(text):
    found = re.findall(r"<!-- pgfold:database -->\n(.*?)<!-- /pgfold:database -->\n", text.replace("\r", ""), re.S)
    assert len(found) == 1, text
    return found[0]


def test_a_file_that_speaks_of_the_local_database_gets_an_entry_there(project):
    project.write("README.md", README)
    project.docs()
    text = project.read("README.md")
    assert "(docs/database.md)" in entry(text) and "pgfold testdb" in entry(text)
    assert text.index("## Set-up") < text.index("<!-- pgfold:database -->") < text.index("Start the local database")
    without = re.sub(r"<!-- pgfold:database -->.*<!-- /pgfold:database -->\n\n?", "", text, flags=re.S)
    assert without == README, "all else stays as it was"


def test_a_mention_under_the_title_has_its_entry_after_that_section(project):
    project.write("CLAUDE.md", "# Project\n\nUses a local PostgreSQL in docker.\n\n```sh\n# not a heading\n```\n\n## Style\n\nShort.\n")
    project.docs()
    text = project.read("CLAUDE.md")
    assert text.index("# not a heading") < text.index("<!-- pgfold:database -->") < text.index("## Style")


@pytest.mark.parametrize("words", ["postgresql://app:pw@localhost:5433/app", "docker compose -f docker-compose.local.yml up", "the Local Postgres server", "`db-manage.sh`",
                                   "runs PostgreSQL locally", "psql -h localhost -p 5433", "DB_HOST=localhost"])
def test_what_counts_as_speaking_of_a_local_database(project, words):
    project.write("AGENTS.md", f"# Agents\n\n## Data\n\nFirst {words}.\n")
    project.docs()
    entry(project.read("AGENTS.md"))


@pytest.mark.parametrize("words", ["redis://localhost:6379", "http://localhost:8000", "docker-compose.test.yml", "mysql://root@localhost/x", "the database", "postgresql://app@vps.example.org/app"])
def test_other_files_are_left_alone(project, words):
    text = f"# Agents\n\n## Data\n\nFirst {words}.\n"
    project.write("AGENTS.md", text)
    project.docs()
    assert project.read("AGENTS.md") == text


def test_lines_that_speak_of_removed_files_are_listed(project):
    project.write("README.md", README)
    result = project.docs()
    place = project.read("README.md").splitlines().index("Start the local database with `./db-manage.sh start`, then run `make serve`.") + 1
    assert f"README.md:{place}: db-manage.sh: Start the local" in result.out
    document = documents.check(project.docs("--json").json(), "docs")
    moved = next(one for one in document["mentions"] if one["about"] == "db-manage.sh")
    assert moved["file"] == "README.md" and "db-manage.sh start" in moved["text"]
    assert project.read("README.md").splitlines()[moved["line"] - 1] == moved["text"]


def test_an_entry_is_kept_up_to_date_where_it_stands(project):
    project.write("README.md", "# A\n\n<!-- pgfold:database -->\nstale\n<!-- /pgfold:database -->\n\nNo word of it here.\n")
    project.docs()
    text = project.read("README.md")
    assert "stale" not in entry(text) and text.startswith("# A\n\n<!-- pgfold:database -->\n") and text.endswith("<!-- /pgfold:database -->\n\nNo word of it here.\n")


@pytest.mark.parametrize("text", ["<!-- pgfold:database -->\nopen\n", "<!-- /pgfold:database -->\nlocal database\n",
                                  "<!-- pgfold:database -->\n<!-- /pgfold:database -->\n<!-- pgfold:database -->\n<!-- /pgfold:database -->\n"])
def test_marks_that_do_not_match_are_refused(project, text):
    project.write("README.md", "# A\n\n" + text)
    before = project.tree()
    assert_one_error(project.docs(status=4), "README.md")
    assert project.tree() == before


def test_claude_md_that_is_a_link_to_agents_md_is_written_once(project):
    project.write("AGENTS.md", "# Agents\n\n## Data\n\nThe local database.\n")
    (project.folder / "CLAUDE.md").symlink_to("AGENTS.md")
    project.docs()
    assert (project.folder / "CLAUDE.md").is_symlink()
    entry(project.read("AGENTS.md"))
    files = project.docs("--json").json()["files"]
    assert [one["path"] for one in files] == ["docs/database.md", ".env.example", "AGENTS.md"]


# --- what must not be written -----------------------------------------------------------------------------------------

def test_links_out_of_the_project_are_not_followed(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "README.md").write_text("# Other\n\n## X\n\nThe local database.\n")
    (project.folder / "README.md").symlink_to(outside / "README.md")
    assert_one_error(project.docs(status=4), "README.md")
    (project.folder / "README.md").unlink()
    (project.folder / "docs").symlink_to(outside)
    assert_one_error(project.docs(status=4), "docs/database.md")
    (project.folder / "docs").unlink()
    (project.folder / ".env.example").symlink_to(outside / "gone")
    assert_one_error(project.docs(status=4), ".env.example")
    assert sorted(os.listdir(outside)) == ["README.md"]
    assert "pgfold" not in (outside / "README.md").read_text()
    assert not (project.folder / "docs").exists()


def test_protected_files_are_not_touched(project):
    project.write("pgfold.yaml", CONFIG.replace("[docker-compose.test.yml]", "[README.md, .env.example]"))
    project.write("README.md", README)
    result = project.docs()
    assert project.read("README.md") == README
    assert not (project.folder / ".env.example").exists()
    assert "README.md" in result.err and "protect" in result.err
    project.docs("--check", status=0)
    project.write("pgfold.yaml", CONFIG.replace("[docker-compose.test.yml]", '["docs/**"]'))
    assert_one_error(project.docs(status=4), "docs/database.md")


def test_a_failed_write_leaves_the_old_file_whole(project):
    project.write("docs", "a file, not a folder")
    result = project.docs(status=2)
    assert_one_error(result, "docs")
    assert project.read("docs") == "a file, not a folder"


def test_a_binary_file_is_left_alone(project):
    content = b"# A\n\nThe local database\x00\xff\n"
    project.write("README.md", content)
    result = project.docs()
    assert (project.folder / "README.md").read_bytes() == content
    assert "README.md" in result.err


# --- the command ------------------------------------------------------------------------------------------------------

def test_json_says_what_was_done(project):
    project.write("README.md", README)
    document = documents.check(project.docs("--json", "--dry-run").json(), "docs")
    assert document["written"] is False
    assert {one["path"]: one["action"] for one in document["files"]} == {PAGE: "create", ".env.example": "create", "README.md": "change"}
    assert all(one["diff"].startswith("diff --git a/") for one in document["files"])
    document = documents.check(project.docs("--json").json(), "docs")
    assert document["written"] is True
    document = documents.check(project.docs("--json").json(), "docs")
    assert document["written"] is False
    assert {one["action"] for one in document["files"]} == {"keep"}
    assert document["sources"] == [{"name": "laptop", "state": "not folded yet", "run": None, "receipt": None, "rows": None, "at": None,
                                    "fenced": None, "retired": None}]


def test_without_pgfold_yaml_it_says_how_to_get_one(pgfold):
    assert "pgfold init" in pgfold("docs", status=2).err


def test_it_works_from_a_folder_below(project):
    below = project.folder / "src"
    below.mkdir()
    project.pgfold("docs", cwd=below, status=0)
    assert (project.folder / PAGE).exists() and not (below / "docs").exists()


PIECES = ["# Title", "## Section", "Underlined", "=====", "---", "```", "~~~", "The local database.", "", "", "- a list", "    indented", "| a | b |", "<!-- a comment -->", "`db-manage.sh`",
          "> quoted", "postgresql://localhost/app", "Words."]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_file_holds_it_gets_one_entry_and_keeps_its_lines(project, seed):
    chance = random.Random(seed)
    text = chance.choice(["\n", "\n", "\r\n"]).join([*(chance.choice(PIECES) for _ in range(chance.randrange(20))), "local database", chance.choice(["", "x"])])
    project.write("README.md", text)
    project.docs()
    after = project.read("README.md")
    entry(after)
    project.docs("--check", status=0)
    without = re.sub(r"<!-- pgfold:database -->.*<!-- /pgfold:database -->\r?\n", "", after, flags=re.S)
    assert [line for line in without.splitlines() if line] == [line for line in text.splitlines() if line]
    place = after[:after.index("<!-- pgfold:database -->")]
    assert place.count("```") % 2 == 0 or "~~~" in place, "not within code"
