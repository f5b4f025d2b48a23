"""Figure, checks and symbols of docs/*/normalisation/dropout.md."""

from itertools import product

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.checks import check, generator, gradient, size, st, tf, values
from book.figures import Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.graph.vjp import bent

# Changes after which the page says the same, and why.
SAME = {
    (
        "#expectation",
        r"& p\, (0 - x)^2 + (1 - p) \left(\frac{x}{1 - p} - x\right)^2 \\",
        r"& p\, (0 + x)^2 + (1 - p) \left(\frac{x}{1 - p} - x\right)^2 \\",
    ): "the distance from 0 to x is that from 0 to -x",
}

# --- Figure ------------------------------------------------------------------


@figure("dropout-mask")
def same_mask(session):
    """Ringed is what was dropped."""
    x, g = (session.written("by-hand", name, (2, 3)) for name in ("x", "g"))
    y, dx = (session.printed("by-hand", (2, 3), nth) for nth in (0, 1))
    dropped = y == 0
    return [
        Panel("x", x, rings=dropped),
        r"\to",
        Panel("y", y, rings=dropped),
        ",",
        Panel("g", g, rings=dropped),
        r"\to",
        Panel(r"\tfrac{\partial \ell}{\partial x}", dx, rings=dropped),
    ]


@claim("dropout-mask")
def same_mask_claim(session, x, y, g, dx):
    dropped = session.written("by-hand", "M", (2, 3)) == 0
    for panel in (x, y, g, dx):
        assert_array_equal(panel.rings, dropped)
    factor = np.where(dropped, 0, 1.25)
    assert_allclose(y, factor * x)
    assert_allclose(dx, factor * g)


# --- Checks ------------------------------------------------------------------


@check("dropout-input")
def dropout_input(function, draw):
    """TensorFlow draws; its mask is read off ones. It may be broadcast."""
    shape = tuple(size(draw, 4) for _ in range(3))
    noise = shape if draw(st.booleans()) else (shape[0], 1, shape[2])
    rate, seed = draw(st.sampled_from([0.1, 0.3, 0.6])), draw(st.integers(0, 99))
    rng = generator(draw)
    x, dy = values(rng, shape), values(rng, shape)

    def by_tf(x):
        return tf.nn.experimental.stateless_dropout(
            x, rate, seed=[seed, 0], noise_shape=noise
        )

    ones = by_tf(tf.ones(shape, tf.float64)).numpy()
    mask = 1.0 * (ones[tuple(slice(length) for length in noise)] > 0)
    return gradient(
        function,
        {"dy": dy, "mask": mask, "rate": rate},
        x,
        dy,
        by_tf,
        lambda x: np.where(mask > 0, x / (1 - rate), 0),
        rng,
    )


@check("dropout-factor")
def factor(function, draw):
    shape = tuple(size(draw, 3) for _ in range(4))
    narrow = tuple(1 if draw(st.booleans()) else length for length in shape)
    rng = generator(draw)
    x, f, dy = values(rng, shape), values(rng, narrow), values(rng, shape)
    return gradient(
        function,
        {"dy": dy, "x": x, "shape": narrow},
        f,
        dy,
        lambda f: f * x,
        lambda f: f * x,
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


SIZES = (
    (2, 3, 0.3),
    (3, 2, 0.6),
    (4, 5, 0.2),
)


def mask(*shape):
    """Of both kinds."""
    found = np.random.default_rng(3).random(shape) > 0.4
    found.flat[:2] = True, False
    return 1.0 * found


@worlds()
def symbols():
    for examples, width, p in SIZES:
        yield World(
            sizes={"p": p, "M": mask(examples, width)},
            given={"x": drawn(1, examples, width)},
            forward={
                "y": lambda v: v["M"] * v["x"] / (1 - v["p"]),
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
            arguments={"dy": "g", "mask": "M", "rate": "p"},
        )


@worlds("by-hand")
def by_hand(given):
    yield World(
        sizes={name: given[name] for name in ("p", "M", "g")},
        given={"x": given["x"]},
        forward={
            "y": lambda v: v["M"] * v["x"] / (1 - v["p"]),
            "ell": lambda v: np.sum(v["g"] * v["y"]),
        },
    )


@worlds("expectation")
def one_entry():
    for p, x in ((0.3, 1.7), (0.6, -0.4), (0.2, 2.3)):
        yield World(sizes={"p": p, "x": x})


@worlds("loss")
def all_masks():
    """u has an entry for each mask, and E weighs them by their probabilities."""
    for width, p in ((2, 0.3), (3, 0.6), (4, 0.2)):
        masks = np.array(list(product([0.0, 1.0], repeat=width)))
        chances = np.prod(np.where(masks, 1 - p, p), axis=1)
        yield World(
            sizes={"p": p, "t": 0.7, "x": drawn(2, width)},
            given={"w": drawn(1, width)},
            forward={
                "u": lambda v, masks=masks: masks @ (v["w"] * v["x"]) / (1 - v["p"]),
                "bar u": lambda v: v["w"] @ v["x"],
                "bar ell": lambda v, c=chances: c @ (v["u"] - v["t"]) ** 2 / 2,
            },
            functions={"E": lambda a, c=chances: c @ a},
        )


@worlds("spatial")
def channels():
    for shape, p in (((2, 3, 2, 4), 0.3), ((3, 2, 4, 2), 0.6), ((2, 4, 3, 3), 0.2)):
        examples, *_, count = shape
        yield World(
            sizes={"p": p, "M": mask(examples, count)},
            given={"x": drawn(1, *shape)},
            forward={
                "y": lambda v: v["M"][:, None, None] * v["x"] / (1 - v["p"]),
            },
        )


@worlds("factor")
def learned_factor():
    for shape in ((2, 3, 2, 4), (3, 2, 4, 2), (2, 4, 3, 3)):
        examples, *_, count = shape
        yield World(
            given={"x": drawn(1, *shape), "f": drawn(2, examples, count)},
            forward={
                "y": lambda v: v["f"][:, None, None] * v["x"],
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
            arguments={
                "dy": "g",
                "shape": lambda v: (len(v["f"]), 1, 1, v["f"].shape[1]),
            },
        )


@worlds("noise")
def multiplied():
    for examples, width, s in SIZES:
        yield World(
            sizes={"s": s, "varepsilon": drawn(3, examples, width)},
            given={"x": drawn(1, examples, width)},
            forward={
                "y": lambda v: v["x"] * (1 + v["s"] * v["varepsilon"]),
                "ell": lambda v: bent(v["y"]),
            },
            gradients={"g": "y"},
        )
