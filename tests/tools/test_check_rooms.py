"""tools/check-rooms finds what is in the wrong room, and nothing else."""
import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-rooms"


@pytest.fixture
def tree(tmp_path):
    """A source tree of three rooms; tree({"src/pg/a.c": "..."}) adds files and gives the tool's (status, output)."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "meson.build").write_text("foreach room : ['base', 'pg', 'fold', 'cmd']\nendforeach\n")

    def check(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        result = subprocess.run([TOOL, tmp_path], capture_output=True, text=True, check=False)
        return result.returncode, result.stdout
    return check


def test_a_tidy_tree_passes(tree):
    assert tree({
        "src/base/error.h": "#pragma once\n",
        "src/pg/conn.c": '#include <libpq-fe.h>\n#include "base/error.h"\n#include "pg_sql.h"\n',
        "src/pg/sql/x.sql": "-- purpose: p\n-- params: none\n-- columns: c\n-- versions: 12-\nSELECT 1\n",
        "src/cmd/fold.c": '#include "fold/fold.h"\nint f(void) { printf("x"); }\n',
        "src/main.c": '#include "cmd/command.h"\nint main(void) { exit(1); }\n',
    }) == (0, "")


@pytest.mark.parametrize("name, text, message", [
    ("src/base/a.c", '#include "pg/conn.h"\n', "room base stands below room pg"),
    ("src/fold/a.c", "#include <libpq-fe.h>\n", "<libpq-fe.h> is included from src/pg only"),
    ("src/cmd/a.c", "#include <sqlite3.h>\n", "<sqlite3.h> is included from src/ledger only"),
    ("src/fold/a.c", '#include "pg_sql.h"\n', "another room's SQL"),
    ("src/fold/a.c", '#include "pg/internal.h"\n', "is for src/pg only"),
    ("src/fold/a.c", '#include "attic/a.h"\n', "in no room"),
    ("src/attic/a.c", "\n", "room attic is not listed"),
    ("src/fold/a.c", 'void f(void)\n{\n    printf("x");\n}\n', "a.c:3: printf(): only cmd prints"),
    ("src/fold/a.c", 'void f(void) { fprintf(stderr, "x"); }\n', "stdout and stderr belong"),
    ("src/fold/a.c", "void f(void) { exit(1); }\n", "never exits"),
    ("src/fold/a.c", "void f(void) { if (fork() == 0) g(); }\n", "base/spawn.h"),
    ("src/fold/a.c", "void f(void) { g_usleep(5); }\n", "with a deadline"),
    ("src/fold/a.c", "void f(void) { g_thread_new(a, b, c); }\n", "GLib is used narrowly"),
    ("src/fold/a.c", "/* TODO: more */\n", "TODO"),
    ("src/fold/a.h", "int f(void);\n", "#pragma once"),
    ("src/fold/a.c", "\n" * 501, "501 lines"),
    ("src/fold/sql/a.sql", "-- purpose: p\nSELECT 1\n", '-- params:'),
])
def test_what_is_in_the_wrong_place_is_named(tree, name, text, message):
    status, output = tree({name: text})
    assert status == 1
    assert message in output and output.startswith(name)


@pytest.mark.parametrize("text", [
    "/* never exit() or printf() here */\n",
    "// fork() is elsewhere\n",
    'const char *help = "do not fork() or printf(x)";\n',
    "void f(FILE *file) { fprintf(file, a); }\n",
    "void f(struct S *s) { s->exit(1); my_printf(a); }\n",
    "/* #include <sqlite3.h> */\n",
])
def test_comments_strings_and_like_names_are_not_findings(tree, text):
    assert tree({"src/fold/a.c": text}) == (0, "")
