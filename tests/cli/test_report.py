"""pgfold report and pgfold status: what the state folder says. No server is needed: both connect to nothing."""
import copy
import fcntl
import hashlib
import json
import os
import pty
import re
import sqlite3
import subprocess

import jsonschema
import pytest

import harness

SCHEMA = json.loads((harness.ROOT / "docs" / "schema" / "receipt.json").read_text(encoding="utf-8"))
BACKUP_HASH = hashlib.sha256(b"manifest").hexdigest()
MINUTE = 60 * 1_000_000

END = {"system_identifier": "7391234567890123456", "database": "app", "database_oid": 16384, "server_version": 150004,
       "server_version_text": "15.4", "role": "app", "address": "socket /tmp port 5432"}


MERGE = ["inserted", "overwritten", "kept", "settled", "rekeyed", "matched"]


def relation(name, rows, **more):
    made = {"schema": "public", "name": name, "kind": "table", "action": "new", "rows": rows, "bytes": (rows or 0) * 100,
            "digest": f"{rows}-00ff", "target_rows": rows, "target_digest": f"{rows}-00ff", "verdict": "contained",
            "reason": None, **dict.fromkeys(MERGE)}
    return {**made, **more}


DOCUMENT = {
    "schema": "pgfold.receipt", "version": 4, "filter": None, "archive": None, "fingerprint": "full", "pgfold": "0.1.0", "client_tools": "pg_dump (PostgreSQL) 15.4",
    "verdict": "contained", "snapshot": "00000003-0000001B-1", "lsn": "0/3000148",
    "source": {**END, "name": "laptop"}, "target": {**END, "name": "target", "system_identifier": "1", "role": "owner"},
    "backup": {"path": "/backups/laptop", "sha256": BACKUP_HASH, "proven": True, "how": "restored and compared",
               "at": "2026-01-31T09:30:00.000000Z"},
    "no_backup": None,
    "relations": [relation("orders", 12345), relation("a|b_*\n\x1b[31m<i>", 1),
                  relation("scratch", None, action="skip", bytes=None, digest=None, target_rows=None,
                           target_digest=None, verdict="skipped", reason="left out by pgfold.yaml")],
    "sequences": [{"schema": "public", "name": "orders_id_seq", "increment": 1, "source_value": 9007199254740993,
                   "target_value": 9007199254740993, "verdict": "contained", "reason": None}],
    "large_objects": {"count": 0, "target_count": 0, "digest": None, "target_digest": None, "verdict": "contained",
                      "reason": None},
    "objects": [{"kind": "index", "source": 7, "target": 7, "verdict": "contained", "reason": None}],
    "protected": [{"kind": "database", "name": "archon", "server": "target", "method": "definitions and rows", "count": 12,
                   "rows": 3021, "before": "a" * 64, "after": "a" * 64, "verdict": "same", "reason": None}],
    "notes": ["one table was left out"],
}


def canonical_hash(document):
    """As docs/receipt.md describes it, and nothing of pgfold's own."""
    body = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = re.sub(r"\\u00[0-9a-f]{2}", lambda m: "\\u" + m.group()[2:].upper(), text)
    return hashlib.sha256(text.encode()).hexdigest()


class State:
    """A .pgfold folder, written without pgfold."""

    def __init__(self, folder):
        self.folder = folder / ".pgfold"
        self.folder.mkdir(mode=0o700)
        self.receipts = self.folder / "receipts"
        self.last = None

    def receipt(self, run, source="laptop", edit=lambda document: document, **more):
        self.receipts.mkdir(exist_ok=True, mode=0o700)
        document = {**copy.deepcopy(DOCUMENT), "run": run, "started": f"2026-01-31T09:30:{run:02}.000001Z",
                    "finished": f"2026-01-31T09:31:{run:02}.500000Z", **more}
        document = edit(document)
        document["source"]["name"] = source
        document["previous"] = None if self.last is None else {
            "file": self.last.name, "sha256": json.loads(self.last.read_text(encoding="utf-8"))["sha256"]}
        document["sha256"] = canonical_hash(document)
        self.last = self.receipts / f"20260131T0931{run:02}Z-{run:06}-{source}.json"
        self.last.write_text(json.dumps(document), encoding="utf-8")
        return self.last

    def database(self, pgfold):
        (self.folder / "ledger.db").touch()
        pgfold("status", status=0)
        return sqlite3.connect(self.folder / "ledger.db", isolation_level=None)


@pytest.fixture
def state(tmp_path):
    return State(tmp_path)


def now_us():
    import time
    return int(time.time() * 1_000_000)


def add_run(database, command, source="laptop", state="done", started=None, error=None, **more):
    started = started or now_us()
    return database.execute(
        "INSERT INTO run (command, source_name, state, started, finished, pid, host, error, target_system, "
        "target_database) VALUES (?, ?, ?, ?, ?, 1, 'box', ?, '777', 'app')",
        (command, source, state, started, started, error)).lastrowid


def add_mark(database, stage, run, source="laptop", good=True, outcome="same", at=None):
    database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?, ?, NULL)",
                     (source, stage, run, at or now_us(), good, outcome))


# --- report -----------------------------------------------------------------------------------------------------------

def test_without_a_receipt_report_says_what_writes_one(pgfold):
    result = pgfold("report", status=2)
    assert "there is no receipt yet" in result.err
    assert "pgfold fold" in result.err
    assert not (pgfold.cwd / ".pgfold").exists()


def test_the_newest_receipt_is_shown_as_markdown(pgfold, state):
    state.receipt(1)
    newest = state.receipt(2, source="attic")
    text = pgfold("report", status=0).out
    assert text.startswith("# Fold of attic into target: contained\n")
    assert "12,345" in text
    assert "sound, 2 receipts" in text
    assert newest.name in text
    assert "| left out by pgfold.yaml" in text or "skipped: left out by pgfold.yaml" in text
    assert "restored and compared" in text


def test_large_objects_have_one_line(pgfold, state):
    kinds = DOCUMENT["objects"] + [{"kind": "large object", "source": 3, "target": 3, "verdict": "contained", "reason": None}]
    large = {**DOCUMENT["large_objects"], "count": 3, "target_count": 3, "digest": "3-00ff", "target_digest": "3-00ff"}
    state.receipt(1, objects=kinds, large_objects=large)
    assert pgfold("report", status=0).out.count("large object") == 1


def test_markdown_tables_keep_their_columns_whatever_names_hold(pgfold, state):
    state.receipt(1)
    text = pgfold("report", status=0).out
    assert "\x1b" not in text
    assert "<i>" not in re.sub(r"\\<i\\>|&lt;i", "", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(bars) == 1, block


def test_a_source_or_a_file_chooses_the_receipt(pgfold, state):
    first = state.receipt(1)
    state.receipt(2, source="attic")
    assert pgfold("report", "laptop", status=0).out.startswith("# Fold of laptop")
    assert pgfold("report", first, status=0).out.startswith("# Fold of laptop")
    assert pgfold("report", first.name, status=0).out.startswith("# Fold of laptop")
    assert "neither a file nor a source" in pgfold("report", "nobody", status=2).err


def test_json_is_the_receipt_itself_and_fits_the_schema(pgfold, state):
    path = state.receipt(1)
    document = pgfold("report", "--json", status=0).json()
    assert document == json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert document["sequences"][0]["source_value"] == 9007199254740993


def version_3(document):
    """As pgfold wrote it before a source could be folded in part."""
    del document["filter"]
    return {**document, "version": 3}


def version_2(document):
    """As pgfold wrote it before it looked at what is protected."""
    del document["filter"], document["fingerprint"], document["protected"]
    return {**document, "version": 2}


def version_1(document):
    """As pgfold wrote it before it could merge."""
    del document["filter"], document["archive"], document["fingerprint"], document["protected"]
    for one in document["relations"]:
        for key in MERGE:
            del one[key]
    return {**document, "version": 1}


@pytest.mark.parametrize("older", [version_1, version_2, version_3])
def test_a_receipt_of_an_older_version_is_read_and_printed_as_it_is(pgfold, state, older):
    old = state.receipt(1, edit=older)
    assert pgfold("report", "--json", status=0).json() == json.loads(old.read_text(encoding="utf-8"))
    assert "12,345" in pgfold("report", status=0).out
    state.receipt(2)
    assert "sound, 2 receipts" in pgfold("report", status=0).out
    old.write_text(old.read_text(encoding="utf-8").replace("12345", "12346"), encoding="utf-8")
    assert "does not match its own SHA-256" in pgfold("report", old, status=1).err


def test_what_became_of_merged_rows_has_a_table_of_its_own(pgfold, state):
    state.receipt(1, archive="/backups/laptop.merge", relations=[
        relation("orders", 5),
        relation("people", 9, action="merge", inserted=1101, overwritten=1102, kept=1, settled=2, rekeyed=1103, matched=1104,
                 target_rows=4000, target_digest="4-00ff", reason="1101 inserted")])
    text = pgfold("report", status=0).out
    assert re.search(r"^## Merged\n\n.*\n.*\n\| public\.people \| 1,101 \| 1,102 \| 1 \| 2 \| 1,103 \| 1,104 \|$", text, re.M)
    assert "| public.orders | 1," not in text
    assert "every row was found in the target, but for 3 that a rule settled" in text
    assert "/backups/laptop.merge" in text


@pytest.mark.parametrize("key", sorted(SCHEMA["required"]))
def test_the_schema_and_the_program_agree_on_what_must_be_there(pgfold, state, key):
    document = json.loads(state.receipt(1).read_text(encoding="utf-8"))
    del document[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
    if key != "sha256":
        document["sha256"] = canonical_hash(document)
    state.last.write_text(json.dumps(document), encoding="utf-8")
    assert pgfold("report", state.last).status in (1, 2)


def test_output_goes_to_a_file(pgfold, state):
    state.receipt(1)
    result = pgfold("report", "--output", "fold.md", status=0)
    assert result.out == ""
    assert (pgfold.cwd / "fold.md").read_text(encoding="utf-8").startswith("# Fold of laptop")
    pgfold("report", "--json", "--output", "fold.json", status=0)
    assert json.loads((pgfold.cwd / "fold.json").read_text(encoding="utf-8"))["schema"] == "pgfold.receipt"
    assert "cannot write" in pgfold("report", "--output", "no/such/folder.md", status=2).err


def test_a_receipt_that_was_changed_is_not_shown(pgfold, state):
    path = state.receipt(1)
    path.write_text(path.read_text(encoding="utf-8").replace("12345", "12346"), encoding="utf-8")
    result = pgfold("report", path, status=1)
    assert result.out == ""
    assert "does not match its own SHA-256" in result.err
    assert path.name in result.err


def test_a_broken_chain_is_said_and_exits_1(pgfold, state):
    first = state.receipt(1)
    state.receipt(2)
    first.unlink()
    result = pgfold("report", status=1)
    assert f"{first.name}: is missing" in result.err
    assert "broken: " in result.out


def test_not_contained_exits_1_and_names_the_table_first(pgfold, state):
    lost = relation("lost", 3, target_rows=2, target_digest="2-0000", verdict="different", reason="1 row is missing")
    state.receipt(1, verdict="not contained", relations=[relation("orders", 5), lost])
    text = pgfold("report", status=1).out
    assert "not contained" in text.splitlines()[0]
    assert text.index("public.lost") < text.index("public.orders")
    assert "1 row is missing" in text


def test_on_a_terminal_it_is_a_page_in_colour_that_fits(pgfold, state):
    state.receipt(1)
    master, slave = pty.openpty()
    harness_env = pgfold.environment(TERM="xterm-256color", COLUMNS="100")
    process = subprocess.Popen([pgfold.binary, "report", "--color", "always"], cwd=pgfold.cwd, env=harness_env, stdin=slave,
                               stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(master)
    process.communicate()
    assert process.returncode == 0
    page = text.decode()
    assert "\x1b[" in page
    assert "# Fold" not in page
    assert "\\x1b[31m" in page  # the name's own escape is shown, not obeyed
    assert "Fold of laptop into target: contained" in page


# --- status -----------------------------------------------------------------------------------------------------------

CONFIG = """version: 1
target:
  url: ${NOT_SET}
sources:
  - {name: laptop, url: "${NOT_SET}"}
  - {name: attic, url: "${NOT_SET}"}
"""


@pytest.fixture
def configured(pgfold):
    (pgfold.cwd / "pgfold.yaml").write_text(CONFIG, encoding="utf-8")
    return pgfold


def test_status_at_the_beginning_tells_what_to_type_and_writes_nothing(configured):
    text = configured("status", status=0).out
    assert re.search(r"^laptop .*nothing done yet +pgfold audit laptop$", text, re.M)
    assert re.search(r"^attic .*pgfold audit attic$", text, re.M)
    assert not (configured.cwd / ".pgfold").exists()


def test_status_without_a_configuration_says_so(pgfold):
    assert "no pgfold.yaml" in pgfold("status", status=0).out


def test_status_follows_a_source_on_its_way(configured, state):
    database = state.database(configured)

    def line():
        return next(one for one in configured("status", "--json", status=0).json()["sources"] if one["name"] == "laptop")
    assert line()["state"] == "new"
    add_mark(database, 1, add_run(database, "backup"))
    assert (line()["state"], line()["next"]) == ("backed-up", "pgfold audit laptop")
    add_mark(database, 0, add_run(database, "audit"), good=False, outcome="3 tables differ")
    assert (line()["state"], line()["detail"], line()["next"]) == ("audited", "3 tables differ", "pgfold plan laptop")
    add_mark(database, 2, add_run(database, "fold"), outcome="contained")
    assert (line()["state"], line()["next"]) == ("contained", None)
    add_mark(database, 3, add_run(database, "verify"), good=False, outcome="1 row differs")
    assert (line()["state"], line()["next"]) == ("differs", "pgfold verify laptop")
    assert line()["audit"]["good"] is False
    assert line()["verify"]["target_database"] == "app"
    add_run(database, "fold", state="failed", error="connection lost")
    assert line()["state"] == "failed"
    assert "connection lost" in line()["detail"]


def add_merge(database, run, state="committed", schema="pgfold_undo_1_ab"):
    database.execute("INSERT INTO merge (run_id, state, undo_schema, at) VALUES (?, ?, ?, ?)", (run, state, schema, now_us()))


def test_status_names_the_fold_that_can_be_taken_back(configured, state):
    database = state.database(configured)
    first, second = add_run(database, "fold"), add_run(database, "fold")
    add_merge(database, first, schema="")
    add_merge(database, second)
    add_mark(database, 2, second, outcome="contained")
    text = configured("status", status=0).out
    assert f"can be taken back: `pgfold undo {second}`." in text and "schema pgfold_undo_1_ab" in text
    assert f"undo {first}" not in text, "the newest first"
    laptop = configured("status", "--json", status=0).json()["sources"][0]
    assert (laptop["undo"]["run"], laptop["undo"]["schema"], laptop["undo"]["target_database"]) == (second, "pgfold_undo_1_ab", "app")


def test_status_after_undo(configured, state):
    database = state.database(configured)
    fold = add_run(database, "fold")
    add_merge(database, fold, state="undone")
    undo = add_run(database, "undo")
    for stage in (2, 3):
        add_mark(database, stage, undo, good=False, outcome=f"taken back by run {undo}")
    text = configured("status", status=0).out
    assert re.search(rf"^laptop +- +- +taken back just now +- +taken back by run {undo} +pgfold plan laptop$", text, re.M)
    assert "pgfold undo" not in text
    laptop = configured("status", "--json", status=0).json()["sources"][0]
    assert (laptop["state"], laptop["undo"]) == ("undone", None)


def test_an_undo_that_was_refused_does_not_change_where_a_source_stands(configured, state):
    database = state.database(configured)
    add_mark(database, 2, add_run(database, "fold"), outcome="contained")
    add_run(database, "undo", state="failed", error="a later change would be lost")
    assert configured("status", "--json", status=0).json()["sources"][0]["state"] == "contained"


def test_status_shows_what_a_killed_fold_left(configured, state):
    database = state.database(configured)
    run = add_run(database, "fold", state="running", started=now_us() - 5 * MINUTE)
    database.execute("INSERT INTO object (run_id, kind, name, cleanup_sql, state) VALUES (?, 'database', 'app', 'DROP', "
                     "'owned')", (run,))
    text = configured("status", status=0).out
    assert re.search(r"^laptop .*a fold was not finished +pgfold fold laptop$", text, re.M)
    assert f"Run {run} (fold of laptop, 5 min ago) was interrupted and left in the target:\n  database app" in text
    document = configured("status", "--json", status=0).json()
    assert document["unfinished"][0]["state"] == "interrupted"
    assert document["unfinished"][0]["left"] == [{"kind": "database", "name": "app", "system_identifier": "777"}]


def test_status_says_that_another_pgfold_is_working(configured, state):
    state.database(configured)
    with open(state.folder / "lock", "r+", encoding="utf-8") as lock:
        lock.write(json.dumps({"pid": 4711, "host": "box", "command": "fold", "since": now_us()}))
        lock.flush()
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        assert "`pgfold fold` is running now (process 4711)" in configured("status", status=0).out
    assert "is running" not in configured("status", status=0).out


def test_status_checks_the_receipts(configured, state):
    first = state.receipt(1)
    state.receipt(2)
    assert "2 receipts, unbroken" in configured("status", status=0).out
    first.unlink()
    result = configured("status", status=1)
    assert f"{first.name}: is missing" in result.err
    assert configured("status", "--json", status=1).json()["receipts"]["problem"]


def test_status_lists_sources_that_the_configuration_no_longer_has(configured, state):
    database = state.database(configured)
    add_mark(database, 0, add_run(database, "audit", source="gone"), source="gone")
    assert re.search(r"^gone .*not in pgfold\.yaml$", configured("status", status=0).out, re.M)


def test_status_of_named_sources_only(configured):
    text = configured("status", "attic", status=0).out
    assert "attic" in text and "laptop" not in text
    assert 'there is no source "nobody"' in configured("status", "nobody", status=2).err


def test_a_ledger_of_a_newer_pgfold_is_refused(configured, state):
    database = state.database(configured)
    database.execute("PRAGMA user_version = 99")
    assert "written by a newer pgfold" in configured("status", status=2).err
