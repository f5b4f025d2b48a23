"""Attention: TensorFlow's numbers, settings to look at, and what is refused."""

import re
from collections.abc import Callable, Iterator
from math import exp, prod, sqrt

import numpy as np
import tensorflow as tf

from tests.explorers import compared, number

START = (
    "Q=1+0_0+2_-1+1&K=1+1_0+1_2+-1_0.5+0&V=1+0+2_0+2+-1_3+-1+0_-2+1+1"
    "&dO=1+-1+0.5_0+2+1_2+1+-1&at=dS.0.1"
)
NAMES = ["S", "P", "O", "dQ", "dK", "dV", "dS", "dP"]


def of(name: str) -> str:
    """How the symbols of a sum have a panel."""
    return name.replace("d", "∂ℓ/∂")


# --- Beside TensorFlow -------------------------------------------------------

# All arrays, what the products of each cell add up to, and all slopes.
MINE = """(cases) => cases.map(({ Q, K, V, dO, root, causal }) => {
    const setting = { Q, K, V, root, causal };
    const arrays = attention.attend(setting, dO);
    const each = (name, value) =>
        arrays[name].map((row, i) => row.map((_, j) => value([i, j])));
    const share = ([i, j]) => (term) => "dP" in term
        ? Number(term.P[1] === j) - arrays.P[i][j] : 1;
    const product = (term) => Object.entries(term)
        .reduce((all, [name, [i, j]]) => all * arrays[name][i][j], 1);
    const sums = Object.fromEntries(["S", "O", "dP", "dS", "dV", "dQ", "dK"]
        .map((name) =>
        [name, each(name, (cell) => arithmetic.sum([
            attention.terms(arrays, causal, name, cell).map((term) =>
                product(term) * share(cell)(term))])
            / (/^(S|dQ|dK)$/.test(name) ? root : 1))]));
    const slopes = Object.fromEntries(["Q", "K", "V", "S", "P"].map((name) =>
        [`d${name}`, each(name, (cell) => arithmetic.difference((h) => attention.loss(
            { ...setting, [name]: arithmetic.changed(arrays[name], cell, h) }, dO),
        1e-5))]));
    return { arrays, sums, slopes };
})"""


def by_tape(Q, K, V, dO, root: float, causal: bool) -> dict[str, np.ndarray]:
    with tf.GradientTape() as tape:
        Q, K, V = (tf.constant(array, tf.float64) for array in (Q, K, V))
        tape.watch([Q, K, V])
        S = Q @ tf.transpose(K) / root
        seen = np.tri(*S.shape, dtype=bool) if causal else np.ones(S.shape, bool)
        P = tf.nn.softmax(tf.where(seen, S, -np.inf))
        output = P @ V
        loss = tf.reduce_sum(dO * output)
    arrays = {"Q": Q, "K": K, "V": V, "S": S, "P": P}
    gradients = tape.gradient(loss, arrays)
    return {
        **{name: array.numpy() for name, array in {**arrays, "O": output}.items()},
        **{f"d{name}": array.numpy() for name, array in gradients.items()},
    }


def drawn(random: np.random.Generator, n: int) -> dict:
    queries, keys, depth, wide = random.integers(1, 6, 4)
    shapes = {"Q": (queries, depth), "K": (keys, depth), "V": (keys, wide)}
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    root = sqrt(depth) if n % 2 else 1.0
    dO = random.normal(size=(queries, wide))
    return {**arrays, "dO": dO, "root": root, "causal": n % 4 > 1}


def arithmetic(evaluate: Callable) -> None:
    random = np.random.default_rng(6)
    cases = [drawn(random, n) for n in range(80)]
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        want = by_tape(**case)
        for name in NAMES:
            np.testing.assert_allclose(mine["arrays"][name], want[name], atol=1e-12)
        for name, sums in mine["sums"].items():
            np.testing.assert_allclose(sums, want[name], atol=1e-12, err_msg=name)
        for name, slopes in mine["slopes"].items():
            np.testing.assert_allclose(slopes, want[name], atol=1e-8, err_msg=name)


# --- On the page -------------------------------------------------------------

SETTINGS = {
    "its own": {},
    "causal": {"mask": "causal"},
    "unscaled": {"scale": "false"},
    "both": {"mask": "causal", "scale": "false"},
    "of two": {  # as many as the pages' cases may have least
        **{"Q": "1 2_0 1", "K": "1 1_0 2", "V": "1_2", "dO": "1_-1", "mask": "causal"}
    },
    "far": {"Q": "40 0_0 40_1 1", "scale": "false"},
}


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """TensorFlow's numbers; the products re-added give the value, and each has its
    letter at both factors, at a gradient's also at what that is the gradient of."""
    settings, arrays = shown["settings"], shown["arrays"]
    causal = settings["mask"] == "causal"
    given = [arrays[panel] for panel in ("Q", "K", "V", "dO")]
    root = sqrt(arrays["Q"].shape[1]) if settings["scale"] == "true" else 1
    want = by_tape(*given, root, causal)
    for panel in NAMES:
        np.testing.assert_allclose(arrays[panel], want[panel], atol=5.1e-5)
    masked = [f"{i},{j}" for i, j in np.ndindex(arrays["S"].shape) if causal and j > i]
    for panel in shown["marked"]["unread"]:
        assert shown["marked"]["unread"][panel] == (masked if panel[-1] in "SP" else [])
    for seen in shown["cells"]:
        panel, value = seen["panel"], number(seen["value"])
        i, j = map(int, seen["at"].split(","))
        mine, formula = compared(seen)
        assert abs(mine - formula) <= 2e-8
        assert abs(formula - value) <= 5.1e-5
        hidden = panel[-1] in "SP" and seen["at"] in masked
        assert (said["masked"] in seen["written"]) == hidden
        twin = {panel[1]: [seen["at"]]} if panel[0] == "d" else {}
        twin |= {"dO": [seen["at"]]} if panel == "O" else {}
        assert {name: at for name, at in seen["twin"].items() if at} == twin
        if panel == "P":
            assert abs(sum(map(softmax, seen["numbers"])) - value) <= 1e-4
            row = [f"{i},{k}" for k in range(arrays["S"].shape[1])]
            assert seen["lit"]["S"] == [at for at in row if at not in masked]
            continue
        factors(seen)
        products = [product(text) for text in seen["numbers"]]
        size = max([1, *map(abs, products)])
        assert abs(sum(products) - value) <= 3e-4 * size, seen
        left_out = re.search(said["left_out"].replace("{}", r"(\d+)"), seen["written"])
        all_ = len(products) + (int(left_out[1]) if left_out else 0)
        assert hidden or all_ == sums(panel, arrays)
        if panel == "dS" and not hidden:
            P, less = (float(number(text)) for text in row_sum(seen, said))
            rows = [np.sum(arrays[a] * arrays[f"d{a}"], axis=1)[i] for a in "PO"]
            np.testing.assert_allclose(rows, less, atol=2e-3 * size)
            assert abs(P - arrays["P"][i, j]) <= 5.1e-5


def sums(panel: str, arrays: dict) -> int:
    """How many products a sum has while nothing is masked."""
    queries, keys = arrays["S"].shape
    depth, wide = arrays["Q"].shape[1], arrays["V"].shape[1]
    of = {"S": depth, "O": keys, "dP": wide, "dS": keys}
    return {**of, "dV": queries, "dQ": keys, "dK": queries}[panel]


def row_sum(seen: dict, said: dict[str, str]) -> Iterator[str]:
    """What stands for the weight, and for the row's sum, beside ∂ℓ/∂S."""
    pattern = re.escape(said["row"]).replace(r"\{\}", r"(\(?[−\d.]+\)?)")
    weight, _, less, _ = re.search(pattern, seen["written"]).groups()
    return weight, less


def factors(seen: dict) -> None:
    """What is lit is what the products have, lettered."""
    panels = {}
    for letter, text in zip(seen["letters"], seen["symbols"], strict=True):
        for name, at in re.findall(r"((?:∂ℓ/∂)?[QKVSPO])(\d+,\d+)(?!\))", text):
            name = name.replace("∂ℓ/∂", "d")
            assert seen["lettered"][name][letter] == at, seen
            for panel in {name, name[-1]}:
                panels.setdefault(panel, set()).add(at)
    if seen["panel"] == "dS" and panels:
        panels["P"].add(seen["at"])
    lit = {panel: {*at} for panel, at in seen["lit"].items() if at}
    assert lit == panels, seen


def product(text: str) -> float:
    """Of what is written as a · b / √c, or as a · b · (1 − c)."""
    text, _, root = text.partition(" / √")
    *numbers, last = text.split(" · ")
    one, minus, less = last.strip("()").partition(" − ")
    last = number(one) - number(less) if minus else number(last)
    return prod(map(number, numbers)) * last / sqrt(float(root or 1))


def softmax(text: str) -> float:
    one, *all_ = (exp(number(each)) for each in re.findall(r"exp (\S+)", text))
    return one / sum(all_)


REFUSED = []
BROKEN = [
    *("Q=1+2", "K=1+1", "V=1_2", "dO=1", "mask=all", "scale=2", "at=Q.0.0"),
    *("Q=1+a_0+2_-1+1", "mask=constructor", "dO=1+0_0+1_1+1"),
]
LINES = [
    ("Q=1+2&K=1+2&V=1", "it lacks dO"),
    ("Q=1+2&K=1&V=1&dO=1", r"Q is \(1, 2\), K is \(1, 1\), V is \(1, 1\)"),
    ("Q=1&K=1_2&V=1&dO=1", r"Q is \(1, 1\), K is \(2, 1\), V is \(1, 1\)"),
    ("Q=1&K=1&V=1+2&dO=1", r"dO is \(1, 1\), O is \(1, 2\)"),
]
