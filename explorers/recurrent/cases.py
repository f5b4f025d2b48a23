"""A recurrent unit: TensorFlow's gradients, what to look at, and what is refused."""

import re
from collections.abc import Callable
from math import prod

import numpy as np
import tensorflow as tf

from tests.explorers import LETTERS, compared, lit, number

START = (
    "T=5&x=0.5+-1+0.8+0.3+-0.6+1+-0.4+0.2&g=0.5+-0.2+1+0.3+-1+0.4+0.6+-0.8"
    "&W=0.5&U=0.8&b=0&h0=0&at=net.4.1"
)
ROWS = ["x", "h", "J", "g", "dh", "delta", "far"]
THETA = ["W", "U", "b", "h0"]


def by_tape(x, g, W, U, b, h0) -> dict[str, np.ndarray]:
    """All that the panels show, of as many steps as there are x."""
    theta = [tf.constant(float(value), tf.float64) for value in (W, U, b, h0)]
    h, z = [theta[3]], []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(theta)
        for each in x:
            z.append(each * theta[0] + h[-1] * theta[1] + theta[2])
            tape.watch(z[-1])
            h.append(tf.tanh(z[-1]))
            tape.watch(h[-1])
        loss = tf.add_n([each * state for each, state in zip(g, h[1:], strict=True)])
    none = {"unconnected_gradients": tf.UnconnectedGradients.ZERO}
    J = [tape.gradient(h[t + 1], h[t], **none) for t in range(len(x))]
    rows = [x, h[1:], J, g, tape.gradient(loss, h[1:], **none)]
    rows += [tape.gradient(loss, z, **none), tape.gradient(h[-1], h[1:], **none)]
    return {
        "net": np.array([[float(value) for value in row] for row in rows]),
        "theta": np.array([theta, tape.gradient(loss, theta, **none)]),
    }


# --- Beside TensorFlow -------------------------------------------------------

# What the panels show, and the loss's slopes by every state and by what shares it.
MINE = """(cases) => cases.map((setting) => {
    const { states, loss, backward } = recurrent;
    const h = states(setting);
    const slope = (f) => arithmetic.difference(f, 1e-6);
    const steps = setting.x.map((_, t) => t + 1);
    return {
        h, ...backward(setting, h),
        by: steps.map((t) => slope((d) => loss(setting, states(setting, t, d)))),
        inside: steps.map((t) => slope((d) => loss(setting, states(setting, t, 0, d)))),
        start: slope((d) => loss(setting, states(setting, 0, d))),
    };
})"""


def random_steps(random: np.random.Generator) -> dict:
    steps = random.integers(1, 9)
    theta = dict(zip(THETA, random.uniform(-1.5, 1.5, 4).tolist(), strict=True))
    x, g = random.uniform(-1, 1, (2, steps)).tolist()
    return {**theta, "x": x, "g": g}


def arithmetic(evaluate: Callable) -> None:
    """TensorFlow's, and the slopes, of 1 to 8 steps."""
    random = np.random.default_rng(6)
    cases = [random_steps(random) for _ in range(30)]
    assert {len(case["x"]) for case in cases} == {*range(1, 9)}
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        want = by_tape(**case)
        _, h, J, _, dh, delta, far = want["net"]
        np.testing.assert_allclose(mine["h"], [case["h0"], *h], rtol=1e-12)
        named = {"J": J, "dh": dh, "delta": delta, "far": far}
        named |= dict(zip(["dW", "dU", "db", "dh0"], want["theta"][1], strict=True))
        for name, values in named.items():
            np.testing.assert_allclose(mine[name], values, rtol=1e-9, err_msg=name)
        for name, values in (("by", dh), ("inside", delta), ("start", mine["dh0"])):
            np.testing.assert_allclose(mine[name], values, rtol=1e-5, atol=1e-8)


# --- On the page -------------------------------------------------------------

LONG = {"T": "8", "U": "2"}
SETTINGS = {
    "its own": {},
    "last": {"last": "true", "b": "0.1", "h0": "-0.3"},
    "one step": {"T": "1"},
    "nothing comes back": {"U": "0"},
    "vanishing": LONG | {"U": "0.5"},
    "growing": LONG | {"U": "1.2"},
    "saturated": LONG,
    "exploding": LONG | {"W": "0"},
}
# What arrives at the last step of a change in the first state: the page says, hardly
# anything, more than all of it, hardly anything again; and asks for the last.
ARRIVES = {"vanishing": 0.005, "growing": 1.22, "saturated": 0.01, "exploding": 128}


def setting(of: dict[str, str]) -> dict:
    """Of the steps that are shown."""
    steps = int(of["T"])
    x, g = (np.array(of[key].split(), dtype=float)[:steps] for key in "xg")
    if of["last"] == "true":
        g[:-1] = 0
    return {"x": x, "g": g} | {name: float(of[name]) for name in THETA}


SQUARE = re.compile(r"\(1 − (\(?[−\d.]+\)?)²\)")


def product(text: str) -> float:
    """Of numbers, one of which may be 1 − h²."""
    squares = [1 - number(h) ** 2 for h in SQUARE.findall(text)]
    others = [part for part in SQUARE.sub("", text).split("·") if part.strip()]
    return prod(squares) * prod(map(number, others))


def touched(row: str, t: int, T: int, ends: list[int]) -> set[tuple[int, int]]:
    """Where in the net the factors are; in the order of ROWS, steps from 1."""
    last = max(ends, default=t)
    return {
        (ROWS.index(name), step - 1)
        for name, steps in {
            "h": {"x": [t], "h": [t - 1]},
            "J": {"h": [t]},
            "far": {"J": range(t + 1, T + 1)},
            "dh": {"J": range(t + 1, last + 1), "g": ends},
            "dh0": {"J": range(t + 1, last + 1), "g": ends},
            "delta": {"h": [t], "delta": [t + 1], "g": {t} & {*ends}},
            "dW": {"delta": range(1, T + 1), "x": range(1, T + 1)},
            "dU": {"delta": range(1, T + 1), "h": range(T)},
            "db": {"delta": range(1, T + 1)},
        }.get(row, {}).items()
        for step in steps
        if 1 <= step <= T
    }


def symbols(row: str, t: int, T: int, ends: list[int]) -> list[str]:
    """What is multiplied, in each product of a sum."""
    steps, slope = range(1, T + 1), f"(1 − h{t}²)"
    if row in ("dh", "dh0"):
        return [
            " ".join([*(f"J{k}" for k in range(t + 1, end + 1)), f"g{end}"])
            for end in ends
        ]
    return {
        "J": [f"{slope} U"],
        "far": [" ".join(f"J{k}" for k in range(t + 1, T + 1)) or "1"],
        "delta": [f"g{t} {slope}"] * (t in ends) + [f"δ{t + 1} U {slope}"] * (t < T),
        "dW": [f"x{k} δ{k}" for k in steps],
        "dU": [f"h{k - 1} δ{k}" for k in steps],
        "db": [f"δ{k}" for k in steps],
    }.get(row, [])


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """TensorFlow's numbers; a gradient is the sum of what is written, each product has
    its letter where its last factor stands, and what is made of it lights up."""
    of, arrays = shown["settings"], shown["arrays"]
    given = setting(of)
    for panel, want in by_tape(**given).items():
        np.testing.assert_allclose(arrays[panel], want, rtol=0, atol=5.1e-5)
    T = len(given["x"])
    losses = [T] if of["last"] == "true" else [*range(1, T + 1)]
    for seen in shown["cells"]:
        i, j = map(int, seen["at"].split(","))
        net = seen["panel"] == "net"
        row, t = (ROWS[i], j + 1) if net else ("d" * i + THETA[j], 0)
        ends = [end for end in losses if end >= t]
        mine, formula = compared(seen)
        assert abs(mine - formula) <= 2e-7 + 1e-8 * abs(formula)
        assert abs(formula - number(seen["value"])) <= 5.1e-5
        assert lit(seen, "net") == touched(row, t, T, ends)
        assert (said["off"] in seen["written"]) == (row == "g" and t not in losses)
        if row == "x" or (row in ("h", "dh", "dh0") and t < T):  # and in a sentence
            net_row = {"x": 5, "h": 6}.get(row)  # of δ, and of what it reaches
            want = arrays["net"][net_row, j] if net_row else number(seen["value"])
            text = seen["written"].rstrip(".。").rpartition(" = ")[2]
            told = sum(map(product, text.split(" + ")))
            assert abs(told - want * (given["W"] if row == "x" else 1)) <= 5e-4
        if row == "h":
            (inside,) = (text[5:-1] for text in seen["numbers"])
            z = sum(map(product, inside.split(" + ")))
            assert abs(np.tanh(z) - number(seen["value"])) <= 2e-4
            continue
        assert seen["symbols"] == symbols(row, t, T, ends)
        if not seen["symbols"]:  # an input
            continue
        total = sum(map(product, seen["numbers"]))
        # A factor is rounded to 4 decimals, and multiplied by others of up to 2.
        assert abs(total - number(seen["value"])) <= 5e-4 * max(1, abs(total))
        if row in ("J", "far"):
            assert not seen["letters"]
            continue
        assert seen["letters"] == [*LETTERS[: len(seen["symbols"])]]
        last = [re.findall(r"([gδ])(\d+)", text)[-1] for text in seen["symbols"]]
        assert seen["lettered"]["net"] == {
            letter: f"{3 if name == 'g' else 5},{int(step) - 1}"
            for letter, (name, step) in zip(seen["letters"], last, strict=True)
        }
        if row == "dU":  # its first product has a factor among the parameters
            assert seen["lettered"]["theta"] == {"a": "0,3"}
        once = said["once"].partition("{}")[0]
        assert (once in seen["written"]) == (row in ("dh", "dh0") and t < T)
    if name in ARRIVES:
        assert abs(arrays["net"][6, 0] - ARRIVES[name]) <= 5e-3
    if name == "nothing comes back":
        np.testing.assert_array_equal(arrays["net"][4], given["g"])
        assert abs(arrays["theta"][1, 1]) > 0.1


REFUSED = [("U", "x", "number", []), ("T", "9", "whole", [1, 8])]
BROKEN = [
    "x=1+2",
    "x=1+2+3+4_1+2+3+4",
    "g=1+2+3+a",
    "T=0",
    "last=perhaps",
    "h0=none",
    "net=1",
    "at=x.0.0",
]
LINES = [
    ("x=1+2", "it lacks g"),
    ("x=1+2&g=1", "x and g have a number for each"),
    ("x=1+2&g=1+2&T=3", "of which T"),
    ("x=1+2+3+4+5+6+7+8+9&g=1+2+3+4+5+6+7+8+9", "at most 8 steps"),
    ("x=1&g=1&U=much", "could not convert"),
]
