"""pgfold doctor: what a fold needs, found before it begins; and where a connection string leads."""
import os
import shutil
import socket
import subprocess

import pytest

import documents
import harness
import proxy


def identity(server):
    return server.sql("postgres", "SELECT system_identifier FROM pg_control_system()")


def configure(pgfold, target_url, source_url, pin=None, extra=""):
    pinned = f"  identity: \"{pin}\"\n" if pin else ""
    (pgfold.cwd / "pgfold.yaml").write_text(
        f"version: 1\ntarget:\n  url: \"{target_url}\"\n{pinned}sources:\n  - name: laptop\n    url: \"{source_url}\"\n{extra}",
        encoding="utf-8")


def diagnose(pgfold, *arguments, status=None, **options):
    """check -> the result that says most, and the document."""
    document = documents.check(pgfold("doctor", "--json", *arguments, status=status, **options).json(), "doctor")
    order = ["good", "note", "warning", "failed"]
    results = {}
    for result in document["results"]:
        before = results.get(result["check"])
        if before is None or order.index(before["verdict"]) < order.index(result["verdict"]):
            results[result["check"]] = result
    return results, document


def verdicts(results, *wanted):
    return {check for check, result in results.items() if result["verdict"] in wanted}


def test_a_sound_pair_is_ready_for_a_fold_and_nothing_is_written(pair):
    pair.source.create().load("chinook")
    pair.target.create()
    configure(pair.pgfold, pair.target.url, pair.source.url, identity(pair.target.cluster))
    results, document = diagnose(pair.pgfold, status=0)
    assert document["good"] and not verdicts(results, "failed", "warning"), verdicts(results, "failed", "warning")
    assert {"client-programs", "server-programs", "backup-room", "identity", "primary", "versions", "encoding", "missing-extensions",
            "target-connections", "wraparound", "target-room", "sorting"} <= set(results)
    assert [end["side"] for end in document["ends"]] == ["target", "source"] and document["ends"][1]["bytes"] > 1 << 20
    assert f"left in {pair.target.cluster.data}" in results["target-room"]["findings"][0]
    assert os.listdir(pair.folder) == ["pgfold.yaml"]
    text = pair.pgfold("doctor", status=0)
    assert "ready for a fold" in text.out and text.err == ""
    assert "good     identity" in pair.pgfold("doctor", "--verbose", status=0).out


def test_the_manual_names_every_check(pair):
    pair.source.create()
    pair.configure()
    manual = "".join((harness.ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("doctor.md", "audit.md"))
    results, _ = diagnose(pair.pgfold)
    pair.target.create()
    results.update(diagnose(pair.pgfold)[0])
    assert not [check for check in results if f"`{check}`" not in manual]


def limited(source, target, role):
    """A role that may do nothing in either database, and objects that a fold would merge and make."""
    source.create()
    target.create()
    for database in (source, target):
        database.sql(f"CREATE ROLE {role} LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC; "
                     f"REVOKE TEMPORARY ON DATABASE \"{database.name}\" FROM PUBLIC; "
                     "CREATE TABLE merged (id int PRIMARY KEY, n text); CREATE SEQUENCE \"Odd\"")
    source.sql(f"CREATE ROLE {role}_owner; CREATE ROLE {role}_other NOLOGIN; INSERT INTO merged VALUES (1, 'a'); CREATE SCHEMA own; "
               f"CREATE TABLE fresh (id int); INSERT INTO fresh VALUES (7); ALTER TABLE fresh OWNER TO {role}_owner; "
               f"CREATE VIEW seen AS SELECT 1 AS one; ALTER VIEW seen OWNER TO {role}_other; "
               f"ALTER TABLE merged OWNER TO {role}_owner; ALTER SEQUENCE \"Odd\" OWNER TO {role}_owner; "
               f"ALTER SCHEMA own OWNER TO {role}_other; ALTER DATABASE \"{source.name}\" OWNER TO {role}_owner")
    target.sql(f"CREATE ROLE {role}_owner; INSERT INTO merged VALUES (2, 'b')")


@pytest.mark.parametrize("versions", [(15, 15), (12, 18)], ids=lambda pair: f"{pair[0]} to {pair[1]}")
def test_each_missing_privilege_is_a_statement_and_these_statements_are_enough(cluster, pgfold, versions):
    laptop, vps = cluster(versions[0]), cluster(versions[1])
    source, target = laptop.database("app"), vps.database("app")
    limited(source, target, "dev")
    configure(pgfold, vps.url("app", user="dev"), laptop.url("app", user="dev"), identity(vps))
    results, document = diagnose(pgfold, status=1)
    found = {result["check"]: set(result["statements"]) for result in document["results"] if result["statements"]}
    assert found == {
        "unreadable": {"GRANT USAGE ON SCHEMA public TO dev;", "GRANT SELECT ON public.merged TO dev;", "GRANT SELECT ON public.fresh TO dev;",
                       "GRANT SELECT ON SEQUENCE public.\"Odd\" TO dev;"},
        "target-unreadable": {"GRANT USAGE ON SCHEMA public TO dev;", "GRANT SELECT ON public.merged TO dev;",
                              "GRANT SELECT ON SEQUENCE public.\"Odd\" TO dev;"},
        "database-grants": {"GRANT CREATE ON DATABASE app TO dev;", "GRANT TEMPORARY ON DATABASE app TO dev;"},
        "schema-grants": {"GRANT USAGE, CREATE ON SCHEMA public TO dev;"},
        "table-grants": {"GRANT INSERT, UPDATE, DELETE ON public.merged TO dev;", "GRANT UPDATE ON SEQUENCE public.\"Odd\" TO dev;"},
        "missing-roles": {"CREATE ROLE dev_other NOLOGIN; GRANT dev_other TO dev;"},
        "owners": {"GRANT dev_owner TO dev;"},
        "owner-grants": {"GRANT CREATE ON SCHEMA public TO dev_owner;", "GRANT CREATE ON SCHEMA public TO dev_other;"},
    }
    assert verdicts(results, "failed") - {"client-programs"} == set(found)
    for result in document["results"]:
        database = source if result["place"].startswith("source") else target
        for statement in result["statements"]:
            database.sql(statement)
    results, _ = diagnose(pgfold)
    assert not verdicts(results, "failed") - {"client-programs"}, results
    if versions[1] <= harness.DEFAULT_VERSION:
        pgfold("fold", "--yes", status=0)
        assert target.sql("SELECT count(*) FROM merged") == "2" and target.sql("SELECT id FROM fresh") == "7"


def test_a_fold_without_owners_and_privileges_needs_no_roles(cluster, pgfold):
    laptop, vps = cluster(), cluster()
    laptop.create("app").sql("CREATE ROLE keeper; CREATE TABLE t (id int); CREATE TABLE k (id int); ALTER TABLE k OWNER TO keeper; INSERT INTO t VALUES (1)")
    vps.create("app").sql("CREATE ROLE dev LOGIN; GRANT CREATE ON DATABASE app TO dev; GRANT CREATE ON SCHEMA public TO dev")
    configure(pgfold, vps.url("app", user="dev"), laptop.url("app"))
    results, _ = diagnose(pgfold, status=1)
    assert results["owners"]["findings"] == ["role dev may not give objects to role postgres"]
    assert results["owners"]["statements"] == [], "nobody is told to make a superuser"
    assert verdicts(diagnose(pgfold, "--no-owner", status=1)[0], "failed") == {"missing-roles"}
    diagnose(pgfold, "--no-owner", "--no-privileges", status=0)
    pgfold("fold", "--yes", "--no-backup", "--no-owner", "--no-privileges", status=0)


def test_what_the_configuration_leaves_out_needs_no_privilege(pair):
    pair.source.create().sql("CREATE TABLE secret (id int); INSERT INTO secret VALUES (1); REVOKE ALL ON secret FROM PUBLIC; CREATE TABLE t (id int)")
    pair.target.create().sql("CREATE TABLE secret (id int); CREATE TABLE t (id int)")
    role = f"{pair.name}_dev"
    for database in (pair.source, pair.target):
        database.sql(f"CREATE ROLE {role} LOGIN; GRANT ALL ON t TO {role}; GRANT CREATE ON SCHEMA public TO {role}; "
                     f"GRANT ALL ON DATABASE \"{database.name}\" TO {role}")
    configure(pair.pgfold, pair.target.cluster.url(pair.name, user=role), pair.source.cluster.url(pair.name, user=role),
              extra="fold:\n  tables:\n    public.secret: { skip: true }\n")
    try:
        results, _ = diagnose(pair.pgfold, status=0)
        assert not verdicts(results, "failed")
    finally:
        for database in (pair.source, pair.target):
            database.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_end_that_cannot_be_reached_is_told_and_the_rest_is_shown(pair):
    pair.target.create()
    configure(pair.pgfold, pair.target.url, "postgresql://app@/app?host=/nowhere", extra=f"  - name: old\n    url: \"{pair.target.cluster.url('postgres')}\"\n")
    results, document = diagnose(pair.pgfold, status=3)
    assert results["reached"]["place"] == "source laptop" and "/nowhere" in results["reached"]["findings"][0]
    assert [end["reached"] for end in document["ends"]] == [True, False, True]
    assert any(result["place"] == "source old" and result["check"] == "unreadable" for result in document["results"])
    assert "cannot be reached" in pair.pgfold("doctor", status=3).out
    diagnose(pair.pgfold, "old", status=0)


def test_another_cluster_than_the_pinned_one_is_no_target(pair):
    pair.source.create()
    pair.target.create()
    configure(pair.pgfold, pair.target.url, pair.source.url, "7391234567890123456")
    results, document = diagnose(pair.pgfold, status=3)
    assert results["identity"]["verdict"] == "failed" and "pgfold.yaml:4:13 pins 7391234567890123456" in results["identity"]["findings"][0]
    assert not any(result["check"] == "database-grants" for result in document["results"]), "it was asked for more"


def test_a_target_that_is_not_pinned_is_a_warning_that_says_what_to_write(pair):
    pair.source.create()
    pair.target.create()
    configure(pair.pgfold, pair.target.url, pair.source.url)
    results, _ = diagnose(pair.pgfold, status=0)
    assert results["identity"]["verdict"] == "warning"
    assert f"identity: \"{identity(pair.target.cluster)}\"" in results["identity"]["remedy"]


def test_a_source_that_is_the_target_under_another_url_and_a_protected_database_are_found(pair):
    pair.target.create()
    tunnel = proxy.Proxy(pair.target.cluster.folder / ".s.PGSQL.5432")
    try:
        configure(pair.pgfold, pair.target.url, f"postgresql://postgres@127.0.0.1:{tunnel.port}/{pair.name}")
        results, _ = diagnose(pair.pgfold, status=3)
        assert results["different"]["verdict"] == "failed"
    finally:
        tunnel.close()
    pair.source.create()
    configure(pair.pgfold, pair.target.url, pair.source.url, extra=f"protect:\n  databases: [\"{pair.name[:8]}*\"]\n")
    results, _ = diagnose(pair.pgfold, status=4)
    assert results["protected"]["verdict"] == "failed"


def test_each_database_that_a_source_goes_to_is_a_target_of_its_own(pair):
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    pair.target.create()
    configure(pair.pgfold, pair.target.url, pair.source.url, extra=f"  - name: other\n    url: \"{pair.source.url}\"\n    into: {pair.name}_new\n")
    results, document = diagnose(pair.pgfold, status=0)
    assert [(end["place"], end["missing"]) for end in document["ends"]] == [
        ("target", None), (f"target {pair.name}_new", f"{pair.name}_new"), ("source laptop", None), ("source other", None)]
    places = {result["check"]: result["place"] for result in document["results"] if result["check"] in ("create-database", "database-grants")}
    assert places == {"create-database": f"target {pair.name}_new", "database-grants": "target"}


def test_an_older_target_is_found(cluster, pgfold):
    laptop, vps = cluster(15), cluster(14)
    laptop.create("app")
    vps.create("app")
    configure(pgfold, vps.url("app"), laptop.url("app"))
    results, _ = diagnose(pgfold, status=1)
    assert results["versions"]["findings"][0].startswith("PostgreSQL 15") and "14" in results["versions"]["findings"][0]


@pytest.mark.parametrize("content, finding", [("", "the database is empty"), ("CREATE TABLE t (id int); INSERT INTO t VALUES (1); DELETE FROM t", "its tables have no rows")])
def test_an_empty_source_has_nothing_to_fold(pair, content, finding):
    pair.source.create().sql(content or "SELECT 1")
    pair.target.create()
    pair.configure()
    results, _ = diagnose(pair.pgfold, status=0)
    assert results["empty"]["findings"] == [finding] and "retired after you have confirmed" in results["empty"]["remedy"]
    pair.source.sql("CREATE TABLE filled AS SELECT 1 AS id")
    assert diagnose(pair.pgfold, status=0)[0]["empty"]["verdict"] == "good"


def test_a_database_that_does_not_exist_needs_the_right_to_create_it(pair):
    pair.source.create()
    role = f"{pair.name[:40]}_dev"
    server = pair.target.cluster
    server.sql("postgres", f"CREATE ROLE {role} LOGIN")
    try:
        configure(pair.pgfold, server.url(pair.name, user=role), pair.source.url)
        results, document = diagnose(pair.pgfold, status=1)
        assert results["create-database"]["statements"] == [f"ALTER ROLE {role} CREATEDB;"]
        assert document["ends"][0]["missing"] == pair.name and "database-grants" not in results
        server.sql("postgres", results["create-database"]["statements"][0])
        assert diagnose(pair.pgfold)[0]["create-database"]["verdict"] == "good"
    finally:
        server.sql("postgres", f"DROP ROLE {role}")


def test_replication_prepared_transactions_timeouts_and_triggers_of_others_are_told(cluster, pgfold):
    laptop, vps = cluster(), cluster(wal_level="logical", max_prepared_transactions=4)
    laptop.create("app").sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    vps.create("app").sql(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION news FOR TABLE t; "
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER audit BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE ROLE dev LOGIN; CREATE ROLE keeper; "
        "ALTER TABLE t OWNER TO keeper; GRANT ALL ON t TO dev; GRANT ALL ON SCHEMA public TO dev; GRANT ALL ON DATABASE app TO dev; "
        "ALTER ROLE dev SET statement_timeout = '5s'")
    vps.sql("app", "SELECT pg_create_logical_replication_slot('idle', 'pgoutput'), pg_create_physical_replication_slot('gone')")
    vps.psql("app", text="BEGIN; INSERT INTO t VALUES (9); PREPARE TRANSACTION 'forgotten';")
    configure(pgfold, vps.url("app", user="dev"), laptop.url("app"), identity(vps))
    results, _ = diagnose(pgfold, status=0)
    assert verdicts(results, "warning") == {"target-publications", "target-slots", "target-prepared-transactions", "triggers"}
    assert results["target-publications"]["findings"] == ["publication news: public.t"]
    assert len(results["target-slots"]["findings"]) == 2 and "forgotten" in results["target-prepared-transactions"]["findings"][0]
    assert results["timeouts"]["verdict"] == "note" and results["timeouts"]["findings"] == ["statement_timeout = 5000 ms"]
    assert results["triggers"]["statements"] == ["GRANT keeper TO dev;"]


def test_fences_and_unfinished_runs_of_before_are_told(pair):
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    pair.target.create()
    pair.configure()
    pair.pgfold("fence", "laptop", "--yes", status=0)
    results, _ = diagnose(pair.pgfold, status=0)
    assert results["fences"]["verdict"] == "note" and "pgfold fence laptop --lift" in results["fences"]["remedy"]
    pair.pgfold("fence", "laptop", "--lift", "--yes", status=0)
    assert diagnose(pair.pgfold, status=0)[0]["fences"]["verdict"] == "good"


def test_too_old_client_programs_and_missing_server_programs_are_found(cluster, pgfold, monkeypatch):
    newest = cluster(18)
    newest.create("app")
    newest.create("old").sql("CREATE TABLE t (id int)")
    configure(pgfold, newest.url("app"), newest.url("old"))
    monkeypatch.setattr(pgfold.machine, "servers", {})
    results, _ = diagnose(pgfold, status=1)
    assert results["client-programs"]["verdict"] == "failed" and "postgresql-client-18" in results["client-programs"]["remedy"]
    assert results["server-programs"]["verdict"] == "failed" and "postgresql-18" in results["server-programs"]["remedy"]


def test_it_takes_less_than_two_seconds_over_a_link_of_25_ms(pair, record_property):
    pair.source.create().load("model-app")
    pair.target.create().load("model-app")
    slow = [proxy.Proxy(server.folder / ".s.PGSQL.5432", delay_ms=25) for server in (pair.source.cluster, pair.target.cluster)]
    try:
        source, target = (f"postgresql://postgres@127.0.0.1:{one.port}/{pair.name}" for one in slow)
        configure(pair.pgfold, target, source, identity(pair.target.cluster))
        result = pair.pgfold("doctor", status=0)
        record_property("seconds", result.seconds)
        print(f"doctor over 25 ms each way: {result.seconds:.2f} s")
        assert result.seconds < 2, result
    finally:
        for one in slow:
            one.close()


# --- doctor --url ---------------------------------------------------------------------------------------------------

def leads(pgfold, url, status, **options):
    document = documents.check(pgfold("doctor", "--json", "--url", url, status=status, **options).json(), "where")
    return document["leads_to"]


def test_a_url_is_known_by_the_server_it_leads_to_whatever_it_looks_like(pair):
    """The trap: a tunnel on localhost leads to the target, and the server on the same name and port does not."""
    pair.source.create()
    pair.target.create()
    pair.target.cluster.create(f"{pair.name}_x")
    configure(pair.pgfold, pair.target.url, pair.source.url, identity(pair.target.cluster), extra="protect:\n  databases: [template1]\n")
    tunnel, local = (proxy.Proxy(end.cluster.folder / ".s.PGSQL.5432") for end in (pair.target, pair.source))
    try:
        assert leads(pair.pgfold, f"postgresql://postgres@localhost:{tunnel.port}/{pair.name}", 0) == "target"
        assert leads(pair.pgfold, f"postgresql+asyncpg://postgres@localhost:{tunnel.port}/{pair.name}", 0) == "target"
        assert leads(pair.pgfold, f"postgresql://postgres@localhost:{local.port}/{pair.name}", 1) == "source"
        assert leads(pair.pgfold, f"host=localhost port={local.port} user=postgres dbname=template1", 1) == "protected"
        assert leads(pair.pgfold, f"host=localhost port={local.port} user=postgres dbname=postgres", 1) == "unknown"
        assert leads(pair.pgfold, f"host=localhost port={tunnel.port} user=postgres dbname={pair.name}_x", 1) == "unknown"
        variables = {"PGHOST": "localhost", "PGPORT": tunnel.port, "PGUSER": "postgres", "PGDATABASE": pair.name}
        assert leads(pair.pgfold, "postgresql://", 0, env=variables) == "target"
        text = pair.pgfold("doctor", "--url", f"postgresql://postgres@localhost:{tunnel.port}/{pair.name}", status=0).out
        assert text.startswith("It leads to the target: ") and f"port {tunnel.port}" in text
    finally:
        tunnel.close()
        local.close()
        pair.target.cluster.database(f"{pair.name}_x").drop()


def test_a_copy_of_the_targets_cluster_is_not_the_target(cluster, pgfold):
    vps, copy = cluster(), cluster()
    vps.create("app")
    copy.stop()
    harness.set_system_identifier(copy.data, int(identity(vps)))
    copy.start()
    copy.create("app")
    configure(pgfold, vps.url("app"), "postgresql:///x?host=/nowhere", identity(vps))
    assert leads(pgfold, copy.url("app"), 1) == "target-copy"
    assert leads(pgfold, vps.url("app"), 0) == "target"


def test_a_standby_is_neither_a_target_to_fold_into_nor_the_target_itself(cluster, pair):
    primary, standby = cluster(), cluster()
    primary.create("app")
    primary.stop()
    standby.stop()
    shutil.rmtree(standby.data)
    subprocess.run(["cp", "-a", primary.data, standby.data], check=True)
    signal_file = standby.data / "standby.signal"
    signal_file.touch()
    user = harness.server_user()
    if user:
        os.chown(signal_file, user.pw_uid, user.pw_gid)
    primary.start()
    standby.start()
    pair.source.create()
    configure(pair.pgfold, standby.url("app"), pair.source.url, identity(primary))
    results, _ = diagnose(pair.pgfold, status=3)
    assert results["primary"]["verdict"] == "failed" and results["identity"]["verdict"] == "good"
    configure(pair.pgfold, primary.url("app"), pair.source.url, identity(primary))
    assert leads(pair.pgfold, standby.url("app"), 1) == "target-copy"
    assert "leads to a standby of the target" in pair.pgfold("doctor", "--url", standby.url("app"), status=1).out


def test_a_url_that_leads_nowhere_is_an_error_without_its_password(pair):
    pair.target.create()
    configure(pair.pgfold, pair.target.url, pair.target.url)
    pair.pgfold.secrets.add("s3cret-word")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "Connection refused" in pair.pgfold("doctor", "--url", f"postgresql://a:s3cret-word@127.0.0.1:{port}/x", status=3).err
    pair.pgfold("doctor", "--url", "s3cret-word", status=2)
    missing = pair.pgfold("doctor", "--url", pair.target.cluster.url("no_such_database", password="s3cret-word"), status=3)
    assert "there is no database no_such_database" in missing.err
