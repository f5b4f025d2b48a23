"""The zip of `python3 make.py offline` is the whole book, without a server."""

import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from playwright.sync_api import Browser, Page, Request

import make
from book.pages import LANGUAGES, PARTS
from tests.test_search import search
from tests.test_site import copied


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Where the zip was unpacked; its name is one that people give to folders."""
    copy = copied(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, "ROOT", copy)
        patch.setattr(make, "BIN", Path(sys.executable).parent)
        patch.setenv("SITE_URL", "https://example.org/book/")  # as for a release
        patch.setenv("REPO_URL", "https://github.com/example/book")
        make.offline()
    folder = tmp_path_factory.mktemp("unpacked") / "我的 books & more (1)"
    zipfile.ZipFile(copy / "build" / "backprop-book.zip").extractall(folder)
    assert [path.name for path in folder.iterdir()] == ["backprop-book"]
    return folder / "backprop-book"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that reports what it asks for from elsewhere, and its errors."""
    context = browser.new_context(permissions=["clipboard-read"])
    page = context.new_page()
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("request", lambda request: mistakes.extend(outside(request.url)))
    page.on("requestfailed", lambda request: mistakes.extend(missing(request)))
    yield page
    context.close()
    assert not mistakes


def outside(url: str) -> list[str]:
    local = url.startswith(("file:", "data:", "blob:", "about:"))
    return [] if local else [url]


def missing(request: Request) -> list[str]:
    # What was still under way when the reader went on.
    left = request.failure == "net::ERR_ABORTED"
    # Material looks for site maps beside the other language's page, served or not.
    ours = not request.url.endswith("/sitemap.xml")
    return [f"{request.failure}: {request.url}"] if ours and not left else []


def at(page: Page) -> Path:
    return Path(unquote(urlparse(page.url).path))


def test_its_pages_have_no_address_but_can_be_reported(book):
    """Their files have other names than the published pages."""
    for path in book.rglob("*.html"):
        text = path.read_text("utf-8")
        assert "example.org" not in text
        assert ('class="feedback"' in text) == (path.name != "404.html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_goes_through_the_book(book, page, language):
    home = book if language == "en" else book / language
    page.goto((home / "index.html").as_uri())
    page.locator(".md-content a[href$='convolution.html']").first.click()
    assert at(page) == home / "cnn" / "convolution.html"
    page.locator(".md-footer__link--next").click()
    assert at(page) == home / "cnn" / "stride.html"
    page.locator(".md-content a[href*='convolution.html#eq-']").first.click()
    assert at(page) == home / "cnn" / "convolution.html"
    page.locator(".md-header a.md-logo").click()
    assert at(page) == home / "index.html"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_switch(book, page, language):
    folders = {"en": book, "zh": book / "zh"}
    (other,) = set(LANGUAGES) - {language}
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((folders[language] / "cnn" / "stride.html").as_uri())
    page.hover(".md-header .md-select button")
    page.click(f".md-select__link[hreflang={other}]")
    page.wait_for_url((folders[other] / "cnn" / "stride.html").as_uri() + "*")


@pytest.mark.parametrize("language", LANGUAGES)
def test_formulas_are_drawn_and_copied_as_tex(book, page, language):
    home = book if language == "en" else book / language
    page.goto((home / "softmax.html").as_uri())
    drawn = page.locator("div.formula svg").first
    assert drawn.bounding_box()["height"] > 20
    copied = page.evaluate(
        """() => {
            const range = document.createRange();
            range.selectNode(document.querySelector("div.formula"));
            getSelection().removeAllRanges();
            getSelection().addRange(range);
            const clipboardData = new DataTransfer();
            const event = { clipboardData, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("copy", event));
            return clipboardData.getData("text/plain");
        }"""
    )
    assert copied.strip().startswith("$$")
    assert "\\" in copied


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_explorer(book, page, language):
    home = book if language == "en" else book / language
    page.goto((home / "cnn" / "stride.html").as_uri())
    element = page.locator("conv-explorer")
    picked = element.locator(".symbols").first
    element.locator('[data-grid=z] [data-at="0,1"]').click()
    assert picked.text_content() == "z0,1"
    page.wait_for_function("location.search.includes('conv.at=z.0.1')")
    page.reload()
    assert picked.text_content() == "z0,1"


@pytest.mark.parametrize(
    ("language", "query", "wanted"),
    [
        ("en", "rot180", "cnn/convolution.html"),
        ("en", "backpropagation", "index.html"),
        ("zh", "rot180", "cnn/convolution.html"),
        ("zh", "反向传播", "index.html"),
    ],
)
def test_the_search(book, page, language, query, wanted):
    home = book if language == "en" else book / language
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((home / "cnn" / "stride.html").as_uri())
    search(page, query)
    page.locator("a.md-search-result__link").first.click()
    page.wait_for_url((home / wanted).as_uri() + "*")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notebooks(book, language):
    folder = (book if language == "en" else book / language) / "notebooks"
    for name in PARTS:
        page = (folder / f"{name}.html").read_text("utf-8")
        bar = re.search('<p class="notebook".*</p>', page)[0]
        links = re.findall('href="(?!https:)([^"]*)"', bar)  # Colab is elsewhere
        assert links == [f"{name}.ipynb", f"{name}.py"]
        assert all((folder / link).exists() for link in links)
