"""The search finds what a reader types, in the language that is being read."""

import importlib
import json
import re

import pytest
from playwright.sync_api import Page

from book.pages import LANGUAGES, ROOT, nav_pages
from tests.test_site import html_path

QUERIES = [
    ("en", "convolution", "cnn/convolution.md"),
    ("en", "backpropagation", "index.md"),
    ("en", "softmax", "softmax.md"),
    ("en", "rot180", "cnn/convolution.md"),
    ("en", "chain rule", "notation.md"),
    ("en", "padding", "convolution/padding.md"),
    ("en", "dilation", "convolution/dilation.md"),
    ("en", "depthwise", "convolution/groups.md"),
    ("en", "im2col", "convolution/im2col.md"),
    ("en", "average pooling", "pooling/average.md"),
    ("zh", "卷积", "cnn/convolution.md"),
    ("zh", "反向传播", "index.md"),
    ("zh", "softmax", "softmax.md"),
    ("zh", "rot180", "cnn/convolution.md"),
    ("zh", "链式法则", "notation.md"),
    ("zh", "前向传播", "cnn/forward.md"),
    ("zh", "最大池化", "cnn/pooling.md"),
    ("zh", "偏置与卷积核", "cnn/weights.md"),
    ("zh", "填充", "convolution/padding.md"),
    ("zh", "空洞卷积", "convolution/dilation.md"),
    ("zh", "转置卷积", "convolution/transposed.md"),
    ("zh", "因果卷积", "convolution/dimensions.md"),
    ("zh", "平均池化", "pooling/average.md"),
    ("zh", "剩余的行", "convolution/leftover.md"),
]


def search(page: Page, query: str) -> None:
    """Type, as a reader does, and wait for what is found."""
    page.click(".md-search__input")
    page.keyboard.insert_text(query)
    page.keyboard.press("Shift")  # Material listens to keys
    page.wait_for_selector(".md-search-result__item", timeout=10_000)


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


def test_texts_hold_no_markup_and_no_tex(index):
    for entry in index["docs"]:
        for text in entry["title"], entry["text"]:
            text = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", text, flags=re.S)
            assert not re.search(r"\\[a-zA-Z(\[]|\$|<(?!/?(p|ul|ol|li)>)", text)
            assert "data-" not in text


def test_code_and_formulas_are_in_the_index(index):
    texts = [entry["text"].replace("\u200b", "") for entry in index["docs"]]
    assert any(re.search("<code>[^<]*def rot180", text) for text in texts)
    assert any("rot180(W)" in re.sub("<pre>.*?</pre>", "", text) for text in texts)


def test_the_mark_of_an_output_is_not_searched(index, language):
    word = {"en": "verified", "zh": "已验证"}[language]
    texts = [entry["text"].replace("\u200b", "") for entry in index["docs"]]
    assert not [text for text in texts if text.endswith(f"</pre> {word}")]


def test_a_material_whose_search_has_changed_is_reported(tmp_path, caplog, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "site_hooks"))
    hook = importlib.import_module("search")
    worker = tmp_path / "assets" / "javascripts" / "workers" / "search.0.min.js"
    worker.parent.mkdir(parents=True)
    for script, warnings in [(f"a;{hook.CUT};b", 0), ("a;b", 1)]:
        worker.write_text(script)
        hook._mend_cut({"site_dir": str(tmp_path)})
        assert len(caplog.records) == warnings
    assert "Material's search has changed" in caplog.text


# --- In a browser ------------------------------------------------------------


@pytest.mark.parametrize(("language", "query", "wanted"), QUERIES)
def test_what_a_reader_types_is_found(browser, served, language, query, wanted):
    def url(path: str) -> str:
        return served + html_path(language, path).removesuffix("index.html")

    page = browser.new_page()
    page.goto(url("cnn/stride.md"))
    search(page, query)
    links = page.locator("a.md-search-result__link")
    assert links.first.get_attribute("href") == url(wanted)
    pages = [url(path) for path in nav_pages()]
    for link in links.all():
        assert link.get_attribute("href").partition("#")[0] in pages
    page.close()


def test_a_result_leads_to_its_section(browser, served):
    page = browser.new_page()
    page.goto(f"{served}zh/cnn/stride/")
    search(page, "链式法则")
    page.locator("a.md-search-result__link h2").first.click()
    page.wait_for_url(f"{served}zh/notation/#chain-rule")
    assert "链式法则" in page.locator("#chain-rule").inner_text()
    page.close()


def test_an_excerpt_reads_well(browser, served):
    """Words are marked whole, and between them nothing is to be seen."""
    page = browser.new_page()
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
    page.close()
