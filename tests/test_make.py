"""The commands do what README says, and say in one line what they cannot do."""

import socket
from collections.abc import Iterator

import pytest

import make


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


def test_all_tests_have_two_workers_and_some_have_none(commands):
    for arguments in ([], ["--hypothesis-profile=full"], ["-k", "x"], ["tests/a.py"]):
        make.test(*arguments)
    assert ["-n" in command for command in commands] == [True, True, False, False]
