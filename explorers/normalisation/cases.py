"""Normalisation: TensorFlow's numbers, settings to look at, and what is refused."""

import re
from collections.abc import Callable
from math import prod

import numpy as np
import tensorflow as tf

from tests.explorers import compared, number

START = (
    "x=1+0+2_3+1+-1_0+2.5+1_2+-1+0&gamma=1+2+-1&beta=0+1+0.5"
    "&delta=1+-1+0.5_0+2+1_2+1+-1_0.5+0+1&at=dx.0.1"
)
AXES = {"batch": 0, "layer": 1, "rms": 1}
PATHS = ["direct", "mean", "variance"]
GRADIENTS = {"dx": "x", "dxhat": "xhat", "dgamma": "gamma", "dbeta": "beta"}


# --- Beside TensorFlow -------------------------------------------------------

# All arrays; and the slopes: for a path, of the one place where it has x.
MINE = """(cases) => cases.map(({ delta, ...setting }) => {
    const arrays = normalisation.normalise(setting, delta);
    const slope = (of, array) => array.map((row, i) => row.map((_, j) =>
        arithmetic.difference((h) => normalisation.loss(
            { ...setting, [of]: arithmetic.changed(array, [i, j], h) }, delta), 1e-5)));
    const own = (of) => ["direct", "mean", "variance"].includes(of)
        ? setting.x : arrays[of];
    return { arrays, slopes: Object.fromEntries(
        ["x", "xhat", "gamma", "beta", "direct", "mean", "variance"]
            .map((of) => [of, slope(of, own(of))])) };
})"""


def by_tape(x, gamma, beta, delta, norm: str, eps: float) -> dict[str, np.ndarray]:
    """TensorFlow's arrays and gradients; x enters in three places, to tell its paths
    apart."""
    axis, centred = AXES[norm], norm != "rms"
    x, gamma, beta = (tf.constant(array, tf.float64) for array in (x, gamma, beta))
    uses = [tf.identity(x) for _ in PATHS]
    with tf.GradientTape() as tape:
        tape.watch([*uses, gamma, beta])
        direct, mean, variance = uses

        def centre(array):
            return tf.reduce_mean(array, axis, keepdims=True) * float(centred)

        squares = (variance - centre(variance)) ** 2
        s = tf.sqrt(tf.reduce_mean(squares, axis, keepdims=True) + eps)
        x_hat = (direct - centre(mean)) / s
        z = gamma * x_hat + beta
        loss = tf.reduce_sum(delta * z)
    sources = [*uses, x_hat, gamma, beta]
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(loss, sources, unconnected_gradients=zero)
    found = dict(zip([*PATHS, "dxhat", "dgamma", "dbeta"], gradients, strict=True))
    return {
        **{name: array.numpy() for name, array in found.items()},
        **{"xhat": x_hat.numpy(), "z": z.numpy(), "dx": sum(gradients[:3]).numpy()},
    }


def drawn(random: np.random.Generator, n: int) -> dict:
    shape = tuple(random.integers(1, 6, 2).tolist())
    row = (1, shape[1])
    return {
        **{"x": random.normal(size=shape), "gamma": random.normal(size=row)},
        **{"beta": random.normal(size=row), "delta": random.normal(size=shape)},
        **{"norm": [*AXES][n % 3], "eps": [1e-2, 0.5][n % 2]},
    }


def arithmetic(evaluate: Callable) -> None:
    random = np.random.default_rng(6)
    cases = [drawn(random, n) for n in range(90)]
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        want = by_tape(**case)
        for name, array in want.items():
            np.testing.assert_allclose(
                mine["arrays"][name], array, rtol=1e-9, atol=1e-12, err_msg=name
            )
        for of, slopes in mine["slopes"].items():
            name = of if of in PATHS else f"d{of}"
            np.testing.assert_allclose(
                slopes, want[name], rtol=1e-4, atol=1e-7, err_msg=name
            )


# --- On the page -------------------------------------------------------------

SETTINGS = {
    "its own": {},
    "large ε": {"eps": "1.5"},
    "no ε": {"eps": "0"},
    "layer": {"norm": "layer"},
    "rms": {"norm": "rms", "eps": "0.1"},
    "one feature": {
        **{"x": "1_5_2_2_-3", "gamma": "2", "beta": "1", "delta": "1_0_-1_2_0.5"}
    },
    "one example": {"x": "1 5", "gamma": "2 1", "beta": "1 0", "delta": "1 2"},
    "close": {
        **{"x": "1_1.01_1.02", "gamma": "2", "beta": "1", "delta": "1_3_0"},
        "eps": "0.0001",
    },
    "equal": {"x": "2_2", "gamma": "2", "beta": "1", "delta": "1_3"},
}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """TensorFlow's numbers; what is written has the value and what is lit, its letters;
    the sums of a group are those that the notes say."""
    settings, arrays = shown["settings"], shown["arrays"]
    norm, eps = settings["norm"], float(settings["eps"])
    given = [arrays[key] for key in ("x", "gamma", "beta", "delta")]
    want = by_tape(*given, norm, eps)
    for panel, array in want.items():
        np.testing.assert_allclose(arrays[panel], array, atol=5.1e-5, rtol=1e-6)
    axis = AXES[norm]
    of_dx, of_both = want["dx"].sum(axis), (want["dx"] * want["xhat"]).sum(axis)
    sums = [text.partition(" = ")[2] for text in shown["notes"][1].split("; ")]
    for texts, values in zip(sums, (of_dx, of_both), strict=True):
        found = [*map(number, texts.split(", "))]
        np.testing.assert_allclose(found, values, atol=5.1e-5)
    s = np.sqrt(arrays["x"].var(axis) + eps).min()  # at least: written to 4 decimals
    rounding = max(1e-3, 1e-4 / s)
    for seen in shown["cells"]:
        panel, value = seen["panel"], number(seen["value"])
        n, j = map(int, seen["at"].split(","))
        mine, formula = compared(seen)
        assert abs(mine - formula) <= 2e-8 * max(1, abs(formula)), seen
        assert abs(formula - value) <= 5.1e-5
        twin = {GRADIENTS[panel]} if panel in GRADIENTS else set()
        twin |= {"x", "dx"} if panel in PATHS else {"delta"} if panel == "z" else set()
        assert {of for of, at in seen["twin"].items() if at} == twin
        group = [f"{k},{j}" for k in range(len(arrays["x"]))]
        if axis:
            group = [f"{n},{k}" for k in range(arrays["x"].shape[1])]
        missing = norm == "rms" and panel == "mean"
        assert (said["none"] in seen["written"]) == missing
        sign = -1 if panel in ("mean", "variance") else 1
        texts = seen["numbers"]
        if sign < 0 and texts:  # before the first
            assert texts[0][0] == "−"
            texts[0] = texts[0][1:]
        terms = [sign * computed(text) for text in texts]
        size = max([1, *map(abs, terms)])
        assert abs(sum(terms) - value) <= rounding * size, seen
        lettered(seen, panel, group)


def computed(text: str) -> float:
    """What is written as −a · b / (m · s), or as (a − b) / s."""
    above, _, below = text.partition(" / ")
    sign = 1
    if above.startswith("−"):  # of a path, before a number in brackets perhaps
        above, sign = above[1:], -1
    one, minus, other = above.strip("()").partition(" − ")
    if minus:
        value = number(one) - number(other)
    else:
        value = prod(map(number, above.split(" · ")))
    return sign * value / prod(map(number, (below or "1").split(" · ")))


def lettered(seen: dict, panel: str, group: list[str]) -> None:
    """What is lit has a product, or is the group whose mean is taken."""
    names = {"x̂": "xhat", "∂ℓ/∂x̂": "dxhat", "γ": "gamma", "β": "beta", "δ": "delta"}
    want = {}
    for at, (letter, text) in enumerate(
        zip(seen["letters"], seen["symbols"], strict=False)
    ):
        found = re.findall(r"(∂ℓ/∂x̂|x̂|γ|β|δ)(\d+(?:,\d+)?)", text)
        if panel == "dx":
            paths = [*PATHS] if len(seen["letters"]) == 3 else ["direct", "variance"]
            found, want[paths[at]] = [], {seen["at"]}
            assert seen["lettered"][paths[at]] == {"abc"[at]: seen["at"]}
        if panel == "variance":  # its own x̂ comes first, and is in all products
            found = found[1:]
            want.setdefault("xhat", set()).add(seen["at"])
        for name, place in found:
            place = place if "," in place else f"0,{place}"
            assert seen["lettered"][names[name]][letter] == place, seen
            want.setdefault(names[name], set()).add(place)
    if panel == "xhat":
        want = {"x": {*group}}
    if panel == "dx":
        want |= {"xhat": {*group}, "dxhat": {*group}}
    if panel in ("mean", "variance") and want:
        assert want["dxhat"] == {*group}
    assert {of: {*at} for of, at in seen["lit"].items() if at} == want, seen


REFUSED = [("eps", "-1", "negative", []), ("eps", "a", "number", [])]
BROKEN = [
    *("x=1+2", "gamma=1", "beta=1+2", "delta=1_2", "norm=group", "eps=-0.1"),
    *("eps=", "norm=constructor", "at=x.0.0"),
]
LINES = [
    ("x=1&gamma=1", "it lacks delta"),
    ("x=1+2&gamma=1&delta=1+2", r"x is \(1, 2\), γ \(1, 1\), δ \(1, 2\)"),
    ("x=1_2&gamma=1&delta=1", r"x is \(2, 1\), γ \(1, 1\), δ \(1, 1\)"),
    ("x=1&gamma=1&delta=1&norm=group", "norm is group; there are batch, layer, rms"),
]
