"""Figures and checks of docs/*/cnn/convolution.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import before_relu, check, generator, gradient, relu, sizes, tf, values
from book.figures import ROUNDING, Box, Panel, around, claim, figure
from snippets.cnn.forward import correlate, covered, tf_correlate

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "exact": {
        "16 4 9": "= [sx.size, sW.size, sdelta.size]",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("rot180")
def rot180(session):
    return [
        Panel("W", session.written("small-forward", "W", (2, 2)), window=Box(0, 0)),
        r"\rightarrow",
        Panel(
            r"\operatorname{rot180}(W)",
            session.printed("full", (2, 2)),
            result=Box(1, 1),
        ),
    ]


@claim("rot180")
def rot180_claim(session, W, turned):
    assert_array_equal(turned[turned.result], W[W.window])
    assert_array_equal(turned, np.rot90(W, 2))


@figure("conv-full")
def conv_full(session):
    i, j = 1, 2
    return [
        Panel(
            r"\delta^{\mathrm{pad}}",
            session.printed("full", (4, 4), 1),
            window=Box(i, j, 2, 2),
            inserted=around((2, 2), 1),
        ),
        r"\star",
        Panel(r"\operatorname{rot180}(W)", session.printed("full", (2, 2))),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            session.printed("full-run", (3, 3)),
            result=Box(i, j),
        ),
    ]


@claim("conv-full")
def conv_full_claim(session, delta, W, da):
    assert_array_equal(delta.grey, np.pad(np.ones((2, 2)), 1) == 0)
    assert not delta[delta.grey].any()
    assert_allclose(da[da.result], np.sum(delta[delta.window] * W), atol=ROUNDING)
    assert_allclose(da, correlate(delta, W), atol=ROUNDING)


# --- Checks ------------------------------------------------------------------


@check("conv-delta")
def conv_delta(function, draw):
    kernel, output = sizes(draw, 3), sizes(draw, 4)
    return convolution_delta(function, draw, kernel, output)


def convolution_delta(function, draw, kernel, output, *stride):
    rng = generator(draw)
    S = stride[0] if stride else 1
    delta, W = values(rng, output), values(rng, kernel)
    z = before_relu(rng, covered(kernel, output, S))
    return gradient(
        function,
        {"delta": delta, "W": W, "z": z} | ({"stride": S} if stride else {}),
        z,
        delta,
        lambda z: tf_correlate(tf.nn.relu(z), W, S),
        lambda z: correlate(relu(z), W, S),
        rng,
        z == 0,
    )
