"""pgfold scan --fix: what is certain is mended in the files, and what it mends behaves."""
import ast
import os
import pathlib
import shutil
import stat
import subprocess
import sys

import pytest

import documents
import harness
from scanning import Project, corpus

TRUE = "postgresql://app@db.example.org:5432/app"
CASES = [*sorted((corpus.HERE / "corpus").glob("*.txt")), *sorted(corpus.RULES.glob("*.txt"))]


def git(folder, *arguments, **options):
    environment = {**harness.clean_environment(), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                   "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(["git", "-c", "core.autocrlf=false", *arguments], cwd=folder, env=environment, check=True,
                          capture_output=True, **options)


@pytest.fixture
def project(pgfold):
    return Project(pgfold)


# --- fixed code is run: name, file, variable, code; the code prints what it would connect to -----------------------------

PYTHON = [
    ("getenv", "DATABASE_URL", 'import os\n\nurl = os.getenv("DATABASE_URL", "postgresql://localhost/app")\nprint(url)\n'),
    ("get in a dictionary", "DATABASE_URL",
     'import os\n\nSETTINGS = {\n    "url": os.environ.get("DATABASE_URL", "postgresql://localhost/app"),  # the one\n}\nprint(SETTINGS["url"])\n'),
    ("from os import environ", "DATABASE_URL",
     "from os import environ\n\nurl = environ.get('DATABASE_URL', 'postgresql://localhost/app')\nprint(url)\n"),
    ("or", "DATABASE_URL", 'import os\nurl = (os.environ.get("DATABASE_URL") or "postgresql://localhost/app").strip()\nprint(url)\n'),
    ("a conditional", "DATABASE_URL",
     'import os\nurl = os.environ["DATABASE_URL"] if "DATABASE_URL" in os.environ else "postgresql://localhost/app"\nprint(url)\n'),
    ("if it is empty", "DATABASE_URL",
     'import os\n\nurl = os.getenv("DATABASE_URL")\nif not url:\n    url = "postgresql://localhost/app"\nprint(url)\n'),
    ("if it is None", "DATABASE_URL",
     'import os\n\nif (url := os.getenv("DATABASE_URL")) is None:\n    url = "postgresql://localhost/app"\nprint(url)\n'),
    ("setdefault", "DATABASE_URL",
     'import os\n\nos.environ.setdefault("DATABASE_URL", "postgresql://localhost/app")\nprint(os.environ["DATABASE_URL"])\n'),
    ("in a class", "DATABASE_URL",
     'import os\n\n\nclass Config:\n    """Settings."""\n\n    URL = os.environ.get("DATABASE_URL", "postgresql://localhost/app")\n\n\nprint(Config.URL)\n'),
    ("in a function", "DATABASE_URL",
     'import os\n\n\ndef url():\n\treturn os.environ.get("DATABASE_URL", "postgresql://localhost/app")\n\n\nprint(url())\n'),
    ("a constant", "DATABASE_URL",
     'import os\n\nLOCAL = "postgresql://localhost/app"\n\nurl = os.environ.get("DATABASE_URL", LOCAL)\nprint(url)\n'),
    ("the host alone", "PGHOST",
     'import os\n\nimport json  # no psycopg2 here\n\n\ndef psycopg2_connect(**given):\n    print(given["host"])\n\n\n'
     'psycopg2_connect(dbname="app", host=os.environ.get("PGHOST", "localhost"))\n'),
    ("parts that become the one", "DATABASE_URL",
     'import os\n\nDB_USER = os.getenv("DB_USER", "app")\nDB_HOST = os.getenv("DB_HOST", "localhost")\n'
     'DB_PORT = os.getenv("DB_PORT", "5432")\n\nprint(f"postgresql://{DB_USER}@{DB_HOST}:{DB_PORT}/app")\n'),
    ("a literal", "DATABASE_URL", 'import os\n\ndatabase_url = "postgresql://app@localhost/app"\nprint(database_url)\n'),
]
JAVASCRIPT = [
    ("||", "DATABASE_URL", "const url = process.env.DATABASE_URL || 'postgres://localhost/app'\nconsole.log(url)\n"),
    ("??", "DATABASE_URL", 'const url = process.env.DATABASE_URL ?? "postgres://localhost/app";\nconsole.log(url);\n'),
    ("the conditional operator", "DATABASE_URL",
     "const url = process.env.DATABASE_URL ? process.env.DATABASE_URL : 'postgres://localhost/app';\nconsole.log(url);\n"),
    ("an arrow function", "DATABASE_URL",
     "const url = () => process.env.DATABASE_URL || 'postgres://localhost/app';\nconsole.log(url());\n"),
    ("a default of a parameter", "DATABASE_URL",
     "function open(url = process.env.DATABASE_URL ?? 'postgres://localhost/app') {\n  console.log(url);\n}\nopen();\n"),
    ("a field of a class", "DATABASE_URL",
     "class Config {\n  url = process.env.DATABASE_URL || 'postgres://localhost/app';\n}\nconsole.log(new Config().url);\n"),
    ("an assignment to the environment", "DATABASE_URL",
     "process.env.DATABASE_URL = process.env.DATABASE_URL || 'postgres://localhost/app';\nconsole.log(process.env.DATABASE_URL);\n"),
    ("if it is empty", "DATABASE_URL",
     "let url = process.env.DATABASE_URL;\nif (!url) {\n  url = 'postgres://localhost/app';\n}\nconsole.log(url);\n"),
    ("taken out of the environment", "PGHOST",
     "const { NODE_ENV = 'x', PGHOST = 'localhost' } = process.env;\nconsole.log(PGHOST);\n"),
    ("if it is undefined", "DATABASE_URL",
     "let url = process.env.DATABASE_URL;\nif (url === undefined) url = 'postgres://localhost/app';\nconsole.log(url);\n"),
    ("parts that become the one", "DATABASE_URL",
     "const user = process.env.DB_USER || 'app';\nconst host = process.env.DB_HOST || 'localhost';\n\n"
     "console.log(`postgres://${user}@${host}/app`);\n"),
    ("a literal", "DATABASE_URL", "const databaseUrl = 'postgres://app@localhost/app';\nconsole.log(databaseUrl);\n"),
]
SHELL = [
    ("colon dash", "DATABASE_URL", '#!/bin/sh\nurl="${DATABASE_URL:-postgres://localhost/app}"\necho "$url"\n'),
    ("dash, without quotation marks", "DATABASE_URL", "#!/bin/sh\nurl=${DATABASE_URL-postgres://localhost/app}\necho $url\n"),
    ("colon equals", "DATABASE_URL", '#!/bin/sh\n: "${DATABASE_URL:=postgres://localhost/app}"\necho "$DATABASE_URL"\n'),
    ("if", "DATABASE_URL",
     '#!/bin/bash\nif [ -z "$DATABASE_URL" ]; then\n  export DATABASE_URL="postgres://localhost/app"\nfi\necho "$DATABASE_URL"\n'),
    ("and", "DATABASE_URL", '#!/bin/sh\n[ -z "$DATABASE_URL" ] && DATABASE_URL=postgres://localhost/app\necho "$DATABASE_URL"\n'),
    ("a literal", "DATABASE_URL", "#!/bin/sh\nDATABASE_URL='postgres://localhost/app'\necho \"$DATABASE_URL\"\n"),
]
RUNS = [(language, *case) for language, cases in (("py", PYTHON), ("cjs", JAVASCRIPT), ("sh", SHELL)) for case in cases]


def run(path, **variables):
    interpreter = {"py": sys.executable, "cjs": "node", "sh": "bash"}[path.suffix[1:]]
    environment = {name: value for name, value in harness.clean_environment().items() if not name.startswith("DB_")}
    return subprocess.run([interpreter, path], capture_output=True, text=True, check=False, timeout=30,
                          env={**environment, **variables})


@pytest.mark.parametrize(("language", "title", "variable", "code"), RUNS, ids=[f"{run[0]}: {run[1]}" for run in RUNS])
def test_fixed_code_does_as_before_with_the_variable_and_fails_by_name_without(project, language, title, variable, code):
    path = project.write(f"app/main.{language}", code)
    value = "db.example.org" if variable == "PGHOST" else TRUE
    parts = title.startswith("parts")
    before = run(path, **({"DB_USER": "app", "DB_HOST": "db.example.org", "DB_PORT": "5432"} if parts else {variable: value}))
    assert before.returncode == 0, before
    assert project.findings(), "the case is found"
    project("--fix", "--yes")
    assert project.findings() == []
    after = run(path, **{variable: before.stdout.strip() if parts else value})
    assert after.returncode == 0, after
    assert after.stdout == (before.stdout if title != "a literal" else TRUE + "\n")
    for missing in (run(path), run(path, **{variable: ""})):
        assert missing.returncode != 0 and missing.stdout == "", missing
        assert f"{variable} is not set" in missing.stderr and "pgfold tunnel" in missing.stderr, missing


# --- the whole corpus --------------------------------------------------------------------------------------------------

def broken(path, text):
    """Why another program cannot parse text as the file; None when it can, or there is none."""
    text = text.decode()
    if path.suffix == ".py":
        try:
            ast.parse(text)
        except SyntaxError as error:
            return str(error)
        return None
    if path.suffix in (".js", ".cjs", ".mjs"):
        for kind in ("module", "commonjs"):
            done = subprocess.run(["node", f"--input-type={kind}", "--check"], input=text, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return None
        return done.stderr
    if path.suffix in (".sh", ".bash"):
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else None
    return None


# One of each kind: a language and a shell. What the others share with them is most of it; `make test-long` has them all.
RUN = ("python", "shell")


@pytest.mark.parametrize("path", [pytest.param(path, marks=[] if path.stem in RUN else pytest.mark.long) for path in CASES],
                         ids=[path.stem for path in CASES])
def test_every_fix_of_the_corpus_parses_applies_and_leaves_no_such_finding(project, path):
    for case in corpus.read(path):
        shutil.rmtree(project.folder)
        project.folder.mkdir()
        corpus.write(case, project.folder)
        files = [project.folder / name for name in case.files]
        before = {file: file.read_bytes() for file in files}
        found = project("--json").json()["findings"]
        if not any(one["fixable"] for one in found):
            continue
        diff = project("--fix", "--dry-run").out
        assert {file: file.read_bytes() for file in files} == before, "a dry run writes nothing"
        project("--fix", "--yes")
        changed = [file for file in files if file.read_bytes() != before[file]]
        left = project("--json").json()["findings"]
        assert changed, case.title
        for file in changed:
            problem = broken(file, file.read_bytes())
            assert problem is None or broken(file, before[file]), f"{case.title}: {problem}\n{file.read_text()}"
            assert project("--fix", "--dry-run", file).out == "", f"{case.title}: nothing is left to fix"
        known = [one["fingerprint"] for one in found]
        assert [one for one in left if one["fingerprint"] not in known] == [], f"{case.title}: a fix brings no finding"
        after = {file: file.read_bytes() for file in files}
        for file in files:
            file.write_bytes(before[file])
        subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=project.folder, check=True,
                       env={**harness.clean_environment(), "GIT_CEILING_DIRECTORIES": str(project.folder.parent)})
        assert {file: file.read_bytes() for file in files} == after, f"{case.title}: the diff is what --fix does"


# --- what a file looks like --------------------------------------------------------------------------------------------

def test_windows_line_ends_and_a_byte_order_mark_stay(project):
    text = '\ufeffimport os\r\n\r\nurl = os.getenv("DATABASE_URL", "postgresql://localhost/app")  # where\r\nprint(url)\r\n'
    fixed = project.fixed("main.py", text)
    assert fixed.startswith("\ufeffimport os\r\n\r\nif not os.getenv(\"DATABASE_URL\"):\r\n    raise RuntimeError(\r\n")
    assert fixed.endswith(')\r\nurl = os.environ["DATABASE_URL"]  # where\r\nprint(url)\r\n')
    assert fixed.count("\n") == fixed.count("\r\n")


def test_the_first_statement_behind_a_byte_order_mark_is_checked_too(project):
    fixed = project.fixed("main.js", "\ufeffmodule.exports = process.env.DATABASE_URL || 'postgres://localhost/app'")
    assert fixed.startswith("\ufeffif (!process.env.DATABASE_URL) {\n  throw new Error('DATABASE_URL is not set")
    assert fixed.endswith("}\nmodule.exports = process.env.DATABASE_URL"), "and no line end is added"


def test_tabs_are_kept(project):
    fixed = project.fixed("main.js", 'function url() {\n\tif (true) {\n\t\treturn process.env.DATABASE_URL || "postgres://localhost/app";\n\t}\n}\n')
    assert '\n\t\tif (!process.env.DATABASE_URL) {\n\t\t\tthrow new Error("DATABASE_URL is not set' in fixed
    assert "\n\t\t}\n\t\treturn process.env.DATABASE_URL;\n\t}\n" in fixed


def test_deep_indentation_is_kept(project):
    code = "import os\n\n\n" + "".join("    " * depth + "if True:\n" for depth in range(20))
    fixed = project.fixed("main.py", code + "    " * 20 + 'url = os.getenv("DATABASE_URL", "postgres://localhost/app")\n')
    ast.parse(fixed)
    assert "\n" + "    " * 20 + 'if not os.getenv("DATABASE_URL"):\n' + "    " * 21 + "raise RuntimeError(\n" in fixed


def test_one_line_without_a_line_end_is_fixed(project):
    assert project.fixed("run.sh", 'echo "${DATABASE_URL:-postgres://localhost/app}"').endswith('to it}"')


def test_comments_and_what_stands_around_stay(project):
    text = ("import os\n\n# The database.\nURL = os.getenv(  \n    'DATABASE_URL', 'postgres://localhost/app')  # of the app\n"
            "OTHER   =  os.getenv('REDIS_URL', 'redis://localhost')\n")
    fixed = project.fixed("main.py", text)
    assert "\n# The database.\nif not os.getenv('DATABASE_URL'):\n" in fixed
    assert fixed.endswith("\nURL = os.environ['DATABASE_URL']  # of the app\nOTHER   =  os.getenv('REDIS_URL', 'redis://localhost')\n")


def test_a_mode_stays_and_a_symlink_is_left_alone(project):
    path = project.write("run.sh", 'echo "${DATABASE_URL:-postgres://localhost/app}"\n')
    path.chmod(0o750)
    (project.folder / "link.sh").symlink_to("run.sh")
    project("--fix", "--yes")
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert (project.folder / "link.sh").is_symlink()
    assert sorted(os.listdir(project.folder)) == ["link.sh", "run.sh"], "nothing else is left behind"


# --- what is not certain is explained, and left alone --------------------------------------------------------------------

REFUSED = {
    "a helper": ("db.py", 'from settings import get_env\n\nurl = get_env("DATABASE_URL", "postgresql://localhost/app")\n', "helper"),
    "a lambda": ("db.py", 'import os\n\nurl = lambda: os.getenv("DATABASE_URL", "postgresql://localhost/app")\n', "lambda"),
    "a default parameter": ("db.py", 'import os\n\n\ndef f(url=os.getenv("DATABASE_URL", "postgresql://localhost/app")):\n    return url\n',
                            "default_parameter"),
    "the right side of or": ("db.py", 'import os\nimport sys\n\nurl = sys.argv[-1] or os.getenv("DATABASE_URL", "postgresql://localhost/app")\n',
                             "boolean_operator"),
    "a comprehension": ("db.py", 'import os\n\nurls = [os.getenv("DATABASE_URL", "postgresql://localhost/app") for _ in range(2)]\n',
                        "comprehension"),
    "a line of two statements": ("db.py", 'import os; url = os.getenv("DATABASE_URL", "postgresql://localhost/app")\n', "line"),
    "no import": ("db.py", 'database_url = "postgresql://localhost/app"\n', "import os"),
    "a comment in it": ("db.py", 'import os\n\nurl = os.getenv("DATABASE_URL",  # of the app\n    "postgresql://localhost/app")\n', "comment"),
    "a broken file": ("db.py", 'import os\n\nurl = os.getenv("DATABASE_URL", "postgresql://localhost/app")\ndef (:\n', "parse"),
    "one of several environments": ("knexfile.js", "module.exports = {\n  staging: { connection: process.env.STAGING_URL || 'postgres://localhost/app' },\n};\n",
                                    "staging"),
    "an import that nothing else uses": ("main.go", 'package main\n\nimport (\n\t"cmp"\n\t"os"\n)\n\nfunc main() {\n'
                                         '\turl := cmp.Or(os.Getenv("DATABASE_URL"), "postgres://localhost/app")\n\topen(url)\n}\n', "required"),
    "another variable is asked for, in a shell": ("run.sh", 'if [ -z "$DATABASE_URL_TEST" ]; then\n  DATABASE_URL=postgres://localhost/app\nfi\n', ""),
    "it is set where it is there already": ("run.sh", '[ -n "$DATABASE_URL" ] && DATABASE_URL=postgres://localhost/app\n', ""),
    "another variable is asked for": ("db.py", 'import os\n\nurl = os.environ.get("DATABASE_URL")\nif not os.environ.get("DATABASE_URL_REPLICA"):\n'
                                      '    url = "postgresql://localhost/app"\n', ""),
    "documentation": ("README.md", "Set `DATABASE_URL=postgresql://localhost/app`.\n", "documentation"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_certain_is_left_alone_with_a_reason(project, case):
    name, text, reason = REFUSED[case]
    assert project.findings() == []
    path = project.write(name, text)
    done = project("--fix", "--yes")
    assert path.read_text(encoding="utf-8") == text
    assert "To be done by hand" in done.err and reason in done.err, done
    assert not project.findings()[0]["fixable"]


def test_names_that_another_file_speaks_of_stay(project):
    parts = ('import os\n\nDB_HOST = os.getenv("DB_HOST", "localhost")\nDB_PORT = os.getenv("DB_PORT", "5432")\n'
             'URL = f"postgresql://{DB_HOST}:{DB_PORT}/app"\n')
    project.write("other.py", "from db import DB_HOST\n")
    fixed = project.fixed("db.py", parts)
    assert 'DB_HOST = os.environ["DB_HOST"]\n' in fixed and 'URL = f"postgresql://{DB_HOST}' in fixed


def test_a_test_says_how_tests_are_run(project):
    fixed = project.fixed("tests/conftest.py", 'import os\n\nURL = os.getenv("DATABASE_URL", "postgresql://localhost/app")\n')
    assert 'raise RuntimeError("DATABASE_URL is not set: run the tests with `pgfold testdb -- COMMAND`")' in fixed


def test_the_variable_of_pgfold_yaml_is_read(project):
    project.write("pgfold.yaml", "version: 1\ncode:\n  variable: SHOP_DATABASE\n")
    fixed = project.fixed("db.js", "const databaseUrl = 'postgres://localhost/shop';\n")
    assert fixed.endswith("const databaseUrl = process.env.SHOP_DATABASE;\n")


# --- git, and asking ---------------------------------------------------------------------------------------------------

CODE = 'import os\n\nurl = os.getenv("DATABASE_URL", "postgresql://localhost/app")\n'


def test_without_yes_and_a_terminal_nothing_is_written(project):
    path = project.write("main.py", CODE)
    refused = project("--fix", status=4)
    assert "not confirmed" in refused.err and "--yes" in refused.err
    assert path.read_text(encoding="utf-8") == CODE


def test_files_with_uncommitted_changes_are_refused(project):
    git(project.folder, "init", "-q")
    path = project.write("main.py", CODE)
    clean = project.write("other.py", "x = 1\n")
    assert "main.py" in project("--fix", status=4).err, "one that git does not know could not be brought back"
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-qm", "first")
    clean.write_text("x = 2\n", encoding="utf-8")
    assert "not confirmed" in project("--fix", status=4).err, "changes of other files are no matter"
    path.write_text(CODE + "print(url)\n", encoding="utf-8")
    refused = project("--fix", status=4)
    assert "not committed" in refused.err and "main.py" in refused.err and "other.py" not in refused.err
    project("--fix", "--yes")
    assert "os.environ" in path.read_text(encoding="utf-8")


def test_a_diff_of_windows_line_ends_applies(project):
    git(project.folder, "init", "-q")
    path = project.write("src/main.py", CODE.replace("\n", "\r\n"))
    diff = subprocess.run([project.pgfold.binary, "scan", "--fix", "--dry-run"], cwd=project.folder, capture_output=True,
                          env=project.pgfold.environment(), check=True).stdout
    git(project.folder, "apply", "--check", "-", input=diff)
    git(project.folder, "apply", "-", input=diff)
    by_git = path.read_bytes()
    path.write_bytes(CODE.replace("\n", "\r\n").encode())
    project("--fix", "--yes")
    assert path.read_bytes() == by_git


def test_only_the_files_that_are_named_are_fixed(project):
    one, other = project.write("one.py", CODE), project.write("other.py", CODE)
    project("--fix", "--yes", "one.py")
    assert one.read_text(encoding="utf-8") != CODE and other.read_text(encoding="utf-8") == CODE


def test_json_names_what_was_fixed_and_what_is_left(project):
    path = project.write("main.py", CODE)
    project.write("pool.js", "const { Pool } = require('pg');\nnew Pool({ host: 'localhost', database: 'app' });\n")
    would = documents.check(project("--fix", "--dry-run", "--json").json(), "fixes")
    assert not would["written"] and path.read_text(encoding="utf-8") == CODE
    document = documents.check(project("--fix", "--yes", "--json").json(), "fixes")
    assert document["written"] and document["files"] == would["files"] == [{"file": "main.py", "fixed": 1}]
    assert [(one["file"], one["line"], one["rule"]) for one in document["left"]] == [("pool.js", 2, "local-host")]


def test_a_dry_run_without_fix_is_a_mistake(project):
    assert "--fix" in project("--dry-run", status=2).err


def test_a_finding_that_is_allowed_is_not_fixed(project):
    path = project.write("main.py", CODE.replace('app")', 'app")  # pgfold: allow env-default because'))
    before = path.read_bytes()
    project("--fix", "--yes")
    assert path.read_bytes() == before


def test_fixing_twice_changes_nothing(project):
    once = project.fixed("main.py", CODE)
    assert project.fixed("main.py", once) == once
    assert pathlib.Path(project.folder, "main.py").read_text(encoding="utf-8") == once
