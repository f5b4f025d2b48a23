"""What becomes of every displayed formula of a page: is it true of numbers?

A display is evaluated (all parts of each chain agree, for all values of the indices, in
every world of the vocabulary), arithmetic (so are its numbers), a definition (of what a
later formula of the page uses) or marked: the page says why it is none of these.

    <!-- check: r = 0 -->       the formula below holds where this does
    <!-- unchecked: a plan -->  the formula below is no claim, and why
"""

import ast
import contextlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from book import parts, sessions
from book.pages import STEP, Page, Token
from book.results import Result, function, results
from book.tex.evaluator import (
    CLOSE,
    NEAR,
    Evaluator,
    Wrong,
    close,
    parted,
    spelled,
    split,
)
from book.tex.parser import INEQUALITIES, Unread, statements
from book.tex.tree import (
    Call,
    Chain,
    Derivative,
    Index,
    Matrix,
    Name,
    Node,
    Number,
    Op,
    every,
    numeric,
)
from book.tex.world import Unknown, World

KINDS = ("evaluated", "arithmetic", "definition", "marked")
# A number with so many decimals is rounded, one with fewer is what it says.
ROUNDED = 3
DECIMAL = re.compile(r"\d+\.\d+")
FEWEST = 3  # worlds of a page
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


# --- Vocabularies ------------------------------------------------------------


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


# --- A page ------------------------------------------------------------------


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
            before = display.comparisons
            kinds |= Claim(display, world, conditions).kinds()
            if display.comparisons > before:
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
        display.faults += [*disagreements(display, compared)]


class Claim:
    """A display in one world."""

    def __init__(self, display: Display, world: World, conditions: list[str]):
        self.display, self.world, self.evaluator = display, world, Evaluator(world)
        names, functions = world.names, {*world.functions}
        self.statements = statements(display.tex, names, functions)
        self.conditions = [
            node for text in conditions for node in statements(text, names, functions)
        ]

    def kinds(self) -> set[str]:
        """What the statements are; raises Wrong, Unknown or Unread."""
        found = set()
        claims = [node for node in self.statements if not condition(node)]
        beside = [node for node in self.statements if condition(node)]
        if not claims:
            claims, beside = beside, []
        # What a line below defines may be used above.
        for node in sorted(claims, key=lambda node: not self.new(node)):
            found |= self.claim(node, beside)
        self.display.uses |= self.evaluator.used
        return found

    def claim(self, node: Node, beside: list[Node]) -> set[str]:
        if not isinstance(node, Chain):
            raise Unknown(f"no claim: {spelled(node)}")
        kinds = set()
        if self.new(node):
            self.define(node)
            if isinstance(node.parts[0], Op):  # s(m), which is a function now
                name, argument = node.parts[0].args
                call = Call(name.key, (argument,))
                node = Chain((call, *node.parts[1:]), node.relations)
            kinds.add("definition")
            if len(node.parts) == 2:
                return kinds
        try:
            compared = self.compared(node, beside)
        except Unknown:
            # Symbols may be unknown only where the vocabulary is empty.
            if self.world.names:
                raise
            compared = 0
            pairs = [*self.pairs(node)]
            numbers = [(a, r, b) for a, r, b in pairs if numeric(a) and numeric(b)]
            if not any(told(a) or told(b) for a, _, b in numbers):
                raise
            for one, relation, other in numbers:
                self.agree(one, relation, other)
            kinds.add("arithmetic")
        if compared:
            alone = all(numeric(part) for part in node.parts)
            kinds.add("arithmetic" if alone else "evaluated")
            self.display.comparisons += compared
        return kinds

    # --- Definitions

    def new(self, node: Node) -> bool:
        """Does it tell what an unknown symbol is?"""
        if not isinstance(node, Chain):
            return False
        base, items = split(node.parts[0])
        match node.parts[0]:
            case Op("of", (Name() as base, Name(argument))):  # s(m) = ...
                items = (Name(argument),)
        return (
            node.relations[0] == "="
            and isinstance(base, Name)
            and not self.evaluator.known(base.key)
            and base.key not in self.world.functions
            and all(
                self.evaluator.index(item) or isinstance(node.parts[0], Op)
                for item in items or ()
            )
            and base not in [n for part in node.parts[1:] for n in every(part)]
        )

    def define(self, node: Chain) -> None:
        """The symbol is an array over the ranges of its indices, or a function."""
        body = node.parts[1]
        match node.parts[0]:
            case Op("of", (Name(key), Name(argument))):
                self.world.define(key, lambda value: self.at({argument: value}, body))
                self.display.defines.add(key)
                return
            case Name(key):
                self.world.set(key, self.evaluator.value(body))
            case Index(Name(key), items):
                names = [item.key for item in items]
                tree = Op("tuple", (body, *items))
                spaces = self.evaluator.spaces(tree, names)
                entries = [
                    np.asarray(self.evaluator.value(body), float)
                    for _ in self.evaluator.each(spaces)
                ]
                shape = tuple(map(len, spaces.values())) + entries[0].shape
                self.world.set(key, np.reshape(entries, shape))
        self.display.defines.add(key)

    def at(self, frame: dict, body: Node):
        evaluator = Evaluator(self.world)
        evaluator.frame = frame
        return evaluator.value(body)

    # --- Comparisons

    def compared(self, node: Chain, beside: list[Node]) -> int:
        """How many comparisons hold; raises Wrong at the first that does not."""
        evaluator = self.evaluator
        spaces = evaluator.spaces(Op("tuple", (node, *beside)))
        for one in beside:
            self.tight(one, spaces)
        # Of two formulas in a display a condition may be on the indices of one.
        conditions = [c for c in self.conditions if {*evaluator.alone(c)} <= {*spaces}]
        count = 0
        for frame in evaluator.each(spaces):
            if not all(evaluator.holds(one) for one in conditions):
                continue
            try:
                if {"iff", "then"} & {*node.relations}:
                    count += self.implied(node)
                    continue
                for one, relation, other in self.pairs(node):
                    self.agree(one, relation, other)
                    count += 1
            except Wrong as error:
                raise Wrong(f"{error}; {self.where(frame)}") from None
        return count

    def pairs(self, node: Chain) -> Iterator[tuple[Node, str, Node]]:
        yield from zip(node.parts, node.relations, node.parts[1:], strict=False)

    def agree(self, one: Node, relation: str, other: Node) -> None:
        small = [n for part in (one, other) for n in every(part) if vanishes(n)]
        if small and "o" not in self.world.functions:
            return self.vanishing(one, other, *small[0].args)
        a, b = self.evaluator.value(one), self.evaluator.value(other)
        numbers = numeric(one) and numeric(other)
        if relation == "=":
            holds = equal(a, b) if numbers else close(a, b)
            holds = holds or within(a, b, rounding(one) + rounding(other))
        elif relation == "approx" and numbers:
            holds = within(a, b, last_place(other) / 2 or NEAR * abs(b))
        else:
            holds = self.evaluator.holds(Chain((one, other), (relation,)))
        if not holds:
            said = f"{spelled(one)} {relation} {spelled(other)}"
            raise Wrong(f"{said} is not so: {apart(a, b)}")

    def vanishing(self, one: Node, other: Node, bound: Node) -> None:
        """What o(h^2) stands for vanishes faster than h^2, but not much faster: that is
        seen where h is halved, unless it is 0 by itself."""
        (name,) = {node.key for node in every(bound) if isinstance(node, Name)}
        kept, rests, bounds = self.world.values[name], [], []
        for step in (kept, kept / 2):
            self.world.values[name] = step
            try:
                rest = self.evaluator.value(one) - self.evaluator.value(other)
                bounds.append(float(self.evaluator.value(bound)))
            finally:
                self.world.values[name] = kept
            rests.append(float(np.max(np.abs(rest))))
        if rests[0] > CLOSE**2:
            power, order = (np.log2(a / b) for a, b in (bounds, rests))
            if not power + 0.5 < order < power + 2.5:
                told = f"{spelled(one)} = {spelled(other)} is not so"
                raise Wrong(f"{told}: the rest goes like {name}^{order:.1f}")

    def implied(self, node: Chain) -> int:
        if "then" in node.relations:
            premise, then = parted(node, "then")
            if not self.evaluator.holds(premise):
                return 0
            return self.compared(then, [])
        if not self.evaluator.holds(node):
            raise Wrong(f"not so: {spelled(node)}")
        return 1

    def tight(self, node: Node, spaces: dict[str, range]) -> None:
        """0 <= i < O beside an equation says how far i runs: neither less nor more."""
        evaluator = self.evaluator
        mine = {n: s for n, s in spaces.items() if n in evaluator.alone(node)}
        if not mine:
            if not evaluator.holds(node):
                raise Wrong(f"{spelled(node)} does not hold; {self.where({})}")
            return
        for frame in evaluator.each(mine):
            if not evaluator.holds(node):
                raise Wrong(f"{spelled(node)} leaves out {frame}")
        for name, space in mine.items():
            for outside in (-1, len(space)):
                frame = {**{n: 0 for n in mine}, name: outside}
                evaluator.frame, kept = {**evaluator.frame, **frame}, evaluator.frame
                try:
                    if evaluator.holds(node):
                        raise Wrong(f"{spelled(node)} lets {name} be {outside}")
                finally:
                    evaluator.frame = kept

    def where(self, frame: dict) -> str:
        sizes = {
            key: value
            for key, value in self.world.sizes.items()
            if isinstance(value, int)
        }
        told = ", ".join(f"{k} = {v}" for k, v in {**sizes, **frame}.items())
        return f"where {told}" if told else "by itself"


def vanishes(node: Node) -> bool:
    """o(h)"""
    return isinstance(node, Call) and node.name == "o"


def condition(node: Node) -> bool:
    """0 <= i < O says where something holds; g_k >= 0, of entries, is a claim."""
    return (
        isinstance(node, Chain)
        and set(node.relations) <= INEQUALITIES
        and not any(isinstance(part, Index) for part in every(node))
    )


def told(node: Node) -> bool:
    """Of numbers, and of more than a 0 or 1."""
    return numeric(node) and node not in (Number("0"), Number("1"))


def apart(a, b) -> str:
    """Two values that differ: the shapes, or the first entries that do."""
    a, b = (getattr(v, "array", v) for v in (a, b))
    kind = complex if np.iscomplexobj(a) or np.iscomplexobj(b) else float
    a, b = np.asarray(a, kind), np.asarray(b, kind)
    if a.shape != b.shape:
        return f"shapes {a.shape} and {b.shape}"
    at = np.unravel_index(np.argmax(np.abs(a - b)), a.shape)
    where = f" at {tuple(map(int, at))}" if a.ndim else ""
    return f"{a[at]:.7g} and {b[at]:.7g}{where}"


# --- Rounded numbers ---------------------------------------------------------


def rounding(node: Node) -> float:
    """How far the value of a part is off when its rounded numbers are."""
    literals = [
        n for n in every(node) if isinstance(n, Number) and n.decimals >= ROUNDED
    ]
    if not literals or not numeric(node):
        return 0.0
    if isinstance(node, Number):
        return 0.5 * 10.0**-node.decimals
    total = 0.0
    value = np.asarray(Evaluator(World()).value(node), float)
    for number in set(literals):
        moved = Number(f"{float(number.text) + 0.5 * 10.0**-number.decimals:.9f}")
        there = np.asarray(Evaluator(World()).value(put(node, number, moved)), float)
        total = total + np.abs(there - value)
    return total


def unprinted(display: Display) -> list[str]:
    """A rounded number is one that the page's code has or prints: calculation would not
    tell it from its neighbours."""
    rounded = {
        number: decimals
        for number in sorted({*DECIMAL.findall(display.tex)})
        if (decimals := Number(number).decimals) >= ROUNDED
    }
    if not rounded:
        return []
    names = {include.session for include in display.page.includes}
    texts = [sessions.parse(sessions.SNIPPETS / f"{name}.md").text for name in names]
    printed = [float(number) for text in texts for number in DECIMAL.findall(text)]
    return [
        f"{number} is rounded, and no number of the page's code comes to it"
        for number, decimals in rounded.items()
        if not any(f"{other:.{decimals}f}" == number for other in printed)
    ]


def equal(a, b) -> bool:
    """Of numbers alone nothing is left but the rounding of float64."""
    if np.shape(a) != np.shape(b):
        return False
    a, b = np.asarray(a, float), np.asarray(b, float)
    scale = max(1e-3, np.max(np.abs(a)), np.max(np.abs(b)))
    return bool(np.max(np.abs(a - b)) <= 1e-12 * scale)


def last_place(node: Node) -> float:
    """Of a number as it is written, also before a power of ten: 5.55 * 10^-17."""
    match node:
        case Number():
            return 10.0**-node.decimals
        case Op("*", (Number() as mantissa, Op("pow", (Number("10"), _)) as power)):
            return last_place(mantissa) * Evaluator(World()).value(power)
    return 0.0


def put(node: Node, old: Node, new: Node) -> Node:
    """The tree with another leaf."""
    if node == old:
        return new
    match node:
        case Op(sign, args):
            return Op(sign, tuple(put(a, old, new) for a in args))
        case Matrix(rows):
            return Matrix(tuple(tuple(put(c, old, new) for c in row) for row in rows))
    return node


def within(a, b, margin) -> bool:
    if np.shape(a) != np.shape(b) or not np.any(margin):
        return False
    far = np.abs(np.asarray(a, float) - np.asarray(b, float))
    return bool(np.all(far <= margin * (1 + 1e-12)))


# --- Formula = function ------------------------------------------------------

SETTINGS = {"stride": "S", "dilation": "D", "groups": "G"}
GRADIENTS = ("x", "W", "b")  # what a backward function returns, in the book's order


@cache
def tagged() -> dict[str, Result]:
    return results()


def disagreements(display: Display, compared: list[World]) -> Iterator[str]:
    """Where the function of a main result is not what its formula says."""
    known = tagged()
    for label in display.labels:
        if label.startswith(STEP) or label not in known:
            continue
        call = function(known[label])
        for world in compared:
            if world.arguments is None:
                continue
            try:
                yield from difference(display, world, label, call)
            except (Unknown, Wrong) as error:
                yield f"{call.__name__}: {error}"


def difference(
    display: Display, world: World, label: str, call: Callable
) -> Iterator[str]:
    evaluator = Evaluator(world)
    arguments = {}
    for name, parameter in inspect.signature(call).parameters.items():
        key = SETTINGS.get(name, name)
        if name in world.arguments:
            take = world.arguments[name]
            arguments[name] = (
                take(world.values) if callable(take) else world.values[take]
            )
        elif key in world.names:
            arguments[name] = evaluator.look(key)
        elif parameter.default is parameter.empty:
            raise Unknown(f"the world has no argument {name}")
    try:
        got = call(**arguments)
    except Exception as error:
        raise Wrong(f"raises {type(error).__name__}: {error}") from error
    if isinstance(got, tuple):
        wanted = [[world.jacobian("ell", name)] for name in GRADIENTS]
    elif label in world.results:
        got, wanted = (got,), [[world.results[label](world.values)]]
    else:
        said = statements(display.tex, world.names, set(world.functions))
        left = [node.parts[0] for node in said if not condition(node)]
        # A row may say what a function is.
        sides = [whole(side) for side in left if not isinstance(side, Call)]
        got, wanted = (got,), [[evaluator.value(side) for side in sides]]
    for one, others in zip(got, wanted, strict=True):
        one = np.asarray(one)
        if not any(alike(one, other) for other in others):
            yield f"{call.__name__} is not the formula: {apart(one, others[0])}"


def alike(one: np.ndarray, other) -> bool:
    """Of one shape and value; one example and one channel may have axes of length 1."""
    if one.squeeze().shape == np.squeeze(other).shape:
        one = one.reshape(np.shape(other))
    return one.shape == np.shape(other) and close(one, other)


def whole(node: Node) -> Node:
    """The array of which the left side of a formula is an entry."""
    match node:
        case Index(base, _):
            return whole(base)
        case Derivative(top, bottom):
            return Derivative(whole(top), whole(bottom))
    return node
