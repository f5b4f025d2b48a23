"""Softmax and cross-entropy: slopes, settings to look at, and what is refused."""

from collections.abc import Callable

import numpy as np

from tests.explorers import compared, number

START = "z=1+0+-1&y=0.3+0.5+0.2&at=dz.0.0"

# The Jacobian and the gradient, beside their slopes; and what would overflow.
MINE = """([z, y, h]) => {
    const { softmax, jacobian, crossEntropy } = classification;
    const [a, total] = [softmax(z), arithmetic.sum([y])];
    const moved = (j, change) => z.with(j, z[j] + change);
    return {
        J: jacobian(a),
        slopes: a.map((_, i) => a.map((_, j) =>
            arithmetic.difference((change) => softmax(moved(j, change))[i], h))),
        dz: a.map((value, j) => value * total - y[j]),
        slope: a.map((_, j) =>
            arithmetic.difference((change) => crossEntropy(moved(j, change), y), h)),
        far: [softmax([0, 800]), crossEntropy([0, 800], [1, 0])],
    };
}"""


def arithmetic(evaluate: Callable) -> None:
    mine = evaluate(MINE, [[1.3, -0.4, 0.2, -2], [0.3, 0.5, 1, -0.2], 1e-5])
    np.testing.assert_allclose(mine["J"], mine["slopes"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(mine["dz"], mine["slope"], rtol=0, atol=1e-9)
    assert mine["far"] == [[0, 1], 800]


SETTINGS = {"its own": {}, "labels of 1.5": {"z1": "2.5", "y2": "0.7"}}
SUMS = {"its own": ("one", "1"), "labels of 1.5": ("many", "1.5")}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """NumPy's, and every slope is the formula's."""
    of, arrays = shown["settings"], shown["arrays"]
    z, y = (np.array(of[key].split(), dtype=float) for key in "zy")
    a = np.exp(z) / np.exp(z).sum()
    jacobian = np.diag(a) - np.outer(a, a)
    for panel, want in {"a": [a], "J": jacobian, "dz": [a * y.sum() - y]}.items():
        np.testing.assert_allclose(arrays[panel], want, atol=5.1e-5)
    np.testing.assert_allclose(arrays["short"], [a - y], atol=5.1e-3)
    for seen in shown["cells"]:
        slope, formula = compared(seen)
        assert abs(slope - formula) <= 2e-8
        assert abs(formula - number(seen["value"])) <= 5.1e-5
    if name in SUMS:
        word, total = SUMS[name]
        assert shown["notes"][0] == said[word].replace("{}", total)


REFUSED = [("y0", "x", "number", []), ("z2", "1e9", "number", [])]
BROKEN = ["z=1+2", "y=1+a", "at=z.0.0"]
LINES = [("z=1+2", "it lacks y")]
