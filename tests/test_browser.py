"""What a reader sees and can do, tried in Chromium on every page.

And on some pages in Firefox and WebKit, where the system has them.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from book.pages import LANGUAGES, ROOT, contents, nav_pages, titles
from tests import engines
from tests.explorers import EXPLORERS
from tests.site import NOTEBOOKS, TAGS, html_path, path

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
QUESTIONS = (ROOT / "tests" / "questions.js").read_text("utf-8")
# A screen of 1366 px, less a scroll bar; wider ones have more room for the same.
WIDE, PHONE = {"width": 1351, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    "1366-light": {"viewport": WIDE, "color_scheme": "light"},
    "390-dark": {"viewport": PHONE, "color_scheme": "dark"},
}
PAGES = [(language, page) for language in LANGUAGES for page in nav_pages()]
# Of the notebooks, which have the same to show, one in each language.
PAGES += [("en", "notebooks/cnn/stride.md"), ("zh", "notebooks/pooling/max.md")]
# What a solution holds is looked at, too, and what is far from the screen.
UNFOLD = """() => {
    document.querySelectorAll("details").forEach((part) => { part.open = true });
    document.querySelectorAll(".step, .explorer").forEach(({ style }) => {
        style.contentVisibility = "visible";
    });
}"""
# access.js sees what scrolls in a frame after that in which it is laid out.
FRAMES = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""
# A block of code gets its button when it is seen.
SCROLL = f"""async () => {{
    const height = document.documentElement.scrollHeight;
    for (let top = 0; top < height; top += innerHeight) {{
        scrollTo(0, top);
        await ({FRAMES})();
    }}
}}"""
# What scrolls sideways where it is too wide.
BOXES = "div.formula .drawn, .highlight code, .md-typeset__scrollwrap"
# What is heard of a page while it loads, beside the answers to QUESTIONS.
HEARD = {"error in the console", "error thrown", "asks outside"}
# Beside those that axe-core asks by itself. It reads no MathML: whether a table's head
# is empty is among QUESTIONS.
RULES = {"target-size": {"enabled": True}, "empty-table-header": {"enabled": False}}
# What a page has scripts for.
SCRIPTED = {"cut, or scrolled by no key"}


# --- Every page, in every look -----------------------------------------------


class Look:
    """A page in one width and scheme, which is asked what is amiss on it."""

    def __init__(self, browser: Browser, home: str, **options) -> None:
        self.page = browser.new_page(reduced_motion="reduce", **options)
        self.heard: list[str] = []
        self.scripted = options.get("java_script_enabled", True)
        self.context = {
            "boxes": BOXES,
            "dark": options["color_scheme"] == "dark",
            "wide": options["viewport"] == WIDE,
        }

        def hear(kind: str, what: object) -> None:
            self.heard.append(f"{kind}: {what}")

        def asked(url: str) -> None:
            if not url.startswith((home, "data:", "about:")):
                hear("asks outside", url)

        self.page.on(
            "console",
            lambda said: (
                said.type == "error" and hear("error in the console", said.text)
            ),
        )
        self.page.on("pageerror", lambda error: hear("error thrown", error))
        self.page.on("request", lambda request: asked(request.url))

    def open(self, url: str) -> None:
        """Begin to load; several looks load side by side."""
        self.page.goto("about:blank")  # what the last page asks for is not this one's
        self.heard.clear()
        self.page.goto(url, wait_until="commit")

    def unfold(self) -> None:
        """Once it is loaded; where scripts are off, no promise is ever kept."""
        self.page.wait_for_load_state()
        self.page.evaluate(UNFOLD)
        if self.scripted:
            self.page.evaluate(FRAMES)

    def complaints(self) -> list[str]:
        """A line for all that is amiss: the question, what was found."""
        self.unfold()
        answers = self.page.evaluate(QUESTIONS, self.context)
        return self.heard + [
            f"{question}: {found}"
            for question, all_found in answers.items()
            for found in all_found
        ]

    def violations(self) -> list[str]:
        """What axe-core finds on the page that is open."""
        self.unfold()
        self.page.evaluate(SCROLL)
        self.page.evaluate(AXE)
        options = {"resultTypes": ["violations"], "preload": False, "rules": RULES}
        return [
            f"{violation['id']}: {node['failureSummary']}\n  {node['html']}"
            for violation in self.page.evaluate("axe.run", options)["violations"]
            for node in violation["nodes"]
        ]


@pytest.fixture(scope="module")
def looks(browser: Browser, served: str) -> Iterator[dict[str, Look]]:
    looks = {name: Look(browser, served, **options) for name, options in LOOKS.items()}
    yield looks
    for look in looks.values():
        look.page.close()


def refuse(complaints: list[str]) -> None:
    """Fail, if there are any, with these and nothing else."""
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.mark.parametrize(("language", "page"), PAGES, ids=map("-".join, PAGES))
def test_nothing_is_amiss(looks, served, language, page):
    for look in looks.values():
        look.open(served + path(language, page))
    refuse(
        [
            f"{language}/{page} at {name}: {complaint}"
            for name, look in looks.items()
            for complaint in look.complaints()
        ]
    )


# --- Pages that together show every component --------------------------------

NO_COMPONENTS = re.compile(r"(?s)<(svg|math|script|style)\b.*?</\1>|<!--.*?-->")
TAG = re.compile(r"<([a-z][\w-]*)(\s[^<>]*)?>")
KNOWN = {
    *(f"{kind}-explorer" for kind in EXPLORERS.kinds),
    *("check-explorer", "figure", "table", "div.graph", "div.legend"),
    *("div.admonition", "details", "div.formula", "span.formula", "a.number"),
    *("p.verified", "div.step", "div.output", "span.gloss", "p.notebook"),
}


def components(html: str) -> set[str]:
    """The elements of a page's article, alone and with each class: p, p.notebook.

    What is drawn is left out, and the colours of code, whose classes are short.
    """
    found = set()
    article = html[html.index("<article") : html.index("</article>")]
    for tag, attributes in TAG.findall(NO_COMPONENTS.sub("", article)):
        classes = re.findall('class="([^"]*)"', attributes)
        names = " ".join(classes).split()
        if tag != "span" or not names or max(map(len, names)) > 2:
            found |= {tag, *(f"{tag}.{name}" for name in names)}
    return found


def cover(shown: dict[str, set[str]]) -> list[str]:
    """Pages that together show all that some page shows; the first go if they can."""
    chosen, everything = [*shown], set().union(*shown.values())
    for page in shown:
        others = [other for other in chosen if other != page]
        if set().union(*(shown[other] for other in others)) == everything:
            chosen = others
    return chosen


def covering(site: Path, language: str) -> list[str]:
    """The addresses of such pages, below that of the site: few, and not the largest."""
    pages = [*nav_pages(), *(f"notebooks/{name}.md" for name in NOTEBOOKS)]
    html = {
        path(language, page): (site / html_path(language, page)).read_text("utf-8")
        for page in pages
    }
    largest_first = sorted(html, key=lambda page: -len(html[page]))
    shown = {page: components(html[page]) for page in largest_first}
    assert set().union(*shown.values()) >= KNOWN
    return cover(shown)


@pytest.mark.book
def test_a_new_component_is_covered():
    pages = {"a": {"p", "a"}, "b": {"p", "a", "figure"}, "c": {"p", "ul"}}
    assert cover(pages) == ["b", "c"]
    html = "<p>x<article><p class='b'><p class=\"new c\"><svg><g></svg></article><i>"
    assert components(html) == {"article", "p", "p.new", "p.c"}
    assert cover({"d": components(html), **pages}) == ["d", "b", "c"]


# Two languages and two looks are tried in two ways, since neither depends on the other.
@pytest.mark.parametrize(("language", "look"), [*zip(LANGUAGES, LOOKS, strict=True)])
def test_axe_finds_no_violation(looks, site, served, language, look):
    found = []
    for address in covering(site, language):
        looks[look].open(served + address)
        found += [f"{address}: {each}" for each in looks[look].violations()]
    refuse(found)


def test_without_scripts_all_is_there(browser, site, served):
    plain = Look(browser, served, java_script_enabled=False, **LOOKS["1366-light"])
    found = []
    for address in covering(site, "en"):
        plain.open(served + address)
        found += [f"{address}: {complaint}" for complaint in plain.complaints()]
    plain.page.close()
    refuse([each for each in found if each.split(": ")[1] not in SCRIPTED])


# --- Each question, and what it complains of ---------------------------------

SOUND = """<!doctype html><html lang="en"><title>Sound</title>
<meta name="viewport" content="width=device-width">
<body data-md-color-scheme="default" style="background: white; color: black">
<main class="md-content"><article><h1 id="one">One</h1><h2>Two</h2><p>Text
<span class="formula"><span class="drawn" aria-hidden="true" data-tex="x"><svg width="9"
height="9"><path id="x" d="M0 0H9V9"/></svg></span></span></p>
<div class="step" style="display: flex"><p>why</p><p>code</p></div>
<div class="highlight"><code tabindex="0" style="display: block; width: 25vw;
overflow: auto; white-space: pre; background: linear-gradient(#fff, #fff) local,
linear-gradient(#fff, #fff) scroll">wide wide wide wide</code></div>
<ul><li><a href="#one">link</a></li></ul><label>name <input></label>
<table><tr><th>head</th></tr></table>%s</article></main>"""
DRAWN = '<p class="formula"><span class="drawn" data-tex="TeX">%s</span></p>'
BOX = '<div class="highlight"><code tabindex="%s" style="display: block; width: 9px; %s'
GRAPH = """<div class="graph" style="position: relative; width: 190px; height: 20px">
<div class="at" style="position: absolute; left: 0">first</div><div class="on"
style="position: absolute; %s"><span style="%s">second</span></div></div>"""
HEADER = """<div class="md-header__topic"><span class="md-ellipsis" style="white-space:
nowrap; display: block; %s">7 Stride</span></div>"""
# What is broken on purpose, and what is found there.
FAULTS = [
    ("error in the console", "<script>console.error('oh')</script>", "oh"),
    ("error thrown", "<script>throw Error('oh')</script>", "oh"),
    ("asks outside", '<img alt="" src="https://example.invalid/x">', "invalid/x"),
    ("scrolls sideways", '<p style="width: 2000px">x</p>', "by "),
    (
        "not the scheme that the reader prefers",
        "<script>document.body.dataset.mdColorScheme = 'slate'</script>",
        "slate",
    ),
    (
        "not the scheme that the reader prefers",
        "<style>body {background: black !important; color: white !important}</style>",
        "default, on 0,0,0",
    ),
    ("source in sight", r"<p>so \(x\) is</p>", r"so \(x\) is"),
    ("source in sight", "<p>so $$x$$ is</p>", "so $$x$$ is"),
    ("formula not drawn", DRAWN % "", "TeX"),
    ("formula not drawn", DRAWN % '<svg><use href="#none"/></svg>', "TeX"),
    (
        "formula not drawn",
        DRAWN % '<svg fill="red"><path d="M0 0H9V9"/></svg>',
        "TeX",
    ),
    (
        "cut, or scrolled by no key",
        BOX % (0, 'overflow: hidden">wide</code></div>'),
        "wide",
    ),
    (
        "cut, or scrolled by no key",
        BOX % (-1, 'overflow: auto">wide</code></div>'),
        "wide",
    ),
    ("too wide", BOX % (0, 'overflow: auto">wide</code></div>'), "wide"),
    ("hidden without a sign", BOX % (0, 'overflow: auto">wide</code></div>'), "wide"),
    ("code not beside its derivation", '<div class="step"><p>a</p><p>b</p></div>', "a"),
    ("graph not legible", GRAPH % ("left: 9px", ""), "second"),
    ("graph not legible", GRAPH % ("left: 160px", ""), "second"),
    ("graph not legible", GRAPH % ("left: 50px; width: 9px", ""), "second"),
    ("graph not legible", GRAPH % ("left: 50px", "font-size: 10px"), "second"),
    ("title in the header cut", HEADER % "width: 9px; overflow: hidden", "Stride"),
    ("too little contrast", '<p style="color: #999">pale</p>', "2.8: <p"),
    ("too little contrast", '<p style="opacity: .4">pale</p>', "<p"),
    ("too little contrast", '<p style="background: #555">dark</p>', "<p"),
    ("no name", '<a href="x"></a>', "<a"),
    ("no name", "<button><svg></svg></button>", "<button"),
    ("no name", '<img src="data:,">', "<img"),
    ("no name", "<input>", "<input"),
    ("id stands twice", '<p id="one">x</p>', "one"),
    ("leads to no id", '<a href="#none">x</a>', "none"),
    ("leads to no id", '<p aria-describedby="one none">x</p>', "none"),
    ("headings out of order", "<h4>x</h4>", "1 2 4"),
    ("headings out of order", "<h1>x</h1>", "1 2 1"),
    ("the page does not say what it is", "<main>x</main>", "main"),
    (
        "the page does not say what it is",
        "<script>document.documentElement.lang = document.title = ''</script>",
        "language",
    ),
    ("list of what is no item", "<ul><p>x</p></ul>", "<p>"),
    ("list of what is no item", "<li>x</li>", "<li>"),
    ("table without a head", "<table><tr><td>x</td></tr></table>", "<table>"),
    ("table without a head", "<table><tr><th> </th><th>x</th></tr></table>", "<th>"),
    ("acts within what acts", '<button>x<a href="x">y</a></button>', "<a"),
    (
        "reached by keys, but hidden",
        '<p aria-hidden="true"><a href="x">y</a></p>',
        "<a",
    ),
    ("an order of its own for keys", '<a href="x" tabindex="3">y</a>', "<a"),
]


@pytest.fixture(scope="module")
def ask(browser: Browser):
    """What is amiss on the sound page with something added."""
    look = Look(browser, "about:", **LOOKS["1366-light"])

    def complaints(added: str) -> list[str]:
        look.heard.clear()
        look.page.set_content(SOUND % added)
        return look.complaints()

    complaints.look = look
    yield complaints
    look.page.close()


def test_a_sound_page_has_no_complaint(ask):
    assert not ask(GRAPH % ("left: 50px", "") + HEADER % "")


@pytest.mark.parametrize(("question", "fault", "told"), FAULTS)
def test_what_is_broken_is_found(ask, question, fault, told):
    found = [line for line in ask(fault) if line.startswith(f"{question}: ")]
    assert found
    assert told in found[0]


SMALL = '<button style="width: 9px; height: 9px; padding: 0">x</button>'


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("target-size", SMALL * 2),
        ("landmark-unique", "<nav>x</nav><nav>y</nav>"),
        ("region", "</article></main><p>x</p>"),
        ("scope-attr-valid", '<table><tr><th scope="x">x</th></tr></table>'),
        ("aria-allowed-role", '<label for="x" role="button">x</label><input id="x">'),
    ],
)
def test_axe_finds_what_is_broken(ask, rule, fault):
    assert not ask("")
    assert not ask.look.violations()
    ask(fault)
    assert [line.split(":")[0] for line in ask.look.violations()] == [rule] * (
        2 if rule == "target-size" else 1
    )


def test_on_a_phone_code_stands_below_its_derivation(browser):
    look = Look(browser, "about:", **LOOKS["390-dark"])
    look.page.set_content(SOUND % "")
    (scheme, code) = sorted(look.complaints(), reverse=True)
    assert scheme.startswith("not the scheme")
    assert code == "code not beside its derivation: whycode"

    box = '<div class="formula" %s><div class="drawn" title="%s" style="width: 9px">'
    box += "<svg width='99' height='9'><path d='M0 0H99V9'/></svg></div></div>"
    look.page.set_content(SOUND % (box % ("", "x") + box % ('id="eq-a"', "a")))
    found = [line for line in look.complaints() if line.startswith("too wide")]
    look.page.close()
    (labelled,) = found
    assert 'title="a"' in labelled


def test_every_question_has_a_broken_case(ask):
    ask("")
    asked = ask.look.page.evaluate(QUESTIONS, ask.look.context).keys()
    assert asked | HEARD == {question for question, _, _ in FAULTS}


# --- In Firefox and WebKit ---------------------------------------------------

# Where on the screen the element with an id begins.
TOP = "(id) => document.getElementById(id).getBoundingClientRect().top"
# All questions; and what shows that scripts and styles of ours were understood.
ELSEWHERE = f"""return (async (context) => {{
    ({UNFOLD})();
    await ({FRAMES})();
    const found = ({QUESTIONS.strip().removesuffix(";")})(context);
    delete found["too wide"]; // their letters are not as wide
    const every = (selector) => [...document.querySelectorAll(selector)];
    const line = (element) => getComputedStyle(element).textDecorationLine;
    const heard = every(".gloss").filter((term) => term.tabIndex < 0);
    const lined = every(
        ".gloss, article p > a:not([class]), .edits .cell:not(.put, .made) text");
    found["no script"] = [...every(":not(:defined)"), ...heard];
    found["no line"] = lined.filter((element) => line(element) !== "underline");
    for (const name of ["no script", "no line"])
        found[name] = found[name].slice(0, 5).map((element) => element.outerHTML);
    return Object.entries(found).flatMap(([question, all]) =>
        all.map((each) => `${{question}}: ${{each}}`));
}})(arguments[0])"""


@pytest.fixture(scope="module", params=[engines.Firefox, engines.WebKit])
def elsewhere(request, tmp_path_factory):
    """Asks a page in another browser; without one that is said, and nothing tried."""
    engine = request.param
    path = engine.path()
    if path is None:
        name = engine.__name__
        pytest.skip(f"NOTHING WAS TRIED IN {name}: apt install {engine.WANTS}")
    opened = engine(path, tmp_path_factory.mktemp("profile"))

    def complaints(url: str) -> list[str]:
        opened.open(url)
        context = {"boxes": BOXES, "dark": False, "wide": True}
        return opened.evaluate(ELSEWHERE, context)

    complaints.opened = opened
    yield complaints
    engines.close(opened)


def test_other_browsers_show_the_same(elsewhere, site, served):
    refuse(
        [
            f"{address}: {complaint}"
            for address in covering(site, "en")
            for complaint in elsewhere(served + address)
        ]
    )


def test_other_browsers_find_what_is_broken(elsewhere):
    unlined = '<style>a {text-decoration: none}</style><p><a href="#one">x</a></p>'
    unknown = "<conv-explorer></conv-explorer>"
    wide = '<p style="width: 2000px">x</p>'
    page = quote(SOUND % (unlined + unknown + wide))
    found = elsewhere(f"data:text/html;charset=utf-8,{page}")
    assert {line.split(": ")[0] for line in found} == {
        *("no line", "no script", "scrolls sideways")
    }


def test_other_browsers_lead_to_a_place(elsewhere, served):
    elsewhere.opened.open(f"{served}{path('en', 'cnn/stride.md')}#exercises")
    top = elsewhere.opened.evaluate(
        f"return ({FRAMES})().then(() => ({TOP})('exercises'))"
    )
    assert 0 < top < 100


# --- What a reader does ------------------------------------------------------


@pytest.fixture
def reader(browser: Browser, request) -> Iterator[Page]:
    """A page of its own, since what is done to it leaves traces."""
    options = LOOKS[getattr(request, "param", "1366-light")]
    context = browser.new_context(reduced_motion="reduce", **options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


in_both = pytest.mark.parametrize("reader", LOOKS, indirect=True)
phone = pytest.mark.parametrize("reader", ["390-dark"], indirect=True)
CLIPBOARD = "navigator.clipboard.readText()"


@pytest.mark.parametrize("there", ["index.md", "softmax.md", "cnn/stride.md"])
def test_the_language_switch_keeps_the_place(reader, served, there):
    """There and back."""
    reader.goto(served + path("en", there))
    anchor = reader.locator("h2[id]").nth(1).get_attribute("id")
    reader.locator("label.md-header__button[for=__drawer]").click()
    reader.locator(f'.md-nav--primary a[href="#{anchor}"]').click()
    expect(reader.locator(".md-sidebar--primary")).to_be_hidden()
    for to in ["zh", "en"]:
        reader.get_by_role("banner").locator(".md-select button").hover()
        reader.locator(f'.md-select a[hreflang="{to}"]').click()
        expect(reader).to_have_url(f"{served}{path(to, there)}#{anchor}")
        expect(reader.locator("html")).to_have_attribute("lang", TAGS[to])
        expect(reader.locator(f"#{anchor}")).to_be_in_viewport()


def test_the_language_switch_follows_who_has_scrolled(reader, served):
    """Past what the address names, and where it names nothing."""
    for address in ["", "#vjp"]:
        reader.goto(served + path("en", "softmax.md") + address)
        reader.locator("#summary").evaluate("(heading) => heading.scrollIntoView()")
        reader.get_by_role("banner").locator(".md-select button").hover()
        reader.locator('.md-select a[hreflang="zh"]').click()
        expect(reader).to_have_url(f"{served}{path('zh', 'softmax.md')}#summary")
        expect(reader.locator("#summary")).to_be_in_viewport()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_copied_is_tex_and_code(reader, served, language):
    reader.goto(served + path(language, "softmax.md"))
    found = reader.evaluate(
        """() => {
            const paragraph = document.querySelector("p:has(.formula)");
            getSelection().selectAllChildren(paragraph);
            const drawn = paragraph.querySelectorAll(".formula [data-tex]");
            return [...drawn].map(({ dataset }) => dataset.tex);
        }"""
    )
    reader.keyboard.press("Control+c")
    copied = reader.evaluate(CLIPBOARD)
    assert found
    for tex in found:
        assert f"${tex}$" in copied
    assert "¶" not in copied

    block = reader.locator(".execution .highlight.language-python").nth(1)
    block.get_by_role("button").click()
    expect(reader.locator(".md-dialog")).to_be_visible()
    copied = reader.evaluate(CLIPBOARD)
    assert "def softmax(" in copied
    assert copied == block.locator("code").text_content().rstrip()


def test_a_menu_and_keys_select_a_formula_to_be_copied(reader, served):
    reader.goto(served + path("en", "softmax.md"))
    formulas = reader.locator("article .formula")
    wanted = formulas.evaluate_all(
        """(formulas) => formulas.map((formula) => {
            const dollars = formula.matches("div") ? "$$" : "$";
            return dollars + formula.querySelector("[data-tex]").dataset.tex + dollars;
        })"""
    )

    def copied() -> str:
        reader.keyboard.press("Control+c")
        return reader.evaluate(CLIPBOARD)

    formulas.nth(5).click(button="right")
    assert copied() == wanted[5]
    expect(formulas.nth(5)).to_have_class("formula selected")
    for key, place in [("t", 6), ("t", 7), ("Shift+T", 6)]:
        reader.keyboard.press(key)
        assert copied() == wanted[place]
        expect(formulas.nth(place)).to_be_in_viewport()

    # What is selected stays so; a formula of another screen is where keys begin.
    reader.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    reader.locator("p:has(.formula)").first.evaluate(
        "(paragraph) => getSelection().selectAllChildren(paragraph)"
    )
    formulas.nth(0).click(button="right")
    assert len(copied()) > len(wanted[0])
    last = formulas.locator("visible=true").last
    last.scroll_into_view_if_needed()
    reader.keyboard.press("t")
    expect(reader.locator(".formula.selected")).to_be_in_viewport()
    reader.keyboard.press("/")
    reader.keyboard.type("t")
    expect(reader.locator(".md-search__input")).to_have_value("t")


@in_both
def test_keys_go_to_what_copies_code(reader, served):
    """Which Tab passes over: to every one, though it comes only when it is seen."""
    reader.goto(served + path("en", "cnn/stride.md"))
    blocks = reader.locator(".execution > .highlight pre:visible")
    for key, order in [("c", range(blocks.count())), ("Shift+C", [-2, -3])]:
        for place in order:
            reader.keyboard.press(key)
            copies = blocks.nth(place).get_by_role("button")
            expect(copies).to_be_focused()
            expect(copies).to_be_in_viewport(ratio=1)
    reader.keyboard.press("Enter")
    expect(reader.locator(".md-dialog")).to_be_visible()
    copied = blocks.nth(-3).locator("code").text_content().rstrip()
    assert reader.evaluate(CLIPBOARD) == copied
    reader.keyboard.press("/")
    reader.keyboard.type("c")
    expect(reader.locator(".md-search__input")).to_have_value("c")


# Marks what has the focus and says what of it is not on the screen, or has no ring of
# 2 px, or none that differs from what lies around it.
FOCUSED = """() => {
    const light = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).map((part) => (part / 255) ** 2.2);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const ringed = (element) => {
        const seen = element.querySelector(":scope > rect") ?? element;
        const style = getComputedStyle(seen);
        const within = parseFloat(style.outlineOffset) < 0;
        let ground = within ? element : element.parentElement;
        const color = () => getComputedStyle(ground).backgroundColor;
        const clear = () => ground.parentElement && / 0\\)$/.test(color());
        while (clear()) ground = ground.parentElement;
        const drawn = element.matches("svg *");
        const ring = light(drawn ? style.stroke : style.outlineColor) / light(color());
        const width = parseFloat(drawn ? style.strokeWidth : style.outlineWidth);
        return width >= 2 && (drawn || style.outlineStyle === "solid")
            && Math.max(ring, 1 / ring) >= 3;
    };
    const element = document.activeElement;
    if (element === document.body) return null;
    element.dataset.reached = "";
    // The buttons for the scheme are drawn as labels, of which one is shown.
    const button = element.closest(".md-option")?.parentElement;
    const shown = button?.querySelector("label:not([hidden])") ?? element;
    const {left, right, top, bottom} = shown.getBoundingClientRect();
    return right > 0 && left < innerWidth && bottom > 0 && top < innerHeight
        && shown.checkVisibility({visibilityProperty: true, opacityProperty: true})
        && ringed(shown) ? "" : element.outerHTML.slice(0, 150);
}"""
# What answers to a click, or scrolls, and never had the focus.
UNREACHED = f"""() => [...document.querySelectorAll(
    "a[href], button, input, summary, label.md-header__button, {BOXES}"
)].filter((element) => {{
    const {{width}} = element.getBoundingClientRect();
    const fits = element.scrollWidth <= element.clientWidth;
    const passed = element.matches("{BOXES}") && fits
        || element.matches("[for=__search]") // its input is reached
        || element.matches("[tabindex='-1'], .md-toggle")
        || element.querySelector(":scope > button"); // which is reached
    const options = {{visibilityProperty: true, opacityProperty: true}};
    return width && element.checkVisibility(options) && !passed
        && element.closest("form:has(.md-option)") === null
        && element.dataset.reached === undefined;
}}).map((element) => element.outerHTML.slice(0, 150))"""


@in_both
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
    # Half of the 203 that there once were; on a phone more code scrolls.
    most = 203 / 2 if reader.viewport_size == WIDE else 125
    if page_ == "notation.md":  # has a link to each page whose symbols it lists
        most += 30
    assert 50 < len(hidden) <= most
    assert not [*filter(None, hidden)]
    assert not reader.evaluate(UNREACHED)


def search_opens(reader: Page) -> None:
    """By a key, and closes by another."""
    output = reader.locator(".md-search__output")
    expect(output).to_be_hidden()
    reader.keyboard.press("/")
    expect(reader.locator(".md-search__input")).to_be_focused()
    reader.keyboard.type("softmax")
    expect(output).to_be_visible()
    expect(output).to_be_in_viewport()
    reader.keyboard.press("Escape")
    expect(output).to_be_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_search_change_the_scheme_and_skip_the_navigation(
    reader, served, language
):
    reader.goto(served + path(language, "softmax.md"))
    search_opens(reader)
    reader.reload()
    for _ in ["skip", "menu", "scheme"]:
        reader.keyboard.press("Tab")
    reader.keyboard.press("Enter")
    body = reader.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    reader.reload()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")

    reader.keyboard.press("Tab")
    expect(reader.locator(".md-skip")).to_be_focused()
    expect(reader.locator(".md-skip")).to_be_in_viewport()
    reader.keyboard.press("Enter")
    reader.keyboard.press("Tab")
    inside = "document.querySelector('.md-content').contains(document.activeElement)"
    assert reader.evaluate(inside)


@in_both
@pytest.mark.parametrize(("language", "key"), [("en", "Enter"), ("zh", " ")])
def test_keys_search_and_open_the_menu(reader, served, language, key):
    reader.goto(served + path(language, "softmax.md"))
    search_opens(reader)
    menu = reader.locator("label.md-header__button[for=__drawer] button")
    link = reader.locator(".md-nav--primary .md-nav__link[href]").first
    colours = "(icons) => icons.map((icon) => getComputedStyle(icon).fill)"
    assert len({*reader.locator(".md-header__button svg").evaluate_all(colours)}) == 1
    expect(link).to_be_hidden()
    menu.focus()
    reader.keyboard.press(key)
    expect(link).to_be_visible()
    expect(reader.locator(".md-sidebar--primary")).to_be_in_viewport(ratio=0.9)
    reader.locator("label.md-overlay").click(position={"x": 380, "y": 500})
    expect(link).to_be_hidden()


def test_the_navigation_is_at_the_side_where_there_is_room(reader, served):
    """And code still has all of its column."""
    reader.set_viewport_size({"width": 1760, "height": 900})
    reader.goto(served + path("en", "cnn/stride.md"))
    expect(reader.locator("label.md-header__button[for=__drawer]")).to_be_hidden()
    link = reader.locator(".md-nav--primary .md-nav__link--active[href]").first
    expect(link).to_be_in_viewport()
    end = link.evaluate(
        "(link) => link.closest('.md-sidebar').getBoundingClientRect().right"
    )
    start = reader.locator("article").bounding_box()["x"]
    assert end <= start
    asked = {"boxes": BOXES, "dark": False, "wide": True}
    assert not reader.evaluate(QUESTIONS, asked)["too wide"]


@in_both
def test_who_wants_contrast_gets_it(reader, served):
    reader.emulate_media(contrast="more")
    reader.goto(served + path("en", "cnn/stride.md"))
    dark = reader.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    asked = {"boxes": BOXES, "dark": dark, "wide": not dark, "contrast": 7}
    assert not reader.evaluate(QUESTIONS, asked)["too little contrast"]
    link = reader.locator("article p a:not([class])").first
    style = "getComputedStyle(link)"
    assert link.evaluate(f"(link) => {style}.textDecorationColor === {style}.color")


# How much of the height is covered by what stays in view, side by side or across.
COVERED = """() => {
    const across = [...document.querySelectorAll("*")].filter((element) => {
        const {position} = getComputedStyle(element);
        const {width} = element.getBoundingClientRect();
        return /fixed|sticky/.test(position) && width > innerWidth / 2
            && element.checkVisibility({visibilityProperty: true});
    }).map((element) => element.getBoundingClientRect());
    const rows = [...Array(innerHeight).keys()];
    return rows.filter((row) => across.some(
        ({top, bottom}) => top <= row && row < bottom)).length / innerHeight;
}"""


def test_enlarged_twice_two_thirds_of_the_height_are_text(reader, served):
    """A window of 1440 to 900 pixels at 200 %."""
    reader.set_viewport_size({"width": 720, "height": 450})
    reader.goto(served + path("en", "cnn/stride.md"))
    for place in ["h2 >> nth=1", "conv-explorer .panel >> nth=0"]:
        reader.locator(place).evaluate("(element) => element.scrollIntoView()")
        assert reader.evaluate(COVERED) <= 1 / 3
    half = "position: fixed; inset: 50% 0 0; max-height: none"
    reader.evaluate(f"document.querySelector('.md-header').style.cssText = '{half}'")
    assert reader.evaluate(COVERED) > 1 / 3


@phone
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["cnn/stride.md", "glossary.md"])
def test_on_a_phone_the_header_says_the_page(reader, served, language, page):
    reader.goto(served + path(language, page))
    shown = reader.locator(".md-header__topic:visible")
    expect(shown).to_have_text(titles(contents()[language])[page])
    expect(shown).to_have_css("opacity", "1")


@phone
def test_on_a_phone_nowhere_has_a_header_too(reader, served):
    reader.goto(served + "no/such/page/")
    shown = reader.locator(".md-header__topic:visible").filter(has_text=re.compile("."))
    expect(shown).to_have_text("Backpropagation, derived and checked")


def test_without_scripts_keys_open_the_menu(browser, served):
    reader = browser.new_page(java_script_enabled=False, **LOOKS["1366-light"])
    reader.goto(served + path("en", "softmax.md"))
    menu = reader.locator(".md-sidebar--primary")
    expect(menu).to_be_hidden()
    reader.keyboard.press("Tab")
    outline = "outline-style"
    expect(reader.locator(".md-header [for=__drawer]")).to_have_css(outline, "solid")
    reader.keyboard.press(" ")
    expect(menu).to_be_visible()
    reader.close()


def test_columns_hold_nine_numbers_and_the_shorter_stays_in_view(reader, served):
    reader.goto(served + path("en", "cnn/stride.md"))
    reader.evaluate(UNFOLD)
    outputs = reader.locator(".output code").all()
    row = re.compile(r"\[\[( +-?\d\.\d+){9}")
    nine = [code for code in outputs if row.search(code.text_content())]
    assert nine
    fits = """(box) => {
        box.style.whiteSpace = "pre"; // else its lines would break
        return box.scrollWidth <= box.clientWidth;
    }"""
    for code in nine:
        assert code.evaluate(fits)

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


@in_both
def test_a_formula_out_of_sight_has_its_place(reader, served):
    """Nothing moves when it is drawn, so that links and reloads find their places."""
    reader.goto(served + path("en", "cnn/stride.md"))
    reader.evaluate(UNFOLD)
    last = reader.locator(".drawn > svg").last
    skipped = "(e) => getComputedStyle(e).contentVisibility"
    assert last.evaluate(skipped) == "auto"
    places = """() => [...document.querySelectorAll("article :is(.drawn, h2, pre)")]
        .map((part) => part.getBoundingClientRect().toJSON())"""
    before = reader.evaluate(places)
    visible = ".formula svg { content-visibility: visible !important }"
    reader.add_style_tag(content=visible)
    assert last.evaluate(skipped) == "visible"
    assert reader.evaluate(places) == before
    assert len(before) > 100


@in_both
def test_links_lead_to_their_places(reader, served):
    """Though the height of what lies above is known only near the screen."""
    page = served + path("en", "cnn/stride.md")

    def tops(anchors: list[str]) -> list[float]:
        found = []
        for anchor in anchors:
            reader.goto("about:blank")
            reader.goto(f"{page}#{anchor}")
            reader.evaluate(FRAMES)
            found.append(reader.evaluate(TOP, anchor))
        return found

    reader.goto(page)
    skipped = "(step) => getComputedStyle(step).contentVisibility"
    assert reader.locator(".step").last.evaluate(skipped) == "auto"
    places = reader.locator("article :is(h2, h3, div.formula)[id]:visible")
    anchors = places.evaluate_all("(places) => places.map(({ id }) => id)")[::4]
    assert len(anchors) > 4
    header = reader.locator(".md-header").bounding_box()["height"]
    assert all(header < top < header + 70 for top in tops(anchors))

    reader.add_init_script(
        """addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML(
            "beforeend", "<style>* { overflow-anchor: none !important }</style>"))"""
    )
    assert not all(header < top < header + 70 for top in tops(anchors))


# How far a picture's colours are from that of its middle; a shade of its own is 1.
UNEVEN = """async (picture) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const {width, height} = image;
    const pen = new OffscreenCanvas(width, height).getContext("2d");
    pen.drawImage(image, 0, 0);
    const {data} = pen.getImageData(0, 0, width, height);
    const middle = 4 * ((height >> 1) * width + (width >> 1));
    const far = (part, i) => Math.abs(part - data[middle + i % 4]);
    return data.reduce((most, part, i) => Math.max(most, far(part, i)), 0);
}"""


@pytest.mark.parametrize("scale", [1, 1.25, 1.5])
def test_what_fits_has_no_shadow(browser, served, scale):
    """Also where a pixel of the page is none of the screen: it would be a bar."""
    looks = {**LOOKS["390-dark"], "device_scale_factor": scale}
    reader = browser.new_page(**looks)
    reader.goto(served + path("en", "notation.md"))
    reader.add_style_tag(content=".formula svg { visibility: hidden }")

    def uneven() -> float:
        pictures = [
            formula.screenshot()
            for formula in reader.locator("div.formula[id] .drawn").all()[:4]
        ]
        return max(
            reader.evaluate(UNEVEN, b64encode(picture).decode()) for picture in pictures
        )

    assert uneven() <= 2
    uncovered = "0 0, 0 0, 0.5rem 100%, 0.5rem 100% !important"
    reader.add_style_tag(content=f".drawn {{ background-size: {uncovered} }}")
    assert uneven() > 2
    reader.close()


@phone
def test_wide_formulas_and_arrays_are_tried(reader, served):
    """Else the tests above would pass with nothing in them."""
    reader.goto(served + path("en", "cnn/stride.md"))
    for boxes in ["div.formula .drawn", ".output code", ".execution .highlight code"]:
        wide = f"""[...document.querySelectorAll("{boxes}")].filter(
            (box) => box.scrollWidth > box.clientWidth).length"""
        assert reader.evaluate(wide), boxes


@pytest.mark.parametrize(
    ("language", "reader"), [*zip(LANGUAGES, LOOKS, strict=True)], indirect=["reader"]
)
def test_a_printed_page_is_the_page_alone(reader, served, language, tmp_path: Path):
    """Black on white, without navigation, and with all of every formula and line."""
    reader.goto(served + path(language, "cnn/stride.md"))
    reader.set_viewport_size({"width": 720, "height": 1000})  # A4 without its margins
    reader.emulate_media(media="print")
    for part in [".md-header", ".md-sidebar--primary", ".md-footer", ".md-code__nav"]:
        for element in reader.locator(part).all():
            expect(element).to_be_hidden()
    skipped = "(e) => getComputedStyle(e).contentVisibility"
    assert reader.locator(".drawn > svg").last.evaluate(skipped) == "visible"
    asked = {"boxes": BOXES, "dark": False, "wide": False}
    assert not reader.evaluate(QUESTIONS, asked)["formula not drawn"]
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
