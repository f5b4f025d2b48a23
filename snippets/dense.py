"""Checks of docs/*/dense.md."""

import numpy as np

from book.checks import before_relu, check, generator, gradient, relu, size, tf, values

# The mutants of the session's functions that compute the same, and why.
SAME = {
    (
        "relu_prime",
        "return (z > 0).astype(z.dtype)",
        "return z > 0",
    ): "float64 times bool is float64",
}


def dense_case(draw):
    """a (N, I), W (I, J), b (J,), delta (N, J), z (N, I) of the layer below."""
    rows, inputs, outputs = size(draw, 4), size(draw, 4), size(draw, 4)
    rng = generator(draw)
    a, W, b = (values(rng, s) for s in [(rows, inputs), (inputs, outputs), (outputs,)])
    return a, W, b, values(rng, (rows, outputs)), before_relu(rng, (rows, inputs)), rng


@check("dense-delta")
def dense_delta(function, draw):
    _, W, _, delta, z, rng = dense_case(draw)
    return gradient(
        function,
        {"delta": delta, "W": W, "z": z},
        z,
        delta,
        lambda z: tf.nn.relu(z) @ W,
        lambda z: np.einsum("ni,ij->nj", relu(z), W),
        rng,
        z == 0,
    )


@check("dense-weights")
def dense_weights(function, draw):
    a, W, b, delta, _, rng = dense_case(draw)
    return gradient(
        function,
        {"a": a, "delta": delta},
        W,
        delta,
        lambda W: a @ W + b,
        lambda W: np.einsum("ni,ij->nj", a, W) + b,
        rng,
    )


@check("dense-bias")
def dense_bias(function, draw):
    a, W, b, delta, _, rng = dense_case(draw)
    return gradient(
        function,
        {"delta": delta},
        b,
        delta,
        lambda b: a @ W + b,
        lambda b: np.einsum("ni,ij->nj", a, W) + b,
        rng,
    )
