"""Curves show the numbers of their page, each in the stroke that the legend says."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from book import Mistake, alternatives, curves, figures
from book.curves import Axis, Curve, Curves, Plot
from book.formulas import typeset
from tests.test_figures import CLAIMS, FIGURES, MADE, Reading
from tests.test_graphs import classed, tex

SVG = "{http://www.w3.org/2000/svg}"
CURVES = [name for name, made in MADE.items() if isinstance(made, Curves)]
TENTH = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


# --- What is drawn -----------------------------------------------------------


def read(html: str) -> Curves:
    """Curves out of their drawing: strokes are called as the legend has it, numbers are
    read off at the numbers that are written beside the axes."""
    figure = ElementTree.fromstring(html)
    (legend,) = classed(figure, "legend")
    strokes, axes = {}, {}
    for entry in legend:
        if sample := entry.findall(".//path[@class]"):
            strokes[sample[0].get("class").removeprefix("stroke")] = tex(entry)
        else:
            axes[entry.text.strip()] = tex(entry)
    (plots,) = classed(figure, "plots")
    read_off = [_plot(panel, strokes) for panel in plots]
    (log,) = {of for _, of in read_off}
    return Curves([plot for plot, _ in read_off], axes["→"], axes.get("↑", ""), log)


def _plot(panel: ElementTree.Element, strokes: dict[str, str]) -> tuple[Plot, bool]:
    names = classed(panel, "name")
    x, _ = scale(panel, "across", "x")
    y, log = scale(panel, "up", "y")
    found = []
    for path in panel.iter(f"{SVG}path"):
        if (kind := path.get("class")).startswith("stroke"):
            places = np.array(re.findall(r"[ML](\S+) ([\d.-]+)", path.get("d")), float)
            found.append((kind.removeprefix("stroke"), False, places))
    dots: dict[str, list] = {}
    for dot in panel.iter(f"{SVG}circle"):
        kind = dot.get("class").removeprefix("dot")
        dots.setdefault(kind, []).append((float(dot.get("cx")), float(dot.get("cy"))))
    found += [(kind, True, np.array(places)) for kind, places in dots.items()]
    lines = [
        Curve(strokes[kind], x(places[:, 0]), y(places[:, 1]), dotted)
        for kind, dotted, places in found
    ]
    return Plot(tex(names[0]) if names else "", lines), log


def scale(panel: ElementTree.Element, kind: str, along: str):
    """From places in the drawing to numbers, and whether those are powers of ten."""
    written, places = [], []
    for text in classed(panel, kind):
        written.append(text.text)
        places.append(float(text.get(along)))
    log = all(re.fullmatch("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", text) for text in written)
    of = [text[2:] if log else text for text in written]
    slope, offset = np.polyfit(places, [float(t.translate(TENTH)) for t in of], 1)
    shift = 3.5 * slope if kind == "up" else 0  # a number stands below its line
    if log:
        return lambda at: 10.0 ** (slope * at + offset + shift), True
    return lambda at: slope * at + offset + shift, False


def drawn(name: str) -> Curves:
    return read(figures.drawing(name, "x"))


def agree(seen: Curves, made: Curves) -> None:
    """Raises AssertionError. Lines are interrupted where y is nan."""
    assert seen._replace(plots=[]) == made._replace(plots=[])
    assert [plot.name for plot in seen.plots] == [plot.name for plot in made.plots]
    span = np.concatenate([curve.y for curve in made.every()])
    rough = 0.02 * (np.nanmax(span) - np.nanmin(span)) if not made.log else 0
    for mine, own in zip(seen.plots, made.plots, strict=True):
        lines = [curve for curve in own.curves if not curve.dots]
        ordered = [*lines, *(curve for curve in own.curves if curve.dots)]
        for one, other in zip(mine.curves, ordered, strict=True):
            assert (one.name, one.dots) == (other.name, other.dots)
            there = ~np.isnan(other.y)
            np.testing.assert_allclose(one.x, other.x[there], atol=0.05, rtol=0.01)
            np.testing.assert_allclose(one.y, other.y[there], atol=rough / 4, rtol=0.02)


# --- The curves of the book --------------------------------------------------


@pytest.mark.parametrize("name", CURVES)
def test_curves_show_what_their_page_makes_of_the_session(name):
    agree(drawn(name), MADE[name])


def told(name: str, of: Curves) -> None:
    """Raises AssertionError where the claim does not hold of them."""
    CLAIMS[name].function(Reading(FIGURES[name].page), of)


@pytest.mark.parametrize("name", CURVES)
def test_what_curves_claim_is_what_is_drawn(name):
    told(name, drawn(name))


def others(of: Curves) -> list[Curves]:
    """What they could be by mistake: one is missing, has the name of another, or runs
    higher, upside down or the other way."""
    found = []
    for nth, plot in enumerate(of.plots):
        for at, curve in enumerate(plot.curves):
            low, high = np.nanmin(curve.y), np.nanmax(curve.y)
            y = curve.y * 1.5 if of.log else curve.y + 0.5
            changed = [None, curve._replace(y=y)]
            # What is level, or the same from behind, is itself, as far as can be seen.
            seen = 0.02 * max(abs(low), abs(high))
            if not np.allclose(curve.y, curve.y[::-1], atol=seen, equal_nan=True):
                changed.append(curve._replace(y=curve.y[::-1]))
            if not of.log and high - low > seen:
                changed.append(curve._replace(y=low + high - curve.y))
            for other in of.names():
                if other != curve.name:
                    changed.append(curve._replace(name=other))
            for new in changed:
                lines = [*plot.curves]
                lines[at : at + 1] = [] if new is None else [new]
                plots = [*of.plots]
                plots[nth] = plot._replace(curves=lines)
                found.append(of._replace(plots=plots))
    return found


@pytest.mark.parametrize("name", CURVES)
def test_other_curves_are_noticed(name):
    for other in others(drawn(name)):
        with pytest.raises((AssertionError, ValueError, KeyError)):
            told(name, other)


@pytest.mark.parametrize("name", CURVES)
def test_a_notebook_has_a_table_of_them(name):
    typeset(figures.in_tex(name), True)  # raises TeXError


# --- Some that are drawn for the tests ---------------------------------------

X = np.linspace(-2.0, 2.0, 9)
STEP = np.where(X == 0, np.nan, np.sign(X))
PAIR = Curves(
    [
        Plot("f", [Curve("a", X, X**2), Curve("b", X, STEP), Curve("a", X, X, True)]),
        Plot("g", [Curve("b", X, -X)]),
    ],
    across="z",
)
LOG = Curves(
    [Plot("", [Curve("a", np.arange(9), 10.0 ** -np.arange(9))])], "l", "u", True
)


def html(of: Curves, alternative: str = "x") -> str:
    return curves.drawing(of, alternative, figures._formula)


@pytest.mark.parametrize("of", [PAIR, LOG])
def test_what_is_drawn_is_what_was_made(of):
    agree(read(html(of)), of)
    for other in others(of):
        with pytest.raises((AssertionError, ValueError)):
            agree(read(html(other)), of)


def test_a_line_is_interrupted_where_there_is_no_number():
    (step,) = re.findall('class="stroke1" d="([^"]*M[^"]*M[^"]*)"', html(PAIR))
    assert step.count("L") == 6


def test_it_is_one_image_with_a_text_alternative():
    figure = ElementTree.fromstring(html(PAIR, 'say "a < b" & c'))
    assert (figure.get("role"), figure.get("aria-label")) == ("img", 'say "a < b" & c')
    for svg in figure.iter(f"{SVG}svg"):
        assert not re.search(r"[^\W\d_]", "".join(svg.itertext()))


def test_names_are_read_off():
    assert PAIR["g"].line("b")[1][0] == 2
    assert PAIR["f"].dots("a")[1][0] == -2
    with pytest.raises(ValueError, match="not enough values"):
        PAIR["g"].line("a")
    with pytest.raises(KeyError):
        PAIR["h"]


def test_numbers_stand_at_round_places():
    numbers = [written for _, written in Axis(-4.1, 4.1, 0, 100).ticks()]
    assert numbers == ["−4", "−2", "0", "2", "4"]
    powers = [written for _, written in Axis(-7.2, 0.3, 0, 100, log=True).ticks()]
    assert powers == ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]


ONE = Curve("a", X, X)


@pytest.mark.parametrize(
    ("lines", "log", "message"),
    [
        (
            [ONE._replace(name=name) for name in "abcde"],
            False,
            "5 names of curves, 4 can",
        ),
        ([ONE._replace(y=X[1:])], False, r"a: x is \(9,\), y is \(8,\)"),
        ([ONE], True, "a: a logarithmic axis has no 0, nor less"),
        ([ONE._replace(x=0 * X + 1)], False, "all x are 1: there is no axis"),
        ([ONE._replace(y=X + 3)], True, "is to have two powers of ten"),
        ([ONE._replace(y=0 * X + 2)], False, "all y are 2: there is no axis"),
    ],
)
def test_what_cannot_be_drawn_is_told(lines, log, message):
    with pytest.raises(Mistake, match=message):
        html(Curves([Plot("", lines)], "z", log=log))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("a runs from 4 down to 0, b from −1 to 1", []), ("a runs to −2.5.", ["−2.5"])],
)
def test_numbers_of_its_alternative_are_its_own(monkeypatch, text, wrong):
    monkeypatch.setattr(figures, "made", lambda name: PAIR)
    seen = alternatives.Drawn(figures.panels("pair"))
    assert alternatives.told(text, seen, None) == wrong


def test_a_table_has_some_of_its_points():
    typeset(curves.in_tex(PAIR), True)  # raises TeXError
    assert "-2 & -1.5 & -1" in curves.in_tex(PAIR)
