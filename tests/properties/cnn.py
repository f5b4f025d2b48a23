"""The checks of the results in snippets/cnn.md."""

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from tests.properties.base import (
    before_relu,
    call,
    check,
    compare,
    generator,
    gradient,
    relu,
    size,
    sizes,
    values,
)

# --- What is drawn -----------------------------------------------------------


def windows(draw) -> tuple[tuple, tuple, tuple, int]:
    """Kernel, output, leftover rows and columns, stride."""
    stride = size(draw, 4)
    kernel, output = sizes(draw, 3), sizes(draw, 3)
    leftover = tuple(draw(st.integers(0, stride - 1)) for _ in range(2))
    return kernel, output, leftover, stride


def covered(kernel: tuple, output: tuple, stride: int) -> tuple[int, int]:
    """The size of an input with r = 0."""
    return tuple(stride * (o - 1) + k for k, o in zip(kernel, output, strict=True))


# --- Forward passes, twice ---------------------------------------------------


def correlate(x, W, stride):
    return np.einsum(
        "ijuv,uv->ij", sliding_window_view(x, W.shape)[::stride, ::stride], W
    )


def tiles(a, size):
    """(H, H') -> (H / size, H' / size, size · size), the leftover cut off."""
    rows, columns = a.shape[0] // size, a.shape[1] // size
    cut = a[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return cut.transpose(0, 2, 1, 3).reshape(rows, columns, size * size)


def tf_correlate(x, W, stride):
    image = tf.reshape(x, (1, *x.shape, 1))
    kernel = tf.reshape(W, (*W.shape, 1, 1))
    z = tf.nn.conv2d(image, kernel, strides=stride, padding="VALID")
    return tf.reshape(z, z.shape[1:3])


def tf_max_pool(a, size):
    image = tf.reshape(a, (1, *a.shape, 1))
    z = tf.nn.max_pool2d(image, size, strides=size, padding="VALID")
    return tf.reshape(z, z.shape[1:3])


# --- Convolution and pooling -------------------------------------------------


@check("conv-forward")
def conv_forward(function, draw):
    kernel, output, leftover, stride = windows(draw)
    b_shape = draw(st.sampled_from([(), (1,)]))
    rng = generator(draw)
    x = values(rng, tuple(np.add(covered(kernel, output, stride), leftover)))
    W, b = values(rng, kernel), values(rng, b_shape)
    case = {"x": x, "W": W, "b": b, "stride": stride}
    mine = call(function, case)
    return max(
        compare(case, mine, tf_correlate(x, W, stride) + b, "TensorFlow"),
        compare(case, mine, correlate(x, W, stride) + b, "the definition"),
    )


@check("conv-delta")
def conv_delta(function, draw):
    kernel, output = sizes(draw, 3), sizes(draw, 4)
    return convolution_delta(function, draw, kernel, output)


@check("conv-stride-delta")
def conv_stride_delta(function, draw):
    kernel, output, _, stride = windows(draw)
    return convolution_delta(function, draw, kernel, output, stride)


def convolution_delta(function, draw, kernel, output, *stride):
    rng = generator(draw)
    S = stride[0] if stride else 1
    delta, W = values(rng, output), values(rng, kernel)
    z = before_relu(rng, covered(kernel, output, S))
    return gradient(
        function,
        {"delta": delta, "W": W, "z": z} | ({"stride": S} if stride else {}),
        z,
        delta,
        lambda z: tf_correlate(tf.nn.relu(z), W, S),
        lambda z: correlate(relu(z), W, S),
        rng,
        z == 0,
    )


@check("conv-weights")
def conv_weights(function, draw):
    kernel, output, _, stride = windows(draw)
    rng = generator(draw)
    delta, W = values(rng, output), values(rng, kernel)
    x = values(rng, covered(kernel, output, stride))
    return gradient(
        function,
        {"x": x, "delta": delta, "stride": stride},
        W,
        delta,
        lambda W: tf_correlate(x, W, stride),
        lambda W: correlate(x, W, stride),
        rng,
    )


@check("conv-bias")
def conv_bias(function, draw):
    output = sizes(draw, 4)
    rng = generator(draw)
    delta, z = values(rng, output), values(rng, output)
    return gradient(
        function,
        {"delta": delta},
        values(rng, ()),
        delta,
        lambda b: z + b,
        lambda b: z + b,
        rng,
    )


def pool_case(draw):
    """The shape of an image, with leftover rows and columns, and the tile's size."""
    tile = size(draw, 3)
    rows, columns = sizes(draw, 3)
    leftover = [draw(st.integers(0, tile - 1)) for _ in range(2)]
    return (
        (rows, columns),
        (tile * rows + leftover[0], tile * columns + leftover[1]),
        tile,
    )


@check("max-pool-forward")
def max_pool_forward(function, draw):
    _, shape, tile = pool_case(draw)
    a = values(generator(draw), shape)
    case = {"a": a, "size": tile}
    mine = call(function, case)
    return max(
        compare(case, mine, tf_max_pool(a, tile), "TensorFlow"),
        compare(case, mine, tiles(a, tile).max(axis=-1), "the definition"),
    )


@check("max-pool-delta")
def max_pool_delta(function, draw):
    output, shape, tile = pool_case(draw)
    ties = draw(st.booleans())
    rng = generator(draw)
    # All different and not 0, at least 0.05 apart; or a few levels, 0 among them.
    count = np.prod(shape)
    z = rng.permutation(0.1 * (np.arange(count) - count // 2) + 0.05).reshape(shape)
    if ties:
        z = rng.integers(-2, 3, shape) / 2
    delta = values(rng, output)

    # Where two share the maximum, TensorFlow's choice is not a slope.
    top = np.kron(tiles(relu(z), tile).max(axis=-1), np.ones((tile, tile)))
    at_top = np.zeros(shape, dtype=bool)
    at_top[: top.shape[0], : top.shape[1]] = (
        relu(z)[: top.shape[0], : top.shape[1]] == top
    )
    return gradient(
        function,
        {"delta": delta, "z": z, "size": tile},
        z,
        delta,
        lambda z: tf_max_pool(tf.nn.relu(z), tile),
        lambda z: tiles(relu(z), tile).max(axis=-1),
        rng,
        at_top if ties else False,
    )
