"""A graph of numbers: its formulas, and its picture where no script runs.

The setting f has a row for each node, as x 0 0_w 0 1_u 1 0 mul w x_a 2 0 relu u: its
name, the column and the row of its place, its operation and what that is of. Nodes
without an operation come first; x has their values. The last node is the loss."""

import numpy as np

from book import Mistake
from book.explorer import Array, Panel, Panels

FORMULAS = {
    "value": r"b = f(a, \dots)",
    "gradient": r"\frac{\partial \ell}{\partial a} = "
    r"\sum_{a \to b \to \dots \to c \to \ell} \frac{\partial b}{\partial a} \cdots "
    r"\frac{\partial \ell}{\partial c}",
}
# How an operation is written in TeX, its value, and its derivatives.
OPERATIONS = {
    "add": ("{} + {}", np.add, lambda a, b: (1, 1)),
    "mul": (r"{} \cdot {}", np.multiply, lambda a, b: (b, a)),
    "square": ("{}^2", np.square, lambda a: (2 * a,)),
    "relu": (r"\mathrm{{ReLU}}({})", lambda a: max(a, 0), lambda a: (a > 0,)),
    "tanh": (r"\tanh({})", np.tanh, lambda a: (1 - np.tanh(a) ** 2,)),
}


def picture(settings: dict[str, str], x: Array) -> Panels:
    """The values of the nodes, and below them the gradients."""
    if "f" not in settings:
        raise Mistake("it lacks f")
    values, derivatives, equations = {}, [], []
    given = iter(x.ravel())
    for line in settings["f"].split("_"):
        name, _, _, *made = line.split(" ")
        if name in values:
            raise ValueError(f"there are two nodes {name}")
        if not made:
            values[name] = next(given, None)
            if values[name] is None or equations:
                raise ValueError(f"x has no value for {name}; what has, comes first")
            continue
        op, *names = made
        written, function, slopes = OPERATIONS.get(op, ("", None, None))
        if written.count("{}") != len(names):
            raise ValueError(f"there is no operation {op} of {len(names)}")
        inputs = [_value(values, each, name) for each in names]
        values[name] = function(*inputs)
        derivatives += [
            (start, name, slope)
            for start, slope in zip(names, slopes(*inputs), strict=True)
        ]
        equations.append(f"{_tex(name)} = {written.format(*map(_tex, names))}")
    gradients = dict.fromkeys(values, 0.0) | {name: 1.0}
    for start, end, slope in reversed(derivatives):
        if start in gradients:
            gradients[start] += slope * gradients[end]
    names = r",\, ".join(map(_tex, values))
    both = np.array([[*values.values()], [*gradients.values()]], dtype=float)
    name = rf"({names}),\; \tfrac{{\partial \ell}}{{\partial ({names})}}"
    return [r",\; ".join(equations) + ":", Panel(name, both)]


def _value(values: dict[str, float], name: str, of: str) -> float:
    """Of a node, or of a number."""
    if name[0].isalpha() and name not in values:
        raise ValueError(f"there is no {name} before {of}")
    return values[name] if name in values else float(name)


def _tex(name: str) -> str:
    letter, index = name[0], name[1:]
    if not letter.isalpha():
        return name
    return (r"\ell" if letter == "l" else letter) + (index and f"_{{{index}}}")
