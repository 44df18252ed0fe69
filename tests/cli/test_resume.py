"""A fold into a new database that was killed: the next one goes on from what is there, and trusts nothing of it."""
import json
import sqlite3

import pytest

from folding import Lock, assert_same, wait_until, whole
from test_fold_faults import BLOCKED, SLEEPING, make_held


@pytest.fixture
def held(pair, running, machine, laptop, vps, request):
    yield from make_held(pair, running, machine, laptop, vps, request)


def kill(held, phase, when=None):
    held.start(phase)
    if when is not None:
        wait_until(when, "what is to be there by then")
    held.process.kill()
    held.process.communicate()
    held.let_go()
    for name in ("rows", "indexes", "statistics", "views"):
        (held.folder / f"target.{name}.go").touch()


def steps(held, name):
    """Items of the steps of that name, in the newest run."""
    with sqlite3.connect(held.pair.folder / ".pgfold" / "ledger.db") as db:
        return [item for item, in db.execute("SELECT item FROM step WHERE run_id = (SELECT max(id) FROM run WHERE command = 'fold') AND name = ? ORDER BY id", (name,))]


def receipt(held):
    newest = sorted((held.pair.folder / ".pgfold" / "receipts").glob("*.json"))[-1]
    return json.loads(newest.read_text(encoding="utf-8"))


def assert_whole(held):
    """As an undisturbed fold leaves it."""
    assert_same(whole(held.pair.target), whole(held.pair.source))
    assert held.vps.sql("postgres", "SELECT count(*) FROM pg_shdescription WHERE description LIKE 'pgfold%'") == "0"


def test_what_has_arrived_is_not_sent_again(held):
    kill(held, "statistics")
    result = held.fold_well()
    assert steps(held, "copy") == []
    assert steps(held, "index") + steps(held, "constraint") == []
    assert "200 rows of 2 tables were there already" in result.out
    assert any("200 rows of 2 tables were there" in note for note in receipt(held)["notes"])
    assert_whole(held)


def test_a_table_that_was_on_its_way_is_sent_again(held):
    held.pair.source.sql("CREATE TABLE three AS SELECT generate_series(1, 50) AS id")
    kill(held, "rows")
    held.fold_well()
    assert "public.one" in steps(held, "copy")
    assert_whole(held)


@pytest.mark.parametrize("phase", ["indexes", "statistics"])
def test_what_the_source_has_changed_meanwhile_is_sent_again(held, phase):
    """Also where foreign keys stand in the way by then."""
    kill(held, phase)
    held.pair.source.sql("UPDATE one SET v = 'changed' WHERE id = 7; INSERT INTO one VALUES (101, 'new'); DELETE FROM two WHERE id = 3")
    held.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert sorted(steps(held, "copy")) == ["public.one", "public.two"]
    assert_whole(held)


@pytest.mark.parametrize("phase, change, reason", [
    ("views", "INSERT INTO two VALUES (101, 1)", "triggers or views are there already"),
    ("indexes", "ALTER TABLE two ADD extra int DEFAULT 7", "not so, in the source"),
    ("indexes", "DROP VIEW through", "not so, in the source"),
    ("indexes", "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1)", "before all tables were made"),
])
def test_what_no_longer_fits_is_made_anew(held, phase, change, reason):
    kill(held, phase)
    held.pair.source.sql(change)
    result = held.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "was made anew" in result.out and reason in result.out, result
    assert_whole(held)


@pytest.mark.long  # PostGIS is there
def test_the_tables_of_an_extension_keep_their_rows(held):
    """They came with it, and are not looked at in the source."""
    held.pair.source.sql("CREATE EXTENSION postgis")
    kill(held, "indexes")
    held.fold_well()
    ask = "SELECT count(*) FROM spatial_ref_sys"
    assert held.pair.target.sql(ask) == held.pair.source.sql(ask) != "0"


@pytest.mark.parametrize("option, ask", [
    ("--no-privileges", "SELECT count(*) FROM pg_class WHERE relname = 'one' AND relacl IS NULL"),
    ("--no-owner", "SELECT count(*) FROM pg_class WHERE relname = 'two' AND relowner = 'postgres'::regrole"),
])
def test_what_is_left_out_by_now_does_not_stay(held, option, ask):
    held.pair.source.sql("GRANT SELECT ON one TO PUBLIC")
    kill(held, "views")
    result = held.pair.pgfold("fold", "--yes", "--no-backup", option, status=0)
    assert "was made anew" in result.out
    assert held.pair.target.sql(ask) == "1"


def test_a_role_that_nothing_belongs_to_by_now_goes(held):
    kill(held, "indexes")
    assert held.vps.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'held_owner'") == "1"
    held.pair.source.sql("ALTER TABLE two OWNER TO postgres")
    held.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert held.vps.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'held_owner'") == "0"
    held.pair.source.sql("ALTER TABLE two OWNER TO held_owner")


def test_a_database_that_had_its_settings_is_made_anew(held):
    held.pair.source.sql(f"CREATE PUBLICATION pub FOR TABLE one; ALTER DATABASE \"{held.pair.name}\" SET work_mem = '5MB'")
    kill(held, "commit")
    held.vps.sql("postgres", f"ALTER DATABASE \"{held.stage()}\" SET work_mem = '6MB'")
    held.pair.source.sql(f"ALTER DATABASE \"{held.pair.name}\" RESET work_mem")
    result = held.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "had its settings" in result.out
    assert held.vps.sql("postgres", "SELECT count(*) FROM pg_db_role_setting") == "0"
    assert_whole(held)


def test_a_role_that_may_ask_for_files_and_not_read_them_folds(held):
    """EXECUTE on pg_read_file() without membership in pg_read_server_files."""
    held.vps.sql("postgres", "CREATE ROLE plain LOGIN")
    held.pair.target.create().sql("GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO plain; GRANT CREATE ON SCHEMA public TO plain; "
                                  f'GRANT CREATE ON DATABASE "{held.pair.name}" TO plain')
    held.pair.source.sql("DROP TABLE two; DROP MATERIALIZED VIEW seen; DROP VIEW through; DROP TABLE one; DROP FUNCTION held; SELECT lo_unlink(4711); "
                         "CREATE TABLE x (id int PRIMARY KEY); INSERT INTO x VALUES (1)")
    try:
        held.pair.configure(target_url=held.pair.target.url.replace("postgres@", "plain@"))
        held.pair.pgfold("fold", "--yes", "--no-backup", "--no-owner", status=0)
    finally:
        held.pair.target.drop()
        held.vps.sql("postgres", "DROP ROLE plain")


def test_rows_of_a_table_that_is_left_out_by_now_go(held):
    kill(held, "indexes")
    held.pair.configure("fold:\n  tables:\n    public.two: { skip: true }\n")
    held.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert held.pair.target.sql("SELECT count(*) FROM two") == "0"
    assert held.pair.target.sql("SELECT count(*) FROM one") == "100"


def test_a_database_that_somebody_has_dropped_is_made_anew(held):
    kill(held, "indexes")
    wait_until(lambda: [held.vps.database(name).drop() for name in held.vps.databases() if name.startswith("pgfold")] and
               not [name for name in held.vps.databases() if name.startswith("pgfold")], "the end of what was left")
    held.fold_well()
    assert_whole(held)


def test_rows_that_somebody_has_changed_there_are_not_trusted(held):
    kill(held, "statistics")
    held.vps.database(held.stage()).sql("UPDATE one SET v = 'forged' WHERE id = 50")
    held.fold_well()
    assert "public.one" in steps(held, "copy")
    assert_whole(held)


def test_killed_twice_it_still_goes_on(held):
    kill(held, "rows")
    wait_until(lambda: held.vps.sql("postgres", SLEEPING) == "0", "the end of what was held")
    for name in held.folder.iterdir():
        name.unlink()
    kill(held, "statistics")
    held.fold_well()
    assert steps(held, "copy") == []
    assert_whole(held)


def test_what_another_source_has_left_is_taken_away(held):
    kill(held, "indexes")
    left = held.stage()
    other = held.pair.source.cluster.database(held.pair.name + "_other").create()
    other.sql("CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1)")
    try:
        held.pair.pgfold("fold", "--yes", "--no-backup", "--source", other.url, "--target", held.pair.target.url, status=0)
        assert left not in held.vps.databases()
        assert held.pair.target.sql("SELECT count(*) FROM one") == "1"
    finally:
        other.drop()


def test_a_name_that_a_killed_run_still_gives_is_found(held):
    """pgfold is dead, its session renames the database while the next fold waits for the lock of the target."""
    held.hold("target.views")
    held.start("views")
    lock = Lock(held.vps, "postgres", "LOCK TABLE pg_database IN SHARE MODE")
    (held.folder / "target.views.go").touch()
    wait_until(lambda: held.vps.sql("postgres", BLOCKED + " AND query LIKE 'ALTER DATABASE%RENAME%'") != "0", "the last statement")
    held.process.kill()
    held.process.communicate()
    held.let_go()
    again = held.running("fold", "--yes", "--no-backup")
    wait_until(lambda: held.vps.sql("postgres", BLOCKED + " AND query LIKE '%pg_advisory_lock%'") != "0", "the next fold")
    lock.release()
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert_whole(held)
    assert held.vps.databases() == held.before[0] | {held.pair.name}


def test_only_looking_leaves_it_where_it_is(held):
    kill(held, "indexes")
    left = held.stage()
    held.pair.pgfold("plan", status=0)
    result = held.pair.pgfold("fold", "--dry-run", status=0)
    assert "would go on from what it has left" in result.err
    assert left in held.vps.databases()
    held.fold_well()
