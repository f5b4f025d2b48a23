"""Ruff over everything: our own Python, and the code that the sessions show."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest

from book import sessions
from book.pages import ROOT


def ruff(*arguments: str, stdin: str = "") -> str:
    """Ruff's complaints; empty where there are none."""
    command = [sys.executable, "-m", "ruff", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True
    )
    return done.stdout + done.stderr if done.returncode else ""


def check_session(path: Path) -> str:
    """Ruff's complaints about a session; its line numbers are those of the file."""
    session = sessions.parse(path)
    lines = [""] * session.text.count("\n")
    for block in session.blocks:
        lines[block.line : block.end - 1] = block.code.splitlines()
    name = f"{path.relative_to(ROOT)}.py"  # Ruff does not check what ends in .md
    ours = sorted(
        {
            path.relative_to(sessions.SNIPPETS).parts[0].removesuffix(".md")
            for path in sessions.paths()
        }
    )
    known = f"lint.isort.known-first-party = {ours}"
    options = ["--stdin-filename", name, "--config", known]
    return ruff("check", *options, "-", stdin="\n".join(lines) + "\n")


@pytest.mark.book
def test_format():
    """Python files, and the Python in every Markdown file."""
    assert not ruff("format", "--check", ".")


@pytest.mark.book
def test_check():
    assert not ruff("check", ".")


@pytest.mark.parametrize("path", sessions.paths(), ids=sessions.name_of)
def test_check_session(path):
    assert not check_session(path)


def test_a_fault_in_a_session_is_found_on_its_line(monkeypatch):
    path = ROOT / "snippets" / "softmax.md"
    session = copy.deepcopy(sessions.parse(path))
    session.blocks[0].code = session.blocks[0].code.replace(
        "import numpy as np", "import os"
    )
    monkeypatch.setattr(sessions, "parse", lambda _: session)
    complaint = check_session(path)
    assert "`os` imported but unused" in complaint
    # The first line of the code stands below its fence.
    assert f"snippets/softmax.md.py:{session.blocks[0].line + 1}:" in complaint


@pytest.mark.book
@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("*.md")))
def test_what_a_file_shows_and_links_to_exists(name):
    text = re.sub(r"`[^`\n]+`", "x", (ROOT / name).read_text(encoding="utf-8"))
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]


# --- What a browser refuses ---------------------------------------------------

# Safari refuses a shorthand of several values, and with it the whole line.
DECORATION = re.compile(r"text-decoration:(?!\s*[\w-]+\s*(?:!important\s*)?[;}])[^;}]*")
STYLES = sorted(
    {*ROOT.glob("docs/assets/**/*.css"), *ROOT.glob("explorers/**/*.css")}
    | {*ROOT.glob("tools/**/*.css")}
)


@pytest.mark.parametrize(
    "path", STYLES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_safari_refuses_no_underline(path):
    assert not DECORATION.findall(path.read_text("utf-8"))


def test_a_shorthand_that_safari_refuses_is_found():
    wrong = ["text-decoration: underline dotted", "text-decoration:underline red"]
    right = "a {text-decoration: none} b {text-decoration: underline; color: red}"
    assert DECORATION.findall("; ".join([*wrong, right])) == wrong
