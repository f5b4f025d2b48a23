"""Figures and checks of docs/*/deep/activations.md."""

from math import erf, pi

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    before_relu,
    check,
    generator,
    gradient,
    sigmoid,
    size,
    st,
    tf,
    values,
)
from book.curves import Curve, Curves, Plot
from book.figures import ROUNDING, claim, figure
from book.tex.world import World, worlds

# Changes after which the page says the same, and why.
KINK = "at a kink there is no derivative; the text says which slope is taken"
SAME = {
    (
        "sigmoid",
        "return np.where(z >= 0, 1, e) / (1 + e)",
        "return np.where(z > 0, 1, e) / (1 + e)",
    ): "at 0 both forms are one half",
    (
        "#leaky",
        r"\frac{\partial \ell}{\partial z} = g \odot "
        r"\begin{cases} 1 & \text{if } z > 0 \\ \alpha & \text{otherwise} \end{cases}",
        r"\frac{\partial \ell}{\partial z} = g \odot "
        r"\begin{cases} 1 & \text{if } z \ge  0 \\ \alpha & \text{otherwise} "
        r"\end{cases}",
    ): KINK,
    (
        "#elu",
        r"\frac{\partial \ell}{\partial z} = g \odot "
        r"\begin{cases} \lambda & \text{if } a > 0 \\ "
        r"a + \lambda \alpha & \text{otherwise} \end{cases}",
        r"\frac{\partial \ell}{\partial z} = g \odot "
        r"\begin{cases} \lambda & \text{if } a \ge  0 \\ "
        r"a + \lambda \alpha & \text{otherwise} \end{cases}",
    ): KINK,
    (
        "#hard-sigmoid",
        r"\frac{\partial \ell}{\partial z} &= \frac{g}{6} \odot [|z| < 3]",
        r"\frac{\partial \ell}{\partial z} &= \frac{g}{6} \odot [|z| \le  3]",
    ): KINK,
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "saturation": {
        "17": "= next(n for n in range(99) if sigmoid(np.float32(n)) == 1)",
    },
    "kinks": {
        "0.5": "= by_tape(lambda z: keras.elu(z, 0.5), np.array(0.0))[0]",
    },
}

# --- The functions, written by their definitions -----------------------------

SELU = 1.6732632423543772, 1.0507009873554805
normal = np.vectorize(lambda z: (1 + erf(z / 2**0.5)) / 2, otypes=[float])


def elu(z, alpha, scale):
    return scale * np.where(z > 0, z, alpha * (np.exp(np.minimum(z, 0)) - 1))


def leaky(z, alpha):
    return np.where(z > 0, z, alpha * z)


DEFINED = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "hard sigmoid": lambda z: np.clip(z + 3, 0, 6) / 6,
    "ReLU": lambda z: leaky(z, 0),
    "leaky ReLU": lambda z: leaky(z, 0.2),
    "ELU": lambda z: elu(z, 1, 1),
    "SELU": lambda z: elu(z, *SELU),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "SiLU": lambda z: z * sigmoid(z),
    "GELU": lambda z: z * normal(z),
}


# --- Figures -----------------------------------------------------------------

VALUE, SLOPE = r"\sigma", r"\sigma'"
FINE = np.linspace(-4, 4, 129)
H = 1e-6


def slope(function):
    """By central differences; at kinks there is none."""
    ahead, here, behind = (function(FINE + step) for step in (H, 0, -H))
    bent = np.abs(ahead + behind - 2 * here) / H > 0.01
    return np.where(bent, np.nan, (ahead - behind) / (2 * H))


def curves(session, section, names):
    """Lines by definition, and the dots that the section prints."""
    plots = []
    for nth, name in enumerate(names):
        function = DEFINED[name]
        printed = session.printed(section, (2, 9), nth)
        at = np.linspace(-4, 4, 9)
        lines = [
            Curve(VALUE, FINE, function(FINE)),
            Curve(SLOPE, FINE, slope(function)),
            Curve(VALUE, at, printed[0], True),
            Curve(SLOPE, at, printed[1], True),
        ]
        plots.append(Plot(rf"\text{{{name}}}", lines))
    return Curves(plots, "z")


def one_shape(value, slope):
    """Dots lie on their lines, and one line is the slope of the other: each is given as
    its line and its dots. Where the dots are, and both their values."""
    (x, y), (at, dots) = value
    (slope_x, slope_y), (slope_at, slope_dots) = slope
    assert_allclose(slope_at, at, atol=0.01)
    assert_allclose(np.diff(at), (x[-1] - x[0]) / 8, atol=0.01)
    assert_allclose(dots, np.interp(at, x, y), atol=0.01)
    steps, middle = np.diff(y) / np.diff(x), (x[1:] + x[:-1]) / 2
    # What is read off is exact to 1e-3, and x takes small steps; kinks are left out.
    near = np.abs(middle[:, np.newaxis] - slope_x) < 0.6 * np.diff(x).mean()
    between = near.sum(axis=1) == 2
    drawn = np.interp(middle, slope_x, slope_y)
    assert_allclose(drawn[between], steps[between], atol=0.1)
    smooth = np.isin(np.round(at, 2), np.round(slope_x, 2))
    on_line = np.interp(at, slope_x, slope_y)
    assert_allclose(slope_dots[smooth], on_line[smooth], atol=0.01)
    return np.round(at, 1), dots, slope_dots


def both(plot):
    return one_shape(*((plot.line(name), plot.dots(name)) for name in (VALUE, SLOPE)))


@figure("curves-saturating")
def saturating(session):
    return curves(session, "saturating", ["sigmoid", "tanh", "hard sigmoid"])


@claim("curves-saturating")
def both_ends_are_flat(session, drawn):
    for name, (low, high), steepest in (
        ("sigmoid", (0, 1), 1 / 4),
        ("tanh", (-1, 1), 1),
        ("hard sigmoid", (0, 1), 1 / 6),
    ):
        at, dots, slopes = both(drawn[rf"\text{{{name}}}"])
        assert_allclose(dots[[0, -1]], [low, high], atol=0.02)
        assert_allclose(slopes[[0, -1]], 0, atol=0.02)
        assert_allclose([slopes.max(), slopes[at == 0][0]], steepest, atol=ROUNDING)


@figure("curves-kin")
def kin(session):
    return curves(session, "kin", ["ReLU", "leaky ReLU", "ELU", "SELU", "softplus"])


@claim("curves-kin")
def straight_on_the_right(session, drawn):
    for name, left, right in (
        ("ReLU", 0, 1),
        ("leaky ReLU", 0.2, 1),
        ("ELU", np.exp(-4), 1),
        ("SELU", SELU[0] * SELU[1] * np.exp(-4), SELU[1]),
        ("softplus", sigmoid(-4), sigmoid(4)),
    ):
        at, dots, slopes = both(drawn[rf"\text{{{name}}}"])
        assert_allclose(slopes[[0, -1]], [left, right], atol=5e-3)
        assert_allclose(dots[-1], 4 * right, atol=0.1)
        # At the kink stands the slope of the left side.
        assert_allclose(slopes[at == 0], slope_left_of_0(name), atol=5e-3)


def slope_left_of_0(name):
    return (DEFINED[name](0.0) - DEFINED[name](-H)) / H


@figure("curves-gates")
def gates(session):
    return curves(session, "gates", ["SiLU", "GELU"])


@claim("curves-gates")
def they_fall_and_rise(session, drawn):
    for name, lowest in (("SiLU", -1.278), ("GELU", -0.752)):
        plot = drawn[rf"\text{{{name}}}"]
        at, dots, slopes = both(plot)
        x, y = plot.line(VALUE)
        assert_allclose(x[np.argmin(y)], lowest, atol=0.1)
        assert (slopes[at <= -2] < 0.01).all()
        assert_allclose(slopes[at == 0], 1 / 2, atol=5e-3)
        assert slopes.max() > 1
        assert_allclose(dots[at == 0], 0, atol=5e-3)


# --- Checks ------------------------------------------------------------------


def case(draw):
    """g and z of one shape; no z is at a kink."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    rng = generator(draw)
    return values(rng, shape), values(rng, shape), rng


@check("activation-sigmoid")
def sigmoid_from_output(function, draw):
    g, z, rng = case(draw)
    given = {"g": g, "a": sigmoid(z)}
    return gradient(function, given, z, g, tf.nn.sigmoid, sigmoid, rng)


@check("activation-tanh")
def tanh_from_output(function, draw):
    g, z, rng = case(draw)
    given = {"g": g, "a": np.tanh(z)}
    return gradient(function, given, z, g, tf.nn.tanh, np.tanh, rng)


@check("activation-leaky")
def leaky_from_input(function, draw):
    g, z, rng = case(draw)
    z = before_relu(rng, z.shape)
    alpha = size(draw, 9) / 8  # exact in float32, as TensorFlow keeps it
    return gradient(
        function,
        {"g": g, "z": z, "alpha": alpha},
        z,
        g,
        lambda z: tf.nn.leaky_relu(z, alpha),
        lambda z: leaky(z, alpha),
        rng,
        z == 0,
    )


@check("activation-elu")
def elu_from_output(function, draw):
    g, z, rng = case(draw)
    z = before_relu(rng, z.shape)
    alpha, scale = size(draw, 9) / 4, size(draw, 9) / 3
    return gradient(
        function,
        {"g": g, "a": elu(z, alpha, scale), "alpha": alpha, "scale": scale},
        z,
        g,
        lambda z: scale * tf.keras.activations.elu(z, alpha),
        lambda z: elu(z, alpha, scale),
        rng,
        z == 0,
    )


@check("activation-silu")
def silu_from_input(function, draw):
    g, z, rng = case(draw)
    given = {"g": g, "z": z}
    return gradient(function, given, z, g, tf.nn.silu, DEFINED["SiLU"], rng)


@check("activation-gelu")
def gelu_from_input(function, draw):
    g, z, rng = case(draw)
    return gradient(
        function,
        {"g": g, "z": z},
        z,
        g,
        lambda z: z * (1 + tf.math.erf(z / 2**0.5)) / 2,  # tf.nn.gelu has a float32 √2
        DEFINED["GELU"],
        rng,
    )


# --- What the symbols mean ---------------------------------------------------

AT = -1.3, -0.4, 0.7, 2.1  # on both sides of the kink


def entry(z, steps, **more):
    """One entry of z, what is made of it, a last, and a loss behind a."""
    sizes, functions = more.pop("sizes", {}), more.pop("functions", {})
    return World(
        sizes=sizes,
        given={"z": np.array(z)},
        forward={**steps, "ell": lambda v: np.sin(1.3 * v["a"]) + v["a"] ** 2},
        gradients={"g": "a"},
        functions=functions,
        **more,
    )


@worlds("sigmoid")
def sigmoid_worlds():
    for z in AT:
        yield entry(z, {"a": lambda v: sigmoid(v["z"])})


@worlds("tanh")
def tanh_worlds():
    for z in AT:
        yield entry(z, {"a": lambda v: np.tanh(v["z"])})


@worlds("hard-sigmoid")
def hard_sigmoid_worlds():
    for z in (*AT, -3.4, 3.2):
        yield entry(z, {"a": lambda v: DEFINED["hard sigmoid"](v["z"])})


@worlds("saturation")
def saturation_worlds():
    yield from sigmoid_worlds()


@worlds("leaky")
def leaky_worlds():
    for z in AT:
        yield entry(z, {"a": lambda v: leaky(v["z"], 0.3)}, sizes={"alpha": 0.3})


@worlds("elu")
def elu_worlds():
    for z in AT:
        yield entry(
            z,
            {"a": lambda v: elu(v["z"], 0.7, 1.3)},
            sizes={"alpha": 0.7, "lambda": 1.3},
            arguments={"scale": "lambda"},
        )


@worlds("softplus")
def softplus_worlds():
    for z in AT:
        yield entry(z, {"a": lambda v: DEFINED["softplus"](v["z"])})


@worlds("gates")
def gate_worlds():
    """Some s, neither of the two."""
    for z in AT:
        yield entry(z, {"s": lambda v: np.cos(v["z"]), "a": lambda v: v["z"] * v["s"]})


@worlds("silu")
def silu_worlds():
    for z in AT:
        yield entry(z, {"s": lambda v: sigmoid(v["z"]), "a": lambda v: v["z"] * v["s"]})


@worlds("gelu")
def gelu_worlds():
    for z in AT:
        yield entry(
            z,
            {"a": lambda v: v["z"] * normal(v["z"])},
            sizes={"pi": pi},
            functions={
                "Phi": normal,
                "Phi'": lambda z: np.exp(-(z**2) / 2) / (2 * pi) ** 0.5,
                "erf": np.vectorize(erf, otypes=[float]),
            },
        )


@worlds("gelu-tanh")
def gelu_tanh_worlds():
    for z in AT:
        yield entry(
            z,
            {
                "u": lambda v: (2 / pi) ** 0.5 * (v["z"] + 0.044715 * v["z"] ** 3),
                "t": lambda v: np.tanh(v["u"]),
                "s": lambda v: (1 + v["t"]) / 2,
                "a": lambda v: v["z"] * v["s"],
            },
            sizes={"pi": pi},
            functions={"tanh": np.tanh},
        )


@worlds("exercise-softsign")
def softsign_worlds():
    for z in AT:
        yield entry(z, {"a": lambda v: v["z"] / (1 + abs(v["z"]))})


@worlds("exercise-prelu")
def prelu_worlds():
    for examples, units in ((2, 3), (3, 2), (4, 5)):
        rng = np.random.default_rng(examples)
        yield World(
            given={
                "z": values(rng, (examples, units)),
                "alpha": np.abs(values(rng, (units,))),
            },
            forward={
                "a": lambda v: leaky(v["z"], v["alpha"]),
                "ell": lambda v: np.sum(np.sin(1.3 * v["a"])),
            },
            gradients={"g": "a"},
        )


@worlds("exercise-glu")
def glu_worlds():
    for examples, units in ((2, 3), (3, 2), (4, 5)):
        rng = np.random.default_rng(examples)
        yield World(
            given={
                "u": values(rng, (examples, units)),
                "v": values(rng, (examples, units)),
            },
            forward={
                "s": lambda v: sigmoid(v["v"]),
                "a": lambda v: v["u"] * v["s"],
                "ell": lambda v: np.sum(np.sin(1.3 * v["a"])),
            },
            gradients={"g": "a"},
        )
