"""A container engine of our own for the tests: podman as root, with its storage and its service in one folder that goes at
their end, and an image of PostgreSQL made of the test servers' files.

Containers use the network of the machine: each server has a free port, in PGPORT.
"""
import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

import harness
from folding import wait_until

IMAGE = "localhost/postgres:14"
UID = 70
SECRET = "hunter2-not-in-any-file"
CONTAINERS_CONF = """
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE_CONF = """
[storage]
driver = "vfs"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""
ENTRY = """#!/bin/sh
set -e
if [ ! -f /data/PG_VERSION ]; then
    /pg/bin/initdb -D /data -U "${POSTGRES_USER:-postgres}" -A trust -E UTF8 --locale=C --no-sync > /data.log
    echo "CREATE DATABASE ${POSTGRES_DB:-postgres_}" | /pg/bin/postgres --single -D /data postgres > /data.log
fi
exec /pg/bin/postgres -D /data -k /tmp -h 127.0.0.1 -p "${PGPORT:-5432}" -c fsync=off
"""


def _libraries(program):
    """What it loads that is not beside it."""
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    paths = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    return {path for path in paths if "/native/" not in path}


def _write_image(path):
    """The root of a file system: a shell, a server, and what they load."""
    server = harness.find_servers()[14].parent
    with tarfile.open(path, "w") as image:
        def folder(name, owner=0, mode=0o755):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
            image.addfile(entry)

        def text(name, content, mode=0o644, owner=0):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
            image.addfile(entry, io.BytesIO(content.encode()))
        for name in ("bin", "etc", "dev", "proc", "sys"):
            folder(name)
        folder("tmp", mode=0o1777)
        folder("data", UID, 0o700)
        text("data.log", "", owner=UID)
        text("etc/passwd", f"root:x:0:0::/:/bin/sh\npostgres:x:{UID}:{UID}::/:/bin/sh\n")
        text("etc/group", f"root:x:0:\npostgres:x:{UID}:\n")
        text("entry", ENTRY, 0o755)
        image.add(os.path.realpath("/bin/sh"), "bin/sh")
        for library in sorted(_libraries("/bin/sh") | _libraries(server / "bin" / "postgres") | _libraries(server / "bin" / "initdb")):
            image.add(os.path.realpath(library), library.lstrip("/"))
        image.add(server, "pg", filter=lambda entry: None if entry.name.endswith(".a") or "/include" in entry.name else entry)


class Engine:
    """The engine of a test session."""

    def __init__(self):
        for program in ("podman", "runc"):
            if not shutil.which(program) and not os.access(f"/usr/sbin/{program}", os.X_OK):
                raise harness.HarnessError(f"{program} is not installed (tools/install-packages containers)")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgfold-containers-"))
        self.socket = self.folder / "podman.sock"
        (self.folder / "containers.conf").write_text(CONTAINERS_CONF, encoding="utf-8")
        (self.folder / "storage.conf").write_text(STORAGE_CONF.format(folder=self.folder), encoding="utf-8")
        self.service = None
        try:
            self._import()
            self.service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{self.socket}"],
                                            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, preexec_fn=harness._after_fork)
            self._await_service()
        except BaseException:
            self.remove()
            raise

    def variables(self):
        return {"CONTAINERS_CONF": str(self.folder / "containers.conf"),
                "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"), "DOCKER_HOST": f"unix://{self.socket}",
                "XDG_RUNTIME_DIR": str(self.folder)}

    def environment(self, **extra):
        return harness.clean_environment(**self.variables(), **extra)

    def run(self, *arguments, cwd=None, check=True, **env):
        result = subprocess.run(arguments, capture_output=True, text=True, timeout=120, cwd=cwd, env=self.environment(**env),
                                check=False)
        assert not check or result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result

    def podman(self, *arguments, **options):
        return self.run("podman", *arguments, **options).stdout.strip()

    def _import(self):
        archive = self.folder / "image.tar"
        _write_image(archive)
        self.podman("import", "--change", 'ENTRYPOINT ["/entry"]', "--change", f"USER {UID}", "--change", "VOLUME /data",
                    "--change", "STOPSIGNAL SIGINT", str(archive), IMAGE)
        archive.unlink()

    def _await_service(self):
        wait_until(lambda: self.socket.exists() or self.service.poll() is not None, "podman's service")
        assert self.socket.exists(), "podman's service did not start"

    def running(self):
        return set(self.podman("ps", "--format", "{{.Names}}").split())

    def remove(self):
        self.run("podman", "rm", "--all", "--force", "--time", "1", "--volumes", check=False)
        if self.service is not None:
            self.service.terminate()
            self.service.wait(20)
        subprocess.run(["umount", str(self.folder / "root" / "vfs")], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
