"""Which worlds the formulas of a page or of a section are to hold in.

Those that the page's .py makes; in a section by hand, of the numbers that its text and
its code give.
"""

import ast
import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from book import parts, sessions
from book.pages import Page, Token
from book.tex.evaluator import Evaluator, close
from book.tex.parser import Unread, statements
from book.tex.tree import Chain, Index, Name, Number, Op, numeric
from book.tex.world import Unknown, World

FEWEST = 3  # worlds of a page


@dataclass
class Vocabulary:
    """The worlds of a page or of a section; in one by hand, the text gives numbers."""

    part: parts.Part | None
    worlds: list[World]


def takes_given(make: Callable) -> bool:
    return bool(inspect.signature(make).parameters)


def makers(page: str) -> dict[str, parts.Part]:
    """The functions that make the worlds of a page, by section; "" is the page."""
    module = parts.modules().get(page.removesuffix(".md"))
    found = vars(module).get("__parts__", []) if module else []
    return {part.name: part for part in found if part.kind == "worlds"}


def vocabulary(page: Page, section: str) -> Vocabulary:
    part = makers(page.name).get(section)
    if part is None:
        return Vocabulary(None, [World()])
    if takes_given(part.function):
        made = [*part.function(given(page, section))]
    else:
        made = [*part.function()]
    few = (len(made) < FEWEST and part.name == "") or 1 < len(made) < FEWEST
    if few and not takes_given(part.function):
        raise part.fault(
            f"fewer than {FEWEST} worlds: chance could make a formula hold"
        )
    return Vocabulary(part, made or [World()])


# --- What a section gives ----------------------------------------------------


class Given(dict):
    """What a section gives. Raises Unknown where it does not give a name, or twice."""

    def __init__(self, where: str, numbers: dict):
        super().__init__(numbers)
        self.where = where

    def __missing__(self, key: str):
        raise Unknown(f"{self.where}: the text gives no {key}, or more than one")


def given(page: Page, section: str) -> Given:
    """The numbers that a section gives: $x = (1, 2, 0.5)$, and x = np.array(...).

    A name with two values is left out.
    """
    found: dict[str, np.ndarray] = {}
    twice: set[str] = set()
    rows: dict[str, dict] = {}  # of $x_{0,1} = (3, -1, 2)$

    def enter(key: str, value) -> None:
        value = np.asarray(value, float)
        if key in found and not close(np.squeeze(found[key]), np.squeeze(value)):
            twice.add(key)
        found[key] = value

    inside = within_section(page, section)
    for piece in page.includes:
        if piece.line in inside:
            for name, value in written(piece):
                enter(name, value)
    formulas = [(p.line, p.display) for p in page.displays]
    formulas += [(span.line, span.inline) for span in page.inline]
    for _, tex in sorted(pair for pair in formulas if pair[0] in inside):
        try:
            said = statements(tex, (), ())
        except Unread:
            continue
        for node in said:
            match node:
                case Chain((Name(key), value), ("=",)) if numeric(value):
                    enter(key, Evaluator(World()).value(value))
                case Chain((Index(Name(key), items), Op("tuple", _) as value), ("=",)):
                    if numeric(value) and all(isinstance(n, Number) for n in items):
                        at = tuple(int(item.value) for item in items)
                        rows.setdefault(key, {})[at] = Evaluator(World()).value(value)
    for key, parts_of in rows.items():
        shape = tuple(n + 1 for n in np.max([*parts_of], axis=0))
        if len(parts_of) == np.prod(shape):
            enter(
                key,
                np.reshape([parts_of[at] for at in np.ndindex(shape)], (*shape, -1)),
            )
    once = {key: value for key, value in found.items() if key not in twice}
    return Given(f"{page}, section {section}", once)


def within_section(page: Page, section: str) -> range:
    """The lines of a section, with those of the headings below it."""
    headings = page.headings
    at = next(n for n, heading in enumerate(headings) if heading.anchor == section)
    depth, start = len(headings[at].level), headings[at].line
    ends = [h.line for h in headings[at + 1 :] if len(h.level) <= depth]
    return range(start, ends[0] if ends else page.text.count("\n") + 2)


def written(include: Token) -> Iterator[tuple[str, object]]:
    """The literal arrays and numbers of the code that a page shows here."""
    session = sessions.parse(sessions.SNIPPETS / f"{include.session}.md")
    for block in session.of(include.section):
        for node in ast.parse(block.code).body:
            match node:
                case ast.Assign([ast.Name(name)], value):
                    with contextlib.suppress(ValueError, TypeError):
                        yield name, literal(value)


def literal(node: ast.expr) -> np.ndarray:
    """[1, 2], np.array([1, 2]), np.array([1, 2]).reshape(2, 1). Else a ValueError."""
    match node:
        case ast.Call(ast.Attribute(array, "reshape"), shape):
            return np.reshape(literal(array), [ast.literal_eval(n) for n in shape])
        case ast.Call(_, [array, *_]):
            return literal(array)
    return np.asarray(ast.literal_eval(node), float)


# --- Of a line ---------------------------------------------------------------


def vocabularies(page: Page) -> Callable[[int], Vocabulary]:
    """What a line's vocabulary is: that of the nearest heading that has one."""
    made: dict[str, Vocabulary] = {}
    known = makers(page.name)

    def at(line: int) -> Vocabulary:
        section = next((a for a in page.above(line) if a in known), "")
        if section not in made:
            made[section] = vocabulary(page, section)
        return made[section]

    return at


def worded(page: Page) -> Iterator[tuple[Token, Vocabulary]]:
    """Each display with its vocabulary."""
    at = vocabularies(page)
    for piece in page.displays:
        yield piece, at(piece.line)
