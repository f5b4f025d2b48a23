"""Text alternatives of pictures: does the picture show what they say?

Of figures and explorers, the shapes, the rows and columns that are outlined, grey or
zero, and the values that an alternative tells are held against the panels; other
numbers may stand on the section, as those of the prose do (book/numerals.py). An
explorer begins with a gradient that the session of its page has.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from book import figures, sessions
from book.explorer import Explorers
from book.numerals import (
    FREE,
    HALF_TURN,
    NUMERAL,
    Evidence,
    Numeral,
    anchor_at,
    evidence,
    held_arrays,
    pictures,
    within,
)
from book.pages import ROOT, Page

# "rows 2 to 4", "rows 1 and 2", "row 2"; 第 2 到 4 行, 第 1、2 行, 第 2 行; steps of a
# sequence are its columns.
SPOKEN = re.compile(
    r"\b(?P<axis>row|column|step)s? (?P<first>\d+)(?:(?: to | and )(?P<last>\d+))?"
    r"|第 ?(?P<von>\d+)(?:(?: 到 |、| 和 | 至 )(?P<bis>\d+))? ?(?P<achse>[行列步])"
)
AXES = {"row": 0, "column": 1, "step": 1, "行": 0, "列": 1, "步": 1}
NEAR = re.compile(r"(?:,|、|，)? ?(?:and )?")
THEN = re.compile(r"[:：] ?")  # a cell: its number
AMONG = re.compile(r"(?:,|、| 和| and)? ?(?:and )?")  # the numbers of a row
CALLED = re.compile(r"(stride|dilation|步幅|膨胀率|channel|通道)(?:为)? ?$")
CALLS = {"stride": "S", "步幅": "S", "dilation": "D", "膨胀率": "D"}
CALLS |= {"channel": "index", "通道": "index"}
NOT = re.compile(r"(?:other than|not|不为|不是) $")
IS = re.compile(r"(?:\b(?:is|are)|是) $")
LAYER = re.compile(r"layer (\d+)|第 ?(\d+) ?层")


@cache
def explorers() -> Explorers:
    return Explorers(ROOT / "explorers")


def complaints(of: Page) -> list[str]:
    """What alternatives say and pictures do not show, and explorers that begin with
    what their session does not have."""
    wrong = []
    for start, span in pictures(of):
        where = f"{of}:{of.text.count(chr(10), 0, start) + 1}"
        near = evidence(of, anchor_at(of, start))
        if span["image"] == "figure":
            panels, settings = figures.panels(span["source"]), ""
        else:
            first = explorers().first(span["source"], of.name)
            panels = first.picture
            settings = " ".join(
                f"{key}={value}" for key, value in first.settings.items()
            )
            if not_held := foreign(of, panels):
                wrong.append(
                    f"{where}: no session has {not_held}, as the explorer begins"
                )
        drawn = Drawn(panels)
        for what in told(span["seen"], drawn, near, settings):
            wrong.append(f"{where}: {what!r} is not what the picture shows")
    return wrong


def foreign(of: Page, panels: figures.Panels) -> str | None:
    """The first gradient of an explorer, if the session of its page, and those from
    which it takes names, neither have it nor show it."""
    path = sessions.SNIPPETS / of.name
    if not path.exists():
        return None
    gradient = next(
        p for p in panels if isinstance(p, figures.Panel) and "partial" in p.name
    )
    for session in map(sessions.parse, sessions.stands_on(path)):
        for array in arrays(session):
            if array.shape == np.squeeze(gradient.array).shape and np.allclose(
                array, np.squeeze(gradient.array), atol=figures.ROUNDING
            ):
                return None
    return gradient.name


def arrays(session: sessions.Session) -> Iterator[np.ndarray]:
    """Those that a session shows, and those that it has at its end."""
    for block in session.blocks:
        for text in figures.MATRIX.findall(block.shown or ""):
            rows = figures.entries(text)
            if len(set(map(len, rows))) == 1:
                try:
                    yield np.squeeze(np.array(rows, dtype=float))
                except ValueError:  # not numbers
                    continue
    yield from held_arrays(session)


Span = tuple[int, int]  # first and last


class Said(NamedTuple):
    """Neighbouring rows or columns of which an alternative speaks."""

    axis: int
    first: int
    last: int
    start: int
    end: int


def said(text: str) -> list[Said]:
    found = []
    for match in SPOKEN.finditer(text):
        axis = AXES[match["axis"] or match["achse"]]
        first = int(match["first"] or match["von"])
        last = int(match["last"] or match["bis"] or first)
        if first == last and (match["last"] or match["bis"]):
            last = -1  # rows 5 and 5: no row at all
        found.append(Said(axis, first, last, *match.span()))
    return found


class Drawn:
    """What an alternative may say of the panels of a picture."""

    def __init__(self, panels: figures.Panels):
        self.panels = [p for p in panels if isinstance(p, figures.Panel)]
        self.boxes: Counter[tuple[Span, Span]] = Counter()  # what is outlined, or white
        self.ringed: Counter[tuple[Span, Span]] = Counter()
        self.lines: set[tuple[int, int, int]] = set()  # grey or zero: axis, first, last
        self.sizes: set[tuple[int, ...]] = set()
        self.marked: set[float] = set()
        self.values: set[float] = set()  # of marked cells, of small arrays, of names
        self.others: set[float] = set()
        self.runs: list[list[float]] = []  # in reading order
        for panel in self.panels:
            self._read(panel)
        every = self.boxes | self.ringed
        self.spans = {(axis, *span) for box in every for axis, span in enumerate(box)}
        for (top, bottom), (left, right) in self.boxes:
            self.sizes.add((bottom - top + 1, right - left + 1))
        for name in (p if isinstance(p, str) else p.name for p in panels):
            self.values |= {float(n) for n in re.findall(r"\d+(?:\.\d+)?", name)}
        names = " ".join(panel.name for panel in self.panels)
        self.layers = re.findall(r"\^\{?(\d)", names)

    def _read(self, panel: figures.Panel) -> None:
        array = panel.array.round(2)
        self.sizes |= {array.shape, (panel.tile, panel.tile)}
        rings = np.zeros(array.shape, bool) if panel.rings is None else panel.rings
        self.ringed.update(((i, i), (j, j)) for i, j in np.argwhere(rings).tolist())
        marked = rings.copy()
        for box in filter(None, (panel.window, panel.result)):
            bottom, right = box.top + box.rows, box.left + box.columns
            marked[box.top : bottom, box.left : right] = True
            self.boxes[(box.top, bottom - 1), (box.left, right - 1)] += 1
        for axis in (0, 1):
            self._lines(axis, (array == 0).all(1 - axis))
        grey = panel.inserted
        if grey is not None and not grey.all():
            own = [np.flatnonzero((~grey).any(axis)).tolist() for axis in (1, 0)]
            self.boxes[tuple((places[0], places[-1]) for places in own)] += 1
            for axis in (0, 1):
                self._lines(axis, grey.all(1 - axis))
        self.marked |= set(array[marked].tolist())
        small = 1 in array.shape or array.size <= 4
        self.values |= set((array if small else array[marked]).ravel().tolist())
        self.others |= set(array.ravel().tolist())
        self.runs += [array.ravel().tolist(), array[marked].tolist()]

    def _lines(self, axis: int, empty: np.ndarray) -> None:
        """Whole rows or columns that are grey or zero."""
        places = np.flatnonzero(empty).tolist()
        self.lines |= {
            (axis, first, last)
            for first in places
            for last in places
            if set(range(first, last + 1)) <= set(places)
        }

    def at(self, rows: Said, columns: Said) -> set[float]:
        """The numbers that the panels have in a cell."""
        return {
            round(float(panel.array[rows.first, columns.first]), 2)
            for panel in self.panels
            if rows.first < panel.array.shape[0]
            and columns.first < panel.array.shape[1]
        }

    def along(self, span: Said) -> set[float]:
        """The numbers that the panels have in a row or a column."""
        return {
            round(number, 2)
            for panel in self.panels
            if span.first < panel.array.shape[span.axis]
            for number in panel.array.take(span.first, span.axis).tolist()
        }


def told(text: str, drawn: Drawn, near: Evidence, settings: str = "") -> list[str]:
    """What an alternative says that neither its picture nor its section shows."""
    plain = HALF_TURN.sub("    ", SPOKEN.sub(lambda found: " " * len(found[0]), text))
    numbers = [Numeral(n[0], n.start(), 0, "") for n in NUMERAL.finditer(plain)]
    at_layers = {max(n.span(1), n.span(2))[0] for n in LAYER.finditer(plain)}
    wrong = [*misplaced(text, drawn, numbers), *out_of_row(plain, drawn, numbers)]
    layers = Counter(drawn.layers)
    for number in numbers:
        called = CALLED.search(plain[: number.start])
        if number.start in at_layers:
            held = layers[number.text] > 0
            layers[number.text] -= 1
        elif NOT.search(plain[: number.start]):
            held = number.value == 0
        elif number.value in range(FREE + 1) and IS.search(plain[: number.start]):
            held = number.value in {0} | drawn.marked
        elif called and settings:
            held = f" {CALLS[called[1]]}={number.text} " in f" {settings} "
        elif called and CALLS[called[1]] == "index":
            held = any(number.value == span[1] for span in drawn.spans)
        elif isinstance(number.value, tuple):
            held = number.value in drawn.sizes
        else:
            seen = {0} | drawn.values
            if "." not in number.text:  # of a decimal the place is told
                seen |= set() if number.free else drawn.others
            held = number.value in seen or (
                "." not in number.text and near.holds(number)
            )
        if not held:
            wrong.append(number.text)
    return wrong


def misplaced(text: str, drawn: Drawn, numbers: list[Numeral]) -> Iterator[str]:
    """Rows and columns that are not those of a mark, each as often as it is drawn."""
    spans, paired = said(text), set()

    def after(span: Said) -> Numeral | None:
        then = THEN.match(text, span.end)
        return next((n for n in numbers if then and n.start == then.end()), None)

    left, named = +drawn.boxes, {n.value for n in numbers if n.value != 0}
    for one, other in pairwise(spans):
        between = text[one.end : other.start]
        if one.axis == other.axis or one in paired or not NEAR.fullmatch(between):
            continue
        paired |= {one, other}
        rows, columns = sorted((one, other))
        box = (rows.first, rows.last), (columns.first, columns.last)
        value = after(other)
        cell = rows.first == rows.last and columns.first == columns.last
        if value and cell:  # row 1, column 0: −6
            held = value.value in drawn.at(rows, columns) and left[box] > 0
        elif left[box] > 0:
            held = True
        else:
            held = {rows[:3], columns[:3]} <= drawn.lines or (
                cell and bool(drawn.at(rows, columns) & named)
            )
        left[box] -= 1
        if not held:
            yield text[one.start : other.end]
    for span in set(spans) - paired:
        value = after(span)
        if span[:3] not in drawn.spans | drawn.lines or (
            value and value.value not in drawn.along(span)
        ):
            yield text[span.start : span.end]


def out_of_row(plain: str, drawn: Drawn, numbers: list[Numeral]) -> Iterator[str]:
    """Three numbers and more, one after the other, that are not so in a panel."""
    rows: list[list[Numeral]] = [[]]
    for number in numbers:
        last = rows[-1][-1:]
        if last and AMONG.fullmatch(
            plain, last[0].start + len(last[0].text), number.start
        ):
            rows[-1].append(number)
        else:
            rows.append([number])
    for row in rows:
        values = [number.value for number in row]
        if len(row) > 2 and not any(within(values, run) for run in drawn.runs):
            yield " ".join(number.text for number in row)
