"""The value of a tree in a world.

A free index runs over the axis at which it stands alone, i and j over those of z in
z_{i,j}; it is an error if it stands alone at axes of different lengths.
"""

import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import ceil, floor

import numpy as np

from book.tex.tree import (
    Big,
    Bracket,
    Call,
    Cases,
    Chain,
    Derivative,
    Index,
    Matrix,
    Name,
    Node,
    Number,
    Op,
    children,
    every,
)
from book.tex.world import H, Unknown, World

# Derivatives are central differences, with an error of about 1e-10.
CLOSE = 1e-7
NEAR = 0.05  # ≈


class Wrong(Exception):
    """The formula does not hold, or reads an entry that is not there."""


class Corner:
    """[[a, 0], [0, 0]]: zeros fill the shape, whatever it is."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def filled(self, shape: tuple[int, ...]) -> np.ndarray:
        if any(a > b for a, b in zip(self.array.shape, shape, strict=True)):
            raise Wrong(f"a block of shape {self.array.shape} in {shape}")
        out = np.zeros(shape)
        out[tuple(map(slice, self.array.shape))] = self.array
        return out


# --- What signs mean for arrays ----------------------------------------------


def correlate(x, w):
    """Valid cross-correlation over all axes."""
    if np.ndim(x) != np.ndim(w) or any(
        a < b for a, b in zip(np.shape(x), np.shape(w), strict=True)
    ):
        raise Wrong(f"a correlation of shapes {np.shape(x)} and {np.shape(w)}")
    windows = np.lib.stride_tricks.sliding_window_view(x, np.shape(w))
    return np.tensordot(windows, w, np.ndim(w))


def dilate(a, stride):
    """stride - 1 zeros between neighbours along all axes."""
    out = np.zeros([(n - 1) * stride + 1 for n in np.shape(a)])
    out[(slice(None, None, stride),) * np.ndim(a)] = a
    return out


def starred(sign: str, x, w):
    if np.ndim(x) == 0 or np.ndim(w) == 0:
        raise Wrong("a star of numbers")  # a product in the wrong sign
    if sign.startswith("ast"):
        w = np.flip(w)
    if sign.endswith("full"):
        x = np.pad(x, [(n - 1, n - 1) for n in np.shape(w)])
    return correlate(x, w)


def matrix_product(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(a) == 1 and np.ndim(b) == 2 and len(b) == 1 != len(a):
        return np.outer(a, b)  # a column and a row
    if np.ndim(a) > 2 or np.ndim(b) > 2 or np.shape(a)[-1] != np.shape(b)[0]:
        raise Wrong(f"a product of shapes {np.shape(a)} and {np.shape(b)}")
    found = a @ b
    return found.item() if np.size(found) == 1 else found  # a row and a column


def elementwise(function: Callable, a, b):
    """Of one shape, or with a number, or a row with each row."""
    one, other = np.shape(a), np.shape(b)
    if one and other and one != other and one[-1:] != other:
        raise Wrong(f"shapes {one} and {other}, entry by entry")
    return function(a, b)


def divide(a, b):
    if np.ndim(b):
        raise Wrong("a division by an array")
    if b == 0:
        raise Wrong("a division by 0")
    if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
        return Fraction(a) / b
    return a / b


def transposed(a):
    return np.reshape(a, (1, -1)) if np.ndim(a) == 1 else np.transpose(a)


def plain(value):
    """A whole Fraction as an int."""
    whole = isinstance(value, Fraction) and value.denominator == 1
    return int(value) if whole else value


def together(a, b):
    """Fractions stay exact among numbers that are exact."""
    exact = (int, Fraction)
    if isinstance(a, exact) and isinstance(b, exact):
        return a, b
    return tuple(float(v) if isinstance(v, Fraction) else v for v in (a, b))


SIGNS: dict[str, Callable] = {
    "+": lambda a, b: elementwise(operator.add, a, b),
    "-": lambda a, b: elementwise(operator.sub, a, b),
    "*": matrix_product,
    "of": matrix_product,
    "odot": lambda a, b: elementwise(operator.mul, a, b),
    "/": divide,
    "mod": operator.mod,
    "pow": operator.pow,
    "kron": np.kron,
    "dilate": dilate,
}
# Of two numbers most signs are Python's own.
REAL = {int, float}
QUICK = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "of": operator.mul},
    **{"odot": operator.mul, "mod": operator.mod},
}
FUNCTIONS: dict[str, Callable] = {
    "log": np.log,
    "exp": np.exp,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "floor": lambda a: floor(exactly(a)),
    "ceil": lambda a: ceil(exactly(a)),
    "abs": lambda a: np.linalg.norm(a) if np.ndim(a) else abs(a),
    "Vert": lambda a: np.linalg.norm(a, 2),  # of a matrix, its largest singular value
    "rot180": np.flip,
    "o": lambda bound: 0.0,  # how fast the rest vanishes, displays.py sees
    "diag": np.diag,
}


def exactly(value):
    """1.9999999999999998 is 2."""
    return value if isinstance(value, int | Fraction) else round(float(value), 9)


def close(a, b, tolerance: float = CLOSE) -> bool:
    """Of one shape and, to the tolerance, of one value; True and 1 are alike."""
    if type(a) in REAL and type(b) in REAL:
        return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))
    if isinstance(a, Corner):
        a = a.filled(np.shape(b))
    if isinstance(b, Corner):
        b = b.filled(np.shape(a))
    a, b = (np.asarray(v, float if not np.iscomplexobj(v) else complex) for v in (a, b))
    if a.shape != b.shape and a.ndim and b.ndim:
        return False
    if a.size == 0 or b.size == 0:
        return a.size == b.size
    scale = max(1.0, np.max(np.abs(a)), np.max(np.abs(b)))
    return bool(np.max(np.abs(a - b)) <= tolerance * scale)


def at_most(a, b):
    """a <= b but for rounding; of arrays entry by entry."""
    return a - b <= 1e-12 * np.maximum(np.abs(a), np.abs(b))


RELATIONS: dict[str, Callable] = {
    "=": close,
    "approx": lambda a, b: close(a, b, NEAR),
    "!=": lambda a, b: not close(a, b),
    "<": operator.lt,
    ">": operator.gt,
    "<=": at_most,
    ">=": lambda a, b: at_most(b, a),
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "iff": lambda a, b: bool(a) == bool(b),
}


# --- Evaluation --------------------------------------------------------------


class Evaluator:
    """Values of trees in one world, while indices have the values of a frame."""

    def __init__(self, world: World):
        self.world = world
        self.frame: dict[str, int] = {}
        self.used: set[str] = set()  # names that were looked up
        self.kept: dict[int, dict | None] = {}  # by the id of a sum

    # --- Indices

    def known(self, name: str) -> bool:
        return name in self.frame or self.world.known(name)

    def index(self, node: Node) -> str:
        """The name of an index that stands alone and has no value; or ""."""
        alone = isinstance(node, Name) and not self.known(node.key)
        return node.key if alone else ""

    def alone(self, node: Node) -> dict[str, dict]:
        """The free indices of a tree: for each, the lengths of the axes at which it
        stands alone, and where."""
        found: dict[str, dict] = {}

        def visit(node: Node, bound: frozenset[str]) -> None:
            if name := self.index(node):
                if name not in bound:
                    found.setdefault(name, {})
            elif isinstance(node, Index):
                for item, length in self.lengths(node):
                    if (name := self.index(item)) and name not in bound:
                        at = found.setdefault(name, {})
                        if length is not None:
                            at.setdefault(length, spelled(node))
                    else:
                        visit(item, bound)
                visit(node.base, bound)
            elif isinstance(node, Big):
                inner = bound | set(self.bound(node))
                if node.above:
                    visit(node.above, bound)
                for condition in node.below:
                    visit(condition, inner)
                visit(node.body, inner)
            else:
                for child in children(node):
                    visit(child, bound)

        visit(node, frozenset())
        return found

    def lengths(self, node: Index) -> Iterator[tuple[Node, int | None]]:
        """The items of an index with the lengths of the axes, as far as known."""
        name, axes = self.axes(node.base, len(node.items))
        try:
            shape = np.shape(self.value(node.base))
        except (Unknown, Wrong):
            shape = ()
        groups = self.world.groups.get(name)
        if groups and any(isinstance(i, Op) and i.sign == "tuple" for i in node.items):
            for item, sizes in zip(node.items, groups, strict=True):
                of_group = item.args if isinstance(item, Op) else (item,)
                yield from zip(of_group, sizes, strict=True)
            return
        for n, item in enumerate(node.items):
            there = n < len(axes) and axes[n] < len(shape)
            yield item, shape[axes[n]] if there else None

    def axes(self, base: Node, count: int) -> tuple[str, tuple[int, ...]]:
        """The name of what is indexed, and which axes so many indices mean."""
        name = self.name(base.bottom if isinstance(base, Derivative) else base)
        return name, self.world.axes.get(name, {}).get(count, tuple(range(count)))

    def name(self, node: Node) -> str:
        """Of an array of the world, also with zeros between; or ""."""
        if isinstance(node, Name) and self.world.known(node.key):
            return self.world.key(node.key)
        if isinstance(node, Op) and node.sign == "dilate":
            return self.name(node.args[0])
        return ""

    def spaces(self, node: Node, names: list[str] | None = None) -> dict[str, range]:
        """How far each free index runs, or those of these names."""
        found = self.alone(node)
        return {name: self.space(name, found.get(name, {})) for name in names or found}

    def space(self, name: str, lengths: dict[int, str]) -> range:
        told = self.world.ranges.get(name)
        if isinstance(told, range):
            return told
        if len(lengths) > 1 and told is None:
            places = ", ".join(f"{n} at {where}" for n, where in lengths.items())
            raise Wrong(f"{name} runs over axes of different lengths: {places}")
        if len(lengths) == 1:
            return range(*lengths)
        if told is not None:
            return range(told)
        raise Unknown(
            f"{name} is no symbol of the vocabulary, nor an index of an array"
        )

    def each(self, spaces: dict[str, range]) -> Iterator[dict[str, int]]:
        """Sets the frame to every combination."""
        outer = self.frame
        try:
            for values in product(*spaces.values()):
                self.frame = {**outer, **dict(zip(spaces, values, strict=True))}
                yield self.frame
        finally:
            self.frame = outer

    # --- Sums

    def bound(self, node: Big) -> list[str]:
        """The indices that it binds."""
        found = []
        for item in node.below:
            match item:
                case Name(key):
                    found.append(key)
                case Chain((Name(key), *_), ("=" | "in", *_)) if node.above or (
                    item.relations == ("in",)
                ):
                    found.append(key)
        if found:
            return found
        names = [
            part.key
            for item in node.below
            for part in every(item)
            if isinstance(part, Name) and not self.world.known(part.key)
        ]
        return [*dict.fromkeys(n for n in names if n not in self.frame)]

    def terms(self, node: Big) -> Iterator:
        """The value of the body for each value of the indices."""
        names = self.bound(node)
        outer = {name: self.frame[name] for name in names if name in self.frame}
        if outer:
            raise Wrong(f"{', '.join(outer)} has a value already")
        written, conditions = self.limits(node, names)
        others = [name for name in names if name not in written]
        tree = Op("tuple", (node.body, *conditions))
        inside = self.inside(node, tree)
        spaces = {name: self.space(name, inside.get(name, {})) for name in others}
        for name, space in written.items():
            for length, where in inside.get(name, {}).items():
                if len(space) and (space[0] < 0 or space[-1] >= length):
                    raise Wrong(f"{name} runs to {space[-1]}, {where} has {length}")
        spaces = {**written, **spaces}
        for _ in self.each(spaces):
            if all(self.holds(condition) for condition in conditions):
                yield self.value(node.body)

    def inside(self, node: Big, tree: Node) -> dict[str, dict]:
        """What alone() finds; it is the same for all values of the outer indices, but
        not in a family, where each array may have a length of its own."""
        if id(node) not in self.kept:
            names = [part.key for part in every(tree) if isinstance(part, Name)]
            family = any(name.endswith("()") for name in names)
            self.kept[id(node)] = None if family else self.alone(tree)
        found = self.kept[id(node)]
        return self.alone(tree) if found is None else found

    def limits(self, node: Big, names: list[str]) -> tuple[dict, list[Node]]:
        """Where the indices begin and end, as far as written; and the conditions."""
        written: dict[str, range] = {}
        conditions: list[Node] = []
        for item in node.below:
            match item:
                case Name():
                    pass
                case Chain((Name(key), start), ("=",)) if node.above:
                    end = self.value(node.above)
                    written[key] = range(self.value(start), end + 1)
                case _:
                    conditions.append(item)
        match conditions:  # 0 <= u, v < K
            case [Chain((start, Name()), ("<=",)), Chain((Name(), end), ("<",))]:
                both = range(self.value(start), self.value(end))
                return dict.fromkeys(names, both), []
        return written, conditions

    # --- Values

    def value(self, node: Node):
        match node:
            case Number():
                return node.value
            case Name(key):
                return self.look(key)
            case Index():
                return self.entry(node)
            case Op("tuple", args):
                return np.array([float(self.value(a)) for a in args])
            case Op("neg", (a,)):
                return self.apply(lambda v: -v, self.value(a))
            case Op("until", (a, last)):
                return self.all_of(a, self.value(last))
            case Op("T", (a,)):
                return transposed(self.value(a))
            case Op(sign, args):
                return self.signed(sign, *map(self.value, args))
            case Call(name, args):
                return self.call(name, [self.value(a) for a in args])
            case Big():
                return self.big(node)
            case Derivative():
                return self.derivative(node)
            case Bracket(Chain((a, b), (("<" | ">" | "<=" | ">=") as relation,))):
                a, b = self.value(a), self.value(b)
                return 1 * RELATIONS[relation](a, b)  # of arrays as well
            case Bracket(condition):
                return int(self.holds(condition))
            case Cases(rows):
                return self.value(self.case(rows))
            case Matrix(rows):
                return self.matrix(rows)
            case Chain():
                return self.holds(node)
        raise Unknown(f"{spelled(node)} has no value")

    def all_of(self, node: Node, last: int):
        """a_0, ..., a_{n-1}: all entries, if there are n."""
        value = self.value(node)
        if np.ndim(value) == 0 or len(value) != last + 1:
            raise Wrong(f"{spelled(node)} has not the entries 0 to {last}")
        return value

    def case(self, rows: tuple[tuple[Node, tuple[Node, ...]], ...]) -> Node:
        """The one that applies, or else the last, which is "otherwise"."""
        found = [value for value, when in rows if when and all(map(self.holds, when))]
        found = found or [value for value, when in rows if not when]
        if len(found) != 1:
            raise Wrong(f"{len(found)} cases apply")
        return found[0]

    def look(self, name: str):
        if name in self.frame:
            return self.frame[name]
        key = self.world.key(name)
        if key not in self.world.values:
            raise Unknown(f"{name} is no symbol of the vocabulary")
        self.used.add(key)
        return self.world.values[key]

    def apply(self, function: Callable, *values):
        """Of corners, the function of their arrays."""
        if any(isinstance(v, Corner) for v in values):
            return Corner(
                function(*(v.array if isinstance(v, Corner) else v for v in values))
            )
        return function(*values)

    def signed(self, sign: str, a, b):
        if type(a) in REAL and type(b) in REAL and sign in QUICK:
            return QUICK[sign](a, b)
        if sign.startswith(("star", "ast")):
            return starred(sign, a, b)
        if sign not in SIGNS:
            raise Unknown(f"the sign {sign}")
        return plain(self.apply(SIGNS[sign], *together(a, b)))

    def call(self, name: str, args: list):
        if name in ("max", "min"):
            if len(args) == 1:
                return getattr(np, name)(args[0])
            arrays = any(np.ndim(a) for a in args)
            if arrays:
                return {"max": np.maximum, "min": np.minimum}[name](*args)
            return {"max": max, "min": min}[name](args)
        if name in self.world.functions:
            self.used.add(name)
            return self.world.functions[name](*args)
        exact = ("floor", "ceil", "abs")
        args = [
            a if name in exact or not isinstance(a, Fraction) else float(a)
            for a in args
        ]
        return FUNCTIONS[name](*args)

    def big(self, node: Big):
        if not node.below:
            return {"sum": np.sum, "prod": np.prod}[node.kind](self.value(node.body))
        terms = list(self.terms(node))
        if node.kind in ("max", "min"):
            return {"max": max, "min": min}[node.kind](terms)
        total = 0 if node.kind == "sum" else 1
        for term in terms:
            if node.kind == "prod":
                total = total * term
            elif isinstance(term, Corner) and not isinstance(total, Corner):
                total = term  # the first of them
            else:
                total = self.apply(lambda a, b: a + b, *together(total, term))
        return total

    def matrix(self, rows: tuple[tuple[Node, ...], ...]):
        cells = [[self.value(cell) for cell in row] for row in rows]
        if np.ndim(cells[0][0]) == 0:
            if any(np.ndim(cell) for row in cells for cell in row):
                raise Wrong("an array among the numbers of a matrix")
            return np.array(cells, float)
        others = [cell for row in cells for cell in row][1:]
        if any(np.ndim(cell) or cell != 0 for cell in others):
            raise Unknown("a matrix of blocks of which more than the first is not 0")
        return Corner(cells[0][0])

    # --- Entries

    def entry(self, node: Index):
        base = node.base
        value = self.value(base)
        if isinstance(value, Corner):
            raise Unknown("an entry of a block whose shape is not known")
        if np.ndim(value) == 0:
            raise Wrong(f"{spelled(base)} is a number and has no index")
        cut = self.cut(node.items)
        if cut is not None:
            return value[cut]
        name, axes = self.axes(base, len(node.items))
        items, value = self.ungrouped(name, node.items, value)
        axes = axes if len(axes) == len(items) else tuple(range(len(items)))
        zero = name in self.world.zero
        where = self.place(spelled(base), items, axes, np.shape(value), zero)
        if where is None:
            rest = [n for k, n in enumerate(value.shape) if k not in axes]
            return np.zeros(rest) if rest else 0.0
        found = value[where]
        return found if np.ndim(found) else found.item()

    def place(
        self,
        name: str,
        items: tuple[Node, ...],
        axes: tuple[int, ...],
        shape: tuple[int, ...],
        zero: bool = False,
    ) -> tuple | None:
        """Where an array of this shape is read; None outside of one that is 0 there."""
        if len(items) > len(shape):
            raise Wrong(f"{name} has {len(shape)} axes, not {len(items)}")
        where: list = [slice(None)] * len(shape)
        for axis, item in zip(axes, items, strict=True):
            at = plain(self.value(item))
            if isinstance(at, int | np.integer) and 0 <= at < shape[axis]:
                where[axis] = at
                continue
            # An index that stands alone is to stay within its array, as is a fraction.
            single = isinstance(item, Name | Number) or isinstance(at, Fraction)
            if zero and not single:
                return None
            raise Wrong(f"{name} has no entry {at} on axis {axis}")
        return tuple(where)

    def ungrouped(self, name: str, items: tuple[Node, ...], value):
        """(X_col)_{(n,i,j),(u,v,c)}: the axes that its axes were made of."""
        groups = self.world.groups.get(name)
        if not groups or not any(
            isinstance(i, Op) and i.sign == "tuple" for i in items
        ):
            return items, value
        flat = [i.args if isinstance(i, Op) else (i,) for i in items]
        sizes = tuple(size for group in groups for size in group)
        return tuple(i for group in flat for i in group), np.reshape(value, sizes)

    def cut(self, items: tuple[Node, ...]) -> tuple[slice, ...] | None:
        """Where 0 <= u < K stands in the place of an index, the part of the array."""
        if not all(isinstance(item, Chain) for item in items):
            return None
        match items:
            case (Chain((start, Name()), ("<=",)), Chain((Name(), end), ("<",))):
                return (slice(self.value(start), self.value(end)),) * 2
        found = {}
        for item in items:
            match item:
                case Chain((start, Name(key), end), ("<=", "<")) if key not in found:
                    found[key] = slice(self.value(start), self.value(end))
                case _:
                    raise Unknown(f"{spelled(item)} in the place of an index")
        return tuple(found.values())

    # --- Derivatives

    def derivative(self, node: Derivative):
        """Of a value by a value, whole or one entry of each, or of an expression."""
        match node.bottom:
            case Op("T", (matrix,)):
                found = self.derivative(Derivative(node.top, matrix))
                return np.swapaxes(found, -2, -1)
        top, of = split(node.top)
        bottom, by = split(node.bottom)
        bottom = self.name(bottom)
        if not bottom:
            raise Unknown(f"a derivative by {spelled(node.bottom)}")
        if not self.name(top):
            return self.slope(node.top, bottom, by)
        top = self.name(top)
        full = self.world.jacobian(top, bottom)
        depth = np.ndim(self.world.values[top])
        # First the entries of bottom, whose axes are the last.
        full = np.moveaxis(full, range(depth), range(-depth, 0)) if depth else full
        full = self.taken(bottom, by, full)
        left = np.ndim(full) - depth
        full = np.moveaxis(full, range(left), range(-left, 0)) if left else full
        return self.taken(top, of, full)

    def taken(self, name: str, items: tuple[Node, ...] | None, array):
        """Entries along the first axes of an array that are those of the named one."""
        if items is None:
            return array
        shape = np.shape(self.world.values[name])
        axes = self.world.axes.get(name, {}).get(len(items), tuple(range(len(items))))
        items, _ = self.ungrouped(name, items, np.zeros(shape))
        if name in self.world.groups and len(items) != len(axes):
            sizes = tuple(s for group in self.world.groups[name] for s in group)
            array = np.reshape(array, sizes + np.shape(array)[len(shape) :])
            axes, shape = tuple(range(len(items))), sizes
        return array[self.place(name, items, axes, shape)]

    def slope(self, top: Node, bottom: str, by: tuple[Node, ...] | None):
        """∂ log a_i / ∂ z_j: the expression, while the world moves beneath it."""
        if by is None:
            by = ()
        at = tuple(int(self.value(item)) for item in by)
        kept, ends = self.world.values, []
        below = np.asarray(kept[bottom], float)
        if len(at) != below.ndim or any(
            not 0 <= i < n for i, n in zip(at, below.shape, strict=True)
        ):
            raise Wrong(f"{bottom} has no entry {at}")
        for step in (H, -H):
            change = np.zeros(below.shape)
            change[at] = step
            self.world.values = {**kept, **self.world.run(bottom, change)}
            try:
                ends.append(self.value(top))
            finally:
                self.world.values = kept
        return (ends[0] - ends[1]) / (2 * H)

    # --- Truth

    def holds(self, node: Node) -> bool:
        if not isinstance(node, Chain):
            return bool(self.value(node))
        if not node.relations:  # one side of an iff
            return self.holds(*node.parts)
        if "iff" in node.relations:
            one, other = parted(node, "iff")
            return self.holds(one) == self.holds(other)
        values = [self.value(part) for part in node.parts]
        return all(
            bool(RELATIONS[relation](a, b))
            for a, relation, b in zip(values, node.relations, values[1:], strict=False)
        )


def parted(node: Chain, relation: str) -> tuple[Chain, Chain]:
    """The chains on both sides of a relation."""
    at = node.relations.index(relation)
    return (
        Chain(node.parts[: at + 1], node.relations[:at]),
        Chain(node.parts[at + 1 :], node.relations[at + 1 :]),
    )


def split(node: Node) -> tuple[Node, tuple[Node, ...] | None]:
    """x_{i,j} is x at (i, j)."""
    return (node.base, node.items) if isinstance(node, Index) else (node, None)


def spelled(node: Node) -> str:
    """A formula in plain text, for reports."""
    match node:
        case Number(text):
            return text
        case Name(key):
            return key
        case Index(base, items):
            return f"{spelled(base)}[{', '.join(map(spelled, items))}]"
        case Op("tuple", args):
            return f"({', '.join(map(spelled, args))})"
        case Op(sign, (a,)):
            return f"{sign}({spelled(a)})"
        case Op("of", (a, b)):
            return f"{spelled(a)} {spelled(b)}"
        case Op(sign, (a, b)):
            return f"({spelled(a)} {sign} {spelled(b)})"
        case Call(name, args):
            return f"{name}({', '.join(map(spelled, args))})"
        case Derivative(top, bottom):
            return f"∂{spelled(top)}/∂{spelled(bottom)}"
        case Big(kind, below, _, body):
            return f"{kind}_({', '.join(map(spelled, below))}) {spelled(body)}"
        case Bracket(condition):
            return f"[{spelled(condition)}]"
        case Chain(parts, relations):
            pairs = zip(relations, parts[1:], strict=True)
            return " ".join(
                [spelled(parts[0]), *(f"{r} {spelled(p)}" for r, p in pairs)]
            )
        case Matrix(rows):
            return "[" + "; ".join(", ".join(map(spelled, row)) for row in rows) + "]"
        case Cases(rows):
            return "cases " + "; ".join(spelled(value) for value, _ in rows)
    return str(node)
