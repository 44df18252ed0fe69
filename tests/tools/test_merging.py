"""The oracle of the merge tests, tested without pgfold: a plain merge in SQL must be found right, and every wrong one wrong.

The merge here is another way to the same end: sets in SQL against loops over rows in Python, with real keys instead of symbols.
"""
import collections
import copy
import json
import os
import random

import pytest

import merging
import merging_cases
from merging import Column, New, Reference, Rule, Table, judge, literal, quote

SEEDS = int(os.environ.get("PGFOLD_SEEDS", "12"))


# --- a merge in SQL ---------------------------------------------------------------------------------------------------------

class Refused(Exception):
    pass


class PlainMerge:
    """Merges rows of a source, given as text, into a target database. Everything goes into one script."""

    def __init__(self, case, rows):
        self.case = case
        self.rows = rows
        self.text = ["BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL TimeZone = 'UTC'; CREATE SCHEMA sim; SET LOCAL client_min_messages = error;"
                     "CREATE TABLE sim.map (t text, old text, new text, matched boolean);"]

    def run(self, database):
        """Commits, or raises Refused."""
        tables = self.case.tables
        for n, table in enumerate(tables):
            self.stage(n, table)
        self.match()
        self.text.append("DO $do$ DECLARE n int; more int; BEGIN LOOP more := 0;")
        for n, table in enumerate(tables):
            self.follow(n, table)
        self.text.append("EXIT WHEN more = 0; END LOOP; END $do$;")
        for n, table in enumerate(tables):
            self.write(n, table)
        self.drop_children()
        self.text.append("DROP SCHEMA sim CASCADE; COMMIT;")
        try:
            database.cluster.psql(database.name, "-o", os.devnull, text="\n".join(self.text))
        except AssertionError as error:
            for word in ("unique constraint", "sim_conflict", "sim_parent", "sim_ambiguous"):
                if word in str(error):
                    raise Refused(word) from None
            raise

    def stage(self, n, table):
        names = merging.compared(table)
        kinds = {c.name: {"serial": "integer", "bigserial": "bigint"}.get(c.type, c.type) for c in table.columns}
        self.text.append(f"CREATE TABLE sim.s{n} ({', '.join(f'{quote(c)} {kinds[c]}' for c in names)}, okey text);")
        for row in self.rows[table.title]:
            key = json.dumps([row[c] for c in table.key], ensure_ascii=False) if table.key else None
            self.text.append(f"INSERT INTO sim.s{n} VALUES ({', '.join(literal(row[c]) for c in names)}, {literal(key)});")
        self.text.append(f"CREATE SEQUENCE sim.fresh{n} START {self.first(table)};")
        self.text.append(f"CREATE TABLE sim.o{n} AS TABLE sim.s{n}; CREATE TABLE sim.before{n} AS SELECT * FROM {table.sql};")

    @staticmethod
    def first(table):
        """The first of its new keys."""
        return 900001

    @staticmethod
    def json_key(alias, columns):
        return f"jsonb_build_array({', '.join(f'{alias}.{quote(c)}::text' for c in columns)})::text"

    @staticmethod
    def same(table, one, other):
        return " AND ".join(f"{one}.{quote(c)}::text IS NOT DISTINCT FROM {other}.{quote(c)}::text" for c in merging.compared(table))

    @staticmethod
    def equal(columns, one, other):
        return " AND ".join(f"{one}.{quote(c)} = {other}.{quote(c)}" for c in columns)

    def match(self):
        for n, table in enumerate(self.case.tables):
            if table.rule.match_on:
                on = table.rule.match_on
                for side in (f"sim.s{n}", table.sql):
                    columns = ", ".join(map(quote, on))
                    self.text.append(f"DO $do$ BEGIN IF EXISTS (SELECT FROM {side} WHERE ({columns}) IS NOT NULL GROUP BY {columns} HAVING count(*) > 1) "
                                     "THEN RAISE 'sim_ambiguous'; END IF; END $do$;")
                self.text.append(f"INSERT INTO sim.map SELECT 't{n}', s.okey, {self.json_key('t', table.key)}, true "
                                 f"FROM sim.s{n} s JOIN {table.sql} t ON {self.equal(on, 's', 't')};")

    def follow(self, n, table):
        """One round: references as the map has them, then keys that are taken."""
        numbers = {t.title: i for i, t in enumerate(self.case.tables)}
        types = {c.name: {"serial": "integer", "bigserial": "bigint"}.get(c.type, c.type) for c in table.columns}
        if not table.key:
            return  # nothing refers to it: write() follows its references once
        for r in table.references:
            new = ", ".join(f"{quote(c)} = (m.new::jsonb ->> {i})::{types[c]}" for i, c in enumerate(r.columns))
            there = ", ".join(f"(m.new::jsonb ->> {i})::{types[c]}" for i, c in enumerate(r.columns))
            self.text.append(f"UPDATE sim.s{n} s SET {new} FROM sim.o{n} o JOIN sim.map m ON m.t = 't{numbers[r.parent]}' "
                             f"AND m.old = {self.json_key('o', r.columns)} "
                             f"WHERE o.okey = s.okey AND ({', '.join(f's.{quote(c)}' for c in r.columns)}) IS DISTINCT FROM ({there}); "
                             "GET DIAGNOSTICS n = ROW_COUNT; more := more + n;")
        # Keys that hold a reference have changed with it: what refers to them follows.
        key = self.json_key("s", table.key)
        held = set(table.key) & {c for r in table.references for c in r.columns}
        if held:
            self.text.append(f"DELETE FROM sim.map m USING sim.s{n} s WHERE m.t = 't{n}' AND m.old = s.okey AND m.new <> {key}; "
                             f"INSERT INTO sim.map SELECT 't{n}', s.okey, {key}, false FROM sim.s{n} s WHERE {key} <> s.okey "
                             f"AND NOT EXISTS (SELECT FROM sim.map m WHERE m.t = 't{n}' AND m.old = s.okey); GET DIAGNOSTICS n = ROW_COUNT; more := more + n;")
        if table.rule.kind == "rekey":
            fresh = "gen_random_uuid()::text" if "uuid" in self.case.kinds[table.title] else f"nextval('sim.fresh{n}')::text"
            self.text.append(f"INSERT INTO sim.map SELECT 't{n}', s.okey, jsonb_build_array({fresh})::text, false FROM sim.s{n} s JOIN {table.sql} t "
                             f"ON {self.equal(table.key, 's', 't')} WHERE NOT ({self.same(table, 's', 't')}) "
                             f"AND NOT EXISTS (SELECT FROM sim.map m WHERE m.t = 't{n}' AND m.old = s.okey); GET DIAGNOSTICS n = ROW_COUNT; more := more + n;")
        types_of_key = ", ".join(f"{quote(c)} = (m.new::jsonb ->> {i})::{types[c]}" for i, c in enumerate(table.key))
        self.text.append(f"UPDATE sim.s{n} s SET {types_of_key} FROM sim.map m WHERE m.t = 't{n}' AND m.old = s.okey AND {key} <> m.new;")

    def write(self, n, table):
        names = ", ".join(quote(c) for c in merging.compared(table))
        numbers = {t.title: i for i, t in enumerate(self.case.tables)}
        if not table.key:
            for r in table.references:  # each of its references once
                types = {c.name: c.type for c in table.columns}
                new = ", ".join(f"{quote(c)} = (m.new::jsonb ->> {i})::{types[c]}" for i, c in enumerate(r.columns))
                self.text.append(f"UPDATE sim.s{n} s SET {new} FROM sim.map m WHERE m.t = 't{numbers[r.parent]}' AND m.old = {self.json_key('s', r.columns)};")
            texts = ", ".join(f"{quote(c)}::text" for c in merging.compared(table))
            self.text.append(f"INSERT INTO {table.sql} ({names}) SELECT {names} FROM (SELECT {names}, row_number() OVER (PARTITION BY {texts}) AS sim_n FROM sim.s{n}) s "
                             f"WHERE sim_n > (SELECT count(*) FROM sim.before{n} t WHERE {self.same(table, 's', 't')});")
            return
        keyed = self.equal(table.key, "s", "t")
        matched = f"EXISTS (SELECT FROM sim.map m WHERE m.t = 't{n}' AND m.old = s.okey AND m.matched)"
        if table.rule.kind == "keep-target":
            taken = "".join(f" AND NOT EXISTS (SELECT FROM sim.before{n} t WHERE {self.equal(u, 's', 't')})" for u in table.unique)
            self.text.append(f"INSERT INTO {table.sql} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM sim.s{n} s "
                             f"WHERE NOT EXISTS (SELECT FROM sim.before{n} t WHERE {keyed}){taken};")
            return
        cases = [("true", table.rule)] if not table.rule.match_on else \
            [(matched, table.rule.on_match or Rule("keep-target")), (f"NOT {matched}", Rule("rekey"))]
        for which, rule in cases:
            if rule.kind in ("stop", "rekey"):
                self.text.append(f"DO $do$ BEGIN IF EXISTS (SELECT FROM sim.s{n} s JOIN {table.sql} t ON {keyed} WHERE {which} AND NOT ({self.same(table, 's', 't')})) "
                                 "THEN RAISE 'sim_conflict'; END IF; END $do$;")
            elif rule.kind in ("take-source", "newest"):
                newer = f"coalesce(s.{quote(rule.column)} > t.{quote(rule.column)}, t.{quote(rule.column)} IS NULL AND s.{quote(rule.column)} IS NOT NULL)" \
                    if rule.kind == "newest" else "true"
                rest = [c for c in merging.compared(table) if c not in table.key]
                if rest:
                    self.text.append(f"UPDATE {table.sql} t SET {', '.join(f'{quote(c)} = s.{quote(c)}' for c in rest)} FROM sim.s{n} s "
                                     f"WHERE {keyed} AND {which} AND {newer} AND NOT ({self.same(table, 's', 't')});")
        self.text.append(f"INSERT INTO {table.sql} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM sim.s{n} s "
                         f"WHERE NOT EXISTS (SELECT FROM {table.sql} t WHERE {keyed});")

    def drop_children(self):
        """Rows that came without their parent go again under keep-target; under another rule nothing may come."""
        by_title = {t.title: t for t in self.case.tables}
        loop, raising = [], []
        for n, table in enumerate(self.case.tables):
            for r in table.references:
                on = " AND ".join(f"p.{quote(b)} = t.{quote(a)}" for a, b in zip(r.columns, r.to))
                known = " AND ".join(f"t.{quote(a)} IS NOT NULL" for a in r.columns)
                orphan = f"{known} AND NOT EXISTS (SELECT FROM {by_title[r.parent].sql} p WHERE {on})"
                if table.rule.kind == "keep-target":
                    loop.append(f"DELETE FROM {table.sql} t WHERE {orphan}; GET DIAGNOSTICS n = ROW_COUNT; more := more + n;")
                raising.append(f"IF EXISTS (SELECT FROM {table.sql} t WHERE {orphan}) THEN RAISE 'sim_parent'; END IF;")
        self.text.append("DO $do$ DECLARE n int; more int; BEGIN LOOP more := 0; " + " ".join(loop) + " EXIT WHEN more = 0; END LOOP; " +
                         " ".join(raising) + " END $do$;")


# --- random cases -------------------------------------------------------------------------------------------------------------

@pytest.fixture
def drifted(pair):
    """drifted(seed): the case, loaded into both sides, and the rows of both."""
    def make(seed):
        case = merging_cases.generate(seed)
        case.load(pair.source.create(), "source")
        case.load(pair.target.create(), "target")
        return case, merging.read(pair.source, case.tables), merging.read(pair.target, case.tables, target=True)
    return make


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_oracle_agrees_with_a_plain_merge_and_with_nothing_else(pair, drifted, seed):
    case, source, target = drifted(seed)
    verdict = judge(case.tables, source, target)
    before = merging.writers(pair.target, case.tables)
    try:
        PlainMerge(case, source).run(pair.target)
        refused = None
    except Refused as error:
        refused = error
    assert bool(refused) == verdict.stop or verdict.either, f"{case}\nthe plain merge: {refused}\nthe oracle: {verdict.stops} {verdict.blocked}"
    if verdict.stop or refused:
        return
    after = merging.read(pair.target, case.tables, target=True)
    try:
        merging.check(case.tables, verdict, source, target, after)
    except AssertionError as error:
        raise AssertionError(f"{case}\n{error}") from error
    assert merging.orphans(pair.target, case.tables) == []
    merging.check_writers(verdict, before, merging.writers(pair.target, case.tables))
    for name, wrong in mutations(case, verdict, source, target, after, random.Random(seed)):
        with pytest.raises(AssertionError):
            merging.check(case.tables, verdict, source, target, wrong)
            print(f"not noticed: {name}\n{case}")


def mutations(case, verdict, source, target, after, rng):
    """Results that are wrong in one place each: (what is wrong, rows)."""
    filled = [t for t in case.tables if after[t.title]]
    for table in filled:
        rows = after[table.title]
        n = rng.randrange(len(rows))
        yield f"a row of {table.title} is lost", {**after, table.title: rows[:n] + rows[n + 1:]}
        yield f"a row of {table.title} is there twice", {**after, table.title: rows + [rows[n]]}
        changed = copy.deepcopy(rows)
        changed[n]["updated_at"] = "2031-01-01 00:00:00+00"
        yield f"a value of {table.title} is another", {**after, table.title: changed}
        if table.key and verdict.counts[table.title]["insert"]:
            yield f"nothing was inserted into {table.title}", {**after, table.title: target[table.title]}
        for loser, _, row in verdict.losers[table.title]:
            if loser == "source" and table.key:
                yield f"the loser {row} was brought to {table.title} too", {**after, table.title: rows + [{**rows[n], **row}]}
                break
        fresh = [row for row in verdict.tables[table.title] if any(isinstance(value, New) for value in row.values())]
        if fresh:
            yield from _wrong_keys(table, verdict, source, target, after, rng)


def _wrong_keys(table, verdict, source, target, after, rng):
    known = {tuple(sorted(row.items())) for row in verdict.tables[table.title] if not any(isinstance(v, New) for v in row.values())}
    columns = sorted({name for row in verdict.tables[table.title] for name, value in row.items() if isinstance(value, New)})
    for column in columns:
        rows = copy.deepcopy(after[table.title])
        new = [row for row in rows if tuple(sorted(row.items())) not in known and row[column] is not None]
        if not new:
            continue
        victim = rng.choice(new)
        victim[column] = "77777777" if victim[column].isdigit() else "00000000-0000-0000-0000-000000000000"
        references = [r for r in table.references if column in r.columns]
        if references or any(isinstance(value, New) and value.table == table.title for row in _all(verdict, besides=table.title) for value in row.values()):
            # Only where someone else knows the true key can a wrong one be told from a right one.
            if references:
                yield f"a reference {column} of {table.title} leads elsewhere", {**after, table.title: rows}
        had = [row[column] for row in target[table.title] if row[column] is not None]
        if column in (table.key or []) and had:
            victim[column] = rng.choice(had)
            yield f"a key that the target had was given again in {table.title}", {**after, table.title: rows}


def _all(verdict, besides):
    return [row for title, rows in verdict.tables.items() if title != besides for row in rows]


def test_the_cases_have_in_them_what_they_are_for():
    """Counted over many seeds, without a server: kinds of keys, rules, circles."""
    seen = collections.Counter()
    for seed in range(200):
        case = merging_cases.generate(seed)
        seen["wild"] += case.wild
        for table in case.tables:
            seen[case.kinds[table.title]] += 1
            seen[str(table.rule.kind)] += 1
            seen["match_on"] += bool(table.rule.match_on)
            seen[table.key_kind] += 1
            seen["composite reference"] += any(len(r.columns) > 1 for r in table.references)
            seen["self"] += any(r.parent == table.title for r in table.references)
            seen["circle"] += any(r.columns[0].startswith("back") for r in table.references)
            seen["unique"] += bool(table.unique)
            seen["column of the target"] += any(c.only_target for c in table.columns)
            seen["generated"] += any(c.computed for c in table.columns)
            seen["other order"] += table.title in case.orders
    rare = {name: seen[name] for name in [*merging_cases.KEYS, "stop", "keep-target", "take-source", "newest", "rekey", "match_on", "unique", "declared",
                                         "primary", "composite reference", "self", "circle", "column of the target", "generated", "other order", "wild"]
            if seen[name] < 10}
    assert not rare, rare


def test_the_same_seed_gives_the_same_case():
    assert merging_cases.generate(5).sql("target") == merging_cases.generate(5).sql("target")
    assert merging_cases.generate(5).sql("source") != merging_cases.generate(6).sql("source")


# --- small cases, by hand -----------------------------------------------------------------------------------------------------

def people(rule, **more):
    return Table("public", "people", [Column("id", "integer", null=False), Column("name", "text"), Column("at", "integer")], ["id"], rule=rule, **more)


def person(number, name, at="1"):
    return {"id": str(number), "name": name, "at": at}


def verdict_of(table, mine, theirs):
    return judge([table], {table.title: mine}, {table.title: theirs})


@pytest.mark.parametrize("mine, theirs, won", [
    ("2", "1", "source"), ("1", "2", "target"), ("1", "1", "target"), (None, "1", "target"), ("1", None, "source"), (None, None, "target"),
    ("10", "9", "source")])
def test_newest_by_hand(mine, theirs, won):
    verdict = verdict_of(people(Rule("newest", "at")), [person(1, "a", mine)], [person(1, "b", theirs)])
    assert verdict.tables["public.people"] == [person(1, *(("a", mine) if won == "source" else ("b", theirs)))]
    assert [side for side, _, _ in verdict.losers["public.people"]] == ["target" if won == "source" else "source"]


@pytest.mark.parametrize("kind", ["stop", "keep-target", "take-source", "newest", "rekey"])
def test_a_unique_value_that_is_taken_by_hand(kind):
    table = people(Rule(kind, "at"), unique=[["name"]])
    verdict = verdict_of(table, [person(1, "a")], [person(2, "a")])
    assert verdict.stop == (kind != "keep-target")
    if kind == "keep-target":
        assert verdict.tables[table.title] == [person(2, "a")]
        assert verdict.losers[table.title] == [("source", "unique", person(1, "a"))]


def test_two_rows_that_trade_a_unique_value_are_either():
    table = people(Rule("take-source"), unique=[["name"]])
    verdict = verdict_of(table, [person(1, "a"), person(2, "b")], [person(1, "b"), person(2, "a")])
    assert verdict.either and not verdict.stop


def test_rekey_by_hand_through_a_reference_to_itself():
    table = people(Rule("rekey"))
    table.columns.append(Column("above", "integer"))
    table.references = [Reference(["above"], table.title, ["id"])]
    mine = [{**person(1, "mine"), "above": None}, {**person(2, "same"), "above": "1"}, {**person(3, "same"), "above": None}]
    theirs = [{**person(1, "theirs"), "above": None}, {**person(2, "same"), "above": "1"}, {**person(3, "same"), "above": None}]
    verdict = verdict_of(table, mine, theirs)
    one, two = New(table.title, "1"), New(table.title, "2")
    assert verdict.tables[table.title] == theirs + [{**mine[0], "id": one}, {**mine[1], "id": two, "above": one}]
    right = theirs + [{**mine[0], "id": "8"}, {**mine[1], "id": "9", "above": "8"}]
    assert merging.check([table], verdict, {table.title: mine}, {table.title: theirs}, {table.title: right}) == {one: "8", two: "9"}
    for wrong in (theirs + [{**mine[0], "id": "8"}, {**mine[1], "id": "9", "above": "1"}],   # still with the stranger
                  theirs + [{**mine[0], "id": "8"}, {**mine[1], "id": "8", "above": "8"}],   # one key for two rows
                  theirs + [{**mine[0], "id": "3"}, {**mine[1], "id": "9", "above": "3"}]):  # a key that is in use
        with pytest.raises(AssertionError):
            merging.check([table], verdict, {table.title: mine}, {table.title: theirs}, {table.title: wrong})


def test_a_matched_row_takes_the_key_of_the_target_by_hand():
    table = people(Rule("rekey", match_on=["name"]))
    verdict = verdict_of(table, [person(1, "a", "1"), person(2, "b"), person(3, None)], [person(7, "a", "2"), person(2, "c")])
    assert not verdict.stop and verdict.keys[table.title] == {("1",): ("7",), ("2",): (New(table.title, "2"),)}
    assert verdict.losers[table.title] == [("source", "value", person(1, "a", "1"))]
    assert verdict.tables[table.title][2:] == [{**person(2, "b"), "id": New(table.title, "2")}, person(3, None)]


def test_a_parent_that_stayed_away_keeps_its_children_away_by_hand():
    parent, child = people(Rule("keep-target"), unique=[["name"]]), Table("public", "pets", [Column("id", "integer"), Column("owner", "integer")], ["id"])
    child.references = [Reference(["owner"], parent.title, ["id"])]
    for kind, stop in (("keep-target", False), ("take-source", True), ("stop", True), ("rekey", True)):
        child.rule = Rule(kind)
        verdict = judge([parent, child], {parent.title: [person(1, "a")], child.title: [{"id": "5", "owner": "1"}]},
                        {parent.title: [person(2, "a")], child.title: []})
        assert verdict.stop == stop
        assert [why for _, why, _ in verdict.losers[child.title]] == ([] if stop else ["parent"])


def test_composite_references_follow_by_hand():
    """orders are given new keys; lines have the order in their key; notes refer to lines."""
    orders = Table("public", "orders", [Column("id", "integer"), Column("what", "text")], ["id"], rule=Rule("rekey"))
    lines = Table("public", "lines", [Column("o", "integer"), Column("n", "integer"), Column("what", "text")], ["o", "n"],
                  references=[Reference(["o"], orders.title, ["id"])])
    notes = Table("public", "notes", [Column("o", "integer"), Column("n", "integer")], references=[Reference(["o", "n"], lines.title, ["o", "n"])])

    def side(who):
        return {orders.title: [{"id": "1", "what": who}], lines.title: [{"o": "1", "n": "1", "what": who}], notes.title: [{"o": "1", "n": "1"}, {"o": None, "n": "1"}]}
    verdict = judge([orders, lines, notes], side("mine"), side("theirs"))
    new = New(orders.title, "1")
    assert not verdict.stop
    assert verdict.tables[lines.title][1:] == [{"o": new, "n": "1", "what": "mine"}]
    assert verdict.tables[notes.title][2:] == [{"o": new, "n": "1"}]
