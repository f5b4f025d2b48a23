"""A graph of numbers: TensorFlow's gradients, what to look at, and what is refused."""

import re
from collections.abc import Callable
from math import prod

import numpy as np
import tensorflow as tf

from tests.explorers import compared, number

RESIDUAL = (  # x is used twice
    "x 0 0_w 0 1_u 1 1 mul w x_a 2 1 relu u_y 3 0 add x a_l 4 0 square y"
)
START = f"f={RESIDUAL.replace(' ', '+')}&x=2+1.5&at=x.1.0"
# x and u are used twice: three paths, two arrows that leave x.
CIRCUIT = "x 0 0_w 0 1_u 1 1 mul x w_v 2 0 add x u_l 3 1 mul u v"
TENSORFLOW = {
    "add": tf.add,
    "mul": tf.multiply,
    "square": tf.square,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
}


def by_tape(f: str, x: list[float]) -> np.ndarray:
    """The values of all nodes, and below them the gradients of the last."""
    given, nodes = iter(x), {}
    with tf.GradientTape() as tape:
        for line in f.split("_"):
            name, _, _, *made = line.split(" ")
            if made:
                inputs = [
                    nodes[arg] if arg in nodes else tf.constant(float(arg), tf.float64)
                    for arg in made[1:]
                ]
                nodes[name] = TENSORFLOW[made[0]](*inputs)
            else:
                nodes[name] = tf.constant(next(given), tf.float64)
            tape.watch(nodes[name])  # what is made of constants alone, too
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(
        nodes[name], [*nodes.values()], unconnected_gradients=zero
    )
    return np.array([[*nodes.values()], gradients])


# --- Beside TensorFlow -------------------------------------------------------

# Values, gradients, their sums over all paths, and the slopes.
MINE = """(cases) => cases.map(({ f, x }) => {
    const nodes = graphs.run(f, x);
    const product = (path) => path.reduce((all, { slope }) => all * slope, 1);
    const moved = (k) => (h) => graphs.run(f, x, k, h).at(-1).value;
    return {
        values: nodes.map(({ value }) => value),
        gradients: nodes.map(({ gradient }) => gradient),
        paths: nodes.map((node) => graphs.paths(node, nodes.at(-1)).map(product)),
        slopes: nodes.map(({ k }) => arithmetic.difference(moved(k), 1e-6)),
    };
})"""


def random_graph(random: np.random.Generator) -> dict:
    """Two or three inputs, and up to seven nodes that are made of some before them."""
    names = [f"x{k}" for k in range(random.integers(2, 4))]
    lines = [f"{name} 0 {k}" for k, name in enumerate(names)]
    x = random.uniform(-1.5, 1.5, len(names)).round(4)
    for k in range(random.integers(3, 8)):
        op = str(random.choice([*TENSORFLOW, "add", "mul"]))
        arguments = [
            "-0.5" if random.random() < 0.1 else str(random.choice(names[-3:]))
            for _ in range(2 if op in ("add", "mul") else 1)
        ]
        names.append(f"u{k}")
        lines.append(" ".join([f"u{k} {k + 1} 0 {op}", *arguments]))
    return {"f": "_".join(lines), "x": x.tolist()}


def arithmetic(evaluate: Callable) -> None:
    """TensorFlow's, of any graph; sums over paths are what goes backward once."""
    random = np.random.default_rng(6)
    cases = [random_graph(random) for _ in range(100)]
    longest = smooth = 0
    for case, mine in zip(cases, evaluate(MINE, cases), strict=True):
        values, gradients = by_tape(**case)
        np.testing.assert_allclose(mine["values"], values, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(mine["gradients"], gradients, rtol=1e-9, atol=1e-12)
        sums = [sum(products) for products in mine["paths"]]
        np.testing.assert_allclose(sums, gradients, rtol=1e-9, atol=1e-12)
        if values.all():  # else at the kink of a ReLU, perhaps
            np.testing.assert_allclose(mine["slopes"], gradients, rtol=1e-5, atol=1e-5)
            smooth += 1
        longest = max(longest, *map(len, mine["paths"]))
    assert longest >= 8
    assert smooth >= 40


# --- On the page -------------------------------------------------------------

SETTINGS = {
    "its own": {},
    "off": {"x": "2 -1.5"},
    "circuit": {"f": CIRCUIT, "x": "2 -3"},
    "twice": {"f": "x 0 0_w 0 1_u 1 0 mul x x_l 2 0 mul 2 u", "x": "3 1"},
    "kink": {"x": "2 0"},
    "large": {"f": "x 0 0_u 1 0 mul 2 x_v 1 1 square x_l 2 0 mul u v", "x": "9999"},
    "tanh": {"f": "x 0 0_a 1 0 tanh x_l 2 0 add a x", "x": "0.5"},
}
# How the operations of values are written.
WRITTEN = {
    r"ReLU\((.*)\)": lambda a: max(a, 0),
    r"tanh\((.*)\)": np.tanh,
    r"(.*)²": np.square,
    r"(.*) · (.*)": lambda a, b: a * b,
    r"(.*) \+ (.*)": lambda a, b: a + b,
}


def computed(text: str) -> float:
    for pattern, function in WRITTEN.items():
        if found := re.fullmatch(pattern, text):
            return function(*map(number, found.groups()))
    raise ValueError(text)


def check(name: str, shown: dict, said: dict[str, str]) -> None:
    """A value is what is written; a gradient the sum over all paths, each of which goes
    from its node to ℓ, and has its letter at its arrows; TensorFlow says the same."""
    of, arrays = shown["settings"], shown["arrays"]
    f, x = of["f"], [float(value) for value in of["x"].split()]
    np.testing.assert_allclose(arrays["x"], by_tape(f, x), rtol=0, atol=5.1e-5)
    names = [line.split(" ")[0].replace("l", "ℓ") for line in f.split("_")]
    for seen in shown["cells"]:
        row, k = map(int, seen["at"].split(","))
        mine, formula = compared(seen)
        kink = name == "kink" and seen["at"] in ("1,0", "1,1", "1,2")
        assert (said["kink"] in seen["written"]) == kink
        assert kink or abs(mine - formula) <= 2e-8 + 1e-8 * abs(formula)
        assert abs(formula - number(seen["value"])) <= 5.1e-5
        if row == 0:
            for text in seen["numbers"]:
                assert abs(computed(text) - number(seen["value"])) <= 2e-4
            assert (said["given"] in seen["written"]) == (not seen["numbers"])
            continue
        products = [prod(map(number, text.split("·"))) for text in seen["numbers"]]
        assert abs(sum(products) - number(seen["value"])) <= 2e-4
        assert seen["letters"] == [*"abcdefgh"[: len(products)]]
        for text in seen["symbols"]:
            steps = re.findall(r"∂(\w+)/∂(\w+)", text)
            ends = [steps[0][1], *(end for end, _ in steps)] if steps else ["ℓ"]
            assert [start for _, start in steps] == ends[:-1]
            assert (ends[0], ends[-1]) == (names[k], "ℓ")
        assert len(set(seen["symbols"])) == len(products) or name == "twice"
        assert (said["none"] in seen["written"]) == (not products)
    cells = {seen["at"]: seen for seen in shown["cells"]}
    once = said["once"].partition("{}")[0]
    assert (once in cells["1,0"]["written"]) == (f == CIRCUIT)
    if (f, x) == (CIRCUIT, [2, -3]):
        assert cells["1,0"]["symbols"] == [
            *("∂u/∂x ∂v/∂u ∂ℓ/∂v", "∂u/∂x ∂ℓ/∂u", "∂v/∂x ∂ℓ/∂v"),
        ]
        assert "(−3) · (−10) + 1 · (−6)" in cells["1,0"]["written"]


REFUSED = []
BROKEN = [
    "x=1",
    "x=1+2_3+4",
    "f=x+0+0",
    "f=x+0+0_w+0+1_l+1+0+mul+x",
    "f=x+0+0_w+0+1_l+1+0+div+x+w",
    "f=x+0+0_w+0+1_l+1+0+mul+x+v",
    "f=x+0+0_w+0+1_x+1+0+mul+x+w",
    "f=x+0+0_w+0+1_l+1+0+constructor+x",
    "f=x+0+0_%3Cb%3E+0+1",
    "f=x+0+0_w+a+1",
    "f=x+0+0_u+1+0+relu+x_w+0+1",
    "at=u.1.1",
]
LINES = [
    ("x=1", "it lacks f"),
    ("f=x+0+0_w+0+1_l+1+0+mul+x+w&x=1", "x has no value for w"),
    ("f=x+0+0_l+1+0+relu+x_w+0+1&x=1+2", "x has no value for w"),
    ("f=x+0+0_x+1+0+relu+x&x=1", "there are two nodes x"),
    ("f=x+0+0_l+1+0+relu+y&x=1", "there is no y before l"),
    ("f=x+0+0_l+1+0+exp+x&x=1", "there is no operation exp of 1"),
    ("f=x+0+0_l+1+0+mul+x&x=1", "there is no operation mul of 1"),
    ("f=x+0+0_l+1+0+relu+x&x=nowhere", "there is no section nowhere"),
]
