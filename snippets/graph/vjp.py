"""Figure and checks of docs/*/graph/vjp.md."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, size, st, tf, values
from book.figures import Panel, claim, figure
from book.tex.world import World, drawn, worlds

# Changes after which the page says the same, and why.
SAME = {
    (
        "broadcast_vjp",
        "ones = tuple((axis for axis, length in enumerate(shape) if length == 1))",
        "ones = tuple((axis for axis, length in enumerate(shape) if length <= 1))",
    ): "an axis of length 0 has nothing to sum",
    (
        "max_vjp",
        "largest = x == np.max(x, axis=axis, keepdims=True)",
        "largest = x >= np.max(x, axis=axis, keepdims=True)",
    ): "no entry is larger than the largest",
}

# --- Figure ------------------------------------------------------------------


@figure("gather-scatter")
def gather_scatter(session):
    """Row 2 of x is read twice; ringed are its first entry and both copies of it."""
    x = session.written("by-hand", "x", (4, 2))
    y = session.printed("by-hand", (3, 2), nth=0)
    g = session.written("by-hand", "g", (3, 2))
    dx = session.printed("by-hand", (4, 2), nth=1)
    read, copies = np.zeros(x.shape, bool), np.zeros(y.shape, bool)
    read[2, 0] = copies[[0, 2], 0] = True
    return [
        Panel("x", x, rings=read),
        r"\to",
        Panel("y", y, rings=copies),
        ",",
        Panel("g", g, rings=copies),
        r"\to",
        Panel(r"\tfrac{\partial \ell}{\partial x}", dx, rings=read),
    ]


@claim("gather-scatter")
def gather_scatter_claim(session, x, y, g, dx):
    ids = np.array([2, 0, 2])
    assert_allclose(y, x[ids])
    assert_array_equal(x.rings, dx.rings)
    assert_array_equal(y.rings, g.rings)
    assert_array_equal(y.rings, x.rings[ids])
    assert_array_equal(np.argwhere(x.rings), [[2, 0]])
    collected = np.zeros(x.shape)
    np.add.at(collected, ids, g)
    assert_allclose(dx, collected)


# --- Checks ------------------------------------------------------------------


def shape_of(draw, axes: int) -> tuple[int, ...]:
    return tuple(size(draw, 4) for _ in range(axes))


@check("graph-gather")
def gather(function, draw):
    shape, count = shape_of(draw, 2), shape_of(draw, draw(st.integers(1, 2)))
    rng = generator(draw)
    ids = rng.integers(0, shape[0], count)
    g = values(rng, (*count, shape[1]))
    return gradient(
        function,
        {"g": g, "ids": ids, "shape": shape},
        values(rng, shape),
        g,
        lambda x: tf.gather(1.0 * x, ids),  # no IndexedSlices arrive
        lambda x: x[ids],
        rng,
    )


@check("graph-broadcast")
def broadcast(function, draw):
    full = shape_of(draw, 3)
    kept = full[draw(st.integers(0, 2)) :]
    shape = tuple(1 if draw(st.booleans()) else length for length in kept)
    rng = generator(draw)
    g = values(rng, full)
    return gradient(
        function,
        {"g": g, "shape": shape},
        values(rng, shape),
        g,
        lambda x: tf.broadcast_to(x, full),
        lambda x: np.broadcast_to(x, full),
        rng,
    )


@check("graph-sum")
def summed(function, draw):
    shape, axis = shape_of(draw, 3), draw(st.integers(0, 2))
    rng = generator(draw)
    x = values(rng, shape)
    g = values(rng, x.sum(axis).shape)
    return gradient(
        function,
        {"g": g, "shape": shape, "axis": axis},
        x,
        g,
        lambda x: tf.reduce_sum(x, axis),
        lambda x: x.sum(axis),
        rng,
    )


@check("graph-reshape")
def reshape(function, draw):
    i, j, k = shape_of(draw, 3)
    after = draw(st.sampled_from([(i * j * k,), (k, j * i), (j, k, i), (1, k * i, j)]))
    rng = generator(draw)
    g = values(rng, after)
    return gradient(
        function,
        {"g": g, "shape": (i, j, k)},
        values(rng, (i, j, k)),
        g,
        lambda x: tf.reshape(x, after),
        lambda x: x.reshape(after),
        rng,
    )


@check("graph-transpose")
def transpose(function, draw):
    shape, axes = shape_of(draw, 3), tuple(draw(st.permutations(range(3))))
    rng = generator(draw)
    x = values(rng, shape)
    g = values(rng, x.transpose(axes).shape)
    return gradient(
        function,
        {"g": g, "axes": axes},
        x,
        g,
        lambda x: tf.transpose(x, axes),
        lambda x: x.transpose(axes),
        rng,
    )


@check("graph-concatenate")
def concatenate(function, draw):
    shape, axis = shape_of(draw, 3), draw(st.integers(-3, 2))
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    rng = generator(draw)
    x = values(rng, shape)
    ends = [
        np.repeat(x.sum(axis, keepdims=True), length, axis)
        for length in (before, after)
    ]
    pieces = np.concatenate([ends[0], x, ends[1]], axis)
    g = values(rng, pieces.shape)
    return gradient(
        function,
        {"g": g, "start": before, "size": shape[axis], "axis": axis},
        x,
        g,
        lambda x: tf.concat([ends[0], x, ends[1]], axis),
        lambda x: np.concatenate([ends[0], x, ends[1]], axis),
        rng,
    )


@check("graph-slice")
def sliced(function, draw):
    shape = shape_of(draw, 2)
    key = tuple(
        slice(draw(st.integers(0, length - 1)), None, draw(st.integers(1, 3)))
        for length in shape
    )
    rng = generator(draw)
    x = values(rng, shape)
    g = values(rng, x[key].shape)
    return gradient(
        function,
        {"g": g, "key": key, "shape": shape},
        x,
        g,
        lambda x: x[key],
        lambda x: x[key],
        rng,
    )


@check("graph-where")
def where(function, draw):
    shape = shape_of(draw, 2)
    rng = generator(draw)
    condition, other = rng.random(shape) < 0.5, values(rng, shape)
    g = values(rng, shape)
    return gradient(
        function,
        {"g": g, "condition": condition},
        values(rng, shape),
        g,
        lambda x: tf.where(condition, x, other),
        lambda x: np.where(condition, x, other),
        rng,
    )


@check("graph-max")
def largest(function, draw):
    """Of few values, so that there are ties; nothing moves there."""
    shape, axis = shape_of(draw, 3), draw(st.integers(0, 2))
    rng = generator(draw)
    x = rng.choice([-1.0, 0.5, 2.0], shape)
    g = values(rng, x.max(axis).shape)
    top = x == x.max(axis, keepdims=True)
    return gradient(
        function,
        {"g": g, "x": x, "axis": axis},
        x,
        g,
        lambda x: tf.reduce_max(x, axis),
        lambda x: x.max(axis),
        rng,
        top & (top.sum(axis, keepdims=True) > 1),
    )


@check("graph-matmul")
def matmul(function, draw):
    """Matrices, or stacks of them of which one may serve for all."""
    n, i, j = shape_of(draw, 3)
    stacks = st.sampled_from([(), (1,), (3,), (2, 3), (2, 1)])
    shape, other = (*draw(stacks), n, i), (*draw(stacks), i, j)
    rng = generator(draw)
    A, B = values(rng, shape), values(rng, other)
    g = values(rng, (A @ B).shape)
    return gradient(
        function,
        {"g": g, "A": A, "B": B},
        A,
        g,
        lambda A: A @ tf.constant(B),
        lambda A: A @ B,
        rng,
    )


FORMS = ["ij,jk->ik", "ni,ijk,nj->nk", "ij,ij->j", "i,j->ji", "hnd,hmd->hnm"]


@check("graph-einsum")
def einsum(function, draw):
    subscripts = draw(st.sampled_from(FORMS))
    terms = subscripts.split("->")[0].split(",")
    which = draw(st.integers(0, len(terms) - 1))
    lengths = {letter: size(draw, 3) for letter in sorted({*"".join(terms)})}
    rng = generator(draw)
    operands = [values(rng, tuple(lengths[i] for i in term)) for term in terms]
    g = values(rng, np.einsum(subscripts, *operands).shape)

    def given(x):
        return [*operands[:which], x, *operands[which + 1 :]]

    return gradient(
        function,
        {"g": g, "subscripts": subscripts, "operands": operands, "which": which},
        operands[which],
        g,
        lambda x: tf.einsum(subscripts, *given(x)),
        lambda x: np.einsum(subscripts, *given(x)),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


def bent(y) -> float:
    """A loss whose gradient is another number at each entry of y."""
    return np.sum(np.sin(y + np.arange(y.size).reshape(y.shape)))


def step(forward, also=None, arguments=None, **given) -> World:
    """y = forward of the values, and a loss of y."""
    return World(
        sizes=also or {},
        given=given,
        forward={
            "y": forward,
            "ell": lambda v: bent(v["y"]),
        },
        gradients={"g": "y"},
        arguments={"shape": lambda v: v["x"].shape, **(arguments or {})},
    )


@worlds("by-hand")
def by_hand(given):
    yield World(
        sizes={"g": given["g"]},
        given={"x": given["x"]},
        forward={
            "y": lambda v: v["x"][given["ids"].astype(int)],
            "ell": lambda v: np.sum(given["g"] * v["y"]),
        },
    )


@worlds("rule")
def linear():
    for i, j in ((2, 3), (3, 2), (4, 5)):
        L = drawn(2, j, i)
        yield step(lambda v, L=L: L @ v["x"], {"L": L}, x=drawn(1, i))


@worlds("gather")
def rows_read():
    for ids in ([2, 0, 2], [1, 1, 1, 0], [0, 3]):
        t = np.array(ids)
        yield step(
            lambda v: v["x"][v["t"]],
            {"t": t},
            {"ids": "t"},
            x=drawn(1, 4, 2 + len(ids)),
        )


@worlds("broadcast")
def repeated():
    for n, j in ((2, 3), (3, 2), (4, 5)):
        yield step(lambda v, n=n, j=j: np.broadcast_to(v["x"], (n, j)), x=drawn(1, j))


@worlds("sum")
def total():
    for n, j in ((2, 3), (3, 2), (4, 5)):
        yield step(
            lambda v: v["x"].sum(1), arguments={"axis": lambda v: 1}, x=drawn(1, n, j)
        )


@worlds("reshape")
def flat():
    for i, j in ((2, 3), (3, 2), (4, 5)):
        yield step(lambda v: v["x"].ravel(), {"J": j}, x=drawn(1, i, j))


@worlds("transpose")
def turned():
    for shape in ((2, 3, 4), (4, 2, 3), (3, 5, 2)):
        yield step(
            lambda v: v["x"].transpose(2, 0, 1),
            arguments={"axes": lambda v: (2, 0, 1)},
            x=drawn(1, *shape),
        )


@worlds("concatenate")
def side_by_side():
    for n, j, k in ((2, 3, 2), (3, 2, 4), (2, 1, 3)):
        yield step(
            lambda v: np.concatenate([v["w"], v["x"]], axis=1),
            {"J": j},
            {
                "start": "J",
                "size": lambda v: v["x"].shape[1],
                "axis": lambda v: 1,
            },
            w=drawn(1, n, j),
            x=drawn(2, n, k),
        )


@worlds("slice")
def every_other():
    for length, start, stride in ((7, 1, 2), (8, 2, 3), (5, 0, 2)):
        key = slice(start, None, stride)
        yield step(
            lambda v, key=key: v["x"][key],
            {"s": start, "S": stride},
            {"key": lambda v, key=key: key},
            x=drawn(1, length),
        )


@worlds("where")
def one_or_other():
    for c in ([1, 0, 1], [0, 0, 1, 1], [1, 0]):
        yield step(
            lambda v: np.where(v["c"] == 1, v["x"], v["w"]),
            {"c": np.array(c)},
            {"condition": lambda v: v["c"] == 1},
            x=drawn(1, len(c)),
            w=drawn(2, len(c)),
        )


@worlds("max")
def with_a_tie():
    """Of two: there a central difference has the mean of both slopes, half of g."""
    for n, j in ((2, 3), (3, 4), (4, 2)):
        x, g = drawn(1, n, j), drawn(2, n)
        x[0, :2] = 2.0
        yield World(
            sizes={"g": g, "m": np.sum(x == x.max(1, keepdims=True), axis=1)},
            given={"x": x},
            forward={
                "y": lambda v: v["x"].max(1),
                "ell": lambda v: np.sum(v["g"] * v["y"]),
            },
            arguments={"axis": lambda v: 1},
        )


@worlds("matmul")
def product():
    for n, i, j in ((2, 3, 4), (3, 4, 2), (4, 2, 3)):
        yield step(lambda v: v["A"] @ v["B"], A=drawn(1, n, i), B=drawn(2, i, j))


@worlds("einsum")
def bilinear():
    for n, i, j, k in ((2, 3, 4, 2), (3, 2, 2, 4), (4, 2, 3, 3)):
        yield step(
            lambda v: np.einsum("ni,ijk,nj->nk", v["a"], v["W"], v["b"]),
            arguments={
                "subscripts": lambda v: "ni,ijk,nj->nk",
                "operands": lambda v: (v["a"], v["W"], v["b"]),
                "which": lambda v: 1,
            },
            a=drawn(1, n, i),
            W=drawn(2, i, j, k),
            b=drawn(3, n, j),
        )


@worlds("exercise-running")
def running():
    for i in (2, 3, 5):
        yield step(lambda v: np.cumsum(v["x"]), {"I": i}, x=drawn(1, i))


@worlds("exercise-softmax")
def pieces():
    for n, c in ((2, 3), (3, 2), (4, 5)):
        yield World(
            given={"x": drawn(1, n, c)},
            forward={
                "e": lambda v: np.exp(v["x"]),
                "s": lambda v: v["e"].sum(1),
                "y": lambda v: v["e"] / v["s"][:, np.newaxis],
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
        )
