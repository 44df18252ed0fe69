"""pgfold guard: a program runs only where its DATABASE_URL leads to the right database."""
import resource
import signal

import pytest

import harness
import proxy


@pytest.fixture
def guarded(pair):
    """A pinned target, a source, and a database that is neither."""
    pair.source.create()
    pair.target.create()
    pin = pair.target.cluster.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    pair.config.write_text(
        f"version: 1\ntarget:\n  url: ${{TARGET}}\n  identity: \"{pin}\"\n  database: {pair.name}\n"
        f"sources:\n  - name: laptop\n    url: \"{pair.source.url}\"\nprotect:\n  databases: [template1]\n", encoding="utf-8")

    def run(url, *arguments, status, words=("sh", "-c", "echo ran; exit 9"), **variables):
        environment = {"TARGET": pair.target.url, **({} if url is None else {"DATABASE_URL": url}), **variables}
        result = pair.pgfold("guard", *arguments, "--", *words, env=environment, status=status)
        assert ("ran" in result.out) == (status == 9), result
        return result
    return run


def test_a_program_runs_where_the_url_leads_to_the_target_and_its_status_is_passed_on(guarded, pair):
    guarded(pair.target.url, status=9)
    tunnel = proxy.Proxy(pair.target.cluster.folder / ".s.PGSQL.5432")
    try:
        guarded(f"postgresql+psycopg://postgres@localhost:{tunnel.port}/{pair.name}", status=9)
        guarded("postgresql://", status=9, PGHOST="localhost", PGPORT=tunnel.port, PGUSER="postgres", PGDATABASE=pair.name)
    finally:
        tunnel.close()


@pytest.mark.parametrize("name", ["a source", "another database there", "a protected database"])
def test_a_program_does_not_run_where_the_url_leads_elsewhere(guarded, pair, name):
    url = {"a source": pair.source.url, "another database there": pair.target.cluster.url("postgres"),
           "a protected database": pair.target.cluster.url("template1")}[name]
    result = guarded(url, status=4)
    assert "not the target: DATABASE_URL leads to" in result.err and "state: the program was not started" in result.err


def test_a_variable_that_is_unset_or_empty_is_refused(guarded, pair):
    assert "DATABASE_URL is not set" in guarded(None, status=4).err
    assert "DATABASE_URL is empty" in guarded("", status=4).err
    assert "DATABASE_URL is not set" in guarded(None, "--testdb", status=4).err


def test_the_target_may_stand_in_the_same_variable(pair):
    """pgfold.yaml says url: ${DATABASE_URL}: the pin alone tells then."""
    pair.source.create()
    pair.target.create()
    pin = pair.target.cluster.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    pair.config.write_text(f"version: 1\ntarget:\n  url: ${{APP_DB}}\n  identity: \"{pin}\"\nsources: [{{ name: laptop, url: \"${{NOT_SET}}\" }}]\n"
                           "code: { variable: APP_DB }\n", encoding="utf-8")
    pair.pgfold("guard", "--", "true", env={"APP_DB": pair.target.url}, status=0)
    assert "not the target" in pair.pgfold("guard", "--", "true", env={"APP_DB": pair.source.url}, status=4).err
    warned = pair.pgfold("guard", "--testdb", "--", "true", env={"APP_DB": pair.source.cluster.url("postgres")}, status=0)
    assert "source laptop could not be compared: its URL names a variable that is not set" in warned.err
    assert "not a test database" in pair.pgfold("guard", "--testdb", "--", "true", env={"APP_DB": pair.target.url}, status=4).err


def test_tests_run_only_away_from_target_sources_and_protected_databases(guarded, pair):
    guarded(pair.source.cluster.url("postgres"), "--testdb", status=9)
    guarded(pair.target.cluster.url("postgres"), "--testdb", status=9)
    for url in (pair.source.url, pair.target.url, pair.source.cluster.url("template1")):
        assert "not a test database" in guarded(url, "--testdb", status=4).err


def test_a_database_that_a_source_is_folded_into_is_none_for_tests(guarded, pair):
    pair.config.write_text(pair.config.read_text(encoding="utf-8").replace("protect:", "    into: postgres\nprotect:"), encoding="utf-8")
    archive = pair.target.cluster.url("postgres")
    for variables in ({}, {"TARGET": "postgresql:///x?host=/nowhere"}):
        assert "the database that source laptop is folded into" in guarded(archive, "--testdb", status=4, **variables).err
    guarded(archive, status=4)


def test_the_target_is_known_by_its_pin_where_it_does_not_answer(guarded, pair):
    nowhere = {"TARGET": "postgresql:///x?host=/nowhere"}
    assert "not a test database" in guarded(pair.target.url, "--testdb", status=4, **nowhere).err
    guarded(pair.source.cluster.url("postgres"), "--testdb", status=9, **nowhere)
    assert "target could not be compared" in guarded(pair.target.url, status=9, **nowhere).err


def test_another_database_of_a_target_that_does_not_answer_is_not_taken_for_it(pair):
    pair.target.create()
    pin = pair.target.cluster.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    environment = {"DATABASE_URL": pair.target.cluster.url("postgres")}
    for url, status, words in ((f"postgresql:///{pair.name}?host=/nowhere", 4, "another database of the target's server"),
                               ("${NOT_SET}", 3, "which of its databases is the target cannot be told")):
        pair.config.write_text(f"version: 1\ntarget: {{ url: \"{url}\", identity: \"{pin}\" }}\nsources: [{{ name: a, url: \"{pair.source.url}\" }}]\n",
                               encoding="utf-8")
        assert words in pair.pgfold("guard", "--", "true", env=environment, status=status).err
    assert "not a test database" in pair.pgfold("guard", "--testdb", "--", "true", env=environment, status=4).err


def test_without_a_pin_nothing_runs_and_what_cannot_be_told_is_refused(pair):
    pair.source.create()
    pair.configure(target_url="postgresql:///x?host=/nowhere")
    environment = {"DATABASE_URL": pair.source.cluster.url("postgres")}
    assert "target.identity is not pinned" in pair.pgfold("guard", "--", "true", env=environment, status=4).err
    assert "cannot be told" in pair.pgfold("guard", "--testdb", "--", "true", env=environment, status=3).err


def test_a_source_that_is_gone_is_known_from_earlier_runs(pair):
    pair.source.create().sql("CREATE TABLE t (id int)")
    pair.target.create()
    pair.configure()
    pair.pgfold("audit")
    pin = pair.target.cluster.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    pair.config.write_text(f"version: 1\ntarget: {{ url: \"{pair.target.url}\", identity: \"{pin}\" }}\n"
                           "sources: [{ name: laptop, url: \"postgresql:///x?host=/nowhere\" }]\n", encoding="utf-8")
    refused = pair.pgfold("guard", "--testdb", "--", "true", env={"DATABASE_URL": pair.source.url}, status=4)
    assert "leads to source laptop" in refused.err


def test_a_copy_of_the_target_is_neither_the_target_nor_a_test_database(cluster, pgfold):
    vps, copy = cluster(), cluster()
    vps.create("app")
    pin = vps.sql("postgres", "SELECT system_identifier FROM pg_control_system()")
    copy.stop()
    harness.set_system_identifier(copy.data, int(pin))
    copy.start()
    copy.create("app")
    (pgfold.cwd / "pgfold.yaml").write_text(f"version: 1\ntarget: {{ url: \"{vps.url('app')}\", identity: \"{pin}\" }}\nsources: [{{ name: laptop, url: \"postgresql:///x?host=/nowhere\" }}]\n", encoding="utf-8")
    environment = {"DATABASE_URL": copy.url("app")}
    assert "a copy of the target's cluster" in pgfold("guard", "--", "true", env=environment, status=4).err
    pgfold("guard", "--testdb", "--", "true", env=environment, status=4)


def test_several_hosts_nowhere_and_wrong_command_lines_are_refused(guarded, pair):
    assert "several hosts" in guarded("postgresql://a,b/x", status=4).err
    folders = f"{pair.target.cluster.folder},{pair.source.cluster.folder}"
    assert "several hosts" in guarded(f"postgresql://postgres@/{pair.name}", status=4, PGHOST=folders).err
    guarded("postgresql:///x?host=/nowhere", status=3)
    guarded("nonsense", status=2)
    guarded(pair.target.url, status=2, words=("no-such-program",))
    guarded(pair.target.url, status=2, words=())


def test_the_program_takes_the_place_of_pgfold(guarded, pair):
    """Signals, limits and the umask are its own, and its end by a signal is ours."""
    limits = "umask; ulimit -c; echo ran; kill -TERM $$"
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    result = pair.pgfold("guard", "--", "sh", "-c", limits, env={"TARGET": pair.target.url, "DATABASE_URL": pair.target.url})
    assert result.status == -signal.SIGTERM
    mask, shown, _ = result.out.splitlines()
    assert int(mask, 8) != 0o077 and shown == ("unlimited" if core == resource.RLIM_INFINITY else str(core // 512))


def test_a_password_is_shown_nowhere(guarded, pair):
    pair.pgfold.secrets.add("s3cret-word")
    guarded(pair.source.cluster.url(pair.name, password="s3cret-word"), status=4)
    guarded(pair.target.cluster.url(pair.name, password="s3cret-word"), "--verbose", status=9)
