"""Figures, checks and symbols of docs/*/rnn/sequences.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import (
    call,
    check,
    compare,
    generator,
    gradient,
    size,
    tf,
    values,
)
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.rnn.layer import through_time

# Changes after which the page says the same, and why.
SAME = {
    **{
        (
            function,
            before,
            before.replace(array, other),
        ): "all have T steps, and an axis of length 1 may stand on either side of t"
        for function, before, array, other in (
            ("masked_forward", "for t in range(x.shape[1]):", "x.", "mask."),
            (
                "masked_forward",
                "states.append(np.where(mask[:, t, None], new, states[-1]))",
                "t, None",
                "None, t",
            ),
            ("state_gradients", "for t in reversed(range(h.shape[1])):", "h.", "dh."),
            ("state_gradients", "for t in reversed(range(h.shape[1])):", "h.", "mask."),
            ("state_gradients", "valid = mask[:, t, None]", "t, None", "None, t"),
        )
    },
    (
        "#by-hand",
        r"h_2 &= \tanh(\log 3 - 0.3 + 0.5 \cdot 0.6) = 0.8",
        r"h_3 &= \tanh(\log 3 - 0.3 + 0.5 \cdot 0.6) = 0.8",
    ): "the state stays",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "0.41": "= through_p[0, 1, 0]",
        "0.66 0.73 1.48": "= [*through_terms[2:], through_terms.sum()]",
        "0.09": "= through_terms[:2].sum()",
    },
    "exercise-gap": {
        "0.5 0.5 0.6": "= gap_h",
    },
}

# --- Figures -----------------------------------------------------------------

WITH, WITHOUT = "h", "h'"
DRAWN_VALUE = 0.01  # of a value with two decimals, once multiplied


@figure("sequences-paths")
def paths(session):
    """The states with the mask on the left, without it on the right."""
    U = session.written("by-hand", "one_U", (1, 1)).item()
    columns = {
        WITH: (
            4,
            session.printed("by-hand", (1, 4), 0)[0],
            session.printed("by-hand-delta", (1, 4), 0)[0],
        ),
        WITHOUT: (
            15.5,
            session.printed("by-hand", (1, 4), 1)[0],
            session.printed("by-hand-delta", (1, 4), 3)[0],
        ),
    }
    nodes, edges = [], []
    for name, (x, h, total) in columns.items():
        for t in range(4):
            nodes.append(Node(f"{name}_{{{t + 1}}}", x, 2 + 5.5 * t, h[t], total[t]))
            if t:
                masked = name == WITH and t > 1
                told = rf"U(1 - {{{name}_{{{t + 1}}}}}^2)"
                told = f"1 - m_{{{t + 1}}}" if masked else told
                slope = 1.0 if masked else U * (1 - h[t] ** 2)
                ends = nodes[-2].name, nodes[-1].name
                edges.append(Edge(*ends, told, slope))
    return Graph(nodes, edges)


@claim("sequences-paths")
def paths_claim(session, graph):
    """The values are those of the two forward passes, the gradients differences."""
    x = np.ravel(np.array([np.log(2), np.log(3) - 0.3, 0, 0]))
    assert_allclose(session.written("by-hand", "one_mask", (1, 4))[0], [1, 1, 0, 0])

    def run(name, at=0, change=0.0):
        h, found = 0.0, []
        for t in range(4):
            if not (name == WITH and t > 1):
                h = np.tanh(x[t] + 0.5 * h)
            h = h + change * (t + 1 == at)
            found.append(h)
        return np.array(found)

    for name in (WITH, WITHOUT):
        nodes = [graph[f"{name}_{{{t}}}"] for t in range(1, 5)]
        assert_allclose([node.value for node in nodes], run(name), atol=DRAWN_VALUE)
        for t, node in enumerate(nodes, 1):
            ends = [2 * run(name, t, step)[-1] for step in (1e-4, -1e-4)]
            slope = (ends[0] - ends[1]) / 2e-4
            assert_allclose(node.gradient, slope, atol=DRAWN_VALUE)
            if t < 4:
                assert_allclose(graph.arriving(node.name), slope, atol=DRAWN_VALUE)
    pairs = [
        (f"{n}_{{{t}}}", f"{n}_{{{t + 1}}}") for n in (WITH, WITHOUT) for t in (1, 2, 3)
    ]
    assert [(edge.start, edge.end) for edge in graph.edges] == pairs
    for edge in graph.edges:
        masked = edge.start in ("h_{2}", "h_{3}")
        assert (edge.derivative == 1) == masked
        at = edge.end[-3:]
        told = f"1 - m_{at}" if masked else rf"U(1 - {{{edge.end}}}^2)"
        assert edge.name == told


MORE = np.array([0, 5, 10, 20, 40, 80])
DRAWN = 0.05  # how well places and powers of ten are read off a drawing


@figure("sequences-fade")
def fade(session):
    without = 10 ** session.printed("fade", (1, 6))[0]
    lines = [
        Curve(r"m_t = 0", MORE, np.ones(6)),
        Curve(r"m_t = 1", MORE, without),
    ]
    return Curves([Plot("", lines)], r"k", "p_{T-k}", log=True)


@claim("sequences-fade")
def fade_claim(session, curves):
    """With the mask nothing is lost; without it, all but a ten-thousandth."""
    shown = session.printed("fade", (1, 6))[0]
    for name, powers in ((r"m_t = 0", np.zeros(6)), (r"m_t = 1", shown)):
        along, sizes = curves[""].line(name)
        assert_allclose(along, MORE, atol=DRAWN)
        assert_allclose(np.log10(sizes), powers, atol=DRAWN)
    assert (np.diff(shown) < 0).all()
    assert shown[-1] < -4
    assert (curves.across, curves.up) == ("k", "p_{T-k}")


ARROWS = {r"\rightarrow": (2, 1), r"\leftarrow": (14, -1)}  # the row, the step


@figure("sequences-directions")
def directions(session):
    """x in the middle, the forward direction above it, the reverse one below."""
    columns = {t: 3 + 9.6 * (t - 1) for t in (1, 2, 3)}
    nodes = [Node(f"x_{{{t}}}", x, 8) for t, x in columns.items()]
    edges = []
    for arrow, (row, step) in ARROWS.items():
        for t, x in columns.items():
            name = f"h^{{{arrow}}}_{{{t}}}"
            nodes.append(Node(name, x, row))
            edges.append(Edge(f"x_{{{t}}}", name, f"W^{{{arrow}}}"))
            if t - step in columns:
                before = f"h^{{{arrow}}}_{{{t - step}}}"
                edges.append(Edge(before, name, f"U^{{{arrow}}}"))
    return Graph(nodes, edges)


@claim("sequences-directions")
def directions_claim(session, graph):
    """Into each state lead arrows from its own x and from the state before it in its
    direction; so a path leads from x_s to those states that change with x_s."""
    x, W, U = drawn(1, 3), {}, {}
    for seed, arrow in enumerate(ARROWS):
        W[arrow], U[arrow] = drawn(2 + seed, 2)

    def run(x):
        found = {}
        for arrow, (_, step) in ARROWS.items():
            h = 0.0
            for t in (1, 2, 3)[::step]:
                h = np.tanh(x[t - 1] * W[arrow] + h * U[arrow])
                found[f"h^{{{arrow}}}_{{{t}}}"] = h
        return found

    right = run(x)
    for s in (1, 2, 3):
        changed = run(x + (np.arange(1, 4) == s))
        reached, ends = set(), {f"x_{{{s}}}"}
        while ends:
            reached |= ends
            ends = {e.end for e in graph.edges if e.start in ends} - reached
        moved = {name for name in right if right[name] != changed[name]}
        assert reached - {f"x_{{{s}}}"} == moved
    assert len(graph.edges) == 10
    for edge in graph.edges:
        arrow = next(a for a in ARROWS if a in edge.end)
        letter = "W" if edge.start.startswith("x") else "U"
        assert edge.name == f"{letter}^{{{arrow}}}"
        assert letter == "U" or edge.start[-3:] == edge.end[-3:]


# --- Checks ------------------------------------------------------------------


def masked_case(draw):
    """x (N, T, I), h0 (N, H), mask (N, T), W, U, b: some steps are masked, or all."""
    examples, steps, inputs, units = (size(draw, most) for most in (3, 4, 3, 3))
    rng = generator(draw)
    x, h0 = values(rng, (examples, steps, inputs)), values(rng, (examples, units))
    mask = rng.integers(0, 2, (examples, steps))
    W, U, b = (
        values(rng, shape) for shape in ((inputs, units), (units, units), (units,))
    )
    return x, h0, mask, W, U, b, rng


def by_steps(z, h0, mask, U, tanh, where, stack):
    """The states, of z without its part from h."""
    states = [h0]
    for t in range(z.shape[1]):
        valid = mask[:, t, None] > 0
        states.append(where(valid, tanh(z[:, t] + states[-1] @ U), states[-1]))
    return stack(states[1:], 1)


@check("sequences-state")
def state(function, draw):
    x, h0, mask, W, U, b, _ = masked_case(draw)
    case = {"x": x, "h0": h0, "mask": mask, "W": W, "U": U, "b": b}
    mine = call(function, case)
    by_tf = by_steps(tf.constant(x) @ W + b, h0, mask, U, tf.tanh, tf.where, tf.stack)
    want = np.empty(mine.shape)
    for n, t in np.ndindex(mask.shape):
        before = want[n, t - 1] if t else h0[n]
        new = np.tanh(
            np.sum(x[n, t, :, None] * W, 0) + np.sum(before[:, None] * U, 0) + b
        )
        want[n, t] = new if mask[n, t] else before
    return max(
        compare(case, mine, by_tf, "TensorFlow"),
        compare(case, mine, want, "the definition"),
    )


@check("sequences-delta")
def delta(function, draw):
    """z is what b adds to, by steps; so its gradient is δ."""
    x, h0, mask, W, U, b, rng = masked_case(draw)
    z = x @ W + b
    h = by_steps(z, h0, mask, U, np.tanh, np.where, np.stack)
    dh = values(rng, h.shape)
    return gradient(
        function,
        {"dh": dh, "h": h, "mask": mask, "U": U},
        z,
        dh,
        lambda z: by_steps(z, h0, mask, U, tf.tanh, tf.where, tf.stack),
        lambda z: by_steps(z, h0, mask, U, np.tanh, np.where, np.stack),
        rng,
    )


@check("sequences-mean")
def mean(function, draw):
    """Of the loss Σ m e h / Σ m; at least one step is valid."""
    shape = tuple(size(draw, 4) for _ in range(3))
    rng = generator(draw)
    e, mask = values(rng, shape), rng.integers(0, 2, shape[:2])
    mask[0, 0] = 1
    count = sum(map(sum, mask.tolist()))
    loss = lambda h: h * (mask[..., None] * e) / count  # noqa: E731
    return gradient(
        function,
        {"e": e, "mask": mask},
        values(rng, shape),
        np.ones(shape),
        loss,
        loss,
        rng,
    )


@check("sequences-bidirectional")
def bidirectional(function, draw):
    examples, steps, inputs, units = (size(draw, most) for most in (3, 4, 3, 3))
    rng = generator(draw)
    x = values(rng, (examples, steps, inputs))
    W, U = values(rng, (2, inputs, units)), values(rng, (2, units, units))

    def both(x, tanh, stack, concatenate):
        sides = []
        for direction, order in enumerate((range(steps), range(steps)[::-1])):
            states, before = {}, np.zeros((examples, units))
            for t in order:
                before = tanh(x[:, t] @ W[direction] + before @ U[direction])
                states[t] = before
            sides.append(stack([states[t] for t in range(steps)], 1))
        return concatenate(sides, 2)

    h = both(x, np.tanh, np.stack, np.concatenate)
    dh = values(rng, h.shape)
    return gradient(
        function,
        {"dh": dh, "h": h, "W": W, "U": U},
        x,
        dh,
        lambda x: both(x, tf.tanh, tf.stack, tf.concat),
        lambda x: both(x, np.tanh, np.stack, np.concatenate),
        rng,
    )


# --- What the symbols mean ---------------------------------------------------


def steps(name, T, first=1):
    """The keys of a family: h_0 to h_T, or those from h_1 on, where h_0 is none."""
    return tuple(f"{name}_{t}" if t >= first else "" for t in range(T + 1))


@worlds()
def symbols():
    """One example; the loss is linear in all h_t, so that g_t is a constant."""
    for mask, inputs, units in (
        ((1, 1, 0, 0), 2, 3),
        ((0, 1, 1), 3, 2),
        ((1, 0, 0, 1, 1), 2, 4),
    ):
        yield masked(mask, inputs, units)


def masked(mask, inputs, units):
    T = len(mask)

    def state(v, t):
        return np.tanh(v[f"z_{t}"]) if mask[t - 1] else 1 * v[f"h_{t - 1}"]

    world = through_time(
        [drawn(10 + t, units) for t in range(1, T + 1)],
        {
            **{f"x_{t}": drawn(20 + t, inputs) for t in range(1, T + 1)},
            **{"h_0": drawn(1, units), "W": drawn(2, inputs, units)},
            **{"U": drawn(3, units, units), "b": drawn(4, units)},
        },
        h=state,
        gradients={"delta_()": "z_()", "p_()": "h_()"},
        functions={"tanh": np.tanh, "tanh'": lambda z: 1 - np.tanh(z) ** 2},
        zero={"delta_()", "p_()", "m_()"},
        arguments={
            "x": lambda v: v["x_()"][None, 1:],
            "h0": lambda v: v["h_0"][None],
            "mask": lambda v: np.array([mask]),
            "dh": lambda v: v["g_()"][None, 1:],
            "h": lambda v: v["h_()"][None, 1:],
        },
        results={
            "sequences-state": lambda v: v["h_()"][1:],
            "sequences-delta": lambda v: v["delta_()"][1:],
        },
    )
    world.set("m_()", np.array([np.nan, *mask]))
    return world


@worlds("by-hand")
def by_hand(given):
    """Two steps and two of padding, with the mask and, primed, without it."""
    x = np.log(2), np.log(3) - 0.3, 0.0, 0.0
    forward = {"h_0": lambda v: np.array(0.0), "h'_0": lambda v: np.array(0.0)}
    for t in (1, 2, 3, 4):
        forward[f"z_{t}"] = lambda v, t=t: x[t - 1] + v["U"] * v[f"h_{t - 1}"]
        forward[f"h_{t}"] = lambda v, t=t: (
            np.tanh(v[f"z_{t}"]) if t < 3 else 1 * v[f"h_{t - 1}"]
        )
        forward[f"z'_{t}"] = lambda v, t=t: x[t - 1] + v["U"] * v[f"h'_{t - 1}"]
        forward[f"h'_{t}"] = lambda v, t=t: np.tanh(v[f"z'_{t}"])
    forward["ell"] = lambda v: 2 * (v["h_4"] + v["h'_4"])
    yield World(
        sizes={f"x_{t}": value for t, value in enumerate(x, 1)},
        given={"U": np.squeeze(given["one_U"])},
        forward=forward,
        gradients={
            **{"delta_()": "z_()", "p_()": "h_()"},
            **{"delta'_()": "z'_()", "p'_()": "h'_()"},
        },
        functions={"tanh": np.tanh},
        families={
            **{f"{name}_()": steps(name, 4) for name in ("x", "z", "z'")},
            **{f"{name}_()": steps(name, 4, 0) for name in ("h", "h'")},
        },
        also={"h'": "h'_()", "delta'": "delta'_()", "z'": "z'_()"},
    )


@worlds("loss")
def loss():
    """Each step has a loss of its own."""
    for examples, T, units in ((2, 3, 4), (3, 4, 2), (4, 2, 3)):
        target = drawn(2, examples, T, units)
        mask = (drawn(3, examples, T) > 0).astype(int)
        mask[0, 0] = 1
        yield World(
            sizes={"m": mask},
            given={"h": drawn(1, examples, T, units)},
            forward={
                "q": lambda v, y=target: np.sum(np.sin(v["h"]) * y, axis=2),
                "ell": lambda v, m=mask: np.sum(m * v["q"]) / np.sum(m),
                "e": lambda v, y=target: np.cos(v["h"]) * y,
            },
            gradients={"g": "h"},
            arguments={"mask": "m"},
        )


@worlds("stacked")
def stacked():
    """The states of layer 1 are given; what layer 2 sends down is their gradient."""
    for T, below, above in ((3, 2, 4), (4, 3, 2), (2, 4, 3)):
        forward, g = {}, drawn(7, T + 1, above)
        for t in range(1, T + 1):
            forward[f"z^2_{t}"] = lambda v, t=t: (
                v[f"h^1_{t}"] @ v["W^2"] + v[f"h^2_{t - 1}"] @ v["U^2"]
            )
            forward[f"h^2_{t}"] = lambda v, t=t: np.tanh(v[f"z^2_{t}"])
        forward["ell"] = lambda v, T=T, g=g: sum(
            np.sum(g[t] * v[f"h^2_{t}"]) for t in range(1, T + 1)
        )
        names = ("h^1", "h^2", "g^1", "delta^2")
        yield World(
            given={
                **{f"h^1_{t}": drawn(t, below) for t in range(1, T + 1)},
                **{"W^2": drawn(20, below, above), "U^2": drawn(21, above, above)},
                "h^2_0": np.zeros(above),
            },
            forward=forward,
            gradients={"g^1_()": "h^1_()", "delta^2_()": "z^2_()"},
            ranges={"t": range(1, T + 1)},
            families={f"{name}_()": steps(name, T) for name in ("h^1", "z^2")},
            also={name: f"{name}_()" for name in names if name != "h^2"},
        )


@worlds("bidirectional")
def directions_of():
    """One example; the loss is linear in the states of both directions."""
    for T, inputs, units in ((3, 2, 4), (4, 3, 2), (2, 4, 3)):
        yield two_directions(T, inputs, units)


def two_directions(T, inputs, units):
    given = {f"x_{t}": drawn(t, inputs) for t in range(1, T + 1)}
    forward, sizes, gradients, also = {}, {"T": T}, {"dx_()": "x_()"}, {}
    families = {"x_()": steps("x", T)}
    for seed, (arrow, order) in enumerate(
        (("rightarrow", range(1, T + 1)), ("leftarrow", range(T, 0, -1)))
    ):
        W, U, b, h, z, g, delta, p = (
            f"{name}^{arrow}" for name in ("W", "U", "b", "h", "z", "g", "delta", "p")
        )
        given |= {W: drawn(30 + seed, inputs, units), U: drawn(40 + seed, units, units)}
        given |= {b: drawn(50 + seed, units)}
        before = order[0] - order.step
        forward[f"{h}_{before}"] = lambda v: np.zeros(units)
        for t in order:
            sizes[f"{g}_{t}"] = drawn(60 + 10 * seed + t, units)
            forward[f"{z}_{t}"] = lambda v, t=t, s=order.step, W=W, U=U, b=b, h=h: (
                v[f"x_{t}"] @ v[W] + v[f"{h}_{t - s}"] @ v[U] + v[b]
            )
            forward[f"{h}_{t}"] = lambda v, t=t, z=z: np.tanh(v[f"{z}_{t}"])
        families[f"{h}_()"] = steps(h, max(T, before), 0)
        families[f"{z}_()"] = steps(z, T)
        families[f"{g}_()"] = steps(g, T)
        gradients |= {f"{delta}_()": f"{z}_()", f"{p}_()": f"{h}_()"}
        also |= {name: f"{name}_()" for name in (h, z, g, delta, p)}
    forward["ell"] = lambda v: sum(
        np.sum(v[f"g^{arrow}_{t}"] * v[f"h^{arrow}_{t}"])
        for arrow in ("rightarrow", "leftarrow")
        for t in range(1, T + 1)
    )

    def joined(name):
        """(1, T, 2H), or of weights (2, ...)"""
        return lambda v: np.concatenate(
            [
                v[f"{name}^{arrow}_()"][None, 1 : T + 1]
                for arrow in ("rightarrow", "leftarrow")
            ],
            axis=2,
        )

    def paired(name):
        return lambda v: np.array([v[f"{name}^rightarrow"], v[f"{name}^leftarrow"]])

    return World(
        sizes=sizes,
        given=given,
        forward=forward,
        gradients=gradients,
        functions={"tanh": np.tanh},
        zero={"delta^rightarrow_()", "delta^leftarrow_()"},
        ranges={"t": range(1, T + 1)},
        families=families,
        also=also,
        arguments={
            **{"dh": joined("g"), "h": joined("h")},
            **{"W": paired("W"), "U": paired("U")},
        },
        results={
            "sequences-bidirectional": lambda v: v["dx_()"][1:],
        },
    )
