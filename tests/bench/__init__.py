"""What things cost; each part is a module of this folder.

A figure is printed with its goal and the load of the machine. With --smallest each part
runs once, at its smallest size, to show that it still runs; then nothing is judged.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from book import sessions
from book.pages import LANGUAGES
from tests.minibook import FRONT
from tests.site import copied
from tools.chromium import FLAGS, chromium

SMALLEST = "--smallest" in sys.argv
PAGE = "check"  # of the smallest book: its session takes names of no other
MUST_BE = ["index", "verification"]
TEXT = """# Page { #page }

$$
\\label{one}
a = b
$$

The same again is $\\eqref{one}$, with $a$.

"""


def rounds(number: int) -> int:
    return 1 if SMALLEST else number


def goal(what: str, value: float, limit: float, unit: str = "") -> None:
    verdict = "reached" if value <= limit else "MISSED"
    if SMALLEST:
        verdict = "not judged"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"goal {what}: {value:.3g}{unit}, wanted ≤ {limit}{unit}: {verdict} "
        f"(load {load:.1f}, {os.cpu_count()} cores)"
    )


def book(folder: Path) -> Path:
    """A copy of the book, at the smallest of three pages; its caches are this one's."""
    copy = copied(folder)
    if SMALLEST:
        for language in LANGUAGES:
            docs = copy / "docs" / language
            shutil.rmtree(docs)
            docs.mkdir()
            session = sessions.parse(sessions.SNIPPETS / f"{PAGE}.md")
            included = f'--8<-- "{PAGE}.md:{session.sections[0].name}"\n'
            pages = {name: f"# {name} {{ #{name} }}\n" for name in MUST_BE}
            pages[PAGE] = TEXT + included
            for order, (name, text) in enumerate(pages.items()):
                text = FRONT.format(name, order) + text
                (docs / f"{name}.md").write_text(text, "utf-8")
    return copy


def launched(playwright: Playwright, **options) -> Browser:
    executable = chromium(playwright.chromium.executable_path)
    if executable is None:
        sys.exit("no Chromium: apt install chromium")
    return playwright.chromium.launch(executable_path=executable, args=FLAGS, **options)
