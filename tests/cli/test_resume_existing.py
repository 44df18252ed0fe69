"""A fold that was killed while it made new tables in a database that exists: the next one goes on from them, and touches nothing else."""
import pytest

import harness
from folding import Lock, assert_one_error, assert_same, wait_until, whole
from test_fold_faults import BLOCKED, SLEEPING, make_held
from test_resume import kill, receipt, steps

THERE = """
    CREATE TABLE mine (id int PRIMARY KEY, v text); INSERT INTO mine VALUES (1, 'mine'), (2, 'too');
    CREATE VIEW see AS SELECT * FROM mine; SELECT lo_from_bytea(99, 'own');
"""
NOT_MINE = ("--exclude-table=mine", "--exclude-table=see", "--exclude-schema=pgfold_undo_*", "--no-blobs")


@pytest.fixture
def held(pair, running, machine, laptop, vps, request):
    """Its target has a table, a view and a large object of its own. Large objects of both sides are not folded."""
    for made in make_held(pair, running, machine, laptop, vps, request):
        made.pair.source.sql("SELECT lo_unlink(4711)")
        made.pair.target.create().sql(THERE)
        yield made


def fold(held, *options):
    return held.pair.pgfold("fold", "--yes", "--no-backup", *options, status=0)


def goes_on(held, *options):
    result = fold(held, *options)
    assert "this one goes on from what it has left" in result.err and "was made anew" not in result.out, result
    assert "goes on from run" in " ".join(receipt(held)["notes"])
    assert_arrived(held)
    return result


def lines(database, *options):
    """Of its dump: all that says something, but of the database itself."""
    return sorted(line for line in whole(database, *options) if line.strip("-") and "DATABASE" not in line)


def assert_arrived(held):
    """All that the source has, as it has it, and what the target had of its own, as it was; no trace of how."""
    assert_same(lines(held.pair.target, *NOT_MINE), lines(held.pair.source))
    assert_own(held)
    assert "left in the target" not in held.pair.pgfold("status", status=0).out


def assert_own(held):
    target = held.pair.target
    assert target.sql("SELECT string_agg(id || v, ' ' ORDER BY id), (SELECT string_agg(oid || convert_from(lo_get(oid), 'UTF8'), ' ') "
                      "FROM pg_largeobject_metadata WHERE oid = 99) FROM see") == "1mine 2too|99own"
    assert target.sql("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^pgfold_[0-9]'") == "0"
    assert held.vps.sql("postgres", "SELECT count(*) FROM pg_shdescription WHERE description LIKE 'pgfold%'") == "0"


def test_what_has_arrived_in_a_database_that_exists_is_not_sent_again(held):
    kill(held, "statistics")
    result = goes_on(held)
    assert steps(held, "copy") == [] and steps(held, "index") + steps(held, "constraint") == []
    assert "200 rows of 2 tables were there already" in result.out


@pytest.mark.long
def test_a_table_that_was_on_its_way_is_sent_again_and_one_that_had_arrived_is_not(held):
    kill(held, "rows", lambda: held.pair.target.sql("SELECT count(*) FROM two") == "100")
    goes_on(held)
    assert steps(held, "copy") == ["public.one"]


@pytest.mark.parametrize("phase", ["indexes", pytest.param("statistics", marks=pytest.mark.long)])
def test_what_the_source_or_somebody_has_changed_meanwhile_is_sent_again(held, phase):
    kill(held, phase)
    held.pair.source.sql("UPDATE one SET v = 'changed' WHERE id = 7; INSERT INTO one VALUES (101, 'new')")
    held.pair.target.sql("INSERT INTO two VALUES (500, 1); UPDATE mine SET v = 'mine' WHERE id = 1")
    goes_on(held)
    assert sorted(steps(held, "copy")) == ["public.one", "public.two"]


@pytest.mark.parametrize("phase, server, change, reason", [
    ("indexes", "target", "DROP TABLE two", "TABLE two is not there"),
    pytest.param("indexes", "source", "DROP TABLE two CASCADE; CREATE VIEW two AS SELECT 1 AS id, 1 AS one", "not so, in the source", marks=pytest.mark.long),
    pytest.param("indexes", "source", "CREATE TABLE later (id int PRIMARY KEY)", "TABLE later is not there", marks=pytest.mark.long),
    pytest.param("indexes", "source", "ALTER TABLE two ADD extra int DEFAULT 7", "not so, in the source", marks=pytest.mark.long),
    pytest.param("views", "source", "INSERT INTO two VALUES (101, 1)", "triggers or views are there already", marks=pytest.mark.long),
])
def test_what_no_longer_fits_is_made_anew(held, phase, server, change, reason):
    kill(held, phase)
    getattr(held.pair, server).sql(change)
    result = fold(held)
    assert "was made anew" in result.out and reason in result.out, result
    assert "was made anew" in " ".join(receipt(held)["notes"])
    assert_arrived(held)


MET = "CREATE TABLE met (id int PRIMARY KEY, v text); CREATE TABLE child (id int PRIMARY KEY, met int REFERENCES met); "


@pytest.mark.long
def test_tables_that_both_sides_have_are_merged_as_if_nothing_had_happened(held):
    """The foreign key of a new table to one that is merged comes with the merge."""
    held.pair.source.sql(MET + "INSERT INTO met SELECT g, 'v' FROM generate_series(1, 5) g; INSERT INTO child VALUES (1, 1), (2, 5)")
    held.pair.target.sql("CREATE TABLE met (id int PRIMARY KEY, v text); INSERT INTO met VALUES (4, 'v'), (6, 'theirs')")
    kill(held, "statistics")
    result = fold(held)
    assert "this one goes on" in result.err and "was made anew" not in result.out
    assert steps(held, "copy") == []
    assert held.pair.target.sql("SELECT string_agg(conname, ',') FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid = 'child'::regclass") == "child_met_fkey"
    assert held.pair.target.sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM met") == "1,2,3,4,5,6"
    assert_own(held)


def test_rows_of_a_merge_come_before_those_that_refer_to_them(held):
    """The dead run had nothing to merge, and the foreign key is there already."""
    held.pair.source.sql(MET + "INSERT INTO met VALUES (1, 'v'); INSERT INTO child VALUES (1, 1)")
    held.pair.target.sql("CREATE TABLE met (id int PRIMARY KEY, v text); INSERT INTO met VALUES (1, 'v')")
    kill(held, "statistics")
    held.pair.source.sql("INSERT INTO met VALUES (2, 'new'); INSERT INTO child VALUES (2, 2)")
    goes_on(held)
    assert "public.child" in steps(held, "copy") and "public.one" not in steps(held, "copy")


@pytest.mark.long
def test_tables_that_are_there_keep_their_rows_whatever_becomes_of_the_rest(held):
    """One is left out, of one the target has more, one is merged; what the dead run has made is made anew."""
    three = "CREATE TABLE {0}1 (id int PRIMARY KEY, v text); CREATE TABLE {0}2 (id int PRIMARY KEY, v text); CREATE TABLE {0}3 (id int PRIMARY KEY, v text); "
    held.pair.source.sql(three.format("t") + "INSERT INTO t1 VALUES (1, 'x'); INSERT INTO t2 VALUES (1, 'v'); INSERT INTO t3 VALUES (1, 'v'), (2, 'v')")
    held.pair.target.sql(three.format("t") + "INSERT INTO t1 VALUES (9, 'own'); INSERT INTO t2 VALUES (1, 'v'), (9, 'own'); INSERT INTO t3 VALUES (2, 'v'), (9, 'own')")
    held.pair.configure("fold:\n  tables:\n    public.t1: { skip: true }\n")
    kill(held, "indexes")
    held.pair.target.sql("DROP TABLE two")
    result = fold(held)
    assert "was made anew: TABLE two is not there" in result.out
    rows = held.pair.target.sql("SELECT (SELECT string_agg(id || v, ' ' ORDER BY id) FROM t1), (SELECT string_agg(id || v, ' ' ORDER BY id) FROM t2), "
                                "(SELECT string_agg(id || v, ' ' ORDER BY id) FROM t3), (SELECT count(*) FROM two)")
    assert rows == "9own|1v 9own|1v 2v 9own|100"
    assert_own(held)


def test_it_is_undone_as_a_whole(held):
    before = lines(held.pair.target)
    kill(held, "indexes")
    result = goes_on(held)
    held.pair.pgfold("undo", result.out.split("pgfold undo ")[1].split()[0], "--yes", status=0)
    assert lines(held.pair.target) == before
    assert_own(held)


def test_killed_again_before_and_while_it_looks_at_what_is_there_it_still_goes_on(held):
    """The second run waits for somebody who reads the table that it is to empty."""
    kill(held, "statistics")
    wait_until(lambda: held.vps.sql("postgres", SLEEPING) == "0", "the end of what was held")
    held.pair.source.sql("INSERT INTO two VALUES (101, 1)")
    lock = Lock(held.vps, held.pair.name, "LOCK TABLE two IN ACCESS SHARE MODE")
    second = held.running("fold", "--yes", "--no-backup")
    wait_until(lambda: held.vps.sql("postgres", BLOCKED) != "0", "the second run")
    second.kill()
    second.communicate()
    lock.release()
    goes_on(held)
    assert steps(held, "copy") == ["public.two"]


@pytest.mark.long
def test_large_objects_are_brought_again(held):
    held.pair.target.sql("SELECT lo_unlink(99)")
    held.pair.source.sql("SELECT lo_from_bytea(4711, 'large')")
    kill(held, "statistics")
    assert "this one goes on" in fold(held).err
    assert_same(lines(held.pair.target, "--exclude-table=mine", "--exclude-table=see"), lines(held.pair.source))
    assert steps(held, "copy") == []


def test_large_objects_of_others_stay(held):
    """They came meanwhile, and stand against the fold: what was left is taken away, and nothing else."""
    held.pair.target.sql("SELECT lo_unlink(99)")
    held.pair.source.sql("SELECT lo_from_bytea(4711, 'large')")
    kill(held, "statistics")
    held.pair.target.sql("SELECT lo_from_bytea(99, 'own')")
    result = held.pair.pgfold("fold", "--yes", "--no-backup", status=4)
    assert "both sides have large objects" in result.err
    assert held.pair.target.sql("SELECT count(*), to_regclass('one') FROM pg_largeobject_metadata") == "1|"
    assert_own(held)


@pytest.mark.long
def test_what_others_have_made_under_its_names_stays(held):
    kill(held, "indexes")
    held.pair.target.sql("DROP TABLE two; CREATE VIEW two AS SELECT 'theirs' AS whose")
    held.pair.pgfold("fold", "--yes", "--no-backup")
    assert held.pair.target.sql("SELECT whose FROM two") == "theirs"


@pytest.mark.long
def test_where_names_do_not_tell_objects_apart_all_is_made_anew(held):
    held.pair.source.sql("CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int); "
                         "CREATE OPERATOR === (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)")
    kill(held, "indexes")
    result = fold(held)
    assert "Took away what an earlier run had left" in result.err and "goes on" not in result.err
    assert_arrived(held)


@pytest.mark.long
def test_a_schema_that_gets_another_name_arrives(held):
    """What is left of it is made anew: whose the schema is, is not the source's business."""
    held.pair.configure("    into: { schema: other }\n")
    kill(held, "statistics")
    assert "this one goes on" in fold(held).err
    assert held.pair.target.sql("SELECT count(*), to_regclass('public.one') FROM other.two") == "100|"
    assert_own(held)


@pytest.mark.long
def test_what_another_source_has_left_is_taken_away(held):
    kill(held, "indexes")
    other = held.pair.source.cluster.database(held.pair.name + "_other").create()
    other.sql("CREATE TABLE another (id int PRIMARY KEY); INSERT INTO another VALUES (1)")
    try:
        held.pair.pgfold("fold", "--yes", "--no-backup", "--source", other.url, "--target", held.pair.target.url, status=0)
        assert held.pair.target.sql("SELECT to_regclass('one'), count(*) FROM another") == "|1"
        assert_own(held)
    finally:
        other.drop()


@pytest.fixture
def elsewhere(held, machine, tmp_path_factory):
    """Folds another source, with a row more of one table, from another state folder into the same target."""
    other = held.pair.source.cluster.database(held.pair.name[:50] + "_other").create()
    other.sql("CREATE TABLE one (id int PRIMARY KEY, v text); INSERT INTO one VALUES (1000, 'theirs')")
    pgfold = harness.Pgfold(machine, tmp_path_factory.mktemp("elsewhere"))
    yield lambda status: pgfold("fold", "--yes", "--no-backup", "--source", other.url, "--target", held.pair.target.url, status=status)
    other.drop()


ONE = "SELECT count(*), count(*) FILTER (WHERE id = 1000) FROM one"


def test_a_fold_from_another_state_folder_keeps_away_from_what_is_not_finished(held, elsewhere):
    """Its ledger knows nothing of the run that died, which would take its rows away again."""
    kill(held, "indexes")
    assert_one_error(elsewhere(4), "has left something unfinished", "DROP SCHEMA pgfold_1_", state="nothing was changed")
    assert held.pair.target.sql(ONE) == "100|0"
    goes_on(held)
    elsewhere(0)
    fold(held)
    assert held.pair.target.sql(ONE) == "101|1"


@pytest.mark.long
def test_without_its_mark_what_was_left_is_everybodys(held, elsewhere):
    kill(held, "indexes")
    marker = elsewhere(4).err.split("DROP SCHEMA ")[1].split()[0]
    held.pair.target.sql(f"DROP SCHEMA {marker}")
    elsewhere(0)
    held.pair.pgfold("fold", "--yes", "--no-backup")
    assert held.pair.target.sql(ONE) == "101|1"


@pytest.mark.long
def test_only_looking_leaves_it_where_it_is(held):
    kill(held, "statistics")
    assert "would go on from what it has left" in held.pair.pgfold("fold", "--dry-run", status=0).err
    assert held.pair.target.sql("SELECT count(*) FROM one") == "100"
