"""Folding into a database that is there already: what it holds stays as it is, whatever happens."""
import pytest

from folding import assert_one_error, assert_same, whole

SOURCE = """
    CREATE SCHEMA app;
    CREATE TYPE app.colour AS ENUM ('red', 'green');
    CREATE FUNCTION app.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
    CREATE TABLE app.items (id int PRIMARY KEY, name text NOT NULL, colour app.colour);
    CREATE TABLE app.parts (id serial PRIMARY KEY, item int REFERENCES app.items, v numeric);
    CREATE INDEX parts_twice ON app.parts (app.twice(item));
    CREATE VIEW app.red AS SELECT * FROM app.items WHERE colour = 'red';
    INSERT INTO app.items SELECT g, 'item ' || g, (ARRAY['red', 'green'])[1 + g % 2]::app.colour FROM generate_series(1, 50) g;
    INSERT INTO app.parts (item, v) SELECT 1 + g % 50, g / 7.0 FROM generate_series(1, 100) g;
"""
OTHERS = """
    CREATE TABLE public.other (id int PRIMARY KEY, v text); INSERT INTO public.other VALUES (1, 'keep me'), (2, NULL);
    CREATE SCHEMA mine; CREATE SEQUENCE mine.counter; SELECT nextval('mine.counter');
    CREATE VIEW mine.looks AS SELECT v FROM public.other;
"""


@pytest.fixture
def into(pair):
    """A source with two tables; an empty target database."""
    pair.source.create().sql(SOURCE)
    pair.target.create()
    return pair.configure()


def test_unrelated_tables_are_kept_and_the_new_ones_come_beside_them(into):
    into.target.sql(OTHERS)
    others = "SELECT (SELECT string_agg(id || coalesce(v, '-'), ',') FROM public.other), (SELECT last_value FROM mine.counter)"
    oid = into.target.sql("SELECT oid FROM pg_database WHERE datname = current_database()")
    before = into.target.sql(others)
    into.pgfold("fold", "--yes", status=0)
    into.pgfold("verify", status=0)
    assert into.target.sql(others) == before
    assert into.target.sql("SELECT oid FROM pg_database WHERE datname = current_database()") == oid
    assert into.target.sql("SELECT count(*), sum(v)::text FROM app.parts") == into.source.sql("SELECT count(*), sum(v)::text FROM app.parts")
    assert into.target.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pgfold%'") == "", "the marker schema is gone"
    assert into.target.sql("SELECT nextval('app.parts_id_seq')") == "101"


def test_into_an_empty_database_the_result_is_the_source(into):
    into.pgfold("fold", "--yes", status=0)
    assert_same(whole(into.target), whole(into.source))


def test_tables_that_are_contained_already_are_left_alone(into):
    into.target.sql(SOURCE)
    before = into.target.sql("SELECT xmin, ctid, * FROM app.parts ORDER BY id")
    result = into.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "0 new, 2 already contained" in result.err
    assert into.target.sql("SELECT xmin, ctid, * FROM app.parts ORDER BY id") == before


def test_half_of_the_tables_being_there_only_the_others_are_made(into):
    into.target.sql(SOURCE + "DROP TABLE app.parts")
    into.pgfold("fold", "--yes", status=0)
    assert_same(whole(into.target), whole(into.source))


def test_a_row_with_another_value_is_refused_by_name(into):
    into.target.sql(SOURCE + "UPDATE app.items SET name = 'other' WHERE id = 7")
    before = whole(into.target)
    assert_one_error(into.pgfold("fold", "--yes", "--no-backup", status=1), "app.items", "id=7", "other", state="nothing was changed")
    assert_same(whole(into.target), before)


@pytest.mark.parametrize("change", ["DELETE FROM app.parts WHERE id <= 3", "TRUNCATE app.parts"])
def test_rows_that_are_missing_are_brought(into, change):
    into.target.sql(SOURCE + change)
    into.pgfold("fold", "--yes", status=0)
    rows = "SELECT md5(string_agg(p::text, ' ' ORDER BY id)) FROM app.parts p"
    assert into.target.sql(rows) == into.source.sql(rows)
    into.pgfold("verify", status=0)


def test_rows_that_only_the_target_has_do_no_harm(into):
    into.target.sql(SOURCE + "INSERT INTO app.items VALUES (1000, 'new here', NULL)")
    into.pgfold("fold", "--yes", status=0)
    assert into.target.sql("SELECT count(*) FROM app.items") == "51"


@pytest.mark.parametrize("change, words", [
    ("ALTER TYPE app.colour ADD VALUE 'blue'", ["colour"]),
    ("CREATE OR REPLACE FUNCTION app.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + n + 0'", ["twice"]),
    ("ALTER TABLE app.items DROP COLUMN colour CASCADE", ["app.items", "colour"]),
    ("DROP INDEX app.parts_twice", ["parts_twice"]),
    ("ALTER TABLE app.parts DROP CONSTRAINT parts_item_fkey", ["parts_item_fkey"]),
    ("DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE VIEW app.items AS SELECT 1 AS id", ["app.items"]),
    ("DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE SEQUENCE app.parts", ["app.parts"]),
    ("DROP VIEW app.red; DROP TABLE app.parts; CREATE INDEX parts ON app.items (name)", ["parts"]),
    ("DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE DOMAIN app.colour AS int", ["colour"]),
    ("DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE AGGREGATE app.twice(int) (SFUNC = int4pl, STYPE = int)", ["twice"]),
    ("ALTER TABLE app.items RENAME TO old_items", ["items_pkey"]),
])
def test_an_object_of_another_definition_is_refused_by_name(into, change, words):
    into.target.sql(SOURCE + change)
    before = whole(into.target)
    assert_one_error(into.pgfold("fold", "--yes", "--no-backup", status=4), *words, state="nothing was changed")
    assert_same(whole(into.target), before)


def test_a_table_whose_definition_differs_but_not_its_rows_stays_as_it_is_and_this_is_said(into):
    into.target.sql(SOURCE + "ALTER TABLE app.parts ALTER v SET DEFAULT 5; ALTER TABLE app.items ADD CHECK (id > 0)")
    before = whole(into.target)
    result = into.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "app.items" in result.err and "app.parts" in result.err and "stays" in result.err
    assert_same(whole(into.target), before)


def test_comments_and_privileges_are_not_put_on_tables_that_were_there(into):
    into.source.sql("COMMENT ON TABLE app.items IS 'new'; GRANT SELECT ON app.items TO PUBLIC; COMMENT ON TABLE app.parts IS 'parts'")
    into.target.sql(SOURCE + "DROP TABLE app.parts")
    result = into.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "COMMENT of TABLE items is not in the target" in result.err
    assert into.target.sql("SELECT obj_description('app.items'::regclass, 'pg_class'), relacl FROM pg_class WHERE relname = 'items'") == "|"
    assert into.target.sql("SELECT obj_description('app.parts'::regclass, 'pg_class')") == "parts"


def test_an_extension_in_another_schema_is_refused(into):
    into.source.sql("CREATE EXTENSION hstore SCHEMA app; CREATE TABLE app.h (h app.hstore)")
    into.target.sql("CREATE EXTENSION hstore SCHEMA public")
    assert_one_error(into.pgfold("fold", "--yes", "--no-backup", status=4), "hstore", state="nothing was changed")


def test_operators_of_one_name_are_told_apart(into):
    operators = """CREATE SCHEMA IF NOT EXISTS app;
        CREATE FUNCTION app.eq(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
        CREATE FUNCTION app.eq(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
        CREATE OPERATOR app.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = app.eq);
        CREATE OPERATOR app.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = app.eq);
        CREATE TABLE app.one (id int); INSERT INTO app.one VALUES (1);"""
    into.source.sql("DROP SCHEMA app CASCADE;" + operators)
    into.target.sql(operators)
    assert "0 new" in into.pgfold("fold", "--yes", "--no-backup", status=0).err


def test_default_privileges_of_several_roles_all_arrive(into, laptop, request):
    for role in ("default_one", "default_two"):
        laptop.sql("postgres", f"CREATE ROLE {role}")
        request.addfinalizer(lambda role=role: [c.sql("postgres", f"DROP ROLE IF EXISTS {role}") for c in (laptop, into.target.cluster)])
    request.addfinalizer(into.source.drop)
    request.addfinalizer(into.target.drop)
    into.source.sql("ALTER DEFAULT PRIVILEGES FOR ROLE default_one IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;"
                    "ALTER DEFAULT PRIVILEGES FOR ROLE default_two IN SCHEMA app GRANT INSERT ON TABLES TO PUBLIC;")
    into.pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(into.target), whole(into.source))


def test_default_privileges_of_a_schema_that_is_there_are_not_changed(into):
    into.source.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC; "
                    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC")
    into.target.sql("CREATE SCHEMA app")
    result = into.pgfold("fold", "--yes", "--no-backup", status=0)
    assert result.err.count("note: DEFAULT ACL of ") == 2 and "note: ACL of SCHEMA public" in result.err
    assert into.target.sql("SELECT count(*) FROM pg_default_acl") == "0"


FAILS = "CREATE TABLE app.zz_last (n int CHECK (current_setting('test.fails', true) IS DISTINCT FROM 'yes')); INSERT INTO app.zz_last VALUES (1)"


def test_a_fold_that_fails_takes_away_what_it_made_and_nothing_else(into):
    into.source.sql(FAILS + "; SELECT lo_from_bytea(4711, 'x')")
    into.target.sql(OTHERS + f"ALTER DATABASE \"{into.name}\" SET test.fails = 'yes'")
    before = whole(into.target)
    result = into.pgfold("fold", "--yes", "--no-backup", status=5)
    assert_one_error(result, "zz_last", state="taken away again")
    assert_same(whole(into.target), before)
    assert "left in the target" not in into.pgfold("status", status=0).out
    into.target.sql(f"ALTER DATABASE \"{into.name}\" RESET test.fails")
    into.pgfold("fold", "--yes", "--no-backup", status=0)
    into.pgfold("verify", status=0)


def test_in_a_schema_that_is_there_a_failed_fold_leaves_the_objects_of_others(into):
    into.source.sql(FAILS)
    into.target.sql(f"CREATE SCHEMA app; CREATE TABLE app.mine (id int); INSERT INTO app.mine VALUES (1);"
                    f"ALTER DATABASE \"{into.name}\" SET test.fails = 'yes'")
    before = whole(into.target)
    assert_one_error(into.pgfold("fold", "--yes", "--no-backup", status=5), "zz_last", state="taken away again")
    assert_same(whole(into.target), before)


def test_a_new_role_is_taken_away_again_by_a_fold_that_fails(into, laptop, vps, request):
    role = "only_on_the_laptop"
    laptop.sql("postgres", f"CREATE ROLE {role} NOLOGIN")
    request.addfinalizer(lambda: laptop.sql("postgres", f"DROP ROLE {role}"))
    request.addfinalizer(into.source.drop)
    into.source.sql(FAILS + f"; ALTER TABLE app.items OWNER TO {role}")
    into.target.sql(f"ALTER DATABASE \"{into.name}\" SET test.fails = 'yes'")
    into.pgfold("fold", "--yes", "--no-backup", status=5)
    assert vps.sql("postgres", f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == "0"


@pytest.fixture
def two(into, laptop, vps, pgfold):
    """two(extra): a second source, "old", with a table of its own, whose `into` is a database beside the target."""
    old, archive = laptop.database(into.name[:40] + "_old"), vps.database(into.name[:40] + "_archive")
    old.create().sql("CREATE TABLE public.letters (id int PRIMARY KEY, v text); INSERT INTO letters VALUES (1, 'a'), (2, NULL)")

    def configure(into_value=archive.name, more="", extra=""):
        return into.configure(f'  - name: old\n    url: "{old.url}"\n    into: {into_value}\n{more}{extra}')
    configure()
    yield into, old, archive, configure
    old.drop()
    archive.drop()


def test_a_source_goes_into_a_database_of_its_own(two):
    main, old, archive, configure = two
    main.pgfold("plan", status=0)
    assert archive.name in main.pgfold("verify", "old", status=1).err and not archive.exists()
    main.pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(main.target), whole(main.source))
    assert archive.sql("SELECT count(*), count(v) FROM letters") == "2|1"
    assert main.target.sql("SELECT to_regclass('public.letters')") == ""
    main.pgfold("verify", status=0)
    main.pgfold("audit", "old", status=0)
    assert archive.name in main.pgfold("report", "old", "--json", status=0).out


def test_a_database_that_a_source_names_is_used_as_it_is_where_it_is_there(two):
    main, old, archive, configure = two
    archive.create().sql("CREATE TABLE public.other (id int); INSERT INTO public.other VALUES (1)")
    configure("{ database: %s }" % archive.name)
    main.pgfold("fold", "old", "--yes", "--no-backup", status=0)
    assert archive.sql("SELECT (SELECT count(*) FROM other), (SELECT count(*) FROM letters)") == "1|2"
    assert main.target.sql("SELECT count(*) FROM pg_class WHERE relname = 'letters'") == "0"


def test_the_database_that_a_source_names_may_be_protected(two):
    main, old, archive, configure = two
    configure(extra=f"protect:\n  databases: [{archive.name}]\n")
    for command in (["plan", "old"], ["fold", "old", "--yes"], ["verify", "old"]):
        assert_one_error(main.pgfold(*command, status=4), "target", archive.name, "protected")
    assert not archive.exists()
    main.pgfold("fold", "laptop", "--yes", "--no-backup", status=0)


def test_a_failed_fold_into_another_database_is_taken_away_there(two):
    main, old, archive, configure = two
    old.sql("CREATE TABLE public.zz_last (n int CHECK (current_setting('test.fails', true) IS DISTINCT FROM 'yes')); INSERT INTO zz_last VALUES (1)")
    archive.create().sql(f"ALTER DATABASE \"{archive.name}\" SET test.fails = 'yes'")
    before = whole(archive), whole(main.target)
    assert_one_error(main.pgfold("fold", "old", "--yes", "--no-backup", status=5), "zz_last", state="taken away again")
    assert_same(whole(archive), before[0])
    assert_same(whole(main.target), before[1])


def test_a_table_is_skipped_for_one_source_only(two):
    main, old, archive, configure = two
    main.source.sql("CREATE TABLE public.letters (id int PRIMARY KEY); INSERT INTO letters VALUES (7)")
    configure(more="    tables:\n      public.letters: { skip: true }\n")
    old.sql("CREATE TABLE public.digits (d int PRIMARY KEY); INSERT INTO digits VALUES (3)")
    main.pgfold("fold", "--yes", "--no-backup", status=0)
    assert main.target.sql("SELECT id FROM letters") == "7"
    assert archive.sql("SELECT d FROM digits") == "3"
    assert archive.sql("SELECT count(*) FROM letters") == "0", "the rows are left out"
    verified = main.pgfold("verify", status=0)
    assert "skipped" in verified.out
