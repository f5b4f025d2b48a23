"""The book as a PDF: its contents tell the truth, its links lead on, nothing is cut."""

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html import unescape
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser
from pypdf import PageObject, PdfReader

import make
import tools.pdf.book
from book import steps
from book.pages import DOCS, LANGUAGES, REFERENCE, ROOT, contents, nav_pages
from book.sessions import OUTPUT
from tests.minibook import FRONT, MiniBook
from tests.site import html_path
from tools.pdf.book import BookError

HEADING = re.compile(
    r'(?s)<h([1-3]) id="([^"]*)">(.*?)<a class="headerlink".*?</h[1-3]>', re.DOTALL
)
NUMBERED = re.compile(
    r'<div class="formula" id="(eq-[^"]*)".*?>\((\d+)\.(\d+)\)</a>', re.DOTALL
)
# Before the title of a page.
CHAPTER = re.compile(r'<span class="number">(\d+)</span> ')
WIDTH = 642  # CSS pixels between the margins of A4
# Points: the height of A4, and its margins.
HEIGHT, HEAD, FOOT = (millimetres / 25.4 * 72 for millimetres in (297, 24, 22))


# A book of three pages, with all that a page of the site can have and print cares for.
TEXT = "一人大小山 and more of it, so that the next page is reached. " * 30
ONE = r"""# One { #one }

With $\frac{\partial \ell}{\partial z}$, [two](part/two.md#s3) and $\eqref{two}$.

$$
\frac{\partial \ell}{\partial x} = 1 \label{step-one}
$$

## Code { #code }

```python
def double(x):
    return 2 * x
```

| head | $x$ |
|---|---|
| cell | cell |

!!! note
    Noted.

??? success "Solution"
    It is $\sum_i x_i$.
"""
SECTION = f"""## Section $x_%s$ {{ #s%s }}

{TEXT}

### Under it {{ #u%s }}

{TEXT}

"""
TWO = r"""# Two { #two }

$$
a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z \label{two}
$$

See $\eqref{step-one}$.

""" + "".join(SECTION % (number, number, number) for number in range(9))
# Blocks of all lengths, each after as much text, so that pages end everywhere in them;
# and solutions that are longer than half a page.
LINES = [*range(1, 40, 3), 12, 13, 3, 11, 12, 12, 13]
SOLUTION = '??? success "Solution"\n\n' + f"    {TEXT[:200]}\n\n" * 13
BLOCKS = "# Blocks { #blocks }\n\n" + "\n\n".join(
    f"{TEXT[:400]}\n\n```python\n"
    + "\n".join(f"c{index}_{line} = 1" for line in range(lines))
    + f"\n```\n\n{OUTPUT}\n```text\no{index}_0\no{index}_1\n```"
    for index, lines in enumerate(LINES)
)
BLOCKS += "\n\n" + f"{TEXT}\n\n{SOLUTION}" * 3
HOME = "# Book {{ #home }}\n\n[{0}](one.md), [two](part/two.md), 反向传播.\n"
PAGES = {
    "index.md": HOME,
    "one.md": ONE,
    "part/two.md": TWO,
    "blocks.md": BLOCKS,
    "verification.md": "# Checks { #checks }\n\n<!-- verification table -->\n\n"
    "## Run { #last-run }\n\nText.\n\n## Outputs { #outputs }\n\nText.\n",
}


class Book(NamedTuple):
    language: str
    site: Path
    pages: list[str]
    code: tuple[str, str]  # a place, and what is written there
    pdf: bytes
    reader: PdfReader
    text: str  # of the document that was printed
    wide: list[str]
    folded: int
    formulas: int
    fonts: list[str]

    def page_of(self, name: str) -> int:
        place = self.reader.named_destinations[f"/{name}"]
        return self.reader.get_destination_page_number(place) + 1

    def text_of(self, number: int) -> str:
        return squeezed(self.reader.pages[number - 1].extract_text())

    def numbers(self) -> list[str]:
        """Of each page, as the site has it; "" where it has none."""
        found = [CHAPTER.search(html) for _, html in self.chapters()]
        return [number[1] if number else "" for number in found]

    def chapters(self) -> Iterator[tuple[str, str]]:
        """By what the PDF calls it, the HTML of each page."""
        for page in self.pages:
            key = page.removesuffix(".md").replace("/", ".").replace("index", "home")
            yield key, (self.site / html_path(self.language, page)).read_text("utf-8")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


# What stands out of the page to the left or right, in the document as it is printed.
WIDE = """(width) => [...document.body.querySelectorAll("*")].filter((part) => {
    const {left, right} = part.getBoundingClientRect();
    const cut = part.scrollWidth > part.clientWidth + 1
        && /auto|scroll|hidden|clip/.test(getComputedStyle(part).overflowX);
    return part.checkVisibility() && (left < -1 || right > width + 1 || cut);
}).map((part) => `${part.closest(".chapter")?.id}: ${part.outerHTML.slice(0, 150)}`)"""

# As large as on the site, where long lines scroll.
LARGE = """() => document.querySelectorAll("code").forEach(
    (part) => part.style.setProperty("font-size", "16px", "important")
)"""


def font_families(page) -> list[str]:
    """The fonts that the browser takes for the first heading."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": "#cover h1"})
    used = session.send("CSS.getPlatformFontsForNode", {"nodeId": node["nodeId"]})
    return [font["familyName"] for font in used["fonts"]]


@pytest.fixture(scope="module")
def mini(tmp_path_factory) -> Path:
    """The site of the book of three pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        part = FRONT.format("Two", 2).replace("order", "part: Part\norder", 1)
        texts = {**PAGES, "part/two.md": part + TWO}
        book = MiniBook(tmp_path_factory.mktemp("mini"), texts)
        for language, part in REFERENCE.items():
            front = FRONT.format("Checks", f"4\npart: {part}")
            name = "verification.md"
            book.page(front + PAGES[name], name, language)
        shutil.copytree(ROOT / "docs" / "assets", book.root / "docs" / "assets")
        for language in LANGUAGES:
            book.page(HOME.format(language), "index.md", language)
        book.build(strict=True)
    return book.root / "site"


BOOKS = [pytest.param(("mini", each), id=f"mini-{each}") for each in LANGUAGES]
BOOKS += [
    pytest.param(("site", each), id=f"site-{each}", marks=pytest.mark.full)
    for each in LANGUAGES
]


@pytest.fixture(scope="module", params=BOOKS)
def book(request, browser: Browser) -> Book:
    """A book of three pages, or with the full profile that of the whole site."""
    which, language = request.param
    site = request.getfixturevalue(which)
    known = {
        "mini": {"pages": [*PAGES], "code": ("one:code", "defdouble(x):")},
        "site": {"pages": nav_pages(), "code": ("softmax:forward", "defsoftmax(z):")},
    }
    with tools.pdf.book.opened(site, language, browser) as page:
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        seen = {
            "text": page.evaluate("document.body.textContent"),
            "wide": page.evaluate(WIDE, WIDTH),
            "folded": page.locator("details:not([open])").count(),
            "formulas": page.locator(".formula").count(),
            "fonts": font_families(page),
        }
        made = tools.pdf.book.book(page)
    reader = PdfReader(io.BytesIO(made))
    return Book(language, site, pdf=made, reader=reader, **seen, **known[which])


def headings(book: Book) -> list[list[tuple[int, str, str | None]]]:
    """Of each page the level, the target and, where no formula is in it, the title."""
    found = []
    for key, html in book.chapters():
        found.append([])
        for level, anchor, title in HEADING.findall(html):
            title = CHAPTER.sub("", title)
            plain = None if "<svg" in title else re.sub("<[^>]*>", "", title)
            plain = plain and squeezed(unescape(plain))
            found[-1].append((int(level), f"{key}:{anchor}", plain))
    return found


# --- Contents ------------------------------------------------------------------


@pytest.fixture(scope="module")
def listed(book) -> list[tuple[str, str, str]]:
    """Target, text and printed number of each line of the contents."""
    found = []
    for number in range(2, book.page_of("home:home")):
        page = book.reader.pages[number - 1]
        targets = [link.get_object()["/Dest"][1:] for link in page["/Annots"]]
        lines = re.findall(r"(?m)^(.*\S) +(\d+)$", page.extract_text())
        assert len(lines) == len(targets)
        found += [(target, *line) for target, line in zip(targets, lines, strict=True)]
    return found


def test_the_contents_name_every_chapter_and_section(book, listed):
    wanted = [each for each in chain(*headings(book)) if each[0] < 3]
    assert [target for target, _, _ in listed] == [name for _, name, _ in wanted]
    for (target, text, _), (level, _, title) in zip(listed, wanted, strict=True):
        if title and target != "home:home":  # which is called "About this book"
            number = r"\d*" if level == 1 else ""
            assert re.fullmatch(number + re.escape(title), squeezed(text))


@pytest.fixture(scope="module")
def marks(book) -> dict[str, dict]:
    """The bookmark of each heading, by target; title page and contents come before."""

    def flat(outline: list) -> list[dict]:
        return [
            mark
            for item in outline
            for mark in (flat(item) if isinstance(item, list) else [item])
        ]

    _, _, *found = flat(book.reader.outline)
    targets = [target for _, target, _ in chain(*headings(book))]
    return dict(zip(targets, found, strict=True))


def test_the_numbers_in_the_contents_are_those_of_the_pages(book, listed, marks):
    """By where a link to the heading leads, and by where the heading was drawn."""
    numbers = [int(number) for _, _, number in listed]
    assert numbers == [book.page_of(target) for target, _, _ in listed]
    drawn = [marks[target] for target, _, _ in listed]
    assert numbers == [
        book.reader.get_destination_page_number(mark) + 1 for mark in drawn
    ]


def test_a_chapter_lies_where_the_contents_say(book, listed):
    """By what is written there, with its number, and the page's at its foot."""
    numbers = {target: number for target, _, number in listed}
    own = book.site.parent / "docs"  # of the small book
    pages = contents(own if own.exists() else DOCS)[book.language]
    chapters = zip(headings(book), pages, book.numbers(), strict=True)
    for ((_, target, title), *_), page, chapter in chapters:
        text = book.text_of(int(numbers[target]))
        if target != "home:home" and title:
            short = squeezed(page.front["title"])  # in the running head
            assert text.count(f"{chapter}{title}") > (short == title)
            assert f"{chapter}{short}" in text.replace("ﬁ", "fi")
        assert numbers[target] in text


def test_a_chapter_has_the_number_of_its_equations(book):
    """And each equation lies where a reference to it leads."""
    found, text_of = 0, cache(book.text_of)
    for (key, html), of_page in zip(book.chapters(), book.numbers(), strict=True):
        for anchor, chapter, number in NUMBERED.findall(html):
            there = text_of(book.page_of(f"{key}:{anchor}"))
            assert chapter == of_page
            assert f"({chapter}.{number})" in there
            found += 1
    assert found > 1


def test_no_heading_stands_alone_at_the_foot_of_a_page(marks):
    assert not [target for target, mark in marks.items() if mark["/Top"] < FOOT + 40]


def test_the_bookmarks_say_what_the_headings_say(book, marks):
    for chapter, of_page in zip(headings(book), book.numbers(), strict=True):
        for level, target, title in chapter:
            if title and target != "home:home":
                number = of_page if level == 1 else ""
                assert squeezed(marks[target]["/Title"]) == f"{number}{title}"


# --- Where a page ends ---------------------------------------------------------------


def filled(page: PageObject) -> float:
    """How much of the height between the margins lies above the last line of text."""
    top, lines = HEIGHT - HEAD, [HEIGHT - HEAD]

    def see(text: str, to_page: list[float], to_text: list[float], *_: object) -> None:
        height = to_text[4] * to_page[1] + to_text[5] * to_page[3] + to_page[5]
        if text.strip() and FOOT < height < top:
            lines.append(height)

    page.extract_text(visitor_text=see)
    return (top - min(lines)) / (top - FOOT)


def test_no_page_is_left_half_empty(book):
    """Unless a chapter ends there."""
    pages = [filled(page) for page in book.reader.pages]
    begins = [book.page_of(target) for (_, target, _), *_ in headings(book)]
    ends = {begin - 1 for begin in begins} | {len(pages)}
    inner = set(range(begins[0], len(pages))) - ends
    low = [number for number in sorted(inner) if pages[number - 1] < 2 / 3]
    # What is never broken, a graph or an explorer, may just miss the end of a
    # page, whatever was edited before it: none of 650 pages, later four of 956, and
    # with the figures of the part Learning seven of 1055.
    assert len(low) <= len(pages) // 125, low


def test_short_code_is_whole_and_has_its_output(mini, browser):
    """In the book, and where a reader prints the page."""
    printed = {"color_scheme": "light", "java_script_enabled": False}
    page = browser.new_page(**printed)
    page.goto((mini / "blocks" / "index.html").as_uri())
    alone = page.pdf(format="A4")
    page.close()
    with tools.pdf.book.opened(mini, "en", browser) as page:
        whole = tools.pdf.book.book(page)
    for made in [alone, whole]:
        place = {}
        for number, page in enumerate(PdfReader(io.BytesIO(made)).pages):
            for name in re.findall(r"\b[co]\d+_\d+\b", page.extract_text()):
                place[name] = number
        broken = 0
        for index, lines in enumerate(LINES):
            assert place[f"c{index}_{lines - 1}"] == place[f"o{index}_1"]
            across = place[f"c{index}_0"] != place[f"c{index}_{lines - 1}"]
            assert not (across and lines <= steps.WHOLE)
            broken += across
        assert broken > 2


# --- Links, formulas, text -------------------------------------------------------


def test_links_lead_to_places_in_the_book(book):
    """Also those to other pages of the site; what is outside keeps its address."""
    known = book.reader.named_destinations
    targets, addresses = set(), set()
    for page in book.reader.pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                targets.add(link["/Dest"])
            else:
                addresses.add(link["/A"]["/URI"])
    assert len(targets) > len(book.pages)
    assert targets <= set(known)
    assert not [address for address in addresses if tools.pdf.book.NOWHERE in address]


def test_a_formula_says_its_tex(book):
    assert rb"/Alt (\\frac{\\partial \\ell}{\\partial" in book.pdf
    assert book.pdf.count(b"/S /Figure") >= book.formulas > 5


def test_text_can_be_searched_and_copied(book):
    """Only characters that were typeset: no radicals in place of Chinese characters."""
    known = set(book.text) | set("0123456789✓")  # what the styles add
    place, code = book.code
    for page in [1, 2, 3, book.page_of(place)]:
        assert not set(book.text_of(page)) - known
    assert code in book.text_of(book.page_of(place))


def test_fonts_are_embedded(book):
    fonts = {}
    for page in book.reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            fonts[font.idnum] = font.get_object()
    assert fonts
    for font in fonts.values():
        if font["/Subtype"] == "/Type3":  # its glyphs are drawings in the file
            assert font["/CharProcs"]
        else:
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_chinese_is_in_the_forms_of_the_mainland(book):
    if book.language == "zh" and any("CJK" in font for font in book.fonts):
        assert all(font.endswith(" SC") for font in book.fonts if "CJK" in font)
    assert (
        book.reader.trailer["/Root"]["/Lang"]
        == tools.pdf.book.LANGUAGES[book.language]["lang"]
    )


# --- Nothing is cut, folded, or asked from outside --------------------------------


def test_nothing_is_wider_than_the_page(book):
    assert not book.wide
    assert book.reader.pages[0].mediabox.width == pytest.approx(210 / 25.4 * 72, abs=1)


def test_what_is_folded_on_the_site_is_open(book):
    assert not book.folded


# --- What is amiss is told ---------------------------------------------------------


def small(folder: Path, body: str, head: str = "") -> Path:
    """A site of two pages, of which the second has this in it."""
    nav = '<nav class="md-nav--primary"><a class="md-logo" title="Book"></a>'
    for href, title in [(".", "Home"), ("one/", "One")]:
        nav += f'<a class="md-nav__link" href="{href}">{title}</a>'
    for path, text in [("", '<h1 id="home">Book</h1>'), ("one", body)]:
        (folder / path).mkdir(parents=True, exist_ok=True)
        page = f'{head}<meta name="description" content="x">{nav}</nav>'
        page += f"<article>{text}</article>"
        (folder / path / "index.html").write_text(f"<!doctype html>{page}", "utf-8")
    return folder


def test_folded_wide_and_pictured_is_all_there(tmp_path, browser):
    """What the pages do not have yet, or not everywhere."""
    shutil.copy(tools.pdf.book.ROOT / "docs" / "assets" / "page.webp", tmp_path)
    body = (
        '<h1 id="one">One</h1><details><summary>S</summary>folded</details>'
        f'<pre><code>{"wide " * 60}</code></pre><img src="../page.webp" width="99">'
        '<a href="../file.zip">file</a> <a href="https://example.org/x">out</a>'
    )
    with tools.pdf.book.opened(small(tmp_path, body), "en", browser) as page:
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        assert page.locator("details[open]").count() == 1
        assert not page.evaluate(WIDE, WIDTH)
        assert page.evaluate("document.images[0].naturalWidth") > 0
        made = tools.pdf.book.book(page)
        # Not add_style_tag, whose event never comes where scripts are switched off.
        page.evaluate(LARGE)
        assert "wide wide" in page.evaluate(WIDE, WIDTH)[0]
    (last,) = PdfReader(io.BytesIO(made)).pages[-1:]
    assert "folded" in last.extract_text()
    addresses = [
        link.get_object().get("/A", {}).get("/URI") for link in last["/Annots"]
    ]
    assert [address for address in addresses if address] == ["https://example.org/x"]


def test_links_to_files_are_those_of_the_published_site(tmp_path, browser):
    address = "https://example.invalid/book/"
    body = '<h1 id="one">One</h1><a href="../file.zip">f</a><a href="..">home</a>'
    head = f'<link rel="canonical" href="{address}">'
    with tools.pdf.book.opened(small(tmp_path, body, head), "en", browser) as page:
        links = page.locator(".chapter a").all()
        hrefs = [link.get_attribute("href") for link in links]
    assert hrefs == [f"{address}file.zip", "#home"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<h1 id="one">One</h1><a href="#two">x</a>', "one:two"),
        ('<h1 id="one">One</h1><p id="one">x</p>', "stand twice: one:one"),
        ('<h1 id="one">One</h1><img src="no.png">', "not in the site: .*/one/no.png"),
        ('<h1 id="one">One</h1><img src="https://example.org/x.png">', "example.org"),
    ],
)
def test_what_is_amiss_is_told(tmp_path, browser, body, message):
    with (
        pytest.raises(BookError, match=f"(?s)the book in en:.*{message}"),
        tools.pdf.book.opened(small(tmp_path, body), "en", browser),
    ):
        pass


def test_two_glyphs_of_one_name_are_told(tmp_path, browser):
    site = small(tmp_path, '<h1 id="one">One</h1>')
    for path, outline in [("", "M0 0"), ("one", "M1 1")]:
        file = site / path / "index.html"
        glyph = f'<svg><defs><path id="MJX-1" d="{outline}"/></defs></svg>'
        file.write_text(file.read_text("utf-8").replace("<nav", f"{glyph}<nav", 1))
    with (
        pytest.raises(BookError, match="two glyphs are named MJX-1"),
        tools.pdf.book.opened(site, "en", browser),
    ):
        pass


@pytest.mark.full
def test_the_command_prints_each_language(mini, browser, monkeypatch):
    """Of the book of three pages."""
    root = mini.parent
    monkeypatch.setattr(make, "ROOT", root)
    monkeypatch.setattr(make, "BIN", Path(sys.executable).parent)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CI", "")
    monkeypatch.chdir(ROOT)
    make.pdf()
    for language in LANGUAGES:
        made = root / "build" / f"backprop-book-{language}.pdf"
        assert made.read_bytes().startswith(b"%PDF")


def test_without_a_browser_the_command_says_what_to_do(tmp_path):
    environment = {**os.environ, "CHROMIUM": str(tmp_path / "none")}
    command = [
        sys.executable,
        "-m",
        "tools.pdf.book",
        str(tmp_path),
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("make.py: there is no Chromium: apt install chromium")
    assert not (tmp_path / "out").exists()


def test_without_a_site_it_says_what_to_do(tmp_path, browser):
    with (
        pytest.raises(BookError, match=r"holds no site: python3 make.py build"),
        tools.pdf.book.opened(tmp_path, "en", browser),
    ):
        pass


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "new" / "book.pdf"
    tools.pdf.book.write(b"one", path)
    tools.pdf.book.write(b"two", path)
    assert path.read_bytes() == b"two"
    assert [path] == [*path.parent.iterdir()]
