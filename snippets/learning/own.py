"""Figures and symbols of docs/*/learning/own.md."""

import numpy as np
from numpy.testing import assert_allclose

from book.curves import Curve, Curves, Plot
from book.figures import claim, figure
from book.tex.world import H, World, drawn, worlds
from snippets.softmax import softmax

SUM = "faulty_loss(faulty_network(x, *start), c)"
# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {"10": "= start[-1].size"},
    "train": {
        "97 100": "= [round(100 * accuracy(network, trained, x_held, c_held)), 100]"
    },
    "swap": {"200": "= train.__defaults__[3]"},
    "looks": {"1440": "= len(x)"},
    "stays": {
        "32": "= start[0].shape[1]",
        "0.01": "a learning rate for which the code prints a row",
    },
    "held": {
        "63": "= round(100 * accuracy(network, "
        "train(network, start, x[:20], c[:20])[0], x_held, c_held))",
        "0.01": "= 1 - decayed([1.0], [0.0], 1.0)[0]",
    },
    "silent": {"0.1": "the slope of leaky_network"},
    "if-you-see-this": {"1.46": "= round(np.log(1 + 9 / np.e), 2)"},
    "exercise-parts": {
        "50 50 50": "= [parts[-1].stop] * 3",
        "20 20 10": "= [part.stop - part.start for part in parts]",
    },
    "exercise-faults": {
        "3537": f"= round({SUM})",
        "1440 2.46": f"= [len(x), round({SUM} / len(x), 2)]",
    },
}

# --- Figures -----------------------------------------------------------------

FAULTY, CURED = r"\times", r"\checkmark"
# Of the rows of the first array: a name, and the row of the second with its cure.
RUNS = {
    "W = 0": 0,
    r"\eta = 10^{-4}": 0,
    r"\operatorname{softmax}(a)": 0,
    r"16\,x": 0,
    r"\eta = 2": 1,
    "b^{1} = -10": 2,
}
# The first step, and the middle of each eighth of 200 steps.
ALONG = np.array([0, *np.arange(12.5, 200, 25)])
STOPS = np.arange(50, 401, 50)
DRAWN = 0.02  # how well places are read off a drawing, as a share of the axis


@figure("own-runs")
def runs(session):
    faulty = session.printed("curves", (6, 9), 0)
    cured = session.printed("curves", (3, 9), 1)
    plots = [
        Plot(name, [Curve(FAULTY, ALONG, row), Curve(CURED, ALONG, cured[cure])])
        for (name, cure), row in zip(RUNS.items(), faulty, strict=True)
    ]
    return Curves(plots, "t", r"\ell", log=True)


@claim("own-runs")
def runs_claim(session, curves):
    """All but one end level at log 10, after a jump or none; all cures fall."""
    printed = session.printed("curves", (6, 9), 0), session.printed("curves", (3, 9), 1)
    for nth, (name, cure) in enumerate(RUNS.items()):
        shown = {FAULTY: printed[0][nth], CURED: printed[1][cure]}
        for kind, losses in shown.items():
            assert_allclose(curves[name].line(kind)[1], losses, rtol=0.01)
        steps, faulty = curves[name].line(FAULTY)
        assert_allclose(steps, ALONG, atol=200 * DRAWN)
        cured = curves[name].line(CURED)[1]
        assert cured[-1] < cured[0] / 2
        assert cured[-1] < faulty[-1]
        if name != r"\operatorname{softmax}(a)":
            assert_allclose(faulty[-4:], np.log(10), rtol=0.02)
    level = [curves[name].line(FAULTY)[1] for name in ("W = 0", r"\eta = 10^{-4}")]
    assert_allclose(level, np.log(10), rtol=0.04)
    twice = curves[r"\operatorname{softmax}(a)"].line(FAULTY)[1]
    assert (np.diff(twice) < 0.01).all()
    assert twice[-1] > np.log(1 + 9 / np.e)
    assert curves[r"16\,x"].line(FAULTY)[1].max() > 10
    assert_allclose(curves["W = 0"].line(CURED)[1][-1], 0.13, rtol=0.05)
    slow, quick = (curves[name].line(CURED)[1] for name in ("b^{1} = -10", "W = 0"))
    assert (slow[1:] > 2 * quick[1:]).all()


OF_TRAINING, OF_HELD = r"\ell(x)", r"\ell(x_{\mathrm{held}})"


@figure("own-held")
def held(session):
    plots = []
    for nth, count in enumerate((20, 1440)):
        training, others = session.printed("held", (2, 8), nth)
        lines = Curve(OF_TRAINING, STOPS, training), Curve(OF_HELD, STOPS, others)
        plots.append(Plot(f"N = {count}", [*lines]))
    return Curves(plots, "t", r"\ell")


@claim("own-held")
def held_claim(session, curves):
    """With few images the one is near 0 and the other rises; with all, both fall."""
    few, many = curves["N = 20"], curves["N = 1440"]
    for nth, plot in enumerate((few, many)):
        shown = session.printed("held", (2, 8), nth)
        for name, losses in zip((OF_TRAINING, OF_HELD), shown, strict=True):
            assert_allclose(plot.line(name)[1], losses, atol=0.005)
    assert (few.line(OF_TRAINING)[1] < 0.05).all()
    steps, rising = few.line(OF_HELD)
    assert_allclose(steps, STOPS, atol=400 * DRAWN)
    assert (np.diff(rising) > 0).all()
    assert_allclose(rising, 2, atol=0.25)
    training, others = many.line(OF_TRAINING)[1], many.line(OF_HELD)[1]
    assert_allclose(training, others, atol=0.03)
    for falling in (training, others):
        assert (np.diff(falling) < 0.01).all()
        assert_allclose(falling[0], 0.3, atol=0.03)
        assert falling[-1] < 0.1


# --- What the symbols mean ---------------------------------------------------


@worlds("network")
def loss():
    for examples, classes in ((2, 3), (3, 2), (4, 5)):
        y = np.eye(classes)[np.arange(examples) % classes]
        yield World(
            sizes={"N": examples, "y": y},
            given={"z": drawn(1, examples, classes)},
            forward={
                "a": lambda v: softmax(v["z"]),
                "ell": lambda v, y=y: np.mean(
                    np.log(np.exp(v["z"]).sum(axis=1)) - np.sum(y * v["z"], axis=1)
                ),
            },
        )


@worlds("looks")
def slope():
    """The change of ℓ along d, by a difference."""
    for inputs in (2, 3, 5):
        L, w, d = drawn(1, 4, inputs), drawn(2, inputs), drawn(3, inputs)

        def along(w, L=L):
            return np.sum(np.sin(L @ w))

        yield World(
            sizes={"d": d, "dot ell": (along(w + H * d) - along(w - H * d)) / (2 * H)},
            given={"w": w},
            forward={"ell": lambda v, along=along: along(v["w"])},
        )
