"""Mistakes in what formulas within lines say of numbers: 2 + 2 = 5.

Of the others, those that hold are a list, and any change is one of the list.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from book.pages import contents
from book.tex.inline import PLAIN, Inline, inline, told
from book.tex.parser import RELATIONS
from tests.mutants import Mutant
from tests.mutants.formulas import changes, nothing

RELATION = re.compile("|".join(map(re.escape, sorted(RELATIONS, reverse=True))))


@dataclass
class Changed(Mutant):
    """A formula with one change."""

    source: Inline

    def survives(self) -> bool:
        of = self.source
        return not told(of.page, of.line, of.section, self.after).fault


def mutants() -> Iterator[Changed]:
    for page in contents()["en"]:
        for one in inline(page):
            if not one.arithmetic:
                continue
            before, place = one.tex, (page.name.removesuffix(".md"), f"#{one.section}")
            for start, end, other in sorted(set(changes(before))):
                if not nothing(before, start, other) and tells(before, start, other):
                    after = before[:start] + other + before[end:]
                    yield Changed(*place, f"{page}:{one.line}", before, after, one)


def tells(tex: str, start: int, other: str) -> bool:
    """Does a change here change a number? Not before the last two parts where there are
    symbols, not what is rounded to whole numbers or divided with a rest, and 0 may be
    added or taken, 2 times 2 be 2 and 2."""
    relations = [match.end() for match in RELATION.finditer(tex)]
    symbols = 0 if PLAIN.fullmatch(tex) or len(relations) < 2 else relations[-2]
    whole = re.search(r"\\r(?:floor|ceil)|\\bmod", tex[start:])
    whole = whole or re.search(r"\\bmod *$", tex[:start])
    adds_0 = re.match(r"[+-] *0(?![.\d])", tex[start:])
    return start >= symbols and not whole and not adds_0 and other != "+"
