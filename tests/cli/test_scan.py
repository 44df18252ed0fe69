"""pgfold scan: what leads back to a local database is found, and nothing else."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

import documents
import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "scan"))

import corpus  # noqa: E402

FALLBACK = 'import os\nURL = os.environ.get("DATABASE_URL", "postgresql://localhost:5432/app")\n'
CLEAN = 'import os\nURL = os.environ["DATABASE_URL"]\n'
PGFOLD = os.environ.get("PGFOLD", str(harness.ROOT / "build" / "pgfold"))
MODEL = harness.ROOT / "tests" / "fixtures" / "model-project"


def git(folder, *arguments):
    environment = {**harness.clean_environment(), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                   "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True)


class Project:
    """A folder of code, whose parent is no code base."""

    def __init__(self, pgfold):
        self.pgfold = pgfold
        self.folder = pgfold.cwd / "project"
        self.folder.mkdir()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def git(self):
        git(self.folder, "init", "-q", "-b", "main")
        self.commit()

    def commit(self):
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", "a commit", "--allow-empty")

    def __call__(self, *arguments, status=0, **options):
        environment = {"GIT_CEILING_DIRECTORIES": self.pgfold.cwd, **options.pop("env", {})}
        return self.pgfold("scan", *arguments, cwd=options.pop("cwd", self.folder), status=status, env=environment, **options)

    def places(self, *arguments, **options):
        """{"file:line": rule} of what counts."""
        document = documents.check(self("--json", *arguments, **options).json(), "scan")
        return {f"{f['file']}:{f['place']['line']}": f["rule"] for f in document["findings"] if f["suppressed"] is None}


@pytest.fixture
def project(pgfold):
    return Project(pgfold)


# --- how well ---------------------------------------------------------------------------------------------------------

def test_the_corpus_has_the_figures_that_were_asked_for():
    total = corpus.Score()
    for path in sorted((corpus.HERE / "corpus").glob("*.txt")):
        total.add(corpus.score_file(PGFOLD, path))
    assert total.found + len(total.missed) >= 300 and total.negatives >= 300
    assert total.precision >= 0.98, "\n".join(total.wrong)
    assert total.recall >= 0.95, "\n".join(total.missed)


@pytest.mark.parametrize("path", sorted(corpus.RULES.glob("*.txt")), ids=lambda path: path.stem)
def test_the_examples_of_a_rule_are_found_as_it_says(path):
    score = corpus.score_file(PGFOLD, path)
    assert score.found > 0
    assert score.missed + score.wrong + score.renamed == []


def test_the_model_project_is_reported_as_a_perfect_scan_would(project):
    expected = {}
    for line in (MODEL.parent / "model-project.expected.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            place, rule, kind = line.rsplit(" ", 2)
            expected[place] = (rule, kind)
    found = {f"{f['file']}:{f['place']['line']}": (f["rule"], f["class"]) for f in project("--json", MODEL).json()["findings"]}
    assert found == expected


# --- what counts ------------------------------------------------------------------------------------------------------

def test_check_fails_on_production_and_strict_on_any_class(project):
    project.write("docs/setup.md", "```\npsql postgresql://localhost/app\n```\n")
    project("--check")
    project("--check", "--strict", status=1)
    project.write("app.py", FALLBACK)
    assert "1 production" in project("--check", status=1).out
    project()


def test_an_information_never_fails(project):
    project.write("job.py", 'import psycopg2\nconnection = psycopg2.connect("postgresql:///app")\n')
    assert project.places() == {"job.py:2": "no-host"}
    project("--check", "--strict")


def test_a_class_of_the_configuration_counts(project):
    project.write("app.py", FALLBACK)
    project.write("pgfold.yaml", "code: { tests: [app.py] }\n")
    assert project.places() == {"app.py:2": "test-fallback"}
    project("--check")
    project.write("pgfold.yaml", "code: { local: [app.py] }\n")
    assert project.places() == {}
    project.write("pgfold.yaml", "code: { skip: [app.py] }\n")
    assert "app.py" not in project("--list-files").out


def test_only_changed_lines_count_with_diff(project):
    project.write("old.py", FALLBACK)
    project.write("app.py", CLEAN)
    project.git()
    project.write("app.py", CLEAN + FALLBACK)
    project.write("new.py", FALLBACK)
    assert project.places("--diff", "HEAD") == {"app.py:4": "env-default", "new.py:2": "env-default"}
    assert len(project.places()) == 3


def test_what_is_staged_is_looked_at_and_not_the_work_tree(project):
    project.write("app.py", CLEAN)
    project.git()
    project.write("app.py", FALLBACK)
    git(project.folder, "add", "app.py")
    project.write("app.py", CLEAN)
    project("--staged", "--check", status=1)
    assert project.places("--staged") == {"app.py:2": "env-default"}
    git(project.folder, "add", "app.py")
    project.write("app.py", FALLBACK)
    project("--staged", "--check")


def test_a_revision_that_git_does_not_know_is_an_error(project):
    project.git()
    assert "no-such" in project("--diff", "no-such", status=2).err


def test_a_baseline_lets_old_findings_stand_and_new_ones_count(project):
    project.write("app.py", FALLBACK)
    project("--write-baseline", "known.txt")
    project("--check", "--baseline", "known.txt")
    project.write("app.py", "\n\n# it has moved\n" + FALLBACK)
    project("--check", "--baseline", "known.txt")
    project.write("app.py", FALLBACK + FALLBACK)
    project("--check", "--baseline", "known.txt", status=1)
    assert "localhost" not in (project.folder / "known.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("comment, counts", [
    ("# pgfold: allow env-default the tutorial's own server", False),
    ("# pgfold: allow local-url, env-default two rules", False),
    ("# pgfold: allow env-default", True),
    ("# pgfold: allow local-url another rule", True),
])
def test_a_comment_with_a_reason_lets_a_finding_stand(project, comment, counts):
    lines = FALLBACK.splitlines()
    project.write("same.py", f"{lines[0]}\n{lines[1]}  {comment}\n")
    project.write("above.py", f"{lines[0]}\n{comment}\n{lines[1]}\n")
    assert len(project.places()) == (2 if counts else 0)


# --- which files ------------------------------------------------------------------------------------------------------

def test_ignored_and_foreign_files_are_left_out(project):
    project.write(".gitignore", "generated/\n")
    project.write("sub/.gitignore", "secret.py\n")
    for name in ("generated/a.py", "sub/secret.py", "node_modules/x/a.js", "vendor/a.py"):
        project.write(name, FALLBACK)
    project.write("sub/app.py", FALLBACK)
    project.git()
    assert project.places() == {"sub/app.py:2": "env-default"}


def test_without_git_the_folder_is_walked(project, tmp_path):
    project.write("sub/app.py", FALLBACK)
    project.write("node_modules/x/a.py", FALLBACK)
    (project.folder / "loop").symlink_to(project.folder)
    assert project.places() == {"sub/app.py:2": "env-default"}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert project.places(env={"PATH": str(empty)}) == {"sub/app.py:2": "env-default"}


def test_paths_choose_what_is_looked_at(project):
    project.write("a/app.py", FALLBACK)
    project.write("b/app.py", FALLBACK)
    project.git()
    assert project.places("a") == {"a/app.py:2": "env-default"}
    assert project.places(cwd=project.folder / "b") == {"b/app.py:2": "env-default"}
    assert "no-such" in project("no-such", status=2).err


def test_in_the_middle_of_a_merge_each_file_is_looked_at_once(project):
    project.write("app.py", CLEAN)
    project.git()
    git(project.folder, "checkout", "-q", "-b", "other")
    project.write("app.py", FALLBACK)
    project.commit()
    git(project.folder, "checkout", "-q", "main")
    project.write("app.py", CLEAN + "X = 1\n")
    project.commit()
    git(project.folder, "merge", "-q", "other")
    assert "<<<<<<<" in (project.folder / "app.py").read_text(encoding="utf-8")
    assert list(project.places().values()) == ["env-default"]


def test_odd_names_and_bytes_hide_nothing(project):
    project.write("with blank.py", FALLBACK)
    project.write("new\nline.py", FALLBACK)
    project.write("ümlaut.py", FALLBACK)
    project.write("crlf.py", FALLBACK.replace("\n", "\r\n"))
    project.write("bom.py", b"\xef\xbb\xbf" + FALLBACK.encode())
    project.write("latin1.py", b"# caf\xe9\n" + FALLBACK.encode())
    project.write("empty.py", "")
    project.write("binary.py", b"\0\1\2" + FALLBACK.encode())
    project.write("nested.py", "x = " + "(" * 50_000 + ")" * 50_000 + "\n" + FALLBACK)
    project.write("nested.js", "let x = " + "[" * 50_000 + "]" * 50_000 + ";\nconst u = process.env.DATABASE_URL || 'postgres://localhost/a';\n")
    project.git()
    found = {place.rsplit(":", 1)[0] for place in project.places(timeout=60)}
    assert found >= {"with blank.py", "new\nline.py", "ümlaut.py", "crlf.py", "bom.py", "latin1.py"}
    assert "binary.py" not in found and "empty.py" not in found


def test_a_large_and_a_minified_file_are_passed_over(project):
    project.write("large.sql", b"-- postgresql://localhost/app\n" * 4_000_000)
    project.write("large.py", FALLBACK.encode() * 100_000)
    project.write("min.js", "var a='postgres://localhost/app';" * 2000)
    project.write("app.py", FALLBACK)
    document = project("--json", timeout=60).json()
    assert {f["file"] for f in document["findings"]} == {"app.py"}
    assert {s["file"] for s in document["skipped"]} >= {"large.py"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_file_that_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("app.py", "closed.py"):
            pathlib.Path(folder, name).write_text(FALLBACK, encoding="utf-8")
        pathlib.Path(folder, "closed.py").chmod(0)
        pathlib.Path(folder).chmod(0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PGFOLD, "scan", "--json"],
                              cwd=folder, env={**harness.clean_environment(), "HOME": "/"}, capture_output=True, text=True, check=False)
    if done.returncode in (126, 127):
        pytest.skip("another user cannot run the program here")
    document = json.loads(done.stdout)
    assert {f["file"] for f in document["findings"]} == {"app.py"}
    assert document["skipped"] == [{"file": "closed.py", "reason": "may not be read"}]


# --- how it is shown --------------------------------------------------------------------------------------------------

SECRETS = {
    "a.py": 'import os\nA = os.getenv("A_URL", "postgresql://u:hunter2secret@localhost/a")\n',
    "b.py": 'import psycopg\nB = psycopg.connect("host=localhost dbname=b user=u password=hunter2secret")\n',
    "c.cs": 'class C { string s = "Host=localhost;Database=c;Username=u;Password=hunter2secret"; }\n',
    "d.py": 'import psycopg\npsycopg.connect(host="db.example.org", user="u", password="hunter2secret")\n',
    "e.py": 'import os\nDB_HOST = os.getenv("DB_HOST", "localhost")\nDB_PASSWORD = os.getenv("DB_PASSWORD", "hunter2secret")\n',
    "f.js": "const url = 'jdbc:postgresql://localhost/f?user=u&password=hunter2secret';\n",
}


@pytest.mark.parametrize("options", [[], ["--verbose"], ["--json"], ["--format", "sarif"], ["--format", "github"],
                                     ["--write-baseline", "/dev/stdout"]])
def test_a_password_is_shown_in_no_format(project, options):
    for name, text in SECRETS.items():
        project.write(name, text)
    assert len(project.places()) == len(SECRETS)
    shown = project(*options)
    assert "hunter2secret" not in shown.out + shown.err


def test_sarif_has_what_code_scanning_reads(project):
    project.write("a folder/app.py", FALLBACK)
    log = json.loads(project("--format", "sarif").out)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    run, = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    result, = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "env-default"
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "a%20folder/app.py"
    assert location["region"]["startLine"] == 2
    assert result["level"] == "error" and result["partialFingerprints"]


def test_github_gets_annotations(project):
    project.write("a,b.py", FALLBACK)
    line, = project("--format", "github").out.splitlines()
    assert line.startswith("::error file=a%2Cb.py,line=2,endLine=2,col=")
    assert line.endswith("unset or empty") and "title=pgfold env-default::" in line


def test_the_place_is_underlined(project):
    project.write("app.py", FALLBACK)
    lines = project().out.splitlines()
    source = next(line for line in lines if line.startswith("    2 | "))
    marks = lines[lines.index(source) + 1]
    assert source[marks.index("^"):marks.rindex("^") + 1] == '"postgresql://localhost:5432/app"'


def test_a_rule_can_be_explained_and_all_are_listed(project):
    rules = [line.split()[0] for line in project("--list-rules").out.splitlines()]
    assert sorted(rules) == sorted(path.stem for path in corpus.RULES.glob("*.txt"))
    for rule in rules:
        assert "Instead:" in project("--explain", rule).out
        assert project("--explain", rule, "--json").json()["id"] == rule
    assert "list-rules" in project("--explain", "no-such", status=2).err


def test_a_pattern_of_the_folder_names_the_hook(project):
    hooks = (harness.ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert "entry: pgfold scan --staged --check" in hooks
    assert pathlib.Path(harness.ROOT / "docs" / "scan.md").read_text(encoding="utf-8").count("| `") >= 10
