"""tools/run-tests counts right, and never calls nothing or a crash a success."""
import os
import pathlib
import stat
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "run-tests"
MESON = """#!/bin/sh
mkdir -p "$LOGS"
printf '%s' "$JUNIT" > "$LOGS/testlog.junit.xml"
printf '%s\\n' "$RESULTS" > "$LOGS/testlog.json"
exit "$STATUS"
"""
SUITE = '<testsuites><testsuite name="p.p / one">{}</testsuite></testsuites>'
GOOD = '<testcase name="a"/>'
BAD = '<testcase name="b"><failure/></testcase>'


@pytest.fixture
def run(tmp_path):
    """run(cases, result, status) with a meson of our own: (exit status, last line)."""
    program = tmp_path / "bin" / "meson"
    program.parent.mkdir()
    program.write_text(MESON)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def call(cases, result, status):
        environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "LOGS": str(tmp_path / "b" / "meson-logs"),
                       "JUNIT": SUITE.format(cases), "RESULTS": f'{{"name": "p / one", "result": "{result}"}}',
                       "STATUS": str(status)}
        done = subprocess.run([TOOL, "--build", tmp_path / "b", "--no-python"], env=environment, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1]
    return call


@pytest.mark.parametrize("cases, result, status, expected", [
    (GOOD * 3, "OK", 0, (0, "3 passed, 0 failed")),
    (GOOD + BAD, "FAIL", 1, (1, "1 passed, 1 failed")),
    (GOOD, "ERROR", 1, (1, "1 passed, 1 failed")),  # crashed after its first test
    (GOOD, "OK", 1, (1, "1 passed, 1 failed")),  # the runner itself failed
    ("", "OK", 0, (1, "0 passed, 1 failed")),  # no test at all
    (GOOD + '<testcase name="c"><skipped/></testcase>', "OK", 0, (0, "1 passed, 0 failed, 1 skipped")),
])
def test_counts_and_exit_status(run, cases, result, status, expected):
    assert run(cases, result, status) == expected
