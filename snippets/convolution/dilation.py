"""Figures and checks of docs/*/convolution/dilation.md. K = 2, S = 3, D = 2."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, in_any_form
from book.figures import ROUNDING, Box, Panel, between, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate
from snippets.convolution.channels import (
    adding,
    convolution,
    forward,
    given_as,
    input_of_size,
    weights_of_kernel,
)
from snippets.convolution.leftover import alone, plane, row, spread

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "input": {
        "4 4": "= [np.flatnonzero(~dx[0, ..., 0].any(axis))[1] for axis in (1, 0)]",
    },
    "explorer": {
        "4 4": "= [np.flatnonzero(~dx[0, ..., 0].any(axis))[1] for axis in (1, 0)]",
    },
    "receptive-field": {
        "31": "= receptive_field([(3, 1, d) for d in (1, 2, 4, 8)])",
        "17": "= receptive_field([(3, 1, 2)] * 4)",
        "9": "= (receptive_row([(3, 1, 2)] * 4) > 0).sum()",
        "6 27": "= [(paths == 0).sum(), paths.size]",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("dilation-forward")
def dilation_forward_figure(session):
    i, j = 1, 0
    seen = np.zeros((6, 6), dtype=bool)
    seen[3 * i : 3 * i + 3 : 2, 3 * j : 3 * j + 3 : 2] = True
    return [
        Panel(
            "x",
            session.printed("forward", (6, 6)),
            window=Box(3 * i, 3 * j, 3, 3),
            rings=seen,
        ),
        r"\star",
        Panel(
            r"W_{\uparrow 2}",
            session.printed("forward", (3, 3), 1),
            inserted=between((2, 2), 2),
        ),
        r"\xrightarrow{\,S=3\,}",
        Panel("z", session.printed("forward", (2, 2), 2), result=Box(i, j)),
    ]


@claim("dilation-forward")
def dilation_forward_claim(session, x, spread, z):
    assert_array_equal(spread.grey, SPREAD == 0)
    assert not spread[spread.grey].any()
    # Ringed on x, in the window and nowhere else, is what the weights see.
    assert_array_equal(x.rings[x.window], spread != 0)
    assert x.rings.sum() == 4
    assert_allclose(z[z.result], np.sum(x[x.window] * spread), atol=ROUNDING)
    assert_allclose(z, correlate(x, spread, 3), atol=1e-9)


SPREAD = np.outer([1, 0, 1], [1, 0, 1])  # where a kernel of 2 has its weights


@figure("dilation-input")
def dilation_input_figure(session):
    i, j = 5, 3
    return [
        Panel(
            r"(\delta_{\uparrow 3})^{\mathrm{pad}}",
            session.printed("input", (8, 8)),
            window=Box(i, j, 3, 3),
            inserted=np.pad(between((2, 2), 3), 2, constant_values=True),
        ),
        r"\star",
        Panel(
            r"\operatorname{rot180}(W_{\uparrow 2})",
            session.printed("input", (3, 3), 1),
            rings=np.arange(9).reshape(3, 3) == 2,
            inserted=between((2, 2), 2),
        ),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("input", (6, 6), 2),
            result=Box(i, j),
        ),
    ]


@claim("dilation-input")
def dilation_input_claim(session, delta, turned, dx):
    assert_array_equal(delta.grey, np.pad(np.outer([1, 0, 0, 1], [1, 0, 0, 1]), 2) == 0)
    assert not delta[delta.grey].any()
    assert_array_equal(turned.grey, SPREAD == 0)
    assert_array_equal(turned, np.rot90(session.printed("forward", nth=1), 2))
    products = delta[delta.window] * turned
    assert_array_equal(turned.rings, products != 0)
    assert_allclose(dx[dx.result], np.sum(products), atol=ROUNDING)
    assert_allclose(dx, correlate(delta, turned), atol=1e-9)


@figure("dilation-weights")
def dilation_weights_figure(session):
    u, v = 1, 0
    return [
        Panel(
            r"x \star \delta_{\uparrow 3}",
            session.printed("weights", (3, 3)),
            window=Box(2 * u, 2 * v),
            inserted=between((2, 2), 2),
        ),
        r"\xrightarrow{\,D=2\,}",
        Panel(
            r"\tfrac{\partial \ell}{\partial W}",
            session.printed("weights", (2, 2), 1),
            result=Box(u, v),
        ),
    ]


@claim("dilation-weights")
def dilation_weights_claim(session, every, dW):
    assert_array_equal(every.grey, SPREAD == 0)
    assert_array_equal(dW[dW.result], every[every.window])
    assert_array_equal(dW, every[::2, ::2])
    x, delta = session.printed("forward"), session.printed("input")[2:-2, 2:-2]
    assert_allclose(every, correlate(x, delta), atol=1e-9)


# --- Checks ------------------------------------------------------------------


@check("dilation-forward")
def dilation_forward(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    arguments["stride"] = given_as(draw, case.stride)
    arguments["dilation"] = given_as(draw, case.dilation)
    return forward(function, case, arguments)


@check("dilation-input")
def dilation_input(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    return input_of_size(function, draw, case, dilation=given_as(draw, case.dilation))


@check("dilation-weights")
def dilation_weights(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    asked = in_any_form(function, case.rng)
    return weights_of_kernel(asked, draw, case, dilation=given_as(draw, case.dilation))


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """K_e stands for rows and columns: kernels are square here."""
    over = plane((10, 8), (3, 3), S=3, D=2), plane((6, 7), (2, 2), S=2, D=3)
    for world in *over, plane((6, 5), (2, 2), S=1, D=2):
        extent = world.sizes["K_e"]
        places = {"tilde u": extent, "tilde v": extent}
        yield replace(world, ranges={**world.ranges, **places})


@worlds("by-hand")
def by_hand(given):
    yield row(given, D=2)


@worlds("receptive-field")
def receptive_field():
    """The layers count from 1."""
    none = np.nan
    for K, S, D in (
        ((none, 3, 2, 4, 2), (none, 2, 1, 3, 2), (none, 1, 3, 2, 1)),
        ((none, 2, 5), (none, 3, 2), (none, 4, 1)),
        ((none, 3, 3, 3), (none, 1, 1, 1), (none, 1, 2, 4)),
    ):
        layers = [*zip(K, S, D, strict=True)][1:]
        R = np.array([field(layers[:count]) for count in range(len(K))])
        K, S, D = map(np.array, (K, S, D))
        yield World(sizes={"K": K, "S": S, "D": D, "R": R})


def field(layers) -> int:
    """From the first to the last entry of x on which one output depends."""
    seen = {0}
    for K, S, D in reversed(layers):
        seen = {S * i + D * u for i in seen for u in range(K)}
    return max(seen) - min(seen) + 1


@worlds("exercise-dilated-gaps")
def dilated_gaps(given):
    yield row(given | {"x": drawn(1, 9)}, S=2, D=3)


@worlds("exercise-phases")
def phases():
    """D divides H, so that all of the D rows have one length."""
    for H, K, D in (8, 3, 2), (9, 2, 3), (6, 2, 2):
        world = plane((H,), (K,), D=D)
        apart = {f"{name}^()": world.values[name].reshape(-1, D).T for name in PARTED}
        yield adding(world, apart)


PARTED = "x", "delta"


@worlds("exercise-branches")
def branches():
    for H, K in (6, 3), (5, 2), (8, 4):
        world = plane((H,), (K,), D=2)
        yield replace(
            world,
            forward={"z": lambda v: both_branches(v["x"], v["w"])},
            ranges={**world.ranges, "tilde u": 2 * K - 1},
        )


def both_branches(x, w):
    wide = alone(x, spread(w, 2), 1)
    return wide + alone(x, w, 1)[: len(wide)]
