"""Figures and checks of docs/*/cnn/weights.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, sizes, values
from book.figures import ROUNDING, Box, Panel, between, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.convolution import row
from snippets.cnn.forward import correlate, covered, plane, tf_correlate, windows
from snippets.cnn.stride import dilated_ones

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "bias-mean": {
        "16": "= my_dl_dz1.size",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("conv-weights")
def conv_weights_figure(session):
    stride, (u, v) = 2, (1, 2)
    x = session.printed("cnn/forward:setup", (9, 9))
    up = session.printed("cnn/stride:dilate-delta", (7, 7))
    laid = np.zeros(x.shape)
    laid[u : u + 7, v : v + 7] = up
    return [
        Panel("x", x, window=Box(u, v, 7, 7), rings=laid != 0),
        r"\star",
        Panel(
            rf"\delta^{{1}}_{{\uparrow {stride}}}",
            up,
            inserted=between((4, 4), stride),
            rings=up != 0,
        ),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial W^{1}}",
            session.printed("weights", (3, 3)),
            result=Box(u, v),
        ),
    ]


@claim("conv-weights")
def conv_weights_claim(session, x, delta, dW):
    assert_array_equal(delta.grey, dilated_ones() == 0)
    assert not delta[delta.grey].any()
    # Ringed on x, inside the window and nowhere else, is where δ is laid.
    assert_array_equal(delta.rings, delta != 0)
    assert_array_equal(x.rings[x.window], delta.rings)
    assert x.rings.sum() == delta.rings.sum()
    assert [at.start for at in x.window] == [at.start for at in dW.result]
    assert_allclose(dW[dW.result], np.sum(x[x.window] * delta), atol=ROUNDING)
    assert_allclose(dW, correlate(x, delta), atol=ROUNDING)


# --- Checks ------------------------------------------------------------------


@check("conv-weights")
def conv_weights(function, draw):
    kernel, output, _, stride = windows(draw)
    rng = generator(draw)
    delta, W = values(rng, output), values(rng, kernel)
    x = values(rng, covered(kernel, output, stride))
    return gradient(
        function,
        {"x": x, "delta": delta, "stride": stride},
        W,
        delta,
        lambda W: tf_correlate(x, W, stride),
        lambda W: correlate(x, W, stride),
        rng,
    )


@check("conv-bias")
def conv_bias(function, draw):
    output = sizes(draw, 4)
    rng = generator(draw)
    delta, z = values(rng, output), values(rng, output)
    return gradient(
        function,
        {"delta": delta},
        values(rng, ()),
        delta,
        lambda b: z + b,
        lambda b: z + b,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for sizes_of in ((7, 3, 2), (5, 2, 3), (5, 3, 1), (6, 2, 2)):
        yield plane(*sizes_of, arguments={"x": "a"})


@worlds("sizes")
def left_over():
    """r = 0 and r > 0."""
    for sizes_of in ((7, 3, 2), (8, 3, 2), (9, 2, 3), (6, 2, 4)):
        yield plane(*sizes_of)


@worlds("by-hand")
def by_hand(given):
    yield row(5, 3, 2, given)


@worlds("batch")
def batch():
    for examples, size, kernel, stride in ((2, 5, 3, 2), (3, 5, 2, 3), (4, 4, 2, 1)):
        output = (size - kernel) // stride + 1
        yield World(
            sizes={"S": stride, "delta": drawn(4, examples, output, output)},
            given={
                "x": drawn(1, examples, size, size),
                "W": drawn(2, kernel, kernel),
                "b": np.array(0.7),
            },
            forward={
                "z": lambda v, S=stride: np.stack(
                    [correlate(x, v["W"], S) + v["b"] for x in v["x"]]
                ),
            },
        )


@worlds("exercise-sorted")
def tiles_by_hand(given):
    x, delta = given["sorted_x"], given["sorted_delta"]
    yield World(
        given={"x": x, "W": np.ones((2, 2)), "delta": delta},
        forward={"z": lambda v: correlate(v["x"], v["W"], 2)},
    )


@worlds("exercise-tied")
def tied():
    """W is the kernel of both layers; W^1 and W^2 are its copies."""
    for size, kernel in ((5, 2), (7, 3), (6, 2)):
        output = size - 2 * (kernel - 1)
        yield World(
            sizes={"delta": drawn(4, output, output)},
            given={"x": drawn(1, size, size), "W": drawn(2, kernel, kernel)},
            forward={
                "W^1": lambda v: v["W"],
                "W^2": lambda v: v["W"],
                "z^1": lambda v: correlate(v["x"], v["W^1"]),
                "a^1": lambda v: np.maximum(v["z^1"], 0),
                "z^2": lambda v: correlate(v["a^1"], v["W^2"]),
            },
            gradients={"delta^1": "z^1"},
            also={"delta^2": "delta"},
        )


@worlds("exercise-symmetric")
def symmetric():
    for size, kernel in ((5, 3), (4, 2), (6, 4)):
        yield World(
            sizes={"K": kernel, "delta": drawn(4, *2 * [size - kernel + 1])},
            given={"x": drawn(1, size, size), "V": drawn(2, kernel, kernel)},
            forward={
                "W": lambda v: v["V"] + np.rot90(v["V"], 2),
                "z": lambda v: correlate(v["x"], v["W"]),
            },
        )
