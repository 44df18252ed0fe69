"""pgfold tunnel: the way to the target held open for other programs, through a real sshd on loopback."""
import json
import os
import select
import signal
import socket
import subprocess
import tempfile

import pytest

import harness
from folding import descendants
from sshd import Sshd

SELECT = "psql -X -A -t -c 'SELECT current_database()'"


@pytest.fixture(scope="module")
def sshd(machine):
    made = Sshd(tempfile.mkdtemp(prefix="sshd", dir=machine.folder))
    yield made
    made.stop()


@pytest.fixture
def far(pair, sshd):
    """A target behind the ssh host, and no source."""
    pair.target.create()

    def configure(more="", query=""):
        pair.config.write_text(
            f"version: 1\ntarget:\n  url: \"postgresql://postgres@/{pair.name}?host={pair.target.cluster.folder}{query}\"\n"
            f"  ssh: {{ host: vps, config: \"{sshd.host()}\" }}\n{more}"
            f"sources:\n  - name: laptop\n    url: \"{pair.source.url}\"\n", encoding="utf-8")
    pair.configure = configure
    pair.ssh = sshd.host()
    configure()
    return pair


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_document(process):
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            return json.loads(text)
    raise AssertionError(f"no document: {text} {process.stderr.read()}")


def ask(url):
    result = subprocess.run([harness.client("psql"), "-X", "-A", "-t", "-c", "SELECT current_database()", url],
                            env=harness.clean_environment(), capture_output=True, text=True, check=False)
    return result.stdout.strip() or result.stderr


def identifier(server):
    return server.sql("postgres", "SELECT system_identifier FROM pg_control_system()")


def test_a_program_gets_the_way_to_the_target_and_its_status_is_ours(far):
    result = far.pgfold("tunnel", "--", "sh", "-c", f"{SELECT}; psql -X -A -t -c 'SELECT 42' \"$DATABASE_URL\"; exit 7", status=7)
    assert result.out == f"{far.name}\n42\n" and result.err == ""
    result = far.pgfold("tunnel", "--", "sh", "-c", "kill -9 $$", status=137)


def test_a_port_serves_programs_that_know_no_sockets(far, port):
    result = far.pgfold("tunnel", "--port", port, "--", "sh", "-c", f"{SELECT}; echo $PGHOST $PGPORT $DATABASE_URL", status=0)
    assert result.out == f"{far.name}\n127.0.0.1 {port} postgresql://postgres@127.0.0.1:{port}/{far.name}\n"


def test_no_variable_of_the_environment_leads_past_the_tunnel(far):
    """PGHOSTADDR goes before any host, also before a socket."""
    past = {"PGHOSTADDR": "127.0.0.1", "PGPORT": "1", "PGHOST": "/nowhere", "PGREQUIREPEER": "nobody-at-all"}
    assert far.pgfold("tunnel", "--", "sh", "-c", SELECT, env=past, status=0).out == f"{far.name}\n"


def test_a_password_reaches_the_program_and_nothing_else(far, running):
    far.pgfold.secrets.add("s3cret/word 1")
    far.target.cluster.require_password("tunnel_user", "s3cret/word 1")
    far.config.write_text(far.config.read_text(encoding="utf-8").replace("postgres@", "tunnel_user@"), encoding="utf-8")
    env = {"PGPASSWORD": "s3cret/word 1"}
    result = far.pgfold("tunnel", "--", "sh", "-c", "psql -X -A -t -c 'SELECT current_user' \"$DATABASE_URL\"", env=env, status=0)
    assert result.out == "tunnel_user\n"
    process = running("tunnel", "--verbose", env=env)
    assert "s3cret" not in process.stdout.readline()
    for pid in [process.pid, *descendants(process.pid)]:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            assert b"s3cret" not in line.read()
    process.terminate()
    out, err = process.communicate(timeout=10)
    assert "s3cret" not in out + err
    far.target.cluster.sql("postgres", "DROP ROLE tunnel_user")


def test_it_says_what_it_leads_to_and_refuses_another_cluster(far, running):
    right = identifier(far.target.cluster)
    far.configure(f"  identity: \"{right}\"\n")
    process = running("tunnel", "--json")
    document = read_document(process)
    assert document["system_identifier"] == right and document["pinned"] and document["database"] == far.name
    assert ask(document["url"]) == far.name
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0 and "(as pinned)" in err and "closed" in err
    assert not os.path.exists(document["folder"])
    far.configure("  identity: \"4711\"\n")
    result = far.pgfold("tunnel", "--", "true", status=3)
    assert "wrong identity" in result.err


def test_a_tunnel_that_drops_is_opened_again_at_the_same_place(far, sshd, running, port):
    process = running("tunnel", "--json", "--port", port)
    document = read_document(process)
    sshd.signal_sessions(signal.SIGKILL)
    lines = iter(process.stderr.readline, "")
    for line in lines:
        if "open again" in line:
            break
    assert ask(document["url"]) == far.name
    assert ask(f"postgresql://postgres@/{far.name}?host={document['folder']}") == far.name
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_tunnel_that_drops_serves_nobody_until_it_is_known_to_lead_to_the_same_cluster(far, sshd, laptop, running):
    role = f"{far.name}_r"[-60:]
    link = sshd.folder / "where"
    link.symlink_to(far.target.cluster.folder)
    far.target.sql(f"CREATE ROLE {role} LOGIN")
    far.config.write_text(f"version: 1\ntarget:\n  url: \"postgresql://{role}@/{far.name}?host={link}\"\n"
                          f"  ssh: {{ host: vps, config: \"{far.ssh}\" }}\nsources: [{{ name: laptop, url: \"{far.source.url}\" }}]\n",
                          encoding="utf-8")
    try:
        process = running("tunnel", "--json")
        folder = read_document(process)["folder"]
        link.unlink()
        link.symlink_to(laptop.folder)
        sshd.signal_sessions(signal.SIGKILL)
        for line in iter(process.stderr.readline, ""):
            assert "open again" not in line
            if "does not exist" in line:
                break
        assert "Connection refused" in ask(f"postgresql://postgres@/postgres?host={folder}")
        laptop.sql("postgres", f"CREATE ROLE {role} LOGIN")
        _, err = process.communicate(timeout=20)
        assert process.returncode == 3 and "leads to another cluster now" in err
    finally:
        link.unlink()
        for server in (far.target.cluster, laptop):
            server.sql("postgres", f"DROP ROLE IF EXISTS {role}")


def test_a_port_that_somebody_has_is_refused(far, cluster, port):
    cluster(listen_addresses="127.0.0.1", port=port)
    result = far.pgfold("tunnel", "--port", port, "--", "true", status=4)
    assert f"port {port} of this machine is taken: a PostgreSQL answers there" in result.err
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        result = far.pgfold("tunnel", "--port", taken, "--", "true", status=4)
    assert f"port {taken} of this machine is taken: something listens there" in result.err


def test_killing_pgfold_ends_ssh_and_the_program(far, running):
    process = running("tunnel", "--", "sh", "-c", "echo here; exec sleep 600")
    assert process.stdout.readline() == "here\n"
    children = [os.pidfd_open(pid) for pid in descendants(process.pid)]
    assert len(children) == 2
    process.kill()
    for child in children:
        assert select.select([child], [], [], 10)[0]
        os.close(child)


def test_tls_is_spoken_through_the_tunnel_where_the_url_demands_it(far, cluster, port):
    """The certificate is for the name in the url, and is looked at although this end is on 127.0.0.1."""
    made = cluster(listen_addresses="127.0.0.1", port=port)
    key, certificate = made.data / "server.key", made.data / "server.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    for path in (key, certificate):
        path.chmod(0o600)
        os.chown(path, made.data.stat().st_uid, made.data.stat().st_gid)
    made.sql("postgres", "ALTER SYSTEM SET ssl = on")
    made.sql("postgres", "SELECT pg_reload_conf()")
    shared = far.folder / "root.crt"
    shared.write_bytes(certificate.read_bytes())
    command = "psql -X -A -t -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'"
    for name, status in (("localhost", 0), ("127.0.0.1", 3)):
        far.config.write_text(
            f"version: 1\ntarget:\n  url: \"postgresql://postgres@{name}:{port}/postgres?sslmode=verify-full&sslrootcert={shared}\"\n"
            f"  ssh: {{ host: vps, config: \"{far.ssh}\" }}\nsources:\n  - {{ name: laptop, url: service=none }}\n", encoding="utf-8")
        result = far.pgfold("tunnel", "--", "sh", "-c", f"{command}; {command} \"$DATABASE_URL\"")
        assert result.status == status, result
        assert result.out == "t\nt\n" if status == 0 else "certificate" in result.err


def test_what_it_cannot_hold_open_it_says(far):
    result = far.pgfold("tunnel", "laptop", status=2)
    assert "source laptop: pgfold.yaml has no ssh for it" in result.err and "ssh: user@host" in result.err
    for arguments, words in ((("nobody",), "there is no source"), (("--",), "no program"), (("laptop", "b"), "one source"),
                             (("--port", "0"), "--port is from 1"), (("--json", "--", "true"), "--json"),
                             (("--", "no-such-program"), "there is no program")):
        result = far.pgfold("tunnel", *arguments, status=2)
        assert words in result.err
