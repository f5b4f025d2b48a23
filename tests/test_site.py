"""The site builds without a warning, and its two languages lead to each other."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort
from pymdownx.snippets import SnippetMissingError

from book.pages import LANGUAGES, ROOT, nav_pages
from tests.minibook import MiniBook
from tests.site import (  # noqa: F401  copied: for test_chapter
    TAGS,
    cached,
    copied,
    html_path,
)

PAGES = [(language, page) for language in LANGUAGES for page in nav_pages()]
# On Chinese pages a label that nobody has translated, and one that is right.
ENGLISH = re.compile(r"^(?!.*[\\\u4e00-\u9fff]).*\b[A-Za-z][a-z]{3,}\b", re.DOTALL)
RIGHT = {"English"}  # the name of the other language


class Links(HTMLParser):
    """The language links of a page, what it asks for from other hosts, in what language
    it says that it is, and the labels that no text shows."""

    def __init__(self, html: str):
        super().__init__()
        self.languages: dict[str, str] = {}
        self.outside: list[str] = []
        self.said: str | None = None
        self.labels: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "html":
            self.said = attributes.get("lang")
        labels = (
            attributes.get(name) for name in ("title", "aria-label", "placeholder")
        )
        self.labels |= {label for label in labels if label}
        if tag == "a" and "hreflang" in attributes:
            self.languages[attributes["hreflang"]] = attributes["href"]
        source = attributes.get("src") or (
            attributes.get("href") if tag == "link" else None
        )
        if source and re.match(r"(https?:)?//", source):
            self.outside.append(source)


# What is left where an include was not replaced, a formula not drawn, or a marker.
LEFT = ["--8<--", r"\(", r"\[", "$$", "arithmatex", "figure:"]


def mistakes(site: Path, language: str, page: str) -> list[str]:
    """What is amiss on a page, with its name."""
    path = site / html_path(language, page)
    html = path.read_text("utf-8")
    links = Links(html)
    wanted = {other: (site / html_path(other, page)).resolve() for other in LANGUAGES}
    found = {
        other: (path.parent / href / "index.html").resolve()
        for other, href in links.languages.items()
    }
    wrong = [f"asks for {address}" for address in links.outside]
    if found != wanted or not all(target.exists() for target in found.values()):
        wrong.append(f"the language switch leads to {links.languages}")
    if links.said != TAGS[language]:
        wrong.append(f"its language is {links.said}")
    if language == "zh":
        labels = sorted(filter(ENGLISH.match, links.labels - RIGHT))
        wrong += [f"there is {label} in English" for label in labels]
    text = re.sub(r'(?s)<script.*?</script>| (title|data-tex)="[^"]*"', "", html)
    wrong += [f"there is {left} in it" for left in LEFT if left in text]
    return [f"{language}/{page}: {each}" for each in wrong]


@pytest.mark.book
def test_nothing_is_amiss_in_a_page(site):
    found = [each for page in PAGES for each in mistakes(site, *page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<html lang="zh">', "its language is zh"),
        ('<a title="Permanent link">', "there is Permanent link in English"),
        (
            '<a hreflang="zh" href="zh/one/">',
            "the language switch leads to .*'zh': 'zh/one/'",
        ),
        (
            '<a hreflang="en" href="../../two/"><a hreflang="zh" href=".">',
            "switch leads to",
        ),
        (
            '<script src="https://example.org/x.js"></script>',
            "asks for https://example",
        ),
        ('<link href="//example.org/x.css">', "asks for //example.org/x.css"),
        *((f"<p>{left}</p>", re.escape(f"there is {left}")) for left in LEFT),
    ],
)
def test_what_is_amiss_in_a_page_is_told(tmp_path, html, told):
    right = '<a hreflang="en" href="../../../part/one/"><a hreflang="zh" href=".">'
    for language in LANGUAGES:
        path = tmp_path / html_path(language, "part/one.md")
        path.parent.mkdir(parents=True)
        path.write_text(f'<html lang="{TAGS[language]}">{right}', "utf-8")
    assert not mistakes(tmp_path, "zh", "part/one.md")
    path.write_text(path.read_text("utf-8") + html, "utf-8")
    (found,) = mistakes(tmp_path, "zh", "part/one.md")
    assert re.match(f"zh/part/one.md: .*({told})", found)


# --- What stops a build ------------------------------------------------------


# An include, a link to a page, one to a place of it, and a reference, all right.
LINES = """# One

--8<-- "cnn/convolution.md:full"

[there](index.md), [here](index.md#home) and $\\eqref{known}$.

$$
x \\label{known}
$$
"""


@pytest.fixture
def book(tmp_path, monkeypatch) -> MiniBook:
    """With all that a build of the book has."""
    monkeypatch.chdir(ROOT)  # where the snippets are looked for
    pages = {"index.md": "# Home { #home }", "one.md": LINES, "verification.md": "# V"}
    return MiniBook(tmp_path, pages)


def test_what_leads_somewhere_is_built(book):
    book.build(strict=True)
    for language in LANGUAGES:
        assert '<a href="#eq-known">' in book.read("one.md", language)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("n.md:full", "n.md:no-such-section", "no-such-section"),
        ("(index.md)", "(nowhere.md)", "nowhere.md"),
        ("#home", "#no-such-anchor", "no-such-anchor"),
        ("eqref{known}", "eqref{no-such-equation}", "no-such-equation"),
    ],
)
def test_what_leads_nowhere_fails_the_build(book, caplog, right, wrong, message):
    """Though it be in one language."""
    assert right in LINES
    book.page(LINES.replace(right, wrong), "one.md", "zh")
    with pytest.raises((Abort, SnippetMissingError)) as error:
        book.build(strict=True)
    assert message in f"{caplog.text}{error.value}"


# --- Built once --------------------------------------------------------------


def test_the_site_is_built_once_for_its_content(tmp_path, monkeypatch):
    source = tmp_path / "source.md"
    monkeypatch.setattr("tests.site.sources", lambda: [source])
    monkeypatch.setattr("tests.site.ROOT", tmp_path)
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        folder.mkdir(parents=True)
        if len(made) == 2:
            raise RuntimeError("cut short")

    def site(**variables: str) -> Path:
        return cached("home", make, tmp_path / "cache", **variables)

    source.write_text("1")
    first = site()
    assert site() == first
    assert len(made) == 1
    source.write_text("2")
    with pytest.raises(RuntimeError):
        site()
    second = site()
    assert len(made) == 3
    for age, folder in enumerate([first, second]):
        os.utime(folder, (age, age))
    third = site(SITE_URL="https://example.org/")
    assert {*first.parent.iterdir()} == {second, third}  # the last two
    assert site() == second
    assert len(made) == 4
