"""Vocabulary and numbers of docs/*/check.md."""

import numpy as np
from numpy.polynomial import Polynomial

from book import checker, sessions
from book.tex.world import World, drawn, worlds
from snippets.notation import taylor
from snippets.softmax import one_example

# What is changed in a formula without being wrong, and why.
SAME = {
    (
        "#mistakes",
        r"-2 \sum_i t_i\,(m_i - c\,t_i) = 0",
        r"+2 \sum_i t_i\,(m_i - c\,t_i) = 0",
    ): "0 in any case",
    (
        "#mistakes",
        r"-2 \sum_i t_i\,(m_i - c\,t_i) = 0",
        r"-3 \sum_i t_i\,(m_i - c\,t_i) = 0",
    ): "0 in any case",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "mistakes": {
        "9999": "= 10_000 - 1",
    },
    "small-entries": {
        "100": "whatever it is instead of 0",
    },
    "float64": {
        "24 0.4": "= [np.finfo('float32').nmant + 1, 100 * (0.1 - 0.0996) / 0.1]",
    },
    "exercise-report": {
        "-1": "as the line of the report says it",
    },
    "exercise-nameless": {
        "4": "= nameless_delta.size",
    },
}

# With entries in sixteenths, what is just allowed is exact, and no float32.
RTOL = 2.0**-30


def functions():
    """Those of the page, without TensorFlow: what it tells readers to copy."""
    page = sessions.parse(sessions.SNIPPETS / "check.md")
    imports, *_ = page.of("setup")
    found: dict = {}
    lines = [line for line in imports.code.splitlines() if "tensorflow" not in line]
    with np.printoptions():  # which the session sets for itself
        exec("\n".join(lines), found)
        for section in checker.SECTIONS:
            for block in page.of(section):
                exec(block.code, found)
    return found


def arrays(make):
    """t, and m that is off by less or more than what is allowed, in one entry."""
    for entries in (3, 4, 5):
        t = np.round(16 * drawn(1, entries)) / 16
        other = make(t)
        least = np.argmin(np.abs(other))
        for far in (0, 0.9, -0.9, 1, 1.1, 30, -1e7):
            off = far * RTOL * np.max(np.abs(other)) * np.eye(entries)[least]
            yield other + off, t


@worlds()
def symbols():
    check_gradient = functions()["check_gradient"]
    for m, t in arrays(lambda t: t):
        equal = "equal   within" in check_gradient(m, t, RTOL)
        yield World(
            sizes={"m": m, "t": t, "rtol": RTOL, "equal": equal},
            also={"相等": "equal"},
        )


@worlds("mistakes")
def one_mistake():
    """T is a half turn and a factor; c is the factor that leaves the least."""
    close = functions()["close"]

    def turned(t):
        return -2 * np.flip(t)

    for m, t in arrays(turned):
        (c,), *_ = np.linalg.lstsq(t[:, np.newaxis], m)
        named = close(m, turned(t), RTOL)
        yield World(
            sizes={"m": m, "t": t, "c": c, "rtol": RTOL, "named": named},
            functions={"T": turned},
            also={"指出": "named"},
        )


@worlds("random")
def softmax():
    for entries in (2, 3, 5):
        a = np.exp(drawn(1, entries))
        yield World(sizes={"a": a / a.sum(), "g": drawn(2, entries)})


@worlds("second")
def cross_entropy():
    for classes in (2, 3, 5):
        yield one_example(classes)


@worlds("exercise-report")
def running_sum():
    """m is shifted: m_i = t_{i+1}, and 0 comes in at the end."""
    for entries in (3, 4, 5):
        delta = drawn(2, entries)
        t = np.cumsum(delta[::-1])[::-1]
        yield World(
            sizes={"t": t, "m": np.append(t[1:], 0)},
            given={"x": drawn(1, entries), "delta": delta},
            forward={"z": lambda v: np.cumsum(v["x"])},
        )


@worlds("exercise-complex")
def imaginary_step():
    """φ is of degree 3 but for what is 0 at ih, and with three derivatives at 0; so the
    dots are 0."""
    for h in (0.3, 0.5, 0.2):
        varphi = Polynomial(drawn(1, 4)) + Polynomial([0, 0, 0, 0, h**2, 0, 1])
        functions = taylor(varphi) | {"Im": np.imag}
        yield World(sizes={"h": h, "i": 1j, "dots": 0}, functions=functions)
