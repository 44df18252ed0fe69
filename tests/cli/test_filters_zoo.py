"""The zoo without each of its tables, and each of them alone: such a fold is refused with a reason, or it is proven.

It fails midway, and takes away what it made, only where a value names what is left out: those of regclass and regprocedure in two of the tables
(docs/filters.md).
"""
import re

import pytest

import harness


class Zoo:
    def __init__(self, source, target, pgfold):
        self.source, self.target, self.pgfold = source, target, pgfold

    def fold(self, *options):
        """The exit status of a fold; whatever it made is taken away again."""
        result = self.pgfold("fold", "--yes", "--no-backup", *options)
        if result.status == 5:
            assert re.search(r"copying zoo\.(names|values_of_all_kinds): .* does not exist", result.err), f"{options}: {result}"
            assert not self.target.exists() and "was taken away again" in result.err
            return 5
        assert result.status in (0, 4), f"{options}: {result}"
        if result.status == 0:
            self.pgfold("verify", *options, status=0)
            again = self.pgfold("fold", "--yes", "--no-backup", *options, status=0)
            assert "\n0 new, " in again.err, f"{options}: {again}"
            self.target.drop()
        else:
            assert "leave both out, or neither" in result.err, f"{options}: {result}"
            assert not self.target.exists()
        return result.status


@pytest.fixture(scope="module")
def zoo(machine, tmp_path_factory):
    laptop, vps = machine.cluster(wal_level="logical"), machine.cluster(wal_level="logical")
    folder = tmp_path_factory.mktemp("zoo")
    source, target = laptop.create("zoo").load("zoo"), vps.database("zoo")
    (folder / "pgfold.yaml").write_text(f"version: 1\ntarget:\n  url: \"{target.url}\"\nsources:\n  - name: laptop\n    url: \"{source.url}\"\n", encoding="utf-8")
    yield Zoo(source, target, harness.Pgfold(machine, folder))
    machine.forget(laptop)
    machine.forget(vps)


def names(zoo, query):
    return [line for line in zoo.source.sql(f"SELECT {query}").splitlines() if line]


RELATIONS = ("quote_ident(nspname) || '.' || format('\"%s\"', replace(relname, '\"', '\"\"')) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
             "WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^(pg_|information_schema)' AND c.relname !~ '\\n' "
             "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND deptype = 'e') ORDER BY 1")


@pytest.mark.long
@pytest.mark.parametrize("option", ["--table", "--exclude-table"])
def test_each_relation_of_the_zoo_alone_and_left_out(zoo, option):
    relations = names(zoo, RELATIONS)
    folded = [name for name in relations if zoo.fold(f"{option}={name}") == 0]
    assert len(relations) > 30 and len(folded) > len(relations) / 2, set(relations) - set(folded)


@pytest.mark.long
@pytest.mark.parametrize("option", ["--schema", "--exclude-schema", "--extension"])
def test_each_schema_and_extension_of_the_zoo_alone_and_left_out(zoo, option):
    what = "extname FROM pg_extension WHERE oid >= 16384" if option == "--extension" else \
        "quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
    for name in names(zoo, what):
        zoo.fold(f"{option}={name}")
