"""Figures, checks and symbols of docs/*/learning/parallel.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import call, check, compare, generator, gradient, size, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "parallel_variance",
        "spread = means - share @ means",
        "spread = share @ means - means",
    ): "it is squared",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {"2 4 12 -12": "= each", "-3": "= (first + second) / 2"},
    "result": {"6 4 2": "= [N, *sizes]"},
    "strategy": {"12": "= steps"},
    "sum-or-mean": {"4": "the batches of keras_epoch"},
    "rate": {
        "64 8 64 8": "= [many, many / 8, many, many / 8]",
        "10 10": "the epochs of the function `after`",
    },
    "normalisation": {"0.01": "the bound that the code asserts"},
    "wrong-gradient": {"4 2 3 3": "= [*sizes, *shown_sizes]"},
    "exercise-three": {"2 5 1": "= three_sizes"},
}

# --- Figures -----------------------------------------------------------------

SHARD_LOSSES = [r"\bar\ell_{0}", r"\bar\ell_{1}"]
SHARES = [3 / 4, 1 / 4]


@figure("parallel-paths")
def paths(session):
    """From the weight through the loss of each shard to that of the batch."""
    slopes = session.printed("by-hand", (1, 3))[0]
    losses = session.printed("by-hand", (1, 3), 1)[0]
    start, end = Node("w", 13, 2, 2.0, slopes[2]), Node(r"\ell", 13, 15, losses[2], 1.0)
    middle = [
        Node(name, 5 + 16 * r, 8.5, losses[r], SHARES[r])
        for r, name in enumerate(SHARD_LOSSES)
    ]
    edges = [Edge("w", name, "", slopes[r]) for r, name in enumerate(SHARD_LOSSES)]
    edges += [
        Edge(name, r"\ell", f"N_{r} / N", SHARES[r])
        for r, name in enumerate(SHARD_LOSSES)
    ]
    return Graph([start, *middle, end], edges)


@claim("parallel-paths")
def paths_claim(session, graph):
    """Values are those of the losses, derivatives their differences."""

    def run(w, of=(0, 0)):
        losses = (w * np.array([1, 2, 3, 2]) - np.array([1, 3, 4, 7])) ** 2
        found = np.array([losses[:3].mean(), losses[3:].mean()]) + of
        return found, (3 * found[0] + found[1]) / 4

    shards, whole = run(2.0)
    start, *middle, end = graph.nodes
    assert_allclose([start.value, end.value, end.gradient], [2, whole, 1])
    assert_allclose([node.value for node in middle], shards)
    ahead, behind = run(2.5), run(1.5)  # of squares the difference is exact
    assert_allclose(start.gradient, ahead[1] - behind[1])
    assert_allclose(start.gradient, graph.arriving("w"))
    arrows = {}
    for r, node in enumerate(middle):
        moved = run(2.0, np.eye(2)[r])[1] - whole
        assert_allclose(node.gradient, moved)
        arrows["w", SHARD_LOSSES[r]] = "", ahead[0][r] - behind[0][r]
        arrows[SHARD_LOSSES[r], r"\ell"] = f"N_{r} / N", moved
    for edge in graph.edges:
        name, derivative = arrows.pop((edge.start, edge.end))
        assert edge.name == name
        assert_allclose(edge.derivative, derivative)
    assert not arrows


POWERS = np.arange(-9.0, -1)
LINES = [r"N = 8,\ \eta", r"N = 64,\ \eta", r"N = 64,\ 8 \eta"]


@figure("parallel-rates")
def rates(session):
    shown = session.printed("rates", (3, len(POWERS)))
    drawn = np.where(shown < 99, shown, np.nan)  # it grew without end
    lines = [Curve(name, POWERS, row) for name, row in zip(LINES, drawn, strict=True)]
    return Curves([Plot("", lines)], r"\log_2 \eta", r"\ell")


@claim("parallel-rates")
def rates_claim(session, curves):
    """The third lies on the first as far as it goes, and the second is the first three
    places later, where it is not yet near the end."""
    small, same, scaled = (curves[""].line(name)[1] for name in LINES)
    assert [len(small), len(same), len(scaled)] == [8, 8, 6]
    assert np.max(np.abs(scaled - small[:6])) < 0.05
    assert (same > small)[:-1].all()
    assert_allclose(same[3:], scaled[:5], atol=0.01)
    for row in (small[:-1], same, scaled):
        assert (np.diff(row) <= 0).all()
    assert (curves.across, curves.up) == (r"\log_2 \eta", r"\ell")


# --- Checks ------------------------------------------------------------------


def split(draw, most=4):
    """Sizes of some shards, in general not equal."""
    sizes = np.array([size(draw, most) for _ in range(size(draw, 3))])
    return sizes, np.cumsum(sizes)[:-1]


@check("parallel-gradient")
def parallel_gradient(function, draw):
    """The mean over the batch of sin(x W), with an upstream gradient."""
    sizes, cuts = split(draw)
    inputs, outputs = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    x, W = values(rng, (sizes.sum(), inputs)), values(rng, (inputs, outputs))
    g = values(rng, (outputs,))
    G = np.stack(
        [part.T @ (g * np.cos(part @ W)) / len(part) for part in np.split(x, cuts)]
    )
    return gradient(
        function,
        {"G": G, "sizes": sizes},
        W,
        g,
        lambda W: tf.reduce_mean(tf.sin(x @ W), 0),
        lambda W: np.mean(np.sin(np.einsum("ni,ij->nj", x, W)), axis=0),
        rng,
    )


@check("parallel-variance")
def parallel_variance(function, draw):
    """A forward result: its definition is that of the whole batch."""
    sizes, cuts = split(draw)
    channels = size(draw, 3)
    rng = generator(draw)
    x = values(rng, (sizes.sum(), channels))
    parts = np.split(x, cuts)
    case = {
        "means": np.stack([part.mean(axis=0) for part in parts]),
        "variances": np.stack([part.var(axis=0) for part in parts]),
        "sizes": sizes,
    }
    mine = call(function, case)
    compare(case, mine, tf.math.reduce_variance(x, 0), "TensorFlow")
    centred = x - np.sum(x, axis=0) / len(x)
    return compare(case, mine, np.sum(centred**2, axis=0) / len(x), "its definition")


# --- What the symbols mean ---------------------------------------------------

SPLITS = ([0, 0, 1], [1, 0, 0, 0, 1], [2, 0, 1, 1, 0, 1, 1])


def shards(s):
    """N, R, the shards s and their sizes."""
    s = np.array(s)
    counts = np.bincount(s).astype(float)
    numbered = {f"N_{r}": count for r, count in enumerate(counts)}
    sizes = {"N": len(s), "R": len(counts), "s": s, **numbered}
    return sizes, {"N_()": tuple(numbered)}


def part(s, r):
    return np.array(s) == r


@worlds()
def symbols():
    for s, shape in zip(SPLITS, ((2, 3), (3, 2), (1, 4)), strict=True):
        yield losses(s, shape)


def losses(s, shape):
    """ℓ_n is made of x_n W and of no other example."""
    (sizes, families), N = shards(s), len(s)
    x = drawn(1, N, shape[0])
    each = {
        f"ell_{n}": lambda v, n=n: np.sum(np.sin(x[n] @ v["W"]) ** 2) for n in range(N)
    }

    def means(v):
        found = np.array([v[name] for name in each])
        return np.array([found[part(s, r)].mean() for r in range(sizes["R"])])

    world = World(
        sizes=sizes,
        given={"W": drawn(2, *shape)},
        forward={
            **each,
            "bar ell": means,
            "ell": lambda v: np.mean([v[name] for name in each]),
        },
        families={**families, "ell_()": tuple(each)},
        arguments={"sizes": "N_()"},
    )
    world.set("G", world.jacobian("bar ell", "W"))
    return world


@worlds("by-hand")
def by_hand(given):
    x, y = given["x"], given["y"]

    def each(v):
        return (v["w"] * x - y) ** 2

    yield World(
        sizes={"x": x, "y": y},
        given={"w": given["w"]},
        forward={
            "bar ell": lambda v: np.array([each(v)[:3].mean(), each(v)[3]]),
            "ell": lambda v: each(v).mean(),
        },
    )


@worlds("ring")
def ring():
    """Every message is counted: what is added first, and what is handed on then."""
    for R, pieces in ((2, 3), (3, 2), (5, 4)):
        sent = sum(pieces for _ in range(2) for _ in range(1, R))
        yield World(sizes={"R": R, "Q": R * pieces, "B": sent})


@worlds("rate")
def rate():
    """Batches with losses whose gradients are sin(A_r W)."""
    for R, units, eta in ((2, 3, 0.1), (3, 2, 0.3), (4, 1, 0.02)):
        A = drawn(1, R, units, units)
        weights, small, large = [drawn(2, units)], [], []
        for r in range(R):
            small.append(np.sin(A[r] @ weights[-1]))
            large.append(np.sin(A[r] @ weights[0]))
            weights.append(weights[-1] - eta * small[-1])
        yield World(
            sizes={
                **{"R": R, "eta": eta, "W_0": weights[0], "W_R": weights[-1]},
                **{"g": np.array(small), "g'": np.array(large)},
                "W'": weights[0] - R * eta * np.mean(large, axis=0),
            }
        )


@worlds("normalisation")
def normalisation():
    for s, channels in zip(SPLITS, (3, 2, 4), strict=True):
        (sizes, families), N = shards(s), len(s)
        x, delta = drawn(1, N, channels), drawn(2, N, channels)
        parts = [x[part(s, r)] for r in range(sizes["R"])]
        x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.2)
        yield World(
            sizes={
                **sizes,
                **{"x": x, "mu": x.mean(axis=0), "v": x.var(axis=0)},
                "tilde mu": np.stack([each.mean(axis=0) for each in parts]),
                "tilde v": np.stack([each.var(axis=0) for each in parts]),
                "d": np.stack([each.mean(axis=0) - x.mean(axis=0) for each in parts]),
                **{"delta": delta, "hat x": x_hat},
                **{"bar delta": delta.mean(axis=0)},
                "q": np.mean(delta * x_hat, axis=0),
            },
            families=families,
            ranges={"r": sizes["R"]},
            arguments={"means": "tilde mu", "variances": "tilde v", "sizes": "N_()"},
        )


@worlds("exercise-weights")
def exercise_weights():
    for s in SPLITS:
        sizes, families = shards(s)
        yield World(sizes=sizes, families=families)
