"""Figures and checks of docs/*/attention/transformer.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, size, st, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import ROUNDING, claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.deep.activations import normal
from snippets.softmax import softmax

NUMBERS = {
    "": {"24": "= len(blocks)"},
    "transformer": {"24": "= len(blocks)"},
    "depth": {"24 32 16": "= [len(blocks), *given[1].shape[1:]]"},
    "cost": {"12": "= A"},
}
# Changes after which the page says the same, and why.
BY_NORM = "return layer_norm_backward(d, weights[{0}], {1})[0]"
SUM = (
    r"\operatorname{E}\bigl((x + m)^2\bigr) = "
    r"\operatorname{E}(x^2) + \operatorname{E}(m^2) = 1 + q"
)
BACK = (
    r"\operatorname{E}\bigl((g_r + g_m)^2\bigr) &= (1 + p)\, \operatorname{E}(g_r^2) \\"
)
SAME = {
    **{
        ("#depth", before, before.replace(" + ", " - ", 1)): "both signs of a branch "
        "are equally likely"
        for before in (SUM, BACK)
    },
    (
        "backward_parts",
        "Wq, Wk, Wv, Wo = weights[2:10:2]",
        "Wq, Wk, Wv, Wo = weights[2:9:2]",
    ): "the last is number 8",
    **{
        (
            "backward_parts",
            BY_NORM.format(nth, kept),
            BY_NORM.format(nth, kept).replace(
                f"d, weights[{nth}]", f"weights[{nth}], d"
            ),
        ): "the gradient of the input begins with the product of both"
        for nth, kept in ((0, "first"), (10, "second"))
    },
}

EPS = 1e-3


def gelu(z):
    return z * normal(z)


def gelu_prime(z):
    return normal(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def norm(x, gamma=1.0, beta=0.0):
    x = x - np.mean(x, axis=-1, keepdims=True)
    return gamma * x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPS) + beta


def attend(x, Wq, bq, Wk, bk, Wv, bv, Wo, bo):
    """Of one example: (T, F) -> (T, F)."""
    out = np.zeros(x.shape) + bo
    for head in range(len(bq)):
        Q, K, V = (x @ W[:, head] + b[head] for W, b in ((Wq, bq), (Wk, bk), (Wv, bv)))
        out = out + softmax(Q @ K.T / np.sqrt(Q.shape[1])) @ V @ Wo[head]
    return out


# --- Figures -----------------------------------------------------------------


@figure("transformer-paths")
def transformer_paths(session):
    """Two branches beside the path past them."""
    (forward,) = session.printed("by-hand", (1, 5))
    (back,) = session.printed("by-hand", (1, 5), 1)
    places = [("x", 4, 2), ("m", 22, 5), ("r", 4, 9.5), ("f", 22, 12.5), ("y", 4, 17)]
    x, m, r, f, _ = forward
    return Graph(
        [
            Node(*place, value, gradient)
            for place, value, gradient in zip(places, forward, back, strict=True)
        ],
        [
            Edge("x", "m", derivative=m / x),
            *(Edge(start, "r", derivative=1.0) for start in "xm"),
            Edge("r", "f", derivative=f / r),
            *(Edge(start, "y", derivative=1.0) for start in "rf"),
        ],
    )


@claim("transformer-paths")
def transformer_paths_claim(session, graph):
    """Straight lines: differences give the derivatives, and the sums the gradients."""
    m, f = (session.written("by-hand", f"slope_{name}", ()) for name in "mf")
    dy = 0.5

    def run(name="", change=0.0):
        found = {}
        for key, step in {
            "x": lambda v: 2.0,
            "m": lambda v: m * v["x"],
            "r": lambda v: v["x"] + v["m"],
            "f": lambda v: f * v["r"],
            "y": lambda v: v["r"] + v["f"],
        }.items():
            found[key] = step(found) + change * (key == name)
        return found

    for node in graph.nodes:
        assert_allclose(node.value, run()[node.name], atol=ROUNDING)
        slope = run(node.name, 1.0)["y"] - run()["y"]
        assert_allclose(node.gradient, dy * slope, atol=ROUNDING)
        if node.name != "y":
            assert_allclose(graph.arriving(node.name), node.gradient, atol=ROUNDING)
    paths = {("x", "m"): m, ("r", "f"): f}
    paths |= {pair: 1 for pair in (("x", "r"), ("m", "r"), ("r", "y"), ("f", "y"))}
    assert {(edge.start, edge.end): edge.derivative for edge in graph.edges} == paths


@figure("transformer-block")
def transformer_block(session):
    """Pre-norm on the left, post-norm on the right, whose names are in braces, so that
    each name is once in the drawing."""
    stream, branch, top, step = 2.8, 9.4, 1.6, 4.2
    pre = {
        **{"x": (stream, 0, ""), "u": (branch, 0, "LN"), "m": (branch, 1, "MHA")},
        **{"r": (stream, 2, "+"), "v": (branch, 2, "LN"), "z": (branch, 3, "W¹")},
        **{"f": (branch, 4, "GELU, W²"), "y": (stream, 5, "+")},
    }
    post = {
        **{"x": (stream, 0, ""), "m": (branch, 0, "MHA"), "r": (stream, 1, "+")},
        **{"u": (stream, 2, "LN"), "z": (branch, 2, "W¹"), "w": (stream, 4, "+")},
        **{"f": (branch, 3, "GELU, W²"), "y": (stream, 5, "LN")},
    }
    return Graph(
        [
            Node(name, x, top + step * row, note=note)
            for name, (x, row, note) in pre.items()
        ]
        + [
            Node(f"{{{name}}}", 13.8 + x, top + step * row, note=note)
            for name, (x, row, note) in post.items()
        ],
        [Edge(*pair) for pair in ("xu", "um", "xr", "mr", "rv", "vz", "zf", "ry", "fy")]
        + [
            Edge(f"{{{start}}}", f"{{{end}}}")
            for start, end in ("xm", "xr", "mr", "ru", "uz", "zf", "uw", "fw", "wy")
        ],
    )


@claim("transformer-block")
def transformer_block_claim(session, graph):
    """What the boxes say, done along the arrows, is a block of each kind."""
    heads = eight_weights(5, 4, 2)
    W1, W2, x = drawn(1, 4, 6), drawn(2, 6, 4), drawn(3, 3, 4)
    steps = {
        "LN": (1, norm),
        "MHA": (1, lambda u: attend(u, *heads)),
        "+": (2, lambda a, b: a + b),
        "W¹": (1, lambda v: v @ W1),
        "GELU, W²": (1, lambda z: gelu(z) @ W2),
        "": (0, lambda: x),
    }
    found: dict = {}
    for node in sorted(graph.nodes, key=lambda node: (node.y, node.x)):
        into = [edge.start for edge in graph.edges if edge.end == node.name]
        count, step = steps[node.note]
        assert len(into) == count
        found[node.name] = step(*(found[start] for start in into))
    r = x + attend(norm(x), *heads)
    z = norm(r) @ W1
    pre = {"x": x, "u": norm(x), "m": r - x, "r": r, "v": norm(r), "z": z}
    pre |= {"f": gelu(z) @ W2, "y": r + gelu(z) @ W2}
    r = x + attend(x, *heads)
    z = norm(r) @ W1
    w = norm(r) + gelu(z) @ W2
    post = {"x": x, "m": r - x, "r": r, "u": norm(r), "z": z, "f": gelu(z) @ W2}
    post |= {"w": w, "y": norm(w)}
    right = pre | {f"{{{name}}}": array for name, array in post.items()}
    assert found.keys() == right.keys()
    for name, array in right.items():
        assert_allclose(found[name], array, atol=1e-12)
    for node in graph.nodes:  # the path past the branches is on the left of each
        assert (node.x < 13) == (node.name in pre)
        past = "xry" if node.name in pre else "xruwy"
        assert (node.x % 13 < 6) == (node.name.strip("{}") in past)
    assert not any(edge.name or edge.word or edge.term for edge in graph.edges)


DEPTHS = np.arange(24, -1, -4)
DRAWN = 0.05
KINDS = [r"\text{pre}", r"\text{post}", r"\text{direct}"]


@figure("transformer-depth")
def transformer_depth(session):
    """Dots are measured, lines are estimates; the path through the norms alone."""
    measured = 10 ** session.printed("stack", (3, 7))
    estimates = 10 ** session.printed("gains", (2, 7))
    lines = [
        *(
            Curve(name, DEPTHS, row)
            for name, row in zip(KINDS[:2], estimates, strict=True)
        ),
        Curve(KINDS[2], DEPTHS, measured[2]),
        *(
            Curve(name, DEPTHS, row, dots=True)
            for name, row in zip(KINDS[:2], measured[:2], strict=True)
        ),
    ]
    return Curves([Plot("", lines)], "l", r"\partial \ell / \partial x^{l}", log=True)


@claim("transformer-depth")
def transformer_depth_claim(session, curves):
    """With pre-norm the gradient grows downward by less than 10; with post-norm it
    falls by more than 10 and rises again; what passes the norms alone falls always."""
    plot = curves[""]
    measured = session.printed("stack", (3, 7))
    estimates = session.printed("gains", (2, 7))
    shown = {name: plot.dots(name) for name in KINDS[:2]}
    lines = {name: plot.line(name) for name in KINDS}
    for name, row, estimate in zip(KINDS, measured, [*estimates, None], strict=True):
        if estimate is None:
            estimate = row
        else:
            assert_allclose(shown[name][0], DEPTHS, atol=DRAWN)
            assert_allclose(np.log10(shown[name][1]), row, atol=DRAWN)
            assert_allclose(row, estimate, atol=0.35)
        assert_allclose(lines[name][0], DEPTHS, atol=DRAWN)
        assert_allclose(np.log10(lines[name][1]), estimate, atol=DRAWN)
    pre, post = (np.log10(shown[name][1]) for name in KINDS[:2])
    direct = np.log10(lines[KINDS[2]][1])
    assert (np.diff(pre) > 0).all()
    assert pre[-1] < 1
    assert post.min() < -1
    assert 2 <= np.argmin(post) <= 4
    assert post[-1] - post.min() > 0.5
    assert (np.diff(direct) < 0).all()
    assert direct[-1] < -3
    assert (curves.across, curves.up) == ("l", r"\partial \ell / \partial x^{l}")


# --- Checks ------------------------------------------------------------------


@check("transformer-mlp")
def transformer_mlp(function, draw):
    N, T, F, M = (size(draw, 4) for _ in range(4))
    rng = generator(draw)
    v, df = values(rng, (N, T, F)), values(rng, (N, T, F))
    W1, W2, b1 = values(rng, (F, M)), values(rng, (M, F)), values(rng, (M,))
    z = np.einsum("ntf,fm->ntm", v, W1) + b1
    return gradient(
        function,
        {"df": df, "z": z, "W1": W1, "W2": W2},
        v,
        df,
        lambda v: tf_gelu(v @ W1 + b1) @ W2,
        lambda v: np.einsum("ntm,mf->ntf", gelu(v @ W1 + b1), W2),
        rng,
    )


def tf_gelu(z):
    return z * tf.math.erfc(-z / np.sqrt(2)) / 2


def tf_norm(x, gamma, beta):
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPS)


def tf_attend(x, Wq, bq, Wk, bk, Wv, bv, Wo, bo):
    Q, K, V = (
        tf.einsum("ntf,fhc->nhtc", x, W) + b[:, np.newaxis]
        for W, b in ((Wq, bq), (Wk, bk), (Wv, bv))
    )
    P = tf.nn.softmax(tf.einsum("nhtc,nhsc->nhts", Q, K) / np.sqrt(bq.shape[1]))
    return tf.einsum("nhts,nhsc,hcf->ntf", P, V, Wo) + bo


def block(x, weights, pre, norm, attend, gelu):
    """Of either kind, by functions of NumPy or of TensorFlow."""
    first, second, heads = weights[:2], weights[10:12], weights[2:10]
    W1, b1, W2, b2 = weights[12:]

    def mlp(v):
        return gelu(v @ W1 + b1) @ W2 + b2

    if pre:
        r = x + attend(norm(x, *first), *heads)
        return r + mlp(norm(r, *second))
    u = norm(x + attend(x, *heads), *first)
    return norm(u + mlp(u), *second)


def attend_each(x, *heads):
    return np.stack([attend(example, *heads) for example in x])


def whole(function, draw, pre):
    """The entries of x lie apart and the branches are small, so that no variance is
    near 0, where a central difference says little."""
    N, T, A, d, M = (size(draw, 3) for _ in range(5))
    F = draw(st.sampled_from([A * d, 3, 4]))
    rng = generator(draw)
    apart = np.linspace(-1.5, 1.5, F) if F > 1 else np.ones(1)
    x = rng.permuted(np.tile(apart, (N, T, 1)), axis=-1) + values(rng, (N, T, F)) / 10
    weights = [values(rng, shape) * 0.3 for shape in shapes(F, A, d, M)]
    weights[0] += 1  # γ
    weights[10] += 1
    dy = values(rng, (N, T, F))
    return gradient(
        function,
        {"dy": dy, "x": x, "weights": weights},
        x,
        dy,
        lambda x: block(x, weights, pre, tf_norm, tf_attend, tf_gelu),
        lambda x: block(x, weights, pre, norm, attend_each, gelu),
        rng,
    )


def shapes(F, A, d, M):
    """Of the 16 weights."""
    projection = [(F, A, d), (A, d)]
    heads = [*projection * 3, (A, d, F), (F,)]
    return [(F,), (F,), *heads, (F,), (F,), (F, M), (M,), (M, F), (F,)]


@check("transformer-pre")
def transformer_pre(function, draw):
    return whole(function, draw, pre=True)


@check("transformer-post")
def transformer_post(function, draw):
    return whole(function, draw, pre=False)


# --- What the symbols mean ---------------------------------------------------


SIZES = (2, 3, 4), (3, 4, 2), (2, 5, 3)  # T, F, M


def eight_weights(seed, F, A):
    """Of heads of two columns."""
    return [
        drawn(seed + at, *shape) / 2
        for at, shape in enumerate(shapes(F, A, 2, 1)[2:10])
    ]


def parts(T, F, M):
    """What both kinds of block have, of one example."""
    heads = eight_weights(20, F, 2)
    gammas, betas = drawn(31, 2, F), drawn(32, 2, F)
    dy = drawn(1, T, F)
    functions = {
        "LN": lambda which, x: norm(x, gammas[which - 1], betas[which - 1]),
        "MHA": lambda x: attend(x, *heads),
        "sigma": gelu,
        "sigma'": gelu_prime,
    }
    given = {"x": drawn(2, T, F), "W^1": drawn(3, F, M), "b^1": drawn(4, M)}
    given |= {"W^2": drawn(5, M, F), "b^2": drawn(6, F)}

    def weights(v):
        mlp = [v[name] for name in ("W^1", "b^1", "W^2", "b^2")]
        return [gammas[0], betas[0], *heads, gammas[1], betas[1], *mlp]

    arguments = {
        **{name: lambda v, name=name: v[name][None] for name in ("x", "dy", "df", "z")},
        **{"weights": weights, "W1": "W^1", "W2": "W^2"},
    }
    return dy, functions, given, arguments


MLP = {
    "a": lambda v: gelu(v["z"]),
    "f": lambda v: v["a"] @ v["W^2"] + v["b^2"],
}


@worlds()
def symbols():
    for T, F, M in SIZES:
        dy, functions, given, arguments = parts(T, F, M)
        norms = functions["LN"]
        yield World(
            sizes={"dy": dy},
            given=given,
            forward={
                "u": lambda v, f=norms: f(1, v["x"]),
                "m": lambda v, f=functions: f["MHA"](v["u"]),
                "r": lambda v: v["x"] + v["m"],
                "v": lambda v, f=norms: f(2, v["r"]),
                "z": lambda v: v["v"] @ v["W^1"] + v["b^1"],
                **MLP,
                "y": lambda v: v["r"] + v["f"],
                "ell": lambda v: np.sum(v["dy"] * v["y"]),
            },
            gradients={"df": "f"},
            functions=functions,
            arguments=arguments,
        )


@worlds("post")
def post():
    for T, F, M in SIZES:
        dy, functions, given, arguments = parts(T, F, M)
        norms = functions["LN"]
        yield World(
            sizes={"dy": dy},
            given=given,
            forward={
                "m": lambda v, f=functions: f["MHA"](v["x"]),
                "r": lambda v: v["x"] + v["m"],
                "u": lambda v, f=norms: f(1, v["r"]),
                "z": lambda v: v["u"] @ v["W^1"] + v["b^1"],
                **MLP,
                "w": lambda v: v["u"] + v["f"],
                "y": lambda v, f=norms: f(2, v["w"]),
                "ell": lambda v: np.sum(v["dy"] * v["y"]),
            },
            functions=functions,
            arguments=arguments,
        )


@worlds("residual")
def residual():
    """f is any function of the whole x."""
    for n in (2, 3, 5):
        W, d = drawn(1, n, n), drawn(2, n)
        yield World(
            sizes={"d": d},
            given={"x": drawn(3, n)},
            forward={
                "f": lambda v, W=W: np.tanh(v["x"] @ W),
                "y": lambda v: v["x"] + v["f"],
                "ell": lambda v: np.sum(v["d"] * v["y"]),
            },
        )


@worlds("by-hand")
def by_hand(given):
    yield World(
        sizes={"dy": 0.5},
        given={"x": given["x"]},
        forward={
            "m": lambda v: v["x"] / 2,
            "r": lambda v: v["x"] + v["m"],
            "f": lambda v: 2 * v["r"],
            "y": lambda v: v["r"] + v["f"],
            "ell": lambda v: v["dy"] * v["y"],
        },
    )


@worlds("depth")
def depth():
    """Every number is drawn with both signs, so that E is a mean over all draws."""
    first, second = np.meshgrid([1.0, -1.0], [1.0, -1.0])
    for q, p, K in ((0.5, 0.3, 3), (1.0, 0.2, 5), (0.25, 2.0, 2)):
        g_r = 0.7 * first / np.sqrt(1 + q)
        yield World(
            sizes={
                **{"q": q, "p": p, "K": K, "x": first, "m": np.sqrt(q) * second},
                **{"g_u": 0.7 * first, "g_r": g_r, "s": np.sqrt(1 + q)},
                "g_m": np.sqrt(p * np.mean(g_r**2)) * second,
            },
            functions={"E": np.mean},
        )


@worlds("cost")
def cost():
    """What is learned, array by array."""
    for F, M, A in ((4, 6, 2), (6, 24, 3), (2, 8, 1)):
        every = [np.zeros(shape).size for shape in shapes(F, A, F // A, M)]
        yield World(
            sizes={"F": F, "M": M, "n": sum(every), "n_A": sum(every[2:10])}
            | {"n_M": sum(every[12:]), "n_N": sum(every[:2] + every[10:12])}
        )
