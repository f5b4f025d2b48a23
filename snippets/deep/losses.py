"""Figures and checks of docs/*/deep/losses.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    call,
    check,
    compare,
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
from snippets.deep.activations import H, one_shape

# Changes after which the page says the same, and why.
SHAPE = "these arrays have one shape"
KINK = "at the kink there is no derivative; the text says which slope is taken"
SAME = {
    (
        "squared_error_gradient",
        "return 2 * (a - y) / a.size",
        "return 2 * (a - y) / y.size",
    ): SHAPE,
    (
        "huber_gradient",
        "return np.clip(a - y, -kappa, kappa) / a.size",
        "return np.clip(a - y, -kappa, kappa) / y.size",
    ): SHAPE,
    (
        "huber_gradient",
        "return np.clip(a - y, -kappa, kappa) / a.size",
        "return np.clip(-kappa, a - y, kappa) / a.size",
    ): "the larger of the two, and of that and kappa the smaller",
    (
        "binary_gradient",
        "return (sigmoid(z) - y) / z.size",
        "return (sigmoid(z) - y) / y.size",
    ): SHAPE,
    (
        "hinge_gradient",
        "return -t * (t * z < 1) / z.size",
        "return -t * (t * z < 1) / t.size",
    ): SHAPE,
    (
        "hinge_gradient",
        "return -t * (t * z < 1) / z.size",
        "return -t * (t * z <= 1) / z.size",
    ): KINK,
    (
        "#hinge",
        r"\frac{\partial \ell}{\partial z} = -\frac{1}{N C}\, t \odot [t \odot z < 1]",
        r"\frac{\partial \ell}{\partial z} = -\frac{1}{N C}\, t \odot "
        r"[t \odot z \le  1]",
    ): KINK,
    **{
        (
            "focal_gradient",
            "return -t * rest ** gamma * q / z.size",
            f"return -t * rest ** gamma * q / {a}.size",
        ): SHAPE
        for a in ("p", "q", "t", "rest")
    },
}

# --- Each of one output, by its definition -----------------------------------


def huber(e, kappa):
    return np.where(np.abs(e) <= kappa, e**2 / 2, kappa * np.abs(e) - kappa**2 / 2)


def focal(z, t, gamma):
    p = sigmoid(t * z)
    return -((1 - p) ** gamma) * np.log(p)


def binary(z, y):
    return np.log(1 + np.exp(z)) - y * z


HUBER = r"\text{Huber}"
OF_ERROR = {
    "e^2": np.square,
    "|e|": np.abs,
    HUBER: lambda e: huber(e, 1),
}
OF_LOGIT = {  # where the label is 1
    r"\text{BCE}": lambda z: binary(z, 1),
    "(a - 1)^2": lambda z: (sigmoid(z) - 1) ** 2,
    r"\text{hinge}": lambda z: np.maximum(1 - z, 0),
    r"\text{focal}": lambda z: focal(z, 1, 2),
}

# --- Figures -----------------------------------------------------------------


def curves(printed, functions, end, across):
    """Losses, and beside them their slopes; there is no slope at a kink."""
    x, at = np.linspace(-end, end, 129), np.linspace(-end, end, 9)
    plots = [[], []]
    for nth, (name, function) in enumerate(functions.items()):
        ahead, here, behind = (function(x + step) for step in (H, 0, -H))
        bent = np.abs(ahead + behind - 2 * here) / H > 0.01
        slope = np.where(bent, np.nan, (ahead - behind) / (2 * H))
        for plot, line, dots in zip(plots, (here, slope), printed, strict=True):
            plot += [Curve(name, x, line), Curve(name, at, dots[nth], True)]
    names = r"\ell", rf"\frac{{\partial \ell}}{{\partial {across}}}"
    return Curves([Plot(*both) for both in zip(names, plots, strict=True)], across)


def shape_of(drawn, name):
    return one_shape(*((plot.line(name), plot.dots(name)) for plot in drawn.plots))


@figure("losses-regression")
def regression(session):
    printed = [session.printed("regression", (3, 9), nth) for nth in (0, 1)]
    return curves(printed, OF_ERROR, 2, "e")


@claim("losses-regression")
def two_slopes_are_bounded(session, drawn):
    for name, at_ends, steepest in (("e^2", 4, 4), ("|e|", 2, 1), (HUBER, 1.5, 1)):
        at, dots, slopes = shape_of(drawn, name)
        assert_allclose(dots[[0, -1]], at_ends, atol=0.02)
        assert_allclose(slopes[[0, -1]], [-steepest, steepest], atol=0.02)
        assert_allclose([dots[at == 0], slopes[at == 0]], 0, atol=0.01)
    _, _, slopes = shape_of(drawn, HUBER)
    assert_allclose(slopes, np.clip(at, -1, 1), atol=0.02)


@figure("losses-binary")
def classes(session):
    printed = [session.printed("classes", (4, 9), nth) for nth in (0, 1)]
    return curves(printed, OF_LOGIT, 4, "z")


@claim("losses-binary")
def one_slope_vanishes_where_it_is_wrong(session, drawn):
    shapes = {name: shape_of(drawn, name) for name in OF_LOGIT}
    for name, (at, dots, slopes) in shapes.items():
        assert_allclose(at, np.arange(-4, 5), atol=0.01)
        assert (np.diff(dots) < 0.01).all()
        assert (slopes < 0.01).all()
        assert_allclose(slopes[-1], 0, atol=0.02)
        assert (abs(slopes[0]) < 0.05) == (name == "(a - 1)^2")
    _, dots, _ = shapes[r"\text{hinge}"]
    assert_allclose(dots[at >= 1], 0, atol=ROUNDING * 10)
    _, _, slopes = shapes[r"\text{focal}"]
    assert slopes.min() < -1.1


# --- Checks ------------------------------------------------------------------


def case(draw):
    """Two arrays (N, C) and a generator."""
    shape = size(draw, 4), size(draw, 4)
    rng = generator(draw)
    return values(rng, shape), values(rng, shape), rng


ONE = np.array(1.0)  # what arrives at a loss


def loss_of(name, labels, **options):
    loss = getattr(tf.keras.losses, name)(dtype="float64", **options)
    return lambda given: loss(labels, given)


@check("loss-squared")
def squared(function, draw):
    a, y, rng = case(draw)
    return gradient(
        function,
        {"a": a, "y": y},
        a,
        ONE,
        loss_of("MeanSquaredError", y),
        lambda a: np.einsum("nc,nc->", a - y, a - y) / a.size,
        rng,
    )


@check("loss-huber")
def huber_check(function, draw):
    a, y, rng = case(draw)
    kappa = size(draw, 8) / 4
    return gradient(
        function,
        {"a": a, "y": y, "kappa": kappa},
        a,
        ONE,
        loss_of("Huber", y, delta=kappa),
        lambda a: np.sum(huber(a - y, kappa)) / a.size,
        rng,
    )


@check("loss-logits")
def logits(function, draw):
    z, y, rng = case(draw)
    y = np.abs(y) / 2  # from 0 to 1
    # exp(1000) is inf, and at 1000 the sigmoid is 1.
    z = z + rng.choice([-1000.0, 0.0, 1000.0], z.shape)
    given = {"z": z, "y": y}
    mine = call(function, given)
    return max(
        compare(
            given,
            mine,
            tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z),
            "TensorFlow",
        ),
        compare(given, mine, np.logaddexp(0, z) - y * z, "the definition"),
    )


@check("loss-binary")
def binary_check(function, draw):
    z, y, rng = case(draw)
    y = np.abs(y) / 2
    return gradient(
        function,
        {"z": z, "y": y},
        z,
        ONE,
        loss_of("BinaryCrossentropy", y, from_logits=True),
        lambda z: np.sum(binary(z, y)) / z.size,
        rng,
    )


@check("loss-hinge")
def hinge(function, draw):
    z, t, rng = case(draw)
    t = np.sign(t)
    return gradient(
        function,
        {"z": z, "t": t},
        z,
        ONE,
        lambda z: tf.reduce_mean(tf.nn.relu(1 - t * z)),
        lambda z: np.sum(np.maximum(1 - t * z, 0)) / z.size,
        rng,
        np.abs(t * z - 1) < 1e-3,
    )


@check("loss-focal")
def focal_check(function, draw):
    z, t, rng = case(draw)
    t = np.sign(t)
    gamma = draw(st.sampled_from([0.5, 1.0, 2.0, 3.0]))

    def by_tf(z):
        p = tf.sigmoid(t * z)
        return -tf.reduce_mean((1 - p) ** gamma * tf.math.log(p))

    return gradient(
        function,
        {"z": z, "t": t, "gamma": gamma},
        z,
        ONE,
        by_tf,
        lambda z: np.sum(focal(z, t, gamma)) / z.size,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------

SHAPES = (2, 3), (3, 2), (4, 5)


def arrays(name, labels, loss, **more):
    """Outputs of a given name, labels and the mean of a loss, in three sizes."""
    steps = more.pop("steps", {})
    for shape in SHAPES:
        rng = np.random.default_rng(shape[0])
        given, said = values(rng, shape), values(rng, shape)
        yield World(
            sizes={
                "N": shape[0],
                "C": shape[1],
                **labels(said),
                **more.get("sizes", {}),
            },
            given={name: given},
            forward={**steps, "ell": lambda v: np.mean(loss(v))},
        )


@worlds("squared")
def squared_worlds():
    yield from arrays("a", lambda y: {"y": y}, lambda v: (v["a"] - v["y"]) ** 2)


@worlds("huber")
def huber_worlds():
    yield from arrays(
        "a",
        lambda y: {"y": y, "kappa": 0.9},
        lambda v: huber(v["e"], 0.9),
        steps={
            "e": lambda v: v["a"] - v["y"],
            "s": lambda v: np.abs(v["e"]),
            "m": lambda v: np.minimum(v["s"], 0.9),
        },
    )


@worlds("binary")
def binary_worlds():
    yield from arrays(
        "z",
        lambda y: {"y": np.abs(y) / 2},
        lambda v: binary(v["z"], v["y"]),
        steps={"a": lambda v: sigmoid(v["z"])},
    )


@worlds("hinge")
def hinge_worlds():
    yield from arrays(
        "z", lambda y: {"t": np.sign(y)}, lambda v: np.maximum(1 - v["t"] * v["z"], 0)
    )


@worlds("focal")
def focal_worlds():
    yield from arrays(
        "z",
        lambda y: {"t": np.sign(y), "gamma": 1.7},
        lambda v: focal(v["z"], v["t"], 1.7),
        steps={"p": lambda v: sigmoid(v["t"] * v["z"])},
    )


PAIRS = (
    (lambda z: z**2 / 2, lambda z: z),
    (lambda z: np.log(1 + np.exp(z)), sigmoid),
    (np.exp, np.exp),
)


@worlds("canonical")
def canonical_worlds():
    """Of one output; the pairs of the table that have one."""
    for (integral, activation), z, y in zip(
        PAIRS, (0.7, -1.3, 0.4), (0.4, 0.8, 1.6), strict=True
    ):
        yield World(
            sizes={"y": y},
            given={"z": np.array(z)},
            forward={
                "a": lambda v, f=activation: f(v["z"]),
                "ell": lambda v, f=integral: f(v["z"]) - v["y"] * v["z"],
            },
            functions={"A": integral, "A'": activation},
        )


@worlds("stable")
def stable_worlds():
    """Of one output."""
    for z, y in ((0.7, 0.2), (-1.3, 0.8), (2.4, 1.0)):
        yield World(
            sizes={"y": y},
            given={"z": np.array(z)},
            forward={
                "a": lambda v: sigmoid(v["z"]),
                "ell": lambda v: binary(v["z"], v["y"]),
            },
            results={"loss-logits": lambda v: v["ell"]},
        )


@worlds("divergence")
def divergence_worlds():
    yield from distributions(lambda a, y: np.sum(y * np.log(y / a)))


@worlds("exercise-reverse")
def reverse_worlds():
    yield from distributions(lambda a, y: np.sum(a * np.log(a / y)))


def distributions(loss):
    """A softmax, and labels that sum to 1."""
    for classes_ in (2, 3, 5):
        rng = np.random.default_rng(classes_)
        y = np.abs(values(rng, (classes_,)))
        y /= y.sum()
        yield World(
            sizes={"y": y},
            given={"z": values(rng, (classes_,))},
            forward={
                "a": lambda v: np.exp(v["z"]) / np.sum(np.exp(v["z"])),
                "ell": lambda v: loss(v["a"], v["y"]),
            },
        )


@worlds("exercise-pairs")
def pairs_worlds():
    for examples, inputs in ((2, 3), (3, 2), (4, 5)):
        rng = np.random.default_rng(examples)
        yield World(
            sizes={"N": examples, "tau": 0.7},
            given={
                "u": values(rng, (examples, inputs)),
                "v": values(rng, (examples, inputs)),
            },
            forward={
                "z": lambda v: v["u"] @ v["v"].T / v["tau"],
                "a": lambda v: (
                    np.exp(v["z"]) / np.sum(np.exp(v["z"]), axis=1, keepdims=True)
                ),
                "ell": lambda v: -np.mean(np.log(np.diag(v["a"]))),
            },
            gradients={"delta": "z"},
        )
