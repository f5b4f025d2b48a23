"""What a formula is once it is read."""

from dataclasses import dataclass
from fractions import Fraction


class Node:
    """Part of a formula."""


@dataclass(frozen=True)
class Number(Node):
    text: str

    @property
    def value(self) -> int | Fraction:
        exact = Fraction(self.text)
        return int(exact) if self.decimals == 0 else exact

    @property
    def decimals(self) -> int:
        return len(self.text.partition(".")[2])


@dataclass(frozen=True)
class Name(Node):
    """A symbol with all that belongs to it, K_e or z^l-1; an index has a Name, too."""

    key: str


@dataclass(frozen=True)
class Index(Node):
    """x_{i+u, c}"""

    base: Node
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Op(Node):
    """A sign between, before or behind what it takes: +, *, star, T, tuple, ..."""

    sign: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Call(Node):
    """A function and its arguments."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Big(Node):
    r"""\sum, \prod, \max or \min over what stands below (and above) it."""

    kind: str
    below: tuple[Node, ...]
    above: Node | None
    body: Node


@dataclass(frozen=True)
class Derivative(Node):
    top: Node
    bottom: Node


@dataclass(frozen=True)
class Bracket(Node):
    """[i = j]: 1 where it holds, else 0."""

    condition: Node


@dataclass(frozen=True)
class Cases(Node):
    """Values and the conditions under which each holds; none is "otherwise"."""

    rows: tuple[tuple[Node, tuple[Node, ...]], ...]


@dataclass(frozen=True)
class Matrix(Node):
    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Chain(Node):
    """a = b <= c"""

    parts: tuple[Node, ...]
    relations: tuple[str, ...]


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Index(base, items):
            return (base, *items)
        case Op(_, args) | Call(_, args):
            return args
        case Big(_, below, above, body):
            return (*below, *([above] if above else []), body)
        case Derivative(top, bottom):
            return (top, bottom)
        case Bracket(condition):
            return (condition,)
        case Cases(rows):
            return tuple(n for value, when in rows for n in (value, *when))
        case Matrix(rows):
            return tuple(cell for row in rows for cell in row)
        case Chain(parts, _):
            return parts
    return ()


def every(node: Node):
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from every(child)


def numeric(node: Node) -> bool:
    """Of numbers alone?"""
    found = (Name, Derivative, Call)
    return not any(
        isinstance(part, found) and getattr(part, "name", "") not in PLAIN
        for part in every(node)
    )


# Functions that need no vocabulary.
PLAIN = {"log", "exp", "sin", "cos", "sqrt", "floor", "ceil", "abs", "max", "min"}
