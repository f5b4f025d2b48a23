"""Figure and checks of docs/*/rnn/layer.md."""

from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, relu, size, tf, values
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node, indices
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "rnn_deltas",
        "for t in reversed(range(h.shape[1])):",
        "for t in reversed(range(dh.shape[1])):",
    ): "h and dh have the same shape",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "layouts": {
        "4": "= T",
    },
}

# x_1, x_2, x_3 of the example by hand.
HAND_X = np.array([np.log(2) - 0.2, np.log(3) - 0.3, -np.log(2) - 0.4]) / 2

# --- Figure ------------------------------------------------------------------


@figure("rnn-unrolled")
def unrolled(session):
    """A column for each of three steps, from x down to h; below them the loss."""
    (h,) = session.printed("by-hand", (1, 3))
    (delta,) = session.printed("by-hand-delta", (1, 3))
    g = session.written("by-hand-delta", "one_g", (3,))
    W, U, h0 = 2.0, 0.5, 0.4
    z = np.arctanh(h)
    states = np.array([h0, *h])
    at_h = g + U * np.array([*delta[1:], 0])
    rows = {
        "x": ((z - U * states[:3]) / W, W * delta),
        "z": (z, delta),
        "h": (h, at_h),
    }
    nodes = [
        Node(f"{letter}_{{{t + 1}}}", 3.9 + 9.1 * t, 1.9 + 5.5 * row, value, slope)
        for row, (letter, pair) in enumerate(rows.items())
        for t, (value, slope) in enumerate(zip(*pair, strict=True))
    ]
    steps = [f"_{{{t}}}" for t in (1, 2, 3)]
    edges = [
        *(Edge(f"x{step}", f"z{step}", "", W) for step in steps),
        *(Edge(f"z{s}", f"h{s}", "", 1 - a**2) for s, a in zip(steps, h, strict=True)),
        *(Edge(f"h{one}", f"z{other}", "", U) for one, other in pairwise(steps)),
        *(
            Edge(f"h{s}", r"\ell", "", direct)
            for s, direct in zip(steps, g, strict=True)
        ),
    ]
    return Graph([*nodes, Node(r"\ell", 13, 18.4, g @ h, 1.0)], edges)


@claim("rnn-unrolled")
def unrolled_claim(session, graph):
    """The values are those of a forward pass, and differences of it the gradients."""
    W, U, h0 = 2.0, 0.5, 0.4
    g = session.written("by-hand-delta", "one_g", (3,))

    def run(name="", change=0.0):
        """All values, where one of them is changed."""
        found, state, loss = {}, h0, 0.0

        def enter(key, value):
            found[key] = value + change * (key == name)
            return found[key]

        for t in (1, 2, 3):
            below = enter(f"x_{{{t}}}", HAND_X[t - 1])
            z = enter(f"z_{{{t}}}", W * below + U * state)
            state = enter(f"h_{{{t}}}", np.tanh(z))
            loss += g[t - 1] * state
        enter(r"\ell", loss)
        return found

    for node in graph.nodes:
        slope = (run(node.name, 1e-5)[r"\ell"] - run(node.name, -1e-5)[r"\ell"]) / 2e-5
        assert_allclose(node.value, run()[node.name], atol=0.005)  # two decimals
        assert_allclose(node.gradient, slope, atol=1e-6)
        if node.name != r"\ell":
            assert_allclose(node.gradient, graph.arriving(node.name))
    steps = {(e.start[0], e.end[0], *indices(e.start)) for e in graph.edges}
    each = {(*pair, t) for pair in pairwise("xzh") for t in (1, 2, 3)}
    each |= {("h", "\\", t) for t in (1, 2, 3)} | {("h", "z", t) for t in (1, 2)}
    assert steps == each
    assert len(graph.edges) == len(each)
    for edge in graph.edges:
        later = edge.start[0] + edge.end[0] == "hz"
        assert edge.end == r"\ell" or indices(edge.end) == (
            indices(edge.start)[0] + later,
        )


# --- Checks ------------------------------------------------------------------


def recurrent(draw):
    """Arrays of a layer by name, and the generator."""
    rows, steps = size(draw, 3), size(draw, 4)
    inputs, units = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    shapes = {
        **{"x": (rows, steps, inputs), "h0": (rows, units), "W": (inputs, units)},
        **{"U": (units, units), "b": (units,), "dh": (rows, steps, units)},
    }
    return {name: values(rng, shape) / 2 for name, shape in shapes.items()}, rng


def states(tanh, x, h0, W, U, b, extra):
    """h of all steps (T, N, H), of NumPy's or TensorFlow's arrays; extra (N, T, H) is
    added to z."""
    found, state = [], h0
    for t in range(x.shape[1]):
        state = tanh(x[:, t] @ W + state @ U + b + extra[:, t])
        found.append(state)
    return found


def against(function, names, variable, arrays, rng):
    """The gradient of one of the arrays, or of z, where a function takes some of them.

    The case has h and δ, too; δ is TensorFlow's.
    """
    upstream = arrays["dh"].swapaxes(0, 1)
    zero = np.zeros(arrays["dh"].shape)
    plain = {name: arrays[name] for name in ("x", "h0", "W", "U", "b")}
    plain["extra"] = zero

    def forward(tanh, stack):
        return lambda value: stack(states(tanh, **{**plain, variable: value}))

    by_tf, by_numpy = forward(tf.tanh, tf.stack), forward(np.tanh, np.stack)
    h = by_numpy(plain[variable]).swapaxes(0, 1)
    extra = tf.constant(zero)
    with tf.GradientTape() as tape:
        tape.watch(extra)
        found = tf.stack(states(tf.tanh, **{**plain, "extra": extra}))
    delta = tape.gradient(found, extra, output_gradients=tf.constant(upstream)).numpy()
    case = {**arrays, "h": h, "delta": delta}
    case = {name: case[name] for name in names}
    return gradient(function, case, plain[variable], upstream, by_tf, by_numpy, rng)


@check("rnn-delta")
def rnn_delta(function, draw):
    return against(function, ("dh", "h", "U"), "extra", *recurrent(draw))


@check("rnn-weights")
def rnn_weights(function, draw):
    return against(function, ("x", "delta"), "W", *recurrent(draw))


@check("rnn-recurrent")
def rnn_recurrent(function, draw):
    return against(function, ("h0", "h", "delta"), "U", *recurrent(draw))


@check("rnn-bias")
def rnn_bias(function, draw):
    return against(function, ("delta",), "b", *recurrent(draw))


@check("rnn-input")
def rnn_input(function, draw):
    return against(function, ("delta", "W"), "x", *recurrent(draw))


@check("rnn-start")
def rnn_start(function, draw):
    return against(function, ("delta", "U"), "h0", *recurrent(draw))


# --- What the symbols mean ---------------------------------------------------


def plain_state(v, t):
    """z_t."""
    return v[f"x_{t}"] @ v["W"] + v[f"h_{t - 1}"] @ v["U"] + v["b"]


def through_time(g, given, z=plain_state, h=None, tanh=np.tanh, **more):
    """A layer over the steps of g_1, g_2, ...; the loss is Σ g_t ⊙ h_t.

    z and h say what a step computes of all values and t; h_t is tanh(z_t) if nothing
    else is said. given has the x_t as well; more is for the world.
    """
    T, forward = len(g), {}
    steps = range(1, T + 1)
    for t in steps:
        forward[f"z_{t}"] = lambda v, t=t: z(v, t)
        forward[f"h_{t}"] = lambda v, t=t: h(v, t) if h else tanh(v[f"z_{t}"])
    forward["ell"] = lambda v: sum(np.sum(v[f"g_{t}"] * v[f"h_{t}"]) for t in steps)
    numbered = {
        "h_()": tuple(f"h_{t}" for t in range(T + 1)),
        **{f"{name}_()": ("", *(f"{name}_{t}" for t in steps)) for name in "xzg"},
    }
    usual = {
        **{"gradients": {"delta_()": "z_()"}, "zero": {"delta_()"}},
        **{"functions": {"tanh": np.tanh}, "ranges": {"t": steps}},
    }
    return World(
        sizes={"T": T, **{f"g_{t}": array for t, array in enumerate(g, 1)}},
        given=given,
        forward=forward,
        families=numbered,
        **{**usual, **more},
    )


def batch_first(name):
    """The steps of a family, (N, T, ...) as in the code."""
    return lambda v: np.swapaxes(v[name][1:], 0, 1)


CODE = {
    "gradients": {"delta_()": "z_()", "dx_()": "x_()"},
    "arguments": {
        **{"x": batch_first("x_()"), "h": batch_first("h_()"), "h0": "h_0"},
        **{"dh": batch_first("g_()"), "delta": batch_first("delta_()")},
    },
    "results": {
        "rnn-delta": batch_first("delta_()"),
        "rnn-input": batch_first("dx_()"),
    },
}


@worlds()
def symbols():
    """N, T, I and H in three settings."""
    for N, T, inputs, units in ((2, 3, 3, 4), (3, 2, 2, 3), (1, 4, 2, 2)):
        yield through_time(*drawn_layer(N, T, inputs, units), **CODE)


def drawn_layer(N, T, inputs, units):
    """g_1, g_2, ... and all that a forward pass starts from."""
    given = {f"x_{t}": drawn(10 + t, N, inputs) for t in range(1, T + 1)}
    shapes = {"h_0": (N, units), "W": (inputs, units), "U": (units, units), "b": units}
    for seed, (name, shape) in enumerate(shapes.items()):
        given[name] = drawn(seed, *np.atleast_1d(shape)) / 2
    return [drawn(20 + t, N, units) for t in range(1, T + 1)], given


@worlds("by-hand")
def by_hand(given):
    """Numbers in place of arrays."""
    yield one_unit(HAND_X, given["g"], given, given["one_h0"])


@worlds("exercise-relu")
def with_relu(given):
    yield one_unit(given["x"], given["g"], given, given["relu_h0"], tanh=relu)


def one_unit(x, g, given, h0, **more):
    numbers = {name: given[name] for name in "WUb"} | {"h_0": h0}
    numbers |= {f"x_{t}": value for t, value in enumerate(x, 1)}

    def z(v, t):
        return v[f"x_{t}"] * v["W"] + v[f"h_{t - 1}"] * v["U"] + v["b"]

    return through_time(g, numbers, z, **more)


@worlds("exercise-output")
def output():
    """e_t is given, and g_t comes of it."""
    for N, T, units in ((2, 3, 3), (3, 2, 2), (1, 4, 4)):
        _, given = drawn_layer(N, T, 2, units)
        V, steps = drawn(30, units, 2), range(1, T + 1)
        e = [drawn(40 + t, N, 2) for t in steps]
        world = through_time([error @ V.T for error in e], given)
        y = World(
            given={**{f"h_{t}": world.values[f"h_{t}"] for t in steps}, "V": V},
            forward={
                "ell": lambda v, e=e: sum(
                    np.sum(error * (v[f"h_{t}"] @ v["V"]))
                    for t, error in enumerate(e, 1)
                )
            },
            families={"h_()": ("", *(f"h_{t}" for t in steps))},
            ranges={"t": steps},
            sizes={"T": T},
        )
        y.set("e_()", np.array([0 * e[0], *e]))
        yield y


def leaky_state(alpha):
    """h_t, of which a share is that of the step before."""
    return lambda v, t: (1 - alpha) * v[f"h_{t - 1}"] + alpha * np.tanh(v[f"z_{t}"])


@worlds("exercise-leaky")
def leaky():
    """δ is the gradient of z, and p that of h."""
    for N, T, units, alpha in ((2, 3, 3, 0.3), (3, 2, 2, 0.6), (1, 4, 4, 0.8)):
        g, given = drawn_layer(N, T, 2, units)

        world = through_time(
            g,
            given,
            h=leaky_state(alpha),
            gradients={"delta_()": "z_()", "p_()": "h_()"},
            zero={"delta_()", "p_()"},
        )
        world.set("alpha", alpha)
        world.set("q_()", np.tanh(world.values["z_()"]))
        yield world
