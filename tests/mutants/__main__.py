"""python3 make.py mutants: is there a mistake that the checks miss?

Alters what the book says, one place at a time, and asks the checks of the place. A
mutant that passes them all is a hole in a check, and the command fails; unless the .py
of the page has it in SAME, with the reason why nothing is wrong:
{(place, before, after): reason}.

By default it tries a sample, which is the same every time. With --all it tries
everything, with names of pages or places all of those: `mutants pooling/max rot180`.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import groupby

from tests.mutants import (
    Key,
    Mutant,
    formulas,
    functions,
    inline,
    outputs,
    prose,
    same,
)

KINDS: dict[str, Callable[[], Iterator[Mutant]]] = {
    "functions": functions.mutants,
    "main results": formulas.of_main_results,
    "other displays": formulas.of_others,
    "numbers within lines": inline.mutants,
    "output digits": outputs.mutants,
    "numbers in prose": prose.of_prose,
    "numbers of alternatives": prose.of_alternatives,
}
SAMPLE = 60  # of each place: all together take some minutes
SEED = 2026


def sample(found: list[Mutant], listed: dict[Key, str]) -> list[Mutant]:
    """Some of each place, in their order, and none that is known to be the same.

    What is drawn of a place does not depend on the others.
    """
    tried = []
    for place, there in groupby(found, of_place):
        left = [mutant for mutant in there if mutant.key not in listed]
        draw = random.Random(f"{SEED} {place}")
        some = draw.sample(range(len(left)), min(SAMPLE, len(left)))
        tried += [left[number] for number in sorted(some)]
    return tried


def of_place(mutant: Mutant) -> tuple[str, str]:
    return mutant.page, mutant.place


def survivors(kind: str, tried: list[Mutant], listed: dict[Key, str]) -> list[Mutant]:
    """Those that no check notices; tells the share that is noticed, place by place."""
    start, found, equal = time.perf_counter(), [], 0
    for (page, place), there in groupby(tried, of_place):
        made = [*there]
        unnoticed = [mutant for mutant in made if mutant.survives()]
        known = sum(mutant.key in listed for mutant in unnoticed)
        noticed, wrong = len(made) - len(unnoticed), len(made) - known
        same = f", {known} say the same" if known else ""
        print(f"{page:24s}{place:28s}{noticed:4d} of {wrong}{same}", flush=True)
        found, equal = found + unnoticed, equal + known
    wrong = len(tried) - equal
    noticed = len(tried) - len(found)
    print(
        f"{kind}: {noticed} of {wrong} noticed ({noticed / max(wrong, 1):.1%}), "
        f"{equal} say the same, {time.perf_counter() - start:.0f} s"
    )
    return found


def main(arguments: list[str]) -> None:
    names = {argument for argument in arguments if argument != "--all"}
    every = {kind: [*make()] for kind, make in KINDS.items()}
    known = {name for found in every.values() for m in found for name in of_place(m)}
    if unknown := sorted(names - known):
        sys.exit(f"make.py: no mutant is of a page or a place {', '.join(unknown)}")
    listed, unnoticed = same(), []
    for kind, found in every.items():
        tried = [m for m in found if names & {*of_place(m)}] if names else found
        tried = tried if arguments else sample(tried, listed)
        unnoticed += survivors(kind, tried, listed)
    holes = [mutant for mutant in unnoticed if mutant.key not in listed]
    for mutant in holes:
        print(f"\nNo check notices {mutant}")
    # Of a place that is gone nothing was tried, and its entry is wrong as well.
    wrong = {key for key in listed if arguments and (not names or names & {*key[:2]})}
    wrong -= {mutant.key for mutant in unnoticed}
    for key in sorted(wrong):
        print(f"\nListed as saying the same, but noticed or gone: {key}")
    sys.exit(bool(holes or wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
