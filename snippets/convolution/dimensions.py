"""Figures and checks of docs/*/convolution/dimensions.md."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, gradient, size, st, tf, values
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate
from snippets.convolution.channels import adding, nhwc, spread, valid
from snippets.convolution.dilation import field
from snippets.convolution.leftover import alone, row

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "three": {
        "4 5": "= [3 + 1, 6 - 1]",
    },
    "stack": {
        "4 8 16 15": "= [2**2, 2**3, 2**4, 2**4 - 1]",
    },
    "wrong-causal": {
        "4 4": "a step of the row",
    },
    "exercise-causal-stride": {
        "5 7": "steps between the windows named before, and behind them",
    },
}

LETTERS = "an index of a sum may have any letter"
# Changes after which the page says the same, and why.
SAME = {
    (
        "conv_nd",
        "d = x.ndim - 2",
        "d = W.ndim - 2",
    ): "x and W have the same number of axes",
    (
        "conv_nd",
        "out, inside = (OUT[:d], IN[:d])",
        "inside, out = (OUT[:d], IN[:d])",
    ): LETTERS,
    (
        "conv_nd",
        "out, inside = (OUT[:d], IN[:d])",
        "out, inside = (IN[:d], OUT[:d])",
    ): LETTERS,
    (
        "conv_nd_weight_gradient",
        "d = x.ndim - 2",
        "d = delta.ndim - 2",
    ): "x and delta have the same number of axes",
    (
        "conv_nd_weight_gradient",
        "out, inside = (OUT[:d], IN[:d])",
        "inside, out = (OUT[:d], IN[:d])",
    ): LETTERS,
    (
        "conv_nd_weight_gradient",
        "out, inside = (OUT[:d], IN[:d])",
        "out, inside = (IN[:d], OUT[:d])",
    ): LETTERS,
    (
        "#input",
        r"\frac{\partial \ell}{\partial x_{m,p,c}} &= \sum_{n,i,f} "
        r"\delta_{n,i,f}\, \frac{\partial z_{n,i,f}}{\partial x_{m,p,c}} \\",
        r"\frac{\partial \ell}{\partial x_{m,p,c}} &= \sum_{n,i,f} "
        r"\delta_{m,i,f}\, \frac{\partial z_{n,i,f}}{\partial x_{m,p,c}} \\",
    ): "m is n where the derivative is not 0",
}


# --- Figures -----------------------------------------------------------------


@figure("causal-forward")
def causal_forward_figure(session):
    t = 2
    history = session.written("causal-hand", "history", (1, 5))
    return [
        Panel(
            r"\tilde x",
            np.pad(history, [(0, 0), (2, 0)]),
            window=Box(0, t, 1, 3),
            inserted=np.arange(7)[None] < 2,
        ),
        r"\star",
        Panel(r"W_{\uparrow 2}", session.written("causal-hand", "spread", (1, 3))),
        "=",
        Panel("z", session.printed("causal-hand", (1, 5)), result=Box(0, t)),
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
    delta = session.written("causal-hand", "history_delta", (1, 5))
    spread = session.written("causal-hand", "spread", (1, 3))
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
            session.printed("causal-hand", (1, 5), 1),
            result=Box(0, t),
        ),
    ]


@claim("causal-input")
def causal_input_claim(session, delta, turned, dx):
    assert_array_equal(delta.grey, np.pad(np.ones((1, 5)), [(0, 0), (0, 2)]) == 0)
    assert not delta[delta.grey].any()
    assert_array_equal(turned[0, ::-1], session.written("causal-hand", "spread"))
    assert_allclose(dx[dx.result], np.sum(delta[delta.window] * turned), atol=ROUNDING)
    assert_allclose(dx, correlate(delta, turned), atol=ROUNDING)


# --- Checks: one, two and three dimensions -----------------------------------


def tf_convolve_nd(x, W, stride, dilation):
    d = len(dilation)
    convolve = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[d]
    steps = stride[0] if d == 1 else (1, *stride, 1)
    return convolve(x, spread(W, dilation), steps, "VALID")


def convolve_nd(x, W, stride, dilation):
    """Weight by weight, at any number of axes."""
    kernel = W.shape[:-2]
    sizes = zip(x.shape[1:-1], kernel, stride, dilation, strict=True)
    output = [(h - d * (k - 1) - 1) // s + 1 for h, k, s, d in sizes]
    z = np.zeros((len(x), *output, W.shape[-1]))
    for at in np.ndindex(*output):
        for offset in np.ndindex(*kernel):
            numbers = zip(stride, at, dilation, offset, strict=True)
            place = tuple(s * i + d * u for s, i, d, u in numbers)
            z[(slice(None), *at)] += x[(slice(None), *place)] @ W[offset]
    return z


def any_dimension(draw):
    """x, W, b, delta, stride, dilation in one, two or three dimensions."""
    d = size(draw, 3)
    stride, dilation, kernel, output = (
        tuple(size(draw, most) for _ in range(d)) for most in (3, 2, 2, 2)
    )
    rest = [draw(st.integers(0, s - 1)) for s in stride]
    examples, c, f = (size(draw, 2) for _ in range(3))
    numbers = zip(stride, output, dilation, kernel, rest, strict=True)
    lengths = [s * (o - 1) + e * (k - 1) + 1 + r for s, o, e, k, r in numbers]
    rng = generator(draw)
    shapes = (examples, *lengths, c), (*kernel, c, f), (f,), (examples, *output, f)
    return *(values(rng, shape) for shape in shapes), stride, dilation, rng


@check("dimensions-forward")
def dimensions_forward(function, draw):
    x, W, b, _, stride, dilation, _ = any_dimension(draw)
    case = {"x": x, "W": W, "b": b, "stride": stride, "dilation": dilation}
    mine = call(function, case)
    around = W, stride, dilation
    return max(
        compare(case, mine, tf_convolve_nd(x, *around) + b, "TensorFlow"),
        compare(case, mine, convolve_nd(x, *around) + b, "the definition"),
    )


@check("dimensions-input")
def dimensions_input(function, draw):
    x, W, _, delta, stride, dilation, rng = any_dimension(draw)
    case = {"delta": delta, "W": W, "stride": stride, "dilation": dilation}
    around = W, stride, dilation
    return gradient(
        function,
        case | {"size": x.shape[1:-1]},
        x,
        delta,
        lambda x: tf_convolve_nd(x, *around),
        lambda x: convolve_nd(x, *around),
        rng,
    )


@check("dimensions-weights")
def dimensions_weights(function, draw):
    x, W, _, delta, stride, dilation, rng = any_dimension(draw)
    case = {"x": x, "delta": delta, "kernel": W.shape[:-2]}
    return gradient(
        function,
        case | {"stride": stride, "dilation": dilation},
        W,
        delta,
        lambda W: tf_convolve_nd(x, W, stride, dilation),
        lambda W: convolve_nd(x, W, stride, dilation),
        rng,
    )


# --- Checks: causal ----------------------------------------------------------


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
def symbols():
    """One axis stands for any number of them."""
    for world in (
        nhwc(2, (8,), (3,), 2, 3, S=2, D=2),  # r is 1
        nhwc(3, (7,), (2,), 3, 2, S=1, D=3),
        nhwc(2, (9,), (3,), 2, 2, S=3, D=1),
    ):
        lists = {"stride": lambda v: [v["S"]], "dilation": lambda v: [v["D"]]}
        yield replace(world, arguments={**world.arguments, **lists})


@worlds("sequence")
def sequence_by_hand(given):
    yield row(given, D=2)


@worlds("causal")
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


@worlds("causal-hand")
def causal_hand(given):
    yield row(given | {"b": 0.0}, D=2, padding=((2, 0),))


@worlds("stack")
def stack():
    for K, *D in (2, 1, 2, 4, 8), (3, 1, 3, 2), (4, 5, 1):
        R = field([(K, 1, d) for d in D])
        yield World(sizes={"K": K, "L": len(D), "R": R, "D": np.array([np.nan, *D])})


@worlds("exercise-cube")
def cube(given):
    def layer(v):
        z = valid(v["x"][None, ..., None], v["W"][..., None, None])
        return z[0, 0, 0, :, 0]

    yield World(
        given={"x": drawn(1, 2, 2, 3), "W": given["cube_W"], "delta": given["delta"]},
        forward={"z": layer},
    )


@worlds("exercise-separable-kernel")
def separable_kernel():
    for (rows, columns), (K, L) in ((3, 2), (2, 3)), ((1, 4), (3, 2)), ((4, 2), (2, 2)):
        yield World(
            given={
                "x": drawn(1, rows + K - 1, columns + L - 1),
                "w": drawn(2, K),
                "w'": drawn(3, L),
                "delta": drawn(4, rows, columns),
            },
            forward={
                "W": lambda v: np.outer(v["w"], v["w'"]),
                "z": lambda v: alone(v["x"], v["W"], 1),
            },
        )


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
