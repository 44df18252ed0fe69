"""Roles, their groups, and what belongs to the database itself: all of it arrives, or is named; no value of a setting is shown."""
import pytest

import harness
from folding import wait_until

ROLES = ("owner_r", "reader_r", "group_r", "above_r", "far_r", "admin_r")
MEMBERS = ("SELECT r.rolname, m.rolname, a.admin_option FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid "
           "JOIN pg_roles m ON m.oid = a.member WHERE m.rolname ~ '_r$' ORDER BY 1, 2")


@pytest.fixture
def roles(pair, laptop, vps):
    yield laptop, vps
    pair.source.drop()
    pair.target.drop()
    for server in (laptop, vps):
        for role in ROLES:
            server.sql("postgres", f"DROP ROLE IF EXISTS {role}")


def test_groups_memberships_and_comments_of_roles_come_along(pair, roles):
    laptop, vps = roles
    laptop.sql("postgres", """
        CREATE ROLE owner_r LOGIN; CREATE ROLE group_r; CREATE ROLE above_r; CREATE ROLE far_r; COMMENT ON ROLE owner_r IS 'whose it''s';
        COMMENT ON ROLE above_r IS 'above'; GRANT group_r TO owner_r WITH ADMIN OPTION; GRANT above_r TO group_r; GRANT far_r TO above_r;
        GRANT pg_read_all_data TO far_r; GRANT pg_execute_server_program TO group_r""")
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO owner_r")
    pair.configure()
    result = pair.pgfold("fold", "--yes", "--no-backup", status=0)
    got = vps.sql("postgres", MEMBERS)
    assert got == "above_r|group_r|f\nfar_r|above_r|f\ngroup_r|owner_r|t\npg_read_all_data|far_r|f"
    assert "group_r is a member of pg_execute_server_program in the source" in result.err and "power over the server's machine" in result.err
    assert "far_r becomes a member of pg_read_all_data" in result.err
    assert vps.sql("postgres", "SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname ~ '_r$' ORDER BY 1") == (
        "above_r|above\nfar_r|\ngroup_r|\nowner_r|whose it's")


def test_memberships_that_the_target_may_not_grant_are_named(pair, roles):
    laptop, vps = roles
    vps.sql("postgres", "CREATE ROLE admin_r LOGIN CREATEDB CREATEROLE; CREATE ROLE reader_r SUPERUSER")
    laptop.sql("postgres", "CREATE ROLE owner_r; CREATE ROLE reader_r; GRANT reader_r TO owner_r")
    pair.source.create().sql("CREATE SCHEMA s AUTHORIZATION owner_r; CREATE TABLE s.t (id int); INSERT INTO s.t VALUES (1); ALTER TABLE s.t OWNER TO owner_r")
    pair.configure(target_url=vps.url(pair.name, user="admin_r"))
    assert "admin_r may not give objects to role postgres" in pair.pgfold("fold", "--yes", "--no-backup", status=4).err  # the database's owner
    laptop.sql("postgres", f"ALTER DATABASE {pair.name} OWNER TO owner_r")
    result = pair.pgfold("fold", "--yes", "--no-backup", status=0)
    said = "owner_r is a member of reader_r in the source, which is not brought to the target: "
    assert said + "the connected role may not grant it" in result.err
    assert said + "the target has both" in pair.pgfold("plan", status=0).out


def test_options_of_memberships_come_along(cluster):
    """The statement only: no pg_dump here reads a server of that version."""
    laptop = cluster(version=16)
    laptop.sql("postgres", "CREATE ROLE owner_r; CREATE ROLE group_r; GRANT group_r TO owner_r WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    query = (harness.ROOT / "src/plan/sql/memberships.sql").read_text(encoding="utf-8").replace("$1", "'{owner_r,group_r}'")
    options = laptop.sql("postgres", query).splitlines()[-1].split("|")[2]
    assert options == " WITH ADMIN true, INHERIT false, SET false"
    laptop.sql("postgres", "CREATE ROLE other_r; GRANT group_r TO other_r" + options)
    assert laptop.sql("postgres", "SELECT admin_option, inherit_option, set_option FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = 'other_r'") == "t|f|f"


def test_a_template_database_stays_one_and_can_be_taken_away(pair, roles, running):
    laptop, vps = roles
    pair.source.create().sql("""
        CREATE FUNCTION wait_for_it(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN IF current_setting('test.waits', true) = 'yes' THEN PERFORM pg_sleep(2); END IF; RETURN n; END $$;
        CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (wait_for_it(id))""")
    laptop.sql("postgres", f"ALTER DATABASE {pair.name} IS_TEMPLATE true")
    pair.configure()
    try:
        pair.pgfold("fold", "--yes", "--no-backup", status=0)
        assert vps.sql("postgres", f"SELECT datistemplate FROM pg_database WHERE datname = '{pair.name}'") == "t"
        vps.sql("postgres", f"ALTER DATABASE {pair.name} IS_TEMPLATE false")
        pair.target.drop()
        vps.sql("postgres", "ALTER ROLE postgres SET test.waits = 'yes'")
        process = running("fold", "--yes", "--no-backup")
        wait_until(lambda: vps.sql("postgres", "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%CREATE INDEX%' AND datname LIKE 'pgfold%'"), "the index")
        pair.target.create()  # somebody takes the name: the last step fails
        _, err = process.communicate(timeout=60)
        assert process.returncode == 5 and "taken away again" in err, err
        assert not [name for name in vps.sql("postgres", "SELECT datname FROM pg_database").splitlines() if name.startswith("pgfold")]
    finally:
        vps.sql("postgres", "ALTER ROLE postgres RESET test.waits")
        laptop.sql("postgres", f"ALTER DATABASE {pair.name} IS_TEMPLATE false")
        for name in vps.sql("postgres", "SELECT datname FROM pg_database WHERE datistemplate AND datname !~ '^template'").splitlines():
            vps.sql("postgres", f"ALTER DATABASE {name} IS_TEMPLATE false")


def test_values_of_settings_are_shown_nowhere(pair, roles):
    laptop, vps = roles
    secret = "jwt-0123456789-value"
    laptop.sql("postgres", f"CREATE ROLE owner_r; ALTER ROLE owner_r SET app.role_secret = '{secret}'")
    vps.sql("postgres", "CREATE ROLE owner_r")
    pair.source.create().sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO owner_r")
    laptop.sql("postgres", f"ALTER DATABASE {pair.name} SET app.jwt_secret = '{secret}'; ALTER ROLE owner_r IN DATABASE {pair.name} SET app.other = '{secret}'")
    pair.target.create()
    pair.configure()
    pair.pgfold.secrets.add(secret)
    plan = pair.pgfold("plan", status=0).out
    for name in ("app.jwt_secret", "app.role_secret", "app.other"):
        assert name in plan
    pair.pgfold("plan", "--json", status=0)
    pair.pgfold("fold", "--yes", "--no-backup", status=0)
    pair.pgfold("audit", "--verbose")
    pair.pgfold("report", status=0)
    files = [path for path in pair.folder.rglob("*") if path.is_file()]
    assert files and not [path for path in files if secret.encode() in path.read_bytes()]
