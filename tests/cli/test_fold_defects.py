"""Definitions that ordinary databases have and that once stopped a fold, or arrived as something else."""
import pytest

from folding import assert_one_error, assert_same, whole


def fold(pair, *more, status=0):
    return pair.pgfold("fold", "--yes", "--no-backup", *more, status=status)


def test_a_foreign_key_between_two_collations_is_compared_as_its_parent_is(pair):
    pair.source.create().sql("""
        CREATE TABLE p (k text COLLATE "C" PRIMARY KEY); INSERT INTO p VALUES ('a'), ('b');
        CREATE TABLE c (k text REFERENCES p, k2 text COLLATE "POSIX" REFERENCES p); INSERT INTO c VALUES ('a', 'b'), (NULL, 'a')""")
    pair.configure()
    pair.pgfold("plan", status=0)
    fold(pair)
    assert_same(whole(pair.target), whole(pair.source))
    pair.pgfold("audit", status=0)


def test_orphans_between_two_collations_are_found(pair):
    pair.source.create().sql("""
        CREATE TABLE p (k text COLLATE "C" PRIMARY KEY); CREATE TABLE c (k text REFERENCES p);
        ALTER TABLE c DISABLE TRIGGER ALL; INSERT INTO c VALUES ('nobody')""")
    pair.configure()
    assert_one_error(fold(pair, status=4), "c_k_fkey", state="nothing was changed")


@pytest.mark.parametrize("child", ["c (id int REFERENCES p)", "c (id int REFERENCES p) PARTITION BY LIST (id); CREATE TABLE c1 PARTITION OF c DEFAULT"])
def test_a_foreign_key_to_a_partitioned_table_arrives_validated(pair, child):
    pair.source.create().sql(f"""
        CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT;
        INSERT INTO p VALUES (1), (20); CREATE TABLE {child}; INSERT INTO c VALUES (1), (20)""")
    pair.configure()
    fold(pair)
    pair.pgfold("audit", status=0)
    assert pair.target.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated") == "0"


NAMED = """
    CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);
    CREATE MATERIALIZED VIEW base AS SELECT current_database() AS db, id FROM t; CREATE UNIQUE INDEX ON base (id);
    CREATE MATERIALIZED VIEW above AS SELECT db || '!' AS db FROM base"""


def test_a_materialized_view_of_the_name_of_the_database_holds_the_final_name(pair):
    pair.source.create().sql(NAMED)
    pair.configure()
    fold(pair)
    assert pair.target.sql("SELECT db FROM base ORDER BY id") == f"{pair.name}\n{pair.name}"
    assert pair.target.sql("SELECT DISTINCT db FROM above") == f"{pair.name}!"
    pair.pgfold("audit", status=0)
    pair.pgfold("verify", status=0)


def test_a_materialized_view_that_cannot_be_filled_under_the_name_leaves_nothing(pair):
    pair.source.create().sql("""
        CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
        CREATE MATERIALIZED VIEW m AS SELECT current_database() AS db, 1 / (id - 1) AS n FROM t WITH NO DATA;
        UPDATE t SET id = 2; REFRESH MATERIALIZED VIEW m; UPDATE t SET id = 1""")
    pair.configure()
    assert_one_error(fold(pair, status=5), "materialized view m", state="taken away again")
    assert not pair.target.exists()


def test_a_fold_killed_before_the_views_are_filled_is_found_and_mended(pair):
    """As a run leaves it that dies right after the rename."""
    pair.source.create().sql(NAMED)
    pair.configure()
    fold(pair)
    pair.target.sql("REFRESH MATERIALIZED VIEW base WITH NO DATA")
    assert "base is not populated" in pair.pgfold("verify", status=1).out
    fold(pair)
    assert pair.target.sql("SELECT count(*) FROM base") == "2"
    pair.pgfold("verify", status=0)


def test_other_rows_of_a_materialized_view_are_told_and_stop_nothing(pair):
    pair.source.create().sql("CREATE TABLE t (id int); CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t; INSERT INTO t VALUES (1)")
    pair.configure()
    fold(pair)
    result = pair.pgfold("audit", status=1)
    assert "public.m: 1 row in the source, 1 in the target" in result.out and "different" in result.out
    result = pair.pgfold("verify", status=0)
    assert "refreshed" in result.out and "public.m" in result.out
    assert "public.m: its query gives other rows" in fold(pair).err


def test_views_of_another_definition_are_found_by_an_audit(pair):
    pair.source.create().sql("""
        CREATE TABLE t (id int, v varchar(9)); INSERT INTO t VALUES (1, 'a'); CREATE VIEW v AS SELECT id FROM t; CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
        CREATE VIEW lists AS SELECT id FROM t WHERE v IN ('a', 'it''s'); ALTER TABLE t ADD CONSTRAINT listed CHECK (v IN ('a', 'b'))""")
    pair.configure()
    fold(pair)
    pair.pgfold("audit", status=0)
    pair.target.sql("CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE id > 5; DROP MATERIALIZED VIEW m; CREATE MATERIALIZED VIEW m AS SELECT id FROM t WHERE id > 6")
    result = pair.pgfold("audit", status=1)
    assert "public.v: " in result.out and "> 5" in result.out and "> 6" in result.out and "public.lists" not in result.out
    assert [view["name"] for view in pair.pgfold("audit", "--json", status=1).json()["sources"][0]["views"]] == ["public.m", "public.v"]


@pytest.mark.parametrize("what,definition", [
    ("constraint here of table public.t", "CREATE TABLE t (db text CONSTRAINT here CHECK (db = current_database())); INSERT INTO t VALUES (current_database())"),
    ("constraint here of domain public.d", "CREATE DOMAIN d AS text CONSTRAINT here CHECK (VALUE <> current_catalog || '?'); CREATE TABLE t (db d); INSERT INTO t VALUES ('x')"),
    ("constraint called of table public.t", "CREATE FUNCTION f(text) RETURNS bool LANGUAGE sql AS 'SELECT $1 = current_database()'; "
     "CREATE TABLE t (db text CONSTRAINT called CHECK (f(db))); INSERT INTO t VALUES (current_database())"),
    ("generated column g of table public.t", "CREATE FUNCTION f(int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT current_database()::text'; "
     "CREATE TABLE t (id int, g text GENERATED ALWAYS AS (f(id)) STORED); INSERT INTO t VALUES (1)"),
])
def test_what_depends_on_the_name_of_the_database_while_rows_arrive_is_refused_by_name(pair, what, definition):
    pair.source.create().sql(definition)
    pair.configure()
    assert_one_error(fold(pair, status=4), what, "current_database()", state="nothing was changed")
    assert not pair.target.exists()
    pair.target.create()
    fold(pair)
    pair.pgfold("verify", status=0)


@pytest.mark.parametrize("key,values", [("e", "'a'"), ("e[]", "'{a,b}'"), ("d", "'b'")])
def test_hash_partitions_by_enum_are_refused_by_name(pair, key, values):
    pair.source.create().sql(f"""
        CREATE TYPE e AS ENUM ('a', 'b'); CREATE DOMAIN d AS e; CREATE TABLE h (k {key}) PARTITION BY HASH (k);
        CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO h VALUES ({values}); CREATE TABLE fine (k e, n int) PARTITION BY HASH (n); CREATE TABLE f0 PARTITION OF fine FOR VALUES WITH (MODULUS 1, REMAINDER 0)""")
    pair.configure()
    assert "public.h is partitioned by the hash of an enum" in pair.pgfold("plan", status=1).out
    result = fold(pair, status=4)
    assert_one_error(result, "public.h ", "cannot be moved yet", state="nothing was changed")
    assert "public.fine" not in result.err
