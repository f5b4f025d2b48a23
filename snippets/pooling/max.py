"""Figures and checks of docs/*/pooling/max.md."""

from typing import NamedTuple

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, gradient, size, st, tf, values
from book.figures import ROUNDING, Box, Panel, claim, figure
from snippets.cnn.forward import maxima
from snippets.convolution.channels import Pair, given_as, two
from snippets.convolution.layer import REFUSES
from snippets.convolution.padding import same

SHAPE = "row and column have the shape of the index that they are made of"
# The mutants of the session's functions that compute the same, and why.
SAME = {
    (
        "arguments",
        "size = whole('size', size, 1)",
        "size = whole('size', size, 0)",
    ): REFUSES,
    (
        "arguments",
        "stride = size if stride is None else whole('stride', stride, 1)",
        "stride = size if stride is None else whole('stride', stride, 0)",
    ): REFUSES,
    (
        "places",
        "n, i, j, c = np.indices(inside.shape)",
        "n, i, j, c = np.indices(u.shape)",
    ): SHAPE,
    (
        "places",
        "n, i, j, c = np.indices(inside.shape)",
        "n, i, j, c = np.indices(v.shape)",
    ): SHAPE,
}


# --- Figures -----------------------------------------------------------------


@figure("max-overlap")
def max_overlap(session):
    """The four windows of which a[1, 1] is the maximum."""
    delta = session.printed("input-run", (3, 3))
    a = session.printed("forward-run", (5, 5))
    rings = maxima(a, size=3, stride=1)
    return [
        Panel(r"\delta", delta, window=Box(0, 0, 2, 2)),
        ",",
        Panel("a", a, rings=rings),
        r"\rightarrow",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            session.printed("input-run", (5, 5), 1),
            result=Box(1, 1),
            rings=rings,
        ),
    ]


@claim("max-overlap")
def max_overlap_claim(session, delta, a, routed):
    windows = np.lib.stride_tricks.sliding_window_view(a, (3, 3))
    sums, gets = np.zeros(a.shape), np.zeros(delta.shape, dtype=bool)
    for place in np.ndindex(delta.shape):
        (maximum,) = np.argwhere(a == windows[place].max())
        sums[tuple(maximum)] += delta[place]
        gets[place] = maximum.tolist() == [at.start for at in routed.result]
    assert_allclose(routed, sums, atol=ROUNDING)
    assert_array_equal(a.rings, sums != 0)
    assert_array_equal(routed.rings, sums != 0)
    # The outlined δ are those of the outlined place, and no others.
    assert gets[delta.window].all()
    assert gets.sum() == gets[delta.window].size
    assert_allclose(routed[routed.result], delta[delta.window].sum(), atol=ROUNDING)


# --- What the checks draw ----------------------------------------------------


class Case(NamedTuple):
    """A pooling and its arrays; how its size, stride and padding are handed over."""

    a: np.ndarray
    delta: np.ndarray
    size: Pair
    stride: Pair
    padding: tuple[Pair, Pair]
    given: dict
    rng: np.random.Generator


def pooling(draw, ties: bool = False) -> Case:
    """Windows overlap, touch or leave gaps; padding by name or by number."""
    window = two(draw, 1, 4)
    tiles = draw(st.booleans())  # no stride given: it is the size
    stride = window if tiles else two(draw, 1, 4)
    a_size = tuple(size(draw, 7) for _ in range(2))
    sizes = list(zip(a_size, window, stride, strict=True))
    # Where the window does not fit, padding must make it fit.
    sides = []
    for h, k, _ in sizes:
        before = draw(st.integers(0, k - 1))
        sides.append((before, draw(st.integers(max(k - h - before, 0), k - 1))))
    choices = {"same": same(a_size, window, stride), "sides": tuple(sides)}
    if all(h >= k for h, k, _ in sizes):
        choices["valid"] = ((0, 0), (0, 0))
    word = draw(st.sampled_from(sorted(choices)))
    padding = choices[word]
    numbers = zip(sizes, padding, strict=True)
    output = [(h + sum(p) - k) // s + 1 for (h, k, s), p in numbers]
    examples, channels = size(draw, 2), size(draw, 2)
    given = {
        "size": given_as(draw, window),
        "stride": None if tiles else given_as(draw, stride),
        "padding": padding if word == "sides" else word,
    }
    rng = generator(draw)
    shape = (examples, *a_size, channels)
    # All different and at least 0.05 from 0 and each other; or a few integers.
    count = np.prod(shape)
    a = rng.permutation(0.1 * (np.arange(count) - count // 2) + 0.05).reshape(shape)
    if ties:
        a = rng.integers(-2, 3, shape)
    delta = values(rng, (examples, *output, channels))
    return Case(a, delta, window, stride, padding, given, rng)


# --- Forward passes, twice ---------------------------------------------------


def tf_pool(case: Case, kind, a, fill):
    """TensorFlow pads max pooling itself, as the case has it; the mean it cannot."""
    word = case.given["padding"]
    steps = case.size, case.stride
    if isinstance(word, str):
        return kind(a, *steps, word.upper())
    padded = tf.pad(a, [(0, 0), *case.padding, (0, 0)], constant_values=fill)
    return kind(padded, *steps, "VALID")


def pool(case: Case, a, reduce):
    """Window by window, over the cells that it has: reduce(cells, padding cells)."""
    z = np.zeros(case.delta.shape)
    (top, _), (left, _) = case.padding
    (rows, columns), (s, t) = case.size, case.stride
    for i, j in np.ndindex(*z.shape[1:3]):
        row, column = s * i - top, t * j - left
        cells = a[:, max(row, 0) : row + rows, max(column, 0) : column + columns]
        padded = rows * columns - cells.shape[1] * cells.shape[2]
        z[:, i, j] = reduce(cells, padded)
    return z


def largest(cells, padded):
    return cells.max(axis=(1, 2))


# --- Checks ------------------------------------------------------------------


@check("max-forward")
def max_forward(function, draw):
    case = pooling(draw)
    arguments = {"a": case.a} | case.given
    mine = call(function, arguments)
    right = tf_pool(case, tf.nn.max_pool2d, tf.constant(case.a), -np.inf)
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, pool(case, case.a, largest), "the definition"),
    )


@check("max-input")
def max_input(function, draw):
    ties = draw(st.booleans())
    case = pooling(draw, ties)
    return gradient(
        function,
        {"delta": case.delta, "a": case.a} | case.given,
        case.a.astype(float),
        case.delta,
        lambda a: tf_pool(case, tf.nn.max_pool2d, a, -np.inf),
        lambda a: pool(case, a, largest),
        case.rng,
        # Where two share a maximum there is no slope, and TensorFlow alone says which.
        ties,
    )
