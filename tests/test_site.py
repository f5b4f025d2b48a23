"""The site builds without a warning, and its two languages lead to each other."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from book.pages import LANGUAGES, ROOT, nav_pages
from tests.conftest import build

PAGES = nav_pages()
COPIED = ["docs", "snippets", "site_hooks", "book", "explorers", "tests"]
COPIED += ["mkdocs.yml", "package-lock.json"]


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
