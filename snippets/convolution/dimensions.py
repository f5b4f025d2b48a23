"""Checks of docs/*/convolution/dimensions.md."""

from dataclasses import replace

import numpy as np

from book.checks import call, check, compare, generator, gradient, size, st, tf, values
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import nhwc, spread, valid
from snippets.convolution.leftover import alone, row

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "three": {
        "4 5": "= [3 + 1, 6 - 1]",
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


# --- Checks ------------------------------------------------------------------


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
