"""Vocabulary of docs/*/verification.md: its bounds are those of the code."""

import re

import numpy as np

from book.checks import EXACT, SCALE, SLOPE, H, compare
from book.compare import TOKEN, same
from book.tex.world import World, drawn, worlds


@worlds("outputs")
def outputs():
    """The number printed is off by a little less or more than what is allowed; or by
    exactly that, where float64 has it, at 0."""
    for shown in ("-1234.5", "2.718282", "0.00012", "7.3e-9", "3e5", "-4.", "0.00"):
        s, unit = float(shown), 10.0 ** -decimals(shown)
        bound = 1e-5 * abs(s) + min(1e-4, unit)
        for far in (-30, -1.1, -0.9, 0, 0.9, 1.1, 30, *[1] * (s == 0)):
            printed = f"{s + far * bound:.17e}"
            equal = same(TOKEN.fullmatch(shown), TOKEN.fullmatch(printed))
            yield World(
                sizes={"s": s, "p": float(printed), "u": unit, "equal": equal},
                also={"相等": "equal"},
            )


def decimals(shown: str) -> int:
    mantissa, exponent = re.fullmatch(r"(.*?)(?:e(.*))?", shown).groups()
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


@worlds("equations")
def equations():
    """m is t, the gradient of a linear ℓ, but for an error of one entry; also one that
    is just allowed, where float64 has it exactly."""
    ones = np.ones(4)
    yield compared(np.array([1, -0.5, 0.25, EXACT]), np.array([1, -0.5, 0.25, 0]), ones)
    yield compared(np.array([0, 0, 0, SLOPE * SCALE]), np.zeros(4), ones)
    for size in (1, 1e-5):
        t, v = size * drawn(1, 4), drawn(2, 4)
        exact = EXACT * max(SCALE, np.max(np.abs(t)))
        slope = SLOPE * max(SCALE, np.sum(np.abs(t * v))) / v[3]
        for error in (0, 0.9 * exact, 1.1 * exact, 0.9 * slope, 1.1 * slope, 1):
            for sign in (1, -1):
                yield compared(t + sign * error * np.eye(4)[3], t, v)


def compared(m, t, v):
    try:
        compare({}, m, t, "")
        equal = True
    except AssertionError:
        equal = False
    terms = m * v
    bound = SLOPE * max(SCALE, np.sum(np.abs(terms)))
    return World(
        sizes={
            **{"m": m, "t": t, "v": v, "x": drawn(3, 4), "h": H, "equal": equal},
            "consistent": abs(np.sum(terms) - np.sum(t * v)) <= bound,
        },
        functions={"ell": lambda x: np.sum(t * x)},
        also={"相等": "equal", "一致": "consistent"},
    )
