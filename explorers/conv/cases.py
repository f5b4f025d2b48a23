"""A convolution: TensorFlow's numbers, settings to look at, and what is refused."""

from collections.abc import Callable
from math import prod

import numpy as np
import tensorflow as tf

from tests.explorers import (
    compared,
    factors,
    integers,
    lit,
    number,
    paired,
    until,
)

START = (
    "x=2+-1+0.5_0+1+2_-2+3+1&W=1.25+2_0+-2&delta=1+-2_0+2&b=1&at=dx.1.1"  # at stride 1
)


# --- Beside TensorFlow -------------------------------------------------------

# All arrays; what the products of each cell add up to; the slopes; and the rows of x
# that no product has, beside those that no window is said to read.
MINE = """(cases) => cases.map((given) => {
    const { x, W, b, stride, dilation } = given;
    const spans = [W, W[0]].map((axis) => convolution.extent(axis.length, dilation));
    const padding = given.padding
        ?? paddingOf(given.mode, [], arithmetic.shape(x), spans, stride);
    const setting = { ...given, padding };
    const each = (array, value) =>
        array.map((row, i) => row.map((_, j) => value([i, j])));
    const { z, dx, dW, db } = convolution.convolve(setting);
    const outputs = { z, dx, dW, db };
    const product = (term) => Object.entries(term)
        .reduce((product, [name, [i, j]]) => product * given[name][i][j], 1);
    const sums = Object.fromEntries(Object.entries(outputs).map(([name, array]) =>
        [name, each(array, (cell) => (name === "z" ? b : 0) + arithmetic.sum(
            [convolution.terms(setting, name, cell).map(product)]))]));
    const slope = (name) => each(given[name], (cell) => arithmetic.difference((h) =>
        convolution.loss({ ...setting,
            [name]: arithmetic.changed(given[name], cell, h) }), 0.5));
    const read = each(z, (cell) => convolution.terms(setting, "z", cell));
    const { leftover, gaps } = convolution.unread(
        x.length, padding[0], W.length, z.length, stride, dilation);
    return {
        ...outputs, sums, slopes: { x: slope("x"), W: slope("W") },
        size: arithmetic.outputs(arithmetic.shape(x), spans, stride, padding),
        read: read.flat(2).map((term) => term.x[0]), unread: [...gaps, ...leftover],
    };
})"""
# The rows that are left over, and those between.
ROWS = """([H, K, S]) =>
    Object.values(convolution.unread(H, 0, K, Math.floor((H - K) / S) + 1, S, 1))"""


def spread(kernel: tf.Tensor, dilation: int) -> tf.Tensor:
    """The kernel with dilation - 1 zeros between neighbours, by matrices.

    TensorFlow on the CPU has no gradient of a dilated convolution in float64.
    """
    rows, columns = (
        np.eye(dilation * (length - 1) + 1)[:, ::dilation] for length in kernel.shape
    )
    return rows @ kernel @ columns.T


def convolution(random: np.random.Generator, mode: str) -> dict | None:
    """None where the kernel drawn does not fit into the input drawn."""
    x = integers(random, *random.integers(1, 10, 2))
    W = integers(random, *random.integers(1, 5, 2))
    stride, dilation = (int(n) for n in random.integers(1, (5, 4)))
    span = dilation * (np.array(W.shape) - 1) + 1
    sides = random.integers(0, 4, (2, 2)) * (mode == "EXPLICIT")
    if mode == "CAUSAL":  # as in the book: what an output looks at is not after it
        sides[1, 0] = span[1] - 1
    given = ("VALID", "EXPLICIT")  # the script finds the others itself
    explicit = mode in ("EXPLICIT", "CAUSAL")
    padding = [[0, 0], *sides.tolist(), [0, 0]] if explicit else mode
    if mode != "SAME" and (x.shape + sides.sum(axis=1) < span).any():
        return None
    b = float(random.integers(-9, 10))
    with tf.GradientTape() as tape:
        tx, tW, tb = (tf.constant(array, tf.float64) for array in (x, W, b))
        tape.watch([tx, tW, tb])
        image, kernel = tx[None, :, :, None], spread(tW, dilation)[..., None, None]
        z = tf.nn.conv2d(image, kernel, stride, padding)[0, :, :, 0] + tb
        delta = integers(random, *z.shape)
        loss = tf.reduce_sum(delta * z)
    dx, dW, db = tape.gradient(loss, [tx, tW, tb])
    return {
        **{"padding": sides.ravel().tolist() if mode in given else None},
        "mode": mode.lower(),
        **{"stride": stride, "dilation": dilation, "x": x, "W": W, "b": b},
        **{"delta": delta, "z": z.numpy(), "dx": dx.numpy(), "dW": dW.numpy()},
        "db": [[float(db)]],
    }


def arithmetic(evaluate: Callable) -> None:
    """Exactly TensorFlow's; the book's five cases of unread rows."""
    random = np.random.default_rng(6)
    modes = ["VALID", "SAME", "EXPLICIT", "CAUSAL"]
    cases = [*until(200, lambda n: convolution(random, modes[n % 4]))]
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        for name in ("z", "dx", "dW", "db"):
            np.testing.assert_array_equal(mine[name], case[name], f"{name} of {case}")
            np.testing.assert_array_equal(mine["sums"][name], case[name], f"{case}")
        for name in ("x", "W"):
            np.testing.assert_array_equal(mine["slopes"][name], case[f"d{name}"])
        assert tuple(mine["size"]) == case["z"].shape
        idle = {*range(len(case["x"]))} - {*mine["read"]}
        # Where no window reads any column, no row is used either.
        assert not mine["read"] or {*mine["unread"]} == idle
        assert not case["dx"][[*idle]].any()
    for setting, leftover, gaps in [
        ((9, 3, 2), [], []),
        ((10, 3, 2), [9], []),
        ((7, 5, 3), [5, 6], []),
        ((11, 3, 4), [], [3, 7]),
        ((6, 1, 2), [5], [1, 3]),
    ]:
        assert evaluate(ROWS, setting) == [leftover, gaps]


# --- On the page -------------------------------------------------------------


def square(H: int, K: int, **others: str) -> dict[str, str]:
    return {
        **dict.fromkeys(["H", "H2"], str(H)),
        **dict.fromkeys(["K", "K2"], str(K)),
        **others,
    }


SETTINGS = {
    "stride 1": {},
    "even": square(9, 3, S="2"),
    "left over": square(7, 5, S="3"),
    "one row left over": square(10, 3, S="2"),
    "gaps": square(11, 3, S="4"),
    "skipped": square(9, 3, S="2", D="2"),
    "one weight": square(6, 1, S="2"),
    "same": square(5, 4, P="same"),
    "sides": square(6, 3, S="2", D="2", P="sides", sides="2.1.0.3"),
    "12 rows": square(12, 3, D="3", P="same"),
    "one row": {"H": "1", "H2": "9", "K": "1", "K2": "3", "S": "2"},
    "causal": {"H": "1", "H2": "8", "K": "1", "K2": "3", "D": "2", "P": "causal"},
}
# Rows, and columns, that no window reads, and the sentence about them.
UNREAD = {
    "even": ([], None),
    "left over": ([5, 6], "leftover"),
    "one row left over": ([9], "leftover"),
    "gaps": ([3, 7], "gaps"),
    "skipped": ([1, 3, 5, 7], "skipped"),
    "stride 1": ([], None),
}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """The products re-added give the value; what has a product is lit, nothing else."""
    of, arrays = shown["settings"], shown["arrays"]
    stride, dilation, top, left = (int(of[key]) for key in ["S", "D", "side0", "side2"])
    high, wide = (dilation * (length - 1) + 1 for length in arrays["W"].shape)
    for seen in shown["cells"]:
        products = [prod(map(number, text.split("·"))) for text in seen["numbers"]]
        assert abs(sum(products) - number(seen["value"])) <= 5.001e-5, seen
        assert lit(seen, "x", top, left) == factors(seen, "x")
        assert lit(seen, "W") == factors(seen, "W")
        assert lit(seen, "delta") == factors(seen, "δ")
        assert lit(seen, "up") == {
            (high - 1 + stride * i, wide - 1 + stride * j)
            for i, j in factors(seen, "δ")
        }
        assert lit(seen, "turned") == {
            (high - 1 - dilation * u, wide - 1 - dilation * v)
            for u, v in (factors(seen, "W") if seen["panel"] == "dx" else ())
        }
        assert not any(lit(seen, panel) for panel in ("dx", "dW", "db"))
        # What an entry of x, W or b reaches: the outputs whose δ are in its sum.
        assert lit(seen, "z") == factors(seen, "δ")
        twins = {"z": "delta", "dx": "x", "dW": "W", "db": "b"}
        i, j = map(int, seen["at"].split(","))
        place = f"{i + top},{j + left}" if seen["panel"] == "dx" else seen["at"]
        marked = {panel: at for panel, at in seen["twin"].items() if at}
        assert marked == {twins[seen["panel"]]: [place]}
        paired(seen, {"x": (top, left), "W": (0, 0), "δ": (0, 0)})
        slope, formula = compared(seen)
        assert slope == formula
        assert abs(formula - number(seen["value"])) <= 5.1e-5
    if name == "causal":
        for seen in shown["cells"]:
            if seen["panel"] == "z":
                now = int(seen["at"].split(",")[1])
                assert max(step for _, step in factors(seen, "x")) == now
    if name in UNREAD:
        rows, word = UNREAD[name]
        size = range(int(of["H"]))
        want = [f"{i},{j}" for i in size for j in size if i in rows or j in rows]
        assert shown["marked"]["unread"]["x"] == want
        assert shown["marked"]["unread"]["dx"] == want
        where = ", ".join(map(str, rows))
        assert shown["notes"] == ([said[word].replace("{}", where)] if word else [])


# Key, entry, and the sentence with its numbers.
REFUSED = [
    ("K", "4", "fits", [4, 3]),
    ("D", "3", "fits", [4, 3]),
    ("S", "0", "whole", [1, 4]),
    ("H", "13", "whole", [1, 12]),
    ("H2", "1.5", "whole", [1, 12]),
    ("H", "1", "fits", [2, 1]),
]
BROKEN = [
    "S=9",
    "K=10",
    "x=1+2_3",
    "x=1+a",
    "P=%3Cb%3E",
    "P=sides&conv.sides=1.2",
    "nonsense=1",
    "at=x.1.1",
    "at=%3Cimg+src=x%3E",
    "S",
    "b=1+2",
]
# What a page may ask for in vain; the first page of the network is asked.
DELTA = "delta=cnn/pooling:pool-delta"
LINES = [
    (
        "x=setup&W=setup.W1&delta=cnn/pooling:pool-delta",
        r"δ is \(4, 4\), z is \(7, 7\)",
    ),
    ("S=2&x=setup&W=setup.W9&delta=cnn/pooling:pool-delta", "does not write W9 out"),
    (
        "S=2&x=nowhere&W=setup.W1&delta=cnn/pooling:pool-delta",
        "there is no section nowhere",
    ),
    ("S=2&x=setup.1&W=setup.W1&delta=cnn/pooling:pool-delta", "prints 1 arrays"),
    ("S=2&x=setup", "it lacks W, delta"),
    ("S=2&x=1+2_3", "inhomogeneous"),
    ("S", "bad query field"),
]
