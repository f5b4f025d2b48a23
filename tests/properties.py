"""What each main equation must hold on cases drawn at random, by two oracles.

A check draws a case, calls the function and compares shape and type first (broadcasting
hides a missing axis), then the values with TensorFlow and with something that shares no
line with it: for a gradient the central difference of the loss, for a forward result
its definition, both in NumPy.

Shapes are drawn one by one, so that Hypothesis makes them as small as it can; the
values come from one seed. They are of order 1 and never 0 where 0 would hide a mistake,
and δ is random: with ones a flipped ∂ℓ/∂W passes.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

# Of the largest entry. The sums have some dozen terms of order 1, and both sides round
# each by 1e-16: 1e-14 together, 1e-13 where the result is as small as SCALE. A wrong
# term is of order 1e-2 or more.
EXACT = 1e-10
# A step of H leaves an error of H²/6 · ℓ''' ≈ 1e-9 (softmax; the other losses are
# linear along the step) and one of 1e-16 · |ℓ| / H ≈ 1e-10 from rounding.
SLOPE = 1e-6
H = 1e-4
# Where the right result is 0 or nearly (softmax of one class, every ReLU dead) its
# largest entry is no scale. Results that are not are larger than this.
SCALE = 1e-3

Check = Callable[[Callable, Callable], float]
CHECKS: dict[str, Check] = {}


def check(label: str) -> Callable[[Check], Check]:
    """Enter (function, draw) -> the largest relative error as the check of a label."""

    def enter(body: Check) -> Check:
        assert label not in CHECKS, label
        CHECKS[label] = body
        return body

    return enter


# --- What is drawn -----------------------------------------------------------


def generator(draw) -> np.random.Generator:
    """Drawn last: a failure is first made small in its shapes."""
    return np.random.default_rng(draw(st.integers(0, 2**16 - 1)))


def size(draw, most: int) -> int:
    return draw(st.integers(1, most))


def sizes(draw, most: int) -> tuple[int, int]:
    """Of a kernel or an image, not always square."""
    return size(draw, most), size(draw, most)


def values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of both signs, 0.1 to 2 in size."""
    return rng.uniform(0.1, 2, shape) * rng.choice([-1.0, 1.0], shape)


def before_relu(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Some entries are 0, the kink; the others lie far from it."""
    return values(rng, shape) * (rng.random(shape) > 0.15)


def classes(draw) -> tuple[int, ...]:
    """(..., C): none, one or two axes before the classes."""
    return (*draw(st.lists(st.integers(1, 3), max_size=2)), size(draw, 5))


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


def relu(z):
    return np.where(z > 0, z, 0)


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


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


# --- The comparison ----------------------------------------------------------


def call(function: Callable, case: dict):
    """The function's result; it must leave its arguments as they were."""
    for value in case.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    with np.errstate(all="ignore"):
        return function(*case.values())


def report(case: dict, what: str) -> AssertionError:
    """What is wrong, and the case in which it is."""
    lines = [what]
    for name, value in case.items():
        shape = f" {value.shape}" if np.ndim(value) else ""
        lines.append(f"{name}{shape} = {np.array2string(np.asarray(value))}")
    return AssertionError("\n".join(lines))


def compare(case: dict, mine, want, oracle: str) -> float:
    """The largest error relative to the largest entry; raises where it is too large."""
    want = np.asarray(want)
    if np.shape(mine) != want.shape:
        raise report(case, f"shape {np.shape(mine)}, {oracle} has {want.shape}")
    if np.asarray(mine).dtype != want.dtype:
        raise report(case, f"type {np.asarray(mine).dtype}, {oracle} has {want.dtype}")
    scale = max(np.max(np.abs(want)), SCALE)
    error = np.max(np.abs(mine - want)) / scale
    if not error <= EXACT:  # nan is no number below it
        raise report(case, f"off by {error:.1e}: {mine}\n{oracle} has {want}")
    return float(error)


def gradient(
    function: Callable,
    case: dict,
    variable: np.ndarray,
    upstream: np.ndarray,
    tf_forward: Callable,
    forward: Callable,
    rng: np.random.Generator,
    fixed: np.ndarray | bool = False,
) -> float:
    """Compare function(case) with the gradient of ℓ = Σ upstream · forward(variable).

    The direction of the difference is 0 where `fixed`: at kinks there is no slope, and
    only TensorFlow says what the value is.
    """
    mine = call(function, case)
    tensor = tf.constant(variable)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        output = tf_forward(tensor)
    want = tape.gradient(output, tensor, output_gradients=tf.constant(upstream))
    error = compare(case, mine, want.numpy(), "TensorFlow")

    direction = np.where(fixed, 0.0, values(rng, variable.shape))
    step = H * direction
    change = forward(variable + step) - forward(variable - step)
    slope = np.sum(upstream * change) / (2 * H)
    terms = mine * direction
    scale = max(np.sum(np.abs(terms)), SCALE)
    if not abs(np.sum(terms) - slope) <= SLOPE * scale:
        what = f"slope {np.sum(terms)}, by central difference {slope}: {mine}"
        raise report(case, f"{what}\nalong {direction}")
    return error


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


# --- For functions that should not pass --------------------------------------


def rejection(label: str, function: Callable, cases: int) -> Exception | None:
    """What the check has against a function, None where it passes all the cases.

    The cases are the same at every call, whatever Hypothesis' profile is.
    """

    @settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data):
        CHECKS[label](function, data.draw)

    try:
        run()
    except Exception as error:
        return error
    return None
