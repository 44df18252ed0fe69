"""pgfold docs: .env.example. Nothing in it leads to a local database any more, and all else stays as it was."""
import random
import subprocess

import pytest

CONFIG = """version: 1
target: {url: "${DATABASE_URL}"}
sources:
  - {name: laptop, url: "postgresql://app@localhost:5433/app", compose: "docker-compose.local.yml#appdb"}
"""


@pytest.fixture
def env(pgfold):
    """env(text): .env.example after `pgfold docs`, its comment about the variable left out; run twice."""
    def make(text, config=CONFIG, whole=False):
        (pgfold.cwd / "pgfold.yaml").write_text(config)
        path = pgfold.cwd / ".env.example"
        path.write_bytes(text.encode())
        make.result = pgfold("docs", status=0)
        content = path.read_bytes()
        pgfold("docs", "--check", status=0)
        mark = "\ufeff" * content.decode().startswith("\ufeff")
        lines = content.decode().removeprefix(mark).splitlines(keepends=True)
        assert any(line.startswith("# pgfold docs: ") for line in lines), "it is explained"
        return content.decode() if whole else mark + "".join(line for line in lines if not line.startswith("# pgfold docs: "))
    return make


def test_a_file_is_made_where_there_is_none(pgfold):
    (pgfold.cwd / "pgfold.yaml").write_text(CONFIG)
    pgfold("docs", status=0)
    text = (pgfold.cwd / ".env.example").read_text()
    assert text.endswith("\nDATABASE_URL=\n")
    assert "docs/database.md" in text
    shell = subprocess.run(["sh", "-ec", ". ./.env.example; echo \"[$DATABASE_URL]\""], cwd=pgfold.cwd, capture_output=True, text=True, check=True)
    assert shell.stdout == "[]\n"


def test_the_explanation_stands_above_the_variable(env):
    lines = env("A=1\nDATABASE_URL=postgresql://localhost/app\nB=2\n", whole=True).splitlines()
    place = lines.index("DATABASE_URL=")
    assert lines[0] == "A=1" and lines[-1] == "B=2"
    assert all(line.startswith("# pgfold docs: ") for line in lines[1:place])


@pytest.mark.parametrize("value", ["postgresql://app:pw@localhost:5433/app", "'postgres://127.0.0.1/app'", '"postgresql+asyncpg://app@[::1]:5432/app"', "postgresql:///app",
                                   "postgresql://app@host.docker.internal/app", "postgresql://app@appdb:5432/app", "host=localhost dbname=app", "dbname=app",
                                   "jdbc:postgresql://localhost:5432/app", "ecto://postgres:postgres@localhost/app", "Host=localhost;Database=app;Username=app",
                                   "postgresql://app@0.0.0.0/app", "postgresql:///app?host=/var/run/postgresql", "postgresql://app@vps.example.org,localhost/app", ""])
def test_local_values_are_taken_out(env, value):
    assert env(f"A=1\nDATABASE_URL={value}\nB=2\n") == "A=1\nDATABASE_URL=\nB=2\n"


@pytest.mark.parametrize("value", ["postgresql://app@vps.example.org/app", "mysql://root@localhost/app", "sqlite:///app.db", "'postgresql://USER@HOST/app'", "postgresql://app@localhost.example.org/app"])
def test_other_values_stay(env, value):
    assert env(f"A=1\nDATABASE_URL={value}\nB=2\n") == f"A=1\nDATABASE_URL={value}\nB=2\n"


def test_the_variable_comes_before_its_parts(env):
    before = "# The app\nPORT=8000\n\n# Database\nDB_HOST=localhost\nDB_PORT=5433\nDB_NAME=app\nDB_USER=app\nDB_PASSWORD=app # dev\nDATABASE_URL=postgresql://localhost/app\n\nREDIS_HOST=localhost\n"
    after = "# The app\nPORT=8000\n\nDATABASE_URL=\n# Database\nDB_HOST=\nDB_PORT=\nDB_NAME=app\nDB_USER=app\n# dev\nDB_PASSWORD=\n\nREDIS_HOST=localhost\n"
    assert env(before) == after


def test_a_variable_that_was_not_there_comes_before_the_parts(env):
    assert env("A=1\nexport PGHOST=localhost\nPGDATABASE=app\n") == "A=1\nDATABASE_URL=\nexport PGHOST=\nPGDATABASE=app\n"


def test_without_any_of_them_it_comes_last(env):
    assert env("A=1\nB=2") == "A=1\nB=2\n\nDATABASE_URL=\n"


def test_parts_of_another_server_stay(env):
    text = "DB_HOST=vps.example.org\nDB_PORT=5432\nDB_PASSWORD=\n"
    assert env(text) == "DATABASE_URL=\n" + text


@pytest.mark.parametrize("other", ["DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_PORT=3306\n", "DB_HOST=localhost\nDB_PORT=3306\n", "MYSQL_HOST=localhost\n", "REDIS_URL=redis://localhost\n",
                                   "SMTP_HOST=localhost\nSMTP_PASSWORD=x\n"])
def test_other_services_stay(env, other):
    assert other in env(other)


def test_a_url_made_of_local_parts_is_local(env):
    assert env("DB_HOST=${HOST:-localhost}\nDATABASE_URL=postgresql://app@${DB_HOST}:5432/app\n") == "DATABASE_URL=\nDB_HOST=\n"


def test_line_ends_and_bom_stay(env):
    assert env("\ufeffA=1\r\nDATABASE_URL=postgresql://localhost/app\r\nB=2\r\n") == "\ufeffA=1\r\nDATABASE_URL=\r\nB=2\r\n"
    assert env("\ufeffDB_HOST=localhost\r\n") == "\ufeffDATABASE_URL=\r\nDB_HOST=\r\n"
    assert env("\ufeffDATABASE_URL=x\r\n") == "\ufeffDATABASE_URL=x\r\n"


def test_export_and_blanks_stay(env):
    assert env("export DATABASE_URL = postgresql://localhost/app\n") == "export DATABASE_URL =\n"


def test_a_value_over_several_lines_is_one_value(env):
    text = "KEY=\"-----BEGIN\nDATABASE_URL=postgresql://localhost/app\nEND\"\nDATABASE_URL=postgresql://localhost/app\n"
    assert env(text) == "KEY=\"-----BEGIN\nDATABASE_URL=postgresql://localhost/app\nEND\"\nDATABASE_URL=\n"


def test_a_second_value_of_the_variable_is_taken_out_too(env):
    assert env("DATABASE_URL=postgresql://vps.example.org/app\nDATABASE_URL=postgresql://localhost/app\n") == "DATABASE_URL=postgresql://vps.example.org/app\nDATABASE_URL=\n"


def test_other_variables_with_a_local_database_are_listed(env):
    text = "DATABASE_URL=\nANALYTICS_URL=postgresql://localhost/stats\n# DATABASE_URL=postgresql://localhost/old\n"
    assert env(text) == text
    assert ".env.example:" in env.result.out and "ANALYTICS_URL" in env.result.out and "DATABASE_URL=postgresql://localhost/old" in env.result.out


def test_the_variable_has_the_name_that_pgfold_yaml_gives(env):
    config = CONFIG + "code: {variable: JOURNEYS_DB_URL}\n"
    assert env("DATABASE_URL=postgresql://vps/x\nJOURNEYS_DB_HOST=localhost\n", config) == "JOURNEYS_DB_URL=\nDATABASE_URL=postgresql://vps/x\nJOURNEYS_DB_HOST=\n"


def test_the_explanation_is_renewed_and_not_repeated(env):
    first = env("DATABASE_URL=\n", whole=True)
    second = env(first, CONFIG + "docs: {page: handbook.md}\n", whole=True)
    assert "handbook.md" in second and "docs/database.md" not in second
    assert second.count("# pgfold docs: ") == first.count("# pgfold docs: ")


def test_another_name_of_the_example_is_used_where_it_is_there(pgfold):
    (pgfold.cwd / "pgfold.yaml").write_text(CONFIG)
    (pgfold.cwd / ".env.sample").write_text("DATABASE_URL=postgresql://localhost/app\n")
    pgfold("docs", status=0)
    assert not (pgfold.cwd / ".env.example").exists()
    assert (pgfold.cwd / ".env.sample").read_text().endswith("\nDATABASE_URL=\n")


PIECES = ["A=1", "", "", "# a comment", "#DB_HOST=localhost", "DB_HOST=localhost", "DB_PORT=5432 # port", "export DB_PASSWORD='x'", "DATABASE_URL=postgresql://localhost/app",
          "DATABASE_URL=\"postgresql://vps.example.org/app\" # vps", "KEY=\"one", "two\"", "DB_CONNECTION=mysql", "PGHOST=/var/run/postgresql", "X='#'", "not an assignment", "DATABASE_URL=",
          "OTHER=${DB_HOST}", "DATABASE_URL=postgresql://${PGHOST}/app", "\t", "Ünicode=ß"]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_file_holds_a_second_run_changes_nothing(pgfold, seed):
    chance = random.Random(seed)
    eol = chance.choice(["\n", "\n", "\r\n"])
    lines = [chance.choice(PIECES) for _ in range(chance.randrange(15))]
    text = chance.choice(["", "\ufeff"]) + eol.join(lines) + chance.choice(["", eol])
    (pgfold.cwd / "pgfold.yaml").write_text(CONFIG)
    path = pgfold.cwd / ".env.example"
    path.write_bytes(text.encode())
    patch = pgfold("docs", "--dry-run", status=0)
    pgfold("docs", status=0)
    after = path.read_bytes().decode()
    pgfold("docs", "--check", status=0)
    if "\r" not in text:  # the harness reads output as text
        path.write_bytes(text.encode())
        subprocess.run(["git", "apply", "--whitespace=nowarn", "--include=.env.example", "-"], cwd=pgfold.cwd, input=patch.out.encode(), check=True)
        assert path.read_bytes().decode() == after
    assert after.count("\ufeff") == text.count("\ufeff")
    mine = ("DATABASE_URL", "DB_", "PGHOST", "export DB_", "# pgfold docs: ", "# vps", "# port")
    kept = [line for line in after.removeprefix("\ufeff").splitlines() if line.strip() and not line.startswith(mine)]
    before = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip() and not line.startswith(mine)]
    assert sorted(kept) == sorted(before), "nothing else came or went"
