"""Numbers in the prose and in text alternatives, and how explorers begin: each number
one unit of its last place more, or less.

In English alone: that the languages have the same numbers is another check.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from book import alternatives, numerals, sessions
from book.pages import Page, contents
from tests.mutants import Mutant

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w|\.\d|°)")
SETTING = re.compile(r"(?<=[?&][SDK]=)\d|(?<=sides=)\d|(?<=sides=\d.\d.)\d")
ENDS = re.compile(r"\n|(?<=[.;:]) ")  # of what is told of a change


@dataclass
class Changed(Mutant):
    """A page with another number, and what is asked about it."""

    changed: Page
    complaints: Callable[[Page], list[str]]

    def survives(self) -> bool:
        try:
            return not self.complaints(self.changed)
        except ValueError:  # an explorer that cannot be drawn
            return False


def of_prose() -> Iterator[Changed]:
    for of in contents()["en"]:
        yield from changes(of, told(of), numerals.complaints)


def of_alternatives() -> Iterator[Changed]:
    for of in contents()["en"]:
        places = sorted([*seen(of), *presets(of)])
        yield from changes(of, places, alternatives.complaints)


def told(of: Page) -> Iterator[tuple[int, int]]:
    """Where the numbers of the prose begin and end; of sizes, each side."""
    for number in numerals.numerals(of):
        if not number.free and number.text != numerals.YEAR:
            for one in re.finditer(r"\d+(?:\.\d+)?", number.text):
                yield number.start + one.start(), number.start + one.end()


def seen(of: Page) -> Iterator[tuple[int, int]]:
    for start, picture in numerals.pictures(of):
        yield from inside(start, picture, "seen", NUMBER)


def presets(of: Page) -> Iterator[tuple[int, int]]:
    """Settings of explorers whose arrays are from a session."""
    if (sessions.SNIPPETS / of.name).exists():
        for start, picture in numerals.pictures(of):
            if picture["image"] == "explorer":
                yield from inside(start, picture, "source", SETTING)


def inside(
    start: int, picture: re.Match[str], group: str, wanted: re.Pattern[str]
) -> Iterator[tuple[int, int]]:
    """Where something stands in a group of a picture that begins at a place."""
    first = start + picture.start(group) - picture.start()
    for found in wanted.finditer(picture[group]):
        yield first + found.start(), first + found.end()


def changes(
    of: Page,
    places: Iterable[tuple[int, int]],
    complaints: Callable[[Page], list[str]],
) -> Iterator[Changed]:
    name = of.name.removesuffix(".md")
    for start, end in places:
        first = max((m.end() for m in ENDS.finditer(of.text, 0, start)), default=0)
        last = ENDS.search(of.text + "\n", end).start()
        line = f"{of}:{of.text.count(chr(10), 0, start) + 1}"
        section = f"#{numerals.anchor_at(of, start)}"
        for other in neighbours(of.text[start:end]):
            text = of.text[:start] + other + of.text[end:]
            before = of.text[first:last]
            after = of.text[first:start] + other + of.text[end:last]
            changed = replace(of, text=text)
            yield Changed(name, section, line, before, after, changed, complaints)


def neighbours(number: str) -> Iterator[str]:
    places = len(number.partition(".")[2])
    for unit in (10.0**-places, -(10.0**-places)):
        if (value := float(number) + unit) >= 0:
            yield f"{value:.{places}f}"
