"""Figures and checks of docs/*/deep/network.md."""

from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    before_relu,
    check,
    generator,
    gradient,
    relu,
    sigmoid,
    size,
    st,
    tf,
    values,
)
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node, indices
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "sigmoid",
        "return 1 / (1 + np.exp(-z))",
        "return 1 / (1 + np.exp(z))",
    ): "σ' is even; σ itself the session compares with TensorFlow",
    (
        "network_delta",
        "for layer in reversed(range(1, len(W))):",
        "for layer in reversed(range(1, len(z))):",
    ): "there is a z for each W",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "1.8 0.3 -0.3 -0.2 1.6": "= [*paths, sum(paths)]",
    },
    "cost": {
        "6": "= Y.size",
    },
    "wrong-deltas": {
        "0.1": "in network_delta_updated",
    },
    "equations": {
        "4": "a step of the list above it",
    },
    "kept": {
        "40": "= 2 * deep_L",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("deep-paths")
def deep_paths(session):
    """What leads from unit 0 of layer 1 to the output."""
    W2 = session.written("by-hand", "W2", (2, 2))
    W3 = session.written("by-hand", "W3", (2, 1))
    z1, z2 = (session.printed("by-hand", (1, 2), nth) for nth in (0, 1))
    z3 = session.printed("by-hand", (1, 1), 2)
    delta2, delta1 = (session.printed("by-hand-delta", (1, 2), nth) for nth in (0, 1))
    delta3 = session.written("by-hand-delta", "delta3", (1, 1))
    start, end = "z^{1}_{0}", "z^{3}_{0}"
    middle = [f"z^{{2}}_{{{j}}}" for j in range(2)]
    return Graph(
        [
            Node(start, 13, 2, z1[0, 0], delta1[0, 0]),
            *(
                Node(name, 5 + 16 * j, 8.5, z2[0, j], delta2[0, j])
                for j, name in enumerate(middle)
            ),
            Node(end, 13, 15, z3[0, 0], delta3[0, 0]),
        ],
        [
            *(
                Edge(start, name, f"W^{{2}}_{{0,{j}}}", W2[0, j])
                for j, name in enumerate(middle)
            ),
            *(
                Edge(name, end, f"W^{{3}}_{{{j},0}}", W3[j, 0])
                for j, name in enumerate(middle)
            ),
        ],
    )


@claim("deep-paths")
def deep_paths_claim(session, graph):
    """The values are those of the forward pass, and differences of it the gradients."""
    x, W1, W2, W3 = (
        session.written("by-hand", name, shape)
        for name, shape in (
            ("x", (1, 1)),
            ("W1", (1, 2)),
            ("W2", (2, 2)),
            ("W3", (2, 1)),
        )
    )
    b1, b2, b3 = (
        session.written("by-hand", name, (length,))
        for name, length in (("b1", 2), ("b2", 2), ("b3", 1))
    )
    delta3 = session.written("by-hand-delta", "delta3", (1, 1))
    weights = {2: W2, 3: W3}

    def run(layer=0, unit=0, change=0.0):
        """z of all layers, where one of them is changed."""
        found, a = {}, x
        for number, (W, b) in enumerate(((W1, b1), (W2, b2), (W3, b3)), 1):
            found[number] = a @ W + b
            if number == layer:
                found[number][0, unit] += change
            a = np.maximum(found[number], 0)
        return found

    for node in graph.nodes:
        layer, unit = at(node.name)
        ends = [run(layer, unit, step)[3] for step in (0.25, -0.25)]
        slope = np.sum(delta3 * (ends[0] - ends[1])) / 0.5  # piecewise linear
        assert_allclose([node.value, node.gradient], [run()[layer][0, unit], slope])
    for edge in graph.edges:
        (layer, i), (above, j) = at(edge.start), at(edge.end)
        assert above == layer + 1
        assert edge.name == f"W^{{{above}}}_{{{i},{j}}}"
        assert edge.derivative == weights[above][i, j]
    start, *others = graph.nodes
    assert_allclose(start.gradient, graph.arriving(start.name))
    for node in others[:-1]:
        assert_allclose(node.gradient, graph.arriving(node.name))
    assert len(graph.edges) == 4


def at(name: str) -> tuple[int, int]:
    """Layer and unit: z^{2}_{1} -> (2, 1)."""
    return int(name[3]), *indices(name)


PARTIAL = r"\partial \ell / \partial "


@figure("network-kept")
def network_kept(session):
    """Three layers: forward on the left, backward on the right."""
    left, middle, right, step = 3.2, 13, 22.8, 6
    rows = ["x", "a^{1}", "a^{2}", "z^{3}"]
    forward = [Node(name, left, 1.6 + step * row) for row, name in enumerate(rows)]
    deltas = [Node(rf"\delta^{{{row}}}", right, 1.6 + step * row) for row in (1, 2, 3)]
    gradients = [
        Node(f"{PARTIAL}W^{{{row}}}", middle, 1.6 + step * (row - 0.5))
        for row in (1, 2, 3)
    ]
    edges = [
        Edge(below, above, f"W^{{{row}}}")
        for row, (below, above) in enumerate(pairwise(rows), 1)
    ]
    edges += [Edge("z^{3}", r"\delta^{3}", r"a^{3} - y", kind="backward")]
    for row in (1, 2, 3):
        below, delta, dW = rows[row - 1], deltas[row - 1].name, gradients[row - 1].name
        edges += [
            Edge(below, dW, kind="kept"),
            Edge(delta, dW, kind="backward"),
        ]
        if row > 1:
            lower = deltas[row - 2].name
            edges += [
                Edge(below, lower, r"\sigma'", kind="kept"),
                Edge(delta, lower, f"W^{{{row}}}", kind="backward"),
            ]
    return Graph([*forward, *deltas, *gradients], edges)


@claim("network-kept")
def network_kept_claim(session, graph):
    """Into each array lead arrows from those with which TensorFlow's value of it
    changes, and from no other; the weights of which it is made stand on an arrow."""
    y = np.array([[0.2, 0.5, 0.3]])
    rows = ["x", "a^{1}", "a^{2}", "z^{3}"]
    arrays = {  # some units are off
        **{"x": drawn(4, 1, 3), "a^{1}": np.array([[0.5, 0.0, 1.2]])},
        **{"a^{2}": np.array([[0.0, 0.7, 0.9]]), "z^{3}": drawn(5, 1, 3)},
        **{rf"\delta^{{{layer}}}": drawn(5 + layer, 1, 3) for layer in (1, 2, 3)},
        **{f"W^{{{layer}}}": drawn(layer, 3, 3) for layer in (1, 2, 3)},
    }
    functions = {r"\delta^{3}": lambda v: tf.nn.softmax(v["z^{3}"]) - y}
    for below, above, layer in zip(rows, rows[1:], (1, 2, 3), strict=False):
        W, delta = f"W^{{{layer}}}", rf"\delta^{{{layer}}}"

        def forward(v, below=below, W=W):
            return v[below] @ v[W]

        def weights(v, forward=forward, W=W, delta=delta):
            return by_tape(forward, W, v, v[delta])

        def lower(v, forward=forward, below=below, delta=delta):
            """relu(a) is a, and has the slopes that ReLU has at z."""
            relu_first = lambda v: forward({**v, below: tf.nn.relu(v[below])})  # noqa: E731
            return by_tape(relu_first, below, v, v[delta])

        functions |= {above: forward, f"{PARTIAL}W^{{{layer}}}": weights}
        if layer > 1:
            functions[rf"\delta^{{{layer - 1}}}"] = lower
    for name, function in functions.items():
        arrows = [edge for edge in graph.edges if edge.end == name]
        into = {edge.start for edge in arrows}
        into |= {edge.name for edge in arrows if edge.name.startswith("W")}
        right = function(arrays)
        assert into == {
            name
            for name, array in arrays.items()
            if not np.allclose(function({**arrays, name: 2 * array + 1}), right)
        }
    assert {edge.end for edge in graph.edges} == {*functions}
    for edge in graph.edges:
        start, end = (
            name[0] for name in (edge.start.strip("\\"), edge.end.strip("\\"))
        )
        kind = {"d": "backward", "z": "backward"}.get(start, "kept")
        if end in "az":
            kind = "forward"
        assert edge.kind == kind
        weights = end in "az" or start == end == "d"
        assert edge.name.startswith("W") == weights
        assert (edge.name == r"\sigma'") == (kind == "kept" and end == "d")
        assert (edge.name == "a^{3} - y") == (start == "z")


def by_tape(function, name, arrays, upstream):
    """The gradient of one of the arrays."""
    tensor = tf.constant(arrays[name])
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = function({**arrays, name: tensor})
    return tape.gradient(value, tensor, output_gradients=tf.constant(upstream)).numpy()


# --- Checks ------------------------------------------------------------------


@check("network-output")
def network_output(function, draw):
    shape = size(draw, 4), size(draw, 4)
    rng = generator(draw)
    g, z = values(rng, shape), values(rng, shape)
    return gradient(function, {"g": g, "z": z}, z, g, tf.sigmoid, sigmoid, rng)


@check("network-delta")
def network_delta(function, draw):
    """Biases, one for each entry, make all z what was drawn: no unit above the lowest
    layer is near its kink. Equal widths hide what unequal ones refuse."""
    layers, rows = draw(st.integers(1, 4)), size(draw, 3)
    units = [size(draw, 4) for _ in range(layers + 1)]
    if draw(st.booleans()):
        units = [units[0]] * (layers + 1)
    rng = generator(draw)
    W = [values(rng, shape) for shape in pairwise(units)]
    delta = values(rng, (rows, units[-1]))
    z = [values(rng, (rows, width)) for width in units[1:]]
    if layers > 1:
        z[0] = before_relu(rng, z[0].shape)
    b = [
        above - relu(below) @ w
        for below, above, w in zip(z, z[1:], W[1:], strict=False)
    ]

    def by_tf(value):
        for layer_W, layer_b in zip(W[1:], b, strict=True):
            value = tf.nn.relu(value) @ layer_W + layer_b
        return value

    def by_numpy(value):
        for layer_W, layer_b in zip(W[1:], b, strict=True):
            value = np.einsum("ni,ij->nj", relu(value), layer_W) + layer_b
        return value

    return gradient(
        function,
        {"delta": delta, "W": W, "z": z},
        z[0],
        delta,
        by_tf,
        by_numpy,
        rng,
        z[0] == 0,
    )


# --- What the symbols mean ---------------------------------------------------


LAYERS = {  # up to the z of the last
    "z^1": lambda v: v["x"] @ v["W^1"] + v["b^1"],
    "a^1": lambda v: relu(v["z^1"]),
    "z^2": lambda v: v["a^1"] @ v["W^2"] + v["b^2"],
    "a^2": lambda v: relu(v["z^2"]),
    "z^3": lambda v: v["a^2"] @ v["W^3"] + v["b^3"],
}


def relu_prime(z):
    return 1.0 * (z > 0)


@worlds()
def symbols():
    """Three layers: 1 is l - 1, 2 is l, 3 is L."""
    for examples, units in ((2, (3, 4, 2, 3)), (3, (4, 2, 5, 2)), (5, (2, 3, 4, 3))):
        yield three_layers(examples, units)


def three_layers(examples, units):
    W = [drawn(layer, *shape) for layer, shape in enumerate(pairwise(units), 1)]
    b = [drawn(10 + layer, width) for layer, width in enumerate(units[1:])]
    target = drawn(20, examples, units[-1])
    return World(
        sizes={"N": examples, "L": 3},
        given={
            "x": drawn(7, examples, units[0]),
            **{f"W^{layer}": array for layer, array in enumerate(W, 1)},
            **{f"b^{layer}": array for layer, array in enumerate(b, 1)},
        },
        forward={
            **LAYERS,
            "a^3": lambda v: relu(v["z^3"]),
            "ell": lambda v: np.sum(target * np.sin(v["a^3"])),
        },
        gradients={f"delta^{layer}": f"z^{layer}" for layer in (1, 2, 3)},
        functions={"sigma": relu, "sigma'": relu_prime},
        also={
            **{"z^l": "z^2", "a^l": "a^2", "W^l": "W^2", "b^l": "b^2"},
            **{"z^l-1": "z^1", "a^l-1": "a^1", "z^L": "z^3", "a^L": "a^3"},
            **{"delta^l": "delta^2", "delta^l-1": "delta^1", "delta^L": "delta^3"},
        },
        arguments={
            "delta": "delta^3",
            "W": lambda v: [v["W^1"], v["W^2"], v["W^3"]],
            "z": lambda v: [v["z^1"], v["z^2"], v["z^3"]],
        },
    )


@worlds("by-hand")
def by_hand(given):
    """One example: its z, a and δ are rows without an axis for it."""
    yield World(
        sizes={"delta^3": given["delta3"].item()},
        given={"x": np.reshape(given["x"], 1)}
        | {f"W^{layer}": given[f"W{layer}"] for layer in (1, 2, 3)}
        | {f"b^{layer}": np.ravel(given[f"b{layer}"]) for layer in (1, 2, 3)},
        forward={
            **LAYERS,
            "ell": lambda v: v["delta^3"] * v["z^3"][0],
        },
        gradients={"delta^1": "z^1", "delta^2": "z^2"},
    )


@worlds("output")
def output():
    """The last layer has a sigmoid, and the loss is the squared error."""
    for examples, units in ((2, 3), (3, 2), (4, 5)):
        y = drawn(2, examples, units)
        yield World(
            sizes={"y": y},
            given={"z^L": drawn(1, examples, units)},
            forward={
                "a^L": lambda v: sigmoid(v["z^L"]),
                "ell": lambda v, y=y: np.sum((v["a^L"] - y) ** 2) / 2,
            },
            gradients={"delta^L": "z^L", "g": "a^L"},
            functions={"sigma'": lambda z: sigmoid(z) * (1 - sigmoid(z))},
            arguments={"z": "z^L"},
        )


@worlds("product")
def product():
    """One example, and δ as columns."""
    for units in ((2, 3, 4), (3, 4, 2), (4, 2, 3)):
        W2, W3 = drawn(2, *units[:2]), drawn(3, *units[1:])
        delta3 = drawn(4, units[2])
        yield World(
            sizes={"W^2": W2, "W^3": W3, "delta^3": delta3},
            given={"z^1": drawn(5, units[0])},
            forward={
                "D^1": lambda v: np.diag(relu_prime(v["z^1"])),
                "z^2": lambda v, W2=W2: relu(v["z^1"]) @ W2,
                "D^2": lambda v: np.diag(relu_prime(v["z^2"])),
                "z^3": lambda v, W3=W3: relu(v["z^2"]) @ W3,
                "ell": lambda v, d=delta3: np.sum(d * v["z^3"]),
            },
            gradients={"delta^1": "z^1"},
            functions={"sigma'": relu_prime},
        )


@worlds("cost")
def cost():
    """The products are counted, one product of matrices after the other."""
    for examples, units in ((2, (3, 5, 4, 3)), (3, (2, 4)), (4, (5, 2, 6, 3, 2))):
        pairs = [*pairwise(units)]
        forward = sum(examples * below * above for below, above in pairs)
        weights = sum(below * examples * above for below, above in pairs)
        deltas = sum(examples * above * below for below, above in pairs[1:])
        yield World(
            sizes={
                **{"N": examples, "L": len(pairs), "n": np.array(units)},
                **{"M": forward, "M'": weights + deltas},
                "Q": sum(np.zeros(pair).size + pair[1] for pair in pairs),
            }
        )


@worlds("exercise-linear")
def linear(given):
    matrices = {f"W^{layer}": given[f"linear_W{layer}"] for layer in (1, 2, 3)}
    yield World(
        sizes={"delta^3": given["linear_delta3"]},
        given={"x": given["linear_x"], **matrices},
        forward={
            "z^1": lambda v: v["x"] @ v["W^1"],
            "z^2": lambda v: v["z^1"] @ v["W^2"],
            "z^3": lambda v: v["z^2"] @ v["W^3"],
            "ell": lambda v: np.sum(v["delta^3"] * v["z^3"]),
        },
        gradients={"delta^1": "z^1", "delta^2": "z^2"},
    )


@worlds("exercise-tied")
def tied():
    for examples, units in ((2, 3), (3, 2), (4, 5)):
        delta3 = drawn(3, examples, units)
        world = World(
            given={"x": drawn(1, examples, units), "U": drawn(2, units, units)},
            forward={
                "z^1": lambda v: v["x"] @ v["U"],
                "z^2": lambda v: relu(v["z^1"]) @ v["U"],
                "z^3": lambda v: relu(v["z^2"]) @ v["U"],
                "ell": lambda v, d=delta3: np.sum(d * v["z^3"]),
            },
        )
        z = [world.values[f"z^{layer}"] for layer in (1, 2)]
        deltas = [world.jacobian("ell", f"z^{layer}") for layer in (1, 2)]
        world.set("a^()", np.array([world.values["x"], *map(relu, z)]))
        world.set("delta^()", np.array([0 * delta3, *deltas, delta3]))  # from 1 on
        yield world
