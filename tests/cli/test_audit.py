"""`pgfold audit`: exact numbers, every kind of difference, every check, each side untouched."""
import subprocess

import pytest

import documents
import harness


@pytest.fixture
def chinook(pair):
    """Chinook on both sides."""
    pair.source.create().load("chinook")
    pair.target.create().load("chinook")
    return pair.configure()


def audit(pair, *arguments, status=None):
    """The part of the JSON document about the only source."""
    document = documents.check(pair.pgfold("audit", "--json", *arguments, status=status).json(), "audit")
    assert len(document["sources"]) == 1
    assert document["same"] == document["sources"][0]["same"]
    assert status is None or document["same"] == (status == 0)
    return document["sources"][0]


def relation(report, name):
    return next(r for r in report["relations"] if f"{r['schema']}.{r['name']}" == name)


def items(report, check):
    return [item for finding in report["findings"] if finding["check"] == check for item in finding["items"]]


def test_two_equal_databases_are_the_same(chinook):
    report = audit(chinook, status=0)
    assert len(report["relations"]) == 11
    assert {r["result"] for r in report["relations"]} == {"same"}
    assert report["rows"] == 15607
    assert relation(report, "public.track")["rows"] == 3503
    assert all(r["digest"] == r["target_digest"] for r in report["relations"])


def test_the_table_for_people_names_what_differs_and_how(chinook):
    chinook.target.sql("UPDATE genre SET name = 'x' WHERE genre_id = 25; DROP INDEX album_artist_id_idx; "
                       "ALTER TABLE customer ALTER email DROP NOT NULL; SELECT setval('track_track_id_seq', 9)")
    result = chinook.pgfold("audit", "--only-differences", status=1)
    assert "public.genre" in result.out and "public.track " not in result.out
    assert "column email is NOT NULL in the source, nullable in the target" in result.out
    assert "index album_artist_id_idx is only in the source" in result.out
    assert "public.track_track_id_seq: at 3503 in the source, at 9 in the target" in result.out
    assert "index: 22 in the source, 21 in the target" in result.out
    assert "\033" not in result.out


@pytest.mark.parametrize("change, result", [
    ("UPDATE track SET name = name || ' ' WHERE track_id = 1", "different"),
    ("ALTER TABLE track ALTER milliseconds TYPE int8", "incomparable"),
    ("ALTER TABLE track ALTER unit_price SET DEFAULT 7", "drift"),
    ("ALTER TABLE track ADD note text", "drift"),
    ("ALTER TABLE track DROP composer", "incomparable"),
    ("ALTER TABLE track ADD CHECK (milliseconds > 0)", "drift"),
    ("CREATE INDEX ON track (name)", "drift"),
    ("DROP TABLE track CASCADE", "source only"),
])
def test_a_change_of_the_target_is_found(chinook, change, result):
    chinook.target.sql(change)
    assert relation(audit(chinook, status=1), "public.track")["result"] == result


def test_more_in_the_target_is_shown_too(chinook):
    chinook.target.sql("CREATE TABLE extra (id int); INSERT INTO extra VALUES (1), (2); CREATE EXTENSION citext")
    report = audit(chinook, status=1)
    assert relation(report, "public.extra")["result"] == "target only"
    assert relation(report, "public.extra")["target_rows"] == 2
    assert [e for e in report["extensions"] if not e["same"]][0]["name"] == "citext"


def test_skipped_tables_do_not_count(chinook):
    chinook.configure("fold:\n  tables:\n    public.genre: { skip: true }\n")
    chinook.target.sql("UPDATE genre SET name = 'x'")
    assert relation(audit(chinook, status=0), "public.genre")["result"] == "skipped"


def test_large_objects_are_compared(chinook):
    chinook.source.sql("SELECT lo_from_bytea(4711, 'abc')")
    report = audit(chinook, status=1)
    assert report["large_objects"]["count"] == 1 and report["large_objects"]["target_count"] == 0
    chinook.target.sql("SELECT lo_from_bytea(4711, 'abd')")
    audit(chinook, status=1)
    chinook.target.sql("SELECT lo_unlink(4711), lo_from_bytea(4711, 'abc')")
    audit(chinook, status=0)


def test_a_target_database_that_does_not_exist_yet_is_said_to_be_so(pair):
    pair.source.create().sql("CREATE TABLE t AS SELECT 1")
    pair.configure()
    assert f'no database "{pair.name}" yet' in pair.pgfold("audit", status=1).out
    report = audit(pair, status=1)
    assert report["target"] is None and report["target_missing"] == pair.name
    assert not pair.target.exists()


def test_a_source_alone_can_be_audited_without_a_configuration(pair):
    pair.source.create().sql("CREATE TABLE t AS SELECT generate_series(1, 5)")
    document = documents.check(pair.pgfold("audit", "--json", "--source", pair.source.url, status=0).json(), "audit")
    assert document["sources"][0]["rows"] == 5
    assert list(pair.folder.iterdir()) == [], "nothing is written without a configuration"


def test_a_password_on_the_command_line_is_warned_of_and_not_repeated(pair):
    pair.source.create()
    pair.pgfold.secrets.add("geheim-9")
    url = pair.source.url.replace("postgres@", "postgres:geheim-9@")
    assert "password in --source" in pair.pgfold("audit", "--source", url, status=0).err
    assert "geheim-9" not in pair.pgfold("audit", "--source", url.replace("?host=", "?host=/nowhere"), status=3).err


def test_names_and_values_from_the_database_cannot_drive_the_terminal(pair):
    pair.source.create().sql('CREATE TABLE "a\033[2Jb" (id int); CREATE TABLE "ü\u202e" (id int)')
    out = pair.configure().pgfold("audit", status=1).out
    assert "\033" not in out and "\u202e" not in out
    assert "a\\x1b[2Jb" in out


def test_the_ledger_knows_of_an_audit(chinook):
    chinook.pgfold("audit", status=0)
    state = chinook.pgfold("status", "--json").json()
    assert state["sources"][0]["audit"]["good"] is True


def test_both_sides_are_read_in_one_snapshot(chinook):
    """Rows that come while the audit runs are not half seen: it reads in read-only repeatable-read transactions."""
    log = chinook.source.cluster.log
    began = len(log.read_bytes())
    chinook.source.cluster.sql(chinook.name, f'ALTER DATABASE "{chinook.name}" SET log_statement = \'all\'')
    chinook.pgfold("audit", "--jobs", "2", status=0)
    said = log.read_bytes()[began:].decode()
    assert said.count("SET TRANSACTION SNAPSHOT") == 2
    assert "pg_export_snapshot" in said


def test_a_session_that_drops_a_temporary_table_holds_nothing_up(chinook):
    """The index of its TOAST table is locked until it ends."""
    target = chinook.target
    process = subprocess.Popen([harness.client("psql"), "-X", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=harness.clean_environment(**target.cluster.environment(target.name)))
    with process:
        process.stdin.write("CREATE TEMP TABLE t (v text); BEGIN; DROP TABLE t; \\echo dropped\n")
        process.stdin.flush()
        assert process.stdout.readline() == "dropped\n"
        audit(chinook, status=0)
        process.stdin.close()


def test_a_server_that_has_a_lock_for_each_table_need_not_have_one_for_each_index(pair, cluster):
    laptop = cluster(max_locks_per_transaction="14", max_connections="20")
    source = laptop.create("many")
    source.sql("DO $$ BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int, b int)', i); COMMIT; "
               "EXECUTE format('CREATE INDEX ON t%s (a); CREATE INDEX ON t%s (b); INSERT INTO t%s VALUES (1, 1, 1)', i, i, i); COMMIT; END LOOP; END $$")
    pair.configure(source_url=source.url)
    assert len(audit(pair)["relations"]) == 500


def test_checks_of_the_source(pair):
    pair.source.create().sql("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent, q int);
        ALTER TABLE child ADD CONSTRAINT later FOREIGN KEY (q) REFERENCES parent NOT VALID;
        INSERT INTO parent VALUES (1);
        SET session_replication_role = replica;
        INSERT INTO child VALUES (1, 1, 1), (2, 98, NULL), (3, 99, 97);
        SET session_replication_role = origin;
        CREATE UNLOGGED TABLE fast (id int);
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere');
        CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'bob', password 'geheim-1');
        CREATE FOREIGN TABLE away (id int) SERVER far;
        CREATE EXTENSION hstore;
        CREATE TABLE things (id int PRIMARY KEY, h hstore)""")
    pair.source.sql(f"ALTER DATABASE \"{pair.name}\" SET app.secret = 'geheim-2'")
    pair.source.sql("CREATE TABLE twice (v int); INSERT INTO twice VALUES (1), (1)")
    with pytest.raises(AssertionError, match="duplicated"):
        pair.source.sql("CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (v)")
    pair.pgfold.secrets |= {"geheim-1", "geheim-2"}
    report = audit(pair.configure(), status=1)
    assert items(report, "orphans") == ["public.child: child_p_fkey: 2 rows"]
    assert items(report, "orphans-not-valid") == ["public.child: later: 1 row"]
    assert items(report, "not-valid") == ["public.child: later"]
    assert items(report, "invalid-indexes") == ["public.broken on public.twice"]
    assert items(report, "unlogged-tables") == ["public.fast"]
    assert items(report, "foreign-tables") == ["public.away on server far"]
    assert items(report, "user-mappings") == ["server far, user postgres"]
    assert items(report, "database-settings") == ["app.secret"]
    assert items(report, "text-digests") == ["public.things.h (public.hstore)"]
    assert report["findings"][0]["severity"] == "error", "errors come first"
    text = pair.pgfold("audit", status=1).out
    assert "error: source: rows whose parent is missing" in text and "Add the parents or remove the rows" in text


def test_checks_of_the_target(pair, cluster):
    source = cluster(15)
    source.sql("postgres", "CREATE TABLE t (v text COLLATE ucs_basic); CREATE EXTENSION citext; CREATE EXTENSION hstore; "
                           "UPDATE pg_extension SET extname = 'nowhere' WHERE extname = 'citext'; "
                           "UPDATE pg_extension SET extversion = '1.99' WHERE extname = 'hstore'")
    source.sql("postgres", "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
                           "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()")
    pair.target.cluster.sql("postgres", "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN CONNECTION LIMIT 20")
    pair.target.create().sql(f"GRANT ALL ON DATABASE \"{pair.name}\" TO clerk; "
                             f"ALTER ROLE clerk IN DATABASE \"{pair.name}\" SET default_transaction_read_only = on")
    pair.target.sql("DELETE FROM pg_collation WHERE collname = 'ucs_basic'; CREATE EXTENSION hstore")
    pair.configure(source_url=source.url("postgres"), target_url=pair.target.cluster.url(pair.name, user="clerk"))
    report = audit(pair, status=1)
    assert "default_transaction_read_only is on" in items(report, "read-only")[0]
    assert items(report, "needs-superuser") == ["event trigger e"]
    assert items(report, "missing-collations") == ["ucs_basic"]
    assert items(report, "missing-extensions") == ["nowhere 1.6"]
    assert items(report, "older-extensions") == ["hstore: 1.99 in the source, 1.8 in the target"]
    pair.target.sql(f"ALTER ROLE clerk IN DATABASE \"{pair.name}\" RESET default_transaction_read_only")


def test_a_role_that_may_not_read_everything_is_told_what_to_grant(pair):
    pair.source.create().sql("""
        CREATE TABLE seen (id serial); CREATE TABLE unseen (id int); CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int);
        CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; SELECT lo_from_bytea(4711, 'x');
        DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON seen, guarded TO reader""")
    pair.configure(source_url=pair.source.cluster.url(pair.name, user="reader"))
    err = pair.pgfold("audit", status=4).err
    for wanted in ("GRANT USAGE ON SCHEMA hidden TO reader", "GRANT SELECT ON hidden.t TO reader", "GRANT SELECT ON public.unseen TO reader",
                   "GRANT SELECT ON SEQUENCE public.seen_id_seq TO reader", "GRANT SELECT ON LARGE OBJECT 4711 TO reader",
                   "public.guarded"):
        assert wanted in err
    assert "public.seen " not in err
    pair.source.sql("GRANT USAGE ON SCHEMA hidden TO reader; GRANT SELECT ON hidden.t TO reader; GRANT SELECT ON public.unseen TO reader; "
                    "GRANT SELECT ON SEQUENCE public.seen_id_seq TO reader; GRANT SELECT ON LARGE OBJECT 4711 TO reader; "
                    "ALTER ROLE reader BYPASSRLS")
    report = audit(pair, status=1)
    assert len(report["relations"]) == 4
    pair.source.sql("DROP OWNED BY reader; DROP ROLE reader")


def test_an_unreadable_table_that_is_skipped_does_no_harm(pair):
    pair.source.create().sql("CREATE TABLE seen (id int); CREATE TABLE unseen (id int); DROP ROLE IF EXISTS peeper; "
                             "CREATE ROLE peeper LOGIN; GRANT SELECT ON seen TO peeper")
    pair.configure("fold:\n  tables:\n    public.unseen: { skip: true }\n",
                   source_url=pair.source.cluster.url(pair.name, user="peeper"))
    assert relation(audit(pair, status=1), "public.unseen")["result"] == "skipped"
    pair.source.sql("DROP OWNED BY peeper; DROP ROLE peeper")


def test_too_few_connections_are_found_before_they_are_missing(pair):
    pair.source.create().sql("DROP ROLE IF EXISTS lonely; CREATE ROLE lonely LOGIN CONNECTION LIMIT 3")
    pair.configure(source_url=pair.source.cluster.url(pair.name, user="lonely"))
    result = pair.pgfold("audit", "--jobs", "8", status=4)
    assert "2 left by the limit of role lonely, 8 needed" in result.err and "--jobs" in result.err
    pair.pgfold("audit", "--jobs", "2", status=1)
    pair.source.sql("DROP ROLE lonely")


def test_audit_works_between_all_versions(version, cluster, pair):
    """Old source beside a newer target, and every check on every version."""
    source = cluster(version)
    source.create("app")
    source.load("app", "chinook")
    target = cluster(max(version, 15))
    target.create("app")
    target.load("app", "chinook")
    pair.configure(source_url=source.url("app"), target_url=target.url("app"))
    report = audit(pair, status=0)
    assert {r["result"] for r in report["relations"]} == {"same"}


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--jobs", "65"], ["--target", "postgresql:///x"], ["nobody"],
                                       ["--source", "postgresql:///x", "laptop"]])
def test_wrong_arguments_are_usage_errors(pair, arguments):
    pair.configure()
    assert pair.pgfold("audit", *arguments, status=2).err.startswith("pgfold: error: ")
