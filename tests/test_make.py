"""The commands do what README says, and say in one line what they cannot do."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

import make
from book.pages import ROOT

# Where CI runs a command: a file, and the text in it that does so. Those in .ci/ run at
# each push, but weekly.py, which alone renews the locks.
RUN = {
    "serve": ("tests/bench/build.py", '"make.py", "serve"'),
    "test": (".ci/run", "python3 make.py test"),
    "chapter": ("tests/test_chapter.py", '"tools.chapter"'),
    "build": (".ci/run", "for command in build"),
    "offline": ("tests/test_offline.py", "make.offline()"),
    "pdf": ("tests/test_pdf.py", "make.pdf()"),
    "notebook": ("tests/test_notebook_command.py", "make.notebook("),
    "bench": ("tests/test_bench.py", '"tests.bench"'),
    "mutants": ("tests/test_properties.py", "mutants.main("),
    "lock": (".ci/weekly.py", '["lock", "--upgrade"]'),
}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which something else listens."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        yield there.getsockname()[1]


@pytest.fixture
def commands(monkeypatch) -> list[list[str]]:
    """What would be run."""
    ran = []
    monkeypatch.setattr(make, "run", lambda *command, **_: ran.append([*command][3:]))
    return ran


def test_serve_takes_the_next_free_port_and_says_so(commands, capsys, monkeypatch):
    monkeypatch.setattr(make, "is_free", lambda host, port: port > 8001)
    make.serve()
    assert commands == [["serve", "--livereload", "--dev-addr", "127.0.0.1:8002"]]
    said = "make.py: port 8000 is in use, so this is http://127.0.0.1:8002\n"
    assert capsys.readouterr().out == said
    monkeypatch.setattr(make, "is_free", lambda host, port: True)
    make.serve("--clean")
    assert commands[1][2:] == ["--dev-addr", "127.0.0.1:8000", "--clean"]
    assert not capsys.readouterr().out


@pytest.mark.parametrize("form", ["-a {}", "--dev-addr {}", "--dev-addr={}"])
def test_serve_builds_nothing_for_a_port_in_use(commands, taken, form):
    address = f"127.0.0.1:{taken}"
    with pytest.raises(SystemExit, match=f"port {taken} .* is in use"):
        make.serve(*form.format(address).split())
    assert not commands


def test_a_port_is_free_or_not(taken):
    assert not make.is_free("127.0.0.1", taken)
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        port = there.getsockname()[1]
    assert make.is_free("127.0.0.1", port)


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ([], True),
        (["--hypothesis-profile=full"], True),  # .ci/run
        (["--junitxml=build/results.xml"], True),  # .ci/weekly.py
        (["-x", "-q"], True),
        (["tests/test_site.py"], False),
        (["-q", "snippets/cnn.md"], False),
        (["-k", "rnn"], False),
        (["-krnn"], False),
        (["--changed"], False),
        (["-q", "--changed=main"], False),
    ],
)
def test_all_tests_have_two_workers_and_some_have_none(monkeypatch, arguments, workers):
    commands = []
    monkeypatch.setattr(make, "run", lambda *command: commands.append(command))
    make.test(*arguments)
    ((_, *command),) = commands
    assert command[:2] == ["-m", "pytest"]
    assert command[-len(arguments) :] == arguments or not arguments
    assert ("-n" in command) == workers


@pytest.mark.parametrize("command", make.COMMANDS)
def test_a_command_is_told_and_run_by_something(command):
    assert re.search(rf"^python3 make\.py {command}\b", make.__doc__, re.MULTILINE)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.search(rf"(`|make\.py ){command}\b", readme)
    file, text = RUN[command]
    assert text in (ROOT / file).read_text("utf-8")


def test_without_a_command_it_lists_them():
    def said(*command: str) -> subprocess.CompletedProcess:
        command = [sys.executable, ROOT / "make.py", *command]
        return subprocess.run(command, capture_output=True, text=True)

    assert said().stdout == f"{make.__doc__.strip()}\n"
    assert not said().returncode
    done = said("tests")
    assert done.returncode == 1
    assert done.stderr.startswith("make.py: no command 'tests'\n")
