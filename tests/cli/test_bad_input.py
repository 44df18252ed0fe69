"""What goes wrong outside: one clear error, the right exit status, and nothing changed anywhere."""
import pytest

from proxy import Proxy

COMMANDS = ("audit", "plan", "fold", "verify")
NOWHERE = "postgresql:///app?host=/nonexistent"


def arguments(command):
    return [command, "--yes"] if command == "fold" else [command]


@pytest.fixture
def small(pair):
    """A source with one table of three rows; no target database."""
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    return pair.configure()


def assert_one_error(result, *words):
    lines = result.err.splitlines()
    errors = [line for line in lines if line.startswith("pgfold: error: ")]
    assert len(errors) == 1, f"not exactly one error: {result}"
    assert any(line.lstrip().startswith("hint: ") for line in lines), f"no hint: {result}"
    for word in words:
        assert word in result.err, f"{word!r} is not in: {result}"


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreachable_source_is_named(small, command):
    small.configure(source_url=NOWHERE)
    assert_one_error(small.pgfold(*arguments(command), status=3), "source laptop", "/nonexistent")
    assert not small.target.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreachable_target_is_named(small, command):
    small.configure(target_url=NOWHERE)
    assert_one_error(small.pgfold(*arguments(command), status=3), "target", "/nonexistent")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_target_with_another_identity_is_refused(small, command):
    small.configure()
    text = small.config.read_text().replace("sources:", '  identity: "1"\nsources:')
    small.config.write_text(text)
    assert_one_error(small.pgfold(*arguments(command), status=3), "wrong identity", "pgfold.yaml:4")
    assert not small.target.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_source_that_is_the_target_under_another_url_is_refused(small, command):
    small.configure(target_url=small.source.url.replace("postgresql://postgres@/", "postgresql:///") + "&user=postgres")
    assert_one_error(small.pgfold(*arguments(command), status=3), "same database")
    assert small.source.sql("SELECT count(*) FROM t") == "3"


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_wrong_password_is_an_error_and_is_not_shown(small, cluster, end):
    server = cluster()
    server.require_password("app", "right-password")
    server.create("app")
    small.pgfold.secrets |= {"wrong-password", "right-password"}
    url = server.url("app", user="app", password="wrong-password")
    small.configure(**{f"{end}_url": url})
    for command in COMMANDS:
        assert_one_error(small.pgfold(*arguments(command), status=3), end)


def test_a_standby_as_target_is_refused(small, cluster):
    standby = cluster()
    standby.stop()
    (standby.data / "standby.signal").touch()
    standby.start()
    small.configure(target_url=standby.url("postgres"))
    assert_one_error(small.pgfold("fold", "--yes", status=3), "standby")


def test_a_protected_database_is_refused(small):
    small.configure(f"protect:\n  databases: [{small.name}]\n")
    assert_one_error(small.pgfold("fold", "--yes", status=4), "protected", small.name)
    assert not small.target.exists()


def test_a_role_that_may_not_read_a_table_is_refused_by_name(small, laptop, request):
    role = "weak_reader"
    laptop.sql("postgres", f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")
    request.addfinalizer(lambda: laptop.sql("postgres", f"DROP ROLE {role}"))
    small.configure(source_url=laptop.url(small.name, user=role))
    for command in ("audit", "plan", "fold"):  # verify stops before: there is no target to compare with
        result = small.pgfold(*arguments(command))
        assert result.status in (3, 4), result
        assert_one_error(result, "t")
    assert not small.target.exists()


def test_a_target_database_that_holds_other_values_under_the_same_keys_is_left_alone(small):
    small.target.create().sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x'), (9, 'y')")
    before = small.target.sql("SELECT * FROM t ORDER BY 1")
    assert_one_error(small.pgfold("fold", "--yes", status=1), "t")
    assert small.target.sql("SELECT * FROM t ORDER BY 1") == before


def test_an_older_server_as_target_is_refused(small, cluster):
    older = cluster(14)
    small.configure(target_url=older.url(small.name))
    assert_one_error(small.pgfold("fold", "--yes", status=4), "older")
    assert small.name not in older.databases()


def test_a_server_newer_than_pg_dump_is_refused_by_the_name_of_the_package(pair, cluster):
    newer = cluster(18)
    newer.create(pair.name).sql("CREATE TABLE t (id int)")
    pair.configure(source_url=newer.url(pair.name), target_url=cluster(18).url(pair.name))
    result = pair.pgfold("fold", "--yes", status=2)
    assert_one_error(result, "postgresql-client-18")


class Older(Proxy):
    """A way to a server that says it is of version 11."""

    def _connect(self):
        server = super()._connect()
        receive = server.recv

        class Socket:
            recv = staticmethod(lambda size: receive(size).replace(b"server_version\x0015.", b"server_version\x0011."))
            sendall, shutdown = server.sendall, server.shutdown
        return Socket()


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_server_of_a_version_that_is_not_supported_is_refused(small, end):
    """There is none to be had here: the real one says so."""
    server = getattr(small, end)
    proxy = Older(server.cluster.folder / ".s.PGSQL.5432")
    try:
        small.configure(**{f"{end}_url": f"postgresql://postgres@127.0.0.1:{proxy.port}/{small.name}"})
        for command in COMMANDS:
            assert_one_error(small.pgfold(*arguments(command), status=3), end, "server version 11.", "too old", "PostgreSQL 12 and later")
    finally:
        proxy.close()
    assert not small.target.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_configuration_the_error_says_how_to_write_one(pgfold, command):
    assert_one_error(pgfold(*arguments(command), status=2), "pgfold.yaml")


def test_all_mistakes_of_a_configuration_are_told_with_line_and_column(small):
    small.config.write_text("version: 1\ntarget:\n  url: ${PGFOLD_TEST_UNSET}\nsorces:\n  - name: laptop\n")
    result = small.pgfold("fold", "--yes", status=2)
    assert_one_error(result, "pgfold.yaml:3:8", "PGFOLD_TEST_UNSET", "pgfold.yaml:4:1", "sources")


def test_a_default_in_the_configuration_is_refused(small):
    small.config.write_text("version: 1\ntarget:\n  url: ${DATABASE_URL:-postgresql:///app}\nsources:\n"
                            "  - { name: laptop, url: 'postgresql:///x' }\n")
    assert_one_error(small.pgfold("audit", status=2), "pgfold.yaml:3", "default")
