"""Figures and checks of docs/*/convolution/causal.md."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, gradient, size, tf, values
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate
from snippets.convolution.channels import adding, nhwc
from snippets.convolution.dilation import field
from snippets.convolution.dimensions import tf_convolve_nd
from snippets.convolution.leftover import row

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "leak": {
        "4 4": "= [*np.flatnonzero((tomorrow - x)[0, :, 0])[:1]] * 2",
    },
    "stack": {
        "4 8 16 15": "= [2**2, 2**3, 2**4, 2**4 - 1]",
    },
    "exercise-causal-stride": {
        "5 7": "steps between the windows named before, and behind them",
    },
}


# --- Figures -----------------------------------------------------------------


@figure("causal-forward")
def causal_forward_figure(session):
    t = 2
    history = session.written("hand", "history", (1, 5))
    return [
        Panel(
            r"\tilde x",
            np.pad(history, [(0, 0), (2, 0)]),
            window=Box(0, t, 1, 3),
            inserted=np.arange(7)[None] < 2,
        ),
        r"\star",
        Panel(r"W_{\uparrow 2}", session.written("hand", "spread", (1, 3))),
        "=",
        Panel("z", session.printed("hand", (1, 5)), result=Box(0, t)),
    ]


@claim("causal-forward")
def causal_forward_claim(session, x, W, z):
    assert_array_equal(x.grey, np.pad(np.ones((1, 5)), [(0, 0), (2, 0)]) == 0)
    assert not x[x.grey].any()
    assert_allclose(z[z.result], np.sum(x[x.window] * W), atol=ROUNDING)
    assert_allclose(z, correlate(x, W), atol=ROUNDING)


@figure("causal-input")
def causal_input_figure(session):
    t = 2
    delta = session.written("hand", "history_delta", (1, 5))
    spread = session.written("hand", "spread", (1, 3))
    return [
        Panel(
            r"\delta^{\mathrm{pad}}",
            np.pad(delta, [(0, 0), (0, 2)]),
            window=Box(0, t, 1, 3),
            inserted=np.arange(7)[None] > 4,
        ),
        r"\star",
        Panel(r"W'_{\uparrow 2}", spread[:, ::-1]),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("hand", (1, 5), 1),
            result=Box(0, t),
        ),
    ]


@claim("causal-input")
def causal_input_claim(session, delta, turned, dx):
    assert_array_equal(delta.grey, np.pad(np.ones((1, 5)), [(0, 0), (0, 2)]) == 0)
    assert not delta[delta.grey].any()
    assert_array_equal(turned[0, ::-1], session.written("hand", "spread"))
    assert_allclose(dx[dx.result], np.sum(delta[delta.window] * turned), atol=ROUNDING)
    assert_allclose(dx, correlate(delta, turned), atol=ROUNDING)


# --- Checks ------------------------------------------------------------------


def sequence(draw):
    """x (N, T, C), W (K, C, F), delta (N, T, F), dilation."""
    n, t, k, c, f = (size(draw, most) for most in (2, 6, 3, 2, 2))
    dilation = size(draw, 3)
    rng = generator(draw)
    x, W, delta = (values(rng, shape) for shape in [(n, t, c), (k, c, f), (n, t, f)])
    return x, W, delta, dilation, rng


def tf_causal(x, W, dilation):
    before = tf.pad(x, [(0, 0), (dilation * (W.shape[0] - 1), 0), (0, 0)])
    return tf_convolve_nd(before, W, [1], [dilation])


def causal(x, W, dilation):
    """z[t] from x[t], x[t - D], …, as far as there are any."""
    z = np.zeros((*x.shape[:2], W.shape[2]))
    for t in range(x.shape[1]):
        for back in range(len(W)):
            if t >= dilation * back:
                z[:, t] += x[:, t - dilation * back] @ W[len(W) - 1 - back]
    return z


@check("causal-forward")
def causal_forward(function, draw):
    x, W, _, dilation, rng = sequence(draw)
    b = values(rng, W.shape[2:])
    case = {"x": x, "W": W, "b": b, "dilation": dilation}
    mine = call(function, case)
    # Keras' own causal padding.
    keras = tf.keras.ops.conv(
        tf.pad(x, [(0, 0), (dilation * (len(W) - 1), 0), (0, 0)]),
        W,
        padding="valid",
        dilation_rate=dilation,
    )
    return max(
        compare(case, mine, keras + b, "TensorFlow"),
        compare(case, mine, causal(x, W, dilation) + b, "the definition"),
    )


@check("causal-input")
def causal_input(function, draw):
    x, W, delta, dilation, rng = sequence(draw)
    return gradient(
        function,
        {"delta": delta, "W": W, "dilation": dilation},
        x,
        delta,
        lambda x: tf_causal(x, W, dilation),
        lambda x: causal(x, W, dilation),
        rng,
    )


@check("causal-weights")
def causal_weights(function, draw):
    x, W, delta, dilation, rng = sequence(draw)
    return gradient(
        function,
        {"x": x, "delta": delta, "kernel": len(W), "dilation": dilation},
        W,
        delta,
        lambda W: tf_causal(x, W, dilation),
        lambda W: causal(x, W, dilation),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def causal_symbols():
    yield in_time(2, 5, 2, 2, 3, D=2)
    yield in_time(3, 4, 3, 3, 2, D=1)
    yield in_time(2, 7, 3, 2, 2, D=3)


@worlds("exercise-causal-stride")
def causal_stride():
    yield in_time(2, 6, 3, 2, 3, S=2, D=1)
    yield in_time(2, 8, 2, 3, 2, S=3, D=2)
    yield in_time(3, 5, 2, 2, 2, S=1, D=3)


def in_time(N, T, K, C, F, S=1, D=1) -> World:
    """All padding is in front; x and delta are 0 before the first step and after T."""
    P = D * (K - 1)
    world = nhwc(N, (T,), (K,), C, F, S, D, padding=((P, 0),))
    return replace(
        adding(world, {"T": T, "P": P}),
        zero={"x", "delta"},
        arguments={**world.arguments, "kernel": "K", "dilation": "D"},
    )


@worlds("by-hand")
def causal_hand(given):
    yield row(given | {"b": 0.0}, D=2, padding=((2, 0),))


@worlds("exercise-history")
def history(given):
    yield row(given | {"b": 0.0, "w": drawn(1, 3)}, padding=((2, 0),))


@worlds("stack")
def stack():
    for K, *D in (2, 1, 2, 4, 8), (3, 1, 3, 2), (4, 5, 1):
        R = field([(K, 1, d) for d in D])
        yield World(sizes={"K": K, "L": len(D), "R": R, "D": np.array([np.nan, *D])})


@worlds("exercise-decay")
def decay():
    for T, alpha in (4, 0.6), (5, -1.3), (2, 0.8):
        yield World(
            sizes={"T": T},
            given={"x": drawn(1, T), "alpha": np.array(alpha), "delta": drawn(2, T)},
            forward={"z": lambda v: remembered(v["x"], v["alpha"])},
        )


def remembered(x, alpha):
    z = []
    for entry in x:
        z.append(entry + alpha * z[-1] if z else entry)
    return np.array(z)
