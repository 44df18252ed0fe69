"""Databases with odd names, settings and habits: a fold keeps them all, and is not disturbed by them."""
import os
import pathlib
import pty
import signal
import threading

import pytest

import harness
from folding import Lock, assert_one_error, assert_same, descendants, wait_until, whole


def fold(pair, *more):
    return pair.pgfold("fold", "--yes", "--no-backup", *more, status=0)


@pytest.mark.parametrize("name", ['we"ird \'näme\' %s %20 \\ {database}', "pgfold_1_cafe", "select"])
def test_a_database_of_any_name_is_made_under_that_name(laptop, vps, pgfold, name):
    source, target = harness.Database(laptop, name), harness.Database(vps, name)
    quoted = name.replace('"', '""')
    laptop.sql("postgres", f'CREATE DATABASE "{quoted}"')
    try:
        source.sql(f'CREATE TABLE t (id int); INSERT INTO t VALUES (1); COMMENT ON DATABASE "{quoted}" IS \'a {{database}} of %I\'; '
                   f'ALTER DATABASE "{quoted}" SET test.value = \'{{database}}\'')
        arguments = ("--source", laptop.url(name), "--target", vps.url(name))
        pgfold("fold", "--yes", *arguments, status=0)
        pgfold("verify", *arguments, status=0)
        assert target.sql("SELECT shobj_description(oid, 'pg_database'), current_setting('test.value') FROM pg_database "
                          "WHERE datname = current_database()") == "a {database} of %I|{database}"
        assert_same(whole(target), whole(source))
    finally:
        for server in (laptop, vps):
            server.sql("postgres", f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)')


def test_roles_of_any_name_keep_objects_and_memberships(pair, laptop, vps):
    names = ['Ünï "röle" \\ \'x\'', "group of many", "user"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    try:
        laptop.sql("postgres", "".join(f"CREATE ROLE {name};" for name in quoted) + f"GRANT {quoted[1]} TO {quoted[0]}, {quoted[2]}")
        pair.source.create().sql(f"CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {quoted[0]}; "
                                 f"GRANT SELECT ON t TO {quoted[1]}; GRANT INSERT ON t TO {quoted[2]} WITH GRANT OPTION")
        pair.configure()
        fold(pair)
        assert_same(whole(pair.target), whole(pair.source))
        ask = ("SELECT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member "
               "WHERE r.rolname !~ '^pg_' ORDER BY 1, 2")
        assert vps.sql("postgres", ask) == laptop.sql("postgres", ask) != ""
        assert vps.sql("postgres", "SELECT count(*) FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass") == "0"
    finally:
        pair.source.drop()
        pair.target.drop()
        for server in (laptop, vps):
            server.sql("postgres", "".join(f"DROP ROLE IF EXISTS {name};" for name in quoted))


HOSTILE = ("extra_float_digits = -15", "bytea_output = 'escape'", "IntervalStyle = 'sql_standard'", "DateStyle = 'SQL, DMY'",
           "TimeZone = 'Pacific/Chatham'", "xmloption = 'document'", "xmlbinary = 'hex'", "search_path = pg_catalog",
           "standard_conforming_strings = off", "array_nulls = off", "row_security = off", "quote_all_identifiers = on",
           "enable_seqscan = off", "default_transaction_isolation = 'serializable'", "client_encoding = 'LATIN1'",
           "default_table_access_method = 'heap'", "check_function_bodies = on", "backslash_quote = off", "lc_messages = 'C'",
           "default_transaction_read_only = on", "default_transaction_deferrable = on", "transform_null_equals = on")


def test_settings_of_databases_and_roles_change_nothing_that_arrives(pair, laptop, vps):
    pair.source.create().sql(r"""
        CREATE EXTENSION hstore;
        CREATE TABLE t (id int PRIMARY KEY, f float8, b bytea, i interval, d date, tz timestamptz, a text[], x xml, h hstore, t text, m money);
        INSERT INTO t VALUES (1, 0.1::float8 + 0.2::float8, '\x00ff5c', '1 year -2 days 03:04:05.678', '2024-02-03', '2024-02-03 04:05:06.789+00', '{NULL,"NULL",a}',
                              'text <a/>', 'k=>1', E'back\\slash ''quote'' é', 12.5), (2, 1e-300, '', '-1 mon', '0044-03-15 BC', 'infinity', '{}', '<a/>', '', '', NULL);
        CREATE FUNCTION f(s text DEFAULT E'a\\b''c') RETURNS text LANGUAGE sql AS $$ SELECT s || 'x\y' $$;
        CREATE VIEW v AS SELECT f + 0.1 AS f, t LIKE '%\\%' AS l FROM t;
        ALTER TABLE t ALTER t SET DEFAULT E'it\\''s';""")
    hostile = "".join(f"ALTER DATABASE \"{pair.name}\" SET {setting};" for setting in HOSTILE)
    before = whole(pair.source)
    laptop.sql("postgres", hostile)
    vps.sql("postgres", "".join(f"ALTER ROLE postgres SET {setting};" for setting in HOSTILE if "read_only" not in setting))
    try:
        pair.configure()
        pair.pgfold("fold", "--yes", status=0)
        pair.pgfold("verify", status=0)
    finally:
        vps.sql("postgres", "ALTER ROLE postgres RESET ALL")
    ask = "SELECT count(*) FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) JOIN pg_database d ON d.oid = setdatabase AND datname = '%s'"
    assert vps.sql("postgres", ask % pair.name) == str(len(HOSTILE)) == laptop.sql("postgres", ask % pair.name)
    for server in (laptop, vps):
        server.sql("postgres", f'ALTER DATABASE "{pair.name}" RESET ALL')
    assert_same(whole(pair.source), before)
    assert_same(whole(pair.target), before)


def test_a_database_with_an_icu_locale_keeps_it(pair, laptop):
    laptop.sql("postgres", f"CREATE DATABASE \"{pair.name}\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
    pair.source.sql("CREATE TABLE t (v text PRIMARY KEY); INSERT INTO t VALUES ('a10'), ('a9'), ('ä')")
    pair.configure()
    fold(pair)
    ask = "SELECT string_agg(v, ',' ORDER BY v), (SELECT datlocprovider::text || daticulocale || datctype FROM pg_database WHERE datname = current_database()) FROM t"
    assert pair.target.sql(ask) == pair.source.sql(ask)


def test_a_source_that_is_written_to_meanwhile_gives_one_moment(pair, running):
    """Sums over two tables stay equal in every moment of the source, so they must be in the target."""
    pair.source.create().sql("CREATE TABLE one (id int PRIMARY KEY, n int); CREATE TABLE two (id int PRIMARY KEY, n int); "
                             "INSERT INTO one SELECT g, 1 FROM generate_series(1, 20000) g; INSERT INTO two SELECT g, 1 FROM generate_series(1, 20000) g")
    pair.configure()
    stop = threading.Event()

    def write():
        while not stop.is_set():
            pair.source.sql("DO $$ BEGIN FOR i IN 1..50 LOOP UPDATE one SET n = n + 1 WHERE id = i; UPDATE two SET n = n + 1 WHERE id = i; "
                            "INSERT INTO one SELECT max(id) + 1, 5 FROM one; INSERT INTO two SELECT max(id) + 1, 5 FROM two; COMMIT; END LOOP; END $$")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        fold(pair)
    finally:
        stop.set()
        writer.join()
    count, one, two = pair.target.sql("SELECT count(*), sum(n), (SELECT sum(n) FROM two) FROM one").split("|")
    assert one == two and int(count) >= 20000
    assert pair.source.sql("SELECT sum(n) FROM one") != one, "nothing was written meanwhile: the test shows nothing"
    assert "one" in pair.pgfold("verify", status=1).out


@pytest.mark.slow
def test_a_table_that_the_source_empties_meanwhile_is_not_taken_for_empty(pair, running):
    pair.source.create().sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
    pair.configure()
    vps = pair.target.cluster
    lock = Lock(vps, "postgres", "LOCK TABLE pg_database IN SHARE MODE")
    try:
        process = running("fold", "--yes", "--no-backup")
        wait_until(lambda: vps.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND wait_event_type = 'Lock'"),
                   "CREATE DATABASE")
        emptied = threading.Thread(target=pair.source.sql, args=("TRUNCATE t",))
        emptied.start()
        emptied.join(1)
    finally:
        lock.release()
    _, err = process.communicate(timeout=60)
    emptied.join()
    if process.returncode == 0:  # TRUNCATE had to wait
        assert pair.target.sql("SELECT count(*) FROM t") == "1000"
    else:
        assert process.returncode == 5 and "public.t" in err and "taken away again" in err, err
        assert not pair.target.exists()


def test_too_many_workers_for_the_server_are_refused_before_anything_is_done(pair, cluster):
    small = cluster(max_connections="12", superuser_reserved_connections="3")
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    pair.configure(target_url=small.url(pair.name))
    result = pair.pgfold("fold", "--yes", "--no-backup", "--jobs", "30", status=4)
    assert_one_error(result, "target", "connections")
    assert small.databases() == {"postgres"}


def test_ctrl_c_typed_at_a_terminal_reaches_every_child_and_still_leaves_nothing(pair, machine):
    """The terminal sends SIGINT to pg_dump, pg_restore and the ephemeral server as well."""
    pair.source.create().load("chinook")
    # Only in the ephemeral server is there a way to stand still: everything else is another socket folder.
    pair.source.sql(f"""
        CREATE FUNCTION stand(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
            IF current_setting('unix_socket_directories') NOT LIKE '{machine.folder}/%' THEN PERFORM pg_sleep(600); END IF; RETURN true; END $$;
        CREATE TABLE zz (n int CHECK (stand(n))); INSERT INTO zz VALUES (1)""")
    pair.configure()
    before = pair.target.cluster.databases()
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(pair.folder)
        os.execve(pair.pgfold.binary, [pair.pgfold.binary, "fold", "--yes"], pair.pgfold.environment())

    said = []

    def read():
        try:
            while True:
                said.append(os.read(master, 4096))
        except OSError:
            pass
    reader = threading.Thread(target=read)
    reader.start()
    children = []

    def copying():
        nonlocal children
        children = descendants(pid)
        for child in children:
            try:
                if b" COPY" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    return True
            except OSError:
                continue
        return False
    try:
        wait_until(copying, "the restore that proves the backup", 30)
        os.write(master, b"\x03")
        wait_until(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z", "its end")
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(pid, 0)
        reader.join()
        os.close(master)
    text = b"".join(said).decode()
    assert os.waitstatus_to_exitcode(status) == 130, text
    assert text.count("pgfold: error: ") == 1 and "nothing was changed" in text, text
    wait_until(lambda: not [child for child in children if pathlib.Path(f"/proc/{child}").exists()], "the end of its children")
    assert pair.target.cluster.databases() == before
