"""What a merge must do, in plain Python: an oracle for the tests of `pgfold fold` into a target that holds data.

Tables and rules are described by the classes here; rows are dicts from column to the value's text (None for NULL), read from
both databases before the fold. judge() says from docs/merge.md alone what the target must hold afterwards, or that the fold must
stop. It knows nothing of pgfold's SQL, and nothing of how keys are chosen: a new key is a New, and check() finds out which value
it became.

    verdict = judge(tables, read(source, tables), read(target, tables, target=True))
    ...fold...
    check(tables, verdict, rows_of_source, rows_of_target, read(target, tables, target=True))
"""
import collections
import csv
import json
import sys
from dataclasses import dataclass, field


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


@dataclass
class Column:
    name: str
    type: str
    null: bool = True
    default: str = ""      # SQL after the type: DEFAULT, GENERATED
    computed: bool = False  # by the server, from other columns
    only_target: bool = False
    filled: str = None     # what the default of a column that only the target has gives


@dataclass
class Reference:
    columns: list
    parent: str            # title of the table
    to: list
    action: str = ""
    deferrable: str = ""


@dataclass
class Rule:
    kind: str = "stop"     # stop, keep-target, take-source, newest, rekey
    column: str = None     # of newest
    match_on: list = None
    on_match: "Rule" = None

    def __str__(self):
        return f"newest({self.column})" if self.kind == "newest" else self.kind


@dataclass
class Table:
    schema: str
    name: str
    columns: list
    key: list = None       # names of columns; None: a multiset
    key_kind: str = "primary"  # primary, unique, declared (in pgfold.yaml)
    unique: list = field(default_factory=list)
    references: list = field(default_factory=list)
    rule: Rule = field(default_factory=Rule)
    sequence: bool = False  # its key column has one

    @property
    def title(self):
        return f"{self.schema}.{self.name}"

    @property
    def sql(self):
        return f"{quote(self.schema)}.{quote(self.name)}"

    def names(self, target=False):
        return [c.name for c in self.columns if target or not c.only_target]


@dataclass(frozen=True)
class New:
    """A key that neither side had; for the source's row of the key `old`."""
    table: str
    old: str

    def __repr__(self):
        return f"<new key for {self.old} of {self.table}>"


@dataclass
class Verdict:
    tables: dict = field(default_factory=dict)    # title -> what is to be there afterwards: list of rows
    stops: list = field(default_factory=list)     # why nothing may be committed
    blocked: list = field(default_factory=list)   # why a table cannot be merged at all
    either: bool = False                          # a unique value is taken only by a row that moves out of the way: both is right
    losers: dict = field(default_factory=dict)    # title -> rows for the archive: (side, why, row)
    keys: dict = field(default_factory=dict)      # title -> {key of the source: key in the target}, where they differ
    counts: dict = field(default_factory=dict)    # title -> Counter of identical, insert, value, unique, parent, overwrite, matched, rekey
    untouched: dict = field(default_factory=dict)  # title -> keys of the target that nothing may write to

    @property
    def stop(self):
        return bool(self.stops or self.blocked)


# --- the oracle -----------------------------------------------------------------------------------------------------------

def of(row, columns):
    """The values of columns; None where one of them is NULL, which equals nothing."""
    values = tuple(row[c] for c in columns)
    return None if None in values else values


def compared(table):
    return [c.name for c in table.columns if not c.only_target and not c.computed]


def differs(table, one, other):
    return any(one[c] != other[c] for c in compared(table))


def order(table, column, text):
    """A value of a newest() column, so that it compares as the server compares it."""
    kind = next(c.type for c in table.columns if c.name == column)
    return int(text) if "int" in kind else text  # timestamptz in UTC without fractions sorts as text does


def winner(table, rule, mine, there):
    """source, target or stop."""
    if rule.kind == "newest":
        one, other = mine[rule.column], there[rule.column]
        if one is None:
            return "target"
        return "source" if other is None or order(table, rule.column, one) > order(table, rule.column, other) else "target"
    return {"keep-target": "target", "take-source": "source"}.get(rule.kind, "stop")


def rewritten(table, row, keys):
    """The row with every reference following the key that it refers to."""
    row = dict(row)
    old = dict(row)
    for reference in table.references:
        value = of(old, reference.columns)
        if value is not None and value in keys[reference.parent]:
            row.update(zip(reference.columns, keys[reference.parent][value]))
    return row


def match(table, source, target, keys, verdict):
    """{key of the source: row of the target} by the natural key; references in it follow their parents first."""
    found = {}
    sides = []
    for name, rows in (("source", source), ("target", target)):
        index = collections.defaultdict(list)
        for row in rows:
            value = of(rewritten(table, row, keys) if name == "source" else row, table.rule.match_on)
            if value is not None:
                index[value].append(row)
        twice = [value for value, some in index.items() if len(some) > 1]
        if twice:
            verdict.blocked.append(f"{table.title}: {table.rule.match_on} does not tell the rows of the {name} apart: {twice}")
        sides.append(index)
    for value, rows in sides[0].items():
        if value in sides[1]:
            found[of(rows[0], table.key)] = sides[1][value][0]
    return found


def parents_first(tables):
    """Tables after those that they refer to, as far as there are no circles."""
    done, left = [], list(tables)
    while left:
        ready = [t for t in left if all(r.parent == t.title or r.parent in {d.title for d in done} or r.parent not in {o.title for o in left} for r in t.references)]
        done += ready or left[:1]
        left = [t for t in left if t not in done]
    return done


def map_keys(tables, source, target, verdict):
    """(title -> {key of the source: key in the target} for keys that change, title -> matched rows). Goes on until nothing follows.

    It begins with nothing changed, so rows that refer to each other in a circle and are the same on both sides stay the same.
    In a circle, match_on may not hold a column that refers to another table of it: which comes first is not said.
    """
    keys = {t.title: {} for t in tables}
    matched = {}
    there = {t.title: {of(row, t.key): row for row in target[t.title]} for t in tables if t.key}
    again = True
    while again:
        again = False
        for table in parents_first(tables):
            if not table.key:
                continue
            mine = keys[table.title]
            if table.title not in matched:
                matched[table.title] = match(table, source[table.title], target[table.title], keys, verdict) if table.rule.match_on else {}
                mine.update({old: of(row, table.key) for old, row in matched[table.title].items() if of(row, table.key) != old})
                again = again or bool(mine)
            for row in source[table.title]:
                old = of(row, table.key)
                if old in matched[table.title] or (old in mine and isinstance(mine[old][0], New) and len(old) == 1):
                    continue
                now = rewritten(table, row, keys)
                key = of(now, table.key)
                other = there[table.title].get(key)
                if table.rule.kind == "rekey" and other and differs(table, now, other):
                    assert len(table.key) == 1, "which column of a composite key is given anew is not said"
                    key = (New(table.title, old[0]),)
                if mine.get(old, old) != key:
                    mine[old] = key
                    again = True
    return keys, matched


def judge(tables, source, target):
    """The verdict over two databases: title -> rows, of the columns that both have (the target's may have more)."""
    verdict = Verdict()
    keys, matched = map_keys(tables, source, target, verdict)
    verdict.keys = keys
    if verdict.blocked:
        return verdict
    inserts, overwrites = {}, {}
    for table in tables:
        title = table.title
        verdict.losers[title] = []
        count = verdict.counts[title] = collections.Counter()
        inserts[title], overwrites[title] = [], {}
        if not table.key:
            have = collections.Counter(tuple(row[c] for c in compared(table)) for row in target[title])
            for row in source[title]:
                now = rewritten(table, row, keys)
                value = tuple(now[c] for c in compared(table))
                if have[value]:
                    have[value] -= 1
                    count["identical"] += 1
                else:
                    inserts[title].append(now)
            continue
        there = {of(row, table.key): row for row in target[title]}
        for row in source[title]:
            old = of(row, table.key)
            now = rewritten(table, row, keys)
            now.update(zip(table.key, keys[title].get(old, old)))
            other = there.get(of(now, table.key))
            count["matched"] += old in matched[title]
            count["rekey"] += any(isinstance(part, New) for part in of(now, table.key))
            if other is None:
                inserts[title].append(now)
            elif not differs(table, now, other):
                count["identical"] += 1
            else:
                count["value"] += 1
                rule = (table.rule.on_match or Rule("keep-target")) if old in matched[title] else table.rule
                won = winner(table, rule, now, other)
                if won == "stop":
                    verdict.stops.append(f"{title}: value: {of(now, table.key)}")
                elif won == "target":
                    verdict.losers[title].append(("source", "value", row))
                else:
                    verdict.losers[title].append(("target", "value", other))
                    overwrites[title][of(now, table.key)] = now
    _settle_unique(tables, target, inserts, overwrites, verdict)
    _settle_parents(tables, target, inserts, overwrites, verdict)
    for table in tables:
        title = table.title
        verdict.counts[title]["insert"] = len(inserts[title])
        verdict.counts[title]["overwrite"] = len(overwrites[title])
        verdict.tables[title] = _final(table, target, inserts, overwrites)
        if table.key:
            verdict.untouched[title] = {of(row, table.key) for row in target[title]} - set(overwrites[title])
    return verdict


def _final(table, target, inserts, overwrites):
    rows = []
    for row in target[table.title]:
        mine = overwrites[table.title].get(of(row, table.key)) if table.key else None
        rows.append({**row, **mine} if mine else row)
    fill = {c.name: c.filled for c in table.columns if c.only_target}
    return rows + [{**row, **fill} for row in inserts[table.title]]


def _settle_unique(tables, target, inserts, overwrites, verdict):
    for table in tables:
        title = table.title
        for columns in table.unique:
            taken = {of(row, columns): row for row in target[title] if of(row, columns) is not None}
            for row in list(inserts[title]) + list(overwrites[title].values()):
                other = taken.get(of(row, columns))
                if other is None or of(other, table.key) == of(row, table.key):
                    continue
                if table.rule.kind == "keep-target":
                    inserts[title].remove(row)
                    verdict.losers[title].append(("source", "unique", row))
                    verdict.counts[title]["unique"] += 1
                    continue
                after = [one for one in _final(table, target, inserts, overwrites) if of(one, columns) == of(row, columns)]
                if len(after) > 1:
                    verdict.counts[title]["unique"] += 1
                    verdict.stops.append(f"{title}: unique {columns}: {of(row, columns)}")
                else:
                    verdict.either = True


def _settle_parents(tables, target, inserts, overwrites, verdict):
    again = True
    while again:
        again = False
        present = {t.title: {of(row, t.key) for row in target[t.title] + inserts[t.title]} for t in tables if t.key}
        for table in tables:
            title = table.title
            for row in list(inserts[title]) + list(overwrites[title].values()):
                if all(of(row, r.columns) is None or of(row, r.columns) in present[r.parent] for r in table.references):
                    continue
                if table.rule.kind == "keep-target":
                    inserts[title].remove(row)
                    verdict.losers[title].append(("source", "parent", row))
                    verdict.counts[title]["parent"] += 1
                    again = True
                elif f"{title}: parent: {row}" not in verdict.stops:
                    verdict.counts[title]["parent"] += 1
                    verdict.stops.append(f"{title}: parent: {row}")


# --- what is in a database ------------------------------------------------------------------------------------------------

def read(database, tables, target=False):
    """title -> rows, each a dict of the text of its columns."""
    text = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex';\n"
    for table in tables:
        values = ", ".join(f"{quote(name)}::text" for name in table.names(target))
        text += f"SELECT coalesce(jsonb_agg(jsonb_build_array({values})), '[]') FROM {table.sql};\n"
    lines = database.cluster.psql(database.name, "-A", "-t", text=text).splitlines()
    assert len(lines) == len(tables)
    return {table.title: [dict(zip(table.names(target), row)) for row in json.loads(line)] for table, line in zip(tables, lines)}


def writers(database, tables):
    """title -> {key: transaction that wrote the row}: a row that was only looked at keeps its own."""
    keyed = [table for table in tables if table.key]
    if not keyed:
        return {}
    text = ""
    for table in keyed:
        values = ", ".join(f"{quote(name)}::text" for name in table.key)
        text += f"SELECT coalesce(jsonb_agg(jsonb_build_array(xmin::text, {values})), '[]') FROM {table.sql};\n"
    lines = database.cluster.psql(database.name, "-A", "-t", text="SET TimeZone = 'UTC';\n" + text).splitlines()
    return {table.title: {tuple(row[1:]): row[0] for row in json.loads(line)} for table, line in zip(keyed, lines)}


def sequences(database):
    """Name -> the last value that was handed out, or None."""
    lines = database.sql("SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value FROM pg_sequences").splitlines()
    return {name: int(value) if value else None for name, value in (line.rsplit("|", 1) for line in lines)}


def orphans(database, tables):
    """Rows whose parent is missing, by anti-join: a list of "table: columns: count"."""
    parts = []
    by_title = {table.title: table for table in tables}
    for table in tables:
        for reference in table.references:
            on = " AND ".join(f"p.{quote(b)} = c.{quote(a)}" for a, b in zip(reference.columns, reference.to))
            known = " AND ".join(f"c.{quote(a)} IS NOT NULL" for a in reference.columns)
            parts.append(f"SELECT {literal(table.title + ': ' + ', '.join(reference.columns))} || ': ' || count(*) FROM {table.sql} c "
                         f"WHERE {known} AND NOT EXISTS (SELECT FROM {by_title[reference.parent].sql} p WHERE {on}) HAVING count(*) > 0")
    return database.sql(" UNION ALL ".join(parts)).splitlines() if parts else []


# --- what the target holds, against the verdict -----------------------------------------------------------------------------

def _frozen(row):
    return tuple(sorted(row.items()))


def check(tables, verdict, source, target, after):
    """The target holds what the oracle says, up to the choice of new keys. Returns New -> the text that it became."""
    open_rows, open_actual = [], {}
    for table in tables:
        title = table.title
        actual = collections.Counter(_frozen(row) for row in after[title])
        for row in verdict.tables[title]:
            tokens = {name: value for name, value in row.items() if isinstance(value, New)}
            if tokens:
                open_rows.append((title, row, tokens))
                continue
            assert actual[_frozen(row)], f"{title}: this row is missing: {row}\n{_nearest(table, row, after[title])}"
            actual[_frozen(row)] -= 1
        open_actual[title] = [dict(row) for row in actual.elements()]
        wanted = sum(1 for one in open_rows if one[0] == title)
        assert wanted == len(open_actual[title]), \
            f"{title}: {wanted} rows with new keys are to be there, {len(open_actual[title])} other rows are: {open_actual[title][:3]}"
    bound = _unify(open_rows, open_actual)
    for token, text in bound.items():
        table = next(t for t in tables if t.title == token.table)
        had = {row[table.key[0]] for row in source[token.table] + target[token.table]}
        assert text not in had, f"{token} became {text}, which one side had already"
    return bound


def _nearest(table, row, rows):
    key = table.key or table.names()
    same = [one for one in rows if all(one[c] == row[c] for c in key)]
    return f"there is instead: {same[0]}" if same else "and no row of its key is there"


def _unify(expected, actual):
    """Finds what each New stands for, so that every expected row is an actual one."""
    candidates = []
    for title, row, tokens in expected:
        plain = {name: value for name, value in row.items() if name not in tokens}
        fits = [n for n, one in enumerate(actual[title]) if all(one[name] == value for name, value in plain.items())]
        assert fits, f"{title}: no row has the values of {row}; left over are {actual[title][:3]}"
        candidates.append(fits)
    bound, used, taken = {}, set(), set()  # New -> text; (table of the key, text); (title, number of the row)
    steps = 0

    def fitting(n):
        title, _, tokens = expected[n]
        found = []
        for number in candidates[n]:
            if (title, number) in taken:
                continue
            row, fresh = actual[title][number], {}
            for name, token in tokens.items():
                text = row[name]
                if bound.get(token, fresh.get(token, text)) != text or text is None or (token not in bound and (token.table, text) in used):
                    break
                fresh[token] = text
            else:
                found.append((number, {token: text for token, text in fresh.items() if token not in bound}))
        return found

    def solve(left):
        nonlocal steps
        if not left:
            return True
        steps += 1
        assert steps < 50000, "could not be decided which new key is which: too many rows look alike"
        best, options = None, None
        for n in left:
            some = fitting(n)
            if options is None or len(some) < len(options):
                best, options = n, some
            if len(some) <= 1:
                break
        title = expected[best][0]
        for number, fresh in options:
            bound.update(fresh)
            used.update((token.table, text) for token, text in fresh.items())
            taken.add((title, number))
            if solve(left - {best}):
                return True
            taken.discard((title, number))
            for token, text in fresh.items():
                del bound[token]
                used.discard((token.table, text))
        return False

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10 * len(expected) + 1000))
    try:
        assert solve(frozenset(range(len(expected)))), \
            f"no choice of new keys makes these rows the ones that are there: {[row for _, row, _ in expected][:3]} against " \
            f"{ {title: rows[:3] for title, rows in actual.items() if rows} }"
    finally:
        sys.setrecursionlimit(limit)
    return bound


def check_writers(verdict, before, after):
    """Rows that were identical, kept or only on the target were not written again."""
    for title, keys in before.items():
        for key in verdict.untouched[title]:
            assert after[title].get(key) == keys[key], f"{title}: the row {key} was written though nothing about it changes"


def check_sequences(tables, before, source, after, verdict, target, bound):
    """No sequence went back, none is behind the source's, and none is behind a key that came with the fold."""
    for name, value in after.items():
        least = max(before.get(name) or 0, source.get(name) or 0)
        assert (value or 0) >= least, f"the sequence {name} stands at {value}: it was at {before.get(name)}, the source's at {source.get(name)}"
    for table in tables:
        if not table.sequence:
            continue
        column = table.key[0]
        had = {row[column] for row in target[table.title]}
        came = [row[column] for row in verdict.tables[table.title] if row[column] not in had]
        keys = [int(bound[key] if isinstance(key, New) else key) for key in came]
        value = after[next(name for name in after if name.replace('"', "") == sequence_of(table).replace('"', ""))]
        assert not keys or (value or 0) >= max(keys), f"{table.title}: {max(keys)} came with the fold, and its sequence stands at {value}"


def sequence_of(table):
    return f"{quote(table.schema)}.{quote(table.name + '_' + table.key[0] + '_seq')}"


# --- what pgfold leaves beside the target: every assumption about files and JSON is here ------------------------------------------

BLOCKED = 4   # exit status where a table cannot be merged at all
CONFLICTS = 1  # exit status where a rule says that nothing is committed


def receipts(folder):
    return sorted((folder / ".pgfold" / "receipts").glob("*.json"))


def runs(folder):
    """The numbers of the folds that have a receipt, in their order; for `pgfold undo RUN`."""
    return sorted(json.loads(path.read_text(encoding="utf-8"))["run"] for path in receipts(folder))


def settled(dump):
    """A dump without what may differ after `undo`: a sequence that was raised is not lowered again, what was handed out is lost;
    and rows come in another order where they were put back."""
    return sorted(line for line in dump if "pg_catalog.setval(" not in line)


def newest_files(folder, pattern):
    """The files of the newest backup folder that has any of them. pattern: below the backup folder."""
    found = collections.defaultdict(list)
    backups = folder / ".pgfold" / "backups"
    for path in backups.glob(f"*/{pattern}"):
        found[path.relative_to(backups).parts[0]].append(path)
    return sorted(found[max(found, key=lambda name: (backups / name).stat().st_mtime)]) if found else []


def records(path):
    """The entries of an archive's or key map's file, CSV or JSON."""
    if path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line]
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [document])
    return document


def archive(folder):
    """Name of the table as in the file -> entries, of the last run that has any; CSV and JSON must have as many."""
    found = {}
    for path in newest_files(folder, "conflicts/*.csv"):
        entries = records(path)
        other = records(path.with_name(path.name[:-4] + ".json"))
        assert len(entries) == len(other), f"{path.name} has {len(entries)} entries, its JSON {len(other)}"
        found[path.name[:-4]] = other
    return found


def key_maps(folder):
    """Name of the table as in the file -> rows of its key map, as lists of fields."""
    return {path.name[:-len(".keys.csv")]: [list(row.values()) for row in records(path)] for path in newest_files(folder, "*.keys.csv")}


def check_archive(folder, verdict):
    entries = archive(folder)
    wanted = {title: len(rows) for title, rows in verdict.losers.items() if rows}
    got = {title: len(rows) for title, rows in entries.items() if rows}
    if set(got) <= set(wanted) | {title for title in verdict.losers}:
        assert got == wanted, f"in the archive are {got}, lost have {wanted}"
    else:  # odd names are spelt otherwise in file names
        assert sorted(got.values()) == sorted(wanted.values()), f"in the archive are {got}, lost have {wanted}"


def check_key_maps(folder, tables, verdict, bound):
    """Each row that has another key than in the source stands in the key map, with both keys."""
    maps = key_maps(folder)
    for table in tables:
        if table.rule.kind != "rekey" or not verdict.keys.get(table.title):
            continue
        lines = maps.get(table.title)
        if lines is None:  # an odd name
            lines = [line for some in maps.values() for line in some]
        for old, new in verdict.keys[table.title].items():
            new = [bound.get(part, part) for part in new]
            if any(isinstance(part, New) for part in new):
                continue  # that row did not come there
            assert any(all(part in line for part in [*old, *new]) for line in lines), f"{table.title}: {old} -> {new} is not in the key map"


def merge_counts(plan, title):
    """The numbers of `pgfold plan --json` for a table: insert, identical, value, unique, parent, overwrite, keep, rekey, matched."""
    relation = next(r for r in plan["sources"][0]["relations"] if f"{r['schema']}.{r['name']}" == title)
    return {name: value for name, value in (relation.get("merge") or {}).items() if isinstance(value, int)}
