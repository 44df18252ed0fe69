"""Fixtures of all tests that run the real program against real servers (tests/harness.py).

    def test_a_fold_of_chinook_is_proven(pair):
        pair.source.create().load("chinook")
        pair.configure()
        pair.pgfold("fold", "--yes", status=0)
        assert pair.target.sql("SELECT count(*) FROM album") == "347"
"""
import os
import pathlib
import re
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402


def pytest_configure(config):
    # End as on Ctrl-C, so that fixtures stop what they started.
    def terminate(number, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, terminate)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Under CI nothing may be left out: a skipped test has failed."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"


@pytest.fixture(scope="session")
def machine():
    made = harness.Machine()
    yield made
    made.remove()


@pytest.fixture
def cluster(machine):
    """cluster(version=15, wal_level="logical"): a server for this test only. See harness.Cluster."""
    made = []

    def make(version=harness.DEFAULT_VERSION, **settings):
        made.append(machine.cluster(version, **settings))
        return made[-1]
    yield make
    for one in made:
        machine.forget(one)


@pytest.fixture
def pgfold(machine, tmp_path):
    """pgfold("audit", "--json", status=1): runs the program in tmp_path. See harness.Pgfold."""
    return harness.Pgfold(machine, tmp_path)


@pytest.fixture
def running(pgfold):
    """running("testdb", "start"): a Popen of the program, ended with the test."""
    started = []

    def start(*arguments, **options):
        started.append(pgfold.start(*arguments, **options))
        return started[-1]
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def laptop(machine):
    """The server that stray databases are on. For the whole session: use databases of your own (fixture `pair`)."""
    return machine.cluster()


@pytest.fixture(scope="session")
def vps(machine):
    """The target's server, for the whole session."""
    return machine.cluster()


class Pair:
    """A source and a target database of one name on two servers; neither is there at first."""

    def __init__(self, laptop, vps, name, pgfold):
        self.source = laptop.database(name)
        self.target = vps.database(name)
        self.pgfold = pgfold
        self.folder = pgfold.cwd
        self.name = name

    @property
    def config(self):
        return self.folder / "pgfold.yaml"

    def configure(self, extra="", source_url=None, target_url=None):
        """Writes pgfold.yaml with one source, "laptop"; extra: further lines of YAML."""
        self.config.write_text(
            "version: 1\n"
            f"target:\n  url: \"{target_url or self.target.url}\"\n"
            f"sources:\n  - name: laptop\n    url: \"{source_url or self.source.url}\"\n" + extra, encoding="utf-8")
        return self


@pytest.fixture
def pair(laptop, vps, pgfold, request):
    name = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[:50].strip("_")
    made = Pair(laptop, vps, name, pgfold)
    yield made
    made.source.drop()
    made.target.drop()


def pytest_generate_tests(metafunc):
    """A test with the argument `version` runs on every supported server."""
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("version", harness.VERSIONS)
