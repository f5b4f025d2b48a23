"""Figures and checks of docs/*/deep/initialisation.md."""

from itertools import product

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    before_relu,
    call,
    check,
    compare,
    generator,
    relu,
    size,
    st,
    tf,
    values,
)
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.tex.world import World, drawn, worlds

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {
        "50": "= L",
    },
    "initialisation": {
        "50": "= L",
    },
    "chain": {
        "1.1": "a factor of the loop, whose output has its powers",
        "100": "below 1.1**50, of which the output is rounded",
    },
    "fifty": {
        "50 50 50 50 50": "= [L] * 5",
    },
    "saturation": {
        "50": "= L",
        "4": "= 1 / sigmoid_prime(np.array(0.0))",
    },
    "residual": {
        "50 50": "= [L, L]",
    },
    "wrong-start": {
        "50": "= L",
    },
    "exercise-uniform": {
        "6 54": "= [fans(uniform)[0] for uniform in uniform_shapes[:2]]",
    },
}

# Changes after which the page says the same, and why.
SAME = {
    (
        "#residual",
        r"q_{n,i} = g_{n,i}^2 + s^2\, \sigma'(x^{l-1}_{n,i})^2 \sum_j g_{n,j}^2",
        r"q_{n,i} = g_{n,i}^2 + s^2\, \sigma'(x^{l-1}_{n,i})^3 \sum_j g_{n,j}^2",
    ): "σ' is 0 or 1",
    (
        "#exercise-zero-branch",
        r"\frac{\partial \ell}{\partial W^{1}} = \frac{\partial \ell}{\partial W^{2}} "
        r"= \sigma(x)^{\mathsf T} g = \begin{bmatrix} 0.5 & 3 \\ 0 & 0 \end{bmatrix}",
        r"\frac{\partial \ell}{\partial W^{2}} = \frac{\partial \ell}{\partial W^{2}} "
        r"= \sigma(x)^{\mathsf T} g = \begin{bmatrix} 0.5 & 3 \\ 0 & 0 \end{bmatrix}",
    ): "both gradients are this matrix",
}

# --- Figures -----------------------------------------------------------------

FORWARD = np.arange(0, 51, 10)
BACKWARD = np.array([50, 40, 30, 20, 10, 1])
DRAWN = 0.05  # how well places and powers of ten are read off a drawing
FACTORS = {"1": 0, "2": 1, "4": 2}  # n s², and the place of its array


def measured(session, section, nth):
    """Forward and backward, as numbers: the session prints their powers of ten."""
    return 10 ** session.printed(section, (2, 6), nth)


@figure("deep-fifty")
def deep_fifty(session):
    """Dots are measured, lines are (n s² / 2)^(l / 2) of the layers passed."""
    forward, backward = [], []
    for factor, nth in FACTORS.items():
        name = rf"s^2 = {factor}/n"
        a, delta = measured(session, "fifty", nth)
        root = np.sqrt(float(factor) / 2)
        forward += [
            Curve(name, FORWARD, root**FORWARD),
            Curve(name, FORWARD, a, dots=True),
        ]
        backward += [
            Curve(name, BACKWARD, root ** (50 - BACKWARD)),
            Curve(name, BACKWARD, delta, dots=True),
        ]
    return Curves(
        [Plot("a^{l}", forward), Plot(r"\delta^{l}", backward)], "l", log=True
    )


@claim("deep-fifty")
def deep_fifty_claim(session, curves):
    """Half the variance a layer, all of it, twice of it; and dots near their lines."""
    for plot, layers, passed, row in (
        ("a^{l}", FORWARD, FORWARD, 0),
        (r"\delta^{l}", BACKWARD, 50 - BACKWARD, 1),
    ):
        for share, (factor, nth) in zip((0.5, 1, 2), FACTORS.items(), strict=True):
            along, line = curves[plot].line(f"s^2 = {factor}/n")
            assert_allclose(along, layers, atol=DRAWN)
            assert_allclose(np.log10(line), passed * np.log10(share) / 2, atol=DRAWN)
            along, dots = curves[plot].dots(f"s^2 = {factor}/n")
            assert_allclose(along, layers, atol=DRAWN)
            shown = session.printed("fifty", (2, 6), nth)[row]
            assert_allclose(np.log10(dots), shown, atol=DRAWN)
            assert_allclose(np.log10(dots), np.log10(line), atol=0.5)
    assert curves.across == "l"


OTHERS = {
    r"\operatorname{sigmoid}": ("saturation", 0),
    r"\tanh": ("saturation", 1),
    "x, s^2 = 2/n": ("residual-fifty", 0),
    "x, s^2 = 2/(nL)": ("residual-fifty", 1),
}


@figure("deep-others")
def deep_others(session):
    lines = [
        Curve(name, BACKWARD, measured(session, *place)[1])
        for name, place in OTHERS.items()
    ]
    return Curves([Plot("", lines)], "l", r"\delta^{l}", log=True)


@claim("deep-others")
def deep_others_claim(session, curves):
    """The sigmoid loses more than a factor of 4 a layer, tanh less than 10 in all; a
    residual connection alone gains about √2 a layer, and scaled less than 2 in all."""
    rows = {name: curves[""].line(name) for name in OTHERS}
    for name, (section, nth) in OTHERS.items():
        layers, sizes = rows[name]
        assert_allclose(layers, BACKWARD, atol=DRAWN)
        shown = session.printed(section, (2, 6), nth)[1]
        assert_allclose(np.log10(sizes), shown, atol=DRAWN)
    passed = 50 - BACKWARD[1:]
    sigmoid, tanh, plain, scaled = (rows[name][1][1:] for name in OTHERS)
    assert (sigmoid < 4.0**-passed).all()
    assert 0.1 < tanh[-1] < 0.2
    assert_allclose(np.log10(plain), passed * np.log10(2) / 2, atol=0.2)
    assert (scaled > 1).all()
    assert (scaled < 2).all()
    assert (curves.across, curves.up) == ("l", r"\delta^{l}")


# --- Checks ------------------------------------------------------------------


def signs(count):
    """All rows of +1 and -1: as weights, draws of deviation 1."""
    return np.array([*product([1.0, -1.0], repeat=count)])


def one_by_one(a, weights):
    """The sums of products, each by itself: (N, I), (M, I) -> (N, M)."""
    return np.array([[sum(a_n * w) for w in weights] for a_n in a])


@check("init-forward")
def init_forward(function, draw):
    """The mean over all draws of a column, of which each is ±s."""
    rows, inputs = examples(draw), size(draw, 5)
    rng = generator(draw)
    a, s = values(rng, (*rows, inputs)), rng.uniform(0.3, 2)
    case = {"a": a, "s": s}
    mine, every = call(function, case), s * signs(inputs)
    by_tf = tf.reduce_mean(tf.tensordot(a, every.T, 1) ** 2, axis=-1)
    flat = one_by_one(a.reshape(-1, inputs), every)
    return max(
        compare(case, mine, by_tf, "TensorFlow"),
        compare(case, mine, np.mean(flat**2, axis=1).reshape(rows), "the mean"),
    )


def examples(draw):
    """No axis of examples, one or two."""
    return tuple(draw(st.lists(st.integers(1, 3), max_size=2)))


def kernels(draw):
    """Of a matrix, a sequence or an image, with few enough weights to draw them all."""
    places = draw(st.sampled_from([(), (1,), (2,), (3,), (1, 2), (2, 1), (2, 2)]))
    count = np.prod(places, dtype=int)
    most = max(1, 6 // count)
    return places, count, size(draw, most), size(draw, most)


@check("init-he")
def init_he(function, draw):
    """A layer of ReLU keeps the mean square, over all draws of what an output sees."""
    places, count, inputs, outputs = kernels(draw)
    rng = generator(draw)
    W, x = values(rng, (*places, inputs, outputs)), values(rng, (count * inputs,))
    case = {"W": W}
    mine, every = call(function, case), signs(len(x))
    by_tf = tf.nn.relu(window_sum(x, every, places))
    by_numpy = relu(one_by_one(x[np.newaxis], every))
    return max(
        compare(case, mine, W / rms_gain(by_tf, x), "TensorFlow"),
        compare(case, mine, W / rms_gain(by_numpy, x), "the mean"),
    )


@check("init-glorot")
def init_glorot(function, draw):
    """What a layer gains forward and what it gains backward have the mean 1, without
    activation and at a place that all windows reach."""
    places, count, inputs, outputs = kernels(draw)
    rng = generator(draw)
    W = values(rng, (*places, inputs, outputs))
    x, delta = values(rng, (count * inputs,)), values(rng, (count * outputs,))
    case = {"W": W}
    mine, of_x, of_delta = call(function, case), signs(len(x)), signs(len(delta))
    by_tf = [
        rms_gain(window_sum(x, of_x, places), x),
        rms_gain(middle_gradient(delta, of_delta, places), delta),
    ]
    by_numpy = [
        rms_gain(one_by_one(x[np.newaxis], of_x), x),
        rms_gain(one_by_one(delta[np.newaxis], of_delta), delta),
    ]
    return max(
        compare(case, mine, W / np.sqrt(np.mean(np.square(gains))), oracle)
        for gains, oracle in ((by_tf, "TensorFlow"), (by_numpy, "the mean"))
    )


def rms_gain(sums, of):
    """By how much the root of the mean square is larger."""
    return np.sqrt(np.mean(np.asarray(sums) ** 2) / np.mean(of**2))


def window_sum(x, every, places):
    """What a layer makes of an input that is one window, for all draws of it."""
    x, kernel = x.reshape(1, *places, -1), every.T.reshape(*places, -1, len(every))
    if not places:
        return tf.constant(x) @ kernel
    return tf.nn.convolution(tf.constant(x), kernel, padding="VALID")


def middle_gradient(delta, every, places):
    """The gradient at a place that all windows reach. Each channel of the input has
    one of the draws, so that one gradient has them all."""
    upstream = delta.reshape(1, *places, -1)
    kernel = np.moveaxis(every.reshape(-1, *upstream.shape[1:]), 0, -2)
    image = tf.zeros((1, *(2 * n - 1 for n in places), len(every)), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(image)
        if places:
            z = tf.nn.convolution(image, kernel, padding="VALID")
        else:
            z = image @ kernel
    dx = tape.gradient(z, image, output_gradients=tf.constant(upstream)).numpy()
    return dx[(0, *(n - 1 for n in places))]


@check("init-residual")
def init_residual(function, draw):
    """Row i of W acts on entry i alone, so its draws are a mean for each entry."""
    shape = (*examples(draw), size(draw, 4))
    rng = generator(draw)
    g, x = values(rng, shape), before_relu(rng, shape)
    s = rng.uniform(0.3, 2)
    case = {"g": g, "x": x, "s": s}
    mine, every = call(function, case), s * signs(shape[-1])
    by_tf, by_numpy = np.zeros(shape), np.zeros(shape)
    for draw_of_rows in every:
        W = np.tile(draw_of_rows, (shape[-1], 1))
        tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            above = tensor + tf.tensordot(tf.nn.relu(tensor), W, 1)
        dx = tape.gradient(above, tensor, output_gradients=tf.constant(g)).numpy()
        by_tf += dx**2 / len(every)
        slope = np.einsum("...j,ij->...i", g, W) * (x > 0)
        by_numpy += (g + slope) ** 2 / len(every)
    return max(
        compare(case, mine, by_tf, "TensorFlow"),
        compare(case, mine, by_numpy, "the mean"),
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """The columns of W are all draws of a column, so that E is a mean over j."""
    for examples, inputs, s in ((2, 3, 0.7), (3, 2, 1.3), (2, 4, 0.4)):
        yield World(
            sizes={"s": s},
            given={
                "a": drawn(1, examples, inputs),
                "W": s * signs(inputs).T,
            },
            forward={"z": lambda v: v["a"] @ v["W"]},
            functions={"E": np.mean, "sigma": relu},
            results={"init-forward": lambda v: np.mean(v["z"] ** 2, axis=1)},
        )


def kernel_gains(shape):
    """Of variance 1, over all draws: what ReLU leaves of it forward, and without
    activation forward and backward."""
    *places, inputs, outputs = shape
    n_in, n_out = (int(np.prod(places)) * count for count in (inputs, outputs))
    x, delta = drawn(1, n_in), drawn(2, n_out)
    forward, back = signs(n_in) @ x, signs(n_out) @ delta
    return {
        "relu": np.mean(relu(forward) ** 2) / np.mean(x**2),
        "forward": np.mean(forward**2) / np.mean(x**2),
        "backward": np.mean(back**2) / np.mean(delta**2),
        "n_in": n_in,
        "n_out": n_out,
    }


SHAPES = (4, 3), (2, 5), (3, 2, 1), (2, 2, 1, 2)


@worlds("he")
def he():
    for shape in SHAPES:
        gains = kernel_gains(shape)
        s = np.sqrt(1 / gains["relu"])
        q = 0.8  # of the layer below
        yield World(
            sizes={
                **{"W": drawn(3, *shape), "n_in": gains["n_in"], "s": s},
                **{"q^l-1": q, "q^l": gains["relu"] * s**2 * q},
            },
            results={"init-he": lambda v: v["s"] * v["W"]},
        )


@worlds("depth")
def depth():
    """The mean over all draws of all layers."""
    for L, n, s in ((1, 3, 0.7), (2, 2, 1.4), (3, 2, 0.6)):
        a0, squares = drawn(1, n), []
        for draw in signs(L * n * n).reshape(-1, L, n, n):
            a = a0
            for W in draw:
                a = relu(a @ (s * W))
            squares.append(np.mean(a**2))
        yield World(
            sizes={
                **{"L": L, "n": n, "s": s},
                **{"q^0": np.mean(a0**2), "q^L": np.mean(squares)},
            }
        )


@worlds("backward")
def backward():
    """The rows of W are all draws of a row: E is a mean over i. Each draw meets
    a unit below that is on, and one that is off."""
    for examples, outputs, s in ((2, 3, 0.7), (3, 2, 1.3), (2, 4, 0.4)):
        delta = drawn(1, examples, outputs)
        W = s * signs(outputs)
        g = delta @ W.T
        squares = [np.mean((g * on) ** 2) for on in (0, 1)]
        yield World(
            sizes={
                **{"s": s, "delta": delta, "W": W, "n_out": outputs},
                **{"g": g, "d^l": np.mean(delta**2), "d^l-1": np.mean(squares)},
            },
            functions={"E": np.mean},
        )


@worlds("glorot")
def glorot():
    for shape in SHAPES:
        gains = kernel_gains(shape)
        s = np.sqrt(2 / (gains["forward"] + gains["backward"]))
        yield World(
            sizes={
                **{"W": drawn(3, *shape), "s": s},
                **{name: gains[name] for name in ("n_in", "n_out")},
            },
            results={"init-glorot": lambda v: v["s"] * v["W"]},
        )


@worlds("residual")
def residual():
    """q is the mean of the squares of ∂ℓ/∂x^{l-1} over all draws of each row of W."""
    for examples, units, s in ((2, 3, 0.7), (3, 2, 1.3), (2, 4, 0.4)):
        g = drawn(2, examples, units)
        world = World(
            sizes={"s": s, "g": g},
            given={
                "x^l-1": drawn(1, examples, units),
                "W^l": s * drawn(3, units, units),
            },
            forward={
                "x^l": lambda v: v["x^l-1"] + relu(v["x^l-1"]) @ v["W^l"],
                "ell": lambda v, g=g: np.sum(g * v["x^l"]),
            },
            functions={"sigma": relu, "sigma'": lambda x: 1.0 * (x > 0)},
            arguments={"x": "x^l-1"},
        )
        squares = []
        for draw in s * signs(units):
            back = (world.values["x^l-1"] > 0) * (g @ draw)[:, np.newaxis]
            squares.append((g + back) ** 2)
        world.set("q", np.mean(squares, axis=0))
        yield world


@worlds("exercise-leaky")
def leaky():
    for inputs, s, alpha in ((3, 0.7, 0.2), (2, 1.3, 0.5), (4, 0.4, 0.1)):
        yield World(
            sizes={"s": s, "alpha": alpha},
            given={"a": drawn(1, 2, inputs), "W": s * signs(inputs).T},
            forward={"z": lambda v: v["a"] @ v["W"]},
            functions={
                "E": np.mean,
                "sigma": lambda z, alpha=alpha: np.where(z > 0, z, alpha * z),
            },
        )


@worlds("exercise-zero-branch")
def zero_branch(given):
    x, g = given["zero_x"], given["zero_g"]
    yield World(
        sizes={"g": g},
        given={"x": x, "W^1": np.zeros((2, 2)), "W^2": np.zeros((2, 2))},
        forward={
            "x^1": lambda v: v["x"] + relu(v["x"]) @ v["W^1"],
            "x^2": lambda v: v["x^1"] + relu(v["x^1"]) @ v["W^2"],
            "ell": lambda v: np.sum(g * v["x^2"]),
        },
        functions={"sigma": relu},
    )
