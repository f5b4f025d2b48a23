"""Figures and checks of docs/*/convolution/leftover.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check
from book.figures import ROUNDING, Box, Panel, around, between, claim, figure
from snippets.cnn.forward import correlate
from snippets.convolution.channels import convolution, input_of_size, weights_of_kernel

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "example": {
        "4": "= 3 + 1",
    },
    "zeros": {
        "5 5": "= [6 - 1, 6 - 1]",
    },
    "check": {
        "5": "= stride[1]",
    },
    "errors": {
        "9 10 9 10": "at H = 9 nothing is left over, at 10 one row",
    },
    "exercise-corner": {
        "30 5 4": "= [5 * 6, 6 - 1, 5 - 1]",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("leftover-input")
def leftover_input_figure(session):
    stride, (i, j), (u, v) = 3, (1, 0), (1, 1)
    return [
        Panel(r"\delta", session.printed("arrays", (2, 2)), window=Box(i, j)),
        ",",
        Panel("W", session.printed("arrays", (2, 2), 1), window=Box(u, v)),
        rf"\xrightarrow[r=1]{{S={stride}}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("arrays", (6, 6), 2),
            result=Box(stride * i + u, stride * j + v),
            inserted=around((5, 5), (0, 1)),
        ),
    ]


@claim("leftover-input")
def leftover_input_claim(session, delta, W, dx):
    assert_array_equal(dx.grey, np.pad(np.ones((5, 5)), (0, 1)) == 0)
    assert_allclose(dx[dx.result], delta[delta.window] * W[W.window], atol=ROUNDING)
    blocks = np.kron(delta, np.pad(W, (0, 1)))  # S = K + 1: a row of 0 after each
    assert_allclose(dx, blocks, atol=ROUNDING)


@figure("leftover-weights")
def leftover_weights_figure(session):
    u, v = 2, 1
    every = session.printed("every", (3, 3), 2)
    return [
        Panel("x", session.printed("every", (6, 6)), window=Box(u, v, 4, 4)),
        r"\star",
        Panel(
            r"\delta_{\uparrow 3}",
            session.printed("every", (4, 4), 1),
            inserted=between((2, 2), 3),
        ),
        "=",
        Panel(
            r"x \star \delta_{\uparrow 3}",
            every,
            result=Box(u, v),
            rings=~around((2, 2), (0, 1)),
        ),
    ]


@claim("leftover-weights")
def leftover_weights_claim(session, x, delta, every):
    assert_array_equal(delta.grey, delta == 0)
    assert_allclose(every[every.result], np.sum(x[x.window] * delta), atol=ROUNDING)
    assert_allclose(every, correlate(x, delta), atol=ROUNDING)
    # Ringed is what is kept: the gradient of the kernel.
    assert np.argwhere(every.rings).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert_array_equal(every[:2, :2], session.printed("every", nth=3))


# --- Checks ------------------------------------------------------------------


@check("leftover-input")
def leftover_input(function, draw):
    return input_of_size(function, draw, convolution(draw, leftover=True))


@check("leftover-weights")
def leftover_weights(function, draw):
    return weights_of_kernel(function, draw, convolution(draw, leftover=True))
