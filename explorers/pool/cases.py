"""Pooling: TensorFlow's numbers, and settings to look at."""

from collections.abc import Callable

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

START = "relu=true&x=1+-2+0+3_2.5+0+1+-1_0+3+4+1_-1+2+1+0&delta=1+-2_3+2&at=dx.2.2"


# --- Beside TensorFlow -------------------------------------------------------

MINE = """(cases) => cases.map((given) => pooling.pool({ ...given,
    padding: given.mode === "VALID" ? [0, 0, 0, 0] : [given.x, given.x[0]].flatMap(
        (axis) => arithmetic.same(axis.length, given.size, given.stride)) }))"""


def pool(random: np.random.Generator, average: bool, mode: str) -> dict | None:
    """None where the window drawn does not fit into the input drawn."""
    # Few values: ties are common. Multiples of 3600: every mean is a whole number.
    x = 3600 * random.integers(-1, 3, random.integers(1, 9, 2)).astype(float)
    size, stride = (int(n) for n in random.integers(1, 4, 2))
    if mode == "VALID" and min(x.shape) < size:
        return None
    with tf.GradientTape() as tape:
        tx = tf.constant(x)
        tape.watch(tx)
        image = tx[None, :, :, None]
        pooling = tf.nn.avg_pool2d if average else tf.nn.max_pool2d
        z = pooling(image, size, stride, mode)[0, :, :, 0]
        delta = integers(random, *z.shape, step=3600)
        loss = tf.reduce_sum(delta * z)
    dx = tape.gradient(loss, tx)
    return {
        **{"average": average, "mode": mode, "size": size, "stride": stride, "x": x},
        **{"delta": delta, "z": z.numpy(), "dx": dx.numpy()},
    }


def arithmetic(evaluate: Callable) -> None:
    """Exactly TensorFlow's, ties included."""
    random, ties = np.random.default_rng(6), 0
    modes = ["VALID", "SAME"]
    cases = [*until(60, lambda n: pool(random, n % 2 == 1, modes[n // 2 % 2]))]
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        np.testing.assert_array_equal(mine["z"], case["z"], f"z of {case}")
        np.testing.assert_array_equal(mine["dx"], case["dx"], f"dx of {case}")
        ties += any(len(places) > 1 for row in mine["maxima"] for places in row)
    assert ties >= 20


# --- On the page -------------------------------------------------------------

TIES = {"x": "5 5 -1 -2_1 2 -3 -4_0 1 2 3_4 9 9 8", "delta": "1 2_3 4"}
SETTINGS = {
    "its own": {},
    "average": {"S": "1", "average": "true", "P": "same"},
    "ties": TIES,
    "overlapping ties": {**TIES, "S": "1"},
    "overlapping average": {**TIES, "S": "1", "average": "true"},
}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """The entries of a window give its value, and its δ the gradient."""
    arrays, average = shown["arrays"], shown["settings"]["average"] == "true"
    for seen in shown["cells"]:
        parts = [text.partition("/") for text in seen["numbers"]]
        numbers = [number(part) / number(by or "1") for part, _, by in parts]
        largest = seen["panel"] == "z" and not average
        value = max(numbers) if largest else sum(numbers)
        assert abs(value - number(seen["value"])) <= 5.001e-5, seen
        if seen["panel"] == "z":
            assert lit(seen, "a") == factors(seen, "a")
        else:
            assert lit(seen, "delta") == lit(seen, "z") == factors(seen, "δ")
        paired(seen, {"a": (0, 0), "δ": (0, 0)})
        twins = ["x", "a", "below"] if seen["panel"] == "dx" else ["delta"]
        assert [panel for panel in seen["twin"] if seen["twin"][panel]] == twins
        assert {*map(tuple, seen["twin"].values())} <= {(), (seen["at"],)}
    cells = {(seen["panel"], seen["at"]): seen for seen in shown["cells"]}
    if name == "ties":
        routed = [[1, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 3, 4, 0]]
        np.testing.assert_array_equal(arrays["dx"], routed)
        # Of the second window no entry is above 0.
        below = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 3, 4, 0]]
        np.testing.assert_array_equal(arrays["below"], below)
        assert shown["marked"]["first"]["a"] == ["0,0", "0,2", "3,1", "3,2"]
        tie = said["tie"].replace("{}", "0, 0", 1).replace("{}", "2")
        assert shown["notes"] == [tie, said["dead"].replace("{}", "0, 1")]
        # The slope at a tie is that of neither side.
        assert compared(cells["dx", "0,0"])[0] == 0.5
    if name == "overlapping ties":
        seen = cells["dx", "3,1"]
        assert seen["symbols"] == ["δ2,0", "δ2,1"]
        assert said["overlap"].replace("{}", "2") in seen["written"]
    if name == "overlapping average":
        mine = np.zeros((4, 4))
        for i, j in np.ndindex(3, 3):
            mine[i : i + 2, j : j + 2] += arrays["delta"][i, j] / 4
        np.testing.assert_allclose(arrays["dx"], mine, atol=5.1e-5)
        assert shown["notes"] == [said["share"]]


REFUSED = [("K", "6", "whole", [1, 5]), ("H", "1", "fits", [2, 1])]
BROKEN = ["S=0", "average=perhaps", "P=sides", "delta=x"]
LINES = [("K=2&x=1+2_3+4", "it lacks delta")]
