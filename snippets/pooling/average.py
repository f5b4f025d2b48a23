"""Figures and checks of docs/*/pooling/average.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, gradient, size, st, tf, values
from book.figures import ROUNDING, Box, Panel, around, claim, figure
from snippets.pooling.max import pool, pooling

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "row": {
        "0.2 -0.1": "= [0.6 / 3, -0.3 / 3]",
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
        """The sum of zeros and cells over what counts; SAME is TensorFlow's own."""
        if case.given["padding"] == "same" and not counted:
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
    mine = call(function, arguments)
    return max(
        compare(arguments, mine, by_tensorflow(case.a), "TensorFlow"),
        compare(arguments, mine, by_definition(case.a), "the definition"),
    )


@check("average-input")
def average_input(function, draw):
    case, more, by_tensorflow, by_definition = averages(draw)
    return gradient(
        function,
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
        function,
        {"delta": delta, "size": (rows, columns)},
        a,
        delta,
        lambda a: tf.reduce_mean(a, axis=[1, 2]),
        lambda a: np.mean(a, axis=(1, 2)),
        rng,
    )
