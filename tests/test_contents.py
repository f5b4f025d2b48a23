"""The navigation and the home page's table follow from the pages' front matter."""

import re
from pathlib import Path

import pytest

from book.formulas import NUMBER
from book.pages import HOME, LANGUAGES, BadPage, chapters, contents, parts, titles
from tests.site import NOTEBOOKS, html_path

# Title, part and order of each page, English and Chinese.
PAGES = {
    "index.md": (("Home", "首页"), None, 0),
    "one.md": (("One", "一"), None, 1),
    "part/two.md": (("Two", "二"), ("Part", "部分"), 20),
    "part/three.md": (("Three", "三"), ("Part", "部分"), 10),
    "four.md": (("Four", "四"), None, 30),
    "five.md": (("Five", "五"), ("Reference", "参考"), 40),
}


@pytest.fixture
def docs(tmp_path) -> Path:
    for number, language in enumerate(["en", "zh"]):
        for name, (title, part, order) in PAGES.items():
            path = tmp_path / language / name
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"title: {title[number]}", f"order: {order}"]
            lines += [f"part: {part[number]}"] if part else []
            front = "\n".join(["---", *lines, "summary: s", "description: d", "---"])
            path.write_text(f"{front}\n# A {{ #a }}\n", "utf-8")
    return tmp_path


def test_the_pages_stand_in_their_order(docs):
    divided = [
        (part, [page.name for page in pages])
        for part, pages in parts(contents(docs)["zh"])
    ]
    assert divided == [
        ("", ["index.md", "one.md"]),
        ("部分", ["part/three.md", "part/two.md"]),
        ("", ["four.md"]),
        ("参考", ["five.md"]),
    ]


def test_chapters_are_numbered_and_what_is_looked_up_is_not(docs):
    for title, pages in zip(["Two", "二"], contents(docs).values(), strict=True):
        names = ["one.md", "part/three.md", "part/two.md", "four.md"]
        assert chapters(pages) == dict(zip(names, [1, 2, 3, 4], strict=True))
        assert titles(pages)["part/two.md"] == f"3 {title}"
        assert titles(pages)["index.md"] == pages[0].front["title"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "zh/one.md",
            "order: 1\n",
            "",
            "docs/zh/one.md:1: the front matter has no order",
        ),
        ("zh/one.md", "title: 一", "title: ''", "has a title that is no str: ''"),
        ("zh/one.md", "title: 一", "title: 2020", "has a title that is no str: 2020"),
        ("zh/one.md", "summary: s\n", "", "docs/zh/one.md:1: .* has no summary"),
        ("zh/one.md", "order: 1", "order: 1.5", "has a order that is no int: 1.5"),
        ("zh/one.md", "order: 1", "order: true", "has a order that is no int: True"),
        ("zh/one.md", "order", "Order", "has no key 'Order', but title, part, order"),
        ("zh/one.md", "order: 1", "order: [", "docs/zh/one.md:1: .* no YAML"),
        ("zh/one.md", "order: 1", "order: 1\norder: 2", "twice(.|\n)*line 4"),
        ("zh/one.md", "order: 1", "order: 1\nallows: x", "allows that is no list: 'x'"),
        ("zh/one.md", "order: 1", "order: 1\nterms: x", "terms that is no dict: 'x'"),
        ("zh/one.md", "order: 1", "order", "docs/zh/one.md:1: .* no YAML"),
        ("zh/one.md", "---\n", "", "docs/zh/one.md:1: the front matter has no title"),
        (
            "zh/one.md",
            "order: 1",
            "order: 2",
            "docs/zh/one.md:1: .* not that of docs/en",
        ),
        ("zh/one.md", "order: 1", "order: -1", "docs/zh/index.md: of all pages, its"),
        (
            "zh/one.md",
            "order: 1",
            "order: 30",
            "docs/zh/one.md:1: its order is that of docs/zh/four",
        ),
        ("en/four.md", "order: 30", "order: 15", "apart from the others of 'Part'"),
        (
            "zh/five.md",
            "参考",
            "查阅",
            "zh/five.md:1: a part is Reference and 参考",
        ),
        ("zh/four.md", "order", "part: 四\norder", "part '四' has not the pages of ''"),
        ("zh/part/two.md", "部分", "别的", "'部分' has not the pages of 'Part'"),
        (
            "zh/four.md",
            None,
            None,
            "docs/en/four.md: the page is in this language only",
        ),
    ],
)
def test_what_makes_no_book_is_told(docs, name, old, new, message):
    assert contents(docs)
    path = docs / name
    if old is None:
        path.unlink()
    else:
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadPage, match=message):
        contents(docs)


# --- The site ----------------------------------------------------------------


def read(site: Path, language: str, page: str) -> str:
    return (site / html_path(language, page)).read_text("utf-8")


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_navigation_has_every_title_and_every_part(site, language):
    text = read(site, language, HOME)
    nav = text[text.index("md-nav--primary") : text.index('<div class="md-content"')]
    nav = re.sub(r'(?s)<nav class="md-nav md-nav--secondary.*?</nav>', "", nav)
    shown = re.findall(r'<span class="md-ellipsis">\s*(.*?)\s*</span>', nav, re.S)
    book = contents()[language]
    name = titles(book)
    wanted = [
        title
        for part, pages in parts(book)
        for title in [*([part] if part else []), *(name[p.name] for p in pages)]
    ]
    # The page that is open stands there twice.
    assert [*dict.fromkeys(shown)] == wanted
    if language == "zh":
        # What is the same in all languages is a name, such as im2col or LSTM.
        foreign = [t for t in wanted if not re.search("[\u4e00-\u9fff]", t)]
        assert not [t for t in foreign if t not in (t.lower(), t.upper())]


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_lists_all_pages(site, language):
    text = read(site, language, HOME)
    rows = re.findall(r'<tr>\s*<td><a href="(.*?)/">(.*?)</a></td>', text)
    pages = contents()[language]
    name = titles(pages)
    assert rows == [(p.name.removesuffix(".md"), name[p.name]) for p in pages[1:]]
    heads = re.findall(r"<tr>\s*<th>(.*?)</th>\s*<th>.+?</th>", text)
    assert heads[1:] == [part for part, _ in parts(pages) if part]


def heading(html: str) -> str:
    """What stands before the title of a page."""
    return re.search(r'<h1[^>]*>(?:<span class="number">(\d+)</span> )?', html)[1] or ""


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chapter_has_the_number_of_its_equations(site, language):
    """At its title, and at that of its notebook."""
    equations = 0
    number = chapters(contents()[language])
    for page in contents()[language]:
        wanted = str(number.get(page.name, ""))
        names = [page.name]
        name = page.name.removesuffix(".md")
        names += [f"notebooks/{page.name}"] if name in NOTEBOOKS else []
        for each in names:
            html = read(site, language, each)
            assert heading(html) == wanted, each
            found = [number.partition(".")[0] for _, number in NUMBER.findall(html)]
            assert {*found} <= {wanted}, each
            equations += len(found)
    assert equations > 100


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_is_reached_from_its_page_alone(site, language):
    nav = {}
    for page in [HOME, f"notebooks/{NOTEBOOKS[0]}.md"]:
        html = read(site, language, page)
        nav[page] = re.findall(r'<a href="([^"]*)" class="md-nav__link', html)
    assert not [href for hrefs in nav.values() for href in hrefs if "notebook" in href]
    for name in NOTEBOOKS:
        html = read(site, language, f"{name}.md")
        assert re.search(rf'<a href="[^"]*notebooks/{name}/">', html), name
