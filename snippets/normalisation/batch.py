"""Figures, checks and symbols of docs/*/normalisation/batch.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, size, st, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "#derivation",
        r"\frac{\partial \ell}{\partial \mu_j} &= -\sum_n \frac{\gamma_j}{s_j} \bigl( "
        r"\delta_{n,j} - \hat x_{n,j}\, q_j \bigr) \\",
        r"\frac{\partial \ell}{\partial \mu_j} &= -\sum_n \frac{\gamma_j}{s_j} \bigl( "
        r"\delta_{n,j} + \hat x_{n,j}\, q_j \bigr) \\",
    ): "all x̂ of a channel sum to 0",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "code": {
        "4": "= N",
    },
    "epsilon": {
        "0.001": "= layer.epsilon",
    },
    "inference": {
        "0.95": "of the loop, whose output has it",
        "299 29": "= firsts",
    },
}

# --- Figures -----------------------------------------------------------------

X_HAT = r"\hat{x}"
GAPS = 0.02  # a line is drawn of whole units


@figure("batch-norm-circuit")
def circuit(session):
    """An example on each side, and between them what they share."""
    x = session.written("by-hand", "x", (2, 1)).ravel()
    u, x_hat = (session.printed("by-hand", (1, 2), nth)[0] for nth in range(2))
    mu, v, s = session.printed("by-hand", (1, 3), 3)[0]
    dx_hat, du, dx = (
        session.printed("by-hand-delta", (1, 2), nth)[0] for nth in range(3)
    )
    dmu, dv, ds = session.printed("by-hand-delta", (1, 3), 3)[0]
    middle = 13
    nodes = [
        Node(r"\mu", middle, 8.5, mu, dmu),
        Node("v", middle, 21.5, v, dv),
        Node("s", middle, 27, s, ds),
    ]
    edges = [Edge("v", "s", "", 1 / (2 * s))]
    for n, left in enumerate((3.9, 22.1)):
        entry, apart, normal = f"x_{n}", f"u_{n}", f"{X_HAT}_{n}"
        nodes += [
            Node(entry, left, 2, x[n], dx[n]),
            Node(apart, left, 15, u[n], du[n]),
            Node(normal, left, 33.5, x_hat[n], dx_hat[n]),
        ]
        edges += [
            Edge(entry, r"\mu", "", 1 / 2),
            Edge(entry, apart, "", 1.0),
            Edge(r"\mu", apart, "", -1.0),
            Edge(apart, "v", "", u[n]),
            Edge(apart, normal, "", 1 / s),
            Edge("s", normal, "", -x_hat[n] / s),
        ]
    return Graph(nodes, edges)


@claim("batch-norm-circuit")
def circuit_claim(session, graph):
    """Values are those of the forward pass. Each derivative is a difference of the
    step at whose end the arrow is, and each gradient the sum of what arrives."""
    x = session.written("by-hand", "x", (2, 1)).ravel()
    delta = session.written("by-hand-delta", "delta", (2, 1)).ravel()
    gamma, eps = 2.0, 2.25
    steps = {
        "x_0": lambda _: x[0],
        "x_1": lambda _: x[1],
        r"\mu": lambda a: (a["x_0"] + a["x_1"]) / 2,
        "u_0": lambda a: a["x_0"] - a[r"\mu"],
        "u_1": lambda a: a["x_1"] - a[r"\mu"],
        "v": lambda a: (a["u_0"] ** 2 + a["u_1"] ** 2) / 2,
        "s": lambda a: np.sqrt(a["v"] + eps),
        f"{X_HAT}_0": lambda a: a["u_0"] / a["s"],
        f"{X_HAT}_1": lambda a: a["u_1"] / a["s"],
    }
    found = {}
    for name, step in steps.items():
        found[name] = step(found)
    for node in graph.nodes:
        assert_allclose(node.value, found[node.name])
    h, arrows = 1e-5, set()
    for end, step in steps.items():
        for start in found:
            ahead, behind = ({**found, start: found[start] + d} for d in (h, -h))
            slope = (step(ahead) - step(behind)) / (2 * h)
            if abs(slope) > 1e-9:
                arrows.add((start, end))
                (edge,) = (e for e in graph.edges if (e.start, e.end) == (start, end))
                assert_allclose(edge.derivative, slope, atol=1e-6)
    assert {(edge.start, edge.end) for edge in graph.edges} == arrows
    for n in (0, 1):
        assert_allclose(graph[f"{X_HAT}_{n}"].gradient, gamma * delta[n])
    for name in {edge.start for edge in graph.edges}:
        assert_allclose(graph[name].gradient, graph.arriving(name), atol=1e-9)


KEPT = {"0.99": 0.99, "0.9": 0.9}


@figure("batch-norm-moving")
def moving(session):
    steps = np.arange(401)
    lines = [Curve(name, steps, 1 - kept**steps) for name, kept in KEPT.items()]
    return Curves([Plot("", lines)], r"t", r"1 - p^t")


@claim("batch-norm-moving")
def moving_claim(session, curves):
    """Both begin at 0; the printed shares lie on them."""
    for nth, name in enumerate(KEPT):
        steps, shares = curves[""].line(name)
        shown = session.printed("moving", (2, 5))[nth]
        read = np.interp([0, 10, 30, 100, 300], steps, shares)
        assert_allclose(read, shown, atol=GAPS)
        old = 0.0
        for t in range(1, 401):
            old = KEPT[name] * old + (1 - KEPT[name])
            assert_allclose(np.interp(t, steps, shares), old, atol=GAPS)
    assert (curves.across, curves.up) == ("t", "1 - p^t")


# --- Checks ------------------------------------------------------------------


def case(draw):
    """x of rows or of images, γ, δ, and perhaps axes and ε."""
    images = draw(st.booleans())
    averaged = [size(draw, 4) for _ in range(3 if images else 1)]
    shape = (*averaged, size(draw, 3))
    axes = draw(st.sampled_from([None, tuple(range(len(averaged)))]))
    settings = draw(st.sampled_from([{}, {"axes": axes, "eps": 0.3}]))
    rng = generator(draw)
    x, gamma, delta = (values(rng, s) for s in (shape, shape[-1:], shape))
    return x, gamma, delta, settings, rng


def by_tf(x, gamma, beta, eps, channels=-1):
    axes = np.delete(np.arange(len(x.shape)), channels)
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, eps)


def by_numpy(x, gamma, beta, eps, channels=-1):
    """Channel by channel."""
    out = np.empty_like(x)
    each = np.moveaxis(x, channels, 0), np.moveaxis(out, channels, 0)
    for channel, result, scale, shift in zip(*each, gamma.flat, beta.flat, strict=True):
        mean = np.sum(channel) / channel.size
        variance = np.sum((channel - mean) ** 2) / channel.size
        result[...] = scale * (channel - mean) / np.sqrt(variance + eps) + shift
    return out


@check("batch-norm-input")
def batch_norm_input(function, draw):
    """The channels of images may be on axis 1, too."""
    x, gamma, delta, settings, rng = case(draw)
    channels = -1
    if settings and x.ndim == 4 and draw(st.booleans()):
        channels = 1
        x, delta = (np.moveaxis(array, -1, channels) for array in (x, delta))
        gamma, settings = gamma.reshape(-1, 1, 1), settings | {"axes": (0, 2, 3)}
    eps = settings.get("eps", 1e-3)
    return gradient(
        function,
        {"x": x, "gamma": gamma, "delta": delta, **settings},
        x,
        delta,
        lambda x: by_tf(x, gamma, 0 * gamma, eps, channels),
        lambda x: by_numpy(x, gamma, 0 * gamma, eps, channels),
        rng,
    )


@check("batch-norm-gamma")
def batch_norm_gamma(function, draw):
    x, gamma, delta, settings, rng = case(draw)
    eps = settings.get("eps", 1e-3)
    return gradient(
        function,
        {"x": x, "delta": delta, **settings},
        gamma,
        delta,
        lambda gamma: by_tf(x, gamma, 0 * gamma, eps),
        lambda gamma: by_numpy(x, gamma, 0 * gamma, eps),
        rng,
    )


@check("batch-norm-beta")
def batch_norm_beta(function, draw):
    x, beta, delta, settings, rng = case(draw)
    axes = {name: settings[name] for name in settings if name == "axes"}
    return gradient(
        function,
        {"delta": delta, **axes},
        beta,
        delta,
        lambda beta: by_tf(x, 0 * beta + 1, beta, 1e-3),
        lambda beta: by_numpy(x, 0 * beta + 1, beta, 1e-3),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for examples, channels, eps in ((2, 3, 0.2), (3, 2, 0.05), (5, 4, 1.3)):
        yield normalised((examples, channels), eps)


@worlds("convolution")
def convolution():
    for shape in ((2, 3, 2, 4), (3, 2, 4, 2), (1, 4, 3, 3)):
        yield normalised(shape, 0.2)


def normalised(shape, eps):
    *averaged, channels = shape
    axes = tuple(range(len(averaged)))
    m = int(np.prod(averaged))
    sizes = {"N": shape[0], "m": m, "varepsilon": eps}
    if len(averaged) == 3:
        sizes |= {"H": shape[1], "H'": shape[2]}
    return World(
        sizes=sizes,
        given={
            "x": drawn(1, *shape),
            "gamma": drawn(2, channels),
            "beta": drawn(3, channels),
            "delta": drawn(4, *shape),
        },
        forward={
            "mu": lambda v: v["x"].mean(axis=axes),
            "u": lambda v: v["x"] - v["mu"],
            "v": lambda v: np.mean(v["u"] ** 2, axis=axes),
            "s": lambda v: np.sqrt(v["v"] + eps),
            "hat x": lambda v: v["u"] / v["s"],
            "z": lambda v: v["gamma"] * v["hat x"] + v["beta"],
        },
        arguments={"eps": "varepsilon"},
    )


def one_channel(x, gamma, beta, delta, eps):
    """Its index is left out."""
    m = len(x)
    return World(
        sizes={"m": m, "varepsilon": eps},
        given={"x": x, "gamma": gamma, "beta": beta, "delta": delta},
        forward={
            "mu": lambda v: v["x"].mean(),
            "u": lambda v: v["x"] - v["mu"],
            "v": lambda v: np.mean(v["u"] ** 2),
            "s": lambda v: np.sqrt(v["v"] + eps),
            "hat x": lambda v: v["u"] / v["s"],
            "z": lambda v: v["gamma"] * v["hat x"] + v["beta"],
        },
    )


@worlds("by-hand")
def by_hand(given):
    x, gamma, beta, delta, eps = (
        np.squeeze(given[name])
        for name in ("x", "gamma", "beta", "delta", "varepsilon")
    )
    yield one_channel(x, gamma, beta, delta, eps)


@worlds("exercise-three")
def three(given):
    x, gamma, delta, eps = (
        np.squeeze(given[name]) for name in ("x", "gamma", "delta", "varepsilon")
    )
    world = one_channel(x, gamma, np.array(0.0), delta, eps)
    world.set("bar delta", world.values["delta"].mean())
    world.set("q", np.mean(world.values["delta"] * world.values["hat x"]))
    yield world


@worlds("exercise-jacobian")
def jacobian():
    for m, eps in ((2, 0.2), (3, 0.05), (5, 1.3)):
        gamma, beta = drawn(2, 2)
        yield one_channel(drawn(1, m), gamma, beta, drawn(4, m), eps)


@worlds("inference")
def inference():
    """Mean and variance are given, whatever x is."""
    for examples, channels, eps in ((2, 3, 0.2), (3, 2, 0.05), (5, 4, 1.3)):
        yield World(
            sizes={
                "varepsilon": eps,
                "bar mu": drawn(5, channels),
                "bar v": np.abs(drawn(6, channels)),
                "beta": drawn(3, channels),
                "gamma": drawn(2, channels),
            },
            given={
                "x": drawn(1, examples, channels),
                "delta": drawn(4, examples, channels),
            },
            forward={
                "z": lambda v: (
                    v["gamma"]
                    * (v["x"] - v["bar mu"])
                    / np.sqrt(v["bar v"] + v["varepsilon"])
                    + v["beta"]
                )
            },
        )


@worlds("folding")
def folding():
    for shape, eps in (((2, 1, 3, 2), 0.2), ((1, 2, 2, 3), 0.05), ((2, 2, 1, 4), 1.3)):
        yield folded(shape, eps)


@worlds("exercise-folded")
def exercise_folded():
    return folding()


def folded(shape, eps):
    """What W' and b' are is found from the two layers: they are linear in the window,
    and for a window of zeros give b'."""
    W, b, beta, mean = (
        drawn(seed, *dims) for seed, dims in enumerate([shape, *[shape[-1:]] * 3])
    )
    variance, dW, db = (
        np.abs(drawn(5, shape[-1])),
        drawn(6, *shape),
        drawn(7, shape[-1]),
    )
    s = np.sqrt(variance + eps)
    window = shape[:3]
    units = np.eye(int(np.prod(window))).reshape(-1, *window)

    def both(seen, gamma):
        z = np.einsum("uvc,uvcf->f", seen, W) + b
        return gamma * (z - mean) / s + beta

    def kernel(v):
        zero = both(np.zeros(window), v["gamma"])
        return np.array([both(unit, v["gamma"]) - zero for unit in units])

    return World(
        sizes={"varepsilon": eps, "bar mu": mean, "bar v": variance, "s": s}
        | {"W": W, "b": b, "beta": beta},
        given={"gamma": drawn(8, shape[-1])},
        forward={
            "b'": lambda v: both(np.zeros(window), v["gamma"]),
            "W'": lambda v: kernel(v).reshape(shape),
            "ell": lambda v: np.sum(dW * v["W'"]) + np.sum(db * v["b'"]),
        },
    )
