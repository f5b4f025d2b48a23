"""Figures and checks of docs/*/convolution/groups.md. C = F = 4, G = 2."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, of_nothing
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    adding,
    blocks,
    convolution,
    forward,
    given_as,
    nhwc,
    of_input,
    valid,
    weights_of_kernel,
)

# Changes after which the page says the same, and why.
SAME = {
    (
        "#exercise-relu-between",
        r"\frac{\partial \ell}{\partial z} = (\delta V^{\mathsf T}) \odot [z > 0]",
        r"\frac{\partial \ell}{\partial z} = (\delta V^{\mathsf T}) \odot [z \ge  "
        "0]",
    ): "no entry of z is 0",
}

# --- Figures -----------------------------------------------------------------


@figure("groups-block")
def groups_block(session):
    return [
        Panel("W", session.written("hand", "hand_W", (2, 4)), window=Box(1, 2)),
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
    x = session.written("hand", "hand_x", (2, 4))
    delta = session.written("hand", "hand_delta", (2, 4))
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
    arguments["groups"] = case.groups
    x, W, *rest = arguments.values()  # b may be 0, for none
    of_nothing(lambda *arrays: function(*arrays, *rest), (x, W))
    return forward(function, case, arguments)


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


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    yield nhwc(2, (3, 3), (2, 1), 4, 6, G=2)
    yield nhwc(2, (3, 4), (1, 2), 6, 3, S=2, G=3)
    yield nhwc(2, (5, 3), (1, 2), 4, 4, S=3, G=2)  # r is 1 and 1


@worlds("by-hand")
def by_hand(given):
    yield World(sizes={name: given[name] for name in ("x", "W", "delta")})


@worlds("depthwise")
def depthwise():
    """A group for each channel; k counts its m outputs."""
    for size, kernel, C, m, S in (
        ((3, 3), (2, 1), 2, 3, 1),
        ((4, 5), (1, 2), 3, 2, 2),
        ((5, 3), (2, 2), 2, 2, 3),
    ):
        world = nhwc(2, size, kernel, C, C * m, S, G=C)
        yield replace(adding(world, {"m": m}), ranges={**world.ranges, "k": m})


@worlds("pointwise")
def pointwise():
    for shape, F in ((2, 3, 2, 4), 3), ((3, 2, 2, 2), 4), ((2, 1, 3, 3), 2):
        *_, C = shape
        yield World(
            given={
                "a": drawn(1, *shape).reshape(-1, C),
                "W": drawn(2, C, F),
                "b": drawn(3, F),
            },
            forward={"z": lambda v, shape=shape: by_places(v, shape)},
        )


def by_places(v, shape):
    """The convolution with a kernel of one place, a row for each place."""
    z = valid(v["a"].reshape(shape), v["W"][None, None]) + v["b"]
    return z.reshape(-1, z.shape[-1])


@worlds("exercise-two-each")
def two_each():
    W = np.array([[[1, -1, 3, 0]], [[2, 1, 0, -2]]], float)
    delta = np.array([[[1, 2, -1, 0.5], [0, 1, 2, 1]]])
    world = nhwc(1, (3,), (2,), 2, 4, G=2, W=W, delta=delta)
    yield replace(world, axes={"x": {2: (1, 2)}})


@worlds("exercise-relu-between")
def relu_between():
    """A row for each place; z is what the depthwise layer gives."""
    for places, middle, F in (3, 4, 2), (5, 2, 3), (2, 3, 4):
        yield World(
            given={
                "z": drawn(1, places, middle),
                "V": drawn(2, middle, F),
                "delta": drawn(3, places, F),
            },
            forward={"y": lambda v: np.maximum(v["z"], 0) @ v["V"]},
        )


@worlds("exercise-tied")
def tied():
    for size, kernel, C in (
        ((3, 3), (2, 1), 2),
        ((2, 4), (2, 2), 3),
        ((4, 2), (3, 2), 2),
    ):
        world = nhwc(2, size, kernel, C, C, G=C)
        yield replace(
            world,
            given={
                "x": world.given["x"],
                "w": drawn(9, *kernel),
                "delta": world.given["delta"],
            },
            forward={
                "W": lambda v, C=C: np.repeat(v["w"][..., None, None], C, -1),
                "z": lambda v, C=C: valid(v["x"], blocks(v["W"], C)),
            },
        )


@worlds("exercise-shuffle")
def shuffle():
    for C, G in (6, 2), (6, 3), (8, 2):
        x, delta = drawn(1, C), drawn(2, C)
        places = [c + C // G * g for c in range(C // G) for g in range(G)]
        yield World(
            sizes={"C": C, "G": G},
            given={"x": x, "delta": delta},
            forward={"y": lambda v, places=places: v["x"][places]},
            ranges={"gamma": G, "c": C // G},
        )
