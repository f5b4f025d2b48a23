"""Figures and checks of docs/*/rnn/lstm.md."""

from types import SimpleNamespace

import numpy as np
from numpy.testing import assert_allclose

from book.checks import check, generator, gradient, sigmoid, size, st, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.rnn.layer import batch_first

# Changes after which the page says the same, and why.
SAME = {
    (
        "lstm_forward",
        "for t in range(x.shape[1]):",
        "for t in range(from_x.shape[1]):",
    ): "both have all steps",
    (
        "lstm_deltas",
        "delta, deltas = (np.zeros_like(gates[:, 0]), [])",
        "delta, deltas = (np.zeros_like(gates[:, -1]), [])",
    ): "zeros of the same shape",
    **{
        (
            "lstm_deltas",
            "dl_dc = f_next = np.zeros_like(c0)",
            f"dl_dc = f_next = np.zeros_like({function})",
        ): "zeros like a function are one number, 0"
        for function in ("hidden", "cell", "delta_of")
    },
    (
        "lstm_deltas",
        "return (np.stack(deltas[::-1], axis=1), f_next * dl_dc)",
        "return (np.stack(deltas[::-1], axis=1), f * dl_dc)",
    ): "f_next is f when the loop has ended",
    **{
        (
            "lstm_deltas",
            "for t in reversed(range(c.shape[1])):",
            f"for t in reversed(range({other}.shape[1])):",
        ): "all have as many steps"
        for other in ("dh", "gates")
    },
    (
        "lstm_deltas",
        "c_before = c[:, t - 1] if t > 0 else c0",
        "c_before = c[:, t - 1] if t != 0 else c0",
    ): "t is never negative",
    **{
        ("lstm_deltas", "dl_dc = cell(dl_dh, o, c[:, t], f_next, dl_dc)", after): (
            "the two are multiplied"
        )
        for after in (
            "dl_dc = cell(o, dl_dh, c[:, t], f_next, dl_dc)",
            "dl_dc = cell(dl_dh, o, c[:, t], dl_dc, f_next)",
        )
    },
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "keras": {
        "0.73 0.5": "= [sigmoid(1.0), sigmoid(0.0)]",
    },
    "keeps": {
        "100 100 80 60 40 20 100": "= [steps, *np.add(shown[:5], 1), steps]",
    },
}

# --- Figures -----------------------------------------------------------------

DRAWN = 0.006  # two decimals are drawn
GATE_NAMES = "i_2", "f_2", "g_2", "o_2"


def by_pencil(session):
    """i, f, g, o, c and h of both steps, and the gradients of h and c at both."""
    gates = session.printed("by-hand", (2, 4))
    c, tanh, h = (session.printed("by-hand", (2, 1), nth)[:, 0] for nth in (1, 2, 3))
    dh, dc = (session.printed("by-hand-back", (1, 2), nth)[0] for nth in (1, 2))
    return gates.T, c, tanh, h, dh, dc


@figure("lstm-cell")
def lstm_cell(session):
    """Step 2, which is the last."""
    (i, f, g, o), c, tanh, h, dh, dc = by_pencil(session)
    slope = o[1] * (1 - tanh[1] ** 2)
    return Graph(
        [
            Node("i_2", 7, 1.9, i[1], dc[1] * g[1]),
            Node("g_2", 19, 1.9, g[1], dc[1] * i[1]),
            Node("f_2", 3.9, 8.2, f[1], dc[1] * c[0]),
            Node("c_1", 22.1, 8.2, c[0], dc[1] * f[1]),
            Node("c_2", 13, 14.5, c[1], dc[1]),
            Node("o_2", 3.9, 14.5, o[1], dh[1] * tanh[1]),
            Node("h_2", 13, 21, h[1], dh[1]),
        ],
        [
            Edge("i_2", "c_2", "g_2", g[1]),
            Edge("g_2", "c_2", "i_2", i[1]),
            Edge("f_2", "c_2", "c_1", c[0]),
            Edge("c_1", "c_2", "f_2", f[1]),
            Edge("o_2", "h_2", "", tanh[1]),
            Edge("c_2", "h_2", "", slope),
        ],
    )


@claim("lstm-cell")
def lstm_cell_claim(session, graph):
    """The values are those of a forward pass, and differences of it the gradients."""
    shown = dict(zip(GATE_NAMES, session.printed("by-hand", (2, 4))[1], strict=True))
    shown["c_1"] = session.printed("by-hand", (2, 1), 1)[0, 0]

    def run(name="", change=0.0):
        """All values, where one is changed."""
        v = {key: value + change * (key == name) for key, value in shown.items()}
        v["c_2"] = v["f_2"] * v["c_1"] + v["i_2"] * v["g_2"] + change * (name == "c_2")
        v["h_2"] = v["o_2"] * np.tanh(v["c_2"]) + change * (name == "h_2")
        return v

    last = session.written("by-hand-back", "d", (2,))[1]
    for node in graph.nodes:
        right = run()[node.name], last * slope(run, node.name, "h_2")
        assert_allclose([node.value, node.gradient], right, atol=DRAWN)
    assert {(edge.start, edge.end): edge.name for edge in graph.edges} == {
        **{("i_2", "c_2"): "g_2", ("g_2", "c_2"): "i_2"},
        **{("f_2", "c_2"): "c_1", ("c_1", "c_2"): "f_2"},
        **{("o_2", "h_2"): "", ("c_2", "h_2"): ""},
    }
    for edge in graph.edges:
        right = slope(run, edge.start, edge.end)
        assert_allclose(edge.derivative, right, atol=DRAWN)


def slope(run, start, end):
    """By a central difference."""
    return (run(start, 1e-4)[end] - run(start, -1e-4)[end]) / 2e-4


@figure("lstm-carried")
def lstm_carried(session):
    """From step 1 to step 2: two arrows lead out of c_1 and two out of h_1."""
    (i, f, g, o), c, tanh, h, dh, dc = by_pencil(session)
    U = session.written("by-hand", "U", (1, 4))[0]
    inside = [
        g[1] * i[1] * (1 - i[1]),
        c[0] * f[1] * (1 - f[1]),
        i[1] * (1 - g[1] ** 2),
    ]
    slopes = o * (1 - tanh**2)
    through_o = U[3] * tanh[1] * o[1] * (1 - o[1])
    return Graph(
        [
            Node("c_1", 4, 1.9, c[0], dc[0]),
            Node("c_2", 22, 1.9, c[1], dc[1]),
            Node("h_1", 4, 11, h[0], dh[0]),
            Node("h_2", 22, 11, h[1], dh[1]),
        ],
        [
            Edge("c_1", "c_2", "f_2", f[1]),
            Edge("c_1", "h_1", "", slopes[0]),
            Edge("h_1", "c_2", "", U[:3] @ inside),
            Edge("h_1", "h_2", "", through_o),
            Edge("c_2", "h_2", "", slopes[1]),
        ],
    )


@claim("lstm-carried")
def lstm_carried_claim(session, graph):
    """As the layer runs. An arrow's derivative holds the other state fixed."""
    U, W = (session.written("by-hand", name, (1, 4))[0] for name in "UW")
    b = session.written("by-hand", "b", (4,))
    d = session.written("by-hand-back", "d", (2,))

    def step(x, h, c):
        z = x * W + h * U + b
        i, f, o = (sigmoid(z[at]) for at in (0, 1, 3))
        return f * c + i * np.tanh(z[2]), o

    def run(name="", change=0.0):
        found = {key: change * (key == name) for key in graph_names}
        c, o = step(1.0, 0.0, 0.0)
        found["c_1"] += c
        found["h_1"] += o * np.tanh(found["c_1"])
        c, o = step(0.5, found["h_1"], found["c_1"])
        found["c_2"] += c
        found["h_2"] += o * np.tanh(found["c_2"])
        return found | {"loss": d @ [found["h_1"], found["h_2"]]}

    graph_names = [node.name for node in graph.nodes]
    v = run()
    for node in graph.nodes:
        right = v[node.name], slope(run, node.name, "loss")
        assert_allclose([node.value, node.gradient], right, atol=DRAWN)
    alone = {
        ("c_1", "c_2"): lambda c: step(0.5, v["h_1"], c)[0],
        ("c_1", "h_1"): lambda c: step(1.0, 0.0, 0.0)[1] * np.tanh(c),
        ("h_1", "c_2"): lambda h: step(0.5, h, v["c_1"])[0],
        ("h_1", "h_2"): lambda h: step(0.5, h, v["c_1"])[1] * np.tanh(v["c_2"]),
        ("c_2", "h_2"): lambda c: step(0.5, v["h_1"], v["c_1"])[1] * np.tanh(c),
    }
    assert {(edge.start, edge.end) for edge in graph.edges} == {*alone}
    for edge in graph.edges:
        at, function = v[edge.start], alone[edge.start, edge.end]
        right = (function(at + 1e-4) - function(at - 1e-4)) / 2e-4
        assert_allclose(edge.derivative, right, atol=DRAWN)
        assert edge.name == ("f_2" if (edge.start, edge.end) == ("c_1", "c_2") else "")


STEPS = np.array([100, 80, 60, 40, 20, 1])
SHOWN = {"h_t": 0, "c_t, b^f = 0": 1, "c_t, b^f = 1": 3, "c_t, b^f = 3": 5}


@figure("lstm-keeps")
def lstm_keeps(session):
    lines = [
        Curve(name, STEPS, 10.0 ** session.printed("keeps", (1, 6), nth)[0])
        for name, nth in SHOWN.items()
    ]
    return Curves([Plot("", lines)], "t", log=True)


@claim("lstm-keeps")
def lstm_keeps_claim(session, curves):
    """With b_f = 3 the size stays within a factor of 5; the others fall by more than 8
    powers of ten, with b_f = 0 even further than in the plain layer."""
    sizes = {}
    for name, nth in SHOWN.items():
        along, sizes[name] = curves[""].line(name)
        assert_allclose(along, STEPS, atol=0.5)
        shown = session.printed("keeps", (1, 6), nth)[0]
        assert_allclose(np.log10(sizes[name]), shown, atol=0.05)
    plain, none, one, three = sizes.values()
    assert (np.abs(np.log10(three)) < 0.75).all()
    assert none[-1] < plain[-1] < one[-1] < 1e-8
    assert (curves.across, curves.up) == ("t", "")


# --- Checks ------------------------------------------------------------------

NUMPY = SimpleNamespace(
    sigmoid=sigmoid, tanh=np.tanh, split=np.split, stack=np.stack, concat=np.concatenate
)


def tensors():
    """The same functions of TensorFlow."""
    return SimpleNamespace(
        **{"sigmoid": tf.sigmoid, "tanh": tf.tanh, "split": tf.split},
        **{"stack": tf.stack, "concat": tf.concat},
    )


def compared(function, case, variable, upstream, forward, rng):
    """forward takes the functions of a library first."""
    return gradient(
        function,
        case,
        variable,
        upstream,
        lambda value: forward(tensors(), value),
        lambda value: forward(NUMPY, value),
        rng,
    )


@check("lstm-hidden")
def lstm_hidden(function, draw):
    rows, units = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    dh, h = values(rng, (rows, units)), values(rng, (rows, units))
    delta, U = values(rng, (rows, 4 * units)), values(rng, (units, 4 * units))
    return compared(
        function,
        {"d": dh, "delta_next": delta, "U": U},
        h,
        np.concatenate([dh, delta], axis=1),
        lambda library, h: library.concat([h, h @ U], 1),
        rng,
    )


@check("lstm-cell")
def lstm_cell_check(function, draw):
    shape = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    dh, dc_next, c = (values(rng, shape) for _ in range(3))
    o, f = (sigmoid(values(rng, shape)) for _ in range(2))
    return compared(
        function,
        {"dl_dh": dh, "o": o, "c": c, "f_next": f, "dl_dc_next": dc_next},
        c,
        np.concatenate([dh, dc_next], axis=1),
        lambda library, c: library.concat([o * library.tanh(c), f * c], 1),
        rng,
    )


@check("lstm-delta")
def lstm_delta(function, draw):
    """The two outputs of a step are o, times tanh of the c that it has, and c."""
    rows, units = size(draw, 3), size(draw, 3)
    rng = generator(draw)
    z, before = values(rng, (rows, 4 * units)), values(rng, (rows, units))
    dh, dc = values(rng, (rows, units)), values(rng, (rows, units))

    def parts(library, z):
        i, f, g, o = library.split(z, 4, 1)
        return *map(library.sigmoid, (i, f)), library.tanh(g), library.sigmoid(o)

    i, f, g, o = parts(NUMPY, z)
    c = f * before + i * g

    def forward(library, z):
        i, f, g, o = parts(library, z)
        return library.concat([o * np.tanh(c), f * before + i * g], 1)

    gates = np.concatenate([i, f, g, o], axis=1)
    return compared(
        function,
        {"dl_dh": dh, "dl_dc": dc, "gates": gates, "c_before": before, "c": c},
        z,
        np.concatenate([dh, dc], axis=1),
        forward,
        rng,
    )


@check("lstm-backward")
def lstm_backward(function, draw):
    """One of the six gradients in each case."""
    rows, steps, inputs, units = (size(draw, most) for most in (3, 3, 2, 3))
    part, name = draw(st.sampled_from([*enumerate(["x", "h0", "c0", "W", "U", "b"])]))
    rng = generator(draw)
    shapes = {
        **{"x": (rows, steps, inputs), "h0": (rows, units), "c0": (rows, units)},
        **{"W": (inputs, 4 * units), "U": (units, 4 * units), "b": (4 * units,)},
        "dh": (rows, steps, units),
    }
    case = {name: values(rng, shape) for name, shape in shapes.items()}

    def forward(library, value):
        x, h, c, W, U, b, _ = {**case, name: value}.values()
        found = []
        for t in range(steps):
            i, f, g, o = library.split(x[:, t] @ W + h @ U + b, 4, 1)
            i, f, o = library.sigmoid(i), library.sigmoid(f), library.sigmoid(o)
            c = f * c + i * library.tanh(g)
            h = o * library.tanh(c)
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


# --- What the symbols mean ---------------------------------------------------

GATES = {"i": sigmoid, "f": sigmoid, "g": np.tanh, "o": sigmoid}
FUNCTIONS = {"sigma": sigmoid, "tanh": np.tanh}
FUNCTIONS |= {"sigma'": lambda z: sigmoid(z) * (1 - sigmoid(z))}


@worlds()
def symbols():
    """Steps 1 to T; c_0 and h_0 are given, as are the blocks of the parameters."""
    for N, T, inputs, units in ((2, 3, 3, 2), (1, 2, 2, 3), (3, 3, 2, 2)):
        steps = range(1, T + 1)
        given = {f"x_{t}": drawn(10 + t, N, inputs) for t in steps}
        given |= {"h_0": drawn(1, N, units), "c_0": drawn(2, N, units)}
        for seed, gate in enumerate(GATES, 30):
            for name, shape in (("W", (inputs,)), ("U", (units,)), ("b", ())):
                given[f"{name}^{gate}"] = drawn(seed, *shape, units) / 2
        yield layer(given, [drawn(20 + t, N, units) for t in steps])


@worlds("by-hand")
def by_hand(given):
    """One example, one input, one unit: all arrays are (1, 1), and b has one entry."""
    start = {"h_0": np.zeros((1, 1)), "c_0": np.zeros((1, 1))}
    for at, gate in enumerate(GATES):
        start |= {f"{name}^{gate}": np.ravel(given[name])[[at]] for name in "WUb"}
    start = {k: v.reshape(1, 1) if k[0] in "WU" else v for k, v in start.items()}
    start |= {f"x_{t}": x.reshape(1, 1) for t, x in enumerate(np.ravel(given["x"]), 1)}
    yield layer(start, given["d"].reshape(-1, 1, 1))


def layer(given, upstream):
    """An LSTM over as many steps as there are upstream gradients."""
    T, units = len(upstream), given["c_0"].shape[1]
    steps = range(1, T + 1)
    d = {f"d_{t}": array for t, array in enumerate(upstream, 1)}
    forward = {
        name: lambda v, name=name: np.concatenate(
            [v[f"{name}^{gate}"] for gate in GATES], axis=-1
        )
        for name in "WUb"
    }
    for t in steps:
        forward[f"z_{t}"] = lambda v, t=t: (
            v[f"x_{t}"] @ v["W"] + v[f"h_{t - 1}"] @ v["U"] + v["b"]
        )
        for at, (gate, function) in enumerate(GATES.items()):
            block = slice(at * units, (at + 1) * units)
            forward[f"{gate}_{t}"] = lambda v, t=t, block=block, function=function: (
                function(v[f"z_{t}"][:, block])
            )
        forward[f"c_{t}"] = lambda v, t=t: (
            v[f"f_{t}"] * v[f"c_{t - 1}"] + v[f"i_{t}"] * v[f"g_{t}"]
        )
        forward[f"h_{t}"] = lambda v, t=t: v[f"o_{t}"] * np.tanh(v[f"c_{t}"])
    forward["ell"] = lambda v: sum(np.sum(v[f"d_{t}"] * v[f"h_{t}"]) for t in steps)
    world = World(
        sizes={"T": T, **d},
        given=given,
        forward=forward,
        families={
            **{
                f"{name}_()": tuple(f"{name}_{t}" for t in (0, *steps)) for name in "hc"
            },
            **{
                f"{name}_()": ("", *(f"{name}_{t}" for t in steps))
                for name in "xzdifgo"
            },
        },
        gradients={"delta_()": "z_()", "dx": "x_()", "dc": "c_()", "dh_all": "h_()"},
        zero={"delta_()", "f_()"},
        functions=FUNCTIONS,
        ranges={"t": steps},
        arguments={
            **{"x": batch_first("x_()"), "h0": "h_0", "c0": "c_0"},
            "dh": batch_first("d_()"),
        },
    )
    for at, gate in enumerate(GATES):
        block = slice(at * units, (at + 1) * units)
        for name in ("z_()", "delta_()"):
            world.set(f"{name}^{gate}", world.values[name][..., block])
    t = T - 1
    world.arguments |= {
        **{"dl_dh": lambda v: v["dh_all"][t], "dl_dc": lambda v: v["dc"][t]},
        **{"dl_dc_next": lambda v: v["dc"][t + 1], "f_next": f"f_{t + 1}"},
        **{"o": f"o_{t}", "c": f"c_{t}", "c_before": f"c_{t - 1}"},
        "gates": lambda v: np.concatenate([v[f"{gate}_{t}"] for gate in GATES], axis=1),
        **{"d": f"d_{t}", "delta_next": lambda v: v["delta_()"][t + 1]},
    }
    world.results |= {
        "lstm-hidden": lambda v: v["dh_all"][t],
        "lstm-cell": lambda v: v["dc"][t],
        "lstm-delta": lambda v: v["delta_()"][t],
        "lstm-backward": lambda v: (
            batch_first("dx")(v),
            *(world.jacobian("ell", name) for name in ("h_0", "c_0", *"WUb")),
        ),
    }
    return world


@worlds("exercise-hand")
def exercise_hand(given):
    """Numbers; the sums are those that the gates come from."""
    i, f, g = (given[f"hand_{gate}"] for gate in "ifg")
    yield one_step(
        {"z^i": np.log(i / (1 - i)), "z^f": np.log(f / (1 - f)), "z^g": np.arctanh(g)},
        given["hand_c"],
        given["hand_dl_dc"],
        lambda v: v["f_1"] * v["c_0"] + v["i_1"] * v["g_1"],
    )


@worlds("exercise-coupled")
def exercise_coupled():
    for shape in ((2, 3), (3, 1), (1, 2)):
        yield one_step(
            {f"z^{gate}": drawn(seed, *shape) for seed, gate in enumerate("ifg")},
            drawn(4, *shape),
            drawn(5, *shape),
            lambda v: (1 - v["i_1"]) * v["c_0"] + v["i_1"] * v["g_1"],
        )


def one_step(z, before, dl_dc, cell):
    """Step 1 from its sums to its cell."""
    world = World(
        sizes={"t": 1},
        given={**z, "c_0": before},
        forward={
            **{
                f"{gate}_1": lambda v, gate=gate: GATES[gate](v[f"z^{gate}"])
                for gate in "ifg"
            },
            "c_1": cell,
            "ell": lambda v: np.sum(dl_dc * v["c_1"]),
        },
        families={
            "c_()": ("c_0", "c_1"),
            **{f"{gate}_()": ("", f"{gate}_1") for gate in "ifg"},
        },
    )
    blocks = [world.jacobian("ell", f"z^{gate}") for gate in "ifg"]
    world.set("delta_()", np.array([np.full(np.shape(blocks), np.nan), blocks]))
    for gate, block in zip("ifg", blocks, strict=True):
        world.set(
            f"delta_()^{gate}", np.array([np.full(np.shape(block), np.nan), block])
        )
    return world


@worlds("exercise-peephole")
def exercise_peephole():
    for shape in ((2, 3), (3, 1), (1, 2)):
        z, dl_dh = drawn(1, *shape), drawn(2, *shape)
        world = World(
            sizes={"t": 0},
            given={"z": z, "c_0": drawn(3, *shape), "p": drawn(4, shape[1])},
            forward={
                "s": lambda v: v["z"] + v["p"] * v["c_0"],
                "o_0": lambda v: sigmoid(v["s"]),
                "h_0": lambda v: v["o_0"] * np.tanh(v["c_0"]),
                "ell": lambda v, dl_dh=dl_dh: np.sum(dl_dh * v["h_0"]),
            },
            families={f"{name}_()": (f"{name}_0",) for name in "ohc"},
            functions=FUNCTIONS,
        )
        delta = world.jacobian("ell", "z")[np.newaxis]
        world.set("delta_()", delta)
        world.set("delta_()^o", delta)
        yield world
