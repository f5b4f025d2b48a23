"""MkDocs hook: ![what is to be seen](figure:name) becomes a drawing of arrays.

The numbers are read from the sessions in snippets/, whose outputs the tests compare
with what the code prints. None stands here: what a session does not show (a turned
kernel, inserted zeros) is computed from what it shows.
"""

import ast
import html as markup
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

SNIPPETS = Path(__file__).resolve().parents[1] / "snippets"

# What Markdown makes of an image: alone in its paragraph, and anywhere.
ALONE = re.compile(r'<p>\s*<img alt="([^"]*)" src="figure:([^"]*)" */?>\s*</p>')
ANYWHERE = re.compile(r'<img [^>]*src="figure:([^"]*)"[^>]*>')
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MATRIX = re.compile(r"\[\[[^\[\]]*\](?:\s*\[[^\[\]]*\])*\s*\]")

# In units of the drawing, which are pixels where there is room. Eleven columns fill a
# phone, and "−0.12" a cell.
WIDTH, HEIGHT, MARGIN = 33, 26, 13

Array = np.ndarray


class SessionError(Exception):
    """A session does not hold what a figure shows; says file and line."""


class Box(NamedTuple):
    """Some neighbouring cells; one, if nothing else is said."""

    top: int
    left: int
    rows: int = 1
    columns: int = 1


class Panel(NamedTuple):
    name: str  # in TeX
    array: Array
    window: Box | None = None  # what the figure looks at
    result: Box | None = None  # what comes of it
    rings: Array | None = None  # where cells are marked one by one
    inserted: Array | None = None  # where zeros were put in
    tile: int = 0  # a stronger line every so many cells


Parts = list[Panel | str]  # a string is an operator, in TeX


# --- The page ----------------------------------------------------------------


def on_page_content(html: str, page: Page, **_: object) -> str:
    def draw(match: re.Match[str]) -> str:
        alternative, name = match.groups()
        try:
            return figure(name, markup.unescape(alternative))
        except (SessionError, ValueError) as error:
            message = f"{_place(page, name)}: figure:{name}: {error}"
            raise PluginError(message) from None

    html = ALONE.sub(draw, html)
    if left := ANYWHERE.search(html):
        raise PluginError(
            f"{_place(page, left[1])}: figure:{left[1]}: it must stand alone in its "
            "paragraph, without a title"
        )
    return html


def figure(name: str, alternative: str) -> str:
    """Raises ValueError where the page is at fault, SessionError where a session is."""
    if name not in FIGURES:
        raise ValueError(f"no such figure; there are {', '.join(FIGURES)}")
    if not alternative.strip():
        raise ValueError("the text alternative is empty")
    return drawn(FIGURES[name](), f"figure-{name}", alternative)


def drawn(parts: Parts, identity: str, alternative: str) -> str:
    """Panels side by side, with their operators, as one picture."""
    groups, operator = [], ""
    for part in parts:
        if isinstance(part, str):
            operator = f'<div class="operator">{_formula(part)}</div>'
        else:
            # An operator stays with what follows it when the line breaks.
            groups.append(f'<div class="group">{operator}{_panel(part)}</div>')
            operator = ""
    # The search would find nothing but numbers in it.
    return (
        f'<figure class="figure" id="{identity}" data-search-exclude="">'
        f'<div class="panels" role="img" aria-label="{markup.escape(alternative)}">'
        f"{''.join(groups)}</div></figure>"
    )


def _place(page: Page, name: str) -> str:
    path = os.path.relpath(page.file.abs_src_path)
    source = page.file.content_string
    start = source.find(f"](figure:{name}")
    return f"{path}:{source.count(chr(10), 0, start) + 1}" if start >= 0 else path


# --- From a session ----------------------------------------------------------


def printed(section: str, shape: tuple[int, ...] | None = None, nth: int = 0) -> Array:
    """The n-th two-dimensional array that a section prints, such as "dense:setup"."""
    where, blocks = _blocks(section, "text")
    found = [match for block in blocks for match in MATRIX.findall(block)]
    if nth >= len(found):
        raise SessionError(
            f"{where} prints {len(found)} arrays, this takes number {nth + 1}"
        )
    rows = [row.split() for row in re.findall(r"[^\[\]]*\d[^\[\]]*", found[nth])]
    return _array(f"{where}: its array number {nth + 1}", rows, shape)


def written(section: str, variable: str, shape: tuple[int, ...] | None = None) -> Array:
    """An array that a section writes out in its code and does not print."""
    where, blocks = _blocks(section, "python")
    for block in blocks:
        for line in ast.parse(block).body:
            if (
                isinstance(line, ast.Assign)
                and ast.unparse(line.targets[0]) == variable
            ):
                lists = [node for node in ast.walk(line) if isinstance(node, ast.List)]
                rows = ast.literal_eval(lists[0]) if lists else []
                return _array(f"{where}: its {variable}", rows, shape)
    raise SessionError(f"{where} does not write {variable} out")


def _blocks(section: str, info: str) -> tuple[str, list[str]]:
    """Where a section is, in words, and its fenced blocks of one kind."""
    session, _, section = section.partition(":")
    path = SNIPPETS / f"{session}.md"
    text = path.read_text("utf-8")
    start = text.find(f"<!-- --8<-- [start:{section}] -->")
    end = text.find(f"<!-- --8<-- [end:{section}] -->", max(start, 0))
    if min(start, end) < 0:
        raise SessionError(f"{os.path.relpath(path)}: there is no section {section}")
    where = f"{os.path.relpath(path)}:{text.count(chr(10), 0, start) + 1}"
    blocks = [
        match[2] for match in FENCE.finditer(text, start, end) if match[1] == info
    ]
    return f"{where}: section {section}", blocks


def _array(what: str, rows: list, shape: tuple[int, ...] | None) -> Array:
    try:
        array = np.array(rows, dtype=float)
    except (ValueError, TypeError):
        raise SessionError(f"{what} is not all numbers, or not rectangular") from None
    wanted = array.shape if shape is None else shape
    if array.shape != wanted or not np.isfinite(array).all():
        raise SessionError(
            f"{what} is {array.shape}, this takes {wanted} finite numbers"
        )
    return array


# --- The figures -------------------------------------------------------------

STRIDE = 2


def conv_forward() -> Parts:
    i, j = 1, 1
    window = Box(STRIDE * i, STRIDE * j, 3, 3)
    return [
        Panel("x", printed("cnn/forward:setup", (9, 9)), window=window),
        r"\star",
        Panel("W^{1}", written("cnn/forward:setup", "W1", (3, 3))),
        rf"\xrightarrow[{{}}+b^{{1}}]{{S={STRIDE}}}",
        Panel("z^{1}", printed("cnn/forward:correlate", (4, 4)), result=Box(i, j)),
    ]


def max_pool() -> Parts:
    a = printed("cnn/forward:relu", (4, 4))
    return [
        Panel("a^{1}", a, window=Box(0, 0, 2, 2), rings=_maxima(a), tile=2),
        r"\xrightarrow{\max}",
        Panel("z^{2}", printed("cnn/forward:max-pool", (2, 2)), result=Box(0, 0)),
    ]


def max_pool_routing() -> Parts:
    a = printed("cnn/forward:relu", (4, 4))
    delta = printed("cnn/pooling:down-to-pool", (2, 2), 1)
    return [
        Panel(r"\delta^{2}", delta, window=Box(1, 1)),
        ",",
        Panel("a^{1}", a, window=Box(2, 2, 2, 2), rings=_maxima(a), tile=2),
        r"\xrightarrow{\operatorname{upsample}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial a^{1}}",
            printed("cnn/pooling:upsample", (4, 4)),
            result=Box(2, 2),
            rings=_maxima(a),
            tile=2,
        ),
    ]


def rot180() -> Parts:
    return [
        Panel(
            "W", written("cnn/convolution:small-forward", "W", (2, 2)), window=Box(0, 0)
        ),
        r"\rightarrow",
        Panel(
            r"\operatorname{rot180}(W)",
            printed("cnn/convolution:full", (2, 2)),
            result=Box(1, 1),
        ),
    ]


def conv_full() -> Parts:
    i, j = 1, 2
    return [
        Panel(
            r"\delta^{\mathrm{pad}}",
            printed("cnn/convolution:full", (4, 4), 1),
            window=Box(i, j, 2, 2),
            inserted=np.pad(np.zeros((2, 2)), 1, constant_values=1) > 0,
        ),
        r"\star",
        Panel(r"\operatorname{rot180}(W)", printed("cnn/convolution:full", (2, 2))),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            printed("cnn/convolution:full-run", (3, 3)),
            result=Box(i, j),
        ),
    ]


def dilate() -> Parts:
    delta = printed("cnn/pooling:pool-delta", (4, 4))
    return [
        Panel(r"\delta^{1}", delta),
        rf"\xrightarrow{{\,S={STRIDE}\,}}",
        Panel(
            rf"\delta^{{1}}_{{\uparrow {STRIDE}}}",
            printed("cnn/stride:dilate-delta", (7, 7)),
            inserted=_between(delta.shape),
        ),
    ]


def conv_stride() -> Parts:
    i, j = 4, 4  # the one cell that all four δ reach
    up = printed("cnn/stride:dilate-delta", (7, 7))
    kernel = written("cnn/forward:setup", "W1", (3, 3))
    return [
        Panel(
            rf"(\delta^{{1}}_{{\uparrow {STRIDE}}})^{{\mathrm{{pad}}}}",
            np.pad(up, 2),
            window=Box(i, j, 3, 3),
            inserted=np.pad(_between((4, 4)), 2, constant_values=True),
        ),
        r"\star",
        Panel(r"\operatorname{rot180}(W^{1})", kernel[::-1, ::-1]),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            printed("cnn/stride:dx", (9, 9)),
            result=Box(i, j),
        ),
    ]


def conv_weights() -> Parts:
    u, v = 1, 2
    x = printed("cnn/forward:setup", (9, 9))
    up = printed("cnn/stride:dilate-delta", (7, 7))
    laid = np.zeros(x.shape)
    laid[u : u + 7, v : v + 7] = up
    return [
        Panel("x", x, window=Box(u, v, 7, 7), rings=laid != 0),
        r"\star",
        Panel(
            rf"\delta^{{1}}_{{\uparrow {STRIDE}}}",
            up,
            inserted=_between((4, 4)),
            rings=up != 0,
        ),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial W^{1}}",
            printed("cnn/weights:weights", (3, 3)),
            result=Box(u, v),
        ),
    ]


# convolution/channels.md


def channels() -> Parts:
    i, j = 1, 0
    window = Box(STRIDE * i, STRIDE * j, 3, 2)
    section, shapes = "convolution/channels:arrays", [(5, 4), (3, 2)] * 2 + [(2, 2)]
    x0, W0, x1, W1, z = (
        printed(section, shape, nth) for nth, shape in enumerate(shapes)
    )
    return [
        Panel("x_{0,0}", x0, window=window),
        r"\star",
        Panel("W_{0,1}", W0),
        "+",
        Panel("x_{0,1}", x1, window=window),
        r"\star",
        Panel("W_{1,1}", W1),
        rf"\xrightarrow[{{}}+b_{{1}}]{{S={STRIDE}}}",
        Panel("z_{0,1}", z, result=Box(i, j)),
    ]


# convolution/leftover.md


def leftover_input() -> Parts:
    dx = printed("convolution/leftover:arrays", (6, 6), 2)
    appended = np.ones(dx.shape, dtype=bool)
    appended[:5, :5] = False
    return [
        Panel(r"\delta", printed("convolution/leftover:arrays", (2, 2)), Box(1, 0)),
        ",",
        Panel("W", printed("convolution/leftover:arrays", (2, 2), 1), Box(1, 1)),
        r"\xrightarrow[r=1]{S=3}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            dx,
            result=Box(3 * 1 + 1, 3 * 0 + 1),
            inserted=appended,
        ),
    ]


def leftover_weights() -> Parts:
    u, v = 2, 1
    every = printed("convolution/leftover:every", (3, 3), 2)
    kept = np.zeros(every.shape, dtype=bool)
    kept[:2, :2] = True
    return [
        Panel(
            "x", printed("convolution/leftover:every", (6, 6)), window=Box(u, v, 4, 4)
        ),
        r"\star",
        Panel(
            r"\delta_{\uparrow 3}",
            printed("convolution/leftover:every", (4, 4), 1),
            inserted=_between((2, 2), 3),
        ),
        "=",
        Panel(r"x \star \delta_{\uparrow 3}", every, result=Box(u, v), rings=kept),
    ]


# convolution/padding.md


def same_grid(size: int) -> Parts:
    """SAME, K = 3, S = 2; the kernel copies the middle of each window."""
    nth = 2 * (size - 5)  # 5, then 6 is printed, with its result
    padded = printed("convolution/padding:same-grid", (7, 7), nth)
    middles = np.zeros(padded.shape, dtype=bool)
    middles[1::STRIDE, 1::STRIDE] = True
    return [
        Panel(
            r"\tilde x",
            padded,
            window=Box(0, 0, 3, 3),
            rings=middles,
            inserted=padded == 0,  # x itself counts from 1
        ),
        rf"\xrightarrow{{\,S={STRIDE}\,}}",
        Panel(
            "z",
            printed("convolution/padding:same-grid", (3, 3), nth + 1),
            result=Box(0, 0),
        ),
    ]


def padding_crop() -> Parts:
    (top, bottom), (left, right) = (1, 2), (0, 1)
    around = np.pad(
        np.zeros((4, 5), dtype=bool),
        ((top, bottom), (left, right)),
        constant_values=True,
    )
    p, q = 3, 4
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial \tilde x}",
            printed("convolution/padding:crop", around.shape),
            window=Box(p + top, q + left),
            inserted=around,
        ),
        r"\xrightarrow{\operatorname{crop}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            printed("convolution/padding:crop", (4, 5), 1),
            result=Box(p, q),
        ),
    ]


# convolution/dilation.md: K = 2, S = 3, D = 2


def dilation_forward() -> Parts:
    i, j = 1, 0
    seen = np.zeros((6, 6), dtype=bool)
    seen[3 * i : 3 * i + 3 : 2, 3 * j : 3 * j + 3 : 2] = True
    return [
        Panel(
            "x",
            printed("convolution/dilation:forward", (6, 6)),
            window=Box(3 * i, 3 * j, 3, 3),
            rings=seen,
        ),
        r"\star",
        Panel(
            r"W_{\uparrow 2}",
            printed("convolution/dilation:forward", (3, 3), 1),
            inserted=_between((2, 2)),
        ),
        r"\xrightarrow{\,S=3\,}",
        Panel(
            "z", printed("convolution/dilation:forward", (2, 2), 2), result=Box(i, j)
        ),
    ]


def dilation_input() -> Parts:
    i, j = 5, 3
    return [
        Panel(
            r"(\delta_{\uparrow 3})^{\mathrm{pad}}",
            printed("convolution/dilation:input", (8, 8)),
            window=Box(i, j, 3, 3),
            inserted=np.pad(_between((2, 2), 3), 2, constant_values=True),
        ),
        r"\star",
        Panel(
            r"\operatorname{rot180}(W_{\uparrow 2})",
            printed("convolution/dilation:input", (3, 3), 1),
            inserted=_between((2, 2)),
        ),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            printed("convolution/dilation:input", (6, 6), 2),
            result=Box(i, j),
        ),
    ]


def dilation_weights() -> Parts:
    u, v = 1, 0
    return [
        Panel(
            r"x \star \delta_{\uparrow 3}",
            printed("convolution/dilation:weights", (3, 3)),
            window=Box(2 * u, 2 * v),
            inserted=_between((2, 2)),
        ),
        r"\xrightarrow{\,D=2\,}",
        Panel(
            r"\tfrac{\partial \ell}{\partial W}",
            printed("convolution/dilation:weights", (2, 2), 1),
            result=Box(u, v),
        ),
    ]


# pooling/max.md and pooling/average.md


def max_overlap() -> Parts:
    """The four windows of which a[1, 1] is the maximum."""
    a = printed("pooling/max:forward-run", (5, 5))
    rings = _maxima(a, size=3, stride=1)
    return [
        Panel(
            r"\delta", printed("pooling/max:input-run", (3, 3)), window=Box(0, 0, 2, 2)
        ),
        ",",
        Panel("a", a, rings=rings),
        r"\rightarrow",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            printed("pooling/max:input-run", (5, 5), 1),
            result=Box(1, 1),
            rings=rings,
        ),
    ]


def average_divisors() -> Parts:
    i, j = 0, 1
    return [
        Panel(
            r"\operatorname{pad}(1)",
            printed("pooling/average:divisors", (6, 6)),
            window=Box(i, j, 3, 3),
            inserted=np.pad(np.zeros((4, 4)), 1, constant_values=1) > 0,
        ),
        r"\rightarrow",
        Panel("m", printed("pooling/average:divisors", (4, 4), 1), result=Box(i, j)),
    ]


def average_overlap() -> Parts:
    """All four windows have the cell in the middle."""
    return [
        Panel(
            r"\tfrac{1}{9}\delta",
            printed("pooling/average:input-run", (2, 2)),
            window=Box(0, 0, 2, 2),
        ),
        r"\rightarrow",
        Panel(
            r"\tfrac{\partial \ell}{\partial a}",
            printed("pooling/average:input-run", (5, 5), 1),
            result=Box(2, 2),
        ),
    ]


# convolution/dimensions.md


def causal_forward() -> Parts:
    t = 2
    history = written("convolution/dimensions:causal-hand", "history", (1, 5))
    return [
        Panel(
            r"\tilde x",
            np.pad(history, [(0, 0), (2, 0)]),
            window=Box(0, t, 1, 3),
            inserted=np.arange(7)[None] < 2,
        ),
        r"\star",
        Panel(
            r"W_{\uparrow 2}",
            written("convolution/dimensions:causal-hand", "spread", (1, 3)),
        ),
        "=",
        Panel(
            "z", printed("convolution/dimensions:causal-hand", (1, 5)), result=Box(0, t)
        ),
    ]


def causal_input() -> Parts:
    t = 2
    delta = written("convolution/dimensions:causal-hand", "history_delta", (1, 5))
    spread = written("convolution/dimensions:causal-hand", "spread", (1, 3))
    return [
        Panel(
            r"\delta^{\mathrm{pad}}",
            np.pad(delta, [(0, 0), (0, 2)]),
            window=Box(0, t, 1, 3),
            inserted=np.arange(7)[None] > 4,
        ),
        r"\star",
        Panel(r"W'_{\uparrow 2}", spread[:, ::-1]),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            printed("convolution/dimensions:causal-hand", (1, 5), 1),
            result=Box(0, t),
        ),
    ]


# convolution/groups.md


def groups_block() -> Parts:
    return [
        Panel("W", written("convolution/groups:hand", "W", (2, 4)), window=Box(1, 2)),
        r"\rightarrow",
        Panel(
            r"\bar W",
            printed("convolution/groups:block", (4, 4)),
            result=Box(3, 2),
            inserted=~_blocks_of_groups(),
            tile=2,
        ),
    ]


def groups_weights() -> Parts:
    x = written("convolution/groups:hand", "x", (2, 4))
    delta = written("convolution/groups:hand", "delta", (2, 4))
    return [
        Panel(r"x^{\mathsf T}", x.T, window=Box(3, 0, 1, 2)),
        r"\cdot",
        Panel(r"\delta", delta, window=Box(0, 2, 2, 1)),
        "=",
        Panel(
            r"\tfrac{\partial \ell}{\partial \bar W}",
            printed("convolution/groups:block", (4, 4), 1),
            result=Box(3, 2),
            rings=_blocks_of_groups(),
            tile=2,
        ),
    ]


def _blocks_of_groups() -> Array:
    """Where channel and output belong to the same group: C = F = 4, G = 2."""
    return np.kron(np.eye(2), np.ones((2, 2))) > 0


# convolution/im2col


def im2col() -> Parts:
    i, j = 1, 0
    row = 2 * i + j
    return [
        Panel("x", written("convolution/im2col:hand", "x", (3, 3)), Box(i, j, 2, 2)),
        r"\xrightarrow{\operatorname{im2col}}",
        Panel(
            r"X_{\mathrm{col}}",
            printed("convolution/im2col:hand", (4, 4)),
            Box(row, 0, 1, 4),
        ),
        r"\cdot",
        Panel(
            r"W_{\mathrm{mat}}",
            written("convolution/im2col:hand", "W", (2, 2)).reshape(4, 1),
        ),
        r"\xrightarrow{{}+b}",
        Panel("Z", printed("convolution/im2col:hand", (4, 1), 1), result=Box(row, 0)),
    ]


def col2im() -> Parts:
    return [
        Panel(
            r"\tfrac{\partial \ell}{\partial X_{\mathrm{col}}}",
            printed("convolution/im2col:hand-gradients", (4, 4), 1),
            rings=np.fliplr(np.eye(4)) > 0,  # the copies of x[1, 1]
        ),
        r"\xrightarrow{\operatorname{col2im}}",
        Panel(
            r"\tfrac{\partial \ell}{\partial x}",
            printed("convolution/im2col:col2im", (3, 3)),
            result=Box(1, 1),
        ),
    ]


# convolution/transposed


def transposed() -> Parts:
    i, j = 0, 1
    section = "convolution/transposed:scatter"
    return [
        Panel("x", written(section, "x", (2, 2)), window=Box(i, j)),
        ",",
        Panel("W", written(section, "W", (3, 3))),
        rf"\xrightarrow{{\,S={STRIDE}\,}}",
        Panel(
            "y",
            printed(section, (5, 5)),
            window=Box(STRIDE * i, STRIDE * j, 3, 3),
            result=Box(2, 2),  # where the copies for all of x meet
        ),
    ]


def checkerboard() -> Parts:
    return [
        Panel(
            "K=3",
            printed("convolution/transposed:checkerboard", (7, 7)),
            window=Box(2, 2, 3, 3),
        ),
        ",",
        Panel(
            "K=4",
            printed("convolution/transposed:checkerboard", (8, 8), 1),
            window=Box(2, 2, 4, 4),
        ),
    ]


FIGURES: dict[str, Callable[[], Parts]] = {
    "conv-forward": conv_forward,
    "max-pool": max_pool,
    "max-pool-routing": max_pool_routing,
    "rot180": rot180,
    "conv-full": conv_full,
    "dilate": dilate,
    "conv-stride": conv_stride,
    "conv-weights": conv_weights,
    # convolution/channels.md
    "channels": channels,
    # convolution/leftover.md
    "leftover-input": leftover_input,
    "leftover-weights": leftover_weights,
    # convolution/padding.md
    "same-five": lambda: same_grid(5),
    "same-six": lambda: same_grid(6),
    "padding-crop": padding_crop,
    # convolution/dilation.md
    "dilation-forward": dilation_forward,
    "dilation-input": dilation_input,
    "dilation-weights": dilation_weights,
    # pooling/max.md and pooling/average.md
    "max-overlap": max_overlap,
    "average-divisors": average_divisors,
    "average-overlap": average_overlap,
    # convolution/dimensions.md
    "causal-forward": causal_forward,
    "causal-input": causal_input,
    # convolution/groups.md
    "groups-block": groups_block,
    "groups-weights": groups_weights,
    # convolution/im2col
    "im2col": im2col,
    "col2im": col2im,
    # convolution/transposed
    "transposed": transposed,
    "checkerboard": checkerboard,
}


def _maxima(a: Array, size: int = 2, stride: int = 2) -> Array:
    """Where the first maximum of each window is."""
    found = np.zeros(a.shape, dtype=bool)
    for top in range(0, a.shape[0] - size + 1, stride):
        for left in range(0, a.shape[1] - size + 1, stride):
            window = a[top : top + size, left : left + size]
            row, column = divmod(int(window.argmax()), size)
            found[top + row, left + column] = True
    return found


def _between(shape: tuple[int, ...], step: int = STRIDE) -> Array:
    """Which cells a dilation adds."""
    added = np.ones([step * (length - 1) + 1 for length in shape], dtype=bool)
    added[::step, ::step] = False
    return added


# --- Drawing -----------------------------------------------------------------


def _formula(tex: str) -> str:
    """As pymdownx.arithmatex writes it, for the hook that typesets."""
    return rf'<span class="arithmatex">\({markup.escape(tex)}\)</span>'


def _panel(panel: Panel) -> str:
    return (
        f'<div class="panel"><div class="name">{_formula(panel.name)}</div>'
        f"{svg(panel)}</div>"
    )


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
    return r"\scriptsize " + "\n".join(
        part if isinstance(part, str) else _matrix(part) for part in FIGURES[name]()
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
