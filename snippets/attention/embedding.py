"""Figures, checks and symbols of docs/*/attention/embedding.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, size, st, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.graph.vjp import bent

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "sinusoidal": {
        "0.1 0.01 0.001": "= frequencies(8)[1:]",
    },
}

# --- Figures -----------------------------------------------------------------

WORD, POSITION = 2, 2  # that the figure looks at


@figure("embedding-sums")
def sums(session):
    """Ringed are the places of a word, outlined those of a position, and both sums."""
    v = session.written("by-hand", "v", (2, 3))
    g = session.written("by-hand", "g", (2, 3))
    dw = session.printed("by-hand", (4, 1), nth=1)
    dp = session.printed("by-hand", (1, 3), nth=2)
    column = Box(0, POSITION, rows=2)
    return [
        Panel("v", v, rings=v == WORD),
        ",",
        Panel("g", g, rings=v == WORD, window=column),
        r"\to",
        Panel(r"\tfrac{\partial \ell}{\partial w}", dw, result=Box(WORD, 0)),
        ",",
        Panel(r"\tfrac{\partial \ell}{\partial p}", dp, result=Box(0, POSITION)),
    ]


@claim("embedding-sums")
def sums_claim(session, v, g, dw, dp):
    """What is ringed in g adds up to the result in dw, the outlined to that in dp."""
    assert_array_equal(v.rings, v == WORD)
    assert_array_equal(g.rings, v.rings)
    assert dw.result == (slice(WORD, WORD + 1), slice(0, 1))
    assert_allclose(g[g.rings].sum(), dw[dw.result].item())
    assert g.window == (slice(0, 2), slice(POSITION, POSITION + 1))
    assert dp.result == (slice(0, 1), slice(POSITION, POSITION + 1))
    assert_allclose(g[g.window].sum(), dp[dp.result].item())
    assert_allclose(dw.sum(), g.sum())
    assert_allclose(dp.sum(), g.sum())


POSITIONS = np.arange(0, 50.1, 0.25)


@figure("embedding-waves")
def waves(session):
    """The even columns: sines of four frequencies."""
    omega = session.printed("sinusoidal", (1, 4))[0]
    lines = [
        Curve(rf"i = {i}", POSITIONS, np.sin(POSITIONS * w))
        for i, w in enumerate(omega)
    ]
    return Curves([Plot("", lines)], "t", r"p_{t,2i}")


@claim("embedding-waves")
def waves_claim(session, curves):
    """Each frequency is a tenth of the one before; the last hardly leaves 0."""
    assert (curves.across, curves.up) == ("t", r"p_{t,2i}")
    crossings = []
    for i in range(4):
        along, line = curves[""].line(rf"i = {i}")
        assert_allclose(along, POSITIONS, atol=0.1)
        assert_allclose(line[0], 0, atol=0.02)
        shown = session.printed("sinusoidal", (4, 8), nth=1)[:, 2 * i]
        assert_allclose(line[:16:4], shown, atol=0.02)
        crossings.append(np.sum(np.diff(line[1:] > 0)))
    assert crossings == [15, 1, 0, 0]  # of 0, at multiples of π / ω
    assert abs(curves[""].line("i = 3")[1]).max() < 0.07


# --- Checks ------------------------------------------------------------------


def places(draw) -> tuple[int, int, int, int]:
    """N, T, V, d."""
    return size(draw, 3), size(draw, 4), size(draw, 4), size(draw, 3)


@check("embedding-weights")
def weights(function, draw):
    examples, length, words, width = places(draw)
    rng = generator(draw)
    ids = rng.integers(0, words, (examples, length))
    dy = values(rng, (examples, length, width))
    return gradient(
        function,
        {"dy": dy, "ids": ids, "shape": (words, width)},
        values(rng, (words, width)),
        dy,
        lambda W: tf.gather(1.0 * W, ids),  # no IndexedSlices arrive
        lambda W: np.einsum("ntv,vd->ntd", ids[..., np.newaxis] == np.arange(words), W),
        rng,
    )


@check("embedding-shared")
def shared(function, draw):
    """Both outputs side by side, y and z = h Wᵀ."""
    examples, length, words, width = places(draw)
    rng = generator(draw)
    ids = rng.integers(0, words, (examples, length))
    dy, h = (values(rng, (examples, length, width)) for _ in range(2))
    delta = values(rng, (examples, length, words))
    return gradient(
        function,
        {"dy": dy, "ids": ids, "delta": delta, "h": h},
        values(rng, (words, width)),
        np.concatenate([dy, delta], axis=-1),
        lambda W: tf.concat(
            [tf.gather(1.0 * W, ids), h @ tf.transpose(W)[tf.newaxis]], axis=-1
        ),
        lambda W: np.concatenate([W[ids], np.einsum("ntd,vd->ntv", h, W)], axis=-1),
        rng,
    )


@check("embedding-positions")
def positions(function, draw):
    examples, length, width = size(draw, 3), size(draw, 4), size(draw, 3)
    longest = length + draw(st.integers(0, 3))
    rng = generator(draw)
    y = values(rng, (examples, length, width))
    dy = values(rng, y.shape)
    return gradient(
        function,
        {"dy": dy, "shape": (longest, width)},
        values(rng, (longest, width)),
        dy,
        lambda P: y + P[:length],
        lambda P: y + P[:length],
        rng,
    )


@check("embedding-rotary")
def rotary(function, draw):
    """By complex numbers."""
    examples, length, half = size(draw, 3), size(draw, 4), size(draw, 3)
    rng = generator(draw)
    angles = values(rng, (length, half))
    dy = values(rng, (examples, length, 2 * half))
    turn = np.exp(1j * angles)

    def by_tf(x):
        turned = tf.complex(x[..., :half], x[..., half:]) * turn
        return tf.concat([tf.math.real(turned), tf.math.imag(turned)], axis=-1)

    def by_numpy(x):
        turned = (x[..., :half] + 1j * x[..., half:]) * turn
        return np.concatenate([turned.real, turned.imag], axis=-1)

    return gradient(
        function,
        {"dy": dy, "angles": angles},
        values(rng, dy.shape),
        dy,
        by_tf,
        by_numpy,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------

SIZES = (  # N, T, V, d
    (2, 3, 4, 2),
    (3, 2, 5, 4),
    (2, 4, 3, 6),
)


def words(examples, length, count) -> np.ndarray:
    """Some occur more than once."""
    return np.random.default_rng(5).integers(0, count, (examples, length))


@worlds()
def symbols():
    """A table W, the positions P, and an output z that uses W again."""
    for examples, length, count, width in SIZES:
        v = words(examples, length, count)
        yield World(
            sizes={
                **{"N": examples, "T": length, "V": count, "d": width},
                **{"v": v, "X": np.eye(count)[v.ravel()]},
            },
            given={"W": drawn(1, count, width), "P": drawn(2, length, width)},
            forward={
                "y": lambda v: v["W"][v["v"]] + v["P"],
                "h": lambda v: np.tanh(v["y"]),
                "z": lambda v: v["h"] @ v["W"].T,
                "ell": lambda v: bent(v["z"]),
            },
            gradients={"g": "y", "delta": "z"},
            arguments={"ids": "v", "dy": "g", "shape": lambda v: v["P"].shape},
        )


@worlds("lookup")
def lookup():
    """By rows, as a dense layer: N T places."""
    for examples, length, count, width in SIZES:
        v = words(examples, length, count)
        yield World(
            sizes={"v": v, "u": v.ravel(), "X": np.eye(count)[v.ravel()]},
            given={"W": drawn(1, count, width)},
            forward={"y": lambda v: v["W"][v["v"]]},
        )


@worlds("gradient")
def read():
    for examples, length, count, width in SIZES:
        yield World(
            sizes={"v": words(examples, length, count)},
            given={"W": drawn(1, count, width)},
            forward={
                "y": lambda v: v["W"][v["v"]],
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
            arguments={"ids": "v", "dy": "g", "shape": lambda v: v["W"].shape},
        )


@worlds("by-hand")
def by_hand(given):
    v = given["v"].astype(int)
    yield World(
        sizes={"g": given["g"], "v": v},
        given={"w": given["w"], "p": given["p"]},
        forward={
            "y": lambda v: v["w"][v["v"]] + v["p"],
            "ell": lambda v: np.sum(v["g"] * v["y"]),
        },
    )


@worlds("sinusoidal")
def shifted():
    """p at T positions, and a shift by s of them."""
    for length, width, s in ((5, 4, 1), (7, 6, 3), (6, 8, 2)):
        omega = 10000.0 ** (-2 * np.arange(width // 2) / width)
        angles = np.outer(np.arange(length), omega)
        p = np.zeros((length, width))
        p[:, ::2], p[:, 1::2] = np.sin(angles), np.cos(angles)
        yield World(
            sizes={"p": p, "omega": omega, "d": width, "s": s, "T": length},
            ranges={"i": width // 2},
        )


@worlds("rotary")
def turned():
    for length, half in ((2, 3), (3, 2), (4, 3)):
        phi = drawn(3, length, half)
        cos, sin = np.cos(phi), np.sin(phi)

        def forward(v, cos=cos, sin=sin, half=half):
            a, b = v["x"][:, :half], v["x"][:, half:]
            return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

        yield World(
            sizes={
                **{"varphi": phi, "m": half, "d": 2 * half},
                **{"alpha": 0.7, "beta": -1.9},
            },
            given={"x": drawn(1, length, 2 * half)},
            forward={"y": forward, "ell": lambda v: bent(v["y"])},
            gradients={"g": "y"},
            ranges={"i": half},
            arguments={"dy": "g", "angles": "varphi"},
        )


@worlds("exercise-bag")
def bag():
    for ids in ([[1, 2, 0]], [[2, 1, 1, 0], [1, 0, 0, 0]], [[3, 1], [2, 0], [1, 1]]):
        v = np.array(ids)
        yield World(
            sizes={"v": v, "c": (v != 0).sum(1)},
            given={"W": drawn(1, 4, 2 + len(ids))},
            forward={
                "m": lambda v: np.stack(
                    [
                        v["W"][row[row != 0]].sum(0) / count
                        for row, count in zip(v["v"], v["c"], strict=True)
                    ]
                ),
                "ell": lambda v: bent(v["m"]),
            },
            gradients={"g": "m"},
        )


@worlds("exercise-scaled")
def scaled():
    for examples, length, count, width in SIZES:
        yield World(
            sizes={"v": words(examples, length, count), "d": width},
            given={"W": drawn(1, count, width)},
            forward={
                "y": lambda v: np.sqrt(v["d"]) * v["W"][v["v"]],
                "z": lambda v: v["y"] @ v["W"].T,
                "ell": lambda v: bent(v["z"]),
            },
            gradients={"delta": "z", "g": "y"},
        )


@worlds("exercise-frequencies")
def learned_frequencies():
    for length, half in ((2, 3), (3, 2), (4, 3)):

        def forward(v, half=half):
            a, b = v["x"][:, :half], v["x"][:, half:]
            cos, sin = np.cos(v["varphi"]), np.sin(v["varphi"])
            return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

        yield World(
            sizes={"m": half},
            given={"x": drawn(1, length, 2 * half), "omega": drawn(2, half)},
            forward={
                "varphi": lambda v, T=length: np.outer(np.arange(T), v["omega"]),
                "y": forward,
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
            ranges={"i": half},
        )
