"""Figures and checks of docs/*/cnn/weights.md."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, sizes, values
from book.figures import ROUNDING, Box, Panel, between, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.convolution import row
from snippets.cnn.forward import (
    correlate,
    covered,
    maxima,
    plane,
    strided,
    tf_correlate,
    tiles,
    windows,
)
from snippets.cnn.stride import dilated_ones

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "bias-mean": {
        "16 16": "= [my_dl_dz1.size, my_dl_dz1.size]",
    },
    "descent": {
        "25": "= count",
    },
    "precision": {
        "1000": "= 0.1 * small.size",
    },
    "result": {
        "7": "= len(delta_up)",
    },
    "backward": {
        "(4,3)": "= W3.shape",
        "(4,4)": "= my_dl_dz1.shape",
        "(9,9)": "= x0.shape",
    },
}

# Changes after which the page says the same, and why.
SAME = {
    (
        "#backward",
        r"\frac{\partial \ell}{\partial b^{3}} &= \sum_n \delta^{3}_n \\",
        r"\frac{\partial \ell}{\partial b^{3}} &= \prod _n \delta^{3}_n \\",
    ): "there is one example",
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
            session.printed("sum", (3, 3)),
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


@check("conv-weights-sum")
def conv_weights_sum(function, draw):
    x, W, delta, stride, rng = strided(draw)
    return gradient(
        function,
        {"x": x, "delta": delta, "stride": stride, "shape": W.shape},
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


@worlds("sum")
@worlds("one-derivative")
@worlds("sizes")
def left_over():
    """r = 0 and r > 0."""
    shape = {"x": "a", "shape": lambda v: v["W"].shape}
    for sizes_of in ((7, 3, 2), (8, 3, 2), (9, 2, 3), (6, 2, 4)):
        yield plane(*sizes_of, arguments=shape)


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


@worlds("backward")
def whole():
    """Convolution, ReLU, maxima of 2 × 2 tiles, dense layer, softmax, loss."""
    for size, kernel, stride, classes in ((9, 3, 2, 3), (5, 2, 1, 2), (10, 4, 2, 4)):
        y = np.abs(drawn(4, classes))
        y /= y.sum()
        side = (size - kernel) // stride + 1
        given = {
            "x": drawn(1, size, size),
            "W^1": drawn(2, kernel, kernel),
            "b^1": np.array(0.7),
            "W^3": drawn(3, side * side // 4, classes),
            "b^3": drawn(5, classes),
        }
        start = correlate(given["x"], given["W^1"], stride) + given["b^1"]
        first = maxima(np.maximum(start, 0), 2, 2)  # of each tile of a^1

        def upsample(delta, at=first):
            return np.kron(delta, np.ones((2, 2))) * at

        yield World(
            sizes={"y": y, "S": stride},
            given=given,
            forward={
                "z^1": lambda v, S=stride: correlate(v["x"], v["W^1"], S) + v["b^1"],
                "a^1": lambda v: np.maximum(v["z^1"], 0),
                "z^2": lambda v: tiles(v["a^1"], 2).max(axis=-1),
                "a^2": lambda v: v["z^2"].reshape(1, -1),
                "z^3": lambda v: v["a^2"] @ v["W^3"] + v["b^3"],
                "a^3": lambda v: np.exp(v["z^3"]) / np.sum(np.exp(v["z^3"])),
                "ell": lambda v, y=y: -np.sum(y * np.log(v["a^3"])),
            },
            gradients={"delta^3": "z^3", "delta^2": "z^2", "delta^1": "z^1"},
            functions={"sigma'": lambda z: 1 * (z > 0), "upsample": upsample},
        )


@worlds("descent")
def descent():
    """A step from W to W', of length 0 or not; the loss is not linear."""
    for size, kernel, stride, eta in (
        (5, 2, 1, 0.0),
        (7, 3, 2, 0.0),
        (6, 2, 2, 0.0),
        (5, 2, 1, 0.3),
        (7, 3, 2, 0.2),
        (6, 2, 2, 0.7),
    ):
        view = sliding_window_view(drawn(1, size, size), (kernel, kernel))
        view = view[::stride, ::stride]

        def loss(W, view=view):
            return np.sum(np.sin(np.einsum("ijuv,uv->ij", view, W)))

        def slope(W, view=view):
            return np.einsum(
                "ijuv,ij->uv", view, np.cos(np.einsum("ijuv,uv->ij", view, W))
            )

        yield World(
            given={"W": drawn(2, kernel, kernel), "eta": np.array(eta)},
            forward={
                "ell": lambda v, f=loss: f(v["W"]),
                "W'": lambda v, g=slope: v["W"] - v["eta"] * g(v["W"]),
                "ell'": lambda v, f=loss: f(v["W'"]),
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
