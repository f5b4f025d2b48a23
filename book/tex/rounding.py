"""Numbers of a formula that are rounded: how far may its parts be apart?"""

import numpy as np

from book.tex.evaluator import Evaluator
from book.tex.tree import Matrix, Node, Number, Op, every, numeric
from book.tex.world import World

# A number with so many decimals is rounded, one with fewer is what it says.
ROUNDED = 3


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
