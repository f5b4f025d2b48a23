"""The figures show the numbers of the sessions, where the pages say, and no others."""

import ast
import importlib.util
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from markdown import Markdown
from mkdocs.exceptions import PluginError

from book import sessions
from book.pages import LANGUAGES, ROOT, nav_pages

SESSION = ROOT / "snippets" / "cnn.md"
SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r"!\[([^\]]*)\]\(figure:([\w-]+)\)")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "figures", ROOT / "site_hooks" / "figures.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


figures = load()


# What each panel must show, read by another way than the hook reads it.


def found(name: str) -> tuple[sessions.Session, sessions.Section]:
    """A section by its name with the session's: cnn:setup."""
    stem, _, section = name.partition(":")
    session = sessions.parse(ROOT / "snippets" / f"{stem}.md")
    (part,) = [part for part in session.sections if part.name == section]
    return session, part


def printed(section: str, nth: int = 0) -> np.ndarray:
    session, part = found(section)
    texts = [
        block.shown
        for block in session.blocks
        if part.start < block.line < part.end and block.shown
    ]
    arrays, depth = [], 0
    for line in "".join(texts).splitlines():
        if line.startswith("[["):
            arrays.append("")
            depth = 1
        if depth:
            arrays[-1] += line + "\n"
            depth = not line.endswith("]]")
    return np.array(ast.literal_eval(re.sub(r"(?<=[\d\]])\s+", ",", arrays[nth])[:-1]))


def written(section: str, variable: str) -> np.ndarray:
    session, part = found(section)
    code = "".join(
        block.code for block in session.blocks if part.start < block.line < part.end
    )
    names = {"np": np}
    for line in ast.parse(code).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == variable:
            exec(ast.unparse(line), names)
    return np.squeeze(names[variable])


def correlate(x: np.ndarray, W: np.ndarray, stride: int = 1) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape)
    return np.einsum("ijuv,uv->ij", windows, W)[::stride, ::stride]


def dilate(delta: np.ndarray) -> np.ndarray:
    return np.insert(np.insert(delta, range(1, 4), 0, axis=0), range(1, 4), 0, axis=1)


def expected() -> dict[str, list[np.ndarray]]:
    x, W1 = printed("cnn/forward:setup"), written("cnn/forward:setup", "W1")
    a1, up = printed("cnn/forward:relu"), printed("cnn/stride:dilate-delta")
    turned = printed("cnn/convolution:full")
    history, spread, history_delta = (
        written("convolution/dimensions:causal-hand", name)
        for name in ("history", "spread", "history_delta")
    )
    return {
        "conv-forward": [x, W1, printed("cnn/forward:correlate")],
        "max-pool": [a1, printed("cnn/forward:max-pool")],
        "max-pool-routing": [
            printed("cnn/pooling:down-to-pool", 1),
            a1,
            printed("cnn/pooling:upsample"),
        ],
        "rot180": [written("cnn/convolution:small-forward", "W"), turned],
        "conv-full": [
            printed("cnn/convolution:full", 1),
            turned,
            printed("cnn/convolution:full-run"),
        ],
        "dilate": [printed("cnn/pooling:pool-delta"), up],
        "conv-stride": [np.pad(up, 2), np.rot90(W1, 2), printed("cnn/stride:dx")],
        "conv-weights": [x, up, printed("cnn/weights:weights")],
        # convolution/channels.md
        "channels": [printed("convolution/channels:arrays", nth) for nth in range(5)],
        # convolution/leftover.md
        "leftover-input": [
            printed("convolution/leftover:arrays", nth) for nth in range(3)
        ],
        "leftover-weights": [
            printed("convolution/leftover:every", nth) for nth in range(3)
        ],
        # convolution/padding.md
        "same-five": [printed("convolution/padding:same-grid", n) for n in (0, 1)],
        "same-six": [printed("convolution/padding:same-grid", n) for n in (2, 3)],
        "padding-crop": [printed("convolution/padding:crop", n) for n in (0, 1)],
        # convolution/dilation.md
        "dilation-forward": [
            printed("convolution/dilation:forward", n) for n in (0, 1, 2)
        ],
        "dilation-input": [printed("convolution/dilation:input", n) for n in (0, 1, 2)],
        "dilation-weights": [
            printed("convolution/dilation:weights", n) for n in (0, 1)
        ],
        # pooling/max.md and pooling/average.md
        "max-overlap": [
            printed("pooling/max:input-run"),
            printed("pooling/max:forward-run"),
            printed("pooling/max:input-run", 1),
        ],
        "average-divisors": [
            np.pad(np.ones((4, 4)), 1),
            printed("pooling/average:divisors", 1),
        ],
        "average-overlap": [
            printed("pooling/average:input-run"),
            printed("pooling/average:input-run", 1),
        ],
        # convolution/dimensions.md
        "causal-forward": [
            np.pad(history, (2, 0))[None],
            spread[None],
            printed("convolution/dimensions:causal-hand"),
        ],
        "causal-input": [
            np.pad(history_delta, (0, 2))[None],
            spread[None, ::-1],
            printed("convolution/dimensions:causal-hand", 1),
        ],
        # convolution/groups.md
        "groups-block": [
            written("convolution/groups:hand", "W"),
            printed("convolution/groups:block"),
        ],
        "groups-weights": [
            written("convolution/groups:hand", "x").T,
            written("convolution/groups:hand", "delta"),
            printed("convolution/groups:block", 1),
        ],
        # convolution/im2col
        "im2col": [
            written("convolution/im2col:hand", "x"),
            printed("convolution/im2col:hand"),
            written("convolution/im2col:hand", "W").reshape(4, 1),
            printed("convolution/im2col:hand", 1),
        ],
        "col2im": [
            printed("convolution/im2col:hand-gradients", 1),
            printed("convolution/im2col:col2im"),
        ],
        # convolution/transposed
        "transposed": [
            written("convolution/transposed:scatter", "x"),
            written("convolution/transposed:scatter", "W"),
            printed("convolution/transposed:scatter"),
        ],
        "checkerboard": [
            printed("convolution/transposed:checkerboard", n) for n in range(2)
        ],
    }


def panels(html: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(html).iter(f"{SVG}svg"))


def numbers(panel: ElementTree.Element) -> np.ndarray:
    """What stands in the cells, each at the row and column where it is drawn."""
    cells = {}
    for text in panel.iter(f"{SVG}text"):
        if not (text.get("class") or "").startswith("index"):
            place = float(text.get("y")), float(text.get("x"))
            cells[place] = float(text.text.replace("−", "-"))
    rows, columns = (sorted({place[axis] for place in cells}) for axis in (0, 1))
    assert len(cells) == len(rows) * len(columns)
    return np.array([[cells[y, x] for x in columns] for y in rows])


def boxes(panel: ElementTree.Element, kind: str) -> list[tuple[slice, slice]]:
    """The rows and columns that an outline, or a ring, surrounds."""
    found = []
    for shape in panel.iter():
        if shape.get("class") == kind and shape.tag == f"{SVG}path":
            for step in shape.get("d").split("M")[1:]:
                left, top, width, height = map(int, re.findall(r"\d+", step)[:4])
                found.append((left, top, width, height))
        elif shape.get("class") == kind:
            edges = ("x", "y", "width", "height")
            found.append(tuple(float(shape.get(edge)) for edge in edges))

    def span(start: float, length: float, size: int) -> slice:
        first = round((start - figures.MARGIN) / size - 0.1)
        return slice(first, first + round(length / size))

    return [
        (span(top, height, figures.HEIGHT), span(left, width, figures.WIDTH))
        for left, top, width, height in found
    ]


def images(language: str) -> list[tuple[str, str, str]]:
    """Page, text alternative and name of every figure, in reading order."""
    return [
        (page, *image)
        for page in nav_pages()
        for image in IMAGE.findall(
            (ROOT / "docs" / language / page).read_text(encoding="utf-8")
        )
    ]


# --- Numbers -----------------------------------------------------------------


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_shows_the_numbers_of_the_session(name):
    drawn = panels(figures.figure(name, "x"))
    for panel, array in zip(drawn, expected()[name], strict=True):
        shown = numbers(panel)
        assert shown.shape == array.shape
        # Two places, and a 0 only where the number is 0.
        np.testing.assert_allclose(shown, array, atol=0.0051, rtol=0)
        zeros = [text for text in panel.iter(f"{SVG}text") if text.text == "0"]
        zeros = [text for text in zeros if text.get("class") == "zero"]
        assert len(zeros) == (array == 0).sum()


@pytest.mark.parametrize(
    "name", sorted(figures.FIGURES.keys() - {"dilate", "col2im", "checkerboard"})
)
def test_what_is_outlined_gives_the_outlined_result(name):
    """Recomputed from the session's full digits, at the places that are drawn."""
    drawn, arrays = panels(figures.figure(name, "x")), expected()[name]
    window = next(b for panel in drawn for b in boxes(panel, "window"))
    (result,) = boxes(drawn[-1], "result")
    seen = {
        "conv-forward": lambda: np.sum(arrays[0][window] * arrays[1]),
        "max-pool": lambda: np.max(arrays[0][window]),
        "max-pool-routing": lambda: arrays[0][window].item(),
        "rot180": lambda: arrays[0][window].item(),
        "conv-full": lambda: np.sum(arrays[0][window] * arrays[1]),
        "conv-stride": lambda: np.sum(arrays[0][window] * arrays[1]),
        "conv-weights": lambda: np.sum(arrays[0][window] * arrays[1]),
        # convolution/channels.md
        "channels": lambda: (
            np.sum(arrays[0][window] * arrays[1])
            + np.sum(arrays[2][boxes(drawn[2], "window")[0]] * arrays[3])
            + written("convolution/channels:arrays", "b")[1]
        ),
        # convolution/leftover.md
        "leftover-input": lambda: np.sum(
            arrays[0][window] * arrays[1][boxes(drawn[1], "window")[0]]
        ),
        "leftover-weights": lambda: np.sum(arrays[0][window] * arrays[1]),
        # convolution/padding.md
        "same-five": lambda: arrays[0][window][1, 1],
        "same-six": lambda: arrays[0][window][1, 1],
        "padding-crop": lambda: arrays[0][window].item(),
        # convolution/dilation.md
        "dilation-forward": lambda: np.sum(arrays[0][window] * arrays[1]),
        "dilation-input": lambda: np.sum(arrays[0][window] * arrays[1]),
        "dilation-weights": lambda: arrays[0][window].item(),
        # pooling/max.md and pooling/average.md
        "max-overlap": lambda: np.sum(arrays[0][window]),
        "average-divisors": lambda: np.sum(arrays[0][window]),
        "average-overlap": lambda: np.sum(arrays[0][window]),
        # convolution/dimensions.md
        "causal-forward": lambda: np.sum(arrays[0][window] * arrays[1]),
        "causal-input": lambda: np.sum(arrays[0][window] * arrays[1]),
        # convolution/groups.md
        "groups-block": lambda: arrays[0][window].item(),
        "groups-weights": lambda: np.sum(
            arrays[0][window].T * arrays[1][boxes(drawn[1], "window")[0]]
        ),
        "im2col": lambda: arrays[0][window].ravel() @ arrays[2][:, 0] + 0.5,  # b
        "transposed": lambda: np.sum(arrays[0] * arrays[1][2::-2, 2::-2]),
    }[name]()
    np.testing.assert_allclose(arrays[-1][result].item(), seen, atol=1e-3)


def test_the_whole_result_follows_from_what_stands_before_it():
    figure = expected()
    x, W1, z1 = figure["conv-forward"]
    np.testing.assert_allclose(correlate(x, W1, figures.STRIDE), z1, atol=1e-3)
    a1, z2 = figure["max-pool"]
    np.testing.assert_allclose(a1.reshape(2, 2, 2, 2).max(axis=(1, 3)), z2)
    W, turned = figure["rot180"]
    np.testing.assert_array_equal(np.rot90(W, 2), turned)
    causal = ["causal-forward", "causal-input"]
    for name in ["conv-full", "conv-stride", "conv-weights", *causal]:
        first, second, result = figure[name]
        np.testing.assert_allclose(correlate(first, second), result, atol=1e-3)
    delta, up = figure["dilate"]
    np.testing.assert_array_equal(dilate(delta), up)
    # convolution/padding.md
    for name in ["same-five", "same-six"]:
        padded, z = figure[name]
        np.testing.assert_array_equal(padded[1::2, 1::2], z)
    padded, cropped = figure["padding-crop"]
    np.testing.assert_array_equal(padded[1:5, :5], cropped)
    # convolution/dilation.md
    x, spread, z = figure["dilation-forward"]
    np.testing.assert_allclose(correlate(x, spread, 3), z, atol=1e-9)
    padded, turned, dx = figure["dilation-input"]
    np.testing.assert_array_equal(np.rot90(spread, 2), turned)
    np.testing.assert_allclose(correlate(padded, turned), dx, atol=1e-9)
    every, kept = figure["dilation-weights"]
    np.testing.assert_array_equal(every[::2, ::2], kept)
    up = padded[2:-2, 2:-2]
    np.testing.assert_allclose(correlate(x, up), every, atol=1e-9)
    # convolution/groups.md
    transposed, delta, product = figure["groups-weights"]
    np.testing.assert_allclose(transposed @ delta, product)


def test_rings_are_where_the_session_found_the_maxima():
    text = SESSION.read_text(encoding="utf-8")
    found = re.findall(r"was a1\[(\d+), (\d+)\]", text)
    positions = sorted((int(row), int(column)) for row, column in found)
    first, routing = (
        panels(figures.figure(name, "x")) for name in ("max-pool", "max-pool-routing")
    )
    for panel in [first[0], routing[1], routing[2]]:
        rings = [(b[0].start, b[1].start) for b in boxes(panel, "ring")]
        assert sorted(rings) == positions
    delta, _, routed = expected()["max-pool-routing"]
    assert [routed[place] for place in positions] == delta.ravel().tolist()
    # The outlined δ, its tile, and the place that receives it belong together.
    (place,), (tile,) = boxes(routing[0], "window"), boxes(routing[1], "window")
    (result,) = boxes(routing[2], "result")
    assert [axis.start for axis in tile] == [2 * axis.start for axis in place]
    assert all(t.start <= r.start < t.stop for t, r in zip(tile, result, strict=True))


def test_rings_are_on_the_maxima_of_windows_that_overlap():
    delta, a, routed = expected()["max-overlap"]
    drawn = panels(figures.figure("max-overlap", "x"))
    windows = np.lib.stride_tricks.sliding_window_view(a, (3, 3))
    maxima = {
        place: tuple(np.argwhere(a == windows[place].max())[0].tolist())
        for place in np.ndindex(delta.shape)
    }
    for panel in drawn[1:]:
        rings = {(b[0].start, b[1].start) for b in boxes(panel, "ring")}
        assert rings == set(maxima.values()) == set(zip(*routed.nonzero(), strict=True))
    # The outlined δ are those of the outlined place, and no others.
    (window,), (result,) = boxes(drawn[0], "window"), boxes(drawn[2], "result")
    outlined = np.zeros(delta.shape, dtype=bool)
    outlined[window] = True
    there = (result[0].start, result[1].start)
    assert all((maxima[place] == there) == outlined[place] for place in maxima)


def test_grey_is_what_was_put_in():
    up = dilate(np.ones((4, 4))) == 0
    want = {
        "conv-full": {0: np.pad(np.ones((2, 2)), 1) == 0},
        "dilate": {1: up},
        "conv-stride": {0: np.pad(up, 2, constant_values=True)},
        "conv-weights": {1: up},
        # convolution/leftover.md
        "leftover-input": {2: np.pad(np.ones((5, 5)), (0, 1)) == 0},
        "leftover-weights": {1: expected()["leftover-weights"][1] == 0},
        # convolution/padding.md
        "same-five": {0: np.pad(np.ones((5, 5)), 1) == 0},
        "same-six": {0: np.pad(np.ones((6, 6)), (0, 1)) == 0},
        "padding-crop": {0: np.pad(np.ones((4, 5)), ((1, 2), (0, 1))) == 0},
        # convolution/dilation.md
        "dilation-forward": {1: np.outer([1, 0, 1], [1, 0, 1]) == 0},
        "dilation-input": {
            0: np.pad(np.outer([1, 0, 0, 1], [1, 0, 0, 1]), 2) == 0,
            1: np.outer([1, 0, 1], [1, 0, 1]) == 0,
        },
        "dilation-weights": {0: np.outer([1, 0, 1], [1, 0, 1]) == 0},
        # pooling/average.md
        "average-divisors": {0: np.pad(np.ones((4, 4)), 1) == 0},
        # convolution/dimensions.md
        "causal-forward": {0: np.pad(np.ones((1, 5)), [(0, 0), (2, 0)]) == 0},
        "causal-input": {0: np.pad(np.ones((1, 5)), [(0, 0), (0, 2)]) == 0},
        # convolution/groups.md
        "groups-block": {1: np.kron(np.eye(2), np.ones((2, 2))) == 0},
    }
    for name in figures.FIGURES:
        for index, panel in enumerate(panels(figures.figure(name, "x"))):
            grey = np.zeros(numbers(panel).shape, dtype=bool)
            for box in boxes(panel, "put"):
                grey[box] = True
            np.testing.assert_array_equal(grey, want.get(name, {}).get(index, False))


def test_rings_on_x_are_where_delta_is_laid():
    x, up, _ = panels(figures.figure("conv-weights", "x"))
    (window,), (u, v) = boxes(x, "window"), (1, 2)
    assert (window[0].start, window[1].start) == (u, v)
    on_x = {(b[0].start - u, b[1].start - v) for b in boxes(x, "ring")}
    on_up = {(b[0].start, b[1].start) for b in boxes(up, "ring")}
    assert on_x == on_up == set(map(tuple, np.argwhere(numbers(up) != 0)))


# convolution/channels.md


def test_both_channels_are_seen_through_one_window():
    drawn = panels(figures.figure("channels", "x"))
    assert boxes(drawn[0], "window") == boxes(drawn[2], "window")


# convolution/leftover.md


def test_rings_are_what_is_kept_of_the_kernel_gradient():
    every = panels(figures.figure("leftover-weights", "x"))[2]
    rings = [(b[0].start, b[1].start) for b in boxes(every, "ring")]
    assert rings == [(0, 0), (0, 1), (1, 0), (1, 1)]
    kept = printed("convolution/leftover:every", 3)
    np.testing.assert_array_equal(expected()["leftover-weights"][2][:2, :2], kept)


def test_rings_are_where_the_windows_of_same_have_their_middles():
    for name, first in [("same-five", 0), ("same-six", 1)]:
        x, z = panels(figures.figure(name, "x"))
        rings = [(b[0].start, b[1].start) for b in boxes(x, "ring")]
        assert [numbers(x)[place] for place in rings] == numbers(z).ravel().tolist()
        inside = ~(expected()[name][0] == 0)
        top = np.argwhere(inside)[0]  # where x itself begins
        assert [row - top[0] for row, _ in rings[::3]] == [first + n for n in (0, 2, 4)]


def test_rings_on_x_are_what_the_dilated_kernel_sees():
    x, spread, _ = panels(figures.figure("dilation-forward", "x"))
    (window,) = boxes(x, "window")
    seen = [(b[0].start, b[1].start) for b in boxes(x, "ring")]
    weights = np.argwhere(numbers(spread) != 0)
    corner = window[0].start, window[1].start
    assert seen == [tuple(place) for place in weights + corner]


def test_rings_are_where_the_block_kernel_has_its_weights():
    kernel, product = (
        panels(figures.figure(name, "x"))[-1]
        for name in ("groups-block", "groups-weights")
    )
    rings = {(b[0].start, b[1].start) for b in boxes(product, "ring")}
    assert rings == set(map(tuple, np.argwhere(numbers(kernel) != 0)))


def test_a_row_is_its_window_and_what_is_ringed_adds_up():
    x, X_col, _, Z = panels(figures.figure("im2col", "x"))
    (window,), (row,), (result,) = (
        boxes(x, "window"),
        boxes(X_col, "window"),
        boxes(Z, "result"),
    )
    arrays = expected()["im2col"]
    np.testing.assert_array_equal(arrays[1][row][0], arrays[0][window].ravel())
    assert row[0] == result[0]

    columns, dx = panels(figures.figure("col2im", "x"))
    ((i, j),) = boxes(dx, "result")
    copies = [(b[0].start, b[1].start) for b in boxes(columns, "ring")]
    arrays = expected()["col2im"]
    np.testing.assert_allclose(sum(arrays[0][copy] for copy in copies), arrays[1][i, j])
    # Where the numbers of x would be copied, if each were its own index.
    indices = np.lib.stride_tricks.sliding_window_view(
        np.arange(9).reshape(3, 3), (2, 2)
    )
    here = 3 * i.start + j.start
    assert set(copies) == set(map(tuple, np.argwhere(indices.reshape(4, 4) == here)))


def laid(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The copies of W for each entry of x, at stride 2, added."""
    sizes = [2 * (o - 1) + k for o, k in zip(x.shape, W.shape, strict=True)]
    y = np.zeros(sizes)
    for i, j in np.ndindex(x.shape):
        y[2 * i : 2 * i + W.shape[0], 2 * j : 2 * j + W.shape[1]] += x[i, j] * W
    return y


def test_a_transposed_convolution_lays_its_kernel_in_the_window():
    x, W, y = expected()["transposed"]
    np.testing.assert_array_equal(laid(x, W), y)
    drawn = panels(figures.figure("transposed", "x"))
    (place,), (window,) = boxes(drawn[0], "window"), boxes(drawn[2], "window")
    alone = np.zeros(x.shape)
    alone[place] = 1
    here = laid(alone, np.ones(W.shape)) > 0
    assert here[window].all()
    assert here.sum() == here[window].size
    for panel, kernel in zip(expected()["checkerboard"], (3, 4), strict=True):
        ones = np.ones((3, 3)), np.ones((kernel, kernel))
        np.testing.assert_array_equal(laid(*ones), panel)


# --- Sessions that change, or are at fault -----------------------------------


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Change a copy of the session, of which the hook then reads."""
    copy = Path(shutil.copy(SESSION, tmp_path))
    monkeypatch.setattr(figures, "SNIPPETS", tmp_path)

    def change(old: str, new: str) -> None:
        text = copy.read_text(encoding="utf-8")
        assert old in text
        copy.write_text(text.replace(old, new), encoding="utf-8")

    return change


def part_of(section: str, kind: str) -> str:
    text = SESSION.read_text(encoding="utf-8")
    text = text[text.index(f"[start:{section}]") : text.index(f"[end:{section}]")]
    return re.search(rf"(?s)```{kind}\n(.*?)```", text)[1]


@pytest.mark.parametrize(
    ("name", "section", "nth"),
    [
        ("conv-forward", "setup", 0),
        ("conv-forward", "correlate", 0),
        ("max-pool", "relu", 0),
        ("max-pool", "max-pool", 0),
        ("max-pool-routing", "relu", 0),
        ("max-pool-routing", "down-to-pool", 1),
        ("max-pool-routing", "upsample", 0),
        ("rot180", "full", 0),
        ("conv-full", "full", 0),
        ("conv-full", "full", 1),
        ("conv-full", "full-run", 0),
        ("dilate", "pool-delta", 0),
        ("dilate", "dilate-delta", 0),
        ("conv-stride", "dilate-delta", 0),
        ("conv-stride", "stride-dx", 0),
        ("conv-weights", "setup", 0),
        ("conv-weights", "dilate-delta", 0),
        ("conv-weights", "weights", 0),
    ],
)
def test_a_digit_changed_in_the_session_changes_the_figure(name, section, nth, edit):
    before = figures.figure(name, "x")
    output = part_of(section, "text")
    array = re.findall(r"(?s)\[\[.*?\]\]", output)[nth]
    # The last number's first decimal.
    changed = re.sub(
        r"\d(?=\d*\]\]$)", lambda m: str((int(m[0]) + 5) % 10), array, count=1
    )
    edit(output, output.replace(array, changed))
    assert figures.figure(name, "x") != before


@pytest.mark.parametrize(
    ("name", "section", "variable"),
    [
        ("conv-forward", "setup", "W1"),
        ("conv-stride", "setup", "W1"),
        ("rot180", "small-forward", "W"),
    ],
)
def test_a_weight_changed_in_the_code_changes_the_figure(name, section, variable, edit):
    before = figures.figure(name, "x")
    code = part_of(section, "python")
    at = code.index(f"{variable} = ")
    edit(code, code[:at] + re.sub(r"\d\.\d", "7.7", code[at:], count=1))
    assert figures.figure(name, "x") != before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("start:correlate]", "start:other]", r"cnn\.md: there is no section correlate"),
        ("end:correlate]", "end:other]", r"cnn\.md: there is no section correlate"),
        (
            part_of("correlate", "text"),
            "1.0\n",
            r"cnn\.md:\d+: section correlate prints 0 arrays, this takes number 1",
        ),
        (
            part_of("correlate", "text"),
            "[[1. 2.]\n [3. 4.]]\n",
            r"section correlate: its array number 1 is \(2, 2\), this takes \(4, 4\)",
        ),
        (part_of("correlate", "text"), "[[1. 2.]\n [3.]]\n", "not rectangular"),
        (part_of("correlate", "text"), "[[1. ...]\n [3. 4.]]\n", "not all numbers"),
        ("[[-0.0054", "[[nan", "finite numbers"),
        ("W1 = np.array(", "W2 = np.array(", "section setup does not write W1 out"),
        ("W1 = np.array(\n    [", "W1 = np.array(\n    [[9.0],", "not rectangular"),
    ],
)
def test_a_session_at_fault_is_named(old, new, message, edit):
    edit(old, new)
    with pytest.raises(figures.SessionError, match=message):
        figures.figure("conv-forward", "x")


# --- Pages -------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_used_once_and_exists(language):
    names = [name for _, _, name in images(language)]
    assert sorted(names) == sorted(figures.FIGURES)


def test_the_languages_show_the_same_figures_with_words_of_their_own():
    english, chinese = (images(language) for language in LANGUAGES)
    for (page, en, name), (other_page, zh, other) in zip(english, chinese, strict=True):
        assert (page, name) == (other_page, other)
        assert not re.search("[\u4e00-\u9fff]", en)
        assert re.search("[\u4e00-\u9fff]", zh)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", figures.FIGURES)
def test_numbers_in_the_text_alternative_stand_in_the_figure(language, name):
    (text,) = [text for _, text, image in images(language) if image == name]
    shown = [
        cell.text
        for panel in panels(figures.figure(name, "x"))
        for cell in panel.iter(f"{SVG}text")
    ]
    for number in re.findall(r"−?\d+\.\d+", text):
        assert number in shown
    # And that of the result is told, if it has places.
    for panel in panels(figures.figure(name, "x")):
        for cell in panel.iter(f"{SVG}text"):
            if cell.get("class") == "strong":
                assert cell.text in re.findall(r"−?\d+(?:\.\d+)?", text)


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_one_image_with_a_text_alternative(name):
    figure = ElementTree.fromstring(figures.figure(name, 'say "a < b" & c'))
    assert figure.tag == "figure"
    assert "data-search-exclude" in figure.attrib
    (image,) = [part for part in figure.iter() if part.get("role") == "img"]
    assert image.get("aria-label") == 'say "a < b" & c'
    assert list(image.iter(f"{SVG}svg"))
    for panel in image.iter(f"{SVG}svg"):
        assert panel.get("aria-hidden") == "true"
        assert panel.get("viewBox")
        assert not re.search(r"[^\W\d_]", "".join(panel.itertext()))


def rendered(source: str) -> str:
    """As MkDocs does it: Markdown, then the hook."""
    file = SimpleNamespace(
        abs_src_path=str(ROOT / "docs" / "en" / "page.md"), content_string=source
    )
    html = Markdown(extensions=["attr_list", "md_in_html"]).convert(source)
    return figures.on_page_content(html, page=SimpleNamespace(file=file))


def test_an_image_alone_in_its_paragraph_becomes_a_figure():
    html = rendered('Before.\n\n![Two kernels, "W" & more](figure:rot180)\n\nAfter.')
    assert html.startswith("<p>Before.</p>\n<figure")
    assert html.endswith("</figure>\n<p>After.</p>")
    label = re.search('aria-label="([^"]*)"', html)[1]
    assert unescape(label) == 'Two kernels, "W" & more'
    assert "<img" not in html


def test_other_images_and_code_stay():
    source = "![a](a.png)\n\n`![a](figure:rot180)`"
    assert rendered(source) == (
        '<p><img alt="a" src="a.png" /></p>\n<p><code>![a](figure:rot180)</code></p>'
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("![a](figure:no-such)", "no such figure; there are conv-forward, max-pool"),
        ("![](figure:rot180)", "the text alternative is empty"),
        ("![ ](figure:rot180)", "the text alternative is empty"),
        ("See ![a](figure:rot180)", "it must stand alone in its paragraph"),
        ('![a](figure:rot180 "t")', "it must stand alone in its paragraph"),
        ("- ![a](figure:rot180)", "it must stand alone in its paragraph"),
    ],
)
def test_a_page_at_fault_is_named(line, message):
    with pytest.raises(PluginError) as error:
        rendered(f"# Title\n\nText.\n\n{line}\n")
    assert re.match(r"docs/en/page\.md:5: figure:[\w-]+: ", str(error.value))
    assert message in str(error.value)


def test_a_page_is_named_with_the_session_at_fault(edit):
    edit("start:relu]", "start:other]")
    with pytest.raises(PluginError) as error:
        rendered("# Title\n\n![a](figure:max-pool)\n")
    assert re.fullmatch(
        r"docs/en/page\.md:3: figure:max-pool: \S*cnn\.md: there is no section relu",
        str(error.value),
    )
