"""Figures and checks of docs/*/convolution/im2col.md."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import call, check, compare, generator, st, values
from book.figures import Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import adding, nhwc
from snippets.convolution.layer import layer_backward, layer_forward
from snippets.convolution.leftover import alone

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "col2im": {
        "9 7": "rows that the printed counts give 0",
    },
    "costs": {
        "71": "= round(32 * 62 * 62 * 9 * 16 * 4 / 1e6)",
    },
    "measured": {
        "32×64×64×16 3 32 16×28×28×64 3 64 8×112×112×3 7 64 2 2 2": (
            "the layers of tests/bench/convolution.py"
        ),
        "1.81 1.71 1.74 40.2 23.1 1.24 1.88 1.66 15.8 9.5 0.88 0.83 0.84 79.2 94.0": (
            "make.py bench convolution"
        ),
        "1.45 1.54 1.51 23.1 15.3 1.49 0.63 0.75 15.2 20.3 18.6 18.3 1.7": (
            "make.py bench convolution"
        ),
        "20 8 233 13 18": "make.py bench convolution, with PyTorch",
        "0.9 0.26 0.32": "by parts: products, im2col twice, col2im",
        "2026 11 29 512 2.4 2.21 2.13 100 30": "when and on what it was measured",
    },
    "exercise-copies": {
        "4": "= copies_x.shape[1] - 1",
        "6 6": "= [copies_delta[..., 0].size, copies_delta.shape[-1]]",
    },
    "exercise-numbered": {
        "3×4 5": (
            "= [*numbered_dx.shape[1:3], ((numbered_A != 0).sum(0) == 4).argmax()]"
        ),
    },
}

FILTERS = "both have the filters of the group on axis 3"
# Changes after which the page says the same, and why.
SAME = {
    (
        "im2col",
        "return ordered.reshape(-1, kernel[0] * kernel[1] * x.shape[3])",
        "return ordered.reshape(-1, kernel[0] * kernel[1] * view.shape[3])",
    ): "the windows have the channels of x",
    (
        "product_backward",
        "Delta, W_mat = (delta.reshape(-1, W.shape[3]), W.reshape(-1, W.shape[3]))",
        "Delta, W_mat = (delta.reshape(-1, delta.shape[3]), W.reshape(-1, W.shape[3]))",
    ): FILTERS,
    (
        "product_backward",
        "Delta, W_mat = (delta.reshape(-1, W.shape[3]), W.reshape(-1, W.shape[3]))",
        "Delta, W_mat = (delta.reshape(-1, W.shape[3]), W.reshape(-1, delta.shape[3]))",
    ): FILTERS,
    (
        "#col2im",
        r"\sum \operatorname{im2col}(x) \odot Y = \sum x \odot "
        r"\operatorname{col2im}(Y)",
        r"\sum \operatorname{im2col}(x) \star  Y = \sum x \odot "
        r"\operatorname{col2im}(Y)",
    ): "of arrays of one shape the cross-correlation is the sum of the products",
    (
        "#col2im",
        r"\sum \operatorname{im2col}(x) \odot Y = \sum x \odot "
        r"\operatorname{col2im}(Y)",
        r"\sum \operatorname{im2col}(x) \odot Y = \sum x \star  "
        r"\operatorname{col2im}(Y)",
    ): "of arrays of one shape the cross-correlation is the sum of the products",
}

# Of these only how many examples are done at a time would change.
PORTIONS = {
    (
        "by_portion",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3] * z[..., 0].size",
    ): [
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3] / z[..., 0].size",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3] + z[..., 0].size",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3]",
        "entries = z[..., 0].size",
        "entries = kernel[0] * kernel[1] / arrays[0].shape[3] * z[..., 0].size",
        "entries = (kernel[0] * kernel[1] + arrays[0].shape[3]) * z[..., 0].size",
        "entries = kernel[0] * kernel[1] * z[..., 0].size",
        "entries = arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[0] / kernel[1] * arrays[0].shape[3] * z[..., 0].size",
        "entries = (kernel[0] + kernel[1]) * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[0] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[1] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[1] * kernel[1] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[-1] * kernel[1] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[0] * kernel[2] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[0] * kernel[0] * arrays[0].shape[3] * z[..., 0].size",
        "entries = kernel[0] * kernel[1] * arrays[-1].shape[3] * z[..., 0].size",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[-2] * z[..., 0].size",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3] * z[0, ...].size",
        "entries = kernel[0] * kernel[1] * arrays[0].shape[3] * z[..., -1].size",
    ],
    ("by_portion", "count = min(-(-entries // 2 ** 18), len(z))"): [
        "count = -(-entries // 2 ** 18)",
        "count = len(z)",
        "count = min(-(-entries * 2 ** 18), len(z))",
        "count = min(-(2 ** 18 // -entries), len(z))",
        "count = min(--entries, len(z))",
        "count = min(-(-entries // (2 * 18)), len(z))",
        "count = min(-(-entries // 18 ** 2), len(z))",
        "count = min(-(-entries // 2), len(z))",
        "count = min(-(-entries // 18), len(z))",
        "count = min(-(-entries // 3 ** 18), len(z))",
        "count = min(-(-entries // 1 ** 18), len(z))",
        "count = min(-(-entries // (-2) ** 18), len(z))",
        "count = min(-(-entries // 2 ** 19), len(z))",
        "count = min(-(-entries // 2 ** 17), len(z))",
        "count = min(-(-entries // 2 ** (-18)), len(z))",
        "count = min(-(-entries // 2 ** 18), len(kernel))",
    ],
    (
        "by_portion",
        "return zip(*(np.array_split(a, count) for a in (z, *arrays)), strict=True)",
    ): [
        "return zip(*(np.array_split(a, entries) for a in (z, *arrays)), strict=True)",
    ],
    ("by_parts", "for out, images in by_portion(W.shape, zg, xg):"): [
        "for out, images in by_portion(Wg.shape, zg, xg):",
        "for out, images in by_portion(x.shape, zg, xg):",
        "for out, images in by_portion(xg.shape, zg, xg):",
        "for out, images in by_portion(z.shape, zg, xg):",
        "for out, images in by_portion(zg.shape, zg, xg):",
    ],
    (
        "backward_by_parts",
        "for upstream, images, out in by_portion(W.shape, deltag, xg, dxg):",
    ): [
        "for upstream, images, out in by_portion(Wg.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(dW.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(dWg.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(delta.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(deltag.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(dx.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(dxg.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(x.shape, deltag, xg, dxg):",
        "for upstream, images, out in by_portion(xg.shape, deltag, xg, dxg):",
    ],
}
SAME |= {
    (place, before, after): "in portions of any size the result is the same"
    for (place, before), afters in PORTIONS.items()
    for after in afters
}


# --- Figures -----------------------------------------------------------------


@figure("im2col")
def im2col(session):
    i, j = 1, 0
    row = 2 * i + j
    return [
        Panel("x", session.written("hand", "x", (3, 3)), window=Box(i, j, 2, 2)),
        r"\xrightarrow{\operatorname{im2col}}",
        Panel(
            r"X_{\mathrm{col}}",
            session.printed("hand", (4, 4)),
            window=Box(row, 0, 1, 4),
        ),
        r"\cdot",
        Panel(
            r"W_{\mathrm{mat}}",
            session.written("hand", "W", (2, 2)).reshape(4, 1),
        ),
        r"\xrightarrow{{}+b}",
        Panel("Z", session.printed("hand", (4, 1), 1), result=Box(row, 0)),
    ]


@claim("im2col")
def im2col_claim(session, x, X_col, W_mat, Z):
    assert_array_equal(X_col[X_col.window][0], x[x.window].ravel())
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2))
    assert_array_equal(X_col, windows.reshape(4, 4))
    assert_allclose(Z, X_col @ W_mat + 0.5)  # b
    assert_allclose(Z[Z.result][0], x[x.window].ravel() @ W_mat + 0.5)
    assert X_col.window[0] == Z.result[0]


@figure("col2im")
def col2im(session):
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial X_{\mathrm{col}}}",
            session.printed("hand-gradients", (4, 4), 1),
            rings=np.fliplr(np.eye(4)) > 0,  # the copies of x[1, 1]
        ),
        r"\xrightarrow{\operatorname{col2im}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            session.printed("col2im", (3, 3)),
            result=Box(1, 1),
        ),
    ]


@claim("col2im")
def col2im_claim(session, columns, dx):
    # Where the numbers of x would be copied, if each were its own index.
    numbered = np.arange(9).reshape(3, 3)
    copies = np.lib.stride_tricks.sliding_window_view(numbered, (2, 2)).reshape(4, 4)
    assert_array_equal(columns.rings, copies == numbered[dx.result])
    assert_allclose(dx[dx.result], columns[columns.rings].sum())
    sums = [columns[copies == index].sum() for index in range(9)]
    assert_allclose(dx.ravel(), sums)


# --- Checks ------------------------------------------------------------------


@check("im2col-forward")
def im2col_forward(function, draw):
    error = layer_forward(function, draw)
    if now_and_then(draw):
        _, x, W, b, steps = in_portions(draw)
        arguments = {"x": x, "W": W, "b": b} | steps
        alone = [function(x[n : n + 1], W, b, **steps) for n in range(len(x))]
        z = call(function, arguments)
        compare(arguments, z, np.concatenate(alone), "each example alone")
    return error


@check("im2col-backward")
def im2col_backward(function, draw):
    error = layer_backward(function, draw)
    if now_and_then(draw):
        delta, x, W, _, steps = in_portions(draw)
        arguments = {"delta": delta, "x": x, "W": W} | steps
        alone = [
            function(delta[n : n + 1], x[n : n + 1], W, **steps) for n in range(len(x))
        ]
        dx, *shared = zip(*alone, strict=True)  # by examples, by the batch
        right = np.concatenate(dx), *(np.sum(parts, axis=0) for parts in shared)
        for mine, want in zip(call(function, arguments), right, strict=True):
            compare(arguments, mine, want, "each example alone")
    return error


def now_and_then(draw) -> bool:
    return draw(st.integers(0, 7)) == 0


def in_portions(draw) -> tuple:
    """δ, x, W, b and settings; at most three of the four examples are one portion."""
    rng, groups = generator(draw), draw(st.integers(1, 2))
    padding = draw(st.sampled_from(["valid", "same"]))
    x, W = values(rng, (4, 36, 40, 8)), values(rng, (5, 4, 8 // groups, 2))
    outputs = (36, 40) if padding == "same" else (32, 37)
    delta, b = values(rng, (4, *outputs, 2)), values(rng, (2,))
    steps = {"stride": 1, "padding": padding, "dilation": 1, "groups": groups}
    return delta, x, W, b, steps


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    yield as_product(nhwc(2, (4, 2), (2, 1), 2, 3, S=1, D=2))
    yield as_product(nhwc(2, (4, 6), (1, 2), 2, 3, S=2, D=3))  # r is 1 and 0
    yield as_product(nhwc(2, (5, 4), (2, 1), 2, 4, S=3))


def as_product(world: World) -> World:
    v = world.values
    *rows, F = v["delta"].shape
    rows, columns = tuple(rows), v["W"].shape[:3]
    places = copied(v["x"].shape, rows, columns, v["S"], v["D"])

    def col2im(Y):
        x = np.zeros(v["x"].shape)
        np.add.at(x.reshape(-1), places, Y)  # x itself
        return x

    return replace(
        adding(
            world, {"Delta": v["delta"].reshape(-1, F), "Y": drawn(9, *places.shape)}
        ),
        forward={
            "X_col": lambda v: np.take(v["x"], places),
            "W_mat": lambda v: v["W"].reshape(-1, F),
            "Z": lambda v: v["X_col"] @ v["W_mat"] + v["b"],
            "z": lambda v: v["Z"].reshape(*rows, F),
        },
        functions={"im2col": lambda x: np.take(x, places), "col2im": col2im},
        groups={
            "X_col": (rows, columns),
            "W_mat": (columns, (F,)),
            "Z": (rows, (F,)),
            "Delta": (rows, (F,)),
        },
        results={"im2col-forward": lambda v: v["z"]},
    )


def copied(shape, rows, columns, S=1, D=1) -> np.ndarray:
    """For each window a row: where in x, read in its order, its entries stand."""
    n, i, j, u, v, c = np.indices(rows + columns)
    places = np.ravel_multi_index((n, S * i + D * u, S * j + D * v, c), shape)
    return places.reshape(np.prod(rows), -1)


@worlds("by-hand")
def by_hand(given):
    places = copied((1, 3, 3, 1), (1, 2, 2), (2, 2, 1))
    yield World(
        given={name: given[name] for name in ("x", "W", "b", "delta")},
        forward={
            "X_col": lambda v: np.take(v["x"], places),
            "W_mat": lambda v: v["W"].reshape(-1, 1),
            "z": lambda v: alone(v["x"], v["W"], 1) + v["b"],
        },
    )


@worlds("exercise-copies")
def copies():
    """Every window is a row of X_col."""
    windows = np.lib.stride_tricks.sliding_window_view
    yield World(
        given={"x": drawn(1, 5, 4)},
        forward={"ell": lambda v: np.sum(windows(v["x"], (3, 2))[::2])},
        ranges={"i": 2, "j": 3, "u": 3, "v": 2},
    )


@worlds("exercise-numbered")
def numbered(given):
    """A column of A is what becomes of one pixel."""
    H, columns = 3, 4
    W = given["W"]
    pixels = np.eye(H * columns).reshape(-1, H, columns)
    yield World(
        sizes={
            "W": W,
            "A": np.stack([alone(pixel, W, 1).ravel() for pixel in pixels], 1),
            "X_col": copied((1, H, columns, 1), (1, 2, 3), (2, 2, 1)),
            "W_mat": W.ravel(),
        }
    )


@worlds("exercise-own-kernel")
def own_kernel():
    for examples, windows, entries, F in (2, 3, 4, 2), (3, 2, 3, 4), (2, 4, 2, 3):
        yield World(
            given={
                "X_col": drawn(1, examples, windows, entries),
                "W": drawn(2, windows, entries, F),
                "Delta": drawn(3, examples, windows, F),
            },
            forward={
                "Z": lambda v: np.einsum("ntk,tkf->ntf", v["X_col"], v["W"]),
                "ell": lambda v: np.sum(v["Delta"] * v["Z"]),
            },
        )
