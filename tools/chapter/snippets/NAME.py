"""Figure and check of docs/*/NAME.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, sizes, values
from book.figures import ROUNDING, Box, Panel, claim, figure


@figure("LABEL-input")
def scaled(session):
    dl_dx = session.printed("by-hand", (2, 2))
    return [
        Panel(r"\delta", session.written("by-hand", "delta", (2, 2)), window=Box(1, 0)),
        r"\xrightarrow{\,s\,}",
        Panel(r"\tfrac{\partial \ell}{\partial x}", dl_dx, result=Box(1, 0)),
    ]


@claim("LABEL-input")
def scaled_claim(session, delta, dl_dx):
    assert dl_dx.result == delta.window
    assert_allclose(dl_dx, 3 * delta, atol=ROUNDING)


@check("LABEL-weight")
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
