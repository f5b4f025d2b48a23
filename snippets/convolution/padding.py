"""Figures and checks of docs/*/convolution/padding.md."""

import numpy as np
from numpy.testing import assert_array_equal

from book.checks import call, check, compare, tf
from book.figures import Box, Panel, around, claim, figure
from snippets.convolution.channels import (
    Pair,
    convolution,
    convolve,
    given_as,
    input_of_size,
    weights_of_kernel,
)

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "7 4 4 5 6 6 4": "the entry without a window; indices of the row",
    },
    "same": {
        "6 7": "sizes of the block below",
    },
    "grid": {
        "6×6 5×5 4 5": "= [6, 6, 5, 5, 5 - 1, 6 - 1]",
    },
    "explorer": {
        "5 6": "sizes for the reader to try",
    },
    "pytorch": {
        "6×6": "the image of the section before",
    },
    "exercise-even": {
        "8 4": "= [7 + 1, 2 * 2]",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("same-five")
def same_five(session):
    return same_grid(session, 5)


@figure("same-six")
def same_six(session):
    return same_grid(session, 6)


def same_grid(session, size):
    """SAME, K = 3, S = 2; the kernel copies the middle of each window."""
    nth = 2 * (size - 5)  # 5, then 6 is printed, with its result
    padded = session.printed("same-grid", (7, 7), nth)
    middles = np.zeros(padded.shape, dtype=bool)
    middles[1::2, 1::2] = True
    return [
        Panel(
            r"\tilde x",
            padded,
            window=Box(0, 0, 3, 3),
            rings=middles,
            inserted=padded == 0,  # x itself counts from 1
        ),
        r"\xrightarrow{\,S=2\,}",
        Panel("z", session.printed("same-grid", (3, 3), nth + 1), result=Box(0, 0)),
    ]


@claim("same-five")
def same_five_claim(session, x, z):
    assert_array_equal(x.grey, np.pad(np.ones((5, 5)), 1) == 0)
    middles_are_ringed(x, z, 0)


@claim("same-six")
def same_six_claim(session, x, z):
    assert_array_equal(x.grey, np.pad(np.ones((6, 6)), (0, 1)) == 0)
    middles_are_ringed(x, z, 1)


def middles_are_ringed(x, z, first):
    """They are the result, and begin in this row and column of the image itself."""
    assert_array_equal(z[z.result], x[x.window][1, 1])
    assert_array_equal(z, x[1::2, 1::2])
    assert_array_equal(x[x.rings], z.ravel())
    corner = np.argwhere(x)[0]  # where the image begins
    at = [first, first + 2, first + 4]
    places = [[row, column] for row in at for column in at]
    assert_array_equal(np.argwhere(x.rings) - corner, places)


@figure("padding-crop")
def padding_crop(session):
    (top, _), (left, _) = width = (1, 2), (0, 1)
    p, q = 3, 4
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial \tilde x}",
            session.printed("crop", (7, 6)),
            window=Box(p + top, q + left),
            inserted=around((4, 5), width),
        ),
        r"\xrightarrow{\operatorname{crop}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("crop", (4, 5), 1),
            result=Box(p, q),
        ),
    ]


@claim("padding-crop")
def padding_crop_claim(session, padded, dx):
    assert_array_equal(padded.grey, np.pad(np.ones((4, 5)), ((1, 2), (0, 1))) == 0)
    assert_array_equal(dx[dx.result], padded[padded.window])
    assert_array_equal(dx, padded[1:5, :5])


# --- Checks ------------------------------------------------------------------


@check("same-forward")
def same_forward(function, draw):
    """The kernel may be larger than the input."""
    case = convolution(draw, leftover=True, padding=True)
    stride = given_as(draw, case.stride)
    arguments = {"x": case.x, "W": case.W, "b": case.b, "stride": stride}
    around = same(case.size, case.kernel, case.stride)
    definition = convolve(case.x, case.W, case.stride, around, (1, 1), 1) + case.b
    right = tf.nn.conv2d(case.x, case.W, (1, *case.stride, 1), "SAME") + case.b
    mine = call(function, arguments)
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition, "the definition"),
    )


def same(size: Pair, extent: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Zeros around for ⌈H / S⌉ outputs, the odd one at the end."""
    sizes = zip(size, extent, stride, strict=True)
    totals = [max((-(-h // s) - 1) * s + k - h, 0) for h, k, s in sizes]
    return tuple((total // 2, total - total // 2) for total in totals)


@check("padding-input")
def padding_input(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return input_of_size(function, draw, case, padding=case.padding)


@check("padding-weights")
def padding_weights(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return weights_of_kernel(function, draw, case, padding=case.padding)
