"""The search finds what a reader types, in the language that is being read."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from book.pages import LANGUAGES, nav_pages
from book.search import MENDED_CUT
from tests.minibook import MiniBook
from tests.site import html_path, path

# What is typed, and the page that is to be found first.
QUERIES = {
    "en": [
        ("convolution", "cnn/convolution.md"),
        ("backpropagation", "index.md"),
        ("softmax", "softmax.md"),
        ("rot180", "cnn/convolution.md"),
        ("chain rule", "notation.md"),
        ("padding", "convolution/padding.md"),
        ("dilation", "convolution/dilation.md"),
        ("depthwise", "convolution/groups.md"),
        ("im2col", "convolution/im2col.md"),
        ("average pooling", "pooling/average.md"),
        ("gradient wrong shape", "symptoms.md"),
        ("unpooling", "conventions.md"),
    ],
    "zh": [
        ("卷积", "cnn/convolution.md"),
        ("反向传播", "index.md"),
        ("softmax", "softmax.md"),
        ("rot180", "cnn/convolution.md"),
        ("链式法则", "notation.md"),
        ("前向传播", "cnn/forward.md"),
        ("最大池化", "cnn/pooling.md"),
        ("偏置与卷积核", "cnn/weights.md"),
        ("填充", "convolution/padding.md"),
        ("空洞卷积", "convolution/dilation.md"),
        ("转置卷积", "convolution/transposed.md"),
        ("因果卷积", "convolution/causal.md"),
        ("平均池化", "pooling/average.md"),
        ("剩余的行", "convolution/leftover.md"),
        ("梯度的形状不对", "symptoms.md"),
        ("感受野", "convolution/dilation.md"),
        ("反池化", "conventions.md"),
    ],
}


def search(page: Page, query: str, timeout: int = 10_000) -> None:
    """Type, as a reader does, and wait for what is found."""
    page.click(".md-search__input")
    page.keyboard.insert_text(query)
    page.keyboard.press("Shift")  # Material listens to keys
    page.wait_for_selector(".md-search-result__item", timeout=timeout)


@pytest.fixture(params=LANGUAGES)
def language(request) -> str:
    return request.param


@pytest.fixture
def index(site, language) -> dict:
    folder = site / html_path(language, "index.md")
    return json.loads((folder.parent / "search" / "search_index.json").read_bytes())


def words(index: dict, text: str) -> list[str]:
    """As the browser cuts a text for the search."""
    return re.split(index["config"]["separator"], text)


# --- The indexes -------------------------------------------------------------


@pytest.mark.book
def test_an_index_has_the_pages_of_its_language(site, index, language):
    root = (site / html_path(language, "index.md")).parent
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    wanted = [(site / html_path(language, page)).parent for page in nav_pages()]
    assert {(root / location).resolve() for location in found} == set(wanted)


def test_a_page_names_the_index_of_its_language(site, language):
    for page in nav_pages():
        path = site / html_path(language, page)
        config = re.search(r'id="__config"[^>]*>(.*?)<', path.read_text("utf-8"))[1]
        base = json.loads(config)["base"]
        assert base.endswith("/") or language == "en"  # a folder, not a file
        home = (site / html_path(language, "index.md")).parent
        assert (path.parent / base).resolve() == home


def test_chinese_is_cut_into_words(site):
    index = json.loads((site / "zh/search/search_index.json").read_bytes())
    found = set()
    for entry in index["docs"]:
        found.update(words(index, f"{entry['title']} {entry['text']}"))
    assert found >= {"卷积", "反向", "前向", "传播", "池化", "互相关", "梯度", "NumPy"}
    assert max(len(word) for word in found if re.match("[\u4e00-\u9fff]", word)) < 8


def test_code_is_cut_into_names(index):
    cut = words(index, "np.pad(δ, 2)*rot180(my_W)-0.25,2.-a[i:j]=='x'")
    assert [*filter(None, cut)] == (
        ["np", "pad", "δ", "2", "rot180", "my_W", "0.25", "2", "a", "i", "j", "x"]
    )


@pytest.mark.book
def test_texts_hold_no_markup_and_no_tex(index):
    for entry in index["docs"]:
        for text in entry["title"], entry["text"]:
            text = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", text, flags=re.S)
            assert not re.search(r"\\[a-zA-Z(\[]|\$|<(?!/?(p|ul|ol|li)>)", text)
            assert "data-" not in text


@pytest.mark.book
def test_code_and_formulas_are_in_the_index(index):
    texts = [entry["text"].replace("\u200b", "") for entry in index["docs"]]
    assert any(re.search("<code>[^<]*def rot180", text) for text in texts)
    assert any("rot180(W)" in re.sub("<pre>.*?</pre>", "", text) for text in texts)


def test_the_mark_of_an_output_is_not_searched(index, language):
    word = {"en": "printed by torch", "zh": "由 torch"}[language]
    texts = [entry["text"].replace("\u200b", "") for entry in index["docs"]]
    assert not [text for text in texts if f"</pre> {word}" in text]


def test_a_material_whose_search_has_changed_is_reported(tmp_path, caplog, monkeypatch):
    book = MiniBook(tmp_path, {"index.md": "# Home"}, ["site_hooks/search.py"])
    book.build()
    [worker] = tmp_path.glob("site/assets/javascripts/workers/search.*.js")
    assert MENDED_CUT in worker.read_text("utf-8")
    assert "Material's search" not in caplog.text
    monkeypatch.setattr("book.search.CUT", "as it was once")
    book.build()
    assert "Material's search has changed: see CUT in" in caplog.text


# --- In a browser ------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(browser, served) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def test_what_a_reader_types_is_found(reader, served, language):
    """And by nothing but pages of this language, the wanted one first."""
    pages = [served + path(language, page) for page in nav_pages()]
    missed = []
    reader.goto(served + path(language, "cnn/stride.md"))
    for query, wanted in QUERIES[language]:
        reader.locator(".md-search__input").fill("")
        expect(reader.locator(".md-search-result__item")).to_have_count(0)
        search(reader, query)
        links = reader.locator("a.md-search-result__link")
        found = links.evaluate_all("links => links.map((link) => link.href)")
        if found[0] != served + path(language, wanted):
            missed.append(f"{query}: {found[0]}, not {wanted}")
        outside = {link.partition("#")[0] for link in found} - {*pages}
        missed += [f"{query}: {link}" for link in outside]
    assert not missed


def test_the_search_finds_nothing_by_a_word_that_is_not_there(reader, served):
    reader.goto(served + path("en", "cnn/stride.md"))
    with pytest.raises(TimeoutError):
        search(reader, "wordlessness", timeout=1000)


def test_a_result_leads_to_its_section(reader, served):
    page = reader
    page.goto(f"{served}zh/cnn/stride/")
    search(page, "链式法则")
    link = page.locator("a.md-search-result__link[href*='#']:visible").first
    place = urlsplit(link.get_attribute("href")).fragment
    link.click()
    page.wait_for_url(f"**/#{place}")
    expect(page.locator(f"#{place}")).to_be_in_viewport()


def test_an_excerpt_reads_well(reader, served):
    """Words are marked whole, and between them nothing is to be seen."""
    page = reader
    page.goto(f"{served}zh/")
    search(page, "最大池化")
    title = page.locator(".md-search-result__item h1").first
    assert title.locator("mark").all_inner_texts() == ["最大", "池化"]
    plain = title.evaluate(
        """title => {
            const width = () => title.firstChild.getBoundingClientRect().width;
            title.innerHTML = `<span>${title.innerHTML}</span>`;
            const cut = width();
            title.innerHTML = title.innerHTML.replaceAll("\\u200b", "");
            return [cut, width()];
        }"""
    )
    assert plain[0] == pytest.approx(plain[1], abs=0.5)
