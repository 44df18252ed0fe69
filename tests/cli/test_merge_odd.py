"""Merges of tables whose keys, names and columns are odd: no row is lost, none comes twice, and undo takes exactly them back."""
import pytest

import merging
from folding import assert_same, whole
from test_merge import fold, lost, proven, rules, sides, unchanged

UNDO = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold_undo%'"


def taken_back(pair, before):
    """After undo of all that was folded, the last one first."""
    for run in reversed(merging.runs(pair.folder)):
        result = pair.pgfold("undo", run, "--yes")
        assert result.status in (0, 2), result
    # A name with a newline takes the end of a setval() to a line of its own.
    assert_same([line for line in merging.settled(whole(pair.target)) if not line.startswith("_seq\"'")], [line for line in merging.settled(before) if not line.startswith("_seq\"'")])
    assert pair.target.sql(UNDO) == "0"


# --- values that are equal, and not the same ------------------------------------------------------------------------------

ALIKE = {
    "numeric": ("numeric", "1.0", "1.00"),
    "citext": ("citext", "'Ann'", "'ANN'"),
    "collation": ("text COLLATE alike", "'Ann'", "'ANN'"),
    "interval": ("interval", "'1 day'", "'24:00'"),
    "float8": ("float8", "'-0.0'", "'0.0'"),
    "jsonb": ("jsonb", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"),
    "array": ("numeric[]", "'{1.0}'", "'{1.00}'"),
    "domain": ("a_number", "1.0", "1.00"),
}
BASE = "CREATE EXTENSION citext; CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE DOMAIN a_number AS numeric;"


# The rule is of no account to how keys are compared: one for all kinds, all of them for two.
ALIKE_CASES = [pytest.param(kind, rule, marks=[] if rule == "take-source" or kind in ("numeric", "collation") else pytest.mark.long)
               for rule in ("take-source", "keep-target", "stop") for kind in ALIKE]


@pytest.mark.parametrize("kind, rule", ALIKE_CASES)
def test_keys_that_are_equal_but_written_otherwise_are_one_row(pair, kind, rule):
    type_, mine, theirs = ALIKE[kind]
    table = BASE + f"CREATE TABLE t (k {type_} PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, k {type_} REFERENCES t ON UPDATE CASCADE);"
    sides(pair, table, f"INSERT INTO t VALUES ({mine}, 'mine'); INSERT INTO u VALUES (1, {mine})", f"INSERT INTO t VALUES ({theirs}, 'theirs'); INSERT INTO u VALUES (2, {theirs})")
    pair.configure(rules(t=rule))
    before = whole(pair.target)
    if rule == "stop":
        unchanged(pair, merging.CONFLICTS, "public.t", "mine", "theirs")
        return
    fold(pair)
    ask = "SELECT k::text, v FROM t"
    assert pair.target.sql(ask) == (pair.source.sql(ask) if rule == "take-source" else ask and f"{pair.target.sql(f'SELECT ({theirs})::{type_.split()[0]}::text')}|theirs")
    assert pair.target.sql("SELECT count(*) FROM u JOIN t USING (k)") == "2"
    assert len(lost(pair, "t")) == 1
    proven(pair)
    taken_back(pair, before)


def test_blanks_at_the_end_of_char_n_are_no_difference(pair):
    sides(pair, "CREATE TABLE t (k char(5) PRIMARY KEY, v text);", "INSERT INTO t VALUES ('a', 'same'), ('b  ', 'mine'), ('c', 'new')", "INSERT INTO t VALUES ('a    ', 'same'), ('b', 'theirs')")
    pair.configure(rules(t="take-source"))
    before = whole(pair.target)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(k::text || v, ' ' ORDER BY k) FROM t") == "asame bmine cnew"
    proven(pair)
    taken_back(pair, before)


def test_two_rows_of_the_source_that_are_one_under_the_targets_collation_lose_nothing(pair):
    """'Ann' and 'ANN' are two people in the source; the target's key holds only one of them."""
    pair.source.create().sql("CREATE TABLE t (k text PRIMARY KEY, v text); INSERT INTO t VALUES ('Ann', '1'), ('ANN', '2')")
    pair.target.create().sql("CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE t (k text COLLATE alike PRIMARY KEY, v text)")
    pair.configure(rules(t="take-source"))
    before = whole(pair.target)
    result = fold(pair, status=None)
    assert result.status in (1, 4, 5), result
    assert_same(whole(pair.target), before)


def test_a_reference_between_columns_of_different_collations(pair):
    sides(pair, "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY, v text); CREATE TABLE uses (id serial PRIMARY KEY, code text REFERENCES codes);",
          "INSERT INTO codes VALUES ('a', '1'), ('b', '2'); INSERT INTO uses (code) VALUES ('a'), ('b')", "INSERT INTO codes VALUES ('c', '3'), ('b', '2'); INSERT INTO uses (code) VALUES ('c')")
    pair.configure(rules(uses="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT string_agg(code, ' ' ORDER BY code) FROM uses") == "a b c"
    proven(pair)


@pytest.mark.parametrize("rule", ["keep-target", {"on_conflict": "rekey", "match_on": ["name"]}])
def test_rekey_of_parents_whose_children_refer_to_them_in_another_collation(pair, rule):
    sides(pair, "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY, name text); CREATE TABLE uses (id serial PRIMARY KEY, code text REFERENCES codes);",
          "INSERT INTO codes VALUES ('a', '1'), ('b', '2'); INSERT INTO uses (code) VALUES ('a'), ('b')", "INSERT INTO codes VALUES ('x', '1'); INSERT INTO uses (code) VALUES ('x')")
    pair.configure(rules(codes=rule, uses="rekey"))
    fold(pair)
    assert pair.target.sql("SELECT string_agg(code, ' ' ORDER BY code) FROM uses") == ("a b x" if rule == "keep-target" else "b x")
    proven(pair)


# --- columns --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("differ", [False, True])
def test_a_column_that_is_always_generated_as_identity_and_no_key(pair, differ):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v text);",
          "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1, 1, 'mine'), (2, 2, 'new')", f"INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1, {5 if differ else 1}, 'theirs')")
    pair.configure(rules(t="take-source"))
    before = whole(pair.target)
    if differ:
        unchanged(pair, merging.BLOCKED, "public.t", "SET GENERATED BY DEFAULT")
        return
    fold(pair)
    assert pair.target.sql("SELECT string_agg(concat_ws(' ', id, n, v), ', ' ORDER BY id) FROM t") == "1 1 mine, 2 2 new"
    proven(pair)
    taken_back(pair, before)


def test_columns_in_another_order_dropped_and_generated_ones_and_domains(pair):
    pair.source.create().sql("CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE t (id serial PRIMARY KEY, a pos, was text, b int, c int GENERATED ALWAYS AS (b * 2) STORED, d text);"
                             "ALTER TABLE t DROP COLUMN was; INSERT INTO t (a, b, d) VALUES (1, 1, 'x'), (2, 2, 'mine'), (3, 3, 'three')")
    pair.target.create().sql("CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE t (gone int, d text, c int GENERATED ALWAYS AS (b * 2) STORED, b int, own text DEFAULT 'own', a pos, id serial PRIMARY KEY);"
                             "ALTER TABLE t DROP COLUMN gone; INSERT INTO t (a, b, d) VALUES (1, 1, 'x'), (2, 2, 'theirs')")
    pair.configure(rules(t="rekey"))
    before = whole(pair.target)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(concat_ws(' ', a, b, c, d, own), ', ' ORDER BY d) FROM t") == "2 2 4 mine own, 2 2 4 theirs own, 3 3 6 three own, 1 1 2 x own"
    proven(pair)
    taken_back(pair, before)


def test_a_key_of_the_configuration_that_may_be_null(pair):
    """Rows with NULL in it cannot be told apart: they count as a multiset does, or nothing is done."""
    sides(pair, "CREATE TABLE t (a int, b text, v text);", "INSERT INTO t VALUES (1, 'x', 'mine'), (2, NULL, 'n'), (2, NULL, 'n'), (3, NULL, 'three')",
          "INSERT INTO t VALUES (1, 'x', 'theirs'), (2, NULL, 'n')")
    pair.configure(rules(t={"key": ["a", "b"], "on_conflict": "keep-target"}))
    before = pair.target.sql("SELECT * FROM t ORDER BY 1, 2, 3").splitlines()
    result = fold(pair, status=None)
    after = pair.target.sql("SELECT * FROM t ORDER BY 1, 2, 3").splitlines()
    if result.status:
        assert result.status == merging.BLOCKED and after == before, result
        return
    assert after.count("2||n") == 2 and after.count("3||three") == 1 and "1|x|theirs" in after
    proven(pair)


# --- names ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule", ["take-source", "rekey"])
def test_names_with_quotes_commas_and_newlines(pair, rule):
    schema, table, one, two = '"s "", x"', '"a ""b"", c%s\nd"', '"k"", ""q"', "\"it's \\ %d\n\""
    made = f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table} ({one} int, {two} serial, \"v%\" text, PRIMARY KEY ({one}, {two}));" \
           f"CREATE TABLE {schema}.\"of it\" (id serial PRIMARY KEY, {one} int, {two} int, FOREIGN KEY ({one}, {two}) REFERENCES {schema}.{table});"
    sides(pair, made, f"INSERT INTO {schema}.{table} VALUES (1, 1, 'mine'), (1, 2, 'new'); INSERT INTO {schema}.\"of it\" VALUES (1, 1, 1), (2, 1, 2)",
          f"INSERT INTO {schema}.{table} VALUES (1, 1, 'theirs')")
    pair.configure(f"fold:\n  on_conflict: {rule}\n")
    before = whole(pair.target)
    fold(pair)
    assert pair.target.sql(f"SELECT string_agg(\"v%\", ' ' ORDER BY o.id) FROM {schema}.\"of it\" o JOIN {schema}.{table} USING ({one}, {two})") == "mine new"
    proven(pair)
    taken_back(pair, before)


def test_archives_of_tables_whose_names_look_alike_do_not_overwrite_each_other(pair):
    tables = ['"a.b"."c"', '"a"."b.c"', '"a/b"."c"', '"a_b"."c"']
    made = "".join(f"CREATE SCHEMA {t.partition('.')[0] if t[1:4] != 'a.b' else chr(34) + 'a.b' + chr(34)};" for t in tables) + "".join(f"CREATE TABLE {t} (id serial PRIMARY KEY, v text);" for t in tables)
    sides(pair, made, "".join(f"INSERT INTO {t} VALUES ({n}, 'mine {n}'), (77, 'keyed {n}');" for n, t in enumerate(tables)), "".join(f"INSERT INTO {t} VALUES ({n}, 'theirs {n}');" for n, t in enumerate(tables)))
    pair.configure("fold:\n  on_conflict: keep-target\n")
    fold(pair)
    files = merging.newest_files(pair.folder, "conflicts/*.csv")
    assert sorted(record["lost_row"] for path in files for record in merging.records(path)) == sorted(f'{{"id" : "{n}", "v" : "mine {n}"}}' for n in range(4))
    assert len({path.name.lower() for path in files}) == 4


# --- inheritance, partitions ----------------------------------------------------------------------------------------------

def test_a_parent_by_inheritance_holds_only_its_own_rows(pair):
    sides(pair, "CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c (w text, PRIMARY KEY (id)) INHERITS (p);",
          "INSERT INTO p VALUES (1, 'mine'), (2, 'new'); INSERT INTO c VALUES (1, 'child', 'w'), (3, 'child new', 'w')", "INSERT INTO p VALUES (1, 'theirs'); INSERT INTO c VALUES (1, 'child', 'x')")
    pair.configure(rules(p="take-source", c="take-source"))
    before = whole(pair.target)
    fold(pair)
    for ask in ("SELECT * FROM ONLY p ORDER BY id", "SELECT * FROM c ORDER BY id"):
        assert pair.target.sql(ask) == pair.source.sql(ask)
    proven(pair)
    taken_back(pair, before)


def test_partitions_with_triggers_and_references(pair):
    sides(pair, "CREATE TABLE places (id int PRIMARY KEY); CREATE TABLE m (day date, id int, place int REFERENCES places, v text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);"
                "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v = 'meddled'; RETURN NEW; END $$; INSERT INTO places VALUES (1);",
          "INSERT INTO places VALUES (2); INSERT INTO m VALUES ('2024-05-05', 1, 1, 'mine'), ('2025-05-05', 1, 2, 'new')", "INSERT INTO m VALUES ('2024-05-05', 1, 1, 'theirs');"
          "CREATE TRIGGER f BEFORE INSERT OR UPDATE ON m FOR EACH ROW EXECUTE FUNCTION f()")
    pair.configure("fold:\n  on_conflict: take-source\n")
    before = whole(pair.target)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(tableoid::regclass || v, ' ' ORDER BY day) FROM m") == "m1mine m2new"
    assert pair.target.sql("SELECT string_agg(tgenabled::text, '') FROM pg_trigger WHERE tgname = 'f'") == "OOO"
    proven(pair)
    taken_back(pair, before)


# --- folds that wrote no row ----------------------------------------------------------------------------------------------

def test_a_fold_that_only_kept_rows_can_be_undone_and_then_they_are_in_conflict_again(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text);", "INSERT INTO t VALUES (1, 'mine')", "INSERT INTO t VALUES (1, 'theirs')")
    pair.configure(rules(t="keep-target"))
    fold(pair)
    pair.pgfold("verify", status=0)
    run = merging.runs(pair.folder)[-1]
    pair.pgfold("undo", run, "--yes", status=0)
    assert pair.target.sql(UNDO) == "0"
    pair.pgfold("verify", status=1)
    fold(pair)
    pair.pgfold("undo", "--forget", merging.runs(pair.folder)[-1], "--yes", status=0)
    pair.pgfold("verify", status=0)


def test_a_fold_that_changed_nothing_is_no_fold_to_take_back(pair):
    sides(pair, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'same')")
    fold(pair)
    assert "changed nothing" in pair.pgfold("undo", merging.runs(pair.folder)[-1], "--yes", status=2).err
    assert pair.pgfold("status", "--json", status=0).json()["sources"][0]["state"] == "contained"
