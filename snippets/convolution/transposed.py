"""Figures and checks of docs/*/convolution/transposed.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, gradient, tf, values
from book.figures import Box, Panel, claim, figure
from snippets.convolution.channels import Case, Pair, convolution, given_as

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "checkerboard": {
        "4": "= 2 * 2",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("transposed")
def transposed_figure(session):
    stride, (i, j) = 2, (0, 1)
    return [
        Panel("x", session.written("scatter", "x", (2, 2)), window=Box(i, j)),
        ",",
        Panel("W", session.written("scatter", "W", (3, 3))),
        rf"\xrightarrow{{\,S={stride}\,}}",
        Panel(
            "y",
            session.printed("scatter", (5, 5)),
            window=Box(stride * i, stride * j, 3, 3),
            result=Box(2, 2),  # where the copies for all of x meet
        ),
    ]


@claim("transposed")
def transposed_claim(session, x, W, y):
    assert_array_equal(y, laid(x, W))
    assert_array_equal(reached(x.shape, x.window, W.shape), at(y.shape, y.window))
    assert_allclose(y[y.result], np.sum(x * W[2::-2, 2::-2]))
    everywhere = [
        reached(x.shape, place, W.shape)[y.result] for place in np.ndindex(x.shape)
    ]
    assert np.all(everywhere)


@figure("checkerboard")
def checkerboard(session):
    """Outlined: where the entry in the middle lays its kernel."""
    return [
        Panel(
            "K=3",
            session.printed("checkerboard", (7, 7)),
            window=Box(2, 2, 3, 3),
        ),
        ",",
        Panel(
            "K=4",
            session.printed("checkerboard", (8, 8), 1),
            window=Box(2, 2, 4, 4),
        ),
    ]


@claim("checkerboard")
def checkerboard_claim(session, odd, even):
    for counts, kernel in [(odd, (3, 3)), (even, (4, 4))]:
        assert_array_equal(counts, laid(np.ones((3, 3)), np.ones(kernel)))
        middle = reached((3, 3), (1, 1), kernel)
        assert_array_equal(middle, at(counts.shape, counts.window))
    assert_array_equal(odd[odd.window], [[4, 2, 4], [2, 1, 2], [4, 2, 4]])
    assert_array_equal(even[even.window], np.full((4, 4), 4))


def laid(x, W):
    """The copies of W for each entry of x, at stride 2, added."""
    sizes = [2 * (o - 1) + k for o, k in zip(x.shape, W.shape, strict=True)]
    y = np.zeros(sizes)
    for i, j in np.ndindex(x.shape):
        y[2 * i : 2 * i + W.shape[0], 2 * j : 2 * j + W.shape[1]] += x[i, j] * W
    return y


def at(shape, place):
    """An array that is true there and nowhere else."""
    found = np.zeros(shape, dtype=bool)
    found[place] = True
    return found


def reached(shape, place, kernel):
    """Where one entry of the input lays its kernel."""
    return laid(at(shape, place), np.ones(kernel)) > 0


# --- Checks ------------------------------------------------------------------


def tf_transposed(x, W, stride, padding, size):
    """TensorFlow's own, valid and with every leftover row; then cropped."""
    (top, bottom), (left, right) = padding
    whole = (x.shape[0], size[0] + top + bottom, size[1] + left + right, W.shape[2])
    y = tf.nn.conv2d_transpose(x, W, whole, (1, *stride, 1), "VALID")
    return y[:, top : top + size[0], left : left + size[1]]


def transposed(x, W, stride, padding, size):
    """Entry by entry: each lays its kernel, what falls outside is dropped."""
    y = np.zeros((len(x), *size, W.shape[2]))
    (top, _), (left, _) = padding
    for n, i, j, f in np.ndindex(*x.shape):
        for u, v in np.ndindex(*W.shape[:2]):
            row, column = stride[0] * i + u - top, stride[1] * j + v - left
            if 0 <= row < size[0] and 0 <= column < size[1]:
                y[n, row, column] += x[n, i, j, f] * W[u, v, :, f]
    return y


def turned_round(draw) -> tuple[Case, Pair]:
    """delta is the layer's input, x its upstream gradient; and the output padding."""
    case = convolution(draw, leftover=True, padding=True)
    reached = [
        s * (o - 1) + k
        for s, o, k in zip(case.stride, case.delta.shape[1:3], case.kernel, strict=True)
    ]
    sizes = zip(case.size, case.padding, reached, strict=True)
    return case, tuple(h + sum(p) - g for h, p, g in sizes)


@check("transposed-forward")
def transposed_forward(function, draw):
    case, more = turned_round(draw)
    b = values(case.rng, case.W.shape[2:3])
    arguments = {"x": case.delta, "W": case.W, "b": b}
    arguments["stride"] = given_as(draw, case.stride)
    arguments |= {"padding": case.padding, "output_padding": more}
    mine = call(function, arguments)
    around = case.W, case.stride, case.padding, case.size
    return max(
        compare(arguments, mine, tf_transposed(case.delta, *around) + b, "TensorFlow"),
        compare(arguments, mine, transposed(case.delta, *around) + b, "the definition"),
    )


@check("transposed-input")
def transposed_input(function, draw):
    case, _ = turned_round(draw)
    arguments = {"delta": case.x, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    around = case.W, case.stride, case.padding, case.size
    return gradient(
        function,
        arguments | {"padding": case.padding},
        case.delta,
        case.x,
        lambda x: tf_transposed(x, *around),
        lambda x: transposed(x, *around),
        case.rng,
    )


@check("transposed-weights")
def transposed_weights(function, draw):
    case, _ = turned_round(draw)
    arguments = {"x": case.delta, "delta": case.x, "kernel": case.kernel}
    arguments["stride"] = given_as(draw, case.stride)
    around = case.stride, case.padding, case.size
    return gradient(
        function,
        arguments | {"padding": case.padding},
        case.W,
        case.x,
        lambda W: tf_transposed(case.delta, W, *around),
        lambda W: transposed(case.delta, W, *around),
        case.rng,
    )
