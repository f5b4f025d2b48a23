"""The checks of the results in snippets/convolution.md.

TensorFlow has no float64 gradient of a dilated or a grouped convolution on the CPU, so
its side is put together from what it has: tf.pad, zeros between the weights, one valid
convolution for each group. Its SAME is tried as it is.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from tests.properties.base import (
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    values,
)

Pair = tuple[int, int]
NO_PADDING = ((0, 0), (0, 0))


class Case(NamedTuple):
    """A convolution and its arrays; stride and dilation are pairs."""

    x: np.ndarray
    W: np.ndarray
    b: np.ndarray
    delta: np.ndarray
    stride: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair
    groups: int
    rng: np.random.Generator

    @property
    def kernel(self) -> Pair:
        return self.W.shape[:2]

    @property
    def size(self) -> Pair:
        return self.x.shape[1:3]

    @property
    def settings(self) -> tuple:
        return self.stride, self.padding, self.dilation, self.groups


def two(draw, least: int, most: int) -> Pair:
    """For rows and columns, mostly not the same."""
    return draw(st.integers(least, most)), draw(st.integers(least, most))


def convolution(
    draw, *, stride=True, leftover=False, padding=False, dilation=False, groups=False
) -> Case:
    """A case with what is asked for drawn, too; without padding it is built from O."""
    stride = two(draw, 1, 4) if stride else (1, 1)
    kernel, output = two(draw, 1, 3), two(draw, 1, 3)
    spacing = two(draw, 1, 3) if dilation else (1, 1)
    parts = size(draw, 3) if groups else 1
    inputs, outputs = parts * size(draw, 2), parts * size(draw, 2)
    examples = size(draw, 2)
    padded, around = [], []
    for s, k, o, d in zip(stride, kernel, output, spacing, strict=True):
        rest = draw(st.integers(0, s - 1)) if leftover else 0
        padded.append(s * (o - 1) + d * (k - 1) + 1 + rest)
        # Not so much that nothing is left of the input itself.
        before = draw(st.integers(0, min(3, padded[-1] - 1))) if padding else 0
        after = draw(st.integers(0, min(3, padded[-1] - 1 - before))) if padding else 0
        around.append((before, after))
    rows, columns = (h - sum(p) for h, p in zip(padded, around, strict=True))
    rng = generator(draw)
    return Case(
        values(rng, (examples, rows, columns, inputs)),
        values(rng, (*kernel, inputs // parts, outputs)),
        values(rng, (outputs,)),
        values(rng, (examples, *output, outputs)),
        stride,
        tuple(around),
        spacing,
        parts,
        rng,
    )


def given_as(draw, both: Pair) -> int | Pair:
    """What the function is handed: where the two are equal also an int."""
    return both[0] if both[0] == both[1] and draw(st.booleans()) else both


# --- Forward passes, twice ---------------------------------------------------


def spread(W, dilation):
    """The kernel with the zeros between its weights, by a product with 0 and 1."""
    for axis, d in enumerate(dilation):
        k = W.shape[axis]
        places = np.zeros((d * (k - 1) + 1, k))
        places[d * np.arange(k), np.arange(k)] = 1
        W = tf.tensordot(places, W, [[1], [axis]])  # the new axis comes first
        W = tf.transpose(W, [*range(1, axis + 1), 0, *range(axis + 1, len(W.shape))])
    return W


def tf_convolve(x, W, stride, padding, dilation, groups):
    padded = tf.pad(x, [(0, 0), *padding, (0, 0)])
    both = tf.split(padded, groups, -1), tf.split(spread(W, dilation), groups, -1)
    parts = zip(*both, strict=True)
    steps = (1, *stride, 1)
    return tf.concat([tf.nn.conv2d(*part, steps, "VALID") for part in parts], -1)


def convolve(x, W, stride, padding, dilation, groups):
    """Weight by weight, each beside every S-th entry of the padded input."""
    padded = np.pad(x, [(0, 0), *padding, (0, 0)])
    *kernel, c, f = W.shape
    lengths = [
        (h - d * (n - 1) - 1) // s + 1
        for h, n, s, d in zip(padded.shape[1:3], kernel, stride, dilation, strict=True)
    ]
    z = np.zeros((len(x), *lengths, f))
    for n, i, j, o in np.ndindex(*z.shape):
        first = o // (f // groups) * c  # the first input channel of o's group
        for u, v in np.ndindex(*kernel):
            row, column = (
                stride[0] * i + dilation[0] * u,
                stride[1] * j + dilation[1] * v,
            )
            seen = padded[n, row, column, first : first + c]
            z[n, i, j, o] += np.dot(seen, W[u, v, :, o])
    return z


# --- What every page's results have in common --------------------------------


def forward(function, case: Case, arguments: dict) -> float:
    settings = case.settings
    mine = call(function, arguments)
    right = tf_convolve(case.x, case.W, *settings) + case.b
    definition = convolve(case.x, case.W, *settings) + case.b
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition, "the definition"),
    )


def of_input(function, case: Case, arguments: dict) -> float:
    return gradient(
        function,
        arguments,
        case.x,
        case.delta,
        lambda x: tf_convolve(x, case.W, *case.settings),
        lambda x: convolve(x, case.W, *case.settings),
        case.rng,
    )


def of_weights(function, case: Case, arguments: dict) -> float:
    return gradient(
        function,
        arguments,
        case.W,
        case.delta,
        lambda W: tf_convolve(case.x, W, *case.settings),
        lambda W: convolve(case.x, W, *case.settings),
        case.rng,
    )


def of_bias(function, case: Case, arguments: dict) -> float:
    z = values(case.rng, case.delta.shape)
    return gradient(
        function,
        arguments,
        case.b,
        case.delta,
        lambda b: z + b,
        lambda b: z + b,
        case.rng,
    )


# --- Channels and batch ------------------------------------------------------


@check("channels-forward")
def channels_forward(function, draw):
    case = convolution(draw, leftover=True)
    stride = given_as(draw, case.stride)
    return forward(
        function, case, {"x": case.x, "W": case.W, "b": case.b, "stride": stride}
    )


@check("channels-input")
def channels_input(function, draw):
    case = convolution(draw)
    stride = given_as(draw, case.stride)
    return of_input(
        function, case, {"delta": case.delta, "W": case.W, "stride": stride}
    )


@check("channels-weights")
def channels_weights(function, draw):
    return weights_of_kernel(function, draw, convolution(draw, leftover=True))


@check("channels-bias")
def channels_bias(function, draw):
    case = convolution(draw)
    return of_bias(function, case, {"delta": case.delta})


def weights_of_kernel(function, draw, case: Case, **more):
    arguments = {"x": case.x, "delta": case.delta, "kernel": case.kernel}
    arguments["stride"] = given_as(draw, case.stride)
    return of_weights(function, case, arguments | more)


def input_of_size(function, draw, case: Case, **more):
    arguments = {"delta": case.delta, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    return of_input(function, case, arguments | more | {"size": case.size})


# --- Leftover rows, padding, dilation, groups --------------------------------


@check("leftover-input")
def leftover_input(function, draw):
    return input_of_size(function, draw, convolution(draw, leftover=True))


@check("leftover-weights")
def leftover_weights(function, draw):
    return weights_of_kernel(function, draw, convolution(draw, leftover=True))


@check("same-forward")
def same_forward(function, draw):
    """The kernel may be larger than the input."""
    case = convolution(draw, leftover=True, padding=True)
    stride = given_as(draw, case.stride)
    arguments = {"x": case.x, "W": case.W, "b": case.b, "stride": stride}
    around = same(case.size, case.kernel, case.stride)
    definition = convolve(case.x, case.W, case.stride, around, (1, 1), 1) + case.b
    right = tf.nn.conv2d(case.x, case.W, (1, *case.stride, 1), "SAME") + case.b
    mine = call(function, arguments)
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition, "the definition"),
    )


def same(size: Pair, extent: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Zeros around for ⌈H / S⌉ outputs, the odd one at the end."""
    sizes = zip(size, extent, stride, strict=True)
    totals = [max((-(-h // s) - 1) * s + k - h, 0) for h, k, s in sizes]
    return tuple((total // 2, total - total // 2) for total in totals)


@check("padding-input")
def padding_input(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return input_of_size(function, draw, case, padding=case.padding)


@check("padding-weights")
def padding_weights(function, draw):
    case = convolution(draw, leftover=True, padding=True)
    return weights_of_kernel(function, draw, case, padding=case.padding)


@check("dilation-forward")
def dilation_forward(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    arguments["stride"] = given_as(draw, case.stride)
    arguments["dilation"] = given_as(draw, case.dilation)
    return forward(function, case, arguments)


@check("dilation-input")
def dilation_input(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    return input_of_size(function, draw, case, dilation=given_as(draw, case.dilation))


@check("dilation-weights")
def dilation_weights(function, draw):
    case = convolution(draw, leftover=True, dilation=True)
    return weights_of_kernel(
        function, draw, case, dilation=given_as(draw, case.dilation)
    )


@check("groups-forward")
def groups_forward(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    arguments["stride"] = given_as(draw, case.stride)
    return forward(function, case, arguments | {"groups": case.groups})


@check("groups-input")
def groups_input(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    arguments = {"delta": case.delta, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    arguments |= {"size": case.size, "groups": case.groups}
    return of_input(function, case, arguments)


@check("groups-weights")
def groups_weights(function, draw):
    case = convolution(draw, leftover=True, groups=True)
    return weights_of_kernel(function, draw, case, groups=case.groups)


# --- The whole layer, readable and fast --------------------------------------


def whole_layer(draw) -> tuple[Case, dict]:
    """A case with everything, and what the layer is handed beside its arrays."""
    given = min(draw(st.integers(0, 9)), 4)  # the settings after that: the defaults
    words = ["valid", "same", "pairs"] if given > 1 else ["valid"]
    padding = draw(st.sampled_from(words))
    case = convolution(
        draw,
        stride=given > 0,
        leftover=True,
        padding=padding != "valid",
        dilation=given > 2,
        groups=given > 3,
    )
    if padding == "pairs":
        padding = case.padding
    elif padding == "same":  # then the output is what it comes to
        both = zip(case.dilation, case.kernel, strict=True)
        extent = tuple(d * (k - 1) + 1 for d, k in both)
        around = same(case.size, extent, case.stride)
        sizes = zip(case.size, case.stride, strict=True)
        output = [-(-h // s) for h, s in sizes]
        delta = values(case.rng, (len(case.x), *output, case.W.shape[3]))
        case = case._replace(padding=around, delta=delta)
    settings = {"stride": given_as(draw, case.stride), "padding": padding}
    settings["dilation"] = given_as(draw, case.dilation)
    settings["groups"] = case.groups
    return case, dict(list(settings.items())[:given])


@check("layer-forward")
@check("im2col-forward")
def layer_forward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    return forward(function, case, arguments | settings)


@check("layer-backward")
@check("im2col-backward")
def layer_backward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"delta": case.delta, "x": case.x, "W": case.W} | settings

    def part(number: int):
        return lambda *arrays: function(*arrays)[number]

    return max(
        of_input(part(0), case, arguments),
        of_weights(part(1), case, arguments),
        of_bias(part(2), case, arguments),
    )


# --- The transposed convolution ----------------------------------------------


def tf_transposed(x, W, stride, padding, size):
    """TensorFlow's own, valid and with every leftover row; then cropped."""
    (top, bottom), (left, right) = padding
    whole = (x.shape[0], size[0] + top + bottom, size[1] + left + right, W.shape[2])
    y = tf.nn.conv2d_transpose(x, W, whole, (1, *stride, 1), "VALID")
    return y[:, top : top + size[0], left : left + size[1]]


def transposed(x, W, stride, padding, size):
    """Entry by entry: each lays its kernel, what falls outside is dropped."""
    y = np.zeros((len(x), *size, W.shape[2]))
    (top, _), (left, _) = padding
    for n, i, j, f in np.ndindex(*x.shape):
        for u, v in np.ndindex(*W.shape[:2]):
            row, column = stride[0] * i + u - top, stride[1] * j + v - left
            if 0 <= row < size[0] and 0 <= column < size[1]:
                y[n, row, column] += x[n, i, j, f] * W[u, v, :, f]
    return y


def turned_round(draw) -> tuple[Case, Pair]:
    """delta is the layer's input, x its upstream gradient; and the output padding."""
    case = convolution(draw, leftover=True, padding=True)
    reached = [
        s * (o - 1) + k
        for s, o, k in zip(case.stride, case.delta.shape[1:3], case.kernel, strict=True)
    ]
    sizes = zip(case.size, case.padding, reached, strict=True)
    return case, tuple(h + sum(p) - g for h, p, g in sizes)


@check("transposed-forward")
def transposed_forward(function, draw):
    case, more = turned_round(draw)
    b = values(case.rng, case.W.shape[2:3])
    arguments = {"x": case.delta, "W": case.W, "b": b}
    arguments["stride"] = given_as(draw, case.stride)
    arguments |= {"padding": case.padding, "output_padding": more}
    mine = call(function, arguments)
    around = case.W, case.stride, case.padding, case.size
    return max(
        compare(arguments, mine, tf_transposed(case.delta, *around) + b, "TensorFlow"),
        compare(arguments, mine, transposed(case.delta, *around) + b, "the definition"),
    )


@check("transposed-input")
def transposed_input(function, draw):
    case, _ = turned_round(draw)
    arguments = {"delta": case.x, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    around = case.W, case.stride, case.padding, case.size
    return gradient(
        function,
        arguments | {"padding": case.padding},
        case.delta,
        case.x,
        lambda x: tf_transposed(x, *around),
        lambda x: transposed(x, *around),
        case.rng,
    )


@check("transposed-weights")
def transposed_weights(function, draw):
    case, _ = turned_round(draw)
    arguments = {"x": case.delta, "delta": case.x, "kernel": case.kernel}
    arguments["stride"] = given_as(draw, case.stride)
    around = case.stride, case.padding, case.size
    return gradient(
        function,
        arguments | {"padding": case.padding},
        case.W,
        case.x,
        lambda W: tf_transposed(case.delta, W, *around),
        lambda W: transposed(case.delta, W, *around),
        case.rng,
    )


# --- One, two and three dimensions -------------------------------------------

TF_CONV = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}


def tf_convolve_nd(x, W, stride, dilation):
    d = len(dilation)
    steps = stride[0] if d == 1 else (1, *stride, 1)
    return TF_CONV[d](x, spread(W, dilation), steps, "VALID")


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
