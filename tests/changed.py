"""pytest --changed: the tests that can fail after an edit of some pages.

A test looks at the pages that its file or its parameters name: a page itself, its
session, a label or a figure of it. With the mark `book` it looks at all pages together.
Of pages that take something of an edited session, sessions and figures are looked at.
After an edit of anything else there is no saying, and all tests run.
"""

import re
import subprocess
from pathlib import Path

import pytest

from book import parts, results, sessions
from book.pages import LANGUAGES, ROOT, nav_pages

OF_A_PAGE = re.compile(r"(docs/(?:en|zh)|snippets)/(.+)\.(?:md|py)")
# What only tests with the mark look at, or the tests of the file itself.
BESIDE = re.compile(r"[A-Z]+(\.zh)?\.md|tests/test_\w+\.py")
# from convolution.padding import pad; from snippets.cnn.forward import tiles; and an
# array of another session, as figures and explorers call it: cnn/forward:setup
TAKEN = re.compile(
    r"^ *from (?:snippets\.)?([\w.]+) import\b|(?<![\w/(-])([\w/-]+):(?=\w)",
    re.MULTILINE,
)


def files(base: str) -> list[str]:
    """What differs from a commit, and what git does not know yet.

    Raises UsageError where git cannot tell.
    """
    found = []
    for command in (
        ["ls-files", "--others", "--exclude-standard"],
        ["diff", "--name-only", "--no-renames", base, "--"],
    ):
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise pytest.UsageError(f"--changed: git says: {done.stderr.strip()}")
        found += done.stdout.splitlines()
    return found


# --- Pages -------------------------------------------------------------------


def page_of(name: str) -> str:
    """The page of a session's name: of conventions-torch, too."""
    return name if f"{name}.md" in nav_pages() else name.rpartition("-")[0] or name


def named() -> dict[str, set[str]]:
    """The pages of which the files of a page take names, arrays or helpers."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "snippets").rglob("*.*")]:
        if match := OF_A_PAGE.fullmatch(path.relative_to(ROOT).as_posix()):
            taken = TAKEN.findall(path.read_text("utf-8"))
            names = {(module or page).replace(".", "/") for module, page in taken}
            found.setdefault(page_of(match[2]), set()).update(names)
    return found


def standing_on(pages: set[str]) -> set[str]:
    """Pages, and all that take something of them, by way of others, too."""
    taken, found, before = named(), set(pages), set()
    while found != before:
        before = set(found)
        found |= {page for page, names in taken.items() if names & before}
    return found


# --- Tests -------------------------------------------------------------------


def owners() -> tuple[dict[str, str], dict[str, str]]:
    """The page of all by which a test may name it; only of sessions and figures."""
    read = {
        sessions.name_of(path): page_of(parts.page_of(path))
        for path in sessions.paths()
    }
    read |= {name: part.page for name, part in parts.listed("figure").items()}
    pages = {
        name: page.removesuffix(".md")
        for page in nav_pages()
        for name in (
            page,
            page.removesuffix(".md"),
            *(f"docs/{lang}/{page}" for lang in LANGUAGES),
        )
    }
    labels = {
        label: parts.page_of(result.session)
        for label, result in results.results().items()
    }
    return pages | labels | read, read


def names_of(item: pytest.Item) -> set[str]:
    """Its file and its parameters, those that are texts or paths."""
    given = getattr(getattr(item, "callspec", None), "params", {}).values()
    return {
        value.relative_to(ROOT).as_posix() if isinstance(value, Path) else value
        for value in [item.path, *given]
        if isinstance(value, str)
        or (isinstance(value, Path) and value.is_relative_to(ROOT))
    }


def select(items: list[pytest.Item], base: str) -> tuple[list, list]:
    """The items that can fail after the edits since a commit, and the others."""
    changed = files(base)
    edits = {name: OF_A_PAGE.fullmatch(name) for name in changed}
    if [name for name in changed if not (edits[name] or BESIDE.fullmatch(name))]:
        return items, []
    found = [match for match in edits.values() if match]
    edited = {page_of(match[2]) for match in found}
    reached = standing_on({page_of(m[2]) for m in found if m[1] == "snippets"})
    every, read = owners()
    wanted = {name for name, page in every.items() if page in edited}
    wanted |= {name for name, page in read.items() if page in reached} | {*changed}
    chosen, left = [], []
    for item in items:
        looks = names_of(item) & wanted
        whole = changed and item.get_closest_marker("book")
        (chosen if looks or whole else left).append(item)
    return chosen, left
