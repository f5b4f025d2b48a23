"""Text alternatives say what pictures show, and explorers begin as sessions do."""

import numpy as np
import pytest

from book.alternatives import Drawn, complaints, told
from book.figures import Box, Panel
from book.numerals import Evidence
from book.pages import LANGUAGES, nav_pages, page
from tests.test_numerals import changed

PAGES = [f"docs/{language}/{name}" for language in LANGUAGES for name in nav_pages()]


@pytest.mark.parametrize("path", PAGES)
def test_an_alternative_says_what_its_picture_shows(path):
    language, name = path.removeprefix("docs/").split("/", 1)
    assert not complaints(page(language, name))


# --- Broken on purpose -------------------------------------------------------------

PANELS = [
    Panel("a^{1}", np.arange(12.0).reshape(3, 4), window=Box(1, 2, 2, 2)),
    r"\xrightarrow{S=2}",
    Panel("z^{2}", np.array([[1.0, -2.5], [0.0, 7.0]]), result=Box(1, 0)),
]
TRUE = "a of layer 1, 3 × 4: rows 1 and 2, columns 2 to 3; z in row 1, column 0: 0"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("layer 1", "layer 2, layer 2"),
        ("3 × 4", "3 × 5"),
        ("rows 1 and 2", "rows 0 and 1"),
        ("columns 2 to 3", "columns 1 to 3"),
        ("row 1, column 0", "row 0, column 0"),
        (": 0", ": 1"),
        (": 0", ": 0, and -2.6"),
        (": 0", ": 0, and 6, 7, 9 in the window"),
        (": 0", ", other than 3"),
    ],
)
def test_what_a_picture_does_not_show_is_noticed(old, new):
    assert not told(TRUE, Drawn(PANELS), Evidence())
    assert told(TRUE.replace(old, new, 1), Drawn(PANELS), Evidence())
    chinese = "第 1 层的 a：框出第 1、2 行，第 2 到 3 列；z 的第 1 行第 0 列：0"
    assert not told(chinese, Drawn(PANELS), Evidence())
    assert told(
        chinese.replace("第 2 到 3 列", "第 1 到 2 列"), Drawn(PANELS), Evidence()
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("行 1、2", "行 0、1"),
        ("列 2 到 3", "列 1 到 3"),
        ("行 1、列 0", "行 0、列 0"),
        ("列 0：0", "列 0：1"),
    ],
)
def test_chinese_names_a_row_by_its_index(old, new):
    chinese = "第 1 层的 a，3 × 4：框出行 1、2，列 2 到 3；z 在行 1、列 0：0"
    assert not told(chinese, Drawn(PANELS), Evidence())
    assert told(chinese.replace(old, new, 1), Drawn(PANELS), Evidence())


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        # A number that is drawn, but not as what it is called.
        ("cnn/convolution.md", "outlined entry 1", "outlined entry 0", "'0' is not"),
        ("convolution/padding.md", "window gives 8", "window gives 7", "'7' is not"),
        ("convolution/channels.md", "the 3 × 2 kernel", "the 2 × 2 kernel", "'2 × 2'"),
        ("convolution/transposed.md", "kernel of 3", "kernel of 4", "'4' is not"),
        ("convolution/groups.md", "entries is 0", "entries is 1", "'1' is not"),
        # Channels in the order of the panels.
        ("convolution/channels.md", "of example 0, ch", "of example 1, ch", "'1, "),
        ("convolution/groups.md", "channel 2 of δ", "channel 3 of δ", "'3' is not"),
        # A line that is grey or zero, but not said to be so; lines of one panel.
        ("convolution/causal.md", "is x at step 2", "is x at step 1", "'step 1'"),
        ("convolution/leftover.md", "Row 2 and col", "Row 3 and col", "'Row 3 and"),
        ("convolution/leftover.md", "gradient: 2.1", "gradient: 2.0", "'row 4, col"),
        # Where an axis ends.
        ("deep/activations.md", "−4 to 4: SiLU", "−4 to 3: SiLU", "'from −4 to 3'"),
    ],
)
def test_what_is_drawn_elsewhere_is_noticed(name, old, new, message):
    wrong = complaints(changed(page("en", name), old, new))
    assert any(message in line for line in wrong), wrong


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "cnn/weights.md",
            "z at stride 2; beside",
            "z at stride 3; beside",
            "'3' is not",
        ),
        (
            "convolution/dilation.md",
            "and dilation 2; b",
            "and dilation 3; b",
            "'3' is not",
        ),
        # δ fits either way; the session has only one of the two gradients.
        ("pooling/max.md", "pool?K=3&S=1", "pool?K=2&S=1", "no session has"),
        ("convolution/padding.md", "sides=1.2.0.1", "sides=2.1.1.0", "no session has"),
        ("rnn/layer.md", "-0.5466&g", "0.5466&g", "no session has"),
    ],
)
def test_an_explorer_that_begins_elsewhere_is_noticed(name, old, new, message):
    wrong = complaints(changed(page("en", name), old, new))
    assert any(message in line for line in wrong), wrong
