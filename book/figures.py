r"""Figures: arrays side by side, with cells that are outlined, ringed or grey.

The numbers are read from the sessions, whose outputs the tests compare with what the
code prints. None stands in a figure: what a session does not show (a turned kernel,
inserted zeros) is computed from what it shows. A page's .py has its figures, and beside
each what it claims:

    @figure("max-overlap")
    def overlap(session):
        a = session.printed("forward-run", (5, 5))
        ...
        return [Panel(r"\delta", delta, window=Box(0, 0, 2, 2)), ",", Panel("a", a)]

    @claim("max-overlap")
    def outlined_deltas_add_up(session, delta, a, routed):
        assert_allclose(routed[routed.result], delta[delta.window].sum())

A claim is asked about the panels as they are drawn: arrays that know their `window` and
`result` (two slices), their `rings` and what is `grey` (where it is true). It speaks of
all that is marked, or a test fails. Its `session` reads anew, in another way.

Where paths matter, a figure is a graph, of which book/graphs.py tells; where a shape
matters, curves (book/curves.py).
"""

import ast
import html as markup
import re
from functools import partial
from typing import NamedTuple

import numpy as np

from book import Mistake, curves, graphs, sessions
from book.curves import Curves
from book.graphs import Graph, Reader
from book.parts import listed, part
from book.sessions import BadSession

MATRIX = re.compile(r"\[\[[^\[\]]*\](?:\s*\[[^\[\]]*\])*\s*\]")

# In units of the drawing, which are pixels where there is room. Eleven columns fill a
# phone, and "−0.12" a cell.
WIDTH, HEIGHT, MARGIN = 33, 26, 13
# A claim's tolerance: some terms of order 1, of which sessions print four decimals.
ROUNDING = 1e-3

Array = np.ndarray

figure = partial(part, "figure")
claim = partial(part, "claim")


class Box(NamedTuple):
    """Some neighbouring cells; one, if nothing else is said."""

    top: int
    left: int
    rows: int = 1
    columns: int = 1


class Panel(NamedTuple):
    name: str  # in TeX; may be empty
    array: Array
    window: Box | None = None  # what the figure looks at
    result: Box | None = None  # what comes of it
    rings: Array | None = None  # where cells are marked one by one
    inserted: Array | None = None  # where zeros were put in
    tile: int = 0  # a stronger line every so many cells
    shaded: bool = False  # by size, as an image is; in one of two colours by sign


Panels = list[Panel | str]  # a string is an operator, in TeX


def made(name: str) -> Panels | Graph | Curves:
    """A figure. Raises Mistake where there is none of this name."""
    figures = listed("figure")
    if name not in figures:
        raise Mistake(f"no such figure; there are {', '.join(figures)}")
    return figures[name].function(Shown(figures[name].page))


def panels(name: str) -> Panels:
    """Those of a figure; of another kind its numbers, each of which is seen by
    itself."""
    found = made(name)
    if isinstance(found, Graph | Curves):
        rows = [np.array([row]) for row in found.numbers()]
        return [Panel("", row, rings=np.ones(row.shape, dtype=bool)) for row in rows]
    return found


def drawing(
    name: str, alternative: str, caption: str = "", reader: Reader = graphs.ANYONE
) -> str:
    """Raises Mistake; its file and line are those of the session, or for the page."""
    found = made(name)
    if not alternative.strip():
        raise Mistake("the text alternative is empty")
    identity = f"figure-{name}"
    if isinstance(found, Graph):
        picture = graphs.drawing(found, alternative, _formula, reader)
        return _figure(picture, identity, caption)
    if isinstance(found, Curves):
        picture = curves.drawing(found, alternative, _formula)
        return _figure(picture, identity, caption)
    return drawn(found, identity, alternative, caption)


def drawn(panels: Panels, identity: str, alternative: str, caption: str = "") -> str:
    """Panels side by side, with their operators, as one picture above its caption."""
    groups, operator = [], ""
    for panel in panels:
        if isinstance(panel, str):
            operator = f'<div class="operator">{_formula(panel)}</div>'
        else:
            # An operator stays with what follows it when the line breaks.
            groups.append(f'<div class="group">{operator}{_panel(panel)}</div>')
            operator = ""
    label = markup.escape(alternative)
    picture = f'<div class="panels" role="img" aria-label="{label}">{"".join(groups)}'
    return _figure(f"{picture}</div>", identity, caption)


def _figure(picture: str, identity: str, caption: str) -> str:
    told = f"<figcaption>{caption}</figcaption>" if caption else ""
    # The search would find nothing but numbers in it.
    return (
        f'<figure class="figure" id="{identity}" data-search-exclude="">'
        f"{picture}{told}</figure>"
    )


# --- From a session ----------------------------------------------------------


class Shown(NamedTuple):
    """What a figure reads of sessions: `setup` is a section of its own page's session,
    `cnn/forward:setup` one of another."""

    page: str

    def printed(
        self, section: str, shape: tuple[int, ...] | None = None, nth: int = 0
    ) -> Array:
        """The n-th two-dimensional array that a section prints."""
        return printed(self.place(section), shape, nth)

    def written(
        self, section: str, variable: str, shape: tuple[int, ...] | None = None
    ) -> Array:
        """An array that a section writes out in its code and does not print."""
        return written(self.place(section), variable, shape)

    def text(self, section: str) -> str:
        """All that a section prints."""
        session, found = _section(self.place(section))
        return "".join(block.shown or "" for block in session.of(found.name))

    def place(self, section: str) -> str:
        return section if ":" in section else f"{self.page}:{section}"


def printed(place: str, shape: tuple[int, ...] | None = None, nth: int = 0) -> Array:
    """The n-th two-dimensional array that a section prints, such as "dense:setup"."""
    session, section = _section(place)
    shown = [block.shown for block in session.of(section.name) if block.shown]
    found = [match for text in shown for match in MATRIX.findall(text)]
    where = session.path, section.start
    if nth >= len(found):
        message = f"prints {len(found)} arrays, this takes number {nth + 1}"
        raise BadSession(*where, f"section {section.name} {message}")
    what = f"{section.name}: its array number {nth + 1}"
    return _array(*where, what, entries(found[nth]), shape)


def entries(matrix: str) -> list[list[str]]:
    """The entries of an array as it is printed."""
    return [row.split() for row in re.findall(r"[^\[\]]*\d[^\[\]]*", matrix)]


def written(place: str, variable: str, shape: tuple[int, ...] | None = None) -> Array:
    """An array that a section writes out in its code and does not print."""
    session, section = _section(place)
    where = session.path, section.start
    for block in session.of(section.name):
        for line in ast.parse(block.code).body:
            if (
                isinstance(line, ast.Assign)
                and ast.unparse(line.targets[0]) == variable
            ):
                lists = [node for node in ast.walk(line) if isinstance(node, ast.List)]
                rows = ast.literal_eval(lists[0]) if lists else []
                return _array(*where, f"{section.name}: its {variable}", rows, shape)
    message = f"section {section.name} does not write {variable} out"
    raise BadSession(*where, message)


def _section(place: str) -> tuple[sessions.Session, sessions.Section]:
    page, _, name = place.partition(":")
    path = sessions.SNIPPETS / f"{page}.md"
    if not path.exists():
        raise BadSession(path, 1, "there is no such session")
    session = sessions.parse(path)
    for section in session.sections:
        if section.name == name:
            return session, section
    raise BadSession(path, 1, f"there is no section {name}")


def _array(path, line, what: str, rows: list, shape: tuple[int, ...] | None) -> Array:
    try:
        array = np.array(rows, dtype=float)
    except (ValueError, TypeError):
        message = f"section {what} is not all numbers, or not rectangular"
        raise BadSession(path, line, message) from None
    wanted = array.shape if shape is None else shape
    if array.shape != wanted or not np.isfinite(array).all():
        message = f"section {what} is {array.shape}, this takes {wanted} finite numbers"
        raise BadSession(path, line, message)
    return array


# --- What is put in ----------------------------------------------------------


def between(shape: tuple[int, ...], step: int) -> Array:
    """Which cells a dilation adds to an array of this shape."""
    added = np.ones([step * (length - 1) + 1 for length in shape], dtype=bool)
    added[::step, ::step] = False
    return added


def around(shape: tuple[int, ...], width) -> Array:
    """Which cells a padding adds to an array of this shape; width as for np.pad."""
    return np.pad(np.zeros(shape, dtype=bool), width, constant_values=True)


# --- Drawing -----------------------------------------------------------------


def _formula(tex: str) -> str:
    """As pymdownx.arithmatex writes it, for the hook that typesets."""
    return rf'<span class="arithmatex">\({markup.escape(tex)}\)</span>'


def _panel(panel: Panel) -> str:
    name = f'<div class="name">{_formula(panel.name)}</div>' if panel.name else ""
    return f'<div class="panel">{name}{svg(panel)}</div>'


def svg(panel: Panel) -> str:
    """Numbers and lines; the colours are in figures.css, and each has a shape too."""
    rows, columns = panel.array.shape
    inserted = panel.inserted
    if inserted is None:
        inserted = np.zeros(panel.array.shape, dtype=bool)
    every = [Box(i, j) for i in range(rows) for j in range(columns)]
    own = [box for box in every if not inserted[box.top, box.left]]
    lit = [box for box in (panel.window, panel.result) if box]
    drawn = [
        _path("put", [box for box in every if box not in own]),
        *(_shades(panel.array) if panel.shaded else []),
        _path("cells", own),
        _path("tiles", _tiles(panel)),
        *(_path("window" if box is panel.window else "result", [box]) for box in lit),
        *_rings(panel.rings),
        *_indices(rows, columns, lit),
        *_numbers(panel.array, panel.result),
    ]
    width, height = MARGIN + columns * WIDTH + 2, MARGIN + rows * HEIGHT + 2
    return (
        f'<svg class="array" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(drawn)}</svg>"
    )


def _path(kind: str, boxes: list[Box]) -> str:
    steps = [
        f"M{MARGIN + box.left * WIDTH} {MARGIN + box.top * HEIGHT}"
        f"h{box.columns * WIDTH}v{box.rows * HEIGHT}h{-box.columns * WIDTH}z"
        for box in boxes
    ]
    return f'<path class="{kind}" d="{"".join(steps)}"/>' if steps else ""


def _shades(array: Array) -> list[str]:
    """The largest number has the darkest cell; a number can be read on each."""
    largest = np.abs(array).max() or 1
    return [
        f'<rect class="{"shade" if value > 0 else "shade below"}" '
        f'x="{MARGIN + j * WIDTH}" y="{MARGIN + i * HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" fill-opacity="{0.6 * abs(value) / largest:.3g}"/>'
        for (i, j), value in np.ndenumerate(array)
        if value
    ]


def _tiles(panel: Panel) -> list[Box]:
    rows, columns = panel.array.shape
    size = panel.tile
    return [
        Box(top, left, size, size)
        for top in (range(0, rows, size) if size else ())
        for left in range(0, columns, size)
    ]


def _rings(where: Array | None) -> list[str]:
    places = np.argwhere(where) if where is not None else []
    return [
        f'<rect class="ring" x="{MARGIN + column * WIDTH + 1}" '
        f'y="{MARGIN + row * HEIGHT + 3}" width="{WIDTH - 2}" height="{HEIGHT - 6}" '
        'rx="8"/>'
        for row, column in places
    ]


def _indices(rows: int, columns: int, lit: list[Box]) -> list[str]:
    """The numbers of rows and columns, stronger where something is lit."""

    def text(x: float, y: float, index: int, strong: bool) -> str:
        kind = "index lit" if strong else "index"
        return f'<text class="{kind}" x="{x:g}" y="{y:g}">{index}</text>'

    in_rows = {box.top + k for box in lit for k in range(box.rows)}
    in_columns = {box.left + k for box in lit for k in range(box.columns)}
    return [
        text(MARGIN + (j + 0.5) * WIDTH, MARGIN - 4, j, j in in_columns)
        for j in range(columns)
    ] + [
        text(MARGIN / 2 - 1, MARGIN + (i + 0.5) * HEIGHT + 3, i, i in in_rows)
        for i in range(rows)
    ]


def _written(array: Array) -> list[str]:
    """Its numbers, all with as many decimals as one needs, but two at most."""
    digits = next(n for n in (0, 1, 2) if n == 2 or (array == array.round(n)).all())
    return [
        "0" if value == 0 else f"{value:.{digits}f}".replace("-", "−")
        for value in array.flat
    ]


def _numbers(array: Array, result: Box | None) -> list[str]:
    texts = []
    for ((i, j), value), number in zip(
        np.ndenumerate(array), _written(array), strict=True
    ):
        kind = ' class="zero"' if value == 0 else ""
        kind = ' class="strong"' if result and (i, j) == result[:2] else kind
        x, y = MARGIN + (j + 0.5) * WIDTH, MARGIN + (i + 0.5) * HEIGHT + 4
        texts.append(f'<text{kind} x="{x:g}" y="{y:g}">{number}</text>')
    return texts


# --- Without pictures --------------------------------------------------------


def in_tex(name: str) -> str:
    """A figure as a formula, for Colab, which shows no SVG; what is lit is boxed."""
    found = made(name)
    if isinstance(found, Graph):
        return graphs.in_tex(found)
    if isinstance(found, Curves):
        return curves.in_tex(found)
    return r"\scriptsize " + "\n".join(
        panel if isinstance(panel, str) else _matrix(panel) for panel in found
    )


def _matrix(panel: Panel) -> str:
    array = panel.array
    boxed = np.zeros(array.shape, dtype=bool) if panel.rings is None else panel.rings
    boxed = boxed.copy()
    for box in (panel.window, panel.result):
        if box:
            rows = slice(box.top, box.top + box.rows)
            boxed[rows, box.left : box.left + box.columns] = True
    numbers = [number.replace("−", "-") for number in _written(array)]
    cells = np.array(numbers, dtype=object).reshape(array.shape)
    cells[boxed] = [rf"\boxed{{{number}}}" for number in cells[boxed]]
    rows = r" \\ ".join(" & ".join(row) for row in cells)
    return (
        rf"\overset{{\textstyle {panel.name}}}{{\begin{{bmatrix}} {rows} "
        r"\end{bmatrix}}"
    )
