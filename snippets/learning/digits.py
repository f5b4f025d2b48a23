"""Figure, check and symbols of docs/*/learning/digits.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, sizes, values
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds


@figure("learning-digits-input")
def scaled(session):
    dl_dx = session.printed("by-hand", (2, 2))
    return [
        Panel(r"\delta", session.written("by-hand", "delta", (2, 2)), window=Box(1, 0)),
        r"\xrightarrow{\,s\,}",
        Panel(r"\tfrac{\partial \ell}{\partial x}", dl_dx, result=Box(1, 0)),
    ]


@claim("learning-digits-input")
def scaled_claim(session, delta, dl_dx):
    assert dl_dx.result == delta.window
    assert_allclose(dl_dx, 3 * delta, atol=ROUNDING)


@check("learning-digits-weight")
def weight(function, draw):
    """x (N, I), s a number, delta (N, I)."""
    shape = sizes(draw, 4)
    rng = generator(draw)
    x, s, delta = values(rng, shape), np.array(values(rng, ())), values(rng, shape)
    return gradient(
        function,
        {"x": x, "delta": delta},
        s,
        delta,
        lambda s: s * x,
        lambda s: s * x,
        rng,
    )


@worlds()
def symbols():
    """In three settings of N and I; the formulas of the page must hold in each."""
    for examples, inputs in ((2, 3), (3, 2), (4, 5)):
        yield layer(
            drawn(1, examples, inputs), np.array(0.7), drawn(2, examples, inputs)
        )


@worlds("by-hand")
def by_hand(given):
    """With the numbers that the section gives."""
    yield layer(given["x"], given["s"], given["delta"])


def layer(x, s, delta):
    return World(
        given={"x": x, "s": s, "delta": delta},
        forward={"z": lambda v: v["s"] * v["x"]},
    )
