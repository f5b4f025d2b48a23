"""How many of the book's wrong functions check_gradient names on a reader's arrays.

Each is called on drawn cases, and its array is handed to check_gradient with the right
one as reference: with the arguments of the layer, and without. Cases in which the
mistake does not show do not count, nor those that a function refuses.
"""

from collections import Counter
from pathlib import Path

from tests.bench import SMALLEST, goal
from tests.drawn import known, module, wrong_arrays

CASES = 2 if SMALLEST else 25
SHARE = 80  # of the wrong functions, in %


def main(_: Path) -> None:
    check_gradient = module().check_gradient
    every, rightly, alone, others = Counter(), Counter(), Counter(), Counter()
    found = (row for label in known() for row in wrong_arrays(label, CASES))
    for name, mistake, given, mine, right in found:
        report = check_gradient(mine, right, **given)
        told = f"likely  {mistake} (" in report
        every[name] += 1
        rightly[name] += told
        others[name] += not told and "/#" in report
        alone[name] += "No likely" not in check_gradient(mine, right)
    shares = {name: rightly[name] / every[name] for name in every}
    missed = sorted(name for name, share in shares.items() if 100 * share < SHARE)
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
