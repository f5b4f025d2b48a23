"""Numbers of prose, alternatives and explorers, changed in both languages alike."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from book import numerals, sessions
from book.pages import Page, contents

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w|\.\d|°)")
SETTING = re.compile(r"(?<=[?&][SDK]=)\d|(?<=sides=)\d|(?<=sides=\d.\d.)\d")


class Change(NamedTuple):
    kind: str
    place: str  # file:line: what it was -> what it is
    english: Page
    chinese: Page


def changes(seed: int = 0) -> Iterator[Change]:
    """Each number one unit of its last place more or less, drawn by the seed."""
    book = contents()
    chinese = {of.name: of for of in book["zh"]}
    draw = random.Random(seed)
    for english in book["en"]:
        pair = english, chinese[english.name]
        for kind, find in KINDS.items():
            there = [find(of) for of in pair]
            for key, start, text in there[0]:
                twin = next((place for place in there[1] if place[0] == key), None)
                if twin:
                    new = other(text, draw)
                    line = english.text.count("\n", 0, start) + 1
                    yield Change(
                        kind,
                        f"{english}:{line}: {text} -> {new}",
                        put(english, start, text, new),
                        put(pair[1], twin[1], twin[2], new),
                    )


def put(of: Page, start: int, old: str, new: str) -> Page:
    return replace(of, text=of.text[:start] + new + of.text[start + len(old) :])


def other(text: str, draw: random.Random) -> str:
    """A neighbour: of sizes, one side is one more or less."""
    found = draw.choice(list(re.finditer(r"\d+(?:\.\d+)?", text)))
    places = len(found[0].partition(".")[2])
    unit = 10.0**-places * draw.choice([1, -1] if float(found[0]) else [1])
    new = f"{abs(float(found[0]) + unit):.{places}f}"
    return text[: found.start()] + new + text[found.end() :]


Found = list[tuple[tuple, int, str]]  # key in both languages, start, text


def counted(found: list[tuple[tuple, int, str]]) -> Found:
    """With how often the key was there before, so that each is one of its own."""
    seen: Counter[tuple] = Counter()
    every = []
    for key, start, text in found:
        every.append(((*key, seen[key]), start, text))
        seen[key] += 1
    return every


def prose(of: Page) -> Found:
    return counted(
        [
            ((n.anchor, n.key), n.start, n.text)
            for n in numerals.numerals(of)
            if not n.free and n.text != numerals.YEAR
        ]
    )


def alternatives(of: Page, image: str = "figure") -> Found:
    return counted(
        [
            ((span["source"], number[0]), start + 2 + number.start(), number[0])
            for start, span in numerals.pictures(of)
            if span["image"] == image
            for number in NUMBER.finditer(span["seen"])
        ]
    )


def presets(of: Page) -> Found:
    """Settings of explorers whose arrays are from a session."""
    if not (sessions.SNIPPETS / of.name).exists():
        return []
    return counted(
        [
            ((span["source"],), start + span.start("source") - span.start() + at, text)
            for start, span in numerals.pictures(of)
            if span["image"] == "explorer"
            for at, text in (
                (n.start(), n[0]) for n in SETTING.finditer(span["source"])
            )
        ]
    )


KINDS = {
    "number in the prose": prose,
    "number of an alternative": alternatives,
    "number of an explorer's alternative": lambda of: alternatives(of, "explorer"),
    "preset of an explorer": presets,
}


def noticed(change: Change) -> bool:
    pair = change.english, change.chinese
    try:
        return bool(numerals.disagreements(*pair)) or any(
            numerals.complaints(of) + numerals.picture_complaints(of) for of in pair
        )
    except ValueError:  # an explorer that cannot be drawn
        return True
