"""Is the function of a main result what its formula says?

Both are evaluated on the same arrays, those of the page's worlds.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from book.pages import STEP
from book.results import Result, function, results
from book.tex.claim import apart, condition
from book.tex.evaluator import Evaluator, Wrong, close
from book.tex.parser import statements
from book.tex.tree import Call, Derivative, Index, Node
from book.tex.world import Unknown, World

SETTINGS = {"stride": "S", "dilation": "D", "groups": "G"}
GRADIENTS = ("x", "W", "b")  # what a backward function returns, in the book's order


@cache
def tagged() -> dict[str, Result]:
    return results()


def disagreements(tex: str, labels: list[str], compared: list[World]) -> Iterator[str]:
    """Where the functions of main results are not what their formula says."""
    known = tagged()
    for label in labels:
        if label.startswith(STEP) or label not in known:
            continue
        call = function(known[label])
        for world in compared:
            if world.arguments is None:
                continue
            try:
                yield from difference(tex, world, label, call)
            except (Unknown, Wrong) as error:
                yield f"{call.__name__}: {error}"


def difference(tex: str, world: World, label: str, call: Callable) -> Iterator[str]:
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
    several = isinstance(got, tuple)
    if label in world.results:
        told = world.results[label](world.values)
        wanted = [[one] for one in (told if several else (told,))]
    elif several:
        wanted = [[world.jacobian("ell", name)] for name in GRADIENTS]
    else:
        said = statements(tex, world.names, set(world.functions))
        left = [node.parts[0] for node in said if not condition(node)]
        # A row may say what a function is.
        sides = [whole(side) for side in left if not isinstance(side, Call)]
        wanted = [[evaluator.value(side) for side in sides]]
    got = got if several else (got,)
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
