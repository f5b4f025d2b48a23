"""Figures and checks of docs/*/rnn/time.md."""

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
from book.figures import claim, figure
from book.tex.world import World, worlds
from snippets.rnn.layer import (
    HAND_X,
    batch_first,
    drawn_layer,
    leaky_state,
    one_unit,
    plain_state,
    recurrent,
    through_time,
)

# Changes after which the page says the same, and why.
SAME = {
    (
        "rnn_truncated_deltas",
        "for t in reversed(range(h.shape[1])):",
        "for t in reversed(range(dh.shape[1])):",
    ): "h and dh have the same shape",
    (
        "rnn_truncated_deltas",
        "if (t + 1) % k == 0:",
        "if (t + 1) % k <= 0:",
    ): "no remainder is negative",
    (
        "#clipping",
        r"\left| \begin{bmatrix} 3 & 0 \\ 0 & -4 \end{bmatrix} \right|^2 +",
        r"\left| \begin{bmatrix} 3 & 0 \\ 0 & +4 \end{bmatrix} \right|^2 +",
    ): "it is squared",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "by-hand": {
        "98": "= round(100 * (1 - np.prod(factors)))",
    },
    "norms": {
        "0.9 1.1 1.1": "= [radii[0], radii[2], radii[2]]",
        "5": "= marks[1]",
    },
    "transient": {
        "0.9 0.9 0.9": "= [spectral_radius(leaning)] * 3",
    },
    "truncation": {
        "7": "= cut_h.shape[1]",
    },
    "how-far": {
        "0.9 0.9": "= [far_radii[0], far_radii[0]]",
    },
    "clipping": {
        "13 13": "= [whole, fell['clipped']]",
        "100": "= length",
        "0.1": "= rate",
    },
    "wrong-truncated": {
        "7": "= cut_h.shape[1]",
    },
    "exercise-clip": {
        "4": "= global_norm([clip_b])",
        "1.5 2.5": "= [global_norm([clip_W]) / 2, global_norm([clip_W, clip_b]) / 2]",
    },
    "exercise-leaky": {
        "100 100": "= [length, length]",
    },
}

# --- Figures -----------------------------------------------------------------

MARKS = np.array([1, 5, 10, 20, 40, 60, 80, 100])
STEPS = np.arange(1, 101)
RADII = (0.9, 1.0, 1.1)
PLOTS = {"h_t = z_t": 0, r"h_t = \tanh(z_t)": 1}  # and which array it is
DRAWN = 0.05  # how well places and powers of ten are read off a drawing


@figure("rnn-norms")
def rnn_norms(session):
    """Lines are ρ^t, dots are measured."""
    return Curves(
        [
            Plot(
                name,
                [
                    curve
                    for radius, row in zip(
                        RADII, session.printed("hundred", (3, 8), nth), strict=True
                    )
                    for curve in (
                        Curve(rf"\rho = {radius:g}", STEPS, radius**STEPS),
                        Curve(rf"\rho = {radius:g}", MARKS, 10**row, dots=True),
                    )
                ],
            )
            for name, nth in PLOTS.items()
        ],
        "t",
        log=True,
    )


@claim("rnn-norms")
def rnn_norms_claim(session, curves):
    """Without tanh the norm goes as ρ^t; with it, the norm falls below in all three."""
    for plot, nth in PLOTS.items():
        shown = session.printed("hundred", (3, 8), nth)
        for radius, row in zip(RADII, shown, strict=True):
            along, line = curves[plot].line(rf"\rho = {radius:g}")
            assert_allclose(np.log10(line), along * np.log10(radius), atol=DRAWN)
            marks, dots = curves[plot].dots(rf"\rho = {radius:g}")
            assert_allclose(marks, MARKS, atol=DRAWN * 10)
            assert_allclose(np.log10(dots), row, atol=DRAWN)
            powers = np.log10(dots) - marks * np.log10(radius)
            if nth == 0:
                assert (np.abs(powers) < 0.6).all()
            else:
                assert (powers[1:] < 0).all()
                assert (np.diff(np.log10(dots)) < 0).all()
    assert curves.across == "t"


@figure("rnn-transient")
def rnn_transient(session):
    """The norm of U^t of a matrix that is not normal, beside ρ^t."""
    U = session.written("transient", "leaning", (2, 2))
    exact = [np.linalg.norm(np.linalg.matrix_power(U, t), 2) for t in STEPS]
    (dots,) = session.printed("transient", (1, 8))
    return Curves(
        [
            Plot(
                "",
                [
                    Curve(r"\rho(A)^t", STEPS, U[0, 0] ** STEPS),
                    Curve(r"\lVert A^t \rVert", STEPS, np.array(exact)),
                    Curve(r"\lVert A^t \rVert", MARKS, 10**dots, dots=True),
                ],
            )
        ],
        "t",
        log=True,
    )


@claim("rnn-transient")
def rnn_transient_claim(session, curves):
    """It rises to its maximum near step 9 and then falls, above ρ^t all the time."""
    along, low = curves[""].line(r"\rho(A)^t")
    assert_allclose(np.log10(low), along * np.log10(0.9), atol=DRAWN)
    along, line = curves[""].line(r"\lVert A^t \rVert")
    t = np.round(along)
    upper = np.array([0.9**t, 2 * t * 0.9 ** (t - 1)])  # the entries of U^t
    norms = [np.linalg.norm([[a, b], [0, a]], 2) for a, b in zip(*upper, strict=True)]
    assert_allclose(np.log10(line), np.log10(norms), atol=DRAWN)
    assert 8 <= along[np.argmax(line)] <= 11
    assert (line > low).all()
    marks, dots = curves[""].dots(r"\lVert A^t \rVert")
    assert_allclose(marks, MARKS, atol=DRAWN * 10)
    (shown,) = session.printed("transient", (1, 8))
    assert_allclose(np.log10(dots), shown, atol=DRAWN)


# --- Checks ------------------------------------------------------------------


def forward(tanh, arrays, steps, held=lambda state, t: state, extra=None):
    """h_t of all steps; held says what the next step gets of the state of step t."""
    state, found = arrays["h0"], []
    for t in steps:
        z = arrays["x"][:, t] @ arrays["W"] + state @ arrays["U"] + arrays["b"]
        found.append(tanh(z if extra is None else z + extra[:, t]))
        state = held(found[-1], t)
    return found


@check("rnn-jacobian")
def rnn_jacobian(function, draw):
    """Each example is repeated: the gradient of its k-th copy is row k."""
    arrays, rng = recurrent(draw)
    rows, units = arrays["h0"].shape
    steps = range(arrays["x"].shape[1])
    h = np.stack(forward(np.tanh, arrays, steps), axis=1)
    copies = {name: arrays[name] for name in ("W", "U", "b")}
    copies["x"] = np.repeat(arrays["x"], units, axis=0)

    def last(tanh):
        return lambda h0: forward(tanh, {**copies, "h0": h0}, steps)[-1]

    def in_rows(h, U):
        found = function(h, U)
        if found.shape != (rows, units, units):
            return found  # it has the wrong shape below, too
        return found.reshape(rows * units, units)

    return gradient(
        in_rows,
        {"h": h, "U": arrays["U"]},
        np.repeat(arrays["h0"], units, axis=0),
        np.tile(np.eye(units), (rows, 1)),
        last(tf.tanh),
        last(np.tanh),
        rng,
    )


@check("rnn-truncated")
def rnn_truncated(function, draw):
    """TensorFlow stops the gradient; in the difference the state at a border stays
    what it was."""
    arrays, rng = recurrent(draw)
    rows, length, units = arrays["dh"].shape
    k = draw(st.integers(1, length + 1))
    h = forward(np.tanh, arrays, range(length))

    def ends(t):
        return (t + 1) % k == 0

    def run(tanh, stack, stop):
        def held(state, t):
            return stop(state, t) if ends(t) else state

        return lambda extra: stack(forward(tanh, arrays, range(length), held, extra))

    return gradient(
        function,
        {"dh": arrays["dh"], "h": np.stack(h, axis=1), "U": arrays["U"], "k": k},
        np.zeros((rows, length, units)),
        arrays["dh"].swapaxes(0, 1),
        run(tf.tanh, tf.stack, lambda state, t: tf.stop_gradient(state)),
        run(np.tanh, np.stack, lambda state, t: h[t]),
        rng,
    )


@check("rnn-clipped")
def rnn_clipped(function, draw):
    """One of two arrays, of which both have the norm."""
    shape, other_shape = (size(draw, 3), size(draw, 3)), (size(draw, 4),)
    rng = generator(draw)
    mine, other = values(rng, shape), values(rng, other_shape)
    norm = np.sqrt(np.sum(mine**2) + np.sum(other**2))
    most = norm * rng.choice([0.01, 0.4, 0.9, 1.5, 20.0])
    case = {"gradient": mine, "norm": norm, "most": most}
    found = call(function, case)
    (by_tf, _), _ = tf.clip_by_global_norm([mine, other], most)
    by_numpy = mine if norm <= most else mine / norm * most
    return max(
        compare(case, found, by_tf.numpy(), "TensorFlow"),
        compare(case, found, by_numpy, "the definition"),
    )


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """One example and three steps. Two of the U are nearly orthogonal but for a factor,
    so that their norm is little above their spectral radius."""
    for inputs, units, factor in ((3, 4, 0), (2, 3, 0.8), (4, 2, 1.3)):
        given, g = one_example(inputs, units)
        if factor:
            given["U"] = factor * (np.linalg.qr(given["U"])[0] + given["U"] / 50)
        world = through_time(
            g,
            given,
            functions={"tanh": np.tanh, "rho": radius},
            arguments={"h": lambda v: v["h_()"][None, 1:]},
        )
        h = world.values["h_()"][1:]
        none = np.full((1, units, units), np.nan)
        world.set("D_()", np.concatenate([none, [np.diag(1 - a**2) for a in h]]))
        yield world


def one_example(inputs, units, T=3):
    g, given = drawn_layer(1, T, inputs, units)
    given = {
        name: array[0] if name[1:2] == "_" else array for name, array in given.items()
    }
    return given, [array[0] for array in g]


def radius(U):
    return np.max(np.abs(np.linalg.eigvals(U)))


@worlds("by-hand")
def by_hand():
    """The numbers of the page before."""
    yield hand()


@worlds("exercise-border")
def border():
    world = hand()
    delta2 = world.values["g_2"] * (1 - world.values["h_2"] ** 2)
    carried = delta2 * world.values["U"]
    delta1 = (world.values["g_1"] + carried) * (1 - world.values["h_1"] ** 2)
    deltas = [np.nan, delta1, delta2, world.values["delta_()"][3]]
    world.set("tilde delta_()", np.array(deltas))
    yield world


def hand():
    numbers = {"W": 2.0, "U": 0.5, "b": 0.0}
    given = {name: np.array(value) for name, value in numbers.items()}
    return one_unit(HAND_X, [0.34, -0.82, 1.0], given, np.array(0.4))


@worlds("exercise-leaky")
def leaky():
    for units, alpha in ((3, 0.3), (2, 0.6), (4, 0.1)):
        given, g = one_example(2, units)

        world = through_time(g, given, h=leaky_state(alpha), gradients={})
        world.set("alpha", alpha)
        world.set("E", np.eye(units))
        world.set("q_()", np.tanh(world.values["z_()"]))
        yield world


@worlds("transient")
def transient():
    """t alone has values."""
    yield World(ranges={"t": range(1, 30)}, sizes={"T": 30})


@worlds("nilpotent")
def nilpotent(given):
    """The same D_t at each step."""
    D = np.diag(1 - np.array([0, 0.8]) ** 2)
    yield World(
        sizes={"U": given["U"], "D_()": np.array([D] * 3)}, ranges={"t": range(1, 3)}
    )


@worlds("truncation")
def truncation():
    """p_{t,s} is the gradient of the loss of step t at z_s; c_t is a state that is no
    function of anything any more."""
    for N, T, units, k in ((2, 5, 3, 2), (1, 4, 2, 3), (3, 3, 2, 1)):
        g, given = drawn_layer(N, T, 2, units)
        steps = range(1, T + 1)
        whole = through_time(
            g,
            given,
            zero={"delta_()", "tilde delta_()"},
            ranges={"t": steps, "s": steps},
            arguments={
                **{"h": batch_first("h_()"), "dh": batch_first("g_()")},
            },
            results={"rnn-truncated": batch_first("tilde delta_()")},
        )
        borders = {f"c_{t}": whole.values[f"h_{t}"] for t in steps if t % k == 0}

        def z(v, t, borders=borders):
            held = v.get(f"c_{t - 1}", v[f"h_{t - 1}"])
            return plain_state({**v, f"h_{t - 1}": held}, t)

        cut = through_time(g, {**given, **borders}, z)
        alone = [
            through_time([a * (i == t) for i, a in enumerate(g, 1)], given)
            for t in steps
        ]
        pairs = [world.values["delta_()"] for world in alone]
        whole.set("k", k)
        whole.set("tilde delta_()", cut.values["delta_()"])
        whole.set("p", np.array([np.full_like(pairs[0], np.nan), *pairs]))
        whole.set("r_()", np.array([0, *(min(T, -(-s // k) * k) for s in steps)]))
        yield whole


@worlds("clipping")
def clipping():
    for share, units in ((0.3, 3), (0.9, 2), (1.7, 4)):
        given, g = one_example(2, units)
        world = through_time(g, given)
        W, U, b = (world.jacobian("ell", name) for name in "WUb")
        n = np.sqrt(np.sum(W**2) + np.sum(U**2) + np.sum(b**2))
        world.set("n", n)
        world.set("theta", share * n)
        world.set("d", U)
        world.set("hat d", U if share > 1 else U / n * (share * n))
        world.arguments = {"gradient": "d", "norm": "n", "most": "theta"}
        yield world
