"""Figures and checks of docs/*/convolution/transposed.md."""

from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import (
    call,
    check,
    compare,
    gradient,
    in_any_form,
    not_finite,
    refuses,
    st,
    tf,
    values,
)
from book.figures import Box, Panel, claim, figure
from book.tex.evaluator import Corner
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    PLACES,
    Case,
    Pair,
    adding,
    convolution,
    definition,
    poisoned,
    spread,
)
from snippets.convolution.layer import handed
from snippets.convolution.leftover import FOUR_AXES
from snippets.convolution.padding import same

# Changes after which the page says the same, and why.
SAME = {
    (
        "turned_round",
        "axes = zip(stride, x.shape[1:3], extent, more, strict=True)",
        "axes = zip(stride, x.shape[1:3], more, extent, strict=True)",
    ): "the two are added",
    (
        "turned_round",
        "sides = padding_pairs(padding, uncut, extent, stride)",
        "sides = padding_pairs(padding, uncut, extent, x)",
    ): 'only "same" reads them, and that is not asked here',
    (
        "turned_round",
        "more = ints('output_padding', output_padding, least=0)",
        "more = ints('output_padding', output_padding, least=-1)",
    ): "it refuses less; no check draws what is refused",
    (
        "turned_round",
        "if isinstance(padding, str) and padding == 'same':",
        "if padding and padding == 'same':",
    ): "what is no word is equal to none",
    (
        "transposed_weight_gradient",
        "x = floats('x', x, *layer_shape(delta, W, *steps))",
        "x = floats('x', x, *layer_shape(delta, _, *steps))",
    ): "arguments gives the kernel back as it is",
    (
        "transposed_input_gradient",
        "delta = floats('delta', delta, 'N', 'H', \"H'\", 'C')",
        "pass",
    ): "without it what does not fit is refused under another name",
    (
        "transposed_input_gradient",
        "delta = floats('delta', delta, 'N', 'H', \"H'\", 'C')",
        "delta = delta",
    ): "without it what does not fit is refused under another name",
    (
        "#exercise-nearest",
        r"y_{n,\,Si+u,\,Sj+v,\,c} = \sum_f x_{n,i,j,f}\, [c = f] = x_{n,i,j,c}",
        r"y_{n,\,Si+v,\,Sj+v,\,c} = \sum_f x_{n,i,j,f}\, [c = f] = x_{n,i,j,c}",
    ): "all pixels of a block are equal",
    (
        "#exercise-nearest",
        r"y_{n,\,Si+u,\,Sj+v,\,c} = \sum_f x_{n,i,j,f}\, [c = f] = x_{n,i,j,c}",
        r"y_{n,\,Si+u,\,Sj+u,\,c} = \sum_f x_{n,i,j,f}\, [c = f] = x_{n,i,j,c}",
    ): "all pixels of a block are equal",
    (
        "#exercise-penalty",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau - \bar s) "
        r"\Bigl( [\tau = \rho] - \frac1S \Bigr) \\",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau + \bar s) "
        r"\Bigl( [\tau = \rho] - \frac1S \Bigr) \\",
    ): "the brackets sum to 0",
    (
        "#exercise-penalty",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau - \bar s) "
        r"\Bigl( [\tau = \rho] - \frac1S \Bigr) \\",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau - \bar s) "
        r"\Bigl( [\tau = \rho] + \frac1S \Bigr) \\",
    ): "the differences from the mean sum to 0",
    (
        "#exercise-penalty",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau - \bar s) "
        r"\Bigl( [\tau = \rho] - \frac1S \Bigr) \\",
        r"\frac{\partial \ell}{\partial s_\rho} &= \sum_{\tau} (s_\tau - \bar s) "
        r"\Bigl( [\tau = \rho] - \frac2S \Bigr) \\",
    ): "the differences from the mean sum to 0",
    (
        "#exercise-penalty",
        r"&= s_\rho - \bar s - \frac1S \sum_{\tau} (s_\tau - \bar s) = s_\rho - "
        r"\bar s",
        r"&= s_\rho - \bar s + \frac1S \sum_{\tau} (s_\tau - \bar s) = s_\rho - "
        r"\bar s",
    ): "the differences from the mean sum to 0",
    (
        "#exercise-penalty",
        r"&= s_\rho - \bar s - \frac1S \sum_{\tau} (s_\tau - \bar s) = s_\rho - "
        r"\bar s",
        r"&= s_\rho - \bar s - \frac2S \sum_{\tau} (s_\tau - \bar s) = s_\rho - "
        r"\bar s",
    ): "the differences from the mean sum to 0",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "row": {
        "4": "= 2 * 2",
    },
    "checkerboard": {
        "4": "= 2 * 2",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("transposed")
def transposed_figure(session):
    stride, (i, j) = 2, (0, 1)
    return [
        Panel("x", session.written("scatter", "x", (2, 2)), window=Box(i, j)),
        ",",
        Panel("W", session.written("scatter", "W", (3, 3))),
        rf"\xrightarrow{{\,S={stride}\,}}",
        Panel(
            "y",
            session.printed("scatter", (5, 5)),
            window=Box(stride * i, stride * j, 3, 3),
            result=Box(2, 2),  # where the copies for all of x meet
        ),
    ]


@claim("transposed")
def transposed_claim(session, x, W, y):
    assert_array_equal(y, laid(x, W))
    assert_array_equal(reached(x.shape, x.window, W.shape), at(y.shape, y.window))
    assert_allclose(y[y.result], np.sum(x * W[2::-2, 2::-2]))
    everywhere = [
        reached(x.shape, place, W.shape)[y.result] for place in np.ndindex(x.shape)
    ]
    assert np.all(everywhere)


@figure("checkerboard")
def checkerboard(session):
    """Outlined: where the entry in the middle lays its kernel."""
    return [
        Panel(
            r"K=3,\ S=2",
            session.printed("checkerboard", (7, 7)),
            window=Box(2, 2, 3, 3),
        ),
        ",",
        Panel(
            r"K=4,\ S=2",
            session.printed("checkerboard", (8, 8), 1),
            window=Box(2, 2, 4, 4),
        ),
    ]


@claim("checkerboard")
def checkerboard_claim(session, odd, even):
    for counts, kernel in [(odd, (3, 3)), (even, (4, 4))]:
        assert_array_equal(counts, laid(np.ones((3, 3)), np.ones(kernel)))
        middle = reached((3, 3), (1, 1), kernel)
        assert_array_equal(middle, at(counts.shape, counts.window))
    assert_array_equal(odd[odd.window], [[4, 2, 4], [2, 1, 2], [4, 2, 4]])
    assert_array_equal(even[even.window], np.full((4, 4), 4))


def laid(x, W):
    """The copies of W for each entry of x, at stride 2, added."""
    sizes = [2 * (o - 1) + k for o, k in zip(x.shape, W.shape, strict=True)]
    y = np.zeros(sizes)
    for i, j in np.ndindex(x.shape):
        y[2 * i : 2 * i + W.shape[0], 2 * j : 2 * j + W.shape[1]] += x[i, j] * W
    return y


def at(shape, place):
    """An array that is true there and nowhere else."""
    found = np.zeros(shape, dtype=bool)
    found[place] = True
    return found


def reached(shape, place, kernel):
    """Where one entry of the input lays its kernel."""
    return laid(at(shape, place), np.ones(kernel)) > 0


# --- Checks ------------------------------------------------------------------


def tf_transposed(case: Case, x, W):
    """TensorFlow's own for each group, valid and with every leftover row; cropped."""
    (top, bottom), (left, right) = case.padding
    rows, columns = case.size
    c = W.shape[2]
    whole = (x.shape[0], rows + top + bottom, columns + left + right, c)
    steps = (1, *case.stride, 1)
    parts = zip(
        tf.split(x, case.groups, -1),
        tf.split(spread(W, case.dilation), case.groups, -1),
        strict=True,
    )
    y = [tf.nn.conv2d_transpose(*part, whole, steps, "VALID") for part in parts]
    return tf.concat(y, -1)[:, top : top + rows, left : left + columns]


def turned_round(draw) -> tuple[Case, dict]:
    """delta is the layer's input, x its upstream gradient; what the layer is handed
    beside its arrays."""
    given = min(draw(st.integers(0, 9)), 4)  # the settings after that: the defaults
    words = ["valid", "same", "pairs"] if given > 1 else ["valid"]
    word = draw(st.sampled_from(words))
    case = convolution(
        draw,
        stride=given > 0,
        leftover=word == "pairs",
        padding=word == "pairs",
        dilation=given > 2,
        groups=given > 3,
    )
    padding = case.padding if word == "pairs" else word
    if word == "same":
        sizes = zip(case.stride, case.delta.shape[1:3], strict=True)
        size = tuple(s * o for s, o in sizes)
        both = zip(case.dilation, case.kernel, strict=True)
        extent = tuple(d * (k - 1) + 1 for d, k in both)
        x = values(case.rng, (len(case.x), *size, case.x.shape[3]))
        case = case._replace(x=x, padding=same(size, extent, case.stride))
    return case, handed(draw, case, padding, given)


def rest(case: Case) -> Pair:
    """The rows and columns that no window of the convolution reaches."""
    numbers = zip(*case.settings[:3], case.size, case.kernel, strict=True)
    return tuple((h + sum(p) - d * (k - 1) - 1) % s for s, p, d, h, k in numbers)


@check("transposed-forward")
def transposed_forward(function, draw):
    case, settings = turned_round(draw)
    b = values(case.rng, case.x.shape[3:])
    given = list(settings.items())
    if "padding" in settings:
        more = 0 if isinstance(settings["padding"], str) else rest(case)
        given.insert(2, ("output_padding", more))
    arguments = {"x": case.delta, "W": case.W, "b": b} | dict(given)
    mine = call(in_any_form(function, case.rng), arguments)
    right = tf_transposed(case, case.delta, case.W) + b
    far = poisoned(case)
    others = arguments | {"x": far.delta, "W": far.W}
    not_finite(others, call(function, others), definition(far)[1] + b)
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, definition(case)[1] + b, "the definition"),
    )


@check("transposed-input")
def transposed_input(function, draw):
    case, settings = turned_round(draw)
    far = poisoned(case)
    others = {"delta": far.x, "W": far.W} | settings
    not_finite(others, call(function, others), definition(far)[0])
    return gradient(
        in_any_form(function, case.rng),
        {"delta": case.x, "W": case.W} | settings,
        case.delta,
        case.x,
        lambda x: tf_transposed(case, x, case.W),
        lambda x: definition(case._replace(delta=x))[1],
        case.rng,
    )


@check("transposed-weights")
def transposed_weights(function, draw):
    case, settings = turned_round(draw)
    far = poisoned(case)
    others = {"x": far.delta, "delta": far.x, "kernel": case.kernel} | settings
    not_finite(others, call(function, others), definition(far)[2])
    rest = list(others.values())[1:]
    refuses(
        lambda x: function(x, *rest),
        [case.delta],
        "two batches for one",
        lambda x: np.concatenate([x, x]),
    )
    return gradient(
        in_any_form(function, case.rng),
        {"x": case.delta, "delta": case.x, "kernel": case.kernel} | settings,
        case.W,
        case.x,
        lambda W: tf_transposed(case, case.delta, W),
        lambda W: definition(case._replace(W=W))[1],
        case.rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    yield plane((2, 3), (3, 2), 2, ((1, 0), (0, 1)), (1, 0))
    yield plane((3, 2), (2, 3), 3, ((0, 1), (2, 0)), (2, 1))
    yield plane((3, 2), (2, 4), 1, ((0, 0), (1, 2)), (0, 0))


@worlds("row")
def in_two_dimensions():
    """The second half of the section; the first is arithmetic."""
    x = np.array([[2.0, -1], [1, 3]])
    W = np.array([[1.0, 2, 0], [-1, 1, 3], [0.5, -2, 1]])
    yield plane((2, 2), (3, 3), 2, x=x, W=W, b=np.array(0.0))


@worlds("formula")
@worlds("gradients")
def channels():
    yield nhwc(2, (2, 3), (2, 1), 2, 3, 2, ((1, 0), (0, 1)), (1, 0))
    yield nhwc(2, (3, 2), (1, 2), 3, 2, 1, ((0, 0), (1, 0)), (0, 0))
    yield nhwc(2, (2, 2), (2, 3), 2, 2, 3, ((0, 2), (2, 1)), (2, 1))


def nhwc(N, size, kernel, C, F, S, padding=None, more=None, **given) -> World:
    """x is (N, *size, F); more is the output padding."""
    padding = padding or ((0, 0),) * len(size)
    more = more or (0,) * len(size)
    arrays = {
        "x": drawn(1, N, *size, F),
        "W": drawn(2, *kernel, C, F),
        "b": drawn(3, C),
    } | given
    y = cropped(arrays["x"], arrays["W"], S, padding, more)
    return World(
        sizes=places(size, kernel, S, padding, more, y.shape[1:-1]),
        given=arrays | {"delta": drawn(4, *y.shape)},
        forward={"y": lambda v: cropped(v["x"], v["W"], S, padding, more) + v["b"]},
        functions={"pad": lambda a: np.pad(a, [(0, 0), *padding, (0, 0)])},
        zero={"W"},
    )


def plane(size, kernel, S, padding=None, more=None, **given) -> World:
    """One example and one channel on both sides. A row has the kernel w."""
    padding = padding or ((0, 0),) * len(size)
    more = more or (0,) * len(size)
    W = "W" if len(size) == 2 else "w"
    arrays = {"x": drawn(1, *size), W: drawn(2, *kernel), "b": np.array(0.7)}

    def whole(x, kernel):
        arrays = x[None, ..., None], kernel[..., None, None]
        return cropped(*arrays, S, padding, more)[0, ..., 0]

    y = whole(arrays["x"], arrays[W])
    uncropped = tuple(n + sum(p) for n, p in zip(y.shape, padding, strict=True))

    def crop(corner: Corner):
        inside = zip(y.shape, padding, strict=True)
        cut = tuple(slice(before, before + n) for n, (before, _) in inside)
        return corner.filled(uncropped)[cut]

    return World(
        sizes=places(size, kernel, S, padding, more, y.shape),
        given={**arrays, "delta": drawn(3, *y.shape), **given},
        forward={"y": lambda v: whole(v["x"], v[W]) + v["b"]},
        functions={"pad": lambda a: np.pad(a, padding), "crop": crop},
        ranges=dict(zip(PLACES[len(size)], [*size, *kernel, *y.shape], strict=True)),
        arguments={
            **FOUR_AXES,
            "kernel": lambda v: kernel,
            "padding": lambda v: padding,
            "output_padding": lambda v: more,
        },
    )


def places(size, kernel, S, padding, more, outputs) -> dict[str, int]:
    """O, K and H, of columns with a prime; and what belongs to rows alone."""
    found = {"S": S, "r": more[0], "P": sum(padding[0])}
    found |= dict(zip(("O", "O'"), size, strict=False))
    found |= dict(zip(("K", "K'"), kernel, strict=False))
    found |= dict(zip(("H", "H'"), outputs, strict=False))
    sides = ("P_top", "P_bottom", "P_left", "P_right")
    return found | dict(zip(sides, chain(*padding), strict=False))


def cropped(x, W, S, padding, more):
    """Each entry of x lays its kernel: (N, *O, F), (*K, C, F) -> (N, *H, C)"""
    outputs, kernel = x.shape[1:-1], W.shape[:-2]
    sizes = [S * (o - 1) + k + n for o, k, n in zip(outputs, kernel, more, strict=True)]
    y = np.zeros((len(x), *sizes, W.shape[-2]))
    for at in np.ndindex(*kernel):
        rows = [
            slice(u, u + S * (o - 1) + 1, S) for u, o in zip(at, outputs, strict=True)
        ]
        y[(slice(None), *rows)] += x @ W[at].T
    inside = zip(sizes, padding, strict=True)
    return y[(slice(None), *(slice(p, n - q) for n, (p, q) in inside))]


@worlds("matrix")
def matrix():
    """Row i of A is the kernel, moved on by S."""
    for size, kernel, S, more in (2, 3, 2, 1), (3, 2, 3, 0), (4, 2, 1, 0):
        world = plane((size,), (kernel,), S, more=(more,), b=np.array(0.0))
        H, w = world.sizes["H"], world.values["w"]
        A = np.array(
            [
                [w[p - S * i] if 0 <= p - S * i < kernel else 0 for p in range(H)]
                for i in range(size)
            ]
        )
        yield adding(world, {"A": A})


@worlds("checkerboard")
def checkerboard_counts():
    for K, S in (3, 2), (4, 2), (5, 3), (2, 3), (4, 1):
        yield World(sizes={"K": K, "S": S}, ranges={"p": 3 * S})


@worlds("exercise-cropped-row")
def cropped_row(given):
    arrays = {name: given[name] for name in ("x", "w", "delta")}
    yield plane((2,), (3,), 2, ((1, 0),), b=np.array(0.0), **arrays)


@worlds("exercise-nearest")
def nearest():
    for size, C, S in ((2, 3), 2, 2), ((3, 2), 3, 3), ((2, 2), 2, 1):
        W = np.broadcast_to(np.eye(C), (S, S, C, C))
        world = nhwc(2, size, (S, S), C, C, S, W=W, b=np.zeros(C))
        yield replace(world, ranges={"u": S, "v": S})


@worlds("exercise-subpixel")
def subpixel():
    """The rows of a and Y are places, the columns of Y what is laid there."""
    for (N, *size, F), C, S in (
        ((2, 2, 3, 3), 2, 2),
        ((2, 3, 2, 2), 1, 3),
        ((3, 2, 2, 2), 3, 1),
    ):
        world = nhwc(N, size, (S, S), C, F, S, b=np.zeros(C))
        x, W, delta = (world.values[name] for name in ("x", "W", "delta"))
        tiles = delta.reshape(N, size[0], S, size[1], S, C).swapaxes(2, 3)
        yield replace(
            adding(world, {"x": x, "W": W, "y": world.values["y"]}),
            given={
                "a": x.reshape(-1, F),
                "M": W.reshape(-1, F),
                "Delta": tiles.reshape(-1, S * S * C),
            },
            forward={
                "Y": lambda v: np.einsum("tf,kf->tk", v["a"], v["M"]),
                "ell": lambda v: np.sum(v["Delta"] * v["Y"]),
            },
            ranges={"u": S, "v": S},
        )


@worlds("exercise-penalty")
def penalty():
    for size, K, S in (3, 3, 2), (4, 5, 3), (3, 2, 2):
        world = plane((size,), (K,), S, x=np.ones(size), b=np.array(0.0))
        yield replace(
            world,
            forward={
                **world.forward,
                "s": lambda v, S=S: np.array([sum(v["w"][r::S]) for r in range(S)]),
                "bar s": lambda v: np.mean(v["s"]),
                "ell": lambda v: np.sum((v["s"] - v["bar s"]) ** 2) / 2,
            },
        )
