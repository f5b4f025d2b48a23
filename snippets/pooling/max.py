"""Figures, checks and vocabulary of docs/*/pooling/max.md."""

from typing import NamedTuple

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

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
from snippets.cnn.forward import maxima
from snippets.convolution.channels import Pair, given_as, poison, two
from snippets.convolution.padding import same

SHAPE = "row and column have the shape of the index that they are made of"
# Changes after which the page says the same, and why.
SAME = {
    (
        "max_pool_backward",
        "chosen = own & ((view == largest) | np.isnan(view))",
        "chosen = own & (np.isnan(view) | (view == largest))",
    ): "either of them is enough",
    (
        "max_pool_backward",
        "chosen = own & ((view == largest) | np.isnan(view))",
        "chosen = ((view == largest) | np.isnan(view)) & own",
    ): "both of them are needed",
    (
        "max_pool_backward",
        "chosen = own & ((view == largest) | np.isnan(view))",
        "chosen = own & ((view >= largest) | np.isnan(view))",
    ): "nothing is larger than the largest",
    (
        "arguments",
        "padded = tuple((h + sum(p) for h, p in zip(a.shape[1:3], padding, "
        "strict=True)))",
        "padded = tuple((h + sum(size) for h, p in zip(a.shape[1:3], padding, "
        "strict=True)))",
    ): "it refuses less; no check draws what is refused, and the session shows it",
    (
        "places",
        "n, i, j, c = np.indices(inside.shape)",
        "n, i, j, c = np.indices(u.shape)",
    ): SHAPE,
    (
        "places",
        "n, i, j, c = np.indices(inside.shape)",
        "n, i, j, c = np.indices(v.shape)",
    ): SHAPE,
    (
        "#row",
        r"z_0 &= \max(0.3, 1.4, 0.8) = 1.4 = a_1 \\",
        r"z_1 &= \max(0.3, 1.4, 0.8) = 1.4 = a_1 \\",
    ): "z_0 and z_1 are equal",
    (
        "#overlap",
        r"\frac{\partial z_{n,i,j,c}}{\partial \tilde a_{m,p,q,d}} = [m = "
        r"n]\, [d = c]\, [\pi_{n,i,j,c} = (p, q)]",
        r"\frac{\partial z_{n,i,j,c}}{\partial \tilde a_{m,p,q,d}} = [m = "
        r"n]\, [d = c]\, [\pi_{m,i,j,c} = (p, q)]",
    ): "m is n and d is c",
    (
        "#overlap",
        r"\frac{\partial z_{n,i,j,c}}{\partial \tilde a_{m,p,q,d}} = [m = "
        r"n]\, [d = c]\, [\pi_{n,i,j,c} = (p, q)]",
        r"\frac{\partial z_{n,i,j,c}}{\partial \tilde a_{m,p,q,d}} = [m = "
        r"n]\, [d = c]\, [\pi_{n,i,j,d} = (p, q)]",
    ): "m is n and d is c",
    (
        "#overlap",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
        r"&= \sum_{n,i,j,c} \delta_{m,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
    ): "m is n and d is c",
    (
        "#overlap",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,d}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
    ): "m is n and d is c",
    (
        "#overlap",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{m,i,j,c} = (p, q)] \\",
    ): "m is n and d is c",
    (
        "#overlap",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,c} = (p, q)] \\",
        r"&= \sum_{n,i,j,c} \delta_{n,i,j,c}\, [m = n]\, [d = c]\, "
        r"[\pi_{n,i,j,d} = (p, q)] \\",
    ): "m is n and d is c",
    (
        "#subgradients",
        r"\max b \ge \max a + \sum_k g_k (b_k - a_k)",
        r"\max b \ge \min  a + \sum_k g_k (b_k - a_k)",
    ): "a weaker bound holds, too",
    (
        "#exercise-largest",
        r"z_0 &= \max(1, 4, 6) = a_2 \\",
        r"z_1 &= \max(1, 4, 6) = a_2 \\",
    ): "z_0 and z_1 are equal",
    (
        "#exercise-largest",
        r"z_1 &= \max(6, 2, 6) = a_2 \\",
        r"z_2 &= \max(6, 2, 6) = a_2 \\",
    ): "so is z_2, of equal value",
}
# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "row": {
        "0.6": "= 0.4 - 0.3 + 0.5",
        "0.001 0.001": "= [h, h]",
    },
    "add-at": {
        "0.4": "= added[1] - lost[1]",
    },
    "infinity": {
        "0.5": "= dl_da_zero.sum()",
    },
    "forward": {
        "1.9": "the entry of the figure",
    },
    "backward": {
        "1.9": "the entry of the figure",
    },
    "explorer": {
        "1.9": "the entry of the figure",
    },
    "gaps": {
        "4 5 6 4 6": "= [3 + 1, 5, 6, -(-7 // 2), 6]",
    },
    "ties": {
        "0.6 0.2 0.6": "= [pooled.sum(), reduced.max(), pooled.sum()]",
    },
    "exercise-largest": {
        "9": "= largest_a.max()",
    },
}

# --- Figures -----------------------------------------------------------------


@figure("max-overlap")
def max_overlap(session):
    """The four windows of which a[1, 1] is the maximum."""
    delta = session.printed("input-run", (3, 3))
    a = session.printed("forward-run", (5, 5))
    rings = maxima(a, size=3, stride=1)
    return [
        Panel(r"\delta", delta, window=Box(0, 0, 2, 2)),
        ",",
        Panel("a", a, rings=rings),
        r"\rightarrow",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            session.printed("input-run", (5, 5), 1),
            result=Box(1, 1),
            rings=rings,
        ),
    ]


@claim("max-overlap")
def max_overlap_claim(session, delta, a, routed):
    windows = np.lib.stride_tricks.sliding_window_view(a, (3, 3))
    sums, gets = np.zeros(a.shape), np.zeros(delta.shape, dtype=bool)
    for place in np.ndindex(delta.shape):
        (maximum,) = np.argwhere(a == windows[place].max())
        sums[tuple(maximum)] += delta[place]
        gets[place] = maximum.tolist() == [at.start for at in routed.result]
    assert_allclose(routed, sums, atol=ROUNDING)
    assert_array_equal(a.rings, sums != 0)
    assert_array_equal(routed.rings, sums != 0)
    # The outlined δ are those of the outlined place, and no others.
    assert gets[delta.window].all()
    assert gets.sum() == gets[delta.window].size
    assert_allclose(routed[routed.result], delta[delta.window].sum(), atol=ROUNDING)


# --- What the checks draw ----------------------------------------------------


class Case(NamedTuple):
    """A pooling and its arrays; how its size, stride and padding are handed over."""

    a: np.ndarray
    delta: np.ndarray
    size: Pair
    stride: Pair
    padding: tuple[Pair, Pair]
    given: dict
    rng: np.random.Generator


def pooling(draw, ties: bool = False) -> Case:
    """Windows overlap, touch or leave gaps; padding by name or by number."""
    window = two(draw, 1, 5)
    tiles = draw(st.booleans())  # no stride given: it is the size
    stride = window if tiles else two(draw, 1, 4)
    a_size = tuple(size(draw, 7) for _ in range(2))
    sizes = list(zip(a_size, window, stride, strict=True))
    # Where the window does not fit, padding must make it fit.
    sides = []
    for h, k, _ in sizes:
        before = draw(st.integers(0, k - 1))
        sides.append((before, draw(st.integers(max(k - h - before, 0), k - 1))))
    choices = {"same": same(a_size, window, stride), "sides": tuple(sides)}
    if all(h >= k for h, k, _ in sizes):
        choices["valid"] = ((0, 0), (0, 0))
    word = draw(st.sampled_from(sorted(choices)))
    padding = choices[word]
    numbers = zip(sizes, padding, strict=True)
    output = [(h + sum(p) - k) // s + 1 for (h, k, s), p in numbers]
    examples, channels = size(draw, 2), size(draw, 2)
    given = {
        "size": given_as(draw, window),
        "stride": None if tiles else given_as(draw, stride),
        "padding": padding if word == "sides" else word,
    }
    rng = generator(draw)
    shape = (examples, *a_size, channels)
    # All different and at least 0.05 from 0 and each other; or a few integers.
    count = np.prod(shape)
    a = rng.permutation(0.1 * (np.arange(count) - count // 2) + 0.05).reshape(shape)
    if ties:
        a = rng.integers(-2, 3, shape)
    delta = values(rng, (examples, *output, channels))
    return Case(a, delta, window, stride, padding, given, rng)


# --- Forward passes, twice ---------------------------------------------------


def tf_pool(case: Case, kind, a, fill):
    """TensorFlow pads max pooling itself, as the case has it; the mean it cannot."""
    word = case.given["padding"]
    steps = case.size, case.stride
    if isinstance(word, str):
        return kind(a, *steps, word.upper())
    padded = tf.pad(a, [(0, 0), *case.padding, (0, 0)], constant_values=fill)
    return kind(padded, *steps, "VALID")


def pool(case: Case, a, reduce):
    """Window by window, over the cells that it has: reduce(cells, padding cells)."""
    z = np.zeros(case.delta.shape)
    (top, _), (left, _) = case.padding
    (rows, columns), (s, t) = case.size, case.stride
    for i, j in np.ndindex(*z.shape[1:3]):
        row, column = s * i - top, t * j - left
        cells = a[:, max(row, 0) : row + rows, max(column, 0) : column + columns]
        padded = rows * columns - cells.shape[1] * cells.shape[2]
        z[:, i, j] = reduce(cells, padded)
    return z


def largest(cells, padded):
    return cells.max(axis=(1, 2))


# --- Checks ------------------------------------------------------------------


@check("max-forward")
def max_forward(function, draw):
    case = pooling(draw)
    arguments = {"a": case.a} | case.given
    mine = call(in_any_form(function, case.rng), arguments)
    a = poison(case.rng, a=case.a)["a"]
    far = arguments | {"a": a}
    not_finite(far, call(function, far), pool(case, a, largest))
    right = tf_pool(case, tf.nn.max_pool2d, tf.constant(case.a), -np.inf)
    return max(
        compare(arguments, mine, right, "TensorFlow"),
        compare(arguments, mine, pool(case, case.a, largest), "the definition"),
    )


@check("max-input")
def max_input(function, draw):
    ties = draw(st.booleans())
    case = pooling(draw, ties)
    asked, arguments = in_any_form(function, case.rng), {"delta": case.delta}
    a = case.a.astype(float)
    if ties and draw(st.booleans()):
        a[a < 0] = -np.inf  # no larger than the padding beside it
    far = arguments | {"a": a} | case.given
    some = case.rng.random(a.shape) < 0.2
    lost, most = (
        call(function, far | {"a": np.where(some, value, a)})
        for value in (np.nan, np.inf)
    )
    compare(far, lost, most, "with infinity in place of nan it")
    if ties:
        # There is no slope, and TensorFlow alone says which of them it is.
        own = [(0, 0), *case.padding, (0, 0)]
        tensor = tf.constant(a)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            z = tf.nn.max_pool2d(tensor, case.size, case.stride, own)
        right = tape.gradient(z, tensor, output_gradients=tf.constant(case.delta))
        return compare(far, call(asked, far), right, "TensorFlow")
    return gradient(
        asked,
        far,
        a,
        case.delta,
        lambda a: tf_pool(case, tf.nn.max_pool2d, a, -np.inf),
        lambda a: pool(case, a, largest),
        case.rng,
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    for sizes in SIZES:
        yield pooled(
            *sizes,
            fill=-np.inf,
            steps={"pi": positions, "z": lambda v: cells(v).max((4, 5))},
            results={"max-input": lambda v: v["dl_da"]},
        )


# N, H, H', C, K, S, and the padding; the last rows or columns are left over in two.
SIZES = [
    (2, 3, 2, 3, 2, 1, ((0, 0), (0, 1))),
    (1, 4, 4, 2, 3, 2, ((0, 1), (1, 1))),
    (2, 5, 4, 1, 2, 3, ((1, 0), (0, 1))),
]


def pooled(*dimensions, fill, steps, results, sizes=None, arguments=None, ranges=None):
    """Windows of K × K at stride S over a that is padded; steps leads to z."""
    examples, rows, columns, channels, K, S, padding = dimensions
    (top, bottom), (left, right) = padding
    below, beside = rows + top + bottom, columns + left + right
    output = ((below - K) // S + 1, (beside - K) // S + 1)
    return World(
        sizes={
            **{"H": rows, "H'": columns, "H_p": below, "H_p'": beside, "K": K, "S": S},
            **{"O": output[0], "O'": output[1], "N": examples, "C": channels},
            **{"P_top": top, "P_bottom": bottom, "P_left": left, "P_right": right},
            **{"r": (below - K) % S, "r'": (beside - K) % S},
            **(sizes or {}),
        },
        given={
            "a": drawn(1, examples, rows, columns, channels),
            "delta": drawn(2, examples, *output, channels),
        },
        forward={
            "tilde a": lambda v: np.pad(
                v["a"], ((0, 0), *padding, (0, 0)), constant_values=fill
            ),
            **steps,
        },
        gradients={"dl_da": "a"},
        ranges={"p": below, "i": output[0], **(ranges or {})},
        arguments={"size": "K", "padding": lambda v: padding, **(arguments or {})},
        results=results,
    )


def cells(v):
    """The windows of the padded input: (N, O, O', C, K, K)."""
    square = (v["K"], v["K"])
    every = np.lib.stride_tricks.sliding_window_view(v["tilde a"], square, (1, 2))
    return every[:, :: v["S"], :: v["S"]]


def positions(v):
    """Row and column of the first maximum of each window: (N, O, O', C, 2)."""
    view = cells(v)
    first = view.reshape(*view.shape[:4], -1).argmax(-1)
    down, across = np.unravel_index(first, view.shape[4:])
    _, i, j, _ = np.indices(first.shape)
    return np.stack([v["S"] * i + down, v["S"] * j + across], axis=-1)


def pooled_row(a, delta, K, S, reduce):
    """One row without padding; reduce(windows) of (O, K) is z."""
    return World(
        given={"a": a, "delta": delta},
        forward={"z": lambda v: reduce(row_windows(v["a"], K, S))},
    )


def row_windows(a, K, S):
    return np.lib.stride_tricks.sliding_window_view(a, K)[::S]


@worlds("row")
def row(given):
    yield pooled_row(given["a"], given["delta"], 3, 1, lambda w: w.max(axis=1))


@worlds("exercise-largest")
def largest_of_all(given):
    yield pooled_row(given["a"], given["delta"], 3, 2, lambda w: w.max(axis=1))


@worlds("subgradients")
def subgradients():
    """a has equal maxima, g shares 1 among them; b is near, above, below and far."""
    for entries, top, M in ((4, {0, 2}, 0.4), (5, {1, 2, 4}, -0.6), (3, {1}, -0.2)):
        a = drawn(1, entries) - 3
        a[[*top]] = M
        g = np.zeros(entries)
        g[[*top]] = np.abs(drawn(2, len(top)))
        g /= g.sum()
        ends = [a, a + 1, a - 1, drawn(3, entries), 3 * drawn(4, entries)]
        ends += [a + change for change in (*np.eye(entries), *-np.eye(entries))]
        for b in ends:
            yield World(sizes={"a": a, "b": b, "g": g, "T": top, "M": M})


@worlds("exercise-rank")
def by_rank():
    for entries in (3, 4, 5):
        a = drawn(1, entries)
        ranks = np.argsort(np.argsort(-a))
        yield World(
            sizes={"w": drawn(2, entries), "delta": np.array(0.7)},
            given={"a": a},
            forward={"z": lambda v: np.sum(v["w"] * np.sort(v["a"])[::-1])},
            functions={"rho": lambda k, ranks=ranks: int(ranks[k])},
        )
