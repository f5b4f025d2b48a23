"""Figure, checks and symbols of docs/*/learning/optimisers.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.checks import call, check, compare, generator, size, sizes, st, tf, values
from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.tex.world import World, drawn, worlds

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "optimisers": {
        "20": "= len(losses)",
    },
    "by-hand": {
        "4": "= slope(1.0)",
    },
    "valley": {
        "92.31": "= round(100 * shrinks(best), 2)",
    },
    "rmsprop": {
        "0.01 100": "= curvatures[[0, 2]]",
    },
    "bias": {
        "100000": "= runs",
        "5": "= 2**2 + 1",
    },
    "step": {
        "3.16": "= round((1 - 0.9) / np.sqrt(1 - 0.999), 2)",
    },
    "epsilon": {
        "31.6": "= round(1 / np.sqrt(1 - 0.999), 1)",
    },
    "adamw": {
        "2000": "= many",
    },
    "keras": {
        "6 11 16": "= lock_steps[3:6]",
        "0.1 0.1": "= [usual[0]] * 2",
    },
    "schedules": {
        "6 18 5 6": "= [rise, fall, borders[0], rise]",
    },
    "clipping": {
        "10 9 10 11": "= [spike_at, *spike_steps[:3]]",
    },
    "paths": {
        "25": "= c[1]",
    },
    "wrong-rmsprop": {
        "0.01 100": "= three[[0, 2]]",
    },
    "wrong-adamw": {
        "200": "= decays.__defaults__[0]",
    },
}

# Changes after which the page says the same, and why.
SAME = {
    (
        "#by-hand-momentum",
        r"m_1 &= 0.5 \cdot 0 - 0.125 \cdot 4 = -0.5 \\",
        r"m_2 &= 0.5 \cdot 0 - 0.125 \cdot 4 = -0.5 \\",
    ): "both velocities are -0.5",
    **{
        (section, before, before.replace(old, new)): "all g have one expectation"
        for section, before, old, new in (
            (
                "#bias",
                r"\operatorname{E}(m_t) &= (1 - \beta_1) \sum_{s=1}^{t} \beta_1^{t-s} "
                r"\operatorname{E}(g_s) \\",
                "g_s",
                "g_t",
            ),
            (
                "#bias",
                r"&= (1 - \beta_1^t) \operatorname{E}(g_1)",
                "g_1",
                "g_2",
            ),
            (
                "#exercise-start",
                r"\operatorname{E}(m_t) = \beta^t m_0 + (1 - \beta^t) "
                r"\operatorname{E}(g_1)",
                "g_1",
                "g_2",
            ),
        )
    },
}

# --- Figure ------------------------------------------------------------------

PATHS = {r"\mathrm{SGD}": 0, r"\beta = 4/9": 1, r"\mathrm{Nesterov}": 2}
PATHS |= {r"\mathrm{Adam}": 3}  # and which array it is
VALLEY = np.array([1.0, 25.0])
DRAWN = 0.01


def points(session, nth):
    """The weights before and after each step: (18, 2)."""
    rows = session.printed("paths", (4, 9), nth)
    return rows.reshape(2, 2, 9).swapaxes(1, 2).reshape(18, 2)


@figure("optimisers-paths")
def paths(session):
    """Each path, over two lines of equal loss."""
    turn = np.linspace(0, 2 * np.pi, 73)
    plots = []
    for name, nth in PATHS.items():
        path = points(session, nth)
        levels = [
            np.sqrt(2 * loss / VALLEY[:, None]) * [np.cos(turn), np.sin(turn)]
            for loss in (0.5, 2.0)
        ]
        along, across = np.concatenate([levels[0], levels[1]], axis=1)
        gap = np.insert(across, len(turn), np.nan)
        ring = Curve(r"\ell", np.insert(along, len(turn), along[-1]), gap)
        plots.append(Plot(name, [Curve("w_t", *path.T), ring]))
    return Curves(plots, "w_0", "w_1")


@claim("optimisers-paths")
def paths_claim(session, curves):
    """All begin at one point. With momentum and with Adam the end is nearer than
    without; gradient descent jumps across the valley in each step, and Nesterov's does
    so once. Every ring is of one loss."""
    ends, jumps = {}, {}
    for name, nth in PATHS.items():
        path = np.array(curves[name].line("w_t")).T
        assert_allclose(path, points(session, nth), atol=DRAWN)
        assert_allclose(path[0], [-2, 1], atol=DRAWN)
        ends[name] = path[-1]
        loss = np.sum(VALLEY * np.array(curves[name].line(r"\ell")).T ** 2, axis=1) / 2
        found = np.isfinite(loss)
        assert curves[name].line(r"\ell")[1][18] > 0.15  # a quarter of the turn
        assert np.isclose(loss[found, None], [0.5, 2.0], atol=DRAWN).any(axis=1).all()
        jumps[name] = np.sum(path[1:, 1] * path[:-1, 1] < -1e-4)
    assert [*jumps.values()][:3] == [17, 17, 1]
    plain, heavy, *others = ends.values()
    assert_allclose(plain[0], -2 / 4, atol=0.02)
    assert np.max(np.abs(heavy)) < 0.05
    losses = [np.sum(VALLEY * end**2) for end in (plain, heavy, *others)]
    assert max(losses) == losses[0]
    assert (curves.across, curves.up) == ("w_0", "w_1")


# --- Checks ------------------------------------------------------------------


def case(draw):
    """w, g and what is kept before the step, arrays of one shape, and the settings."""
    shape = draw(st.sampled_from([(), (size(draw, 4),), sizes(draw, 3)]))
    t = draw(st.integers(1, 6))
    rng = generator(draw)
    w, m, g = (np.asarray(values(rng, shape)) for _ in range(3))
    v = np.asarray(rng.uniform(0.1, 2, shape))
    eta, beta, beta2, eps, decay = rng.uniform(0.1, 0.9, 5).tolist()
    settings = {"eta": eta, "t": t, "beta1": beta, "beta2": beta2, "eps": eps}
    return w, m, v, g, settings | {"decay": decay}


def kernel(name, w, *kept, nesterov=False, **numbers):
    """What TensorFlow's kernel makes of the weights and of what is kept."""
    variables = [tf.Variable(array) for array in (w, *kept)]
    operation = getattr(tf.raw_ops, f"ResourceApply{name}")
    places = {"KerasMomentum": ["accum"], "RMSProp": ["ms", "mom"], "Adam": ["m", "v"]}
    handles = [variable.handle for variable in variables]
    taken = dict(zip(["var", *places.get(name, [])], handles, strict=True))
    taken |= {key: tf.constant(value, tf.float64) for key, value in numbers.items()}
    operation(**taken, **({"use_nesterov": True} if nesterov else {}))
    return [variable.numpy() for variable in variables]


def against(function, given, by_tf, definition):
    """The largest error, by the kernel and entry by entry."""
    mine = call(function, given)
    return max(
        compare(given, mine, by_tf, "TensorFlow"),
        compare(given, mine, definition, "the definition"),
    )


@check("optimisers-descent")
def descent(function, draw):
    """The change d has the least g d + d² / 2η: its slope is 0 there."""
    w, _, _, g, s = case(draw)
    by_tf, *_ = kernel("GradientDescent", w, alpha=s["eta"], delta=g)
    least = np.vectorize(lambda g: np.roots([1 / s["eta"], g]).item())(g)
    return against(function, {"w": w, "g": g, "eta": s["eta"]}, by_tf, w + least)


@check("optimisers-momentum")
def velocity(function, draw):
    """Two steps from 0: the first gradient counts β times."""
    w, earlier, _, g, s = case(draw)
    eta, beta = s["eta"], s["beta1"]
    m = -eta * earlier
    _, by_tf = kernel("KerasMomentum", w, m, lr=eta, grad=g, momentum=beta)
    unrolled = -eta * np.sum([beta * earlier, g], axis=0)
    return against(
        function, {"m": m, "g": g, "eta": eta, "beta": beta}, by_tf, unrolled
    )


@check("optimisers-nesterov")
def nesterov(function, draw):
    """The weights that a step starts from are a point ahead."""
    w, old, _, g, s = case(draw)
    eta, beta = s["eta"], s["beta1"]
    settings = {"lr": eta, "grad": g, "momentum": beta, "nesterov": True}
    by_tf, m = kernel("KerasMomentum", w, old, **settings)
    behind = w - beta * old + m
    return against(
        function,
        {"w": w, "m": m, "g": g, "eta": eta, "beta": beta},
        by_tf,
        behind + beta * m,
    )


@check("optimisers-rmsprop")
def rmsprop(function, draw):
    w, _, old, g, s = case(draw)
    settings = {"lr": s["eta"], "rho": s["beta1"], "momentum": 0.0, "epsilon": s["eps"]}
    by_tf, v, _ = kernel("RMSProp", w, old, 0 * w, grad=g, **settings)
    step = s["eta"] * np.sign(g) / np.hypot(np.sqrt(v), np.sqrt(s["eps"])) * np.abs(g)
    return against(
        function,
        {"w": w, "v": v, "g": g, "eta": s["eta"], "eps": s["eps"]},
        by_tf,
        w - step,
    )


def adam_case(draw, decayed):
    """The arguments of the function, the kernel's weights, and the definition: means
    that are corrected, and an ε that is scaled as they are."""
    w, old_m, old_v, g, s = case(draw)
    start = w * (1 - s["eta"] * s["decay"]) if decayed else w
    b1, b2, t = s["beta1"], s["beta2"], s["t"]
    by_tf, m, v = kernel(
        "Adam",
        start,
        old_m,
        old_v,
        **{"beta1_power": b1**t, "beta2_power": b2**t, "lr": s["eta"]},
        **{"beta1": b1, "beta2": b2, "epsilon": s["eps"], "grad": g},
    )
    m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
    eps = s["eps"] / np.sqrt(1 - b2**t)
    change = -s["eta"] * m_hat / (np.sqrt(v_hat) + eps)
    if decayed:
        change = change - s["eta"] * s["decay"] * w
    else:
        del s["decay"]
    return {"w": w, "m": m, "v": v, **s}, by_tf, w + change


@check("optimisers-adam")
def adam(function, draw):
    return against(function, *adam_case(draw, decayed=False))


@check("optimisers-adamw")
def adamw(function, draw):
    return against(function, *adam_case(draw, decayed=True))


# --- What the symbols mean ---------------------------------------------------


RANGES = {"eta": (0.05, 0.4), "c": (0.5, 2.0), "lambda": (0.2, 0.9)}
RANGES |= {"varepsilon": (0.01, 0.1), "varepsilon'": (0.01, 0.1)} | dict.fromkeys(
    ("beta", "beta_1", "beta_2"), (0.3, 0.9)
)


def settings(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(*ends) for name, ends in RANGES.items()}


def after(name):
    """All but what was there before step 1."""
    return lambda v: v[name][1:]


ARGUMENTS = {
    **{"w": lambda v: v["w_()"][:-1], "m": after("m_()"), "v": after("v_()")},
    **{"g": after("g_()"), "eta": "eta", "eps": "varepsilon", "decay": "lambda"},
    **{"beta": "beta", "beta1": "beta_1", "beta2": "beta_2"},
    "t": lambda v: np.arange(1, len(v["g_()"])),
}
RESULTS = {
    f"optimisers-{name}": after("w_()")
    for name in ("descent", "rmsprop", "adam", "adamw")
}


def course(forward, seed, given=None, more_given=(), sizes=(), arguments=(), **more):
    """A world of one weight over three steps. forward has the values of step t, each a
    function (v, t), by name and in their order; if nothing else is given, w_0 and all
    gradients are drawn, and the means begin at 0."""
    steps = range(1, 4)
    begun = {"w_0": drawn(seed), "m_0": np.array(0.0), "v_0": np.array(0.0)}
    begun |= {f"g_{t}": drawn(10 * seed + t) for t in steps}
    begun = {**(begun if given is None else given), **dict(more_given)}
    flow = {
        f"{name}_{t}": lambda v, t=t, step=step: step(v, t)
        for t in steps
        for name, step in forward.items()
    }
    found = {**begun, **flow}
    families = {
        f"{name}_()": tuple(
            f"{name}_{t}" if f"{name}_{t}" in found else "" for t in range(4)
        )
        for name in {name.removesuffix("_3") for name in found if name[-2:] == "_3"}
    }
    usual = {"ranges": {"t": steps}, "results": RESULTS}
    return World(
        sizes={**settings(seed), **dict(sizes)},
        given=begun,
        forward=flow,
        families=families,
        arguments={**ARGUMENTS, **dict(arguments)},
        **{**usual, **more},
    )


def kept(name, beta, power=1):
    """A moving mean of a power of g."""
    return lambda v, t: (
        v[beta] * v[f"{name}_{t - 1}"] + (1 - v[beta]) * v[f"g_{t}"] ** power
    )


def velocity_of(v, t):
    return v["beta"] * v[f"m_{t - 1}"] - v["eta"] * v[f"g_{t}"]


SEEDS = (1, 2, 3)


def moved(v, t):
    return v[f"w_{t - 1}"] + v[f"m_{t}"]


def descended(v, t):
    return v[f"w_{t - 1}"] - v["eta"] * v[f"g_{t}"]


MOMENTUM = {"m": velocity_of, "w": moved}
ALONG = {"g": lambda v, t: v["c"] * v[f"w_{t - 1}"]}  # of the loss c w² / 2


@worlds()
def symbols():
    """Gradient descent, and the change d that a step is to find."""
    for seed in SEEDS:
        change = {"d": drawn(seed + 40)}
        price = {
            "q": lambda v, t: v[f"g_{t}"] * v["d"] + v["d"] ** 2 / (2 * v["eta"]),
            "w": descended,
        }
        yield course(price, seed, more_given=change)


@worlds("by-hand")
def by_hand():
    yield hand(0.0)


@worlds("by-hand-momentum")
def by_hand_momentum():
    yield hand(0.5)


def hand(beta):
    """The loss 2 w²."""
    world = {"eta": 0.125, "beta": beta, "c": 4.0}
    start = {"w_0": np.array(1.0), "m_0": np.array(0.0)}
    return course({**ALONG, **MOMENTUM}, 1, given=start, sizes=world)


@worlds("stable")
def stable():
    for seed in SEEDS:
        start = {"w_0": drawn(seed)}
        yield course({**ALONG, "w": descended}, seed, given=start)


@worlds("valley")
def valley():
    for c in (np.array([1.0, 25.0]), np.array([0.3, 0.7]), np.array([2.0, 9.0])):
        yield World(sizes={"c": c, "eta": 1 / np.mean(c)})


@worlds("momentum")
def with_momentum():
    for seed in SEEDS:
        yield course(
            MOMENTUM,
            seed,
            arguments={"m": lambda v: v["m_()"][:-1]},
            results={"optimisers-momentum": after("m_()")},
        )


@worlds("gain")
def gain():
    """c₀ and c₁ are where both roots coincide."""
    for seed in SEEDS:
        eta, root = settings(seed)["eta"], np.sqrt(settings(seed)["beta"])
        ends = {"c_0": (1 - root) ** 2 / eta, "c_1": (1 + root) ** 2 / eta}
        start = {"w_0": drawn(seed), "m_0": drawn(seed + 40)}
        ranges = {"t": range(1, 3)}  # the last step has none after it
        yield course(
            {**ALONG, **MOMENTUM}, seed, given=start, sizes=ends, ranges=ranges
        )


@worlds("nesterov")
def nesterov_worlds():
    """g is that at u, whatever the loss is."""
    for seed in SEEDS:
        ahead = {"u": lambda v, t: v[f"w_{t}"] + v["beta"] * v[f"m_{t}"]}
        m = drawn(seed + 40)
        start = {"m_0": m, "u_0": drawn(seed) + settings(seed)["beta"] * m}
        yield course(
            {**MOMENTUM, **ahead},
            seed,
            more_given=start,
            arguments={"w": lambda v: v["u_()"][:-1]},
            results={"optimisers-nesterov": after("u_()")},
        )


@worlds("rmsprop")
def rmsprop_worlds():
    def scaled(v, t):
        root = np.sqrt(v[f"v_{t}"] + v["varepsilon"])
        return v[f"w_{t - 1}"] - v["eta"] * v[f"g_{t}"] / root

    for seed in SEEDS:
        yield course({"v": kept("v", "beta", 2), "w": scaled}, seed)


MEANS = {"m": kept("m", "beta_1"), "v": kept("v", "beta_2", 2)}


def corrected(name, beta):
    return lambda v, t: v[f"{name}_{t}"] / (1 - v[beta] ** t)


def adam_change(v, t):
    """By the corrected means, with an ε that is scaled as they are."""
    scale = np.sqrt(1 - v["beta_2"] ** t)
    root = np.sqrt(v[f"hat v_{t}"]) + v["varepsilon"] / scale
    return -v["eta"] * v[f"hat m_{t}"] / root


CORRECTED = {
    **MEANS,
    "hat m": corrected("m", "beta_1"),
    "hat v": corrected("v", "beta_2"),
    "eta": lambda v, t: (
        v["eta"] * (1 - v["beta_2"] ** t) ** 0.5 / (1 - v["beta_1"] ** t)
    ),
}


@worlds("adam")
def adam_worlds():
    change = {"w": lambda v, t: v[f"w_{t - 1}"] + adam_change(v, t)}
    for seed in SEEDS:
        yield course({**CORRECTED, **change}, seed)


@worlds("bias")
def bias():
    """Runs in which g has the same mean in each step; E is the mean over them."""
    for seed in SEEDS:
        yield runs(seed, {"m_0": np.zeros(4)})


@worlds("exercise-start")
def start():
    for seed in SEEDS:
        yield runs(seed, {"m_0": np.full(4, drawn(seed + 40))})


def runs(seed, given):
    g = drawn(seed, 4)
    every = {f"g_{t}": np.roll(g, t**2) for t in (1, 2, 3)}
    return course(
        {**CORRECTED, "m": kept("m", "beta" if given["m_0"].any() else "beta_1")},
        seed,
        given={**given, **every, "v_0": np.zeros(4)},
        functions={"E": np.mean},
    )


@worlds("adamw")
def adamw_worlds():
    def decayed(v, t):
        before = v[f"w_{t - 1}"]
        return before - v["eta"] * v["lambda"] * before + adam_change(v, t)

    for seed in SEEDS:
        yield course({**CORRECTED, "w": decayed}, seed)


@worlds("changed-rate")
def changed_rate():
    """Each step has its own rate."""
    for seed in SEEDS:
        rates = {f"eta_{t}": np.abs(drawn(seed + t)) for t in (1, 2, 3)}

        def velocity(v, t):
            return v["beta"] * v[f"m_{t - 1}"] - v[f"eta_{t}"] * v[f"g_{t}"]

        yield course({"m": velocity}, seed, more_given=rates)
