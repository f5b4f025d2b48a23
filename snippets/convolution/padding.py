"""Figures and checks of docs/*/convolution/padding.md."""

from dataclasses import replace
from itertools import count

import numpy as np
from numpy.testing import assert_array_equal

from book.checks import as_lists, call, check, compare, tf
from book.figures import Box, Panel, around, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    Pair,
    adding,
    convolution,
    definition,
    given_as,
    input_of_size,
    nhwc,
    weights_of_kernel,
)
from snippets.convolution.leftover import alone, plane, row

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "7 4 4 5 6 6 4": "= [row[-1], *(row.size - np.array([2, 2, 1, 0, 0, 2]))]",
    },
    "same": {
        "6 7": "sizes of the block below",
    },
    "grid": {
        "6×6 5×5 4 5": "= image.shape[1] - np.array([0, 0, 1, 1, 2, 1])",
    },
    "explorer": {
        "5 6": "sizes for the reader to try",
    },
    "pytorch": {
        "6×6": "= image.shape[1:3]",
    },
    "exercise-even": {
        "8 4": "= [7 + 1, 2 * 2]",
    },
}

# Changes after which the page says the same, and why.
SAME = {
    ("pad", "if not np.any(padding):", after): "with nothing around, a copy"
    for after in ("pass", "if not padding:", "if not np:")
}

# --- Figures -----------------------------------------------------------------


@figure("same-five")
def same_five(session):
    return same_grid(session, 5)


@figure("same-six")
def same_six(session):
    return same_grid(session, 6)


def same_grid(session, size):
    """SAME, K = 3, S = 2; the kernel copies the middle of each window."""
    nth = 2 * (size - 5)  # 5, then 6 is printed, with its result
    padded = session.printed("same-grid", (7, 7), nth)
    middles = np.zeros(padded.shape, dtype=bool)
    middles[1::2, 1::2] = True
    return [
        Panel(
            r"\tilde x",
            padded,
            window=Box(0, 0, 3, 3),
            rings=middles,
            inserted=padded == 0,  # x itself counts from 1
        ),
        r"\xrightarrow{\,S=2\,}",
        Panel("z", session.printed("same-grid", (3, 3), nth + 1), result=Box(0, 0)),
    ]


@claim("same-five")
def same_five_claim(session, x, z):
    assert_array_equal(x.grey, np.pad(np.ones((5, 5)), 1) == 0)
    middles_are_ringed(x, z, 0)


@claim("same-six")
def same_six_claim(session, x, z):
    assert_array_equal(x.grey, np.pad(np.ones((6, 6)), (0, 1)) == 0)
    middles_are_ringed(x, z, 1)


def middles_are_ringed(x, z, first):
    """They are the result, and begin in this row and column of the image itself."""
    assert_array_equal(z[z.result], x[x.window][1, 1])
    assert_array_equal(z, x[1::2, 1::2])
    assert_array_equal(x[x.rings], z.ravel())
    corner = np.argwhere(x)[0]  # where the image begins
    at = [first, first + 2, first + 4]
    places = [[row, column] for row in at for column in at]
    assert_array_equal(np.argwhere(x.rings) - corner, places)


@figure("padding-crop")
def padding_crop(session):
    (top, _), (left, _) = width = (1, 2), (0, 1)
    p, q = 3, 4
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial \tilde x}",
            session.printed("crop", (7, 6)),
            window=Box(p + top, q + left),
            inserted=around((4, 5), width),
        ),
        r"\xrightarrow{\operatorname{crop}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("crop", (4, 5), 1),
            result=Box(p, q),
        ),
    ]


@claim("padding-crop")
def padding_crop_claim(session, padded, dx):
    assert_array_equal(padded.grey, np.pad(np.ones((4, 5)), ((1, 2), (0, 1))) == 0)
    assert_array_equal(dx[dx.result], padded[padded.window])
    assert_array_equal(dx, padded[1:5, :5])


# --- Checks ------------------------------------------------------------------


@check("same-forward")
def same_forward(function, draw):
    """The kernel may be larger than the input."""
    case = convolution(draw, leftover=True, padding=True)
    stride = given_as(draw, case.stride)
    arguments = {"x": case.x, "W": case.W, "b": case.b, "stride": stride}
    around = same(case.size, case.kernel, case.stride)
    right = tf.nn.conv2d(case.x, case.W, (1, *case.stride, 1), "SAME") + case.b
    whole = case._replace(padding=around, delta=np.zeros(right.shape))
    mine = call(function, arguments)
    as_lists(function, tuple(arguments.values()), mine)
    black = arguments | {"x": 0 * case.x}
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition(whole)[0] + case.b, "the definition"),
        compare(black, call(function, black), 0 * mine + case.b, "the bias"),
    )


def same(size: Pair, extent: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Zeros around for ⌈H / S⌉ outputs, the odd one at the end."""
    sizes = zip(size, extent, stride, strict=True)
    totals = [max((-(-h // s) - 1) * s + k - h, 0) for h, k, s in sizes]
    return tuple((total // 2, total - total // 2) for total in totals)


@check("padding-input")
def padding_input(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return input_of_size(function, draw, case, padding=case.padding)


@check("padding-weights")
def padding_weights(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return weights_of_kernel(function, draw, case, padding=case.padding)


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    yield padded((4, 5), (2, 3), 2, ((1, 2), (0, 1)))  # r is 1 and 1
    yield padded((3, 4), (2, 3), 1, ((2, 0), (1, 3)))
    for size, kernel, S in ((6, 5), (3, 2), 2), ((4, 7), (5, 3), 3):
        yield padded(size, kernel, S, same(size, kernel, (S, S)))


def padded(size, kernel, S, padding) -> World:
    """With pad and crop; the function of same-forward finds its own padding."""
    world = plane(size, kernel, S, padding=padding)
    inside = tuple(
        slice(before, before + h) for h, (before, _) in zip(size, padding, strict=True)
    )

    def of_same(v):
        x = np.pad(v["x"], same(size, kernel, (S, S)))
        return alone(x, v["W"], S) + v["b"]

    return replace(
        world,
        functions={"pad": lambda a: np.pad(a, padding), "crop": lambda a: a[inside]},
        results={}
        if padding == same(size, kernel, (S, S))
        else {"same-forward": of_same},
    )


@worlds("discarded")
def discarded():
    """With channels, and y, which is as large as the padded input."""
    for size, kernel, S, padding in (
        ((4, 5), (2, 3), 2, ((1, 2), (0, 1))),
        ((3, 2), (2, 1), 1, ((2, 0), (1, 1))),
        ((3, 4), (3, 2), 3, ((0, 1), (2, 1))),
    ):
        world = nhwc(2, size, kernel, 2, 3, S, padding=padding)
        y = drawn(9, *world.values["tilde x"].shape)
        sides = [(0, 0), *padding, (0, 0)]
        inside = tuple(
            slice(before, before + h)
            for h, (before, _) in zip(world.values["x"].shape, sides, strict=True)
        )
        functions = {
            "pad": lambda a, sides=sides: np.pad(a, sides),
            "crop": lambda a, inside=inside: a[inside],
        }
        yield replace(adding(world, {"y": y}), functions=functions)


@worlds("by-hand")
def by_hand(given):
    yield row(given, S=2, padding=((0, 1),))


@worlds("same")
def sizes_of_same():
    """P is the least number of zeros that gives ⌈H / S⌉ windows."""
    for H, K, S in (5, 3, 2), (6, 3, 2), (7, 4, 3), (8, 2, 3), (9, 1, 4), (5, 4, 1):
        outputs = -(-H // S)
        P = next(P for P in count() if outputs <= (H + P - K) // S + 1)
        half = {"P_before": P // 2, "P_after": (P + 1) // 2}
        t = H - (outputs - 1) * S
        yield World(sizes={"H": H, "K": K, "S": S, "P": P, "t": t} | half)


@worlds("exercise-even")
def even(given):
    yield row(given | {"x": drawn(1, 5)}, S=2, padding=((1, 2),))


@worlds("exercise-ring")
def ring():
    for H, K, before in (5, 3, 2), (4, 2, 0), (6, 4, 1):
        sides = before, K - 1 - before
        yield copying(plane((H,), (K,), padding=(sides,), b=0.0), "wrap")


@worlds("exercise-mirror")
def mirror():
    for H, padding in (4, (2, 1)), (3, (1, 2)), (5, (0, 3)):
        world = copying(plane((H,), (2,), padding=(padding,)), "reflect")
        s = np.pad(np.arange(H), padding, mode="reflect")
        functions = {"s": lambda place, s=s: s[place]}
        yield replace(world, functions=functions, ranges={"tilde p": len(s)})


def copying(world: World, mode: str) -> World:
    """The padding of a row is not of zeros, and w is read nowhere else."""
    sides = world.sizes["P_before"], world.sizes["P_after"]
    wide = {"tilde x": lambda v: np.pad(v["x"], sides, mode=mode)}
    return replace(world, forward={**world.forward, **wide}, zero=frozenset())
