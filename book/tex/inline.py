"""Formulas within lines: which of them are true of numbers?

What they say of numbers alone must be true. Of the others many are no claims: a symbol,
the H = 5 of an example, a condition. Those that hold in the vocabulary of their section
are found here, so that a test can see to it that they go on holding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from book.pages import Page
from book.tex.claim import Claim
from book.tex.displays import NO_VALUE, Display, unprinted
from book.tex.evaluator import Wrong
from book.tex.parser import INEQUALITIES, Unread
from book.tex.rounding import equal
from book.tex.tree import Chain, Name, Node, numeric
from book.tex.vocabulary import Vocabulary, vocabularies
from book.tex.world import Unknown, World

WITHIN = ("numbers", "held")  # what is counted of them
NOT_SO = (Unread, Unknown, Wrong, *NO_VALUE)
# A statement of numbers alone, with nothing but these signs.
PLAIN = re.compile(
    r"(?=.*\d)(?=.*(?:[=<>]|\\(?:le|ge|ne|approx)\b))"
    r"(?:[^\\a-zA-Z]|\\[^a-zA-Z]|\\(?:cdot|times|t?frac|sqrt|bmod|approx|le|ge|ne|pm"
    r"|[lr](?:floor|ceil)|max|min|log|exp|[bB]igg?[lr]?)(?![a-zA-Z]))*"
)


@dataclass(frozen=True)
class Inline:
    """A formula within a line; a fault is a line that says what is wrong."""

    page: Page
    line: int
    section: str  # the anchor of the heading above it
    tex: str
    arithmetic: bool  # it says something of numbers alone
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.page.name}#{self.section}: {self.tex}"


class Within(Claim):
    """It defines nothing: what it says of an unknown symbol cannot be held."""

    def new(self, node: Node) -> bool:
        return False


def inline(page: Page) -> Iterator[Inline]:
    """The formulas within lines of a page, in order, and what is wrong with numbers."""
    for span in page.inline:
        section = next(iter(page.above(span.line)), "")
        yield told(page, span.line, section, " ".join(span.inline.split()))


def told(page: Page, line: int, section: str, tex: str) -> Inline:
    """What a formula says of numbers alone."""
    try:
        found, fault = arithmetic(Display(page, line, tex, [])), ""
    except NOT_SO as error:
        found, fault = True, str(error)
    return Inline(page, line, section, tex, found, fault)


def held(page: Page) -> Iterator[Inline]:
    """Those that hold in their vocabulary, with what the displays define."""
    at = vocabularies(page)
    for piece in page.displays:
        define(piece.display, at(piece.line))
    for one in inline(page):
        if holds(one.tex, at(one.line)):
            yield one


def define(tex: str, words: Vocabulary) -> None:
    """Enters what a display defines."""
    for world in words.worlds:
        try:
            claim = Claim(tex, world, [])
            for node in claim.statements:
                if claim.new(node):
                    claim.define(node)
        except NOT_SO:
            return  # the check of the displays says it


def arithmetic(display: Display) -> bool:
    """Are there numbers alone on both sides of a relation?

    Raises Wrong where it is not so, Unread where a formula of numbers cannot be read.
    """
    try:
        claim = Within(display.tex, World(), [])
    except Unread:
        if PLAIN.fullmatch(display.tex):
            raise
        return False
    pairs = [
        pair
        for node in claim.statements
        if isinstance(node, Chain)
        for pair in claim.pairs(node)
        if numeric(pair[0]) and numeric(pair[2])
    ]
    for one, relation, other in pairs:
        claim.agree(one, relation, other)
        values = claim.evaluator.value(one), claim.evaluator.value(other)
        if relation == "=" and not equal(*values):
            for fault in unprinted(display):  # it holds but for rounding
                raise Wrong(fault)
    return bool(pairs)


def holds(tex: str, words: Vocabulary) -> bool:
    """Is it a claim, and true in all worlds of its vocabulary?"""
    if words.part is None:
        return False
    try:
        with np.errstate(all="ignore"):
            return all(so(Within(tex, world, [])) for world in words.worlds)
    except NOT_SO:
        return False


def so(claim: Within) -> bool:
    """Is it so in its world? Raises one of NOT_SO, too."""
    computed = {*claim.world.forward, *claim.world.gradients}
    return "evaluated" in claim.kinds() and not all(
        assumed(node, computed) for node in claim.statements
    )


def assumed(node: Node, computed: set[str]) -> bool:
    """H = 5 or C = F, of what is not computed; H >= K, which is mostly a condition."""
    return isinstance(node, Chain) and (
        {*node.relations} <= INEQUALITIES | {"approx"}
        or all(
            numeric(part) or (isinstance(part, Name) and part.key not in computed)
            for part in node.parts
        )
    )
