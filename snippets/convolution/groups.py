"""Figures and checks of docs/*/convolution/groups.md. C = F = 4, G = 2."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check
from book.figures import ROUNDING, Box, Panel, claim, figure
from snippets.convolution.channels import (
    convolution,
    forward,
    given_as,
    of_input,
    weights_of_kernel,
)

# --- Figures -----------------------------------------------------------------


@figure("groups-block")
def groups_block(session):
    return [
        Panel("W", session.written("hand", "W", (2, 4)), window=Box(1, 2)),
        r"\rightarrow",
        Panel(
            r"\bar W",
            session.printed("block", (4, 4)),
            result=Box(3, 2),
            inserted=~same_group(),
            tile=2,
        ),
    ]


@claim("groups-block")
def groups_block_claim(session, W, block):
    assert_array_equal(block[block.result], W[W.window])
    assert_array_equal(block[:2, :2], W[:, :2])
    assert_array_equal(block[2:, 2:], W[:, 2:])
    assert_array_equal(block.grey, np.kron(np.eye(2), np.ones((2, 2))) == 0)
    assert not block[block.grey].any()


@figure("groups-weights")
def groups_weights_figure(session):
    x = session.written("hand", "x", (2, 4))
    delta = session.written("hand", "delta", (2, 4))
    return [
        Panel(r"x^{\mathsf T}", x.T, window=Box(3, 0, 1, 2)),
        r"\cdot",
        Panel(r"\delta", delta, window=Box(0, 2, 2, 1)),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial \bar W}",
            session.printed("block", (4, 4), 1),
            result=Box(3, 2),
            rings=same_group(),
            tile=2,
        ),
    ]


@claim("groups-weights")
def groups_weights_claim(session, x, delta, dW):
    seen = np.sum(x[x.window].T * delta[delta.window])
    assert_allclose(dW[dW.result], seen, atol=ROUNDING)
    assert_allclose(dW, x @ delta)
    # Ringed is where the block kernel has its weights.
    assert_array_equal(dW.rings, session.printed("block") != 0)


def same_group():
    """Where channel and output belong to the same group."""
    group = np.arange(4) // 2
    return group[:, None] == group


# --- Checks ------------------------------------------------------------------


@check("groups-forward")
def groups_forward(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    arguments["stride"] = given_as(draw, case.stride)
    return forward(function, case, arguments | {"groups": case.groups})


@check("groups-input")
def groups_input(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    arguments = {"delta": case.delta, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    arguments |= {"size": case.size, "groups": case.groups}
    return of_input(function, case, arguments)


@check("groups-weights")
def groups_weights(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    return weights_of_kernel(function, draw, case, groups=case.groups)
