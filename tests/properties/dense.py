"""The checks of the results in snippets/softmax.md and snippets/dense.md."""

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from tests.properties.base import (
    before_relu,
    call,
    check,
    compare,
    generator,
    gradient,
    relu,
    size,
    values,
)


def classes(draw) -> tuple[int, ...]:
    """(..., C): none, one or two axes before the classes."""
    return (*draw(st.lists(st.integers(1, 3), max_size=2)), size(draw, 5))


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


# --- Softmax and cross-entropy -----------------------------------------------


@check("softmax-jacobian")
def softmax_jacobian(function, draw):
    n = size(draw, 6)
    rng = generator(draw)
    z = values(rng, (n,))
    rows = np.tile(z, (n, 1))  # a_i of the i-th copy: its gradient is row i
    return gradient(
        function,
        {"a": softmax(z)},
        rows,
        np.eye(n),
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-vjp")
def softmax_vjp(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, g = values(rng, shape), values(rng, shape)
    return gradient(
        function,
        {"g": g, "a": softmax(z)},
        z,
        g,
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-cross-entropy")
def softmax_cross_entropy(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, y = values(rng, shape), np.abs(values(rng, shape))  # Σ y is not 1
    return gradient(
        function,
        {"a": softmax(z), "y": y},
        z,
        -y,
        lambda z: tf.math.log(tf.nn.softmax(z)),
        lambda z: np.log(softmax(z)),
        rng,
    )


@check("log-sum-exp")
def log_sum_exp(function, draw):
    shape = classes(draw)
    one_by_one = draw(st.booleans())
    rng = generator(draw)
    # exp(1000) is inf and exp(-1000) is 0. Whole rows far off have results of order 1;
    # entries far from each other have an a_i that is 0 in float64, its log is not.
    far = rng.choice([-1000.0, 0.0, 1000.0], shape if one_by_one else (*shape[:-1], 1))
    z = values(rng, shape) + far
    case = {"z": z}
    mine = call(function, case)
    log_sum = np.logaddexp.reduce(z, axis=-1, keepdims=True)
    return max(
        compare(case, mine, tf.nn.log_softmax(z), "TensorFlow"),
        compare(case, mine, z - log_sum, "the definition"),
    )


# --- Fully connected ---------------------------------------------------------


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
