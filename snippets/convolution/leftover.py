"""Figures and checks of docs/*/convolution/leftover.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check
from book.figures import ROUNDING, Box, Panel, around, between, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate
from snippets.convolution.channels import (
    PLACES,
    convolution,
    input_of_size,
    nhwc,
    places,
    valid,
    weights_of_kernel,
)

# Changes after which the page says the same, and why.
SAME = {
    (
        "#zeros",
        r"p - Si \ge H - r - (O-1)S = K",
        r"p + Si \ge H - r - (O-1)S = K",
    ): "weaker, and true: i is not negative",
}

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


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    yield plane((9, 7), (2, 3), S=4)  # r is 3 and 0
    yield plane((8, 6), (3, 2), S=3)  # 2 and 1
    yield plane((6, 5), (3, 2), S=2)  # 1 and 1, with windows that overlap
    yield plane((5, 7), (2, 1), S=3)  # 0 and 0, with gaps
    yield plane((5, 4), (3, 2), S=1)


@worlds("by-hand")
def by_hand(given):
    yield row(given, S=2)


@worlds("bias")
def bias():
    yield nhwc(2, (6, 5), (2, 2), 2, 3, S=3)
    yield nhwc(3, (5, 3), (3, 2), 2, 2, S=1)
    yield nhwc(2, (4, 6), (1, 2), 3, 4, S=2)


@worlds("exercise-counts")
def counts():
    for H, K, S in (6, 3, 2), (9, 2, 3), (8, 4, 3), (12, 2, 4), (5, 3, 1):
        sizes = places((H,), (K,), S, 1, ((0, 0),)) | {"S": S}
        windows = [range(S * i, S * i + K) for i in range(sizes["O"])]
        c = np.array([sum(p in window for window in windows) for p in range(H)])
        yield World(sizes=sizes | {"c": c}, ranges={"p": H})


@worlds("exercise-overhang")
def overhang():
    """So many zeros at the end that nothing is left over."""
    for size, kernel, S in (
        ((6, 5), (3, 3), 2),
        ((6, 7), (3, 4), 3),
        ((5, 4), (2, 2), 2),
    ):
        after = [-(h - k) % S for h, k in zip(size, kernel, strict=True)]
        yield plane(size, kernel, S, padding=tuple((0, n) for n in after))


# One example and one channel, as the functions take them.
FOUR_AXES = {
    "x": lambda v: v["x"][None, ..., None],
    "delta": lambda v: v["delta"][None, ..., None],
    "W": lambda v: v["W"][..., None, None],
    "b": lambda v: v["b"][None],
}


def plane(size, kernel, S=1, D=1, padding=None, **given) -> World:
    """One example in one channel: x, W and delta have rows and columns, b is a number.

    A row has the kernel w. Functions are given the four axes that they want.
    """
    padding = padding or ((0, 0),) * len(size)
    sizes = {"S": S, "D": D} | places(size, kernel, S, D, padding)
    outputs = [sizes[name] for name in ("O", "O'")[: len(size)]]
    W = "W" if len(size) == 2 else "w"
    arrays = {
        "x": drawn(1, *size),
        W: drawn(2, *kernel),
        "b": np.array(0.7),
        "delta": drawn(3, *outputs),
    }
    return World(
        sizes=sizes,
        given=arrays | given,
        forward={
            "tilde x": lambda v: np.pad(v["x"], padding),
            f"{W}_uparrowD": lambda v: spread(v[W], D),
            "z": lambda v: alone(v["tilde x"], v[f"{W}_uparrowD"], S) + v["b"],
        },
        zero={W},
        ranges=dict(zip(PLACES[len(size)], [*outputs, *kernel, *size], strict=True)),
        arguments={
            **FOUR_AXES,
            "kernel": lambda v: kernel,
            "size": lambda v: size,
            "padding": lambda v: padding,
        },
    )


def row(given, **settings) -> World:
    """Of the x, w, delta and b that a section gives; others are drawn."""
    arrays = {name: given[name] for name in ("x", "w", "delta", "b") if name in given}
    return plane((len(given["x"]),), (len(given["w"]),), **settings, **arrays)


def alone(x, W, S):
    """valid, without the axes of examples and channels."""
    return valid(x[None, ..., None], W[..., None, None], S)[0, ..., 0]


def spread(W, D):
    """D - 1 zeros between neighbours."""
    full = np.zeros([D * (k - 1) + 1 for k in W.shape])
    full[(slice(None, None, D),) * W.ndim] = W
    return full
