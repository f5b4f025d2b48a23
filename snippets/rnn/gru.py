"""Figure and checks of docs/*/rnn/gru.md."""

from types import SimpleNamespace

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, sigmoid, size, st, tf, values
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.rnn.layer import batch_first
from snippets.rnn.lstm import NUMPY, compared, tensors

# Changes after which the page says the same, and why.
AFTER_THE_LAST = "following = ({}, np.zeros_like({}), np.zeros_like({}))"
NOTHING = AFTER_THE_LAST.format("none", "delta[:, 0]", "steps[:, 0]")
SAME = {
    ("gru_deltas", "N, T, H = h.shape", "N, T, H = dh.shape"): "both have one shape",
    (
        "gru_deltas",
        "delta = np.zeros((N, T, 3 * H), h.dtype)",
        "delta = np.ones((N, T, 3 * H), h.dtype)",
    ): "every step is set",
    **{
        (
            "gru_deltas",
            NOTHING,
            AFTER_THE_LAST.format(other, "delta[:, 0]", "steps[:, 0]"),
        ): "it is multiplied by z, which is 0 there"
        for other in ("H", "N", "T", "h0", "none + 1", "none - 1")
    },
    (
        "gru_deltas",
        NOTHING,
        "following = (none, delta[:, 0], np.zeros_like(steps[:, 0]))",
    ): "no step is set yet",
    (
        "gru_deltas",
        NOTHING,
        "following = (none, np.zeros_like(delta[:, 0]), steps[:, 0])",
    ): "both that it is multiplied with are 0",
    (
        "gru_deltas",
        NOTHING,
        AFTER_THE_LAST.format("none", "delta[:, -1]", "steps[:, 0]"),
    ): "zeros of the same shape",
    (
        "gru_deltas",
        NOTHING,
        AFTER_THE_LAST.format("none", "delta[:, 0]", "steps[:, -1]"),
    ): "zeros of the same shape",
    (
        "gru_deltas",
        "delta[:, t] = delta_of(dl_dh, steps[:, t], h[:, t - 1] if t > 0 else h0)",
        "delta[:, t] = delta_of(dl_dh, steps[:, t], h[:, t - 1] if t != 0 else h0)",
    ): "t is never negative",
    (
        "gru_deltas",
        "return (delta, hidden(none, *following))",
        "return (delta, hidden(t, *following))",
    ): "t ends at 0, and so it is a zero as well",
    (
        "gru_forward",
        "step = after_step if np.ndim(b) == 2 else before_step",
        "step = after_step if np.ndim(b) >= 2 else before_step",
    ): "b has one axis or two",
    **{
        (
            "before_sums",
            "gates, delta_g = np.split(delta, [2 * h.shape[2]], axis=2)",
            f"gates, delta_g = np.split(delta, [2 * {other}], axis=2)",
        ): "gates and states have H columns"
        for other in ("_.shape[2]", "r.shape[2]", "h.shape[-1]")
    },
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "after": {
        "0.5": "= sigmoid(0.0)",
    },
    "sources": {
        "2014 1406.1078 1412.3555 1406.1078 1412.3555": "a year, arXiv",
    },
}

# --- Figure ------------------------------------------------------------------


@figure("gru-cell")
def gru_cell(session):
    """The step by hand; q is that of the candidate."""
    z, r, g, q = session.printed("by-hand", (1, 4))[0]
    h1 = session.printed("by-hand", (1, 1), 1).item()
    delta_z, delta_r, delta_g = session.printed("by-hand-back", (1, 3))[0]
    dh0 = session.printed("by-hand-back", (1, 1), 1).item()
    U = session.written("by-hand", "U", (1, 3))[0]
    h0 = session.written("by-hand", "h0", (1, 1)).item()
    d = session.written("by-hand-back", "d", (1,)).item()
    slope_z, slope_r, slope_g = z * (1 - z), r * (1 - r), 1 - g**2
    return Graph(
        [
            Node("h_0", 10.6, 1.9, h0, dh0),
            Node("z_1", 3.9, 8.2, z, delta_z / slope_z),
            Node("q_1^{g}", 14.4, 8.2, q, r * delta_g),
            Node("r_1", 22.2, 8.2, r, delta_r / slope_r),
            Node("g_1", 18.6, 14.5, g, delta_g / slope_g),
            Node("h_1", 7.9, 20.8, h1, d),
        ],
        [
            Edge("h_0", "z_1", "", U[0] * slope_z),
            Edge("h_0", "q_1^{g}", "U^{g}", U[2]),
            Edge("h_0", "r_1", "", U[1] * slope_r),
            Edge("q_1^{g}", "g_1", "", r * slope_g),
            Edge("r_1", "g_1", "", q * slope_g),
            Edge("z_1", "h_1", "", h0 - g),
            Edge("h_0", "h_1", "z_1", z),
            Edge("g_1", "h_1", "", 1 - z),
        ],
    )


@claim("gru-cell")
def gru_cell_claim(session, graph):
    """The values are those of a forward pass, differences of it the gradients; and so
    are the derivatives, while what the arrows start from is held fixed."""
    U = session.written("by-hand", "U", (1, 3))[0]
    p = np.array([np.log(3) - 0.2, 0.4, np.log(2) - 0.4])
    start = session.written("by-hand", "h0", (1, 1)).item()
    d = session.written("by-hand-back", "d", (1,)).item()
    steps = {
        "h_0": lambda v: start,
        "z_1": lambda v: sigmoid(p[0] + U[0] * v["h_0"]),
        "r_1": lambda v: sigmoid(p[1] + U[1] * v["h_0"]),
        "q_1^{g}": lambda v: U[2] * v["h_0"],
        "g_1": lambda v: np.tanh(p[2] + v["r_1"] * v["q_1^{g}"]),
        "h_1": lambda v: v["z_1"] * v["h_0"] + (1 - v["z_1"]) * v["g_1"],
    }

    def run(name="", change=0.0):
        found = {}
        for key, step in steps.items():
            found[key] = step(found) + change * (key == name)
        return found

    def halves(of):
        return (of(1e-4) - of(-1e-4)) / 2e-4

    v = run()
    for node in graph.nodes:
        name = node.name
        slope = d * halves(lambda change, name=name: run(name, change)["h_1"])
        assert_allclose([node.value, node.gradient], [v[name], slope], atol=DRAWN)
    reads = {
        (start, end) for end in steps for start in steps if moves(steps, v, start, end)
    }
    assert {(edge.start, edge.end) for edge in graph.edges} == reads
    for edge in graph.edges:
        step, at = steps[edge.end], edge.start
        right = halves(lambda change, step=step, at=at: step({**v, at: v[at] + change}))
        assert_allclose(edge.derivative, right, atol=DRAWN)
        names = {("h_0", "h_1"): "z_1", ("h_0", "q_1^{g}"): "U^{g}"}
        assert edge.name == names.get((edge.start, edge.end), "")


def moves(steps, v, start, end):
    """Does a step read this value?"""
    return steps[end](v) != steps[end]({**v, start: v[start] + 1})


DRAWN = 0.006  # two decimals are drawn

# --- Checks ------------------------------------------------------------------


def step(library, p, h, U, b=None):
    """z, r, g, the q of g and h_t; b is b' where reset is after, else None."""
    p_z, p_r, p_g = library.split(p, 3, 1)
    U_z, U_r, U_g = library.split(U, 3, 1)
    b_z, b_r, b_g = np.zeros(3) if b is None else library.split(b, 3, 0)
    z = library.sigmoid(p_z + h @ U_z + b_z)
    r = library.sigmoid(p_r + h @ U_r + b_r)
    q = h @ U_g + b_g
    g = library.tanh(p_g + ((r * h) @ U_g if b is None else r * q))
    return z, r, g, q, z * h + (1 - z) * g


def one_step(draw, after):
    """Arrays of a step, what it keeps, and the generator."""
    rows, units = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    p, U = values(rng, (rows, 3 * units)), values(rng, (units, 3 * units))
    h, d, dl_dh = (values(rng, (rows, units)) for _ in range(3))
    b = values(rng, (3 * units,)) if after else None
    z, r, g, q, _ = step(NUMPY, p, h, U, b)
    kept = np.concatenate([z, r, g, q] if after else [z, r, g], axis=1)
    return SimpleNamespace(
        p=p, U=U, h=h, d=d, dl_dh=dl_dh, b=b, kept=kept, rng=rng, after=after
    )


def of_sums(function, one):
    case = {"dl_dh": one.dl_dh, "kept": one.kept, "h_before": one.h}
    case |= {} if one.after else {"U": one.U}
    return compared(
        function,
        case,
        one.p,
        one.dl_dh,
        lambda library, p: step(library, p, one.h, one.U, one.b)[-1],
        one.rng,
    )


def of_state(function, one):
    """δ of the next step is TensorFlow's."""
    sums = tf.constant(one.p)
    with tf.GradientTape() as tape:
        tape.watch(sums)
        following = step(tensors(), sums, one.h, one.U, one.b)[-1]
    upstream = tf.constant(one.dl_dh)
    delta = tape.gradient(following, sums, output_gradients=upstream).numpy()
    return compared(
        function,
        {
            **{"d": one.d, "dl_dh_next": one.dl_dh, "delta_next": delta},
            **{"kept_next": one.kept, "U": one.U},
        },
        one.h,
        np.concatenate([one.d, one.dl_dh], axis=1),
        lambda library, h: library.concat(
            [h, step(library, one.p, h, one.U, one.b)[-1]], 1
        ),
        one.rng,
    )


@check("gru-after-delta")
def after_delta(function, draw):
    return of_sums(function, one_step(draw, after=True))


@check("gru-after-hidden")
def after_hidden(function, draw):
    return of_state(function, one_step(draw, after=True))


@check("gru-before-delta")
def before_delta(function, draw):
    return of_sums(function, one_step(draw, after=False))


@check("gru-before-hidden")
def before_hidden(function, draw):
    return of_state(function, one_step(draw, after=False))


def of_layer(function, draw, after):
    """One of the five gradients in each case."""
    rows, steps, inputs, units = (size(draw, most) for most in (3, 3, 2, 3))
    part, name = draw(st.sampled_from([*enumerate(["x", "h0", "W", "U", "b"])]))
    rng = generator(draw)
    shapes = {
        **{"x": (rows, steps, inputs), "h0": (rows, units)},
        **{"W": (inputs, 3 * units), "U": (units, 3 * units)},
        "b": (2, 3 * units) if after else (3 * units,),
        "dh": (rows, steps, units),
    }
    case = {name: values(rng, shape) for name, shape in shapes.items()}

    def forward(library, value):
        x, h, W, U, b, _ = {**case, name: value}.values()
        outer, inner = (b[0], b[1]) if after else (b, None)
        found = []
        for t in range(steps):
            *_, h = step(library, x[:, t] @ W + outer, h, U, inner)
            found.append(h)
        return library.stack(found, 1)

    return compared(
        lambda *arrays: function(*arrays)[part],
        case,
        case[name],
        case["dh"],
        forward,
        rng,
    )


@check("gru-after-backward")
def after_backward(function, draw):
    return of_layer(function, draw, after=True)


@check("gru-before-backward")
def before_backward(function, draw):
    return of_layer(function, draw, after=False)


# --- What the symbols mean ---------------------------------------------------

BLOCKS = "zrg"
FUNCTIONS = {"sigma": sigmoid, "tanh": np.tanh}
SETTINGS = (2, 3, 3, 2), (1, 2, 2, 3), (3, 3, 2, 2)


@worlds()
def symbols():
    """Reset after."""
    for sizes in SETTINGS:
        yield layer(*drawn_layer(*sizes), after=True)


@worlds("form-before")
def form_before():
    for sizes in SETTINGS:
        yield layer(*drawn_layer(*sizes), after=False)


@worlds("before")
def reset_before():
    yield from form_before()


def drawn_layer(N, T, inputs, units):
    steps = range(1, T + 1)
    given = {f"x_{t}": drawn(10 + t, N, inputs) for t in steps}
    given |= {"h_0": drawn(1, N, units), "W": drawn(2, inputs, 3 * units) / 2}
    given |= {"b": drawn(3, 3 * units) / 2, "b'": drawn(4, 3 * units) / 2}
    for seed, block in enumerate(BLOCKS, 30):
        given[f"U^{block}"] = drawn(seed, units, units) / 2
    return given, [drawn(20 + t, N, units) for t in steps]


@worlds("by-hand")
def by_hand(given):
    """One example, one input, one unit: arrays are (1, 1), and b has one entry each."""
    start = {
        f"U^{block}": np.reshape(np.ravel(given["U"])[at], (1, 1))
        for at, block in enumerate(BLOCKS)
    }
    b = np.array([np.log(3) - 1.2, -0.6, np.log(2) - 1.4])
    start |= {"h_0": given["h0"].reshape(1, 1), "W": given["W"].reshape(1, 3), "b": b}
    start |= {"b'": np.zeros(3), "x_1": np.ones((1, 1))}
    yield layer(start, [given["d"].reshape(1, 1)], after=True)


def layer(given, upstream, after):
    """A GRU over as many steps as there are upstream gradients."""
    T, units = len(upstream), given["h_0"].shape[1]
    steps = range(1, T + 1)
    d = {f"d_{t}": array for t, array in enumerate(upstream, 1)}
    forward = {"U": lambda v: np.concatenate([v[f"U^{b}"] for b in BLOCKS], axis=1)}
    parts = {b: slice(at * units, (at + 1) * units) for at, b in enumerate(BLOCKS)}

    def candidate(v, t):
        inside = (v[f"r_{t}"] * v[f"h_{t - 1}"]) @ v["U"][:, parts["g"]]
        if after:
            inside = v[f"r_{t}"] * v[f"q_{t}"][:, parts["g"]]
        return np.tanh(v[f"p_{t}"][:, parts["g"]] + inside)

    def gate(v, t, block):
        return sigmoid((v[f"p_{t}"] + v[f"q_{t}"])[:, parts[block]])

    for t in steps:
        forward |= {
            f"p_{t}": lambda v, t=t: v[f"x_{t}"] @ v["W"] + v["b"],
            f"q_{t}": lambda v, t=t: v[f"h_{t - 1}"] @ v["U"] + after * v["b'"],
            f"z_{t}": lambda v, t=t: gate(v, t, "z"),
            f"r_{t}": lambda v, t=t: gate(v, t, "r"),
            f"g_{t}": lambda v, t=t: candidate(v, t),
            f"h_{t}": lambda v, t=t: (
                v[f"z_{t}"] * v[f"h_{t - 1}"] + (1 - v[f"z_{t}"]) * v[f"g_{t}"]
            ),
        }
    forward["ell"] = lambda v: sum(np.sum(v[f"d_{t}"] * v[f"h_{t}"]) for t in steps)
    world = World(
        sizes={"T": T, **d},
        given=given,
        forward=forward,
        families={
            "h_()": tuple(f"h_{t}" for t in (0, *steps)),
            **{
                f"{name}_()": ("", *(f"{name}_{t}" for t in steps))
                for name in "xpqzrgd"
            },
        },
        gradients={
            **{"delta_()": "p_()", "delta'_()": "q_()"},
            **{"dx": "x_()", "dh_all": "h_()"},
        },
        zero={"delta_()", "delta'_()"},
        functions=FUNCTIONS,
        ranges={"t": steps},
        arguments={
            **{"x": batch_first("x_()"), "h0": "h_0"},
            "dh": batch_first("d_()"),
            "b": lambda v: np.stack([v["b"], v["b'"]]) if after else v["b"],
        },
    )
    for block, part in parts.items():
        for name in ("p_()", "q_()", "delta_()", "delta'_()"):
            world.set(f"{name}^{block}", world.values[name][..., part])
    if T == 1:
        return world
    t = T - 1

    def kept(v, t):
        inner = [v["q_()^g"][t]] if after else []
        return np.concatenate([v[f"{gate}_{t}"] for gate in BLOCKS] + inner, axis=1)

    world.arguments |= {
        **{"dl_dh": lambda v: v["dh_all"][t], "h_before": f"h_{t - 1}"},
        **{"kept": lambda v: kept(v, t), "kept_next": lambda v: kept(v, t + 1)},
        **{"d": f"d_{t}", "dl_dh_next": lambda v: v["dh_all"][t + 1]},
        "delta_next": lambda v: v["delta_()"][t + 1],
    }

    def gradients(v):
        bias = world.jacobian("ell", "b")
        if after:
            bias = np.stack([bias, world.jacobian("ell", "b'")])
        of = (world.jacobian("ell", name) for name in ("h_0", "W", "U"))
        return batch_first("dx")(v), *of, bias

    form = "after" if after else "before"
    world.results |= {
        f"gru-{form}-delta": lambda v: v["delta_()"][t],
        f"gru-{form}-hidden": lambda v: v["dh_all"][t],
        f"gru-{form}-backward": gradients,
    }
    return world


@worlds("exercise-hand")
def exercise_hand(given):
    """Numbers; the sums are those that the gates come from."""
    z, g = given["hand_z"], given["hand_g"]
    yield one_gate(
        {"p^z": np.log(z / (1 - z)), "p^g": np.arctanh(g)},
        given["hand_h"],
        given["hand_dl_dh"],
        lambda v: v["z_1"] * v["h_0"] + (1 - v["z_1"]) * v["g_1"],
    )


@worlds("exercise-minimal")
def exercise_minimal():
    """g does not depend on the gate's sum."""
    for shape in ((2, 3), (3, 1), (1, 2)):
        yield one_gate(
            {"p^z": drawn(1, *shape), "p^g": drawn(2, *shape)},
            drawn(4, *shape),
            drawn(5, *shape),
            lambda v: (1 - v["f_1"]) * v["h_0"] + v["f_1"] * v["g_1"],
        )


def one_gate(sums, before, dl_dh, state):
    """Step 1 from its sums to its state; the gate has two names."""
    world = World(
        sizes={"t": 1},
        given={**sums, "h_0": before},
        forward={
            "s_1": lambda v: v["p^z"],
            "z_1": lambda v: sigmoid(v["s_1"]),
            "f_1": lambda v: v["z_1"],
            "g_1": lambda v: np.tanh(v["p^g"]),
            "h_1": state,
            "ell": lambda v: np.sum(dl_dh * v["h_1"]),
        },
        families={
            "h_()": ("h_0", "h_1"),
            **{f"{name}_()": ("", f"{name}_1") for name in "szfg"},
        },
    )
    blocks = [world.jacobian("ell", f"p^{block}") for block in "zg"]
    world.set("delta_()", np.array([np.full(np.shape(blocks), np.nan), blocks]))
    for name, block in zip("zg", blocks, strict=True):
        world.set(
            f"delta_()^{name}", np.array([np.full(np.shape(block), np.nan), block])
        )
    return world
