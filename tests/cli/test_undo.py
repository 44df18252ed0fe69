"""`pgfold undo`: a fold is taken out again as a whole, or nothing is, and then the rows that stand against it are named."""
import json

import pytest

import documents
import merging
from folding import assert_one_error, assert_same, whole

REFUSED = 4  # exit status where a later change would be lost
BOTH = """
    CREATE TABLE people (id serial PRIMARY KEY, name text, at timestamptz);
    CREATE TABLE pets (id serial PRIMARY KEY, owner int REFERENCES people, name text);
    CREATE TABLE log (v text);
    INSERT INTO people (name) VALUES ('both'); INSERT INTO pets (owner, name) VALUES (1, 'Rex'); INSERT INTO log VALUES ('a'), ('a');
"""
MINE = "INSERT INTO people (name) VALUES ('mine'), ('me too'); INSERT INTO pets (owner, name) VALUES (2, 'Tom'), (3, 'Kit'); INSERT INTO log VALUES ('a'), ('b');" \
       "UPDATE pets SET name = 'Rex II' WHERE id = 1;"
THEIRS = "INSERT INTO people (name) VALUES ('theirs'); INSERT INTO pets (owner, name) VALUES (2, 'Leo'); INSERT INTO log VALUES ('c');"
NEW = "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE diary (id serial PRIMARY KEY, person int REFERENCES people, m mood); CREATE INDEX ON diary (person);" \
      "INSERT INTO diary (person, m) VALUES (1, 'ok'); CREATE VIEW short AS SELECT id FROM diary;"
UNDO = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold_undo%'"
RULES = "fold:\n  tables:\n    public.people: {on_conflict: rekey}\n    public.pets: {on_conflict: %s}\n"


@pytest.fixture
def merged(pair):
    """merged(source, pets): a fold of BOTH and more, with people rekeyed; the dump from before it is merged.before."""
    def make(more="", pets="take-source"):
        pair.source.create().sql(BOTH + MINE + more)
        pair.target.create().sql(BOTH + THEIRS)
        pair.configure(RULES % pets)
        make.before = whole(pair.target)
        pair.pgfold("fold", "--yes", "--no-backup", status=0)
        make.run = merging.runs(pair.folder)[-1]
        assert whole(pair.target) != make.before
        return pair
    return make


def restored(pair, before):
    assert_same(merging.settled(whole(pair.target)), merging.settled(before))
    assert pair.target.sql(UNDO) == "0"


def refused(pair, run, *words):
    before = whole(pair.target)
    assert_one_error(pair.pgfold("undo", run, "--yes", status=REFUSED), *words)
    assert_same(whole(pair.target), before)


@pytest.mark.parametrize("pets", ["take-source", "rekey", "keep-target", "newest(id)"])
def test_undo_restores_what_was_there_before(pair, merged, pets):
    merged(pets=pets)
    pair.pgfold("undo", merged.run, "--yes", status=0)
    restored(pair, merged.before)
    assert pair.target.sql("SELECT string_agg(v, '' ORDER BY v) FROM log") == "aac", "as often as before"
    pair.pgfold("verify", status=1)


def test_undo_takes_new_tables_and_other_objects_too(pair, merged):
    merged(NEW)
    assert pair.target.sql("SELECT count(*) FROM diary") == "1"
    pair.pgfold("undo", merged.run, "--yes", status=0)
    restored(pair, merged.before)
    assert pair.target.sql("SELECT to_regclass('diary'), to_regtype('mood'), to_regclass('short')") == "||"


def test_after_undo_the_fold_can_be_done_again(pair, merged):
    merged(NEW)
    stories = "SELECT string_agg(people.name || pets.name, ' ' ORDER BY people.name, pets.name) FROM pets JOIN people ON people.id = owner"
    first = pair.target.sql(stories)
    pair.pgfold("undo", merged.run, "--yes", status=0)
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert pair.target.sql(stories) == first
    pair.pgfold("verify", status=0)


def test_what_others_wrote_since_elsewhere_stays(pair, merged):
    merged()
    pair.target.sql("INSERT INTO log VALUES ('later'); INSERT INTO people (name) VALUES ('later'); UPDATE people SET name = 'BOTH' WHERE id = 1")
    pair.pgfold("undo", merged.run, "--yes", status=0)
    assert pair.target.sql("SELECT string_agg(name, ' ' ORDER BY name) FROM people") == "BOTH later theirs"
    assert pair.target.sql("SELECT string_agg(v, ' ' ORDER BY v) FROM log") == "a a c later"
    assert pair.target.sql("SELECT name FROM pets WHERE id = 1") == "Rex"


@pytest.mark.parametrize("change, words", [
    ("UPDATE people SET name = 'changed' WHERE name = 'me too'", ["public.people", "{key}"]),
    ("UPDATE pets SET name = 'Rex III' WHERE id = 1", ["public.pets", "id=1"]),
    ("INSERT INTO pets (owner, name) SELECT id, 'later' FROM people WHERE name = 'me too'", ["public.people", "{key}", "public.pets"]),
    ("UPDATE diary SET m = NULL", ["public.diary"]),
    ("INSERT INTO diary (person) VALUES (1)", ["public.diary"]),
    ("CREATE VIEW on_it AS SELECT * FROM diary", ["diary", "on_it"]),
])
def test_undo_refuses_where_a_later_change_would_be_lost(pair, merged, change, words):
    merged(NEW)
    key = "id=" + pair.target.sql("SELECT id FROM people WHERE name = 'me too'")
    pair.target.sql(change)
    refused(pair, merged.run, *(word.format(key=key) for word in words))


def test_a_row_that_is_gone_already_does_not_stand_against_undo(pair, merged):
    merged()
    pair.target.sql("DELETE FROM pets WHERE name = 'Kit'; DELETE FROM people WHERE name = 'me too'")
    pair.pgfold("undo", merged.run, "--yes", status=0)
    restored(pair, merged.before)


def test_folds_are_undone_from_the_last_one(pair, merged):
    merged()
    between, first = whole(pair.target), merged.run
    pair.source.sql("INSERT INTO people (name) VALUES ('second time')")
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("undo", merging.runs(pair.folder)[-1], "--yes", status=0)
    assert_same(merging.settled(whole(pair.target)), merging.settled(between))
    pair.pgfold("undo", first, "--yes", status=0)
    restored(pair, merged.before)


def test_forget_drops_what_undo_needs(pair, merged):
    merged()
    assert pair.target.sql(UNDO) != "0"
    rows = pair.target.sql("SELECT * FROM people ORDER BY id")
    pair.pgfold("undo", "--forget", merged.run, "--yes", status=0)
    assert pair.target.sql(UNDO) == "0"
    assert pair.target.sql("SELECT * FROM people ORDER BY id") == rows
    assert pair.pgfold("undo", merged.run, "--yes").status in (1, 2, REFUSED)
    assert pair.target.sql("SELECT * FROM people ORDER BY id") == rows


def test_undo_twice_is_refused(pair, merged):
    merged()
    pair.pgfold("undo", merged.run, "--yes", status=0)
    before = whole(pair.target)
    assert pair.pgfold("undo", merged.run, "--yes").status in (1, 2, REFUSED)
    assert_same(whole(pair.target), before)


def test_without_a_terminal_undo_without_yes_is_refused(pair, merged):
    merged()
    before = whole(pair.target)
    assert "--yes" in pair.pgfold("undo", merged.run, status=4).err
    assert_same(whole(pair.target), before)


@pytest.mark.parametrize("run", ["99", "nonsense", "-1", ""])
def test_a_run_that_is_not_there_is_a_mistake(pair, merged, run):
    merged()
    before = whole(pair.target)
    assert pair.pgfold("undo", run, "--yes").status in (2, REFUSED)
    assert_same(whole(pair.target), before)


def test_the_undo_schema_is_no_part_of_what_is_compared(pair, merged):
    """Neither as a source's table, nor as something more in the target."""
    merged()
    for command in ("audit", "verify", "plan"):
        document = json.dumps(pair.pgfold(command, "--json").json())
        assert "pgfold_undo" not in document, command


def test_undo_says_what_it_does_and_did(pair, merged):
    merged()
    words = ["undo", merged.run, "--json"]
    ready = documents.check(pair.pgfold(*words, "--dry-run", status=0).json(), "undo")
    assert (ready["outcome"], ready["dry_run"]) == ("ready", True)
    done = documents.check(pair.pgfold(*words, "--yes", status=0).json(), "undo")
    assert (done["run"], done["source"], done["outcome"], done["database"]) == (int(merged.run), "laptop", "undone", False)
    assert (done["deleted"], done["put_back"]) == (5, 2), "2 people, 1 pet and 2 lines of the log; Rex and Leo"
    restored(pair, merged.before)


def test_a_dry_run_finds_what_stands_against_it_and_changes_nothing(pair, merged):
    merged()
    before = whole(pair.target)
    assert "would be taken back" in pair.pgfold("undo", merged.run, "--dry-run", status=0).out
    assert_same(whole(pair.target), before)
    pair.target.sql("UPDATE people SET name = 'changed' WHERE name = 'me too'")
    before = whole(pair.target)
    assert "people" in pair.pgfold("undo", merged.run, "--dry-run", status=REFUSED).err
    assert_same(whole(pair.target), before)


def test_status_and_report_know_what_was_taken_back(pair, merged):
    merged()
    assert f"`pgfold undo {merged.run}`" in pair.pgfold("status", status=0).out
    text = pair.pgfold("undo", merged.run, "--yes", status=0).out
    assert "5 rows that it had brought are gone, 2 that it had overwritten have the old value again" in text
    status = pair.pgfold("status", status=0).out
    assert "taken back just now" in status and "pgfold plan laptop" in status
    assert "taken back" in pair.pgfold("report").out
