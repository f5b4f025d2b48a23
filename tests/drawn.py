"""Cases of the main results, as their checks draw them, without the oracles: arguments
of the right function and what it gives. And check_gradient with the whole book, which
needs neither TensorFlow nor a run of the sessions.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from inspect import signature
from types import ModuleType
from typing import NamedTuple

import numpy as np

from book import checker
from book.checks import checks, repeat, results_of

LISTS = {"operands", "weights"}  # that check_gradient takes


class Known(NamedTuple):
    """A main result in the file: its right function, and its wrong ones by mistake."""

    right: Callable
    wrong: dict[str, Callable]


class Enough(Exception):
    """The arguments are known; the check need not compare anything."""


@cache
def module() -> ModuleType:
    """The file check_gradient.py, as a reader imports it."""
    made = ModuleType("check_gradient")
    exec(compile(checker.source(), "check_gradient.py", "exec"), vars(made))
    return made


@cache
def known() -> dict[str, Known]:
    """What the file knows, by label."""
    rows = zip(checker.ordered(), module().BOOK, strict=True)
    return {
        result.label: Known(right, {told["en"]: call for call, told, _ in wrong})
        for result, (right, wrong) in rows
    }


def shows(mine: np.ndarray, right: np.ndarray) -> bool:
    """Can a report tell them apart, and from an answer that nobody has tried?"""
    finite = np.all(np.isfinite(mine)) and np.all(np.isfinite(right))
    if not (finite and mine.any() and right.any()):
        return False
    return mine.shape != right.shape or not np.allclose(mine, right, 1e-5, 1e-7)


def cases(label: str, number: int) -> list[tuple[dict, list[np.ndarray]]]:
    """Rows (arguments by name, right arrays); none of a function of lists that
    check_gradient does not take."""
    check, right, found = checks()[label], known()[label].right, []

    def recorded(*arguments):
        names = signature(right).bind(*arguments).arguments
        found.append((dict(names), results_of(right(*arguments))))
        raise Enough

    def run(draw):
        with suppress(Enough):
            check(recorded, draw)

    repeat(run, number)
    return [
        (given, mine)
        for given, mine in found
        if not any(of_arrays(v) for n, v in given.items() if n not in LISTS)
    ]


def of_arrays(value) -> bool:
    return isinstance(value, list) and any(isinstance(v, np.ndarray) for v in value)


def wrong_arrays(
    label: str, number: int
) -> Iterator[tuple[str, str, dict, np.ndarray, np.ndarray]]:
    """Rows (wrong function, its mistake, arguments, its array, the right one), where
    the mistake shows and nothing was refused."""
    for given, right in cases(label, number):
        for mistake, wrong in known()[label].wrong.items():
            try:
                with np.errstate(all="ignore"):
                    found = results_of(wrong(**given))
            except ValueError:
                continue
            for mine, reference in zip(found, right, strict=True):
                if shows(mine, reference):
                    yield wrong.__name__, mistake, given, mine, reference
