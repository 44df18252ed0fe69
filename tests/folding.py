"""What the tests of `pgfold fold` share: the whole of a database as text, and the form of an error."""
import difflib
import pathlib
import re
import subprocess
import time

import harness

# Lines whose order means nothing, and which differ from dump to dump.
UNORDERED = re.compile(r"^(ALTER (DATABASE|ROLE) .* SET|(GRANT|REVOKE) .* ON DATABASE) ")
NOISE = re.compile(r"^(\\(un)?restrict |-- Dumped |-- (Started|Completed) on )")


def whole(database, *options):
    """A dump of the database with everything that belongs to it: definitions, rows in their order, settings, privileges.
    options: of pg_dump."""
    result = subprocess.run([harness.client("pg_dump"), "--create", "-d", database.url, *options], capture_output=True, text=True, check=True,
                            env=harness.clean_environment())
    lines = [line for line in result.stdout.splitlines() if not NOISE.match(line)]
    return [line for line in lines if not UNORDERED.match(line)] + sorted(line for line in lines if UNORDERED.match(line))


def assert_same(one, other):
    assert len(one) > 20, "an empty dump proves nothing"
    if one != other:
        raise AssertionError("the dumps differ:\n" + "\n".join(line[:300] for line in difflib.unified_diff(one, other, lineterm="", n=1)))


def assert_one_error(result, *words, state=None):
    """One error, with a hint; each of words is in it. state: part of what the line "state:" says."""
    lines = result.err.splitlines()
    errors = [line for line in lines if line.startswith("pgfold: error: ")]
    assert len(errors) == 1, f"not exactly one error: {result}"
    assert any(line.lstrip().startswith("hint: ") for line in lines), f"no hint: {result}"
    if state is not None:
        said = [line for line in lines if line.lstrip().startswith("state: ")]
        assert said and state in said[0], f"no state {state!r}: {result}"
    for word in words:
        assert word in result.err, f"{word!r} is not in: {result}"


def wait_until(condition, what, seconds=20):
    """Polls; a test that waits for what does not come fails with its name."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def descendants(pid):
    """Processes below one."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, todo = [], [pid]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found


class Lock:
    """A lock that a session of its own holds."""

    def __init__(self, cluster, database, statement):
        self.cluster = cluster
        self.process = subprocess.Popen([harness.client("psql"), "-X", "-q", "-A", "-t", "-c", f"BEGIN; {statement}; SELECT pg_backend_pid()",
                                         "-c", "SELECT pg_sleep(600)"],
                                        env=harness.clean_environment(**cluster.environment(database)), stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.backend = self.process.stdout.readline().strip()  # the lock is there

    def release(self):
        self.cluster.sql("postgres", f"SELECT pg_terminate_backend({self.backend})")
        self.process.communicate()
