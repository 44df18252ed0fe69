"""The digest is the same for the same data on every supported server, and between any two of them."""
import pytest

import documents

# A table for each type, so that a failure names it; three values and NULL in each. Version: where a type is newer than 12.
TYPES = {
    "bool": ("boolean", "true", "false"),
    "int2": ("int2", "-32768", "32767"),
    "int4": ("int4", "-2147483648", "0"),
    "int8": ("int8", "-9223372036854775808", "4294967300"),
    "oid": ("oid", "4294967295", "0"),
    "num": ("numeric", "1.00", "'NaN'", "-123456789012345678901234567890.12345678901234567890", "0e-30"),
    "num_scaled": ("numeric(12,3)", "1.5", "-0.001"),
    "flt4": ("float4", "'-0'", "0.1", "1e38", "'NaN'", "'-Infinity'", "1e-40"),
    "flt8": ("float8", "'-0'", "0.1", "1e308", "'NaN'", "'Infinity'", "123456789.123456789", "5e-324"),
    "cash": ("money", "'12.34'", "'-0.01'"),
    "chr": ('"char"', "'a'", "''", "'~'"),
    "nam": ("name", "'größe'", "''"),
    "txt": ("text", "''", "'größe €'", "repeat('x', 100000)", "E'\\\\ \\n\\t\"'"),
    "vchr": ("varchar(10)", "'a '", "'ä'"),
    "fixed": ("char(5)", "'a'", "'ä'", "''"),
    "bpchar": ("bpchar", "'a '", "''"),
    "bin": ("bytea", "'\\x00ff'", "''", "decode(repeat('00', 5000), 'hex')"),
    "dat": ("date", "'2000-02-29'", "'infinity'", "'0044-03-15 BC'"),
    "tim": ("time", "'24:00'", "'00:00:00.000001'"),
    "timz": ("timetz", "'12:34:56.789+05:45'", "'00:00-12'"),
    "ts": ("timestamp", "'2000-01-01 00:00:00.000005'", "'infinity'", "'4713-11-24 00:00 BC'", "'294276-12-31 23:59:59.999999'"),
    "tsz": ("timestamptz", "'2026-03-29 02:30+01'", "'-infinity'", "'1970-01-01 00:00+00'"),
    "span": ("interval", "'1 mon'", "'30 days'", "'-1 year 2 days -00:00:00.000001'"),
    "bits": ("bit(9)", "B'101010101'", "B'000000000'"),
    "varbits": ("varbit", "B''", "B'1'"),
    "uid": ("uuid", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
    "addr": ("inet", "'10.1.2.3/8'", "'::ffff:1.2.3.4'"),
    "net": ("cidr", "'10.0.0.0/8'", "'2001:db8::/32'"),
    "mac": ("macaddr", "'08:00:2b:01:02:03'"),
    "mac8": ("macaddr8", "'08:00:2b:01:02:03:04:05'"),
    "js": ("json", "'{\"b\": 1,  \"a\":[1.0,null]}'", "'\"ü\"'"),
    "jsb": ("jsonb", "'{\"b\": 1.0, \"aa\":[1e2,null,\"ü\"]}'", "'null'", "'{}'"),
    "jpath": ("jsonpath", "'$.a[*] ? (@ > 1)'", "'lax $'"),
    "pt": ("point", "'(-0,1e300)'", "'(0.1,NaN)'"),
    "seg": ("lseg", "'((0,0),(1,0.1))'"),
    "way": ("path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
    "bx": ("box", "'((0,0),(1,1))'"),
    "poly": ("polygon", "'((0,0),(1,1),(1,0))'"),
    "ln": ("line", "'{1,2,3}'"),
    "circ": ("circle", "'<(0,0),0.5>'"),
    "tsv": ("tsvector", "'a:1A,2 größe:3B'", "''"),
    "tsq": ("tsquery", "'a & !b:* <-> c'"),
    "lsn": ("pg_lsn", "'16/B374D848'", "'0/0'"),
    "i4r": ("int4range", "'[1,5)'", "'empty'", "'(,)'"),
    "numr": ("numrange", "'[1.0,2.00]'"),
    "tszr": ("tstzrange", "'[2020-01-01 00:00+00,2020-01-02 00:00+01)'"),
    "i2v": ("int2vector", "'1 2 3'"),
    "rtype": ("regtype", "'int4'", "'timestamptz'"),
    "i4a": ("int4[]", "'{1,NULL,3}'", "'{}'", "'[2:3]={1,2}'", "'{{1,2},{3,4}}'"),
    "i8a": ("int8[]", "'{4294967300}'"),
    "f4a": ("float4[]", "'{0.1,-0,NaN}'"),
    "txta": ("text[]", "'{\"a,b\",NULL,\"NULL\",\"ü\"}'"),
    "numa": ("numeric[]", "'{1.0,1.00}'"),
    "jsa": ("jsonb[]", "'{\"1.0\"}'"),
    "tsza": ("timestamptz[]", "'{2020-01-01 00:00+00}'"),
    "enm": ("mood", "'sad'", "'happy'"),
    "enma": ("mood[]", "'{sad,happy}'"),
    "comp": ("pair", "'(1,\"a b\")'", "'(,)'"),
    "dom": ("positive", "5000000000"),
    "doma": ("list", "'{1,2}'"),
    "rng": ("floats", "'[0.1,0.2)'"),
}

# On version 1 of the digest (docs/digest.md).
PINNED = {
    "int8": "00000000000000010060f8bedcfd07ce",
    "txt": "ffffffffffffffffdbc3bfcf851ac442",
    "ts": "ffffffffffffffff71e535ef951f1f08",
    "num": "000000000000000005db919e03eff2c5",
    "i4a": "000000000000000074d896008bf92e27",
}

SETUP = """CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TYPE pair AS (x int, y text); CREATE DOMAIN positive AS int8;
           CREATE DOMAIN list AS int[]; CREATE TYPE floats AS RANGE (subtype = float8); """


def statements():
    yield SETUP
    for name, (kind, *values) in TYPES.items():
        rows = ", ".join(f"({number}, ({value})::{kind})" for number, value in enumerate([*values, "NULL"]))
        yield f"CREATE TABLE {name} (id int PRIMARY KEY, v {kind}); INSERT INTO {name} VALUES {rows}; "


@pytest.fixture(scope="module")
def zoo(machine):
    """zoo(version): a database with all of TYPES on a server of that version, and of the rows of every table."""
    made = {}

    def get(version):
        if version not in made:
            cluster = machine.cluster(version)
            # Other oids on each server, so that no digest can depend on them.
            cluster.sql("postgres", "".join(f"CREATE TYPE shift{n} AS (x int); " for n in range(version)) + "".join(statements()))
            made[version] = cluster
        return made[version]
    yield get
    for cluster in made.values():
        machine.forget(cluster)


def digests(pgfold, cluster):
    document = documents.check(pgfold("audit", "--json", "--source", cluster.url("postgres"), status=0).json(), "audit")
    return {r["name"]: (r["rows"], r["digest"]) for r in document["sources"][0]["relations"]}


@pytest.fixture(scope="module")
def reference():
    return {}


def test_digests_are_the_same_on(version, zoo, pgfold, reference):
    found = digests(pgfold, zoo(version))
    assert set(found) == set(TYPES)
    if not reference:
        reference.update(found)
    assert {name: found[name] for name in found if found[name] != reference[name]} == {}


def test_the_digest_of_an_earlier_release_stays(zoo, pgfold):
    """Receipts hold digests: a change of the method is a new version of the receipt, not an accident."""
    found = digests(pgfold, zoo(15))
    assert {name: found[name][1] for name in PINNED} == PINNED


@pytest.mark.parametrize("source, target", [(12, 18), (14, 17), (16, 16)])
def test_rows_are_compared_between_versions(source, target, zoo, pgfold, machine):
    fresh = machine.cluster(target)
    try:
        fresh.sql("postgres", "".join(statements()) + "".join(f"CREATE TYPE shift{n} AS (x int); " for n in range(source)))
        arguments = ["--source", zoo(source).url("postgres"), "--target", fresh.url("postgres")]
        pgfold("verify", *arguments, status=0)
        for name in ("int8", "txt", "ts", "enm", "i4a", "jsb"):
            fresh.sql("postgres", f"UPDATE {name} SET v = NULL WHERE id = 0")
        document = documents.check(pgfold("verify", "--json", *arguments, status=1).json(), "verify")
        differing = {r["name"]: r for r in document["sources"][0]["relations"] if r["result"] != "same"}
        assert set(differing) == {"int8", "txt", "ts", "enm", "i4a", "jsb"}
        assert all(r["different"] == 1 and r["differences"][0]["key"] == "id=0" for r in differing.values())
    finally:
        machine.forget(fresh)


def test_parallel_plans_give_the_same_digest(zoo, pgfold):
    """A server that splits the scan among workers of its own adds the same numbers in another order."""
    cluster = zoo(15)
    cluster.create("wide").sql("CREATE TABLE t AS SELECT i, md5(i::text) v, i * 0.5 n FROM generate_series(1, 200000) i; ANALYZE t")
    arguments = ["audit", "--json", "--source", cluster.url("wide")]
    alone = pgfold(*arguments, env={"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}, status=0).json()
    split = pgfold(*arguments, status=0, env={
        "PGOPTIONS": "-c max_parallel_workers_per_gather=2 -c parallel_setup_cost=0 -c min_parallel_table_scan_size=0"}).json()
    assert alone["sources"][0]["relations"] == split["sources"][0]["relations"]
