"""Figures and checks of docs/*/cnn/stride.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, gradient
from book.figures import ROUNDING, Box, Panel, between, claim, figure
from book.tex.world import worlds
from snippets.cnn.convolution import convolution_delta, row
from snippets.cnn.forward import correlate, plane, strided, tf_correlate, windows

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "network": {
        "4": "= my_dl_dz1.shape[0]",
    },
    "explorer": {
        "4 4 10 4": "= [2 * 2, 2 * 2, 9 + 1, 3 + 1]",
    },
    "exercise-ten": {
        "4": "= (10 - 3) // 2 + 1",
    },
}

# Changes after which the page says the same, and why.
SAME = {
    (
        "conv_stride_delta",
        "return conv_delta(dilate(delta, stride), W, z)",
        "return conv_delta(W, dilate(delta, stride), z)",
    ): "a full convolution commutes",
}


# --- Figures -----------------------------------------------------------------


@figure("dilate")
def dilate(session):
    stride, delta = 2, session.printed("cnn/pooling:pool-delta", (4, 4))
    return [
        Panel(r"\delta^{1}", delta),
        rf"\xrightarrow{{\,S={stride}\,}}",
        Panel(
            rf"\delta^{{1}}_{{\uparrow {stride}}}",
            session.printed("dilate-delta", (7, 7)),
            inserted=between(delta.shape, stride),
        ),
    ]


@claim("dilate")
def dilate_claim(session, delta, up):
    at = range(1, 4)
    assert_array_equal(up, np.insert(np.insert(delta, at, 0, axis=0), at, 0, axis=1))
    assert_array_equal(up.grey, dilated_ones() == 0)


def dilated_ones():
    """Of 4 × 4, at stride 2."""
    row = [1, 0, 1, 0, 1, 0, 1]
    return np.outer(row, row)


@figure("conv-stride")
def conv_stride(session):
    stride, (i, j) = 2, (4, 4)  # the one cell that all four δ reach
    kernel = session.written("cnn/forward:setup", "W1", (3, 3))
    return [
        Panel(
            rf"(\delta^{{1}}_{{\uparrow {stride}}})^{{\mathrm{{pad}}}}",
            np.pad(session.printed("dilate-delta", (7, 7)), 2),
            window=Box(i, j, 3, 3),
            inserted=np.pad(between((4, 4), stride), 2, constant_values=True),
        ),
        r"\star",
        Panel(r"\operatorname{rot180}(W^{1})", kernel[::-1, ::-1]),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("scatter-check", (9, 9)),
            result=Box(i, j),
        ),
    ]


@claim("conv-stride")
def conv_stride_claim(session, delta, W, dx):
    assert_array_equal(delta.grey, np.pad(dilated_ones(), 2) == 0)
    assert not delta[delta.grey].any()
    assert_array_equal(W, np.rot90(session.written("cnn/forward:setup", "W1"), 2))
    assert_allclose(dx[dx.result], np.sum(delta[delta.window] * W), atol=ROUNDING)
    assert_allclose(dx, correlate(delta, W), atol=ROUNDING)


# --- Checks ------------------------------------------------------------------


@check("conv-stride-delta")
def conv_stride_delta(function, draw):
    kernel, output, _, stride = windows(draw)
    return convolution_delta(function, draw, kernel, output, stride)


@check("conv-scatter")
def conv_scatter(function, draw):
    x, W, delta, stride, rng = strided(draw)
    return gradient(
        function,
        {"delta": delta, "W": W, "stride": stride, "shape": x.shape},
        x,
        delta,
        lambda x: tf_correlate(x, W, stride),
        lambda x: correlate(x, W, stride),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """r = 0, and a stride above, equal to and below the size of the kernel."""
    for sizes_of in ((7, 3, 2), (5, 2, 3), (5, 3, 1), (6, 3, 3), (4, 2, 2)):
        yield plane(*sizes_of, arguments={"z": "z^l-1"})


@worlds("sizes")
@worlds("scatter")
@worlds("by-index")
def left_over():
    """r = 0 and r > 0."""
    for sizes_of in ((7, 3, 2), (8, 3, 2), (7, 2, 3)):
        yield plane(*sizes_of, arguments={"shape": lambda v: v["a"].shape})


@worlds("from-scatter")
def anywhere():
    """p and q stand at no array alone: they run over x."""
    for sizes_of in ((7, 3, 2), (8, 3, 2), (7, 2, 3)):
        at = {"p": sizes_of[0], "q": sizes_of[0]}
        yield plane(*sizes_of, ranges=at)


@worlds("row")
@worlds("zero-between")
def by_hand(given):
    yield row(5, 3, 2, given)
