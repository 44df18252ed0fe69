"""One of everything that a database may hold (tests/data/zoo), folded: nothing is lost, and nothing is changed."""
import json

import pytest

import harness
from folding import assert_one_error, assert_same, whole

ROLES = """SELECT r.rolname, r.rolcanlogin, r.rolinherit, r.rolconnlimit, r.rolsuper,
                  (SELECT string_agg(g.rolname, ',' ORDER BY 1) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
             FROM pg_roles r WHERE r.rolname LIKE 'zoo%' ORDER BY 1"""


class Zoo:
    def __init__(self, source, target, pgfold, before, result):
        self.source = source
        self.target = target
        self.pgfold = pgfold
        self.before = before
        self.result = result


@pytest.fixture(scope="module")
def zoo(machine, tmp_path_factory):
    """Folded once for all tests here: they only look."""
    laptop, vps = machine.cluster(wal_level="logical"), machine.cluster(wal_level="logical")
    folder = tmp_path_factory.mktemp("zoo")
    source = laptop.create("zoo").load("zoo")
    target = vps.database("zoo")
    pgfold = harness.Pgfold(machine, folder)
    (folder / "pgfold.yaml").write_text(f"version: 1\ntarget:\n  url: \"{target.url}\"\n"
                                        f"sources:\n  - name: laptop\n    url: \"{source.url}\"\n", encoding="utf-8")
    before = whole(source)
    result = pgfold("fold", "--yes", status=0)
    yield Zoo(source, target, pgfold, before, result)
    machine.forget(laptop)
    machine.forget(vps)


def test_the_zoo_arrives_whole(zoo):
    assert_same(whole(zoo.target), zoo.before)


def test_the_source_is_as_it_was(zoo):
    assert_same(whole(zoo.source), zoo.before)


def test_verify_finds_all_of_the_zoo(zoo):
    zoo.pgfold("verify", status=0)


def test_roles_come_with_their_attributes_and_memberships_but_without_power(zoo):
    assert zoo.target.sql(ROLES) == zoo.source.sql(ROLES)


def test_materialized_views_are_filled_in_the_order_in_which_they_need_each_other(zoo):
    assert zoo.target.sql("SELECT total, views FROM zoo.mm_third") == "400|2"
    assert zoo.target.sql("SELECT relispopulated FROM pg_class WHERE relname = 'not_filled'") == "f"


def test_sequences_are_where_they_were_called_or_not(zoo):
    ask = ("SELECT (SELECT (last_value, is_called) FROM zoo.never_used), (SELECT (last_value, is_called) FROM zoo.down), "
           "(SELECT (last_value, is_called) FROM zoo.set_not_called), (SELECT (last_value, is_called) FROM zoo.huge), "
           "(SELECT (last_value, is_called) FROM zoo.around)")
    assert zoo.target.sql(ask) == "(50,f)|(1,t)|(77,f)|(9223372036854775807,t)|(3,t)" == zoo.source.sql(ask)


def test_large_objects_come_with_owner_privileges_and_comment(zoo):
    ask = ("SELECT m.oid, pg_get_userbyid(lomowner), lomacl, obj_description(m.oid, 'pg_largeobject'), length(lo_get(m.oid)), md5(lo_get(m.oid)) "
           "FROM pg_largeobject_metadata m ORDER BY 1")
    got = zoo.target.sql(ask)
    assert got == zoo.source.sql(ask)
    assert [line.split("|")[4] for line in got.splitlines()] == ["0", "5", "3145729", "16384"]


def test_a_statement_timeout_of_the_database_does_not_matter(zoo):
    assert zoo.source.sql("SHOW statement_timeout") == "200ms"
    assert zoo.target.sql("SHOW statement_timeout") == "200ms"


def test_folding_the_zoo_again_does_nothing(zoo):
    counted = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_all_tables WHERE schemaname !~ '^pg_'"
    before = zoo.target.sql(counted)
    result = zoo.pgfold("fold", "--yes", status=0)
    assert "0 new" in result.err
    assert zoo.target.sql(counted) == before
    assert_same(whole(zoo.target), zoo.before)


def test_the_receipt_names_every_table_and_every_kind_of_object(zoo):
    path = sorted((zoo.pgfold.cwd / ".pgfold" / "receipts").glob("*.json"))[0]
    receipt = json.loads(path.read_text(encoding="utf-8"))
    named = {f"{r['schema']}.{r['name']}" for r in receipt["relations"]}
    there = set(zoo.source.sql("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
                               "ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information)'").splitlines())
    assert named == there
    kinds = {o["kind"]: o["target"] for o in receipt["objects"]}
    assert kinds["filled materialized view"] == 3 and kinds["policy"] == 2 and kinds["publication"] == 3
    zoo.pgfold("verify", "--receipt", path, status=0)


def test_the_owner_of_a_view_or_table_may_still_use_it(zoo):
    assert zoo.target.sql("SET ROLE \"zoo keeper\"; SELECT count(*) FROM zoo.staff") == "4"


@pytest.mark.parametrize("last", [
    "CREATE TABLE zoo.zz_last (n int CHECK (zoo.works(n))); INSERT INTO zoo.zz_last VALUES (1)",
    "CREATE MATERIALIZED VIEW zoo.zz_last AS SELECT 1 AS one WHERE zoo.works(1)",  # filled after all else is there
])
def test_a_zoo_that_fails_in_a_database_that_was_there_leaves_nothing(zoo, last):
    target = zoo.target.cluster.create("there")
    zoo.source.sql("CREATE FUNCTION zoo.works(n int) RETURNS bool LANGUAGE plpgsql AS "
                   "$$ BEGIN IF current_setting('test.fails', true) = 'yes' THEN RAISE 'as told'; END IF; RETURN true; END $$; " + last)
    try:
        target.sql("CREATE TABLE keep (id int PRIMARY KEY); INSERT INTO keep VALUES (1); SELECT lo_from_bytea(1, 'x'); SELECT lo_unlink(1);"
                   "ALTER DATABASE there SET test.fails = 'yes'")
        before = whole(target)
        result = zoo.pgfold("fold", "--yes", "--no-backup", "--source", zoo.source.url, "--target", target.url, status=5)
        assert_one_error(result, "zz_last", state="taken away again")
        assert_same(whole(target), before)
        # The same once more, to the end: now nothing fails.
        target.sql("ALTER DATABASE there RESET test.fails")
        zoo.pgfold("fold", "--yes", "--no-backup", "--source", zoo.source.url, "--target", target.url, status=0)
        zoo.pgfold("verify", "--source", zoo.source.url, "--target", target.url, status=0)
        assert target.sql("SELECT id FROM public.keep") == "1"
    finally:
        zoo.source.sql("DROP FUNCTION zoo.works CASCADE; DROP TABLE IF EXISTS zoo.zz_last; DROP MATERIALIZED VIEW IF EXISTS zoo.zz_last")
        target.drop()
