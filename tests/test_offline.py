"""The zip of `python3 make.py offline` is the whole book, without a server."""

import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from playwright.sync_api import Browser, Page, Request, expect

import make
from book.pages import LANGUAGES
from tests.site import ADDRESSES, NOTEBOOKS, cached, copied
from tests.test_search import search


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Where the zip was unpacked; its name is one that people give to folders."""

    def unpack(folder: Path) -> None:
        copy = copied(tmp_path_factory.mktemp("project"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(make, "ROOT", copy)
            patch.setattr(make, "BIN", Path(sys.executable).parent)
            for name, address in ADDRESSES.items():  # as for a release
                patch.setenv(name, address)
            make.offline()
        archive = copy / "build" / "backprop-book.zip"
        zipfile.ZipFile(archive).extractall(folder / "我的 books & more (1)")

    (folder,) = cached("offline", unpack, **ADDRESSES).iterdir()
    assert [path.name for path in folder.iterdir()] == ["backprop-book"]
    return folder / "backprop-book"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that reports what it asks for from elsewhere, and its errors."""
    context = browser.new_context(permissions=["clipboard-read"])
    page = context.new_page()
    mistakes = mistakes_of(page)
    yield page
    context.close()
    assert not mistakes


def mistakes_of(page: Page) -> list[str]:
    """What goes wrong from now on."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: found.extend(outside(request.url)))
    page.on("requestfailed", lambda request: found.extend(missing(request)))
    return found


def outside(url: str) -> list[str]:
    local = url.startswith(("file:", "data:", "blob:", "about:"))
    return [] if local else [url]


def missing(request: Request) -> list[str]:
    # What was still under way when the reader went on.
    left = request.failure == "net::ERR_ABORTED"
    # Material looks for site maps beside the other language's page, served or not.
    ours = not request.url.endswith("/sitemap.xml")
    return [f"{request.failure}: {request.url}"] if ours and not left else []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<script src=none.js></script>", "ERR_FILE_NOT_FOUND.*none.js"),
        ("<img src=https://example.invalid/x>", "https://example.invalid/x"),
        ("<script>throw Error('oh')</script>", "oh"),
    ],
)
def test_a_mistake_is_noticed(browser, tmp_path, body, told):
    (tmp_path / "index.html").write_text(body, "utf-8")
    page = browser.new_page()
    found = mistakes_of(page)
    page.goto((tmp_path / "index.html").as_uri())
    page.close()
    assert re.search(told, found[0])


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
    page.set_viewport_size({"width": 1920, "height": 900})  # or there is no logo
    page.locator(".md-header a.md-logo").click()
    assert at(page) == home / "index.html"


# What a reader takes to the clipboard of the first formula that stands alone.
COPY = """() => {
    const range = document.createRange();
    range.selectNode(document.querySelector("div.formula"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const clipboardData = new DataTransfer();
    const event = { clipboardData, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new ClipboardEvent("copy", event));
    return clipboardData.getData("text/plain");
}"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_formulas_the_explorer_and_the_language_switch(book, page, language):
    folders = {"en": book, "zh": book / "zh"}
    (other,) = set(LANGUAGES) - {language}
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto((folders[language] / "cnn" / "stride.html").as_uri())
    assert page.locator("div.formula svg").first.bounding_box()["height"] > 20
    copied_ = page.evaluate(COPY)
    assert copied_.strip().startswith("$$")
    assert "\\" in copied_

    element = page.locator("conv-explorer")
    picked = element.locator(".result").first
    element.locator('[data-grid=z] [data-at="0,1"]').click()
    assert picked.text_content() == "z₀,₁"
    page.wait_for_function("location.search.includes('conv.at=z.0.1')")
    page.reload()
    assert picked.text_content() == "z₀,₁"

    page.hover(".md-header .md-select button")
    page.click(f".md-select__link[hreflang={other}]")
    page.wait_for_url((folders[other] / "cnn" / "stride.html").as_uri() + "*")


@pytest.mark.parametrize(
    ("language", "word"), [("en", "chain rule"), ("zh", "链式法则")]
)
def test_the_search(book, page, language, word):
    home = book if language == "en" else book / language
    page.set_viewport_size({"width": 1400, "height": 900})
    for query, wanted in [("rot180", "cnn/convolution.html"), (word, "notation.html")]:
        page.goto((home / "cnn" / "stride.html").as_uri())
        search(page, query)
        page.locator("a.md-search-result__link").first.click()
        page.wait_for_url((home / wanted).as_uri() + "*")


@pytest.mark.parametrize(("language", "word"), [("en", "likely"), ("zh", "可能")])
def test_gradients_are_compared(book, page, language, word):
    page.goto(((book if language == "en" else book / language) / "check.html").as_uri())
    page.locator("[data-example=turned]").click()
    expect(page.locator("check-explorer output")).to_contain_text(f"{word}  ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notebooks(book, language):
    folder = (book if language == "en" else book / language) / "notebooks"
    for name in NOTEBOOKS:
        page = (folder / f"{name}.html").read_text("utf-8")
        bar = re.search('<p class="notebook".*</p>', page)[0]
        links = re.findall('href="(?!https:)([^"]*)"', bar)  # Colab is elsewhere
        stem = Path(name).name
        assert links == [f"{stem}.ipynb", f"{stem}.py"]
        assert all((folder / name).with_name(link).exists() for link in links)
