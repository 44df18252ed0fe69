"""What is protected is refused wherever something would touch it, and proven untouched (docs/protect.md)."""
import json
import os

import pytest

import harness
from folding import Lock, wait_until


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
    found = [item for item in receipt(pair)["protected"] if (item["kind"], item["name"]) == (kind, name)]
    assert len(found) == 1, receipt(pair)["protected"]
    return found[0]


def during(pair, action):
    """Does something while a fold waits for a lock on the target's table, which it needs for its commit."""
    lock = Lock(pair.target.cluster, pair.target.name, "LOCK TABLE public.item IN ROW EXCLUSIVE MODE")
    process = pair.pgfold.start("fold", "--yes")
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
    assert receipt(model)["version"] == 3 and receipt(model)["fingerprint"] == "full"
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
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE more ()"))
    assert result.status == 1, result
    assert one(model, "database", model.archon.name)["reason"].split("; ") == [
        "its definitions changed", "public.note: 2 rows before, 1 after", "public.task: other values",
        "sequence public.note_id_seq changed", "public.more is new"]


def test_vacuum_and_statistics_are_no_change(model):
    result = during(model, lambda: model.archon.cluster.psql(model.archon.name, "-c", "VACUUM FULL", "-c", "ANALYZE",
                                                                 "-c", "REINDEX TABLE task", "-c", "CREATE TEMP TABLE t (a int)"))
    assert result.status == 0 and "unchanged (2 tables, 22 rows)" in result.out, result


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
