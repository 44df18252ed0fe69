"""A password appears nowhere: not in any output, command line, ledger, receipt, backup manifest or server log line of ours."""
import pathlib
import threading

SECRET = "s3cret-Passw0rd"


class CommandLines(threading.Thread):
    """Reads /proc/*/cmdline all the time, until stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = set()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.002):
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def secured(cluster, name):
    """A server whose superuser has to give a password."""
    server = cluster()
    server.require_password("admin", SECRET)
    server.sql("postgres", "ALTER ROLE admin SUPERUSER")
    return server


def test_a_password_appears_nowhere(cluster, pgfold, tmp_path):
    laptop, vps = secured(cluster, "laptop"), secured(cluster, "vps")
    laptop.create("app").load("model-app")
    (tmp_path / "pgfold.yaml").write_text("version: 1\ntarget:\n  url: ${TARGET}\nsources:\n  - name: laptop\n    url: ${SOURCE}\n")
    environment = {"SOURCE": laptop.url("app", user="admin", password=SECRET),
                   "TARGET": f"host={vps.folder} dbname=app user=admin password={SECRET}"}
    pgfold.secrets.add(SECRET)
    with CommandLines() as lines:
        pgfold("audit", "--verbose", env=environment, status=1)
        pgfold("plan", "--json", env=environment, status=0)
        pgfold("fold", "--yes", "--verbose", env=environment, status=0)
        pgfold("verify", "--json", env=environment, status=0)
        pgfold("status", env=environment, status=0)
        pgfold("report", env=environment, status=0)
        pgfold("backup", "--verbose", env=environment, status=0)
        # Errors show where they tried to connect, without the password.
        pgfold("audit", env={**environment, "TARGET": environment["TARGET"].replace(str(vps.folder), "/nowhere")}, status=3)
    assert any("pg_dump" in line for line in lines.seen), "no pg_dump was seen: the test looks at nothing"
    assert not [line for line in lines.seen if SECRET in line]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.db" for path in files)
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
