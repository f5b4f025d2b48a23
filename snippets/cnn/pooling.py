"""Figures and checks of docs/*/cnn/pooling.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, relu, st, tf, values
from book.figures import Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import (
    DEAD,
    WRITTEN,
    maxima,
    pool_case,
    positions,
    tf_max_pool,
    tiled,
    tiles,
)

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "down-to-pool": {
        "4×4 (1,3) (3,4)": "= [*my_a1.shape, *my_dl_dz3.shape, *W3.T.shape]",
        "(1,4)": "= [len(my_dl_dz3), len(W3)]",
        "0.0819": "= round(my_dl_dz2[0, 0], 4)",
    },
    "one-tile": {
        "0.9 0.901": "= [0.9, 0.9 + h]",
        "1.5 1.501 1.5 1.5": "= tile.max() + np.array([0, h, 0, 0])",
        "0.001": "= h",
    },
    "exercise-order": {
        "9 36": "= [order_delta.size, order_z.size]",
    },
}

UNUSED = "upsample reads the places that δ has, no further"
# Changes after which the page says the same, and why.
SAME = {
    (
        "#down-to-pool",
        "0.0157 + 0.0548 + 0.0113 = 0.0818",
        "0.0157 + 0.0548 + 0.0113 = 0.0819",
    ): "rounded after the sum, as the text says itself",
    (
        "max_positions",
        "positions = np.zeros((height, width, 2), dtype=int)",
        "positions = np.ones((height, width, 2), dtype=int)",
    ): WRITTEN,
    (
        "max_positions",
        "positions = np.zeros((height, width, 2), dtype=int)",
        "positions = np.zeros((height + 1, width, 2), dtype=int)",
    ): UNUSED,
    (
        "max_positions",
        "positions = np.zeros((height, width, 2), dtype=int)",
        "positions = np.zeros((height, width + 1, 2), dtype=int)",
    ): UNUSED,
    (
        "upsample",
        "out[row, column] += delta[i, j]",
        "out[row, column] = delta[i, j]",
    ): "the tiles of max_positions do not overlap: no place comes twice",
    (
        "max_pool_delta",
        "positions = max_positions(relu(z), size)",
        "positions = max_positions(z, size)",
    ): DEAD,
    (
        "#derivative",
        r"a_k + h_k < a_k + \frac{d}{2} \le a_m - \frac{d}{2} < a_m + h_m",
        r"a_k - h_k < a_k + \frac{d}{2} \le a_m - \frac{d}{2} < a_m + h_m",
    ): "weaker, and true: no h is as large as d / 2, whatever its sign",
    (
        "#derivative",
        r"a_k + h_k < a_k + \frac{d}{2} \le a_m - \frac{d}{2} < a_m + h_m",
        r"a_k + h_k < a_k + \frac{d}{2} \le a_m - \frac{d}{2} < a_m - h_m",
    ): "weaker, and true: no h is as large as d / 2, whatever its sign",
}


# --- Figures -----------------------------------------------------------------


@figure("max-pool-routing")
def routing(session):
    a = session.printed("cnn/forward:relu", (4, 4))
    rings = maxima(a, 2, 2)
    return [
        Panel(
            r"\delta^{2}",
            session.printed("down-to-pool", (2, 2), 1),
            window=Box(1, 1),
        ),
        ",",
        Panel("a^{1}", a, window=Box(2, 2, 2, 2), rings=rings, tile=2),
        r"\xrightarrow{\operatorname{upsample}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial a^{1}}",
            session.printed("upsample", (4, 4)),
            result=Box(2, 2),
            rings=rings,
            tile=2,
        ),
    ]


@claim("max-pool-routing")
def routing_claim(session, delta, a, routed):
    found = positions(session, a.shape)
    assert_array_equal(a.rings, found)
    assert_array_equal(routed.rings, found)
    assert_allclose(a[found], tiles(a, 2).max(axis=-1).ravel())
    assert_allclose(routed[found], delta.ravel())  # the places are in this order
    assert not routed[~found].any()
    # The outlined δ, its tile, and the place that receives it belong together.
    assert_allclose(routed[routed.result], delta[delta.window])
    for place, tile, receives in zip(
        delta.window, a.window, routed.result, strict=True
    ):
        assert tile == slice(2 * place.start, 2 * place.stop)
        assert tile.start <= receives.start < tile.stop


# --- Checks ------------------------------------------------------------------


@check("max-pool-delta")
def max_pool_delta(function, draw):
    output, shape, tile = pool_case(draw)
    ties = draw(st.booleans())
    rng = generator(draw)
    # All different and not 0, at least 0.05 apart; or a few levels, 0 among them.
    count = np.prod(shape)
    z = rng.permutation(0.1 * (np.arange(count) - count // 2) + 0.05).reshape(shape)
    if ties:
        z = rng.integers(-2, 3, shape) / 2
    delta = values(rng, output)

    # Where two share the maximum, TensorFlow's choice is not a slope.
    top = np.kron(tiles(relu(z), tile).max(axis=-1), np.ones((tile, tile)))
    at_top = np.zeros(shape, dtype=bool)
    at_top[: top.shape[0], : top.shape[1]] = (
        relu(z)[: top.shape[0], : top.shape[1]] == top
    )
    return gradient(
        function,
        {"delta": delta, "z": z, "size": tile},
        z,
        delta,
        lambda z: tf_max_pool(tf.nn.relu(z), tile),
        lambda z: tiles(relu(z), tile).max(axis=-1),
        rng,
        at_top if ties else False,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for sizes_of in ((4, 2, 2), (6, 2, 2), (6, 3, 3)):
        yield tiled(*sizes_of)


@worlds("down-to-pool")
def network():
    """From the logits down to the pooling of 2 × 2 outputs."""
    for classes in (2, 3, 5):
        y = np.abs(drawn(4, classes))
        y /= y.sum()
        yield World(
            sizes={"y": y},
            given={"z^2": drawn(1, 2, 2), "W^3": drawn(2, 4, classes)},
            forward={
                "a^2": lambda v: v["z^2"].ravel(),
                "z^3": lambda v: v["a^2"] @ v["W^3"],
                "a^3": lambda v: np.exp(v["z^3"]) / np.sum(np.exp(v["z^3"])),
                "ell": lambda v, y=y: -np.sum(y * np.log(v["a^3"])),
            },
            gradients={"delta^3": "z^3", "delta^2": "z^2"},
        )


@worlds("one-tile")
def one_tile(given):
    yield World(
        sizes={"delta": np.array(0.7)},
        given={"a": given["a"]},
        forward={"z": lambda v: np.max(v["a"])},
    )


@worlds("derivative")
def one_maximum():
    """The largest of n numbers is number m."""
    for n in (2, 3, 5):
        a = drawn(1, n)
        gap = np.diff(np.sort(a))[-1]
        yield World(
            sizes={
                **{"n": n, "m": int(np.argmax(a)), "d": gap},
                "h": 0.49 * gap * np.where(a < a.max(), 1, -1),  # to each other
            },
            given={"a": a},
            forward={"z": lambda v: np.max(v["a"])},
        )


@worlds("exercise-order")
def pooled_first():
    """z is pooled to t, then σ."""
    for sizes_of in ((4, 2, 2), (6, 2, 2), (6, 3, 3)):
        world = tiled(*sizes_of)
        yield World(
            sizes=world.sizes,
            given={"z": world.given["z^l-1"]},
            forward={
                "t": lambda v, pool=world.forward["z"]: pool({"a": v["z"]}),
                "a": lambda v: np.maximum(v["t"], 0),
            },
            functions=world.functions,
        )


@worlds("exercise-soft")
def soft_maximum():
    for beta in (0.5, 1.0, 3.0):
        yield World(
            sizes={"beta": beta, "delta": np.array(0.8)},
            given={"a": drawn(1, 4)},
            forward={
                "z": lambda v: np.log(np.mean(np.exp(v["beta"] * v["a"]))) / v["beta"]
            },
        )


@worlds("exercise-leaky")
def by_hand():
    return []
