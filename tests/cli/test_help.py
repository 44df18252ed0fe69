"""pgfold help, version, man pages, completion and the command line itself, through the real program."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

import harness

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "FILES", "ENVIRONMENT", "SEE ALSO"]
BINARY = os.environ.get("PGFOLD", str(harness.ROOT / "build" / "pgfold"))


def run(*arguments, stdin=subprocess.DEVNULL, env=None, **options):
    """The program alone: these tests need no server."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run([BINARY, *arguments], stdin=stdin, text=True, timeout=60, check=False,
                          env=harness.clean_environment(**(env or {})), **options)


def all_commands():
    result = run("help", "--json")
    return json.loads(result.stdout)["commands"] if result.returncode == 0 else []


COMMANDS = all_commands()
NAMES = [command["name"] for command in COMMANDS]
every_command = pytest.mark.parametrize("command", COMMANDS, ids=NAMES)


def assert_usage_error(result, message):
    assert result.returncode == 2, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == f"pgfold: error: {message}"
    assert len(lines) == 2 and lines[1].startswith("  hint: "), "one error and one hint"


def test_help_lists_every_command_with_its_summary():
    text = run("help").stdout
    assert {"help", "version"} <= set(NAMES)
    for command in COMMANDS:
        assert re.search(rf"^  {command['name']} +{re.escape(command['summary'][:30])}", text, re.M)


def test_help_can_be_asked_for_in_four_ways():
    text = run("help", "version")
    assert text.returncode == 0
    assert run("version", "--help").stdout == run("version", "-h").stdout == text.stdout
    assert run("--help", "version").stdout == text.stdout
    assert run("--help").stdout == run("help").stdout


def test_pgfold_alone_shows_the_help_and_is_a_usage_error():
    result = run()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == run("help").stdout


@every_command
def test_every_command_has_help_with_an_example_and_all_its_options(command):
    result = run(command["name"], "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"  $ {command['examples'][0]['line']}\n" in result.stdout
    for option in command["options"]:
        assert re.search(rf"^  (-\w, |    )--{option['name']}\b", result.stdout, re.M), option
        assert option["help"], option
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


@every_command
def test_help_fits_eighty_columns(command):
    kept = {"  $ " + example["line"] for example in command["examples"]}
    for line in run(command["name"], "--help").stdout.splitlines():
        assert len(line) <= 80 or line in kept or line.startswith("  pgfold "), line


@every_command
def test_examples_use_only_options_that_exist(command):
    options = {option["name"] for option in command["options"]}
    for example in command["examples"]:
        own = re.match(rf"pgfold {command['name']}\b([^|;&)]*)", example["line"])
        words = own.group(1).split(" -- ")[0] if own else ""
        for name in re.findall(r"--([a-z][a-z-]+)", words):
            assert name in options | {"help", "json", "quiet", "verbose", "config", "color"}, example


@every_command
def test_no_option_is_declared_twice(command):
    common = json.loads(run("help", "--json").stdout)["common_options"]
    names = [option["name"] for option in command["options"] + common]
    short = [option["short"] for option in command["options"] + common if option["short"]]
    assert len(names) == len(set(names))
    assert len(short) == len(set(short))


@every_command
def test_every_command_refuses_an_unknown_option(command):
    result = run(command["name"], "--no-such-option=secret")
    assert_usage_error(result, "unknown option --no-such-option")
    assert result.stderr.endswith(f"  hint: see `pgfold help {command['name']}`\n")


@pytest.mark.parametrize("page", ["pgfold"] + NAMES)
def test_man_pages_have_all_sections_and_lint(page, tmp_path):
    result = run("help", "--man", page)
    assert (result.returncode, result.stderr) == (0, "")
    sections = [line[4:].strip('"') for line in result.stdout.splitlines() if line.startswith(".SH ")]
    assert [section for section in sections if section in SECTIONS] == SECTIONS
    path = tmp_path / "page.1"
    path.write_text(result.stdout, encoding="utf-8")
    assert shutil.which("mandoc"), "install the package mandoc"
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", path], capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, "")


def test_man_page_shows_what_is_typed_as_it_is_typed(tmp_path):
    page = run("help", "--man", "help").stdout
    path = tmp_path / "page.1"
    path.write_text(page, encoding="utf-8")
    shown = subprocess.run(["mandoc", "-Tutf8", path], capture_output=True, text=True, check=True).stdout
    shown = re.sub(".\b", "", shown)
    assert "source <(pgfold help --completion bash)" in shown
    assert "`pgfold testdb --help`" in shown


def bash_completes(tmp_path, *words):
    script = tmp_path / "completion.bash"
    script.write_text(run("help", "--completion", "bash").stdout, encoding="utf-8")
    program = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgfold 2>/dev/null; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", program, "bash", script, "pgfold", *words], capture_output=True, text=True,
                            check=True, cwd=tmp_path)
    return set(result.stdout.split())


def test_bash_completes_commands_options_values_and_files(tmp_path):
    (tmp_path / "other.yaml").touch()
    assert set(NAMES) <= bash_completes(tmp_path, "")
    assert bash_completes(tmp_path, "ver") >= {"version"}
    assert bash_completes(tmp_path, "help", "--m") == {"--man"}
    assert bash_completes(tmp_path, "help", "vers") == {"version"}
    assert bash_completes(tmp_path, "version", "--color", "a") == {"auto", "always"}
    assert bash_completes(tmp_path, "version", "--config", "oth") == {"other.yaml"}
    assert bash_completes(tmp_path, "version", "--", "--co") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option_and_is_good_shell(shell, tmp_path):
    result = run("help", "--completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    for command in COMMANDS:
        assert command["name"] in result.stdout
        for option in command["options"]:
            assert option["name"] in result.stdout
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(result.stdout, encoding="utf-8")
        subprocess.run([shell, "-n", path], check=True)


def test_version_is_one_line_or_a_document():
    assert re.fullmatch(r"pgfold \d+\.\d+\.\d+\n", run("--version").stdout)
    assert run("-V").stdout == run("--version").stdout
    assert run("version").stdout.startswith(run("--version").stdout)
    document = json.loads(run("version", "--json").stdout)
    assert document["schema"] == "pgfold.version"
    assert (document["oldest_server"], document["newest_server"]) == (12, 18)


def test_an_unknown_command_names_the_nearest():
    result = run("verison")
    assert_usage_error(result, 'there is no command "verison"')
    assert "did you mean `pgfold version`?" in result.stderr
    assert_usage_error(run("help", "verison"), 'there is no command "verison"')


def test_usage_errors_are_one_error_with_status_2():
    assert_usage_error(run("version", "word"), 'version takes no arguments, but there is "word"')
    assert_usage_error(run("version", "--config"), "option --config needs a value: FILE")
    assert_usage_error(run("version", "--color", "blue"), 'option --color wants auto, always or never, not "blue"')
    assert_usage_error(run("version", "--json=1"), "option --json takes no value")
    assert_usage_error(run("version", "-x"), "unknown option -x")
    assert_usage_error(run("help", "a", "b"), 'help takes one command, but there is "b" too')
    assert_usage_error(run("help", "--completion", "tcsh"), 'option --completion wants bash, zsh or fish, not "tcsh"')
    assert_usage_error(run("--quiet"), "no command given")


def test_a_usage_error_with_json_is_a_document():
    for arguments in (["version", "--json", "--nosuch"], ["--json", "verison"], ["help", "--json", "--man"]):
        result = run(*arguments)
        assert result.returncode == 2
        document = json.loads(result.stdout)
        assert (document["schema"], document["kind"], document["exit_status"]) == ("pgfold.error", "usage", 2)
        assert document["message"] and document["hint"]


def test_common_options_may_stand_before_the_command():
    assert json.loads(run("--json", "--color", "never", "-c", "x.yaml", "version").stdout)["schema"] == "pgfold.version"


def test_control_characters_of_the_command_line_are_not_sent_back():
    result = run("a\x1b[2J\nb")
    assert "\x1b" not in result.stderr
    assert result.stderr.splitlines()[0] == 'pgfold: error: there is no command "a\\x1b[2J'
    assert result.stderr.splitlines()[1] == '    b"'


def test_colours_follow_the_option_and_no_color():
    assert "\x1b[1m" in run("help", "--color", "always").stdout
    assert "\x1b[1m" in run("help", "--color", "always", env={"NO_COLOR": "1"}).stdout
    assert "\x1b" not in run("help").stdout


def test_results_that_cannot_be_written_are_a_failure():
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = run("help", stdout=full)
    assert result.returncode == 70
    assert "the results could not be written: No space left on device" in result.stderr


def test_a_reader_that_goes_away_is_no_failure():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        result = run("help", stdout=pipe)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_bug_ends_with_status_70_and_asks_for_a_report(running):
    process = running("testdb", "--", "sh", "-c", "echo ready; exec sleep 60")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGABRT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 70
    assert err.splitlines()[-2] == "pgfold: error: internal error"
    assert err.splitlines()[-1].startswith("  hint: this is a bug of pgfold")


def test_core_dumps_are_off_and_files_are_private(running):
    process = running("testdb", "--", "sh", "-c", "echo ready; exec sleep 60")
    assert process.stdout.readline() == "ready\n"

    def is_private():
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        return re.search(r"^Umask:\s+0077$", status, re.M)

    # The command has the caller's umask: for the moment of its start pgfold has it too.
    deadline = time.monotonic() + 10
    while not is_private():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_a_man_page_and_completion_are_built_for_every_command():
    built = pathlib.Path(BINARY).resolve().parent / "packaging"
    if not built.is_dir():
        pytest.fail(f"{built} is not there: build everything, not only the program")
    for name in NAMES:
        assert (built / f"pgfold-{name}.1").read_text(encoding="utf-8") == run("help", "--man", name).stdout
    assert (built / "pgfold.1").exists() and (built / "_pgfold").exists() and (built / "pgfold.fish").exists()
