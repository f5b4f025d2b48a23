"""Figure and checks of docs/*/graph/paths.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    H,
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    tf,
    values,
)
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds

# --- Figure ------------------------------------------------------------------


@figure("used-twice")
def used_twice(session):
    """x and u are used twice each."""
    (x, w, u, v, loss), (dx, dw, du, dv, dl) = session.printed("by-hand", (2, 5))
    return Graph(
        [
            Node("x", 4, 8.5, x, dx),
            Node("w", 4, 21.5, w, dw),
            Node("u", 13, 15, u, du),
            Node("v", 13, 2, v, dv),
            Node(r"\ell", 22, 8.5, loss, dl),
        ],
        [
            Edge("x", "v", "", 1.0),
            Edge("x", "u", "", w),
            Edge("w", "u", "", x),
            Edge("u", "v", "", 1.0),
            Edge("u", r"\ell", "", v),
            Edge("v", r"\ell", "", u),
        ],
    )


@claim("used-twice")
def used_twice_claim(session, graph):
    x, w = 2.0, -3.0
    u, v = x * w, x + x * w
    values_of = {"x": x, "w": w, "u": u, "v": v, r"\ell": u * v}
    slopes = {("x", "v"): 1, ("u", "v"): 1, ("x", "u"): w, ("w", "u"): x}
    slopes |= {("u", r"\ell"): v, ("v", r"\ell"): u}
    assert {node.name for node in graph.nodes} == {*values_of}
    assert len(graph.edges) == len(slopes)
    for node in graph.nodes:
        assert_allclose(node.value, values_of[node.name])
    for edge in graph.edges:
        assert_allclose(edge.derivative, slopes[edge.start, edge.end])
    for name in "xwuv":
        assert_allclose(graph[name].gradient, graph.arriving(name))
    assert graph[r"\ell"].gradient == 1
    twice = [n for n in values_of if sum(edge.start == n for edge in graph.edges) == 2]
    assert twice == ["x", "u"]


# --- Checks ------------------------------------------------------------------


@check("graph-tied")
def tied(function, draw):
    rows, units = size(draw, 4), size(draw, 4)
    rng = generator(draw)
    x, W = values(rng, (rows, units)), values(rng, (units, units)) / 2
    delta = values(rng, (rows, units))
    return gradient(
        function,
        {"x": x, "W": W, "delta": delta},
        W,
        delta,
        lambda W: tf.tanh(x @ W) @ W,
        lambda W: np.einsum("nj,jk->nk", np.tanh(x @ W), W),
        rng,
    )


@check("graph-jvp")
def dense_jvp(function, draw):
    rows, inputs, outputs = size(draw, 4), size(draw, 4), size(draw, 4)
    rng = generator(draw)
    shapes = (rows, inputs), (inputs, outputs), (outputs,)
    at, along = ([values(rng, shape) for shape in shapes] for _ in range(2))
    names = ("a", "W", "da", "dW", "db")
    case = dict(zip(names, [*at[:2], *along], strict=True))
    mine = call(function, case)
    tensors = [tf.constant(array) for array in at]
    with tf.autodiff.ForwardAccumulator(
        tensors, [tf.constant(array) for array in along]
    ) as accumulator:
        z = tensors[0] @ tensors[1] + tensors[2]
    error = compare(case, mine, accumulator.jvp(z).numpy(), "TensorFlow")

    def forward(step):
        a, W, b = (p + step * d for p, d in zip(at, along, strict=True))
        return np.einsum("ni,ij->nj", a, W) + b

    # Of second degree along a line, where a central difference is exact at any step.
    slope = (forward(1) - forward(-1)) / 2
    return max(error, compare(case, mine, slope, "the difference"))


# --- What the symbols mean ---------------------------------------------------


@worlds("by-hand")
def by_hand(given):
    yield World(
        given={"x": given["x"], "w": given["w"]},
        forward={
            "u": lambda v: v["x"] * v["w"],
            "v": lambda v: v["x"] + v["u"],
            "ell": lambda v: v["u"] * v["v"],
        },
    )


@worlds("two-modes")
def two_modes():
    """y = tanh(L x), and how it changes along a direction."""
    for i, j in ((2, 3), (3, 2), (4, 5)):
        L, x, direction = drawn(1, j, i), drawn(2, i), drawn(3, i)
        slope = 1 - np.tanh(L @ x) ** 2
        yield World(
            sizes={"dot x": direction, "dot y": slope * (L @ direction)},
            given={"x": x},
            forward={
                "y": lambda v, L=L: np.tanh(L @ v["x"]),
                "ell": lambda v: np.sum(np.sin(v["y"])),
            },
            gradients={"g": "y"},
        )


@worlds("jvp")
def moved():
    for n, i, j in ((2, 3, 4), (3, 4, 2), (4, 2, 3)):
        shapes = {"a": (n, i), "W": (i, j), "b": (j,)}
        at = {name: drawn(k, *shape) for k, (name, shape) in enumerate(shapes.items())}
        along = {
            name: drawn(k, *shape) for k, (name, shape) in enumerate(shapes.items(), 5)
        }

        def z(t, at=at, along=along):
            a, W, b = (at[name] + t * along[name] for name in "aWb")
            return a @ W + b

        yield World(
            sizes={
                **at,
                **{f"dot {name}": value for name, value in along.items()},
                "dot z": (z(H) - z(-H)) / (2 * H),
            },
            arguments={f"d{name}": f"dot {name}" for name in "aWb"},
        )


@worlds("tied")
def tied_weights():
    for n, i in ((2, 3), (3, 2), (4, 5)):
        yield World(
            sizes={"delta^2": drawn(3, n, i)},
            given={"x": drawn(1, n, i), "W": drawn(2, i, i) / 2},
            forward={
                "z^1": lambda v: v["x"] @ v["W"],
                "a": lambda v: np.tanh(v["z^1"]),
                "z^2": lambda v: v["a"] @ v["W"],
                "ell": lambda v: np.sum(v["delta^2"] * v["z^2"]),
            },
            gradients={"delta^1": "z^1"},
            functions={"tanh": np.tanh},
            arguments={"delta": "delta^2"},
        )


@worlds("many")
def steps():
    """z has all values, of which the first and the last have names of their own."""
    for k in (2, 3, 5):

        def all_of(v, k=k):
            z = [v["z_0"]]
            for _ in range(k):
                z.append(z[-1] + np.sin(z[-1]))
            return np.array(z)

        yield World(
            sizes={"k": k},
            given={"z_0": np.array(0.3 * k)},
            forward={"z": all_of, "z_k": lambda v: v["z"][-1]},
            functions={"cos": np.cos},
        )


@worlds("exercise-circuit")
def circuit(given):
    yield World(
        given={"x": given["x"]},
        forward={
            "u": lambda v: v["x"][0] * v["x"][1],
            "v": lambda v: v["u"] + v["x"][0],
            "ell": lambda v: v["u"] * v["v"] + v["v"] * v["x"][1],
        },
    )


@worlds("exercise-direction")
def tied_direction():
    for n, i in ((2, 3), (3, 2), (4, 5)):
        x, W, direction = drawn(1, n, i), drawn(2, i, i) / 2, drawn(3, i, i)

        def forward(t, x=x, W=W, direction=direction):
            moved = W + t * direction
            return np.tanh(x @ moved) @ moved

        yield World(
            sizes={
                "x": x,
                "W": W,
                "dot W": direction,
                "a": np.tanh(x @ W),
                "dot a": (1 - np.tanh(x @ W) ** 2) * (x @ direction),
                "dot z": (forward(H) - forward(-H)) / (2 * H),
            },
        )
