"""Random pairs of databases that have drifted apart, for tests/merging.py. The same seed gives the same pair.

    case = generate(17)
    case.load(pair.source, "source"); case.load(pair.target, "target")
    pair.configure(case.config())

Each side is valid by itself. About three of four cases are peaceful: their rules can settle all that drifted. The others are
wild: anything may collide, and the oracle says whether the fold must stop.
"""
import copy
import hashlib
import json
import random
import uuid

from merging import Column, Reference, Rule, Table, literal, quote, sequence_of

NAMES = ["customers", "Order Items", "select", "invoice", "tag's", "Zoë", "line_items", "café menu", "notes", "a.b", 'say "hi"', "user"]
TEXTS = [None, "", "NULL", "Zoë Åström", "山田 太郎", "tab\there", "two\nlines", "it's", 'a "quote"', "back\\slash", "😀", " blanks ", "\\N", "{}"]
NUMBERS = ["1", "1.0", "1.00", "0", "-0.5", "NaN", "123456789012345678901234567890.123", None]
JSONS = ['{"a": 1}', '{"a": 1.0}', '{"a": 1.00}', "null", "[]", '{"b": [null, "x", {"c": "é"}]}', '"text"', None]
STAMPS = ["2024-01-01 00:00:00+00", "2024-06-01 12:00:00+00", "2024-06-01 14:30:00+02", "2025-01-01 00:00:00+00", "1999-12-31 23:59:59+00", None]
VALUES = {
    "text": TEXTS, "numeric": NUMBERS, "jsonb": JSONS, "timestamptz": STAMPS, "bytea": ["\\x", "\\x00ff", "\\x5c", None],
    "boolean": ["true", "false", None], "integer[]": ["{}", "{1,2}", "{2,1}", "{NULL}", None],
    "text[]": ["{}", '{a,"b c",NULL}', '{"NULL",""}', None], "mood": ["sad", "it's ok", "happy", None],
    "integer": [None, *map(str, range(5))], "double precision": ["0", "-0", "0.1", "Infinity", "NaN", None],
}
KEYS = ["serial", "serial", "bigserial", "always", "by default", "integer", "bigint", "uuid default", "uuid", "text", "line", "line", "pair", "one to one", "none"]
ISSUED = ("serial", "bigserial", "always", "by default", "integer", "bigint", "uuid default")  # kinds of keys that `rekey` can give
WITH_SEQUENCE = ("serial", "bigserial", "always", "by default")


class Side:
    """The rows of one database while they are made: title -> list of dicts. Keys and unique values are never taken twice."""

    def __init__(self, tables):
        self.rows = {table.title: [] for table in tables}
        self.tables = tables

    def parents(self, reference):
        return [tuple(row[c] for c in reference.to) for row in self.rows[reference.parent]]

    def fits(self, table, row, old=None):
        for columns in [table.key, *table.unique, *([["natural"]] if "natural" in table.names() else [])]:
            if columns is None:
                continue
            value = [row[c] for c in columns]
            if None not in value and any(one is not old and [one[c] for c in columns] == value for one in self.rows[table.title]):
                return False
        return True

    def remove(self, table, row):
        """With everything that refers to it."""
        if not any(one is row for one in self.rows[table.title]):
            return
        self.rows[table.title] = [one for one in self.rows[table.title] if one is not row]
        for other in self.tables:
            for reference in other.references:
                if reference.parent == table.title and table.key:
                    gone = tuple(row[c] for c in reference.to)
                    for one in [one for one in self.rows[other.title] if tuple(one[c] for c in reference.columns) == gone]:
                        self.remove(other, one)


class Case:
    def __init__(self, seed, schemas):
        self.seed = seed
        self.schemas = schemas
        self.random = random.Random(seed)
        self.wild = self.random.random() < 0.25
        self.keys_anew = self.random.random() < 0.5  # much of it is about rekey: chains, composite keys, circles
        self.tables = []
        self.kinds = {}      # title -> kind of key
        self.common = {}     # title -> how many keys both sides have from the start
        self.sides = {}
        self.orders = {}     # title -> the target's own order of columns
        self.triggers = []
        self.stale = {}      # (side, title) -> where its sequence stands

    # --- tables -----------------------------------------------------------------------------------------------------------

    def make_tables(self):
        names = self.random.sample(NAMES, self.random.randint(2, 6))
        for name in names:
            self.tables.append(self._table(name))
        if len(self.tables) > 2 and self.random.random() < (0.7 if self.keys_anew else 0.35):
            self._close_a_circle()
        self._rules()

    def _table(self, name):
        rng = self.random
        table = Table(rng.choice(self.schemas), name, [])
        keyed = [t for t in self.tables if t.key]
        single = [t for t in keyed if len(t.key) == 1 and t.key_kind != "declared"]  # what is no constraint cannot be referred to
        kind = rng.choice(["line", *ISSUED] if self.keys_anew and rng.random() < 0.8 else KEYS)
        if self.keys_anew and single and rng.random() < 0.2:
            kind = "line"
        if kind in ("line", "one to one") and not single:
            kind = "serial"
        if not self.tables and kind == "none":
            kind = "by default"
        self.kinds[table.title] = kind
        type_ = {"bigserial": "bigint", "bigint": "bigint", "text": "text", "uuid": "uuid", "uuid default": "uuid"}.get(kind, "integer")
        default = {"serial": "", "bigserial": "", "always": "GENERATED ALWAYS AS IDENTITY", "by default": "GENERATED BY DEFAULT AS IDENTITY",
                   "uuid default": "DEFAULT gen_random_uuid()"}.get(kind, "")
        if kind in ("line", "one to one"):
            issued = [t for t in single if self.kinds[t.title] in ISSUED]
            parent = rng.choice(issued if self.keys_anew and issued else single)
            self._refer(table, parent, ["parent"], null=False)
            table.key = ["parent"]
            if kind == "line":
                table.columns.append(Column("Line", "integer", null=False))
                table.key = ["parent", "Line"]
        elif kind == "pair":
            table.columns += [Column("code", "text", null=False), Column("n", "smallint", null=False)]
            table.key = ["n", "code"] if rng.random() < 0.5 else ["code", "n"]
        elif kind != "none":
            type_ = {"serial": "serial", "bigserial": "bigserial"}.get(kind, type_)
            table.columns.append(Column(rng.choice(["id", "Id", "order"]), type_, null=False, default=default))
            table.key = [table.columns[0].name]
            table.sequence = kind in WITH_SEQUENCE
        if table.key:
            table.key_kind = "primary" if rng.random() < 0.8 else "unique" if rng.random() < 0.7 else "declared"
        parents = rng.sample(keyed, min(len(keyed), rng.choice([0, 1, 1, 2])))
        composite = [t for t in keyed if len(t.key) > 1]
        if composite and rng.random() < 0.7:
            parents = [composite[-1], *(t for t in parents if t is not composite[-1])]
        for number, parent in enumerate(parents):
            if parent.key_kind != "declared":
                self._refer(table, parent, [f"ref{number}_{n}" for n in range(len(parent.key))], null=rng.random() < 0.6)
        if table.key and len(table.key) == 1 and kind not in ("one to one", "none") and table.key_kind != "declared" and rng.random() < 0.3:
            self.tables.append(table)
            self._refer(table, table, ["above"], null=True)
            self.tables.pop()
        if table.key and rng.random() < 0.7:
            table.columns.append(Column("natural", "text", null=rng.random() < 0.5))
            if rng.random() < 0.7:
                table.unique.append(["natural"])
            if table.references and rng.random() < 0.2:
                table.columns.append(Column("place", "integer", null=True))
                table.unique.append([table.references[0].columns[0], "place"])
        for n, type_ in enumerate(rng.sample(sorted(VALUES), rng.randint(1, 4))):
            table.columns.append(Column(f"v{n} {type_[0]}", type_))
        table.columns.append(Column("updated_at", "timestamptz"))
        if rng.random() < 0.15:
            table.columns.append(Column("label", "text"))
            table.columns.append(Column("long", "integer", default="GENERATED ALWAYS AS (length(label)) STORED", computed=True))
        if rng.random() < 0.2:
            table.columns.append(Column("added later", "text", null=False, default="DEFAULT 'fresh'", only_target=True, filled="fresh"))
        if rng.random() < 0.3:
            self.orders[table.title] = rng.sample(range(len(table.columns)), len(table.columns))
        if rng.random() < 0.15:
            self.triggers.append(table.title)
        return table

    def _refer(self, table, parent, names, null):
        types = {"serial": "integer", "bigserial": "bigint"}
        known = {c.name: c.type for c in parent.columns}
        for name, to in zip(names, parent.key):
            table.columns.append(Column(name, types.get(known[to], known[to]), null=null))
        action = self.random.choice(["", "", "ON DELETE CASCADE", "ON DELETE SET NULL" if null else "ON DELETE RESTRICT", "ON UPDATE CASCADE"])
        table.references.append(Reference(list(names), parent.title, list(parent.key), action, self.random.choice(["", "", "DEFERRABLE"])))

    def _close_a_circle(self):
        """An earlier table refers to a later one that refers to it."""
        for late in self.tables:
            for reference in late.references:
                early = next(t for t in self.tables if t.title == reference.parent)
                if early is not late and late.key and late.key_kind != "declared" and early.title not in self.orders:
                    self._refer(early, late, [f"back{n}" for n in range(len(late.key))], null=True)
                    early.references[-1].deferrable = self.random.choice(["", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"])
                    return

    # --- rules ------------------------------------------------------------------------------------------------------------

    def _rules(self):
        rng = self.random
        for table in self.tables:
            kind = self.kinds[table.title]
            can_rekey = kind in ISSUED and table.key_kind != "declared"
            natural = "natural" in table.names()
            choice = rng.choice(["stop", "keep-target", "keep-target", "take-source", "newest", "rekey", "rekey", "rekey"])
            if self.keys_anew and rng.random() < 0.7:
                choice = "rekey"
            if not self.wild:
                parents = [t for t in self.tables if any(r.parent == t.title for r in table.references) and t is not table]
                if any(self._may_lose(t) for t in parents):
                    choice = "keep-target"
                elif choice == "stop" and any(t.rule.kind == "rekey" or len(t.references) for t in parents):
                    choice = "rekey" if can_rekey else "newest"
                if choice == "rekey" and any(c != ["natural"] for c in table.unique):
                    choice = "take-source"
            if choice == "rekey" and not can_rekey:
                choice = "newest"
            if not table.key and choice not in ("stop", "keep-target"):
                choice = "stop"
            table.rule = Rule(choice, "updated_at" if choice == "newest" else None)
            if choice == "rekey" and natural and (rng.random() < 0.7 or (table.unique and not self.wild)):
                table.rule.match_on = ["natural"]
                table.rule.on_match = rng.choice([None, Rule("keep-target"), Rule("take-source"), Rule("newest", "updated_at")] +
                                                 ([Rule("stop")] if self.wild else []))

    def _may_lose(self, table):
        """Rows of the source may stay away from the target."""
        return table.rule.kind == "keep-target" and (table.unique or any(
            self._may_lose(t) for t in self.tables if t is not table and self.tables.index(t) < self.tables.index(table)
            and any(r.parent == t.title for r in table.references)))

    # --- rows -------------------------------------------------------------------------------------------------------------

    def _key(self, table, number):
        """The value of a surrogate key by its number: the same on both sides."""
        kind = self.kinds[table.title]
        if kind.startswith("uuid"):
            return str(uuid.UUID(hashlib.md5(f"{table.title} {number}".encode()).hexdigest()))
        return f"ключ {number}" if kind == "text" else str(number)

    def _row(self, side, table, name):
        """A new row that is valid on that side, or None."""
        rng = self.random
        rows = side.rows[table.title]
        collide = self.wild or table.rule.kind != "stop"
        unique = self.wild or table.rule.kind == "keep-target" or bool(table.rule.match_on)
        base = {"common": 0, "source": 1000, "target": 2000}
        row = {}
        for column in table.columns:
            if column.computed or column.only_target:
                continue
            if column.name in table.key if table.key else False:
                if column.name in ("parent",):
                    continue
                if column.name in ("Line", "n"):
                    row[column.name] = str(rng.randint(1, 4) + (0 if collide else base[name]))
                elif column.name == "code":
                    row[column.name] = rng.choice(["x", "y", "ü"])
                else:
                    start = self.common.get(table.title, 0)
                    number = len(rows) + 1 if name == "common" else start + rng.randint(1, 12) + (0 if collide else base[name])
                    row[column.name] = self._key(table, number)
            elif column.name == "natural":
                shared = name == "common" or unique
                row["natural"] = None if column.null and rng.random() < 0.2 else f"{'shared' if shared else name} {rng.randint(1, 30)}"
            elif column.name == "place":
                row["place"] = None if rng.random() < 0.3 else str(rng.randint(1, 40) + (0 if self.wild or table.rule.kind == "keep-target" else base[name]))
            elif not any(column.name in r.columns for r in table.references):
                row[column.name] = self._value(column)
        for reference in table.references:
            null = all(next(c for c in table.columns if c.name == one).null for one in reference.columns)
            known = side.parents(reference)
            if null and (not known or rng.random() < 0.25):
                row.update({c: None for c in reference.columns})
            elif known:
                row.update(zip(reference.columns, rng.choice(known[-4:] if rng.random() < 0.5 else known)))
            else:
                return None
        return row if side.fits(table, row) else None

    def _value(self, column):
        some = VALUES[column.type]
        value = self.random.choice(some)
        if column.type == "text" and self.random.random() < 0.6:
            value = f"text {self.random.randint(1, 10**6)}"
        return value if column.null or value is not None else some[0]

    def _grow(self, side, table, count, name):
        for _ in range(count):
            row = self._row(side, table, name)
            if row is not None:
                side.rows[table.title].append(row)

    def make_rows(self):
        rng = self.random
        common = Side(self.tables)
        for table in self.tables:
            self._grow(common, table, rng.choice([0, 3, 8, 15, 25]), "common")
            self.common[table.title] = len(common.rows[table.title])
        self._close_rows(common)
        for name in ("source", "target"):
            side = copy.deepcopy(common)
            side.tables = self.tables
            for table in self.tables:
                if rng.random() < 0.2:
                    continue
                for row in rng.sample(side.rows[table.title], min(len(side.rows[table.title]), rng.randint(0, 3))):
                    side.remove(table, row)
                self._grow(side, table, rng.randint(1, 10), name)
                if not table.key and side.rows[table.title] and rng.random() < 0.7:
                    side.rows[table.title] += [dict(row) for row in rng.choices(side.rows[table.title], k=2)]
                if self.wild or table.rule.kind not in ("stop",):
                    self._change(side, table, name)
            self._close_rows(side)
            self.sides[name] = side.rows
        if self.wild and rng.random() < 0.6:
            self._blur()
        for table in self.tables:
            if table.sequence:
                for name in ("source", "target"):
                    top = max([int(row[table.key[0]]) for row in self.sides[name][table.title]] or [0])
                    self.stale[name, table.title] = rng.choice([top, top, top + 7, top + 1000, top // 2 if rng.random() < 0.5 else top])

    def _close_rows(self, side):
        """Rows of circles refer back to rows that came later; those that do already stay as they are."""
        for table in self.tables:
            for reference in table.references:
                known = side.parents(reference)
                if not reference.columns[0].startswith("back") or not known:
                    continue
                for row in side.rows[table.title]:
                    if row[reference.columns[0]] is None and self.random.random() < 0.4:
                        row.update(zip(reference.columns, self.random.choice(known[-6:])))

    def _change(self, side, table, name):
        rng = self.random
        rows = side.rows[table.title]
        held = [c for c in (table.key or [])] + [c for r in table.references for c in r.columns]
        for row in rng.sample(rows, min(len(rows), rng.randint(0, 4))):
            new = dict(row)
            for column in table.columns:
                if column.computed or column.only_target or column.name in held or rng.random() < 0.6:
                    continue
                if column.name == "natural":
                    if self.wild or table.rule.kind == "keep-target":
                        new["natural"] = f"shared {rng.randint(1, 30)}"
                elif column.name != "place":
                    new[column.name] = self._value(column)
            for reference in table.references:
                if not set(reference.columns) & set(table.key or []) and not any(set(reference.columns) & set(u) for u in table.unique):
                    known = side.parents(reference)
                    if known and rng.random() < 0.4:
                        new.update(zip(reference.columns, rng.choice(known[-4:])))
            if rng.random() < 0.5 and new.get("updated_at"):
                new["updated_at"] = rng.choice(["2026-01-01 00:00:00+00", "2020-01-01 00:00:00+00"])
            if side.fits(table, new, row):
                row.update(new)

    def _blur(self):
        """A natural key twice on one side: match_on cannot tell the rows apart."""
        for table in self.tables:
            if table.rule.match_on and ["natural"] not in table.unique:
                for rows in (self.sides["source"][table.title], self.sides["target"][table.title]):
                    if len(rows) > 1:
                        rows[0]["natural"] = rows[1]["natural"] = "twice"
                        return

    # --- SQL and YAML -------------------------------------------------------------------------------------------------------

    def load(self, database, name):
        database.cluster.psql(database.name, text=self.sql(name))

    def sql(self, name):
        text = ["SET client_min_messages = warning; SET TimeZone = 'UTC'; CREATE SCHEMA \"app x\"; CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');"
                "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$;"]
        for table in self.tables:
            columns = [c for c in table.columns if name == "target" or not c.only_target]
            if name == "target" and table.title in self.orders:
                columns = [table.columns[n] for n in self.orders[table.title]]
            lines = [f"{quote(c.name)} {c.type} {c.default}{'' if c.null else ' NOT NULL'}" for c in columns]
            key = ", ".join(map(quote, table.key or []))
            if table.key and table.key_kind != "declared":
                lines.append(f"{'PRIMARY KEY' if table.key_kind == 'primary' else 'UNIQUE'} ({key})")
            lines += [f"UNIQUE ({', '.join(map(quote, u))})" for u in table.unique]
            text.append(f"CREATE TABLE {table.sql} ({', '.join(lines)});")
            columns = [c.name for c in table.columns if not c.computed and not c.only_target]
            for row in self.sides[name][table.title]:
                text.append(f"INSERT INTO {table.sql} ({', '.join(map(quote, columns))}) OVERRIDING SYSTEM VALUE "
                            f"VALUES ({', '.join(literal(row[c]) for c in columns)});")
            if table.sequence and self.stale[name, table.title]:
                text.append(f"SELECT setval({literal(sequence_of(table))}, {self.stale[name, table.title]}) \\g /dev/null")
        by_title = {table.title: table for table in self.tables}
        for table in self.tables:
            for n, r in enumerate(table.references):
                text.append(f"ALTER TABLE {table.sql} ADD CONSTRAINT {quote(f'{table.name} fk{n}')} FOREIGN KEY ({', '.join(map(quote, r.columns))}) "
                            f"REFERENCES {by_title[r.parent].sql} ({', '.join(map(quote, r.to))}) {r.action} {r.deferrable};")
            if table.title in self.triggers:
                text.append(f"CREATE TRIGGER meddle BEFORE INSERT OR UPDATE ON {table.sql} FOR EACH ROW EXECUTE FUNCTION meddle();")
        return "\n".join(text)

    def config(self, schema=None):
        """The lines of pgfold.yaml below the sources; schema: what that of all tables is called in the source."""
        lines = ["fold:", "  tables:"]
        for table in self.tables:
            odd = any(c in table.title.replace(".", "", 1) for c in '."')
            entry = {"on_conflict": str(table.rule)}
            if table.rule.match_on:
                entry["match_on"] = table.rule.match_on
            if table.rule.on_match:
                entry["on_match"] = str(table.rule.on_match)
            if table.key_kind == "declared" and table.key:
                entry["key"] = table.key
            named = table if schema is None else Table(schema, table.name, [])
            name = json.dumps(named.sql if odd else named.title, ensure_ascii=False)
            lines.append(f"    {name}: {json.dumps(entry, ensure_ascii=False)}")
        return "\n".join(lines) + "\n"

    def __str__(self):
        """For the message of a test that failed."""
        lines = [f"seed {self.seed}" + (", wild" if self.wild else "")]
        for t in self.tables:
            refers = "; ".join(f"{r.columns} -> {r.parent} {r.deferrable}" for r in t.references)
            rule = f"{t.rule}" + (f" match_on {t.rule.match_on} {t.rule.on_match or ''}" if t.rule.match_on else "")
            lines.append(f"  {t.title}: {self.kinds[t.title]} ({t.key_kind}) {t.key}, unique {t.unique}, {rule}; {refers}")
        return "\n".join(lines)


def generate(seed, schemas=("public", "public", "app x")):
    case = Case(seed, schemas)
    case.make_tables()
    case.make_rows()
    return case
