"""Figures and checks of docs/*/convolution/im2col.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check
from book.figures import Box, Panel, claim, figure
from snippets.convolution.layer import layer_backward, layer_forward

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "col2im": {
        "9 7": "rows that the printed counts give 0",
    },
    "costs": {
        "71": "= round(32 * 62 * 62 * 9 * 16 * 4 / 1e6)",
    },
    "measured": {
        "32×64×64×16 32": "the layer of tests/bench/convolution.py",
        "1.70 1.46 2.07 1.88 1.96 1.73 1.14 1.16": "make.py bench convolution",
        "76.8 39.2 23.3 13.4": "make.py bench convolution",
        "2026 11 24 512 2.4 2.21 30": "when and on what it was measured",
    },
    "exercise-copies": {
        "4 6 6": "the last row of a window; the windows and their entries",
    },
    "exercise-numbered": {
        "3×4 5": "the image of the session; the pixel in the middle",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("im2col")
def im2col(session):
    i, j = 1, 0
    row = 2 * i + j
    return [
        Panel("x", session.written("hand", "x", (3, 3)), window=Box(i, j, 2, 2)),
        r"\xrightarrow{\operatorname{im2col}}",
        Panel(
            r"X_{\mathrm{col}}",
            session.printed("hand", (4, 4)),
            window=Box(row, 0, 1, 4),
        ),
        r"\cdot",
        Panel(
            r"W_{\mathrm{mat}}",
            session.written("hand", "W", (2, 2)).reshape(4, 1),
        ),
        r"\xrightarrow{{}+b}",
        Panel("Z", session.printed("hand", (4, 1), 1), result=Box(row, 0)),
    ]


@claim("im2col")
def im2col_claim(session, x, X_col, W_mat, Z):
    assert_array_equal(X_col[X_col.window][0], x[x.window].ravel())
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2))
    assert_array_equal(X_col, windows.reshape(4, 4))
    assert_allclose(Z, X_col @ W_mat + 0.5)  # b
    assert_allclose(Z[Z.result][0], x[x.window].ravel() @ W_mat + 0.5)
    assert X_col.window[0] == Z.result[0]


@figure("col2im")
def col2im(session):
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial X_{\mathrm{col}}}",
            session.printed("hand-gradients", (4, 4), 1),
            rings=np.fliplr(np.eye(4)) > 0,  # the copies of x[1, 1]
        ),
        r"\xrightarrow{\operatorname{col2im}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("col2im", (3, 3)),
            result=Box(1, 1),
        ),
    ]


@claim("col2im")
def col2im_claim(session, columns, dx):
    # Where the numbers of x would be copied, if each were its own index.
    numbered = np.arange(9).reshape(3, 3)
    copies = np.lib.stride_tricks.sliding_window_view(numbered, (2, 2)).reshape(4, 4)
    assert_array_equal(columns.rings, copies == numbered[dx.result])
    assert_allclose(dx[dx.result], columns[columns.rings].sum())
    sums = [columns[copies == index].sum() for index in range(9)]
    assert_allclose(dx.ravel(), sums)


# --- Checks ------------------------------------------------------------------


@check("im2col-forward")
def im2col_forward(function, draw):
    return layer_forward(function, draw)


@check("im2col-backward")
def im2col_backward(function, draw):
    return layer_backward(function, draw)
