"""Figures, checks and vocabulary of docs/*/pooling/average.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import (
    call,
    check,
    compare,
    generator,
    gradient,
    in_any_form,
    not_finite,
    size,
    st,
    tf,
    values,
)
from book.figures import ROUNDING, Box, Panel, around, claim, figure
from book.tex.evaluator import correlate
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import poison
from snippets.pooling.max import (
    SIZES,
    cells,
    pool,
    pooled,
    pooled_row,
    pooling,
    row_windows,
)

# Changes after which the page says the same, and why.
SAME = {
    (
        "divisors",
        "cells = pad(cells, padding, int(count_padding))",
        "cells = pad(cells, padding, count_padding)",
    ): "True is 1, and False 0",
    (
        "avg_pool",
        "sums = windows(pad(a, padding, 0.0), size, stride).sum(axis=(4, 5))",
        "sums = windows(pad(a, padding), size, stride).sum(axis=(4, 5))",
    ): "pad puts zeros if nothing is said",
    (
        "avg_pool_backward",
        "cells[..., u, v] += share",
        "cells[..., u - 1, v] += share",
    ): "every cell gets the same share, in whatever order",
    (
        "avg_pool_backward",
        "cells[..., u, v] += share",
        "cells[..., u, v - 1] += share",
    ): "every cell gets the same share, in whatever order",
    (
        "global_avg_pool_backward",
        "return np.broadcast_to(share, (len(delta), h, w, delta.shape[1]))",
        "return np.broadcast_to(share, (len(share), h, w, delta.shape[1]))",
    ): "a share for each example",
    (
        "#row",
        r"z_0 &= (0.3 + 1.5 + 0.9) / 3 = 0.9 \\",
        r"z_1 &= (0.3 + 1.5 + 0.9) / 3 = 0.9 \\",
    ): "z_0 and z_1 are equal",
    (
        "#convolution",
        r"\frac{\partial \ell}{\partial \tilde a} = \delta_{\uparrow S} "
        r"\star_{\mathrm{full}} W",
        r"\frac{\partial \ell}{\partial \tilde a} = \delta_{\uparrow S} \ast "
        r"_{\mathrm{full}} W",
    ): "this kernel is its own half turn",
}


# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "row": {
        "0.2 -0.1": "= [0.6, -0.3] * M.max(1)",
    },
    "divisor": {
        "4 4 5 6 6": "= [2 * 2, 2 * 2, 9 - 2 * 2, 2 * 3, 2 * 3]",
    },
    "global": {
        "20": "= 4 * 5",
    },
    "exercise-border": {
        "0.2 -0.2 0.3 0.6": "= border_delta / [2, 3, 3, 2]",
        "1.9": "= border_delta.sum()",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("average-overlap")
def average_overlap(session):
    """All four windows have the cell in the middle."""
    return [
        Panel(
            r"\tfrac{1}{9}\delta",
            session.printed("input-run", (2, 2)),
            window=Box(0, 0, 2, 2),
        ),
        r"\rightarrow",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            session.printed("input-run", (5, 5), 1),
            result=Box(2, 2),
        ),
    ]


@claim("average-overlap")
def average_overlap_claim(session, delta, da):
    sums = np.zeros(da.shape)
    for i, j in np.ndindex(2, 2):
        sums[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += delta[i, j]
    assert_allclose(da, sums, atol=ROUNDING)
    assert_allclose(da[da.result], delta[delta.window].sum(), atol=ROUNDING)
    assert delta[delta.window].size == 4


@figure("average-divisors")
def average_divisors(session):
    i, j = 0, 1
    return [
        Panel(
            r"\operatorname{pad}(1)",
            session.printed("divisors", (6, 6)),
            window=Box(i, j, 3, 3),
            inserted=around((4, 4), 1),
        ),
        r"\rightarrow",
        Panel("m", session.printed("divisors", (4, 4), 1), result=Box(i, j)),
    ]


@claim("average-divisors")
def average_divisors_claim(session, ones, m):
    assert_array_equal(ones, np.pad(np.ones((4, 4)), 1))
    assert_array_equal(ones.grey, ones == 0)
    assert_allclose(m[m.result], ones[ones.window].sum())
    assert [at.start for at in ones.window] == [at.start for at in m.result]
    windows = np.lib.stride_tricks.sliding_window_view(ones, (3, 3))
    assert_array_equal(m, windows.sum(axis=(2, 3)))


# --- Checks ------------------------------------------------------------------


def mean(count_padding: bool):
    def reduce(cells, padded):
        number = cells.shape[1] * cells.shape[2]
        return cells.sum(axis=(1, 2)) / (number + padded * count_padding)

    return reduce


def averages(draw):
    """A case, whether padding counts (False is left out), the two forward passes."""
    case = pooling(draw)
    counted = draw(st.booleans())
    arguments = case.given | ({"count_padding": True} if counted else {})

    def by_tensorflow(a):
        """The sum of zeros and cells over what counts; SAME is TensorFlow's own.

        Its gradient of SAME is wrong for some windows of five and more, as the page
        tells.
        """
        own = case.given["padding"] == "same" and max(case.size) < 5
        if own and not counted:
            return tf.nn.avg_pool2d(a, case.size, case.stride, "SAME")
        padded = tf.pad(a, [(0, 0), *case.padding, (0, 0)])
        means = tf.nn.avg_pool2d(padded, case.size, case.stride, "VALID")
        if counted:
            return means
        ones = tf.pad(tf.ones_like(a), [(0, 0), *case.padding, (0, 0)])
        return means / tf.nn.avg_pool2d(ones, case.size, case.stride, "VALID")

    return case, arguments, by_tensorflow, lambda a: pool(case, a, mean(counted))


@check("average-forward")
def average_forward(function, draw):
    case, more, by_tensorflow, by_definition = averages(draw)
    arguments = {"a": case.a} | more
    mine = call(in_any_form(function, case.rng), arguments)
    a = poison(case.rng, a=case.a)["a"]
    far = arguments | {"a": a}
    not_finite(far, call(function, far), by_definition(a))
    return max(
        compare(arguments, mine, by_tensorflow(case.a), "TensorFlow"),
        compare(arguments, mine, by_definition(case.a), "the definition"),
    )


@check("average-input")
def average_input(function, draw):
    case, more, by_tensorflow, by_definition = averages(draw)
    return gradient(
        in_any_form(function, case.rng),
        {"delta": case.delta, "a": case.a} | more,
        case.a,
        case.delta,
        by_tensorflow,
        by_definition,
        case.rng,
    )


@check("global-average-input")
def global_average_input(function, draw):
    examples, rows, columns, channels = (size(draw, 4) for _ in range(4))
    rng = generator(draw)
    a = values(rng, (examples, rows, columns, channels))
    delta = values(rng, (examples, channels))
    return gradient(
        in_any_form(function, rng),
        {"delta": delta, "size": (rows, columns)},
        a,
        delta,
        lambda a: tf.reduce_mean(a, axis=[1, 2]),
        lambda a: np.mean(a, axis=(1, 2)),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for counted in (False, True):
        for sizes in SIZES:
            yield averages_of(*sizes, counted)


def averages_of(examples, rows, columns, channels, K, S, padding, counted):
    """Means of windows; whether padding counts says what they are divided by."""
    ones = np.pad(np.ones((rows, columns)), padding, constant_values=float(counted))
    m = np.lib.stride_tricks.sliding_window_view(ones, (K, K))[::S, ::S].sum((2, 3))
    return pooled(
        *(examples, rows, columns, channels, K, S, padding),
        fill=0,
        steps={"z": lambda v: cells(v).sum((4, 5)) / m[:, :, np.newaxis]},
        sizes={"m": m},
        ranges={"u": K, "v": K},
        arguments={"count_padding": lambda v: counted},
        results={"average-input": lambda v: v["dl_da"]},
    )


@worlds("row")
def row(given):
    world = pooled_row(given["a"], given["delta"], 3, 2, lambda w: w.mean(axis=1))
    columns = [row_windows(unit, 3, 2).mean(axis=1) for unit in np.eye(5)]
    world.set("M", np.stack(columns, axis=1))
    yield world


@worlds("convolution")
def one_channel():
    """A plane with its padding; the last row and column are left over in one world."""
    for rows, columns, K, S in ((3, 4, 2, 1), (5, 7, 3, 2), (6, 9, 3, 3), (5, 7, 2, 2)):
        output = ((rows - K) // S + 1, (columns - K) // S + 1)
        W = np.full((K, K), 1 / K**2)
        yield World(
            sizes={"K": K, "S": S, "r": (rows - K) % S, "W": W},
            given={"tilde a": drawn(1, rows, columns), "delta": drawn(2, *output)},
            forward={
                "z": lambda v: correlate(v["tilde a"], v["W"])[:: v["S"], :: v["S"]]
            },
        )


@worlds("global")
def whole_image():
    for examples, rows, columns, channels in ((2, 3, 2, 4), (3, 2, 4, 2), (2, 5, 3, 3)):
        yield World(
            sizes={"H": rows, "H'": columns},
            given={
                "a": drawn(1, examples, rows, columns, channels),
                "delta": drawn(2, examples, channels),
            },
            forward={"z": lambda v: v["a"].mean((1, 2))},
            arguments={"size": lambda v: (v["H"], v["H'"])},
        )


@worlds("exercise-border")
def border(given):
    """A row of four; the two windows at its ends have two entries of it."""
    windows = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]])
    yield World(
        given={"a": drawn(1, 4), "delta": given["delta"]},
        forward={"z": lambda v: windows @ v["a"] / windows.sum(axis=1)},
    )


@worlds("exercise-head")
def head():
    for examples, rows, columns, channels, classes in (
        (2, 2, 4, 5, 3),
        (3, 3, 2, 2, 4),
        (2, 4, 3, 3, 5),
    ):
        yield World(
            sizes={"H": rows, "H'": columns},
            given={
                "a": drawn(1, examples, rows, columns, channels),
                "W": drawn(2, channels, classes),
                "delta": drawn(3, examples, classes),
            },
            forward={
                "u": lambda v: v["a"].mean((1, 2)),
                "z": lambda v: v["u"] @ v["W"],
            },
        )


@worlds("exercise-norm")
def norm():
    for K in (2, 3, 4):
        yield World(
            sizes={"K": K, "delta": np.array(0.7)},
            given={"a": drawn(1, K**2)},
            forward={
                "s": lambda v: np.mean(v["a"] ** 2),
                "z": lambda v: np.sqrt(v["s"]),
            },
        )
