"""Figures and checks of docs/*/cnn/weights.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, sizes, values
from book.figures import ROUNDING, Box, Panel, between, claim, figure
from snippets.cnn.forward import correlate, covered, tf_correlate, windows
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
