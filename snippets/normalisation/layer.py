"""Figure, checks and symbols of docs/*/normalisation/layer.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, size, st, tf, values
from book.figures import Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "scale_gradient",
        r"return np.sum(delta * x_hat, axis=all_but_last(x_hat))",
        r"return np.sum(delta * x_hat, axis=all_but_last(delta))",
    ): "δ and x̂ have one shape",
    (
        "layer_norm_gamma",
        r"return scale_gradient(delta, normalise(x, -1, eps)[0])",
        r"return scale_gradient(normalise(x, -1, eps)[0], delta)",
    ): "a product in either order",
    (
        "group_axes",
        r"return (*range(1, split.ndim - 2), split.ndim - 1)",
        r"return (split.ndim - 1, *range(1, split.ndim - 2))",
    ): "axes in any order",
    (
        "group_normalise_backward",
        r"return normalise_backward(*split, s, group_axes(s)).reshape(g.shape)",
        r"return normalise_backward(*split, s, group_axes(s)).reshape(x_hat.shape)",
    ): "g and x̂ have one shape",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "axes": {
        "5": "= len(shared_rows) - 1",
    },
}

# --- Figure ------------------------------------------------------------------

N, P, C, G = 2, 3, 4, 2  # of the array that is drawn
PLACE = 1, 2  # of the entry that is looked at, in it
KINDS = {
    r"n,\,p": Box(0, 2, N * P, 1),
    "c": Box(1, 0, 1, C),
    "p": Box(0, 2, P, 1),
    r"p,\,e": Box(0, 2, P, C // G),
}


@figure("norm-axes")
def norm_axes(session):
    x = session.written("axes", "shared_rows", (N * P, C))
    return [
        Panel(name, x, window=box, result=Box(*PLACE)) for name, box in KINDS.items()
    ]


@claim("norm-axes")
def norm_axes_claim(session, *panels):
    """What is outlined, and nothing else, changes the entry's normalised value, by
    TensorFlow's layers."""
    layers = tf.keras.layers
    kinds = [
        (layers.BatchNormalization(dtype="float64"), {"training": True}),
        (layers.LayerNormalization(dtype="float64"), {}),
        (layers.GroupNormalization(-1, dtype="float64"), {}),
        (layers.GroupNormalization(G, dtype="float64"), {}),
    ]
    x = session.written("axes", "shared_rows", (N * P, C))
    for panel, (layer, options) in zip(panels, kinds, strict=True):
        assert_allclose(panel, x)
        images = tf.constant(x.reshape(N, P, C))
        with tf.GradientTape() as tape:
            tape.watch(images)
            rows = tf.reshape(layer(images, **options), (N * P, C))
            looked_at = tf.reduce_sum(rows[panel.result])
        acts = tape.gradient(looked_at, images).numpy().reshape(N * P, C) != 0
        outlined = np.zeros((N * P, C), dtype=bool)
        outlined[panel.window] = True
        assert (acts == outlined).all()
        assert panel.result == (slice(1, 2), slice(2, 3))


# --- Checks ------------------------------------------------------------------


def case(draw, least=1):
    """x and δ with up to three axes before the channels, γ, and perhaps ε."""
    axes = size(draw, 3)
    shape = (*(size(draw, 3) for _ in range(axes)), least * size(draw, 4))
    settings = draw(st.sampled_from([{}, {"eps": 0.3}]))
    rng = generator(draw)
    x, gamma, delta = (values(rng, s) for s in (shape, shape[-1:], shape))
    return x, gamma, delta, settings, rng


def layer_by_tf(x, gamma, eps):
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, None, gamma, eps)


def layer_by_numpy(x, gamma, eps):
    """Row by row."""
    out = np.empty_like(x)
    for at in np.ndindex(x.shape[:-1]):
        row = x[at] - np.sum(x[at]) / len(x[at])
        out[at] = gamma * row / np.sqrt(np.sum(row**2) / len(row) + eps)
    return out


@check("layer-norm-input")
def layer_norm_input(function, draw):
    x, gamma, delta, settings, rng = case(draw)
    eps = settings.get("eps", 1e-3)
    return gradient(
        function,
        {"x": x, "gamma": gamma, "delta": delta, **settings},
        x,
        delta,
        lambda x: layer_by_tf(x, gamma, eps),
        lambda x: layer_by_numpy(x, gamma, eps),
        rng,
    )


@check("layer-norm-gamma")
def layer_norm_gamma(function, draw):
    x, gamma, delta, settings, rng = case(draw)
    eps = settings.get("eps", 1e-3)
    return gradient(
        function,
        {"x": x, "delta": delta, **settings},
        gamma,
        delta,
        lambda gamma: layer_by_tf(x, gamma, eps),
        lambda gamma: layer_by_numpy(x, gamma, eps),
        rng,
    )


@check("rms-norm-input")
def rms_norm_input(function, draw):
    """Of one channel hardly ε is left, too little for float32."""
    x, gamma, delta, settings, rng = case(draw, 2)
    eps = settings.get("eps", 1e-6)

    def by_tf(x):
        return gamma * x * tf.math.rsqrt(tf.reduce_mean(x**2, -1, keepdims=True) + eps)

    def by_numpy(x):
        out = np.empty_like(x)
        for at in np.ndindex(x.shape[:-1]):
            out[at] = gamma * x[at] / np.sqrt(x[at] @ x[at] / len(x[at]) + eps)
        return out

    return gradient(
        function,
        {"x": x, "gamma": gamma, "delta": delta, **settings},
        x,
        delta,
        by_tf,
        by_numpy,
        rng,
    )


@check("group-norm-input")
def group_norm_input(function, draw):
    groups = size(draw, 3)
    x, gamma, delta, settings, rng = case(draw, groups)
    eps = settings.get("eps", 1e-3)
    channels = x.shape[-1] // groups
    if settings or groups > 1:
        settings = {"groups": groups, **settings}

    def by_tf(x):
        parts = []
        for part in tf.split(x, groups, axis=-1):
            mean, variance = tf.nn.moments(part, [*range(1, x.ndim)], keepdims=True)
            parts.append((part - mean) * tf.math.rsqrt(variance + eps))
        return gamma * tf.concat(parts, axis=-1)

    def by_numpy(x):
        """Example by example, group by group."""
        out = np.empty_like(x)
        for n in range(len(x)):
            for first in range(0, x.shape[-1], channels):
                at = (n, ..., slice(first, first + channels))
                part = x[at] - np.sum(x[at]) / x[at].size
                out[at] = part / np.sqrt(np.sum(part**2) / part.size + eps)
        return gamma * out

    return gradient(
        function,
        {"x": x, "gamma": gamma, "delta": delta, **settings},
        x,
        delta,
        by_tf,
        by_numpy,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------

ROWS = (2, 3, 0.2), (3, 2, 0.05), (5, 4, 1.3)  # N, C and ε


@worlds()
def symbols():
    for examples, channels, eps in ROWS:
        yield by_rows(examples, channels, eps)


@worlds("rms")
def rms():
    for examples, channels, eps in ROWS:
        yield by_rows(examples, channels, eps, centred=False)


def by_rows(examples, channels, eps, centred=True):
    """Each row has its mean, if any, and its s."""
    mean = (
        (lambda v: v["x"].mean(axis=1)) if centred else (lambda v: np.zeros(examples))
    )
    return World(
        sizes={"N": examples, "C": channels, "varepsilon": eps},
        given={
            "x": drawn(1, examples, channels),
            "gamma": drawn(2, channels),
            "beta": drawn(3, channels),
            "delta": drawn(4, examples, channels),
        },
        forward={
            "mu": mean,
            "u": lambda v: v["x"] - v["mu"][:, None],
            "s": lambda v: np.sqrt(np.mean(v["u"] ** 2, axis=1) + eps),
            "hat x": lambda v: v["u"] / v["s"][:, None],
            "z": lambda v: v["gamma"] * v["hat x"] + centred * v["beta"],
        },
        gradients={"g": "hat x"},
        arguments={"eps": "varepsilon"},
    )


@worlds("groups")
def groups():
    for sizes in ((2, 3, 1, 2, 3), (3, 2, 2, 3, 1), (2, 1, 3, 2, 2)):
        yield in_groups(*sizes)


def in_groups(examples, rows, columns, groups, channels):
    """The places on one axis, the channels on two."""
    shape = examples, rows * columns, groups, channels
    sizes = {"H": rows, "H'": columns, "G": groups, "C": groups * channels}
    world = World(
        sizes={"m": shape[1] * channels, "N": examples, "varepsilon": 0.2, **sizes},
        given={
            "x": drawn(1, *shape),
            "gamma": drawn(2, groups, channels),
            "delta": drawn(4, *shape),
        },
        forward={
            "mu": lambda v: v["x"].mean(axis=(1, 3)),
            "u": lambda v: v["x"] - v["mu"][:, None, :, None],
            "s": lambda v: np.sqrt(np.mean(v["u"] ** 2, axis=(1, 3)) + 0.2),
            "hat x": lambda v: v["u"] / v["s"][:, None, :, None],
            "z": lambda v: v["gamma"] * v["hat x"],
        },
        gradients={"g": "hat x"},
        arguments={
            "x": lambda v: v["x"].reshape(*shape[:2], -1),
            "gamma": lambda v: v["gamma"].ravel(),
            "delta": lambda v: v["delta"].reshape(*shape[:2], -1),
            "eps": "varepsilon",
        },
        results={
            "group-norm-input": lambda _: world.jacobian("ell", "x").reshape(
                *shape[:2], -1
            )
        },
    )
    return world


@worlds("by-hand")
def by_hand(given):
    """One row, whose index is left out."""
    yield one_row(given, given["varepsilon"].item())


@worlds("exercise-rms")
def exercise_rms(given):
    yield one_row(given, given["varepsilon"].item(), centred=False)


def one_row(given, eps, centred=True):
    x, gamma, delta = (np.squeeze(given[name]) for name in ("x", "gamma", "delta"))
    world = World(
        sizes={"varepsilon": eps},
        given={"x": x, "gamma": gamma, "delta": delta},
        forward={
            "mu": lambda v: centred * v["x"].mean(),
            "u": lambda v: v["x"] - v["mu"],
            "v": lambda v: np.mean(v["u"] ** 2),
            "s": lambda v: np.sqrt(v["v"] + eps),
            "hat x": lambda v: (v["x"] - v["mu"]) / v["s"],
            "z": lambda v: v["gamma"] * v["hat x"],
        },
        gradients={"g": "hat x"},
    )
    world.set("bar g", world.values["g"].mean())
    world.set("q", np.mean(world.values["g"] * world.values["hat x"]))
    return world
