"""Figures and symbols of docs/*/learning/digits.md."""

import re

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from book.curves import Curve, Curves, Plot
from book.figures import Panel, claim, figure
from book.tex.world import World, drawn, worlds
from snippets.softmax import softmax

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {
        "10": "the bound that the code of #lockstep prints to hold",
        "98": "= int(100 * (1 - len(misread) / len(x_held)))",
    },
    "images": {
        "1797 1797": "= [len(x) + len(x_held)] * 2",
        "16 16 16": "= [load_digits().images.max()] * 3",
    },
    "network": {"column 1": "= range(1, 6)"},
    "training": {
        "4 16": "= [course.count(course[-1]), len(course)]",
        "5 357 5": "= [len(misread), len(x_held), len(counts)]",
        "0.006": "= np.std(answers != c_held) / np.sqrt(len(c_held))",
    },
    "filters": {"0.75": "= np.floor(20 * np.min(cosines)) / 20"},
    "wrong": {
        "8": "= len(others[0][1])",
        "10 10": "= [np.max(curves)] * 2",
        "11 14": "= np.sort([outcome(ends[name]) for name in [*RUNS][3:6]])[[0, -1]]",
        "7": "= outcome(ends['right'])",
        "6 19": "= np.sort([outcome(weights) for weights, _ in others])[[0, -1]]",
        "0.093 0.136": "= np.sort([row[-1] for row in curves[3:6]])[[0, -1]]",
        "0.052 0.071": "= np.sort([row[-1] for row in [curves[0], *(losses for _, "
        "losses in others)]])[[0, -1]]",
        "4": "= outcome(lucky)",
        "96": "= int(100 * (1 - outcome(ends['copied']) / len(x_held)))",
        "97": "= round(100 * (1 - outcome(ends['not_turned']) / len(x_held)))",
        "32": "= len(next(batches(1)))",
    },
    "cosines": {"72": "= trained[0].size", "1898": "= sum(w.size for w in trained)"},
    "if-you-see-this": {"32": "= len(next(batches(1)))"},
    "exercise-tie": {"0.4 -1": "= tie_delta.ravel()[:2]"},
}

# --- Figures -----------------------------------------------------------------

DRAWN = 0.005  # how well powers of ten are read off a drawing
READ = re.compile(r"a (\d) that is read as (\d):")
ROW = re.compile(r"^ +(\d+) +([\d.]+) +([\d.]+) +(\d+)$", re.M)
WRONG = (
    "mask",
    "not_summed",
    "not_turned",
    "not_carried",
    "copied",
    "no_derivative",
    "wrong_sign",
    "no_mean",
)


def given(image):
    """The digit of the one image of scikit-learn that has these pixels."""
    from sklearn.datasets import load_digits  # a second, and few read this file

    data = load_digits()
    (n,) = np.flatnonzero((data.images == np.asarray(image)).all(axis=(1, 2)))
    return data.target[n]


@figure("digits-image")
def image(session):
    return [Panel("", session.printed("digits", (8, 8)), shaded=True)]


@claim("digits-image")
def image_claim(session, image):
    (digit,) = re.findall(r"^a (\d):$", session.text("digits"), re.M)
    assert given(image) == int(digit)


@figure("digits-learnt")
def learnt(session):
    """The mean loss of the epochs, in training and held out."""
    epoch, loss, held, _ = np.float64(ROW.findall(session.text("train"))).T
    lines = [Curve("N = 1440", epoch, loss), Curve("N = 357", epoch, held)]
    return Curves([Plot("", lines)], "e", r"\ell", log=True)


@claim("digits-learnt")
def learnt_claim(session, curves):
    """Both fall; after the first half the training images have the lower loss."""
    epoch, loss = curves[""].line("N = 1440")
    _, held = curves[""].line("N = 357")
    rows = [line.split() for line in session.text("train").splitlines()[1:-2]]
    assert_allclose(epoch, [float(row[0]) for row in rows], atol=0.1)
    for drawn_line, column in ((loss, 1), (held, 2)):
        shown = [float(row[column]) for row in rows]
        assert_allclose(np.log10(drawn_line), np.log10(shown), atol=DRAWN)
    assert_array_equal(loss < held, epoch > 9.5)


@figure("digits-misread")
def misread(session):
    found = READ.findall(session.text("misread"))
    return [
        Panel(
            rf"{digit} \to {read}", session.printed("misread", (8, 8), n), shaded=True
        )
        for n, (digit, read) in enumerate(found)
    ]


@claim("digits-misread")
def misread_claim(session, *images):
    told = [line for line in session.text("misread").splitlines() if "read" in line]
    assert [given(image) for image in images] == [int(line[2]) for line in told]


@figure("digits-filters")
def filters(session):
    return [
        Panel(f"f = {f}", row.reshape(3, 3), shaded=True)
        for f, row in enumerate(session.printed("filters", (8, 9)))
    ]


@claim("digits-filters")
def filters_claim(session, *filters):
    """How far each has come from where it began; number 2 is an edge."""
    lines = session.text("filters").splitlines()
    longer, cosine = (np.float64(re.findall(r"[\d.]+", line)) for line in lines[-2:])
    began = np.sqrt(2 / 9) * np.random.RandomState(0).randn(9, 8).T
    ended = np.reshape(filters, (8, 9))
    lengths = [np.linalg.norm(each, axis=1) for each in (began, ended)]
    assert_allclose(lengths[1] / lengths[0], longer, atol=0.02)
    product = np.sum(began * ended, axis=1)
    assert_allclose(product / (lengths[0] * lengths[1]), cosine, atol=0.02)
    assert (cosine > 0.75).all()
    assert_array_equal(np.array(filters[2]) > 0, np.repeat([[1], [0], [0]], 3, axis=1))


def in_code(name):
    return rf"\mathtt{{{name}}}".replace("_", r"\_")


@figure("digits-wrong")
def wrong(session):
    """t is the run of the right gradient, m of the wrong one, as in check_gradient."""
    epochs, losses = np.arange(1, 9), session.printed("wrong", (9, 8))
    return Curves(
        [
            Plot(
                in_code(name),
                [Curve("t", epochs, losses[0]), Curve("m", epochs, losses[nth])],
            )
            for nth, name in enumerate(WRONG, 1)
        ],
        "e",
        r"\ell",
        log=True,
    )


@claim("digits-wrong")
def wrong_claim(session, curves):
    """Two lie on the right one; three fall above it; three do not fall."""
    names = [line.split()[0] for line in session.text("wrong").splitlines()[1:9]]
    shown = session.printed("wrong", (9, 8))
    for nth, name in enumerate(names, 1):
        plot = curves[in_code(name)]
        _, right = plot.line("t")
        _, mine = plot.line("m")
        assert_allclose(np.log10(right), np.log10(shown[0]), atol=DRAWN)
        assert_allclose(np.log10(mine), np.log10(shown[nth]), atol=DRAWN)
        kind = np.max(np.abs(np.log10(mine / right))) < 0.12, mine[-1] < 0.2
        assert kind == (nth <= 2, nth <= 5), name
    assert_array_equal(len(curves.plots), len(names))


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """The top of the network: N images, a softmax and the mean of their losses."""
    for images, digits in ((2, 3), (3, 2), (4, 5)):
        y = np.eye(digits)[np.arange(images) % digits]
        yield World(
            sizes={"N": images, "y": y},
            given={"z^5": drawn(1, images, digits)},
            forward={
                "a^5": lambda v: softmax(v["z^5"]),
                "ell": lambda v, y=y: -np.sum(y * np.log(v["a^5"])) / len(y),
            },
            gradients={"delta^5": "z^5"},
        )
