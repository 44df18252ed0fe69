"""pgfold scan: how well it finds what leads back to a local database. test_scan_files.py: which files it looks at."""
import os
import pathlib

import pytest

import documents
import harness
from scanning import Project, corpus

FALLBACK = 'import os\nURL = os.environ.get("DATABASE_URL", "postgresql://localhost:5432/app")\n'
PGFOLD = os.environ.get("PGFOLD", str(harness.ROOT / "build" / "pgfold"))
MODEL = harness.ROOT / "tests" / "fixtures" / "model-project"


def places(project):
    """{"file:line": rule}."""
    document = documents.check(project("--json").json(), "scan")
    return {f"{f['file']}:{f['place']['line']}": f["rule"] for f in document["findings"]}


@pytest.fixture
def project(pgfold):
    return Project(pgfold)


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


def test_a_class_of_the_configuration_counts(project):
    project.write("app.py", FALLBACK)
    project.write("pgfold.yaml", "code: { tests: [app.py] }\n")
    assert places(project) == {"app.py:2": "test-fallback"}
    project("--check")
    project.write("pgfold.yaml", "code: { local: [app.py] }\n")
    assert places(project) == {}
    project.write("pgfold.yaml", "code: { skip: [app.py] }\n")
    assert "app.py" not in project("--list-files").out


def test_the_place_is_underlined(project):
    project.write("app.py", FALLBACK)
    lines = project().out.splitlines()
    source = next(line for line in lines if line.startswith("    2 | "))
    marks = lines[lines.index(source) + 1]
    assert source[marks.index("^"):marks.rindex("^") + 1] == '"postgresql://localhost:5432/app"'


def test_the_hook_for_pre_commit_looks_at_what_is_staged(project):
    hooks = (harness.ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert "entry: pgfold scan --staged --check" in hooks
    assert pathlib.Path(harness.ROOT / "docs" / "scan.md").read_text(encoding="utf-8").count("| `") >= 10
