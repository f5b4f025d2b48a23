r"""Curves: lines and dots over an axis, for figures in which a shape matters.

All plots of a figure have the same axes, so that they can be compared; a name has the
same stroke in all of them:

    @figure("growth")
    def growth(session):
        small, large = session.printed("growth", (2, 9))
        lines = [Curve("A", np.arange(9), small), Curve("B", np.arange(9), large)]
        return Curves([Plot("", lines)], across="l", up="a", log=True)

    @claim("growth")
    def one_grows_faster(session, curves):
        layers, small = curves[""].line("A")
        ...

`up` with `log` is an axis of powers of ten. A line is interrupted where y is nan.
"""

import html as markup
from collections.abc import Callable, Iterator
from itertools import chain
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from book import Mistake

# In units of the drawing, which are pixels where there is room: two of many plots stand
# side by side on a phone.
SIZES = {1: (420, 250), 2: (330, 210)}
MANY = 168, 140
LEFT, RIGHT, TOP, BOTTOM = 30, 8, 6, 16  # around the plot, for the numbers
STROKES = 4  # that can be told from each other without colours (figures.css)
TICKS = 8  # at most
POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Curve(NamedTuple):
    name: str  # in TeX
    x: np.ndarray  # (n,)
    y: np.ndarray  # (n,)
    dots: bool = False  # in place of a line


class Plot(NamedTuple):
    name: str  # in TeX
    curves: list[Curve]

    def line(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """x and y of the line of this name. Raises ValueError if it is not one."""
        return self._one(name, False)

    def dots(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """x and y of the dots of this name. Raises ValueError if they are not once."""
        return self._one(name, True)

    def _one(self, name: str, dots: bool) -> tuple[np.ndarray, np.ndarray]:
        (curve,) = [c for c in self.curves if (c.name, c.dots) == (name, dots)]
        return curve.x, curve.y


class Curves(NamedTuple):
    plots: list[Plot]
    across: str  # what the axes are, in TeX
    up: str = ""
    log: bool = False

    def __getitem__(self, name: str) -> Plot:
        """The plot of this name. Raises KeyError."""
        return {plot.name: plot for plot in self.plots}[name]

    def every(self) -> Iterator[Curve]:
        return chain.from_iterable(plot.curves for plot in self.plots)

    def names(self) -> list[str]:
        """Of lines and dots, each once: the place of a name is that of its stroke."""
        return list(dict.fromkeys(curve.name for curve in self.every()))

    def numbers(self) -> list[list[float]]:
        """What can be read off: of dots all, of lines the ends and extremes of y."""
        rows = []
        for curve in self.every():
            y = curve.y[np.isfinite(curve.y)]
            read = y if curve.dots else np.array([y[0], y[-1], y.min(), y.max()])
            rows += [curve.x[[0, -1]].tolist(), read.tolist()]
        return rows


class Axis(NamedTuple):
    """From numbers to places in the drawing: low is at start, high at end."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: np.ndarray | float) -> np.ndarray | float:
        value = np.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (
            self.end - self.start
        )

    def ticks(self) -> list[tuple[float, str]]:
        """Where round numbers are, and as what they are written."""
        steps = [10.0**n * k for n in range(-9, 10) for k in (1, 2, 5)]
        wide = (self.high - self.low) / (TICKS - 1)
        step = next(s for s in steps if s >= wide and (s >= 1 or not self.log))
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        found = [round(k * step, 9) for k in range(first, last + 1)]
        if self.log:
            return [(10.0**n, f"10{f'{n:g}'.translate(POWERS)}") for n in found]
        return [(n, f"{n:g}".replace("-", "−")) for n in found]


def drawing(curves: Curves, alternative: str, formula: Callable[[str], str]) -> str:
    """Plots side by side, below them what the strokes and the axes are. `formula` makes
    HTML of TeX. Raises Mistake where something cannot be drawn."""
    _examine(curves)
    plots = "".join(
        f'<div class="panel">{_named(plot, formula)}{_svg(curves, plot)}</div>'
        for plot in curves.plots
    )
    strokes = [
        f'<span><svg class="curves" viewBox="0 0 32 10" width="32" height="10">'
        f'<path class="stroke{kind}" d="M0 5L32 5"/></svg> {formula(name)}</span>'
        for kind, name in enumerate(curves.names())
    ]
    axes = {"→": curves.across, "↑": curves.up}
    named = [
        f"<span>{arrow} {formula(tex)}</span>" for arrow, tex in axes.items() if tex
    ]
    return (
        f'<div role="img" aria-label="{markup.escape(alternative)}">'
        f'<div class="panels plots">{plots}</div>'
        f'<div class="legend" aria-hidden="true">{"".join((*strokes, *named))}</div>'
        "</div>"
    )


def _named(plot: Plot, formula: Callable[[str], str]) -> str:
    return f'<div class="name">{formula(plot.name)}</div>' if plot.name else ""


def in_tex(curves: Curves) -> str:
    """Where no drawing is shown: a table for each plot, of some of its points."""
    tables = []
    for plot in curves.plots:
        rows = [
            rf"{curves.across} & {_row(_some(curve.x))} \\ {curve.name} & "
            f"{_row(_some(curve.y))}"
            for curve in plot.curves
        ]
        columns = "r" * max(len(_some(curve.x)) for curve in plot.curves)
        table = r" \\ \hline ".join(rows)
        name = rf"{plot.name} \quad " if plot.name else ""
        tables.append(rf"{name}\begin{{array}}{{l|{columns}}} {table} \end{{array}}")
    return (
        r"\scriptsize \begin{array}{l} " + r" \\[6pt] ".join(tables) + r" \end{array}"
    )


def _examine(curves: Curves) -> None:
    if len(curves.names()) > STROKES:
        told = f"{len(curves.names())} names of curves, {STROKES} can be told apart"
        raise Mistake(f"{told}: draw two figures")
    for curve in curves.every():
        if curve.x.shape != curve.y.shape or curve.x.ndim != 1:
            raise Mistake(f"{curve.name}: x is {curve.x.shape}, y is {curve.y.shape}")
        if curves.log and (curve.y <= 0).any():
            raise Mistake(f"{curve.name}: a logarithmic axis has no 0, nor less")
    for name in ("x", "y"):
        numbers = [getattr(curve, name) for curve in curves.every()]
        low, high = _ends(np.concatenate(numbers))
        if not low < high:
            raise Mistake(f"all {name} are {low:g}: there is no axis")
    if len(_axes(curves)[1].ticks()) < 2:
        raise Mistake("a logarithmic axis is to have two powers of ten")


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _axes(curves: Curves) -> tuple[Axis, Axis]:
    """The same for all plots of a figure; the vertical one has room at its ends."""
    width, height = SIZES.get(len(curves.plots), MANY)
    x, y = (
        np.concatenate([getattr(curve, name) for curve in curves.every()])
        for name in ("x", "y")
    )
    low, high = _ends(np.log10(y) if curves.log else y)
    room = 0.04 * (high - low)
    return (
        Axis(*_ends(x), LEFT, width - RIGHT),
        Axis(low - room, high + room, height - BOTTOM, TOP, curves.log),
    )


def _svg(curves: Curves, plot: Plot) -> str:
    across, up = _axes(curves)
    width, height = SIZES.get(len(curves.plots), MANY)
    parts = []
    for value, written in across.ticks():
        x = f"{across.place(value):.5g}"
        kind = "zero" if value == 0 else "grid"
        parts.append(f'<path class="{kind}" d="M{x} {up.start:g}V{up.end:g}"/>')
        parts.append(f'<text class="across" x="{x}" y="{height - 4}">{written}</text>')
    for value, written in up.ticks():
        y = up.place(value)
        kind = "zero" if value == 0 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{across.start:g} {y:.5g}H{across.end:g}"/>'
        )
        parts.append(
            f'<text class="up" x="{LEFT - 4}" y="{y + 3.5:.5g}">{written}</text>'
        )
    names = curves.names()
    for curve in plot.curves:
        kind = names.index(curve.name)
        places = list(zip(across.place(curve.x), up.place(curve.y), strict=True))
        if curve.dots:
            parts += [
                f'<circle class="dot{kind}" cx="{x:.5g}" cy="{y:.5g}" r="2.5"/>'
                for x, y in places
            ]
        else:
            parts.append(f'<path class="stroke{kind}" d="{_line(places)}"/>')
    return (
        f'<svg class="curves" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(parts)}</svg>"
    )


def _line(places: list[tuple[float, float]]) -> str:
    steps, pen = [], "M"
    for x, y in places:
        if np.isnan(y):
            pen = "M"
        else:
            steps.append(f"{pen}{x:.5g} {y:.5g}")
            pen = "L"
    return "".join(steps)


def _some(values: np.ndarray) -> np.ndarray:
    """Nine of them at most, from the first to the last."""
    places = np.linspace(0, len(values) - 1, min(9, len(values)))
    return values[places.round().astype(int)]


def _row(values: np.ndarray) -> str:
    return " & ".join("" if np.isnan(v) else f"{v:.3g}" for v in values)
