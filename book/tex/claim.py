"""What a formula says, in one world: is it so?"""

from collections.abc import Iterator

import numpy as np

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
from book.tex.parser import INEQUALITIES, statements
from book.tex.rounding import equal, last_place, rounding, within
from book.tex.tree import Call, Chain, Index, Name, Node, Number, Op, every, numeric
from book.tex.world import Unknown, World


class Claim:
    """A formula in one world, which gets to know what the formula defines.

    conditions: of the cases in which it holds, in TeX. Raises Unread.
    """

    def __init__(self, tex: str, world: World, conditions: list[str]):
        self.world, self.evaluator = world, Evaluator(world)
        names, functions = world.names, {*world.functions}
        self.statements = statements(tex, names, functions)
        self.conditions = [
            node for text in conditions for node in statements(text, names, functions)
        ]
        self.small = any(vanishes(n) for node in self.statements for n in every(node))
        self.comparisons = 0
        self.defines: set[str] = set()

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
            self.comparisons += compared
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
                self.defines.add(key)
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
        self.defines.add(key)

    def at(self, frame: dict, body: Node):
        evaluator = Evaluator(self.world)
        evaluator.frame = frame
        return evaluator.value(body)

    # --- Comparisons

    def compared(self, node: Chain, beside: list[Node]) -> int:
        """How many comparisons hold; raises Wrong at the first that does not."""
        evaluator = self.evaluator
        spaces = evaluator.spaces(Op("tuple", (node, *beside)))
        told: set[str] = set()  # the indices whose range is said
        for one in beside:
            self.tight(one, spaces)
            mine = {*evaluator.alone(one)} & {*spaces}
            if again := told & mine:
                raise Wrong(f"the range of {', '.join(again)} is said twice")
            told |= mine
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
        if self.small and "o" not in self.world.functions:
            for node in (*every(one), *every(other)):
                if vanishes(node):
                    return self.vanishing(one, other, *node.args)
        if one == other:
            raise Wrong(f"{spelled(one)} stands on both sides, which says nothing")
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
            for outside in (space.start - 1, space.stop):
                frame = {**{n: s.start for n, s in mine.items()}, name: outside}
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
