"""What a fold has planned stands, or is judged again: whatever happens in the target before its tables are locked."""
import contextlib

import pytest

from test_merge import FOLD, fold, proven, rules, sides, wait_for_lock
from test_merge_others import Session

BOTH = "CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t);"
MINE = "INSERT INTO t VALUES (1, 'mine'), (2, 'two'); INSERT INTO c VALUES (1, 1), (2, 2); SELECT setval('t_id_seq', 2)"
THEIRS = "INSERT INTO t VALUES (1, 'theirs'); SELECT setval('t_id_seq', 1)"
PLANNED = "1theirs 2two 3mine", "1>3 2>2"


def judgements(pair):
    """How often rows of the two tables were judged, in statements of the target's log."""
    return (pair.target.cluster.folder / "log").read_text(errors="replace").count("CREATE TEMP TABLE pg_temp.pgfold_j")


def fold_while(pair, running, happens):
    """Something happens between the plan and the locks of a fold. The ended process; statements that judged until then, and in all."""
    pair.target.sql(f"ALTER DATABASE \"{pair.name}\" SET log_statement = 'all'")
    before = judgements(pair)
    with contextlib.closing(Session(pair.target)) as writer:
        writer.say("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE;")
        process = running(*FOLD)
        wait_for_lock(pair)
        planned = judgements(pair) - before
        writer.say(f"{happens}; COMMIT;")
        process.communicate(timeout=60)
    judged = judgements(pair) - before
    pair.target.sql(f"ALTER DATABASE \"{pair.name}\" RESET log_statement")
    return process, planned, judged


@pytest.mark.parametrize("happens, t, c, again", [
    ("SELECT 1", *PLANNED, False),
    ("INSERT INTO t VALUES (7, 'x'); DELETE FROM t WHERE id = 7", *PLANNED, False),
    ("INSERT INTO t VALUES (2, 'other')", "1theirs 2other 3mine 4two", "1>3 2>4", True),
    ("UPDATE t SET v = 'mine' WHERE id = 1", "1mine 2two", "1>1 2>2", True),
    ("DELETE FROM t WHERE id = 1", "1mine 2two", "1>1 2>2", True),
    ("SELECT nextval('t_id_seq') FROM generate_series(1, 5)", "1theirs 2two 8mine", "1>8 2>2", True)])
def test_what_happens_before_the_locks_is_judged_again_and_nothing_else(pair, running, happens, t, c, again):
    sides(pair, BOTH, MINE, THEIRS)
    pair.configure(rules(t="rekey"))
    process, planned, judged = fold_while(pair, running, happens)
    assert process.returncode == 0
    assert pair.target.sql("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t") == t
    assert pair.target.sql("SELECT string_agg(id || '>' || t, ' ' ORDER BY id) FROM c") == c
    assert planned == 2
    assert (judged > planned) == again
    pair.pgfold("verify", status=0)


def test_a_parent_that_is_not_merged_is_looked_at_too(pair, running):
    """Nothing of it is staged: its rows are the same on both sides when the fold is planned."""
    parents = "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);"
    sides(pair, f"{parents} CREATE TABLE t (id serial PRIMARY KEY, v text);"
                "CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t, p int REFERENCES p);",
          "INSERT INTO t VALUES (1, 'mine'); INSERT INTO c VALUES (1, 1, 1), (2, 1, 2); SELECT setval('t_id_seq', 1)",
          "INSERT INTO t VALUES (1, 'theirs'); SELECT setval('t_id_seq', 1)")
    pair.configure(rules(t="rekey", c="keep-target"))
    _, planned, judged = fold_while(pair, running, "DELETE FROM p WHERE id = 2")
    assert judged > planned
    assert pair.target.sql("SELECT count(*) FROM c WHERE p = 2") == "0"


def test_new_keys_follow_on_the_source_s_sequence_as_planned(pair):
    """It stands beyond the source's rows, and the fold raises the target's to it."""
    sides(pair, BOTH, f"{MINE}; SELECT setval('t_id_seq', 90)", THEIRS)
    pair.configure(rules(t="rekey"))
    pair.target.sql(f"ALTER DATABASE \"{pair.name}\" SET log_statement = 'all'")
    before = judgements(pair)
    fold(pair)
    assert judgements(pair) - before == 2
    assert pair.target.sql("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t") == "1theirs 2two 91mine"
    proven(pair)


@pytest.mark.parametrize("group", ["plain", 'a "b" \\c\\', "tab\tand\nline", "\x01 \b \v \f \r \x1f \x7f ü €"])
def test_a_key_that_json_writes_otherwise_is_found_again(pair, group):
    literal = "'" + group.replace("'", "''") + "'"
    sides(pair, "CREATE TABLE t (g text, id int, v text, PRIMARY KEY (g, id))", f"INSERT INTO t VALUES ({literal}, 1, 'mine')",
          f"INSERT INTO t VALUES ({literal}, 1, 'theirs')")
    pair.configure(rules(t="rekey"))
    fold(pair)
    proven(pair)
    fold(pair)
    assert pair.target.sql("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t") == "1theirs 2mine"
