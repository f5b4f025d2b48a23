"""The site builds without a warning, and its two languages lead to each other."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest

from tests.conftest import build
from tests.pages import LANGUAGES, ROOT, nav_pages

PAGES = nav_pages()
COPIED = ["docs", "snippets", "site_hooks", "mkdocs.yml", "package-lock.json"]


def copied(folder: Path) -> Path:
    """A copy of the book, to be changed; what building it needs is shared."""
    copy = folder / "book"
    copy.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    for name in ["node_modules", ".cache"]:
        (copy / name).symlink_to(ROOT / name)
    return copy


def html_path(language: str, page: str) -> str:
    """Where a page of docs/<language>/ lands below the site."""
    stem = page.removesuffix(".md")
    folder = "" if stem == "index" else f"{stem}/"
    return f"{'' if language == 'en' else language + '/'}{folder}index.html"


class Links(HTMLParser):
    """The language links, the titles in the navigation and the assets of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.languages: dict[str, str] = {}
        self.outside: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a" and "hreflang" in attributes:
            self.languages[attributes["hreflang"]] = attributes["href"]
        source = attributes.get("src") or (
            attributes.get("href") if tag == "link" else None
        )
        if source and re.match(r"(https?:)?//", source):
            self.outside.append(source)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_switch_leads_to_the_same_page(site, language, page):
    path = site / html_path(language, page)
    links = Links(path).languages
    assert set(links) == set(LANGUAGES)
    for other, href in links.items():
        target = (path.parent / href / "index.html").resolve()
        assert target == (site / html_path(other, page)).resolve()
        assert target.exists()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_asks_nothing_from_outside(site, language, page):
    assert not Links(site / html_path(language, page)).outside


def test_titles_in_the_navigation_are_translated(site):
    text = (site / "zh" / "index.html").read_text(encoding="utf-8")
    nav = text[text.index("md-nav--primary") : text.index('<div class="md-content"')]
    nav = re.sub(r'(?s)<nav class="md-nav md-nav--secondary.*?</nav>', "", nav)
    titles = re.findall(r'<span class="md-ellipsis">\s*(.*?)\s*</span>', nav, re.S)
    assert len(titles) > len(PAGES)
    assert not [title for title in titles if not re.search("[\u4e00-\u9fff]", title)]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_source_is_left_in_a_page(site, language, page):
    """An include not replaced, a formula not drawn, a section marker."""
    text = (site / html_path(language, page)).read_text(encoding="utf-8")
    text = re.sub(r'(?s)<script.*?</script>| title="[^"]*"', "", text)
    for left in ["--8<--", r"\(", r"\[", "$$", "arithmatex", "figure:"]:
        assert left not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('--8<-- "cnn.md:no-such-section"', "no-such-section"),
        ("[there](nowhere.md)", "nowhere.md"),
        ("[there](notation.md#no-such-anchor)", "no-such-anchor"),
        ("$\\eqref{no-such-equation}$", "no-such-equation"),
    ],
)
def test_what_leads_nowhere_fails_the_build(tmp_path, line, message):
    copy = copied(tmp_path)
    page = copy / "docs" / "zh" / "softmax.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n\n{line}\n", encoding="utf-8")
    done = build(tmp_path / "site", root=copy)
    assert done.returncode != 0
    assert message in done.stderr


# --- What search engines read ------------------------------------------------

ADDRESS = "https://example.invalid/book/"


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """The site as it is built for an address, and that not at the root of its host."""
    copy = copied(tmp_path_factory.mktemp("published"))
    settings = copy / "mkdocs.yml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('site_url: ""', f"site_url: {ADDRESS}"), "utf-8")
    done = build(copy / "site", root=copy)
    assert done.returncode == 0, done.stderr
    return copy / "site"


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


def address(language: str, page: str) -> str:
    return ADDRESS + html_path(language, page).removesuffix("index.html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_describe_themselves(published, language):
    heads = [Head(published / html_path(language, page)) for page in PAGES]
    assert {head.language for head in heads} == {language}
    for page, head in zip(PAGES, heads, strict=True):
        source = (ROOT / "docs" / language / page).read_text("utf-8")
        assert head.descriptions == re.findall("^description: (.*)$", source, re.M)
        assert head.links["canonical"] == address(language, page)
        for other in LANGUAGES:
            link = urljoin(address(language, page), head.links[f"alternate {other}"])
            assert link == address(other, page)


def test_links_stay_below_the_address_of_the_site(published):
    for path in published.rglob("*.html"):
        for link in Head(path).all:
            if path.name == "404.html":  # it stands at any depth
                assert link.startswith(("/book/", "#", "https://squidfunk"))
            else:
                assert not link.startswith("/")


def test_the_page_for_wrong_addresses(published):
    head = Head(published / "404.html")
    assert head.language == "en"
    for language in LANGUAGES:
        link = urljoin(ADDRESS, head.links[f"alternate {language}"])
        assert link == address(language, "index.md")


def test_the_site_map_has_both_languages(published):
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    urls = ElementTree.parse(published / "sitemap.xml").findall("s:url", names)
    found = {
        url.findtext("s:loc", "", names): {
            link.get("hreflang"): link.get("href")
            for link in url.iter("{http://www.w3.org/1999/xhtml}link")
        }
        for url in urls
    }
    assert found == {
        address(language, page): {other: address(other, page) for other in LANGUAGES}
        for language in LANGUAGES
        for page in PAGES
    }
