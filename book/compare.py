"""Is the output shown on a page the one that the code prints?

Under the locked versions of requirements.txt character by character. Under others
numbers with a point or an exponent are compared by value, everything else (integers,
words, brackets, nan, inf) by text, and spacing is ignored.
"""

import importlib.metadata
import math
import re
from functools import cache

from book.pages import ROOT

PRINTING = ["numpy", "tensorflow", "keras"]  # whose version a digit may depend on

# A sign belongs to the number unless a word stands before it: "1-2.5" is 1, -, 2.5.
TOKEN = re.compile(
    r"(?P<real>(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|[\w.]+|\S"
)


@cache
def locked(name: str) -> str:
    """The version of a package in requirements.txt; raises ValueError without one."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    found = re.search(rf"^{re.escape(name)}==(\S+)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"requirements.txt does not lock {name}")
    return found[1]


@cache
def all_locked() -> bool:
    """Are the packages that compute and print the ones of requirements.txt?"""
    return all(importlib.metadata.version(name) == locked(name) for name in PRINTING)


def trimmed(text: str) -> str:
    """As a page shows it: an editor takes blanks from the ends of lines."""
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


def tolerance(shown: str) -> float:
    """How far a value may lie from the number shown: 1e-5 of it, plus printing.

    Printing rounds by one unit in the last printed place, but at most 1e-4: NumPy
    writes 1.0 as "1.", whose last place is a whole unit. No value is near a number that
    is larger than any float.
    """
    if math.isinf(float(shown)):
        return 0.0
    mantissa, _, exponent = shown.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return 1e-5 * abs(float(shown)) + min(1e-4, unit)


def same(shown: re.Match, printed: re.Match) -> bool:
    if shown["real"] and printed["real"]:
        error = abs(float(shown["real"]) - float(printed["real"]))
        return error <= tolerance(shown["real"])
    return shown[0] == printed[0]


def shape(text: str) -> tuple[int, ...] | None:
    """The shape of a printed array; None where the text is not one regular array."""
    # Each level collects the shapes of its items; a number has the shape ().
    levels: list[list[tuple[int, ...]]] = [[]]
    for token in TOKEN.finditer(text.replace(",", " ")):
        if token[0] == "[":
            levels.append([])
        elif token[0] == "]":
            items = levels.pop()
            if not levels or len(set(items)) > 1:
                return None
            levels[-1].append((len(items), *(items[0] if items else ())))
        else:
            levels[-1].append(())
    whole = len(levels) == 1 and len(levels[0]) == 1 and levels[0][0]
    return levels[0][0] if whole else None


def difference(shown: str, printed: str, exact: bool = False) -> str | None:
    """None where the two agree, else the first difference in words.

    `exact`: character by character, blanks at the ends of lines aside.
    """
    want, got = list(TOKEN.finditer(shown)), list(TOKEN.finditer(printed))
    before, after = shape(shown), shape(printed)
    if before and after and before != after:
        return f"the array shown has shape {before}, the one printed {after}"
    for a, b in zip(want, got, strict=False):
        if not same(a, b):
            line = shown.count("\n", 0, a.start()) + 1
            return f"line {line} of the output shows {a[0]}, the code prints {b[0]}"
    if len(want) > len(got):
        return f"{want[len(got)][0]!r} is shown and not printed"
    if len(got) > len(want):
        return f"{got[len(want)][0]!r} is printed and not shown"
    return character(trimmed(shown), trimmed(printed)) if exact else None


def character(shown: str, printed: str) -> str | None:
    """The first character that differs, in words."""
    if shown == printed:
        return None
    start = next(
        (n for n, (a, b) in enumerate(zip(shown, printed, strict=False)) if a != b),
        min(len(shown), len(printed)),
    )
    line = shown.count("\n", 0, start) + 1
    column = start - shown.rfind("\n", 0, start)
    a, b = (text[start : start + 1] or "the end" for text in (shown, printed))
    return (
        f"line {line}, character {column} of the output shows {a!r}, the code prints "
        f"{b!r}: under the versions of requirements.txt every character is compared"
    )
