"""How many of the book's wrong functions check_gradient names on a reader's arrays.

Each is called on drawn cases, and its array is handed to check_gradient with the right
one as reference: with the arguments of the layer, and without. Cases in which the
mistake does not show do not count, nor those that a function refuses.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.bench import SMALLEST, goal
from tests.drawn import arrays, cases, known, module, shows

CASES = 2 if SMALLEST else 25
SHARE = 80  # of the wrong functions, in %


def wrong_arrays() -> Iterator[tuple[str, str, dict, np.ndarray, np.ndarray]]:
    """Rows (function, its mistake, arguments, its array, the right one)."""
    for label, result in known().items():
        for given, right in cases(label, CASES):
            for mistake, wrong in result.wrong.items():
                try:
                    with np.errstate(all="ignore"):
                        found = arrays(wrong(**given))
                except ValueError:
                    continue
                for one, other in zip(found, right, strict=True):
                    if shows(one, other):
                        yield wrong.__name__, mistake, given, one, other


def main(_: Path) -> None:
    check_gradient = module().check_gradient
    every, rightly, alone, others = Counter(), Counter(), Counter(), Counter()
    for name, mistake, given, mine, right in wrong_arrays():
        report = check_gradient(mine, right, **given)
        told = f"likely  {mistake} (" in report
        every[name] += 1
        rightly[name] += told
        others[name] += not told and "/#" in report
        alone[name] += "No likely" not in check_gradient(mine, right)
    shares = {name: rightly[name] / every[name] for name in every}
    missed = sorted(name for name, share in shares.items() if share < 0.8)
    for name in missed:
        print(f"{shares[name]:4.0%} of {every[name]:3d} arrays  {name}")
    total = sum(every.values())
    print(
        f"of {total} arrays, {sum(rightly.values()) / total:.0%} named with the layer"
    )
    print(f"{sum(alone.values()) / total:.0%} have some name without it")
    goal(
        "not named, of the wrong functions",
        100 * len(missed) / len(every),
        100 - SHARE,
        "%",
    )
    goal("named by another mistake alone", sum(others.values()), 0)
