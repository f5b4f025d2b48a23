"""Checks of docs/*/softmax.md."""

import numpy as np

from book.checks import call, check, compare, generator, gradient, size, st, tf, values
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "#sums-and-rank",
        r"\sum_i \frac{\partial a_i}{\partial z_j} = 0",
        r"\sum_j \frac{\partial a_i}{\partial z_j} = 0",
    ): "the Jacobian is symmetric: its rows sum to 0 as well",
    (
        "#vjp",
        r"= \sum_i g_i a_i [i=j] - \sum_i g_i a_i a_j",
        r"= \sum_i g_j a_i [i=j] - \sum_i g_i a_i a_j",
    ): "i is j",
    (
        "#vjp",
        r"= \sum_i g_i a_i [i=j] - \sum_i g_i a_i a_j",
        r"= \sum_i g_i a_j [i=j] - \sum_i g_i a_i a_j",
    ): "i is j",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "epsilon": {
        "200": "= big.max() - big.min()",
    },
}


def classes(draw) -> tuple[int, ...]:
    """(..., C): none, one or two axes before the classes."""
    return (*draw(st.lists(st.integers(1, 3), max_size=2)), size(draw, 5))


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


@check("softmax-jacobian")
def softmax_jacobian(function, draw):
    n = size(draw, 6)
    rng = generator(draw)
    z = values(rng, (n,))
    rows = np.tile(z, (n, 1))  # a_i of the i-th copy: its gradient is row i
    return gradient(
        function,
        {"a": softmax(z)},
        rows,
        np.eye(n),
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-vjp")
def softmax_vjp(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, g = values(rng, shape), values(rng, shape)
    return gradient(
        function,
        {"g": g, "a": softmax(z)},
        z,
        g,
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-cross-entropy")
def softmax_cross_entropy(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, y = values(rng, shape), np.abs(values(rng, shape))  # Σ y is not 1
    return gradient(
        function,
        {"a": softmax(z), "y": y},
        z,
        -y,
        lambda z: tf.math.log(tf.nn.softmax(z)),
        lambda z: np.log(softmax(z)),
        rng,
    )


@check("log-sum-exp")
def log_sum_exp(function, draw):
    shape = classes(draw)
    one_by_one = draw(st.booleans())
    rng = generator(draw)
    # exp(1000) is inf and exp(-1000) is 0. Whole rows far off have results of order 1;
    # entries far from each other have an a_i that is 0 in float64, its log is not.
    far = rng.choice([-1000.0, 0.0, 1000.0], shape if one_by_one else (*shape[:-1], 1))
    z = values(rng, shape) + far
    case = {"z": z}
    mine = call(function, case)
    log_sum = np.logaddexp.reduce(z, axis=-1, keepdims=True)
    return max(
        compare(case, mine, tf.nn.log_softmax(z), "TensorFlow"),
        compare(case, mine, z - log_sum, "the definition"),
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """In two of them the labels sum to 1."""
    for classes in (2, 3, 5):
        yield one_example(classes)
    for classes in (2, 4):
        yield one_example(classes, total=1)


@worlds("log-sum-exp")
def largest():
    """m is the largest logit."""
    for classes in (2, 3, 5):
        yield one_example(classes, m=lambda v: np.max(v["z"]))


@worlds("by-hand")
def by_hand(given):
    yield one_example(2, z=given["z"], y=given["y"])


def one_example(classes, m=None, z=None, y=None, total=2.3):
    """Logits z of one example and its labels y with their sum."""
    if y is None:
        y = np.abs(drawn(2, classes))
        y *= total / y.sum()
    return World(
        sizes={"C": classes, "y": y, "v": drawn(3, classes)},
        given={"z": drawn(1, classes) if z is None else z},
        forward={
            "s": lambda v: np.sum(np.exp(v["z"])),
            "a": lambda v: np.exp(v["z"]) / v["s"],
            "ell": lambda v: -np.sum(y * np.log(v["a"])),
            "bar v": lambda v: np.sum(v["a"] * v["v"]),
            **({"m": m} if m else {}),
        },
        gradients={"g": "a"},
        results={"log-sum-exp": lambda v: np.log(v["a"])},
    )


@worlds("batch")
def batch():
    for examples, classes in ((2, 3), (3, 2), (4, 5)):
        y = np.abs(drawn(2, examples, classes))
        yield World(
            sizes={"N": examples, "y": y},
            given={"z": drawn(1, examples, classes)},
            forward={
                "a": lambda v: softmax(v["z"]),
                "ell_()": lambda v, y=y: -np.sum(y * np.log(v["a"]), axis=1),
                "ell": lambda v: np.mean(v["ell_()"]),
            },
        )


@worlds("exercise-temperature")
def temperature():
    for examples, classes, T in ((2, 3, 0.7), (3, 2, 1.3), (4, 5, 2.1)):
        y = np.abs(drawn(2, examples, classes))
        y /= y.sum(1, keepdims=True)
        yield World(
            given={"z": drawn(1, examples, classes), "T": np.array(T)},
            forward={
                "u": lambda v: v["z"] / v["T"],
                "ell": lambda v, y=y: -np.sum(y * np.log(softmax(v["u"]))),
            },
            gradients={"d": "u"},
        )


@worlds("exercise-focal")
def focal():
    for classes, right, gamma in ((2, 0, 2.0), (3, 2, 0.5), (5, 3, 3.0)):
        yield World(
            sizes={"t": right, "gamma": gamma, "y": np.eye(classes)[right]},
            given={"z": drawn(1, classes)},
            forward={
                "a": lambda v: softmax(v["z"]),
                "p": lambda v: v["a"][v["t"]],
                "ell": lambda v: -((1 - v["p"]) ** v["gamma"]) * np.log(v["p"]),
            },
        )
