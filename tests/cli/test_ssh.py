"""pgfold through a real sshd on loopback: what works, each way in which it does not, and what is left of it."""
import fcntl
import os
import pathlib
import select
import signal
import tempfile

import pytest

from folding import Lock, descendants, wait_until
from proxy import Proxy
from sshd import Sshd
from test_fold_faults import BLOCKED, make_held


@pytest.fixture
def sshd(machine):
    made = Sshd(tempfile.mkdtemp(prefix="sshd", dir=machine.folder))
    yield made
    made.stop()


class Far:
    """A pair whose target is behind the ssh host."""

    def __init__(self, pair, sshd):
        self.pair, self.sshd, self.pgfold = pair, sshd, pair.pgfold
        self.url = f"postgresql://postgres@/{pair.name}?host={pair.target.cluster.folder}"

    def configure(self, url=None, config=None, more="", extra=""):
        self.pair.config.write_text(
            f"version: 1\ntarget:\n  url: \"{url or self.url}\"\n"
            f"  ssh: {{ host: vps, config: \"{config or self.sshd.host()}\"{more} }}\n"
            f"sources:\n  - name: laptop\n    url: \"{self.pair.source.url}\"\n" + extra, encoding="utf-8")
        return self


@pytest.fixture
def held(pair, running, machine, laptop, vps, request):
    """The folds of test_fold_faults.py."""
    yield from make_held(pair, running, machine, laptop, vps, request)


@pytest.fixture
def far(pair, sshd):
    pair.source.create()
    return Far(pair, sshd)


def ssh_of(process):
    """Process ids of the ssh that a pgfold has started."""
    def is_ssh(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "ssh"
        except OSError:
            return False
    return [pid for pid in descendants(process.pid) if is_ssh(pid)]


def is_left_over(folder):
    """A folder of a tunnel that no process holds any more."""
    try:
        with open(folder / "ssh.log", "rb") as log:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def test_a_fold_through_ssh_is_proven(far):
    far.pair.source.load("chinook")
    far.configure()
    result = far.pgfold("fold", "--yes", status=0)
    assert "contained in the target" in result.out
    assert far.pair.target.sql("SELECT count(*) FROM album") == "347"
    audit = far.pgfold("audit", status=0)
    assert "through ssh vps" in audit.out
    wait_until(lambda: not far.sshd.sessions(), "the end of the tunnel")


def test_a_source_behind_the_same_host_with_the_same_url_is_another_database(far, laptop):
    """One url text, once through ssh and once not, leads to two servers."""
    far.pair.source.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    far.pair.target.create()
    text = f"postgresql://postgres@/{far.pair.name}"
    config = far.sshd.host()
    far.pair.config.write_text(
        f"version: 1\ntarget: {{ url: \"{text}?host={far.pair.target.cluster.folder}\" }}\n"
        f"sources:\n  - name: laptop\n    url: \"{text}?host={laptop.folder}\"\n"
        f"    ssh: {{ host: vps, config: \"{config}\" }}\n", encoding="utf-8")
    far.pgfold("fold", "--yes", status=0)
    assert far.pair.target.sql("SELECT count(*) FROM t") == "2"


def test_a_host_key_that_is_not_the_known_one_is_an_error_of_its_own(far):
    far.sshd.known_hosts(far.sshd.client / "key.pub")
    result = far.configure().pgfold("audit", status=3)
    assert "the host key is not the known one" in result.err and "ssh-keygen -R" in result.err


def test_a_host_key_that_nobody_knows_is_not_taken(far):
    (far.sshd.client / "known_hosts").write_text("", encoding="utf-8")
    result = far.configure().pgfold("audit", status=3)
    assert "the host key is not known" in result.err


def test_a_key_that_the_host_does_not_know_is_refused(far):
    (far.sshd.folder / "sshd" / "authorized_keys").write_text("", encoding="utf-8")
    result = far.configure().pgfold("audit", status=3)
    assert "refuses to let this user in" in result.err and "Permission denied (publickey)" in result.err


def test_a_host_that_is_not_known_and_one_that_does_not_answer(far):
    result = far.configure(config=far.sshd.host(HostName="nowhere.invalid")).pgfold("audit", status=3)
    assert "the ssh host is not known" in result.err
    far.sshd.stop()
    result = far.configure().pgfold("audit", status=3)
    assert "the ssh host does not answer" in result.err and "Connection refused" in result.err


def test_a_host_that_forbids_forwarding_says_so(far):
    far.sshd.stop()
    far.sshd.start(AllowStreamLocalForwarding="no", PermitOpen="none")
    result = far.configure(url=f"postgresql://postgres@localhost:1/{far.pair.name}").pgfold("audit", status=3)
    assert "forbids forwarding to the database" in result.err and "sshd_config" in result.err
    result = far.configure().pgfold("audit", status=3)
    assert "the database's socket cannot be opened" in result.err and "AllowStreamLocalForwarding" in result.err


def test_a_database_that_is_down_behind_a_tunnel_that_works(far):
    for url, words in ((f"postgresql://postgres@/{far.pair.name}?host={far.pair.folder}", "socket cannot be opened"),
                       (f"postgresql://postgres@localhost:1/{far.pair.name}", "no database listens behind it")):
        result = far.configure(url=url).pgfold("audit", status=3)
        assert "the ssh tunnel works, but" in result.err and words in result.err


def test_what_the_server_says_is_told_as_if_there_were_no_tunnel(far):
    url = f"postgresql://nobody_here@/{far.pair.name}?host={far.pair.target.cluster.folder}"
    result = far.configure(url=url).pgfold("audit", status=3)
    assert "port 5432 through ssh vps failed: FATAL:  role \"nobody_here\" does not exist" in result.err
    assert "pgfold-tunnel" not in result.err


def test_a_link_that_drops_everything_is_given_up_in_time(far):
    """The host takes the connection and never answers."""
    far.configure()
    far.sshd.process.send_signal(signal.SIGSTOP)
    try:
        result = far.pgfold("audit", status=3)
    finally:
        far.sshd.process.send_signal(signal.SIGCONT)
    assert "the ssh host does not answer" in result.err
    assert result.seconds < 15


def test_killing_pgfold_leaves_no_ssh(far, running):
    """A jump host is an ssh of its own."""
    far.pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)")
    far.pair.target.create().sql("CREATE TABLE t (id int PRIMARY KEY)")
    jump = far.sshd.host("jump")
    far.configure(config=far.sshd.host(ProxyCommand=f"ssh -F {jump} -W 127.0.0.1:{far.sshd.port} jump"))
    lock = Lock(far.pair.target.cluster, far.pair.name, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    process = running("verify")
    wait_until(lambda: far.pair.target.cluster.sql("postgres", BLOCKED) != "0", "the wait for the lock")
    children = [os.pidfd_open(pid) for pid in ssh_of(process)]
    assert len(children) == 2
    process.kill()
    for child in children:
        assert select.select([child], [], [], 10)[0], "an ssh outlives pgfold"
        os.close(child)
    lock.release()
    far.pgfold("verify", status=0)
    assert not [folder for folder in pathlib.Path("/tmp").glob("pgfold-tunnel-*") if is_left_over(folder)]


@pytest.mark.parametrize("phase", ("rows", "proof", "views"))
def test_a_tunnel_that_ends_in_the_middle_fails_the_fold_and_the_same_command_ends_well(held, sshd, phase):
    Far(held.pair, sshd).configure()
    held.start(phase)
    sshd.signal_sessions(signal.SIGKILL)
    if phase == "backup":
        (held.folder / "proof.rows.go").touch()
    _, err = held.process.communicate(timeout=60)
    assert held.process.returncode == 5, err
    assert "connection lost: the ssh tunnel to vps ended" in err and "state: " in err, err
    held.let_go()
    held.fold_well()


def test_a_link_that_goes_dead_in_the_middle_is_noticed(far, running):
    """Nothing comes any more, and nobody says that the connection is closed."""
    far.pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)")
    far.pair.target.create().sql("CREATE TABLE t (id int PRIMARY KEY)")
    far.configure()
    hold = Lock(far.pair.target.cluster, far.pair.name, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    process = running("verify")
    wait_until(lambda: far.pair.target.cluster.sql("postgres", BLOCKED) != "0", "the wait for the lock")
    sessions = far.sshd.sessions()
    far.sshd.signal_sessions(signal.SIGSTOP)
    hold.release()
    _, err = process.communicate(timeout=15)
    for pid in sessions:
        os.kill(pid, signal.SIGKILL)
    assert process.returncode == 3, err
    assert "the ssh tunnel to vps ended: Timeout, server 127.0.0.1 not responding" in err


def test_a_slow_link_is_measured_and_compressed(far):
    """12 MB of rows that compress well, over 100 Mbit/s."""
    far.pair.source.sql("CREATE TABLE t AS SELECT i, repeat('pgfold ', 30) AS v FROM generate_series(1, 60000) i")
    proxy = Proxy(far.sshd.port, rate_mbit=100)
    try:
        far.configure(config=far.sshd.host(port=proxy.port))
        far.pgfold("fold", "--yes", "--no-backup", status=0)
        assert proxy.bytes < 12e6  # 16 MB without, the measurement among them
    finally:
        proxy.close()
