"""Figures and checks of docs/*/cnn/convolution.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import before_relu, check, generator, gradient, relu, sizes, tf, values
from book.figures import ROUNDING, Box, Panel, around, claim, figure
from book.graphs import Edge, Graph, Node, indices
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate, covered, plane, tf_correlate

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "activation": {
        "0.3": "= my_dl_dz_below[1, 1]",
        "0.7": "= my_dl_da[1, 2]",
    },
    "exact": {
        "16 4 9": "= [sx.size, sW.size, sdelta.size]",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("rot180")
def rot180(session):
    return [
        Panel("W", session.written("small-forward", "W", (2, 2)), window=Box(0, 0)),
        r"\rightarrow",
        Panel(
            r"\operatorname{rot180}(W)",
            session.printed("full", (2, 2)),
            result=Box(1, 1),
        ),
    ]


@claim("rot180")
def rot180_claim(session, W, turned):
    assert_array_equal(turned[turned.result], W[W.window])
    assert_array_equal(turned, np.rot90(W, 2))


@figure("conv-full")
def conv_full(session):
    i, j = 1, 2
    return [
        Panel(
            r"\delta^{\mathrm{pad}}",
            session.printed("full", (4, 4), 1),
            window=Box(i, j, 2, 2),
            inserted=around((2, 2), 1),
        ),
        r"\star",
        Panel(r"\operatorname{rot180}(W)", session.printed("full", (2, 2))),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            session.printed("full-run", (3, 3)),
            result=Box(i, j),
        ),
    ]


@claim("conv-full")
def conv_full_claim(session, delta, W, da):
    assert_array_equal(delta.grey, np.pad(np.ones((2, 2)), 1) == 0)
    assert not delta[delta.grey].any()
    assert_allclose(da[da.result], np.sum(delta[delta.window] * W), atol=ROUNDING)
    assert_allclose(da, correlate(delta, W), atol=ROUNDING)


@figure("conv-paths")
def conv_paths(session):
    """The middle entry of a, and the four outputs in which it occurs."""
    p, q = 1, 1
    a = session.printed("small-forward", (3, 3))
    z = session.printed("small-forward", (2, 2), 1)
    W = session.written("small-forward", "W", (2, 2))
    delta = session.written("small-cell", "delta", (2, 2))
    da = session.printed("full-run", (3, 3))
    start = Node(f"a_{{{p},{q}}}", 4, 8, a[p, q], da[p, q])
    nodes, edges = [start], []
    for i, j in np.ndindex(z.shape):
        name, u, v = f"z_{{{i},{j}}}", p - i, q - j
        place = 2 + 4 * (2 * i + j)
        nodes.append(Node(name, 22, place, z[i, j], delta[i, j]))
        edges.append(Edge(start.name, name, f"W_{{{u},{v}}}", W[u, v]))
    return Graph(nodes, edges)


@claim("conv-paths")
def conv_paths_claim(session, graph):
    a = session.printed("small-forward", (3, 3))
    W = session.written("small-forward", "W", (2, 2))
    delta = session.written("small-cell", "delta", (2, 2))
    start, *outputs = graph.nodes
    assert_allclose(start.value, a[indices(start.name)])
    assert_allclose(start.gradient, graph.arriving(start.name))
    # From the first output to the last, under the kernel turned.
    assert [indices(node.name) for node in outputs] == [*np.ndindex(2, 2)]
    assert_allclose([edge.derivative for edge in graph.edges], np.rot90(W, 2).ravel())
    for node, edge in zip(outputs, graph.edges, strict=True):
        at = indices(node.name)
        assert_allclose(node.value, correlate(a, W)[at], atol=ROUNDING)
        assert_allclose(node.gradient, delta[at])
        assert (edge.start, edge.end) == (start.name, node.name)
        assert_allclose(edge.derivative, W[indices(edge.name)])


# --- Checks ------------------------------------------------------------------


@check("conv-delta")
def conv_delta(function, draw):
    kernel, output = sizes(draw, 3), sizes(draw, 4)
    return convolution_delta(function, draw, kernel, output)


def convolution_delta(function, draw, kernel, output, *stride):
    rng = generator(draw)
    S = stride[0] if stride else 1
    delta, W = values(rng, output), values(rng, kernel)
    z = before_relu(rng, covered(kernel, output, S))
    return gradient(
        function,
        {"delta": delta, "W": W, "z": z} | ({"stride": S} if stride else {}),
        z,
        delta,
        lambda z: tf_correlate(tf.nn.relu(z), W, S),
        lambda z: correlate(relu(z), W, S),
        rng,
        z == 0,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for size, kernel, seed in ((3, 2, 1), (3, 2, 2), (5, 2, 1), (6, 3, 1)):
        around = size + kernel - 1
        yield plane(
            *(size, kernel, 1, seed),
            arguments={"z": "z^l-1"},
            ranges={"u": kernel, "v": kernel, "m": around, "n": around},
        )


@worlds("one-derivative")
def inside():
    """No array is read as 0 outside of its bounds."""
    for size, kernel in ((4, 2), (5, 2), (6, 3)):
        yield plane(size, kernel, 1, zero=())


def row(size, kernel, stride=1, given=(), **more):
    """One row x and a kernel w: drawn, or as given."""
    given = dict(given)
    output = (size - kernel) // stride + 1
    start = {
        "x": drawn(1, size),
        "w": drawn(2, kernel),
        "b": np.array(0.7),
        "delta": drawn(4, output),
    }
    return World(
        sizes={"H": size, "K": kernel, "S": stride, "O": output},
        given={name: given.get(name, value) for name, value in start.items()},
        forward={
            "z": lambda v: np.correlate(v["x"], v["w"])[::stride] + v["b"],
        },
        **more,
    )


@worlds("exercise-polynomial")
def polynomial(given):
    yield row(5, 3, given=given)


@worlds("exercise-half-turn")
def half_turn():
    for size, kernel in ((5, 2), (6, 3), (7, 4)):
        yield World(
            sizes={
                **{"M": size, "K": kernel, "A": drawn(1, size), "B": drawn(2, kernel)},
                **{"delta": drawn(3, size, kernel), "W": drawn(4, kernel, 3)},
            },
            ranges={"i": size - kernel + 1},
        )


@worlds("exercise-rank-one")
def rank_one():
    for (height, width), (rows, columns) in (
        ((5, 6), (2, 3)),
        ((6, 5), (3, 2)),
        ((7, 4), (4, 2)),
    ):
        output = height - rows + 1, width - columns + 1
        yield World(
            sizes={"K": rows, "K'": columns, "delta": drawn(4, *output)},
            given={
                "x": drawn(1, height, width),
                "s": drawn(2, rows),
                "t": drawn(3, columns),
            },
            forward={
                "W": lambda v: np.outer(v["s"], v["t"]),
                "z": lambda v: correlate(v["x"], v["W"]),
            },
            zero={"delta", "y"},
            ranges={"p": height, "j": output[1]},
        )
