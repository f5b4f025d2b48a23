"""The checks of the results in snippets/pooling.md."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from tests.properties.base import (
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    values,
)
from tests.properties.convolution import given_as, same, two

Pair = tuple[int, int]


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


def mean(count_padding: bool):
    def reduce(cells, padded):
        number = cells.shape[1] * cells.shape[2]
        return cells.sum(axis=(1, 2)) / (number + padded * count_padding)

    return reduce


# --- Maximum -----------------------------------------------------------------


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


# --- Average -----------------------------------------------------------------


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
