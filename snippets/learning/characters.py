"""Figures, checks and symbols of docs/*/learning/characters.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, size, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.tex.world import World, drawn, worlds
from snippets.softmax import softmax

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {"10": "the bound of the code in #lockstep"},
    "baselines": {
        "2.5": "some loss that a reader may see",
    },
    "train": {
        "4": "= [np.argmax(curve(losses_of['Chinese', name]) < entropies("
        "numbered(chinese)[1])[2]) for name in networks][:1]",
        "0.5": "= continued.__defaults__[0]",
        "36 272 942": "= [len(set(english)), len(set(chinese)), len(chinese)]",
    },
    "wrong-cuts": {
        "12 12 72": "= [T // 2, T // 2, few]",
    },
}

# Changes after which the page says the same, and why.
MEAN = "return cross_entropy_gradient(stable_softmax(z), y) / y[..., 0].size"
SAME = {
    (
        "next_delta",
        "y = one_hot(ids[:, 1:], z.shape[2]).reshape(z.shape)",
        "y = one_hot(ids[:, 1:], z.shape[-1]).reshape(z.shape)",
    ): "z has three axes",
    **{
        ("next_delta", MEAN, MEAN.replace("y[..., 0]", other)): "one for each position"
        for other in ("z[..., 0]", "y[..., -1]")
    },
}

# --- Figures -----------------------------------------------------------------

DRAWN = 0.05  # how well places and losses are read off a drawing
RUNS = {"V = 36": 270, "V = 272": 135}  # steps, English and Chinese
NETWORKS = [r"\text{LSTM}", r"\text{Transformer}"]


def middles(steps):
    """Of nine parts of equal length."""
    return (np.arange(9) + 0.5) * steps / 9


@figure("characters-losses")
def losses(session):
    """The means of the losses, and the entropies as level lines."""
    plots = []
    for nth, (name, steps) in enumerate(RUNS.items()):
        k = middles(steps)
        means = session.printed("train", (2, 9), nth)
        entropies = session.printed("baselines", (1, 3), nth)[0]
        lines = [Curve(n, k, y) for n, y in zip(NETWORKS, means, strict=True)]
        lines += [
            Curve(f"H_{order}", k, np.full(9, entropies[order])) for order in (1, 2)
        ]
        plots.append(Plot(name, lines))
    return Curves(plots, "k", r"\ell")


@claim("characters-losses")
def losses_claim(session, curves):
    """Both networks begin near or below H_1 and end below H_2, the LSTM lower; the
    places are the middles of the nine parts."""
    assert (curves.across, curves.up) == ("k", r"\ell")
    for nth, (name, steps) in enumerate(RUNS.items()):
        _, alone, after = session.printed("baselines", (1, 3), nth)[0]
        for order, entropy in ((1, alone), (2, after)):
            assert_allclose(curves[name].line(f"H_{order}")[1], entropy, atol=DRAWN)
        lstm, transformer = (curves[name].line(network) for network in NETWORKS)
        assert_allclose(lstm[0], np.linspace(steps / 18, steps * 17 / 18, 9), atol=0.6)
        shown = session.printed("train", (2, 9), nth)
        assert_allclose([lstm[1], transformer[1]], shown, atol=DRAWN)
        for line in (lstm[1], transformer[1]):
            assert after < line[0] < alone + DRAWN
            assert line[-1] < after
        assert lstm[1][-1] < transformer[1][-1]


PROGRAMS = [r"\ell", "v_{n,t}", "P_{t,t+1}"]


@figure("characters-too-good")
def too_good(session):
    k = middles(72)
    rows = session.printed("too-good", (3, 9))
    lines = [Curve(name, k, row) for name, row in zip(PROGRAMS, rows, strict=True)]
    level = session.printed("baselines", (1, 3), 0)[0, 2]
    return Curves([Plot("", [*lines, Curve("H_2", k, np.full(9, level))])], "k")


@claim("characters-too-good")
def too_good_claim(session, curves):
    """The right program stays above H_2; the wrong ones fall far below it, the one
    without a shift at once, the one without a mask late."""
    assert curves.across == "k"
    level = session.printed("baselines", (1, 3), 0)[0, 2]
    (k, right), (_, copied), (_, peeked) = (curves[""].line(n) for n in PROGRAMS)
    assert_allclose(k, np.arange(4, 72, 8), atol=0.3)
    shown = session.printed("too-good", (3, 9))
    assert_allclose([right, copied, peeked], shown, atol=DRAWN)
    assert_allclose(curves[""].line("H_2")[1], level, atol=DRAWN)
    assert (right > level).all()
    assert (copied[1:] < 0.3).all()
    assert (peeked[:4] > level).all()
    assert peeked[-1] < 0.3


# --- Checks ------------------------------------------------------------------


@check("characters-delta")
def delta(function, draw):
    N, T, V = size(draw, 3), size(draw, 4), size(draw, 4)
    rng = generator(draw)
    ids = rng.integers(0, V, (N, T + 1))

    def forward(z):
        e = np.exp(z)
        a = e / e.sum(axis=2, keepdims=True)
        told = [a[n, t, ids[n, t + 1]] for n, t in np.ndindex(N, T)]
        return -np.mean(np.log(told))

    def tf_forward(z):
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(ids[:, 1:], z)
        return tf.reduce_mean(each)

    z = values(rng, (N, T, V))
    case = {"z": z, "ids": ids}
    return gradient(function, case, z, np.ones(()), tf_forward, forward, rng)


# --- What the symbols mean ---------------------------------------------------

SIZES = ((2, 3, 4), (3, 2, 5), (2, 4, 3))  # N, T, V


def text(N, T, V):
    return np.random.default_rng(5).integers(0, V, (N, T + 1))


def loss(v):
    """The mean over all positions, of the character that follows."""
    told = np.take_along_axis(v["a"], v["v"][:, 1:, np.newaxis], axis=2)
    return -np.mean(np.log(told))


@worlds()
def symbols():
    for N, T, V in SIZES:
        yield World(
            sizes={"N": N, "T": T, "V": V, "v": text(N, T, V)},
            given={"z": drawn(1, N, T, V)},
            forward={"a": lambda v: softmax(v["z"]), "ell": loss},
            gradients={"delta": "z"},
            ranges={"t": T},
            arguments={"ids": "v"},
        )


@worlds("by-hand")
def by_hand():
    """One piece, so that there is no n; the label is 1 at both positions."""
    yield World(
        given={"z": np.array([[np.log(3), 0.0], [0.0, 0.0]])},
        forward={
            "a": lambda v: softmax(v["z"]),
            "ell": lambda v: -np.log(v["a"][:, 1]).mean(),
        },
        gradients={"delta": "z"},
    )


@worlds("baselines")
def baselines():
    """The logits are a bias alone; each character occurs among the labels."""
    for N, T, V in ((2, 4, 3), (3, 3, 5), (4, 2, 4)):
        v = np.arange(N * (T + 1)).reshape(N, T + 1) % V
        p = np.array([(v[:, 1:] == k).mean() for k in range(V)])
        q = softmax(drawn(2, V * V)).reshape(V, V)
        rows = q / q.sum(axis=1, keepdims=True)
        yield World(
            sizes={
                **{"N": N, "T": T, "V": V, "v": v, "p": p, "q": q},
                **{"H_1": -p @ np.log(p), "H_2": -np.sum(q * np.log(rows))},
            },
            given={"b": drawn(1, V)},
            forward={
                "a": lambda v: softmax(v["b"]),
                "z": lambda v, N=N, T=T: np.tile(v["b"], (N, T, 1)),
                "ell": lambda v: loss({"a": softmax(v["z"]), "v": v["v"]}),
            },
            gradients={"delta": "z"},
        )
