"""The site at an address below its host's root, as on GitHub Pages: what search engines
read, what a reader does, and what an edit or a report of an error begins with.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
from mkdocs.config import load_config
from playwright.sync_api import Browser, Page, Request, Response, expect

from book import record
from book.pages import LANGUAGES, PARTS, ROOT, nav_pages
from tests.conftest import build, serving
from tests.test_browser import AXE, LOOKS
from tests.test_search import search
from tests.test_site import html_path

PAGES = nav_pages()
# Where MkDocs puts them, that is where a page of this name would lie.
NOTEBOOK_PAGES = [f"notebooks/{name}.md" for name in PARTS]
REPOSITORY = "https://github.com/example/book"
DEEP = "cnn/stride.md"


@pytest.fixture
def hook(monkeypatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "site_hooks"))
    return importlib.import_module


class Published(NamedTuple):
    folder: Path
    url: str  # ends with /book/


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("published")
    with serving(folder, below="/book/") as url:
        done = build(folder, SITE_URL=url, REPO_URL=REPOSITORY)
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr
        yield Published(folder, url)


def address(published: Published, language: str, page: str) -> str:
    return published.url + html_path(language, page).removesuffix("index.html")


# --- What search engines read ------------------------------------------------


class Head(HTMLParser):
    """The language of a page, its description and the addresses of its links."""

    def __init__(self, path: Path):
        super().__init__()
        self.language = ""
        self.descriptions: list[str] = []
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
        elif tag == "link":
            names = attributes["rel"], attributes.get("hreflang")
            self.links[" ".join(filter(None, names))] = attributes["href"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_describe_themselves(published, language):
    for page in PAGES:
        head = Head(published.folder / html_path(language, page))
        source = (ROOT / "docs" / language / page).read_text("utf-8")
        assert head.language == language
        assert head.descriptions == re.findall("^description: (.*)$", source, re.M)
        assert head.links["canonical"] == address(published, language, page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_itself_in_every_language(published, language):
    """With whole addresses; search engines take no others."""
    for page in PAGES:
        links = Head(published.folder / html_path(language, page)).links
        named = {
            rel.split()[1]: href
            for rel, href in links.items()
            if rel.startswith("alternate ")
        }
        wanted = {other: address(published, other, page) for other in LANGUAGES}
        assert named == {**wanted, "x-default": wanted["en"]}


def test_links_stay_below_the_address_of_the_site(published):
    for path in published.folder.rglob("*.html"):
        for link in Head(path).all:
            if link.startswith((REPOSITORY, "https://squidfunk")):
                continue
            if path.name == "404.html":  # it stands at any depth
                assert link.startswith(("/book/", "#"))
            else:
                assert not link.startswith("/")


def test_the_page_for_wrong_addresses(published):
    head = Head(published.folder / "404.html")
    assert head.language == "en"
    for language in LANGUAGES:
        link = urljoin(published.url, head.links[f"alternate {language}"])
        assert link == address(published, language, "index.md")


def test_the_site_map_has_every_page_once(published):
    """In both languages, and each with its other language."""
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    urls = ElementTree.parse(published.folder / "sitemap.xml").findall("s:url", names)
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
            address(published, language, page),
            {other: address(published, other, page) for other in LANGUAGES},
        )
        for language in LANGUAGES
        for page in [*PAGES, *NOTEBOOK_PAGES]
    ]
    assert sorted(found, key=str) == sorted(wanted, key=str)


# --- What a reader does ------------------------------------------------------


@pytest.fixture
def reader(browser: Browser, published) -> Iterator[Page]:
    """Whatever is asked for is there, below the site's address."""
    context = browser.new_context(reduced_motion="reduce", **LOOKS["1440-light"])
    page, amiss = context.new_page(), []

    def look(response: Response) -> None:
        inside = response.url.startswith((published.url, "data:", "blob:"))
        if not inside or response.status >= 400:
            amiss.append(f"{response.status} {response.url}")

    page.on("response", look)
    page.on("requestfailed", lambda asked: amiss.extend(failed(asked)))
    page.on("pageerror", lambda error: amiss.append(str(error)))
    yield page
    page.wait_for_load_state("networkidle")
    context.close()
    assert not amiss


def failed(asked: Request) -> list[str]:
    # What was still under way when the reader went on.
    left = asked.failure == "net::ERR_ABORTED"
    return [] if left else [f"{asked.failure} {asked.url}"]


@pytest.mark.parametrize(("from_", "to"), [("en", "zh"), ("zh", "en")])
def test_the_language_switch_keeps_the_page(reader, published, from_, to):
    reader.goto(address(published, from_, DEEP))
    reader.get_by_role("banner").locator(".md-select button").hover()
    reader.locator(f'.md-select a[hreflang="{to}"]').click()
    expect(reader).to_have_url(address(published, to, DEEP))
    expect(reader.locator("html")).to_have_attribute("lang", to)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_leads_to_pages(reader, published, language):
    reader.goto(address(published, language, DEEP))
    search(reader, "rot180")
    reader.locator("a.md-search-result__link").first.click()
    reader.wait_for_url(f"{address(published, language, 'cnn/convolution.md')}*")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_explorer_answers(reader, published, language):
    reader.goto(address(published, language, DEEP))
    element = reader.locator("conv-explorer")
    element.locator('[data-grid=z] [data-at="0,1"]').click()
    expect(element.locator(".symbols").first).to_have_text("z0,1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_address_leads_to_the_book(browser, published, language):
    page = browser.new_page(**LOOKS["1440-light"])
    asked = page.goto(f"{published.url}no/such/page/")
    assert asked.status == 404
    amiss = []
    page.on("response", lambda got: got.status >= 400 and amiss.append(got.url))
    page.reload()
    page.get_by_role("banner").locator(".md-select button").hover()
    page.locator(f'.md-select a[hreflang="{language}"]').click()
    expect(page).to_have_url(address(published, language, "index.md"))
    page.go_back()
    page.locator(".md-header a.md-logo").click()
    expect(page).to_have_url(published.url)
    page.close()
    assert {urlsplit(url).path for url in amiss} <= {"/book/no/such/page/"}


# --- Edit and report ---------------------------------------------------------

LINK = re.compile(r'<a href="([^"]*)" rel="nofollow"([^>]*)>([^<]*)</a>')
WORDS = {"en": ["Edit this page", "Report an error"], "zh": ["编辑此页", "报告错误"]}


def links(published: Published, language: str, page: str) -> list[tuple[str, str, str]]:
    text = (published.folder / html_path(language, page)).read_text("utf-8")
    return [(unescape(href), more, word) for href, more, word in LINK.findall(text)]


def fields(href: str) -> dict[str, str]:
    assert href.startswith(f"{REPOSITORY}/issues/new?")
    return {name: value for name, [value] in parse_qs(urlsplit(href).query).items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_foot_leads_to_the_source_and_to_a_report(published, hook, language):
    commit = hook("feedback").version(ROOT).partition(",")[0]
    for page in PAGES:
        (edit, _, edit_word), (report, _, word) = links(published, language, page)[-2:]
        assert [edit_word, word] == WORDS[language]
        assert edit.startswith(f"{REPOSITORY}/edit/main/")
        source = edit.removeprefix(f"{REPOSITORY}/edit/main/")
        assert source == f"docs/{language}/{page}"
        body = fields(report)["body"]
        assert body.count(address(published, language, page)) == 1
        assert source in body
        assert commit in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_numbered_equation_can_be_reported(published, language):
    count = 0
    for page in PAGES:
        text = (published.folder / html_path(language, page)).read_text("utf-8")
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
            assert f"{address(published, language, page)}#{anchor}" in asked["body"]
            count += 1
    assert count > 50


def test_without_a_repository_nothing_is_offered(site):
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        for word in ["issues/new", 'class="feedback"', 'class="report"', "md-source"]:
            assert word not in text


def test_a_report_names_the_versions_of_the_last_check(tmp_path, monkeypatch, hook):
    feedback, verification = hook("feedback"), hook("verification")
    assert feedback.version(tmp_path) == ""  # not a checkout, and never checked
    versions = dict.fromkeys(verification.NAMES, "1.2")
    run = record.Run("2026-01-01", versions, "quick", "", {})
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


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_at_an_equation(browser, published, language, look):
    """Seen once its number was followed, reached by Tab, in sight and legible."""
    page = browser.new_page(reduced_motion="reduce", **LOOKS[look])
    page.goto(address(published, language, "convolution/padding.md"))
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


def test_the_report_appears_where_a_reader_points(reader, published):
    reader.goto(address(published, "en", DEEP))
    formula = reader.locator("div.formula[id]").first
    expect(formula.locator(".report")).to_be_hidden()
    formula.hover()
    expect(formula.locator(".report")).to_be_visible()


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
def test_colab_opens_notebooks_of_the_published_branch(hook, repository, prefix):
    wanted = f"{prefix}gh-pages/" if prefix else ""
    assert hook("addresses").colab(repository, "gh-pages") == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_knows_where_the_book_is_and_colab_where_it_is(published, language):
    folder = "" if language == "en" else f"{language}/"
    for name in PARTS:
        path = published.folder / folder / "notebooks" / f"{name}.ipynb"
        text = "".join(
            cell.source
            for cell in nbformat.read(path, nbformat.NO_CONVERT).cells
            if cell.cell_type == "markdown"
        )
        links = re.findall(r"\]\(([^#)\s][^)\s]*)\)", re.sub(r"(?s)\$.*?\$", "", text))
        assert links
        for link in links:
            assert link.startswith((published.url + folder, "https://"))
        page = path.with_suffix("") / "index.html"
        colab = "https://colab.research.google.com/github/example/book/blob/gh-pages/"
        assert f"{colab}{folder}notebooks/{name}.ipynb" in Head(page).all


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "example.org/book/"),
        ("SITE_URL", "ftp://example.org/book/"),
        ("SITE_URL", "https://example.org/book/?x"),
        ("REPO_URL", "git@github.com:o/r.git"),
        ("REPO_URL", "https://github.com/o/r#readme"),
    ],
)
def test_an_address_that_cannot_be_one_stops_the_build(tmp_path, name, value):
    done = build(tmp_path / "site", **{name: value})
    assert done.returncode != 0
    assert name.lower() in done.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_makes_no_difference(monkeypatch, hook, slash):
    monkeypatch.setenv("SITE_URL", f"https://example.org/book{slash}")
    monkeypatch.setenv("REPO_URL", f"{REPOSITORY}{slash}")
    config = load_config(str(ROOT / "mkdocs.yml"))
    hook("addresses").on_config(config)
    assert config.site_url == "https://example.org/book/"
    assert config.repo_url == REPOSITORY
    assert config.extra["colab"] == hook("addresses").colab(REPOSITORY, "gh-pages")


def test_what_is_built_at_home_has_no_address(monkeypatch, hook):
    for name in ("SITE_URL", "REPO_URL"):
        monkeypatch.setenv(name, "")
    config = load_config(str(ROOT / "mkdocs.yml"))
    hook("addresses").on_config(config)
    found = config.site_url, config.repo_url, config.edit_uri, config.extra["colab"]
    assert found == ("", "", "", "")
