"""Text that is stored in one encoding and goes into another: all of it arrives, or one error says what does not fit."""
import pytest

from folding import assert_one_error, assert_same, whole


def create_with(database, encoding):
    database.cluster.sql("postgres", f"CREATE DATABASE \"{database.name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    database.cluster.sql("postgres", f"ALTER DATABASE \"{database.name}\" SET client_encoding = 'UTF8'")
    return database


@pytest.mark.parametrize("encoding, words", [("WIN1252", "Grüße – € “”"), ("EUC_JP", "日本語テスト"), pytest.param("KOI8R", "Привет", marks=pytest.mark.long)])
def test_names_definitions_and_values_arrive_in_utf8(pair, encoding, words):
    create_with(pair.source, encoding).sql(f"""
        CREATE TYPE mood AS ENUM ('{words}'); CREATE TABLE "{words}" ("{words}" text PRIMARY KEY); INSERT INTO "{words}" VALUES ('{words}');
        CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT '{words}', c char(20), n name, j jsonb, a text[], x xml, e mood);
        INSERT INTO t VALUES (1, '{words}', '{words}', '{words}', jsonb_build_object('k', '{words}'), ARRAY['{words}', NULL], '{words}', '{words}'); INSERT INTO t (id) VALUES (2);
        COMMENT ON TABLE t IS '{words}'; CREATE VIEW v AS SELECT '{words}'::text AS said FROM t; CREATE INDEX ON t (v) WHERE v <> '{words}'""")
    pair.target.create()
    pair.configure()
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("verify", status=0)
    ask = f"SELECT v, c, n, j, a, x, e, (SELECT \"{words}\" FROM \"{words}\"), (SELECT max(said) FROM v), obj_description('t'::regclass) FROM t ORDER BY id"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert pair.target.sql(ask).count(words) > 12


@pytest.mark.parametrize("what, sql", [
    ("copying public.t", "INSERT INTO t VALUES (2, '€ and 日')"),
    pytest.param("COMMENT public.COLUMN t.v", "COMMENT ON COLUMN t.v IS '日'", marks=pytest.mark.long),
    ("VIEW public.v", "CREATE VIEW v AS SELECT '日'::text AS said"),  # one of several in one message, which is not read at all
])
def test_a_character_that_the_targets_encoding_lacks_is_named_and_nothing_is_left(pair, what, sql):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'fits: é'); CREATE TABLE beside (id int);" + sql)
    create_with(pair.target, "LATIN1")
    before = whole(pair.target)
    pair.configure()
    result = pair.pgfold("fold", "--yes", "--no-backup", status=5)
    assert_one_error(result, what, "no equivalent in encoding \"LATIN1\"", "a UTF8 database takes all", state="taken away again")
    assert_same(whole(pair.target), before)
    pair.source.sql("DELETE FROM t WHERE id = 2; COMMENT ON COLUMN t.v IS NULL; DROP VIEW IF EXISTS v")
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert pair.target.sql("SELECT v FROM t") == "fits: é"


def test_a_character_that_does_not_fit_stops_a_merge_before_anything_is_changed(pair):
    table = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'fits: é')"
    pair.source.create().sql(table)
    create_with(pair.target, "LATIN1").sql(table)
    pair.source.sql("INSERT INTO t VALUES (2, 'fits too'), (3, '日')")
    pair.configure()
    for command in (("plan",), ("fold", "--yes", "--no-backup")):
        result = pair.pgfold(*command, status=5)
        assert_one_error(result, "public.t", "no equivalent in encoding \"LATIN1\"", state="nothing was changed" if command[0] == "fold" else None)
    assert pair.target.sql("SELECT string_agg(v, ',') FROM t") == "fits: é"


@pytest.mark.long
def test_rows_of_another_encoding_are_merged_and_taken_out_again(pair):
    tables = "CREATE TABLE \"tä\" (id int PRIMARY KEY, \"wört\" text, u text UNIQUE); CREATE TABLE nk (v text);"
    create_with(pair.source, "WIN1252").sql(tables + "INSERT INTO \"tä\" VALUES (1, 'same ü', 'a'), (2, 'mine €', 'b'), (3, 'new “x”', 'c'); INSERT INTO nk VALUES ('ü'), ('ü'), ('€')")
    pair.target.create().sql(tables + "INSERT INTO \"tä\" VALUES (1, 'same ü', 'a'), (2, 'theirs 日', 'b'); INSERT INTO nk VALUES ('ü')")
    before = whole(pair.target)
    pair.configure("fold: { on_conflict: take-source }\n").pgfold("fold", "--yes", status=0)
    pair.pgfold("verify", status=0)
    ask = "SELECT string_agg(\"wört\", ',' ORDER BY id), (SELECT string_agg(v, ',' ORDER BY convert_to(v, 'UTF8')) FROM nk) FROM \"tä\""
    assert pair.target.sql(ask) == pair.source.sql(ask) == "same ü,mine €,new “x”|ü,ü,€"
    pair.pgfold("undo", "1", "--yes", status=0)
    assert sorted(whole(pair.target)) == sorted(before)


def test_a_byte_that_is_no_character_of_the_sources_encoding_is_named_before_anything_is_changed(pair):
    create_with(pair.source, "WIN1252").sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'good')")
    pair.source.sql("SET client_encoding = 'WIN1252'; INSERT INTO t VALUES (2, E'\\x9d')")
    pair.target.create()
    result = pair.configure().pgfold("fold", "--yes", "--no-backup", status=5)
    assert_one_error(result, "source laptop", "public.t", "0x9d", state="nothing was changed")
    assert pair.target.sql("SELECT to_regclass('t')") == ""
