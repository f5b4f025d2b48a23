"""The site at an address below its host's root, as on GitHub Pages: what search engines
read, what a reader does, and what an edit or a report of an error begins with.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
from mkdocs.exceptions import Abort
from playwright.sync_api import Browser, Page, Request, Response, expect

from book import feedback, record
from book.addresses import colab, previewed
from book.pages import LANGUAGES, ROOT, nav_pages
from tests.minibook import MiniBook
from tests.site import (
    ADDRESSES,
    NOTEBOOKS,
    REPOSITORY,
    TAGS,
    answer,
    built,
    html_path,
    path,
)
from tests.test_browser import AXE, LOOKS
from tests.test_search import search

PAGES = nav_pages()
DEEP = "cnn/stride.md"


URL = ADDRESSES["SITE_URL"]


@pytest.fixture(scope="module")
def published() -> Path:
    """The site as it is published, and as nobody serves it: see tests.site.answer."""
    return built("published", **ADDRESSES)


def address(language: str, page: str) -> str:
    return URL + path(language, page)


# --- What search engines read ------------------------------------------------


class Head(HTMLParser):
    """The language of a page, its descriptions and the addresses of its links."""

    def __init__(self, path: Path):
        super().__init__()
        self.language = ""
        self.descriptions: list[str] = []
        self.shown: dict[str, str] = {}  # where somebody shows a link to it
        self.links: dict[str, str] = {}  # by rel, or by rel and hreflang
        self.all: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.all += filter(None, [attributes.get("href"), attributes.get("src")])
        if tag == "html":
            self.language = attributes["lang"]
        elif tag == "meta" and attributes.get("name") == "description":
            self.descriptions.append(attributes["content"])
        elif tag == "meta" and "property" in attributes:
            self.shown[attributes["property"]] = attributes["content"]
        elif tag == "link":
            names = attributes["rel"], attributes.get("hreflang")
            self.links[" ".join(filter(None, names))] = attributes["href"]


head = cache(Head)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_describe_themselves(published, language):
    for page in PAGES:
        found = head(published / html_path(language, page))
        source = (ROOT / "docs" / language / page).read_text("utf-8")
        assert found.language == TAGS[language]
        assert found.descriptions == re.findall("^description: (.*)$", source, re.M)
        assert found.links["canonical"] == address(language, page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_itself_in_every_language(published, language):
    """With whole addresses; search engines take no others."""
    for page in PAGES:
        links = head(published / html_path(language, page)).links
        named = {
            rel.split()[1]: href
            for rel, href in links.items()
            if rel.startswith("alternate ")
        }
        wanted = {other: address(other, page) for other in LANGUAGES}
        assert named == {**wanted, "x-default": wanted["en"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_how_a_link_to_it_is_shown(published, language):
    for page in PAGES:
        file = published / html_path(language, page)
        found = head(file)
        shown = dict(found.shown)
        title = re.search("<title>(.*?)</title>", file.read_text("utf-8"))[1]
        assert shown.pop("og:title") == unescape(title)
        assert shown.pop("og:description") == found.descriptions[0]
        assert shown.pop("og:url") == address(language, page)
        picture = shown.pop("og:image")
        assert picture.startswith(URL)
        assert (published / picture.removeprefix(URL)).is_file()
        assert shown == {"og:type": "website"}


def test_what_is_shown_has_no_markup():
    html = '<title>a &amp; "b"</title><meta name="description" content="c"></head>'
    found = previewed(html, "https://b.org/p/", "https://b.org/")
    assert 'property="og:title" content="a &amp; &quot;b&quot;"' in found
    assert 'property="og:image" content="https://b.org/assets/page.webp"' in found
    assert found.endswith('content="summary_large_image"></head>')


def test_links_stay_below_the_address_of_the_site(published):
    for file in published.rglob("*.html"):
        for link in head(file).all:
            if link.startswith((REPOSITORY, "https://squidfunk")):
                continue
            if file.name == "404.html":  # it stands at any depth
                assert link.startswith(("/book/", "#"))
            else:
                assert not link.startswith("/")


def test_the_page_for_wrong_addresses(published):
    found = head(published / "404.html")
    assert found.language == "en"
    for language in LANGUAGES:
        link = urljoin(URL, found.links[f"alternate {language}"])
        assert link == address(language, "index.md")
        for page in ["index.md", "symptoms.md"]:
            assert f"/book/{path(language, page)}" in found.all


def test_the_site_map_has_every_page_once(published):
    """In both languages, each with its other language, and no notebook: it is a page's
    text once more."""
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    urls = ElementTree.parse(published / "sitemap.xml").findall("s:url", names)
    found = [
        (
            url.findtext("s:loc", "", names),
            {
                link.get("hreflang"): link.get("href")
                for link in url.iter("{http://www.w3.org/1999/xhtml}link")
            },
        )
        for url in urls
    ]
    wanted = [
        (
            address(language, page),
            {other: address(other, page) for other in LANGUAGES},
        )
        for language in LANGUAGES
        for page in PAGES
    ]
    assert sorted(found, key=str) == sorted(wanted, key=str)


# --- What a reader does ------------------------------------------------------


def opened(browser: Browser, published: Path, **options) -> tuple[Page, list[str]]:
    """A page, and all that it is answered with an error, or asks for elsewhere."""
    page, amiss = browser.new_page(reduced_motion="reduce", **options), []

    def look(response: Response) -> None:
        inside = response.url.startswith((URL, "data:", "blob:"))
        if not inside or response.status >= 400:
            amiss.append(f"{response.status} {response.url}")

    page.context.route(f"{URL}**", lambda route: answer(route, published, URL))
    page.on("response", look)
    page.on("requestfailed", lambda asked: amiss.extend(failed(asked)))
    page.on("pageerror", lambda error: amiss.append(str(error)))
    return page, amiss


@pytest.fixture
def reader(browser: Browser, published) -> Iterator[Page]:
    """Whatever is asked for is there, below the site's address."""
    page, amiss = opened(browser, published, **LOOKS["1366-light"])
    yield page
    page.wait_for_load_state("networkidle")
    page.close()
    assert not amiss


def failed(asked: Request) -> list[str]:
    # What was still under way when the reader went on.
    left = asked.failure == "net::ERR_ABORTED"
    return [] if left else [f"{asked.failure} {asked.url}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_explores_searches_and_changes_the_language(reader, language):
    reader.goto(address(language, DEEP))
    formula = reader.locator("div.formula[id]").first
    expect(formula.locator(".report")).to_be_hidden()
    formula.hover()
    expect(formula.locator(".report")).to_be_visible()

    element = reader.locator("conv-explorer")
    element.locator('[data-grid=z] [data-at="0,1"]').click()
    expect(element.locator(".result").first).to_have_text("z₀,₁")

    search(reader, "rot180")
    reader.locator("a.md-search-result__link").first.click()
    reader.wait_for_url(f"{address(language, 'cnn/convolution.md')}*")

    (to,) = set(LANGUAGES) - {language}
    reader.goto(address(language, DEEP))
    reader.get_by_role("banner").locator(".md-select button").hover()
    reader.locator(f'.md-select a[hreflang="{to}"]').click()
    expect(reader).to_have_url(address(to, DEEP))
    expect(reader.locator("html")).to_have_attribute("lang", TAGS[to])


def test_a_wrong_address_leads_to_the_book(browser, published):
    page, amiss = opened(browser, published, **LOOKS["1366-light"])
    asked = page.goto(f"{URL}no/such/page/")
    assert asked.status == 404
    for language in LANGUAGES:
        page.get_by_role("banner").locator(".md-select button").hover()
        page.locator(f'.md-select a[hreflang="{language}"]').click()
        expect(page).to_have_url(address(language, "index.md"))
        page.go_back()
    page.set_viewport_size({"width": 1920, "height": 900})  # or there is no logo
    page.locator(".md-header a.md-logo").click()
    expect(page).to_have_url(URL)
    for language in LANGUAGES:
        for link, wanted in enumerate(["index.md", "index.md", "symptoms.md"]):
            page.goto(f"{URL}no/such/page/")
            page.locator(f"section[lang={TAGS[language]}] a").nth(link).click()
            there = re.escape(address(language, wanted))
            expect(page).to_have_url(re.compile(there + r"(\?q=)?$"))
            if link == 1:
                expect(page.locator(".md-search__input")).to_be_focused()
    page.close()
    assert set(amiss) == {f"404 {URL}no/such/page/"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<script src=none.js></script>", f"404 {URL}none.js"),
        ("<img src=https://example.invalid/x>", "net::ERR.* https://example.invalid/x"),
        ("<script>throw Error('oh')</script>", "oh"),
    ],
)
def test_what_a_reader_meets_is_noticed(browser, tmp_path, body, told):
    for name in ["index.html", "404.html"]:
        (tmp_path / name).write_text(f"<link rel=icon href=data:,>{body}", "utf-8")
    page, amiss = opened(browser, tmp_path)
    page.goto(URL)
    page.close()
    assert re.fullmatch(told, amiss[0])


# --- Edit and report ---------------------------------------------------------

LINK = re.compile(r'<a href="([^"]*)" rel="nofollow"([^>]*)>([^<]*)</a>')
WORDS = {"en": ["Edit this page", "Report an error"], "zh": ["编辑此页", "报告错误"]}


def links(published: Path, language: str, page: str) -> list[tuple[str, str, str]]:
    text = (published / html_path(language, page)).read_text("utf-8")
    return [(unescape(href), more, word) for href, more, word in LINK.findall(text)]


def fields(href: str) -> dict[str, str]:
    assert href.startswith(f"{REPOSITORY}/issues/new?")
    return {name: value for name, [value] in parse_qs(urlsplit(href).query).items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_foot_leads_to_the_source_and_to_a_report(published, language):
    commit = feedback.version(ROOT).partition(",")[0]
    for page in PAGES:
        (edit, _, edit_word), (report, _, word) = links(published, language, page)[-2:]
        assert [edit_word, word] == WORDS[language]
        assert edit.startswith(f"{REPOSITORY}/edit/main/")
        source = edit.removeprefix(f"{REPOSITORY}/edit/main/")
        assert source == f"docs/{language}/{page}"
        body = fields(report)["body"]
        assert body.count(address(language, page)) == 1
        assert source in body
        assert commit in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_numbered_equation_can_be_reported(published, language):
    count = 0
    for page in PAGES:
        text = (published / html_path(language, page)).read_text("utf-8")
        numbers = re.findall(r'href="#(eq-[^"]*)">\(([\d.]+)\)</a>', text)
        drawn = re.findall(r'<div class="formula" id="(eq-[^"]*)"', text)
        reports = links(published, language, page)[:-2]
        assert len(reports) == len(drawn)
        for (href, more, word), anchor in zip(reports, drawn, strict=True):
            number = dict(numbers)[anchor]
            assert f"({number})" in more
            assert word in more  # a name that is spoken begins with what is seen
            asked = fields(href)
            assert f"({number})" in asked["title"]
            assert f"{address(language, page)}#{anchor}" in asked["body"]
            count += 1
    assert count > 50


def test_without_a_repository_nothing_is_offered(site, published):
    offered = ["issues/new", 'class="feedback"', 'class="report"', "md-source"]
    numbered = html_path("en", "convolution/padding.md")
    assert all(word in (published / numbered).read_text("utf-8") for word in offered)
    for file in site.rglob("*.html"):
        text = file.read_text("utf-8")
        for word in offered:
            assert word not in text
    assert "example.org" not in (site / numbered).read_text("utf-8")


def test_a_report_names_the_versions_of_the_last_check(tmp_path, monkeypatch):
    assert feedback.version(tmp_path) == ""  # not a checkout, and never checked
    versions = dict.fromkeys(record.NAMES, "1.2")
    run = record.Run("2026-01-01", versions, "quick", "", {}, {}, 0)
    found = record.Record("fresh", run)
    monkeypatch.setattr(feedback, "read", lambda _: found)
    packages = "TensorFlow 1.2, Keras 1.2, NumPy 1.2, Python 1.2"
    assert feedback.version(tmp_path) == packages
    assert re.fullmatch(f"[0-9a-f]{{7,}}, {packages}", feedback.version(ROOT))
    monkeypatch.setenv("PATH", "")  # no git
    assert feedback.version(ROOT) == packages


# The reports, seen or not, that lie over their formula or over what follows it.
COVERING = """() => [...document.querySelectorAll(".report")].filter((report) => {
    const [formula, box] = [report.parentElement, report.getBoundingClientRect()];
    const next = formula.nextElementSibling?.getBoundingClientRect();
    return box.top < formula.getBoundingClientRect().bottom - 1
        || next?.top < box.bottom;
}).map((report) => report.parentElement.id)"""


# Each language and each look once.
@pytest.mark.parametrize(("language", "look"), [*zip(LANGUAGES, LOOKS, strict=True)])
def test_the_report_at_an_equation(browser, published, language, look):
    """Seen once its number was followed, reached by Tab, in sight and legible."""
    page, amiss = opened(browser, published, **LOOKS[look])
    page.goto(address(language, "convolution/padding.md"))
    formula = page.locator("div.formula[id]").first
    number, report = formula.locator("a[href^='#eq-']"), formula.locator(".report")
    expect(report).to_be_hidden()
    number.focus()
    page.keyboard.press("Enter")
    expect(report).to_be_visible()
    for _ in range(4):  # a wide formula, the mark of the check, the number, the report
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className").startswith("report"):
            break
    expect(report).to_be_focused()
    expect(report).to_be_in_viewport(ratio=1)
    assert not page.evaluate(COVERING)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    page.evaluate(AXE)
    found = page.evaluate(
        """axe.run({include: [".report", ".feedback"]},
            {resultTypes: ["violations"], preload: false})"""
    )
    serious = [
        (violation["id"], node["html"])
        for violation in found["violations"]
        for node in violation["nodes"]
        if node["impact"] in ("serious", "critical")
    ]
    assert not serious
    page.emulate_media(media="print")
    expect(report).to_be_hidden()
    expect(page.locator(".feedback")).to_be_hidden()
    page.close()
    assert not amiss


# --- The addresses -----------------------------------------------------------


@pytest.mark.parametrize(
    ("repository", "prefix"),
    [
        (
            "https://github.com/o/r",
            "https://colab.research.google.com/github/o/r/blob/",
        ),
        ("", ""),
        ("https://gitlab.com/o/r", ""),
        ("https://github.com.example.org/o/r", ""),
        ("https://github.com/o", ""),
    ],
)
def test_colab_opens_notebooks_of_the_published_branch(repository, prefix):
    wanted = f"{prefix}gh-pages/" if prefix else ""
    assert colab(repository, "gh-pages") == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_knows_where_the_book_is_and_colab_where_it_is(published, language):
    folder = "" if language == "en" else f"{language}/"
    for name in NOTEBOOKS:
        path = published / folder / "notebooks" / f"{name}.ipynb"
        text = "".join(
            cell.source
            for cell in nbformat.read(path, nbformat.NO_CONVERT).cells
            if cell.cell_type == "markdown"
        )
        links = re.findall(r"\]\(([^#)\s][^)\s]*)\)", re.sub(r"(?s)\$.*?\$", "", text))
        assert links
        for link in links:
            assert link.startswith((URL + folder, "https://"))
        page = path.with_suffix("") / "index.html"
        colab = "https://colab.research.google.com/github/example/book/blob/gh-pages/"
        assert f"{colab}{folder}notebooks/{name}.ipynb" in head(page).all


@pytest.fixture
def book(tmp_path) -> MiniBook:
    return MiniBook(tmp_path, {"index.md": "# Home"}, ["site_hooks/addresses.py"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "example.org/book/"),
        ("SITE_URL", "ftp://example.org/book/"),
        ("SITE_URL", "https://example.org/book/?x"),
        ("REPO_URL", "git@github.com:o/r.git"),
        ("DOWNLOADS_URL", "releases/latest"),
        ("REPO_URL", "https://github.com/o/r#readme"),
    ],
)
def test_an_address_that_cannot_be_one_stops_the_build(
    book, monkeypatch, caplog, name, value
):
    monkeypatch.setenv(name, value)
    with pytest.raises(Abort):
        book.build()
    assert name.lower() in caplog.text
    assert not (book.root / "site").exists()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_makes_no_difference(book, monkeypatch, slash):
    monkeypatch.setenv("SITE_URL", f"https://example.org/book{slash}")
    monkeypatch.setenv("REPO_URL", f"{REPOSITORY}{slash}")
    config = book.build()
    assert config.site_url == "https://example.org/book/"
    assert config.repo_url == REPOSITORY
    assert config.edit_uri == "edit/main/docs/"
    assert config.extra["colab"] == colab(REPOSITORY, "gh-pages")


@pytest.mark.parametrize("slash", ["", "/"])
def test_downloads_are_offered_where_somebody_says_where_they_lie(
    tmp_path, monkeypatch, slash
):
    home = "# Home\n\n<!-- downloads -->\n"
    hooks = ["site_hooks/addresses.py", "site_hooks/home.py"]
    book = MiniBook(tmp_path, {"index.md": home}, hooks)
    files = {}
    for address in ["", f"https://example.org/files{slash}"]:
        monkeypatch.setenv("DOWNLOADS_URL", address)
        book.build()
        for language in LANGUAGES:
            html = book.read("index.md", language)
            assert "<!-- downloads" not in html
            files[language] = re.findall(r'<a href="https://example.org/(.*?)"', html)
        if not address:
            assert not any(files.values())
    for language in LANGUAGES:
        names = [f"backprop-book-{language}.pdf", "backprop-book.zip"]
        assert files[language] == [f"files/{name}" for name in names]


def test_what_is_built_at_home_has_no_address(book, monkeypatch):
    for name in ("SITE_URL", "REPO_URL"):
        monkeypatch.setenv(name, "")
    config = book.build()
    found = config.site_url, config.repo_url, config.edit_uri, config.extra["colab"]
    assert found == ("", "", "", "")
    assert "og:" not in book.read("index.md")
