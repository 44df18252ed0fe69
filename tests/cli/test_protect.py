"""What is protected is refused wherever something would touch it, and proven untouched (docs/protect.md)."""
import json
import os
import re

import pytest

import documents
import harness
from folding import Lock, assert_one_error, assert_same, wait_until, whole


@pytest.fixture
def model(pair, vps):
    """The model case: one server with `app` and `archon`; a laptop's `app` is folded into the first."""
    archon = vps.database(f"archon_{pair.name}"[:60])
    archon.create().sql("CREATE TABLE task (id int PRIMARY KEY, text text); INSERT INTO task SELECT i, 'x' || i FROM generate_series(1, 20) i;"
                        "CREATE TABLE note (id serial PRIMARY KEY, text text); INSERT INTO note (text) VALUES ('a'), ('b')")
    pair.source.create().sql("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'one'), (2, 'two')")
    pair.target.create().sql("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (3, 'three')")
    pair.archon = archon
    pair.configure(f"protect:\n  databases: [{archon.name}]\n")
    yield pair
    archon.drop()


def protect(pair, text):
    pair.configure(f"protect: {text}\n")
    return pair


def receipt(pair):
    newest = sorted((pair.folder / ".pgfold" / "receipts").glob("*.json"))[-1]
    return json.loads(newest.read_text(encoding="utf-8"))


def one(pair, kind, name):
    """On the target's server, where there is one of that name on both."""
    found = [item for item in receipt(pair)["protected"]
             if (item["kind"], item["name"]) == (kind, name) and not (item["server"] or "").startswith("source")]
    assert len(found) == 1, receipt(pair)["protected"]
    return found[0]


def during(pair, action, *words, **options):
    """Does something while a fold waits for a lock on the target's table, which it needs for its commit."""
    lock = Lock(pair.target.cluster, pair.target.name, "LOCK TABLE public.item IN ROW EXCLUSIVE MODE")
    process = pair.pgfold.start("fold", "--yes", *words, **options)
    try:
        wait_until(lambda: process.poll() is not None or pair.target.sql(
            "SELECT count(*) FROM pg_catalog.pg_locks WHERE relation = 'public.item'::regclass AND NOT granted") != "0", "the fold")
        assert process.poll() is None, process.communicate()
        action()
    finally:
        lock.release()
        out, err = process.communicate(timeout=60)
    return harness.Result(["pgfold", "fold"], process.returncode, out, err)


# --- proofs -----------------------------------------------------------------------------------------------------------

def test_a_protected_database_of_the_targets_server_is_proven_unchanged(model):
    name = model.archon.name
    result = model.pgfold("fold", "--yes", status=0)
    assert f"protected: database {name} (target) unchanged (2 tables, 22 rows)" in result.out, result
    item = one(model, "database", name)
    assert (item["verdict"], item["server"], item["count"], item["rows"]) == ("same", "target", 2, 22)
    assert item["before"] == item["after"] and len(item["before"]) == 64
    assert receipt(model)["version"] == 4 and receipt(model)["fingerprint"] == "full"
    page = model.pgfold("report", status=0).out
    assert "## Protected" in page and name.replace("_", "\\_") in page
    assert model.pgfold("report", "--json", status=0).json()["protected"][0]["verdict"] == "same"
    model.pgfold("verify", "--receipt", next((model.folder / ".pgfold" / "receipts").glob("*.json")), status=0)


def test_rows_that_another_session_writes_during_the_fold_are_told(model):
    name = model.archon.name
    result = during(model, lambda: model.archon.sql("INSERT INTO task VALUES (21, 'new')"))
    assert result.status == 1, result
    assert "protected: " in result.out and "public.task: 20 rows before, 21 after" in result.out, result
    assert "pgfold: warning: something protected is not as it was" in result.err and "committed" in result.err, result
    item = one(model, "database", name)
    assert item["verdict"] == "changed" and item["before"] != item["after"]
    assert "public.task: 20 rows before, 21 after" in item["reason"]
    assert receipt(model)["verdict"] == "contained"
    assert model.target.sql("SELECT count(*) FROM item") == "3"
    model.pgfold("report", status=0)


def test_every_kind_of_change_in_a_protected_database_is_found(model):
    result = during(model, lambda: model.archon.sql(
        "UPDATE task SET text = 'other' WHERE id = 7; SELECT nextval('note_id_seq'); DELETE FROM note WHERE id = 1;"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE more ()"), "--json")
    assert result.status == 1, result
    source = documents.check(result.json(), "fold")["sources"][0]
    assert (source["outcome"], source["contents"]["protected"][0]["verdict"]) == ("contained", "changed")
    assert one(model, "database", model.archon.name)["reason"].split("; ") == [
        "its definitions changed", "public.note: 2 rows before, 1 after", "public.task: other values",
        "sequence public.note_id_seq changed", "public.more is new"]


def test_vacuum_and_statistics_are_no_change(model):
    result = during(model, lambda: model.archon.cluster.psql(model.archon.name, "-c", "VACUUM FULL", "-c", "ANALYZE",
                                                                 "-c", "REINDEX TABLE task", "-c", "CREATE TEMP TABLE t (a int)"))
    assert result.status == 0 and "unchanged (2 tables, 22 rows)" in result.out, result


def test_a_database_that_cannot_be_reached_any_more_is_not_called_gone(model, vps):
    result = during(model, lambda: vps.sql("postgres", f"ALTER DATABASE {model.archon.name} ALLOW_CONNECTIONS false"))
    item = one(model, "database", model.archon.name)
    assert (result.status, item["verdict"], item["reason"]) == (0, "unreadable", "the database: nobody may connect to it (datallowconn)")


def test_what_cannot_be_read_is_named(model, vps):
    role = f"weak_{os.getpid()}"
    vps.sql("postgres", f"CREATE ROLE {role} LOGIN CREATEROLE CREATEDB")
    model.target.sql(f"ALTER DATABASE {model.target.name} OWNER TO {role}; ALTER TABLE item OWNER TO {role};"
                     f"ALTER SCHEMA public OWNER TO {role}")
    model.archon.sql(f"GRANT SELECT ON note TO {role}")
    try:
        url = model.target.url.replace("postgres@", f"{role}@", 1)
        model.configure(f"protect:\n  databases: [{model.archon.name}]\n", target_url=url)
        result = model.pgfold("fold", "--yes", "--no-owner", "--no-privileges", status=0)
        item = one(model, "database", model.archon.name)
        assert item["verdict"] == "unreadable"
        assert "public.task: permission denied" in item["reason"] and "note:" not in item["reason"]
        assert "cannot be proven unchanged" in result.err and "public.task" in result.err, result
        assert "protected: " in result.out and "unreadable: public.task" in result.out
    finally:
        model.target.drop()
        model.archon.drop()
        vps.sql("postgres", f"DROP ROLE {role}")


def test_an_entry_that_nothing_has_is_called_absent(model):
    protect(model, "{databases: [no_such_database], roles: [no_such_role], schemas: [no_such], tables: [public.none], paths: [none.txt]}")
    model.pgfold("fold", "--yes", status=0)
    assert {item["verdict"] for item in receipt(model)["protected"]} == {"absent"}
    assert len(receipt(model)["protected"]) == 5


def test_catalog_reads_definitions_only_and_off_nothing(model):
    name = model.archon.name
    protect(model, f"{{databases: [{name}], fingerprint: catalog}}")
    model.pgfold("fold", "--yes", status=0)
    item = one(model, "database", name)
    assert (item["method"], item["count"], item["rows"]) == ("definitions", None, None)
    protect(model, f"{{databases: [{name}], fingerprint: off}}")
    model.pgfold("fold", "--yes", status=0)
    assert receipt(model)["protected"] == [] and receipt(model)["fingerprint"] == "off"


def test_schemas_tables_roles_and_paths_are_proven(model, vps):
    role = f"kept_{os.getpid()}"
    vps.sql("postgres", f"CREATE ROLE {role}")
    model.target.sql("CREATE SCHEMA kept; CREATE TABLE kept.a (i int); INSERT INTO kept.a VALUES (1), (2);"
                     "CREATE TABLE public.audit (i int); INSERT INTO audit VALUES (1)")
    (model.folder / "archon").mkdir()
    (model.folder / "archon" / "one.txt").write_text("one")
    (model.folder / "archon" / "link").symlink_to("/nowhere")
    protect(model, f"{{schemas: [kept], tables: [public.audit], roles: [{role}], paths: ['archon/**']}}")

    def change():
        model.target.sql("INSERT INTO kept.a VALUES (3)")
        (model.folder / "archon" / "one.txt").write_text("two")
    try:
        result = model.pgfold("fold", "--yes", status=0)
        for text in ("schema kept (target) unchanged (1 table, 2 rows)", "table public.audit (target) unchanged (1 table, 1 row)",
                     f"role {role} (target) unchanged", "path archon/** unchanged (2 files)"):
            assert f"protected: {text}\n" in result.out, result
        model.source.sql("INSERT INTO item VALUES (9, 'nine')")
        result = during(model, change)
        assert result.status == 1
        assert one(model, "schema", "kept")["reason"] == "kept.a: 2 rows before, 3 after"
        assert one(model, "path", "archon/**")["reason"] == "archon/one.txt changed"
        assert one(model, "table", "public.audit")["verdict"] == one(model, "role", role)["verdict"] == "same"
    finally:
        vps.sql("postgres", f"DROP ROLE {role}")


# --- refusals ---------------------------------------------------------------------------------------------------------

def refused(pair, *words, command=("fold", "--yes"), run=True):
    """Exit status 4, one error with these words, and nothing changed in the target."""
    before = whole(pair.target)
    result = pair.pgfold(*command, status=4)
    assert_one_error(result, "protected", *words)
    assert_same(whole(pair.target), before)
    assert run or not (pair.folder / ".pgfold").exists()
    return result


@pytest.fixture
def small(pair):
    """Both sides have `item`, with other rows."""
    for side, row in ((pair.source, "(1, 'one'), (2, 'two')"), (pair.target, "(1, 'eins'), (3, 'three')")):
        side.create().sql("CREATE TABLE item (id int PRIMARY KEY, name text UNIQUE); INSERT INTO item VALUES " + row)
    return pair


def test_a_source_on_a_copy_of_the_targets_cluster_is_another_server(cluster, pair):
    """They share a system identifier, and each has an archon of its own."""
    original, copy = cluster(), cluster()
    copy.stop()
    harness.set_system_identifier(copy.data, int(original.sql("postgres", "SELECT system_identifier FROM pg_control_system()")))
    copy.start()
    for server in (original, copy):
        server.create("archon").sql("CREATE TABLE task (id int PRIMARY KEY)")
    original.create("app")
    copy.create("beside")  # its app has an oid of its own
    copy.create("app").sql( "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)")
    pair.configure("protect: { databases: [archon] }\n", source_url=copy.url("app"), target_url=original.url("app"))
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert sorted(item["server"] for item in receipt(pair)["protected"]) == ["source laptop", "target"]


def test_a_database_that_into_would_make_is_refused(small, vps):
    name = small.name[:40] + "_kept"
    small.configure("protect: {databases: ['*_kept']}\n")
    small.config.write_text(small.config.read_text().replace("name: laptop\n", f"name: laptop\n    into: {name}\n"))
    for command in (("fold", "--yes"), ("plan",), ("audit",)):
        refused(small, name, command=command)
    assert name not in vps.databases()


def test_a_test_database_of_a_protected_name_is_refused(small):
    protect(small, "{databases: [archon]}\ntestdb: {database: archon}")
    assert_one_error(small.pgfold("testdb", "--", "true", status=4), "testdb", "archon", "protected")
    assert_one_error(small.pgfold("testdb", "--database", "archon", "--", "true", status=4), "protected")


def test_protected_tables_are_blocked_in_the_plan_and_refused_by_fold(small):
    for what in ("tables: ['public.*']", "schemas: [public]"):
        small.configure(f"protect: {{{what}}}\nfold: {{on_conflict: keep-target}}\n")
        refused(small, "public.item")
    assert re.search(r"public\.item +blocked +2 .*protected \(public\)", small.pgfold("plan").out)


def test_a_protected_table_that_is_skipped_is_no_obstacle(small):
    small.source.sql("CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)")
    small.configure("protect: {tables: [public.item]}\nfold: {tables: {public.item: {skip: true}}}\n")
    small.pgfold("fold", "--yes", status=0)
    assert small.target.sql("SELECT count(*) FROM other") == "1"
    assert one(small, "table", "public.item")["verdict"] == "same"


def test_columns_are_not_added_to_a_protected_table(small):
    small.source.sql("ALTER TABLE item ADD note text")
    protect(small, "{tables: [public.item]}")
    refused(small, "public.item", "no columns", command=("fold", "--yes", "--add-columns"))


def test_a_rule_for_a_protected_table_is_a_mistake(small):
    small.configure("protect: {tables: ['public.i*']}\nfold: {tables: {public.item: {on_conflict: take-source}}}\n")
    result = small.pgfold("plan", status=2)
    assert "pgfold.yaml:" in result.err and "fold.tables.public.item has rules for a table that is protected" in result.err


def test_nothing_that_hangs_on_a_protected_table_is_made_or_set_off(small):
    for side in (small.source, small.target):
        side.sql("CREATE TABLE kept (id int PRIMARY KEY, name text REFERENCES item (name) ON UPDATE CASCADE); INSERT INTO kept VALUES (1)")
    small.source.sql("CREATE TABLE child (id int REFERENCES kept (id))")
    small.configure("protect: {tables: [public.kept]}\nfold: {on_conflict: take-source}\n")
    refused(small, "public.child", "foreign key", "public.item: rows of it would be overwritten", "kept_name_fkey")


def test_a_trigger_that_writes_to_a_protected_table_is_refused(small, vps):
    role = f"guest_{os.getpid()}"
    vps.sql("postgres", f"CREATE ROLE {role} LOGIN")
    try:
        small.target.sql("CREATE TABLE log (name text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
                         "$$ BEGIN INSERT INTO public.log VALUES (NEW.name); RETURN NEW; END $$;"
                         "CREATE TRIGGER note AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION note();"
                         f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT CREATE ON DATABASE {small.name} TO {role}")
        small.configure("protect: {tables: [public.log]}\nfold: {on_conflict: keep-target}\n",
                        target_url=small.target.url.replace("postgres@", f"{role}@", 1))
        refused(small, "public.log", "note", command=("fold", "--yes", "--no-owner", "--no-privileges"))
    finally:
        small.target.drop()
        vps.sql("postgres", f"DROP ROLE {role}")


@pytest.fixture
def roles(small, laptop, vps):
    """Roles `kept_N` and `other_N` in the source; the target has neither."""
    made = [f"kept_{os.getpid()}", f"other_{os.getpid()}"]
    laptop.sql("postgres", "; ".join(f"CREATE ROLE {name}" for name in made))
    yield made
    small.source.drop()
    small.target.drop()
    for server in (laptop, vps):
        server.sql("postgres", "; ".join(f"DROP ROLE IF EXISTS {name}" for name in made))


def test_a_protected_role_is_neither_made_nor_given_anything(small, roles, vps):
    kept, other = roles
    protect(small, "{roles: ['kept_*']}\nfold: {on_conflict: keep-target}")
    small.source.sql(f"CREATE TABLE mine (id int); ALTER TABLE mine OWNER TO {kept}")
    refused(small, f"role {kept} is protected: it is not created")
    vps.sql("postgres", f"CREATE ROLE {kept}")
    refused(small, f"role {kept} is protected: objects of this fold would belong to it")
    small.source.sql(f"ALTER TABLE mine OWNER TO postgres; GRANT SELECT ON mine TO {kept}")
    refused(small, f"role {kept} is protected: ACL of")
    small.source.sql(f"REVOKE ALL ON mine FROM {kept}; ALTER TABLE mine OWNER TO {other}; GRANT {kept} TO {other}")
    refused(small, f"role {kept} is protected: no membership", other)
    small.pgfold("fold", "--yes", "--no-owner", "--no-privileges", status=0)
    assert one(small, "role", kept)["verdict"] == "same"


def test_nobody_writes_as_a_protected_role(small):
    protect(small, "{roles: [postgres]}")
    refused(small, "postgres", "connect as another role")
    assert "connect as another" in small.pgfold("plan").out
    refused(small, "postgres", command=("fence", "laptop", "--yes"))


def test_a_fence_that_would_take_something_from_a_protected_role_is_refused(small, roles):
    kept = roles[0]
    small.source.sql(f"GRANT CONNECT ON DATABASE {small.name} TO {kept}")
    protect(small, "{roles: ['kept_*']}")
    refused(small, kept, command=("fence", "laptop", "--yes"))
    assert kept in small.source.sql("SELECT datacl FROM pg_database WHERE datname = current_database()")


def test_undo_does_not_touch_what_is_protected_by_now(small):
    small.configure("fold: {on_conflict: keep-target}\n")
    small.pgfold("fold", "--yes", status=0)
    for what in ("tables: [public.item]", "schemas: [public]", "databases: ['*']", "roles: [postgres]"):
        protect(small, f"{{{what}}}")
        refused(small, command=("undo", "1", "--yes"))
        refused(small, command=("undo", "1", "--dry-run"))
    protect(small, "{databases: [none]}")
    small.pgfold("undo", "1", "--yes", status=0)


def test_undo_drops_nothing_in_a_protected_schema(small):
    small.source.sql("CREATE SCHEMA made; CREATE FUNCTION made.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    small.configure("fold: {on_conflict: keep-target}\n")
    small.pgfold("fold", "--yes", status=0)
    protect(small, "{schemas: [made]}")
    refused(small, "schema made", command=("undo", "1", "--yes"))


def test_nothing_is_written_into_a_protected_path(small):
    folder = small.folder
    (folder / "archon").mkdir()
    (folder / "away").symlink_to("archon")
    (folder / "new").symlink_to("archon/new")
    protect(small, "{paths: ['archon/**', 'docs/*.md']}\nfold: {on_conflict: keep-target}")
    for place in ("archon/deep/er", "away/backups", "new"):
        refused(small, "backup folder", command=("fold", "--yes", "--backup-dir", place))
    assert_one_error(small.pgfold("backup", "--output", folder / "archon", status=4), "backup folder", "protected")
    small.pgfold("fold", "--yes", "--backup-dir", "archon2", status=0)
    assert one(small, "path", "archon/**")["verdict"] == "same"
    (folder / "docs").mkdir()
    assert_one_error(small.pgfold("report", "-o", "docs/fold.md", status=4), "docs/fold.md", "protected")
    small.pgfold("report", "-o", "docs/fold.txt", status=0)
    assert list((folder / "archon").iterdir()) == [] and not (folder / "docs" / "fold.md").exists()
    protect(small, "{paths: ['.pg*']}")
    refused(small, "the state folder", command=("status",))


def test_containers_are_asked_of_the_engine_that_is_there(model):
    tools = model.folder / "bin"
    tools.mkdir()
    state = model.folder / "state"
    state.write_text("running")
    engine = tools / "docker"
    engine.write_text(f'#!/bin/sh\nif [ "$1" = ps ]; then echo archon-db; echo web; else echo "abc123 $(cat {state})"; fi\n')
    engine.chmod(0o755)
    broken = "#!/bin/sh\necho 'the daemon is not running' >&2; exit 1\n"
    protect(model, "{containers: ['archon-*', gone]}")
    path = {"PATH": f"{tools}:/usr/bin:/bin"}
    result = during(model, lambda: state.write_text("exited"), env=path)
    assert (result.status, one(model, "container", "archon-db")["reason"]) == (1, "its state changed"), result
    model.source.sql("INSERT INTO item VALUES (8, 'eight')")
    result = during(model, lambda: engine.write_text(broken), env=path)
    item = one(model, "container", "archon-db")
    assert (result.status, item["verdict"]) == (0, "unreadable"), "what nobody can be asked about is not gone"
    assert "docker says: the daemon is not running" in item["reason"]
    model.pgfold("fold", "--yes", status=0, env=path)
    assert one(model, "container", "gone")["verdict"] == "unreadable"


def test_a_container_that_a_killed_run_left_is_stopped_by_start_alone_and_not_once_it_is_protected(small):
    tools, started, calls = small.folder / "bin", small.folder / "started", small.folder / "calls"
    tools.mkdir()
    engine = tools / "docker"
    said = ('[{"Id": "%s", "Name": "/app-db", "State": {"Running": \'$running\'}, "Config": {"Image": "postgres"}, '
            '"NetworkSettings": {"Ports": {}}, "HostConfig": {"PortBindings": {}}}]') % ("ab" * 32)
    engine.write_text(f"#!/bin/sh\necho $1 >> {calls}\nrunning=false; [ -e {started} ] && running=true\n"
                      f"case $1 in start) touch {started};; stop) rm {started};; *) echo '{said}';; esac\n")
    engine.chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin"}

    def configure(url, protected):
        small.configure(f"    container: app-db\n    engine: docker\nprotect: {{ containers: [{protected}] }}\n", source_url=url)
    configure("postgresql://postgres@127.0.0.1:1/x", "other")
    killed = small.pgfold.start("audit", "--start", env=env)
    wait_until(started.exists, "the start")
    killed.kill()
    killed.communicate()
    configure(None, "other")
    small.pgfold("audit", env=env, status=1)
    configure(None, "app-db")
    small.pgfold("audit", "--start", env=env, status=1)
    assert "stop" not in calls.read_text().split()
    configure(None, "other")
    small.pgfold("audit", "--start", env=env, status=1)
    assert "stop" in calls.read_text().split()


def test_a_protected_container_is_not_started(small):
    tools = small.folder / "bin"
    tools.mkdir()
    said = json.dumps([{"Id": "ab" * 32, "Name": "/archon-db", "State": {"Status": "exited", "Running": False}, "Config": {"Image": "postgres"},
                        "NetworkSettings": {"Ports": {}}, "HostConfig": {"PortBindings": {}}}])
    engine = tools / "docker"
    engine.write_text(f"#!/bin/sh\ncase $1 in start) touch {small.folder}/started;; *) echo '{said}';; esac\n")
    engine.chmod(0o755)
    protect(small, "{containers: ['archon-*']}")
    small.config.write_text(small.config.read_text().replace("name: laptop\n", "name: laptop\n    container: archon-db\n    engine: docker\n"))
    result = small.pgfold("fold", "--yes", "--start", status=4, env={"PATH": f"{tools}:/usr/bin:/bin"})
    assert_one_error(result, "archon-db", "protected")
    assert not (small.folder / "started").exists()
