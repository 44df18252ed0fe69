"""What others do to the target while a fold is under way, and databases that are hard to fold: whatever is not the run's own
stays, and what arrives is what was sent.

No moment is guessed: the source has a function, door(), that waits on the target's server until the test opens it. In an
index it holds the fold before the rows are proven, in a materialized view after that.
"""
import json
import time

import pytest

from folding import Lock, assert_one_error, assert_same, wait_until, whole

DOOR = """
    CREATE FUNCTION public.door(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        IF current_setting('unix_socket_directories') = '{vps}' THEN
            WHILE (pg_stat_file('{go}', true)).size IS NULL LOOP PERFORM pg_sleep(0.02); END LOOP;
            IF (pg_stat_file('{fail}', true)).size IS NOT NULL THEN RAISE 'the door is shut'; END IF;
        END IF;
        RETURN n; END $$;
"""
EARLY = "CREATE TABLE public.early (id int); INSERT INTO public.early VALUES (1); CREATE INDEX early_door ON public.early (public.door(id));"
LATE = "CREATE MATERIALIZED VIEW public.late AS SELECT public.door(1) AS n;"
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%' AND "
MARKERS = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgfold%'"


class Door:
    """A fold that stops on its way."""

    def __init__(self, pair, running, folder):
        self.pair = pair
        self.server = pair.target.cluster
        self.running = running
        self.go = folder / "go"
        self.fail = folder / "fail"
        self.process = None
        self.locks = []

    def source(self, text, where=LATE):
        """Makes the source, with a door in it."""
        door = DOOR.format(vps=self.server.folder, go=self.go, fail=self.fail)
        self.pair.source.create().sql(door + where + text)

    def reach(self):
        """Starts a fold; returns when it stands at the door."""
        self.start()
        self.wait("wait_event = 'PgSleep'")

    def start(self):
        self.process = self.running("fold", "--yes", "--no-backup")

    def wait(self, condition):
        def stands():
            assert self.process.poll() is None, self.process.communicate()
            return self.server.sql("postgres", OURS + condition) != "0"
        wait_until(stands, f"a session with {condition}")

    def hold(self, database, statement):
        """A session that holds something in the target's server until it is released."""
        self.locks.append(Lock(self.server, database, statement))
        return self.locks[-1]

    def open(self, fail=False):
        if fail:
            self.fail.touch()
        self.go.touch()

    def end(self, status):
        """The standard error of the fold that was started."""
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == status, f"exit {self.process.returncode}\n{out}\n{err}"
        return err

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def door(pair, running, machine):
    folder = machine.folder / f"door-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    made = Door(pair.configure(), running, folder)
    yield made
    made.open()
    for lock in made.locks:
        if lock.process.poll() is None:
            lock.release()
    if made.process is not None and made.process.poll() is None:
        made.kill()
    for server in (pair.source.cluster, made.server):
        wait_until(lambda server=server: server.sql("postgres", OURS + "true") == "0", "the end of its connections")
    for name in made.server.databases():
        if name.startswith("pgfold"):
            made.server.database(name).drop()


@pytest.fixture
def role(laptop, vps, pair):
    """The name of a role that is on neither server."""
    name = "safety_role"
    yield name
    pair.source.drop()
    pair.target.drop()
    for server in (laptop, vps):
        server.sql("postgres", f"DROP ROLE IF EXISTS {name}")


def receipt_of(pair):
    return json.loads(max((pair.folder / ".pgfold" / "receipts").glob("*.json")).read_text(encoding="utf-8"))


# --- what others make in a database that was there ----------------------------------------------------------------------

FULL = """
    CREATE SCHEMA app; CREATE EXTENSION hstore SCHEMA public;
    CREATE TABLE app.items (id int PRIMARY KEY, tags public.hstore); INSERT INTO app.items VALUES (1, 'a=>1');
    SELECT lo_from_bytea(4711, 'from the laptop');
    CREATE DOMAIN public.shade AS text; CREATE PUBLICATION app_pub FOR TABLE app.items;
"""


@pytest.mark.parametrize("act, word", [
    ("SELECT lo_from_bytea(4711, 'theirs')", "4711"),
    ("CREATE EXTENSION hstore SCHEMA public", "hstore"),
    ("CREATE PUBLICATION app_pub", "app_pub"),
    ("CREATE DOMAIN public.shade AS text", "shade"),
])
def test_what_others_make_meanwhile_is_not_taken_away_by_a_fold_that_fails(door, act, word):
    """The fold stands before it makes anything."""
    door.source(FULL)
    door.pair.target.create().sql("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)")
    lock = door.hold(door.pair.name, "LOCK TABLE pg_namespace IN SHARE MODE")
    door.start()
    door.wait("wait_event_type = 'Lock'")
    door.pair.target.sql(act)
    before = whole(door.pair.target)
    lock.release()
    door.open()
    err = door.end(5)
    assert word in err and "taken away again" in err
    assert_same(whole(door.pair.target), before)
    assert door.pair.target.sql(MARKERS) == "0"
    assert "left in the target" not in door.pair.pgfold("status", status=0).out


def test_what_was_there_before_is_not_taken_away_by_a_fold_that_fails_late(door):
    door.source(FULL)
    door.pair.target.create().sql("CREATE EXTENSION hstore SCHEMA public; CREATE PUBLICATION app_pub; CREATE PUBLICATION other_pub;"
                                  "SELECT lo_from_bytea(4711, 'from the laptop'); CREATE EXTENSION citext")
    before = whole(door.pair.target)
    door.reach()
    assert door.pair.target.sql("SELECT count(*) FROM app.items") == "1"
    door.open(fail=True)
    assert "the door is shut" in door.end(5)
    assert_same(whole(door.pair.target), before)
    assert door.pair.target.sql(MARKERS) == "0"


def test_others_may_make_a_publication_and_more_while_a_fold_fails(door):
    door.source(FULL)
    door.pair.target.create()
    door.reach()
    door.pair.target.sql("CREATE PUBLICATION app_pub; CREATE EXTENSION citext; SELECT lo_from_bytea(4712, 'theirs'); CREATE TABLE beside (id int)")
    door.open(fail=True)
    door.end(5)
    left = "SELECT (SELECT string_agg(pubname, ',') FROM pg_publication), (SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension), " \
           "(SELECT string_agg(oid::text, ',') FROM pg_largeobject_metadata), to_regclass('beside'), to_regnamespace('app')"
    assert door.pair.target.sql(left) == "app_pub|citext,plpgsql|4712|beside|"
    assert door.pair.target.sql(MARKERS) == "0"


def test_thousands_of_large_objects_are_taken_away_again(door):
    door.source("SELECT count(lo_from_bytea(100000 + g, 'lo ' || g::text::bytea)) FROM generate_series(1, 20000) g")
    door.pair.target.create().sql("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)")
    before = whole(door.pair.target)
    door.reach()
    assert door.pair.target.sql("SELECT count(*) FROM pg_largeobject_metadata") == "20000"
    door.open(fail=True)
    door.end(5)
    assert door.pair.target.sql("SELECT count(*) FROM pg_largeobject_metadata") == "0"
    assert_same(whole(door.pair.target), before)


# --- roles --------------------------------------------------------------------------------------------------------------

def test_a_role_that_others_make_after_a_killed_run_is_theirs(door, role):
    door.source(f"CREATE ROLE {role}; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    lock = door.hold("postgres", "LOCK TABLE pg_authid IN SHARE MODE")
    door.start()
    door.wait("wait_event_type = 'Lock'")
    door.kill()
    door.server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%'")
    wait_until(lambda: door.server.sql("postgres", OURS + "true") == "0", "the end of its connections")
    lock.release()
    assert "left in the target" in door.pair.pgfold("status", status=0).out
    door.server.sql("postgres", f"CREATE ROLE {role} LOGIN PASSWORD 'theirs'")
    theirs = f"SELECT oid, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = '{role}'"
    before = door.server.sql("postgres", theirs)
    door.open()
    door.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert door.server.sql("postgres", theirs) == before != ""
    assert door.pair.target.sql("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == role


@pytest.mark.parametrize("there", [False, True])
def test_a_fold_that_fails_takes_its_own_role_away_and_never_another(door, role, there):
    door.source(f"CREATE ROLE {role}; COMMENT ON ROLE {role} IS 'of the laptop'; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    if there:
        door.server.sql("postgres", f"CREATE ROLE {role} LOGIN; COMMENT ON ROLE {role} IS 'of the vps'")
    look = f"SELECT oid, rolcanlogin, shobj_description(oid, 'pg_authid') FROM pg_authid WHERE rolname = '{role}'"
    before = door.server.sql("postgres", look)
    assert (before != "") == there
    door.reach()
    assert door.server.sql("postgres", look) != ""
    door.open(fail=True)
    door.end(5)
    assert door.server.sql("postgres", look) == before


def test_no_trace_stays_on_a_role_of_a_run_that_was_killed_after_its_last_step(door, role):
    door.source(f"CREATE ROLE {role}; COMMENT ON ROLE {role} IS 'of the laptop'; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    door.reach()
    lock = door.hold("postgres", "LOCK TABLE pg_shdescription IN SHARE MODE")
    door.open()
    door.wait("wait_event_type = 'Lock' AND query LIKE 'COMMENT ON ROLE%'")
    assert door.pair.target.exists(), "its last step is done"
    door.kill()
    door.server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgfold%'")
    wait_until(lambda: door.server.sql("postgres", OURS + "true") == "0", "the end of its connections")
    lock.release()
    comment = f"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{role}'"
    assert door.server.sql("postgres", comment).startswith("pgfold_")
    door.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert door.server.sql("postgres", comment) == "of the laptop"


def test_no_trace_of_the_run_stays_on_a_role_that_it_made(pair, role):
    pair.source.create().sql(f"CREATE ROLE {role}; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    assert pair.target.sql(f"SELECT shobj_description(oid, 'pg_authid') IS NULL FROM pg_authid WHERE rolname = '{role}'") == "t"


def test_the_settings_of_a_role_come_with_the_role(pair, role):
    pair.source.create().sql(f"CREATE ROLE {role}; ALTER ROLE {role} SET search_path = app, \"My Schema\", public; ALTER ROLE {role} SET statement_timeout = '5min';"
                             f"ALTER ROLE {role} SET my.words = 'it''s = so'; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    settings = f"SELECT string_agg(c, ';' ORDER BY c) FROM pg_roles, unnest(rolconfig) c WHERE rolname = '{role}'"
    assert pair.target.sql(settings) == pair.source.sql(settings)
    assert "My Schema" in pair.target.sql(settings)


def test_the_settings_of_a_role_that_is_there_are_left_alone_and_this_is_said(pair, role, vps):
    pair.source.create().sql(f"CREATE ROLE {role}; ALTER ROLE {role} SET search_path = app; CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}")
    vps.sql("postgres", f"CREATE ROLE {role}; ALTER ROLE {role} SET search_path = theirs")
    result = pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    assert f"ALTER ROLE {role} SET search_path\n" in result.err  # its value may be a secret
    assert vps.sql("postgres", f"SELECT rolconfig FROM pg_roles WHERE rolname = '{role}'") == "{search_path=theirs}"


# --- others in the target while rows come -------------------------------------------------------------------------------

def test_a_visitor_in_the_runs_own_database_does_not_stop_the_fold(door):
    door.source("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", EARLY)
    door.reach()
    stage = next(name for name in door.server.databases() if name.startswith("pgfold_"))
    visitor = door.hold(stage, "SELECT count(*) FROM pg_class")
    door.open()
    door.end(0)
    visitor.release()
    assert door.pair.target.sql("SELECT id FROM t") == "1"
    assert not [name for name in door.server.databases() if name.startswith("pgfold")]


def test_a_sequence_that_others_raise_meanwhile_is_not_lowered(door):
    sequences = "CREATE SEQUENCE up; CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE calm;"
    door.source(sequences + "SELECT setval('up', 100), setval('down', -100), setval('calm', 100)", EARLY)
    door.pair.target.create().sql(sequences + "SELECT setval('up', 50), setval('down', -50), setval('calm', 50)")
    door.reach()
    door.pair.target.sql("SELECT setval('up', 1000), setval('down', -1000)")
    door.open()
    door.end(0)
    assert door.pair.target.sql("SELECT nextval('up'), nextval('down'), nextval('calm')") == "1001|-1001|101"
    door.pair.pgfold("verify", status=0)


TABLE = "CREATE TABLE was_there (id int PRIMARY KEY, v text); INSERT INTO was_there SELECT g, 'v' || g FROM generate_series(1, 1000) g;"


@pytest.mark.parametrize("act", ["DELETE FROM was_there WHERE id = 500", "UPDATE was_there SET v = 'other' WHERE id = 500", "TRUNCATE was_there"])
def test_a_contained_table_that_loses_rows_meanwhile_is_not_called_contained(door, act):
    door.source(TABLE, EARLY)
    door.pair.target.create().sql(TABLE)
    door.reach()
    door.pair.target.sql(act)
    before = door.pair.target.sql("SELECT count(*), min(v) FROM was_there")
    door.open()
    err = door.end(5)
    assert "was_there" in err and "taken away again" in err
    assert door.pair.target.sql("SELECT count(*), min(v) FROM was_there") == before
    assert door.pair.target.sql("SELECT to_regclass('early')") == ""
    assert not list((door.pair.folder / ".pgfold").glob("receipts/*.json"))


def test_a_contained_table_that_others_go_on_writing_to_does_no_harm(door):
    door.source(TABLE, EARLY)
    door.pair.target.create().sql(TABLE)
    door.reach()
    door.pair.target.sql("INSERT INTO was_there SELECT g, 'new' FROM generate_series(1001, 1100) g")
    door.open()
    door.end(0)
    assert door.pair.target.sql("SELECT count(*) FROM was_there") == "1100"
    assert {r["name"]: r["verdict"] for r in receipt_of(door.pair)["relations"] if r["name"] == "was_there"} == {"was_there": "contained"}


def test_no_temporary_file_of_a_killed_run_stays_after_the_next(door):
    door.source("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", EARLY)
    door.reach()
    door.kill()
    state = door.pair.folder / ".pgfold"
    assert list(state.glob("pgfold-scratch-*")), "the killed run had none: this test proves nothing"
    door.open()
    door.pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert not list(state.glob("pgfold-scratch-*"))


# --- databases that are hard to fold ------------------------------------------------------------------------------------

@pytest.mark.parametrize("into", ["new", "existing"])
def test_materialized_views_that_need_a_primary_key_arrive_with_all_that_hangs_on_them(pair, into):
    pair.source.create().sql("""
        CREATE TABLE orders (id int PRIMARY KEY, customer text, placed date);
        CREATE TABLE lines (order_id int REFERENCES orders, amount numeric);
        INSERT INTO orders SELECT g, 'customer ' || g % 7, '2024-01-01'::date + g FROM generate_series(1, 200) g;
        INSERT INTO lines SELECT 1 + g % 200, g / 7.0 FROM generate_series(1, 1000) g;
        CREATE MATERIALIZED VIEW per_order AS SELECT o.id, o.customer, sum(l.amount) AS total FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY o.id;
        CREATE UNIQUE INDEX per_order_id ON per_order (id); CREATE INDEX ON per_order (customer); COMMENT ON INDEX per_order_id IS 'one each';
        CREATE MATERIALIZED VIEW per_customer AS SELECT customer, sum(total) AS total FROM per_order GROUP BY customer;
        CREATE UNIQUE INDEX ON per_customer (customer); CREATE VIEW best AS SELECT * FROM per_customer WHERE total > 1;
        CREATE STATISTICS on_it ON id, customer FROM per_order; GRANT SELECT ON per_customer TO PUBLIC; COMMENT ON MATERIALIZED VIEW per_order IS 'late';
        ALTER TABLE per_order CLUSTER ON per_order_id""")
    if into == "existing":
        pair.target.create()
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(pair.target), whole(pair.source))
    ask = "SELECT (SELECT sum(total) FROM per_order), (SELECT sum(total) FROM best)"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    pair.pgfold("verify", status=0)


@pytest.mark.slow
def test_cluster_on_and_replica_identity_beside_many_indexes_do_not_deadlock(pair):
    pair.source.create().sql("""
        CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, c int, d text, UNIQUE (a));
        INSERT INTO t SELECT g, 200001 - g, md5(g::text), g % 1000, md5((g / 2)::text) FROM generate_series(1, 200000) g;
        CREATE UNIQUE INDEX t_2_identity ON t (a, id); CREATE INDEX t_b ON t (b); CREATE INDEX t_1_cluster ON t (c); CREATE INDEX t_d ON t (d);
        CREATE INDEX t_expression ON t (upper(b)); ALTER TABLE t CLUSTER ON t_1_cluster; ALTER TABLE t REPLICA IDENTITY USING INDEX t_2_identity""")
    pair.configure("fold:\n  jobs: 4\n")
    ask = "SELECT string_agg(i.indexrelid::regclass::text || i.indisclustered || i.indisreplident, ',' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE indrelid = 't'::regclass"
    for _ in range(3):
        pair.pgfold("fold", "--yes", "--no-backup", status=0)
        assert pair.target.sql(ask) == pair.source.sql(ask)
        assert "t_1_clustertruefalse" in pair.target.sql(ask) and "t_2_identityfalsetrue" in pair.target.sql(ask)
        pair.target.drop()


def test_a_database_that_is_read_only_by_default_folds_and_stays_so(pair):
    pair.source.create().sql(f"CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (id); CREATE MATERIALIZED VIEW m AS SELECT * FROM t;"
                             f"ALTER DATABASE \"{pair.name}\" SET default_transaction_read_only = on")
    pair.configure().pgfold("fold", "--yes", status=0)
    assert pair.target.sql("SHOW default_transaction_read_only") == "on"
    assert_same(whole(pair.target), whole(pair.source))
    pair.pgfold("verify", status=0)


def test_settings_of_the_database_are_notes_where_it_is_there_already(pair):
    pair.source.create().sql(f"CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER DATABASE \"{pair.name}\" SET work_mem = '11MB'; "
                             f"ALTER DATABASE \"{pair.name}\" SET timezone = 'Asia/Tokyo'; COMMENT ON DATABASE \"{pair.name}\" IS 'words'")
    pair.target.create().sql(f"ALTER DATABASE \"{pair.name}\" SET timezone = 'Asia/Tokyo'")
    result = pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    notes = [line for line in result.err.splitlines() if "not applied" in line]
    assert len(notes) == 2 and "work_mem" in result.err and "words" in result.err and "Tokyo" not in result.err
    assert pair.target.sql("SHOW work_mem") != "11MB"
    assert any("work_mem" in note for note in receipt_of(pair)["notes"])


FAMILY = """CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int CONSTRAINT child_of REFERENCES parent);
            CREATE TABLE other (id int); INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 2); INSERT INTO other VALUES (1);"""


@pytest.mark.parametrize("into", ["new", "existing"])
def test_rows_whose_parents_are_left_out_are_refused_by_their_foreign_key(pair, into):
    pair.source.create().sql(FAMILY)
    if into == "existing":
        pair.target.create()
    pair.configure("fold:\n  tables:\n    public.parent: { skip: true }\n")
    before = pair.target.cluster.databases()
    result = pair.pgfold("fold", "--yes", "--no-backup", status=4)
    assert_one_error(result, "child_of", "parent", state="nothing was changed")
    assert pair.target.cluster.databases() == before
    if into == "existing":
        assert pair.target.sql("SELECT to_regclass('other')") == ""
    pair.configure("fold:\n  tables:\n    public.parent: { skip: true }\n    public.child: { skip: true }\n")
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert pair.target.sql("SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM child), (SELECT count(*) FROM other)") == "0|0|1"
    assert pair.target.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'child_of'") == "t"


def test_forced_row_security_does_not_hide_rows_from_an_owner_without_power(pair, role, vps):
    pair.source.create().sql("""
        CREATE TABLE parent (id int PRIMARY KEY, who text NOT NULL); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, v text);
        INSERT INTO parent SELECT g, 'nobody' FROM generate_series(1, 100) g; INSERT INTO child SELECT g, g, 'v' || g FROM generate_series(1, 100) g;
        CREATE POLICY mine ON parent USING (who = current_user); CREATE POLICY none ON child USING (false);
        ALTER TABLE parent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY""")
    vps.sql("postgres", f"CREATE ROLE {role} LOGIN CREATEDB")
    pair.configure(target_url=vps.url(pair.name, user=role))
    pair.pgfold("fold", "--yes", "--no-backup", "--no-owner", "--no-privileges", status=0)
    ask = "SELECT (SELECT count(*) FROM parent), (SELECT sum(length(v)) FROM child), (SELECT bool_and(relforcerowsecurity AND relrowsecurity) FROM pg_class WHERE relname IN ('parent', 'child'))"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert pair.target.sql("SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'") == role
    pair.configure().pgfold("verify", status=0)


def test_event_triggers_arrive_as_they_are_and_none_fires_during_the_fold(pair):
    pair.source.create().sql("""
        CREATE TABLE ddl_log (n serial PRIMARY KEY, tag text);
        CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ddl_log (tag) VALUES (tg_tag); END $$;
        CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;
        CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX ON t (v); CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t; INSERT INTO t VALUES (1, 'x');
        CREATE EVENT TRIGGER a_log ON ddl_command_end EXECUTE FUNCTION log_ddl(); COMMENT ON EVENT TRIGGER a_log IS 'logs';
        CREATE TABLE logged (id int); CREATE PUBLICATION p FOR TABLE t; COMMENT ON PUBLICATION p IS 'words';
        CREATE EVENT TRIGGER b_always ON sql_drop EXECUTE FUNCTION log_ddl(); ALTER EVENT TRIGGER b_always ENABLE ALWAYS;
        CREATE EVENT TRIGGER c_off ON ddl_command_start EXECUTE FUNCTION forbid(); ALTER EVENT TRIGGER c_off DISABLE;""")
    pair.target.create()
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    ask = "SELECT (SELECT string_agg(n || tag, ',' ORDER BY n) FROM ddl_log), (SELECT string_agg(evtname || evtenabled::text, ',' ORDER BY evtname) FROM pg_event_trigger)"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert "a_logO,b_alwaysA,c_offD" in pair.target.sql(ask) and "CREATE PUBLICATION" in pair.target.sql(ask)
    assert_same(whole(pair.target), whole(pair.source))
    pair.target.sql("CREATE TABLE one_more (id int)")
    assert int(pair.target.sql("SELECT count(*) FROM ddl_log")) == int(pair.source.sql("SELECT count(*) FROM ddl_log")) + 1


@pytest.mark.parametrize("into", ["new", "existing"])
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_bytes_of_another_encoding_arrive_as_they_are(pair, laptop, vps, encoding, into):
    for server in (laptop, vps) if into == "existing" else (laptop,):
        server.sql("postgres", f"CREATE DATABASE \"{pair.name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    # All bytes but NUL, in text, in a domain, in an array, in JSON, and beside a column that travels as text.
    pair.source.sql(f"""
        SET client_encoding = '{encoding}';
        CREATE FUNCTION every() RETURNS text LANGUAGE plpgsql AS $$ DECLARE s bytea := ''; BEGIN
            FOR i IN 1..255 LOOP s := s || set_byte('\\x00'::bytea, 0, i); END LOOP; RETURN convert_from(s, '{encoding}'); END $$;
        CREATE DOMAIN words AS text;
        CREATE TABLE t (id int PRIMARY KEY, v text, w words, a text[], b varchar(300), c char(300));
        INSERT INTO t SELECT 1, every(), every(), ARRAY[every(), NULL], every(), every();
        CREATE TABLE u (id regclass, v text); INSERT INTO u SELECT 't'::regclass, every();
        CREATE TABLE keyed (v text PRIMARY KEY); INSERT INTO keyed SELECT substr(every(), g) FROM generate_series(1, 255) g;
        CREATE INDEX ON t (v); CREATE MATERIALIZED VIEW m AS SELECT v FROM t""")
    pair.configure().pgfold("fold", "--yes", status=0)
    ask = "SET client_encoding = 'SQL_ASCII'; SELECT encode(v::bytea, 'hex') FROM (SELECT regexp_replace(v, E'\\\\\\\\', '/', 'g') AS v FROM t) s; " \
          "SELECT string_agg(md5(x), ',') FROM (SELECT t::text AS x FROM t UNION ALL SELECT v FROM u UNION ALL SELECT v FROM m UNION ALL (SELECT v FROM keyed ORDER BY v)) s"
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert "e4" in pair.target.sql(ask) and "ff" in pair.target.sql(ask)
    assert pair.target.sql("SHOW server_encoding") == encoding
    pair.pgfold("verify", status=0)


def test_more_new_tables_than_the_target_has_locks_for(pair, cluster):
    small = cluster(max_locks_per_transaction="10", max_connections="10")
    pair.source.create().sql("DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, v text)', i); END LOOP; END $$; INSERT INTO t1 (v) VALUES ('x')")
    target = small.create("many")
    pair.configure(target_url=target.url)
    assert_one_error(pair.pgfold("fold", "--yes", "--no-backup", status=4), "max_locks_per_transaction", "400", state="nothing was changed")
    assert target.sql("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace") == "0"
    target.drop()
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    ask = "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t'), (SELECT count(*) FROM pg_constraint WHERE conname ~ '^t[0-9]+_pkey'), " \
          "(SELECT string_agg(v, ',') FROM t1), (SELECT last_value FROM t1_id_seq)"
    assert target.sql(ask) == pair.source.sql(ask) == "400|400|x|1"
