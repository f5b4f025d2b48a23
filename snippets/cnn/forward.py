"""Figures and checks of docs/*/cnn/forward.md."""

import re

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, size, sizes, st, tf, values
from book.figures import ROUNDING, Box, Panel, claim, figure

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "network": {
        "(1,4,4,1) (1,4,4,1)": "= [*z1.shape, *a1.shape]",
        "(1,4) (4,3)": "= [*a2.shape, *W3.shape]",
        "81": "= x.size",
    },
    "output-size": {
        "4 6 8": "= [2 * 2, 2 * 3, len(x0) - 1]",
    },
    "by-hand": {
        "4 4": "= [2 * 1 + 2, 2 * 1 + 2]",
    },
    "exercise-windows": {
        "5": "= windows_x.shape[1] - 1",
    },
    "exercise-paths": {
        "81": "= paths_rows.size * paths_columns.size",
        "4": "= 2 * 1 + 2",
    },
    "exercise-merged": {
        "4 4": "= [2 * 2, 2 * 2]",
    },
}

WRITTEN = "every entry is written afterwards"
ZEROS = "zeros are float64 by themselves; other types are for the proof"
DEAD = (
    "the place of the maximum changes only where it is not above 0, and there σ' is 0"
)
# The mutants of the session's functions that compute the same, and why.
SAME = {
    (
        "correlate",
        "z = np.zeros((height, width), np.result_type(x, W))",
        "z = np.ones((height, width), np.result_type(x, W))",
    ): WRITTEN,
    (
        "correlate",
        "z = np.zeros((height, width), np.result_type(x, W))",
        "z = np.zeros((height, width))",
    ): ZEROS,
    (
        "max_pool",
        "z = np.zeros((height, width))",
        "z = np.ones((height, width))",
    ): WRITTEN,
    ("relu", "return np.maximum(z, 0)", "return z"): DEAD,
    ("relu", "return np.maximum(z, 0)", "return np.add(z, 0)"): DEAD,
    ("relu", "return np.maximum(z, 0)", "return np.maximum(z, -1)"): DEAD,
}


# --- Figures -----------------------------------------------------------------


@figure("conv-forward")
def conv_forward_figure(session):
    stride, (i, j) = 2, (1, 1)
    window = Box(stride * i, stride * j, 3, 3)
    return [
        Panel("x", session.printed("setup", (9, 9)), window=window),
        r"\star",
        Panel("W^{1}", session.written("setup", "W1", (3, 3))),
        rf"\xrightarrow[{{}}+b^{{1}}]{{S={stride}}}",
        Panel("z^{1}", session.printed("correlate", (4, 4)), result=Box(i, j)),
    ]


@claim("conv-forward")
def conv_forward_claim(session, x, W, z):
    assert_allclose(z[z.result], np.sum(x[x.window] * W), atol=ROUNDING)
    assert_allclose(z, correlate(x, W, 2), atol=ROUNDING)


@figure("max-pool")
def max_pool_figure(session):
    a = session.printed("relu", (4, 4))
    return [
        Panel("a^{1}", a, window=Box(0, 0, 2, 2), rings=maxima(a, 2, 2), tile=2),
        r"\xrightarrow{\max}",
        Panel("z^{2}", session.printed("max-pool", (2, 2)), result=Box(0, 0)),
    ]


@claim("max-pool")
def max_pool_claim(session, a, z):
    assert_allclose(z[z.result], np.max(a[a.window]))
    assert a.window == tuple(slice(2 * at.start, 2 * at.stop) for at in z.result)
    assert_allclose(z, tiles(a, 2).max(axis=-1))
    assert_array_equal(a.rings, positions(session, a.shape))


def maxima(a, size, stride):
    """Where the first maximum of each window is."""
    found = np.zeros(a.shape, dtype=bool)
    for top in range(0, a.shape[0] - size + 1, stride):
        for left in range(0, a.shape[1] - size + 1, stride):
            window = a[top : top + size, left : left + size]
            row, column = divmod(int(window.argmax()), size)
            found[top + row, left + column] = True
    return found


def positions(session, shape):
    """Where the session of the pooling page says that the maxima were."""
    told = session.text("cnn/pooling:positions")
    rows, columns = np.array(re.findall(r"was a1\[(.), (.)\]", told), dtype=int).T
    found = np.zeros(shape, dtype=bool)
    found[rows, columns] = True
    return found


# --- What the checks draw ----------------------------------------------------


def windows(draw) -> tuple[tuple, tuple, tuple, int]:
    """Kernel, output, leftover rows and columns, stride."""
    stride = size(draw, 4)
    kernel, output = sizes(draw, 3), sizes(draw, 3)
    leftover = tuple(draw(st.integers(0, stride - 1)) for _ in range(2))
    return kernel, output, leftover, stride


def covered(kernel: tuple, output: tuple, stride: int) -> tuple[int, int]:
    """The size of an input with r = 0."""
    return tuple(stride * (o - 1) + k for k, o in zip(kernel, output, strict=True))


def pool_case(draw):
    """The shape of an image, with leftover rows and columns, and the tile's size."""
    tile = size(draw, 3)
    rows, columns = sizes(draw, 3)
    leftover = [draw(st.integers(0, tile - 1)) for _ in range(2)]
    return (
        (rows, columns),
        (tile * rows + leftover[0], tile * columns + leftover[1]),
        tile,
    )


# --- Forward passes, twice ---------------------------------------------------


def correlate(x, W, stride=1):
    return np.einsum(
        "ijuv,uv->ij", sliding_window_view(x, W.shape)[::stride, ::stride], W
    )


def tiles(a, size):
    """(H, H') -> (H / size, H' / size, size · size), the leftover cut off."""
    rows, columns = a.shape[0] // size, a.shape[1] // size
    cut = a[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return cut.transpose(0, 2, 1, 3).reshape(rows, columns, size * size)


def tf_correlate(x, W, stride):
    image = tf.reshape(x, (1, *x.shape, 1))
    kernel = tf.reshape(W, (*W.shape, 1, 1))
    z = tf.nn.conv2d(image, kernel, strides=stride, padding="VALID")
    return tf.reshape(z, z.shape[1:3])


def tf_max_pool(a, size):
    image = tf.reshape(a, (1, *a.shape, 1))
    z = tf.nn.max_pool2d(image, size, strides=size, padding="VALID")
    return tf.reshape(z, z.shape[1:3])


# --- Checks ------------------------------------------------------------------


@check("conv-forward")
def conv_forward(function, draw):
    kernel, output, leftover, stride = windows(draw)
    b_shape = draw(st.sampled_from([(), (1,)]))
    rng = generator(draw)
    x = values(rng, tuple(np.add(covered(kernel, output, stride), leftover)))
    W, b = values(rng, kernel), values(rng, b_shape)
    case = {"x": x, "W": W, "b": b, "stride": stride}
    mine = call(function, case)
    return max(
        compare(case, mine, tf_correlate(x, W, stride) + b, "TensorFlow"),
        compare(case, mine, correlate(x, W, stride) + b, "the definition"),
    )


@check("max-pool-forward")
def max_pool_forward(function, draw):
    _, shape, tile = pool_case(draw)
    a = values(generator(draw), shape)
    case = {"a": a, "size": tile}
    mine = call(function, case)
    return max(
        compare(case, mine, tf_max_pool(a, tile), "TensorFlow"),
        compare(case, mine, tiles(a, tile).max(axis=-1), "the definition"),
    )
