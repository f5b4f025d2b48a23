"""Figure and checks of docs/*/dense.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import before_relu, check, generator, gradient, relu, size, tf, values
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node, indices
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "relu_prime",
        "return (z > 0).astype(z.dtype)",
        "return z > 0",
    ): "float64 times bool is float64",
    (
        "#by-hand",
        r"z_{0,1} = a_{0,0} W_{0,1} + a_{0,1} W_{1,1} + b_1 = 2 \cdot 1 + (-1) "
        r"\cdot (-1) + 0.2 = 3.2",
        r"z_{0,1} = a_{0,0}  + a_{0,1} W_{1,1} + b_1 = 2 \cdot 1 + (-1) \cdot "
        "(-1) + 0.2 = 3.2",
    ): "W_{0,1} is 1",
}


# --- Figures -----------------------------------------------------------------


@figure("fan-out")
def fan_out(session):
    """a_{0,0} and the three outputs in which it occurs."""
    a = session.written("by-hand", "a", (1, 2))
    W = session.written("by-hand", "W", (2, 3))
    delta = session.written("by-hand", "delta", (1, 3))
    z = session.printed("by-hand", (1, 3))
    da = session.printed("by-hand-input", (1, 2))
    start = Node("a_{0,0}", 4, 6.5, a[0, 0], da[0, 0])
    nodes = [
        Node(f"z_{{0,{j}}}", 22, 2 + 4.5 * j, z[0, j], delta[0, j]) for j in range(3)
    ]
    edges = [
        Edge(start.name, node.name, f"W_{{0,{j}}}", W[0, j])
        for j, node in enumerate(nodes)
    ]
    return Graph([start, *nodes], edges)


@claim("fan-out")
def fan_out_claim(session, graph):
    a = session.written("by-hand", "a", (1, 2))
    W = session.written("by-hand", "W", (2, 3))
    z = a @ W + session.written("by-hand", "b", (1, 3))
    delta = session.written("by-hand", "delta", (1, 3))
    start, *outputs = graph.nodes
    assert_allclose(start.value, a[indices(start.name)])
    assert_allclose(start.gradient, graph.arriving(start.name))
    assert len(outputs) == len(graph.edges) == 3
    for node, edge in zip(outputs, graph.edges, strict=True):
        at = indices(node.name)
        assert_allclose([node.value, node.gradient], [z[at], delta[at]])
        assert (edge.start, edge.end) == (start.name, node.name)
        assert indices(edge.name) == (indices(start.name)[1], at[1])
        assert_allclose(edge.derivative, W[indices(edge.name)])


# --- Checks ------------------------------------------------------------------


def dense_case(draw):
    """a (N, I), W (I, J), b (J,), delta (N, J), z (N, I) of the layer below."""
    rows, inputs, outputs = size(draw, 4), size(draw, 4), size(draw, 4)
    rng = generator(draw)
    a, W, b = (values(rng, s) for s in [(rows, inputs), (inputs, outputs), (outputs,)])
    return a, W, b, values(rng, (rows, outputs)), before_relu(rng, (rows, inputs)), rng


@check("dense-delta")
def dense_delta(function, draw):
    _, W, _, delta, z, rng = dense_case(draw)
    return gradient(
        function,
        {"delta": delta, "W": W, "z": z},
        z,
        delta,
        lambda z: tf.nn.relu(z) @ W,
        lambda z: np.einsum("ni,ij->nj", relu(z), W),
        rng,
        z == 0,
    )


@check("dense-weights")
def dense_weights(function, draw):
    a, W, b, delta, _, rng = dense_case(draw)
    return gradient(
        function,
        {"a": a, "delta": delta},
        W,
        delta,
        lambda W: a @ W + b,
        lambda W: np.einsum("ni,ij->nj", a, W) + b,
        rng,
    )


@check("dense-bias")
def dense_bias(function, draw):
    a, W, b, delta, _, rng = dense_case(draw)
    return gradient(
        function,
        {"delta": delta},
        b,
        delta,
        lambda b: a @ W + b,
        lambda b: np.einsum("ni,ij->nj", a, W) + b,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for examples, inputs, outputs in ((2, 3, 4), (3, 4, 2), (5, 2, 3)):
        yield dense(examples, inputs, outputs)


def dense(examples, inputs, outputs):
    """z = a W + b behind ReLU; no entry is near its kink."""
    return World(
        given={
            "z^l-1": drawn(1, examples, inputs),
            "W": drawn(2, inputs, outputs),
            "b": drawn(3, outputs),
            "delta": drawn(4, examples, outputs),
        },
        forward={
            "a": lambda v: relu(v["z^l-1"]),
            "z": lambda v: v["a"] @ v["W"] + v["b"],
        },
        gradients={"delta^l-1": "z^l-1"},
        functions={"sigma'": lambda z: 1.0 * (z > 0)},
        arguments={"z": "z^l-1"},
        also={"a^l-1": "a", "W^l": "W", "b^l": "b", "z^l": "z", "delta^l": "delta"},
    )


@worlds("by-hand")
def by_hand(given):
    yield World(
        given={name: np.atleast_2d(given[name]) for name in ("a", "W", "delta")}
        | {"b": given["b"]},
        forward={"z": lambda v: v["a"] @ v["W"] + v["b"]},
    )


@worlds("two-layers")
def two_layers(given):
    yield World(
        sizes={"delta^2": given["upstream"], "W^2": given["W2"]},
        given={"z^1": given["x"] @ given["W1"] + given["b1"]},
        forward={
            "a^1": lambda v: relu(v["z^1"]),
            "z^2": lambda v: v["a^1"] @ v["W^2"] + given["b2"],
            "ell": lambda v: np.sum(v["delta^2"] * v["z^2"]),
        },
        gradients={"delta^1": "z^1"},
        functions={"sigma'": lambda z: 1.0 * (z > 0)},
    )


@worlds("exercise-gram")
def gram():
    for examples, units, columns in ((2, 3, 4), (3, 2, 3), (4, 5, 2)):
        yield World(
            given={
                "a": drawn(1, examples, units),
                "U": drawn(2, units, columns),
                "delta": drawn(3, examples, units),
            },
            forward={"W": lambda v: v["U"] @ v["U"].T, "z": lambda v: v["a"] @ v["W"]},
            gradients={"Gamma": "W"},
        )


@worlds("exercise-skip")
def skip():
    for examples, units in ((2, 3), (3, 2), (4, 5)):
        yield World(
            given={
                "x": drawn(1, examples, units),
                "W": drawn(2, units, units),
                "g": drawn(3, examples, units),
            },
            forward={
                "z": lambda v: v["x"] @ v["W"],
                "ell": lambda v: np.sum(np.sin(v["z"])) + np.sum(v["g"] * v["x"]),
            },
            gradients={"delta": "z"},
        )


@worlds("exercise-bias-row")
def bias_row(given):
    yield World(sizes={name: given[name] for name in ("tilde a", "delta")})
