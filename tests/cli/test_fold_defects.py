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
