"""pgfold scan on real git repositories and bad input: which files are looked at, and what must never be printed."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import jsonschema
import pytest

import documents
import harness

FALLBACK = 'import os\nURL = os.environ.get("DATABASE_URL", "postgresql://app@localhost:5432/app")\n'
CLEAN = 'import os\nURL = os.environ["DATABASE_URL"]\n'


def run_git(folder, *arguments, status=0):
    environment = harness.clean_environment(
        HOME=str(folder), GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b.example",
        GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b.example")
    done = subprocess.run(["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *map(str, arguments)], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)
    assert status is None or done.returncode == status, done.stderr
    return done.stdout


class Repository:
    def __init__(self, folder, pgfold):
        self.folder = folder
        self.pgfold = pgfold
        run_git(folder, "init", "-q")

    def git(self, *arguments, status=0):
        return run_git(self.folder, *arguments, status=status)

    def write(self, name, text=FALLBACK):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        return path

    def commit(self, message="more"):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def files(self, *arguments, **more):
        return json.loads(self.pgfold("scan", "--list-files", "--json", *arguments, status=0, **more).out)["files"]

    def findings(self, *arguments, **more):
        document = documents.check(json.loads(self.pgfold("scan", "--json", *arguments, **more).out), "scan")
        return [(f["file"], f["place"]["line"], f["rule"]) for f in document["findings"] if f["suppressed"] is None]


@pytest.fixture
def repository(pgfold, tmp_path):
    return Repository(tmp_path, pgfold)


# --- what makes --check fail ---

def test_check_fails_on_production_only_and_strict_on_any_class(repository):
    repository.write("tests/conftest.py")
    repository.pgfold("scan", "--check", status=0)
    repository.pgfold("scan", "--check", "--strict", status=1)
    repository.write("app/db.py")
    repository.pgfold("scan", status=0)
    repository.pgfold("scan", "--check", status=1)


def test_check_does_not_fail_on_information(repository):
    repository.write("app/db.py", 'import psycopg2\nconn = psycopg2.connect("postgresql:///app")\n')
    assert repository.findings() == [("app/db.py", 2, "no-host")]
    repository.pgfold("scan", "--check", "--strict", status=0)


def test_an_empty_folder_has_no_finding(repository):
    assert repository.findings() == []
    assert "No way back" in repository.pgfold("scan", status=0).out


# --- only what changed ---

def test_diff_counts_changed_lines_and_new_files(repository):
    repository.write("old.py")
    repository.commit()
    repository.write("old.py", FALLBACK + "X = 1\n")
    repository.write("new.py")
    assert repository.findings("--diff", "HEAD") == [("new.py", 2, "env-default")]
    repository.write("old.py", "\n" + FALLBACK.replace("5432", "5433"))
    assert repository.findings("--diff", "HEAD") == [("new.py", 2, "env-default"), ("old.py", 3, "env-default")]
    repository.pgfold("scan", "--check", "--diff", "HEAD", status=1)


def test_diff_takes_no_option_of_git_for_a_revision(repository):
    repository.write("a.py")
    repository.commit()
    result = repository.pgfold("scan", "--diff=--output=stolen", status=2)
    assert "not a revision" in result.err
    assert not (repository.folder / "stolen").exists()
    assert "git" in repository.pgfold("scan", "--diff", "nowhere", status=2).err


def test_diff_is_not_led_astray_by_a_line_that_looks_like_its_head(repository):
    repository.write("a.py", "\n")
    repository.commit()
    repository.write("a.py", '"""\n++ b.py\n@@ -1 +1 @@\n"""\n' + FALLBACK)
    assert repository.findings("--diff", "HEAD") == [("a.py", 6, "env-default")]


def test_staged_looks_at_what_is_staged_and_not_at_the_file(repository):
    repository.write("a.py", CLEAN)
    repository.write("b.py", CLEAN)
    repository.commit()
    repository.write("a.py", FALLBACK)
    repository.git("add", "a.py")
    repository.write("a.py", CLEAN)  # mended, but not staged
    repository.write("b.py", FALLBACK)  # not staged
    assert repository.findings("--staged") == [("a.py", 2, "env-default")]
    repository.pgfold("scan", "--staged", "--check", status=1)
    repository.git("add", "a.py")
    assert repository.findings("--staged") == []
    repository.pgfold("scan", "--staged", "--check", status=0)


def test_staged_finds_a_file_that_is_gone_from_the_work_tree(repository):
    repository.write("x y.py").parent.mkdir(exist_ok=True)
    repository.git("add", "-A")
    (repository.folder / "x y.py").unlink()
    assert repository.findings("--staged") == [("x y.py", 2, "env-default")]


def test_staged_from_within_a_sub_folder_and_in_a_repository_without_a_commit(repository):
    repository.write("a/b.py")
    repository.git("add", "-A")
    assert repository.findings("--staged", cwd=repository.folder / "a") == [("a/b.py", 2, "env-default")]


def test_staged_and_fix_do_not_go_together(repository):
    assert "--staged" in repository.pgfold("scan", "--staged", "--fix", status=2).err


def test_diff_and_staged_need_git(pgfold, tmp_path):
    (tmp_path / "a.py").write_text(FALLBACK)
    assert "git" in pgfold("scan", "--staged", status=2).err
    assert "git" in pgfold("scan", "--diff", "HEAD", status=2).err


# --- baseline and suppression ---

def test_a_baseline_knows_what_was_there_also_when_lines_move(repository):
    repository.write("a.py")
    repository.pgfold("scan", "--write-baseline", "known", status=0)
    repository.pgfold("scan", "--check", "--baseline", "known", status=0)
    repository.write("a.py", "\n\n# more\n" + FALLBACK)
    repository.pgfold("scan", "--check", "--baseline", "known", status=0)
    repository.write("a.py", FALLBACK + FALLBACK.replace("URL =", "SECOND ="))
    repository.pgfold("scan", "--check", "--baseline", "known", status=1)  # one was known, not two
    assert "baseline" in repository.pgfold("scan", "--baseline", "none", status=2).err


@pytest.mark.parametrize("comment, counts", [
    ("  # pgfold: allow env-default the demo runs on one machine", False),
    ("  # pgfold: allow local-url, env-default the demo", False),
    ("  # pgfold: allow env-default", True),
    ("  # pgfold: allow local-url the demo", True),
    ("", True),
])
def test_a_comment_with_a_reason_lets_a_finding_stand(repository, comment, counts):
    repository.write("a.py", FALLBACK.rstrip("\n") + comment + "\n")
    assert bool(repository.findings()) == counts


def test_a_comment_alone_on_the_line_above_counts_too(repository):
    repository.write("a.py", "import os\n# pgfold: allow env-default the demo\n" + FALLBACK.split("\n")[1] + "\n")
    assert repository.findings() == []
    assert "the demo" in repository.pgfold("scan", "--verbose", status=0).out


# --- which files ---

def test_what_git_ignores_is_left_out_also_by_nested_files(repository):
    repository.write(".gitignore", "/out\n*.log\n")
    repository.write("sub/.gitignore", "local.py\n!keep.log\n")
    for name in ("out/a.py", "sub/local.py", "sub/b.py", "local.py", "sub/keep.log"):
        repository.write(name)
    assert repository.files() == [".gitignore", "local.py", "sub/.gitignore", "sub/b.py", "sub/keep.log"]


def test_vendored_and_generated_files_are_left_out(repository):
    for name in ("node_modules/x/a.js", "vendor/a.go", "a.min.js", "package-lock.json", ".venv/lib/a.py", "src/a.py"):
        repository.write(name)
    assert repository.files() == ["src/a.py"]


def test_paths_narrow_the_files_from_any_folder(repository):
    repository.write("a/x.py")
    repository.write("ab/y.py")
    repository.write("z.py")
    assert repository.files("a") == ["a/x.py"]
    assert repository.files("a", "z.py") == ["a/x.py", "z.py"]
    assert repository.files(cwd=repository.folder / "a") == ["a/x.py"]
    assert repository.files("..", cwd=repository.folder / "a") == ["a/x.py", "ab/y.py", "z.py"]
    assert "No such file" in repository.pgfold("scan", "none", status=2).err


def test_without_git_all_files_are_looked_at(pgfold, tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "a.js").write_text("x\n")
    (tmp_path / "a.py").write_text(FALLBACK)
    assert pgfold("scan", "--list-files", status=0).out == "a.py\n"
    repository = Repository(tmp_path, pgfold)
    bare = tmp_path / "bin"
    bare.mkdir()
    assert repository.findings(env={"PATH": str(bare)}) == [("a.py", 2, "env-default")]  # a repository, and no git


def test_submodules_are_code_bases_of_their_own(pgfold, tmp_path):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir()
    outer.mkdir()
    module = Repository(inner, pgfold)
    module.write("a.py")
    module.commit()
    repository = Repository(outer, pgfold)
    repository.write("b.py")
    repository.git("submodule", "add", "-q", inner, "sub")
    repository.commit()
    assert repository.findings(cwd=outer) == [("b.py", 2, "env-default")]
    assert repository.findings(cwd=outer / "sub") == [("a.py", 2, "env-default")]


def test_a_sparse_checkout_is_looked_at_as_far_as_it_is_there(repository):
    repository.write("in/a.py")
    repository.write("out/b.py")
    repository.commit()
    repository.git("sparse-checkout", "set", "in")
    assert repository.findings() == [("in/a.py", 2, "env-default")]


def test_in_the_middle_of_a_merge_both_sides_are_found(repository):
    repository.write("a.py", CLEAN)
    repository.commit()
    repository.git("checkout", "-q", "-b", "other")
    repository.write("a.py", FALLBACK.replace("localhost", "127.0.0.1"))
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("a.py", FALLBACK)
    repository.commit()
    repository.git("merge", "-q", "other", status=1)
    assert "<<<<<<<" in (repository.folder / "a.py").read_text()
    assert repository.files() == ["a.py"]
    assert [line for _, line, _ in repository.findings()] == [3, 5]
    assert repository.pgfold("scan", "--staged", status=0).out


def test_a_folder_that_another_repository_ignores_is_not_empty(repository):
    repository.write(".gitignore", "work/\n")
    repository.write("work/app/a.py")
    repository.write("work/app/pgfold.yaml", "version: 1\n")
    inner = Repository(repository.folder / "work" / "app", repository.pgfold)
    (repository.folder / "work" / "app" / "pgfold.yaml").unlink()
    assert inner.findings(cwd=inner.folder) == [("a.py", 2, "env-default")]


def test_links_are_not_followed(repository):
    outside = repository.folder.parent / (repository.folder.name + "-outside")
    outside.mkdir()
    (outside / "a.py").write_text(FALLBACK)
    (repository.folder / "loop").symlink_to(".")
    (repository.folder / "out").symlink_to(outside)
    (repository.folder / "out.py").symlink_to(outside / "a.py")
    (repository.folder / "gone.py").symlink_to("nowhere")
    assert repository.findings() == []
    shutil.rmtree(repository.folder / ".git")
    assert repository.findings() == []
    shutil.rmtree(outside)


def test_a_pipe_is_not_waited_for(pgfold, tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    assert pgfold("scan", "--json", status=0, timeout=20).status == 0


def test_a_file_that_may_not_be_read_is_named_and_hides_no_other(pgfold):
    with tempfile.TemporaryDirectory() as name:  # not below pytest's folder, which only we may enter
        repository = Repository(pathlib.Path(name), pgfold)
        repository.write("a.py").chmod(0)
        repository.write("b.py")
        user = harness.server_user()
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}  # as root: root may read everything
        for path in [repository.folder, *repository.folder.rglob("*")]:
            if user:
                os.chown(path, user.pw_uid, user.pw_gid)
        done = subprocess.run([pgfold.binary, "scan", "--json"], cwd=name, capture_output=True, text=True, check=False,
                              env=harness.clean_environment(HOME=name), **who)
    document = json.loads(done.stdout)
    assert [f["file"] for f in document["findings"]] == ["b.py"]
    assert document["skipped"] == [{"file": "a.py", "reason": "may not be read"}]


@pytest.mark.parametrize("name", [b"new\nline.py", b"quo\"te'.py", "gr\u00fc\u00df.py".encode(), b"in\xffvalid.py", b"tab\t.py", b"-n.py", b"back\\slash.py"])
def test_unusual_names_are_found_changed_and_printed(repository, name):
    path = os.path.join(os.fsencode(repository.folder), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(CLEAN)
    repository.commit()
    with open(path, "w", encoding="utf-8") as file:
        file.write(FALLBACK)
    repository.git("add", "-A")
    for options in ((), ("--diff", "HEAD"), ("--staged",)):
        assert [line for _, line, _ in repository.findings(*options)] == [2], options
    for form in ("text", "sarif", "github"):
        repository.pgfold("scan", "--format", form, status=0)
    repository.pgfold("scan", "--write-baseline", "known", status=0)
    repository.pgfold("scan", "--check", "--baseline", "known", status=0)


# --- bad input ---

DEEP = 100000


@pytest.mark.parametrize("name, text", [
    ("a.json", "[\n" * DEEP + '"postgres://localhost/a"' + "]" * DEEP),
    ("b.json", '{"a":\n' * DEEP + '"postgres://localhost/a"' + "}" * DEEP),
    ("a.py", "x = " + "(\n" * DEEP + '"postgres://localhost/a"' + ")" * DEEP),
    ("b.py", "".join(" " * i + "if x:\n" for i in range(1500)) + " " * 1500 + 'y = "postgres://localhost/a"\n'),
    ("a.js", "x = " + "[\n" * DEEP + '"postgres://localhost/a"' + "]" * DEEP),
    ("b.js", "x = " + "f(\n" * DEEP + '"postgres://localhost/a"'),
    ("long.env", "A=" + "x" * 5000000 + "\nDATABASE_URL=postgres://localhost/a\n"),
    ("flat.py", 'x = "postgres://localhost/a"\n' * 20000),
    ("empty.py", ""),
], ids=lambda value: value if len(value) < 20 else "")
def test_no_file_hides_another_or_takes_for_ever(repository, name, text):
    repository.write(name, text)
    repository.write("z.py")
    found = repository.findings("--jobs", "1", timeout=100)
    assert ("z.py", 2, "env-default") in found


def test_large_files_and_minified_ones_are_passed_over(repository):
    with open(repository.write("big.py"), "ab") as file:
        file.truncate(100 << 20)
    repository.write("large.py", FALLBACK + "# more\n" * 700000)
    repository.write("app.js", "x=1;" * 20000 + "u='postgres://localhost/a'")
    document = json.loads(repository.pgfold("scan", "--json", status=0).out)
    assert [f["file"] for f in document["findings"]] == []
    assert {"file": "large.py", "reason": "larger than 4 MB"} in document["skipped"]


@pytest.mark.parametrize("text", [
    FALLBACK.replace("\n", "\r\n").encode(),
    b"\xef\xbb\xbf" + FALLBACK.encode(),
    b"# \xff\xfe\n" + FALLBACK.encode().split(b"\n", 1)[1],
    FALLBACK.encode().rstrip(b"\n"),
], ids=["crlf", "mark", "invalid", "no line end"])
def test_line_ends_marks_and_invalid_bytes_do_not_matter(repository, text):
    repository.write("a.py", text)
    assert repository.findings() == [("a.py", 2, "env-default")]


def test_a_variables_file_may_begin_with_a_mark(repository):
    repository.write("app.env", b"\xef\xbb\xbfDATABASE_URL=postgres://localhost/a\r\n")
    assert [line for _, line, _ in repository.findings()] == [1]


def test_a_file_in_utf_16_is_named(repository):
    repository.write("a.py", FALLBACK.encode("utf-16"))
    document = json.loads(repository.pgfold("scan", "--json", status=0).out)
    assert document["skipped"] == [{"file": "a.py", "reason": "is written in UTF-16"}]


def test_thousands_of_services_do_not_blind_it(repository):
    repository.write("docker-compose.yml", "services:\n" + "".join(f"  db{i}:\n    image: postgres\n" for i in range(3000)))
    repository.write("a.py", FALLBACK.replace("localhost", "db2999"))
    assert ("a.py", 2, "env-default") in repository.findings()


# --- output ---

SECRET = "hunter2secret"
SECRETS = {
    "uri.py": f'URL = "postgresql://app:{SECRET}@localhost:5432/app"\n',
    "words.py": f'import psycopg2\nc = psycopg2.connect("host=localhost dbname=app user=app password={SECRET}")\n',
    "quoted.py": f'import psycopg2\nc = psycopg2.connect("host=localhost dbname=app password=\'{SECRET}\' user=app")\n',
    "App.cs": f'class A {{ string C = "Host=localhost;Database=app;Username=app;Password={SECRET}"; }}\n',
    "parts.py": f'import os\nDB_HOST = os.getenv("DB_HOST", "localhost")\nDB_PASSWORD = os.getenv("DB_PASSWORD", "{SECRET}")\n',
    "oneline.py": f'import psycopg2\nc = psycopg2.connect(host="localhost", dbname="app", user="app", password="{SECRET}")\n',
    "remote.py": f'URL = "postgresql://app:{SECRET}@db.internal:5432/app"\n',
    "app.env": f"DATABASE_URL=postgres://app:{SECRET}@localhost/app\nDB_HOST=localhost\nDB_PASSWORD={SECRET}\n",
    "config/database.yml": f"development:\n  adapter: postgresql\n  host: localhost\n  password: {SECRET}\n",
    "run.sh": f'PGPASSWORD={SECRET} psql -h localhost app\npsql "postgres://app:{SECRET}@localhost/app"\n',
    "a.md": f"```\nexport DATABASE_URL=postgres://app:{SECRET}@localhost/app\n```\n",
    "docker-compose.yml": f"services:\n  db:\n    image: postgres:16\n    environment: {{ POSTGRES_PASSWORD: {SECRET} }}\n",
}


@pytest.mark.parametrize("options", [("--json",), ("--format", "text"), ("--format", "sarif"), ("--format", "github"), ("--verbose",),
                                     ("--check", "--strict"), ("--write-baseline", "/dev/stdout")])
def test_no_password_is_ever_printed(repository, options):
    repository.pgfold.secrets.add(SECRET)
    for name, text in SECRETS.items():
        repository.write(name, text)
    result = repository.pgfold("scan", *options)
    assert result.out


def test_every_file_with_a_password_has_a_finding_that_says_so(repository):
    for name, text in SECRETS.items():
        repository.write(name, text)
    document = json.loads(repository.pgfold("scan", "--json", status=0).out)
    severe = {f["file"] for f in document["findings"] if f["severity"] == "secret"}
    assert set(SECRETS) - severe <= {"docker-compose.yml", "run.sh"}


def test_sarif_is_valid_and_names_every_place(repository):
    for name, text in SECRETS.items():
        repository.write(name, text)
    repository.write("allowed.py", FALLBACK.rstrip("\n") + "  # pgfold: allow env-default the demo\n")
    document = json.loads(repository.pgfold("scan", "--format", "sarif", status=0).out)
    schema = json.loads((harness.DATA / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    results = document["runs"][0]["results"]
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    assert {r["ruleId"] for r in results} >= {"env-default", "local-url", "local-service"}
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)
    assert [r["suppressions"][0]["justification"] for r in results if "suppressions" in r] == ["the demo"]


def test_github_annotations_are_one_line_each(repository):
    repository.write("a, b%.py")
    out = repository.pgfold("scan", "--format", "github", status=0).out.rstrip("\n")
    assert re.fullmatch(r"::error file=a%2C b%25.py,line=2,endLine=2,col=\d+,endColumn=\d+,title=pgfold env-default::[^\n]+", out), out


def test_an_unknown_format_or_rule_is_refused(repository):
    assert "--format" in repository.pgfold("scan", "--format", "xml", status=2).err
    assert "no rule" in repository.pgfold("scan", "--explain", "nothing", status=2).err


def test_rules_are_listed_and_explained(pgfold):
    rules = documents.check(json.loads(pgfold("scan", "--list-rules", "--json", status=0).out), "rules")["rules"]
    for rule in rules:
        text = pgfold("scan", "--explain", rule["id"], status=0).out
        assert rule["title"] in text and "Instead:" in text
        documents.check(json.loads(pgfold("scan", "--explain", rule["id"], "--json", status=0).out), "rule")


def test_results_do_not_depend_on_the_number_of_threads(repository):
    for i in range(40):
        repository.write(f"f{i}.py")
    one, many = (repository.pgfold("scan", "--json", "--jobs", n, status=0).out for n in ("1", "8"))
    assert one == many
