"""Figures and checks of docs/*/attention/multihead.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    st,
    tf,
    values,
)
from book.figures import Box, Panel, claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.softmax import softmax

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "keras": {
        "5": "= x.shape[1]",
        "6": "= x.shape[2]",
        "7": "= other.shape[1]",
        "8": "= other.shape[2]",
    },
}

# Changes after which the page says the same, and why.
CALL = "Q, K, V = (project(q, Wq, bq), project(k, Wk, bk), project(v, Wv, bv))"
KEPT = "return (heads_output(O, Wo, bo), (Q, K, V, O, P))"
SAME = {
    (
        "multihead",
        CALL,
        CALL.replace("bk", "bq"),
    ): "the bias of the keys adds one number to the scores of a query",
    **{
        ("multihead", KEPT, KEPT.replace(f", {name},", f", {name} {by} 1,")): "rows of "
        "∂ℓ/∂S have the sum 0, and stay as they are if a row of P's gradient is shifted"
        for name in "KV"
        for by in "+-"
    },
    **{
        (function, before, before.replace(", optimize=True", after)): "it takes longer"
        for function, before in (
            (
                "output_kernel_gradient",
                "return np.einsum('ntf,nhte->hef', dy, O, optimize=True)",
            ),
            (
                "head_kernel_gradient",
                "return np.einsum('nti,nhtc->ihc', x, dQ, optimize=True)",
            ),
        )
        for after in ("", ", optimize=False")
    },
    (
        "heads_output",
        "return dense(join_heads(O), W.reshape(-1, W.shape[-1]), b)",
        "return dense(join_heads(O), W.reshape(-1, b.shape[-1]), b)",
    ): "the bias has a number for each column of the output",
    (
        "head_gradient",
        "return split_heads(dy @ W.reshape(-1, W.shape[-1]).T, len(W))",
        "return split_heads(dy @ W.reshape(-1, dy.shape[-1]).T, len(W))",
    ): "a gradient has the shape of the output",
}


# --- Figures -----------------------------------------------------------------

DRAWN = 0.006  # two decimals are drawn


@figure("multihead-paths")
def multihead_paths(session):
    """From position 0 to both outputs, through query, key and value."""
    P = session.printed("by-hand", (2, 2))
    Q, K, V, O = session.printed("by-hand", (2, 4), 1).T
    dQ, dK, dV = session.printed("by-hand", (2, 3), 2)[0]
    (paths,) = session.printed("by-hand", (1, 3), 3)
    x = session.written("by-hand", "hand_x", (2, 1))[:, 0]
    dO = session.written("by-hand", "hand_dO", (2, 1))[:, 0]
    by_key = P[:, 0] * (V[0] - O) * Q  # ∂O/∂K_0
    by_query = P[0] @ ((V - O[0]) * K)  # ∂O_0/∂Q_0
    nodes = [Node("x_{0}", 13, 2, x[0], paths.sum())]
    edges = []
    for name, across, value, arrived in (
        ("Q", 4, Q[0], dQ),
        ("K", 13, K[0], dK),
        ("V", 22, V[0], dV),
    ):
        nodes.append(Node(f"{name}_{{0}}", across, 9, value, arrived))
        edges.append(Edge("x_{0}", f"{name}_{{0}}", derivative=value / x[0]))
    for i, across in ((0, 4), (1, 22)):
        nodes.append(Node(f"O_{{{i}}}", across, 16, O[i], dO[i]))
        edges.append(Edge("K_{0}", f"O_{{{i}}}", derivative=by_key[i]))
        edges.append(Edge("V_{0}", f"O_{{{i}}}", derivative=P[i, 0]))
    edges.append(Edge("Q_{0}", "O_{0}", derivative=by_query))
    return Graph(nodes, edges)


@claim("multihead-paths")
def multihead_paths_claim(session, graph):
    """Differences of the forward pass give the derivatives; all three paths add."""
    w = {"Q": np.log(3), "K": 0.5, "V": 4.0}
    x = session.written("by-hand", "hand_x", (2, 1))
    dO = session.written("by-hand", "hand_dO", (2, 1))[:, 0]

    def run(name="", step=0.0):
        """All values, where that of position 0 is changed."""
        found = {"x": x + 0.0}
        found["x"][0] += step * (name == "x")
        for kind in "QKV":
            found[kind] = w[kind] * found["x"]
            found[kind][0] += step * (name == kind)
        found["O"] = softmax(found["Q"] @ found["K"].T) @ found["V"]
        return found

    def slope(name, of):
        ends = [run(name, step)[of][:, 0] for step in (1e-5, -1e-5)]
        return (ends[0] - ends[1]) / 2e-5

    for node in graph.nodes:
        name, place = node.name[0], int(node.name[3])
        assert_allclose(node.value, run()[name][place, 0], atol=DRAWN)
        arrived = dO[place] if name == "O" else dO @ slope(name, "O")
        assert_allclose(node.gradient, arrived, atol=DRAWN)
    for edge in graph.edges:
        start, end, place = edge.start[0], edge.end[0], int(edge.end[3])
        right = slope(start, end)[place]
        assert_allclose(edge.derivative, right, atol=DRAWN)
    for name in ("x_{0}", "Q_{0}", "K_{0}", "V_{0}"):
        assert_allclose(graph.arriving(name), graph[name].gradient, atol=5 * DRAWN)
    assert len(graph.edges) == 8


@figure("multihead-split")
def multihead_split(session):
    z, *heads = (
        session.printed("split", shape, nth)
        for nth, shape in enumerate([(2, 4), (2, 2), (2, 2)])
    )
    return [
        Panel("z", z, Box(0, 2, 2, 2)),
        r"\to",
        Panel("h = 0", heads[0]),
        Panel("h = 1", heads[1], result=Box(0, 0, 2, 2)),
    ]


@claim("multihead-split")
def multihead_split_claim(session, z, first, second):
    """The first half of the columns, and the second."""
    assert_allclose(first, z[:, :2])
    assert_allclose(second[second.result], z[z.window])
    assert z[z.window].shape == second.shape == (2, 2)


# --- Checks ------------------------------------------------------------------


def sized(draw):
    """N, A, T, T', I, d, F; equal widths hide what others refuse."""
    N, A, T, keys, inputs, d, F = (size(draw, 3) for _ in range(7))
    if draw(st.booleans()):
        inputs = F = A * d
    return N, A, T, keys, inputs, d, F


@check("multihead-weights")
def multihead_weights(function, draw):
    N, A, T, keys, _, d, _ = sized(draw)
    rng = generator(draw)
    case = {"Q": values(rng, (N, A, T, d)), "K": values(rng, (N, A, keys, d))}
    mine = call(function, case)
    S = tf.einsum("nhtc,nhsc->nhts", *case.values()) / np.sqrt(d)
    one_by_one = np.zeros((N, A, T, keys))
    for n, h, t in np.ndindex(N, A, T):
        scores = case["K"][n, h] @ case["Q"][n, h, t] / np.sqrt(d)
        one_by_one[n, h, t] = softmax(scores)
    return max(
        compare(case, mine, tf.nn.softmax(S), "TensorFlow"),
        compare(case, mine, one_by_one, "the definition"),
    )


@check("multihead-output")
def multihead_output(function, draw):
    N, A, T, _, _, d, F = sized(draw)
    rng = generator(draw)
    O, W = values(rng, (N, A, T, d)), values(rng, (A, d, F))
    case = {"O": O, "W": W, "b": values(rng, (F,))}
    mine = call(function, case)
    by_tf = tf.einsum("nhte,hef->ntf", O, W) + case["b"]
    one_by_one = np.zeros((N, T, F)) + case["b"]
    for n, t, h in np.ndindex(N, T, A):
        one_by_one[n, t] += O[n, h, t] @ W[h]
    return max(
        compare(case, mine, by_tf, "TensorFlow"),
        compare(case, mine, one_by_one, "the definition"),
    )


def linear(function, case, variable, upstream, subscripts, other, rng):
    """A gradient of einsum(subscripts, variable, other)."""
    return gradient(
        function,
        case,
        variable,
        upstream,
        lambda v: tf.einsum(subscripts, v, other),
        lambda v: np.einsum(subscripts, v, other),
        rng,
    )


@check("multihead-heads")
def multihead_heads(function, draw):
    N, A, T, _, _, d, F = sized(draw)
    rng = generator(draw)
    dy, W = values(rng, (N, T, F)), values(rng, (A, d, F))
    O = values(rng, (N, A, T, d))
    return linear(function, {"dy": dy, "W": W}, O, dy, "nhte,hef->ntf", W, rng)


@check("multihead-output-kernel")
def multihead_output_kernel(function, draw):
    N, A, T, _, _, d, F = sized(draw)
    rng = generator(draw)
    dy, O = values(rng, (N, T, F)), values(rng, (N, A, T, d))
    W = values(rng, (A, d, F))
    return linear(function, {"dy": dy, "O": O}, W, dy, "hef,nhte->ntf", O, rng)


@check("multihead-kernel")
def multihead_kernel(function, draw):
    N, A, T, _, inputs, d, _ = sized(draw)
    rng = generator(draw)
    x, dQ = values(rng, (N, T, inputs)), values(rng, (N, A, T, d))
    W = values(rng, (inputs, A, d))
    return linear(function, {"x": x, "dQ": dQ}, W, dQ, "ihc,nti->nhtc", x, rng)


@check("multihead-input")
def multihead_input(function, draw):
    """Side by side, the three kernels are one with three times the columns."""
    N, A, T, _, inputs, d, _ = sized(draw)
    rng = generator(draw)
    x = values(rng, (N, T, inputs))
    upstream = [values(rng, (N, A, T, d)) for _ in range(3)]
    W = [values(rng, (inputs, A, d)) for _ in range(3)]
    names = ("dQ", "dK", "dV", "Wq", "Wk", "Wv")
    case = dict(zip(names, (*upstream, *W), strict=True))
    together = np.concatenate(upstream, axis=-1)
    kernel = np.concatenate(W, axis=-1)
    return linear(function, case, x, together, "nti,ihc->nhtc", kernel, rng)


@check("multihead-grouped")
def multihead_grouped(function, draw):
    N, groups, T, _, _, d, _ = sized(draw)
    share = size(draw, 3)
    rng = generator(draw)
    K = values(rng, (N, groups, T, d))
    dK = values(rng, (N, groups * share, T, d))
    users = [h // share for h in range(groups * share)]
    return gradient(
        function,
        {"dK": dK, "groups": groups},
        K,
        dK,
        lambda K: tf.repeat(K, share, axis=1),
        lambda K: np.stack([K[:, g] for g in users], axis=1),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


SIZES = (2, 3, 2, 3, 2, 4), (3, 2, 4, 2, 3, 2), (2, 4, 3, 4, 2, 5)  # A, T, T', d, d', F


def heads(x, W, b):
    return np.einsum("ti,ihc->htc", x, W) + b[:, np.newaxis]


LAYER = {
    "S": lambda v: np.einsum("htc,hsc->hts", v["Q"], v["K"]) / np.sqrt(v["d"]),
    "P": lambda v: softmax(v["S"]),
    "O": lambda v: np.einsum("hts,hse->hte", v["P"], v["V"]),
    "y": lambda v: np.einsum("hte,hef->tf", v["O"], v["W^O"]) + v["b^O"],
    "ell": lambda v: np.sum(v["dy"] * v["y"]),
}
ARGUMENTS = {  # with an axis for the one example
    **{name: lambda v, name=name: v[name][None] for name in ("x", "O", "dy")},
    **{name: lambda v, name=name: v[name][None] for name in ("dQ", "dK", "dV")},
    **{"W": "W^O", "b": "b^O", "Wq": "W^Q", "Wk": "W^K", "Wv": "W^V"},
}


def layer(widths, own):
    """Of one example. own: keys and values of x itself."""
    A, T, keys, d, width, F = widths
    keys = T if own else keys
    inputs = (3, 3 if own else 5)
    kernels = {}
    for seed, (name, columns, rows) in enumerate(
        (("Q", d, inputs[0]), ("K", d, inputs[1]), ("V", width, inputs[1]))
    ):
        kernels[f"W^{name}"] = drawn(10 + seed, rows, A, columns)
        kernels[f"b^{name}"] = drawn(20 + seed, A, columns)
    other = "x" if own else "x'"
    return World(
        sizes={"A": A, "T": T, "d": d, "dy": drawn(1, T, F)},
        given={
            "x": drawn(2, T, inputs[0]),
            **({} if own else {"x'": drawn(3, keys, inputs[1])}),
            **kernels,
            **{"W^O": drawn(4, A, width, F), "b^O": drawn(5, F)},
        },
        forward={
            "Q": lambda v: heads(v["x"], v["W^Q"], v["b^Q"]),
            "K": lambda v: heads(v[other], v["W^K"], v["b^K"]),
            "V": lambda v: heads(v[other], v["W^V"], v["b^V"]),
            **LAYER,
        },
        gradients={"dQ": "Q", "dK": "K", "dV": "V"},
        arguments=ARGUMENTS,
    )


@worlds()
def symbols():
    for widths in SIZES:
        yield layer(widths, own=False)


@worlds("three-paths")
def three_paths():
    for widths in SIZES:
        yield layer(widths, own=True)


@worlds("by-hand")
def by_hand(given):
    dO = np.ravel(given["hand_dO"])
    yield World(
        given={"x": given["x"]},
        forward={
            "Q": lambda v: np.log(3) * v["x"],
            "K": lambda v: v["x"] / 2,
            "V": lambda v: 4 * v["x"],
            "S": lambda v: np.outer(v["Q"], v["K"]),
            "P": lambda v: softmax(v["S"]),
            "O": lambda v: v["P"] @ v["V"],
            "ell": lambda v: dO @ v["O"],
        },
    )


@worlds("exercise-kernels")
def kernels():
    """With the numbers of the section by hand."""
    x, dO = np.array([1.0, -1.0]), np.array([1.0, 0.5])
    yield World(
        sizes={"x": x},
        given={"w^Q": np.log(3), "w^K": 0.5, "w^V": 4.0},
        forward={
            "Q": lambda v: v["w^Q"] * v["x"],
            "K": lambda v: v["w^K"] * v["x"],
            "V": lambda v: v["w^V"] * v["x"],
            "ell": lambda v: dO @ (softmax(np.outer(v["Q"], v["K"])) @ v["V"]),
        },
    )


@worlds("grouped")
def grouped():
    for groups, share, keys, d in ((2, 2, 3, 2), (3, 2, 2, 4), (2, 3, 4, 3)):
        weight = drawn(1, groups * share, keys, d)
        yield World(
            sizes={"A": groups * share, "G": groups},
            given={"K": drawn(2, groups, keys, d)},
            forward={
                "tilde K": lambda v, share=share: np.repeat(v["K"], share, axis=0),
                "ell": lambda v, w=weight: np.sum(w * np.sin(v["tilde K"])),
            },
            gradients={"dK": "tilde K"},
            arguments={"dK": lambda v: v["dK"][None], "groups": "G"},
        )


@worlds("exercise-gates")
def gates():
    for A, T, _, _, width, F in SIZES:
        dy = drawn(3, T, F)
        yield World(
            sizes={"W^O": drawn(1, A, width, F)},
            given={"O": drawn(2, A, T, width), "g": drawn(4, A)},
            forward={
                "y": lambda v: np.einsum("h,hte,hef->tf", v["g"], v["O"], v["W^O"]),
                "ell": lambda v, dy=dy: np.sum(dy * v["y"]),
            },
        )
