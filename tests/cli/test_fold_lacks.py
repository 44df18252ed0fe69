"""What the target's server does not have: `pgfold plan` finds it, before anything is done; or the fold does without, and says so."""
import time

import pytest

from folding import assert_one_error, assert_same, whole

ROWS = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
# What this server has, under the name of something that no server has.
LACKS = {
    "extension": ("CREATE EXTENSION citext; UPDATE pg_extension SET extname = 'nowhere' WHERE extname = 'citext'", "nowhere 1.6"),
    "language": ("CREATE LANGUAGE plnowhere HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;"
                 "CREATE FUNCTION f() RETURNS int LANGUAGE plnowhere AS 'BEGIN RETURN 1; END'", "plnowhere"),
    "label provider": ("SET allow_system_table_mods = on; INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'selinux', 'system_u:x')",
                       "has not loaded selinux, the provider of security labels of the source (1)"),
}


@pytest.fixture
def tablespace(machine, laptop, request):
    """A tablespace that only the source's server has. A name that needs quotes."""
    name = "fast, \"disk\""
    quoted = '"' + name.replace('"', '""') + '"'
    folder = machine._own_folder(f"space-{time.monotonic_ns()}")
    laptop.sql("postgres", f"CREATE TABLESPACE {quoted} LOCATION '{folder}'")
    yield name, quoted
    pair = request.getfixturevalue("pair")
    pair.source.drop()
    laptop.sql("postgres", f"DROP TABLESPACE {quoted}")


@pytest.mark.parametrize("what, there", [*((what, False) for what in LACKS), pytest.param("label provider", True, marks=pytest.mark.long)])
def test_what_only_the_sources_server_has_is_found_by_plan_and_nothing_is_made(pair, what, there):
    sql, words = LACKS[what]
    pair.source.create().sql(ROWS + sql)
    if there:
        pair.target.create()
    pair.configure()
    assert words in pair.pgfold("plan", status=1).out
    assert_one_error(pair.pgfold("fold", "--yes", "--no-backup", status=4), words, state="nothing was changed")
    assert pair.target.exists() == there
    if there:
        assert pair.target.sql("SELECT to_regclass('t')") == ""


def test_a_collation_that_the_target_lacks_is_found_by_plan(pair):
    pair.source.create().sql(ROWS + "CREATE TABLE u (v text COLLATE ucs_basic)")
    pair.target.create().sql("DELETE FROM pg_collation WHERE collname = 'ucs_basic'")
    pair.configure()
    assert "ucs_basic" in pair.pgfold("plan", status=1).out
    assert_one_error(pair.pgfold("fold", "--yes", "--no-backup", status=4), "ucs_basic", state="nothing was changed")
    assert pair.target.sql("SELECT to_regclass('t')") == ""


def test_a_role_that_may_not_be_made_is_found_by_plan(pair, laptop, vps, request):
    def drop():
        pair.source.drop()
        laptop.sql("postgres", "DROP ROLE IF EXISTS lacks_owner")
        vps.sql("postgres", "DROP ROLE IF EXISTS lacks_writer")
    request.addfinalizer(drop)
    laptop.sql("postgres", "CREATE ROLE lacks_owner")
    vps.sql("postgres", "CREATE ROLE lacks_writer LOGIN CREATEDB")
    pair.source.create().sql(ROWS + "ALTER TABLE t OWNER TO lacks_owner")
    pair.configure(target_url=vps.url(pair.name, user="lacks_writer"))
    assert "CREATE ROLE lacks_owner" in pair.pgfold("plan", status=1).out


@pytest.mark.parametrize("into", ["new", *(pytest.param(into, marks=pytest.mark.long) for into in ("existing", "schema"))])
def test_a_tablespace_that_the_target_lacks_becomes_its_default_one_and_this_is_said(pair, tablespace, into):
    name, quoted = tablespace
    pair.source.create().sql(f"""
        CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE {quoted}, v text) TABLESPACE {quoted}; INSERT INTO t VALUES (1, 'a'), (2, 'b');
        CREATE INDEX t_v ON t (v) TABLESPACE {quoted}; CREATE MATERIALIZED VIEW m TABLESPACE {quoted} AS SELECT count(*) AS n FROM t;
        CREATE TABLE p (id int) PARTITION BY LIST (id) TABLESPACE {quoted}; CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1);
        CREATE TABLE beside (id int); INSERT INTO beside VALUES (1)""")
    if into != "new":
        pair.target.create()
    pair.configure("    into: { schema: other }\n" if into == "schema" else "")
    said = f"the target has no tablespace {name}: 6 objects of it go into the default one"
    plan = pair.pgfold("plan", status=0).out
    assert said in plan and "missing" not in plan
    # A backup is proven without it too.
    assert said in pair.pgfold("fold", "--yes", *(() if into == "new" else ("--no-backup",)), status=0).err
    pair.pgfold("verify", status=0)
    schema = "other" if into == "schema" else "public"
    assert pair.target.sql(f"SELECT string_agg(DISTINCT reltablespace::text, ',') FROM pg_class WHERE relnamespace = '{schema}'::regnamespace") == "0"
    assert pair.target.sql(f"SELECT (SELECT n FROM {schema}.m), (SELECT count(*) FROM {schema}.p1)") == "2|1"
    assert said not in pair.pgfold("plan", status=0).out, "what is there already is not said to go somewhere"
    assert "0 new" in pair.pgfold("fold", "--yes", "--no-backup", status=0).err


def test_a_tablespace_of_the_same_name_is_used_and_needs_its_grant(pair, tablespace, machine, vps, request):
    _, quoted = tablespace

    def drop():
        pair.target.drop()
        vps.sql("postgres", f"DROP TABLESPACE {quoted}")
        vps.sql("postgres", "DROP ROLE lacks_grant")
    folder = machine._own_folder(f"space-{time.monotonic_ns()}")
    vps.sql("postgres", f"CREATE TABLESPACE {quoted} LOCATION '{folder}'")
    vps.sql("postgres", "CREATE ROLE lacks_grant LOGIN CREATEDB")
    request.addfinalizer(drop)
    pair.source.create().sql(f"CREATE TABLE t (id int PRIMARY KEY) TABLESPACE {quoted}; INSERT INTO t VALUES (1)")
    pair.configure(target_url=vps.url(pair.name, user="lacks_grant"))
    arguments = ("fold", "--yes", "--no-backup", "--no-owner", "--no-privileges")
    assert_one_error(pair.pgfold(*arguments, status=4), f"GRANT CREATE ON TABLESPACE {quoted} TO \"lacks_grant\"", state="nothing was changed")
    vps.sql("postgres", f"GRANT CREATE ON TABLESPACE {quoted} TO lacks_grant")
    pair.pgfold(*arguments, status=0)
    ask = "SELECT spcname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE relname = 't'"
    assert pair.target.sql(ask) == pair.source.sql(ask) != ""


def test_user_mappings_come_without_their_passwords_and_this_is_said(pair):
    pair.source.create().sql(r"""
        CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere');
        CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'it''s, "so" )', password E'fdw-1''\\, OPTIONS (', password_required 'true');
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password 'fdw-2');
        CREATE FOREIGN DATA WRAPPER own; CREATE SERVER "O PTIONS (" FOREIGN DATA WRAPPER own;
        CREATE USER MAPPING FOR postgres SERVER "O PTIONS (" OPTIONS ("myPassword" 'fdw-3', last 'x');
        CREATE USER MAPPING FOR PUBLIC SERVER "O PTIONS (" OPTIONS (passwords_are_elsewhere 'kept')""")
    pair.pgfold.secrets |= {"fdw-1", "fdw-2", "fdw-3"}
    result = pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    assert result.err.count("comes without its password") == 3
    assert pair.target.sql("SELECT srvname, usename, umoptions FROM pg_user_mappings ORDER BY 1, 2") == (
        'O PTIONS (|postgres|{last=x}\nO PTIONS (|public|{passwords_are_elsewhere=kept}\n'
        'far|postgres|{password_required=true,"user=it\'s, \\"so\\" )"}\nfar|public|')
    again = pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert "0 new" in again.err and "password" not in again.err
    pair.target.sql("ALTER USER MAPPING FOR PUBLIC SERVER far OPTIONS (ADD password 'fdw-4')")
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    assert not [path for path in (pair.folder / ".pgfold").rglob("*") if path.is_file() and b"fdw-" in path.read_bytes()]


def test_all_that_belongs_to_the_database_itself_comes_along(pair, laptop, vps, request):
    def drop():
        pair.source.drop()
        pair.target.drop()
        for server in (laptop, vps):
            server.sql("postgres", "DROP ROLE IF EXISTS lacks_keeper; DROP ROLE IF EXISTS lacks_user")
    request.addfinalizer(drop)
    laptop.sql("postgres", "CREATE ROLE lacks_keeper; CREATE ROLE lacks_user; ALTER ROLE lacks_user SET work_mem = '6MB'")
    name = pair.source.create().name
    pair.source.sql(f"""
        ALTER DATABASE "{name}" OWNER TO lacks_keeper; ALTER DATABASE "{name}" CONNECTION LIMIT 17; COMMENT ON DATABASE "{name}" IS 'it''s the "one"';
        GRANT CREATE ON DATABASE "{name}" TO lacks_user WITH GRANT OPTION; REVOKE TEMP ON DATABASE "{name}" FROM PUBLIC;
        ALTER DATABASE "{name}" SET timezone = 'Asia/Tokyo'; ALTER DATABASE "{name}" SET my.words = 'a = ''b''';
        ALTER ROLE lacks_user IN DATABASE "{name}" SET work_mem = '5MB'; CREATE SCHEMA s AUTHORIZATION lacks_user;
        ALTER DEFAULT PRIVILEGES FOR ROLE lacks_user GRANT SELECT ON TABLES TO lacks_keeper; {ROWS}""")
    pair.configure().pgfold("fold", "--yes", "--no-backup", status=0)
    assert_same(whole(pair.target), whole(pair.source))
    ask = (f"SELECT pg_get_userbyid(datdba), datconnlimit, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database'), datcollate, datctype, encoding, datlocprovider, "
           f"(SELECT string_agg(c, ';' ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = d.oid), "
           f"(SELECT rolconfig FROM pg_roles WHERE rolname = 'lacks_user') FROM pg_database d WHERE datname = '{name}'")
    assert pair.target.sql(ask) == pair.source.sql(ask)
    assert pair.target.sql(ask).startswith("lacks_keeper|17|")
