"""`pgfold plan`: what a fold would do, and every reason why it would not; nothing is changed."""
import re

import pytest

import documents


def plan(pair, *arguments, status=None):
    document = documents.check(pair.pgfold("plan", "--json", *arguments, status=status).json(), "plan")
    assert document["may_fold"] == document["sources"][0]["may_fold"]
    assert status is None or document["may_fold"] == (status == 0)
    return document["sources"][0]


def relation(report, name):
    return next(r for r in report["relations"] if f"{r['schema']}.{r['name']}" == name)


def objects(report, kind):
    return {o["name"]: o["action"] for o in report["objects"] if o["type"] == kind}


def test_everything_is_new_where_the_target_does_not_exist(pair):
    pair.source.create().load("chinook")
    report = plan(pair.configure(), status=0)
    assert {r["action"] for r in report["relations"]} == {"new"}
    assert report["rows_to_copy"] == 15607 and report["bytes_to_copy"] > 0
    assert report["target_missing"] == pair.name and report["target"] is None
    assert len(objects(report, "TABLE")) == 11 and len(objects(report, "FK CONSTRAINT")) == 11
    assert not pair.target.exists(), "a plan changes nothing"


def test_the_text_tells_tables_objects_and_the_verdict(pair):
    pair.source.create().load("chinook")
    result = pair.configure().pgfold("plan", status=0)
    assert "a fold creates it" in result.out
    assert "public.track" in result.out and "fk constraint" in result.out
    assert "a fold may go on: 11 new tables, 15,607 rows" in result.out
    assert "INDEX public.album_artist_id_idx" not in result.out
    assert "INDEX public.album_artist_id_idx" in pair.pgfold("plan", "--verbose", status=0).out


def test_what_is_there_already_is_the_same(pair):
    for side in (pair.source, pair.target):
        side.create().load("chinook")
    report = plan(pair.configure(), status=0)
    assert {r["action"] for r in report["relations"]} == {"same"}
    assert {o["action"] for o in report["objects"]} <= {"same", "skip"}
    assert report["rows_to_copy"] == 0


def test_rows_on_both_sides_need_a_merge(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
    pair.target.sql("UPDATE t SET v = 3 WHERE id = 2; DELETE FROM t WHERE id = 1")
    report = plan(pair.configure(), status=1)
    assert relation(report, "public.t")["action"] == "merge"
    assert (report["may_fold"], report["blocks"], report["rows_in_conflict"], report["rows_to_merge"]) == (False, [], 1, 1)
    merge = relation(report, "public.t")["merge"]
    assert (merge["insert"], merge["value"], merge["stop"]) == (1, 1, 1)
    assert [(c["kind"], c["action"], c["key"], c["source"]["v"], c["target"]["v"]) for c in merge["conflicts"]] == \
        [("value", "stop", "id=2", "2", "3")]
    text = pair.pgfold("plan", status=1).out
    assert "a fold would stop: 1 row in conflict" in text
    assert re.search(r"^public\.t +value: stop +id=2 +v +'2' +'3'$", text, re.M)


def test_a_conflict_that_is_not_of_values_names_the_constraint(pair):
    for side in (pair.source, pair.target):
        side.create().sql("CREATE TABLE t (id int PRIMARY KEY, code text CONSTRAINT one_code UNIQUE)")
    pair.source.sql("INSERT INTO t VALUES (1, 'a')")
    pair.target.sql("INSERT INTO t VALUES (2, 'a')")
    assert re.search(r"^public\.t +unique one_code: stop +id=1 ", pair.configure().pgfold("plan", status=1).out, re.M)


def test_what_the_checks_found_stands_against_a_fold(pair):
    pair.source.create().sql("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p); "
                             "SET session_replication_role = replica; INSERT INTO c VALUES (1)")
    report = plan(pair.configure(), status=1)
    assert [f["check"] for f in report["findings"] if f["severity"] == "error"] == ["orphans"]
    assert any("public.c: c_p_fkey: 1 row" in block for block in report["blocks"])


def test_roles_are_named(pair):
    pair.source.create().sql("DROP ROLE IF EXISTS plan_owner; CREATE ROLE plan_owner; CREATE TABLE t (id int); "
                             "ALTER TABLE t OWNER TO plan_owner")
    roles = {role["name"]: role["exists"] for role in plan(pair.configure(), status=0)["roles"]}
    assert roles["plan_owner"] is False and roles["postgres"] is True
    assert plan(pair, "--no-owner", "--no-privileges", status=0)["may_fold"]
    pair.source.drop()
    pair.source.cluster.sql("postgres", "DROP ROLE plan_owner")


def test_skipped_tables_are_skipped(pair):
    pair.source.create().sql("CREATE TABLE t (id int); CREATE TABLE scratch (id int); INSERT INTO scratch VALUES (1)")
    pair.configure("fold:\n  tables:\n    public.scratch: { skip: true }\n")
    report = plan(pair, status=0)
    assert relation(report, "public.scratch")["action"] == "skip"
    assert report["rows_to_copy"] == 0


def test_a_plan_leaves_nothing_behind(pair, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pair.source.create().load("chinook")
    pair.configure().pgfold("plan", status=0, env={"TMPDIR": str(scratch)})
    assert list(scratch.iterdir()) == []
    busy = pair.source.cluster.sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%'")
    assert busy == "0"


@pytest.mark.parametrize("arguments", [["--source", "postgresql:///x"], ["--jobs", "x"], ["--no-such-option"]])
def test_wrong_arguments_are_usage_errors(pair, arguments):
    pair.configure()
    pair.pgfold("plan", *arguments, status=2)
