"""The check of docs/*/graph/engine.md."""

import numpy as np

from book import sessions
from book.checks import (
    H,
    Later,
    call,
    check,
    compare,
    generator,
    gradient,
    st,
    tf,
    values,
)
from book.results import namespace
from book.tex.world import World, drawn, worlds

tnp = Later("tensorflow.experimental.numpy")

MEASURED = (
    "`make.py bench engine`: 30 layers; rounded, since they move with the machine"
)
# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "cost": {"30 512 256 80 35": MEASURED},
    "random": {"40": "= len(graphs)"},
    "second": {"0.5": "= float(t.array)"},
}

COLLECTED = "the same values, only collected more than once"
FORGOTTEN = "less is forgotten, and the gradients are the same"
SLOPE = "slope = sum((np.sum(g * d) for g, d in zip(dl_dv, direction, strict=True)))"
# Changes after which the page says the same, and why.
SAME = {
    **{
        ("tape", "if value.number not in found:", f"if {other}:"): COLLECTED
        for other in (
            "value.number != found",
            "v.number not in found",
            "value.number not in loss",
            "value.number not in v",
        )
    },
    **{
        (
            "gradients",
            "kept = arriving.get if value.number in wanted else arriving.pop",
            f"kept = arriving.get if value.number {other} else arriving.pop",
        ): FORGOTTEN
        for other in ("!= wanted", "in arriving")
    },
    **{
        (
            "gradients",
            "loss = loss if isinstance(loss, Value) else Value(loss)",
            f"loss = loss if isinstance(loss, Value) else Value({other})",
        ): "of a constant nothing is used but that it depends on nothing"
        for other in ("g", "keep")
    },
    (
        "hessian_vector",
        SLOPE,
        "slope = sum((g * d for g, d in zip(dl_dv, direction, strict=True)))",
    ): "the gradient of an array is that of the sum of its entries",
    **{
        (
            "hessian_vector",
            SLOPE,
            f"slope = sum((np.sum(g * d) for {other}, strict=True)))",
        ): "d times g is g times d"
        for other in (
            "d, g in zip(dl_dv, direction",
            "g, d in zip(direction, dl_dv",
        )
    },
    (
        "hessian_vector",
        "return np.stack(gradients(slope, given))",
        "return gradients(slope, given)",
    ): "a list of arrays of one shape is that array",
    (
        "graph_gradient",
        "return np.stack(gradients(program(np, *given), given, g))",
        "return gradients(program(np, *given), given, g)",
    ): "a list of arrays of one shape is that array",
}


@check("graph-engine")
def engine(function, draw):
    """Random graphs. Those that choose have kinks, and stay where they are."""
    chooses = draw(st.booleans())
    program, start, _ = drawn_graph(draw, chooses)
    rng = generator(draw)
    g = values(rng, ())
    if draw(st.integers(0, 9)) == 9:  # a loss that depends on nothing
        case = {"start": start, "g": g, "program": lambda n, *arrays: np.float64(2)}
        none = np.zeros(start.shape)
        return compare(case, call(function, case), none, "the definition")
    return gradient(
        function,
        {"start": start, "g": g, "program": program},
        start,
        g,
        lambda start: program(tnp, start[0], start[1]),
        lambda start: program(np, *start),
        rng,
        chooses,
    )


@check("graph-hessian")
def second(function, draw):
    """∂ℓ/∂start along the direction is exact by a step of an imaginary number, and its
    central difference knows no derivative."""
    program, start, direction = drawn_graph(draw)

    def slope_by_tape(start):
        with tf.GradientTape() as tape:
            tape.watch(start)
            loss = program(tnp, start[0], start[1])
        return tf.reduce_sum(tape.gradient(loss, start) * direction)

    def slope(start):
        step = 1e-30
        return program(np, *(start + 1j * step * direction)).imag / step

    return gradient(
        function,
        {"start": start, "direction": direction, "program": program},
        start,
        np.float64(1),
        slope_by_tape,
        slope,
        generator(draw),
    )


def drawn_graph(draw, chooses: bool = False):
    """A program, its two arrays, and a direction of their shape."""
    smooth, choosing, graph = engine_names("SMOOTH", "CHOOSING", "graph")
    operations = smooth + choosing if chooses else smooth
    steps = [
        (
            draw(st.sampled_from(operations)),
            draw(st.integers(0, made)),
            draw(st.integers(0, made)),
        )
        for made in range(1, 1 + draw(st.integers(1, 6)))
    ]
    rng = generator(draw)
    return graph(steps), values(rng, (2, 3, 4)) / 2, values(rng, (2, 3, 4))


def engine_names(*names: str) -> list:
    """Those of the page's session."""
    session = namespace(sessions.SNIPPETS / "graph" / "engine.md")
    return [session[name] for name in names]


# --- What the symbols mean ---------------------------------------------------


@worlds("gradients")
def two_uses():
    """u has a row for each use of x, computed in ways of their own."""
    for i, j in ((2, 3), (3, 2), (4, 5)):
        L = drawn(2, 3, j, i)
        yield World(
            given={"x": drawn(1, i)},
            forward={
                "u": lambda v, L=L: np.stack(
                    [np.tanh(L[0] @ v["x"]), np.sin(L[1] @ v["x"]), L[2] @ v["x"]]
                ),
                "ell": lambda v: np.sum(np.prod(v["u"], axis=0)),
            },
            arguments=None,
        )


@worlds("second")
def curved():
    for i in (2, 3, 5):
        L, direction = drawn(2, i, i), drawn(3, i)

        def slope(x, L=L):
            """∂ℓ/∂x of ℓ = Σ sin(L x)."""
            return L.T @ np.cos(L @ x)

        x = drawn(1, i)
        yield World(
            sizes={
                "v": direction,
                "H": -L.T @ np.diag(np.sin(L @ x)) @ L,
            },
            given={"x": x},
            forward={
                "g": lambda v, slope=slope: slope(v["x"]),
                "s": lambda v: v["g"] @ v["v"],
                "ell": lambda v, L=L: np.sum(np.sin(L @ v["x"])),
            },
            arguments=None,
        )


@worlds("exercise-forward")
def forward():
    for i, j in ((2, 3), (3, 2), (4, 5)):
        L, x, direction = drawn(1, j, i), drawn(2, i), drawn(3, i)
        J = np.diag(1 - np.tanh(L @ x) ** 2) @ L
        ahead, behind = (np.tanh(L @ (x + h * direction)) for h in (H, -H))
        yield World(
            sizes={"J": J, "dot x": direction, "dot y": (ahead - behind) / (2 * H)}
        )
