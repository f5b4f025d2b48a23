"""Figures and checks of docs/*/attention/head.md."""

from itertools import product

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    st,
    tf,
    values,
)
from book.curves import Curve, Curves, Plot
from book.figures import ROUNDING, Box, Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.softmax import softmax

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "4": "= hand_Q.size",
    },
    "memory": {
        "168": "= lengths[-1]",
    },
}

# Changes after which the page says the same, and why.
WIDTH = "queries and keys have the same width d"
KEYS = r"\sum_j \frac{\partial \ell}{\partial K_{j,c}} = "
ZERO = r"\sum_j \frac{\partial \ell}{\partial S_{i,j}} = 0"
SAME = {
    (
        "attention_scores",
        "return Q @ np.swapaxes(K, -1, -2) / K.shape[-1] ** 0.5",
        "return Q @ np.swapaxes(K, -1, -2) / Q.shape[-1] ** 0.5",
    ): WIDTH,
    (
        "attention_backward",
        "dS, root = (attention_score_gradient(dO, V, P), K.shape[-1] ** 0.5)",
        "dS, root = (attention_score_gradient(dO, V, P), Q.shape[-1] ** 0.5)",
    ): WIDTH,
    **{
        (
            "blockwise_query_gradient",
            "return dQ / K.shape[-1] ** 0.5",
            f"return dQ / {of}.shape[-1] ** 0.5",
        ): WIDTH
        for of in ("Q", "dQ", "block_K")
    },
    (
        "blockwise_query_gradient",
        "for keys in blocks(K.shape[-2], size):",
        "for keys in blocks(V.shape[-2], size):",
    ): "each key has one value",
    (
        "blockwise_query_gradient",
        "for keys in blocks(K.shape[-2], size):",
        "for keys in blocks(size, K.shape[-2]):",
    ): "with all keys in one block the sum is the same; it takes more memory",
    (
        "blocks",
        "return [slice(start, start + size) for start in range(0, length, size)]",
        "return [slice(start, start + size) for start in range(0, length + 1, size)]",
    ): "a block without keys adds nothing to a sum",
    **{
        (
            "#queries-keys",
            KEYS + r"\frac{1}{\sqrt d} \sum_i Q_{i,c} " + ZERO,
            KEYS + factor + ZERO,
        ): "0, whatever it is multiplied by"
        for factor in (
            r"\frac{2}{\sqrt d} \sum_i Q_{i,c} ",
            r"\frac{1}{\sqrt d} \prod _i Q_{i,c} ",
            r"\frac{1}{\sqrt d} \sum_i  ",
        )
    },
}

# --- Figures -----------------------------------------------------------------


@figure("attention-mask")
def attention_mask(session):
    mask, S, P = (session.printed("mask", (5, 5), nth) for nth in range(3))
    hidden = mask == 0
    row = Box(2, 0, 1, 3)
    return [Panel("S", S, row, inserted=hidden), Panel("P", P, row, inserted=hidden)]


@claim("attention-mask")
def attention_mask_claim(session, S, P):
    """Grey is what lies in the future and what is padding; P is softmax of the rest."""
    i, j = np.indices((5, 5))
    for panel in (S, P):
        assert (panel.grey == ((j > i) | (j == 4))).all()
        assert (panel[panel.window] == panel[2, :3]).all()
        assert not panel.grey[panel.window].any()
    e = np.where(S.grey, 0, np.exp(S))
    assert_allclose(P, e / e.sum(axis=1, keepdims=True), atol=ROUNDING)


KEPT = {"O, P": 0, "O, L": 1}


@figure("attention-memory")
def attention_memory(session):
    lengths, whole, blocks = memory(session)
    lines = [Curve("O, P", lengths, whole), Curve("O, L", lengths, blocks)]
    return Curves([Plot("", lines)], "T", "n / 1000")


def memory(session):
    """Lengths, and thousands of numbers in use: with P, and in blocks."""
    text = session.text("memory").replace("[", " ").replace("]", " ")
    return np.reshape([float(word) for word in text.split()], (3, 6))


@claim("attention-memory")
def attention_memory_claim(session, curves):
    """With P more than four squares of the length, in blocks a straight line."""
    lengths, whole = curves[""].line("O, P")
    also, blocks = curves[""].line("O, L")
    assert_allclose(lengths, np.linspace(33, 168, 6), atol=0.05)
    assert_allclose(also, lengths, atol=0.05)
    assert_allclose([whole, blocks], memory(session)[1:], atol=0.05)
    squares = 4 * lengths**2 / 1000
    assert (whole > squares).all()
    assert (whole < squares + 2).all()
    straight = np.linspace(blocks[0], blocks[-1], 6)
    assert_allclose(blocks, straight, atol=0.6)  # whole thousands
    assert (np.diff(whole, 2) > 0).all()  # ever more steeply
    assert whole[-1] / blocks[-1] > 8


# --- Checks ------------------------------------------------------------------


def setting(draw, least=1):
    """Axes in front, T, T', d and d'; in half of the cases T is T'. least: of T'."""
    front = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    T, keys, d, width = (size(draw, 4) for _ in range(4))
    return front, T, max(T if draw(st.booleans()) else keys, least), d, width


def forward_of(Q, K, V):
    """By NumPy, with no line of the session: O of the four shapes."""
    S = np.einsum("...ic,...jc->...ij", Q, K) / np.sqrt(K.shape[-1])
    return np.einsum("...ij,...jc->...ic", softmax(S), V)


def tf_forward(Q, K, V):
    S = tf.matmul(Q, K, transpose_b=True) / np.sqrt(K.shape[-1])
    return tf.matmul(tf.nn.softmax(S), V)


def whole_case(draw, least=1):
    """Scores of order 1: where one weight is nearly 1, float32 loses the gradient."""
    front, T, keys, d, width = setting(draw, least)
    rng = generator(draw)
    Q, K = values(rng, (*front, T, d)) / 2, values(rng, (*front, keys, d))
    V, dO = values(rng, (*front, keys, width)), values(rng, (*front, T, width))
    S = np.einsum("...ic,...jc->...ij", Q, K) / np.sqrt(d)
    return {"dO": dO, "Q": Q, "K": K, "V": V, "P": softmax(S)}, S, rng


@check("attention-weights")
def attention_weights(function, draw):
    """Every query sees a key."""
    front, T, keys, _, _ = setting(draw)
    rng = generator(draw)
    S = values(rng, (*front, T, keys))
    mask = 1.0 * (rng.random((T, keys)) < 0.6)
    mask[np.arange(T), rng.integers(keys, size=T)] = 1
    case = {"S": S, "mask": mask}
    mine = call(function, case)
    e = np.exp(S) * mask
    by_tf = tf.nn.softmax(tf.where(mask == 1, S, tf.constant(-np.inf, tf.float64)))
    return max(
        compare(case, mine, by_tf, "TensorFlow"),
        compare(case, mine, e / e.sum(axis=-1, keepdims=True), "the definition"),
    )


@check("attention-values")
def attention_values(function, draw):
    case, _, rng = whole_case(draw)
    dO, P = case["dO"], case["P"]
    return gradient(
        function,
        {"dO": dO, "P": P},
        case["V"],
        dO,
        lambda V: tf.matmul(P, V),
        lambda V: np.einsum("...ij,...jc->...ic", P, V),
        rng,
    )


@check("attention-scores")
def attention_scores(function, draw):
    case, S, rng = whole_case(draw)
    return gradient(
        function,
        {name: case[name] for name in ("dO", "V", "P")},
        S,
        case["dO"],
        lambda S: tf.matmul(tf.nn.softmax(S), case["V"]),
        lambda S: np.einsum("...ij,...jc->...ic", softmax(S), case["V"]),
        rng,
    )


@check("attention-queries")
def attention_queries(function, draw):
    case, _, rng = whole_case(draw)
    K, V = case["K"], case["V"]
    return gradient(
        function,
        {name: case[name] for name in ("dO", "K", "V", "P")},
        case["Q"],
        case["dO"],
        lambda Q: tf_forward(Q, K, V),
        lambda Q: forward_of(Q, K, V),
        rng,
    )


@check("attention-keys")
def attention_keys(function, draw):
    case, _, rng = whole_case(draw)
    Q, V = case["Q"], case["V"]
    return gradient(
        function,
        {name: case[name] for name in ("dO", "Q", "V", "P")},
        case["K"],
        case["dO"],
        lambda K: tf_forward(Q, K, V),
        lambda K: forward_of(Q, K, V),
        rng,
    )


def row_sums(case):
    """D by its definition, through P."""
    dP = np.einsum("...ic,...jc->...ij", case["dO"], case["V"])
    return np.einsum("...ij,...ij->...i", dP, case["P"])


@check("attention-row-sum")
def attention_row_sum(function, draw):
    case, _, _ = whole_case(draw)
    given = {"dO": case["dO"], "O": forward_of(case["Q"], case["K"], case["V"])}
    mine = call(function, given)
    dP = tf.matmul(case["dO"], case["V"], transpose_b=True)
    by_tf = tf.reduce_sum(dP * case["P"], axis=-1)
    return max(
        compare(given, mine, by_tf, "TensorFlow"),
        compare(given, mine, row_sums(case), "the definition"),
    )


@check("attention-recomputed")
def attention_recomputed(function, draw):
    """Of a block of keys: the others are in L and D alone. With one key in all, the
    gradient is 0 but for the rounding of L and D."""
    case, S, rng = whole_case(draw, least=2)
    keys = S.shape[-1]
    start = draw(st.integers(0, keys - 1))
    block = slice(start, draw(st.integers(start + 1, keys)))
    given = {
        **{"dO": case["dO"], "Q": case["Q"]},
        **{name: case[name][..., block, :] for name in ("K", "V")},
        **{"L": np.logaddexp.reduce(S, axis=-1), "D": row_sums(case)},
    }
    before, after = S[..., :start], S[..., block.stop :]

    def by_tf(S):
        P = tf.nn.softmax(tf.concat([before, S, after], axis=-1))
        return tf.matmul(P, case["V"])

    def by_numpy(S):
        P = softmax(np.concatenate([before, S, after], axis=-1))
        return np.einsum("...ij,...jc->...ic", P, case["V"])

    return gradient(function, given, S[..., block], case["dO"], by_tf, by_numpy, rng)


@check("attention-blocks")
def attention_blocks(function, draw):
    case, S, rng = whole_case(draw, least=2)
    K, V = case["K"], case["V"]
    given = {name: case[name] for name in ("dO", "Q", "K", "V")}
    given |= {"L": np.logaddexp.reduce(S, axis=-1), "D": row_sums(case)}
    given["size"] = size(draw, S.shape[-1] + 1)
    return gradient(
        function,
        given,
        case["Q"],
        case["dO"],
        lambda Q: tf_forward(Q, K, V),
        lambda Q: forward_of(Q, K, V),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


def head(Q, K, V, dO, **sizes):
    """One head, and what the backward pass without P keeps of it."""
    return World(
        sizes={
            **{"T": len(Q), "T'": len(K), "d": K.shape[1], "d'": V.shape[1]},
            **{"u": np.ones(len(K)), **sizes},
        },
        given={"Q": Q, "K": K, "V": V},
        forward={
            "S": lambda v: v["Q"] @ v["K"].T / np.sqrt(v["d"]),
            "P": lambda v: softmax(v["S"]),
            "O": lambda v: v["P"] @ v["V"],
            "ell": lambda v: np.sum(dO * v["O"]),
            "L": lambda v: np.log(np.sum(np.exp(v["S"]), axis=1)),
            "D": lambda v: np.sum(dO * v["O"], axis=1),
        },
        arguments={"dO": lambda v: dO, "size": "B"},
    )


SIZES = (2, 4, 3, 2), (3, 2, 2, 4), (4, 6, 5, 3)  # T, T', d, d'


@worlds()
def symbols():
    for T, keys, d, width in SIZES:
        arrays = (
            drawn(1, T, d),
            drawn(2, keys, d),
            drawn(3, keys, width),
            drawn(4, T, width),
        )
        yield head(*arrays, B=2)


@worlds("by-hand")
def by_hand(given):
    yield head(given["Q"], given["K"], given["V"], given["hand_dO"])


@worlds("scale")
def scale():
    """The columns of q and k are all draws of signs."""
    for d in (2, 3, 4):
        signs = np.array([*product([1.0, -1.0], repeat=2 * d)]).T
        yield World(
            sizes={"d": d, "q": signs[:d], "k": signs[d:]},
            functions={"E": np.mean},
        )


@worlds("mask")
def masks():
    for T, keys in ((2, 3), (3, 2), (4, 5)):
        m = np.tri(T, keys)
        yield World(
            sizes={"m": m},
            given={"S": drawn(1, T, keys)},
            forward={
                "P": lambda v: (
                    np.exp(v["S"])
                    * v["m"]
                    / np.sum(np.exp(v["S"]) * v["m"], axis=1, keepdims=True)
                ),
            },
            arguments={"mask": "m"},
        )


@worlds("online")
def online():
    """J keys were seen, and a block of B comes, perhaps not the last."""
    for T, keys, seen, block in ((2, 5, 2, 2), (3, 4, 1, 3), (2, 6, 3, 1)):
        S, V = drawn(1, T, keys), drawn(2, keys, 3)
        S[:, seen + block :] += 4  # what comes later is the largest
        sizes = {"S": S, "V": V, "J": seen, "B": block, "P": softmax(S)}
        for prime, end in (("", seen), ("'", seen + block)):
            M = S[:, :end].max(axis=1)
            e = np.exp(S[:, :end] - M[:, None])
            sizes |= {"M" + prime: M, "s" + prime: e.sum(axis=1)}
            sizes["o" + prime] = e @ V[:end]
        yield World(sizes=sizes, axes={"V": {1: (0,)}, "o": {1: (0,)}})


@worlds("exercise-uniform")
def uniform(given):
    yield head(np.zeros((1, 4)), given["K"], given["V"], given["level_dO"])


@worlds("exercise-learned")
def learned():
    for T, keys, d, width in SIZES:
        Q, K, V = drawn(1, T, d), drawn(2, keys, d), drawn(3, keys, width)
        dO = drawn(4, T, width)
        yield World(
            sizes={"Q": Q, "K": K},
            given={"c": np.array(0.7)},
            forward={
                "S": lambda v: v["c"] * v["Q"] @ v["K"].T,
                "ell": lambda v, V=V, dO=dO: np.sum(dO * (softmax(v["S"]) @ V)),
            },
        )


@worlds("exercise-distance")
def distance():
    for T in (2, 3, 4):
        S, V, dO = drawn(1, T, T), drawn(2, T, 3), drawn(3, T, 3)
        places = np.arange(T)[:, None] - np.arange(T) + T - 1
        yield World(
            sizes={"T": T},
            given={"beta": drawn(4, 2 * T - 1)},
            forward={
                "S": lambda v, S=S, places=places: S + v["beta"][places],
                "ell": lambda v, V=V, dO=dO: np.sum(dO * (softmax(v["S"]) @ V)),
            },
        )
