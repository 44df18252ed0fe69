"""Large values, and many tables: memory follows the largest value, time follows the number of tables."""
import os
import select
import time

import pytest

from folding import wait_until

MEGABYTE = 1 << 20


def peak_of(process, seconds=300):
    """Kilobytes that a run, or a child of it, had in memory at most. It must end well."""
    ended, _, _ = select.select([os.pidfd_open(process.pid)], [], [], seconds)
    assert ended, "it did not end"
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.communicate()
    return usage.ru_maxrss


def test_rows_longer_than_what_is_handed_on_at_once_arrive_whole(pair):
    """Around 256 kB and its multiples, by a byte more or less: a row in binary has 22 bytes beside the value here."""
    pair.source.create().sql(f"""
        CREATE TABLE t (id int PRIMARY KEY, v bytea); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
        INSERT INTO t SELECT n * 100 + d, decode(repeat('5a', n * {MEGABYTE // 4} + d - 28), 'hex') FROM generate_series(1, 4) n, generate_series(0, 12) d;
        CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u SELECT g, repeat('ü' || g, 300000) FROM generate_series(1, 3) g""")
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("verify", status=0)
    ask = "SELECT string_agg(concat(id, length(v), md5(v)), ',' ORDER BY id), (SELECT string_agg(md5(v), ',' ORDER BY id) FROM u) FROM t"
    assert pair.target.sql(ask) == pair.source.sql(ask)


@pytest.mark.long
@pytest.mark.parametrize("there", [False, True])
def test_a_value_of_300_megabytes_arrives_and_is_in_memory_no_more_than_twice(pair, running, there):
    """libpq holds a whole row as it came, and gives out a copy of it."""
    table = "CREATE TABLE big (id int PRIMARY KEY, v bytea); ALTER TABLE big ALTER v SET STORAGE EXTERNAL;"
    pair.source.create().sql(table + f"INSERT INTO big SELECT 1, decode(repeat(md5('a') || md5('b'), 300 * {MEGABYTE} / 32), 'hex')")
    if there:
        pair.target.create().sql(table + "INSERT INTO big VALUES (2, 'x')")
    pair.configure()
    began = time.monotonic()
    peak = peak_of(running("fold", "--yes", "--no-backup"))
    assert time.monotonic() - began < 60  # it took 34 s once, 31 of them in memmove()
    assert peak < 660 * 1024, f"{peak} kB"
    ask = "SELECT length(v), md5(v) FROM big WHERE id = 1"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert pair.target.sql(ask).startswith(f"{300 * MEGABYTE}|")
    assert peak_of(running("verify")) < 100 * 1024


def fill(database, tables):
    """Tables of three columns, with two indexes, a sequence, and a foreign key to the one before."""
    database.create()
    for first in range(1, tables, 250):
        database.sql(f"""DO $$ BEGIN FOR i IN {first}..{min(first + 249, tables)} LOOP
            EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, before int %s, v text)', i, CASE WHEN i > 1 THEN format('REFERENCES t%s', i - 1) END);
            EXECUTE format('CREATE INDEX ON t%s (v)', i); EXECUTE format('INSERT INTO t%s (before, v) SELECT 1, g::text FROM generate_series(1, 10) g', i);
            END LOOP; END $$""")


@pytest.mark.long
def test_the_time_for_5000_tables_is_four_times_that_for_1250(cluster, pair):
    laptop, vps = (cluster(max_connections="100") for _ in range(2))  # the server's own default
    seconds, done = {}, {}
    for tables in (1250, 5000):
        source, target = laptop.database(f"t{tables}"), vps.database(f"t{tables}")
        fill(source, tables)
        pair.configure(source_url=source.url, target_url=target.url)
        for command in (("audit",), ("plan",), ("fold", "--yes", "--no-backup"), ("verify",)):
            result = pair.pgfold(*command, status=1 if command == ("audit",) else 0, timeout=600)
            seconds[command[0], tables] = result.seconds
        done[tables] = target.sql("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9]'")
        wait_until(lambda: vps.connections() + laptop.connections() == 0, "the end of its connections")
    assert done == {1250: "1250", 5000: "5000"}
    print({f"{name} {tables}": round(value, 2) for (name, tables), value in seconds.items()})
    # Twice as much as linear would mean that something grows with the square: sixteen times.
    slow = {name for name, tables in seconds if tables == 5000 and seconds[name, 5000] > 8 * max(seconds[name, 1250], 0.4)}
    assert not slow, seconds
    assert seconds["audit", 5000] < 15
