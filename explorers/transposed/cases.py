"""A transposed convolution: TensorFlow's numbers, settings, and what is refused."""

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
    "S=2&x=2+-1_0.5+3&W=1+3+-2_0+1+2_-1+0+1&b=1&at=dx.0.1"
    "&delta=1+0+2+-1+3_0+1+-2+1+0_2+1+0+-1+1_1+-3+1+2+0_0+1+1+-1+2"
)


# --- Beside TensorFlow -------------------------------------------------------

MINE = """(cases) => cases.map((given) => {
    const each = (array, value) =>
        array.map((row, i) => row.map((_, j) => value([i, j])));
    const { z, dx, dW, db } = transposing.transpose(given);
    const outputs = { z, dx, dW, db };
    const product = (term) => Object.entries(term)
        .reduce((product, [name, [i, j]]) => product * given[name][i][j], 1);
    const sums = Object.fromEntries(Object.entries(outputs).map(([name, array]) =>
        [name, each(array, (cell) => (name === "z" ? given.b : 0) + arithmetic.sum(
            [transposing.terms(given, name, cell).map(product)]))]));
    return { ...outputs, sums };
})"""


def transposed(random: np.random.Generator) -> dict | None:
    """None where all of y would be cropped, or more appended than one stride has."""
    x = integers(random, *random.integers(1, 6, 2))
    W = integers(random, *random.integers(1, 5, 2))
    stride = int(random.integers(1, 5))
    more = int(random.integers(0, stride))
    top, bottom, left, right = crop = random.integers(0, 3, 4).tolist()
    full = stride * (np.array(x.shape) - 1) + W.shape + more
    if (full - [top + bottom, left + right]).min() < 1:
        return None
    b = float(random.integers(-9, 10))
    with tf.GradientTape() as tape:
        tx, tW, tb = (tf.constant(array, tf.float64) for array in (x, W, b))
        tape.watch([tx, tW, tb])
        image, kernel = tx[None, :, :, None], tW[..., None, None]
        size = (1, *full.tolist(), 1)
        z = tf.nn.conv2d_transpose(image, kernel, size, stride, "VALID")[0, :, :, 0]
        z = z[top : full[0] - bottom, left : full[1] - right] + tb
        delta = integers(random, *z.shape)
        loss = tf.reduce_sum(delta * z)
    dx, dW, db = tape.gradient(loss, [tx, tW, tb])
    return {
        **{"stride": stride, "more": more, "crop": crop, "x": x, "W": W, "b": b},
        **{"delta": delta, "z": z.numpy(), "dx": dx.numpy(), "dW": dW.numpy()},
        "db": [[float(db)]],
    }


def arithmetic(evaluate: Callable) -> None:
    """Exactly TensorFlow's."""
    random = np.random.default_rng(6)
    cases = [*until(60, lambda _: transposed(random))]
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        for name in ("z", "dx", "dW", "db"):
            np.testing.assert_array_equal(mine[name], case[name], f"{name} of {case}")
            np.testing.assert_array_equal(mine["sums"][name], case[name], f"{case}")


# --- On the page -------------------------------------------------------------

SETTINGS = {
    "its own": {},
    "cropped": {"side1": "1", "side3": "1"},
    "appended": {"R": "1", "side0": "1", "side2": "1"},
    "overlap": {"S": "1", "K": "2", "H2": "4"},
    "gaps": {"S": "4", "R": "3"},
    "one row": {"H": "1", "K": "1", "H2": "3"},
}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """The products re-added give the value; what has a product is lit, nothing else."""
    for seen in shown["cells"]:
        products = [prod(map(number, text.split("·"))) for text in seen["numbers"]]
        assert abs(sum(products) - number(seen["value"])) <= 5.001e-5, seen
        assert lit(seen, "x") == factors(seen, "x")
        assert lit(seen, "W") == factors(seen, "W")
        assert lit(seen, "delta") == lit(seen, "z") == factors(seen, "δ")
        twins = {"z": "delta", "dx": "x", "dW": "W", "db": "b"}
        marked = {panel: at for panel, at in seen["twin"].items() if at}
        assert marked == {twins[seen["panel"]]: [seen["at"]]}
        paired(seen, dict.fromkeys(["x", "W", "δ"], (0, 0)))
        slope, formula = compared(seen)
        assert slope == formula
        assert abs(formula - number(seen["value"])) <= 5.1e-5
    if name == "gaps":  # between the copies there is b alone
        gaps = [seen for seen in shown["cells"] if said["empty"] in seen["written"]]
        assert {seen["value"] for seen in gaps} == {"1"}


REFUSED = [
    ("K", "6", "whole", [1, 5]),
    ("S", "0", "whole", [1, 4]),
    ("R", "4", "whole", [0, 3]),
    ("side0", "6", "shape", []),
]
BROKEN = ["S=9", "x=1+a", "sides=1.2", "at=x.1.1", "b=1+2", "P=same"]
LINES = [("S=2&x=1+2&W=1&delta=1", r"δ is \(1, 1\), y is \(1, 3\)")]
