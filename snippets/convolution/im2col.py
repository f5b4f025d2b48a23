"""Figures and checks of docs/*/convolution/im2col.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check
from book.figures import Box, Panel, claim, figure
from snippets.convolution.layer import layer_backward, layer_forward

ALONE = "the layer hands it one example at a time; the session tries two"
TWO = "im2col reads two lengths of the kernel"
FILTERS = "both have the filters of the group on axis 3"
EXAMPLES = "both have an entry for each example"
STEP = "a slice of one entry has none to leave out"
AFTER = "the examples that follow are written afterwards"
# The mutants of the session's functions that compute the same, and why.
SAME = {
    (
        "window_counts",
        "return tuple(((h - d * (k - 1) - 1) // s + 1 for h, k, s, d in axes))",
        "return ((h - d * (k - 1) - 1) // s + 1 for h, k, s, d in axes)",
    ): "whoever calls it takes two items, of whatever they are in",
    (
        "im2col",
        "ordered = view.transpose(0, 1, 2, 4, 5, 3)",
        "ordered = view.transpose(1, 0, 2, 4, 5, 3)",
    ): ALONE,
    (
        "im2col",
        "return ordered.reshape(-1, kernel[0] * kernel[1] * x.shape[3])",
        "return ordered.reshape(-1, kernel[0] * kernel[1] * view.shape[3])",
    ): "the windows have the channels of x",
    (
        "col2im",
        "x[:, rows, across] += parts[:, :, :, u, v]",
        "x[::2, rows, across] += parts[:, :, :, u, v]",
    ): ALONE,
    (
        "col2im",
        "x[:, rows, across] += parts[:, :, :, u, v]",
        "x[:, rows, across] += parts[::2, :, :, u, v]",
    ): ALONE,
    (
        "conv2d_im2col",
        "xp, layout = (pad(x, padding), (W.shape[:2], stride, dilation))",
        "xp, layout = (pad(x, padding), (W.shape[:], stride, dilation))",
    ): TWO,
    (
        "conv2d_im2col",
        "xp, layout = (pad(x, padding), (W.shape[:2], stride, dilation))",
        "xp, layout = (pad(x, padding), (W.shape[:3], stride, dilation))",
    ): TWO,
    (
        "conv2d_im2col",
        "W_mat = Wg.reshape(-1, Wg.shape[3])",
        "W_mat = Wg.reshape(-1, zg.shape[3])",
    ): FILTERS,
    ("conv2d_im2col", "for n in range(len(x)):", "for n in range(len(xg)):"): EXAMPLES,
    ("conv2d_im2col", "for n in range(len(x)):", "for n in range(len(xp)):"): EXAMPLES,
    ("conv2d_im2col", "for n in range(len(x)):", "for n in range(len(z)):"): EXAMPLES,
    ("conv2d_im2col", "for n in range(len(x)):", "for n in range(len(zg)):"): EXAMPLES,
    (
        "conv2d_im2col",
        "X_col = im2col(xg[n:n + 1], *layout)",
        "X_col = im2col(xg[n:n + 1:2], *layout)",
    ): STEP,
    (
        "conv2d_im2col",
        "zg[n] = (X_col @ W_mat + bg).reshape(zg[n].shape)",
        "zg[n] = (X_col @ W_mat + bg).reshape(zg[n - 1].shape)",
    ): "all examples have one shape",
    (
        "conv2d_im2col_backward",
        "W_mat = Wg.reshape(-1, Wg.shape[3])",
        "W_mat = Wg.reshape(-1, dWg.shape[3])",
    ): FILTERS,
    (
        "conv2d_im2col_backward",
        "W_mat = Wg.reshape(-1, Wg.shape[3])",
        "W_mat = Wg.reshape(-1, deltag.shape[3])",
    ): FILTERS,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(delta)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(deltag)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(dxg)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(dxp)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(xg)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "for n in range(len(x)):",
        "for n in range(len(xp)):",
    ): EXAMPLES,
    (
        "conv2d_im2col_backward",
        "image, Delta = (xg[n:n + 1], deltag[n].reshape(-1, Wg.shape[3]))",
        "image, Delta = (xg[n:n + 1:2], deltag[n].reshape(-1, Wg.shape[3]))",
    ): STEP,
    (
        "conv2d_im2col_backward",
        "image, Delta = (xg[n:n + 1], deltag[n].reshape(-1, Wg.shape[3]))",
        "image, Delta = (xg[n:n + 1], deltag[n].reshape(-1, dWg.shape[3]))",
    ): FILTERS,
    (
        "conv2d_im2col_backward",
        "image, Delta = (xg[n:n + 1], deltag[n].reshape(-1, Wg.shape[3]))",
        "image, Delta = (xg[n:n + 1], deltag[n].reshape(-1, deltag.shape[3]))",
    ): FILTERS,
    (
        "conv2d_im2col_backward",
        "dWg += (im2col(image, *layout).T @ Delta).reshape(Wg.shape)",
        "dWg += (im2col(image, *layout).T @ Delta).reshape(dWg.shape)",
    ): "a gradient has the shape of its variable",
    (
        "conv2d_im2col_backward",
        "dxg[n:n + 1] = col2im(Delta @ W_mat.T, image.shape, *layout)",
        "dxg[n:] = col2im(Delta @ W_mat.T, image.shape, *layout)",
    ): AFTER,
    (
        "conv2d_im2col_backward",
        "dxg[n:n + 1] = col2im(Delta @ W_mat.T, image.shape, *layout)",
        "dxg[n:n + 1:2] = col2im(Delta @ W_mat.T, image.shape, *layout)",
    ): STEP,
    (
        "conv2d_im2col_backward",
        "dxg[n:n + 1] = col2im(Delta @ W_mat.T, image.shape, *layout)",
        "dxg[n:n + 1 + 1] = col2im(Delta @ W_mat.T, image.shape, *layout)",
    ): AFTER,
    (
        "conv2d_im2col_backward",
        "dxg[n:n + 1] = col2im(Delta @ W_mat.T, image.shape, *layout)",
        "dxg[n:n + 2] = col2im(Delta @ W_mat.T, image.shape, *layout)",
    ): AFTER,
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
