"""An OpenSSH server of our own on loopback, for tests and the bench: own host key, own settings, an unprivileged port.

It runs as the user that database servers run as, who is also the only one that it lets in.
"""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

import harness
from folding import descendants, wait_until


def _program():
    for path in (shutil.which("sshd"), "/usr/sbin/sshd"):
        if path and os.access(path, os.X_OK):
            return path
    raise harness.HarnessError("sshd is not installed (make deps)")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)


class Sshd:
    """folder: one that the server's user can get to, such as a new one in machine.folder (pytest keeps its own to itself).

    sshd.host("vps") writes a configuration of ssh in which this server is called vps.
    """

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.user = harness.server_user() or pwd.getpwuid(os.geteuid())
        self.settings = settings
        self.port = None
        self.process = None
        server = self.folder / "sshd"
        server.mkdir(mode=0o700)
        self.client = self.folder / "ssh"
        self.client.mkdir(mode=0o700)
        _keygen(server / "host_key")
        _keygen(self.client / "key")
        shutil.copy(self.client / "key.pub", server / "authorized_keys")
        for path in (server, *server.iterdir()):
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self.folder.chmod(0o711)
        self.known_hosts(server / "host_key.pub")
        self.start()

    def known_hosts(self, public_key):
        """What clients take for the key of this server."""
        kind, key = pathlib.Path(public_key).read_text(encoding="utf-8").split()[:2]
        (self.client / "known_hosts").write_text(f"pgfold-test-server {kind} {key}\n", encoding="utf-8")

    def start(self, **settings):
        """Settings of sshd_config replace those of earlier starts."""
        self.settings.update(settings)
        server = self.folder / "sshd"
        for _ in range(5):
            self.port = self.port or _free_port()
            lines = {"Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": server / "host_key",
                     "AuthorizedKeysFile": server / "authorized_keys", "PidFile": "none", "StrictModes": "no",
                     "UsePAM": "no", "PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no",
                     "MaxStartups": "100", "UseDNS": "no", **self.settings}
            config = self.folder / "sshd" / "config"
            config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()), encoding="utf-8")
            os.chown(config, self.user.pw_uid, self.user.pw_gid)
            log_path = server / "log"
            log = open(log_path, "ab")
            written = log.tell()
            self.process = subprocess.Popen([_program(), "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, cwd="/",
                                            env=harness.clean_environment(), **harness._as_server_user())
            log.close()
            if self._listens(log_path, written):
                return self
            self.port = None
        raise harness.HarnessError("sshd did not start:\n" + log_path.read_text(encoding="utf-8"))

    def _listens(self, log, start):
        def told():
            return b"Server listening on" in log.read_bytes()[start:]
        wait_until(lambda: told() or self.process.poll() is not None, "sshd", 10)
        return told()

    def host(self, name="vps", port=None, **options):
        """Path of a configuration for ssh -F with one host."""
        lines = {"HostName": "127.0.0.1", "Port": port or self.port, "User": self.user.pw_name,
                 "IdentityFile": self.client / "key", "IdentitiesOnly": "yes", "IdentityAgent": "none",
                 "UserKnownHostsFile": self.client / "known_hosts", "GlobalKnownHostsFile": "/dev/null",
                 "HostKeyAlias": "pgfold-test-server", "StrictHostKeyChecking": "yes", **options}
        path = self.client / f"{name}.config"
        path.write_text(f"Host {name}\n" + "".join(f"  {key} {value}\n" for key, value in lines.items()),
                        encoding="utf-8")
        return path

    def sessions(self):
        """Process ids of what serves connections: two for each."""
        return descendants(self.process.pid)

    def signal_sessions(self, number):
        for pid in self.sessions():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal_sessions(signal.SIGKILL)
            self.process.kill()
            self.process.wait(10)
        self.process = None
