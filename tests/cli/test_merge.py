"""`pgfold fold` into a target that holds data: docs/merge.md, sentence by sentence. What it must do with whole databases that
have drifted apart is in test_merge_random.py and test_merge_shops.py, `pgfold undo` in test_undo.py."""
import itertools
import json
import shutil
import subprocess
import threading
import time

import pytest

import harness
import merging
from folding import Lock, assert_one_error, assert_same, wait_until, whole

PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, name text, at timestamptz);"
OF = "SELECT string_agg(concat_ws(' ', {columns}), ', ' ORDER BY id) FROM {table}"
FOLD = ("fold", "--yes", "--no-backup")
STAGES = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%' AND nspname NOT LIKE 'pgfold_undo%'"


# --- how a fold is asked for, and what it leaves: adapt here -----------------------------------------------------------------

def sides(pair, both, source="", target=""):
    """The same definitions on both sides, and what each has for itself."""
    for side, own in ((pair.source, source), (pair.target, target)):
        side.create().sql(f"SET TimeZone = 'UTC'; {both}; {own}")
    return pair.configure()


def rules(**tables):
    """Lines of pgfold.yaml: rules(people="rekey", pets={"on_conflict": "rekey", "match_on": ["email"]})."""
    lines = ["fold:", "  tables:"]
    for name, rule in tables.items():
        lines.append(f"    public.{name}: {json.dumps(rule if isinstance(rule, dict) else {'on_conflict': rule})}")
    return "\n".join(lines) + "\n"


def undeclared(column, table):
    """A reference that no foreign key declares."""
    return {"references": [{"columns": [column], "table": f"public.{table}", "to": ["id"]}]}


def wait_for_lock(pair):
    """Until a fold waits for a lock in the target."""
    sql = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND wait_event_type = 'Lock'"
    wait_until(lambda: pair.target.cluster.sql("postgres", sql), "a fold that waits for a lock")


def fold(pair, *arguments, status=0):
    return pair.pgfold(*FOLD, *arguments, status=status)


def plan(pair, *arguments, status=None):
    return pair.pgfold("plan", "--json", *arguments, status=status).json()


def counts(pair, table, status=None):
    return merging.merge_counts(plan(pair, status=status), f"public.{table}")


def rows(database, table, columns="id, name"):
    return database.sql(OF.format(columns=columns, table=table))


def lost(pair, table):
    """The entries of the archive for a table."""
    return merging.archive(pair.folder).get(f"public.{table}", [])


def new_keys(pair, table):
    """Old key -> new key of a key of one column, which are the first two columns of the key map."""
    return {line[0]: line[1] for line in merging.key_maps(pair.folder).get(f"public.{table}", [])}


def unchanged(pair, status, *words, arguments=()):
    """A fold that ends with that status leaves the target as it was. Returns its result."""
    before = whole(pair.target)
    result = fold(pair, *arguments, status=status)
    for word in words:
        assert word in result.out + result.err, f"{word!r} is not in: {result}"
    assert_same(whole(pair.target), before)
    assert pair.target.sql(STAGES) == "0"
    return result


def proven(pair):
    """Verify agrees, the receipt is whole, and folding again changes nothing."""
    pair.pgfold("verify", status=0)
    pair.pgfold("verify", "--receipt", merging.receipts(pair.folder)[-1], status=0)
    before = whole(pair.target)
    fold(pair)
    assert_same(whole(pair.target), before)


# --- rows -------------------------------------------------------------------------------------------------------------------

def test_missing_rows_are_inserted_and_the_targets_own_rows_stay(pair):
    sides(pair, PEOPLE + "INSERT INTO people VALUES (1, 'both')", "INSERT INTO people VALUES (2, 'mine'), (3, NULL)",
          "INSERT INTO people VALUES (10, 'theirs')")
    before = pair.target.sql("SELECT xmin, ctid FROM people WHERE id IN (1, 10) ORDER BY id")
    fold(pair)
    assert rows(pair.target, "people") == "1 both, 2 mine, 3, 10 theirs"
    assert pair.target.sql("SELECT xmin, ctid FROM people WHERE id IN (1, 10) ORDER BY id") == before, "not even written"
    proven(pair)


def test_a_row_that_was_deleted_on_the_target_comes_back(pair):
    sides(pair, PEOPLE + "INSERT INTO people VALUES (1, 'a'), (2, 'b')", target="DELETE FROM people WHERE id = 1")
    fold(pair)
    assert rows(pair.target, "people") == "1 a, 2 b"
    proven(pair)


def test_into_a_table_that_is_empty_all_rows_come(pair):
    sides(pair, PEOPLE, "INSERT INTO people SELECT g, 'p' || g FROM generate_series(1, 5000) g")
    fold(pair)
    assert pair.target.sql("SELECT count(*), sum(id) FROM people") == "5000|12502500"
    proven(pair)


@pytest.mark.parametrize("mine, theirs", [("1.0", "1.00"), ("NULL", "0"), ("'NaN'", "0")])
def test_values_that_are_written_differently_are_different(pair, mine, theirs):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v numeric);", f"INSERT INTO t VALUES (1, {mine})", f"INSERT INTO t VALUES (1, {theirs})")
    unchanged(pair, merging.CONFLICTS, "public.t")
    pair.configure(rules(t="take-source"))
    fold(pair)
    assert pair.target.sql("SELECT v FROM t") == pair.source.sql("SELECT v FROM t")


def test_rows_without_a_key_are_a_multiset(pair):
    sides(pair, "CREATE TABLE log (v text);", "INSERT INTO log VALUES ('a'), ('a'), ('a'), ('b'), (NULL), (NULL)", "INSERT INTO log VALUES ('a'), ('c'), (NULL)")
    assert counts(pair, "log", status=0)["insert"] == 4
    fold(pair)
    assert pair.target.sql("SELECT string_agg(coalesce(v, '-'), '' ORDER BY v) FROM log") == "aaabc--"
    proven(pair)


@pytest.mark.parametrize("key", ["id int NOT NULL, name text, at timestamptz, UNIQUE (id)",
                                 "id int, name text, at timestamptz"])
def test_a_key_is_what_the_contract_says_it_is(pair, key):
    """A unique index over NOT NULL columns; `key:` of the configuration."""
    sides(pair, f"CREATE TABLE people ({key});", "INSERT INTO people VALUES (1, 'mine'), (2, 'new')", "INSERT INTO people VALUES (1, 'theirs')")
    pair.configure(rules(people={"on_conflict": "take-source", **({} if "UNIQUE" in key else {"key": ["id"]})}))
    fold(pair)
    assert rows(pair.target, "people") == "1 mine, 2 new"
    proven(pair)


def test_the_replica_identity_comes_before_another_unique_index(pair):
    sides(pair, "CREATE TABLE people (id int NOT NULL UNIQUE, name text NOT NULL, at int); CREATE UNIQUE INDEX people_name ON people (name);"
                "ALTER TABLE people REPLICA IDENTITY USING INDEX people_name;",
          "INSERT INTO people VALUES (1, 'a', 5)", "INSERT INTO people VALUES (1, 'a', 6)")
    pair.configure(rules(people="take-source"))
    fold(pair)
    assert rows(pair.target, "people", "id, name, at") == "1 a 5"


# --- columns ----------------------------------------------------------------------------------------------------------------

def test_columns_go_by_name_not_by_place(pair):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'a', 'b')")
    pair.target.create().sql("CREATE TABLE t (b text, id int PRIMARY KEY, a text); INSERT INTO t VALUES ('other', 2, 'x')")
    fold(pair.configure())
    assert rows(pair.target, "t", "id, a, b") == "1 a b, 2 x other"


def test_a_column_of_the_target_takes_its_default_and_is_left_alone_in_overwritten_rows(pair):
    sides(pair, PEOPLE, "INSERT INTO people VALUES (1, 'mine'), (2, 'new')",
          "ALTER TABLE people ADD COLUMN state text NOT NULL DEFAULT 'fresh'; INSERT INTO people VALUES (1, 'theirs', NULL, 'paid')")
    pair.configure(rules(people="take-source"))
    fold(pair)
    assert rows(pair.target, "people", "id, name, state") == "1 mine paid, 2 new fresh"
    proven(pair)


def test_a_column_that_the_target_lacks_blocks_the_table_and_can_be_added(pair):
    sides(pair, PEOPLE, "ALTER TABLE people ADD COLUMN points int; INSERT INTO people VALUES (1, 'mine', NULL, 7)", "INSERT INTO people VALUES (2, 'theirs')")
    result = unchanged(pair, merging.BLOCKED, "ALTER TABLE public.people ADD COLUMN points integer", "--add-columns")
    assert_one_error(result)
    fold(pair, "--add-columns")
    assert rows(pair.target, "people", "id, name, points") == "1 mine 7, 2 theirs"
    proven(pair)


def test_columns_are_not_added_where_the_fold_stops(pair):
    sides(pair, PEOPLE, "ALTER TABLE people ADD COLUMN points int; INSERT INTO people VALUES (1, 'mine', NULL, 7)", "INSERT INTO people VALUES (1, 'theirs')")
    unchanged(pair, merging.CONFLICTS, arguments=["--add-columns"])


def test_a_column_of_another_type_blocks_the_table(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text);", "INSERT INTO t VALUES (1, 'a')", "ALTER TABLE t ALTER v TYPE varchar(20)")
    unchanged(pair, merging.BLOCKED, "ALTER TABLE public.t ALTER COLUMN v TYPE text")


def test_generated_columns_are_computed_by_the_target(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, name text, long int GENERATED ALWAYS AS (length(name)) STORED);",
          "INSERT INTO t VALUES (1, 'four'), (2, 'new')", "INSERT INTO t VALUES (1, 'other')")
    pair.configure(rules(t="take-source"))
    fold(pair)
    assert rows(pair.target, "t", "id, name, long") == "1 four 4, 2 new 3"


# --- rules for a conflict of values -----------------------------------------------------------------------------------------

CONFLICT = ("INSERT INTO people VALUES (1, 'mine', '2024-01-01'), (2, 'same', NULL), (3, 'new', NULL)",
            "INSERT INTO people VALUES (1, 'theirs', '2025-01-01'), (2, 'same', NULL)")


def test_stop_shows_both_values_and_changes_nothing(pair):
    sides(pair, PEOPLE, *CONFLICT)
    unchanged(pair, merging.CONFLICTS, "public.people", "mine", "theirs", "id=1")
    shown = pair.pgfold("plan", status=1)
    assert "mine" in shown.out and "theirs" in shown.out
    assert counts(pair, "people")["value"] == 1
    assert plan(pair, status=1)["may_fold"] is False


def test_stop_in_one_table_keeps_all_other_tables_back(pair):
    sides(pair, PEOPLE + "CREATE TABLE other (id int PRIMARY KEY);", CONFLICT[0] + "; INSERT INTO other VALUES (1)", CONFLICT[1])
    unchanged(pair, merging.CONFLICTS)


def test_keep_target_keeps_it_and_archives_the_sources_row(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="keep-target"))
    fold(pair)
    assert rows(pair.target, "people") == "1 theirs, 2 same, 3 new"
    entry, = lost(pair, "people")
    assert {"mine", "theirs", "keep-target"} <= set(flat(entry)), entry
    proven(pair)


def test_take_source_overwrites_and_archives_the_targets_row(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="take-source"))
    fold(pair)
    assert rows(pair.target, "people") == "1 mine, 2 same, 3 new"
    entry, = lost(pair, "people")
    assert {"mine", "theirs", "take-source"} <= set(flat(entry)), entry
    proven(pair)


def flat(value):
    """All texts in a JSON value."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in [key, *flat(one)]]
    if isinstance(value, list):
        return [text for one in value for text in flat(one)]
    return [str(value)]


def test_what_lost_counts_as_settled_until_it_changes(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="keep-target"))
    fold(pair)
    pair.pgfold("verify", status=0)
    pair.source.sql("UPDATE people SET name = 'changed again' WHERE id = 1")
    assert "changed again" in pair.pgfold("verify", status=1).out
    pair.source.sql("UPDATE people SET name = 'mine' WHERE id = 1")
    pair.pgfold("verify", status=0)
    pair.target.sql("DELETE FROM people WHERE id = 3")
    pair.pgfold("verify", status=1)


@pytest.mark.parametrize("mine, theirs, winner", [
    ("'2025-01-02'", "'2025-01-01'", "mine"), ("'2025-01-01'", "'2025-01-02'", "theirs"), ("'2025-01-01'", "'2025-01-01'", "theirs"),
    ("NULL", "'2025-01-01'", "theirs"), ("'2025-01-01'", "NULL", "mine"), ("NULL", "NULL", "theirs"),
    ("'2025-01-01 12:00+02'", "'2025-01-01 11:00+00'", "theirs"), ("'infinity'", "'2025-01-01'", "mine")])
def test_newest_takes_the_row_with_the_greater_value(pair, mine, theirs, winner):
    sides(pair, PEOPLE, f"INSERT INTO people VALUES (1, 'mine', {mine})", f"INSERT INTO people VALUES (1, 'theirs', {theirs})")
    pair.configure(rules(people="newest(at)"))
    fold(pair)
    assert rows(pair.target, "people") == f"1 {winner}"
    assert len(lost(pair, "people")) == 1
    proven(pair)


def test_newest_of_a_column_that_is_not_there_is_a_mistake(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="newest(nope)"))
    before = whole(pair.target)
    result = fold(pair, status=None)
    assert result.status in (2, merging.BLOCKED) and "nope" in result.err and "public.people" in result.err, result
    assert_same(whole(pair.target), before)


def test_the_more_particular_rule_wins(pair):
    sides(pair, "".join(f"CREATE TABLE {t} (id int PRIMARY KEY, name text);" for t in "abcd"),
          "".join(f"INSERT INTO {t} VALUES (1, 'mine');" for t in "abcd"), "".join(f"INSERT INTO {t} VALUES (1, 'theirs');" for t in "abcd"))
    pair.configure("    on_conflict: take-source\n    tables:\n      public.d: { on_conflict: keep-target }\n"
                   "fold:\n  on_conflict: stop\n  tables:\n    public.a: { on_conflict: keep-target }\n    public.d: { on_conflict: take-source }\n")
    fold(pair)
    assert pair.target.sql("SELECT a.name, b.name, c.name, d.name FROM a, b, c, d") == "mine|mine|mine|theirs"


# --- other unique constraints, parents ----------------------------------------------------------------------------------------

UNIQUE = PEOPLE + "CREATE UNIQUE INDEX people_name ON people (name);"


@pytest.mark.parametrize("rule", ["stop", "keep-target", "take-source", "newest(at)", "rekey"])
def test_a_unique_value_that_another_row_has(pair, rule):
    sides(pair, UNIQUE, "INSERT INTO people VALUES (1, 'taken'), (2, 'free')", "INSERT INTO people VALUES (9, 'taken')")
    pair.configure(rules(people=rule))
    assert counts(pair, "people", status=0 if rule == "keep-target" else 1)["unique"] == 1
    if rule != "keep-target":
        unchanged(pair, merging.CONFLICTS, "public.people", "taken")
        return
    fold(pair)
    assert rows(pair.target, "people") == "2 free, 9 taken"
    assert len(lost(pair, "people")) == 1
    proven(pair)


def test_a_unique_index_on_an_expression_or_of_a_part_counts_too(pair):
    sides(pair, PEOPLE + "CREATE UNIQUE INDEX lower_name ON people (lower(name)) WHERE at IS NULL;",
          "INSERT INTO people VALUES (1, 'ANN'), (2, 'bob'), (3, 'Eve')", "INSERT INTO people VALUES (9, 'ann', NULL), (8, 'BOB', now())")
    pair.configure(rules(people="keep-target"))
    fold(pair)
    assert rows(pair.target, "people") == "2 bob, 3 Eve, 8 BOB, 9 ann"
    assert len(lost(pair, "people")) == 1


def test_an_exclusion_constraint_that_is_violated_leaves_the_target_as_it_was(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&));",
          "INSERT INTO t VALUES (1, '[1,5)')", "INSERT INTO t VALUES (2, '[3,7)')")
    before = whole(pair.target)
    result = fold(pair, status=None)
    assert result.status in (merging.CONFLICTS, 5), result
    assert_same(whole(pair.target), before)
    assert pair.target.sql(STAGES) == "0"


def test_null_is_not_a_unique_value_that_is_taken(pair):
    sides(pair, UNIQUE, "INSERT INTO people VALUES (1, NULL)", "INSERT INTO people VALUES (9, NULL)")
    fold(pair)
    assert pair.target.sql("SELECT count(*) FROM people") == "2"


FAMILY = UNIQUE + "CREATE TABLE pets (id int PRIMARY KEY, owner int REFERENCES people, name text);"


@pytest.mark.parametrize("rule", ["stop", "keep-target", "take-source", "newest(id)", "rekey"])
def test_a_parent_that_does_not_come(pair, rule):
    """Its owner is kept away by a unique value; the pet has nobody to refer to."""
    sides(pair, FAMILY, "INSERT INTO people VALUES (1, 'taken'); INSERT INTO pets VALUES (5, 1, 'Rex'), (6, NULL, 'stray')", "INSERT INTO people VALUES (9, 'taken')")
    pair.configure(rules(people="keep-target", pets=rule))
    assert counts(pair, "pets", status=0 if rule == "keep-target" else 1)["parent"] == 1
    if rule != "keep-target":
        unchanged(pair, merging.CONFLICTS, "public.pets")
        return
    fold(pair)
    assert rows(pair.target, "pets") == "6 stray"
    assert len(lost(pair, "people")) == 1 and len(lost(pair, "pets")) == 1
    proven(pair)


def test_a_parent_in_a_table_that_is_skipped_does_not_come(pair):
    sides(pair, FAMILY, "INSERT INTO people VALUES (1, 'a'); INSERT INTO pets VALUES (5, 1, 'Rex')", "INSERT INTO people VALUES (2, 'b')")
    pair.configure("fold:\n  tables:\n    public.people: { skip: true }\n")
    unchanged(pair, merging.CONFLICTS, "public.pets")


def test_parents_come_before_their_children(pair):
    """Alphabetically and by oid it is the other way round."""
    sides(pair, "CREATE TABLE a (id int PRIMARY KEY, z int); CREATE TABLE z (id int PRIMARY KEY); ALTER TABLE a ADD FOREIGN KEY (z) REFERENCES z;",
          "INSERT INTO z VALUES (1); INSERT INTO a VALUES (1, 1)", "INSERT INTO z VALUES (9); INSERT INTO a VALUES (9, 9)")
    fold(pair)
    assert pair.target.sql("SELECT count(*) FROM a JOIN z ON z.id = a.z") == "2"


def test_overwriting_a_parent_does_not_take_its_children_away(pair):
    sides(pair, PEOPLE + "CREATE TABLE pets (id int PRIMARY KEY, owner int REFERENCES people ON DELETE CASCADE ON UPDATE CASCADE);",
          "INSERT INTO people VALUES (1, 'mine')", "INSERT INTO people VALUES (1, 'theirs'); INSERT INTO pets VALUES (5, 1)")
    pair.configure(rules(people="take-source"))
    fold(pair)
    assert pair.target.sql("SELECT name, owner FROM pets JOIN people ON people.id = owner") == "mine|1"


# --- rekey ------------------------------------------------------------------------------------------------------------------

CHAIN = """
    CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customers, what text);
    CREATE TABLE lines (orders int REFERENCES orders, n int, what text, PRIMARY KEY (orders, n));
    CREATE TABLE notes (id serial PRIMARY KEY, orders int, n int, name text, FOREIGN KEY (orders, n) REFERENCES lines);
    INSERT INTO customers (name) VALUES ('both');
"""
STORY = "SELECT string_agg(concat_ws('/', c.name, o.what, l.what, t.name), ', ' ORDER BY c.name, o.what, l.what, t.name) FROM customers c " \
        "LEFT JOIN orders o ON o.customer = c.id LEFT JOIN lines l ON l.orders = o.id LEFT JOIN notes t ON t.orders = l.orders AND t.n = l.n"


def side_of_chain(who):
    return f"""INSERT INTO customers (name) VALUES ('{who} 1'), ('{who} 2');
        INSERT INTO orders (customer, what) SELECT id, name || ' order' FROM customers;
        INSERT INTO lines SELECT id, 1, what || ' line' FROM orders; INSERT INTO notes (orders, n, name) SELECT orders, n, what || ' note' FROM lines;"""


def test_rekey_keeps_both_and_references_follow_through_a_chain(pair):
    sides(pair, CHAIN, side_of_chain("mine"), side_of_chain("theirs"))
    pair.configure(rules(customers="rekey", orders="rekey", lines="keep-target", notes="rekey"))
    stories = sorted(pair.source.sql(STORY).split(", ") + pair.target.sql(STORY).split(", "))
    before = pair.target.sql("SELECT * FROM lines ORDER BY 1, 2")
    found = counts(pair, "customers", status=0)
    assert found["rekey"] == 2 and found["identical"] == 1
    fold(pair)
    assert sorted(set(pair.target.sql(STORY).split(", "))) == sorted(set(stories))
    assert pair.target.sql("SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders), (SELECT count(*) FROM lines), "
                           "(SELECT count(*) FROM notes)") == "5|5|5|5"
    assert pair.target.sql("SELECT * FROM lines WHERE orders <= 3 ORDER BY 1, 2") == before
    assert set(new_keys(pair, "customers")) == {"2", "3"}
    proven(pair)


def test_what_was_given_a_new_key_keeps_it_for_good(pair):
    """Row 2 of the laptop is row N of the target: in a later fold, and in verify, too."""
    sides(pair, CHAIN, side_of_chain("mine"), side_of_chain("theirs"))
    pair.configure(rules(customers="rekey", orders="rekey", notes="rekey"))
    fold(pair)
    number = new_keys(pair, "customers")["2"]
    pair.source.sql("INSERT INTO orders (customer, what) VALUES (2, 'later')")
    pair.pgfold("verify", status=1)
    fold(pair)
    assert pair.target.sql("SELECT customer FROM orders WHERE what = 'later'") == number
    assert pair.target.sql("SELECT count(*) FROM customers") == "5"
    proven(pair)
    pair.target.sql(f"UPDATE customers SET name = 'changed there' WHERE id = {number}")
    assert "changed there" in pair.pgfold("verify", status=1).out


def test_keys_that_another_state_folder_changed_are_not_changed_a_second_time(pair):
    """Which row became which is known there alone: without that, the same people would come once more."""
    sides(pair, CHAIN, side_of_chain("mine"), side_of_chain("theirs"))
    pair.configure(rules(customers="rekey", orders="rekey", notes="rekey"))
    fold(pair)
    before = whole(pair.target)
    (pair.pgfold.cwd / ".pgfold").rename(pair.pgfold.cwd / "elsewhere")
    assert "another state folder" in pair.pgfold("plan", status=1).out
    found = fold(pair, status=4)
    assert "another state folder" in found.err and "key" in found.err
    assert whole(pair.target) == before
    shutil.rmtree(pair.pgfold.cwd / ".pgfold")
    (pair.pgfold.cwd / "elsewhere").rename(pair.pgfold.cwd / ".pgfold")
    fold(pair)
    assert whole(pair.target) == before
    proven(pair)


def test_a_free_key_is_kept_and_what_is_the_same_stays_one(pair):
    sides(pair, "CREATE TABLE t (id serial PRIMARY KEY, name text);", "INSERT INTO t VALUES (1, 'same'), (2, 'mine'), (7, 'free')",
          "INSERT INTO t VALUES (1, 'same'), (2, 'theirs'); SELECT setval('t_id_seq', 50)")
    pair.configure(rules(t="rekey"))
    fold(pair)
    assert rows(pair.target, "t") == "1 same, 2 theirs, 7 free, 51 mine"
    proven(pair)


@pytest.mark.parametrize("key, given", [
    ("int GENERATED ALWAYS AS IDENTITY", r"\d+"), ("int GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 10)", r"\d+"),
    ("bigserial", r"\d+"), ("uuid DEFAULT gen_random_uuid()", "[0-9a-f-]{36}"), ("int", r"\d+"), ("smallint", r"\d+"), ("bigint", r"\d+")])
def test_new_keys_come_from_where_the_targets_own_come_from(pair, key, given):
    one = "md5('1')::uuid" if "uuid" in key else "1"
    sides(pair, f"CREATE TABLE t (id {key} PRIMARY KEY, name text); CREATE TABLE u (id int PRIMARY KEY, t {key.split()[0].replace('bigserial', 'bigint')} REFERENCES t);",
          f"INSERT INTO t OVERRIDING SYSTEM VALUE VALUES ({one}, 'mine'); INSERT INTO u VALUES (1, {one})",
          f"INSERT INTO t OVERRIDING SYSTEM VALUE VALUES ({one}, 'theirs')")
    pair.configure(rules(t="rekey"))
    fold(pair)
    number = pair.target.sql("SELECT t FROM u")
    assert pair.target.sql(f"SELECT '{number}' ~ '^{given}$', name FROM t WHERE id = '{number}'") == "t|mine"
    assert pair.target.sql(f"SELECT name FROM t WHERE id = {one}") == "theirs"
    proven(pair)


def test_an_integer_without_a_sequence_gets_the_next_number_above_both(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, name text);", "INSERT INTO t VALUES (1, 'mine'), (40, 'far')", "INSERT INTO t VALUES (1, 'theirs'), (30, 'x')")
    pair.configure(rules(t="rekey"))
    fold(pair)
    assert rows(pair.target, "t") == "1 theirs, 30 x, 40 far, 41 mine"


def test_a_sequence_that_is_behind_its_own_table_gives_no_key_that_is_taken(pair):
    sides(pair, "CREATE TABLE t (id serial PRIMARY KEY, name text);", "INSERT INTO t VALUES (1, 'mine'), (4, 'free')", "INSERT INTO t VALUES (1, 'theirs'), (2, 'x'), (3, 'y')")
    pair.configure(rules(t="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT string_agg(name, ' ' ORDER BY name), count(DISTINCT id), min(id) FILTER (WHERE name = 'mine') > 4 FROM t") == "free mine theirs x y|5|t"
    pair.target.sql("INSERT INTO t (name) VALUES ('the application goes on')")


@pytest.mark.parametrize("mine, theirs, least", [(100, 10, 100), (10, 100, 100), (100, 100, 100)])
def test_sequences_are_raised_and_never_lowered(pair, mine, theirs, least):
    sides(pair, "CREATE TABLE t (id serial PRIMARY KEY, name text);", f"INSERT INTO t VALUES (5, 'mine'); SELECT setval('t_id_seq', {mine})",
          f"INSERT INTO t VALUES (6, 'theirs'); SELECT setval('t_id_seq', {theirs})")
    fold(pair)
    assert pair.target.sql("SELECT last_value FROM t_id_seq") == str(least)


def test_rekey_with_a_reference_to_itself(pair):
    sides(pair, "CREATE TABLE staff (id serial PRIMARY KEY, name text, boss int REFERENCES staff);",
          "INSERT INTO staff VALUES (1, 'Ann', NULL), (2, 'Ben', 1), (3, 'Cy', 2), (4, 'Own', 4)", "INSERT INTO staff VALUES (1, 'Zoe', NULL), (2, 'Yan', 1)")
    pair.configure(rules(staff="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT string_agg(a.name || '<' || coalesce(b.name, '-'), ' ' ORDER BY a.name) FROM staff a LEFT JOIN staff b ON b.id = a.boss") == \
        "Ann<- Ben<Ann Cy<Ben Own<Own Yan<Zoe Zoe<-"
    proven(pair)


@pytest.mark.parametrize("deferrable", ["", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"])
@pytest.mark.parametrize("null", ["", "NOT NULL"])
def test_rekey_and_inserts_in_a_circle_of_two_tables(pair, deferrable, null):
    circle = f"CREATE TABLE a (id serial PRIMARY KEY, name text, b int {null}); CREATE TABLE b (id serial PRIMARY KEY, name text, a int {null});"
    closed = f"ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b {deferrable}; ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a {deferrable}"
    sides(pair, circle, f"INSERT INTO a VALUES (1, 'mine', 1), (2, 'new', 2); INSERT INTO b VALUES (1, 'mine', 1), (2, 'new', 2); {closed}",
          f"INSERT INTO a VALUES (1, 'theirs', 1); INSERT INTO b VALUES (1, 'theirs', 1); {closed}")
    pair.configure(rules(a="rekey", b="rekey"))
    constraints = "SELECT conname, condeferrable, condeferred, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1"
    before = pair.target.sql(constraints)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(a.name, ' ' ORDER BY a.name) FROM a JOIN b ON a.b = b.id AND b.a = a.id AND a.name = b.name") == "mine new theirs"
    assert pair.target.sql(constraints) == before, "put back as they were"
    proven(pair)


def test_a_circle_whose_constraints_the_role_may_not_change_is_named(pair, vps):
    sides(pair, "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b;",
          "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1")
    vps.sql("postgres", "DROP ROLE IF EXISTS merge_writer; CREATE ROLE merge_writer LOGIN")
    try:
        pair.target.sql(f"GRANT CREATE ON DATABASE \"{pair.name}\" TO merge_writer; GRANT ALL ON a, b TO merge_writer")
        pair.configure(target_url=vps.url(pair.name, user="merge_writer"))
        unchanged(pair, merging.BLOCKED, "public.a", "public.b", arguments=["--no-owner", "--no-privileges"])
    finally:
        pair.target.drop()
        vps.sql("postgres", "DROP ROLE merge_writer")


def test_a_key_for_which_there_is_no_way_to_a_new_one_blocks_the_table(pair):
    sides(pair, "CREATE TABLE t (id text PRIMARY KEY, name text);", "INSERT INTO t VALUES ('a', 'mine')", "INSERT INTO t VALUES ('a', 'theirs')")
    pair.configure(rules(t="rekey"))
    unchanged(pair, merging.BLOCKED, "public.t")


def test_references_that_no_foreign_key_declares_are_declared_in_the_configuration(pair):
    sides(pair, "CREATE TABLE customers (id serial PRIMARY KEY, name text); CREATE TABLE orders (id int PRIMARY KEY, customer int);",
          "INSERT INTO customers (name) VALUES ('mine'); INSERT INTO orders VALUES (7, 1)", "INSERT INTO customers (name) VALUES ('theirs')")
    pair.configure(rules(customers="rekey", orders=undeclared("customer", "customers")))
    fold(pair)
    assert pair.target.sql("SELECT name FROM orders JOIN customers c ON c.id = customer") == "mine"


def test_plan_suggests_references_that_no_foreign_key_declares_and_does_not_act_on_them(pair):
    sides(pair, "CREATE TABLE customers (id serial PRIMARY KEY, name text); CREATE TABLE orders (id int PRIMARY KEY, customer_id int, customers_id int);",
          "INSERT INTO customers (name) VALUES ('mine'); INSERT INTO orders VALUES (7, 1, 99)", "INSERT INTO customers (name) VALUES ('theirs')")
    pair.configure(rules(customers="rekey"))
    notices = [n for n in plan(pair)["sources"][0]["notices"] if "looks like a reference" in n]
    assert len(notices) == 1 and "public.orders.customer_id" in notices[0] and "public.customers(id)" in notices[0], notices
    fold(pair)
    assert pair.target.sql("SELECT customer_id FROM orders") == "1"


@pytest.mark.parametrize("key, filled", [("smallint", "32767"), ("int", "2147483647"), ("serial", "2147483647")])
def test_a_key_type_that_is_used_up_is_refused_before_anything_changes(pair, key, filled):
    sides(pair, f"CREATE TABLE t (id {key} PRIMARY KEY, name text);", "INSERT INTO t VALUES (1, 'mine'), (2, 'mine too')",
          f"INSERT INTO t VALUES (1, 'theirs'), (2, 'x'), ({filled}, 'last')" + ("; SELECT setval('t_id_seq', 2147483647)" if key == "serial" else ""))
    pair.configure(rules(t="rekey"))
    assert_one_error(unchanged(pair, merging.BLOCKED, "public.t"))


@pytest.mark.parametrize("also, free", [("", 1), (" CYCLE", 1), (" INCREMENT 5", 0)])
def test_a_sequence_that_is_exhausted_is_refused_before_anything_changes(pair, also, free):
    sides(pair, "CREATE TABLE t (id serial PRIMARY KEY, name text); INSERT INTO t (name) SELECT 'x' FROM generate_series(1, 9);",
          "UPDATE t SET name = 'mine' WHERE id IN (1, 2, 3)", f"ALTER SEQUENCE t_id_seq MAXVALUE {9 + free}{also}; UPDATE t SET name = 'theirs' WHERE id IN (1, 2, 3)")
    pair.configure(rules(t="rekey"))
    assert_one_error(unchanged(pair, merging.BLOCKED, "t_id_seq"))


# --- match_on ---------------------------------------------------------------------------------------------------------------

SHOP = "CREATE TABLE customers (id serial PRIMARY KEY, email text, name text, at int); CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers);"
MINE = "INSERT INTO customers VALUES (1, 'a@x', 'mine', 2), (2, 'b@x', 'b', 1), (3, NULL, 'nobody', 1); INSERT INTO orders VALUES (11, 1), (12, 2), (13, 3);" \
       "SELECT setval('customers_id_seq', 3)"
THEIRS = "INSERT INTO customers VALUES (5, 'a@x', 'theirs', 1), (2, 'c@x', 'c', 1), (9, NULL, 'none', 1); SELECT setval('customers_id_seq', 9)"


@pytest.mark.parametrize("on_match, name", [(None, "theirs"), ("keep-target", "theirs"), ("take-source", "mine"), ("newest(at)", "mine"), ("stop", None)])
def test_the_same_thing_under_two_keys_becomes_one(pair, on_match, name):
    sides(pair, SHOP, MINE, THEIRS)
    rule = {"on_conflict": "rekey", "match_on": ["email"], **({"on_match": on_match} if on_match else {})}
    pair.configure(rules(customers=rule))
    assert counts(pair, "customers")["matched"] == 1
    if name is None:
        unchanged(pair, merging.CONFLICTS, "public.customers", "a@x", "mine", "theirs")
        return
    fold(pair)
    assert pair.target.sql("SELECT o.id, c.email, c.name FROM orders o JOIN customers c ON c.id = customer ORDER BY 1").splitlines() == [
        f"11|a@x|{name}", "12|b@x|b", "13||nobody"]
    assert pair.target.sql("SELECT count(*), (SELECT customer FROM orders WHERE id = 11), (SELECT customer FROM orders WHERE id = 13) FROM customers") == "5|5|3"
    assert len(lost(pair, "customers")) == 1
    proven(pair)


@pytest.mark.parametrize("twice", ["source", "target"])
def test_a_natural_key_that_does_not_tell_rows_apart_is_named(pair, twice):
    sides(pair, SHOP, MINE, THEIRS)
    getattr(pair, twice).sql("INSERT INTO customers VALUES (77, 'b@x', 'again', 1), (78, 'b@x', 'and again', 1)")
    pair.configure(rules(customers={"on_conflict": "rekey", "match_on": ["email"]}))
    assert_one_error(unchanged(pair, merging.BLOCKED, "public.customers", "b@x"))


def test_a_natural_key_of_columns_that_are_not_there_is_a_mistake(pair):
    sides(pair, SHOP, MINE, THEIRS)
    pair.configure(rules(customers={"on_conflict": "rekey", "match_on": ["e_mail"]}))
    before = whole(pair.target)
    result = fold(pair, status=None)
    assert result.status in (2, merging.BLOCKED) and "e_mail" in result.err, result
    assert_same(whole(pair.target), before)


def test_a_natural_key_may_hold_a_reference(pair):
    """A place is the same where its number and its customer are; the customer is matched first."""
    more = SHOP + "CREATE TABLE places (id serial PRIMARY KEY, customer int REFERENCES customers, n int); CREATE TABLE visits (id int PRIMARY KEY, place int REFERENCES places);"
    sides(pair, more, MINE + "; INSERT INTO places VALUES (1, 1, 1), (2, 2, 1); INSERT INTO visits VALUES (1, 1), (2, 2)", THEIRS + "; INSERT INTO places VALUES (4, 5, 1)")
    pair.configure(rules(customers={"on_conflict": "rekey", "match_on": ["email"]}, places={"on_conflict": "rekey", "match_on": ["customer", "n"]}))
    fold(pair)
    assert pair.target.sql("SELECT v.id, p.id, p.customer FROM visits v JOIN places p ON p.id = place ORDER BY 1").splitlines()[0] == "1|4|5"
    assert pair.target.sql("SELECT count(*) FROM places") == "2"
    proven(pair)


# --- the commit -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lock", ["LOCK TABLE people IN ACCESS EXCLUSIVE MODE", "LOCK TABLE people IN ROW EXCLUSIVE MODE", "DO 'BEGIN PERFORM FROM people FOR UPDATE; END'"])
def test_a_table_that_somebody_else_has_locked_is_waited_for_no_longer_than_asked_for(pair, lock):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure("fold:\n  lock_timeout: 2\n  on_conflict: take-source\n")
    before = whole(pair.target)
    held = Lock(pair.target.cluster, pair.name, lock)
    try:
        result = fold(pair, status=None)
    finally:
        held.release()
    assert result.status in (4, 5) and "lock" in result.err, result
    assert "people" in result.err or "ACCESS EXCLUSIVE" in lock, "a table that cannot even be looked at has no name yet"
    assert result.seconds < 20
    assert_one_error(result)
    assert_same(whole(pair.target), before)
    assert pair.target.sql(STAGES) == "0"
    fold(pair)


def test_a_check_of_the_target_that_is_violated_leaves_it_as_it_was(pair):
    sides(pair, PEOPLE + "CREATE TABLE other (id int PRIMARY KEY);", "INSERT INTO other VALUES (1); " + CONFLICT[0],
          "ALTER TABLE people ADD CONSTRAINT no_new CHECK (name <> 'new'); INSERT INTO people VALUES (2, 'same')")
    result = unchanged(pair, 5, "no_new")
    assert_one_error(result, "people")


def test_triggers_of_the_target_are_silenced_for_its_owner(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.target.sql("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'meddled'; RETURN NEW; END $$;"
                    "CREATE TRIGGER meddle BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION meddle();"
                    "CREATE TRIGGER always BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION meddle(); ALTER TABLE people ENABLE ALWAYS TRIGGER always;"
                    "CREATE TRIGGER off BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION meddle(); ALTER TABLE people DISABLE TRIGGER off")
    pair.configure(rules(people="take-source"))
    modes = "SELECT string_agg(tgname || ' ' || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal"
    before = pair.target.sql(modes)
    fold(pair)
    assert rows(pair.target, "people") == "1 mine, 2 same, 3 new"
    assert pair.target.sql(modes) == before, "and every one is as it was"
    proven(pair)


def test_triggers_of_a_new_table_do_not_fire_for_the_rows_that_the_merge_brings_into_it(pair):
    """Its parent's keys change, so its rows come with the merge, when its triggers are there already."""
    sides(pair, "CREATE TABLE people (id serial PRIMARY KEY, name text);",
          "INSERT INTO people (name) VALUES ('mine'); CREATE TABLE diary (id int PRIMARY KEY, person int REFERENCES people, name text);"
          "INSERT INTO diary VALUES (1, 1, 'as it was');"
          "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'meddled'; RETURN NEW; END $$;"
          "CREATE TRIGGER meddle BEFORE INSERT ON diary FOR EACH ROW EXECUTE FUNCTION meddle()",
          "INSERT INTO people (name) VALUES ('theirs')")
    pair.configure(rules(people="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT d.name, p.name FROM diary d JOIN people p ON p.id = person") == "as it was|mine"
    assert pair.target.sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'meddle'") == "O"
    proven(pair)


def test_triggers_that_will_fire_are_named_by_plan(pair, vps):
    sides(pair, PEOPLE, *CONFLICT)
    vps.sql("postgres", "DROP ROLE IF EXISTS merge_writer; CREATE ROLE merge_writer LOGIN")
    try:
        pair.target.sql("CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
                        "CREATE TRIGGER will_fire BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION quiet();"
                        f"GRANT CREATE ON DATABASE \"{pair.name}\" TO merge_writer; GRANT ALL ON people TO merge_writer")
        pair.configure(rules(people="take-source"), target_url=vps.url(pair.name, user="merge_writer"))
        result = pair.pgfold("plan", "--no-owner", "--no-privileges")
        assert "will_fire" in result.out + result.err, result
    finally:
        pair.target.drop()
        vps.sql("postgres", "DROP ROLE merge_writer")


def test_readers_see_all_of_the_merge_or_nothing(pair, running):
    tables = [f"t{n}" for n in range(6)]
    sides(pair, "".join(f"CREATE TABLE {t} (id int PRIMARY KEY, v text);" for t in tables),
          "".join(f"INSERT INTO {t} SELECT g, 'mine' FROM generate_series(1, 3000) g;" for t in tables),
          "".join(f"INSERT INTO {t} SELECT g, 'theirs' FROM generate_series(1, 10) g;" for t in tables))
    pair.configure("fold:\n  on_conflict: take-source\n")
    query = "SELECT " + ", ".join(f"(SELECT count(*) || ' ' || count(*) FILTER (WHERE v = 'mine') FROM {t})" for t in tables)
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            seen.append(pair.target.sql(query))
    reader = threading.Thread(target=look)
    reader.start()
    try:
        process = running(*FOLD)
        assert process.wait(120) == 0, process.communicate()
    finally:
        stop.set()
        reader.join()
    seen.append(pair.target.sql(query))
    assert {key for key, _ in itertools.groupby(seen)} == {"|".join(["10 0"] * 6), "|".join(["3000 3000"] * 6)}, set(seen)
    assert len(seen) > 3


def test_a_writer_waits_and_loses_nothing(pair, running):
    """Rows that the application writes to the target while a merge runs are all there afterwards."""
    sides(pair, "CREATE TABLE t (id bigserial PRIMARY KEY, who text);", "INSERT INTO t SELECT g, 'laptop' FROM generate_series(1, 20000) g; SELECT setval('t_id_seq', 20000)",
          "INSERT INTO t SELECT g, 'before' FROM generate_series(1, 100) g; SELECT setval('t_id_seq', 100000)")
    pair.configure(rules(t="rekey"))
    written, stop = [], threading.Event()

    def write():
        while not stop.is_set():
            pair.target.sql("INSERT INTO t (who) VALUES ('application')")
            written.append(1)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        process = running(*FOLD)
        assert process.wait(120) == 0, process.communicate()
    finally:
        stop.set()
        writer.join()
    assert pair.target.sql("SELECT count(*) FILTER (WHERE who = 'laptop'), count(*) FILTER (WHERE who = 'before') FROM t") == "20000|100"
    assert pair.target.sql("SELECT count(*) FROM t WHERE who = 'application'") == str(len(written))
    pair.pgfold("verify", status=0)


def test_a_key_that_is_taken_while_the_merge_runs_is_judged_again(pair, running):
    """The row was missing when the databases were compared; before the commit somebody else enters another one under its key."""
    sides(pair, PEOPLE, "INSERT INTO people VALUES (1, 'mine'), (2, 'x')", "INSERT INTO people VALUES (9, 'y')")
    somebody = subprocess.Popen([harness.client("psql"), "-X", "-q", "-A", "-t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=harness.clean_environment(**pair.target.cluster.environment(pair.name)))
    try:
        somebody.stdin.write("BEGIN; INSERT INTO people VALUES (1, 'theirs'); SELECT 'entered';\n")
        somebody.stdin.flush()
        assert somebody.stdout.readline() == "entered\n"
        process = running(*FOLD)
        wait_for_lock(pair)
        somebody.stdin.write("COMMIT;\n")
        somebody.stdin.close()
        out, err = process.communicate(timeout=60)
    finally:
        somebody.kill()
        somebody.wait(10)
    assert process.returncode == merging.CONFLICTS, f"{out}{err}"
    assert rows(pair.target, "people") == "1 theirs, 9 y", "nothing was committed"
    assert pair.target.sql(STAGES) == "0"


def test_two_merges_at_once_do_not_get_in_each_others_way(pair, running, machine, tmp_path_factory):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="keep-target"))
    lock = Lock(pair.target.cluster, pair.name, "LOCK TABLE people IN ROW EXCLUSIVE MODE")
    try:
        process = running(*FOLD)
        wait_for_lock(pair)
        elsewhere = harness.Pgfold(machine, tmp_path_factory.mktemp("elsewhere"))
        (elsewhere.cwd / "pgfold.yaml").write_text(pair.config.read_text())
        assert_one_error(elsewhere(*FOLD, status=4), "another pgfold is folding")
    finally:
        lock.release()
    assert process.wait(60) == 0, process.communicate()
    assert rows(pair.target, "people") == "1 theirs, 2 same, 3 new"
    elsewhere(*FOLD, status=0)
    assert rows(pair.target, "people") == "1 theirs, 2 same, 3 new"


def test_what_a_killed_merge_has_left_is_taken_away(pair, running):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="take-source"))
    before = whole(pair.target)
    lock = Lock(pair.target.cluster, pair.name, "LOCK TABLE people IN ROW EXCLUSIVE MODE")
    try:
        process = running(*FOLD)
        wait_for_lock(pair)
        assert pair.target.sql(STAGES) != "0", "the rows wait in a schema"
        process.kill()
        process.communicate()
    finally:
        lock.release()
    wait_until(lambda: pair.target.cluster.connections("pgfold") == 0, "the end of its connections")
    assert "left in the target" in pair.pgfold("status", status=0).out
    assert rows(pair.target, "people") == "1 theirs, 2 same"
    pair.configure()  # one that brings nothing, so that all that may be gone is the stage
    fold(pair, status=merging.CONFLICTS)
    assert_same(whole(pair.target), before)
    pair.configure(rules(people="take-source"))
    fold(pair)
    assert rows(pair.target, "people") == "1 mine, 2 same, 3 new"
    assert pair.target.sql(STAGES) == "0"


def test_an_interrupt_while_a_merge_waits_changes_nothing(pair, running):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="take-source"))
    before = whole(pair.target)
    lock = Lock(pair.target.cluster, pair.name, "LOCK TABLE people IN ROW EXCLUSIVE MODE")
    try:
        process = running(*FOLD)
        wait_for_lock(pair)
        process.terminate()
        assert process.wait(30) in (5, 130)
    finally:
        lock.release()
    assert_same(whole(pair.target), before)


# --- a whole fold -----------------------------------------------------------------------------------------------------------

def test_new_tables_and_merged_tables_come_in_one_fold(pair):
    """The new table refers to rows that come into the merged one with the same fold."""
    sides(pair, PEOPLE, CONFLICT[0] + "; CREATE TABLE pets (id serial PRIMARY KEY, owner int REFERENCES people, name text);"
          "INSERT INTO pets (owner, name) VALUES (1, 'Rex'), (3, 'Tom'); CREATE INDEX ON pets (owner)", CONFLICT[1])
    pair.configure(rules(people="keep-target"))
    fold(pair)
    assert pair.target.sql("SELECT string_agg(p.name || ' ' || people.name, ', ' ORDER BY p.id) FROM pets p JOIN people ON people.id = owner") == "Rex theirs, Tom new"
    assert pair.target.sql("SELECT count(*) FROM pg_constraint WHERE conrelid = 'pets'::regclass AND contype = 'f' AND convalidated") == "1"
    proven(pair)


def test_a_new_table_follows_rows_that_were_given_new_keys(pair):
    sides(pair, "CREATE TABLE people (id serial PRIMARY KEY, name text);",
          "INSERT INTO people (name) VALUES ('mine'); CREATE TABLE pets (id serial PRIMARY KEY, owner int REFERENCES people, name text); INSERT INTO pets (owner, name) VALUES (1, 'Rex')",
          "INSERT INTO people (name) VALUES ('theirs')")
    pair.configure(rules(people="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT people.name FROM pets JOIN people ON people.id = owner") == "mine"
    proven(pair)


def test_a_new_table_is_not_made_where_the_fold_stops(pair):
    sides(pair, PEOPLE, CONFLICT[0] + "; CREATE TABLE pets (id int PRIMARY KEY)", CONFLICT[1])
    unchanged(pair, merging.CONFLICTS, "public.people")


def test_plan_shows_the_exact_numbers(pair):
    sides(pair, UNIQUE, "INSERT INTO people VALUES (1, 'same'), (2, 'mine'), (3, 'taken'), (4, 'new'), (5, 'new too')",
          "INSERT INTO people VALUES (1, 'same'), (2, 'theirs'), (9, 'taken'), (10, 'own')")
    pair.configure(rules(people="keep-target"))
    before = whole(pair.target)
    found = counts(pair, "people", status=0)
    wanted = {"identical": 1, "insert": 2, "value": 1, "unique": 1, "parent": 0, "overwrite": 0, "rekey": 0, "matched": 0}
    assert {name: found.get(name, 0) for name in wanted} == wanted, found
    assert_same(whole(pair.target), before)
    pair.configure(rules(people="take-source"))
    pair.target.sql("DELETE FROM people WHERE id = 9")
    found = counts(pair, "people", status=0)
    wanted = {"identical": 1, "insert": 3, "value": 1, "unique": 0, "parent": 0, "overwrite": 1, "rekey": 0, "matched": 0}
    assert {name: found.get(name, 0) for name in wanted} == wanted, found


def test_the_receipt_counts_what_was_done(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="keep-target"))
    fold(pair)
    document = json.loads(merging.receipts(pair.folder)[-1].read_text())
    relation = next(r for r in document["relations"] if r["name"] == "people")
    assert relation["action"] == "merge" and document["verdict"] == "contained", relation
    assert 1 in [value for _, value in numbers(relation)], f"one row lost: {relation}"


def numbers(value, name=""):
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in numbers(inner, key)]
    return [(name, value)] if isinstance(value, int) and not isinstance(value, bool) else []


def test_several_sources_are_merged_one_after_the_other(pair, laptop):
    table = "CREATE TABLE people (id serial PRIMARY KEY, name text);"
    sides(pair, table, "INSERT INTO people (name) VALUES ('one a'), ('one b')", "INSERT INTO people (name) VALUES ('target')")
    other = laptop.create(pair.name[:55] + "2")
    try:
        other.sql(table + "INSERT INTO people (name) VALUES ('two a'), ('two b'), ('two c')")
        pair.configure(f"  - name: second\n    url: \"{other.url}\"\n" + rules(people="rekey"))
        fold(pair)
        assert pair.target.sql("SELECT string_agg(name, ', ' ORDER BY name) FROM people") == "one a, one b, target, two a, two b, two c"
        pair.pgfold("verify", status=0)
        before = whole(pair.target)
        fold(pair)
        assert_same(whole(pair.target), before)
    finally:
        other.drop()


def test_a_merge_with_a_backup_keeps_the_archive_beside_it(pair):
    sides(pair, PEOPLE, *CONFLICT)
    pair.configure(rules(people="keep-target"))
    pair.pgfold("fold", "--yes", status=0)
    assert len(lost(pair, "people")) == 1
    folder = merging.newest_files(pair.folder, "conflicts/*.csv")[0].parent.parent
    assert (folder.parent / folder.name.removesuffix(".merge") / "manifest.json").exists(), "the backup stands beside it"


def test_odd_names_and_values_are_merged(pair):
    table = '"we ""ird".'
    sides(pair, f'CREATE SCHEMA "we ""ird"; CREATE TABLE {table}"Ta.ble" ("Ke y" text PRIMARY KEY, "va\'l" bytea, "{{}}" text[]);',
          f"INSERT INTO {table}\"Ta.ble\" VALUES ('a|b', '\\x00', '{{a,NULL}}'), (E'tab\\t', NULL, '{{}}'), ('', '\\x', NULL), ('x', '\\x01', NULL)",
          f"INSERT INTO {table}\"Ta.ble\" VALUES ('x', '\\x02', '{{}}')")
    pair.configure("fold:\n  on_conflict: take-source\n")
    fold(pair)
    assert pair.target.sql(f'SELECT * FROM {table}"Ta.ble" ORDER BY 1') == pair.source.sql(f'SELECT * FROM {table}"Ta.ble" ORDER BY 1')
    proven(pair)


@pytest.mark.slow
def test_a_large_table_that_differs_a_little_is_merged(pair):
    began = time.monotonic()
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 200000) g;",
          "UPDATE t SET v = 'mine' WHERE id % 20000 = 7; INSERT INTO t SELECT g, 'new' FROM generate_series(300001, 300100) g", "DELETE FROM t WHERE id BETWEEN 500 AND 599")
    pair.configure(rules(t="take-source"))
    fold(pair)
    assert pair.target.sql("SELECT count(*), count(*) FILTER (WHERE v = 'mine'), count(*) FILTER (WHERE v = 'new') FROM t") == "200100|10|100"
    assert len(lost(pair, "t")) == 10
    assert time.monotonic() - began < 120
    proven(pair)
