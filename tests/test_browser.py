"""What a reader sees and can do, tried in Chromium on every page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from book.pages import LANGUAGES, nav_pages
from tests.conftest import ROOT
from tests.test_site import html_path

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    f"{size['width']}-{scheme}": {"viewport": size, "color_scheme": scheme}
    for size in (WIDE, PHONE)
    for scheme in ("light", "dark")
}
SCHEMES = {"light": "default", "dark": "slate"}
PAGES = [(language, page) for language in LANGUAGES for page in nav_pages()]
# Of the notebooks, which have the same to show, one in each language.
PAGES += [("en", "notebooks/convolution-backward.md"), ("zh", "notebooks/pooling.md")]
# Another scheme has other colours, another width another layout; the rest is the same.
AUDITS = {
    "1440-light": {},
    "1440-dark": {"runOnly": ["color-contrast"]},
    "390-light": {"rules": {"color-contrast": {"enabled": False}}},
}
# What a solution holds is looked at, too.
UNFOLD = "document.querySelectorAll('details').forEach((part) => { part.open = true })"
# What scrolls sideways where it is too wide.
BOXES = "div.formula .drawn, .highlight code, .md-typeset__scrollwrap"


def path(language: str, page: str) -> str:
    return html_path(language, page).removesuffix("index.html")


# --- Every page, in every look -----------------------------------------------


class Look(NamedTuple):
    """A page in one width and scheme, and what was amiss since it was opened."""

    page: Page
    amiss: list


@pytest.fixture(scope="module")
def looks(browser: Browser, served: str) -> Iterator[dict[str, Look]]:
    """One page for each look, and one without JavaScript."""

    def open_(**options) -> Look:
        page, amiss = browser.new_page(reduced_motion="reduce", **options), []
        page.on("console", lambda said: said.type == "error" and amiss.append(said))
        page.on("pageerror", lambda error: amiss.append(error))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((served, "data:")) or amiss.append(asked.url)
            ),
        )
        return Look(page, amiss)

    looks = {look: open_(**options) for look, options in LOOKS.items()}
    looks["no-js"] = open_(java_script_enabled=False)
    yield looks
    for look in looks.values():
        look.page.close()


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def opened(request, looks: dict[str, Look], served: str) -> dict[str, Page]:
    """The pages of all looks at one address; they load side by side."""
    for page, amiss in looks.values():
        page.goto("about:blank")  # what the last page asks for is not this one's
        amiss.clear()
        page.goto(served + path(*request.param), wait_until="commit")
    for page, _ in looks.values():
        page.wait_for_load_state()
        page.evaluate(UNFOLD)
    return {look: page for look, (page, _) in looks.items()}


@pytest.fixture(scope="module")
def violations(opened: dict[str, Page]) -> dict[str, list[str]]:
    """What axe-core finds in each look; it works in all of them side by side."""
    for look, options in AUDITS.items():
        opened[look].evaluate(AXE)
        opened[look].evaluate(
            "(options) => { window.found = axe.run(options) }",
            {"resultTypes": ["violations"], "preload": False, **options},
        )
    return {
        look: [
            f"{violation['id']}: {node['failureSummary']}\n  {node['html']}"
            for violation in opened[look].evaluate("found")["violations"]
            for node in violation["nodes"]
            if node["impact"] in ("serious", "critical")
        ]
        for look in AUDITS
    }


@pytest.fixture(params=LOOKS)
def look(request) -> str:
    return request.param


@pytest.fixture
def page(opened: dict[str, Page], look: str) -> Page:
    return opened[look]


def test_nothing_is_amiss(opened, looks, look):
    """No error in the console, no error thrown, nothing asked from another host."""
    assert not looks[look].amiss


def test_the_page_does_not_scroll_sideways(page):
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0


def test_the_scheme_is_the_one_the_reader_prefers(page, look):
    scheme = look.partition("-")[2]
    expect(page.locator("body")).to_have_attribute(
        "data-md-color-scheme", SCHEMES[scheme]
    )
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, re.findall(r"\d+", color)[:3])) < 3 * 128
    assert dark == (scheme == "dark")


def test_no_source_is_to_be_seen(page):
    text = page.evaluate(
        """() => {
            const copy = document.body.cloneNode(true);
            copy.querySelectorAll("code, script").forEach((code) => code.remove());
            return copy.textContent;
        }"""
    )
    assert not re.search(r"\\\(|\\\[|\$\$", text)


# A formula has a box, glyphs that are defined, and the colour of its text.
FORMULAS = """() => {
    const seen = (svg) => {
        const [box, ink] = [svg.getBoundingClientRect(), svg.getBBox()];
        const text = svg.closest(".formula").parentElement;
        return box.width * box.height * ink.width * ink.height > 0
            && getComputedStyle(svg).fill === getComputedStyle(text).color
            && svg.checkVisibility();
    };
    const formulas = [...document.querySelectorAll(".md-content .formula")];
    return formulas.map((formula) => {
        const drawings = [...formula.querySelectorAll(".drawn > svg")];
        const ok = drawings.length && drawings.every(seen);
        return ok ? null : formula.querySelector("[title]").title;
    });
}"""


@pytest.mark.parametrize("look", [*LOOKS, "no-js"])
def test_every_formula_is_drawn(opened, look):
    formulas = opened[look].evaluate(FORMULAS)
    assert formulas or opened[look].url.endswith("/glossary/")
    assert not [title for title in formulas if title is not None]


def test_what_is_too_wide_scrolls_in_its_own_box(page):
    """And can be reached by keys, and its end comes into view."""
    stuck = page.evaluate(
        f"""() => [...document.querySelectorAll("{BOXES}")].filter((box) => {{
            const [left, width] = [box.scrollLeft, box.clientWidth];
            if (box.scrollWidth <= width || !box.checkVisibility()) return false;
            box.scrollLeft = box.scrollWidth;
            const moved = Math.abs(box.scrollLeft + width - box.scrollWidth) < 2;
            box.scrollLeft = left;
            const reached = box.matches("[tabindex='0']:not([aria-hidden] *)");
            const byHand = /auto|scroll/.test(getComputedStyle(box).overflowX);
            return !moved || !byHand || !reached || box.ariaHidden;
        }}).map((box) => box.outerHTML.slice(0, 200))"""
    )
    assert not stuck


def test_code_stands_beside_its_derivation(page, look):
    """In two columns whose tops are level; on a phone one below the other."""
    steps = page.evaluate(
        """() => [...document.querySelectorAll(".step")].map((step) =>
            [...step.children].map((side) => {
                const {left, right, top, bottom} = side.getBoundingClientRect();
                return {left, right, top, bottom};
            }))"""
    )
    for derivation, execution in steps:
        if look.startswith("1440"):
            assert derivation["right"] <= execution["left"]
            assert derivation["top"] == pytest.approx(execution["top"], abs=1)
        else:
            assert derivation["bottom"] <= execution["top"] + 1
            assert derivation["left"] == pytest.approx(execution["left"], abs=1)


@pytest.mark.parametrize("look", AUDITS)
def test_axe_finds_no_serious_violation(violations, look):
    assert not violations[look], "\n".join(violations[look])


# --- What a reader does ------------------------------------------------------


@pytest.fixture
def reader(browser: Browser, request) -> Iterator[Page]:
    """A page of its own, since what is done to it leaves traces."""
    options = getattr(request, "param", LOOKS["1440-light"])
    context = browser.new_context(reduced_motion="reduce", **options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


phone = pytest.mark.parametrize("reader", [LOOKS["390-light"]], indirect=True)
CLIPBOARD = "navigator.clipboard.readText()"


@pytest.mark.parametrize("there", ["index.md", "softmax.md", "cnn/stride.md"])
@pytest.mark.parametrize(("from_", "to"), [("en", "zh"), ("zh", "en")])
def test_the_language_switch_keeps_the_place(reader, served, from_, to, there):
    reader.goto(served + path(from_, there))
    anchor = reader.locator("h2[id]").nth(1).get_attribute("id")
    reader.locator(f'.md-nav--primary a[href="#{anchor}"]').click()
    reader.get_by_role("banner").locator(".md-select button").hover()
    reader.locator(f'.md-select a[hreflang="{to}"]').click()
    expect(reader).to_have_url(f"{served}{path(to, there)}#{anchor}")
    expect(reader.locator("html")).to_have_attribute("lang", to)
    expect(reader.locator(f"#{anchor}")).to_be_in_viewport()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copied_formula_is_its_tex(reader, served, language):
    reader.goto(served + path(language, "cnn/stride.md"))
    found = reader.evaluate(
        """() => {
            const paragraph = document.querySelector("p:has(.formula)");
            getSelection().selectAllChildren(paragraph);
            const titles = paragraph.querySelectorAll(".formula [title]");
            return [...titles].map((drawn) => drawn.title);
        }"""
    )
    reader.keyboard.press("Control+c")
    copied = reader.evaluate(CLIPBOARD)
    assert found
    for tex in found:
        assert f"${tex}$" in copied
    assert "¶" not in copied


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_at_code_copies_the_code(reader, served, language):
    reader.goto(served + path(language, "softmax.md"))
    block = reader.locator(".execution .highlight.language-python").nth(1)
    block.get_by_role("button").click()
    expect(reader.locator(".md-dialog")).to_be_visible()
    copied = reader.evaluate(CLIPBOARD)
    assert "def softmax(" in copied
    assert copied == block.locator("code").text_content().rstrip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_skip_link_leads_past_the_navigation(reader, served, language):
    reader.goto(served + path(language, "softmax.md"))
    reader.keyboard.press("Tab")
    expect(reader.locator(".md-skip")).to_be_focused()
    expect(reader.locator(".md-skip")).to_be_in_viewport()
    reader.keyboard.press("Enter")
    reader.keyboard.press("Tab")
    inside = "document.querySelector('.md-content').contains(document.activeElement)"
    assert reader.evaluate(inside)


# Marks what has the focus and says what of it is not on the screen.
FOCUSED = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    element.dataset.reached = "";
    // The buttons for the scheme are drawn as labels, of which one is shown.
    const button = element.closest(".md-option")?.parentElement;
    const shown = button?.querySelector("label:not([hidden])") ?? element;
    const {left, right, top, bottom} = shown.getBoundingClientRect();
    return right > 0 && left < innerWidth && bottom > 0 && top < innerHeight
        && shown.checkVisibility({visibilityProperty: true, opacityProperty: true})
        ? "" : element.outerHTML.slice(0, 150);
}"""
# What answers to a click, or scrolls, and never had the focus.
UNREACHED = f"""() => [...document.querySelectorAll(
    "a[href], button, input, summary, label.md-header__button, {BOXES}"
)].filter((element) => {{
    const {{width}} = element.getBoundingClientRect();
    const fits = element.scrollWidth <= element.clientWidth;
    const passed = element.matches("{BOXES}") && fits
        || element.matches("[for=__search]") // its input is reached
        || element.matches("[tabindex='-1'], .md-toggle");
    const options = {{visibilityProperty: true, opacityProperty: true}};
    return width && element.checkVisibility(options) && !passed
        && element.closest("form:has(.md-option)") === null
        && element.dataset.reached === undefined;
}}).map((element) => element.outerHTML.slice(0, 150))"""


@pytest.mark.parametrize(
    "reader",
    [LOOKS["1440-dark"], LOOKS["390-light"]],
    ids=["1440", "390"],
    indirect=True,
)
@pytest.mark.parametrize("page_", ["cnn/stride.md", "notation.md"])
def test_tab_reaches_everything_in_sight(reader, served, page_):
    """And nothing that is out of sight: whoever has the focus sees it."""
    reader.goto(served + path("en", page_))
    hidden = []
    for _ in range(1000):
        reader.keyboard.press("Tab")
        found = reader.evaluate(FOCUSED)
        if found is None:
            break
        if "md-search__input" in found:  # on a phone it comes with the focus
            expect(reader.locator(".md-search__output")).to_be_visible()
            found = reader.evaluate(FOCUSED)
        hidden.append(found)
    else:
        pytest.fail("Tab never came to the end of the page")
    assert len(hidden) > 50
    assert not [*filter(None, hidden)]
    assert not reader.evaluate(UNREACHED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scheme_can_be_changed_by_keys(reader, served, language):
    reader.goto(served + path(language, "softmax.md"))
    for _ in ["skip", "logo", "scheme"]:
        reader.keyboard.press("Tab")
    reader.keyboard.press("Enter")
    body = reader.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    reader.reload()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "reader",
    [LOOKS["1440-light"], LOOKS["390-light"]],
    ids=["1440", "390"],
    indirect=True,
)
def test_the_search_opens_by_keys(reader, served, language):
    reader.goto(served + path(language, "softmax.md"))
    output = reader.locator(".md-search__output")
    expect(output).to_be_hidden()
    reader.keyboard.press("/")
    expect(reader.locator(".md-search__input")).to_be_focused()
    reader.keyboard.type("softmax")
    expect(output).to_be_visible()
    expect(output).to_be_in_viewport()
    reader.keyboard.press("Escape")
    expect(output).to_be_hidden()


@phone
@pytest.mark.parametrize(("language", "key"), [("en", "Enter"), ("zh", " ")])
def test_the_menu_of_a_phone_opens_by_keys(reader, served, language, key):
    reader.goto(served + path(language, "softmax.md"))
    menu = reader.locator("label.md-header__button[for=__drawer]")
    link = reader.locator(".md-nav--primary .md-nav__link[href]").first
    expect(link).to_be_hidden()
    menu.focus()
    reader.keyboard.press(key)
    expect(link).to_be_visible()
    expect(reader.locator(".md-sidebar--primary")).to_be_in_viewport(ratio=0.9)


def test_the_shorter_side_stays_in_view(reader, served):
    reader.goto(served + path("en", "cnn/stride.md"))
    tops = reader.evaluate(
        """() => {
            const spare = ({children: [left, right]}) =>
                Math.abs(left.offsetHeight - right.offsetHeight);
            const steps = [...document.querySelectorAll(".step")];
            const step = steps.sort((a, b) => spare(b) - spare(a))[0];
            const [left, right] = step.children;
            const shorter = left.offsetHeight < right.offsetHeight ? left : right;
            const at = (part) => part.getBoundingClientRect().top;
            scrollTo(0, at(step) + scrollY + spare(step) - 80); // the header is lower
            const header = document.querySelector(".md-header");
            return [spare(step), header.offsetHeight, at(shorter), at(step)];
        }"""
    )
    spare, header, shorter, step = tops
    assert spare > 200
    assert step < 0
    assert header <= shorter < header + 20


@phone
def test_wide_formulas_and_arrays_are_tried(reader, served):
    """Else the tests above would pass with nothing in them."""
    reader.goto(served + path("en", "cnn/stride.md"))
    for boxes in ["div.formula .drawn", ".output code", ".execution .highlight code"]:
        wide = f"""[...document.querySelectorAll("{boxes}")].filter(
            (box) => box.scrollWidth > box.clientWidth).length"""
        assert reader.evaluate(wide), boxes


def test_nine_columns_fit_beside_the_derivation(reader, served):
    reader.goto(served + path("en", "cnn/stride.md"))
    outputs = reader.locator(".output code").all()
    nine = [
        code
        for code in outputs
        if re.search(r"\[\[( +-?\d\.\d+){9}", code.text_content())
    ]
    assert nine
    for code in nine:
        assert code.evaluate("(box) => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize(
    "reader", [LOOKS["1440-light"], LOOKS["1440-dark"]], indirect=True
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_printed_page_is_the_page_alone(reader, served, language, tmp_path: Path):
    """Black on white, without navigation, and with all of every formula and line."""
    reader.goto(served + path(language, "cnn/stride.md"))
    reader.set_viewport_size({"width": 720, "height": 1000})  # A4 without its margins
    reader.emulate_media(media="print")
    for part in [".md-header", ".md-sidebar--primary", ".md-footer", ".md-code__nav"]:
        for element in reader.locator(part).all():
            expect(element).to_be_hidden()
    formulas = reader.evaluate(FORMULAS)
    assert formulas
    assert not [title for title in formulas if title is not None]
    cut = f"""[...document.querySelectorAll("{BOXES}")].filter((box) =>
        box.scrollWidth > box.clientWidth
            && getComputedStyle(box).overflowX !== "visible"
    ).map((box) => box.outerHTML.slice(0, 150))"""
    assert not reader.evaluate(cut)
    color = reader.evaluate(
        "getComputedStyle(document.querySelector('.md-content p')).color"
    )
    assert max(map(int, re.findall(r"\d+", color)[:3])) < 128
    assert reader.pdf().startswith(b"%PDF")
