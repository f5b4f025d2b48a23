"""What becomes of every displayed formula of a page: is it true of numbers?

A display is evaluated (all parts of each chain agree, for all values of the indices, in
every world of the vocabulary), arithmetic (so are its numbers), a definition (of what a
later formula of the page uses) or marked: the page says why it is none of these.

    <!-- check: r = 0 -->       the formula below holds where this does
    <!-- unchecked: a plan -->  the formula below is no claim, and why
"""

import re
from dataclasses import dataclass, field

from book import sessions
from book.pages import STEP, Page
from book.tex.claim import Claim
from book.tex.evaluator import Wrong
from book.tex.functions import disagreements
from book.tex.parser import Unread
from book.tex.rounding import ROUNDED
from book.tex.tree import Number
from book.tex.vocabulary import Vocabulary, worded
from book.tex.world import Unknown, World

KINDS = ("evaluated", "arithmetic", "definition", "marked")
NUMBER = re.compile(r"-?\d+\.\d+")
ROW = re.compile(rf"{NUMBER.pattern}(?:\s*&\s*{NUMBER.pattern})*")  # of a matrix
# Of arrays that do not fit, or of something that is no number.
NO_VALUE = (ArithmeticError, LookupError, TypeError, ValueError)


@dataclass
class Display:
    """What became of a display; faults are lines that say what is wrong."""

    page: Page
    line: int
    tex: str
    labels: list[str]
    kind: str = ""
    why: str = ""  # it is marked
    comparisons: int = 0
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @property
    def main(self) -> bool:
        return any(not label.startswith(STEP) for label in self.labels)


def displays(page: Page) -> list[Display]:
    """What becomes of each display of a page, in its order."""
    found: list[Display] = []
    for piece, words in worded(page):
        display = Display(page, piece.line, piece.display, piece.labels)
        notes = page.notes(piece)
        if "unchecked" in notes:
            display.kind, display.why = "marked", "; ".join(notes["unchecked"])
        else:
            judge(display, words, notes.get("check", []))
        found.append(display)
        display.faults += unprinted(display)
    used = set().union(*(d.uses for d in found if d.kind == "evaluated"))
    for display in found:
        for name in sorted(display.defines - used):
            display.faults.append(
                f"{name} is defined, but no evaluated formula uses it"
            )
    return found


def judge(display: Display, words: Vocabulary, conditions: list[str]) -> None:
    """Evaluates a display in all worlds of its vocabulary."""
    kinds: set[str] = set()
    compared: list[World] = []  # not those that the conditions leave out
    try:
        for world in words.worlds:
            claim = Claim(display.tex, world, conditions)
            kinds |= claim.kinds()
            display.comparisons += claim.comparisons
            display.defines |= claim.defines
            display.uses |= claim.evaluator.used
            if claim.comparisons:
                compared.append(world)
    except (Unread, Unknown, Wrong) as error:
        display.faults.append(str(error))
        return
    except NO_VALUE as error:
        display.faults.append(f"has no value: {type(error).__name__}: {error}")
        return
    if not kinds:
        display.faults.append(
            "nothing was compared: the condition leaves no case, or there is no claim"
        )
    display.kind = next((kind for kind in KINDS if kind in kinds), "")
    if display.kind == "evaluated" and not display.faults:
        display.faults += [*disagreements(display.tex, display.labels, compared)]


def unprinted(display: Display) -> list[str]:
    """A rounded number is one that the page's code has or prints, and the rounded row
    of a matrix stands there as a row: calculation would not tell a number from its
    neighbours."""
    rounded = [
        run
        for run in sorted({*ROW.findall(display.tex)})
        if Number(NUMBER.search(run)[0]).decimals >= ROUNDED
    ]
    if not rounded:
        return []
    names = {include.session for include in display.page.includes}
    texts = [sessions.parse(sessions.SNIPPETS / f"{name}.md").text for name in names]
    printed = [[float(number) for number in NUMBER.findall(text)] for text in texts]
    return [
        f"{run} is rounded, and nothing in the page's code comes to it"
        for run in rounded
        if not any(stands(NUMBER.findall(run), numbers) for numbers in printed)
    ]


def stands(run: list[str], numbers: list[float]) -> bool:
    """Are some of the numbers, one after the other, those of the run when rounded?"""
    if len(run) == 1:  # its sign may be an operator
        run, numbers = [run[0].lstrip("-")], [abs(number) for number in numbers]
    places = [len(text.partition(".")[2]) for text in run]
    return any(
        all(
            f"{number:.{decimals}f}" == text
            for number, decimals, text in zip(there, places, run, strict=True)
        )
        for there in zip(*(numbers[n:] for n in range(len(run))), strict=False)
    )
