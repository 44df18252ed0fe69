"""Every SQL file of the program is prepared on every supported server that its header names."""
import pathlib
import re

import pytest

import harness

FILES = sorted((harness.ROOT / "src").glob("*/sql/*.sql"))
HEADER = ("purpose", "params", "columns", "versions")


def header(path):
    """The fields of the comment at the top of an SQL file; a field may go on in the lines after it."""
    fields, name = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        match = re.match(r"-- (\w+): *(.*)", line)
        if match and match.group(1) in HEADER:
            name = match.group(1)
            fields[name] = match.group(2)
        elif name:
            fields[name] += " " + line[2:].strip()
    return fields


def versions(text):
    """The supported majors of "12-", "12-13", "14" or "12-13, 16-"."""
    wanted = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(-?)(\d*)\s*", part)
        assert match, f"-- versions: {text!r} is not like 12- or 12-13"
        first = int(match.group(1))
        last = int(match.group(3)) if match.group(3) else max(harness.VERSIONS) if match.group(2) else first
        wanted.update(v for v in harness.VERSIONS if first <= v <= last)
    return wanted


def parameter_types(text):
    """The types of "$1 text what it is, $2 oid[] which"; empty for "none"."""
    found = re.findall(r"\$(\d+)\s+([a-z][a-z0-9_]*(?:\[\])?)", text)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1)), f"-- params: {text!r}: not in order"
    return [name for _, name in found]


@pytest.fixture(scope="module")
def server(machine):
    running = {}

    def get(version):
        if version not in running:
            running[version] = machine.cluster(version)
        return running[version]
    yield get
    for cluster in running.values():
        machine.forget(cluster)


def test_there_are_sql_files():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parts[-3]}/{p.name}")
def test_an_sql_file_says_what_it_needs(path):
    fields = header(path)
    assert set(fields) == set(HEADER)
    text = path.read_text(encoding="utf-8")
    used = {int(number) for number in re.findall(r"\$(\d+)", re.sub(r"--.*", "", text))}
    assert len(parameter_types(fields["params"])) == len(used), "-- params: does not list the parameters that are used"
    assert versions(fields["versions"])


def preparation(path, name):
    text = path.read_text(encoding="utf-8").rstrip().rstrip(";")
    types = parameter_types(header(path)["params"])
    declared = f"({', '.join(types)})" if types else ""
    return f"PREPARE {name}{declared} AS\n{text}\n;\n"


def test_every_sql_file_prepares_on(version, server):
    cluster = server(version)
    files = [path for path in FILES if version in versions(header(path)["versions"])]
    assert files
    try:  # in one session; only where that fails, one by one, to name them all
        cluster.psql("postgres", text="SET search_path = '';\n" + "".join(preparation(path, f"checked_{i}") for i, path in enumerate(files)))
        return
    except AssertionError:
        failures = []
    for path in files:
        try:
            cluster.psql("postgres", text=f"SET search_path = '';\n{preparation(path, 'checked')}")
        except AssertionError as error:
            failures.append(f"{pathlib.Path(*path.parts[-3:])}: {error}")
    assert not failures, "\n".join(failures)
    raise AssertionError("only together the files do not prepare")
