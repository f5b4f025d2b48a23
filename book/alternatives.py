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
from itertools import pairwise, product
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

# --- How an alternative speaks ------------------------------------------------------

# "rows 2 to 4", "rows 1 and 2", "row 2"; 行 2 到 4, 行 1、2, 行 2, or 第 2 行; steps of
# a sequence are its columns. 3 行 4 列 is a size.
SPOKEN = re.compile(
    r"\b(?P<axis>[Rr]ow|[Cc]olumn|[Ss]tep)s? (?P<first>\d+)"
    r"(?:(?: to | and )(?P<last>\d+))?"
    r"|第 ?(?P<von>\d+)(?:(?: 到 |、| 和 | 至 )(?P<bis>\d+))? ?(?P<achse>[行列步])"
    r"|(?<!\d)(?<!\d )(?P<line>[行列步]) (?P<from>\d+)"
    r"(?:(?: 到 |、| 和 | 至 )(?P<to>\d+))?"
)
AXES = {"row": 0, "column": 1, "step": 1, "行": 0, "列": 1, "步": 1}
NEAR = re.compile(r"(?:,|、|，)? ?(?:and )?")
# A place, and then its number: "row 1, column 0: −6", "column 1 of the gradient: 2".
THEN = re.compile(r"(?: (?:of|that)[^,;:.\d]*[:,]|[:：]) ?")
AMONG = re.compile(r"(?:,|、| 和| and)? ?(?:and )?")  # the numbers of a row
# What a number is called, and the letter of that in the names of panels.
CALLED = re.compile(
    r"(layer|第|stride|步幅|dilation|dilated by|膨胀率|kernel of|channel|通道|example"
    r"|样本)(?:为)? ?$"
)
LETTERS = {
    **{"layer": "l", "第": "l", "stride": "S", "步幅": "S", "kernel of": "K"},
    **{"dilation": "D", "dilated by": "D", "膨胀率": "D"},
}
NAMED = re.compile(r"\b([A-Z])=(\d+)|(\\uparrow) ?(\d+)|(\^)\{?(\d+)")
SIGNS = {r"\uparrow": "D", "^": "l"}
SUBSCRIPT = re.compile(r"_\{(\d+(?:,\d+)*)\}")
PAIRED = re.compile(r"(?:,| to|，| 到|到)? ?(?:channel|通道) ?")  # example 0, channel 1
SIZED = re.compile(r" ?(?:的)?(kernel|output|卷积核|输出)")
SYMBOLS = {"kernel": "W", "卷积核": "W", "output": "z", "输出": "z"}
NOT = re.compile(
    r"(?:other than|not|None of its entries is|不为|不是|没有一个元素是) $"
)
IS = re.compile(r"(?:\b(?:is|are)|是) $")
RESULT = re.compile(
    r"(?:\bgives?|maximum|outlined entry|ringed weight|sum is|最大值|框出的元素"
    r"|画圈的权重|和是|得到) $"
)
ALL = re.compile(r"(?:\bare all|全是) $")
# Where an axis or a line runs: the ends of one, or its extremes.
RANGE = re.compile(r"(?:from|从) (−?[\d.]*\d) (?:to|到) (−?[\d.]*\d)")
STOP = re.compile(r"[.;] |[；。]")
EMPTY = re.compile(r"grey|zero|灰|零|(?<![\d.])0(?!\d|\.\d)")


# --- Pictures ------------------------------------------------------------------------


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
            panels, settings = figures.panels(span["source"]), {}
        else:
            first = explorers().first(span["source"], of.name)
            panels, settings = first.picture, first.settings
            if not_held := foreign(of, panels):
                wrong.append(
                    f"{where}: no session has {not_held}, as the explorer begins"
                )
        for what in told(span["seen"], Drawn(panels, settings), near):
            wrong.append(f"{where}: {what!r} is not what the picture shows")
    return wrong


def foreign(of: Page, panels: figures.Panels) -> str | None:
    """The first gradient of an explorer, if the session of its page, and those from
    which it takes names, neither have it nor show it. Of a panel with a name for each
    row it is one of the rows."""
    path = sessions.SNIPPETS / of.name
    if not path.exists():
        return None
    gradient = next(
        p for p in panels if isinstance(p, figures.Panel) and "partial" in p.name
    )
    wanted = [np.squeeze(gradient.array)]
    if len(names := gradient.name.split(r",\,")) == len(gradient.array) > 1:
        wanted = [
            row
            for name, row in zip(names, gradient.array, strict=True)
            if "partial" in name or "delta" in name
        ]
    for session in map(sessions.parse, sessions.stands_on(path)):
        for array in arrays(session):
            for each in wanted:
                if array.shape == each.shape and np.allclose(
                    array, each, atol=figures.ROUNDING
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
Place = tuple[int, int, int]  # the axis before them


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
        axis = AXES[(match["axis"] or match["achse"] or match["line"]).lower()]
        first = int(match["first"] or match["von"] or match["from"])
        end = match["last"] or match["bis"] or match["to"]
        last = int(end or first)
        if first == last and end:
            last = -1  # rows 5 and 5: no row at all
        found.append(Said(axis, first, last, *match.span()))
    return found


class Drawn:
    """What an alternative may say of the panels of a picture."""

    def __init__(self, panels: figures.Panels, settings: dict[str, str] | None = None):
        self.panels = [p for p in panels if isinstance(p, figures.Panel)]
        self.boxes: Counter[tuple[Span, Span]] = Counter()  # what is outlined, or white
        self.spans: set[Place] = set()  # of what is outlined or ringed
        self.empty: set[Place] = set()  # rows and columns around zeros, or of zeros
        self.crossing: set[frozenset[Place]] = set()  # of them, those of one panel
        self.sizes: set[tuple[int, ...]] = set()
        self.marked: set[float] = set()
        self.results: set[float] = set()  # in cells that are outlined by themselves
        self.ringed: set[float] = set()
        self.uniform: set[float] = {0}  # of outlined cells that are all the same
        self.values: set[float] = set()  # of marked cells, of small arrays, of names
        self.others: set[float] = set()
        self.runs: list[list[float]] = []  # in reading order
        self.named: Counter[tuple[str, str]] = Counter((settings or {}).items())
        self.indices: list[tuple[int, ...]] = []  # of what comes in, in order
        for panel in self.panels:
            self._read(panel)
            self._index(panel)
        for (top, bottom), (left, right) in self.boxes:
            self.sizes.add((bottom - top + 1, right - left + 1))
        for name in (p if isinstance(p, str) else p.name for p in panels):
            self.values |= {float(n) for n in re.findall(r"\d+(?:\.\d+)?", name)}
            for found in NAMED.finditer(name):
                sign, number = filter(None, found.groups())
                self.named[SIGNS.get(sign, sign), number] += 1

    def _read(self, panel: figures.Panel) -> None:
        array = panel.array.round(2)
        self.sizes |= {array.shape, (panel.tile, panel.tile)}
        rings = np.zeros(array.shape, bool) if panel.rings is None else panel.rings
        marked = rings.copy()
        self.ringed |= set(array[rings].tolist())
        for i, j in np.argwhere(rings).tolist():
            self.spans |= {(0, i, i), (1, j, j)}
        for box in filter(None, (panel.window, panel.result)):
            bottom, right = box.top + box.rows, box.left + box.columns
            inside = np.s_[box.top : bottom, box.left : right]
            marked[inside] = True
            if (array[inside] == array[box.top, box.left]).all():
                self.uniform.add(float(array[box.top, box.left]))
            if box.rows == box.columns == 1:
                self.results.add(float(array[box.top, box.left]))
            self.boxes[(box.top, bottom - 1), (box.left, right - 1)] += 1
            self.spans |= {(0, box.top, bottom - 1), (1, box.left, right - 1)}
        self._empty(array == 0)
        grey = panel.inserted
        if grey is not None and not grey.all():
            own = [np.flatnonzero((~grey).any(axis)).tolist() for axis in (1, 0)]
            white = [(places[0], places[-1]) for places in own]
            self.boxes[tuple(white)] += 1
            self.empty |= {(axis, *span) for axis, span in enumerate(white)}
            self._empty(grey)
        self.marked |= set(array[marked].tolist())
        small = 1 in array.shape or array.size <= 4
        self.values |= set((array if small else array[marked]).ravel().tolist())
        self.others |= set(array.ravel().tolist())
        self.runs += [array.ravel().tolist(), array[marked].tolist()]

    def _empty(self, cells: np.ndarray) -> None:
        """Whole rows or columns that are grey or zero, and where they cross."""
        lines = [
            [
                (axis, first, last)
                for first in places
                for last in places
                if set(range(first, last + 1)) <= set(places)
            ]
            for axis, places in enumerate(
                np.flatnonzero(cells.all(1 - axis)).tolist() for axis in (0, 1)
            )
        ]
        self.empty |= {*lines[0], *lines[1]}
        self.crossing |= {frozenset(pair) for pair in product(*lines)}

    def _index(self, panel: figures.Panel) -> None:
        """Its subscripts in its name, and the one row or column that is outlined."""
        if panel.result:
            return
        for found in SUBSCRIPT.findall(panel.name):
            self.indices.append(tuple(map(int, found.split(","))))
        if box := panel.window:
            self.indices += [(box.top,)] * (box.rows == 1)
            self.indices += [(box.left,)] * (box.columns == 1)

    def calls(self, letter: str, number: str) -> bool:
        """Is it a number of this letter? Where panels differ in it, as often as it is
        drawn."""
        known = [key for key in self.named if key[0] == letter]
        left = self.named[letter, number]
        if len(known) > 1:
            self.named[letter, number] -= 1
        return left > 0

    def sized(self, symbol: str) -> set[tuple[int, ...]]:
        """The sizes of the panels with a symbol in their name; without one, of all."""
        found = {p.array.shape for p in self.panels if symbol in p.name}
        return found or self.sizes

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


# --- What it says, and the picture does not ------------------------------------------


def told(text: str, drawn: Drawn, near: Evidence) -> list[str]:
    """What an alternative says that neither its picture nor its section shows."""
    plain = HALF_TURN.sub("    ", SPOKEN.sub(lambda found: " " * len(found[0]), text))
    numbers = [Numeral(n[0], n.start(), 0, "") for n in NUMERAL.finditer(plain)]
    return [
        *misplaced(text, drawn, numbers),
        *out_of_row(plain, drawn, numbers),
        *out_of_range(text, drawn),
        *out_of_turn(plain, drawn, numbers),
        *(n.text for n in numbers if not held(n, plain, drawn, near)),
    ]


def held(number: Numeral, plain: str, drawn: Drawn, near: Evidence) -> bool:
    """Does the picture or its section show it, as what it is called?"""
    before, value = plain[: number.start], number.value
    sized = SIZED.match(plain, number.start + len(number.text))
    if what := called(number, plain):
        # At channels and examples out_of_turn looks.
        return what not in LETTERS or drawn.calls(LETTERS[what], number.text)
    if isinstance(value, tuple):
        return value in (drawn.sized(SYMBOLS[sized[1]]) if sized else drawn.sizes)
    if NOT.search(before):
        return value == 0
    if RESULT.search(before):
        return value in drawn.results | drawn.ringed
    if ALL.search(before):
        return value in drawn.uniform
    if value in range(FREE + 1) and IS.search(before):
        return value in {0} | drawn.marked
    if value in {0} | drawn.values:
        return True
    # Of a decimal the place is told.
    whole = "." not in number.text
    return whole and (near.holds(number) or (not number.free and value in drawn.others))


def called(number: Numeral, plain: str) -> str | None:
    """The word before it, if it is one that says what it is the number of."""
    found = CALLED.search(plain[: number.start])
    after = plain[number.start + len(number.text) :].lstrip()
    if not found or (found[1] == "第" and not after.startswith("层")):
        return None
    return found[1]


def misplaced(text: str, drawn: Drawn, numbers: list[Numeral]) -> Iterator[str]:
    """Rows and columns that are not those of a mark, each as often as it is drawn."""
    spans, paired, left = said(text), set(), +drawn.boxes

    def after(span: Said) -> Numeral | None:
        then = THEN.match(text, span.end)
        return next((n for n in numbers if then and n.start == then.end()), None)

    for one, other in pairwise(spans):
        between = text[one.end : other.start]
        if one.axis == other.axis or one in paired or not NEAR.fullmatch(between):
            continue
        paired |= {one, other}
        rows, columns = sorted((one, other))
        box = (rows.first, rows.last), (columns.first, columns.last)
        value = after(other)
        cell = rows.first == rows.last and columns.first == columns.last
        there = left[box] > 0 or (
            {rows[:3], columns[:3]} in drawn.crossing
            and EMPTY.search(clause(text, one.start))
        )
        left[box] -= 1
        if not there or (value and cell and value.value not in drawn.at(rows, columns)):
            yield text[one.start : other.end]
    for span in set(spans) - paired:
        value = after(span)
        there = span[:3] in drawn.spans or (
            span[:3] in drawn.empty and EMPTY.search(clause(text, span.start))
        )
        if not there or (value and value.value not in drawn.along(span)):
            yield text[span.start : span.end]


def clause(text: str, at: int) -> str:
    """That around a place."""
    starts = [0, *(stop.end() for stop in STOP.finditer(text)), len(text) + 1]
    return next(text[a:b] for a, b in pairwise(starts) if a <= at < b)


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


def out_of_range(text: str, drawn: Drawn) -> Iterator[str]:
    """From a number to another that no row of the picture has side by side."""
    for found in RANGE.finditer(text):
        ends = [float(number.replace("−", "-")) for number in found.groups()]
        if not any(within(ends, run) for run in drawn.runs):
            yield found[0]


def out_of_turn(plain: str, drawn: Drawn, numbers: list[Numeral]) -> Iterator[str]:
    """Channels and examples that are not those of the panels, in their order."""
    groups: list[list[Numeral]] = []
    for number in numbers:
        what = called(number, plain)
        if what is None or what in LETTERS:
            continue
        last = groups[-1][-1] if groups else None
        if last and PAIRED.fullmatch(plain, last.start + len(last.text), number.start):
            groups[-1].append(number)
        else:
            groups.append([number])
    left = iter(drawn.indices)
    for group in groups:
        wanted = tuple(number.value for number in group)
        if not any(index[-len(wanted) :] == wanted for index in left):
            yield plain[group[0].start : group[-1].start + len(group[-1].text)]
