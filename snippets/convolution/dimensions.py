"""Checks of docs/*/convolution/dimensions.md."""

from dataclasses import replace

import numpy as np

from book.checks import (
    call,
    check,
    compare,
    generator,
    gradient,
    in_any_form,
    not_finite,
    size,
    st,
    tf,
    values,
)
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    nhwc,
    poison,
    spread,
    valid,
    window_by_window,
)
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
        "conv_nd_input_gradient",
        "d = axes_of('W', W)",
        "d = axes_of('W', delta)",
    ): "W and delta have the same number of axes",
    (
        "conv_nd_input_gradient",
        "delta = floats('delta', delta, *met.shape[:d + 1], W.shape[-1])",
        "delta = floats('delta', delta, *met.shape[:d + 1], delta.shape[-1])",
    ): "it refuses less; the product with W does it",
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

STEPS = "stride", "dilation"


def tf_convolve_nd(x, W, stride, dilation):
    d = len(dilation)
    convolve = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[d]
    steps = stride[0] if d == 1 else (1, *stride, 1)
    return convolve(x, spread(W, dilation), steps, "VALID")


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
    x, W, b, delta, *steps, rng = any_dimension(draw)
    case = {"x": x, "W": W, "b": b} | dict(zip(STEPS, steps, strict=True))
    mine = call(in_any_form(function, rng), case)
    far = poison(rng, x=x, W=W)
    z, _, _ = window_by_window(far["x"], far["W"], delta, *steps)
    not_finite(case | far, call(function, case | far), z + b)
    definition, _, _ = window_by_window(x, W, delta, *steps)
    return max(
        compare(case, mine, tf_convolve_nd(x, W, *steps) + b, "TensorFlow"),
        compare(case, mine, definition + b, "the definition"),
    )


@check("dimensions-input")
def dimensions_input(function, draw):
    x, W, _, delta, *steps, rng = any_dimension(draw)
    case = {"delta": delta, "W": W} | dict(zip(STEPS, steps, strict=True))
    case |= {"size": x.shape[1:-1]}
    far = poison(rng, delta=delta, W=W)
    _, dx, _ = window_by_window(x, far["W"], far["delta"], *steps)
    not_finite(case | far, call(function, case | far), dx)
    return gradient(
        in_any_form(function, rng),
        case,
        x,
        delta,
        lambda x: tf_convolve_nd(x, W, *steps),
        lambda x: window_by_window(x, W, delta, *steps)[0],
        rng,
    )


@check("dimensions-weights")
def dimensions_weights(function, draw):
    x, W, _, delta, *steps, rng = any_dimension(draw)
    case = {"x": x, "delta": delta, "kernel": W.shape[:-2]}
    case |= dict(zip(STEPS, steps, strict=True))
    far = poison(rng, x=x, delta=delta)
    _, _, dW = window_by_window(far["x"], W, far["delta"], *steps)
    not_finite(case | far, call(function, case | far), dW)
    return gradient(
        in_any_form(function, rng),
        case,
        W,
        delta,
        lambda W: tf_convolve_nd(x, W, *steps),
        lambda W: window_by_window(x, W, delta, *steps)[0],
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
