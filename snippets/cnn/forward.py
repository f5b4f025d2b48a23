"""Figures and checks of docs/*/cnn/forward.md."""

import re

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, size, sizes, st, tf, values
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.results import namespace
from book.sessions import SNIPPETS
from book.tex.world import World, drawn, worlds

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "network": {
        "(1,4,4,1) (1,4,4,1)": "= [*z1.shape, *a1.shape]",
        "(1,4) (4,3)": "= [*a2.shape, *W3.shape]",
        "81": "= x.size",
    },
    "output": {
        "(1,4) (4,3) (3,) (1,3)": "= [*a2.shape, *W3.shape, *b3.shape, *z3.shape]",
    },
    "output-size": {
        "4 6 8": "= [2 * 2, 2 * 3, len(x0) - 1]",
    },
    "by-hand": {
        "4 4": "= [2 * 1 + 2, 2 * 1 + 2]",
    },
    "exercise-windows": {
        "5": "= windows_x.shape[1] - 1",
    },
    "exercise-paths": {
        "81": "= paths_rows.size * paths_columns.size",
        "4": "= 2 * 1 + 2",
    },
    "exercise-merged": {
        "4 4": "= [2 * 2, 2 * 2]",
    },
}

WRITTEN = "every entry is written afterwards"
DEAD = (
    "the place of the maximum changes only where it is not above 0, and there σ' is 0"
)
# Changes after which the page says the same, and why.
SAME = {
    (
        "correlate",
        "z = np.zeros((height, width), np.result_type(x, W))",
        "z = np.ones((height, width), np.result_type(x, W))",
    ): WRITTEN,
    (
        "max_pool",
        "z = np.zeros((height, width))",
        "z = np.ones((height, width))",
    ): WRITTEN,
    ("relu", "return np.maximum(z, 0)", "return z"): DEAD,
    ("relu", "return np.maximum(z, 0)", "return np.add(z, 0)"): DEAD,
    ("relu", "return np.maximum(z, 0)", "return np.maximum(z, -1)"): DEAD,
}


# --- Figures -----------------------------------------------------------------


@figure("conv-forward")
def conv_forward_figure(session):
    stride, (i, j) = 2, (1, 1)
    window = Box(stride * i, stride * j, 3, 3)
    return [
        Panel("x", session.printed("setup", (9, 9)), window=window),
        r"\star",
        Panel("W^{1}", session.written("setup", "W1", (3, 3))),
        rf"\xrightarrow[{{}}+b^{{1}}]{{S={stride}}}",
        Panel("z^{1}", session.printed("correlate", (4, 4)), result=Box(i, j)),
    ]


@claim("conv-forward")
def conv_forward_claim(session, x, W, z):
    assert_allclose(z[z.result], np.sum(x[x.window] * W), atol=ROUNDING)
    assert_allclose(z, correlate(x, W, 2), atol=ROUNDING)


@figure("max-pool")
def max_pool_figure(session):
    a = session.printed("relu", (4, 4))
    return [
        Panel("a^{1}", a, window=Box(0, 0, 2, 2), rings=maxima(a, 2, 2), tile=2),
        r"\xrightarrow{\max}",
        Panel("z^{2}", session.printed("max-pool", (2, 2)), result=Box(0, 0)),
    ]


@claim("max-pool")
def max_pool_claim(session, a, z):
    assert_allclose(z[z.result], np.max(a[a.window]))
    assert a.window == tuple(slice(2 * at.start, 2 * at.stop) for at in z.result)
    assert_allclose(z, tiles(a, 2).max(axis=-1))
    assert_array_equal(a.rings, positions(session, a.shape))


def maxima(a, size, stride):
    """Where the first maximum of each window is."""
    found = np.zeros(a.shape, dtype=bool)
    for top in range(0, a.shape[0] - size + 1, stride):
        for left in range(0, a.shape[1] - size + 1, stride):
            window = a[top : top + size, left : left + size]
            row, column = divmod(int(window.argmax()), size)
            found[top + row, left + column] = True
    return found


def positions(session, shape):
    """Where the session of the pooling page says that the maxima were."""
    told = session.text("cnn/pooling:positions")
    rows, columns = np.array(re.findall(r"was a1\[(.), (.)\]", told), dtype=int).T
    found = np.zeros(shape, dtype=bool)
    found[rows, columns] = True
    return found


# --- What the checks draw ----------------------------------------------------


def windows(draw) -> tuple[tuple, tuple, tuple, int]:
    """Kernel, output, leftover rows and columns, stride."""
    stride = size(draw, 4)
    kernel, output = sizes(draw, 3), sizes(draw, 3)
    leftover = tuple(draw(st.integers(0, stride - 1)) for _ in range(2))
    return kernel, output, leftover, stride


def covered(kernel: tuple, output: tuple, stride: int) -> tuple[int, int]:
    """The size of an input with r = 0."""
    return tuple(stride * (o - 1) + k for k, o in zip(kernel, output, strict=True))


def strided(draw):
    """An input with leftover rows and columns, kernel, δ and stride, and what drew
    them."""
    kernel, output, leftover, stride = windows(draw)
    rng = generator(draw)
    delta, W = values(rng, output), values(rng, kernel)
    x = values(rng, tuple(np.add(covered(kernel, output, stride), leftover)))
    return x, W, delta, stride, rng


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


# --- Forward passes, twice ---------------------------------------------------


def correlate(x, W, stride=1):
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


# --- Checks ------------------------------------------------------------------


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


# --- What the symbols mean ---------------------------------------------------


def plane(size, kernel, stride, seed=1, zero=("delta", "W"), **more):
    """a below, W and b: z = a ⋆ W + b at the stride, one example, one channel."""
    output = (size - kernel) // stride + 1
    below = np.abs(drawn(seed, size, size))
    below.flat[seed::5] *= -1  # ReLU hides few entries
    return World(
        sizes={
            **{"H": size, "K": kernel, "S": stride, "O": output},
            **{"r": (size - kernel) % stride, "delta": drawn(4, output, output)},
        },
        given={
            "z^l-1": below,
            "W": drawn(2, kernel, kernel),
            "b": np.array(0.7),
        },
        forward={
            "a": lambda v: np.maximum(v["z^l-1"], 0),
            "y": lambda v: correlate(v["a"], v["W"]) + v["b"],
            "z": lambda v: v["y"][::stride, ::stride],
        },
        gradients={"delta^l-1": "z^l-1"},
        functions={"sigma'": lambda z: 1 * (z > 0)},
        zero={*zero},
        also={
            **{"x": "a", "a^l-1": "a", "W^l": "W", "b^l": "b", "z^l": "z"},
            "delta^l": "delta",
        },
        **more,
    )


@worlds()
def symbols():
    for sizes_of in ((7, 3, 2), (5, 2, 1), (8, 2, 3), (6, 3, 2)):
        yield plane(*sizes_of, ranges={"i": sizes_of[0]})


@worlds("by-hand")
def one_window(given):
    """Of the network, whose numbers are rounded on the page."""
    z1 = namespace(SNIPPETS / "cnn/forward.md")["z1"]
    yield World(sizes={"z^1": z1.numpy().squeeze()})


@worlds("exercise-windows")
def windows_by_hand(given):
    yield World(
        sizes={"b": 1},
        given={"x": given["windows_x"], "W": given["windows_W"]},
        forward={"z": lambda v: correlate(v["x"], v["W"], 3) + v["b"]},
    )


TILES = {"size": "K", "z": "z^l-1"}


def tiled(size, kernel, stride, arguments=TILES):
    """z is the maximum of each window of a."""

    def first(v):
        at = windows_of(v["a"]).reshape(output, output, -1).argmax(-1)
        return np.stack(np.unravel_index(at, (kernel, kernel)), -1) + stride * corners

    def windows_of(a):
        return sliding_window_view(a, (kernel, kernel))[::stride, ::stride]

    def upsample(delta):
        out = np.zeros((size, size))
        np.add.at(out, tuple(np.moveaxis(at, -1, 0)), delta)
        return out

    output = (size - kernel) // stride + 1
    corners = np.moveaxis(np.indices((output, output)), 0, -1)
    start = drawn(1, size, size)
    start[::stride, 1::stride] = np.abs(start[::stride, 1::stride])
    at = first({"a": np.maximum(start, 0)})
    return World(
        sizes={
            **{"H": size, "K": kernel, "S": stride, "O": output, "pi": at},
            "delta": drawn(4, output, output),
        },
        given={"z^l-1": start},
        forward={
            "a": lambda v: np.maximum(v["z^l-1"], 0),
            "z": lambda v: windows_of(v["a"]).max((2, 3)),
        },
        gradients={"delta^l-1": "z^l-1"},
        functions={"sigma'": lambda z: 1 * (z > 0), "upsample": upsample},
        also={"a^l-1": "a", "z^l": "z", "delta^l": "delta"},
        arguments=arguments,
    )


@worlds("max-pool")
def pooled():
    for sizes_of in ((4, 2, 2), (6, 2, 2), (6, 3, 3)):
        yield tiled(*sizes_of)
    for sizes_of in ((5, 3, 1), (6, 2, 3)):  # the function takes tiles only
        yield tiled(*sizes_of, arguments=None)


@worlds("output")
def output():
    """Of the network: four features, three classes."""
    for features, classes in ((4, 3), (3, 2), (5, 4)):
        y = np.abs(drawn(4, classes))
        yield World(
            sizes={"y": y},
            given={
                "z^2": drawn(1, features),
                "W^3": drawn(2, features, classes),
                "b^3": drawn(3, classes),
            },
            forward={
                "a^2": lambda v: v["z^2"],
                "z^3": lambda v: v["a^2"] @ v["W^3"] + v["b^3"],
                "a^3": lambda v: np.exp(v["z^3"]) / np.sum(np.exp(v["z^3"])),
                "ell": lambda v, y=y: -np.sum(y * np.log(v["a^3"])),
            },
        )


@worlds("exercise-paths")
def path():
    """Row p is row u of window m, which is row s of tile i."""
    for first, second, i, s, u in ((2, 3, 1, 2, 0), (3, 2, 4, 1, 2), (1, 5, 2, 3, 1)):
        m = second * i + s
        steps = {"S_1": first, "S_2": second}
        yield World(sizes={**steps, "i": i, "s": s, "u": u, "p": first * m + u})


@worlds("exercise-merged")
def merged():
    """The mean of each 2 × 2 tile of a convolution with stride 2."""
    for height in (9, 10, 13):
        kernel = 3
        first = (height - kernel) // 2 + 1
        yield World(
            given={
                "x": drawn(1, height, height),
                "W": drawn(2, kernel, kernel),
                "b": np.array(0.7),
            },
            forward={
                "z^1": lambda v: correlate(v["x"], v["W"], 2) + v["b"],
                "z^2": lambda v, n=first // 2: (
                    v["z^1"][: 2 * n, : 2 * n].reshape(n, 2, n, 2).mean((1, 3))
                ),
            },
            zero={"W"},
            ranges={"p": kernel + 2, "q": kernel + 2, "m": 2, "n": 2},
        )
