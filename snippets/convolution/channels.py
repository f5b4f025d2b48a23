"""Figures and checks of docs/*/convolution/channels.md, and what the checks of the
pages after it are made of.

TensorFlow has no float64 gradient of a dilated or a grouped convolution on the CPU, so
its side is put together from what it has: tf.pad, zeros between the weights, one valid
convolution for each group.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose

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
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.cnn.forward import correlate

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "example": {
        "5×4 3×2 4": "= [*x.shape[1:3], *W.shape[:2], 4]",
    },
    "cost": {
        "5": "= np.prod(x.shape[1:3]) / np.prod(delta.shape[1:3])",
    },
    "wrong-output": {
        "0.5 -1": "= b[:2]",
    },
    "exercise-shortcut": {
        "12 35": "= [shortcut_delta[0, ..., 0].size, shortcut_x[0, ..., 0].size]",
    },
}

Pair = tuple[int, int]

# Changes after which the page says the same, and why.
SAME = {
    (
        "windows",
        "def windows(x, kernel, stride=1):",
        "def windows(x, kernel, stride=2):",
    ): "every check passes the stride",
    (
        "windows",
        "def windows(x, kernel, stride=1):",
        "def windows(x, kernel, stride=0):",
    ): "every check passes the stride",
    (
        "#weights",
        r"\frac{\partial z_{n,i,j,f'}}{\partial b_f} &= [f' = f]",
        r"\frac{\partial z_{n,i,i,f'}}{\partial b_f} &= [f' = f]",
    ): "the derivative is the same at all places",
}


# --- Figures -----------------------------------------------------------------


@figure("channels")
def channels(session):
    stride, (i, j) = 2, (1, 0)
    window = Box(stride * i, stride * j, 3, 2)
    shapes = [(5, 4), (3, 2)] * 2 + [(2, 2)]
    x0, W0, x1, W1, z = (
        session.printed("arrays", shape, nth) for nth, shape in enumerate(shapes)
    )
    return [
        Panel("x_{0,0}", x0, window=window),
        r"\star",
        Panel("W_{0,1}", W0),
        "+",
        Panel("x_{0,1}", x1, window=window),
        r"\star",
        Panel("W_{1,1}", W1),
        rf"\xrightarrow[{{}}+b_{{1}}]{{S={stride}}}",
        Panel("z_{0,1}", z, result=Box(i, j)),
    ]


@claim("channels")
def channels_claim(session, x0, W0, x1, W1, z):
    b = session.written("arrays", "b")[1]
    assert x0.window == x1.window
    seen = np.sum(x0[x0.window] * W0) + np.sum(x1[x1.window] * W1)
    assert_allclose(z[z.result], seen + b, atol=ROUNDING)
    assert_allclose(z, correlate(x0, W0, 2) + correlate(x1, W1, 2) + b, atol=ROUNDING)


# --- What the checks draw ----------------------------------------------------


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
    kernel, output = two(draw, 1, 5), two(draw, 1, 3)
    spacing = two(draw, 1, 3) if dilation else (1, 1)
    parts = size(draw, 3) if groups else 1
    inputs, outputs = parts * size(draw, 2), parts * size(draw, 2)
    examples = size(draw, 3)
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


def window_by_window(x, W, delta, stride, dilation):
    """z, dx, dW over any number of axes: what a window reads, what is added to it.

    By einsum: BLAS leaves out a product with a zero, be the other factor infinite.
    """
    z, dx, dW = np.zeros(delta.shape), np.zeros(x.shape), np.zeros(W.shape)
    kernel = W.shape[:-2]
    for at in np.ndindex(*delta.shape[1:-1]):
        axes = zip(at, kernel, stride, dilation, strict=True)
        places = [slice(s * i, s * i + d * (k - 1) + 1, d) for i, k, s, d in axes]
        window, here = (slice(None), *places), (slice(None), *at)
        read, weights = x[window].reshape(len(x), -1), W.reshape(-1, W.shape[-1])
        z[here] = np.einsum("nk,kf->nf", read, weights)
        dx[window] += np.einsum("nf,...f->n...", delta[here], W)
        dW += np.einsum("n...,nf->...f", x[window], delta[here])
    return z, dx, dW


def definition(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z without b, dx and dW: padded, group by group, cropped."""
    padded = np.pad(case.x, [(0, 0), *case.padding, (0, 0)])
    arrays = (np.split(a, case.groups, -1) for a in (padded, case.W, case.delta))
    parts = [
        window_by_window(*part, case.stride, case.dilation)
        for part in zip(*arrays, strict=True)
    ]
    z, dx, dW = (np.concatenate(part, -1) for part in zip(*parts, strict=True))
    (top, _), (left, _) = case.padding
    return z, dx[:, top : top + case.size[0], left : left + case.size[1]], dW


def poison(rng: np.random.Generator, **arrays) -> dict[str, np.ndarray]:
    """One entry of one of them is no finite number."""
    name = rng.choice(list(arrays))
    array = arrays[name].copy()
    array.flat[rng.integers(array.size)] = rng.choice([np.inf, -np.inf, np.nan])
    return arrays | {str(name): array}


def poisoned(case: Case) -> Case:
    return case._replace(**poison(case.rng, x=case.x, W=case.W, delta=case.delta))


# --- What the results of all pages have in common ----------------------------


def forward(function, case: Case, arguments: dict) -> float:
    settings = case.settings
    mine = call(function, arguments)
    right = tf_convolve(case.x, case.W, *settings) + case.b
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition(case)[0] + case.b, "the definition"),
    )


def of_input(function, case: Case, arguments: dict) -> float:
    return gradient(
        function,
        arguments,
        case.x,
        case.delta,
        lambda x: tf_convolve(x, case.W, *case.settings),
        lambda x: definition(case._replace(x=x))[0],
        case.rng,
    )


def of_weights(function, case: Case, arguments: dict) -> float:
    return gradient(
        function,
        arguments,
        case.W,
        case.delta,
        lambda W: tf_convolve(case.x, W, *case.settings),
        lambda W: definition(case._replace(W=W))[0],
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


def weights_of_kernel(function, draw, case: Case, **more):
    arguments = {"x": case.x, "delta": case.delta, "kernel": case.kernel}
    arguments["stride"] = given_as(draw, case.stride)
    return of_weights(function, case, arguments | more)


def input_of_size(function, draw, case: Case, **more):
    arguments = {"delta": case.delta, "W": case.W}
    arguments["stride"] = given_as(draw, case.stride)
    return of_input(function, case, arguments | more | {"size": case.size})


# --- Checks ------------------------------------------------------------------


@check("channels-forward")
def channels_forward(function, draw):
    case = convolution(draw, leftover=True)
    given = {"b": case.b, "stride": given_as(draw, case.stride)}
    asked = in_any_form(function, case.rng)
    error = forward(asked, case, {"x": case.x, "W": case.W} | given)
    far = poisoned(case)
    arguments = {"x": far.x, "W": far.W} | given
    not_finite(arguments, call(function, arguments), definition(far)[0] + case.b)
    return error


@check("channels-input")
def channels_input(function, draw):
    case = convolution(draw)
    stride = given_as(draw, case.stride)
    asked = in_any_form(function, case.rng)
    return of_input(asked, case, {"delta": case.delta, "W": case.W, "stride": stride})


@check("channels-weights")
def channels_weights(function, draw):
    case = convolution(draw, leftover=True)
    error = weights_of_kernel(in_any_form(function, case.rng), draw, case)
    far = poisoned(case)
    arguments = {"x": far.x, "delta": far.delta, "kernel": case.kernel}
    arguments["stride"] = case.stride
    not_finite(arguments, call(function, arguments), definition(far)[2])
    return error


@check("channels-bias")
def channels_bias(function, draw):
    case = convolution(draw)
    return of_bias(in_any_form(function, case.rng), case, {"delta": case.delta})


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    fits = nhwc(2, (3, 3), (2, 1), 2, 3), nhwc(2, (3, 4), (1, 2), 2, 4, S=2)
    over = nhwc(2, (4, 5), (1, 1), 2, 3, S=3), nhwc(2, (5, 3), (2, 1), 3, 2, S=2)
    for world in *fits, *over:
        W, z = world.values["W"], world.values["z"]
        turned = W[::-1, ::-1].swapaxes(2, 3)
        yield adding(world, {"M": z.size * W[..., 0].size, "W'": turned})


@worlds("by-hand")
def by_hand(given):
    """One row everywhere; given are slices, with the column last."""
    x, W, delta = (np.moveaxis(given[name], -1, at) for name, at in HAND)
    yield nhwc(2, (3,), (2,), 2, 2, x=x, W=W, b=given["b"], delta=delta)


HAND = (("x", 1), ("W", 0), ("delta", 1))  # n,q,c; v,c,f; n,j,f


@worlds("exercise-pixels")
def pixels(given):
    x, delta = given["pixels_x"], given["pixels_delta"]
    yield nhwc(1, (1, 2), (1, 1), 2, 3, x=x, delta=delta)


@worlds("exercise-shortcut")
def shortcut():
    yield nhwc(2, (5, 7), (1, 1), 2, 3, S=2)
    yield nhwc(2, (4, 3), (1, 1), 3, 2, S=2)
    yield nhwc(3, (3, 6), (1, 1), 2, 2, S=2)


@worlds("exercise-gains")
def gains():
    fits = nhwc(2, (3, 3), (2, 1), 3, 2), nhwc(2, (3, 2), (1, 2), 2, 3, S=2)
    for world in *fits, nhwc(3, (4, 3), (1, 2), 2, 2, S=3):
        N, C = world.sizes["N"], world.sizes["C"]
        yield replace(
            world,
            given={**world.given, "s": drawn(9, N, C)},
            forward={
                "y": lambda v: v["s"][:, None, None] * v["x"],
                "z": lambda v: valid(v["y"], v["W"], v["S"]) + v["b"],
            },
        )


def adding(world: World, sizes: dict) -> World:
    """The same world, in which more symbols have values."""
    return replace(world, sizes={**world.sizes, **sizes})


PLACES = {1: "iup", 2: "ijuvpq"}  # in z, in W, in x


def nhwc(N, size, kernel, C, F, S=1, D=1, G=1, padding=None, **given) -> World:
    """The whole layer, for images with one or two axes of places.

    x is (N, *size, C), W (*kernel, C / G, F), given or drawn.
    """
    padding = padding or ((0, 0),) * len(size)
    sizes = {"N": N, "C": C, "F": F, "S": S, "D": D, "G": G}
    sizes |= places(size, kernel, S, D, padding)
    outputs = [sizes[name] for name in ("O", "O'")[: len(size)]]
    arrays = {
        "x": drawn(1, N, *size, C),
        "W": drawn(2, *kernel, C // G, F),
        "b": drawn(3, F),
        "delta": drawn(4, N, *outputs, F),
    }
    image, channels = {2: (0, len(size) + 1)}, {2: (len(size), len(size) + 1)}
    return World(
        sizes=sizes,
        functions={"gamma": lambda f: f * G // F},
        given=arrays | given,
        forward={
            "tilde x": lambda v: np.pad(v["x"], [(0, 0), *padding, (0, 0)]),
            "bar W": lambda v: blocks(v["W"], G),
            "z": lambda v: valid(v["tilde x"], v["bar W"], S, D) + v["b"],
        },
        zero={"W"},
        ranges={
            **dict(zip(PLACES[len(size)], [*outputs, *kernel, *size], strict=True)),
            **{"f": F, "gamma": G, "g": G},
        },
        axes={"x": image, "tilde x": image, "delta": image, "W": channels},
        arguments={
            "kernel": lambda v: v["W"].shape[:-2],
            "size": lambda v: v["x"].shape[1:-1],
            "padding": lambda v: padding,
        },
    )


def places(size, kernel, S, D, padding) -> dict[str, int]:
    """H, K, O, r, K_e, H_p, P_before and P_after, of columns with a prime."""
    found = {}
    for axis, (H, K, around) in enumerate(zip(size, kernel, padding, strict=True)):
        H_p, K_e = H + sum(around), D * (K - 1) + 1
        begins = range(0, H_p - K_e + 1, S)  # of the windows
        names = {"H": H, "K": K, "H_p": H_p, "K_e": K_e, "O": len(begins)}
        names |= {"r": H_p - (begins[-1] + K_e)}
        names |= dict(zip(("P_before", "P_after"), around, strict=True))
        sides = ("P_top", "P_bottom"), ("P_left", "P_right")
        found |= {name + axis * "'": value for name, value in names.items()}
        found |= dict(zip(sides[axis], around, strict=True))
    return found


def valid(x, W, S=1, D=1):
    """(N, *H, C), (*K, C, F) -> (N, *O, F)"""
    axes = range(1, x.ndim - 1)
    extent = [D * (k - 1) + 1 for k in W.shape[:-2]]
    every = slice(None, None, S), slice(None, None, D)
    seen = sliding_window_view(x, extent, axes)
    seen = seen[:, *(every[0] for _ in axes), :, *(every[1] for _ in axes)]
    return np.tensordot(seen, np.moveaxis(W, -2, 0), len(axes) + 1)


def blocks(W, G):
    """The kernel from all channels to all, 0 where they are in different groups."""
    *kernel, c, F = W.shape
    full = np.zeros((*kernel, G * c, F))
    for g, own in enumerate(np.split(np.arange(F), G)):
        full[..., g * c : (g + 1) * c, own] = W[..., own]
    return full
